title="exec to READY=1 with 1,000,000 declarations on file, all roles; the peers until they greet on their port"
contenders="sengen postfix dovecot"
targets="start <= 50 ms"

prepare() {
	need_root
	need_program postfix dovecot
	need_space 6000
	. tests/scripts/mailserver
	make_ca
	make_cert good localhost
	start_postfix localhost good
	postfix_program stop
	start_dovecot good
	dovecot_program stop
	until_ok 20 gone
	filled_copy "$(scaled 1000000)" "$dir/office"
}
# Nobody answers on the peers' ports any more.
gone() { ! (: <"/dev/tcp/127.0.0.1/$smtp_port") 2>/dev/null && ! (: <"/dev/tcp/127.0.0.1/$imap_port") 2>/dev/null; }
run_sengen() { "$peers/ready" notify "$build/sengend" -c "$dir/office/sengend.conf"; }
run_postfix() { "$peers/ready" "$smtp_port" "$(/usr/sbin/postconf -c "$dir/postfix" -h daemon_directory)/master" -c "$dir/postfix" -d; until_ok 20 gone; }
run_dovecot() { "$peers/ready" "$imap_port" /usr/sbin/dovecot -F -c "$dir/dovecot/dovecot.conf"; until_ok 20 gone; }
