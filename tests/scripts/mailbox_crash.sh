#!/bin/bash
# The mailbox against a real Dovecot that breaks in every way at random moments, with kill -9 of the role: nothing lost, nothing twice; and a line
# that stays open and says nothing is seen.
cd "$(dirname "$0")/../.."
. tests/scripts/lib
. tests/scripts/mailserver
make_ca
make_cert good localhost
start_dovecot good
printf 'geheim pass\n' >"$dir/password"
chmod 600 "$dir/password"
/usr/bin/python3 tests/peers/mailbox_crash.py "$build/sengend" "$build/sengenctl" "$dir" "$imap_port" 12 1
