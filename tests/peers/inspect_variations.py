#!/usr/bin/python3
"""Makes mails as applicants write them, other than the samples: other words, other layouts of the form, other typing.

inspect_variations.py FOLDER: writes v0001.eml … and truth.jsonl (in the layout of tests/samples/truth.jsonl). The same each time.
"""
import io
import json
import os
import random
import sys
import zipfile
from email.header import Header
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from xml.sax.saxutils import escape

OFFICE = "security-action-info@sa.example.jp"
RNG = random.Random(20261122)
HARM = ["stop-request", "resend-request", "change-request", "news-unsubscribe", "id-enquiry"]


def pick(*choices):
    return RNG.choice(choices)


def wide(text):
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


NAMES = ["山田 太郎", "佐藤　花子", "髙橋健", "鈴木 みのり", "渡邉 さとし", "斉藤しのぶ", "柳 あゆみ", "東 正", "ジョン スミス", "小野寺 翔"]
FIRMS = ["株式会社みどり商店", "（株）青空建設", "有限会社ひまわり", "合同会社サンプルラボ", "㈱例示電工", "医療法人社団　見本会", "社会福祉法人さくら福祉会",
         "NPO法人まちづくり工房", "一般社団法人見本協会", "カフェ・ド・サンプル", "Sample Works合同会社", "みほん税理士事務所", "株式会社ABC-Tech", "田中板金"]
PREFECTURES = ["北海道", "東京都", "大阪府", "京都府", "神奈川県", "鹿児島県", "和歌山県", "福岡県"]


class Person:
    def __init__(self):
        self.id = pick("4", "4", "5") + "".join(RNG.choices("0123456789", k=pick(9, 10)))
        self.user = "9" + "".join(RNG.choices("0123456789", k=9))
        self.number = "".join(RNG.choices("123456789", k=1) + RNG.choices("0123456789", k=12))
        self.firm, self.boss, self.name = RNG.choice(FIRMS), RNG.choice(NAMES), RNG.choice(NAMES)
        self.mail = pick("info", "soumu", "taro.yamada", "k-sato", "office_1") + "@" + pick("midori", "aozora", "himawari") + \
            str(RNG.randrange(100, 999)) + ".example." + pick("co.jp", "com", "or.jp", "jp")
        self.prefecture = RNG.choice(PREFECTURES)
        year, month, day = 2026, RNG.randrange(5, 13), RNG.randrange(1, 29)
        self.day = "%d-%02d-%02d" % (year, month, day)
        self.day_text = pick("%d年%d月%d日" % (year, month, day), "令和8年%d月%d日" % (month, day), wide("令和8年%d月%d日" % (month, day)),
                             "R8.%d.%d" % (month, day), "%d/%02d/%02d" % (year, month, day), "%d.%d.%d" % (year, month, day),
                             "%d年%d月%d日付" % (year, month, day), "令和８年 %d月 %d日" % (month, day), "%d年%d月%d日をもって" % (year, month, day))
        self.reason = pick("廃業に伴い不要となったため", "ロゴを使用しなくなったため。", "合併により法人が消滅するため", "プライバシーマークを取得したため",
                           "担当者が変更となり管理が継続できないため", "補助金の手続きが完了したため。\nなお、名刺は順次差し替えます。", "経費削減のため")

    def id_text(self):
        n = self.id
        return pick(n, n, wide(n), n[:4] + "-" + n[4:7] + "-" + n[7:], n[:4] + " " + n[4:8] + " " + n[8:], "[" + n + "]", n[:5] + "－" + n[5:],
                    n + "（一つ星）", "ID:" + n)


SIGNATURES = ["", "\n--\n{firm}\n{name}\nTEL 03-0000-1111 / FAX 03-0000-1112\n{mail}\n",
              "\n============================\n{firm}\n総務部　{name}\n〒100-0000 {prefecture}見本市1-1-1\nTel: 03-0000-1111\nE-mail: {mail}\n法人番号 {number}\n============================\n",
              "\n*+*+*+*+*+*+*+*+*+*+*+*+*\n{firm}　{name}\nお客様番号 4442216841\nhttps://www.example.co.jp/\n*+*+*+*+*+*+*+*+*+*+*+*+*\n",
              "\niPhoneから送信\n", "\n{firm}\n{name}\n"]
