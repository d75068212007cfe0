title="10,000 declarations due at once: transitions, numbers, history, letters, queueing"
contenders="sengen sqlite"
targets="rate / sqlite >= 0.4"

prepare() {
	due=$(scaled 10000)
	bench_conf "$dir/office"
	moment=$("$peers/scheduler" prepare "$dir/office/sengend.conf" "$due" | tail -n 1)
	mv "$dir/office/state" "$dir/before"
	begin_again
	"$peers/scheduler" run "$dir/office/sengend.conf" "$moment" >&2
	mv "$dir/office/state" "$dir/after"
}
begin_again() {
	rm -rf "$dir/office/state"
	cp -a "$dir/before" "$dir/office/state"
	rm -f "$dir/office/state/witness"
}
before_sengen() { begin_again; }
before_sqlite() { begin_again; }
run_sengen() { "$peers/scheduler" run "$dir/office/sengend.conf" "$moment"; }
# As many transactions as the scheduler has: 50 declarations each (lib/office/due.c).
run_sqlite() { "$peers/due_rows" "$dir/office/state/register.db" "$dir/after/register.db" 50; }
