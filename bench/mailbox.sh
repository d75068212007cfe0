#!/bin/bash
# mailbox.sh [MAILS]: so many mails in the INBOX of a Dovecot, all kinds of the samples: fetched, read in a child each, recorded, moved: mails a second. Beside it, where
# fetchmail is installed, how long that takes to fetch the same mails and hand each to cat(1), which reads and records nothing.
cd "$(dirname "$0")/.."
. tests/scripts/lib
. tests/scripts/mailserver
mails=${1:-1000}
make_ca
make_cert good localhost
start_dovecot good
printf 'geheim pass\n' >"$dir/password"
chmod 600 "$dir/password"
fill() { # INBOX of user crash, each mail different
	/usr/bin/python3 - "$dir/maildir/crash" "$mails" <<-'END'
		import os, sys
		box, count = sys.argv[1], int(sys.argv[2])
		for name in ("new", "cur", "tmp"):
		    os.makedirs(f"{box}/{name}", exist_ok=True)
		where = "tests/samples/mail/"
		samples = [open(where + name, "rb").read() for name in sorted(os.listdir(where))]
		samples = [text for text in samples if text]
		for i in range(count):
		    text = samples[i % len(samples)]
		    with open(f"{box}/new/{1700000000 + i}.M{i}.bench", "wb") as out:
		        out.write(b"X-Number: %d\n" % i + text)
	END
	chown -R "$mail_uid:$mail_gid" "$dir/maildir/crash"
}
register() { sqlite3 -readonly "file:$dir/state/register.db?mode=ro" "$1" 2>/dev/null; }
filed() { [ "$(register "SELECT count(*) FROM message WHERE state = $1")" = "$mails" ]; }
fill
bytes=$(du -sb "$dir/maildir/crash/new" | cut -f 1)
if command -v fetchmail >/dev/null; then
	cat >"$dir/fetchmailrc" <<-END
		poll localhost protocol imap port $imap_port user crash password "geheim pass"
		sslproto 'tls1.2+' sslcertck sslcertfile $dir/ca.pem keep mda "cat >/dev/null"
	END
	chmod 600 "$dir/fetchmailrc"
	begun=$(date +%s%N)
	FETCHMAILHOME=$dir fetchmail -f "$dir/fetchmailrc" --silent >"$dir/fetchmail.out" 2>&1 || { cat "$dir/fetchmail.out"; fail "fetchmail: $?"; }
	awk -v ns=$(($(date +%s%N) - begun)) -v n="$mails" \
		'BEGIN {printf "figure: fetchmail: %d mails fetched only, %.0f mails/s\n", n, n * 1e9 / ns}'
	dovecot_program stop
	rm -rf "$dir/maildir/crash"
	fill
	dovecot_program start
fi
mkdir -p "$dir/spool/incoming"
cat >"$dir/sengend.conf" <<CONF
spool_directory = "spool"; state_directory = "state"; runtime_directory = "run"; template_directory = "$PWD/templates/mail";
profile_files = ( "$PWD/config/profiles/form.conf" ); contact_mail = "security-action-info@sa.example.jp"; disk_floor_mib = 1;
mailbox : { maildir = false; host = "localhost"; port = $imap_port; tls = "starttls"; ca_file = "ca.pem"; user = "crash"; password_from = "password"; };
CONF
begun=$(date +%s%N)
background "$build/sengend" -c "$dir/sengend.conf" mailbox 2>"$dir/log"
until_ok 600 filed 3
awk -v ns=$(($(date +%s%N) - begun)) -v n="$mails" -v b="$bytes" \
	'BEGIN {printf "figure: mailbox: %d mails fetched, read, recorded and moved: %.0f mails/s, %.1f MB/s\n", n, n * 1e9 / ns, b * 1e3 / ns}'
peak=$(awk '/VmHWM/ {print $2}' "/proc/$last_pid/status")
awk -v p="$peak" 'BEGIN {printf "figure: mailbox: peak RSS of the role %.1f MiB\n", p / 1024}'
