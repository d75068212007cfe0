#!/bin/bash
# The mailbox, end to end with a real Postfix and Dovecot: a B-3 made by LibreOffice, its confirmation in the shapes of four mail programs, the stop and its answer; a
# stranger's resend request; a bounce; and a confirmation that never comes, on the virtual clock.
cd "$(dirname "$0")/../.."
. tests/scripts/lib
. tests/scripts/mailserver
. tests/scripts/office
make_ca
make_cert good localhost
start_dovecot good
# The office has a box of its own, one domain has none, everybody else shares one.
cat >"$dir/boxes" <<'END'
/^security-action-info(\+.*)?@sa\.example\.jp$/ office/
if !/@unknown\.example\.jp$/
/./ inbox/
endif
END
virtual_map=regexp:$dir/boxes
start_postfix localhost good
# Users unknown are told by a report, not in the dialogue.
printf 'smtpd_reject_unlisted_recipient = no\nsmtpd_reject_unlisted_sender = no\n' >>"$dir/postfix/main.cf"
postfix_reload
printf 'geheim pass\n' >"$dir/password"
chmod 600 "$dir/password"
# Everything at once, but the logo waits for staff.
sed -e 's/name = "logo";/&\n    approval = true;/' -e 's/id_prefix = 5/id_prefix = 4/' config/profiles/instant.conf >"$dir/instant.conf"
server="host = \"localhost\"; tls = \"starttls\"; ca_file = \"$dir/ca.pem\"; user = \"office\"; password_from = \"$dir/password\"; reply_seconds = 10; connect_seconds = 5;"
make_conf "profile_files = ( \"$dir/instant.conf\" );" 'era = ( { from = "2000-01-01"; profile = "instant"; } );' \
	"transport : { maildir = false; port = $smtp_port; auth = \"plain\"; $server };" \
	"mailbox : { maildir = false; port = $imap_port; sent = \"送信済み\"; $server };"
start_daemon
/usr/bin/python3 tests/peers/mailbox.py "$build/sengend" "$build/sengenctl" "$dir" "$smtp_port" "$imap_port"
stop_daemon || fail "the daemon ended with $?"
