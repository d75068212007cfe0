#!/bin/bash
# T17: Japanese mail. Names and subjects that are known to break (JIS taken for UTF-8, words cut in mid-character, lost blanks, vendor characters turned to "?", long
# ones), sent by the office in both charsets and read by Python's email and by MIME::Tools for Perl (by ours: test_trap_17_japanese_mail).
cd "$(dirname "$0")/../.."
. tests/scripts/lib
. tests/scripts/office
perl -MMIME::Parser -e 1 2>/dev/null || fail "libmime-tools-perl is not installed"
for charset in utf-8 iso-2022-jp; do
	rm -rf "$state" "$spool" "$dir/run"
	mkdir -p "$spool/incoming" "$dir/run"
	make_conf "charset = \"$charset\";" 'receipt_ceiling = 1000;'
	/usr/bin/python3 tests/peers/trap_17.py forms >"$dir/form.csv"
	drop form.csv <"$dir/form.csv"
	"$build/sengend" -c "$conf" --once 2>>"$dir/log" || fail "sengend --once"
	/usr/bin/python3 tests/peers/trap_17.py check "$state/maildir/new" "$charset"
done
