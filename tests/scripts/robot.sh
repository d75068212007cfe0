#!/bin/bash
# A robot that answers every mail it gets, through the whole daemon: the exchange ends, after a number of mails that is known beforehand.
cd "$(dirname "$0")/../.."
. tests/scripts/lib
. tests/scripts/office
make_conf 'business_days = false;' 'hours = "";'

# try HABIT OPENING MAILS: an office of its own, one declaration whose ID was issued a moment ago.
try() {
	rm -rf "$state" "$spool" "$dir/run"
	mkdir -p "$spool/incoming" "$dir/run"
	forms 1 1 | sed "s/,\r\$/,$(date -d '-10 days' +%F)\r/" | drop form.csv
	for _ in 1 2 3; do "$build/sengend" -c "$conf" --once 2>>"$dir/log"; done
	equal "$(mails)" 2 "notices before the robot"
	equal "$(/usr/bin/python3 tests/peers/robot.py "$build/sengend" "$conf" "$state" tanto1@example.co.jp "$1" "$2")" "$3" "$1, $2: mails"
	"$build/sengenctl" -c "$conf" audit >/dev/null || fail "$1, $2: the history is not whole"
}

try says-so stop 1
try null-sender stop 1
try acknowledges stop 1
# Nothing tells these from a person who answers: the confirmation, and its result.
try plain stop 2
try quotes stop 2
try reply-to-office stop 2
# One confirmation a request, two letters a day (resends_per_day).
try asks-again stop 1
try asks-again resend 2
try asks-again enquiry 2

# One that returns everything: the confirmation's request goes to staff at once, and the office says what came back.
try returns stop 1
equal "$("$build/sengenctl" -c "$conf" requests --json | /usr/bin/python3 -c \
	'import json, sys; print([(row["kind"], row["state"]) for row in map(json.loads, sys.stdin)])')" \
	"[('stop-request', 'review'), ('bounce', 'done')]" requests
contains "$(LC_ALL=ja_JP.UTF-8 "$build/sengenctl" -c "$conf" why 1)" 宛先が見つかりません "why"
contains "$("$build/sengenctl" -c "$conf" status --json)" '"bounces_7_days":{"hard":1,' "status"
try returns resend 1
