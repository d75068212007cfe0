title="a year of 220 applications a day and three deadline peaks of 20,000 (140,300 in all) on the virtual clock, each with its three notices to a discarding SMTP server over 16 connections; register, history and sent log as in service, synchronous FULL"
contenders="sengen"
targets="time <= 120 s
unbalanced <= 0 books"
rounds=1

before_sengen() {
	start_sink
	bench_conf "$round_dir" "connections = 16;" \
		"transport : { maildir = false; host = \"127.0.0.1\"; port = $sink_port; tls = \"none\"; };"
	rows=$(python3 bench/corpus.py season "$round_dir/spool/incoming" "$scale")
	echo "$rows" >"$dir/rows"
}
run_sengen() {
	local begun unbalanced=0 rows
	rows=$(cat "$dir/rows")
	begun=$(clock)
	timed "$build/sengend" -c "$round_dir/sengend.conf" --simulate-until 2026-01-31 >"$round_dir/said"
	figure time "$(calc "$(since "$begun") / 1000")" s
	figure processor "$(calc "$cpu_ms / 1000")" s
	figure processor_an_application "$(calc "$cpu_ms / $rows")" ms
	cat "$round_dir/said"
	grep -q "^applications $rows, logo_authorized $rows, held 0, in review 0$" "$round_dir/said"
	grep -q "^notices sent $((rows * 3))$" "$round_dir/said"
	sink_wait "$((rows * 3))" 1
	"$build/sengenctl" -c "$round_dir/sengend.conf" --at "2026-01-31 23:59" balance || unbalanced=1
	figure applications "$rows" rows
	figure notices "$((rows * 3))" mails
	figure unbalanced "$unbalanced" books
}
