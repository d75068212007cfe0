"""A lively office for tests and pictures of pages: six weeks of fictitious applications and mails, simulated.

lively.py BUILD CONFIG [--hostile]: fills the office of CONFIG (spool, state, notices into a Maildir), which must be new. It ends at
2026-06-10 10:30 in Tokyo. --hostile: names, subjects and file names that try to break out of a page.
"""
import datetime
import email
import email.policy
import os
import pathlib
import random
import re
import subprocess
import sys

TOKYO = datetime.timezone(datetime.timedelta(hours=9))
FIRST, LAST = datetime.date(2026, 4, 27), datetime.date(2026, 6, 10)
END = "2026-06-10 10:30"
HOLIDAYS = {datetime.date(2026, 4, 29), *(datetime.date(2026, 5, d) for d in (3, 4, 5, 6))}
OFFICE = "security-action-info@sa.example.jp"
HEAD = ("宣言の内容（ロゴマークの種類）,自己宣言の目的,反社会的勢力排除に関する誓約,担当者名,担当者メールアドレス,担当者メールアドレス（確認）,"
        "法人／個人事業主,法人番号,事業者名,代表者（姓）,代表者（名）,郵便番号,都道府県,市区町村・番地,電話番号,従業員数,業種（中分類）,"
        "所属団体（商工団体等）,IPAからの情報送付,個人情報の取り扱いについて,ロゴマーク使用規約,お申込日")
FORMS, FANCY = ("株式会社", "合同会社", "有限会社"), ("見本", "例示", "架空", "雛形", "仮名", "試供", "サンプル", "モデル")
TRADES = ("電機", "製作所", "デザイン", "商店", "工務店", "食品", "運輸", "印刷", "システム", "設計", "農園", "クリニック", "不動産", "電設")
PLACES = ("北海道", "宮城県", "東京都", "神奈川県", "長野県", "愛知県", "大阪府", "広島県", "福岡県", "沖縄県")
HOSTILE_NAME = '株式会社見本\'"><img src=x onerror=alert(1)></script><script>alert(2)</script>'
HOSTILE_SUBJECT = '"><svg onload=alert(3)> <a href="javascript:alert(4)">x</a>'


def at(day, clock):
    hour, minute = map(int, clock.split(":"))
    return datetime.datetime(day.year, day.month, day.day, hour, minute, tzinfo=TOKYO)


def corporate_number(n):
    base = "%012d" % (20000000 + n)
    total = sum(int(digit) * (1 + i % 2) for i, digit in enumerate(reversed(base)))
    return "T%d%s" % (9 - total % 9, base)