GREETINGS = ["お世話になっております。{firm}の{name}です。", "いつも大変お世話になっております。\n{firm}　総務担当の{name}と申します。", "SECURITY ACTION 事務局 御中\n\nお世話になります。",
             "ご担当者様\n\nはじめてメールいたします。{firm} {name}と申します。", "突然のご連絡失礼いたします。", "こんにちは、{firm}です。", ""]
CLOSINGS = ["よろしくお願いいたします。", "以上、宜しくお願い申し上げます。", "お手数をおかけしますが、何卒よろしくお願いいたします。", "ご対応のほどよろしくお願いします。", "", "取り急ぎ、用件のみにて失礼いたします。"]
QUOTE = ("\n\n-----Original Message-----\nFrom: SECURITY ACTION事務局 <" + OFFICE + ">\nSent: Friday, July 3, 2026 10:00 AM\nSubject: 【SECURITY ACTION】自己宣言IDのお知らせ\n\n"
         "自己宣言ID:4111111111\n※ロゴマークの使用を中止する場合は「SECURITY ACTIONロゴマーク使用中止申込書（様式B-3）」をご提出ください。\n"
         "※メールニュースの配信停止を希望される場合は、本アドレス宛にご連絡ください。\n")


def body(p, text, fixed=False):
    parts = [RNG.choice(GREETINGS), text, RNG.choice(CLOSINGS)]
    whole = "\n\n".join(part for part in parts if part) + "\n" + (RNG.choice(SIGNATURES) if not fixed else "")
    whole = whole.replace("{firm}", p.firm).replace("{name}", p.name).replace("{mail}", p.mail).replace("{number}", p.number)
    whole = whole.replace("{prefecture}", p.prefecture)
    return whole + (QUOTE if RNG.random() < 0.15 else "")


# ---- the form ----

def paragraph(text):
    runs = ""
    for at in range(0, len(text), 7):
        for i, piece in enumerate(text[at:at + 7].split("\n")):
            runs += ("<w:r><w:br/></w:r>" if i else "") + "".join(
                ("<w:r><w:tab/></w:r>" if k else "") + '<w:r><w:t xml:space="preserve">%s</w:t></w:r>' % escape(bit)
                for k, bit in enumerate(piece.split("\t")))
    return "<w:p>%s</w:p>" % runs


def cell(text, span=1, merge=None):
    properties = ('<w:gridSpan w:val="%d"/>' % span if span > 1 else "") + (
        "" if merge is None else '<w:vMerge w:val="restart"/>' if merge else "<w:vMerge/>")
    return "<w:tc><w:tcPr>%s</w:tcPr>%s</w:tc>" % (properties, paragraph(text))


def table(rows):
    return "<w:tbl>%s</w:tbl>" % "".join("<w:tr>%s</w:tr>" % "".join(row) for row in rows)


def docx(inner):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("[Content_Types].xml", '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override '
                   'PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>')
        z.writestr("_rels/.rels", '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
                   'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>')
        z.writestr("word/document.xml", '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>%s</w:body></w:document>' % inner)
    return out.getvalue()


