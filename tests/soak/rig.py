"""What the experiments share: an office whose clock can be moved, the mail server's side of it, applicants who write and answer, and the account at the end.

The mail server is the Postfix and Dovecot that tests/soak/run started by tests/scripts/mailserver. It lives outside of whatever is broken, so what it accepted is known.
"""
import atexit
import collections
import contextlib
import email
import email.policy
import imaplib
import json
import mmap
import os
import random
import re
import signal
import smtplib
import socket
import sqlite3
import ssl
import struct
import subprocess
import sys
import threading
import time
from email.message import EmailMessage

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.join(TOP, "tests", "peers"))
import b3
import forms
import replies

signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is ended
BUILD = os.path.abspath(os.environ.get("SENGEN_BUILD", "build"))
SENGEND, SENGENCTL = os.path.join(BUILD, "sengend"), os.path.join(BUILD, "sengenctl")
ROLES = ["intake", "mailbox", "scheduler", "sender", "desk", "control"]
OFFICE = "security-action-info@sa.example.jp"
UNKNOWN_DOMAIN = "unknown.example.jp"
FOLDERS = {2: "処理済み", 3: "要確認", 4: "バウンス"}
STAGES = ["receipt", "id", "logo"]
LIVE_END, STOPPED = 4, 7  # enum state
QUEUED, SENDING, SENT, UNKNOWN, FAILED, CANCELLED = range(1, 7)  # enum outbox_state
EVENT_STOP, EVENT_SENT, EVENT_UNKNOWN, EVENT_IN_FLIGHT = 8, 26, 29, 38
HOUR, DAY = 3600, 86400


