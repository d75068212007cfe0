#!/usr/bin/python3
"""Mails and files that swell, nest or never end. bombs.py list: their names; bombs.py write DIRECTORY [NAME]...: mails as NAME.eml, form files under NAME and
their own ending. Every mail is 20 MiB in its shape, or what it takes to unfold to far more than that. All persons are fictitious."""
import base64
import io
import struct
import sys
import zipfile
import zlib

MIB = 1 << 20
SIZE = 20 * MIB
OFFICE = "security-action-info@sa.example.jp"
HEAD = f"From: taro@example.co.jp\r\nTo: {OFFICE}\r\nSubject: bomb\r\nMessage-ID: <%s@example.co.jp>\r\nMIME-Version: 1.0\r\n"
ASK = "メールニュースの配信停止をお願いいたします。\r\n"


def head(name, fields="Content-Type: text/plain; charset=UTF-8\r\n"):
    return (HEAD % name + fields + "\r\n").encode()


def fill(unit, size=SIZE):
    return unit * (size // len(unit) + 1)


# ---- mails ----

def m_large_text(name):
    return head(name) + fill("弊社はロゴマークの使用を続けます。\r\n".encode())


def m_one_line(name):
    return head(name) + fill("再送".encode())


def m_blank_lines(name):
    return head(name) + fill(b"\r\n")


def m_spaces(name):
    return head(name) + fill(b" ") + ASK.encode()


def m_quote_lines(name):
    return head(name) + fill(b"> ")


def m_quoted_history(name):
    return head(name) + fill("2026年3月3日(火) 10:00 見本 <a@example.co.jp>:\r\n> 中止\r\n".encode())


def m_colons(name):
    return head(name) + fill("事業者名：\r\n".encode())


def m_ids(name):
    return head(name) + fill("自己宣言ID 40000000000 ".encode())


def m_digits(name):
    return head(name) + fill(b"4")


def m_nested_multiparts(name):
    fields, body = "", []
    for i in range(100000):
        body.append(f"Content-Type: multipart/mixed; boundary=b{i}\r\n\r\n--b{i}\r\n")
    return head(name, "Content-Type: multipart/mixed; boundary=b\r\n") + b"--b\r\n" + "".join(body).encode() + fill(b"x", SIZE // 2)


def m_same_boundary(name):
    one = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
    return head(name, "Content-Type: multipart/mixed; boundary=b\r\n") + b"--b\r\n" + fill(one)


def m_nested_messages(name):
    return head(name, "Content-Type: message/rfc822\r\n") + fill(b"From: a@example.co.jp\r\nContent-Type: message/rfc822\r\n\r\n")


def m_nested_messages_full(name):
    return head(name, "Content-Type: message/rfc822\r\n") + b"Content-Type: message/rfc822\r\n\r\n" * 200 + b"\r\n" + fill(b"text\r\n")


def m_parts_100000(name):
    one = b"--b\r\nContent-Type: text/plain\r\n\r\n" + b"x" * 160 + b"\r\n"
    return head(name, "Content-Type: multipart/mixed; boundary=b\r\n") + one * 100000 + b"--b--\r\n"


def m_empty_parts(name):
    return head(name, "Content-Type: multipart/mixed; boundary=b\r\n") + fill(b"--b\r\n\r\n")


def m_boundary_almost(name):
    b = "b" * 60
    return head(name, f"Content-Type: multipart/mixed; boundary={b}\r\n") + fill(f"--{b[:-1]}\r\n".encode())


def m_headers_100000(name):
    return b"".join(b"X-Header-%d: %s\r\n" % (i, b"x" * 190) for i in range(100000)) + head(name) + ASK.encode()


def m_header_line(name):
    return b"X-Long: " + fill(b"x") + b"\r\n" + head(name) + ASK.encode()


def m_header_folded(name):
    return b"X-Long: x" + fill(b"\r\n x") + b"\r\n" + head(name) + ASK.encode()


def m_subject_words(name):
    return b"Subject:" + fill(b" =?UTF-8?B?5YGc5q2i?=\r\n", 10 * MIB) + head(name) + ASK.encode()


def m_subject_open_words(name):
    return b"Subject: " + fill(b"=?UTF-8?B?") + b"\r\n" + head(name) + ASK.encode()


def m_subject_charsets(name):
    return b"Subject:" + fill(b" =?ISO-2022-JP?B?GyRCRGQ7XxsoQg==?= =?CP932?B?kuKOfg==?=\r\n", 10 * MIB) + head(name) + ASK.encode()


def m_addresses(name):
    return b"To:" + fill(b" a@example.co.jp,\r\n") + head(name) + ASK.encode()


def m_from_addresses(name):
    return b"From:" + b" a@example.co.jp,\r\n" * 1000000 + b" b@example.co.jp\r\n" + head(name) + ASK.encode()


def m_from_comments(name):
    return b"From: " + fill(b"(") + b"a@example.co.jp\r\n" + head(name) + ASK.encode()


def m_references(name):
    return b"References:" + fill(b" <a@example.co.jp>\r\n") + head(name) + ASK.encode()


def m_authentication_results(name):
    return fill(b"Authentication-Results: mx.sa.example.jp; dkim=pass header.d=example.co.jp\r\n") + head(name) + ASK.encode()


def m_received(name):
    return fill(b"Received: from a.example.co.jp by b.example.co.jp; Sun, 22 Nov 2026 10:00:00 +0900\r\n") + head(name) + ASK.encode()


def m_parameters(name):
    return head(name, "Content-Type: text/plain" + "".join(f';\r\n name*{i}*=%E4%B8%AD' for i in range(600000)) + "\r\n") + ASK.encode()


def m_parameters_same(name):
    return head(name, "Content-Type: text/plain" + ";\r\n charset=UTF-8" * 1100000 + "\r\n") + ASK.encode()


def m_file_name(name):
    part = "--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\""
    return head(name, "Content-Type: multipart/mixed; boundary=b\r\n") + part.encode() + fill(b"=?UTF-8?B?5YGc5q2i?= ") + b"\"\r\n\r\nx\r\n--b--\r\n"


def m_base64_line(name):
    return head(name, "Content-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: base64\r\n") + \
        base64.b64encode(fill("配信停止 ".encode(), SIZE * 3 // 4))


def m_base64_noise(name):
    return head(name, "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n") + fill(b"A===\r\n")


def m_soft_breaks(name):
    return head(name, "Content-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: quoted-printable\r\n") + fill(b"=\r\n")


def m_quoted_printable(name):
    return head(name, "Content-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: quoted-printable\r\n") + fill(b"=E4=B8=AD=E6=AD=A2=\r\n")


def m_uuencode(name):
    line = b"M" + b"!" * 60 + b"\r\n"
    return head(name, "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: x-uuencode\r\n") + b"begin 644 a.docx\r\n" + fill(line)


def m_uuencode_begins(name):
    return head(name) + fill(b"begin 644 a.docx\r\n`\r\nend\r\n")


def m_escapes(name):
    return head(name, "Content-Type: text/plain; charset=ISO-2022-JP\r\n") + fill(b"\x1b$B\x1b(B")


def m_escapes_text(name):
    return head(name, "Content-Type: text/plain; charset=ISO-2022-JP\r\n") + fill(b"\x1b$BDd;_\x1b(Ba\x1b(I1\x1b(J~")


def m_escapes_utf7(name):
    return head(name, "Content-Type: text/plain; charset=UTF-7\r\n") + fill(b"+Ti1Qog-+")


def m_wrong_charset(name):
    return head(name, "Content-Type: text/plain; charset=UTF-8\r\n") + fill(bytes(range(128, 256)))


def m_half_width(name):
    return head(name, "Content-Type: text/plain; charset=CP932\r\n") + fill(b"\xca\xdf\xb6\xde")


def m_nul(name):
    return head(name) + fill(b"\0")


def m_combining(name):
    return head(name) + "か".encode() + fill("\u3099".encode())


def m_ligatures(name):
    return head(name) + fill("\ufdfa".encode())


def html(name, body):
    return head(name, "Content-Type: text/html; charset=UTF-8\r\n") + body


def m_html(name):
    return html(name, fill("<div><p>ロゴマーク</p><br></div>".encode()))


def m_html_open_tags(name):
    return html(name, fill(b"<div "))


def m_html_open_scripts(name):
    return html(name, fill(b"<script>"))


def m_html_quotes(name):
    return html(name, fill(b"<a b=\"><a b='>"))


def m_html_comments(name):
    return html(name, fill(b"<!--"))


def m_html_entities(name):
    return html(name, fill(b"&amp"))


def m_html_blockquotes(name):
    return html(name, fill(b"<blockquote>a"))


def m_html_pre(name):
    return html(name, b"<pre>" + fill(b" \n"))


def m_bounce_fields(name):
    return head(name, "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n") + \
        b"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.co.jp\r\n\r\n" + \
        fill(b"Final-Recipient: rfc822; a@example.co.jp\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n") + b"--b--\r\n"


def m_bounce_text(name):
    return head(name) + "This is the mail system. Your message could not be delivered\r\n".encode() + \
        fill(b"<a@example.co.jp>: host mx.example.co.jp said: 550 5.1.1 User unknown\r\n")


def m_addresses_text(name):
    return head(name) + fill(b"a@example.co.jp ")


def m_tokens(name):
    return head(name) + fill(b"ABCD-EFGH-JKLM-NPQR-")


def m_regex_a(name):
    return head(name) + fill("自己宣言".encode()) + "の".encode()


def m_regex_years(name):
    return head(name) + fill("2026年".encode())


def m_regex_companies(name):
    return head(name) + fill("株式会社".encode())


def m_regex_rules(name):
    return head(name) + fill("停止の再送を中止の変更を解除し配信の".encode())


def m_regex_dashes(name):
    return head(name) + fill(b"-" * 70 + b"\r\n")


def m_regex_words(name):
    return head(name) + fill("ロゴマークの使用をやめたいのですが、".encode())


# ---- Word files and archives in a mail ----

RELS = ('<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/>'
        '</Relationships>')
TYPES = ('<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
         '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>')
W = '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
W_END = '</w:body></w:document>'


def attach(name, content, file_name="b3.docx"):
    encoded = base64.encodebytes(content).replace(b"\n", b"\r\n")
    return head(name, "Content-Type: multipart/mixed; boundary=b\r\n") + \
        ("--b\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\n使用中止の届出を添付します。\r\n--b\r\nContent-Type: application/octet-stream\r\n"
         f"Content-Disposition: attachment; filename={file_name}\r\nContent-Transfer-Encoding: base64\r\n\r\n").encode() + encoded + b"--b--\r\n"


def docx(document, extra=(), rels=RELS):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as z:
        z.writestr("[Content_Types].xml", TYPES)
        z.writestr("_rels/.rels", rels)
        if document is not None:
            z.writestr("word/document.xml", document)
        for part, content in extra:
            z.writestr(part, content)
    return out.getvalue()


def deflated_zeros(size):
    """Raw deflate of so many zeros, made from one piece that repeats: 10 GiB in a moment."""
    piece = 64 * MIB
    c = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = c.compress(bytes(piece)) + c.flush(zlib.Z_FULL_FLUSH)
    last = zlib.compressobj(9, zlib.DEFLATED, -15)
    return first * (size // piece) + last.compress(b"") + last.flush()


def raw_zip(entries):
    """entries: (name, method, compressed, size, crc); local headers and directory written by hand, so that they may lie."""
    out, directory = b"", b""
    for name, method, data, size, crc in entries:
        n = name.encode()
        where = len(out)
        out += struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, method, 0, 0, crc, len(data) & 0xFFFFFFFF, size & 0xFFFFFFFF, len(n), 0) + n + data
        directory += struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 20, 20, 0, method, 0, 0, crc, len(data) & 0xFFFFFFFF, size & 0xFFFFFFFF,
                                 len(n), 0, 0, 0, 0, 0, where) + n
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, len(entries), len(entries), len(directory), len(out), 0)
    return out + directory + end


def stored(name, text):
    data = text.encode() if isinstance(text, str) else text
    return (name, 0, data, len(data), zlib.crc32(data))


PACKAGE = [stored("[Content_Types].xml", TYPES), stored("_rels/.rels", RELS)]


def m_docx_zeros(name):
    return attach(name, raw_zip(PACKAGE + [("word/document.xml", 8, deflated_zeros(10 << 30), 0xFFFFFFFE, 0)]))


def m_docx_lying_size(name):
    return attach(name, raw_zip(PACKAGE + [("word/document.xml", 8, deflated_zeros(10 << 30), 100, 0)]))


def m_docx_entries(name):
    return attach(name, docx(W + W_END, [(f"word/media/{i}.bin", b"x" * 18000) for i in range(1000)]))


def m_docx_entries_60000(name):
    return attach(name, raw_zip(PACKAGE + [stored("word/document.xml", W + W_END)] + [stored(f"a{i}", "") for i in range(60000)]))


def m_docx_overlapping(name):
    """Many directory entries that all mean the same large piece (Fifield 2019)."""
    data = deflated_zeros(1 << 30)
    base = raw_zip(PACKAGE + [("word/document.xml", 8, data, 1 << 30, 0)])
    end = base.rindex(b"PK\x05\x06")
    count, size, start = struct.unpack("<HII", base[end + 10:end + 20])
    directory = base[start:start + size]
    last = directory[directory.rindex(b"PK\x01\x02"):]
    directory += last * 2000
    return attach(name, base[:start] + directory + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count + 2000, count + 2000, len(directory), start, 0))


def m_docx_wrong_sizes(name):
    good = bytearray(docx(W + "<w:p><w:r><w:t>自己宣言ID</w:t></w:r></w:p>" + W_END))
    at = good.rindex(b"PK\x01\x02")
    struct.pack_into("<II", good, at + 20, 0x7FFFFFFF, 0x7FFFFFFF)
    return attach(name, bytes(good))


def m_docx_relationships(name):
    return attach(name, docx(W + W_END, rels=RELS.replace("</Relationships>", '<Relationship Id="a" Type="b" Target="c"/>' * 500000 + "</Relationships>")))


def m_docx_rels_laughs(name):
    lol = '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a0 "word/document.xml">' + \
        "".join(f'<!ENTITY a{i} "{("&a" + str(i - 1) + ";") * 10}">' for i in range(1, 12)) + "]>" + \
        RELS.split("?>", 1)[1].replace("word/document.xml", "&a11;")
    return attach(name, docx(W + W_END, rels=lol))


def m_docx_laughs(name):
    lol = '<?xml version="1.0"?><!DOCTYPE w:document [<!ENTITY a0 "lol">' + \
        "".join(f'<!ENTITY a{i} "{("&a" + str(i - 1) + ";") * 10}">' for i in range(1, 12)) + "]>" + \
        W + "<w:p><w:r><w:t>&a11;</w:t></w:r></w:p>" + W_END
    return attach(name, docx(lol))


def m_docx_external(name):
    return attach(name, docx('<?xml version="1.0"?><!DOCTYPE w:document [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + W +
                             "<w:p><w:r><w:t>&e;</w:t></w:r></w:p>" + W_END))


def m_docx_parameter_entities(name):
    return attach(name, docx('<?xml version="1.0"?><!DOCTYPE w:document [<!ENTITY % e SYSTEM "http://127.0.0.1/">%e;]>' + W + W_END))


def m_docx_quadratic(name):
    return attach(name, docx(f'<?xml version="1.0"?><!DOCTYPE w:document [<!ENTITY a "{"x" * 100000}">]>' + W + "<w:p><w:r><w:t>" + "&a;" * 100000 +
                             "</w:t></w:r></w:p>" + W_END))


def m_docx_cells(name):
    cell = "<w:tc><w:p><w:r><w:t>事業者名</w:t></w:r></w:p></w:tc>"
    return attach(name, docx(W + "<w:tbl>" + ("<w:tr>" + cell * 10 + "</w:tr>") * 10000 + "</w:tbl>" + W_END))


def m_docx_cells_20000(name):
    cell = "<w:tc><w:p><w:r><w:t>自己宣言ID 事業者名 変更前 変更後 中止日</w:t></w:r></w:p></w:tc>"
    return attach(name, docx(W + "<w:tbl>" + ("<w:tr>" + cell * 2 + "</w:tr>") * 9990 + "</w:tbl>" + W_END))


def m_docx_wide(name):
    cell = "<w:tc><w:p><w:r><w:t>変更</w:t></w:r></w:p></w:tc>"
    return attach(name, docx(W + "<w:tbl><w:tr>" + cell * 19000 + "</w:tr></w:tbl>" + W_END))


def m_docx_deep(name):
    return attach(name, docx(W + "<w:p>" * 3000000))


def m_docx_deep_tables(name):
    return attach(name, docx(W + "<w:tbl><w:tr><w:tc>" * 130))


def m_docx_attribute(name):
    return attach(name, docx(W + '<w:p w:a="' + "x" * (20 * MIB) + '"/>' + W_END))


def m_docx_attributes(name):
    return attach(name, docx(W + "<w:p " + "".join(f'a{i}="x" ' for i in range(1000000)) + "/>" + W_END))


def m_docx_namespaces(name):
    return attach(name, docx(W + "<w:p " + "".join(f'xmlns:a{i}="x{i}" ' for i in range(300000)) + "/>" + W_END))


def m_docx_text(name):
    return attach(name, docx(W + "<w:p><w:r><w:t>" + "使用中止" * 2000000 + "</w:t></w:r></w:p>" + W_END))


def m_docx_text_4mib(name):
    return attach(name, docx(W + ("<w:p><w:r><w:t>使用中止を届け出ます。自己宣言ID</w:t></w:r></w:p>") * 19000 + W_END))


def m_docx_comment(name):
    return attach(name, docx(W + "<!--" + "x" * (20 * MIB)))


def m_docx_many(name):
    one = docx(W + "<w:p><w:r><w:t>" + "x" * (3 * MIB) + "</w:t></w:r></w:p>" + W_END)
    part = b"--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=a.docx\r\n\r\n" + \
        base64.encodebytes(one) + b"\r\n"
    return head(name, "Content-Type: multipart/mixed; boundary=b\r\n") + part * 190 + b"--b--\r\n"


def m_zip_nested(name):
    inner = docx(W + W_END)
    for depth in range(60):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
            z.writestr(f"{depth}.zip", inner)
        inner = out.getvalue()
    return attach(name, inner, "b3.zip")


def m_zip_zeros(name):
    return attach(name, raw_zip([("b3.docx", 8, deflated_zeros(10 << 30), 0xFFFFFFFE, 0)]), "b3.zip")


def m_zip_zeros_small(name):
    """64 entries that each claim the most that is read."""
    most = 8 * MIB
    c = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = c.compress(bytes(most)) + c.flush()
    crc = zlib.crc32(bytes(most))
    return attach(name, raw_zip([(f"{i}.docx", 8, data, most, crc) for i in range(64)]), "b3.zip")


QUINE = None


def m_zip_quine(name):
    """A gzip-like quine's shape for ZIP: an archive that holds a copy of its own first bytes, stored, endlessly claimed."""
    base = raw_zip([stored("r/r.zip", raw_zip([stored("r/r.zip", b"PK\x03\x04" * 1000)]))])
    for _ in range(10):
        base = raw_zip([stored("r/r.zip", base)])
    return attach(name, base, "r.zip")


def m_zip_directory_only(name):
    return attach(name, fill(b"PK\x01\x02" + b"\0" * 42, 10 * MIB) + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 65535, 65535, 10 * MIB, 0, 0), "a.zip")


