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
office_boxes
start_postfix localhost good
printf 'geheim pass\n' >"$dir/password"
chmod 600 "$dir/password"
# Everything at once, but the logo waits for staff.
sed -e 's/name = "logo";/&\n    approval = true;/' -e 's/id_prefix = 5/id_prefix = 4/' config/profiles/instant.conf >"$dir/instant.conf"
server="host = \"localhost\"; tls = \"starttls\"; ca_file = \"$dir/ca.pem\"; user = \"office\"; password_from = \"$dir/password\"; reply_seconds = 10; connect_seconds = 5;"
make_conf 'mails_per_connection = 1;' 'era = ( { from = "2000-01-01"; profile = "instant"; } );' \
	"transport : { maildir = false; port = $smtp_port; auth = \"plain\"; $server };" \
	"mailbox : { maildir = false; port = $imap_port; sent = \"送信済み\"; $server };"
sed -i "s|$PWD/config/profiles/instant.conf|$dir/instant.conf|" "$conf"
start_daemon
/usr/bin/python3 tests/peers/mailbox.py "$build/sengend" "$build/sengenctl" "$dir" "$smtp_port" "$imap_port"
stop_daemon || fail "the daemon ended with $?"

# A confirmation that nobody answers, on the virtual clock: staff get it after confirm_days, and until then nothing is stopped.
spool=$dir/spool2 state=$dir/state2
mkdir -p "$spool/incoming" "$state/mailbox"/{new,cur,tmp}
make_conf 'spool_directory = "spool2";' 'state_directory = "state2";' 'runtime_directory = "run2";'
forms 1 1 >"$spool/incoming/a.csv"
touch -d '2026-03-02 14:00 +0900' "$spool/incoming/a.csv"
simulate() { "$build/sengend" -c "$conf" --from "$1" --simulate-until "$2" >"$dir/said" 2>&1 || fail "simulation until $2: $(cat "$dir/said")"; }
simulate '2026-03-02 13:00' '2026-03-10 18:00'
id=$("$build/sengenctl" -c "$conf" --json show 1 | sed 's/.*"declaration_id":\([0-9]*\).*/\1/')
{
	printf 'From: tanto1@example.co.jp\r\nTo: security-action-info@sa.example.jp\r\nSubject: =?UTF-8?B?%s?=\r\n' \
		"$(printf 'ロゴマークの使用中止' | base64 -w 0)"
	printf 'Message-ID: <stop@example.co.jp>\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\n'
	printf '%s\r\n' 下記のとおり使用中止を申し込みます。 "自己宣言ID：$id" 事業者名：株式会社サンプル1 代表者名：見本太郎 "担当者名：見本 花子"
} >"$state/mailbox/new/stop"
touch -d '2026-03-11 10:00 +0900' "$state/mailbox/new/stop"
simulate '2026-03-10 18:00' '2026-03-17 18:00'
requests() { "$build/sengenctl" -c "$conf" --json requests; }
contains "$(requests)" '"state":"asked"' "seven days later"
simulate '2026-03-17 18:00' '2026-03-19 18:00'
contains "$(requests)" '"state":"review"' "after the last day"
contains "$("$build/sengenctl" -c "$conf" --json show 1)" '"state":"logo_authorized"' "the declaration"
