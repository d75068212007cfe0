# kill -9 of roles at 200 random moments, into a Maildir and over SMTP: nothing lost, nothing twice but as promised.
. tests/scripts/lib
mkdir -p "$dir/maildir-run" "$dir/smtp-run"
/usr/bin/python3 tests/peers/kill9.py "$build/sengend" "$build/sengenctl" "$dir/maildir-run" 100 1 || { tail -n 20 "$dir/maildir-run/log"; exit 1; }
/usr/bin/python3 tests/peers/kill9.py "$build/sengend" "$build/sengenctl" "$dir/smtp-run" 100 2 smtp || { tail -n 20 "$dir/smtp-run/log"; exit 1; }
