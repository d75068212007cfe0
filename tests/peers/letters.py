#!/usr/bin/python3
"""Makes mails out of letters written by hand: tests/data/letters/*.txt, each with the reading that is right.

letters.py OUT FOLDER_OR_FILE...: writes OUT/LETTERFILE-001.eml … and OUT/truth.jsonl (in the layout of tests/samples/truth.jsonl). The same each time.

A letter:  === KIND ok|review            ok: nobody need look at it
           Subject: … · Truth: field field=value … (without a value: the writer's own) · Accept: kinds · Never: kinds · Harm: yes (no request at all) · Optional: fields
           Client: outlook-reply gmail-reply iphone jis html html-table · Headers: Name: value; … · Docx: NAME PRODUCER · Attach: names
           --- body, with {id} {firm} {boss} {name} {mail} … of a writer made up for it
           --- form: lines; "= title", "| cell | cell", "|3 spanning", "|v first of a column that goes on in |^", {sdt:…} {field:…} {box:…}
"""
import base64
import hashlib
import html
import io
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import zipfile
from email.header import Header
from xml.sax.saxutils import escape

OFFICE = "security-action-info@sa.example.jp"
HARM = ["stop-request", "resend-request", "change-request", "news-unsubscribe", "id-enquiry"]
FIRMS = ["株式会社三日月堂", "有限会社北浜モータース", "合同会社ひなたぼっこ", "（株）大和板金", "㈲鈴懸自動車整備", "医療法人財団こぶし会", "社会保険労務士法人あけぼの", "学校法人若葉学園", "株式会社ＮＥＸＴ見本",
         "Cafe 麦の穂", "整体院 ほぐし処", "行政書士 星野事務所", "農事組合法人みどりの里", "株式会社エム・アンド・エス", "ヘアサロンRiRi", "（有）金子工業所", "株式会社 東亜理化学", "NPO法人ともしび", "株式会社つなぐ·ラボ",
         "一般財団法人見本振興会", "税理士法人さざれ石", "丸福運輸株式会社", "株式会社スタジオ・ゼロ", "居酒屋 とり吉", "（同）あおぞらケア", "有限会社例示酒店", "㈱髙島屋根工業", "株式会社ﾌｫﾚｽﾄ企画", "企業組合てしごと", "みらい歯科医院"]
FAMILY = ["三宅", "大久保", "長谷川", "﨑山", "髙梨", "小笠原", "渡邉", "武者小路", "林", "森", "西園寺", "吉田", "久保田", "円城寺", "金", "斎藤", "阿部", "塚本", "豊臣", "宇佐美"]
GIVEN = ["和夫", "由紀子", "健太郎", "明", "さやか", "ひとみ", "大輔", "恭介", "千尋", "隆", "めぐみ", "翔", "真由美", "一", "エミリ", "直樹", "徹", "多恵子", "俊", "光"]
PREFECTURES = ["北海道", "東京都", "大阪府", "京都府", "愛知県", "石川県", "和歌山県", "鹿児島県", "福島県", "徳島県", "長崎県", "神奈川県"]


def wide(text):
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


