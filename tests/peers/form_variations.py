"""Form files as offices, spreadsheets, form services and pranksters write them, each with the verdict it must get.

Every way to write a file (charset, separator, layout, wording of the labels) is crossed with every way to fill a field, right or
wrong. The same seed gives the same files. make(directory, seed, rounds) writes the files and a registry.csv, and returns the
cases: {"file", "tags", "records": [{"valid", "errors", "fields"}]}; `records` is None for what is no form file at all.
"""
import csv
import io
import json
import os
import random
import unicodedata

from forms import HEADER, corporate_number

KEYS = (
    "kind purpose pledge contact mail mail_confirm type corporate_number business_name family_name given_name postal_code "
    "prefecture address telephone employees industry association news privacy terms declaration_id applied_on survey"
).split()
LABELS = dict(zip(KEYS, HEADER))

KINDS = {
    "new1": "新規に【★一つ星】を申し込む",
    "new2": "新規に【★★二つ星】を申し込む",
    "step": "一つ星から【★★二つ星】にステップアップする",
}
FAMILIES = "見本 髙橋 宮﨑 德永 濵田 栁沢 齋藤 五十嵐 長谷部 小鳥遊 堀 東雲".split()
GIVEN = "太郎 さくら 真理子 翔太 隆之介 マリア 健 陽菜 ひろみ 蓮".split()
NAMES = "例示電機 見本工務店 うさぎ整骨院 みなとや商店 ABCリフォーム Ｋ・Ｋシステムズ 浅葱クリニック ソーラー表示能力十 五右衛門酒造".split()
FORMS = ("株式会社%s", "有限会社%s", "%s株式会社", "合同会社%s", "㈱%s", "（有）%s", "%s㈱", "医療法人社団　%s", "NPO法人%s")
PREFECTURES = "北海道 青森県 東京都 京都府 大阪府 和歌山県 神奈川県 鹿児島県 沖縄県 長崎県".split()
INDUSTRIES = ("農業", "林業", "総合工事業", "専門サービス業（他に分類されないもの）", "情報サービス業", "医療業", "鉱業，採石業，砂利採取業")

# On file: id, star, state, and who. The numbers beyond the samples' range, so that no application is one of these by chance.
REGISTER = [
    {"id": "40000000001", "star": "1", "state": "logo-authorized", "type": "corporation", "base": "700000000001",
        "name": "㈱一つ星商会", "representative": "見本 一郎", "prefecture": "東京都"},
    {"id": "4000000002", "star": "1", "state": "logo-authorized", "type": "corporation", "base": "700000000002",
        "name": "株式会社別の一つ星", "representative": "見本　二郎", "prefecture": "大阪府"},
    {"id": "40000000003", "star": "2", "state": "logo-authorized", "type": "corporation", "base": "700000000003",
        "name": "二つ星工業株式会社", "representative": "見本 三郎", "prefecture": "京都府"},
    {"id": "40000000004", "star": "1", "state": "stopped", "type": "corporation", "base": "700000000004",
        "name": "株式会社中止した店", "representative": "見本 四郎", "prefecture": "北海道"},
    {"id": "40000000005", "star": "1", "state": "id-issued", "type": "corporation", "base": "700000000005",
        "name": "有限会社発行済み", "representative": "見本 五郎", "prefecture": "沖縄県"},
    {"id": "40000000006", "star": "1", "state": "logo-authorized", "type": "sole", "base": "",
        "name": "髙橋うどん店", "representative": "髙橋　六郎", "prefecture": "香川県"},
    {"id": "40000000007", "star": "2", "state": "logo-authorized", "type": "sole", "base": "",
        "name": "見本理容室", "representative": "見本 七郎", "prefecture": "愛知県"},
]


def registry(path):
    columns = "id user_number type corporate_number business_name representative contact mail prefecture star applied state".split()
    with open(path, "w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(columns)
        for i, row in enumerate(REGISTER):
            number = corporate_number(row["base"]) if row["base"] else ""
            writer.writerow([row["id"], "903548950%d" % i, row["type"], number, row["name"], row["representative"], "見本 陽菜",
                "r%d@example.co.jp" % i, row["prefecture"], row["star"], "2025-11-14", row["state"]])


def of_register(i):
    row = REGISTER[i]
    family, given = row["representative"].replace("　", " ").split(" ")
    who = {"business_name": row["name"], "family_name": family, "given_name": given, "prefecture": row["prefecture"]}
    if row["type"] == "corporation":
        who["corporate_number"] = corporate_number(row["base"])
    else:
        who.update(type="個人事業主", corporate_number="")
    return who


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.count = 0

    def application(self):
        """One valid application, as its writer filled it in."""
        r = self.random
        self.count += 1
        mail = r.choice(("info", "soumu", "t.mihon", "hasebe_8", "a-b+c")) + "@c%d.example.%s" % (
            self.count, r.choice(("co.jp", "jp", "com", "or.jp")))
        return {
            "kind": KINDS[r.choice(("new1", "new1", "new2"))],
            "purpose": r.choice(("取引先からの信頼性を高めるため", "自社の経営層・従業員の意識を高めるため", "その他",
                "自社のセキュリティ対策強化に補助金を得るため", "セキュリティ対策以外で補助金を得るため")),
            "pledge": "誓約する",
            "contact": r.choice(FAMILIES) + r.choice((" ", "　", "")) + r.choice(GIVEN),
            "mail": mail,
            "mail_confirm": mail,
            "type": "法人",
            "corporate_number": corporate_number("9%011d" % (self.count * 7919)),
            "business_name": r.choice(FORMS) % r.choice(NAMES),
            "family_name": r.choice(FAMILIES),
            "given_name": r.choice(GIVEN),
            "postal_code": "%03d-%04d" % (r.randrange(100, 999), r.randrange(10000)),
            "prefecture": r.choice(PREFECTURES),
            "address": "例示市本町%d-%d-%d" % (r.randrange(1, 9), r.randrange(1, 30), r.randrange(1, 30)),
            "telephone": r.choice(("03", "06", "045", "052", "011", "050")) + "-0000-%04d" % r.randrange(10000),
            "employees": str(r.choice((1, 5, 12, 35))),
            "industry": r.choice(INDUSTRIES),
            "association": r.choice(("所属していない", "商工会", "商工会議所", "中小企業団体中央会")),
            "news": r.choice(("希望する", "希望しない")),
            "privacy": "同意する",
            "terms": "同意する",
            "declaration_id": "",
            "applied_on": r.choice(("2026/11/20", "2026/8/7", "2026/05/21")),
            "survey": r.choice(("", "取引先が宣言していた、取引先から宣言を勧められた", "補助金を申請する際の要件となっていた")),
        }


def fields_of(app):
    """The fields a valid record must show, from what was filled in plainly."""
    kind = {label: key for key, label in KINDS.items()}
    sole = app["type"] == "個人事業主"
    fields = {
        "kind": kind.get(app["kind"]),
        "type": "sole" if sole else "corporation",
        "business_name": app["business_name"],
        "representative": app["family_name"] + " " + app["given_name"],
        "prefecture": app["prefecture"],
        "contact": app["contact"],
        "mail": app["mail"],
        "news": app["news"] == "希望する",
    }
    if not sole:
        fields["corporate_number"] = app["corporate_number"]
    return fields


# ---- ways to fill in a form ----
#
# Each is (tag, error codes, changes, what is read all the same). The changes may be a function of the application. A value that
# reads otherwise than it is written gives what is read; everything else must come out as it went in.


def both(mail):
    return {"mail": mail, "mail_confirm": mail}


def wrong_digit(app):
    digit = str((int(app["corporate_number"][0])) % 9 + 1)
    return {"corporate_number": digit + app["corporate_number"][1:]}


def swapped(app):
    n = app["corporate_number"]
    at = next(i for i in range(1, 12) if n[i] != n[i + 1] and {n[i], n[i + 1]} != {"0", "9"})
    return {"corporate_number": n[:at] + n[at + 1] + n[at] + n[at + 2:]}


def number(write):
    """The right number in another dress."""
    return lambda app: {"corporate_number": write(app["corporate_number"])}


def wide(text):
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else "　" if c == " " else c for c in text)


