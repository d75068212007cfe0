#!/bin/bash
# The manual pages: free of faults, and complete. Every key of sengend.conf and of the profiles, every placeholder, every command
# and every role stands in its page, keys with the very type, range and default that the program has.
cd "$(dirname "$0")/../.."
. tests/scripts/lib

# Pages are looked up in the system's index, where ours are not and cron(8) may not be.
said=$(mandoc -Tlint man/*.[1-8] "$build"/man/*.[1-8] 2>&1 | grep -v -e 'referenced manual not found' -e 'outdated mandoc.db' || true)
[ -z "$said" ] || fail "mandoc: $said"
grep -h '^\.Xr sengen' man/*.[1-8] "$build"/man/* | sort -u | while read -r _ name section _; do
	[ -f "man/$name.$section" ] || [ -f "$build/man/$name.$section" ] || fail "man/$name.$section is referred to and missing"
done
PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 tests/scripts/man_check.py "$build"