LABELS = {
    "id": ["自己宣言ID", "自己宣言ID番号", "自己宣言 ID", "宣言ID", "自己宣言ＩＤ（4から始まる番号）", "自己宣言番号"],
    "user": ["利用者番号", "利用者番号（9から始まる10桁）"],
    "firm": ["事業者名", "名称", "会社名", "法人名・屋号", "事業者名（法人名又は屋号）", "商号または名称", "屋号"],
    "boss": ["代表者", "代表者名", "代表者氏名", "代表者役職・氏名", "代表者の氏名"],
    "name": ["担当者", "担当者名", "担当者氏名", "ご担当者名", "連絡担当者"],
    "tel": ["電話", "電話番号", "TEL", "連絡先電話番号"],
    "mail": ["メールアドレス", "E-mail", "連絡先（メールアドレス）", "電子メール", "ﾒｰﾙｱﾄﾞﾚｽ"],
    "star": ["ロゴマークの種類", "中止するロゴマーク", "宣言の種類"],
    "day": ["使用中止日", "ロゴマークの使用を中止する日", "使用中止年月日", "中止日", "使用中止希望日"],
    "reason": ["中止理由", "使用を中止する理由", "使用中止の理由", "理由"],
}
TITLES = ["SECURITY ACTIONロゴマーク使用中止申込書", "（様式B-3）\nSECURITY ACTION ロゴマーク使用中止申込書", "様式Ｂ－３　ロゴマーク使用中止申込書"]
NOTES = ["※自己宣言IDは、4から始まる10桁の番号です（例：4999999999）。", "※利用者番号（9から始まる番号）ではありません。", "※ご提出先：" + OFFICE, "（事務局使用欄）受付日：　　　受付番号："]
REASONLESS = ("即日", "受理日", "直ちに", "本申込書の提出日", "受理をもって")


def rows_of(p):
    at_once = RNG.random() < 0.15
    boss = pick("", "代表取締役　", "代表 ", "院長 ") + p.boss + pick("", "", "　印", "（ヤマダ タロウ）")
    rows = [("id", p.id_text()), ("firm", p.firm), ("boss", boss), ("name", pick("", "総務部　") + p.name), ("tel", "03-0000-1111"),
            ("mail", pick(p.mail, wide(p.mail))), ("star", pick("★一つ星", "☑一つ星　□二つ星", "□ ★一つ星　　■ ★★二つ星")),
            ("day", pick(*REASONLESS) if at_once else p.day_text), ("reason", p.reason)]
    if RNG.random() < 0.3:
        rows.insert(1, ("user", p.user))
    fields = {"declaration_id": p.id, "business_name": p.firm, "representative": p.boss, "contact": p.name, "mail": p.mail,
              "stop_on": None if at_once else p.day, "reason": p.reason}
    return [(RNG.choice(LABELS[key]), value) for key, value in rows], fields


def form(p):
    rows, fields = rows_of(p)
    layout = pick("t2", "t2", "above", "incell", "para", "para-tab", "grid", "t2m", "t3number", "two-tables", "above1")
    head = "".join(paragraph(line) for line in RNG.choice(TITLES).split("\n"))
    sep = pick("：", ":", "　", "\t", " : ")
    if layout == "t2":
        inner = table([[cell(k), cell(v)] for k, v in rows])
    elif layout == "t2m":
        inner = table([[cell("申込者" if i == 0 else "", merge=i == 0), cell(k), cell(v)] for i, (k, v) in enumerate(rows)])
    elif layout == "t3number":
        inner = table([[cell(str(i + 1)), cell(k), cell(v)] for i, (k, v) in enumerate(rows)])
    elif layout == "above":
        pairs = [rows[i:i + 2] for i in range(0, len(rows), 2)]
        inner = table(sum(([[cell(k, span=3 - len(pair)) for k, _ in pair], [cell(v, span=3 - len(pair)) for _, v in pair]] for pair in pairs), []))
    elif layout == "above1":
        inner = table(sum(([[cell(k)], [cell(v)]] for k, v in rows), []))
    elif layout == "incell":
        inner = table([[cell(k + sep + v)] for k, v in rows])
    elif layout == "grid":
        short, long = rows[:-1], rows[-1]
        pairs = [short[i:i + 2] for i in range(0, len(short), 2)]
        inner = table([[c for k, v in pair for c in (cell(k), cell(v, span=1 if len(pair) == 2 else 3))] for pair in pairs] +
                      [[cell(long[0]), cell(long[1], span=3)]])
    elif layout == "two-tables":
        inner = table([[cell(k), cell(v)] for k, v in rows[:5]]) + paragraph("") + table([[cell(k), cell(v)] for k, v in rows[5:]])
    else:
        marks = pick("", "number", "dot")
        lines = [{"": "", "number": "%d．" % (i + 1), "dot": "・"}[marks] + k + ("\t" if layout == "para-tab" else pick("：", ": ", "　：　")) + v
                 for i, (k, v) in enumerate(rows)]
        inner = "".join(paragraph(line) for line in lines)
    tail = "".join(paragraph(n) for n in RNG.sample(NOTES, RNG.randrange(0, 4)))
    head += pick("", paragraph("下記のとおり、ロゴマークの使用を中止しますので申し込みます。"), paragraph("2026年4月1日") + paragraph("SECURITY ACTION事務局　御中"))
    return docx(head + inner + tail), fields, layout


