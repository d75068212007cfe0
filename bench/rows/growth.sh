title="registers of 1, 3 and 10 million declarations: bytes a declaration, and intake, send, idle, due and desk on each"
contenders="sengen"
rounds=1
targets="bytes_1m <= 2048 B
bytes_10m <= 2048 B
intake_1m / sengen:intake_3m <= 1.5
intake_1m / sengen:intake_10m <= 1.5
send_1m / sengen:send_3m <= 1.5
send_1m / sengen:send_10m <= 1.5
idle_3m / sengen:idle_1m <= 1.5
idle_10m / sengen:idle_1m <= 1.5
due_1m / sengen:due_3m <= 1.5
due_1m / sengen:due_10m <= 1.5
search_10m / sengen:search_1m <= 1.5
why_10m / sengen:why_1m <= 1.5
status_10m / sengen:status_1m <= 1.5"

prepare() { need_space $((40000 / scale)); }
# desk NAME ARGUMENT...: the median of 11, start included.
desk() {
	local name=$1 i begun
	shift
	for i in 1 2 3 4 5 6 7 8 9 10 11; do
		begun=$(clock)
		"$build/sengenctl" -c "$office/sengend.conf" "$@" >/dev/null || [ $? = 1 ]
		since "$begun"
	done | percentile 50 | { read -r value; figure "${name}_$size" "$value" ms; }
}
run_sengen() {
	local count at moment id
	for at in 1m:1000000 3m:3000000 10m:10000000; do
		size=${at%:*} count=$(scaled "${at#*:}") office=$dir/office
		if [ "$size" = 1m ]; then filled_copy "$count" "$office"; else filled_take "$count" "$office"; fi
		figure "bytes_$size" "$(($(stat -c %s "$office/state/register.db") / count))" B
		"$peers/scheduler" idle "$office/sengend.conf" 20000 | sed "s/^figure step /figure idle_$size /"
		id=$((count / 2))
		desk search search "サンプル $id"
		desk why why "$id"
		desk status status
		"$peers/scheduler" prepare "$office/sengend.conf" "$(scaled 10000)" >"$dir/prepared"
		sed -n "s/^figure \\([a-z]*\\) /figure \\1_$size /p" "$dir/prepared"
		moment=$(tail -n 1 "$dir/prepared")
		"$peers/scheduler" run "$office/sengend.conf" "$moment" | sed -n "s/^figure rate /figure due_$size /p"
		rm -rf "$office"
	done
}
