#!/bin/bash
# T9: bounce and auto-reply loops. A robot that answers everything it gets, through the whole daemon: with and without Auto-Submitted, with the null return path,
# and our own mails coming back. Each exchange ends by itself, after a number of mails known beforehand.
cd "$(dirname "$0")/../.."
. tests/scripts/lib
. tests/scripts/office
make_conf 'business_days = false;' 'hours = "";'

# an_office: a new one, with one declaration whose ID was issued a moment ago.
an_office() {
	rm -rf "$state" "$spool" "$dir/run"
	mkdir -p "$spool/incoming" "$dir/run"
	forms 1 1 | sed "s/,\r\$/,$(date -d '-10 days' +%F)\r/" | drop form.csv
	for _ in 1 2 3; do "$build/sengend" -c "$conf" --once 2>>"$dir/log"; done
	equal "$(mails)" 2 "notices before the robot"
}
try() { # HABIT MAILS
	an_office
	equal "$(/usr/bin/python3 tests/peers/robot.py "$build/sengend" "$conf" "$state" tanto1@example.co.jp "$1" stop)" "$2" "$1: mails"
}
try says-so 1 # Auto-Submitted: the confirmation, and nothing more
try null-sender 1
try plain 2 # nothing tells it from a person: the confirmation, and its result

# Our own mails come back into our mailbox, as they were sent, again and again.
an_office
mkdir -p "$state/mailbox/new" "$state/mailbox/cur" "$state/mailbox/tmp"
for round in 1 2 3 4; do
	for mail in "$state"/maildir/new/*; do { echo "X-Round: $round"; cat "$mail"; } >"$state/mailbox/new/$round.${mail##*/}"; done
	"$build/sengend" -c "$conf" --once 2>>"$dir/log"
	equal "$(mails)" 2 "mails after our own came back $round times"
done
equal "$(register 'SELECT count(*) FROM message')" 8 "mails of ours that were taken"
"$build/sengenctl" -c "$conf" audit >/dev/null
