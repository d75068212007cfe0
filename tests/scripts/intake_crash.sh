#!/bin/bash
# kill -9 in the middle of a file, again and again: every row is registered once, every file is answered once, and nothing is left over.
cd "$(dirname "$0")/../.."
. tests/scripts/lib
. tests/scripts/office
make_conf
rows=6000

forms 1 $rows | drop large.csv
for i in $(seq 9001 9040); do forms "$i" "$i" >"$spool/incoming/small-$i.csv"; done
: >"$dir/log"
kills=0
# A kill comes when the twelfth part of the file has been registered since the last one, and a moment later: on a fast machine as on a slow one
# it falls into the file.
registered() { [ "$(register 'select count(*) from application' 2>/dev/null || echo 0)" -ge "$1" ]; }
for moment in 0 3 1 6 2 0 8 4 1 9 5 0; do
	"$build/sengend" -c "$conf" intake 2>>"$dir/log" &
	pid=$!
	until_ok 60 registered $((kills * rows / 12 + 1))
	sleep "0.0$moment"
	if kill -9 $pid 2>/dev/null; then kills=$((kills + 1)); fi
	wait $pid 2>/dev/null || :
done
[ "$kills" -ge 10 ] || fail "only $kills kills came in time"
[ "$(grep -c file.resumed "$dir/log")" -ge 3 ] || fail "fewer than 3 kills fell into a file"
ready=$(grep -c role.ready "$dir/log" || :)
background "$build/sengend" -c "$conf" intake 2>>"$dir/log"
until_ok 120 eval '[ -z "$(ls -A "$spool/incoming")" ] && [ "$(register "select count(*) from file where state = 1")" = 0 ]'
until_ok 10 eval '[ "$(grep -c role.ready "$dir/log")" -gt "$ready" ]'
kill "$last_pid"
wait "$last_pid" || fail "exit status $? at SIGTERM"

total=$((rows + 40))
equal "$(register 'select count(*) from application')" $total applications
equal "$(register 'select count(distinct file_id || "/" || row) from application')" $total "rows registered once"
equal "$(register 'select count(*) from file')" 41 "files taken once"
equal "$(register 'select sum(accepted) from file')" $total "rows counted"
equal "$(register 'select count(*) from outbox')" $total "receipts"
equal "$(register 'select count(*) from file_row')" 0 "rows kept for the result"
equal "$(ls -A "$spool/work")" removing "left in work"
equal "$(find "$spool/accepted" -name '*.csv' | wc -l)" 41 originals
equal "$(find "$spool/accepted" -name '*_結果.txt' | wc -l)" 41 results
equal "$(grep -c '件目（.*登録しました' "$spool"/accepted/*/*/*_large.csv_結果.txt)" $rows "rows in the result"
cmp -s <(forms 1 $rows) "$spool"/accepted/*/*/*_large.csv || fail "the archived original differs"
# While intake is paused no file ends anything, however often the process does: none is given up for it.
forms 20001 23000 | drop paused.csv
background "$build/sengend" -c "$conf" intake 2>>"$dir/log"
until_ok 60 registered $((rows + 40 + 20))
kill -9 "$last_pid"
wait "$last_pid" 2>/dev/null || :
[ "$(register 'select count(*) from file where state = 1')" = 1 ] || fail "the kill came too late"
paused() { [ "$(register "select count(*) from fact where name = 'intake.paused'")" = "$1" ]; }
cp "$conf" "$dir/conf.before"
sed -i '/^disk_floor_mib/d' "$conf"
echo 'disk_floor_mib = 10485760;' >>"$conf"
for _ in $(seq 12); do
	ready=$(grep -c role.ready "$dir/log" || :)
	background "$build/sengend" -c "$conf" intake 2>>"$dir/log"
	until_ok 10 eval '[ "$(grep -c role.ready "$dir/log")" -gt "$ready" ]'
	until_ok 10 paused 1
	kill "$last_pid"
	wait "$last_pid" || fail "exit status $? at SIGTERM"
done
cp "$dir/conf.before" "$conf"
background "$build/sengend" -c "$conf" intake 2>>"$dir/log"
until_ok 120 eval '[ "$(register "select count(*) from file where state = 1")" = 0 ]'
kill "$last_pid"
wait "$last_pid" || fail "exit status $? at SIGTERM"
equal "$(grep -c file.given-up "$dir/log" || :)" 0 "files given up"
equal "$(register "select accepted from file where name = 'paused.csv'")" 3000 "rows of the file that waited"

"$build/sengenctl" -c "$conf" audit >/dev/null || fail "the audit found something"
echo "figure: intake killed $kills times, $(grep -c file.resumed "$dir/log") within a file: $total rows of 41 files, nothing lost, nothing twice"
