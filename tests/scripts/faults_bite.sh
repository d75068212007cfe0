#!/bin/bash
# The invariants of the simulation of faults notice what is wrong: with one piece made wrong (tests/faults/bite) they name a broken promise, by its number.
cd "$(dirname "$0")/../.."
. tests/scripts/lib

# piece, seeds, numbers of invariant.h
while read -r piece seeds numbers; do
	status=0
	"$build/tests/faults/bite/$piece" --jobs 2 --seeds "$seeds" >"$dir/said" || status=$?
	equal "$status" 1 "$piece: exit status"
	for number in $numbers; do
		grep -qE "(: |\| )$number " "$dir/said" || fail "$piece: promise $number is not said to be broken: $(cut -c1-300 "$dir/said")"
	done
done <<'END'
unsafe_disk 91-94 1 3 8
no_sent_log 1-2 7
nothing_due 1-3 2 12
all_refused 1-8 11
unknown_served 663-666 2
END