def mail_of(write):
    return lambda app: both(write(app["mail"]))


def ok(tag, changes, read=None):
    return ("ok:" + tag, [], changes, read or {})


def bad(tag, errors, changes):
    return ("bad:" + tag, errors.split(), changes, {})


SOLE = {"type": "個人事業主", "corporate_number": ""}
STEP = {"kind": KINDS["step"]}

FILLINGS = [
    ok("plain", {}),
    ok("new1", {"kind": KINDS["new1"]}),
    ok("new2", {"kind": KINDS["new2"]}),
    ok("sole", SOLE),
    ok("sole-number-none", {"type": "個人事業主", "corporate_number": "なし"}, {"corporate_number": None}),
    ok("sole-number-dash", {"type": "個人事業主", "corporate_number": "－"}, {"corporate_number": None}),
    ok("facility", dict(SOLE, family_name="社会福祉法人例示会", given_name="デイサービスみほん")),
    # the corporate number
    ok("corp-hyphen", number(lambda n: "-".join((n[0], n[1:5], n[5:9], n[9:]))), "number"),
    ok("corp-blanks", number(lambda n: " ".join((n[0], n[1:5], n[5:9], n[9:]))), "number"),
    ok("corp-wide", number(wide), "number"),
    ok("corp-wide-hyphen", number(lambda n: wide("-".join((n[0], n[1:5], n[5:9], n[9:])))), "number"),
    ok("corp-minus-sign", number(lambda n: "−".join((n[0], n[1:5], n[5:9], n[9:]))), "number"),
    ok("corp-long-vowel", number(lambda n: "ー".join((n[0], n[1:5], n[5:9], n[9:]))), "number"),
    ok("corp-invoice", number(lambda n: "T" + n), "number"),
    ok("corp-invoice-wide", number(lambda n: wide("T" + n)), "number"),
    ok("corp-invoice-hyphen", number(lambda n: "T-" + n), "number"),
    ok("corp-apostrophe", number(lambda n: "'" + n), "number"),
    ok("corp-point-zero", number(lambda n: n + ".0"), "number"),
    ok("corp-nbsp", number(lambda n: "\u00a0" + n + "\u00a0"), "number"),
    ok("corp-zero-width", number(lambda n: "\u200b" + n), "number"),
    ok("corp-zero-width-inside", number(lambda n: n[:5] + "\u200b" + n[5:]), "number"),
    ok("corp-thousands", number(lambda n: "%s,%s,%s,%s,%s" % (n[0], n[1:4], n[4:7], n[7:10], n[10:])), "number"),
    ok("corp-formula-text", number(lambda n: '="%s"' % n), "number"),
    ok("corp-labelled", number(lambda n: "法人番号：" + n), "number"),
    bad("corporate-number", "corporate-number", wrong_digit),
    bad("corporate-number-swapped", "corporate-number", swapped),
    bad("corporate-number-12", "corporate-number", number(lambda n: n[1:])),
    bad("corporate-number-14", "corporate-number", number(lambda n: n + "0")),
    bad("corporate-number-letters", "corporate-number", number(lambda n: n[:6] + "O" + n[7:])),
    bad("corporate-number-empty", "corporate-number", {"corporate_number": ""}),
    bad("corporate-number-none", "corporate-number", {"corporate_number": "なし"}),
    bad("corporate-number-applied", "corporate-number", {"corporate_number": "申請中"}),
    bad("corporate-number-zeros", "corporate-number", {"corporate_number": "0000000000000"}),
    bad("corporate-number-ones", "corporate-number", {"corporate_number": "1111111111111"}),
    bad("corporate-number-sci", "corporate-number", {"corporate_number": "9.99953E+12"}),
    bad("corporate-number-sci-lower", "corporate-number", {"corporate_number": "1.234567e+12"}),
    bad("corporate-number-sci-wide", "corporate-number", {"corporate_number": wide("9.99953E+12")}),
    bad("corporate-number-hashes", "corporate-number", {"corporate_number": "########"}),
    bad("corporate-number-rounded", "corporate-number", {"corporate_number": "9999530000000"}),
    bad("corporate-number-two", "corporate-number", number(lambda n: n + "/" + n)),
    # the address of the contact
    ok("mail-carrier-dots", mail_of(lambda m: "taro..mihon@docomo.example.jp")),
    ok("mail-carrier-end", mail_of(lambda m: "taro.@ezweb.example.jp")),
    ok("mail-upper", mail_of(str.upper)),
    ok("mail-case", lambda app: {"mail_confirm": app["mail"].title()}),
    ok("mail-wide", mail_of(wide)),
    ok("mail-wide-once", lambda app: {"mail_confirm": wide(app["mail"])}),
    ok("mail-blanks-around", mail_of(lambda m: " " + m + "　")),
    ok("mail-nbsp-around", mail_of(lambda m: "\u00a0" + m + "\u00a0")),
    ok("mail-plus", mail_of(lambda m: "taro+ipa@example.jp")),
    ok("mail-hyphen-domain", mail_of(lambda m: "info@a-b--c.example.jp")),
    ok("mail-digits", mail_of(lambda m: "0120000000@123.example.jp")),
    ok("mail-signs", mail_of(lambda m: "o'hara/x=y_z@example.jp")),
    ok("mail-subdomains", mail_of(lambda m: "a@b.c.d.e.example.co.jp")),
    ok("mail-long", mail_of(lambda m: "a" * 64 + "@example.jp")),
    ok("mail-new-tld", mail_of(lambda m: "info@example.tokyo")),
    ok("mail-idn", mail_of(lambda m: "info@見本.example.jp")),
    bad("mail-confirm", "mail-confirm", lambda app: {"mail_confirm": "x" + app["mail"]}),
    bad("mail-confirm-letter", "mail-confirm", lambda app: {"mail_confirm": app["mail"].replace("example", "exmaple")}),
    bad("mail-confirm-empty", "mail-confirm", {"mail_confirm": ""}),
    bad("mail-confirm-broken", "mail-confirm", {"mail_confirm": "同上"}),
    bad("mail-no-at", "mail", mail_of(lambda m: m.replace("@", ""))),
    bad("mail-no-at-word", "mail", mail_of(lambda m: m.replace("@", "(at)"))),
    bad("mail-two-at", "mail", mail_of(lambda m: m.replace("@", "@@"))),
    bad("mail-two-at-apart", "mail", mail_of(lambda m: "x@" + m)),
    bad("mail-no-tld", "mail", mail_of(lambda m: "info@example")),
    bad("mail-localhost", "mail", mail_of(lambda m: "root@localhost")),
    bad("mail-dot-first", "mail", mail_of(lambda m: "info@.example.jp")),
    bad("mail-dots-domain", "mail", mail_of(lambda m: "info@example..jp")),
    bad("mail-dot-last", "mail", mail_of(lambda m: "info@example.jp.")),
    bad("mail-comma-dot", "mail", mail_of(lambda m: "info@example,jp")),
    bad("mail-blank-inside", "mail", mail_of(lambda m: m.replace("@", " @"))),
    bad("mail-blank-local", "mail", mail_of(lambda m: "ta ro@example.jp")),
    bad("mail-blank-domain", "mail", mail_of(lambda m: "taro@exam ple.jp")),
    bad("mail-no-local", "mail", mail_of(lambda m: "@example.jp")),
    bad("mail-no-domain", "mail", mail_of(lambda m: "info@")),
    bad("mail-literal", "mail", mail_of(lambda m: "info@[192.0.2.1]")),
    bad("mail-ip", "mail", mail_of(lambda m: "info@192.0.2.1")),
    bad("mail-name", "mail", mail_of(lambda m: "見本 <%s>" % m)),
    bad("mail-japanese-local", "mail", mail_of(lambda m: "見本@example.jp")),
    bad("mail-underscore-domain", "mail", mail_of(lambda m: "info@ex_ample.jp")),
    bad("mail-hyphen-edge", "mail", mail_of(lambda m: "info@-example.jp")),
    bad("mail-long-local", "mail", mail_of(lambda m: "a" * 65 + "@example.jp")),
    bad("mail-none", "mail", mail_of(lambda m: "なし")),
    bad("mail-mailto", "mail", mail_of(lambda m: "mailto:" + m)),
    bad("mail-url", "mail", mail_of(lambda m: "http://example.jp/")),
    bad("injection-mail", "mail", mail_of(lambda m: m + ",victim@example.com")),
    bad("injection-mail-semicolon", "mail", mail_of(lambda m: m + ";victim@example.com")),
    bad("injection-mail-comma-wide", "mail", mail_of(lambda m: m + "、victim@example.com")),
    bad("injection-mail-blank", "mail", mail_of(lambda m: m + " victim@example.com")),
    bad("injection-mail-slash", "mail", mail_of(lambda m: m + " / victim@example.com")),
    bad("injection-mail-crlf", "mail", mail_of(lambda m: m + "\r\nBcc: victim@example.com")),
    bad("injection-mail-lf", "mail", mail_of(lambda m: m + "\nBcc: victim@example.com")),
    bad("injection-mail-encoded", "mail", mail_of(lambda m: m + "%0d%0aBcc:victim@example.com")),
    bad("injection-mail-angle", "mail", mail_of(lambda m: m + ">\r\nRCPT TO:<victim@example.com")),
    bad("injection-mail-zero-width", "mail", mail_of(lambda m: m.replace("@", "\u200b@"))),
    bad("injection-mail-rtl", "mail", mail_of(lambda m: "\u202e" + m)),
    bad("injection-mail-option", "mail", mail_of(lambda m: "-oQ/tmp -X/tmp/x @example.jp")),
    # 誓約, 同意
    ok("pledge-said", {"pledge": "誓約します"}),
    ok("pledge-ticked", {"pledge": "☑誓約する"}),
    ok("pledge-square", {"pledge": "■ 誓約する"}),
    ok("pledge-blank", {"pledge": " 誓約する　"}),
    bad("pledge", "pledge", {"pledge": ""}),
    bad("pledge-not", "pledge", {"pledge": "誓約しない"}),
    bad("pledge-no", "pledge", {"pledge": "いいえ"}),
    bad("pledge-box", "pledge", {"pledge": "□誓約する"}),
    bad("pledge-not-able", "pledge", {"pledge": "誓約できない"}),
    bad("pledge-dash", "pledge", {"pledge": "-"}),
    ok("consent-said", {"privacy": "同意します", "terms": "同意いたします"}),
    ok("consent-page", {"privacy": "同意して進む", "terms": "使用規約に同意する"}),
    ok("consent-short", {"privacy": "同意", "terms": "☑同意する"}),
    bad("consent", "consent", {"privacy": ""}),
    bad("consent-terms", "consent", {"terms": ""}),
    bad("consent-both", "consent", {"privacy": "", "terms": ""}),
    bad("consent-not", "consent", {"privacy": "同意しない"}),
    bad("consent-terms-not", "consent", {"terms": "同意しません"}),
    bad("consent-box", "consent", {"terms": "□同意する"}),
    # choices
    ok("kind-short", {"kind": "★一つ星"}, {"kind": "new1"}),
    ok("kind-hollow", {"kind": "新規に【☆一つ星】を申し込む"}, {"kind": "new1"}),
    ok("kind-hollow2", {"kind": "新規に【☆☆二つ星】を申し込む"}, {"kind": "new2"}),
    ok("kind-asterisk", {"kind": "新規に【*一つ星】を申し込む"}, {"kind": "new1"}),
    ok("kind-asterisk2", {"kind": "新規に【**二つ星】を申し込む"}, {"kind": "new2"}),
    ok("kind-no-star", {"kind": "新規に【二つ星】を申し込む"}, {"kind": "new2"}),
    ok("kind-star-lost", {"kind": "新規に【?一つ星】を申し込む"}, {"kind": "new1"}),
    ok("kind-brackets", {"kind": "新規に[★★二つ星]を申し込む"}, {"kind": "new2"}),
    ok("kind-two", {"kind": "二つ星"}, {"kind": "new2"}),
    ok("kind-digit", {"kind": "2つ星"}, {"kind": "new2"}),
    ok("kind-digit-wide", {"kind": "２つ星"}, {"kind": "new2"}),
    ok("kind-stars", {"kind": "★★"}, {"kind": "new2"}),
    ok("kind-star", {"kind": "★"}, {"kind": "new1"}),
    ok("kind-past", {"kind": "新規に【★一つ星】を申込む"}, {"kind": "new1"}),
    ok("kind-past2", {"kind": "新規に【★★二つ星】を申込む"}, {"kind": "new2"}),
    ok("kind-hiragana", {"kind": "新規に【★ひとつ星】を申し込む"}, {"kind": "new1"}),
    ok("kind-blanks", {"kind": " 新規に 【★ 一つ星】 を申し込む　"}, {"kind": "new1"}),
    ok("kind-numbered", {"kind": "1. 新規に【★一つ星】を申し込む"}, {"kind": "new1"}),
    ok("type-individual", dict(SOLE, type="個人"), {"type": "sole", "corporate_number": None}),
    ok("type-bracket", {"type": "法人（株式会社等）"}, {"type": "corporation"}),
    ok("type-blank", {"type": " 法人　"}),
    ok("news-yes", {"news": "希望します"}, {"news": True}),
    ok("news-no", {"news": "希望しません"}, {"news": False}),
    ok("news-hai", {"news": "はい"}, {"news": True}),
    ok("news-iie", {"news": "いいえ"}, {"news": False}),
    ok("news-need", {"news": "不要"}, {"news": False}),
    ok("news-not-need", {"news": "必要"}, {"news": True}),
    ok("news-upper", {"news": "TRUE"}, {"news": True}),
    ok("news-false", {"news": "FALSE"}, {"news": False}),
    ok("news-ticked", {"news": "☑希望する □希望しない"}, {"news": True}),
    ok("news-ticked-not", {"news": "□希望する ☑希望しない"}, {"news": False}),
    ok("news-empty", {"news": ""}, {"news": False}),
    ok("purpose-other", {"purpose": "その他（親会社の指示）"}),
    ok("industry-own-words", {"industry": "ホームページ制作業"}),
    ok("industry-two", {"industry": "農業、林業"}),
    ok("industry-numbered", {"industry": "39 情報サービス業"}),
    bad("choice-kind", "choice", {"kind": "三つ星"}),
    bad("choice-kind-three", "choice", {"kind": "新規に【★★★三つ星】を申し込む"}),
    bad("choice-kind-both", "choice", {"kind": "新規に【★一つ星】を申し込む、新規に【★★二つ星】を申し込む"}),
    bad("choice-kind-word", "choice", {"kind": "申し込む"}),
    bad("choice-kind-gold", "choice", {"kind": "ゴールド"}),
    bad("choice-type", "choice", {"type": "その他"}),
    bad("choice-type-both", "choice", {"type": "法人・個人事業主"}),
    bad("choice-type-name", "choice", {"type": "任意団体"}),
    bad("choice-purpose", "choice", {"purpose": "もうけるため"}),
    bad("choice-news", "choice", {"news": "たぶん"}),
    bad("choice-news-both", "choice", {"news": "希望する・希望しない"}),
    # required
    bad("required-kind", "required", {"kind": ""}),
    bad("required-kind-blank", "required", {"kind": "　"}),
    bad("required-purpose", "required", {"purpose": ""}),
    bad("required-contact", "required", {"contact": ""}),
    bad("required-contact-blank", "required", {"contact": " 　\u00a0"}),
    bad("required-mail", "required", {"mail": "", "mail_confirm": ""}),
    bad("required-type", "required", {"type": ""}),
    bad("required-business-name", "required", {"business_name": ""}),
    bad("required-business-name-zero-width", "required", {"business_name": "\u200b"}),
    bad("required-family-name", "required", {"family_name": ""}),
    bad("required-given-name", "required", {"given_name": ""}),
    bad("required-names", "required", {"family_name": "", "given_name": ""}),
    # prefectures
    ok("prefecture-short", {"prefecture": "神奈川"}, {"prefecture": "神奈川県"}),
    ok("prefecture-blanks", {"prefecture": "東 京 都"}),
    ok("prefecture-wide-blank", {"prefecture": "　鳥取県　"}),
    ok("prefecture-city", {"prefecture": "大阪府大阪市"}, {"prefecture": "大阪府"}),
    ok("prefecture-code", {"prefecture": "13 東京都"}, {"prefecture": "東京都"}),
    ok("prefecture-code-colon", {"prefecture": "13:東京都"}, {"prefecture": "東京都"}),
    bad("prefecture", "prefecture", {"prefecture": ""}),
    bad("prefecture-romaji", "prefecture", {"prefecture": "Nagano-ken"}),
    bad("prefecture-wrong-suffix", "prefecture", {"prefecture": "大阪県"}),
    bad("prefecture-wrong-suffix-to", "prefecture", {"prefecture": "東京県"}),
    bad("prefecture-old-kanji", "prefecture", {"prefecture": "大坂府"}),
    bad("prefecture-city", "prefecture", {"prefecture": "横浜市"}),
    bad("prefecture-country", "prefecture", {"prefecture": "日本"}),
    bad("prefecture-old", "prefecture", {"prefecture": "江戸"}),
    bad("prefecture-state", "prefecture", {"prefecture": "カリフォルニア州"}),
    bad("prefecture-choose", "prefecture", {"prefecture": "選択してください"}),
    bad("prefecture-dash", "prefecture", {"prefecture": "-"}),
    bad("prefecture-code-alone", "prefecture", {"prefecture": "13"}),
    bad("prefecture-two", "prefecture", {"prefecture": "東京都・大阪府"}),
    bad("prefecture-48th", "prefecture", {"prefecture": "琉球県"}),
    # names
    ok("quotes", {"business_name": '株式会社"例示"，商店, Ltd.'}),
    ok("quotes-only", {"business_name": '"例示"'}),
    ok("quote-inside", {"business_name": '例示"商店'}),
    ok("vendor-chars", {"business_name": "㈱①髙﨑～Ⅲ№℡"}),
    ok("half-kana", {"business_name": "ｶﾌﾞｼｷｶﾞｲｼｬﾚｲｼﾞ", "contact": "ﾐﾎﾝ ﾀﾛｳ"}),
    ok("ampersand", {"business_name": "A&B Co., Ltd. / 例示"}),
    ok("apostrophe", {"business_name": "O'Hara 商店"}),
    ok("apostrophe-first", {"business_name": "'90s カフェ"}),
    ok("brackets", {"business_name": "例示（株）【本店】"}),
    ok("star-name", {"business_name": "★スター商会"}),
    ok("at-name", {"business_name": "アット＠ホーム"}),
    ok("at-first", {"business_name": "@home工房"}),
    ok("plus-first", {"business_name": "+81スタジオ"}),
    ok("minus-first", {"business_name": "-マイナス-"}),
    ok("equals-first", {"business_name": "=例示="}),
    ok("digits-name", {"business_name": "1000"}),
    ok("null-name", {"business_name": "NULL", "family_name": "Null", "given_name": "None"}),
    ok("na-name", {"business_name": "N/A"}),
    ok("true-name", {"business_name": "TRUE"}),
    ok("date-name", {"business_name": "4月1日"}),
    ok("dotcom", {"business_name": "例示.com株式会社"}),
    ok("colon-name", {"business_name": "Re:サンプル"}),
    ok("colon-wide-name", {"business_name": "例示：商店"}),
    ok("label-name", {"business_name": "担当者名商会"}),
    ok("consent-name", {"contact": "同意 太郎"}),
    ok("dots-name", {"business_name": "例示・・・"}),
    ok("wave-name", {"business_name": "例示〜みほん"}),
    ok("backslash", {"business_name": "例示\\商店"}),
    ok("semicolon-name", {"business_name": "例示;商店"}),
    ok("percent", {"business_name": "100%例示"}),
    ok("slash-name", {"business_name": "AB/CD商店"}),
    ok("hash-name", {"business_name": "#例示"}),
    ok("comma-name", {"business_name": "例示, 見本, 架空"}),
    ok("long-name", {"business_name": "例" * 150}),
    ok("one-letter-name", {"family_name": "林", "given_name": "一"}),
    ok("foreign-name", {"family_name": "O'Connor-Müller", "given_name": "José"}),
    ok("middle-dot-name", {"family_name": "スミス・ジョーンズ", "given_name": "マリア"}),
    ok("selector", {"family_name": "葛\U000e0100西", "contact": "辻\U000e0100 健"}),
    ok("surrogate", {"business_name": "𠮷野家具"}),
    ok("combining", {"business_name": "カ\u3099ラス店"}),
    ok("emoji", {"business_name": "カフェ☕例示"}),
    ok("nbsp-name", {"contact": "見本\u00a0太郎"}),
    ok("tab-name", {"contact": "見本\t太郎"}),
    ok("guarded-equals", {"business_name": "'=例示="}, {"business_name": "=例示="}),
    ok("title", {"family_name": "代表取締役　見本"}, lambda app: {"representative": "代表取締役　見本 " + app["given_name"]}),
    ok("newline-address", {"address": "例示市本町1-2\n見本ビル3F"}),
    ok("crlf-address", {"address": "例示市本町1-2\r\n見本ビル3F"}),
    bad("injection-name-crlf", "injection", {"business_name": "株式会社例示\r\nBcc: victim@example.com"}),
    bad("injection-name-lf", "injection", {"business_name": "株式会社例示\nBcc: victim@example.com"}),
    bad("injection-name-cr", "injection", {"business_name": "株式会社例示\rTo: victim@example.com"}),
    bad("injection-name-line", "injection", {"contact": "見本\n太郎"}),
    bad("injection-representative", "injection", {"given_name": "太郎\r\nSubject: 当選"}),
    bad("injection-contact", "injection", {"contact": "見本 太郎\r\nCc: victim@example.com"}),
    bad("injection-url", "injection", {"business_name": "当選 https://example.com/win"}),
    bad("injection-url-bare", "injection", {"contact": "www.example.com をクリック"}),
    bad("injection-url-short", "injection", {"contact": "example.com/win"}),
    bad("injection-url-family", "injection", {"family_name": "http://example.com"}),
    bad("injection-url-wide", "injection", {"business_name": "ｈｔｔｐ：／／ｅｘａｍｐｌｅ．ｃｏｍ"}),
    bad("injection-escape", "injection", {"business_name": "例示\x1b[2J"}),
    bad("injection-control", "injection", {"business_name": "例示\x07商店"}),
    bad("injection-nul", "injection", {"business_name": "例示\x00商店"}),
    bad("injection-rtl", "injection", {"business_name": "例示\u202e商店"}),
    bad("injection-separator", "injection", {"business_name": "例示\u2028商店"}),
    bad("injection-script", "injection", {"business_name": "<script>alert(1)</script>"}),
    bad("injection-tag", "injection", {"contact": "<a href=x>見本</a>"}),
    bad("injection-template", "injection", {"business_name": "{{user_number}}"}),
    bad("injection-hyperlink", "injection", {"business_name": '=HYPERLINK("http://example.com","例示")'}),
    bad("injection-command", "injection", {"business_name": "=cmd|' /C calc'!A0"}),
    bad("injection-encoded", "injection", {"contact": "見本%0D%0ABcc: victim@example.com"}),
    bad("injection-literal", "injection", {"contact": "見本\\r\\nBcc: victim@example.com"}),
    bad("injection-address", "injection", {"contact": "victim@example.com"}),
    bad("injection-telephone", "injection", {"telephone": "03-0000-1234\r\nBcc: victim@example.com"}),
    bad("injection-prefecture", "injection", {"prefecture": "東京都\r\nBcc: victim@example.com"}),
    bad("injection-in-address", "injection", {"address": "例示市 https://example.com/win"}),
    # what decides nothing
    ok("telephone-international", {"telephone": "+81-3-0000-1234"}),
    ok("telephone-wide", {"telephone": "０３－００００－１２３４"}),
    ok("telephone-brackets", {"telephone": "03(0000)1234"}),
    ok("telephone-mobile", {"telephone": "090-0000-1234"}),
    ok("telephone-bare", {"telephone": "0300001234"}),
    ok("telephone-extension", {"telephone": "03-0000-1234（内線12）"}),
    ok("telephone-empty", {"telephone": ""}),
    ok("telephone-none", {"telephone": "なし"}),
    ok("leading-zero", {"telephone": "9200003173", "postal_code": "253646"}),
    ok("postal-mark", {"postal_code": "〒100-0001"}),
    ok("postal-bare", {"postal_code": "1000001"}),
    ok("postal-wide", {"postal_code": "１００−０００１"}),
    ok("postal-empty", {"postal_code": ""}),
    ok("date-wareki", {"applied_on": "令和8年11月20日"}),
    ok("date-wareki-short", {"applied_on": "R8.11.20"}),
    ok("date-future", {"applied_on": "2026/12/31"}),
    ok("date-old", {"applied_on": "2020/01/01"}),
    ok("date-time", {"applied_on": "2026/11/20 10:23:45"}),
    ok("date-iso", {"applied_on": "2026-11-20T10:23:45+09:00"}),
    ok("date-kanji", {"applied_on": "2026年11月20日"}),
    ok("date-serial", {"applied_on": "46346"}),
    ok("date-empty", {"applied_on": ""}),
    ok("employees-unit", {"employees": "１２名"}),
    ok("employees-range", {"employees": "6～20名"}),
    ok("employees-date", {"employees": "1月5日"}),
    ok("optional-empty", {"postal_code": "", "telephone": "", "employees": "", "industry": "", "association": "", "survey": "",
        "applied_on": "", "address": ""}),
    ok("survey-two", {"survey": "取引先が宣言していた、取引先から宣言を勧められた、補助金を申請する際の要件となっていた"}),
    ok("id-unused", {"declaration_id": "なし"}),
    # against the register
    bad("duplicate", "duplicate", of_register(0)),
    bad("duplicate-new2", "duplicate", dict(of_register(0), kind=KINDS["new2"])),
    bad("duplicate-two-star", "duplicate", of_register(2)),
    bad("duplicate-id-issued", "duplicate", of_register(4)),
    bad("duplicate-hyphen", "duplicate", dict(of_register(0), corporate_number="-".join(
        (corporate_number("700000000001")[0], "7000", "0000", "0001")))),
    bad("duplicate-other-name", "duplicate", dict(of_register(0), business_name="改名した商会")),
    bad("duplicate-sole", "duplicate", of_register(5)),
    bad("duplicate-sole-glyph", "duplicate", dict(of_register(5), business_name="高橋うどん店", family_name="高橋")),
    ok("stopped", of_register(3)),
    ok("same-name", dict(of_register(0), corporate_number=corporate_number("700000000099"))),
    ok("sole-other-representative", dict(of_register(5), given_name="八郎")),
    ok("sole-other-prefecture", dict(of_register(5), prefecture="徳島県")),
    ok("step", dict(STEP, **of_register(0), declaration_id="40000000001")),
    ok("step-10-digits", dict(STEP, **of_register(1), declaration_id="4000000002")),
    ok("step-wide", dict(STEP, **of_register(0), declaration_id=wide("40000000001"))),
    ok("step-hyphen", dict(STEP, **of_register(0), declaration_id="4000-0000-001")),
    ok("step-labelled", dict(STEP, **of_register(0), declaration_id="自己宣言ID：40000000001")),
    ok("step-sole", dict(STEP, **of_register(5), declaration_id="40000000006")),
    ok("step-wording", dict(of_register(0), kind="★一つ星から★★二つ星へステップアップ", declaration_id="40000000001"),
        {"kind": "step"}),
    ok("step-id-issued", dict(STEP, **of_register(4), declaration_id="40000000005")),
    bad("step-up", "step-up", dict(STEP, **of_register(0), declaration_id="")),
    bad("step-up-unknown", "step-up", dict(STEP, **of_register(0), declaration_id="49999999999")),
    bad("step-up-other", "step-up", dict(STEP, **of_register(0), declaration_id="4000000002")),
    bad("step-up-not-on-file", "step-up", dict(STEP, declaration_id="40000000001")),
    bad("step-up-two-star", "step-up", dict(STEP, **of_register(2), declaration_id="40000000003")),
    bad("step-up-two-star-sole", "step-up", dict(STEP, **of_register(6), declaration_id="40000000007")),
    bad("step-up-stopped", "step-up", dict(STEP, **of_register(3), declaration_id="40000000004")),
    bad("step-up-user-number", "step-up", dict(STEP, **of_register(0), declaration_id="9035489500")),
    bad("step-up-short", "step-up", dict(STEP, **of_register(0), declaration_id="400000")),
    bad("step-up-long", "step-up", dict(STEP, **of_register(0), declaration_id="400000000011")),
    bad("step-up-number", "step-up", lambda app: dict(STEP, **of_register(0), declaration_id=corporate_number("700000000001"))),
    bad("step-up-sci", "step-up", dict(STEP, **of_register(0), declaration_id="4E+10")),
    bad("step-up-word", "step-up", dict(STEP, **of_register(0), declaration_id="不明")),
    # two causes, two codes; one cause, one code
    bad("two-pledge-prefecture", "pledge prefecture", {"pledge": "", "prefecture": ""}),
    bad("two-mail-number", "mail corporate-number", lambda app: dict(both("info@example"), **wrong_digit(app))),
    bad("two-confirm-consent", "mail-confirm consent", {"mail_confirm": "x@example.jp", "terms": ""}),
    bad("two-required-choice", "required choice", {"contact": "", "purpose": "もうけるため"}),
    bad("two-duplicate-pledge", "duplicate pledge", dict(of_register(0), pledge="")),
    bad("two-injection-mail", "injection mail", dict(both("a@b@example.jp"), business_name="例示\r\nBcc: x@example.com")),
    bad("two-step-consent", "step-up consent", dict(STEP, declaration_id="", privacy="")),
]
STEPPING = next(filling for filling in FILLINGS if filling[0] == "ok:step")


