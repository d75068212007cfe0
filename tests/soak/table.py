"""One table of what the experiments report: a column each, a row a figure. usage: table.py OUTPUT..."""
import json
import sys

rows = []
for path in sys.argv[1:]:
    with open(path, errors="replace") as file:
        rows += [json.loads(line[5:]) for line in file if line.startswith("row: ")]
names = []
for row in rows:
    names += [name for name in row if name not in names]
table = [[name] + [str(row.get(name, "")) for row in rows] for name in names]
widths = [max(len(line[i]) for line in table) for i in range(len(rows) + 1)] if table else []
for line in table:
    print("  ".join(cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(line, widths))))
