"""usage: trap_12.py SENGEND DIRECTORY IMAP_PORT: what trap_12_reading_twice_or_never.sh says, with the boxes of tests/scripts/mailserver."""
import hashlib
import imaplib
import os
import sqlite3
import ssl
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from proxy import Proxy

sengend, directory, imap_port = sys.argv[1:4]
TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
conf, state = os.path.join(directory, "trap.conf"), os.path.join(directory, "trap-state")
dovecot = ["/usr/bin/doveadm", "-c", os.path.join(directory, "dovecot", "dovecot.conf")]
box = os.path.join(directory, "maildir", "crash")
proxy = Proxy(int(imap_port))
sent = []


def fail(text):
    print("FAILED:", text)
    sys.exit(1)


with open(conf, "w") as out:
    out.write(f"""
spool_directory = "trap-spool"; state_directory = "trap-state"; runtime_directory = "trap-run"; template_directory = "{TOP}/templates/mail";
profile_files = ( "{TOP}/config/profiles/form.conf" ); contact_mail = "security-action-info@sa.example.jp";
fault_pause_seconds = 1; mailbox_poll_seconds = 1; disk_floor_mib = 1;
mailbox : {{ maildir = false; host = "localhost"; port = {proxy.port}; tls = "starttls"; ca_file = "ca.pem"; user = "crash";
  password_from = "password"; connect_seconds = 2; reply_seconds = 2; }};
""")
os.makedirs(os.path.join(directory, "trap-spool", "incoming"), exist_ok=True)


def arrive(count, size=100, flags=None, message_id=True):
    client = imaplib.IMAP4("localhost", int(imap_port))
    client.starttls(ssl.create_default_context(cafile=os.path.join(directory, "ca.pem")))
    client.login("crash", "geheim pass")
    for _ in range(count):
        n = len(sent)
        mail = f"From: a{n}@example.co.jp\r\nSubject: mail {n}\r\n" + (f"Message-ID: <{n}@example.co.jp>\r\n" if message_id else "") + "\r\n" + f"text {n}\r\n" * (size // 8)
        sent.append(mail.encode())
        if client.append("INBOX", flags, None, mail.encode())[0] != "OK":
            fail("the server took no mail")
    client.logout()


def once():
    return subprocess.run([sengend, "-c", conf, "--once"], capture_output=True, text=True)


def until_all_are_taken(what):
    deadline = time.monotonic() + 60
    while True:
        done = once()
        with sqlite3.connect(f"file:{state}/register.db?mode=ro", uri=True) as db:
            rows = [row[0].hex() if isinstance(row[0], bytes) else row[0] for row in db.execute("SELECT digest FROM message")]
            open_ = db.execute("SELECT count(*) FROM message WHERE state <> 3").fetchone()[0]
        wanted = {hashlib.sha256(mail).hexdigest() for mail in sent}
        if set(rows) == wanted and open_ == 0:
            break
        if time.monotonic() > deadline:
            fail(f"{what}: {len(set(rows) & wanted)} of {len(wanted)} mails, {open_} not filed\n{done.stderr[-2000:]}")
        time.sleep(0.3)
    if len(rows) != len(wanted):
        fail(f"{what}: {len(rows)} readings of {len(wanted)} mails")


arrive(5)
until_all_are_taken("the first five")

# The line is dropped in mid-fetch, at another place each time.
arrive(12, size=30000)
cut = iter([3000, 9000, 15000, 22000, 31000, 44000])
proxy.mode, proxy.cut_after = "cut", lambda: next(cut, 1 << 40)
for _ in range(6):
    once()
    time.sleep(1.1)
if proxy.cuts < 3:
    fail(f"only {proxy.cuts} connections were cut")
proxy.mode = "pass"
until_all_are_taken("dropped in mid-fetch")

# Read by somebody, answered, without a Message-ID: a flag is no mark.
arrive(3, flags="\\Seen")
arrive(3, flags="(\\Seen \\Answered)", message_id=False)
until_all_are_taken("seen, or without a Message-ID")

# The server numbers everything anew, with new mails waiting among those it had.
arrive(4)
subprocess.run([*dovecot, "kick", "crash"], capture_output=True)
for path, _, names in os.walk(box):
    for name in names:
        if name.startswith(("dovecot-uidlist", "dovecot.index", "dovecot-uidvalidity", "dovecot.list")):
            os.unlink(os.path.join(path, name))
time.sleep(1.1)
arrive(3)
until_all_are_taken("UIDVALIDITY begun anew")

# Three days in which nobody can be reached, and mail comes all the same.
subprocess.run([*dovecot, "stop"], capture_output=True)
inbox = os.path.join(box, "new")
for day in range(3):
    for n in range(5):
        mail = f"From: d{day}{n}@example.co.jp\r\nSubject: day {day} mail {n}\r\n\r\ntext\r\n".encode()
        name = os.path.join(inbox, f"{int(time.time()) - (3 - day) * 86400}.{day}{n}.offline")
        with open(name, "wb") as out:
            out.write(mail)
        stat = os.stat(box)
        os.chown(name, stat.st_uid, stat.st_gid)
        os.utime(name, (time.time() - (3 - day) * 86400,) * 2)
        sent.append(mail)
    once()
subprocess.run(["/usr/sbin/dovecot", "-c", os.path.join(directory, "dovecot", "dovecot.conf")], check=True)
until_all_are_taken("three days offline")
print(f"figure: T12: {len(sent)} mails, {proxy.cuts} lines dropped in mid-fetch, UIDVALIDITY begun anew, three days offline: each taken once")