# ---- ways to write a file ----
#
# A writer takes records (lists of (key, value) in order) and a source of chance, and gives bytes, or None where it can't hold
# these values.

OTHER_LABELS = {
    "kind": ("宣言の内容", "【公開】宣言の内容（ロゴマークの種類）【必須】", "宣言内容"),
    "purpose": ("自己宣言の目的【必須】", "自己宣言の目的*", "宣言の目的"),
    "pledge": ("反社会的勢力排除に関する誓約（必須）", "反社会的勢力の排除に関する誓約"),
    "contact": ("担当者名 例)山田太郎 【必須】", "担当者氏名", "ご担当者名", "担当者"),
    "mail": ("メールアドレス", "担当者メールアドレス 例)xxx@xxx.co.jp 【必須】", "担当者E-mail"),
    "mail_confirm": ("メールアドレス（確認）", "担当者メールアドレス(確認)", "担当者メールアドレス　（確認）", "担当者メールアドレス（確認用）"),
    "type": ("法人/個人事業主", "法人・個人事業主", "法人／個人事業主【必須】"),
    "corporate_number": ("法人番号（13桁）", "法人番号 (半角数字)", "法人番号※法人の場合"),
    "business_name": ("【公開】事業者名", "事業者名（屋号）", "法人名・屋号", "会社名"),
    "family_name": ("代表者(姓)", "代表者　姓", "代表者氏名（姓）"),
    "given_name": ("代表者(名)", "代表者　名", "代表者氏名（名）"),
    "postal_code": ("〒", "郵便番号（半角）"),
    "prefecture": ("【公開】都道府県", "所在地（都道府県）", "都道府県名"),
    "address": ("市区町村番地", "住所", "市区町村・番地・建物名"),
    "telephone": ("電話", "TEL", "電話番号（半角数字）"),
    "employees": ("従業員数（人）", "従業員"),
    "industry": ("業種", "業種（中分類）【必須】"),
    "association": ("所属団体",),
    "news": ("IPAからの情報送付（メール）", "情報送付", "ＩＰＡからの情報送付"),
    "privacy": ("個人情報の取扱いについて", "個人情報の取扱い"),
    "terms": ("ロゴマーク使用規約への同意", "使用規約"),
    "declaration_id": ("自己宣言ID", "自己宣言ＩＤ（ステップアップの場合）", "自己宣言ID(ステップアップの場合)"),
    "applied_on": ("申込日", "お申し込み日", "申込日時"),
    "survey": ("アンケート", "アンケート(任意)"),
}


