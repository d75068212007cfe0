#!/bin/bash
# kill -9 in the middle of a file of decisions, again and again: each is carried out once, and the result tells of every row.
cd "$(dirname "$0")/../.."
. tests/scripts/lib
. tests/scripts/office
make_conf
rows=300

start_daemon
forms 1 $rows | drop 申込み.csv
until_ok 120 eval '[ "$(register "select count(*) from outbox where state = 3")" = $rows ]'
stop_daemon || fail "exit status $? at SIGTERM"

# A letter sent twice, or a hold that is refused because it is there already, would show.
{ printf '申込番号,処理,通知,項目,新しい値,理由\n'
	for i in $(seq 1 $rows); do
		printf '%s,再送,受付,,,\n%s,訂正,,担当者名,見本 %s,電話で申出\n%s,保留,,,,確認中\n' "$i" "$i" "$i" "$i"
	done; } >"$dir/decisions.csv"
cp "$dir/decisions.csv" "$spool/incoming/判断.csv"
: >"$dir/log"
kills=0
for pause in 0.30 0.45 0.35 0.60 0.32 0.50 0.38 0.80 0.33 0.70; do
	"$build/sengend" -c "$conf" intake 2>>"$dir/log" &
	pid=$!
	sleep $pause
	if kill -9 $pid 2>/dev/null; then kills=$((kills + 1)); fi
	wait $pid 2>/dev/null || :
done
log_has file.resumed || fail "no kill fell into the file"
ready=$(grep -c role.ready "$dir/log" || :)
background "$build/sengend" -c "$conf" intake 2>>"$dir/log"
until_ok 120 eval '[ "$(register "select count(*) from file where state = 2")" = 2 ]'
until_ok 10 eval '[ "$(grep -c role.ready "$dir/log")" -gt "$ready" ]'
kill "$last_pid"
wait "$last_pid" || fail "exit status $? at SIGTERM"

equal "$(register 'select decided, refused from file where id = 2')" "$((3 * rows))|0" "decisions counted"
equal "$(register 'select count(*) from outbox')" $((2 * rows)) "letters"
equal "$(register 'select max(n) from (select count(*) n from outbox group by application_id)')" 2 "letters of one application"
equal "$(register 'select count(*) from application where hold = 1')" $rows "holds"
equal "$(register 'select count(*) from history where event = 24')" $rows "corrections"
equal "$(register 'select count(*) from file_row')" 0 "rows kept for the result"
equal "$(ls -A "$spool/work")" removing "left in work"
equal "$(grep -c '件目（.*処理しました' "$spool"/accepted/*/*/*_判断.csv_結果.txt)" $((3 * rows)) "rows in the result"
"$build/sengenctl" -c "$conf" audit >/dev/null || fail "the audit found something"
echo "figure: intake killed $kills times within $((3 * rows)) decisions, each carried out once"