def say(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def until(what, seconds, ask, pause=0.2):
    """Asks until the answer is true, and gives it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := ask():
            return answer
        time.sleep(pause)
    raise RuntimeError(f"not within {seconds} s: {what}")


def address(number):
    return f"tanto@c{number}.example.jp"


def ending(pid):
    """The process is gone, or only waits for its parent."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def processes():
    """pid -> (parent, command line) of all processes."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as file:
                    fields = file.read().rpartition(")")[2].split()
                with open(f"/proc/{name}/cmdline", "rb") as file:
                    command = file.read().replace(b"\0", b" ").split()
            except OSError:
                continue
            if fields[0] not in "ZX":
                found[int(name)] = (int(fields[1]), [part.decode(errors="replace") for part in command])
    return found


def descendants(table, pid):
    found, front = [], [pid]
    while front:
        front = [child for child, (parent, _) in table.items() if parent in front]
        found += front
    return found


class Server:
    """The Postfix and Dovecot that tests/soak/run started."""

    def __init__(self, directory):
        self.directory = directory
        self.smtp_port, self.imap_port = int(os.environ["SOAK_SMTP"]), int(os.environ["SOAK_IMAP"])
        self.context = ssl.create_default_context(cafile=os.path.join(directory, "ca.pem"))

    def send(self, raw, sender, to=OFFICE, seconds=120):
        """Until it was taken; how many tries may have left a copy."""
        deadline, tries = time.monotonic() + seconds, 0
        while True:
            try:
                with smtplib.SMTP("localhost", self.smtp_port, timeout=20) as client:
                    client.starttls(context=self.context)
                    client.login("office", "geheim pass")
                    tries += 1
                    client.sendmail(sender, [to], raw)
                    return tries
            except (OSError, smtplib.SMTPException, ssl.SSLError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.3)

    def connect(self):
        client = imaplib.IMAP4("localhost", self.imap_port, timeout=60)
        client.starttls(self.context)
        client.login("inbox", "inbox-pass")
        return client

    def heads(self, first=1):
        """(UID, headers) of the applicants' mails from a UID on."""
        client = self.connect()
        try:
            client.select("INBOX", readonly=True)
            data = client.uid("FETCH", f"{first}:*", "(UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID RECEIVED TO SUBJECT DELIVERED-TO)])")[1]
            found = []
            for part in data:
                if isinstance(part, tuple):
                    uid = int(re.search(rb"UID (\d+)", part[0]).group(1))
                    if uid >= first:
                        found.append((uid, email.message_from_bytes(part[1], policy=email.policy.compat32)))
            return found
        finally:
            client.logout()

    def doveadm(self, *arguments):
        conf = os.path.join(self.directory, "dovecot", "dovecot.conf")
        return subprocess.run(["/usr/bin/doveadm", "-c", conf, *arguments], capture_output=True, text=True)

    def folder(self, name):
        """Message-IDs in a folder of the office's mailbox."""
        done = self.doveadm("fetch", "-u", "office", "hdr.message-id", "mailbox", name)
        return [line.split(":", 1)[1].strip() for line in done.stdout.splitlines() if line.startswith("hdr.message-id:")]

    def queue_is_empty(self):
        done = subprocess.run(["/usr/sbin/postqueue", "-c", os.path.join(self.directory, "postfix"), "-p"], capture_output=True, text=True)
        return "Mail queue is empty" in done.stdout

    def masters(self):
        found = {}
        for name, path in (("postfix", "queue/pid/master.pid"), ("dovecot", "dovecot/run/master.pid")):
            try:
                with open(os.path.join(self.directory, path)) as file:
                    found[name] = int(file.read())
            except (OSError, ValueError):
                pass
        return found

    def kill(self, name, whole, rng):
        """kill -9 of one of its processes, or of all, which are started again."""
        master = self.masters().get(name)
        if not master:
            return False
        children = descendants(processes(), master)
        victims = [master, *children] if whole or not children else [rng.choice(children)]
        rng.shuffle(victims)
        for pid in victims:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if whole:
            time.sleep(rng.uniform(0, 0.5))
            self.start(name)
        return True

    def start(self, name):
        if name == "postfix":
            command = ["/usr/sbin/postfix", "-c", os.path.join(self.directory, "postfix"), "start"]
        else:
            command = ["/usr/sbin/dovecot", "-c", os.path.join(self.directory, "dovecot", "dovecot.conf")]
        for _ in range(20):
            # Not into a pipe: what stays running would keep it open.
            if subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0:
                return
            time.sleep(0.5)
        raise RuntimeError(f"{name} did not start again")


class Office:
    """One office: its configuration, its spool and register, its processes, and the clock that they see."""

    def __init__(self, directory, name="office", server=None, state=None, spool=None, maildir=False, clock=None, log=None, **keys):
        self.directory = os.path.join(directory, name)
        self.state = state or os.path.join(self.directory, "state")
        self.spool = spool or os.path.join(self.directory, "spool")
        self.run = os.path.join(self.directory, "run")
        self.incoming = os.path.join(self.spool, "incoming")
        for path in (self.run, self.state, self.incoming):
            os.makedirs(path, exist_ok=True)
        self.server, self.running = server, {}
        atexit.register(self.kill_all)
        self.log_path = log or os.path.join(self.directory, "log")
        self.log = open(self.log_path, "ab")
        self.clock_path = clock or os.path.join(self.directory, "clock")
        if not os.path.exists(self.clock_path):
            with open(self.clock_path, "wb") as out:
                out.write(struct.pack("q", 0))
        with open(self.clock_path, "r+b") as file:
            self.page = mmap.mmap(file.fileno(), 8)
        self.environment = dict(os.environ, LC_ALL="C.UTF-8", SOAK_CLOCK=self.clock_path, LD_PRELOAD=os.path.join(BUILD, "tests/soak/clock.so"))
        self.conf = os.path.join(self.directory, "sengend.conf")
        self.configure(directory, maildir, keys)

    def configure(self, directory, maildir, keys):
        for name in ("zip", "smtp"):
            path = os.path.join(self.directory, name)
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
                out.write("zip-pass-1\n" if name == "zip" else "geheim pass\n")
        login = (f'host = "localhost"; tls = "starttls"; ca_file = "{directory}/ca.pem"; user = "office"; password_from = "smtp"; '
                 "connect_seconds = 5; reply_seconds = 20;")
        values = {
            "spool_directory": f'"{self.spool}"', "state_directory": f'"{self.state}"', "runtime_directory": '"run"',
            "template_directory": f'"{TOP}/templates/mail"', "profile_files": f'( "{TOP}/config/profiles/form.conf" )',
            "contact_mail": f'"{OFFICE}"', "site_url": '"https://www.ipa.go.jp/security/security-action/"',
            "settle_seconds": "0", "rescan_seconds": "5", "disk_floor_mib": "1", "rate_per_minute": "0", "rate_per_domain": "0", "proxy_max": "0",
            "connections": "4", "ceiling_minimum": "1000000", "receipt_ceiling": "1000000",
            "retry_first_seconds": "1", "fault_pause_seconds": "1", "unknown_pause_seconds": "2", "lifetime_hours": "2000",
            "mailbox_poll_seconds": "1",
            "transport": ": { maildir = true; }" if maildir else f': {{ maildir = false; port = {self.server.smtp_port}; auth = "plain"; dot_seconds = 20; {login} }}',
            "mailbox": ": { maildir = true; }" if maildir else f': {{ maildir = false; port = {self.server.imap_port}; {login} }}',
            "logo": f'( {{ star = 1; from = "2020-01-01"; url = "https://www.ipa.go.jp/logo1.zip"; password_from = "zip"; }},'
                    f'{{ star = 2; from = "2020-01-01"; url = "https://www.ipa.go.jp/logo2.zip"; password_from = "zip"; }} )',
        }
        values.update(keys)
        with open(self.conf, "w") as out:
            for key, value in values.items():
                out.write(f"{key} {value};\n" if value.startswith(":") else f"{key} = {value};\n")

    # ---- time ----

    def ahead(self):
        return struct.unpack("q", self.page[:8])[0]

    def now(self):
        return time.time() + self.ahead()

    def shift(self, seconds):
        """The clock jumps; as other roles do it, each is told that there may be work."""
        self.page[:8] = struct.pack("q", self.ahead() + int(seconds))
        self.wake()

    def wake(self):
        for role in ROLES:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.setblocking(False)
                try:
                    sender.sendto(b"x", os.path.join(self.run, role + ".wake"))
                except OSError:
                    pass

    # ---- processes ----

    def revive(self):
        """What ended is started again, as systemd does it."""
        for role, process in list(self.running.items()):
            if process.poll() is not None:
                self.start(*([] if role == "supervisor" else [role]))

    def start(self, *roles):
        """The roles as processes of their own, as units are; without roles: the supervisor."""
        for role in roles or ["supervisor"]:
            command = [SENGEND, "-c", self.conf] + ([role] if roles else [])
            self.running[role] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=self.environment)

    def pids(self):
        """All processes of this office."""
        return [pid for pid, (_, command) in processes().items() if self.conf in command and "-c" in command and os.path.basename(command[0]) == "sengend"]

    def kill_all(self, rng=random):
        victims = self.pids()
        rng.shuffle(victims)
        for pid in victims:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.reap()
        return len(victims)

    def reap(self, seconds=30):
        """What was started here has ended; nothing of the office is left."""
        for process in self.running.values():
            process.wait(timeout=seconds)
        self.running.clear()
        until("the end of all processes", seconds, lambda: not self.pids(), 0.05)

    def stop(self, seconds=90):
        """SIGTERM; the exit status of each."""
        for process in self.running.values():
            process.terminate()
        status = {role: process.wait(timeout=seconds) for role, process in self.running.items()}
        self.running.clear()
        return status

    def orphans(self, seconds=10):
        """Processes that are left after everything was told to end."""
        deadline = time.monotonic() + seconds
        while (left := self.pids()) and time.monotonic() < deadline:
            time.sleep(0.2)
        return left

    def ctl(self, *arguments, timeout=120):
        return subprocess.run([SENGENCTL, "-c", self.conf, *arguments], capture_output=True, text=True, env=self.environment, timeout=timeout)

    def ctl_json(self, *arguments):
        return [json.loads(line) for line in self.ctl("--json", *arguments).stdout.splitlines() if line.startswith("{")]

    def status(self):
        lines = self.ctl_json("status")
        return lines[0] if lines else {}

    def register(self, sql, *values):
        for _ in range(50):
            try:
                with contextlib.closing(sqlite3.connect(f"file:{self.state}/register.db?mode=ro", uri=True, timeout=20)) as db:
                    return db.execute(sql, values).fetchall()
            except sqlite3.OperationalError as error:
                text = str(error)
                time.sleep(0.2)
        raise RuntimeError(f"the register could not be read: {text}")

    def one(self, sql, *values):
        return self.register(sql, *values)[0][0]

    def wait_ready(self, seconds, rng):
        """Until some of the roles work."""
        wanted, deadline = self.log_count("role.ready") + rng.randint(1, 6), time.monotonic() + seconds
        while self.log_count("role.ready") < wanted and time.monotonic() < deadline:
            time.sleep(0.05)

    def log_count(self, text):
        with open(self.log_path, errors="replace") as log:
            return sum(text in line for line in log)

    # ---- forms ----

    def drop(self, first, count, name=None, **changes):
        """A file of applications first .. first + count - 1, written, synced and renamed as a careful program does it."""
        rows = [forms.application(n, **changes) for n in range(first, first + count)]
        for n, row in zip(range(first, first + count), rows):
            if n % 50 == 49:
                row["担当者メールアドレス"] = row["担当者メールアドレス（確認）"] = f"tanto{n}@{UNKNOWN_DOMAIN}"
        path = os.path.join(self.incoming, name or f"f{first}-{count}.csv")
        with open(path + ".tmp", "wb") as out:
            out.write(forms.as_csv(rows))
            out.flush()
            os.fsync(out.fileno())
        os.rename(path + ".tmp", path)
        directory = os.open(self.incoming, os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)

    def applications(self, where="1"):
        """application -> number it was made with, from the names of the files they came in."""
        return {row[0]: int(re.match(r"f(\d+)-", row[1]).group(1)) + row[2] - 1
                for row in self.register(f"SELECT a.id, f.name, a.row FROM application a JOIN file f ON f.id = a.file_id WHERE {where}")}

    # ---- going on ----

    def is_quiet(self):
        """Nothing is on its way."""
        if self.one(f"SELECT count(*) FROM outbox o LEFT JOIN application a ON a.id = o.application_id WHERE coalesce(a.hold, 0) = 0"
                    f" AND (o.state IN ({QUEUED}, {SENDING}) OR (o.state = {UNKNOWN} AND o.next_try_at IS NOT NULL))"):
            return False
        if self.one("SELECT count(*) FROM file WHERE state = 1") or self.one("SELECT count(*) FROM message WHERE state < 3"):
            return False
        return not [name for name in os.listdir(self.incoming) if not name.endswith(".tmp")]

    def is_finished(self):
        live = self.one("SELECT count(*) FROM application WHERE state IN (1, 2, 3) AND hold = 0")
        return live == 0 and self.one("SELECT count(*) FROM request WHERE state IN (2, 3)") == 0

    def live_on(self, days, step=7 * HOUR, seconds=60, finish=False):
        """The days pass, office hours among them, and what they bring is waited for."""
        end = self.now() + days * DAY
        while self.now() < end:
            self.shift(step)
            self.settle(seconds)
            if finish and self.is_finished():
                break

    def settle(self, seconds=60):
        """Until nothing is on its way for three looks in a row; roles may need a moment to see that a day has come."""
        deadline, quiet = time.monotonic() + seconds, 0
        while quiet < 3 and time.monotonic() < deadline:
            time.sleep(0.25)
            quiet = quiet + 1 if self.is_quiet() else 0
            self.wake()


