#!/usr/bin/python3
"""Each sample form is read as forms_truth.jsonl says: verdict, error codes, fields.

Compared as tests/samples/README.md says: NFKC, white space and variation selectors dropped, dashes equal,
representative without a title, contact without the department.
"""
import json
import os
import re
import subprocess
import sys
import unicodedata

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SAMPLES = os.path.join(ROOT, "tests", "samples")
CTL = os.path.join(ROOT, os.environ.get("SENGEN_BUILD", "build"), "sengenctl")


def fold(value):
    text = unicodedata.normalize("NFKC", str(value)).lower()
    text = re.sub(r"[\s\ufe00-\ufe0f\U000e0100-\U000e01ef]", "", text)
    text = re.sub(r"[\u301c~]", "~", text)
    return re.sub(r"[\u2010-\u2015\u2212\u30fc-]", "-", text)


def same(field, wanted, got):
    if isinstance(wanted, bool) or wanted is None or got is None:
        return wanted == got
    wanted, got = fold(wanted), fold(got)
    return got == wanted or (field in ("representative", "contact") and got.endswith(wanted))


def read(path, with_registry=True):
    registry = ["--registry", os.path.join(SAMPLES, "registry.csv")] if with_registry else []
    run = subprocess.run([CTL, "check-form", "--json", *registry, path], capture_output=True, text=True, timeout=60)
    if run.returncode not in (0, 1):
        sys.exit("%s: exit %d: %s" % (path, run.returncode, run.stderr))
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    assert run.returncode == (0 if all(line["valid"] for line in lines) else 1), path
    return lines


def main():
    faults = []
    files = 0
    with open(os.path.join(SAMPLES, "forms_truth.jsonl"), encoding="utf-8") as truths:
        for truth in map(json.loads, truths):
            files += 1
            name = truth["file"]
            got = read(os.path.join(SAMPLES, name))
            if [line["record"] for line in got] != list(range(1, len(truth["records"]) + 1)):
                faults.append("%s: %d records expected, got %s" % (name, len(truth["records"]), got))
                continue
            for wanted, line in zip(truth["records"], got):
                codes = sorted({error["code"] for error in line["errors"]})
                if not wanted.get("either") and (line["valid"] != wanted["valid"] or codes != sorted(set(wanted["errors"]))):
                    faults.append("%s:%d: expected %s %s, got %s %s" % (
                        name, line["record"], wanted["valid"], wanted["errors"], line["valid"], codes))
                for field, value in wanted["fields"].items():
                    if line["valid"] and not same(field, value, line["fields"].get(field)):
                        faults.append("%s:%d: %s: expected %r, got %r" % (
                            name, line["record"], field, value, line["fields"].get(field)))
    # What is no form at all: one line, record 0.
    lines = read(os.path.join(ROOT, "Makefile"), with_registry=False)
    if [line["record"] for line in lines] != [0] or lines[0]["valid"]:
        faults.append("the Makefile was read as a form: %s" % lines)
    for fault in faults:
        print(fault)
    print("%d sample files, %d faults" % (files, len(faults)))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
