# The mailbox child against a real Dovecot: TLS and STARTTLS, Japanese folders, IDLE, moving, copies, tokens, a restarted server, a folder made anew, many mails.
. tests/scripts/lib
. tests/scripts/mailserver
driver=$build/tests/peers/mailbox_driver
many=${MAILBOX_MANY:-5000}
make_ca
make_cert good localhost
make_cert old localhost expired
make_cert other mail.example.org
printf 'inbox-pass\n' >"$dir/password"
chmod 600 "$dir/password"

# ---- a driver that is asked line by line ----
answer=
driver_start() { # KEY=VALUE...
	coproc DRIVER { exec "$driver" host=localhost port="$imaps_port" ca_file="$dir/ca.pem" user=inbox password_from="$dir/password" sent=送信済み "$@"; }
	driver_pid=$DRIVER_PID
}
driver_stop() {
	exec {DRIVER[1]}>&-
	wait "$driver_pid"
}
ask() { # COMMAND: $answer, without its last line; false where that is an error (then all of it)
	local line
	answer=
	printf '%s\n' "$*" >&"${DRIVER[1]}"
	while read -r line <&"${DRIVER[0]}"; do
		case $line in
		ok) return 0 ;;
		error*) answer="$answer$line"; return 1 ;;
		*) answer="$answer$line
" ;;
		esac
	done
	fail "the driver is gone"
}
want() { ask "$@" || fail "$*: $answer"; }
refuse() { ! ask "$@" || fail "$* should have been refused: $answer"; }
count() { printf '%s' "$answer" | grep -c '^[0-9]'; }
uids() { printf '%s' "$answer" | sed -n 's/^\([0-9]*\) .*/\1/p' | tr '\n' ' '; }

maildir=$dir/maildir/inbox
delivered=0
deliver() { # SUBJECT: as Dovecot's own delivery does it
	delivered=$((delivered + 1))
	printf 'From: taro@example.co.jp\r\nTo: office@sa.example.jp\r\nSubject: %s\r\n\r\n本文 %s\r\n' "$1" "$1" >"$maildir/tmp/m$delivered"
	chown "$mail_uid:$mail_gid" "$maildir/tmp/m$delivered"
	mv "$maildir/tmp/m$delivered" "$maildir/new/1700000000.M$delivered.host"
}
mkdir -p "$maildir/new" "$maildir/cur" "$maildir/tmp"
chown -R "$mail_uid:$mail_gid" "$dir/maildir"

# ---- tokens: Dovecot asks who it is ----
token_port=$(free_port)
cat >"$dir/tokens.py" <<'PY'
import http.server, json, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        good = self.path.split("token=")[-1] == open(sys.argv[2]).read().strip()
        self.send_response(200 if good else 401)
        self.end_headers()
        self.wfile.write(json.dumps({"username": "inbox"} if good else {"error": "invalid_token"}).encode())
    def log_message(self, *args): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
PY
echo first-token >"$dir/token.valid"
background /usr/bin/python3 "$dir/tokens.py" "$token_port" "$dir/token.valid"
cat >"$dir/oauth2.conf" <<CONF
tokeninfo_url = http://127.0.0.1:$token_port/?token=
introspection_mode = auth
username_attribute = username
CONF
dovecot_extra="auth_mechanisms = plain login xoauth2
passdb {
  driver = oauth2
  mechanisms = xoauth2
  args = $dir/oauth2.conf
}"
start_dovecot good
kick() { # ends the sessions that stand
	/usr/bin/doveadm -c "$dir/dovecot/dovecot.conf" kick inbox >/dev/null 2>&1 || true
}
dovecot_down() {
	kick
	dovecot_program stop
	until_ok 10 bash -c "! exec 3<>/dev/tcp/127.0.0.1/$imap_port" 2>/dev/null
}
dovecot_up() {
	dovecot_program start
	until_ok 10 bash -c "exec 3<>/dev/tcp/127.0.0.1/$imap_port" 2>/dev/null
}
dovecot_setting() { # SED EXPRESSION: for the sessions to come
	sed -i "$1" "$dir/dovecot/dovecot.conf"
	kick
	dovecot_program reload
}
# The certificate that is shown to those who come now.
shows() { openssl s_client -connect "127.0.0.1:$imaps_port" </dev/null 2>/dev/null | openssl x509 -noout -serial | cmp -s - <(openssl x509 -noout -serial -in "$dir/$1.pem"); }

