#!/bin/bash
# Small files that are taken together: each is answered as if it had come alone, whatever lies beside it.
cd "$(dirname "$0")/../.."
. tests/scripts/lib
. tests/scripts/office
make_conf

for i in $(seq 1 60); do forms "$i" "$i" >"$spool/incoming/good-$i.csv"; done
printf '{"broken' >"$spool/incoming/broken.json"
: >"$spool/incoming/empty.csv"
forms 1001 1080 | gzip -n >"$spool/incoming/archive.csv"
forms 2001 2100 >"$spool/incoming/many.csv" # more rows than a file of a bundle may have, and more bytes
{ forms 1 0; for i in $(seq 100); do printf ',,,%s\r\n' "$i"; done; } >"$spool/incoming/narrow.csv" # more rows in few bytes
forms 60 60 | sed 's/見本1-60/見本9-60/' >"$spool/incoming/second.csv" # a business that has applied
cp "$spool/incoming/good-7.csv" "$spool/incoming/again.csv" # the same content
touch -d '1 second' "$spool/incoming/second.csv" "$spool/incoming/again.csv"
start_daemon intake
until_ok 60 eval '[ -z "$(ls -A "$spool/incoming")" ] && [ "$(register "select count(*) from file where state = 1")" = 0 ]'
stop_daemon || fail "exit status $? at SIGTERM"

answer() { cat "$spool"/*/*/*/*_"$1"_結果.txt; }
equal "$(register 'select count(*) from file')" 67 "files taken"
equal "$(register 'select count(*) from application')" 160 applications
equal "$(register 'select count(*) from outbox')" 160 receipts
equal "$(register 'select count(*) from file_row')" 0 "rows kept for the result"
for i in $(seq 1 60); do answer "good-$i.csv" | grep -q '1件目.*登録しました' || fail "good-$i.csv is not answered"; done
equal "$(answer many.csv | grep -c '登録しました（')" 100 "rows of the long one"
equal "$(answer narrow.csv | grep -c '件目（.*受け付けられません')" 100 "rows of the narrow one"
for name in broken.json empty.csv archive.csv; do
	[ -e "$(ls "$spool"/rejected/*/*/*_"$name")" ] || fail "$name is not among the rejected"
	answer "$name" | grep -qE '理由: |件目.*受け付けられません' || fail "$name is refused without a reason"
done
answer second.csv | grep -q '受け付けられません' || fail "a second application of a business is not refused"
answer again.csv | grep -q '同じ内容です' || fail "the same content is taken twice"
equal "$(ls -A "$spool/work")" removing "left in work"
"$build/sengenctl" -c "$conf" audit >/dev/null || fail "the audit found something"
