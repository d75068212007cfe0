#!/bin/bash
# Values that try to break out, planted in every field of forms, mails and file names of a small office: no command's output obeys them on a terminal, no page takes
# them for markup, no CSV for formulas; and JSON has them exactly.
cd "$(dirname "$0")/../.."
. tests/scripts/lib
. tests/scripts/office
make_conf 'business_days = false;' 'hours = "";' 'authserv_id = "mx.sa.example.jp";'
forms 1 1 | sed -n 1p >"$dir/head.csv"
/usr/bin/python3 tests/scripts/planted.py "$build" "$conf" "$dir" || fail planted
