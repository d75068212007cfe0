#!/bin/bash
# Intake: what ends where, exactly once; hostile drop folders; the same content twice; staff decisions; room running out.
cd "$(dirname "$0")/../.."
. tests/scripts/lib
. tests/scripts/office
make_conf 'settle_seconds = 1;' 'rescan_seconds = 1;'
echo 'limits : { file_bytes = 100000; };' >>"$conf"
applications() { register 'select count(*) from application'; }
result() { cat "$spool"/*/*/*/*"_$1_結果.txt"; }
start_daemon intake

# Good and bad rows: one bad row does not reject its neighbours, and comes back to be mended.
{ forms 1 2; forms 3 3 | tail -1 | sed 's/東京都/東京府/'; } | drop mixed.csv
until_ok 30 log_has 'file.done file=1 registered=2 review=0 same=0 refused=1'
ls "$spool"/accepted/*/*/*_mixed.csv >/dev/null || fail "the original is not in the archive"
contains "$(result mixed.csv)" 東京府 "result"
mended=$(cat "$spool"/accepted/*/*/*_mixed.csv_要修正.csv)
contains "$mended" 株式会社サンプル3 "rows to mend"
lacks "$mended" 株式会社サンプル1 "rows to mend"
printf '%s\n' "$mended" | sed 's/東京府/東京都/g' | drop mended.csv
until_ok 30 log_has 'file.done file=2 registered=1 review=0 same=0 refused=0'

# The same content under another name changes nothing and says so; the same rows in another file too.
{ forms 1 2; forms 3 3 | tail -1 | sed 's/東京都/東京府/'; } | drop again.csv
until_ok 30 log_has 'file=3 registered=0 review=0 same=0 refused=0 decided=0 same_as=1'
contains "$(result again.csv)" mixed.csv "result of a file dropped again"
forms 1 4 | drop overlapping.csv
until_ok 30 log_has 'file.done file=4 registered=1 review=0 same=3'
equal "$(applications)" 4 applications

# Dropped again under the very name, inode and time of a file that was taken: still answered.
forms 5 5 >"$dir/kept"
cp -p "$dir/kept" "$spool/incoming/kept.csv"
until_ok 30 log_has 'file.done file=5 registered=1'
cp -p "$dir/kept" "$spool/incoming/kept.csv"
until_ok 30 log_has 'file.done file=6 registered=0'

# A slow writer: nothing is taken before it has ended.
slow() {
	forms 10 11 >"$dir/slow"
	head -c 700 "$dir/slow" >"$spool/incoming/slow.csv"
	for at in 701 900 1100; do
		sleep 0.7
		tail -c +$at "$dir/slow" | head -c 200 >>"$spool/incoming/slow.csv"
	done
	cp "$dir/slow" "$spool/incoming/slow.csv"
}
slow
until_ok 30 log_has 'file.done file=7 registered=2'

# What is no form, and what is no file. None of it blocks the good file that comes last.
mkfifo "$spool/incoming/fifo.csv"
ln -s /etc/passwd "$spool/incoming/link.csv"
ln -s /nowhere "$spool/incoming/dangling.csv"
mkdir "$spool/incoming/directory.csv"
for name in '~$a.xlsx' '.~lock.a.csv#' a.tmp b.csv.part; do forms 90 90 >"$spool/incoming/$name"; done
: >"$spool/incoming/empty.csv"
head -c 200000 /dev/zero | drop large.csv
head -c 5000 /dev/urandom | drop $'line\nbreak\x83.xlsx'
forms 12 12 | drop last.csv
until_ok 30 eval '[ "$(register "select count(*) from application where state = 2")" = 8 ]'
until_ok 30 eval '[ "$(ls "$spool"/rejected/*/*/*結果.txt | wc -l)" = 3 ]'
contains "$(cat "$spool"/rejected/*/*/*_empty.csv_結果.txt)" 空です "result of an empty file"
contains "$(cat "$spool"/rejected/*/*/*_large.csv_結果.txt)" 大きすぎます "result of a large file"
[ ! -e "$spool/incoming/large.csv" ] || fail "the large file is still there"
left=$(cd "$spool/incoming" && ls -A | sort | tr '\n' ' ')
equal "$left" ".~lock.a.csv# a.tmp b.csv.part dangling.csv directory.csv fifo.csv link.csv ~\$a.xlsx " "left in incoming"
equal "$(grep -c 'spool.left-alone' "$dir/log")" 4 "lines about what was left alone"
lacks "$(cat "$dir/log")" サンプル "log"
lacks "$(cat "$dir/log")" example.co.jp "log"

# Decisions of staff, each on its own.
printf '申込番号,処理,理由\n1,保留,電話で確認中\n999,却下,見本\n2,却下,\n3,却下,重複のため\n' | drop decisions.csv
until_ok 30 eval '[ "$(register "select hold from application where id = 1")" = 1 ]'
until_ok 30 eval '[ "$(register "select state from application where id = 3")" = 5 ]'
until_ok 30 log_has 'refused=2 decided=2'
equal "$(register 'select state from application where id = 2')" 2 "a rejection without a reason"
contains "$(result decisions.csv)" 999 "result of decisions"

# No room: intake waits and says so, and goes on when there is room again.
echo 'disk_floor_mib = 10485760;' >"$dir/floor"
sed -i '/^disk_floor_mib/d' "$conf"
cat "$dir/floor" >>"$conf"
kill -HUP "$daemon"
until_ok 30 log_has intake.paused
forms 20 20 | drop waits.csv
contains "$(register "select value from fact where name = 'intake.paused'")" disk "fact"
[ -e "$spool/incoming/waits.csv" ] || fail "a file was taken without room"
sed -i '/^disk_floor_mib/d' "$conf"
echo 'disk_floor_mib = 1;' >>"$conf"
kill -HUP "$daemon"
until_ok 30 log_has intake.resumed
until_ok 30 eval '[ ! -e "$spool/incoming/waits.csv" ]'
equal "$(register "select count(*) from fact where name = 'intake.paused'")" 0 "fact"

# Room made while it did not run is seen at its start.
paused() { [ "$(register "select count(*) from fact where name = 'intake.paused'")" = "$1" ]; }
sed -i '/^disk_floor_mib/d' "$conf"
cat "$dir/floor" >>"$conf"
kill -HUP "$daemon"
until_ok 30 paused 1
stop_daemon || fail "exit status $? at SIGTERM"
sed -i '/^disk_floor_mib/d' "$conf"
echo 'disk_floor_mib = 1;' >>"$conf"
start_daemon
until_ok 30 paused 0

stop_daemon || fail "exit status $? at SIGTERM"
equal "$(ls -A "$spool/work")" removing "left in work"
