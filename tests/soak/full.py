"""Full disks: a small tmpfs each for the store, the spool and the log is filled to the last block at random moments, kept full for a while, and freed.

usage: full.py DIRECTORY ROUNDS SEED

Nothing may be lost or half; the office must say what is wrong while it lasts, and go on by itself. Now and then a role is killed while the disk is full, and a backup
is tried onto it, which must leave nothing behind.
"""
import collections
import random
import sys
import time

from disks import *
from rig import *

directory, rounds, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rng = random.Random(seed)
begun = time.monotonic()
PLACES = [("store",), ("spool",), ("store", "spool"), ("store", "spool", "log"), ("log",)]

disks = {name: Small(os.path.join(directory, "disk", name), mib) for name, mib in (("store", 48), ("spool", 24), ("log", 8))}
server = Server(directory)
office = Office(directory, server=server, state=os.path.join(disks["store"].path, "state"), spool=os.path.join(disks["spool"].path, "spool"),
                log=os.path.join(disks["log"].path, "log"))
life = Life(office, rng, rounds, 40)
told, silent, backups, killed = collections.Counter(), 0, 0, 0
problems = []


def tells():
    """Health, which staff and monitoring ask."""
    done = office.ctl("health", "--quiet")
    return done.returncode != 0


say(f"seed {seed}, {rounds} rounds")
office.start(*ROLES)
until("a register", 60, lambda: os.path.exists(os.path.join(office.state, "register.db")) and office.status())
for _ in range(rounds):
    places = rng.choice(PLACES)
    for _ in range(rng.randint(1, 3)):
        life.drop(12)
    if rng.random() < 0.4:
        life.write()
    time.sleep(rng.uniform(0, 0.4))
    for name in places:
        disks[name].fill()
    end = time.monotonic() + rng.uniform(0.3, 4)
    said = False
    while time.monotonic() < end:
        if rng.random() < 0.3:
            life.drop(12)
        if rng.random() < 0.1:
            victim = rng.choice(ROLES)
            office.running[victim].kill()
            office.running[victim].wait()
            killed += 1
        office.revive()
        if not said and places != ("log",) and tells():
            said = True
        time.sleep(0.2)
    if "store" in places and rng.random() < 0.3:
        copy = os.path.join(disks["store"].path, "copy.db")
        if office.ctl("backup", copy).returncode == 0:
            problems.append("a backup onto a full disk was called good")
        if [name for name in os.listdir(disks["store"].path) if name.startswith("copy.db")]:
            problems.append("a backup that failed left something")
        backups += 1
    for name in places:
        disks[name].free()
    told["+".join(places)] += said
    if places != ("log",) and not said:
        silent += 1
    life.go_on()
    # Room again: by itself, within the longest pause of a role and one look at the disk.
    if rng.random() < 0.5:
        office.revive()
        try:
            until("going on by itself", 120, lambda: life.drop_waiting() or office.revive() or office.is_quiet())
        except RuntimeError as error:
            problems.append(str(error))
office.revive()
account = life.account(life.finish())
account.problems += problems
if silent > rounds / 4:
    account.wrong(f"{silent} of {rounds} times nothing was said of it")
for disk in disks.values():
    disk.end()
report("full disk", begun, {"seed": seed, "rounds": rounds, "kills": killed, "failed backups": backups, "silent": silent, **account.figures}, account.problems)
