#!/bin/bash
# An applicant's data erased on request and a purge, through the daemon as an administrator does it; and what the virtual clock erases by itself.
cd "$(dirname "$0")/../.."
. tests/scripts/lib
. tests/scripts/office
ctl() { "$build/sengenctl" -c "$conf" "$@"; }
have_mails() { [ "$(mails)" -ge "$1" ]; }
on_disk() { grep -a -q -s -F -e "$1" "$state/register.db" "$state/register.db-wal"; }
gone() { ! on_disk "$1"; }

make_conf
start_daemon
forms 1 3 | drop a.csv
forms 1 3 | drop again.csv
until_ok 60 have_mails 3
on_disk tanto1 || fail "the address should be in the register"
status=0; said=$(ctl erase 1 --preview 2>&1) || status=$?
equal "$status" 1 "erase while the application lives"
status=0; said=$(LC_ALL=ja_JP.UTF-8 ctl erase 1 --reason 本人の求め 2>&1) || status=$?
equal "$status" 1 "erase while the application lives"
contains "$said" 取下げ "what to do first"
ctl withdraw 1 "himitsu-no-riyuu" >/dev/null
status=0; ctl erase 1 >/dev/null 2>&1 || status=$?
equal "$status" 2 "erase without a reason"
dropped_again() { ctl --json erase 1 --preview | grep -q 'accepted/.*accepted/.*again.csv'; }
until_ok 30 dropped_again
found=$(ctl --json erase 1 --preview)
contains "$found" '"forms":1' "preview"
contains "$found" '"file":"accepted/' "the first of them"
on_disk tanto1 || fail "a preview changed something"
ctl erase 1 --reason "on request" >/dev/null || fail "erase"
until_ok 60 gone tanto1
until_ok 60 gone himitsu-no-riyuu
on_disk tanto2 || fail "somebody else's data are gone"
ctl audit >/dev/null || fail "the history is not whole"
contains "$(ctl --json show 1)" '"erase"' "the history of it"
lacks "$(ctl --json show 1)" 'サンプル1' "what is left of it"
status=0; ctl erase 1 --reason again >/dev/null 2>&1 || status=$?
equal "$status" 1 "erased twice"
# What can't be removed is named, and the purge comes to its end all the same.
mkdir -p "$spool/rejected/2026/01/20260101-090000_folder"
touch "$spool/rejected/2026/01/20260102-090000_unread.csv"
ctl purge >/dev/null || fail "purge"
until_ok 60 log_has "purge.done"
until_ok 60 log_has "/rejected/2026/01/20260101-090000_"
[ ! -e "$spool/rejected/2026/01/20260102-090000_unread.csv" ] || fail "a file behind it is still there"
grep -F "erase.done" "$dir/log" | grep -q -F "application=1 " || fail "no entry in the log"
stop_daemon || fail "the daemon ended with $?"

# Weeks on the virtual clock: the books count the file, then it goes.
spool=$dir/spool2 state=$dir/state2
mkdir -p "$spool/incoming"
make_conf 'spool_directory = "spool2";' 'state_directory = "state2";' 'runtime_directory = "run2";' \
	'retention : { refused_file_days = 3; file_days = 30; };'
forms 1 1 | sed 's/,誓約する,/,,/' >"$spool/incoming/bad.csv"
forms 2 2 >"$spool/incoming/good.csv"
touch -d '2026-03-02 14:00 +0900' "$spool/incoming/bad.csv" "$spool/incoming/good.csv"
"$build/sengend" -c "$conf" --simulate-until 2026-03-04 >/dev/null 2>"$dir/log" || fail "simulation"
[ "$(find "$spool/rejected" -name '*bad.csv*' | wc -l)" -ge 2 ] || fail "the refused file is not there: $(find "$spool" -type f)"
"$build/sengend" -c "$conf" --from 2026-03-04 --simulate-until 2026-04-20 >/dev/null 2>"$dir/log" || fail "simulation"
equal "$(find "$spool/rejected" -type f | wc -l)" 0 "refused files after their time"
[ "$(find "$spool/accepted" -name '*good.csv' | wc -l)" = 1 ] || fail "a file whose application lives is gone"
contains "$(LC_ALL=ja_JP.UTF-8 ctl --at '2026-04-20 10:00' purge --preview)" 有効な申込みの行があるため "what is passed over"
ctl audit >/dev/null || fail "the history is not whole"
