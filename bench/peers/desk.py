#!/usr/bin/python3
"""What staff ask for, each answer a process of its own, start included.

desk.py base CSV DATABASE        a database for the sqlite3 shell from `sengenctl export`: application, business_name, mail, telephone; names in FTS5 cut into pairs of
                                 characters, as a search for two characters needs, mail and telephone with an index
desk.py measure NAME COMMAND...  the median time of 21 calls, and of the processor in them, as figures
"""
import csv
import resource
import sqlite3
import statistics
import subprocess
import sys
import time

CALLS = 21


def make_base(path, database):
    db = sqlite3.connect(database)
    db.execute("CREATE TABLE application (id INTEGER PRIMARY KEY, name TEXT, mail TEXT, telephone TEXT)")
    db.execute("CREATE VIRTUAL TABLE name USING fts5 (pairs, content = '', detail = none, tokenize = \"unicode61 remove_diacritics 0\")")
    with open(path, encoding="utf-8-sig", newline="") as rows:
        for number, name, mail, telephone in list(csv.reader(rows))[1:]:
            db.execute("INSERT INTO application VALUES (?, ?, ?, ?)", (number, name, mail, telephone.replace("-", "")))
            db.execute("INSERT INTO name (rowid, pairs) VALUES (?, ?)", (number, " ".join(name[i : i + 2] for i in range(len(name) - 1))))
    db.execute("CREATE INDEX application_mail ON application (mail)")
    db.execute("CREATE INDEX application_telephone ON application (telephone)")
    db.commit()


def measure(name, command):
    wall, processor = [], []
    for _ in range(CALLS):
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wall.append((time.perf_counter() - begun) * 1e3)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        processor.append((after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e3)
        # 1: something waits for staff, which sengenctl status says so.
        if done.returncode > 1 or not done.stdout.strip():
            sys.exit(f"{' '.join(command)}: {done.returncode} {done.stderr.decode()}")
    print(f"figure {name} {statistics.median(wall):.2f} ms")
    print(f"figure {name}_processor {statistics.median(processor):.2f} ms")


if len(sys.argv) == 4 and sys.argv[1] == "base":
    make_base(sys.argv[2], sys.argv[3])
elif len(sys.argv) > 3 and sys.argv[1] == "measure":
    measure(sys.argv[2], sys.argv[3:])
else:
    sys.exit(__doc__)
