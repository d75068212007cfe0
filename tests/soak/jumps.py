"""The machine's clock jumps: back and ahead by minutes, hours and weeks, while the daemon works.

usage: jumps.py DIRECTORY JUMPS SEED

The real processes see the clock of clock.c. After all that nothing was sent twice, no stage came before the one before it, and everybody has what is due to them.
"""
import random
import sys
import time

from rig import *

directory, jumps, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rng = random.Random(seed)
begun = time.monotonic()
server = Server(directory)
office = Office(directory, server=server)
office.shift(400 * DAY)  # room to go back: never before the real time
life = Life(office, rng, jumps, 0)
SPANS = [1, 5, 60, HOUR, 5 * HOUR, DAY, 3 * DAY, 10 * DAY, 25 * DAY]
back = ahead = 0
say(f"seed {seed}, {jumps} jumps")
office.start()
until("a register", 60, lambda: os.path.exists(os.path.join(office.state, "register.db")) and office.status())
for _ in range(jumps):
    life.drop()
    if rng.random() < 0.3:
        life.write()
    span = rng.choice(SPANS)
    # As far back as ahead in the end, and never far from the beginning.
    if rng.random() < 0.5 and office.ahead() - span > 370 * DAY:
        office.shift(-span)
        back += 1
    else:
        office.shift(span)
        ahead += 1
    if office.ahead() > 460 * DAY:
        office.shift(-60 * DAY)
        back += 1
    time.sleep(rng.uniform(0, 0.8))
    life.go_on()
account = life.account(life.finish(120))
wrong = office.register(
    f"SELECT a.application_id FROM outbox a JOIN outbox b ON b.application_id = a.application_id AND a.stage >= 0 AND b.stage = a.stage + 1 AND a.resend_no = 0 AND b.resend_no = 0"
    f" JOIN history x ON x.ref = a.id AND x.event = {EVENT_SENT} JOIN history y ON y.ref = b.id AND y.event = {EVENT_SENT} WHERE y.seq < x.seq")
if wrong:
    account.wrong(f"a stage before the one before it: applications {wrong[:5]}")
report("clock jumps", begun, {"seed": seed, "back": back, "ahead": ahead, **account.figures}, account.problems, office.log_path)
