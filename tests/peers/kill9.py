"""kill -9 of roles at random moments, while 500 applications go from the spool to the third notice.

usage: kill9.py SENGEND SENGENCTL DIRECTORY KILLS SEED [smtp]

Afterwards every application must be registered once, every notice must be delivered (exactly once into a Maildir; over SMTP at
least once, extra copies only with the same Message-ID and no more than mails were in flight at the kills), the books must balance
and the audit chain be whole. A notice whose fate was unknown twice waits for staff, and its application with it: that is the promise.
"""
import collections
import email
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(__file__))
import forms

sengend, sengenctl, directory, kills, seed = sys.argv[1:6]
over_smtp = sys.argv[6:] == ["smtp"]
kills = int(kills)
rng = random.Random(int(seed))
APPLICATIONS, PER_FILE, NOTICES = 500, 10, 3
ROLES = ["intake", "scheduler", "sender"]


class Sink(threading.Thread):
    """A plain SMTP server that remembers the Message-ID of each mail it took."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = self.listener.getsockname()[1]
        self.taken = []

    def run(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection):
        stream = connection.makefile("rwb")

        def say(line):
            stream.write(line + b"\r\n")
            stream.flush()

        try:
            say(b"220 sink ESMTP")
            while True:
                line = stream.readline()
                if not line:
                    return
                verb = line[:4].upper()
                if verb == b"DATA":
                    say(b"354 go on")
                    lines = []
                    while True:
                        line = stream.readline()
                        if not line:
                            return
                        if line == b".\r\n":
                            break
                        lines.append(line)
                    self.taken.append(email.message_from_bytes(b"".join(lines))["Message-ID"])
                    say(b"250 taken")
                elif verb == b"QUIT":
                    say(b"221 bye")
                    return
                else:
                    say(b"250 ok")
        except OSError:
            pass
        finally:
            connection.close()


conf = os.path.join(directory, "sengend.conf")
incoming = os.path.join(directory, "spool", "incoming")
os.makedirs(incoming, exist_ok=True)
sink = Sink()
sink.start()
transport = f'maildir = false; host = "127.0.0.1"; port = {sink.port}; tls = "none";' if over_smtp else "maildir = true;"
with open(os.path.join(directory, "password"), "w") as out:
    out.write("zip-pass-1\n")
os.chmod(os.path.join(directory, "password"), 0o600)
top = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
with open(conf, "w") as out:
    out.write(
        f"""
spool_directory = "spool"; state_directory = "state"; runtime_directory = "run"; template_directory = "{top}/templates/mail";
profile_files = ( "{top}/config/profiles/instant.conf" );
era = ( {{ from = "2000-01-01"; profile = "instant"; }} );
settle_seconds = 0; rescan_seconds = 1; unknown_pause_seconds = 2; retry_first_seconds = 1; fault_pause_seconds = 1;
rate_per_minute = 0; rate_per_domain = 0; connections = 4; ceiling_minimum = 100000;
transport : {{ {transport} }};
logo = ( {{ star = 1; from = "2020-01-01"; url = "https://www.ipa.go.jp/logo1.zip"; password_from = "password"; }},
         {{ star = 2; from = "2020-01-01"; url = "https://www.ipa.go.jp/logo2.zip"; password_from = "password"; }} );
