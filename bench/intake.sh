#!/bin/bash
# intake.sh [ROWS]: one CP932 CSV of so many applications through the role intake: rows a second, peak memory; then `sengenctl plan`.
set -euo pipefail
cd "$(dirname "$0")/.."
rows=${1:-100000}
build=$(cd "${SENGEN_BUILD:-build}" && pwd)
top=$PWD
dir=$(mktemp -d "${TMPDIR:-/var/tmp}/sengen-bench.XXXXXX")
role=
trap '[ -z "$role" ] || kill $role 2>/dev/null; rm -rf "$dir"' EXIT
mkdir -p "$dir/spool/incoming"
cat >"$dir/sengend.conf" <<CONF
spool_directory = "spool"; state_directory = "state"; runtime_directory = "run"; template_directory = "$top/templates/mail";
profile_files = ( "$top/config/profiles/form.conf" );
settle_seconds = 0; rescan_seconds = 1; receipt_ceiling = 1000000; outbox_bound = 10000000;
CONF
/usr/bin/python3 - "$dir/forms.csv" "$rows" <<'PY'
import sys
sys.path.insert(0, "tests/peers")
import forms
open(sys.argv[1], "wb").write(forms.as_csv([forms.application(n) for n in range(1, int(sys.argv[2]) + 1)]))
PY
mv "$dir/forms.csv" "$dir/spool/incoming/forms.csv"
begun=$(date +%s.%N)
"$build/sengend" -c "$dir/sengend.conf" intake 2>"$dir/log" &
role=$!
peak=0 last=$begun half=
while ! ls "$dir"/spool/accepted/*/*/*_結果.txt >/dev/null 2>&1; do
	sleep 0.2
	now=$(awk '/VmHWM/ {print $2}' /proc/$role/status 2>/dev/null || echo 0)
	[ "${now:-0}" -le "$peak" ] || peak=$now
	kill -0 $role 2>/dev/null || { cat "$dir/log"; exit 1; }
done
ended=$(date +%s.%N)
kill $role && wait $role 2>/dev/null || true
role=
awk -v a="$begun" -v b="$ended" -v n="$rows" -v p="$peak" 'BEGIN {printf "figure: intake of one CSV: %d rows in %.1f s, %.0f rows/s, peak RSS of the role %.1f MiB\n", n, b - a, n / (b - a), p / 1024}'
for run in 1 2 3; do
	begun=$(date +%s%N)
	"$build/sengenctl" -c "$dir/sengend.conf" plan --count >/dev/null
	echo "figure: plan --count over $rows waiting applications: $((($(date +%s%N) - begun) / 1000000)) ms"
done