def typed(p):
    rows, fields = rows_of(p)
    style = pick("colon", "colon-wide", "number", "box", "tab", "blank", "bracket", "next-line", "dots", "circled", "angle")
    rows = [(k, v.replace("\n", "")) for k, v in rows]
    fields["reason"] = fields["reason"].replace("\n", "")
    if style == "next-line":
        lines = ["■%s\n%s" % (k, v) for k, v in rows]
    elif style == "bracket":
        lines = ["【%s】%s" % (k, v) for k, v in rows]
    elif style == "angle":
        lines = ["＜%s＞\n%s\n" % (k, v) for k, v in rows]
    elif style == "circled":
        lines = ["%s%s：%s" % ("①②③④⑤⑥⑦⑧⑨⑩⑪"[i], k, v) for i, (k, v) in enumerate(rows)]
    else:
        mark = {"number": None, "box": "□ ", "blank": "・"}.get(style, "")
        gap = {"colon": ":", "colon-wide": " ： ", "number": "．", "box": " … ", "tab": "\t", "blank": "　", "dots": "・・・・・"}[style]
        lines = [("%d. " % (i + 1) if mark is None else mark) + k + ("：" if style == "number" else gap) + v for i, (k, v) in enumerate(rows)]
    return "\n".join(lines), fields, style


# ---- mails ----

def mail(p, subject, text, attachments=(), sender=None, headers=()):
    charset = pick("utf-8", "utf-8", "cp932" if all(c.encode("cp932", "ignore") for c in text) else "utf-8")
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        charset = "utf-8"
    part = MIMEText(text, "plain", {"cp932": "shift_jis"}.get(charset, charset)) if charset == "utf-8" else MIMEText("", "plain", "us-ascii")
    if charset != "utf-8":
        part = MIMEApplication(text.encode("cp932"), "octet-stream")
        part.replace_header("Content-Type", 'text/plain; charset="Shift_JIS"')
    message = part
    if attachments:
        message = MIMEMultipart()
        message.attach(part)
        for name, data, kind in attachments:
            extra = MIMEApplication(data, kind)
            extra.add_header("Content-Disposition", "attachment", filename=("utf-8", "", name))
            message.attach(extra)
    message["From"] = "%s <%s>" % (Header(p.name, "utf-8").encode(), sender or p.mail)
    message["To"] = OFFICE
    message["Subject"] = Header(subject, "utf-8")
    message["Date"] = "Wed, 01 Apr 2026 09:00:00 +0900"
    message["Message-ID"] = "<%d@example.co.jp>" % RNG.getrandbits(60)
    message["Return-Path"] = "<%s>" % (sender or p.mail)
    for key, value in headers:
        message[key] = value
    return message.as_bytes()


DOCX = "vnd.openxmlformats-officedocument.wordprocessingml.document"
STOP_SUBJECTS = ["ロゴマーク使用中止の件", "使用中止申込書の送付", "様式B-3送付", "【ご提出】様式B-3", "SECURITY ACTION 登録停止について", "使用中止のお願い", "申込書送付の件", "", "セキュリティアクションの取り下げ", "中止申込", "Re: 【SECURITY ACTION】自己宣言IDのお知らせ"]
STOP_COVERS = ["使用中止申込書をお送りします。", "標題の件、様式B-3を添付いたしますのでご確認ください。", "ロゴマークの使用を取りやめることになりましたので、申込書を提出いたします。", "添付のとおり申し込みます。",
               "添付ファイルをご査収ください。", "このたび事業を終了することとなり、ロゴマークの使用を中止いたします。\n書類を添付しますのでお手続きをお願いいたします。", "自己宣言の取り下げをお願いしたく、書類をお送りします。",
               "先日お電話で教えていただいた書類を記入しました。", "ご案内いただいた書式に記入しましたので送ります。内容に不備がありましたらご指摘ください。", "宣言をやめることにしました。書類一式お送りします。"]