class Writer:
    def __init__(self, seed):
        r = self.r = random.Random(seed)
        digits = lambda k: "".join(r.choices("0123456789", k=k))
        self.id, self.id2 = r.choice("445") + r.choice("01236789") + digits(9), "4" + r.choice("0123") + digits(9)
        if r.random() < 0.25:
            self.id = self.id[:10]
        self.user, self.num = "9" + r.choice("01234") + digits(8), r.choice("123456789") + digits(12)
        self.firm, self.pref = r.choice(FIRMS), r.choice(PREFECTURES)
        self.boss, self.name = (r.choice(FAMILY) + r.choice(["", " ", "　"]) + r.choice(GIVEN) for _ in range(2))
        self.mail = r.choice(["info", "kanri", "h-suzuki", "keiri.bu", "m_tanaka", "office"]) + "@" + r.choice(["mikazuki", "kitahama", "hinata", "daiwa-b"]) + \
            str(r.randrange(10, 99)) + r.choice([".example.co.jp", ".example.com", ".example.ne.jp", ".example.jp"])
        self.mail2 = "shinki" + str(r.randrange(100, 999)) + "@tanto.example.jp"

    def values(self):
        n, i = self.num, self.id
        return {"id": i, "id2": self.id2, "idw": wide(i), "idh": i[:4] + "-" + i[4:7] + "-" + i[7:], "user": self.user, "firm": self.firm, "boss": self.boss,
                "name": self.name, "mail": self.mail, "mail2": self.mail2, "pref": self.pref, "num": n, "numw": wide(n), "t": "\t",
                "numsp": n[0] + " " + n[1:5] + " " + n[5:9] + " " + n[9:], "numh": n[0] + "-" + n[1:5] + "-" + n[5:9] + "-" + n[9:], "sig": self.signature()}

    def signature(self):
        lines = [self.firm, self.name, "〒100-0000 %s見本市本町1-2-3" % self.pref, "TEL：03-0000-1111　FAX：03-0000-1112", "Mail：" + self.mail, "https://www.example.co.jp/"]
        return self.r.choice([
            "\n" + "*" * 40 + "\n" + "\n".join(lines) + "\n" + "*" * 40, "\n-- \n" + "\n".join(lines[:2] + lines[4:5]), "\n――――――――――――――――――\n" + "\n".join(lines) + "\n――――――――――――――――――",
            "\n+-+-+-+-+-+-+-+-+-+-+-+-+\n" + "\n".join("  " + x for x in lines) + "\n+-+-+-+-+-+-+-+-+-+-+-+-+", "\n" + "\n".join(lines[:2]), "\n\n" + "　".join(lines[:2]) + "\n携帯 080-0000-3333"])


def fill(text, values):
    return re.sub(r"\{(\w+)\}", lambda m: values.get(m.group(1), m.group(0)), text)


# ---- Word files ----

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
STYLE = {"word": 9, "gdocs": 0, "pages": 3, "wps": 4, "phone": 60}  # characters of a run; 0: whole
BOX = ('<w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wp:anchor><a:graphic><a:graphicData><wps:wsp><wps:txbx><w:txbxContent>%s</w:txbxContent></wps:txbx></wps:wsp>'
       "</a:graphicData></a:graphic></wp:anchor></w:drawing></mc:Choice><mc:Fallback><w:pict><v:shape><v:textbox><w:txbxContent>%s</w:txbxContent></v:textbox></v:shape></w:pict>"
       "</mc:Fallback></mc:AlternateContent></w:r>")


def runs(text, producer):
    size = STYLE[producer] or max(len(text), 1)
    out = ""
    for at in range(0, len(text), size):
        for k, piece in enumerate(text[at:at + size].split("\t")):
            mark = '<w:proofErr w:type="spellStart"/>' if producer == "word" and at else ""
            font = '<w:rPr><w:rFonts w:hint="eastAsia" w:ascii="MS 明朝"/><w:sz w:val="21"/></w:rPr>' if producer in ("word", "wps") else ""
            out += mark + ("<w:r>%s<w:tab/></w:r>" % font if k else "") + '<w:r>%s<w:t xml:space="preserve">%s</w:t></w:r>' % (font, escape(piece))
    return out


def inline(text, producer):
    out = ""
    for piece in re.split(r"(\{(?:sdt|field|box):[^{}]*\})", text):
        found = re.match(r"\{(sdt|field|box):([^{}]*)\}$", piece, re.S)
        if not found:
            out += runs(piece, producer)
        elif found.group(1) == "sdt":
            out += '<w:sdt><w:sdtPr><w:alias w:val="入力"/><w:id w:val="%d"/><w:text/></w:sdtPr><w:sdtContent>%s</w:sdtContent></w:sdt>' % (
                len(out) + 7, runs(found.group(2), producer))
        elif found.group(1) == "field":
            out += ('<w:r><w:fldChar w:fldCharType="begin"><w:ffData><w:name w:val="Text1"/><w:textInput/></w:ffData></w:fldChar></w:r><w:r><w:instrText xml:space="preserve"> FORMTEXT </w:instrText></w:r>'
                    '<w:r><w:fldChar w:fldCharType="separate"/></w:r>%s<w:r><w:fldChar w:fldCharType="end"/></w:r>') % runs(found.group(2), producer)
        else:
            inner = "".join("<w:p>%s</w:p>" % runs(line, producer) for line in found.group(2).split("\n"))
            out += BOX % (inner, inner)
    return out


def paragraphs(text, producer, properties=""):
    if "{box:" in text:
        return "<w:p>%s%s</w:p>" % (properties, inline(text, producer))
    return "".join('<w:p w:rsidR="00AB12CD">%s%s</w:p>' % (properties, inline(line, producer)) for line in text.split("\n"))


