#!/bin/bash
# Very many files at once (10,000: SENGEN_FILES=10000), and one file with many rows: all are taken, none twice, memory stays flat.
# SENGEN_FILES, SENGEN_ROWS: how many. That ten thousand names are found at all is in test_spool.
cd "$(dirname "$0")/../.."
. tests/scripts/lib
. tests/scripts/office
make_conf 'outbox_bound = 1000000;' 'receipt_ceiling = 1000000;'
files=${SENGEN_FILES:-2000} rows=${SENGEN_ROWS:-10000}
peak_kib() { sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$daemon/status"; }
done_files() { register 'select count(*) from file where state = 2'; }

# Small files: a template, and a number of its own in each.
mkdir "$dir/many"
/usr/bin/python3 - "$dir/many" "$files" <(forms 1 "$files") <<'END'
import sys
with open(sys.argv[3], encoding="utf-8", newline="") as f:
    head, *rows = f.read().split("\r\n")[:-1]
for i, row in enumerate(rows):
    with open(f"{sys.argv[1]}/{i:05d}.csv", "w", encoding="utf-8", newline="") as f:
        f.write(f"{head}\r\n{row}\r\n")
END
start_daemon intake
begin=$(date +%s)
find "$dir/many" -name '*.csv' -exec mv -t "$spool/incoming" {} +
until_ok 800 eval '[ "$(done_files)" = "$files" ]'
seconds=$(($(date +%s) - begin + 1))
equal "$(register 'select count(*) from application')" "$files" applications
equal "$(ls -A "$spool/incoming")" "" "left in incoming"
echo "figure: $files files in $seconds s, $((files / seconds)) a second, peak $(peak_kib) KiB"
stop_daemon || fail "exit status $? at SIGTERM"

start_daemon intake
begin=$(date +%s)
forms 1000001 $((1000000 + rows)) | drop rows.csv
until_ok 120 eval '[ "$(register "select max(rows_done) from file")" -ge $((rows / 2)) ]'
half=$(peak_kib)
until_ok 400 eval '[ "$(done_files)" = $((files + 1)) ]'
seconds=$(($(date +%s) - begin + 1))
equal "$(register 'select count(*) from application')" $((files + rows)) applications
[ "$(peak_kib)" -le $((half + 8192)) ] || fail "memory grew from $half KiB at half to $(peak_kib) KiB at the end"
echo "figure: $rows rows of one CSV in $seconds s, $((rows / seconds)) a second, peak $(peak_kib) KiB"
stop_daemon || fail "exit status $? at SIGTERM"
