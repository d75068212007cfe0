#!/bin/bash
# A simulation run twice gives the same bytes: mails, results and the whole register. One that goes on from an earlier one draws
# numbers of its own.
cd "$(dirname "$0")/../.."
. tests/scripts/lib
. tests/scripts/office
make_conf 'receipt_ceiling = 5000;' 'notify_refused = true;'

simulate() { "$build/sengend" -c "$conf" "$@" >>"$dir/said" 2>&1 || fail "exit status $?: $(tail -2 "$dir/said")"; }
run() { # run NAME: from nothing, stopped in the middle and gone on with; what came of it is kept in $dir/NAME
	rm -rf "$spool" "$state" "$dir/run" "$dir/said"
	mkdir -p "$spool/incoming" "$dir/run" "$dir/$1"
	{ forms 1 150; forms 151 154 | tail -4 | sed 's/東京都/東京府/'; } >"$spool/incoming/first.csv"
	forms 155 160 | iconv -t CP932//TRANSLIT | tail -c +2 >"$spool/incoming/second.csv"
	touch -d '2026-03-02 14:00 +0900' "$spool/incoming/first.csv"
	touch -d '2026-03-06 19:00 +0900' "$spool/incoming/second.csv"
	printf '申込番号,処理,理由\n2,保留,見本\n3,取下げ,見本\n4,却下,見本\n' >"$spool/incoming/decisions.csv"
	touch -d '2026-03-06 10:00 +0900' "$spool/incoming/decisions.csv"
	simulate --simulate-until 2026-03-12
	printf '申込番号,処理,理由\n2,保留解除,見本\n' >"$spool/incoming/later.csv"
	touch -d '2026-03-14 10:00 +0900' "$spool/incoming/later.csv"
	simulate --from 2026-03-13 --simulate-until 2026-04-30
	cp -rp "$spool" "$state/maildir" "$dir/said" "$dir/$1/"
	sqlite3 "$state/register.db" .dump >"$dir/$1/register.sql"
}
run one
run two
diff -r "$dir/one" "$dir/two" >/dev/null || fail "two runs differ: $(diff -rq "$dir/one" "$dir/two" | head -5)"
[ "$(grep -c 'INSERT INTO history' "$dir/one/register.sql")" -gt 800 ] || fail "the register's dump is empty"

# Whoever goes on meets more numbers on file than would be drawn in vain.
rm -rf "$spool" "$state" "$dir/run"
mkdir -p "$spool/incoming" "$dir/run"
forms 1 1050 >"$spool/incoming/first.csv"
touch -d '2026-03-02 14:00 +0900' "$spool/incoming/first.csv"
simulate --simulate-until 2026-03-11
forms 1051 1060 >"$spool/incoming/second.csv"
touch -d '2026-03-13 14:00 +0900' "$spool/incoming/second.csv"
simulate --from 2026-03-12 --simulate-until 2026-03-25
equal "$(register 'SELECT count(DISTINCT declaration_id) FROM application WHERE declaration_id > 0')" 1060 "declaration IDs"
