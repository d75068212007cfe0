#!/usr/bin/python3
"""Makes what the rows work on; fictitious, and the same each time.

corpus.py csv FILE N         N applications as one CSV in CP932, as Excel writes it
corpus.py json DIRECTORY N   N files of one application each, 000001.json …
corpus.py mails DIRECTORY N  N mails of an office's mailbox, file names as in a Maildir, each with a Message-ID of its own: letters of tests/data/letters,
                             every tenth with a form B-3 as a Word file
corpus.py season DIRECTORY N the files of the office's year 2025, each of the time it is dropped: 365 days of 220 applications and three days of 20,000 more before a
                             deadline, all divided by N
"""
import datetime
import json
import os
import re
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(TOP, "tests", "peers"))
import forms


def make_csv(path, count):
    with open(path, "wb") as out:
        out.write(forms.as_csv(forms.application(n) for n in range(1, count + 1)))


def make_json(directory, count):
    os.makedirs(directory, exist_ok=True)
    for n in range(1, count + 1):
        with open(f"{directory}/{n:06d}.json", "w", encoding="utf-8") as out:
            json.dump(forms.application(n), out, ensure_ascii=False)


def make_mails(directory, count):
    with tempfile.TemporaryDirectory() as work:
        subprocess.run([sys.executable, f"{TOP}/tests/peers/letters.py", work, f"{TOP}/tests/data/letters"], check=True)
        names = sorted(name for name in os.listdir(work) if name.endswith(".eml"))
        letters = [open(os.path.join(work, name), "rb").read() for name in names]
    with_form = [letter for letter in letters if b"wordprocessingml" in letter]
    without = [letter for letter in letters if b"wordprocessingml" not in letter]
    os.makedirs(directory, exist_ok=True)
    for i in range(count):
        letter = with_form[i // 10 % len(with_form)] if i % 10 == 0 else without[i % len(without)]
        letter, ids = re.subn(rb"(?im)^(Message-ID: *<)", rb"\g<1>%d." % i, letter, count=1)
        if not ids:
            letter = b"Message-ID: <%d@c.example.jp>\r\n" % i + letter
        with open(f"{directory}/{1700000000 + i}.M{i}.bench", "wb") as out:
            out.write(letter)


SEASON_PEAKS = (74, 196, 318)  # days of the year


def make_season(directory, scale):
    os.makedirs(directory, exist_ok=True)
    japan = datetime.timezone(datetime.timedelta(hours=9))
    number = 1
    for day in range(365):
        count = max(1, (220 + (20000 if day in SEASON_PEAKS else 0)) // scale)
        at = datetime.datetime(2025, 1, 1, 10, 0, tzinfo=japan) + datetime.timedelta(days=day)
        path = f"{directory}/{at:%Y%m%d}.csv"
        with open(path, "wb") as out:
            out.write(forms.as_csv(forms.application(n) for n in range(number, number + count)))
        os.utime(path, (at.timestamp(), at.timestamp()))
        number += count
    print(number - 1)


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in ("csv", "json", "mails", "season"):
        sys.exit(__doc__)
    {"csv": make_csv, "json": make_json, "mails": make_mails, "season": make_season}[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
