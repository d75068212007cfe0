#!/bin/bash
# T13: alive but deaf. A mail server and a mailbox that accept, greet or say nothing, and keep the line: health turns red and names both, while the roles live.
cd "$(dirname "$0")/../.."
. tests/scripts/lib
. tests/scripts/office
cat >"$dir/deaf.py" <<'END'
import socket, sys, threading
held = []
def serve(listener, greeting):
    while True:
        line, _ = listener.accept()
        if greeting:
            line.sendall(greeting)
        held.append(line)
listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
threading.Thread(target=serve, args=(listeners[0], b""), daemon=True).start()
threading.Thread(target=serve, args=(listeners[1], b"* OK ready\r\n"), daemon=True).start()
with open(sys.argv[1] + ".new", "w") as out:
    print(*[listener.getsockname()[1] for listener in listeners], file=out)
import os
os.rename(sys.argv[1] + ".new", sys.argv[1])
threading.Event().wait()
END
background /usr/bin/python3 "$dir/deaf.py" "$dir/ports"
until_ok 20 test -s "$dir/ports"
read -r smtp imap <"$dir/ports"
printf 'x\n' >"$dir/password"; chmod 600 "$dir/password"
make_conf 'fault_pause_seconds = 1;' 'mailbox_poll_seconds = 1;' 'business_days = false;' 'hours = "";' \
	"transport : { maildir = false; host = \"127.0.0.1\"; port = $smtp; tls = \"none\"; connect_seconds = 1; reply_seconds = 1; dot_seconds = 1; };" \
	"mailbox : { maildir = false; host = \"127.0.0.1\"; port = $imap; tls = \"starttls\"; user = \"u\"; password_from = \"password\"; connect_seconds = 1; reply_seconds = 1; };"
health() { "$build/sengenctl" -c "$conf" health "$@" 2>/dev/null; }
forms 1 3 | drop form.csv
: >"$dir/log"
background "$build/sengend" -c "$conf" 2>"$dir/log"
daemon=$last_pid
# Green before anybody could have noticed; red for both lines within seconds, and it says so to a script by its exit status.
red() { # both are named among what is not good, and the exit status says so to scripts
	! health --json >"$dir/health" && /usr/bin/python3 - "$dir/health" <<-'END'
		import json, sys
		bad = [line for line in open(sys.argv[1]) if json.loads(line)["level"] == "bad"]
		sys.exit(not (any("mailbox" in line for line in bad) and any("mail server" in line or "sender" in line for line in bad)))
	END
}
until_ok 120 log_has sender.fault
until_ok 120 log_has mailbox.fault
until_ok 30 red || { cat "$dir/health"; tail -n 20 "$dir/log"; exit 1; }
equal "$(mails)" 0 "mails through a server that says nothing"
kill -0 "$daemon" || fail "the daemon is gone"
equal "$(register "SELECT count(*) FROM outbox WHERE attempts > 0")" 0 "attempts that count against recipients"
stop_daemon || fail "sengend ended with $?"
