#!/usr/bin/python3
"""Compares what `sengenctl inspect` says about mails with what is right.

inspect_truth.py TRUTH.jsonl READINGS.jsonl [FOLDER]: FOLDER stands before the file names of the readings. Compared as
tests/samples/README.md says. Ends with the figures; exit 1 when anything differs.
"""
import json
import re
import sys
import unicodedata

REQUESTS = ("stop-request", "resend-request", "change-request", "news-unsubscribe", "id-enquiry")
NUMBERS = ("declaration_id", "user_number", "corporate_number")


def fold(value):
    text = unicodedata.normalize("NFKC", str(value))
    text = re.sub(r"[\s\ufe00-\ufe0f\U000e0100-\U000e01ef]", "", text)
    text = text.replace("\u301c", "~").replace("\u223c", "~")
    text = re.sub(r"[\u2014\u2015]", "\u2014", text)
    return re.sub(r"[\u2010-\u2013\u2212\u30fc\uff0d]", "-", text)


def same(field, wanted, got):
    if wanted is None or got is None or isinstance(wanted, bool):
        return wanted == got
    if field == "changes":
        return len(wanted) == len(got) and all(
            same("value", w[key], g.get(key)) for w, g in zip(wanted, got) for key in ("item", "old", "new"))
    if isinstance(wanted, list):
        return sorted(fold(w).lower() for w in wanted) == sorted(fold(g).lower() for g in got)
    wanted, got = fold(wanted), fold(got)
    if field in NUMBERS:
        return re.sub(r"\D", "", wanted) == re.sub(r"\D", "", got)
    if field == "mail":
        return wanted.lower() == got.lower()
    return got == wanted or (field in ("representative", "contact") and got.endswith(wanted))


def faults_of(truth, got):
    faults = []
    kind = got["kind"]
    if kind not in truth["accept"]:
        faults.append("kind %s, not %s" % (kind, "/".join(truth["accept"])))
    if kind in truth.get("never", ()):
        faults.append("HARM: kind %s" % kind)
    if truth["kind"] != "auto-reply" and kind in REQUESTS:
        if truth["auto_ok"] and got["review"]:
            faults.append("IDLE REVIEW")
        if not truth["auto_ok"] and not got["review"]:
            faults.append("HARM: nobody looks at it")
    if kind == "other" and not got["review"]:
        faults.append("other without review")
    for field, wanted in truth["fields"].items():
        value = got["fields"].get(field)
        if value is None and (wanted is None or field in truth.get("optional", ())):
            continue
        if kind != truth["kind"] and value is None:
            continue
        if not same(field, wanted, value):
            faults.append("%s: %r, not %r" % (field, value, wanted))
    return faults


def main():
    folder = sys.argv[3] + "/" if len(sys.argv) > 3 else ""
    with open(sys.argv[2], encoding="utf-8") as file:
        readings = {line["file"]: line for line in map(json.loads, file)}
    with open(sys.argv[1], encoding="utf-8") as file:
        truths = [json.loads(line) for line in file]
    wrong = fields = 0
    for truth in truths:
        got = readings.get(folder + truth["file"])
        faults = faults_of(truth, got) if got else ["not read at all"]
        fields += len(truth["fields"])
        if faults:
            wrong += 1
            print("%s %s\n    %s\n    why: %s" % (
                truth["file"], " ".join(truth["tags"]), "\n    ".join(faults), got["why"] if got else ""))
    print("figure: %d mails, %d fields, %d mails read wrongly" % (len(truths), fields, wrong))
    return 1 if wrong or not truths else 0


if __name__ == "__main__":
    sys.exit(main())