def m_zip_comment_ends(name):
    return attach(name, b"PK\x03\x04" + fill(b"PK\x05\x06" + b"\0" * 18, 14 * MIB), "a.zip")


# ---- form files: NAME → (ending, bytes) ----

COLUMNS = ["宣言の内容（ロゴマークの種類）", "自己宣言の目的", "反社会的勢力排除に関する誓約", "担当者名", "担当者メールアドレス", "担当者メールアドレス（確認）",
           "法人／個人事業主", "法人番号", "事業者名", "代表者（姓）", "代表者（名）", "都道府県", "市区町村・番地", "個人情報の取り扱いについて",
           "ロゴマーク使用規約"]


def csv_head():
    return (",".join(COLUMNS) + "\r\n").encode()


def f_csv_line():
    return "csv", csv_head() + fill("申".encode()) + b"\r\n"


def f_csv_head_line():
    return "csv", fill("担当者名,".encode())


def f_csv_columns():
    return "csv", csv_head() + b"," * 1000000 + b"\r\n"


def f_csv_head_columns():
    return "csv", csv_head()[:-2] + b",a" * 1000000 + b"\r\n"


def f_csv_rows():
    return "csv", csv_head() + ("x" + "," * 14 + "\r\n").encode() * 1000000


def f_csv_open_quotes():
    return "csv", csv_head() + fill(b'"\r\n')


