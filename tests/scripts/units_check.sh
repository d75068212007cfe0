#!/bin/bash
# The systemd units: they parse, are closed as far as they claim, and the accounts and directories they need come out as named.
cd "$(dirname "$0")/../.."
. tests/scripts/lib

# Verified with the program that was built: the installed path need not exist here.
program=$build/sengend
mkdir "$dir/units"
for unit in systemd/sengen*.service systemd/sengen.target; do
	sed "s|^ExecStart=[^ ]*|ExecStart=$program|" "$unit" >"$dir/units/${unit##*/}"
done
said=$(cd "$dir/units" && systemd-analyze verify --man=no ./sengen*.service ./sengen.target 2>&1) || fail "verify: $said"
# Only what is said of our own files counts: the machine's other units are not ours.
lacks "$said" sengen verify

# Exposure, in tenths: the network costs what it costs.
for unit in systemd/sengen*.service; do
	# Intake and control look up who owns a file or talks to them, which PrivateUsers= would hide.
	case $unit in *sender* | *mailbox*) limit=11 ;; *intake* | *control*) limit=4 ;; *) limit=2 ;; esac
	level=$(systemd-analyze security --offline=true --no-pager "$unit" | sed -n 's/.*exposure level for [^:]*: \([0-9]*\)\.\([0-9]\).*/\1\2/p')
	[ -n "$level" ] && [ "$((10#$level))" -le "$limit" ] || fail "$unit: exposure ${level:-unknown} tenths, at most $limit"
	echo "figure: ${unit##*/} exposure $((10#${level:-0} / 10)).$((10#${level:-0} % 10))"
done

# Only sender and mailbox have a network, and every role is a unit that the target starts.
for role in intake mailbox scheduler sender desk control; do
	unit=systemd/sengen-$role.service
	grep -q "^ExecStart=/usr/sbin/sengend -c /etc/sengen/sengend.conf $role\$" "$unit" || fail "$unit does not start role $role"
	grep -q "sengen-$role.service" systemd/sengen.target || fail "sengen.target does not want $unit"
	if [ "$role" = sender ] || [ "$role" = mailbox ]; then
		! grep -q '^PrivateNetwork=' "$unit" || fail "$unit has no network"
	else
		grep -q '^PrivateNetwork=yes$' "$unit" || fail "$unit has a network"
		grep -q '^RestrictAddressFamilies=AF_UNIX$' "$unit" || fail "$unit may open network sockets"
	fi
	for line in Type=notify TimeoutStopSec=90 UMask=0027 LimitCORE=0 StateDirectory=sengen RuntimeDirectory=sengen \
		RuntimeDirectoryPreserve=yes User=sengen ReloadPropagatedFrom=sengen.target; do
		grep -qx "$line" "$unit" || fail "$unit lacks $line"
	done
	grep -q '^WatchdogSec=' "$unit" || fail "$unit has no watchdog"
done

# Accounts and directories, made below a directory of the test's own. Changing owners takes root.
if [ "$(id -u)" = 0 ]; then
	root=$dir/root
	mkdir -p "$root/etc" "$root/usr/lib/sysusers.d" "$root/usr/lib/tmpfiles.d"
	cp systemd/sysusers.d/sengen.conf "$root/usr/lib/sysusers.d/"
	cp systemd/tmpfiles.d/sengen.conf "$root/usr/lib/tmpfiles.d/"
	mkdir -p "$root/usr/share/sengen"
	cp -r spool "$root/usr/share/sengen/"
	systemd-sysusers --root="$root" sengen.conf
	systemd-tmpfiles --root="$root" --create sengen.conf
	user=$(sed -n 's/^sengen:[^:]*:\([0-9]*\):.*/\1/p' "$root/etc/passwd")
	staff=$(sed -n 's/^sengen-staff:[^:]*:\([0-9]*\):.*/\1/p' "$root/etc/group")
	grep -q '^sengen-staff:.*:sengen$' "$root/etc/group" || fail "sengen is not in sengen-staff"
	for group in sengen-release sengen-admin; do
		grep -q "^$group:" "$root/etc/group" || fail "the group $group is missing"
	done
	while read -r mode path; do
		got=$(stat -c '%a %u %g' "$root$path")
		[ "$got" = "$mode $user $staff" ] || fail "$path is $got, not $mode $user $staff"
	done <<-LIST
		2750 /var/spool/sengen
		3770 /var/spool/sengen/incoming
		2750 /var/spool/sengen/accepted
		2750 /var/spool/sengen/rejected
		2750 /var/spool/sengen/report
		2750 /var/spool/sengen/templates
		644 /var/spool/sengen/templates/申込み.csv
		644 /var/spool/sengen/templates/判断.csv
		644 /var/spool/sengen/templates/使用中止.csv
		644 /var/spool/sengen/templates/説明.txt
		700 /var/spool/sengen/work
		750 /var/lib/sengen
		750 /run/sengen
	LIST
	[ "$(stat -c '%a %u %g' "$root/etc/sengen/credentials")" = "700 0 0" ] || fail "credentials are open"
fi