def value_lines(declaration_id, number):
    return "".join(f"{label}：{value}\n" for label, value in b3.rows_of(
        str(declaration_id), f"株式会社サンプル{number}", "見本一郎", "見本 太郎", address(number)))


class Applicants(threading.Thread):
    """They read their mail, answer what asks them to confirm, and write to the office: stops, resends, questions."""

    def __init__(self, office, rng):
        super().__init__(daemon=True)
        self.office, self.server, self.rng = office, office.server, rng
        self.sent = {}  # Message-ID -> (what, tries)
        self.asked_stop = set()
        self.uid, self.ending, self.serial, self.answered = 1, False, 0, set()
        self.lock = threading.Lock()

    def run(self):
        while not self.ending:
            try:
                self.look()
            except (OSError, imaplib.IMAP4.error, ssl.SSLError, AttributeError):
                pass
            time.sleep(1)

    def look(self):
        for uid, head in self.server.heads(first=self.uid):
            subject = str(email.header.make_header(email.header.decode_header(head["Subject"] or "")))
            if "使用中止のご確認" in subject and head["Message-ID"] not in self.answered:
                self.answer(uid, head)
            self.uid = max(self.uid, uid + 1)

    def answer(self, uid, head):
        client = self.server.connect()
        try:
            client.select("INBOX", readonly=True)
            raw = client.uid("FETCH", str(uid), "(BODY.PEEK[])")[1][0][1]
        finally:
            client.logout()
        shape = self.rng.choice(sorted(replies.SHAPES))
        sender = email.utils.parseaddr(head["To"])[1]
        self.post(replies.SHAPES[shape](raw, "承知しました。よろしくお願いいたします。", sender), sender, "confirmation")
        self.answered.add(head["Message-ID"])

    def post(self, raw, sender, what):
        tries = self.server.send(raw, sender)
        with self.lock:
            self.sent[email.message_from_bytes(raw)["Message-ID"]] = (what, tries)

    def write(self, sender, subject, text, what):
        self.serial += 1
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = f"見本 太郎 <{sender}>", OFFICE, subject
        mail["Message-ID"] = f"<{self.serial}.{os.getpid()}@{sender.split('@')[1]}>"
        mail.set_content(text)
        self.post(mail.as_bytes(policy=email.policy.SMTP), sender, what)

    def write_something(self):
        """One mail about a random declaration; False while there is none."""
        found = self.office.register(
            "SELECT a.id, a.declaration_id, f.name, a.row FROM application a JOIN file f ON f.id = a.file_id"
            " WHERE a.state IN (3, 4) AND a.hold = 0 AND a.declaration_id IS NOT NULL")
        if not found:
            return False
        application, declaration, name, row = self.rng.choice(found)
        number = int(re.match(r"f(\d+)-", name).group(1)) + row - 1
        draw = self.rng.random()
        if draw < 0.45 and application not in self.asked_stop and number % 50 != 49:
            self.asked_stop.add(application)
            self.write(address(number), "ロゴマークの使用中止について", "下記のとおり、使用中止を申し込みます。\n\n（様式B-3）SECURITY ACTIONロゴマーク使用中止申込書\n\n"
                       + value_lines(declaration, number), "stop")
        elif draw < 0.8:
            self.write(address(number) if self.rng.random() < 0.5 else "stranger@elsewhere.example.com", "自己宣言IDのお知らせの再送のお願い",
                       f"自己宣言IDのお知らせメールを再送してください。\n自己宣言ID：{declaration}\n事業者名：株式会社サンプル{number}\n", "resend")
        else:
            self.write(address(number), "ありがとうございました", "受け取りました。今後ともよろしくお願いいたします。\n", "other")
        return True


