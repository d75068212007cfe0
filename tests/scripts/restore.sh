#!/bin/bash
# Backup while files come in, check of the copy, and a restore: nothing goes out before it is let go, and nothing twice that the log knows of.
cd "$(dirname "$0")/../.."
. tests/scripts/lib
. tests/scripts/office
ctl() { "$build/sengenctl" -c "$conf" "$@"; }
field() { /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }
have_mails() { [ "$(mails)" -ge "$1" ]; }
on_file() { [ "$(register 'SELECT count(*) FROM application')" -ge "$1" ]; }
none_waits() { [ "$(register 'SELECT count(*) FROM outbox WHERE state IN (1, 2)')" = 0 ]; }
copy=$dir/copy.db

make_conf
start_daemon
forms 1 5 | drop a.csv
until_ok 60 have_mails 5
ctl pause sending --reason "backup test" >/dev/null
forms 6 8 | drop b.csv
until_ok 60 on_file 8
# Others go on meanwhile.
for i in 20 21 22 23; do forms $i $i | drop c$i.csv; done
umask 000
said=$(ctl backup "$copy")
umask 022
contains "$said" "credential.key" "what else must be saved"
contains "$said" "$state/sent" "what else must be saved"
equal "$(stat -c %a "$copy")" 600 "mode of the copy"
[ ! -e "$copy.part" ] || fail "something was left beside"
status=0; ctl backup "$copy" >/dev/null 2>&1 || status=$?
equal "$status" 1 "backup over a file that is there"
until_ok 60 on_file 12
sha=$(sha256sum "$copy")
status=0; found=$(ctl --json restore-check "$copy") || status=$?
equal "$status" 0 "restore-check"
equal "$(echo "$found" | field good)" True "restore-check"
equal "$(echo "$found" | field letters_opened)" "$(echo "$found" | field letters_tried)" "letters opened"
waiting=$(echo "$found" | field would_send_queued)
[ "$waiting" -ge 3 ] || fail "the copy should have at least 3 notices waiting, has $waiting"
status=0; ctl restore-check "$state/register.db" >/dev/null 2>&1 || status=$?
equal "$status" 2 "restore-check of the live register"

# They are sent after all, and two more applications come that the copy knows nothing of.
ctl resume sending >/dev/null
forms 30 31 | drop d.csv
until_ok 60 on_file 14
until_ok 60 have_mails 14
until_ok 60 none_waits
found=$(ctl --json restore-check "$copy") || fail "restore-check: $?"
equal "$(echo "$found" | field waiting_but_sent)" "$waiting" "waiting but sent"
[ "$(echo "$found" | field sent_and_unknown)" -ge 2 ] || fail "the copy can't know of the last two: $found"
[ "$(echo "$found" | field missing)" -gt 0 ] || fail "the live register went on: $found"
equal "$(sha256sum "$copy")" "$sha" "bytes of the copy"

# ---- put back ----
stop_daemon || true
rm "$state"/register.db*
cp "$copy" "$state/register.db"
start_daemon
contains "$(LC_ALL=C.UTF-8 ctl status)" "restored copy" "status"
equal "$(ctl --json status | /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["questions"][0]["name"])')" restored "status"
contains "$(ctl plan)" "release --restored" "plan"
ctl resume sending >/dev/null
# Files are taken, and wait.
at_restore=$(register "SELECT count(*) FROM application")
forms 40 40 | drop e.csv
until_ok 60 on_file $((at_restore + 1))
equal "$(mails)" 14 "mails while the register is held"
status=0; ctl purge >/dev/null 2>&1 || status=$?
equal "$status" 1 "a purge while the register is held"
said=$(LC_ALL=C.UTF-8 ctl release --restored)
contains "$said" "$waiting notices that wait in the copy had been sent" "release"
until_ok 60 have_mails 15
until_ok 60 none_waits
equal "$(mails)" 15 "mails after the release: the new one alone"
ctl audit >/dev/null || fail "audit after the restore"
lacks "$(ctl plan)" "release --restored" "plan"

# ---- the whole directory, its witness too ----
stop_daemon || true
mv "$state" "$dir/aside"
cp -a "$dir/aside" "$state"
start_daemon
equal "$(ctl --json status | /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["questions"][0]["name"])')" restored "status"
ctl release --restored >/dev/null || fail "release"
stop_daemon || true

# ---- copies that are older, newer, damaged, or another office's ----
older=$dir/older.db
sqlite3 "$copy" "VACUUM INTO '$older'"
sqlite3 "$older" "SELECT 'DROP TABLE IF EXISTS \"' || name || '\";' FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT IN
  ('fact','word','form_field','template_set','file','file_row','application','application_payload','number','history','history_payload','outbox',
   'letter','delivery','suppression','message','message_payload','reading_payload','request','request_payload','token','answer','bounce',
   'address_score','copy','message_id','identity')" >"$dir/drop.sql"
{ sqlite3 "$older" "SELECT 'DROP TRIGGER ' || name || ';' FROM sqlite_schema WHERE type = 'trigger'"; cat "$dir/drop.sql"; echo "DROP INDEX IF EXISTS application_file; DROP INDEX IF EXISTS message_id_notice; DROP INDEX IF EXISTS file_archive; DROP INDEX IF EXISTS history_request; PRAGMA user_version = 3;"; } | sqlite3 "$older"
status=0; found=$(ctl --json restore-check "$older") || status=$?
equal "$(echo "$found" | field version)" 3 "version"
equal "$(echo "$found" | field rows)" "$(sqlite3 "$older" 'SELECT max(seq) FROM history')" "rows of the older copy"
equal "$(sqlite3 "$older" 'PRAGMA user_version')" 3 "the older copy itself"
newer=$dir/newer.db
sqlite3 "$copy" "VACUUM INTO '$newer'"
sqlite3 "$newer" "PRAGMA user_version = 99"
status=0; said=$(ctl restore-check "$newer" 2>&1) || status=$?
equal "$status" 1 "restore-check of a newer one"
contains "$said" "version 99" "restore-check of a newer one"
broken=$dir/broken.db
sqlite3 "$copy" "VACUUM INTO '$broken'"
sqlite3 "$broken" "UPDATE history SET at = at + 1 WHERE seq = 2"
status=0; ctl restore-check "$broken" >/dev/null 2>&1 || status=$?
equal "$status" 4 "restore-check of a changed one"
head -c 20000 /dev/zero >"$dir/zeros.db"
status=0; ctl restore-check "$dir/zeros.db" >/dev/null 2>&1 || status=$?
equal "$status" 4 "restore-check of something else"
mv "$state/credential.key" "$dir/key.aside"
status=0; ctl restore-check "$copy" >/dev/null 2>&1 || status=$?
equal "$status" 1 "restore-check without the key"
[ ! -e "$state/credential.key" ] || fail "a key was made"
