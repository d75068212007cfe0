"""Three weeks of downtime: the office is off while forms and mails pile up; then it starts.

usage: downtime.py DIRECTORY APPLICATIONS SEED

Before: as many applications in ten days. While it is off half as many again are dropped, and people ask to be stopped. At the start far more is due than was forecast: the office
asks, sends no stage's notice before staff let it go, says which are late, and then sends what is due: the oldest day first, the logo a week after the ID and never with it.
"""
import collections
import random
import sys
import time

from rig import *

directory, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rng = random.Random(seed)
begun = time.monotonic()
server = Server(directory)
office = Office(directory, server=server, ceiling_minimum=str(max(1, count // 20)), alarm_mail='( "alarm@sa.example.jp" )')
life = Life(office, rng, 100, 10)
life.applicants.ending = True
problems = []


def drop_some(number, name):
    for first in range(life.applications + 1, life.applications + number + 1, 10):
        last = min(first + 9, life.applications + number)
        office.drop(first, last - first + 1)
    life.applications += number


def release():
    """What staff answer when the office asks."""
    asked = [q["name"] for q in office.status().get("questions", []) if q["name"].startswith("ceiling")]
    if asked:
        done = office.ctl("release", "--ceiling", "--reason", "looked at")
        if done.returncode:
            problems.append(f"release --ceiling: {done.stdout}{done.stderr}")
    return bool(asked)


def stages(where="1"):
    """Notices of the cadence that the server took: application, stage, moment, in the order of the history."""
    return office.register(f"SELECT o.application_id, o.stage, h.at, o.id FROM history h JOIN outbox o ON o.id = h.ref WHERE h.event = {EVENT_SENT} AND o.stage >= 0 AND o.resend_no = 0"
                           f" AND {where} ORDER BY h.seq")


say(f"seed {seed}, {count} applications before, {count // 2} meanwhile")
office.start()
until("a register", 60, lambda: os.path.exists(os.path.join(office.state, "register.db")) and office.status())
for _ in range(10):
    drop_some(count // 10, "before")
    office.shift(DAY)
    office.settle(30)
    while release():
        office.settle(30)
status = office.stop()
before = len(stages())

# ---- off ----
off_at = int(office.now())
drop_some(count // 2, "meanwhile")
declarations = office.register("SELECT a.id, a.declaration_id, f.name, a.row FROM application a JOIN file f ON f.id = a.file_id WHERE a.state = 3 AND a.hold = 0")
asking = rng.sample(declarations, min(len(declarations), max(1, count // 40)))
life.applicants.ending = False
for application, declaration, name, row in asking:
    number = int(re.match(r"f(\d+)-", name).group(1)) + row - 1
    life.applicants.write(address(number), "ロゴマークの使用中止について", "下記のとおり、使用中止を申し込みます。\n\n（様式B-3）SECURITY ACTIONロゴマーク使用中止申込書\n\n"
                          + value_lines(declaration, number), "stop")
office.shift(21 * DAY)

# ---- on again ----
on_at = int(office.now())
office.start()
threading.Thread(target=life.applicants.run, daemon=True).start()
# Into office hours of a weekday, if it is not: the question comes with the first stage that may go.
asked = False
for _ in range(40):
    office.wake()
    time.sleep(0.5)
    if any(q["name"] == "ceiling_stages" for q in office.status().get("questions", [])):
        asked = True
        break
    if _ % 8 == 7:
        office.shift(5 * HOUR)
if not asked:
    problems.append("the office did not ask")
office.settle(60)
early = [row for row in stages() if row[2] >= on_at and row[1] > 0]
late_told = office.log_count("notices.late")
health = office.ctl("health", "--quiet").stdout
plan = office.ctl("plan").stdout
if not late_told or "late" not in health:
    problems.append("nothing is said of notices that are late")
if "release --ceiling" not in plan + office.ctl("status").stdout:
    problems.append("neither plan nor status say what to answer")
waiting_then = office.one("SELECT count(*) FROM application WHERE due_at <= ? AND hold = 0 AND state IN (2, 3)", int(office.now()))
releases = 0
for _ in range(60):
    while release():
        releases += 1
        office.settle(60)
    office.live_on(0.3, step=7 * HOUR, seconds=30)
    if office.is_finished():
        break
account = life.account(life.finish())
account.problems += problems

rows = stages()
twice = [key for key, number in collections.Counter((row[0], row[1]) for row in rows).items() if number > 1]
if twice:
    account.wrong(f"stages sent twice: {twice[:5]}")
sent = {(row[0], row[1]): row[2] for row in rows}
near = [a for (a, stage), at in sent.items() if stage == 2 and (a, 1) in sent and at - sent[(a, 1)] < 6 * DAY]
if near:
    account.wrong(f"{len(near)} logo notices less than a week after the ID: {near[:5]}")
# Oldest first: what was due before the start goes out by its clock's day.
clock = dict(office.register("SELECT id, clock_start FROM application"))
order = [clock[row[0]] for row in rows if row[1] == 1 and row[2] >= on_at and clock[row[0]] * DAY + 7 * DAY < off_at]
swapped = sum(1 for a, b in zip(order, order[1:]) if a > b)
if swapped > len(order) / 20:
    account.wrong(f"{swapped} of {len(order)} late notices went out before older ones")
report("three weeks off", begun, {"seed": seed, "due at the start": waiting_then, "sent before the release": len(early), "releases": releases, "late told": late_told,
                                  "out of order": swapped, **account.figures}, account.problems, office.log_path)