def f_csv_quotes():
    return "csv", csv_head() + fill(b'"')


def f_csv_headers():
    return "csv", fill(csv_head() + csv_head().replace("担当者名".encode(), "氏名".encode()))


def f_csv_commas():
    return "csv", fill(b",")


def f_csv_line_ends():
    return "csv", csv_head() + fill(b"\r")


def f_csv_cp932():
    return "csv", csv_head().decode().encode("cp932") + fill(b"\x81")


def f_csv_utf16():
    return "csv", ("\ufeff" + csv_head().decode()).encode("utf-16-le") + fill("\u3099".encode("utf-16-le"))


def f_csv_nul():
    return "csv", csv_head() + fill(b"\0")


def f_json_arrays():
    return "json", fill(b"[")


def f_json_objects():
    return "json", fill(b'{"a":')


def f_json_in_record():
    return "json", b'[{"a":' + b"[" * (20 * MIB) + b"}]"


def f_json_members():
    return "json", b"[{" + ",".join(f'"a{i}":1' for i in range(1500000)).encode() + b"}]"


def f_json_same_keys():
    return "json", b"[{" + b",".join([b'"a":1'] * 3000000) + b"}]"


def f_json_empty_records():
    return "json", b"[" + fill(b"{},") + b"{}]"


def f_json_string():
    return "json", b'[{"' + fill(b"x") + b'":"' + b'x"}]'


