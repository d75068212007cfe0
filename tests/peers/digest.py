"""Opens digests as a mail program does: digest.py FILE... Exit status 1 and a sentence where one is not what it should be."""
import email
import email.policy
import html.parser
import sys


class Reader(html.parser.HTMLParser):
    """The points and headings of the HTML, and whether its tags close."""

    def __init__(self):
        super().__init__()
        self.open, self.points, self.links, self.text = [], [], [], ""

    def handle_starttag(self, tag, attrs):
        if tag == "meta":
            return
        self.open.append(tag)
        if tag == "li":
            self.points.append("")
        if tag == "a":
            self.links.append(dict(attrs)["href"])

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data):
        self.text += data
        if "li" in self.open and "a" not in self.open:
            self.points[-1] += data


def check(path):
    raw = open(path, "rb").read()
    assert all(len(line) <= 78 for line in raw.split(b"\r\n")), "a line is too long"
    assert raw.isascii(), "it is not 7-bit"
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert not mail.defects, mail.defects
    assert "朝のまとめ" in mail["Subject"], mail["Subject"]
    assert mail["Auto-Submitted"] == "auto-generated"
    assert len(mail["To"].addresses) == 1 and not mail["Cc"] and not mail["Bcc"]
    assert mail.get_content_type() == "multipart/alternative"
    parts = list(mail.iter_parts())
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    assert not any(part.defects for part in parts)
    text, page = parts[0].get_content(), parts[1].get_content()
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert not reader.open, f"left open: {reader.open}"
    points = [line[1:] for line in text.splitlines() if line.startswith("・")]
    assert points == [point.strip() for point in reader.points], (points, reader.points)
    for heading in (line[2:] for line in text.splitlines() if line.startswith("■")):
        assert heading in reader.text, heading
    for link in reader.links:
        assert link in text, link
    assert "http" not in page and "<script" not in page and "<img" not in page


for name in sys.argv[1:]:
    try:
        check(name)
    except AssertionError as fault:
        sys.exit(f"{name}: {fault!r}")
if len(sys.argv) < 2:
    sys.exit("no file was given")
