#!/bin/bash
# inspect.sh: how many mails `sengenctl inspect` reads in a second: letters, a tenth of them with a form, made into as many as wanted.
# usage: bench/inspect.sh [MAILS]      (10000)
set -eu
cd "$(dirname "$0")/.."
count=${1:-10000}
ctl=$PWD/${SENGEN_BUILD:-build}/sengenctl
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

/usr/bin/python3 tests/peers/letters.py "$dir/letters" tests/data/letters
/usr/bin/python3 - "$dir" "$count" <<'MAKE'
import os, sys
folder, count = sys.argv[1], int(sys.argv[2])
letters = sorted(os.listdir(folder + "/letters"))
mails = [open(os.path.join(folder, "letters", name), "rb").read() for name in letters if name.endswith(".eml")]
forms = [mail for mail in mails if b"wordprocessingml" in mail]
plain = [mail for mail in mails if b"wordprocessingml" not in mail]
os.makedirs(folder + "/mails")
total = 0
for i in range(count):
    mail = forms[i // 10 % len(forms)] if i % 10 == 0 else plain[i % len(plain)]
    mail = mail.replace(b"Message-ID: <", b"Message-ID: <%d." % i, 1)
    total += len(mail)
    with open("%s/mails/%06d.eml" % (folder, i), "wb") as out:
        out.write(mail)
with open(folder + "/bytes", "w") as out:
    out.write(str(total))
MAKE
bytes=$(cat "$dir/bytes")
cd "$dir/mails"
began=$(date +%s%N)
find . -name '*.eml' -print0 | sort -z | xargs -0 "$ctl" inspect --json >"$dir/readings.jsonl"
ended=$(date +%s%N)
read=$(wc -l <"$dir/readings.jsonl")
[ "$read" = "$count" ] || { echo "only $read of $count mails were read"; exit 1; }
awk -v n="$count" -v b="$bytes" -v t=$((ended - began)) 'BEGIN {
	s = t / 1e9; printf "figure: %d mails, %.1f MB in %.1f s: %.0f mails/s, %.2f MB/s\n", n, b / 1e6, s, n / s, b / 1e6 / s }'
grep -c '"review":false' "$dir/readings.jsonl" | sed 's/$/ of them need nobody/'
