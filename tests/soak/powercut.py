"""Power cuts: the office's disk forgets what was not synced, or a random part of it, at random moments; the mail server lives on.

usage: powercut.py DIRECTORY CUTS SEED strict|journal|ext4

strict and journal: disk.c, which says what each guarantees. ext4: a real one on a loop device, shut down without writing its journal out.
Register, witness, keys, log of sent notices, spool and archive lie on that disk. Whoever drops a form syncs it. Sockets and locks lie elsewhere, as /run does.
"""
import random
import sys
import time

from disks import *
from rig import *

directory, cuts, seed, variant = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
rng = random.Random(seed)
DAYS = 40

begun = time.monotonic()
path = os.path.join(directory, "disk")
disk = Ext4(path, os.path.join(directory, "image")) if variant == "ext4" else Fuse(path, variant)
server = Server(directory)
office = Office(directory, server=server, state=os.path.join(path, "state"), spool=os.path.join(path, "spool"))
sync_tree(path)
applicants = Applicants(office, random.Random(seed + 1))
applicants.start()
applications = lost = 0
say(f"{variant}, seed {seed}, {cuts} cuts")
told = time.monotonic()
for number in range(cuts):
    office.start(*([] if rng.random() < 0.2 else ROLES))
    office.shift(rng.uniform(0, 2) * DAYS * DAY / cuts)
    # Some cuts come early: the work of a start is what follows a power cut.
    if rng.random() < 0.8:
        office.wait_ready(10, rng)
    parts = rng.randint(1, 3)
    for _ in range(parts):
        if number < cuts * 0.7:
            count = rng.randint(1, 5)
            office.drop(applications + 1, count)
            applications += count
        time.sleep(rng.choice([0.1, 0.3, 0.6, 1.2]) * rng.random())
    if number < cuts * 0.8 and rng.random() < 0.3:
        try:
            applicants.write_something()
        except RuntimeError:
            pass  # there is no register yet
    time.sleep(rng.choice([0.1, 0.5, 1]) * rng.random())
    office.kill_all(rng)
    lost += disk.cut(rng)
    if time.monotonic() - told > 60:
        told = time.monotonic()
        say(f"{number + 1} cuts, {applications} applications, {len(applicants.sent)} mails")

office.start()
until("all forms taken", 120, lambda: office.register("SELECT 1 FROM sqlite_schema LIMIT 1") and office.is_quiet())
held = [question["name"] for question in office.status().get("questions", [])]
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
if "restored" in held:
    account.wrong("the register counts as a restored copy")
disk.end()
report(f"power cut {variant}", begun, {"seed": seed, "cuts": cuts, "unsynced writes": lost or "-", **account.figures, "exit": max(status.values())}, account.problems, office.log_path)
