"""planted.sh: BUILD CONF DIRECTORY, whose head.csv has the heads of a form's columns."""
import base64
import csv
import html.parser
import io
import json
import os
import pathlib
import subprocess
import sys
import unicodedata

build, conf, directory = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
spool, state = directory / "spool", directory / "state"
HEADS = next(csv.reader(io.StringIO((directory / "head.csv").read_text(encoding="utf-8-sig"))))

# For a terminal: what it would obey, as control codes and as bytes that pass for them, and signs that turn text around.
TERMINAL = {
    "osc": "\x1b]0;owned\x07", "csi": "\x1b[2J\x1b[31m", "c1": "\x9b31m\x9d0;x\x9c", "bell": "\a\b", "carriage": "good\rbad",
    "override": "\u202egnp.exe", "isolate": "\u2066x\u2069", "mark": "\u200f\u061c", "separator": "a\u2028b\u2029c", "delete": "a\x7fb",
}
# For a page and a script.
MARKUP = {
    "element": "<x-planted>", "attribute": "\" onplanted=\"1", "single": "' onplanted='1", "script": "</script><x-planted>",
    "comment": "--><x-planted><!--", "address": "javascript:planted()", "entity": "&lt;x-planted&gt;", "cdata": "]]><x-planted>",
    "title": "</title></style></textarea><x-planted>",
}
# For a spreadsheet.
FORMULA = {"equals": "=1+1", "plus": "+1+1", "minus": "-1+1", "at": "@SUM(1)", "wide": "＝1+1", "call": "=cmd|' /C calc'!A0"}
PLANTED = {**TERMINAL, **MARKUP, **FORMULA}
FREE = ["担当者名", "事業者名", "代表者（姓）", "代表者（名）", "市区町村・番地", "所属団体（商工団体等）", "自己宣言の目的", "業種（中分類）"]


def number(n):
    base = f"{n:012d}"
    total = sum(int(d) * (1 + i % 2) for i, d in enumerate(reversed(base)))
    return f"T{9 - total % 9}{base}"


def row(n, **other):
    mail = f"tanto{n}@example.co.jp"
    values = ["新規に【★一つ星】を申し込む", "その他", "誓約する", "見本　花子", mail, mail, "法人", number(n), f"株式会社サンプル{n}", "見本", "太郎",
              "100-0001", "東京都", f"千代田区見本1-{n}", "03-0000-0000", "35", "食料品製造業", "所属していない", "希望する", "同意する", "同意する", ""]
    cells = dict(zip(HEADS, values, strict=True))
    cells.update(other)
    return [cells[head] for head in HEADS]


def drop(name, rows, head=None):
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([head or HEADS, *rows])
    path = os.path.join(os.fsencode(spool / "incoming"), name if isinstance(name, bytes) else os.fsencode(name))
    with open(path, "wb") as out:
        out.write(b"\xef\xbb\xbf" + text.getvalue().encode())


def deliver(serial, headers, body):
    box = state / "mailbox"
    for part in ("tmp", "new", "cur"):
        (box / part).mkdir(parents=True, exist_ok=True)
    (box / "new" / f"{1000 + serial}.planted").write_bytes(headers.replace("\n", "\r\n").encode() + b"\r\n" + body)


def word(text):
    return "=?UTF-8?B?%s?=" % base64.b64encode(text.encode()).decode()