class Lively:
    def __init__(self, build, conf, hostile):
        self.build, self.conf, self.hostile = build, conf, hostile
        self.home = pathlib.Path(conf).resolve().parent
        self.random = random.Random(20260610)
        self.count = self.mail_count = 0
        self.contacts = []
        self.unsubscribed = set()

    def put(self, path, data, moment):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (moment.timestamp(),) * 2)

    def simulate(self, since, until):
        subprocess.run([os.path.join(self.build, "sengend"), "-c", self.conf, "--from", since, "--simulate-until", until],
                       check=True, stdout=subprocess.DEVNULL)

    # ---- forms ----

    def row(self, name=None, mail=None, prefecture=None, applied_on=""):
        self.count += 1
        draw = self.random.choice
        name = name or draw(FORMS) + draw(FANCY) + draw(TRADES)
        mail = mail or "tanto%d@example.co.jp" % self.count
        self.contacts.append((name, mail))
        cells = ["新規に【★一つ星】を申し込む", "その他", "誓約する", "見本　花子", mail, mail, "法人", corporate_number(self.count), name,
                 "見本", "太郎", "100-0001", prefecture or draw(PLACES), "見本市例示町%d-%d" % (1 + self.count % 9, self.count),
                 "03-0000-%04d" % self.count, "%d" % self.random.randint(3, 90), "食料品製造業", "所属していない", "希望する", "同意する",
                 "同意する", applied_on]
        return ",".join('"%s"' % cell.replace('"', '""') for cell in cells)

    def drop(self, name, rows, moment):
        text = "\ufeff" + "\r\n".join([HEAD, *rows]) + "\r\n"
        self.put(self.home / "spool/incoming" / name, text.encode(), moment)

    def drop_day(self, day):
        rows = [self.row() for _ in range(self.random.randint(1, 5) + (9 if day.day in (14, 15) else 0))]
        if self.random.random() < 0.3:
            rows.append(self.row(prefecture="東京府"))
        self.drop("申込み_%s.csv" % day.strftime("%m%d"), rows, at(day, "14:%02d" % self.random.randint(0, 59)))

    def drop_special(self):
        old = datetime.date(2026, 5, 1).strftime("%Y/%m/%d")
        self.drop("申込み_窓口.csv", [self.row(applied_on=old), self.row(name="株式会社見本 www.example.co.jp/ 商店")],
                  at(datetime.date(2026, 6, 3), "11:20"))
        self.drop("取次ぎ.csv", [self.row(mail="daiko@example.co.jp") for _ in range(7)], at(datetime.date(2026, 6, 9), "10:05"))
        self.put(self.home / "spool/incoming/保留.csv", "申込番号,処理,理由\n2,保留,代表者名の表記を電話で確認中\n".encode(),
                 at(datetime.date(2026, 4, 28), "15:00"))
        self.put(self.home / "spool/incoming/申込書.pdf.csv", b"%PDF-1.4\n\x00\x01", at(datetime.date(2026, 6, 8), "16:40"))
        if self.hostile:
            self.drop("\"><script>alert(5)</script>.csv".replace("/", "\u2215"), [self.row(name=HOSTILE_NAME, prefecture="東京府")],
                      at(datetime.date(2026, 6, 9), "15:00"))
            self.drop("反転\u202etxt.exe.csv", [self.row(name=HOSTILE_NAME, applied_on=old), self.row(prefecture="東京府")],
                      at(datetime.date(2026, 6, 9), "15:10"))

    # ---- mails ----

    def arrive(self, moment, subject, body, sender, headers="", to=OFFICE):
        self.mail_count += 1
        word = "=?UTF-8?B?%s?=" % __import__("base64").b64encode(subject.encode()).decode()
        text = ("%sFrom: %s\r\nTo: %s\r\nSubject: %s\r\nDate: %s\r\nMessage-ID: <%d.lively@example.co.jp>\r\nMIME-Version: 1.0\r\n" %
                (headers, sender, to, word, moment.strftime("%a, %d %b %Y %H:%M:%S +0900"), self.mail_count))
        if "Content-Type" not in body:
            text += "Content-Type: text/plain; charset=UTF-8\r\n\r\n"
        self.put(self.home / "state/mailbox/new" / ("%d.lively" % self.mail_count),
                 (text + body.replace("\n", "\r\n")).encode(), moment)

    def bounce(self, moment, notice):
        back, to = re.sub("[<>]", "", notice["Return-Path"]), str(notice["To"])
        self.arrive(moment, "Undelivered Mail Returned to Sender", (
            "Auto-Submitted: auto-replied\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"dsn\"\n\n"
            "--dsn\nContent-Type: text/plain; charset=us-ascii\n\nThe mail could not be delivered.\n\n"
            "--dsn\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mail.example.ne.jp\n\n"
            "Final-Recipient: rfc822; %s\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 User unknown\n\n"
            "--dsn\nContent-Type: text/rfc822-headers\n\nMessage-ID: %s\n\n--dsn--\n") % (to, notice["Message-ID"]),
            "MAILER-DAEMON@mail.example.ne.jp", "Return-Path: <>\r\n", back)

    def declared(self):
        """Address and declaration ID of everybody who was told one."""
        found = {}
        for path in sorted((self.home / "state/maildir/new").iterdir()):
            notice = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            match = re.search(r"(?<!\d)4\d{10}(?!\d)", notice.get_body(("plain",)).get_content())
            if match:
                found[str(notice["To"])] = match.group()
        return sorted(found.items())

    def mails_of_day(self, day, declared):
        for _ in range(self.random.randint(0, 3)):
            mail, number = self.random.choice(declared)
            subject, body = "通知メールの再送について", "自己宣言ID %s のメールが見当たりません。再送をお願いいたします。\n" % number
            if mail not in self.unsubscribed and self.random.random() < 0.6:
                subject, body = "メールニュースについて", "メールニュースの配信停止をお願いします。\n"
                self.unsubscribed.add(mail)
            self.arrive(at(day, "%d:%02d" % (self.random.randint(9, 16), self.random.randint(0, 59))), subject, body, mail)

    def mails_for_review(self, declared):
        names = {mail: name for name, mail in self.contacts}
        (mail, number), (other_mail, other_number), (third, _) = declared[3], declared[11], declared[20]
        stop = "以下のとおり使用中止を申し込みます。\n\n事業者名: %s\n自己宣言ID: %s\n中止理由: 事業を終えるため\n"
        self.arrive(at(datetime.date(2026, 6, 4), "10:30"), "使用中止の申込み", stop % (names[mail], number), mail)
        self.arrive(at(datetime.date(2026, 6, 8), "09:12"), "使用中止について", stop % ("株式会社見本別名", other_number), other_mail)
        self.arrive(at(datetime.date(2026, 6, 8), "15:26"), "ロゴの使い方について",
                    "名刺にロゴを載せたいのですが、大きさの決まりはありますか。\n", third)
        self.arrive(at(datetime.date(2026, 6, 9), "13:40"), "心当たりのないメールが届きました",
                    "宣言を申し込んだ覚えがありません。心当たりがないので調べてください。\n", self.contacts[-12][1])
        self.arrive(at(datetime.date(2026, 6, 10), "09:05"),
                    HOSTILE_SUBJECT if self.hostile else "担当者変更のお願い",
                    "担当者とメールアドレスを変更したいのですが、どうすればよいですか。利用者番号は 9035489508 です。\n", "soumu@example.ne.jp")

    def bounces(self):
        found = sorted((self.home / "state/maildir/new").iterdir(), key=lambda path: path.name)
        notices = [email.message_from_bytes(p.read_bytes(), policy=email.policy.compat32) for p in self.random.sample(found, 7)]
        for i, notice in enumerate(notices):
            self.bounce(at(datetime.date(2026, 5, 26) + datetime.timedelta(days=2 * i), "11:%02d" % i), notice)

    def days(self, first, last):
        while first <= last:
            if first.weekday() < 5 and first not in HOLIDAYS:
                yield first
            first += datetime.timedelta(days=1)

    def run(self):
        middle = datetime.date(2026, 5, 12)
        for day in self.days(FIRST, LAST):
            self.drop_day(day)
        self.drop_special()
        self.simulate(str(FIRST), str(middle))
        declared = self.declared()
        for day in self.days(middle, LAST):
            self.mails_of_day(day, declared)
        self.simulate(str(middle), "2026-05-25 18:00")
        self.bounces()
        self.mails_for_review(self.declared())
        self.simulate("2026-05-25 18:00", END)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    Lively(sys.argv[1], sys.argv[2], "--hostile" in sys.argv[3:]).run()