def labelled(r, records, variants=False):
    labels = {key: r.choice(OTHER_LABELS[key]) if variants and r.random() < 0.7 else LABELS[key] for key in KEYS}
    return [[(labels[key], value) for key, value in record] for record in records]


def cell(value, separator, always):
    if always or any(c in value for c in '"\r\n' + separator):
        return '"%s"' % value.replace('"', '""')
    return value


def csv_writer(charset="utf-8-sig", separator=",", line_end="\r\n", quotes=0.05, variants=False, order=False, extra=False,
        above="", below="", blank=False, two_headers=False, no_confirm=False):
    def write(records, r):
        rows = labelled(r, records, variants)
        places = list(range(len(KEYS)))
        if order:
            r.shuffle(places)
        if no_confirm:
            places = [i for i in places if KEYS[i] != "mail_confirm"]
        header = [rows[0][i][0] for i in places]
        table = [[row[i][1] for i in places] for row in rows]
        if extra:
            header = ["No.", "受付番号"] + header + ["備考", "最終更新者"]
            table = [[str(i), "A-%04d" % i] + row + ["", "見本"] for i, row in enumerate(table, 1)]
        lines = [separator.join(cell(v, separator, r.random() < quotes) for v in row) for row in [header] + table]
        if blank:
            empty = separator * (len(header) - 1)
            lines = lines[:1] + [x for line in lines[1:] for x in ("", empty, line)] + [empty, "", empty]
        if two_headers:
            lines.insert(0, separator.join(["自己宣言内容"] + [""] * 5 + ["事業者情報"] + [""] * (len(header) - 7)))
        return encode(above + line_end.join(lines) + line_end + below, charset)
    return write