def plant():
    """One planted value in each free field, one file a value; all of them in every field, in a row that is refused; and good rows."""
    n = 100
    for value in PLANTED.values():
        rows = []
        for field in FREE:
            n += 1
            rows.append(row(n, **{field: "見本" + value}))
        rows.append([value] * len(HEADS))
        rows.append(row(n + 500, 都道府県=value))
        drop("form-%d.csv" % n, rows)
    drop("good.csv", [row(i) for i in range(1, 4)])
    drop("head.csv", [row(4) + ["x"]], HEADS + ["=1+1\x1b[2J<x-planted>"])
    for i, value in enumerate(PLANTED.values()):
        name = os.fsencode("%d%s.csv" % (i, value.replace("/", "\u2215"))) if i % 2 else os.fsencode(value.replace("/", "\u2215") + "%d.csv" % i)
        drop(name, [row(800 + i, 都道府県="見本府")])
    drop(b"\xff\x9b31m\xfe.csv", [row(900)])
    for i, value in enumerate(PLANTED.values()):
        name = word("見本" + value)
        deliver(i, "Return-Path: <p%d@example.net>\nFrom: %s <p%d@example.net>\nTo: security-action-info@sa.example.jp\nSubject: %s\n"
                "Message-ID: <%d@example.net>\nReply-To: %s <x%d@example.net>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n"
                % (i, name, i, word("質問" + value), i, name, i),
                ("--b\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\nロゴマークの使用を中止します。\r\n自己宣言ID：46837431276\r\n事業者名：%s\r\n"
                 "代表者名：%s\r\n中止理由：%s\r\n--b\r\nContent-Type: application/pdf; name=\"%s\"\r\nContent-Disposition: attachment; filename=\"%s\"\r\n\r\n"
                 "%%PDF-\r\n--b--\r\n" % (value, value, value, name, name)).encode())
    deliver(900, "Return-Path: <>\nFrom: MAILER-DAEMON@example.net\nTo: bounce@sa.example.jp\nSubject: =?UTF-8?B?G1szMW0=?=\nMIME-Version: 1.0\n"
            "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n",
            b"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; \x1b]0;x\x07\r\n\r\nFinal-Recipient: rfc822; a\x9b@b\r\n"
            b"Action: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 \x1b[2J\xc2\x9b31m <x-planted>\r\n--b--\r\n")


def run(program, *words, lang="C.UTF-8", language=None):
    env = dict(os.environ, LC_ALL=lang, **({"LANGUAGE": language} if language else {}))
    return subprocess.run([os.path.join(build, program), "-c", conf, *words], capture_output=True, env=env, timeout=120)


def fail(what):
    sys.exit("planted: " + what)


def check_terminal(what, raw, lines=True):
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as fault:
        fail("%s is not UTF-8: %s" % (what, fault))
    for at, c in enumerate(text):
        if c == "\n" and lines:
            continue
        if unicodedata.category(c) in ("Cc", "Zl", "Zp", "Cs") or 0x202A <= ord(c) <= 0x202E or 0x2066 <= ord(c) <= 0x2069 or c in "\u200e\u200f\u061c":
            fail("%s has U+%04X: %r" % (what, ord(c), text[max(0, at - 60):at + 20]))
    return text


def each_command():
    applications = [json.loads(line)["application"] for line in run("sengenctl", "list", "--limit", "500", "--json").stdout.splitlines()]
    requests = [json.loads(line)["request"] for line in run("sengenctl", "requests", "--json").stdout.splitlines()]
    if len(applications) < 20 or len(requests) < 15:
        fail("only %d applications and %d requests came in" % (len(applications), len(requests)))
    yield from (["status"], ["list", "--limit", "500"], ["list", "--review"], ["plan"], ["requests"], ["review", "list"], ["balance"], ["health"],
                ["batches"], ["audit"], ["search", "見本"], ["search", "x-planted"], ["check-config"])
    for application in applications[::6]:
        yield from (["show", str(application)], ["why", str(application)])
    for request in requests:
        yield ["review", "show", str(request)]
    yield ["preview", "receipt"]
    for value in TERMINAL.values():  # what was asked for is repeated in a refusal
        yield from (["show", value], ["list", "--state", value], ["search", value], ["show", "--" + value], [value])
    yield from (["check-form", os.fsdecode(path)] for path in (os.fsencode(p) for p in sorted(spool.rglob("*.csv"))[::3]))
    mails = sorted((state / "mailbox").rglob("*.planted*"))[::3]
    yield from (["inspect", str(path)] for path in mails)


