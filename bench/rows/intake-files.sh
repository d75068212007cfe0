title="100,000 JSON files of one application each, dropped by rename; the peer reads, inserts the same rows in batches, copies, unlinks"
contenders="sengen loop"
targets="rate / loop >= 0.5
memory <= 64 MiB"

prepare() {
	need_program sqlite3
	need_space 4096
	files=$(scaled 100000)
	corpus json "$dir/forms" "$files"
}
before_sengen() {
	bench_conf "$round_dir" 'receipt_ceiling = 1000000;' 'outbox_bound = 10000000;'
	cp -r "$dir/forms" "$round_dir/forms"
	start_intake
}
move_all() { find "$round_dir/forms" -type f -exec mv -t "$round_dir/spool/incoming" {} +; }
run_sengen() {
	drop_and_wait "$files" move_all
	figure rate "$(per_second "$files" "$begun" "$ended")" /s
	intake_figures "$files"
}
before_loop() {
	cp -r "$dir/forms" "$round_dir/forms"
	mkdir "$round_dir/archive"
}
run_loop() { "$peers/replay" "$dir/ours/register.db" "$round_dir/register.db" "$round_dir/forms" "$round_dir/archive"; }
. bench/rows/intake.part
