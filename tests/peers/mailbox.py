"""Drives sengend against the Postfix and Dovecot that tests/scripts/mailbox.sh started: requests arrive by SMTP, are carried out and answered.

usage: mailbox.py SENGEND SENGENCTL DIRECTORY SMTP_PORT IMAP_PORT
"""
import email
import email.policy
import imaplib
import json
import os
import smtplib
import ssl
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage

sys.path.insert(0, os.path.dirname(__file__))
import b3
import forms
import replies

sengend, sengenctl, directory, smtp_port, imap_port = sys.argv[1:6]
TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
OFFICE = "security-action-info@sa.example.jp"
UNKNOWN = "tanto@unknown.example.jp"
STRANGER = "stranger@elsewhere.example.com"
context = ssl.create_default_context(cafile=os.path.join(directory, "ca.pem"))
conf = os.path.join(directory, "sengend.conf")


def fail(text):
    print("FAILED:", text)
    for name in ("log", "postfix.log"):
        with open(os.path.join(directory, name), errors="replace") as log:
            print("".join(log.readlines()[-40:]))
    sys.exit(1)


def expect(got, wanted, what):
    if got != wanted:
        fail(f"{what}: expected {wanted!r}, got {got!r}")


def until(what, seconds, ask):
    """Asks until the answer is true, and gives it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := ask():
            return answer
        time.sleep(0.1)
    fail(f"not within {seconds} s: {what}")


def ctl(*arguments):
    return subprocess.run([sengenctl, "-c", conf, *arguments], capture_output=True, text=True)


def ctl_json(*arguments):
    return [json.loads(line) for line in ctl("--json", *arguments).stdout.splitlines()]


def show(number):
    return ctl_json("show", str(number))[0]


def notices(number, template):
    return [n for n in show(number)["notices"] if n["template"] == template]


def mailbox(user, password):
    client = imaplib.IMAP4("localhost", int(imap_port))
    client.starttls(context)
    client.login(user, password)
    return client


applicants = mailbox("inbox", "inbox-pass")


def received(recipient, subject=""):
    """Mails that an applicant has got, as bytes."""
    applicants.select("INBOX", readonly=True)
    _, data = applicants.search(None, "ALL")
    found = []
    if data[0]:
        _, fetched = applicants.fetch(data[0].replace(b" ", b",").decode(), "(BODY.PEEK[])")
        for part in fetched:
            if isinstance(part, tuple):
                mail = email.message_from_bytes(part[1], policy=email.policy.default)
                if mail["To"] and recipient in mail["To"] and subject in mail["Subject"]:
                    found.append(part[1])
    return found


def folder(name):
    """Message-IDs in a folder of the office's mailbox, as its server tells them."""
    done = subprocess.run(
        ["/usr/bin/doveadm", "-c", os.path.join(directory, "dovecot", "dovecot.conf"), "fetch", "-u", "office", "hdr.message-id", "mailbox", name],
        capture_output=True, text=True,
    )
    return [line.split(":", 1)[1].strip() for line in done.stdout.splitlines() if line.startswith("hdr.message-id:")]


def send(raw, sender, to=OFFICE):
    with smtplib.SMTP("localhost", int(smtp_port)) as client:
        client.starttls(context=context)
        client.login("office", "geheim pass")
        client.sendmail(sender, [to], raw)


def write(sender, subject, text, attachment=None):
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = f"見本 太郎 <{sender}>", OFFICE, subject
    mail["Message-ID"] = f"<{time.monotonic_ns()}@{sender.split('@')[1]}>"
    mail.set_content(text)
    if attachment:
        with open(attachment, "rb") as file:
            mail.add_attachment(file.read(), maintype="application", filename="使用中止申込書.docx",
                                subtype="vnd.openxmlformats-officedocument.wordprocessingml.document")
    send(mail.as_bytes(policy=email.policy.SMTP), sender)
    return mail["Message-ID"]


def access(lines):
    with open(os.path.join(directory, "access"), "w") as out:
        out.write("".join(line + "\n" for line in lines))
    subprocess.run(["/usr/sbin/postfix", "-c", os.path.join(directory, "postfix"), "reload"], capture_output=True, check=True)
    time.sleep(0.5)


def address(number):
    return f"tanto@c{number}.example.jp"


def values(number):
    """What an applicant writes into the form."""
    return [str(show(number)["declaration_id"]), f"株式会社サンプル{number}", "見本一郎", "見本 太郎", address(number)]


