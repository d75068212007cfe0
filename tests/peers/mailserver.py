"""Drives sengend against the Postfix and Dovecot that tests/scripts/mailserver.sh started.

usage: mailserver.py SENGEND SENGENCTL DIRECTORY SMTP_PORT IMAP_PORT
"""
import base64
import email
import email.policy
import imaplib
import json
import os
import ssl
import subprocess
import sys
import time

import dkim

sys.path.insert(0, os.path.dirname(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "scripts"))
import forms
import smime_peer

sengend, sengenctl, directory, smtp_port, imap_port = sys.argv[1:6]
TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
context = ssl.create_default_context(cafile=os.path.join(directory, "ca.pem"))


def fail(text):
    print("FAILED:", text)
    with open(os.path.join(directory, "postfix.log"), errors="replace") as log:
        print("".join(log.readlines()[-30:]))
    sys.exit(1)


def expect(got, wanted, what):
    if got != wanted:
        fail(f"{what}: expected {wanted!r}, got {got!r}")


def inbox(recipient=None):
    """The mails in the INBOX, fetched over IMAP with STARTTLS."""
    client = imaplib.IMAP4("localhost", int(imap_port))
    client.starttls(context)
    client.login("inbox", "inbox-pass")
    client.select("INBOX", readonly=True)
    _, data = client.search(None, "ALL")
    mails = []
    for number in data[0].split():
        _, parts = client.fetch(number, "(BODY.PEEK[])")
        mails.append(parts[0][1])
    client.logout()
    if recipient:
        mails = [m for m in mails if email.message_from_bytes(m)["To"] == recipient]
    return mails


def wait_for_mails(recipient, count):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        mails = inbox(recipient)
        if len(mails) >= count:
            return mails
        time.sleep(0.3)
    fail(f"{len(inbox(recipient))} mails for {recipient} instead of {count}")


class Office:
    """A configuration of its own, with its own spool and register."""

    def __init__(self, name, profile, password="password", host="localhost", **keys):
        self.directory = os.path.join(directory, name)
        self.incoming = os.path.join(self.directory, "spool", "incoming")
        os.makedirs(self.incoming)
        self.conf = os.path.join(self.directory, "sengend.conf")
        self.moment = "2026-03-02 14:00"
        extra = "".join(f"{key} = {value};\n" for key, value in keys.items())
        with open(self.conf, "w") as out:
            out.write(
                f"""
spool_directory = "spool"; state_directory = "state"; runtime_directory = "run"; template_directory = "{TOP}/templates/mail";
profile_files = ( "{TOP}/config/profiles/{profile}.conf" );
era = ( {{ from = "2000-01-01"; profile = "{profile}"; }} );
contact_mail = "security-action-info@sa.example.jp"; site_url = "https://www.ipa.go.jp/security/security-action/";
settle_seconds = 0; retry_first_seconds = 1; fault_pause_seconds = 1; unknown_pause_seconds = 1;
transport : {{ maildir = false; host = "{host}"; port = {smtp_port}; tls = "starttls"; ca_file = "{directory}/ca.pem";
  auth = "plain"; user = "office"; password_from = "{directory}/{password}"; reply_seconds = 20; dot_seconds = 20; connect_seconds = 5; }};
dkim = ( {{ domain = "sa.example.jp"; selector = "rsa"; key_from = "{directory}/rsa.pem"; }},
         {{ domain = "sa.example.jp"; selector = "ed"; key_from = "{directory}/ed25519.pem"; }} );
logo = ( {{ star = 1; from = "2020-01-01"; url = "https://www.ipa.go.jp/logo1.zip"; password_from = "{directory}/logo1"; }} );
{extra}"""
            )

    def drop(self, name, content, at=None):
        forms.drop(self.incoming, name, content)
        if at:
            subprocess.run(["touch", "-d", at + " +0900", os.path.join(self.incoming, name)], check=True)

    def simulate(self, until):
        done = subprocess.run(
            [sengend, "-c", self.conf, "--simulate-until", until, "--from", self.moment], capture_output=True, text=True
        )
        if done.returncode != 0:
            fail(f"simulation: {done.stdout}{done.stderr}")
        self.moment = until

    def once(self):
        return subprocess.run([sengend, "-c", self.conf, "--once"], capture_output=True, text=True)

    def status(self):
        done = subprocess.run([sengenctl, "-c", self.conf, "status", "--json"], capture_output=True, text=True)
        return json.loads(done.stdout.splitlines()[0])

    def notices(self, application=1):
        done = subprocess.run([sengenctl, "-c", self.conf, "show", str(application), "--json"], capture_output=True, text=True)
        return json.loads(done.stdout.splitlines()[0])["notices"]