def encode(text, charset):
    try:
        return text.encode(charset)
    except UnicodeEncodeError:
        if charset == "cp932":
            text = "".join(c for c in text if not 0xE0100 <= ord(c) <= 0xE01EF).replace("〜", "～").replace("−", "－")
            try:
                return text.encode(charset)
            except UnicodeEncodeError:
                return None
        raise


ENGLISH = dict(zip(KEYS, KEYS))


def json_writer(shape="object", keys=None, indent=None, charset="utf-8", ascii_only=False, typed=False):
    def value_of(key, value):
        if not typed:
            return value
        if key == "corporate_number" and value.isascii() and value.isdigit() and len(value) == 13:
            return int(value)
        if key == "employees" and value.isascii() and value.isdigit():
            return int(value)
        if key == "news" and value in ("希望する", "希望しない"):
            return value == "希望する"
        if (key in ("privacy", "terms") and value == "同意する") or (key == "pledge" and value == "誓約する"):
            return True
        if key == "survey" and value:
            return [value]
        return value if value else None

    def write(records, r):
        names = keys or LABELS
        objects = [{names[key]: value_of(key, value) for key, value in record} for record in records]
        if shape == "nested":
            page = set(KEYS[:6])
            objects = [{"自己宣言内容": {names[k]: value_of(k, v) for k, v in record if k in page},
                "事業者情報": {names[k]: value_of(k, v) for k, v in record if k not in page}} for record in records]
        elif shape == "representative":
            for o in objects:
                o["代表者"] = {"姓": o.pop(names["family_name"]), "名": o.pop(names["given_name"])}
        elif shape == "pairs":
            objects = [{"answers": [{"question": names[k], "answer": value_of(k, v)} for k, v in record]} for record in records]
        if shape == "lines":
            text = "".join(json.dumps(o, ensure_ascii=ascii_only) + "\n" for o in objects)
        else:
            whole = objects[0] if len(objects) == 1 and shape != "array" else objects
            if shape == "wrapped":
                whole = {"exported": "2026-11-20", "total": len(objects), "records": objects}
            elif shape == "indexed":
                whole = {"data": {"applications": objects}}
            elif shape == "map":
                whole = {"A-%03d" % i: o for i, o in enumerate(objects, 1)}
            elif shape == "typed-values":
                whole = [{k: {"type": "SINGLE_LINE_TEXT", "value": v} for k, v in o.items()} for o in objects]
            elif shape == "one-wrapped":
                whole = {"application": whole}
            text = json.dumps(whole, ensure_ascii=ascii_only, indent=indent)
        try:
            return encode(text, charset)
        except UnicodeEncodeError:
            return None
    return write