def check_commands():
    count = 0
    exact = set()
    for words in each_command():
        for extra in ([], ["--json"]):
            for lang in (("C.UTF-8", None), ("ja_JP.UTF-8", "ja")) if not extra and count % 7 == 0 else (("C.UTF-8", None),):
                said = run("sengenctl", *words, *extra, lang=lang[0], language=lang[1])
                name = "sengenctl " + " ".join(words + extra)
                if said.returncode < 0:
                    fail("%s died by signal %d" % (name, -said.returncode))
                check_terminal(name, said.stdout)
                check_terminal(name + " (stderr)", said.stderr)
                count += 1
                if extra and said.returncode in (0, 1):
                    for line in said.stdout.decode().splitlines():
                        exact.update(texts(json.loads(line)))
    return count, exact


def texts(value):
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts(inner)


class Page(html.parser.HTMLParser):
    def handle_starttag(self, tag, attrs):
        if tag == "x-planted" or any(name.startswith("onplanted") for name, _ in attrs):
            fail("%s: a planted value became markup: %s %r" % (self.path, tag, attrs))
        for name, value in attrs:
            if name in ("href", "src") and (value or "").strip().lower().startswith("javascript"):
                fail("%s leads to %s" % (self.path, value))

    def handle_comment(self, data):
        fail("%s: a comment: %s" % (self.path, data))


def check_page(path):
    page = Page()
    page.path = path
    text = path.read_text(encoding="utf-8")
    page.feed(text)
    check_terminal(str(path), text.replace("\t", " ").encode())
    return text


def check_csv(path):
    raw = path.read_bytes()
    cells = 0
    for line in csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")):
        for cell in line:
            cells += 1
            if cell.strip()[:1] in "=+-@" and cell.strip() or cell.strip()[:1] in ("＝", "＋", "＠"):
                fail("%s: a formula: %r" % (path, cell))
    return cells


plant()
for _ in range(8):
    done = run("sengend", "--once")
    check_terminal("the log", done.stderr)
    if done.returncode not in (0, 1):
        fail("sengend --once: %d %s" % (done.returncode, done.stderr.decode()))
if [name for name in os.listdir(spool / "incoming")]:
    fail("left in incoming/: %r" % os.listdir(os.fsencode(spool / "incoming")))
if not (spool / "report" / "index.html").exists():
    run("sengenctl", "report")
commands, exact = check_commands()
for value in list(MARKUP.values()) + [TERMINAL["osc"], TERMINAL["override"]]:
    if not any(value in text for text in exact):
        print("not found as it is in JSON: %r" % value)
pages = sorted((spool / "report").glob("*.html"))
lists = directory / "public"
if run("sengenctl", "publish", str(lists)).returncode != 0:
    fail("publish")
pages += sorted(lists.glob("*.html"))
for path in pages:
    check_page(path)
for path in lists.rglob("*.js"):
    text = path.read_text(encoding="utf-8")
    if "</script" in text or "\u2028" in text or "<!--" in text:
        fail("%s ends its script" % path)
export = run("sengenctl", "export")
(directory / "export.csv").write_bytes(export.stdout) if export.stdout else run("sengenctl", "export", "--output", str(directory / "export.csv"))
books = [path for path in [*spool.rglob("*_要修正.csv"), *lists.glob("*.csv"), directory / "export.csv"] if path.exists()]
cells = sum(check_csv(path) for path in books)
for path in spool.rglob("*_結果.txt"):
    check_terminal(str(path), path.read_bytes().replace(b"\r\n", b"\n").removeprefix(b"\xef\xbb\xbf").replace(b"\xef\xbb\xbf", b""))
for path in spool.rglob("*"):
    check_terminal("a file's name", os.fsencode(path))
print("figure: %d planted values, %d outputs of commands, %d pages, %d cells in %d CSV files" %
      (len(PLANTED), commands, len(pages), cells, len(books)))
