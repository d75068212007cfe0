"""What breaks between the mailbox and the register: the line in mid-fetch, the server, its UIDVALIDITY, the role itself (kill -9).

usage: mailbox_crash.py SENGEND SENGENCTL DIRECTORY IMAP_PORT KILLS SEED

Afterwards every mail must have been taken once, must lie once in the folder the register names, and none may have brought two requests.
"""
import collections
import hashlib
import imaplib
import json
import os
import random
import sqlite3
import ssl
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from proxy import Proxy

sengend, sengenctl, directory, imap_port, kills, seed = sys.argv[1:7]
TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
rng = random.Random(int(seed))
kills = int(kills)
conf = os.path.join(directory, "crash.conf")
dovecot = ["/usr/bin/doveadm", "-c", os.path.join(directory, "dovecot", "dovecot.conf")]
box = os.path.join(directory, "maildir", "crash")
FOLDERS = {"処理済み": ("&UeZ0Bm4IMH8-", 2), "要確認": ("&iYF4uoqN-", 3), "バウンス": ("&MNAwpjDzMLk-", 4)}
proxy = Proxy(int(imap_port))
role = None


def fail(text):
    print("FAILED:", text)
    if role:
        role.kill()
    with open(os.path.join(directory, "crash.log"), errors="replace") as log:
        print("".join(log.readlines()[-40:]))
    sys.exit(1)


def until(what, seconds, ask):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := ask():
            return answer
        time.sleep(0.1)
    fail(f"not within {seconds} s: {what}")


def connect():
    client = imaplib.IMAP4("localhost", int(imap_port))
    client.starttls(ssl.create_default_context(cafile=os.path.join(directory, "ca.pem")))
    client.login("crash", "geheim pass")
    return client


def digests(folder):
    """Digests of the mails in a folder, as the server hands them out."""
    reader = connect()
    found = []
    if reader.select(FOLDERS.get(folder, (folder,))[0], readonly=True)[0] == "OK":
        numbers = reader.search(None, "ALL")[1][0]
        for part in reader.fetch(numbers.replace(b" ", b",").decode(), "(BODY.PEEK[])")[1] if numbers else []:
            if isinstance(part, tuple):
                found.append(hashlib.sha256(part[1]).hexdigest()[:16])
    reader.logout()
    return found


def register(sql):
    with sqlite3.connect(f"file:{directory}/crash-state/register.db?mode=ro", uri=True) as db:
        return db.execute(sql).fetchall()


