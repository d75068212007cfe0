#!/bin/bash
# The supervisor: roles come up, die, fall silent, reload, stop.
cd "$(dirname "$0")/../.."
. tests/scripts/lib
. tests/scripts/office
make_conf 'watchdog_seconds = 6;'

# Wrong usage and a broken configuration end at once, with the exit codes of the manual.
code() { local status=0; "$@" >/dev/null 2>&1 || status=$?; echo $status; }
equal "$(code "$build/sengend" --help)" 0 help
equal "$(code "$build/sengend" --version)" 0 version
equal "$(code "$build/sengend" -c "$conf" nothing)" 2 "no such role"
equal "$(code "$build/sengend" -c "$conf" --once --simulate-until 2026-12-31)" 2 "once and simulation"
equal "$(code "$build/sengend" -c "$conf" --from 2026-12-31)" 2 "from alone"
equal "$(code "$build/sengend" -c "$dir/none.conf")" 3 "no configuration"
echo 'settle_secnds = 1;' >"$dir/bad.conf"
equal "$(code "$build/sengend" -c "$dir/bad.conf" --once)" 3 "unknown key"

start_daemon
for role in intake scheduler sender desk control; do
	role_pid $role >/dev/null || fail "role $role does not run"
done
# A crash must not leave personal data and secrets behind, also where no systemd sees to it.
for pid in "$daemon" $(role_pid sender) $(role_pid control); do
	grep -q '^Max core file size  *0  *0 ' "/proc/$pid/limits" || fail "process $pid may dump core"
done
forms 1 3 | drop a.csv
until_ok 30 log_has 'file.done file=1 registered=3'
until_ok 30 eval '[ "$(mails)" = 3 ]'

# One supervisor at a time.
equal "$(code "$build/sengend" -c "$conf")" 1 "second supervisor"
# Nor a second sender by another way in, such as a container with a runtime directory of its own.
mkdir "$dir/run2"
sed 's|^runtime_directory = .*|runtime_directory = "run2";|' "$conf" >"$dir/other.conf"
equal "$(code "$build/sengend" -c "$dir/other.conf" --once)" 1 "second sender on the same register"

# A role that is killed comes back, and goes on with its work.
old=$(role_pid intake)
kill -9 "$old"
until_ok 30 eval '[ "$(grep -cF "role.ready role=intake" "$dir/log")" = 2 ]'
[ "$(role_pid intake)" != "$old" ] || fail "intake was not started again"
forms 4 5 | drop b.csv
until_ok 30 log_has 'file.done file=2 registered=2'
until_ok 30 eval '[ "$(mails)" = 5 ]'

# A role that falls silent is killed and comes back.
kill -STOP "$(role_pid scheduler)"
until_ok 60 log_has 'role.killed role=scheduler reason="missed its watchdog"'
until_ok 30 eval '[ "$(grep -cF "role.ready role=scheduler" "$dir/log")" = 2 ]'

# A bad configuration is refused and the old one kept; a good one is taken.
cp "$conf" "$dir/good.conf"
echo 'settle_secnds = 1;' >>"$conf"
kill -HUP "$daemon"
for role in intake scheduler sender desk control; do
	until_ok 30 log_has "config.refused role=$role"
done
log_has settle_secnds || fail "the log does not name the wrong key"
forms 6 6 | drop c.csv
until_ok 30 log_has 'file.done file=3 registered=1'
cp "$dir/good.conf" "$conf"
echo 'office_name = "見本事務局";' >>"$conf"
kill -HUP "$daemon"
for role in intake scheduler sender desk control; do
	until_ok 30 log_has "config.reloaded role=$role"
done
forms 7 7 | drop d.csv
until_ok 30 log_has 'file.done file=4 registered=1'

# So is a bad template; what is received then is answered by the old one.
cp -r templates/mail "$dir/mail"
sed -i "s|^template_directory.*|template_directory = \"$dir/mail\";|" "$conf"
printf 'Subject: x\n\n{{no_such_thing}}\n' >"$dir/mail/form/receipt.txt"
kill -HUP "$daemon"
until_ok 30 log_has receipt.txt
forms 8 8 | drop e.csv
until_ok 30 log_has 'file.done file=5 registered=1'
until_ok 30 eval '[ "$(mails)" = 8 ]'

# The end: orderly at SIGTERM, and nobody survives a supervisor that was killed.
pids="$(role_pid intake) $(role_pid scheduler) $(role_pid sender) $(role_pid desk) $(role_pid control)"
stop_daemon || fail "exit status $? at SIGTERM"
for pid in $pids; do ! kill -0 "$pid" 2>/dev/null || fail "a role is left"; done
cp "$dir/good.conf" "$conf"
start_daemon
pids="$(role_pid intake) $(role_pid scheduler) $(role_pid sender) $(role_pid desk) $(role_pid control)"
kill -9 "$daemon"
gone() { for pid in $pids; do ! kill -0 "$pid" 2>/dev/null || return 1; done; }
until_ok 30 gone
