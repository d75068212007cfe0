title="one file dropped by rename into an idle daemon, until its receipt has been taken by the mail server; 1,000 files, one after the other"
contenders="sengen"
targets="p99 <= 50 ms"

prepare() {
	files=$(scaled 1000)
	corpus json "$dir/forms" "$files"
}
before_sengen() {
	start_sink
	bench_conf "$round_dir" 'receipt_ceiling = 1000000;' \
		"transport : { maildir = false; host = \"127.0.0.1\"; port = $sink_port; tls = \"none\"; auth = \"none\"; };"
	cp -r "$dir/forms" "$round_dir/forms"
	: >"$round_dir/log"
	background "$build/sengend" -c "$round_dir/sengend.conf" 2>"$round_dir/log"
	daemon=$last_pid
	until_ok 60 grep -q supervisor.ready "$round_dir/log"
	sleep 1
}
run_sengen() {
	local file sent=0
	: >"$round_dir/times"
	for file in "$round_dir"/forms/*.json; do
		begun=$(clock)
		mv "$file" "$round_dir/spool/incoming/"
		sent=$((sent + 1))
		sink_wait "$sent" 30
		since "$begun" "$sink_last" >>"$round_dir/times"
		sleep 0.05 # idle again
	done
	figure p50 "$(percentile 50 <"$round_dir/times")" ms
	figure p99 "$(percentile 99 <"$round_dir/times")" ms
	read -r _ pss _ < <(family "$daemon")
	figure memory "$(calc "$pss / 1024")" MiB
}