TEXT_LAYOUTS = {
    "zcolon": lambda label, value: "%s：%s\n" % (label, value),
    "zcolon-blank": lambda label, value: "%s ： %s\n" % (label, value),
    "colon": lambda label, value: "%s: %s\n" % (label, value),
    "colon-tight": lambda label, value: "%s:%s\n" % (label, value),
    "tab": lambda label, value: "%s\t%s\n" % (label, value),
    "equals": lambda label, value: "%s = %s\n" % (label, value),
    "lines": lambda label, value: "%s\n%s\n" % (label, value),
    "lines-apart": lambda label, value: "%s\n\n%s\n\n" % (label, value),
    "lines-indented": lambda label, value: "%s\n　　%s\n" % (label, value),
    "lens": lambda label, value: "【%s】%s\n" % (label, value),
    "lens-blank": lambda label, value: "【%s】 %s\n" % (label, value),
    "lens-colon": lambda label, value: "【%s】：%s\n" % (label, value),
    "lens-lines": lambda label, value: "【%s】\n%s\n\n" % (label, value),
    "square": lambda label, value: "[%s] %s\n" % (label, value),
    "bullet": lambda label, value: "■%s\n%s\n\n" % (label, value),
    "bullet-zcolon": lambda label, value: "・%s：%s\n" % (label, value),
    "bullet-circle": lambda label, value: "● %s：%s\n" % (label, value),
    "bullet-ascii": lambda label, value: "- %s: %s\n" % (label, value),
    "bullet-diamond": lambda label, value: "◆%s： %s\n" % (label, value),
    "quoted": lambda label, value: "> %s：%s\n" % (label, value),
    "blanks": lambda label, value: "%s　　%s\n" % (label, value),
    "spaces": lambda label, value: "%s    %s\n" % (label, value),
    "table": lambda label, value: "| %s | %s |\n" % (label, value),
    "table-drawn": lambda label, value: "│%s│%s│\n" % (label, value),
    "arrow": lambda label, value: "%s→%s\n" % (label, value),
    "csv": lambda label, value: '"%s","%s"\n' % (label, value.replace('"', '""')),
    "csv-plain": lambda label, value: "%s,%s\n" % (cell(label, ",", False), cell(value, ",", False)),
    "zcolon-padded": lambda label, value: "%s：%s\n" % (label.ljust(24, "　"), value),
    "colon-padded": lambda label, value: "%s : %s\n" % (label.ljust(24), value),
    "bracket-angle": lambda label, value: "＜%s＞\n%s\n" % (label, value),
    "html-break": lambda label, value: "%s：%s  \n" % (label, value),
}


