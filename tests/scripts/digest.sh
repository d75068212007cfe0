#!/bin/bash
# The desk's own time: a digest each morning of an office day, books that balance each evening, and what does not fit is found and told.
cd "$(dirname "$0")/../.."
. tests/scripts/lib
. tests/scripts/office
make_conf 'desk_mail = ( "desk@sa.example.jp", "chief@sa.example.jp" );' 'share_url = "file://server/sengen/";'

simulate() { "$build/sengend" -c "$conf" "$@" >"$dir/said" || fail "exit status $?"; }
digests() { # DATE: the files of that day's digests, such as "Wed, 04 Mar"
	find "$state/maildir/new" -type f -print0 | sort -z | xargs -0 grep -lZ "^Message-ID: <digest" | xargs -0 grep -l "^Date: $1"
}
text_of() { # the first body of a digest
	/usr/bin/python3 -c '
import email, email.policy, sys
mail = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default)
print(mail["Subject"]); print(mail.get_body(("plain",)).get_content())' "$1"
}

forms 1 12 >"$spool/incoming/first.csv"
touch -d '2026-03-02 14:00 +0900' "$spool/incoming/first.csv"
{ forms 21 22; forms 23 23 | tail -1 | sed 's/東京都/東京府/'; } >"$spool/incoming/second.csv"
touch -d '2026-03-05 16:30 +0900' "$spool/incoming/second.csv"
simulate --from 2026-03-02 --simulate-until '2026-03-22 12:00'

# To both, on the fifteen office days from Monday the 2nd on but for 春分の日, at 08:30.
days=$(grep -h "^Date: " $(digests '') | sed 's/^Date: \(...\), \(..\) .* \(..:..\):.*/\1 \2 \3/' | tr -d '\r' | sort | uniq -c | tr -s ' \n' ' ')
expected=$(for day in Mon\ 02 Tue\ 03 Wed\ 04 Thu\ 05 Fri\ 06 Mon\ 09 Tue\ 10 Wed\ 11 Thu\ 12 Fri\ 13 Mon\ 16 Tue\ 17 Wed\ 18 Thu\ 19; do
	echo "$day 08:30"; done | sort | sed 's/^/ 2 /' | tr -s ' \n' ' ')
equal "$days" "$expected" "days of the digests"
/usr/bin/python3 tests/peers/digest.py $(digests '') || fail "a digest can't be read"
friday=$(text_of "$(digests 'Fri, 06 Mar' | head -1)")
contains "$friday" "second.csv（受け付けられない行 1、登録など 2）" "refused rows"
contains "$friday" "file://server/sengen/accepted/2026/03/20260305-163000_second.csv_%E8%A6%81%E4%BF%AE%E6%AD%A3.csv" "link"
contains "$friday" "すべて合っています" "books"
lacks "$friday" サンプル "names of applicants"
contains "$(text_of "$(digests 'Mon, 09 Mar' | head -1)")" "2026年3月6日(金)から2026年3月8日(日)までの動き" "after a weekend"

# The books: three sides that agree, and the rest of the register as it should be.
said=$("$build/sengenctl" -c "$conf" --json balance) || fail "balance: $said"
contains "$said" '"balanced":true' "balance"
contains "$said" '"recounted_rows":15' "rows counted anew"
"$build/sengenctl" -c "$conf" audit >/dev/null || fail "audit"
equal "$(cat "$state"/sent/*.log | wc -l)" "$(mails)" "lines of the transport's log"

# An original that is lost, and a line that stands twice: named by the command, and told in the next digest.
lost=$(ls "$spool"/accepted/2026/03/*first.csv)
mv "$lost" "$dir/first.csv"
simulate --from '2026-03-22 12:00' --simulate-until '2026-03-23 12:00'
contains "$(text_of "$(digests 'Mon, 23 Mar' | head -1)")" "合わないものが1件あります" "digest"
status=0
said=$(LANGUAGE=ja "$build/sengenctl" -c "$conf" balance) || status=$?
equal "$status" 1 "exit status of balance"
contains "$said" "first.csv" "lost archive"
mv "$dir/first.csv" "$lost"
tail -1 "$state/sent/2026-03.log" >>"$state/sent/2026-03.log"
said=$("$build/sengenctl" -c "$conf" --at '2026-03-23 12:00' --json balance) && fail "a doubled line was not found: $said"
contains "$said" '"kind":"twice"' "doubled line"
sed -i '$d' "$state/sent/2026-03.log"
"$build/sengenctl" -c "$conf" --at '2026-03-23 12:00' balance >/dev/null || fail "mended books do not balance"