def record(key):
    """The DNS text of a selector."""
    kind = "rsa" if key == "rsa" else "ed25519"
    done = subprocess.run(
        ["openssl", "pkey", "-in", os.path.join(directory, f"{kind}.pem"), "-pubout", "-outform", "DER"], capture_output=True, check=True
    )
    public = done.stdout if kind == "rsa" else done.stdout[-32:]
    return f"v=DKIM1; k={kind}; p={base64.b64encode(public).decode()}".encode()


def dns(name, timeout=5):
    return {b"rsa._domainkey.sa.example.jp.": record("rsa"), b"ed._domainkey.sa.example.jp.": record("ed")}.get(name)


def check_signatures(raw):
    verifier = dkim.DKIM(raw)
    expect(raw.count(b"\nDKIM-Signature:") + raw.startswith(b"DKIM-Signature:"), 2, "signatures")
    for number in (0, 1):
        if not verifier.verify(idx=number, dnsfunc=dns):
            fail(f"DKIM signature {number} does not verify")


SUBJECTS = {
    "form": ["自己宣言お申込み受付のお知らせ", "自己宣言IDのお知らせ", "ロゴマーク使用許諾のお知らせ"],
    "site": [None, "一つ星：自己宣言完了のお知らせ", "申込受理のご連絡"],
    "instant": [None, "自己宣言IDのお知らせ", "ロゴマーク使用許諾のお知らせ"],
}


def three_notices(profile):
    office = Office(profile, profile)
    number = {"form": 101, "site": 102, "instant": 103}[profile]
    row = forms.application(number, applied_on="2026/3/2", **{"GビズID": "プライム"})
    office.drop("a.csv", forms.as_csv([row], header=forms.HEADER + ["GビズID"]), at="2026-03-02 14:05")
    if profile == "site":
        office.drop("b.csv", "申込番号,処理,理由\r\n1,確認済み,電話で確認\r\n".encode("cp932"), at="2026-03-03 10:00")
    office.simulate("2026-03-25 18:00")
    recipient = f"tanto@c{number}.example.jp"
    mails = wait_for_mails(recipient, 3)
    expect(len(mails), 3, f"mails of profile {profile}")
    for raw, subject in zip(mails, SUBJECTS[profile]):
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        if subject:
            expect(mail["Subject"], "【SECURITY ACTION】" + subject, "subject")
        if not mail["Subject"].startswith("【SECURITY ACTION】"):
            fail(f"subject {mail['Subject']}")
        body = mail.get_content()
        if f"株式会社サンプル{number}" not in body or "SECURITY ACTION事務局" not in body:
            fail(f"body of {mail['Subject']}: {body}")
        expect(mail["Auto-Submitted"], "auto-generated", "Auto-Submitted")
        if any(byte > 126 for byte in raw) or max(len(line) for line in raw.split(b"\n")) > 200:
            fail("8-bit or long lines on the wire")
        check_signatures(raw)
    last = email.message_from_bytes(mails[2], policy=email.policy.default).get_content()
    if "zip-password-1" not in last or "https://www.ipa.go.jp/logo1.zip" not in last:
        fail(f"the logo notice of {profile} lacks the way to the logo")
    return len(mails)


def signed_notices(name, number, charset):
    """S/MIME and DKIM both survive the trip: submission, queue, delivery, IMAP."""
    smime = f'{{ certificate = "{directory}/smime.pem"; chain = "{directory}/smime-chain.pem"; key_from = "{directory}/smime.key"; }}'
    office = Office(name, "instant", charset=f'"{charset}"', smime=smime)
    row = forms.application(number, applied_on=time.strftime("%Y/%m/%d"), **{"GビズID": "プライム"})
    office.drop("a.csv", forms.as_csv([row], header=forms.HEADER + ["GビズID"]))
    for _ in range(3):
        office.once()
    mails = wait_for_mails(f"tanto@c{number}.example.jp", 3)
    expect(len(mails), 3, "signed mails")
    for raw in mails:
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        expect(mail.get_content_type(), "multipart/signed", "type")
        expect(next(mail.iter_parts()).get_content_charset(), charset, "charset")
        if not smime_peer.valid(raw, os.path.join(directory, "smime-root.pem"), int(mail["Date"].datetime.timestamp())):
            fail(f"the S/MIME signature of {mail['Subject']} does not verify")
        check_signatures(raw)
    return len(mails)


