"""Reads metrics on standard input with Prometheus' own Python reader and holds them to the rules that `promtool check metrics` goes by."""
import re
import sys

from prometheus_client.parser import text_string_to_metric_families

text = sys.stdin.read()
faults, seen = [], set()
if not text.endswith("\n"):
    faults.append("the last line does not end")
for line in text.splitlines():
    if not re.fullmatch(r'# HELP sengen_[a-z_]+ \S.*\.|# TYPE sengen_[a-z_]+ (counter|gauge)|'
                        r'sengen_[a-z_]+(\{[a-z]+="(?:[^"\\]|\\.)*"\})? -?[0-9]+', line):
        faults.append(f"not a line of the format: {line}")

for family in text_string_to_metric_families(text):
    if family.name in seen:
        faults.append(f"{family.name}: its samples do not stand together")
    seen.add(family.name)
    if not family.documentation:
        faults.append(f"{family.name}: no HELP")
    if not family.samples:
        faults.append(f"{family.name}: no sample")
    labels = [tuple(sorted(sample.labels.items())) for sample in family.samples]
    if len(set(labels)) != len(labels):
        faults.append(f"{family.name}: the same labels twice")
    for sample in family.samples:
        counter = sample.name.endswith("_total")
        if counter != (family.type == "counter"):
            faults.append(f"{sample.name}: _total is for counters, and they for it")
        if counter and sample.value < 0:
            faults.append(f"{sample.name}: a counter below 0")
        # Base units, and never the kind of metric in its name.
        if re.search(r"_(minutes|hours|days|milliseconds|ms|kilobytes|mib|mb|percent|gauge|counter|count|sum|bucket)(_|$)", sample.name):
            faults.append(f"{sample.name}: not in base units, or named by its kind")
        if re.search(r"_(age|free|remaining|behind)", sample.name) and not re.search(r"_(seconds|bytes)$", sample.name):
            faults.append(f"{sample.name}: its unit is missing")
if len(seen) < 30:
    faults.append(f"only {len(seen)} families")
for fault in faults:
    print(fault, file=sys.stderr)
sys.exit(bool(faults))