def f_json_strings_open():
    return "json", b"[" + fill(b'{"')


def f_json_wrapped():
    return "json", fill(b'{"a":[{"b":')


def f_json_lines_open():
    return "json", fill(b'{"a":1,\n')


def f_json_numbers():
    return "json", b'[{"a":' + fill(b"9") + b"}]"


def f_text_labels():
    return "txt", fill("担当者名\n".encode())


def f_text_line():
    return "txt", "担当者名：".encode() + fill("花".encode())


def f_text_blank():
    return "txt", "担当者名：花\n".encode() + fill(b"\n")


def f_text_colons():
    return "txt", fill("担当者名：".encode())


MAILS = {key[2:]: value for key, value in list(globals().items()) if key.startswith("m_")}
FORMS = {key[2:]: value for key, value in list(globals().items()) if key.startswith("f_")}


def write(directory, name):
    if name in MAILS:
        path, content = f"{directory}/{name}.eml", MAILS[name](name)
    else:
        ending, content = FORMS[name]()
        path = f"{directory}/{name}.{ending}"
    with open(path, "wb") as out:
        out.write(content)
    return path


def main():
    if sys.argv[1] == "list":
        print("\n".join([*MAILS, *FORMS]))
        return
    for name in sys.argv[3:] or [*MAILS, *FORMS]:
        print(write(sys.argv[2], name))


if __name__ == "__main__":
    main()