def typed_form(number):
    return "下記のとおり、使用中止を申し込みます。\n\n（様式B-3）SECURITY ACTIONロゴマーク使用中止申込書\n\n" + "".join(
        f"{label}：{value}\n" for label, value in b3.rows_of(*values(number)))


# ---- six declarations: 1 to 4 will be stopped, 5 asks (a stranger does), 6 has an address that does not exist ----
rows = [forms.application(n, **{"GビズID": "プライム"}) for n in range(1, 7)]
rows[5]["担当者メールアドレス"] = rows[5]["担当者メールアドレス（確認）"] = UNKNOWN
forms.drop(os.path.join(directory, "spool", "incoming"), "a.csv", forms.as_csv(rows, header=forms.HEADER + ["GビズID"]))
until("six IDs", 20, lambda: len([a for a in ctl_json("list") if a["state"] == "id_issued"]) == 6)
until("their notices", 20, lambda: all(notices(n, "id") and notices(n, "id")[0]["state"] == "sent" for n in range(1, 7)))
docx = os.path.join(directory, "使用中止申込書.docx")
making = ThreadPoolExecutor().submit(b3.make, docx, *values(1))

# The logo notice of 1 is queued and can't leave.
access([f"{address(1)} 451 4.7.1 Greylisted, try again"])
expect(ctl("approve", "1", "--reason", "確認済み").returncode, 0, "approve")
until("a queued logo notice", 10, lambda: notices(1, "logo") and notices(1, "logo")[0]["reply_code"] == 451)
access([])
making.result()

# ---- what arrives ----
asked = {1: write(address(1), "ロゴマーク使用中止申込書の送付", "使用中止申込書をお送りします。よろしくお願いいたします。", docx)}
for number in (2, 3, 4):
    asked[number] = write(address(number), "ロゴマークの使用中止について", typed_form(number))
before = len(received(address(5)))
resend = write(STRANGER, "自己宣言IDのお知らせの再送のお願い",
               f"自己宣言IDのお知らせメールを再送してください。\n自己宣言ID：{values(5)[0]}\n事業者名：{values(5)[1]}\n")

# ---- the registered addresses are asked, and answer each in the way of its mail program ----
for number, shape in zip((1, 2, 3, 4), replies.SHAPES):
    token_mail = until(f"the confirmation mail to {number}", 20, lambda: received(address(number), "使用中止のご確認"))[0]
    if show(number)["state"] == "stopped":
        fail(f"{number} was stopped before its confirmation")
    send(replies.SHAPES[shape](token_mail, "承知しました。よろしくお願いいたします。", address(number)), address(number))
for number, shape in zip((1, 2, 3, 4), replies.SHAPES):
    until(f"the stop of {number} ({shape})", 20, lambda: show(number)["state"] == "stopped")
expect([n["state"] for n in notices(1, "logo")], ["cancelled"], "the queued logo notice")
for number in (1, 2, 3, 4):
    until(f"the result for {number}", 20, lambda: len(received(address(number))) >= 4)
    expect(len(received(address(number))), 4, f"mails to {number}: receipt, ID, confirmation, result")
until("the requests in 処理済み", 10, lambda: set(asked.values()) <= set(folder("処理済み")))

# ---- the stranger ----
again = until("the resend", 20, lambda: [m for m in received(address(5)) if b"message/rfc822" in m])
expect(len(received(address(5))), before + 1, "mails to the registered address")
expect(received(STRANGER), [], "mails to the stranger")
until("the resend request in 処理済み", 10, lambda: resend in folder("処理済み"))

# ---- what Postfix could not deliver comes back, and is told ----
until("the bounce in the time line", 20, lambda: "nobody can be reached at that address" in (text := ctl("why", "6").stdout) and text)
if not folder("バウンス"):
    fail("no bounce lies in バウンス")
expect(folder("INBOX"), [], "INBOX")
expect(folder("要確認"), [], "要確認")
copies = until("copies of all notices", 10, lambda: len(folder("送信済み")) >= 4 * 4 + 3 + 2 and folder("送信済み"))
expect(len(copies), len(set(copies)), "copies")
expect(ctl("audit").returncode, 0, "audit")
print(f"figure: real Postfix and Dovecot: 4 of {len(replies.SHAPES)} reply shapes recognised, {len(folder('処理済み'))} mails done, "
      f"{len(folder('バウンス'))} bounces, {len(copies)} copies")