def text_writer(layout, charset="utf-8", line_end="\n", page=True, variants=False, marks=False, numbered=False):
    form = TEXT_LAYOUTS[layout]
    one_line = {"csv", "csv-plain", "table", "table-drawn", "quoted", "lines-apart"}

    def write(records, r):
        out = []
        for record in labelled(r, records, variants):
            if page:
                out.append("入力内容確認\n\n入力（自己宣言内容）1/2\n\n")
            for i, (label, value) in enumerate(record):
                if layout in one_line and any(c in value for c in "\r\n"):
                    return None
                if page and i == 6:
                    out.append("\n入力（事業者情報入力）2/2\n\n")
                if marks:
                    label = r.choice(("【公開】", "", "※")) + label + r.choice(("【必須】", "（必須）", " *", ""))
                if numbered:
                    label = "%d. %s" % (i + 1, label)
                out.append(form(label, value))
            if page:
                out.append("\n戻る\n\n登録\n\n")
            else:
                out.append("\n----------------------------------------\n\n")
        return encode("".join(out).replace("\r\n", "\n").replace("\n", line_end), charset)
    return write


def around(above, writer, below):
    def write(records, r):
        content = writer(records, r)
        return content and above.encode() + content + below.encode()
    return write


WRITERS = {
    "csv-utf8bom": csv_writer(),
    "csv-utf8": csv_writer("utf-8", line_end="\n"),
    "csv-cp932": csv_writer("cp932"),
    "csv-cp932-lf": csv_writer("cp932", line_end="\n"),
    "csv-cr": csv_writer("utf-8", line_end="\r"),
    "csv-utf16": csv_writer("utf-16", separator="\t"),
    "csv-utf16be": csv_writer("utf-16-be"),
    "csv-utf16-comma": csv_writer("utf-16"),
    "tsv-utf8": csv_writer("utf-8", separator="\t"),
    "tsv-cp932": csv_writer("cp932", separator="\t"),
    "csv-semicolon": csv_writer(separator=";"),
    "csv-quoted": csv_writer("cp932", quotes=1.0),
    "csv-quoted-utf8": csv_writer("utf-8", quotes=1.0),
    "csv-order": csv_writer("cp932", order=True),
    "csv-variants": csv_writer("utf-8-sig", variants=True),
    "csv-variants-order": csv_writer("cp932", variants=True, order=True),
    "csv-extra": csv_writer("utf-8-sig", extra=True),
    "csv-extra-order": csv_writer("cp932", extra=True, order=True),
    "csv-blank-lines": csv_writer("cp932", blank=True),
    "csv-title": csv_writer("cp932", above="SECURITY ACTION 申込一覧,,,\r\n出力日：2026/11/20,,,\r\n\r\n"),
    "csv-totals": csv_writer("cp932", below="合計,1件,,\r\n"),
    "csv-two-headers": csv_writer("cp932", two_headers=True),
    "csv-no-confirm": csv_writer("cp932", no_confirm=True),
    "csv-eof-mark": csv_writer("cp932", below="\x1a"),
    "csv-sep-line": csv_writer("utf-8-sig", above="sep=,\r\n"),
    "json": json_writer(),
    "json-bom": json_writer(charset="utf-8-sig"),
    "json-indented": json_writer(indent=2),
    "json-array": json_writer("array"),
    "json-lines": json_writer("lines"),
    "json-wrapped": json_writer("wrapped", indent=1),
    "json-indexed": json_writer("indexed"),
    "json-escaped": json_writer(ascii_only=True),
    "json-typed": json_writer(typed=True),
    "json-english": json_writer(keys=ENGLISH),
    "json-english-typed": json_writer("array", keys=ENGLISH, typed=True),
    "json-nested": json_writer("nested"),
    "json-representative": json_writer("representative"),
    "json-pairs": json_writer("pairs"),
    "json-cp932": json_writer(charset="cp932"),
    "json-utf16": json_writer(charset="utf-16"),
    "json-map": json_writer("map"),
    "json-typed-values": json_writer("typed-values"),
    "json-one-wrapped": json_writer("one-wrapped"),
    "csv-nfd": lambda records, r: unicodedata.normalize("NFD", csv_writer("utf-8")(records, r).decode()).encode(),
}
WRITERS.update({"text-" + layout: text_writer(layout) for layout in TEXT_LAYOUTS})
WRITERS.update({
    "text-zcolon-bom": text_writer("zcolon", "utf-8-sig"),
    "text-zcolon-cp932": text_writer("zcolon", "cp932", "\r\n"),
    "text-zcolon-utf16": text_writer("zcolon", "utf-16", "\r\n"),
    "text-zcolon-cr": text_writer("zcolon", "utf-8", "\r"),
    "text-zcolon-bare": text_writer("zcolon", page=False),
    "text-letter": around("お世話になっております。\n下記のとおり申し込みます。\n\n", text_writer("zcolon", page=False),
        "以上、よろしくお願いいたします。\n"),
    "text-signature": around("", text_writer("zcolon", page=False),
        "-- \n株式会社みほん 総務部 見本\nTEL：03-0000-9999\nE-mail: soumu@example.org\n"),
    "text-signature-drawn": around("申込みます。\n\n", text_writer("zcolon", page=False),
        "━━━━━━━━━━\n株式会社みほん\n総務部 見本\n〒100-0001 東京都見本区1-1\nTEL：03-0000-9999\n"
        "MAIL：soumu@example.org\n━━━━━━━━━━\n"),
    "text-table-headed": around("| 項目 | 内容 |\n|---|---|\n", text_writer("table", page=False), ""),
    "text-csv-headed": around("項目,内容\n", text_writer("csv-plain", page=False), ""),
    "text-zcolon-marks": text_writer("zcolon", marks=True),
    "text-zcolon-variants": text_writer("zcolon", variants=True),
    "text-zcolon-numbered": text_writer("zcolon", numbered=True),
    "text-lines-cp932": text_writer("lines", "cp932", "\r\n"),
    "text-lines-bare": text_writer("lines", page=False),
    "text-lines-marks": text_writer("lines", marks=True),
    "text-lines-variants": text_writer("lines-apart", variants=True),
    "text-tab-cp932": text_writer("tab", "cp932", "\r\n", page=False),
    "text-lens-bare": text_writer("lens", "cp932", "\r\n", page=False),
    "text-lens-variants": text_writer("lens", variants=True),
})

