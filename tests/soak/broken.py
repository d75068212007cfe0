"""Disks that fail: calls end with EIO, ENOSPC or EROFS for a while, on a disk of our own; then it works again, or loses power.

usage: broken.py DIRECTORY ROUNDS SEED fuse|ext4

fuse: disk.c answers a share or all of one kind of calls with an error: write, read, fsync (what was written before it is lost at the next cut, as on Linux), no room, read-only.
ext4: a real one that the kernel makes read-only under open files, as errors=remount-ro does; the office is stopped, the disk checked and mounted anew.
"""
import collections
import random
import sys
import time

from disks import *
from rig import *

directory, rounds, seed, variant = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
rng = random.Random(seed)
begun = time.monotonic()
path = os.path.join(directory, "disk")
disk = Ext4(path, os.path.join(directory, "image")) if variant == "ext4" else Fuse(path, "journal")
server = Server(directory)
office = Office(directory, server=server, state=os.path.join(path, "state"), spool=os.path.join(path, "spool"))
sync_tree(path)
life = Life(office, rng, rounds, 40)
failed, cuts, said, problems = collections.Counter(), 0, 0, []


def live(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if rng.random() < 0.3:
            life.drop()
        office.revive()
        time.sleep(0.1)


say(f"{variant}, seed {seed}, {rounds} rounds")
office.start(*ROLES)
until("a register", 60, lambda: os.path.exists(os.path.join(office.state, "register.db")) and office.status())
for _ in range(rounds):
    if rng.random() < 0.4:
        life.write()
    life.drop()
    live(rng.uniform(0.2, 1.5))
    faults = office.log_count(": fault: ")
    if variant == "ext4":
        disk.abort()
        live(rng.uniform(0.3, 2))
        status = office.stop()
        failed["aborted"] += 1
        disk.umount()
        checked = subprocess.run(["e2fsck", "-fy", disk.image], capture_output=True, text=True)
        if checked.returncode > 1:
            problems.append(f"e2fsck: {checked.returncode} {checked.stdout}")
        disk.mount()
        office.start(*ROLES)
    else:
        kind = rng.choice(["enospc", "eio-write", "eio-write", "eio-read", "eio-sync", "eio-sync", "readonly"])
        disk.fail(kind, 100 if kind == "readonly" else rng.choice([5, 30, 100]))
        live(rng.uniform(0.3, 3))
        failed[kind] += disk.fail("none", 0)
        if rng.random() < 0.3:
            office.kill_all(rng)
            disk.cut(rng)
            cuts += 1
            office.start(*ROLES)
    said += office.log_count(": fault: ") > faults
    life.go_on()
office.revive()
until("going on by itself", 150, lambda: office.revive() or life.drop_waiting() or office.is_quiet())
held = [question["name"] for question in office.status().get("questions", [])]
account = life.account(life.finish())
account.problems += problems
if "restored" in held:
    account.wrong("the register counts as a restored copy")
disk.end()
report(f"broken disk {variant}", begun, {"seed": seed, "rounds": rounds, "cuts": cuts, **{f"failed {kind}": count for kind, count in sorted(failed.items())},
                                         "rounds told of": said, **account.figures}, account.problems, office.log_path)