def form_blocks(text):
    """Paragraphs and tables: a cell goes on over lines until the next line that begins one, a box until its bracket."""
    blocks, rows = [], None
    lines = text.strip("\n").split("\n")
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if line.startswith("|"):
            while at < len(lines) and not re.match(r"[|※=>]|以上", lines[at]) and lines[at] and rows is not None and (
                    lines[at].startswith(("（", "☑", "☐", "■", "□")) or ("|" in lines[at])):
                line += "\n" + lines[at]
                at += 1
            if rows is None:
                rows = []
                blocks.append(rows)
            first = re.match(r"\|([v^]|\d)? ?", line)
            cells, option = line[first.end():].split("|"), first.group(1)
            row = []
            for i, cell in enumerate(cells):
                spans = re.match(r"(\d) (.*)", cell, re.S) if i else None
                span = int(spans.group(1)) if spans else int(option) if i == 0 and option and option.isdigit() else 1
                row.append(((spans.group(2) if spans else cell).strip(" \n"), span, {"v": 1, "^": 0}.get(option) if i == 0 else None))
            rows.append(row)
            continue
        rows = None
        while line.count("{box:") and not line.rstrip().endswith("}"):
            line += "\n" + lines[at]
            at += 1
        blocks.append(line)
    return blocks


def docx(text, producer):
    inner = ""
    for block in form_blocks(text):
        if isinstance(block, list):
            body = ""
            for row in block:
                cells = ""
                for cell, span, merge in row:
                    properties = ('<w:tcW w:w="2000" w:type="dxa"/>' + ('<w:gridSpan w:val="%d"/>' % span if span > 1 else "") +
                                  {None: "", 1: '<w:vMerge w:val="restart"/>', 0: "<w:vMerge/>"}[merge])
                    cells += "<w:tc><w:tcPr>%s</w:tcPr>%s</w:tc>" % (properties, paragraphs(cell, producer))
                body += '<w:tr w:rsidR="00AB12CD">%s</w:tr>' % cells
            inner += "<w:tbl><w:tblPr><w:tblStyle w:val=\"TableGrid\"/></w:tblPr><w:tblGrid/>%s</w:tbl>" % body
        elif block.startswith("= "):
            inner += paragraphs(block[2:], producer, '<w:pPr><w:jc w:val="center"/></w:pPr>')
        else:
            inner += paragraphs(block[2:] if block.startswith("> ") else block, producer)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        add = lambda name, data: z.writestr(zipfile.ZipInfo(name, (2026, 4, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
        add("[Content_Types].xml", '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" '
            'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>')
        add("_rels/.rels", '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
            'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="%sword/document.xml"/></Relationships>' % ("/" if producer == "gdocs" else ""))
        add("word/document.xml", '<?xml version="1.0" encoding="UTF-8" standalone="yes"?><w:document xmlns:w="%s" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
            'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
            'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" xmlns:v="urn:schemas-microsoft-com:vml"><w:body>%s<w:sectPr/></w:body></w:document>' % (W, inner))
    return out.getvalue()


def office_html(text):
    """The form as a page, for a producer that is a real office program."""
    out = ""
    for block in form_blocks(text):
        if isinstance(block, list):
            out += '<table border="1">%s</table>' % "".join("<tr>%s</tr>" % "".join(
                '<td colspan="%d">%s</td>' % (span, html.escape(cell).replace("\n", "<br>")) for cell, span, _ in row) for row in block)
        else:
            out += "<p>%s</p>" % html.escape(re.sub(r"^[=>] ", "", block))
    return "<html><head><meta charset=utf-8></head><body>%s</body></html>" % out


def libreoffice(pages):
    """Turns pages into Word files, all at one start of the program; None where it isn't installed."""
    with tempfile.TemporaryDirectory() as folder:
        for name, page in pages.items():
            with open(os.path.join(folder, name + ".html"), "w", encoding="utf-8") as out:
                out.write(page)
        try:
            subprocess.run(["soffice", "-env:UserInstallation=file://%s/profile" % folder, "--headless", "--convert-to", "odt:writer8", "--outdir", folder] +
                           [os.path.join(folder, n + ".html") for n in pages], check=True, capture_output=True, timeout=300)
            subprocess.run(["soffice", "-env:UserInstallation=file://%s/profile" % folder, "--headless", "--convert-to", "docx:MS Word 2007 XML", "--outdir", folder] +
                           [os.path.join(folder, n + ".odt") for n in pages], check=True, capture_output=True, timeout=300)
            made = {}
            for name in pages:
                with open(os.path.join(folder, name + ".docx"), "rb") as file:
                    made[name] = file.read()
            return made
        except (OSError, subprocess.SubprocessError):
            return None


# ---- mails ----

NOTICE = ("{firm}\n{name} 様\n\nこのたびはSECURITY ACTIONにお申し込みいただきありがとうございます。\n自己宣言ID：41000000017\n※ロゴマークの使用を中止する場合は「SECURITY ACTIONロゴマーク使用中止申込書（様式B-3）」をご提出ください。\n"
          "※登録情報を変更する場合は登録情報変更届をご提出ください。\n※メールニュースの配信停止をご希望の場合は、その旨ご連絡ください。\n※通知メールの再送を希望される場合は事務局までご連絡ください。\n")


def encoded(text, charset, how):
    data = text.replace("\n", "\r\n").encode(charset)
    if how == "base64":
        return base64.encodebytes(data)
    return data


def page_of(text):
    out, rows = "", []
    for line in text.split("\n") + [""]:
        if line.startswith("|"):
            rows.append("<tr>%s</tr>" % "".join("<td>%s</td>" % html.escape(c.strip()) for c in line.strip("| ").split("|")))
            continue
        if rows:
            out += '<table border="1" cellpadding="4"><tbody>%s</tbody></table>' % "".join(rows)
            rows = []
        out += "<div>%s</div>\n" % (html.escape(line) or "<br>")
    return '<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"><style>p{margin:0}</style></head><body>%s</body></html>' % out


def body_part(text, client, writer):
    """Content-Type, transfer encoding and bytes of the text."""
    charset, how, kind = writer.r.choice([("utf-8", "base64"), ("utf-8", "8bit"), ("iso-2022-jp", "7bit"), ("utf-8", "base64")]) + ("plain",)
    if client == "jis":
        charset, how = "iso-2022-jp", "7bit"
    if client in ("html", "html-table"):
        text, charset, how, kind = page_of(text), "utf-8", "base64", "html"
    try:
        text.encode("iso2022_jp" if charset == "iso-2022-jp" else charset)
    except UnicodeEncodeError:
        charset, how = "utf-8", "base64"
    python = "iso2022_jp" if charset == "iso-2022-jp" else charset
    return "text/%s; charset=%s" % (kind, charset), how, encoded(text, python, how)


def with_client(text, client, values):
    if client == "outlook-reply":
        return text + "\n\n________________________________\n差出人: SECURITY ACTION事務局 <%s>\n送信日時: 2026年3月3日 10:00\n宛先: %s\n件名: 【SECURITY ACTION】自己宣言IDのお知らせ\n\n" % (
            OFFICE, values["mail"]) + fill(NOTICE, values)
    if client == "gmail-reply":
        return text + "\n\n2026年3月3日(火) 10:00 SECURITY ACTION事務局 <%s>:\n\n" % OFFICE + "\n".join("> " + line for line in fill(NOTICE, values).split("\n"))
    if client == "iphone":
        return text + "\n\niPhoneから送信"
    return text


def mail_make(letter, writer, values, form):
    head = letter["head"]
    client = head.get("Client", "")
    text = with_client(fill(letter["body"], values).strip("\n") + "\n", client, values)
    kind, how, data = body_part(text, client, writer)
    lines = ["Return-Path: <%s>" % writer.mail, "From: %s <%s>" % (Header(writer.name, "utf-8").encode(), writer.mail), "To: " + OFFICE,
             "Subject: " + Header(fill(head.get("Subject", ""), values), "utf-8").encode(linesep="\r\n"), "Date: Tue, 10 Nov 2026 11:22:33 +0900",
             "Message-ID: <%s@letters.example.jp>" % hashlib.sha256((letter["file"] + str(letter["number"])).encode()).hexdigest()[:20], "MIME-Version: 1.0"]
    lines += [line.strip() for line in head.get("Headers", "").split(";") if line.strip()]
    attachments = [(name, b"\x89PNG\r\n\x1a\n" + b"0" * 40 if name.endswith("png") else b"%PDF-1.4\n%%EOF\n", "application/octet-stream") for name in head.get("Attach", "").split()]
    if form is not None:
        attachments.insert(0, (fill(head["Docx"].rsplit(" ", 1)[0], values), form, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"))
    if not attachments:
        return "\r\n".join(lines + ["Content-Type: " + kind, "Content-Transfer-Encoding: " + how, "", ""]).encode() + data
    out = "\r\n".join(lines + ['Content-Type: multipart/mixed; boundary="=_b"', "", "--=_b", "Content-Type: " + kind, "Content-Transfer-Encoding: " + how, "", ""]).encode() + data
    for name, data, kind in attachments:
        word = Header(name, "utf-8").encode(linesep="\r\n").replace("\r\n ", "\r\n\t")
        out += ('\r\n--=_b\r\nContent-Type: %s; name="%s"\r\nContent-Disposition: attachment; filename="%s"\r\nContent-Transfer-Encoding: base64\r\n\r\n' % (kind, word, word)).encode()
        out += base64.encodebytes(data)
    return out + b"\r\n--=_b--\r\n"


# ---- letters ----

def letters_read(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for number, piece in enumerate(re.split(r"^=== ", text, flags=re.M)[1:], 1):
        top, _, rest = piece.partition("\n---\n")
        body, _, form = rest.partition("\n--- form\n")
        first, *fields = top.split("\n")
        kind, verdict = first.split()
        head = dict(line.split(": ", 1) if ": " in line else (line.rstrip(":"), "") for line in fields if line)
        for line in re.findall(r"^Fields-\w+: .*$", form, re.M):
            key, value = line.split(": ")
            head[key] = value
            form = form.replace(line + "\n", "").replace(line, "")
        yield {"file": os.path.basename(path).replace(".txt", ""), "number": number, "kind": kind, "ok": verdict == "ok", "head": head, "body": body, "form": form or None}


OWN = {"declaration_id": "id", "user_number": "user", "business_name": "firm", "representative": "boss", "contact": "name", "mail": "mail", "corporate_number": "num", "prefecture": "pref"}


def truth_of(letter, values, name):
    head, fields = letter["head"], {}
    for item in re.findall(r"([a-z_]+)(?:=((?:[^ ]| (?![a-z_]+( |=|$)))*))?( |$)", head.get("Truth", "")):
        key, value = item[:2]
        if key == "changes":
            fields[key] = [dict(zip(("item", "old", "new"), c.split(">"))) for c in fill(value, values).split(";")]
        elif value == "null":
            fields[key] = None
        else:
            fields[key] = fill(value.replace("\\n", "\n"), values) if value else values[OWN[key]]
    for key in head.get("Fields-drop", "").split() + head.get("Fields-loose", "").split():
        fields.pop(key, None)
    accept = head.get("Accept", letter["kind"]).split()
    never = HARM if head.get("Harm") else head.get("Never", "").split()
    return {"file": name, "kind": letter["kind"], "accept": accept, "auto_ok": letter["ok"], "fields": fields, "tags": [letter["file"], str(letter["number"])], "never": never,
            "optional": head.get("Optional", "").split()}


def main():
    out, sources = sys.argv[1], sys.argv[2:]
    os.makedirs(out, exist_ok=True)
    paths = []
    for source in sources:
        paths += sorted(os.path.join(source, n) for n in os.listdir(source) if n.endswith(".txt")) if os.path.isdir(source) else [source]
    letters = [letter for path in paths for letter in letters_read(path)]
    made, pages = [], {}
    for letter in letters:
        letter["name"] = "%s-%03d" % (letter["file"], letter["number"])
        letter["writer"] = Writer(letter["name"])
        letter["values"] = letter["writer"].values()
        if letter["form"] and letter["head"]["Docx"].endswith(" lo"):
            pages[letter["name"]] = office_html(fill(letter["form"], letter["values"]))
    converted = (libreoffice(pages) if pages else {}) or {}
    for letter in letters:
        form = None
        if letter["form"]:
            producer = letter["head"]["Docx"].rsplit(" ", 1)[1]
            text = fill(letter["form"], letter["values"])
            form = converted.get(letter["name"]) or docx(text, "word" if producer == "lo" else producer)
        with open(os.path.join(out, letter["name"] + ".eml"), "wb") as file:
            file.write(mail_make(letter, letter["writer"], letter["values"], form))
        made.append(truth_of(letter, letter["values"], letter["name"] + ".eml"))
    with open(os.path.join(out, "truth.jsonl"), "w", encoding="utf-8") as file:
        for truth in made:
            file.write(json.dumps(truth, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