def access(lines):
    with open(os.path.join(directory, "access"), "w") as out:
        out.write("".join(line + "\n" for line in lines))
    postfix("reload")
    time.sleep(0.5)


def postfix(*arguments):
    subprocess.run(["/usr/sbin/postfix", "-c", os.path.join(directory, "postfix"), *arguments], capture_output=True, check=True)


def set_certificate(name):
    subprocess.run(
        ["/usr/sbin/postconf", "-c", os.path.join(directory, "postfix"), "-e", f"smtpd_tls_cert_file={directory}/{name}.pem",
         f"smtpd_tls_key_file={directory}/{name}.key"], check=True
    )
    postfix("reload")
    time.sleep(0.5)


def one_application(name, number, **keys):
    office = Office(name, "form", **keys)
    office.drop("a.csv", forms.as_csv([forms.application(number)]))
    return office, f"tanto@c{number}.example.jp"


def until_state(office, state, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        office.once()
        if office.notices()[0]["state"] == state:
            return office.notices()[0]
        time.sleep(0.5)
    fail(f"the notice is {office.notices()[0]} instead of {state}; {office.status()}")


def greylisting():
    office, recipient = one_application("grey", 201)
    access([f"{recipient} 451 4.7.1 Greylisted, try again"])
    office.once()
    notice = office.notices()[0]
    expect((notice["state"], notice["reply_code"]), ("queued", 451), "greylisted")
    access([])
    notice = until_state(office, "sent")
    expect(len(wait_for_mails(recipient, 1)), 1, "mails after greylisting")


def refused_recipient():
    office, recipient = one_application("gone", 202)
    access([f"{recipient} 550 5.1.1 User unknown"])
    office.once()
    notice = office.notices()[0]
    expect((notice["state"], notice["reply_code"]), ("failed", 550), "refused")
    expect(office.status()["review"], 1, "applications in review")
    access([])


def closing_server():
    office, recipient = one_application("closing", 203)
    access([f"{recipient} 421 4.3.2 Closing down"])
    office.once()
    notice = office.notices()[0]
    expect(notice["state"], "queued", "after 421")
    access([])
    until_state(office, "sent")
    expect(len(wait_for_mails(recipient, 1)), 1, "mails after 421")


def fault_of_ours(name, number, mend, **keys):
    """Trouble on our side: the sender stops, says so, and no attempt counts against the recipient."""
    office, recipient = one_application(name, number, **keys)
    office.once()
    notice = office.notices()[0]
    expect((notice["state"], notice["attempts"]), ("queued", 0), name)
    if not office.status()["questions"]:
        fail(f"{name}: status says nothing of the trouble: {office.status()}")
    expect(len(inbox(recipient)), 0, f"mails while {name}")
    mend()
    until_state(office, "sent")
    expect(len(wait_for_mails(recipient, 1)), 1, f"mails after {name}")


def write_secret(name, text):
    path = os.path.join(directory, name)
    with open(path, "w") as out:
        out.write(text + "\n")
    os.chmod(path, 0o600)


arrived = {profile: three_notices(profile) for profile in ("form", "site", "instant")}
print(f"figure: real Postfix and Dovecot: notices arrived, DKIM valid twice each: {arrived}")
signed = {charset: signed_notices("signed-" + charset, number, charset) for charset, number in (("utf-8", 301), ("iso-2022-jp", 302))}
print(f"figure: and signed with S/MIME, valid for OpenSSL and GnuPG, DKIM valid twice: {signed}")
greylisting()
refused_recipient()
closing_server()
write_secret("wrong", "not the password")
fault_of_ours("wrong-password", 204, lambda: write_secret("wrong", "geheim pass"), password="wrong")
set_certificate("old")
fault_of_ours("expired-certificate", 205, lambda: set_certificate("good"))
set_certificate("other")
fault_of_ours("wrong-host-name", 206, lambda: set_certificate("good"))
