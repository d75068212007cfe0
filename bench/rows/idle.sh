title="a step of the scheduler with nothing due, on 100,000, 1,000,000 and 10,000,000 declarations"
contenders="sengen sqlite"
targets="step_100k <= 20 us
step_1m <= 20 us
step_10m <= 20 us
step_10m / sengen:step_100k <= 1.5"

sizes="100k:100000 1m:1000000 10m:10000000"
prepare() {
	need_space $((40000 / scale))
	local size
	for size in $sizes; do filled "$(scaled "${size#*:}")" >/dev/null; done
}
# each_size COMMAND: that of peers/scheduler.c on each register, its figure under the register's name.
each_size() {
	local size
	for size in $sizes; do
		"$peers/scheduler" "$1" "$(filled "$(scaled "${size#*:}")")/sengend.conf" 20000 | sed "s/^figure step /figure step_${size%:*} /"
	done
}
run_sengen() { each_size idle; }
run_sqlite() { each_size query; }
