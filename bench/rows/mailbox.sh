title="10,000 mails of a Dovecot over TLS: fetched, each read in a child of its own, recorded, moved; the peers only fetch (getmail a tenth of them)"
contenders="sengen fetchmail mbsync getmail"
targets="rate / fetchmail >= 2
memory <= 64 MiB"

prepare() {
	need_root
	need_program dovecot fetchmail mbsync getmail sqlite3
	mails=$(scaled 10000)
	getmail_mails=$(scaled 1000)
	. tests/scripts/mailserver
	corpus mails "$dir/mails" "$mails"
	make_ca
	make_cert good localhost
	start_dovecot good
	printf 'geheim pass\n' >"$dir/password"
	chmod 600 "$dir/password"
}

# inbox MAILS: so many in a mailbox that nobody has opened yet.
inbox() {
	rm -rf "$dir/maildir/crash"
	mkdir -p "$dir/maildir/crash/"{new,cur,tmp}
	find "$dir/mails" -type f | sort | sed -n "1,$1p" | xargs cp -t "$dir/maildir/crash/new"
	chown -R "$mail_uid:$mail_gid" "$dir/maildir/crash"
}

before_sengen() {
	inbox "$mails"
	bench_conf "$round_dir" \
		"mailbox : { maildir = false; host = \"localhost\"; port = $imap_port; tls = \"starttls\"; ca_file = \"$dir/ca.pem\"; user = \"crash\"; password_from = \"$dir/password\"; };"
}
filed() { [ "$(sqlite3 -readonly "file:$round_dir/state/register.db?mode=ro" "SELECT count(*) FROM message WHERE state = 3" 2>/dev/null)" = "$mails" ]; }
run_sengen() {
	begun=$(clock)
	background "$build/sengend" -c "$round_dir/sengend.conf" mailbox 2>"$round_dir/log"
	family_watch "$last_pid"
	until_ok 900 filed
	figure rate "$(per_second "$mails" "$begun")" mails/s
	figure memory "$(family_peak)" MiB
	[ -z "$(find "$dir/maildir/crash/new" "$dir/maildir/crash/cur" -type f -print -quit)" ] || fail "mails are left in INBOX"
}

before_fetchmail() {
	inbox "$mails"
	cat >"$round_dir/fetchmailrc" <<-CONF
		set no syslog
		set no bouncemail
		set idfile "$round_dir/ids"
		set pidfile "$round_dir/pid"
		poll localhost protocol imap port $imap_port auth password: user "crash" password "geheim pass" is "desk@example.org" keep fetchall no rewrite
		sslproto 'tls1.2+' sslcertck sslcertfile $dir/ca.pem bsmtp "$round_dir/bsmtp"
	CONF
	chmod 600 "$round_dir/fetchmailrc"
}
run_fetchmail() {
	begun=$(clock)
	FETCHMAILHOME=$round_dir fetchmail -f "$round_dir/fetchmailrc" --silent --nodetach
	figure rate "$(per_second "$mails" "$begun")" mails/s
	[ "$(grep -c '^DATA' "$round_dir/bsmtp")" -ge "$mails" ] || fail "fetchmail has not fetched all"
}

before_mbsync() {
	inbox "$mails"
	mkdir -p "$round_dir/mbsync"
	cat >"$round_dir/mbsyncrc" <<-CONF
		FSync yes

		IMAPAccount office
		Host localhost
		Port $imap_port
		User crash
		Pass "geheim pass"
		SSLType STARTTLS
		CertificateFile $dir/ca.pem
		AuthMechs LOGIN

		IMAPStore far
		Account office

		MaildirStore near
		Inbox $round_dir/mbsync/inbox
		Path $round_dir/mbsync/
		SubFolders Verbatim

		Channel office
		Far :far:
		Near :near:
		Sync Pull
		Create Near
		SyncState *
	CONF
}
run_mbsync() {
	begun=$(clock)
	mbsync -q -c "$round_dir/mbsyncrc" -a
	figure rate "$(per_second "$mails" "$begun")" mails/s
	[ "$(find "$round_dir/mbsync/inbox" -type f -name '*U=*' | wc -l)" = "$mails" ] || fail "mbsync has not fetched all"
}

before_getmail() {
	inbox "$getmail_mails"
	mkdir -p "$round_dir/getmail/box/"{new,cur,tmp}
	cat >"$round_dir/getmail/rc" <<-CONF
		[retriever]
		type = SimpleIMAPSSLRetriever
		server = localhost
		port = $imaps_port
		username = crash
		password = geheim pass
		ca_certs = $dir/ca.pem
		[destination]
		type = Maildir
		path = $round_dir/getmail/box/
		[options]
		read_all = true
		delete = false
		delivered_to = false
		received = false
		verbose = 0
	CONF
	chmod 755 "$round_dir" "$round_dir/getmail"
	chown -R "$mail_uid:$mail_gid" "$round_dir/getmail" # it does not deliver as root
}
# Under load it gives up a mail whose delivery takes too long, and ends: what it has fetched by then counts.
run_getmail() {
	begun=$(clock)
	(cd "$round_dir/getmail" && setpriv --reuid="$mail_uid" --regid="$mail_gid" --clear-groups env HOME="$round_dir/getmail" \
		getmail --getmaildir="$round_dir/getmail" --rcfile=rc) || echo "getmail: $?"
	ended=$(clock)
	fetched=$(find "$round_dir/getmail/box" -type f | wc -l)
	[ "$fetched" -gt 0 ] || fail "getmail has fetched nothing"
	figure rate "$(per_second "$fetched" "$begun" "$ended")" mails/s
}
