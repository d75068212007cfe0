title="all processes, idle, with 1,000,000 declarations on file: PSS after a minute; Postfix master and children idle beside"
contenders="sengen postfix"
targets="memory <= 24 MiB"
rounds=3

prepare() {
	need_root
	need_program postfix
	need_space 6000
	. tests/scripts/mailserver
	make_ca
	make_cert good localhost
	filled_copy "$(scaled 1000000)" "$dir/office"
	start_postfix localhost good
	postfix=$(tr -d ' ' <"$(/usr/sbin/postconf -c "$dir/postfix" -h queue_directory)/pid/master.pid")
}
log_says() { grep -qF -- "$1" "$round_dir/log"; }
pss() { family "$1" | awk '{printf "figure memory %.1f MiB\nfigure processes %d processes\n", $2 / 1024, $1}'; }
run_sengen() {
	background "$build/sengend" -c "$dir/office/sengend.conf" 2>"$round_dir/log"
	until_ok 60 log_says supervisor.ready
	sleep $((scale > 1 ? 5 : 60))
	pss "$last_pid"
}
run_postfix() { pss "$postfix"; }