class Life:
    """Forms and mails come in and days pass, round by round. Who can't drop a form tries again; so do those who write."""

    def __init__(self, office, rng, rounds, days):
        self.office, self.rng, self.rounds, self.days = office, rng, rounds, days
        self.applications, self.round, self.waiting, self.told = 0, 0, [], time.monotonic()
        self.applicants = Applicants(office, random.Random(rng.random()))
        self.applicants.start()

    def drop(self, most=5):
        if self.round < self.rounds * 0.7:
            count = self.rng.randint(1, most)
            self.waiting.append((self.applications + 1, count))
            self.applications += count
        self.drop_waiting()

    def drop_waiting(self):
        while self.waiting:
            try:
                self.office.drop(*self.waiting[0])
            except OSError:
                return
            self.waiting.pop(0)

    def write(self):
        if self.round < self.rounds * 0.8:
            try:
                self.applicants.write_something()
            except RuntimeError:
                pass  # the register can't be read now

    def go_on(self):
        """The next round."""
        self.round += 1
        self.office.shift(self.rng.uniform(0, 2) * self.days * DAY / self.rounds)
        if time.monotonic() - self.told > 60:
            self.told = time.monotonic()
            say(f"{self.round} of {self.rounds}: {self.applications} applications, {len(self.applicants.sent)} mails")

    def finish(self, days=45):
        """The rest of the cadence; then nobody writes any more, and the office is told to end. The exit statuses."""
        until("all forms dropped", 120, lambda: self.drop_waiting() or not self.waiting)
        self.office.live_on(days, finish=True)
        until("an empty queue of the mail server", 120, self.office.server.queue_is_empty, 1)
        time.sleep(2)
        self.office.settle()
        self.applicants.ending = True
        self.applicants.join(30)
        return self.office.stop()

    def account(self, status, known=None):
        account = Account(self.office, self.applications, self.applicants, known)
        account.figures["exit"] = max(status.values())
        if set(status.values()) != {0}:
            account.wrong(f"exit status {status}")
        return account