STOP_WISHES = ["ロゴマークの使用中止を申し込みます。", "SECURITY ACTIONの登録を停止してください。", "自己宣言を取り下げたいので、手続きをお願いします。", "下記の自己宣言について、ロゴマークの使用を終了したくご連絡しました。",
               "Wordファイルが開けないため、本文に記載いたします。使用中止をお願いいたします。", "宣言の取消しを希望します。", "ロゴの使用をやめますので届け出ます。", "当社のセキュリティアクション宣言の廃止をお願いします。", "登録の抹消をお願いいたします。",
               "以下の内容で使用中止申込みをいたします。"]
STOP_PROSE = ["弊社{firm}は自己宣言ID {id} で一つ星を宣言しておりますが、{day}をもってロゴマークの使用を中止いたしますので届け出ます。",
              "自己宣言ID：{id}（{firm}）について、{day}付で使用を中止したく申し込みます。",
              "{day}でロゴマークの使用を終了します。自己宣言IDは{id}です。", "自己宣言ID「{id}」の登録停止をお願いします。中止日は{day}です。"]
STOP_QUESTIONS = ["ロゴマークの使用を中止したい場合、どのような手続きが必要でしょうか。", "使用中止申込書はどこから入手できますか。", "様式B-3はPDFで提出してもよいですか。", "使用中止の手続きにはどのくらいの日数がかかりますか。",
                  "会社を合併した場合、ロゴマークの使用中止は必要ですか。", "使用中止を申し込んだ後、再度宣言することはできますか。", "先月、使用中止申込書を提出しましたが、手続きは完了していますでしょうか。", "ロゴマークの使用を中止した場合、ホームページの表記はいつまでに消す必要がありますか。",
                  "二つ星に上がると、一つ星の登録は停止されるのでしょうか。", "様式B-3の代表者欄に押印は必要ですか。教えてください。", "もし登録を停止すると補助金に影響はありますか。", "中止日は未来の日付でもよいのでしょうか。"]
QUESTIONS = ["自己宣言IDはいつごろ届きますか。", "二つ星を宣言するには何が必要ですか。", "ロゴマークを名刺に印刷してもよいですか。", "自己宣言IDの有効期限はありますか。教えてください。", "ID通知のメールは何日くらいで届くのでしょうか。", "変更の手続きはどこからできますか。",
             "担当者が変わった場合は変更の届け出が必要でしょうか。", "メールニュースはどのくらいの頻度で届きますか。", "ロゴマークの色を変更して使ってもよいでしょうか。", "支店ごとに宣言する必要はありますか。", "GビズIDがないと申し込めませんか。", "情報セキュリティ基本方針のひな形はありますか。",
             "ガイドラインの冊子を送ってもらうことはできますか。", "利用者番号とは何に使うものですか。"]
OTHERS = ["セキュリティ製品のご提案でご連絡いたしました。一度オンラインでお時間をいただけませんでしょうか。", "先日はセミナーでお世話になりありがとうございました。", "ご連絡ありがとうございました。承知いたしました。", "請求書を添付いたします。ご確認ください。", "社員のパソコンがウイルスに感染したようです。どこに相談すればよいでしょうか。",
          "このメールに心当たりがありません。申し込みをした覚えはありません。", "パスワードは abcd1234 です。", "お客様の口座の利用が停止されました。48時間以内に下記URLからご確認ください。\nhttps://login.example.net/verify", "自己宣言しましたのでホームページに掲載しました。ご報告いたします。",
          "ロゴマークのダウンロードができません。リンクを押してもエラーになります。", "使用中止の申し込みを撤回したいです。", "先日提出した使用中止申込書は取り消してください。", "使用中止はしません。引き続き使用します。"]
