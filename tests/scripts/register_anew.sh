#!/bin/bash
# A register that is begun anew numbers its notices from 1 again: beside the mails of the old one none of its letters is lost.
cd "$(dirname "$0")/../.."
. tests/scripts/lib
. tests/scripts/office
make_conf
forms 1 1 | drop a.csv
"$build/sengend" -c "$conf" --once 2>"$dir/log" || fail "exit status $?"
equal "$(mails)" 1 "mails of the first register"
rm "$state"/register.db* "$state/witness"
forms 2 2 | drop b.csv
"$build/sengend" -c "$conf" --once 2>"$dir/log" || fail "exit status $?"
equal "$(register "SELECT count(*) FROM outbox WHERE state = 3")" 1 "notices sent"
equal "$(mails)" 2 "mails of both registers"
