#!/bin/bash
# The rows to mend survive LibreOffice Calc: opened, saved as a workbook and as CSV again, they read as before.
cd "$(dirname "$0")/../.."
. tests/scripts/lib

[ -x "$build/tests/unit/test_result" ] || make -s BUILD="$build" "$build/tests/unit/test_result"
SENGEN_RESULT_DIR=$dir "$build/tests/unit/test_result" >"$dir/made" 2>&1 || fail "test_result: $(tail -n 5 "$dir/made")"
mv "$dir/要修正.csv" "$dir/xlsx.csv"
cp "$dir/xlsx.csv" "$dir/ods.csv"

calc() {
	HOME=$dir soffice -env:UserInstallation="file://$dir/profile" --headless --norestore "$@" >"$dir/said" 2>&1 ||
		fail "soffice: $(cat "$dir/said")"
}
# What check-form reads, but for the file's name.
read_form() { "$build/sengenctl" check-form --json "$1" | sed 's/"file":"[^"]*",//' || true; }

before=$(read_form "$dir/xlsx.csv")
contains "$before" '"code":"prefecture"' 'the rows to mend'

# As it opens: comma, quotes, UTF-8, what looks like a number is one.
for kind in xlsx ods; do
	calc --infilter='CSV:44,34,76,1,,0,false,true,false' --convert-to $kind --outdir "$dir/books" "$dir/$kind.csv"
done
# As it is saved: in UTF-8 (76) and in CP932 (64), as Japanese Excel writes CSV; cells as shown.
for charset in 76 64; do
	calc --convert-to "csv:Text - txt - csv (StarCalc):44,34,$charset,1,,0,false,true,false" --outdir "$dir/$charset" \
		"$dir/books/xlsx.xlsx" "$dir/books/ods.ods"
	for kind in xlsx ods; do
		equal "$(read_form "$dir/$charset/$kind.csv")" "$before" "$kind, charset $charset"
	done
done

# Whole rows, the office's own columns too: only how a cell is quoted may differ.
for kind in xlsx ods; do
	/usr/bin/python3 - "$dir/$kind.csv" "$dir/76/$kind.csv" <<-'PYTHON' || fail "$kind: cells changed"
		import csv, sys
		before, after = (list(csv.reader(open(p, encoding="utf-8-sig", newline=""))) for p in sys.argv[1:])
		for row, other in zip(before, after, strict=True):
		    for cell, changed in zip(row, other, strict=True):
		        if cell != changed:
		            sys.exit("%r became %r" % (cell, changed))
	PYTHON
done
