#!/bin/sh
# Sample forms against their truth.
set -eu
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The blank forms that staff fill in: an application in their columns is accepted, a decision is known as one.
ctl=${SENGEN_BUILD:-build}/sengenctl
{
	cat spool/templates/申込み.csv
	iconv -f cp932 demo/drop/申込み_3月2日.csv | sed -n '2s/\r*$/,\r/p'
} >"$work/form.csv"
"$ctl" check-form --json "$work/form.csv" | grep -q '"valid":true' || { echo "the blank form is not understood"; exit 1; }
{
	cat spool/templates/判断.csv
	printf '1,保留,確認中\r\n'
} >"$work/decision.csv"
LC_ALL=C "$ctl" check-form "$work/decision.csv" | grep -q 'staff decisions' || { echo "the blank decision is not understood"; exit 1; }

/usr/bin/python3 tests/scripts/check_forms.py