# ---- over TLS: folders, listing, fetching, moving ----
driver_start
want list inbox
equal "$(count)" 0 "empty INBOX"
for folder in '.&UeZ0Bm4IMH8-' '.&iYF4uoqN-' '.&MNAwpjDzMLk-' '.&kAFP4W4IMH8-'; do
	[ -d "$maildir/$folder/cur" ] || fail "$folder was not made"
	grep -qxF "${folder#.}" "$maildir/subscriptions" || fail "$folder is not subscribed to"
done
deliver 一通目; deliver 二通目; deliver 三通目
want list inbox
equal "$(uids)" "1 2 3 " "UIDs"
want fetch 2 "$dir/second"
cmp "$dir/second" "$maildir"/cur/*.M2.host* || fail "the bytes differ"
refuse fetch 77 "$dir/none"
contains "$answer" "error refused fetch" "a UID that is not there"
want move done 1 77 3
contains "$answer" "1 1
77 gone
3 2" "moved UIDs"
want list inbox
equal "$(uids)" "2 " "what stayed"
want list done
equal "$(uids)" "1 2 " "処理済み"
want move done 1 3
contains "$answer" "1 gone
3 gone" "moving once more"
want move review 2
equal "$(find "$maildir/.&iYF4uoqN-" -name '1*.M*' | wc -l)" 1 "要確認"
[ -z "$(find "$maildir/.&iYF4uoqN-" -name '*:2,*S*')" ] || fail "fetching has set \\Seen"

# ---- waiting: told at once, ended by the next call, nothing lost in between ----
want list inbox
want wait 60
want news 1
contains "$answer" waiting "nothing has come"
deliver 四通目
want news 10
contains "$answer" news "IDLE"
want list inbox
equal "$(uids)" "4 " "what came"
want wait 60
want list review
equal "$(uids)" "1 " "a call ends the wait"
deliver 五通目
want wait 60
want news 10
contains "$answer" news "what came while another folder was looked at"

# ---- copies ----
printf 'From: office@sa.example.jp\r\nSubject: copy\r\n\r\nbody\r\n' >"$dir/copy"
want append notice-1 "$dir/copy"
want append notice-2 "$dir/copy"
want list sent
equal "$(count)" 2 "送信済み"
for copy in $(find "$maildir/.&kAFP4W4IMH8-/cur" "$maildir/.&kAFP4W4IMH8-/new" -type f); do
	tr -d '\r' <"$dir/copy" | cmp "$copy" - || fail "a copy differs" # Dovecot keeps lines with LF
	case $copy in *:2,*S*) ;; *) fail "a copy is not marked as read" ;; esac
done

# ---- a server that is down, and there again; a kept session that is gone ----
dovecot_down
refuse list inbox
contains "$answer" "error server connect" "server down"
dovecot_up
want fetch 4 "$dir/fourth"
contains "$(cat "$dir/fourth")" 四通目 "after a restart"
kick
want list inbox

# ---- INBOX made anew: the same UIDs mean other mails ----
dovecot_down
rm -f "$maildir"/dovecot*
echo '3 V4711 N1 G0123456789abcdef0123456789abcdef' >"$maildir/dovecot-uidlist"
chown "$mail_uid:$mail_gid" "$maildir/dovecot-uidlist"
dovecot_up
refuse fetch 4 "$dir/none"
contains "$answer" "UIDVALIDITY" "another UIDVALIDITY"
want list inbox
contains "$answer" "validity 4711" "the new one"
want fetch 1 "$dir/fourth.again"
cmp "$dir/fourth" "$dir/fourth.again"
driver_stop

# ---- STARTTLS, and certificates that do not hold ----
driver_start port="$imap_port" tls=starttls
want list inbox
equal "$(count)" 2 "over STARTTLS"
want append notice-0 "$dir/copy"
driver_stop
for tls in implicit starttls; do
	port=$imaps_port
	[ $tls = implicit ] || port=$imap_port
	driver_start port="$port" tls=$tls host=127.0.0.1
	refuse list inbox
	contains "$answer" "error server tls" "wrong name"
	driver_stop
done
logins=$(grep -c 'Login: user' "$dir/dovecot/log")
dovecot_setting "s|/good\.|/old.|"
until_ok 10 shows old
driver_start
refuse list inbox
contains "$answer" "expired" "expired certificate"
driver_stop
dovecot_setting "s|/old\.|/other.|"
until_ok 10 shows other
driver_start
refuse list inbox
contains "$answer" "does not match" "another host's certificate"
driver_stop
equal "$(grep -c 'Login: user' "$dir/dovecot/log")" "$logins" "logins in spite of bad certificates"
dovecot_setting "s|/other\.|/good.|"
until_ok 10 shows good

# ---- a wrong password; tokens, read anew for each connection ----
echo wrong >"$dir/wrong"; chmod 600 "$dir/wrong"
driver_start password_from="$dir/wrong"
refuse list inbox
contains "$answer" "error server auth" "wrong password"
driver_stop
echo first-token >"$dir/token"; chmod 600 "$dir/token"
driver_start auth=xoauth2 password_from="$dir/token"
want list inbox
want append notice-3 "$dir/copy"
echo second-token >"$dir/token.valid"
kick
refuse list inbox
contains "$answer" "error server auth" "a token that has run out"
echo second-token >"$dir/token"
want list inbox
want append notice-4 "$dir/copy"
driver_stop

# ---- a personal namespace below INBOX. ----
dovecot_setting '$a namespace inbox {\n  prefix = INBOX.\n  separator = .\n  inbox = yes\n}'
sleep 0.5
driver_start
deliver 六通目
want list inbox
last=$(uids | awk '{ print $NF }')
want move done "$last"
want list done
equal "$(count)" 3 "処理済み below the prefix"
equal "$(find "$maildir" -maxdepth 1 -name '.*' -type d | grep -c INBOX)" 0 "folders below .INBOX"
driver_stop
dovecot_setting '/^namespace inbox/,/^}/d'
sleep 0.5

# ---- many: what is listed costs, not what lies there ----
/usr/bin/python3 - "$maildir" "$many" "$mail_uid" "$mail_gid" <<'PY'
import os, sys
base, many, uid, gid = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
body = b"From: x@example.co.jp\r\nSubject: many\r\n\r\nx\r\n"
size = len(body)
for i in range(many):
    path = f"{base}/cur/{1700100000 + i}.M{i}.host,S={size},W={size}:2,"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    os.write(fd, body)
    os.fchown(fd, uid, gid)
    os.close(fd)
PY
driver_start
want list inbox 0 1 # Dovecot makes its own index
before=$(date +%s%N)
want list inbox 0 100
after=$(uids | awk '{ print $NF }')
want list inbox "$after" 100
equal "$(count)" 100 "the second hundred"
contains "$answer" more "there is more"
want list inbox "$((many - 50))" 1000
lacks "$answer" more "the last ones"
[ "$(count)" -ge 50 ] || fail "too few behind a UID near the end"
milliseconds=$((($(date +%s%N) - before) / 1000000))
want list inbox 0 300
start=$(date +%s%N)
# shellcheck disable=SC2046
want move done $(uids)
equal "$(count)" 300 "moved at once"
lacks "$answer" gone "moved at once"
echo "figure: mailbox of $many mails: three lists (100, 100, the end) in $milliseconds ms, 300 moved in $((($(date +%s%N) - start) / 1000000)) ms"
driver_stop
