#!/usr/bin/python3
"""Reads composed mails with Python's email package and compares them with what was meant.

For each DIR/*.eml: NAME.subject, NAME.name, NAME.to and NAME.body hold what must come out (UTF-8), NAME.attached, if there,
the exact bytes that must stand in the mail as message/rfc822. Prints each difference; exit 1 if there is one.
"""
import email
import email.policy
import email.utils
import pathlib
import re
import sys
from email.header import decode_header, make_header


def differences(path):
    wire = path.read_bytes()

    # JIS X 0208 has one of each of these.
    fold = str.maketrans("～－∥—", "〜−‖―") if b"charset=ISO-2022-JP" in wire else {}

    def wanted(kind):
        return path.with_suffix("." + kind).read_bytes().decode().translate(fold)

    if any(b > 126 or b == 0 for b in wire):
        yield "not 7-bit"
    if re.search(rb"[^\r]\n|\r[^\n]", wire):
        yield "line ends other than CRLF"
    if max(len(line) for line in wire.split(b"\r\n")) > 998:
        yield "a line over 998 octets"
    header = wire.split(b"\r\n\r\n", 1)[0].split(b"\r\n")
    if max(len(line) for line in header) > 78:
        yield "a header line over 78 octets"
    if any(not line.strip() for line in header):
        yield "a header line of white space only"
    # The modern parser and the old one: they decode headers by different code.
    modern = email.message_from_bytes(wire, policy=email.policy.default)
    old = email.message_from_bytes(wire)
    if modern.defects:
        yield f"defects: {modern.defects}"
    if str(modern["subject"]) != wanted("subject"):
        yield f"subject: {str(modern['subject'])!r}, meant {wanted('subject')!r}"
    unfolded = re.sub(r"\r\n(?=[ \t])", "", str(make_header(decode_header(old["subject"]))))
    if unfolded != wanted("subject"):
        yield f"subject by the old parser: {unfolded!r}"
    # The modern parser of Python 3.11 puts blanks between the encoded words of a phrase (RFC 2047 6.2 says to drop them): the old one is right.
    phrase, _ = email.utils.parseaddr(old["from"])
    name = str(make_header(decode_header(phrase)))
    if name != wanted("name") or len(modern["from"].addresses) != 1:
        yield f"from: {name!r}, meant {wanted('name')!r}"
    if [a.addr_spec for a in modern["to"].addresses] != [wanted("to")]:
        yield f"to: {modern['to']!r}, meant {wanted('to')!r}"
    for field in ("from", "to", "subject", "date", "message-id", "auto-submitted", "mime-version", "content-type"):
        if len(modern.get_all(field, [])) != 1:
            yield f"{len(modern.get_all(field, []))} fields {field}"
    for field in ("cc", "bcc", "x-injected"):
        if field in modern:
            yield f"a field {field}"
    text = modern
    if path.with_suffix(".attached").exists():
        attached = path.with_suffix(".attached").read_bytes()
        parts = list(modern.iter_parts())
        if [p.get_content_type() for p in parts] != ["text/plain", "message/rfc822"]:
            yield f"parts: {[p.get_content_type() for p in parts]}"
            return
        text = parts[0]
        if attached not in wire:
            yield "the attached mail is not there byte for byte"
        if parts[1].get_filename() != wanted("filename"):
            yield f"file name: {parts[1].get_filename()!r}, meant {wanted('filename')!r}"
        inner = parts[1].get_content()
        if inner["message-id"] != email.message_from_bytes(attached, policy=email.policy.default)["message-id"]:
            yield "the attached mail has another Message-ID"
    body = text.get_content()
    if body.replace("\r\n", "\n") != wanted("body"):
        yield f"body: {body!r}, meant {wanted('body')!r}"


def main():
    mails = sorted(pathlib.Path(sys.argv[1]).glob("*.eml"))
    bad = 0
    for path in mails:
        for difference in differences(path):
            print(f"{path.name}: {difference}")
            bad += 1
    print(f"{len(mails)} mails read, {bad} differences")
    sys.exit(1 if bad or not mails else 0)


main()
