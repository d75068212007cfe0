#!/bin/bash
# Who holds what: the processes of a running office as the kernel shows them, while connections to mail server and mailbox stand. Then children that lie to their roles
# (tests/taken_over.h): the liar's file or mail is refused or reviewed, and all others are taken.
cd "$(dirname "$0")/../.."
. tests/scripts/lib
. tests/scripts/office

# Servers that accept a connection and say no more than a greeting, or nothing where TLS comes first.
silent_servers() {
	exec /usr/bin/python3 - "$1" "$2" <<-'END'
		import socket, sys, threading, time
		def serve(port, greeting):
		    s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		    s.bind(("127.0.0.1", port)); s.listen(16); held = []
		    while True:
		        c, _ = s.accept(); c.sendall(greeting); held.append(c)
		for port, greeting in ((int(sys.argv[1]), b"220 mail.example.jp ESMTP\r\n"), (int(sys.argv[2]), b"")):
		    threading.Thread(target=serve, args=(port, greeting), daemon=True).start()
		time.sleep(600)
	END
}
smtp=$(free_port) imap=$(free_port)
background silent_servers "$smtp" "$imap"
servers=$last_pid
printf 'mailbox-password\n' >"$dir/imap-password"
chmod 600 "$dir/imap-password"
line="transport : { maildir = false; host = \"127.0.0.1\"; port = $smtp; tls = \"none\"; };"
box="mailbox : { maildir = false; host = \"127.0.0.1\"; port = $imap; user = \"office\"; password_from = \"imap-password\"; };"
make_conf "$line" "$box"

# As an ordinary account where the test may choose and that account may read the tree.
as=
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	as="setpriv --reuid=65534 --regid=65534 --clear-groups"
	if $as test -x "$build/sengend" && $as test -r templates/mail/form/receipt.txt; then chown -R 65534:65534 "$dir"; else as=; fi
fi
: >"$dir/log"
# shellcheck disable=SC2086
background $as "$build/sengend" -v -c "$conf" 2>"$dir/log"
daemon=$last_pid
until_ok 30 log_has supervisor.ready
forms 1 3 >"$dir/dropping"; chmod 644 "$dir/dropping"; mv "$dir/dropping" "$spool/incoming/a.csv"
until_ok 30 log_has 'file.done file=1 registered=3'
echo "figure: $(grep -o 'confined_by="[^"]*"' "$dir/log" | sort -u | tail -n 1)"

# The whole family, looked at while lines to both servers stand.
looked() { /usr/bin/python3 tests/scripts/isolation.py "$daemon" "$state" "$smtp" "$imap" >"$dir/looked" 2>&1; }
until_ok 30 looked || { cat "$dir/looked"; fail "processes hold what they must not"; }
cat "$dir/looked"

# A new place in a reload is out of reach: refused with a sentence that says what to do, and the old configuration stays.
mkdir -p "$dir/../${dir##*/}.elsewhere"
at_end "rm -rf '$dir.elsewhere'"
chmod 755 "$dir.elsewhere"
cp -r templates/mail "$dir.elsewhere/"
chmod -R a+rX "$dir.elsewhere"
sed -i "s|^template_directory.*|template_directory = \"$dir.elsewhere/mail\";|" "$conf"
kill -HUP "$daemon"
if grep -q 'confined_by="seccomp, landlock' "$dir/log"; then
	until_ok 30 log_has 'restart sengend to use a new place'
	until_ok 30 log_has 'config.refused role=intake' # each role says it for itself, in its own time
fi
kill "$servers" # what is in flight is not waited for
stop_daemon || fail "exit status $? at SIGTERM"

# A directory that is replaced while it runs: the role ends and comes back with it.
make_conf
: >"$dir/log"
# shellcheck disable=SC2086
background $as "$build/sengend" -v -c "$conf" 2>"$dir/log"
daemon=$last_pid
until_ok 30 log_has supervisor.ready
if grep -q 'confined_by="seccomp, landlock' "$dir/log"; then
	mv "$spool" "$spool.old"; cp -a "$spool.old" "$spool"
	until_ok 60 log_has 'confine.place-lost role=intake'
	until_ok 30 eval '[ "$(grep -cF "role.ready role=intake" "$dir/log")" -ge 2 ]'
	forms 4 5 >"$dir/dropping"; chmod 644 "$dir/dropping"; mv "$dir/dropping" "$spool/incoming/b.csv"
	until_ok 30 log_has 'registered=2'
fi
stop_daemon || fail "exit status $? at SIGTERM"

# ---- lies ----
program=$build/tests/sengend-taken
maildir=$state/mailbox
mkdir -p "$maildir/new" "$maildir/cur" "$maildir/tmp"
lies="lie-4-gib lie-endless lie-endless-records lie-nonsense lie-half lie-descriptor"
make_conf
: >"$dir/log"
n=0
for lie in $lies lie-configuration; do
	n=$((n + 1))
	printf 'TAKEN-OVER=%s\n' "$lie" >"$spool/incoming/$lie.csv"
	printf 'From: someone@example.co.jp\r\nTo: security-action-info@sa.example.jp\r\nSubject: x\r\n\r\nTAKEN-OVER=%s\r\n' "$lie" \
		>"$maildir/new/$n.reader"
done
printf 'From: someone@example.co.jp\r\nSubject: good\r\n\r\nhello\r\n' >"$maildir/new/999.good"
forms 11 13 >"$spool/incoming/z-good.csv"
[ -z "$as" ] || chown -R 65534:65534 "$dir"
# shellcheck disable=SC2086
background $as "$program" -v -c "$conf" 2>"$dir/log"
daemon=$last_pid
until_ok 30 log_has supervisor.ready
until_ok 200 log_has 'registered=3' || { tail -n 30 "$dir/log"; fail "the good file was not taken"; }
refused() { [ "$(find "$spool/rejected" -name '*_lie-*.csv' | wc -l)" = $n ]; }
until_ok 100 refused || { find "$spool" -type f; tail -n 30 "$dir/log"; fail "liars' files are not all refused"; }
# Mails whose readers lied wait for a person, each of them; none is lost or carried out.
in_review() { [ "$(grep -c 'request.settled .* state=review' "$dir/log")" = $((n + 1)) ]; }
until_ok 100 in_review || { tail -n 30 "$dir/log"; fail "mails are missing"; }
[ "$(register "SELECT count(*) FROM request")" = $((n + 1)) ] || fail "not one request a mail"
[ "$(register "SELECT count(*) FROM application")" = 8 ] || fail "applications: $(register "SELECT count(*) FROM application")"
for role in intake mailbox desk; do ! log_has "role.died role=$role" || fail "a lie ended the role $role"; done
echo "figure: $n children that lied: $n files refused, $n mails in review, 3 applications behind them taken"