"""
    )

log = open(os.path.join(directory, "log"), "wb")
running = {}


def start(role):
    running[role] = subprocess.Popen([sengend, "-c", conf, role], stderr=log, stdout=log, stdin=subprocess.DEVNULL)


def status():
    done = subprocess.run([sengenctl, "-c", conf, "status", "--json"], capture_output=True, text=True)
    if done.returncode != 0:
        return {}
    return json.loads(done.stdout.splitlines()[0])


def finished(counts):
    """Every application is at its end or with staff, and nothing is on its way."""
    if not counts:
        return False
    outbox = counts["outbox"]
    return (
        counts["applications"] == APPLICATIONS
        and counts["next_due_at"] is None
        and outbox["queued"] == outbox["sending"] == 0
        and outbox["unknown"] == counts["review"]
    )


for role in ROLES:
    start(role)

rows = [forms.application(n, **{"GビズID": "プライム"}) for n in range(1, APPLICATIONS + 1)]
files = [rows[i : i + PER_FILE] for i in range(0, APPLICATIONS, PER_FILE)]
killed = collections.Counter()
begun = time.monotonic()
while sum(killed.values()) < kills:
    time.sleep(rng.uniform(0, 0.06))
    done = sum(killed.values())
    while files and (50 - len(files)) * kills <= done * 45:
        chunk = files.pop()
        forms.drop(incoming, f"file{len(files)}.csv", forms.as_csv(chunk, header=forms.HEADER + ["GビズID"]))
    role = rng.choice(ROLES)
    running[role].kill()
    running[role].wait()
    killed[role] += 1
    start(role)
while files:
    chunk = files.pop()
    forms.drop(incoming, f"file{len(files)}.csv", forms.as_csv(chunk, header=forms.HEADER + ["GビズID"]))

deadline = time.monotonic() + 120
while time.monotonic() < deadline and not finished(status()):
    time.sleep(0.5)
for role in ROLES:
    running[role].terminate()
for role in ROLES:
    running[role].wait(timeout=90)

counts = status()
problems = []
if over_smtp:
    copies = collections.Counter(sink.taken)
    extra = sum(n - 1 for n in copies.values())
    if extra > killed["sender"] * 4:
        problems.append(f"{extra} extra copies for {killed['sender']} kills of the sender")
else:
    taken = []
    for path, _, names in os.walk(os.path.join(directory, "state", "maildir")):
        if os.path.basename(path) == "new":
            for name in names:
                with open(os.path.join(path, name), "rb") as mail:
                    taken.append(email.message_from_binary_file(mail)["Message-ID"])
    copies = collections.Counter(taken)
    extra = sum(n - 1 for n in copies.values())
    if extra:
        problems.append(f"{extra} extra copies in the Maildir")
listed = subprocess.run([sengenctl, "-c", conf, "list", "--json"], capture_output=True, text=True)
applications = [json.loads(line) for line in listed.stdout.splitlines()]
if len(applications) != APPLICATIONS:
    problems.append(f"{len(applications)} applications instead of {APPLICATIONS}")
for application in applications:
    number = application["application"]
    if application["state"] == "logo_authorized" and not application["hold"]:
        missing = [name for name in ("receipt", "id", "logo") if f"<{name}.{number}.0@ipa.go.jp>" not in copies]
        if missing:
            problems.append(f"application {number} lacks {missing}")
with_staff = [a for a in applications if a["hold"] == "review"]
if len(with_staff) != counts["outbox"]["unknown"]:
    problems.append(f"{len(with_staff)} applications with staff for {counts['outbox']['unknown']} notices of unknown fate: {with_staff}")
wrong = [a for a in applications if a["state"] != "logo_authorized" and a["hold"] != "review"]
if wrong:
    problems.append(f"{len(wrong)} applications not at the end, the first: {wrong[0]}")
# Whatever died between the transport's log and the register: the books know what it is.
balance = subprocess.run([sengenctl, "-c", conf, "balance"], capture_output=True, text=True)
if balance.returncode != 0:
    problems.append(f"balance: {balance.stdout}{balance.stderr}")
audit = subprocess.run([sengenctl, "-c", conf, "audit"], capture_output=True, text=True)
if audit.returncode != 0:
    problems.append(f"audit: {audit.stdout}{audit.stderr}")
left = os.listdir(incoming)
if left:
    problems.append(f"left in incoming: {left[:5]}")

print(
    f"figure: kill -9 {'smtp' if over_smtp else 'maildir'}: {sum(killed.values())} kills {dict(killed)}, {len(applications)} applications, "
    f"{len(copies)} notices, {extra} extra copies, {len(with_staff)} with staff, {time.monotonic() - begun:.1f} s"
)
if problems:
    print("\n".join(problems))
    print("status:", json.dumps(counts, ensure_ascii=False))
    sys.exit(1)
