#!/bin/bash
# Each sample mail is read as tests/samples/truth.jsonl says, with and without the declarations on file; so are mails that were made otherwise.
set -eu
cd "$(dirname "$0")/../.."
ctl=$PWD/${SENGEN_BUILD:-build}/sengenctl
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

compare() { # truth readings
	/usr/bin/python3 tests/peers/inspect_truth.py "$@"
}

cd tests/samples
"$ctl" inspect --json mail/*.eml >"$dir/alone.jsonl"
"$ctl" inspect --json --registry registry.csv --office security-action-info@sa.example.jp mail/*.eml >"$dir/registry.jsonl"
cd ../..
compare tests/samples/truth.jsonl "$dir/alone.jsonl"
compare tests/samples/truth.jsonl "$dir/registry.jsonl"

/usr/bin/python3 tests/peers/inspect_variations.py "$dir/mails"
(cd "$dir/mails" && "$ctl" inspect --json v*.eml >"$dir/variations.jsonl")
compare "$dir/mails/truth.jsonl" "$dir/variations.jsonl"

# Letters written by hand, each by somebody else.
/usr/bin/python3 tests/peers/letters.py "$dir/letters" tests/data/letters
(cd "$dir/letters" && "$ctl" inspect --json *-*.eml >"$dir/letters.jsonl")
compare "$dir/letters/truth.jsonl" "$dir/letters.jsonl"

# A hostile mail costs its own reading only; a file that is not there is said so and makes the exit code 1.
printf 'From: a@example.co.jp\r\nTo: b@example.jp\r\nSubject: x\r\n\r\n\0\0\0' >"$dir/nul.eml"
head -c 33000000 /dev/zero >"$dir/zero.eml"
code=0
"$ctl" inspect "$dir/zero.eml" "$dir/nul.eml" "$dir/missing.eml" tests/samples/mail/0017.eml >"$dir/hostile.jsonl" || code=$?
[ "$code" = 1 ] || { echo "exit $code"; exit 1; }
[ "$(wc -l <"$dir/hostile.jsonl")" = 4 ] || { cat "$dir/hostile.jsonl"; exit 1; }
[ "$(grep -c '"review":true' "$dir/hostile.jsonl")" = 3 ] || { cat "$dir/hostile.jsonl"; exit 1; }
grep -q '"kind":"stop-request","review":false' "$dir/hostile.jsonl" || { cat "$dir/hostile.jsonl"; exit 1; }

# Names of files as another system writes them (CP932) are shown, whatever becomes of the file.
cp tests/samples/mail/0017.eml "$dir/"$'\x92\x86\x8e~.eml'
code=0
"$ctl" inspect --json "$dir/"$'\x92\x86\x8e~.eml' "$dir/"$'\x96\xb3.eml' >"$dir/named.jsonl" || code=$?
[ "$code" = 1 ] || { echo "exit $code"; exit 1; }
[ "$(grep -c '"file":".*x8e~.eml","kind":"stop-request"\|"file":".*xb3.eml","kind":"other"' "$dir/named.jsonl")" = 2 ] || { cat "$dir/named.jsonl"; exit 1; }
