"""kill -9 of roles, children, zygotes, the whole office and the mail server's processes at random moments.

usage: kills.py DIRECTORY KILLS SEED

Real Postfix (submission, TLS, SASL) delivering to a real Dovecot, whose mailboxes are read by IMAP. Half of the time the roles run as units do, each started again by
itself; else below the supervisor. The clock goes on in jumps of hours, so that the weeks of the cadence pass. Forms are dropped in the first half, mails arrive in the
first three quarters, and everybody who is asked to confirm a stop does. Victims are killed after their processes were seen to work, most of the time.
"""
import collections
import os
import random
import signal
import sys
import time

from rig import *

directory, kills, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rng = random.Random(seed)
DAYS = 60
PER_KILL = 1.5  # applications a kill
SEGMENT = 15  # kills before the shape changes
ROLE_WEIGHTS = {"sender": 6, "mailbox": 5, "intake": 4, "scheduler": 4, "desk": 2, "control": 1}
KINDS = {"role": 58, "child": 16, "zygote": 6, "whole": 8, "postfix": 3, "postfix whole": 3, "dovecot": 3, "dovecot whole": 3}

begun = time.monotonic()
server = Server(directory)
office = Office(directory, server=server)
applicants = Applicants(office, random.Random(seed + 1))
killed = collections.Counter()
applications = 0
supervised = False


def run_time(pid):
    """Nanoseconds it was on a processor."""
    try:
        with open(f"/proc/{pid}/schedstat") as file:
            return int(file.read().split()[0])
    except (OSError, IndexError, ValueError):
        return None


def when_busy(pid):
    """Waits for work, three times of four, and then a moment more: into the middle of it."""
    if rng.random() < 0.25:
        time.sleep(rng.uniform(0, 0.05))
        return
    before, deadline = run_time(pid), time.monotonic() + 0.4
    while before is not None and time.monotonic() < deadline and run_time(pid) == before:
        time.sleep(0.0005)
    time.sleep(rng.choice([0, 0.001, 0.003, 0.01, 0.03]) * rng.random())


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
        return True
    except ProcessLookupError:
        return False


def role_pids():
    if not supervised:
        return {role: process.pid for role, process in office.running.items()}
    found = {}
    parent = office.running["supervisor"].pid
    for pid, (above, command) in processes().items():
        if above == parent and command and command[-1] in ROLES:
            found[command[-1]] = pid
    return found


def start():
    office.start(*([] if supervised else ROLES))


def one_kill():
    kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
    if kind.startswith(("postfix", "dovecot")):
        name, _, whole = kind.partition(" ")
        time.sleep(rng.uniform(0, 0.2))
        return kind if server.kill(name, bool(whole), rng) else None
    if kind == "whole":
        when_busy(rng.choice(list(role_pids().values()) or [office.running[next(iter(office.running))].pid]))
        if supervised and rng.random() < 0.5:
            kill(office.running["supervisor"].pid)  # the roles end by themselves
            office.reap(90)
        else:
            office.kill_all(rng)
        start()
        return kind
    pids = role_pids()
    if not pids:
        return None
    role = rng.choices(list(pids), [ROLE_WEIGHTS[name] for name in pids])[0]
    pid = pids[role]
    if kind != "role":
        # The zygote is the one below the role, its children are the others.
        table = processes()
        zygotes = [(name, child) for child, (parent, _) in table.items() for name in pids if parent == pids[name]]
        children = [(name, child) for name, zygote in zygotes for child in descendants(table, zygote)]
        victims = children if kind == "child" else [zygote for zygote in zygotes if zygote[0] == role]
        if not victims:
            return None
        role, pid = rng.choice(victims)
    when_busy(pid)
    return f"{kind} {role}" if kill(pid) else None


say(f"seed {seed}, {kills} kills")
start()
applicants.start()
told = time.monotonic()
while (done := sum(killed.values())) < kills:
    part = done / kills
    if done and done % SEGMENT == 0 and rng.random() < 0.5:
        office.kill_all(rng)
        killed["whole"] += 1
        supervised = not supervised
        start()
        continue
    while part < 0.5 and applications < 2 * PER_KILL * (done + 1):
        count = rng.randint(1, 8)
        office.drop(applications + 1, count)
        applications += count
    if part < 0.75 and rng.random() < 0.25:
        try:
            applicants.write_something()
        except RuntimeError:
            pass
    office.revive()
    what = one_kill()
    if what:
        killed[what] += 1
        office.shift(rng.uniform(0.2, 1.8) * DAYS * DAY / kills)
    time.sleep(rng.uniform(0, 0.25))
    if time.monotonic() - told > 60:
        told = time.monotonic()
        say(f"{done} kills, {applications} applications dropped, {len(applicants.sent)} mails sent, day {office.ahead() // DAY}")

say(f"{dict(killed)}; the rest of the cadence")
office.kill_all(rng)
supervised = True
start()
for name in ("postfix", "dovecot"):
    if ending(server.masters().get(name, 0)):
        server.start(name)
office.settle(120)
office.live_on(45, finish=True)
until("an empty queue of the mail server", 120, server.queue_is_empty, 1)
time.sleep(2)
office.settle()
applicants.ending = True
applicants.join(30)
status = office.stop()
account = Account(office, applications, applicants)
if set(status.values()) != {0}:
    account.wrong(f"exit status {status}")
kinds = collections.Counter()
for name, count in killed.items():
    kinds[name.split(" ")[0]] += count
report("kill -9", begun, {"seed": seed, "kills": sum(killed.values()), **{f"of {name}": count for name, count in kinds.items()}, **account.figures,
                          "exit": max(status.values())}, account.problems, office.log_path)
