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

begun = time.monotonic()
path = os.path.join(directory, "disk")
disk = Ext4(path, os.path.join(directory, "image")) if variant == "ext4" else Fuse(path, variant)
server = Server(directory)
office = Office(directory, server=server, state=os.path.join(path, "state"), spool=os.path.join(path, "spool"))
sync_tree(path)
life = Life(office, rng, cuts, 40)
lost = 0
say(f"{variant}, seed {seed}, {cuts} cuts")
for _ in range(cuts):
    office.start(*([] if rng.random() < 0.2 else ROLES))
    # Some cuts come early: the work of a start is what follows a power cut.
    if rng.random() < 0.8:
        office.wait_ready(10, rng)
    for _ in range(rng.randint(1, 3)):
        life.drop()
        time.sleep(rng.choice([0.1, 0.3, 0.6, 1.2]) * rng.random())
    if rng.random() < 0.3:
        life.write()
    time.sleep(rng.choice([0.1, 0.5, 1]) * rng.random())
    office.kill_all(rng)
    lost += disk.cut(rng)
    life.go_on()

office.start()
until("all forms taken", 120, lambda: office.register("SELECT 1 FROM sqlite_schema LIMIT 1") and office.is_quiet())
held = [question["name"] for question in office.status().get("questions", [])]
account = life.account(life.finish())
if "restored" in held:
    account.wrong("the register counts as a restored copy")
disk.end()
report(f"power cut {variant}", begun, {"seed": seed, "cuts": cuts, "unsynced writes": lost or "-", **account.figures}, account.problems, office.log_path)