RESEND = [("自己宣言IDの通知メールを紛失してしまいました。再送をお願いいたします。", "id-notice"), ("自己宣言IDのお知らせをもう一度送っていただけないでしょうか。", "id-notice"), ("ロゴマーク使用のご案内メールを再度お送りください。", "logo-notice"),
          ("迷惑メールに入っていたようで、ID通知のメールが見当たりません。お手数ですが再送願います。", "id-notice"), ("ID通知とロゴマークの通知、両方の再発行をお願いします。", "both"), ("自己宣言IDが記載された通知を再送してもらうことは可能でしょうか。", "id-notice"),
          ("ロゴのダウンロード案内のメールを間違えて消してしまったので、再度送付をお願いします。", "logo-notice"), ("補助金の申請に必要なため、自己宣言ID通知の再送を希望します。", "id-notice")]
ENQUIRY = ["自己宣言IDを忘れてしまいました。教えていただけますか。", "自己宣言IDの照会をお願いします。", "前任者が退職し、自己宣言IDが分からなくなりました。ご教示ください。", "当社の自己宣言IDを確認したいのですが、お調べいただけますでしょうか。", "補助金の申請で必要なため、自己宣言IDを教えて頂きたくご連絡しました。",
           "過去に自己宣言をしたかどうか分かりません。ご確認いただけますか。", "IDがわからないので調べてください。"]
NEWS = ["メールニュースの配信を停止してください。", "メルマガは不要ですので配信停止をお願いします。", "今後ニュースレターの送付は結構です。", "メールマガジンの解除をお願いいたします。", "メールニュースの登録を解除したいです。", "配信先リストから当社を削除してください。", "お知らせメールの配信停止を希望します。自己宣言はそのまま継続します。",
        "メールニュースが毎月届きますが、今後は送らないでください。"]
CHANGE = ["担当者が変わりましたので、変更届を提出します。", "登録情報の変更をお願いいたします。書類を添付しました。", "本社移転に伴い住所の変更申請書を送付いたします。", "社名変更のため、登録内容の変更手続きをお願いします。"]
CHANGES = [("担当者名", "旧担当 一", "新担当 二"), ("電話番号", "03-0000-1111", "06-0000-2222"), ("メールアドレス", "old@example.co.jp", "new@example.co.jp"), ("所在地", "東京都見本区1-1", "大阪府見本市2-2")]


def change_form(p):
    changes = RNG.sample(CHANGES, RNG.randrange(1, 4))
    top = [("自己宣言ID", p.id_text().replace("（一つ星）", "")), ("事業者名", p.firm), ("代表者名", p.boss)]
    style = pick("table", "para", "row3")
    if style == "para":
        inner = "".join(paragraph(k + "：" + v) for k, v in top) + "".join(
            paragraph("変更項目：" + i) + paragraph("　変更前：" + o) + paragraph("　変更後：" + n) for i, o, n in changes)
    elif style == "table":
        inner = table([[cell(k), cell(v, span=2)] for k, v in top] + [[cell("変更項目"), cell("変更前"), cell("変更後")]] + [[cell(c) for c in row] for row in changes])
    else:
        inner = table([[cell(k), cell(v)] for k, v in top]) + table([[cell("項目"), cell("変更前（旧）"), cell("変更後（新）")]] + [[cell(c) for c in row] for row in changes])
    fields = {"declaration_id": p.id, "business_name": p.firm, "representative": p.boss, "changes": [{"item": i, "old": o, "new": n} for i, o, n in changes]}
    return docx(paragraph(pick("登録情報変更届", "SECURITY ACTION 登録内容変更申込書")) + inner), fields, style


def fill(p, text):
    return text.replace("{firm}", p.firm).replace("{id}", p.id).replace("{day}", p.day_text.replace("をもって", "").replace("付", ""))