def questions():
    done = subprocess.run([sengenctl, "-c", conf, "status", "--json"], capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else ""


with open(conf, "w") as out:
    out.write(
        f"""
spool_directory = "crash-spool"; state_directory = "crash-state"; runtime_directory = "crash-run"; template_directory = "{TOP}/templates/mail";
profile_files = ( "{TOP}/config/profiles/form.conf" ); contact_mail = "security-action-info@sa.example.jp";
authserv_id = "mail.sa.example.jp"; fault_pause_seconds = 1; mailbox_poll_seconds = 1; disk_floor_mib = 1;
mailbox : {{ maildir = false; host = "localhost"; port = {proxy.port}; tls = "starttls"; ca_file = "ca.pem"; user = "crash";
  password_from = "password"; connect_seconds = 2; reply_seconds = 2; }};
"""
    )
os.makedirs(os.path.join(directory, "crash-spool", "incoming"), exist_ok=True)

# The samples, and an empty mail: what is in them does not matter here, but that they are of every kind. A server stores CRLF.
sent = []
for name in sorted(os.listdir(os.path.join(TOP, "tests", "samples", "mail"))):
    with open(os.path.join(TOP, "tests", "samples", "mail", name), "rb") as mail:
        text = mail.read().replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\0", b"").replace(b"\n", b"\r\n")
    if text:  # a server takes no empty mail
        sent.append(text)
sent = rng.sample([mail for mail in sent if len(mail) < 25000], 40) + [b"Subject: without a Message-ID\r\n\r\n"]
client = connect()
log = open(os.path.join(directory, "crash.log"), "wb")


def start():
    global role
    role = subprocess.Popen([sengend, "-c", conf, "mailbox"], stderr=log, stdout=log, stdin=subprocess.DEVNULL)


def arrive(mail):
    answer = client.append("INBOX", None, None, mail)
    if answer[0] != "OK":
        fail(f"the server did not take a mail: {answer}")


def reset_uidvalidity():
    """All that the server knows of UIDs is gone; it numbers the mails anew."""
    subprocess.run([*dovecot, "kick", "crash"], capture_output=True)
    for path, _, names in os.walk(box):
        for name in names:
            if name.startswith(("dovecot-uidlist", "dovecot.index", "dovecot-uidvalidity", "dovecot.list")):
                os.unlink(os.path.join(path, name))
    time.sleep(1.1)  # the new UIDVALIDITY is the time in seconds


waiting = list(sent)
rng.shuffle(waiting)
begun = time.monotonic()

# The line is cut in mid-fetch: the largest mails come over it.
waiting.sort(key=len)
for _ in range(12):
    arrive(waiting.pop())
rng.shuffle(waiting)
proxy.mode, proxy.cut_after = "cut", lambda: rng.randrange(6000, 40000)
start()
until("three cut connections", 30, lambda: proxy.cuts >= 3)

# And the role is killed, again and again, with and without cuts.
for number in range(kills):
    share = len(waiting) // max(1, kills * 3 // 4 - number) if number < kills * 3 // 4 else len(waiting)
    for _ in range(share):
        arrive(waiting.pop())
    proxy.mode = "cut" if number % 3 else "pass"
    time.sleep(rng.uniform(0.1, 0.6))
    role.kill()
    role.wait()
    if number == kills // 3:
        client.logout()
        subprocess.run([*dovecot, "stop"], check=True)
        start()
        time.sleep(0.3)
        subprocess.run(["/usr/sbin/dovecot", "-c", os.path.join(directory, "dovecot", "dovecot.conf")], check=True)
        time.sleep(0.3)
        role.kill()
        role.wait()
        client = connect()
    elif number in (kills // 2, kills * 2 // 3):
        client.logout()
        reset_uidvalidity()
        client = connect()
    start()
for mail in waiting:
    arrive(mail)
client.logout()
proxy.mode = "pass"
until("all mails filed", 60, lambda: register("SELECT count(*) FROM message WHERE state = 3")[0][0] >= len(sent) and not digests("INBOX"))

# The server was restored to an earlier day: what was filed lies in INBOX again, under other UIDs. It is known by its digest, and filed again.
role.kill()
role.wait()
reset_uidvalidity()
restored = 0
for path, _, names in os.walk(os.path.join(box, "." + FOLDERS["要確認"][0])):
    for name in names:
        if os.path.basename(path) in ("new", "cur"):
            os.rename(os.path.join(path, name), os.path.join(box, "cur", name))
            restored += 1
start()
until("the restored mails filed again", 60, lambda: restored and len(digests("要確認")) >= restored and not digests("INBOX"))

# One mail ends the connection each time it is fetched. Those behind it are read all the same, and people get it.
poison = b"Subject: poison\r\n\r\n" + b"x" * 70 + b"\r\n" * 100000
healthy = b"Subject: healthy\r\n\r\nhealthy\r\n"
proxy.cuts, proxy.mode, proxy.cut_after = 0, "cut", lambda: 60000
client = connect()
arrive(poison)
arrive(healthy)
client.logout()
role.kill()
role.wait()
start()
until("the mail behind one that can't be fetched", 60, lambda: register("SELECT count(*) FROM message WHERE state >= 2")[0][0] == len(sent) + 2)
if not 6 <= proxy.cuts <= 14:  # the child tries each time twice
    fail(f"{proxy.cuts} tries of a mail that can't be fetched")
proxy.mode = "pass"
until("both filed", 30, lambda: not digests("INBOX"))
unfetched = register("SELECT folder, length(raw) FROM message m JOIN message_payload p ON p.message_id = m.id WHERE size > 100000")
if [folder for folder, _ in unfetched] != [3]:
    fail(f"the mail that can't be fetched is {unfetched}")
left_out = hashlib.sha256(poison).hexdigest()[:16]
sent.append(healthy)

# The line stays open and says nothing: status tells, and takes it back when it speaks again.
proxy.mode = "deaf"
until("the fault of a silent line", 15, lambda: "mailbox_fault" in questions() or register("SELECT count(*) FROM fact WHERE name = 'mailbox.fault'")[0][0])
proxy.mode = "pass"
for end in proxy.held:
    end.close()
until("the end of the fault", 15, lambda: register("SELECT count(*) FROM fact WHERE name = 'mailbox.fault'")[0][0] == 0)
role.terminate()
if role.wait(timeout=30) != 0:
    fail(f"the role ended with {role.returncode}")

# Run once, the exit status tells of it.
proxy.mode = "deaf"
once = subprocess.run([sengend, "-c", conf, "--once"], stdout=log, stderr=log).returncode
if once != 5:
    fail(f"--once with a silent mailbox ended with {once}")

problems = []
want = collections.Counter(hashlib.sha256(mail).hexdigest()[:16] for mail in sent)
rows = [(digest.hex()[:16], state, folder) for digest, state, folder in register("SELECT digest, state, folder FROM message WHERE size < 100000")]
taken = collections.Counter(row[0] for row in rows)
if taken != want:
    problems.append(f"taken: lost {dict(want - taken)}, twice {dict(taken - want)}")
if [row for row in rows if row[1] != 3]:
    problems.append(f"not filed: {[row for row in rows if row[1] != 3]}")
for name, (_, number) in FOLDERS.items():
    there, noted = collections.Counter(d for d in digests(name) if d != left_out), collections.Counter(row[0] for row in rows if row[2] == number)
    if there != noted:
        problems.append(f"{name}: missing {dict(noted - there)}, too many {dict(there - noted)}")
twice = register("SELECT message_id, count(*) FROM request GROUP BY message_id HAVING count(*) > 1")
if twice:
    problems.append(f"two requests of one mail: {twice}")
audit = subprocess.run([sengenctl, "-c", conf, "audit"], capture_output=True, text=True)
if audit.returncode != 0:
    problems.append(f"audit: {audit.stdout}{audit.stderr}")
print(f"figure: mailbox: {len(rows)} mails through {kills} kills, {proxy.cuts} cut connections, a restart, three changes of UIDVALIDITY, {restored} mails restored, "
      f"{time.monotonic() - begun:.1f} s")
if problems:
    fail("\n".join(problems))
