"""Restored backups: a copy of the register is taken at a random moment, the office lives on, and the copy is put back: on the same host, or on another.

usage: restored.py DIRECTORY ROUNDS SEED

The register must be held and send nothing, show what it would send, and after staff release it neither lose nor send twice what the log of sent notices knows. Forms that the copy knows
nothing of lie in the archive, and are dropped once more, as restore-check tells.
"""
import random
import shutil
import sys
import time

from rig import *

directory, rounds, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rng = random.Random(seed)
begun = time.monotonic()
server = Server(directory)
office = Office(directory, server=server)
life = Life(office, rng, rounds * 2, 30)
problems, shown, told, dropped_again, hosts, known = [], 0, 0, 0, 0, set()


def live(parts):
    for _ in range(parts):
        life.drop()
        if rng.random() < 0.5:
            life.write()
        time.sleep(rng.uniform(0, 1))
        office.shift(rng.uniform(0.1, 1) * DAY)
    office.wake()


def ask(*words):
    done = office.ctl("--json", *words)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return done.returncode, lines[0] if lines else {}


say(f"seed {seed}, {rounds} restores")
for number in range(rounds):
    office.start()
    until("a register", 60, lambda: os.path.exists(os.path.join(office.state, "register.db")) and office.status())
    live(rng.randint(1, 4))
    copy = os.path.join(office.directory, f"copy{number}.db")
    if office.ctl("backup", copy).returncode:
        problems.append("the backup failed")
    live(rng.randint(1, 4))
    if rng.random() < 0.5:
        office.settle(20)
    office.stop()
    status, found = ask("restore-check", copy)
    if status:
        problems.append(f"restore-check: {status} {found}")
    before = len(server.heads())
    # ---- put back ----
    for name in os.listdir(office.state):
        if name.startswith("register.db") and not name.endswith(".lock"):
            os.unlink(os.path.join(office.state, name))
    shutil.copy(copy, os.path.join(office.state, "register.db"))
    other = rng.random() < 0.4
    if other:
        # Another machine: without the witness, with an identity of its own. The bind mount lies in this experiment's own mount namespace.
        hosts += 1
        os.unlink(os.path.join(office.state, "witness"))
        identity = os.path.join(office.directory, f"machine-id{number}")
        with open(identity, "w") as out:
            out.write("%032x\n" % rng.getrandbits(128))
        subprocess.run(["mount", "--bind", identity, "/etc/machine-id"], check=True)
    office.start()
    until("the question", 60, lambda: any(q["name"] == "restored" for q in office.status().get("questions", [])))
    office.shift(HOUR)
    time.sleep(2)
    until("an empty queue of the mail server", 60, server.queue_is_empty, 0.5)
    time.sleep(1)
    if len(server.heads()) != before:
        problems.append(f"round {number}: {len(server.heads()) - before} mails left while the register was held")
    if "release --restored" not in office.ctl("plan").stdout:
        problems.append("plan does not say what to do")
    shown += found.get("would_send_queued", 0)
    told += found.get("sent_and_unknown", 0)
    known.update((message_id, f"{local}@{domain}") for message_id, local, domain in office.register(
        "SELECT l.message_id || '@' || m.text, l.recipient, r.text FROM letter l JOIN word m ON m.id = l.message_id_domain JOIN word r ON r.id = l.recipient_domain"))
    done = office.ctl("release", "--restored", "--reason", "looked at")
    if done.returncode:
        problems.append(f"release --restored: {done.stdout}{done.stderr}")
    # ---- what the copy never knew of is in the archive ----
    known = {row[0] for row in office.register("SELECT name FROM file")}
    for place, _, names in os.walk(os.path.join(office.spool, "accepted")):
        for name in names:
            match = re.search(r"_(f\d+-\d+\.csv)$", name)
            if match and match.group(1) not in known:
                shutil.copy(os.path.join(place, name), os.path.join(office.incoming, match.group(1) + ".tmp"))
                os.rename(os.path.join(office.incoming, match.group(1) + ".tmp"), os.path.join(office.incoming, match.group(1)))
                dropped_again += 1
    office.settle(60)
    office.stop()
    life.go_on()

office.start()
account = life.account(life.finish(), known)
account.problems += problems
if account.figures["once more, as told"] + account.figures["of a life that was lost"] > told:
    account.wrong(f"{account.figures['once more, as told']} letters went out once more, restore-check told of {told}")
report("restored backup", begun, {"seed": seed, "restores": rounds, "on another host": hosts, "shown as waiting": shown, "told as sent and unknown": told, "files dropped again": dropped_again, **account.figures}, account.problems,
       office.log_path)
