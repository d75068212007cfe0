#!/bin/bash
# T12: reading twice or never. A real Dovecot: the line dropped in mid-fetch, UIDVALIDITY begun anew with old mails read and new ones waiting, three days offline, mails
# without a Message-ID and with \Seen: each is taken once.
cd "$(dirname "$0")/../.."
. tests/scripts/lib
. tests/scripts/mailserver
make_ca
make_cert good localhost
start_dovecot good
printf 'geheim pass\n' >"$dir/password"
chmod 600 "$dir/password"
exec 3>&1
/usr/bin/python3 tests/peers/trap_12.py "$build/sengend" "$dir" "$imap_port"
