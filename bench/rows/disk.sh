title="what the machine does by itself: 4 KiB appended and written out with fdatasync; a transaction of SQLite (WAL, synchronous FULL); a child forked, ended and waited for"
contenders="machine"
run_machine() {
	"$peers/disk" "$round_dir" "$(scaled 5000)"
}
