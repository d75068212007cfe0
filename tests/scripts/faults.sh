#!/bin/bash
# The office under faults (tests/faults): runs decided by their seeds, after each of which nothing may be lost, sent twice or left waiting.
cd "$(dirname "$0")/../.."
. tests/scripts/lib

faults=$build/tests/faults/faults
seeds=${SENGEN_FAULT_SEEDS:-1-2000}

# A call that changes files and does not pass by the disk would never fail there, and never be undone.
wrapped=$(sed -n '/^FAULT_WRAP :=/,/[^\\]$/p' Makefile | tr -d '\\' | tr ' \t' '\n\n')
nm "$build/libsengen.a" "$build/libdaemon.a" 2>/dev/null | sed -n 's/^ *U \([a-z_0-9]*\).*/\1/p' | sort -u |
	grep -vx opendir | grep -E '^(open|openat|creat|mkost|mkst|mkdtemp|write|pwrite|writev|pwritev|rename|link|symlink|unlink|rmdir|remove|mkdir|mknod|ftruncate|truncate|fallocate|posix_fallocate|copy_file_range|sendfile|splice|fsync|fdatasync|sync|fopen|freopen|fdopen)' \
	>"$dir/called"
while read -r call; do
	grep -qxF "${call%64}" <<<"$wrapped" || fail "$call() changes files and is not in FAULT_WRAP of the Makefile"
done <"$dir/called"

# The same seed, the same run, to the letter (but for the number of a file, which is the system's).
for seed in 3 17 41; do
	"$faults" --seed "$seed" --trace 2>&1 | sed 's/sengen-faults\.[A-Za-z0-9]*//; s/inode=[0-9]*//' >"$dir/one"
	"$faults" --seed "$seed" --trace 2>&1 | sed 's/sengen-faults\.[A-Za-z0-9]*//; s/inode=[0-9]*//' >"$dir/two"
	cmp -s "$dir/one" "$dir/two" || fail "seed $seed gave two runs: $(diff "$dir/one" "$dir/two" | head -4)"
	[ -s "$dir/one" ] || fail "seed $seed told nothing"
done

"$faults" --jobs 2 --seeds "$seeds" || fail "broken promises; again with: $faults --seed N --trace"
