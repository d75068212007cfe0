#!/bin/bash
# health and metrics of an office that runs and then ends: exit statuses, JSON, and a metrics file that Prometheus' own reader takes, written by
# the desk, whole and readable by all.
cd "$(dirname "$0")/../.."
. tests/scripts/lib
. tests/scripts/office

make_conf "metrics_file = \"$dir/sengen.prom\";"
ctl() { "$build/sengenctl" -c "$conf" "$@"; }
forms 1 3 | drop forms.csv
start_daemon
until_ok 30 test -s "$dir/sengen.prom"
equal "$(stat -c %a "$dir/sengen.prom")" 644 "mode of the metrics file"
sent() { grep -qx "sengen_notices_sent_total $1" <<<"$(ctl metrics)"; }
until_ok 30 sent 3
/usr/bin/python3 tests/scripts/metrics_check.py <"$dir/sengen.prom"
ctl metrics | /usr/bin/python3 tests/scripts/metrics_check.py
lacks "$(ctl metrics)" example "metrics"

# Every role gives a sign of life. A machine without a time service warns of its clock, which is not ours to judge here.
well() { ! ctl health --quiet | grep -v ' clock '; }
until_ok 30 well
all=$(ctl health || true)
for role in intake mailbox scheduler sender control desk; do
	contains "$all" "role:$role" "health"
	equal "$(ctl --json health | sed -n "s/.*\"role:$role\",\"level\":\"\([a-z]*\)\".*/\1/p")" good "role:$role"
done
stop_daemon
# Ended a moment ago, nothing else runs: as sengend --once leaves it.
contains "$(ctl --json health || true)" '"role:sender","level":"good"' "a run that ended a moment ago"

# What is wrong is told, in the reader's language, with the exit status for it.
touch -d '3 hours ago' "$state/register.db.sender.lock"
status=0
said=$(LC_ALL=ja_JP.UTF-8 ctl health --quiet) || status=$?
equal "$status" 1 "exit status"
contains "$said" "異常  role:sender" "health --quiet"
contains "$said" "systemctl start sengen.target" "health --quiet"
lacks "$said" "正常" "health --quiet"
status=0
"$build/sengenctl" -c "$dir/none.conf" health 2>/dev/null || status=$?
equal "$status" 3 "exit status without configuration"
