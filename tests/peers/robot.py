"""A robot that answers every mail it gets (T9, T10), against `sengend --once` with Maildirs on both sides.

usage: robot.py SENGEND CONF STATE ADDRESS HABIT OPENING

HABIT is how it answers (below), OPENING the mail it begins with: stop, resend or enquiry. It ends when three runs in a row bring no mail, and prints
how many mails the office sent it. After 20 answers it gives up: a loop.
"""
import email
import email.policy
import os
import subprocess
import sys
import textwrap

sengend, conf, state, address, habit, opening = sys.argv[1:7]
OFFICE = "security-action-info@sa.example.jp"
ANSWERS_MAX = 20
outbox, inbox = os.path.join(state, "maildir", "new"), os.path.join(state, "mailbox", "new")
serial = 0


def known():
    """The ID, from the notice that told it."""
    for name in os.listdir(outbox):
        with open(os.path.join(outbox, name), "rb") as file:
            body = email.message_from_binary_file(file, policy=email.policy.default).get_body().get_content()
        for line in body.splitlines():
            if line.startswith("自己宣言ID："):
                return line.partition("：")[2].strip()
    sys.exit("no ID was issued")


def request():
    if opening == "resend":
        return "再送のお願い", f"自己宣言IDのお知らせのメールを紛失しました。再送をお願いします。\n\n自己宣言ID：{declaration_id}\n"
    if opening == "enquiry":
        return "自己宣言IDの照会", f"自己宣言IDを忘れてしまいました。ご教示ください。\n\n事業者名：株式会社サンプル1\n法人番号：8000000000001\n都道府県：東京都\n"
    return "ロゴマーク使用中止のお願い", textwrap.dedent(f"""\
        下記のとおりロゴマークの使用を中止します。

        自己宣言ID：{declaration_id}
        事業者名：株式会社サンプル1
        代表者：見本 太郎
        担当者：見本 花子
        中止理由：廃業のため
        """)


def deliver(mail):
    for part in ("tmp", "new", "cur"):
        os.makedirs(os.path.join(state, "mailbox", part), exist_ok=True)
    name = f"{1000 + serial}.robot.{os.getpid()}"
    with open(os.path.join(state, "mailbox", "tmp", name), "wb") as file:
        file.write(mail)
    os.rename(os.path.join(state, "mailbox", "tmp", name), os.path.join(inbox, name))


def post(subject, text, to=OFFICE, **fields):
    """Into the office's mailbox, as its mail server would deliver it."""
    global serial
    serial += 1
    mail = email.message.EmailMessage()
    mail["Return-Path"] = fields.pop("return_path", f"<{address}>")
    mail["Delivered-To"] = to
    mail["From"] = address
    mail["To"] = to
    mail["Subject"] = subject
    mail["Message-ID"] = f"<{serial}@robot.example.co.jp>"
    mail["Date"] = "Mon, 01 Jun 2026 10:00:00 +0900"
    for name, value in fields.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text, cte="base64")
    deliver(mail.as_bytes(policy=email.policy.SMTP))


def give_back(mail):
    """A delivery report (RFC 3464) to the envelope sender."""
    global serial
    serial += 1
    deliver(textwrap.dedent(f"""\
        Return-Path: <>
        Delivered-To: {email.utils.parseaddr(mail["Return-Path"])[1]}
        From: MAILER-DAEMON@mx.example.co.jp (Mail Delivery System)
        To: {email.utils.parseaddr(mail["Return-Path"])[1]}
        Subject: Undelivered Mail Returned to Sender
        Message-ID: <{serial}@mx.example.co.jp>
        MIME-Version: 1.0
        Content-Type: multipart/report; report-type=delivery-status; boundary="b"

        --b
        Content-Type: text/plain

        <{address}>: host mx.example.co.jp said: 550 5.1.1 User unknown
        --b
        Content-Type: message/delivery-status

        Reporting-MTA: dns; mx.example.co.jp

        Final-Recipient: rfc822; {address}
        Action: failed
        Status: 5.1.1
        Diagnostic-Code: smtp; 550 5.1.1 User unknown
        --b
        Content-Type: text/rfc822-headers

        Message-ID: {mail["Message-ID"]}
        To: {address}
        --b--
        """).replace("\n", "\r\n").encode())


def answer(mail):
    if habit == "returns":
        give_back(mail)
        return
    quoted = "".join(f"> {line}\n" for line in mail.get_body().get_content().splitlines())
    subject = "Re: " + mail["Subject"]
    fields = {"In_Reply_To": mail["Message-ID"], "References": mail["Message-ID"]}
    to = email.utils.parseaddr(mail["Reply-To"])[1]
    if habit == "asks-again":
        post(*request())
    elif habit == "says-so":
        post(subject, "自動的に返信しています。\n\n" + quoted, to, Auto_Submitted="auto-replied", **fields)
    elif habit == "null-sender":
        post(subject, "受け取りました。\n\n" + quoted, email.utils.parseaddr(mail["Return-Path"])[1], return_path="<>", **fields)
    elif habit == "reply-to-office":
        post(subject, "受け取りました。\n\n" + quoted, to, Reply_To=OFFICE, **fields)
    elif habit == "acknowledges":
        post(subject, "お問い合わせを受け付けました。担当者より3営業日以内にご連絡いたします。\n\n" + quoted, to, **fields)
    else:
        post(subject, "ご連絡ありがとうございます。\n\n" + (quoted if habit == "quotes" else ""), to, **fields)


def run():
    done = subprocess.run([sengend, "-c", conf, "--once"], stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"sengend --once: {done.returncode}\n{done.stderr}")


declaration_id = known()
seen = set(os.listdir(outbox))
post(*request())
answers = mails = quiet = 0
while quiet < 3:
    run()
    new = sorted(set(os.listdir(outbox)) - seen)
    seen.update(new)
    quiet = 0 if new else quiet + 1
    for name in new:
        with open(os.path.join(outbox, name), "rb") as file:
            mail = email.message_from_binary_file(file, policy=email.policy.default)
        mails += 1
        if mail["Delivered-To"] == address:
            answers += 1
            answer(mail)
    if answers > ANSWERS_MAX:
        sys.exit(f"{habit}, {opening}: it does not end")
print(mails)
