#!/bin/bash
# The virtual clock: files arrive at their time, weeks pass, and a run repeated gives the same bytes.
cd "$(dirname "$0")/../.."
. tests/scripts/lib
. tests/scripts/office
make_conf

run() { # run NAME: a simulation from nothing; spool and mails are kept in $dir/NAME
	rm -rf "$spool" "$state" "$dir/run"
	mkdir -p "$spool/incoming" "$dir/run"
	forms 1 20 >"$spool/incoming/first.csv"
	touch -d '2026-03-02 14:00 +0900' "$spool/incoming/first.csv"
	{ forms 21 22; forms 23 23 | tail -1 | sed 's/東京都/東京府/'; } >"$spool/incoming/second.csv"
	touch -d '2026-03-05 20:30 +0900' "$spool/incoming/second.csv"
	printf '申込番号,処理,理由\n2,保留,見本\n' >"$spool/incoming/decisions.csv"
	touch -d '2026-03-06 10:00 +0900' "$spool/incoming/decisions.csv"
	forms 90 90 >"$spool/incoming/later.csv"
	touch -d '2026-06-01 10:00 +0900' "$spool/incoming/later.csv"
	mkdir -p "$state/mailbox"/{new,cur,tmp}
	printf 'From: tanto1@example.co.jp\r\nTo: security-action-info@sa.example.jp\r\nSubject: news\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\n%s\r\n' \
		'メールニュースの配信停止をお願いします。' >"$state/mailbox/new/news"
	touch -d '2026-03-17 10:00 +0900' "$state/mailbox/new/news"
	said=$("$build/sengend" -c "$conf" --simulate-until 2026-04-10) || fail "exit status $?"
	mkdir "$dir/$1"
	cp -rp "$spool" "$state/maildir" "$state/mailbox" "$dir/$1/"
	printf '%s\n' "$said" >"$dir/$1/said"
}
run one
run two
diff -r "$dir/one" "$dir/two" >/dev/null || fail "two runs differ: $(diff -rq "$dir/one" "$dir/two" | head -5)"

contains "$said" "2026-03-02 14:00" "beginning"
contains "$said" "logo_authorized 21" "summary"
contains "$said" "notices sent 65" "summary"
[ -e "$state/mailbox/.&UeZ0Bm4IMH8-/cur/news:2," ] || fail "a mail of the mailbox was not dealt with: $(find "$state/mailbox" -type f)"
[ -e "$spool/incoming/later.csv" ] || fail "a file of the future was taken"
ls "$spool"/accepted/2026/03/20260305-203000_second.csv_結果.txt >/dev/null || fail "no result at its time"
days=$(cat "$state"/maildir/new/* | sed -n 's/^Date: \(.*20[0-9][0-9]\) .*/\1/p' | sort | uniq -c | tr -s ' \n' ' ')
equal "$days" " 20 Mon, 02 Mar 2026 19 Mon, 09 Mar 2026 19 Mon, 16 Mar 2026 2 Thu, 05 Mar 2026 2 Thu, 12 Mar 2026 2 Thu, 19 Mar 2026 1 Tue, 17 Mar 2026 " \
	"days of the mails"

# Going on from where it ended: the file of June arrives now.
"$build/sengend" -c "$conf" --from 2026-04-11 --simulate-until 2026-07-01 >"$dir/said" || fail "exit status $?"
contains "$(cat "$dir/said")" "logo_authorized 22" "summary"

# A simulation never mails strangers, and its register never becomes a live one.
make_conf 'state_directory = "state2";'
echo 'transport : { maildir = false; host = "mail.example.jp"; };' >>"$conf"
status=0
"$build/sengend" -c "$conf" --simulate-until 2026-12-31 2>"$dir/said" || status=$?
equal "$status" 3 "a real mail server"
contains "$(cat "$dir/said")" Maildir "reason"
make_conf
status=0
"$build/sengend" -c "$conf" --once 2>"$dir/said" || status=$?
[ "$status" != 0 ] || fail "a live run took a simulated register"
