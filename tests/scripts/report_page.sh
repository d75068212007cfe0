#!/bin/bash
# The report and a proof as staff see them: written from a lively office, opened from file:// in headless Chromium. SENGEN_PICTURES=DIRECTORY keeps
# screenshots there, to be looked at (of an office without hostile names where SENGEN_CALM is set; those under man/img are made so).
cd "$(dirname "$0")/../.."
. tests/scripts/lib
. tests/scripts/office
hostile=--hostile
[ -z "${SENGEN_CALM:-}" ] || hostile=
make_conf
mkdir -p "$state/mailbox"/{new,cur,tmp} ${SENGEN_PICTURES:+"$SENGEN_PICTURES"}
/usr/bin/python3 tests/peers/lively.py "$build" "$conf" $hostile 2>"$dir/log" || fail "$(tail -3 "$dir/log")"
page=$("$build/sengenctl" -c "$conf" --at '2026-06-10 10:30' report) || fail "no report"
equal "$page" "$spool/report/index.html" "the page's place"
"$build/sengenctl" -c "$conf" --at '2026-06-10 10:30' proof 5 --output "$dir/proof.html" >/dev/null || fail "no proof"
/usr/bin/python3 tests/peers/report_page.py "$build/sengenctl" "$conf" "$page" "$dir/proof.html" $hostile ${SENGEN_PICTURES:+"$SENGEN_PICTURES"} ||
	fail "the page"