class Account:
    """What must be true at the end, whatever happened before."""

    def __init__(self, office, applications, applicants=None, known=None):
        self.office, self.server = office, office.server
        self.problems, self.figures = [], collections.OrderedDict()
        self.figures["applications"] = applications
        self.check_applications(applications)
        self.check_notices(known)
        self.check_stops()
        if applicants:
            self.check_mailbox(applicants)
        self.check_books()
        self.check_files()

    def wrong(self, text):
        self.problems.append(text)

    def check_applications(self, applications):
        numbers = collections.Counter(self.office.applications().values())
        lost = [n for n in range(1, applications + 1) if n not in numbers]
        twice = [n for n, count in numbers.items() if count > 1]
        if lost:
            self.wrong(f"{len(lost)} applications lost, the first: {lost[:5]}")
        if twice:
            self.wrong(f"{len(twice)} applications registered twice: {twice[:5]}")
        self.figures["lost"] = len(lost)
        open_ones = self.office.one(f"SELECT count(*) FROM application WHERE state NOT IN ({LIVE_END}, {STOPPED}) AND hold = 0")
        if open_ones:
            self.wrong(f"{open_ones} applications did not come to their end")

    def delivered(self):
        """(Message-ID, recipient) -> queue IDs of the copies in the applicants' mailbox, one entry a copy."""
        found = collections.defaultdict(list)
        for _, head in self.server.heads():
            queue = [re.search(r"\(Postfix\) with \S+ id (\w+)", line) for line in head.get_all("Received", [])]
            found[head["Message-ID"].strip("<>"), email.utils.parseaddr(head["To"])[1]].append(next((match.group(1) for match in queue if match), "?"))
        return found

    def check_notices(self, known):
        """known: after a restore, the letters that the copy knew of; others may have gone out in the life that was lost, and go out once more."""
        rows = self.office.register(
            "SELECT o.id, o.state, l.message_id || '@' || m.text, l.recipient, r.text, coalesce(a.hold, 0), o.next_try_at FROM outbox o"
            " LEFT JOIN application a ON a.id = o.application_id JOIN letter l ON l.notice_id = o.id"
            " JOIN word m ON m.id = l.message_id_domain JOIN word r ON r.id = l.recipient_domain")
        copies = self.delivered()
        unknown = collections.Counter(ref for (ref,) in self.office.register(f"SELECT ref FROM history WHERE event = {EVENT_UNKNOWN}"))
        due = delivered = lost = second = unexplained = postfix_own = staff = staff_missing = bounced = once_more = 0
        for notice, state, message_id, local, domain, hold, next_try in rows:
            letter = (message_id, f"{local}@{domain}")
            if domain == UNKNOWN_DOMAIN:
                bounced += state == SENT
                continue
            if state == CANCELLED:
                if letter in copies and notice not in unknown and known is None:
                    self.wrong(f"notice {notice} was cancelled and delivered")
                continue
            due += 1
            there = copies.get(letter, [])
            delivered += bool(there)
            if state == UNKNOWN and next_try is None:
                staff += 1
                staff_missing += not there
            if state == SENT and not there:
                lost += 1
                self.wrong(f"notice {notice} ({message_id}) was sent and is not there")
            distinct = len(set(there))
            postfix_own += len(there) - distinct
            if distinct > 1 and known is not None and letter not in known:
                once_more += distinct - 1
            elif distinct > 1:
                second += distinct - 1
                if distinct - 1 > unknown[notice]:
                    unexplained += distinct - 1 - unknown[notice]
                    self.wrong(f"notice {notice} ({message_id}): {distinct} copies, {unknown[notice]} times of unknown fate")
            if there and state in (QUEUED, FAILED) and notice not in unknown and known is None:
                self.wrong(f"notice {notice} ({message_id}) is there, and in state {state}")
            if (state not in (SENT, UNKNOWN) or (state == UNKNOWN and next_try is not None)) and not hold:
                self.wrong(f"notice {notice} ({message_id}) is in state {state} at the end")
        ours = {(row[2], f"{row[3]}@{row[4]}") for row in rows}
        strangers = [name for name in copies if name not in ours]
        if known is not None:
            self.figures["of a life that was lost"] = len(strangers)
            self.figures["once more, as told"] = once_more
        elif strangers:
            self.wrong(f"{len(strangers)} mails that no notice accounts for: {strangers[:5]}")
        missing = self.office.register(
            f"SELECT a.id FROM application a WHERE a.state = {LIVE_END} AND a.hold = 0 AND (SELECT count(*) FROM outbox o JOIN word w ON w.id = o.template"
            f" WHERE o.application_id = a.id AND o.state = {SENT} AND w.text IN ('receipt', 'id', 'logo') AND o.resend_no = 0) < 3")
        lost += len(missing)
        if missing:
            self.wrong(f"{len(missing)} applications lack a notice, the first: {missing[:5]}")
        self.figures.update({"due": due, "delivered": delivered, "to nobody": bounced, "notices lost": lost, "unknown": sum(unknown.values()), "second copies": second,
                             "unexplained": unexplained, "with staff": staff, "of these not there": staff_missing, "Postfix's own": postfix_own})
        review = self.office.one("SELECT count(*) FROM application WHERE hold = 2")
        self.figures["in review"] = review

    def check_stops(self):
        """No notice of the cadence is handed over after the stop, but those that were in flight."""
        late = self.office.register(
            f"SELECT DISTINCT s.application_id FROM history s JOIN history n ON n.application_id = s.application_id AND n.seq > s.seq AND n.event = {EVENT_SENT}"
            f" JOIN outbox o ON o.id = n.ref WHERE s.event = {EVENT_STOP} AND o.stage >= 0 AND NOT EXISTS"
            f" (SELECT 1 FROM history f WHERE f.application_id = s.application_id AND f.event = {EVENT_IN_FLIGHT})"
            f" AND NOT EXISTS (SELECT 1 FROM history u WHERE u.event = {EVENT_UNKNOWN} AND u.ref = o.id AND u.seq < s.seq)")
        if late:
            self.wrong(f"notices after a stop: applications {late[:5]}")
        self.figures["stopped"] = self.office.one(f"SELECT count(*) FROM application WHERE state = {STOPPED}")
        self.figures["after a stop"] = len(late)

    def check_mailbox(self, applicants):
        """Every mail that the server took lies in one folder, was read once, and brought one request at most."""
        lying = collections.Counter()
        for name in FOLDERS.values():
            lying.update(self.server.folder(name))
        inbox = self.server.folder("INBOX")
        if inbox:
            self.wrong(f"{len(inbox)} mails lie in INBOX")
        lost = [name for name in applicants.sent if not lying[name]]
        if lost:
            self.wrong(f"{len(lost)} mails to the office lost: {lost[:5]}")
        rows = self.office.one("SELECT count(*) FROM message")
        twice = sum(max(0, lying[name] - tries) for name, (_, tries) in applicants.sent.items())
        requests = self.office.register("SELECT message_id, kind, count(*) FROM request GROUP BY 1, 2 HAVING count(*) > 1")
        if requests:
            self.wrong(f"two requests of one mail: {requests[:5]}")
        self.figures.update({"mails in": len(applicants.sent), "mails taken": rows, "mails lost": len(lost), "copies in folders": twice})

    def check_books(self):
        balance, audit = self.office.ctl("balance"), self.office.ctl("audit")
        self.figures["balance"], self.figures["audit"] = balance.returncode, audit.returncode
        if balance.returncode:
            self.wrong(f"balance: {balance.stdout}{balance.stderr}")
        if audit.returncode:
            self.wrong(f"audit: {audit.stdout}{audit.stderr}")
        whole = self.office.one("PRAGMA integrity_check")
        if whole != "ok":
            self.wrong(f"integrity: {whole}")

    def check_files(self):
        left = os.listdir(self.office.incoming)
        work = [name for name in os.listdir(os.path.join(self.office.spool, "work")) if name != "removing"]
        removing = os.path.join(self.office.spool, "work", "removing")
        work += os.listdir(removing) if os.path.isdir(removing) else []
        if left or work:
            self.wrong(f"left in incoming: {left[:5]}, in work: {work[:5]}")
        for name, in self.office.register("SELECT archive FROM file WHERE state = 2 AND archive <> ''"):
            if not os.path.exists(os.path.join(self.office.spool, name)):
                self.wrong(f"the archived {name} is not there")
                break
        orphans = self.office.orphans()
        self.figures["orphans"] = len(orphans)
        if orphans:
            self.wrong(f"processes left: {orphans}")


def report(name, begun, figures, problems, log=None):
    """The experiment's line of the table; ends the program."""
    figures["seconds"] = round(time.monotonic() - begun)
    print("row:", json.dumps({"experiment": name, **figures, "problems": len(problems)}, ensure_ascii=False), flush=True)
    for text in problems[:40]:
        print("PROBLEM:", text, flush=True)
    if problems and log:
        with open(log, errors="replace") as file:
            print("".join(file.readlines()[-40:]))
    sys.exit(1 if problems else 0)
