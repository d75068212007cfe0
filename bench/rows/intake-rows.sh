title="100,000 applications in one CP932 CSV: validated, registered, chained, receipt rendered and queued; the peer puts the same rows into SQLite"
contenders="sengen sqlite"
targets="rate / sqlite >= 0.5
memory <= 64 MiB"

prepare() {
	need_program sqlite3
	need_space 4096
	rows=$(scaled 100000)
	corpus csv "$dir/forms.csv" "$rows"
}
before_sengen() {
	bench_conf "$round_dir" 'receipt_ceiling = 1000000;' 'outbox_bound = 10000000;'
	cp "$dir/forms.csv" "$round_dir/spool/incoming/.forms.csv.tmp"
	start_intake
}
run_sengen() {
	drop_and_wait 1 mv "$round_dir/spool/incoming/.forms.csv.tmp" "$round_dir/spool/incoming/forms.csv"
	figure rate "$(per_second "$rows" "$begun" "$ended")" /s
	intake_figures "$rows"
}
run_sqlite() { "$peers/replay" "$dir/ours/register.db" "$round_dir/register.db"; }
. bench/rows/intake.part
