#!/bin/bash
# The events of the log: each one that is written stands in the catalogue and the manual, none stands there that is not written, and the
# journal takes both catalogues with the MESSAGE_IDs that the program sends.
cd "$(dirname "$0")/../.."
. tests/scripts/lib

"$build/tools/catalog" names | sort >"$dir/names"
equal "$(cut -d ' ' -f 1 "$dir/names" | uniq -d)" "" "twice in log_events.def"
equal "$(cut -d ' ' -f 2 "$dir/names" | sort | uniq -d)" "" "the same MESSAGE_ID twice"

# Every name in the second argument of a call, both sides of a condition as well.
/usr/bin/python3 - "$dir/names" <<'PYTHON' || fail "log_events.def does not fit the calls of log_event()"
import pathlib
import re
import sys


def second_argument(text, at):
    """From behind the bracket of a call to the end of its second argument."""
    depth, quoted, commas, start = 0, False, 0, None
    while True:
        c = text[at]
        if quoted:
            if c == "\\":
                at += 1
            quoted = c != '"'
        elif c == '"':
            quoted = True
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            if depth == 0:
                return text[start:at]
            depth -= 1
        elif c == "," and depth == 0:
            commas += 1
            if commas == 1:
                start = at + 1
            if commas == 2:
                return text[start:at]
        at += 1


known = {line.split()[0] for line in open(sys.argv[1])}
written, faults = set(), []
for top in ("lib", "daemon", "ctl"):
    for path in pathlib.Path(top).rglob("*.c"):
        if path.name == "log.c":
            continue
        text = path.read_text()
        for call in re.finditer(r"\blog_event\(", text):
            names = re.findall(r'"([^"]*)"', second_argument(text, call.end()))
            if not names:
                faults.append(f"{path}: the name of an event is no literal; write it out")
            for name in names:
                written.add(name)
                if name not in known:
                    faults.append(f"{path}: {name} is not in lib/base/log_events.def: say there what it means and what to do")
faults += [f"lib/base/log_events.def: {name} is written nowhere" for name in sorted(known - written)]
print(f"figure: {len(written)} events in the catalogue")
print("\n".join(faults), file=sys.stderr)
sys.exit(bool(faults))
PYTHON

# The same number in the manual.
ready=$(sed -n 's/^role.ready //p' "$dir/names")
grep -q "MESSAGE_ID=$ready" "$build/man/sengen-events.7" || fail "the manual has another MESSAGE_ID"

# The journal's own reader takes both files; a Japanese reader gets Japanese.
catalogs=$dir/root/usr/lib/systemd/catalog
mkdir -p "$catalogs" "$dir/root/var/lib/systemd/catalog"
cp "$build/sengen.catalog" "$build/sengen.ja.catalog" "$catalogs/"
said=$(journalctl --root="$dir/root" --update-catalog 2>&1) || fail "the catalogue is refused: $said"
lacks "$said" sengen "update-catalog"
listed=$(journalctl --root="$dir/root" --list-catalog 2>/dev/null)
while read -r name id; do
	contains "$listed" "$id sengen: sengen: $name" "list-catalog"
done <"$dir/names"
equal "$(printf '%s\n' "$listed" | wc -l)" "$(wc -l <"$dir/names")" "entries of the catalogue"
shown=$(LC_ALL=C.UTF-8 journalctl --root="$dir/root" --dump-catalog "$ready")
contains "$shown" "A role has opened the register" "English"
grep -qP '[ぁ-ん]' "$build/sengen.ja.catalog" || fail "the Japanese catalogue is not in Japanese"
equal "$(grep -c '^-- ' "$build/sengen.ja.catalog")" "$(wc -l <"$dir/names")" "entries of the Japanese catalogue"