def who(p):
    rows = [("事業者名", p.firm), ("代表者名", p.boss)]
    RNG.shuffle(rows)
    mark, gap = pick("", "・", "□ ", "■"), pick("：", ": ", " … ", "\t")
    return "\n".join(mark + k + gap + v for k, v in rows)


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    made = []

    def add(data, kind, accept, auto_ok, fields, tags, never=(), optional=()):
        name = "v%04d.eml" % (len(made) + 1)
        with open(os.path.join(folder, name), "wb") as out:
            out.write(data)
        made.append({"file": name, "kind": kind, "accept": accept, "auto_ok": auto_ok, "fields": fields, "tags": tags, "never": list(never), "optional": list(optional)})

    for _ in range(120):
        p = Person()
        data, fields, layout = form(p)
        name = pick("様式B-3.docx", "使用中止申込書.docx", "申込書（記入済）.docx", "文書1.docx")
        add(mail(p, RNG.choice(STOP_SUBJECTS), body(p, RNG.choice(STOP_COVERS)), [(name, data, pick(DOCX, "octet-stream"))]), "stop-request", ["stop-request"], True, fields, ["b3", layout])
    for _ in range(110):
        p = Person()
        text, fields, style = typed(p)
        add(mail(p, RNG.choice(STOP_SUBJECTS), body(p, RNG.choice(STOP_WISHES) + "\n\n" + text)), "stop-request", ["stop-request"], True, fields, ["typed", style])
    for text in STOP_PROSE * 3:
        p = Person()
        add(mail(p, RNG.choice(STOP_SUBJECTS), body(p, fill(p, text))), "stop-request", ["stop-request"], True, {"declaration_id": p.id, "stop_on": p.day}, ["prose"])
    for text in (STOP_QUESTIONS + QUESTIONS + OTHERS) * 2:
        p = Person()
        add(mail(p, pick("お問い合わせ", "質問", "ロゴマークについて", "使用中止について", "様式B-3について", "ご確認のお願い", "SECURITY ACTIONの件"), body(p, text)), "other", ["other"], False, {}, ["other", text[:12]], HARM)
    for text, notice in RESEND * 3:
        p = Person()
        add(mail(p, pick("再送のお願い", "通知メールについて", "ID通知の件", ""), body(p, text + "\n\n" + who(p))), "resend-request", ["resend-request"], True,
            {"notice": notice, "business_name": p.firm, "representative": p.boss}, ["resend", text[:12]])
    for text in ENQUIRY * 3:
        p = Person()
        rows = pick([("法人番号", pick(p.number, "T" + p.number, wide(p.number), p.number[0] + " " + p.number[1:5] + " " + p.number[5:9] + " " + p.number[9:])), ("都道府県", p.prefecture)],
                    [("屋号", p.firm), ("代表者名", p.boss), ("所在地", p.prefecture + "見本市1-2-3")])
        fields = {"prefecture": p.prefecture, "corporate_number": p.number} if rows[0][0] == "法人番号" else {"prefecture": p.prefecture, "business_name": p.firm, "representative": p.boss}
        add(mail(p, pick("自己宣言IDの照会", "IDについて", "お問い合わせ"), body(p, text + "\n\n" + "\n".join(k + pick("：", "　", ": ") + v for k, v in rows))), "id-enquiry", ["id-enquiry"], True, fields, ["enquiry", text[:12]])
    for text in NEWS * 3:
        p = Person()
        add(mail(p, pick("配信停止", "メールニュースについて", "", "お願い"), body(p, text)), "news-unsubscribe", ["news-unsubscribe"], True, {}, ["news", text[:12]])
    for _ in range(30):
        p = Person()
        data, fields, style = change_form(p)
        add(mail(p, pick("変更届の提出", "登録内容の変更", "書類送付", "社名変更のご連絡"), body(p, RNG.choice(CHANGE)), [("変更届.docx", data, DOCX)]), "change-request", ["change-request"], True, fields, ["change", style])
    with open(os.path.join(folder, "truth.jsonl"), "w", encoding="utf-8") as out:
        for truth in made:
            out.write(json.dumps(truth, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
