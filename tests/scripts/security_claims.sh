#!/bin/bash
# Every claim of SECURITY.md names tests, and each of them exists.
cd "$(dirname "$0")/../.."
. tests/scripts/lib

grep -o '`tests/[a-z0-9_./]*`' SECURITY.md | tr -d '`' | sort -u >"$dir/named"
[ "$(wc -l <"$dir/named")" -ge 40 ] || fail "SECURITY.md names few tests"
while read -r test; do
	[ -e "$test" ] || fail "SECURITY.md names $test, which is not there"
done <"$dir/named"
sed -n '/^| claim | test |/,/^$/p' SECURITY.md | grep '^| ' | grep -v '^| claim | test |' >"$dir/claims"
! grep -v 'tests/' "$dir/claims" || fail "a claim of SECURITY.md names no test"
# Every trap has its test.
for trap in 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20; do
	ls tests/unit/test_trap_"$trap"_*.c >/dev/null 2>&1 || ls tests/scripts/trap_"$trap"_*.sh >/dev/null 2>&1 || fail "trap T$trap has no test"
done