# ---- files that are none ----

REFUSED = {
    "empty": b"",
    "blank": b"\r\n \r\n",
    "bom-only": b"\xef\xbb\xbf",
    "xlsx": b"PK\x03\x04\x14\x00\x06\x00" + bytes(range(256)) * 8,
    "xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2048),
    "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n",
    "png": b"\x89PNG\r\n\x1a\n" + bytes(64),
    "noise": bytes((i * 7919 + i // 3) % 256 for i in range(4096)),
    "nuls": bytes(4096),
    "html": "<html><body><table><tr><td>担当者名</td></tr></table></body></html>".encode(),
    "letter": "お世話になっております。\n申込みの件、よろしくお願いいたします。\n".encode(),
    "csv-of-else": "商品名,数量,単価\r\nりんご,3,120\r\n".encode("cp932"),
    "json-empty": b"[]",
    "json-number": b"42",
}

# No application in them, and nothing wrong.
NOTHING = {
    "header-only": (",".join(HEADER) + "\r\n").encode("cp932"),
    "header-blank-rows": (",".join(HEADER) + "\r\n" + "," * 23 + "\r\n\r\n").encode("cp932"),
}


# ---- files ----

def filled(maker, filling):
    """One record of that filling: what is written, and what must come of it."""
    tag, errors, changes, read = filling
    app = maker.application()
    written = dict(app, **(changes(app) if callable(changes) else changes))
    plain = dict(written)
    if read == "number":
        plain["corporate_number"] = app["corporate_number"]
        read = {}
    if callable(read):
        read = read(written)
    for key in ("type", "news", "prefecture"):
        if key not in (changes if isinstance(changes, dict) else {}):
            plain[key] = app[key]
    fields = fields_of(plain)
    if tag == "ok:step-hyphen":
        fields["kind"] = "step"
    fields.update(read)
    return list(written.items()), {"valid": not errors, "errors": sorted(errors), "fields": fields if not errors else {}}


def make(directory, seed=1, rounds=1):
    maker = Maker(seed)
    cases = []
    os.makedirs(directory, exist_ok=True)
    registry(os.path.join(directory, "registry.csv"))

    def put(name, content, tags, records):
        with open(os.path.join(directory, name), "wb") as out:
            out.write(content)
        cases.append({"file": name, "tags": tags, "records": records})

    suffix = {"c": ".csv", "t": ".txt", "j": ".json"}
    number_of = 0
    for writer_name, writer in WRITERS.items():
        for filling in FILLINGS:
            for _ in range(rounds):
                # Not every pair in every round: chance picks about one in four, another one with another seed.
                if maker.random.random() > 0.2 and filling[0] != "ok:plain":
                    continue
                if "no-confirm" in writer_name and "confirm" in filling[0]:
                    continue
                record, truth = filled(maker, filling)
                content = writer([record], maker.random)
                if content is None:
                    continue
                number_of += 1
                put("%05d%s" % (number_of, suffix[writer_name[0]]), content, ["form:" + writer_name, filling[0]], [truth])
    for writer_name, writer in WRITERS.items():
        several = [filled(maker, maker.random.choice(FILLINGS[:6] + [f for f in FILLINGS if f[0].startswith("bad:corporate")]))
            for _ in range(5)]
        several.append(filled(maker, STEPPING))
        # The first and the last come again: duplicates of what was accepted, the same refusal of what was not.
        several += [(record, {"valid": False, "errors": ["duplicate"], "fields": {}} if truth["valid"] else truth)
            for record, truth in (several[0], several[-1])]
        records = [record for record, _ in several]
        truths = [truth for _, truth in several]
        content = writer(records, maker.random)
        if content is not None:
            number_of += 1
            put("%05d%s" % (number_of, suffix[writer_name[0]]), content, ["form:" + writer_name, "several"], truths)
    for name, content in REFUSED.items():
        put("none-%s.csv" % name, content, ["none:" + name], None)
    for name, content in NOTHING.items():
        put("nothing-%s.csv" % name, content, ["nothing:" + name], [])
    return cases
