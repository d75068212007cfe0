#!/usr/bin/python3
"""Each of the varied files of tests/peers/form_variations.py gets its verdict, its codes and its fields.

check_variations.py [SEED...]: other seeds than the fixed one.
"""
import collections
import json
import os
import pty
import subprocess
import sys
import tempfile

from check_forms import CTL, ROOT, same

sys.path.insert(0, os.path.join(ROOT, "tests", "peers"))
import form_variations  # noqa: E402

FILES_AT_ONCE = 500


def check_form(*words, rc=None):
    run = subprocess.run([CTL, "check-form", *words], capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    assert run.returncode in ((0, 1) if rc is None else (rc,)), "%s: exit %d: %s" % (words, run.returncode, run.stderr)
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    assert run.returncode == (0 if all(line["valid"] for line in lines) else 1), words
    return lines


def faults_of(case, lines):
    if case["records"] is None:
        if [(line["record"], line["valid"]) for line in lines] != [(0, False)]:
            yield "is no form file, but gave %s" % lines
        return
    if [line["record"] for line in lines] != list(range(1, len(case["records"]) + 1)):
        yield "%d records expected, got %s" % (len(case["records"]), lines)
        return
    for wanted, line in zip(case["records"], lines):
        # One finding a cause: no field is blamed twice, and no code comes uncalled.
        blamed = [error["field"] for error in line["errors"]]
        codes = sorted({error["code"] for error in line["errors"]})
        if line["valid"] != wanted["valid"] or codes != wanted["errors"] or len(blamed) != len(set(blamed)):
            yield "record %d: expected %s, got %s" % (line["record"], wanted["errors"], line["errors"])
        for field, value in wanted["fields"].items():
            if line["valid"] and not same(field, value, line["fields"].get(field)):
                yield "record %d: %s: expected %r, got %r" % (line["record"], field, value, line["fields"].get(field))


def variations(directory, seed):
    cases = form_variations.make(directory, seed)
    registry = os.path.join(directory, "registry.csv")
    paths = [os.path.join(directory, case["file"]) for case in cases]
    lines = collections.defaultdict(list)
    for at in range(0, len(paths), FILES_AT_ONCE):
        for line in check_form("--registry", registry, *paths[at:at + FILES_AT_ONCE]):
            lines[os.path.basename(line["file"])].append(line)
    faults = ["%s %s: %s" % (case["file"], " ".join(case["tags"]), fault)
        for case in cases for fault in faults_of(case, lines[case["file"]])]
    for fault in faults[:40]:
        print(fault)
    print("seed %d: %d files, %d faults" % (seed, len(cases), len(faults)))
    return not faults


def answers(directory):
    """Exit codes, files that are none, and what a terminal shows."""
    samples = os.path.join(ROOT, "tests", "samples", "forms")
    good, refused = os.path.join(samples, "003.txt"), os.path.join(samples, "001.csv")
    assert [line["valid"] for line in check_form(good, rc=0)] == [True]
    assert [line["valid"] for line in check_form(good, refused, good, rc=1)] == [True, False, True], "files are judged apart"
    fifo = os.path.join(directory, "fifo")
    os.mkfifo(fifo)
    link = os.path.join(directory, "dangling")
    os.symlink("/nonexistent", link)
    for path in (directory, fifo, link, os.path.join(directory, "absent"), "/dev/null", "/dev/zero"):
        line, = check_form(path, rc=1)
        assert line["record"] == 0 and line["errors"][0]["code"] == "unreadable" and line["errors"][0]["message"], line
        assert line["file"] == path, line
    assert [line["record"] for line in check_form(fifo, good, rc=1)] == [0, 1]
    assert subprocess.run([CTL, "check-form"], check=False, capture_output=True, timeout=60).returncode == 2
    assert subprocess.run([CTL, "check-form", "--registry", os.path.join(directory, "absent"), good], check=False,
        capture_output=True, timeout=60).returncode != 0

    shown = bytearray()
    pid, master = pty.fork()
    if pid == 0:
        os.execv(CTL, [CTL, "check-form", good])
    try:
        while True:
            data = os.read(master, 65536)
            if not data:
                break
            shown.extend(data)
    except OSError:
        pass
    os.close(master)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert "株式会社" in shown.decode() and not shown.startswith(b"{"), shown


def main():
    ok = True
    seeds = [int(word) for word in sys.argv[1:]] or [20261122]
    for seed in seeds:
        with tempfile.TemporaryDirectory(prefix="form_variations.") as directory:
            ok &= variations(directory, seed)
    with tempfile.TemporaryDirectory(prefix="form_variations.") as directory:
        answers(directory)
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
