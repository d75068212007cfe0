#!/bin/bash
# T11: one message stops the mailbox, or is tried for ever. Broken mails of every kind, bombs among them, each followed by a good one: every good one is carried out, every
# broken one is on file with its bytes and in its folder, none is tried again; likewise files that swell in the drop folder, each followed by a good one.
cd "$(dirname "$0")/../.."
. tests/scripts/lib
. tests/scripts/office
make_conf 'business_days = false;' 'hours = "";' 'receipt_ceiling = 1000;'
mkdir -p "$state/mailbox/new" "$state/mailbox/cur" "$state/mailbox/tmp" "$dir/bombs"
forms 1 60 | drop form.csv
"$build/sengend" -c "$conf" --once 2>>"$dir/log"
equal "$(register 'SELECT count(*) FROM application')" 60 applications

# Each number: a broken mail, then somebody who leaves the news.
/usr/bin/python3 - "$state/mailbox/new" <<'END'
import sys, random
office = b"To: security-action-info@sa.example.jp\r\nSubject: x\r\n"
multi = b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
rng = random.Random(1)
broken = [
    b"\r\n\r\n\r\n", b"\0" * 5000, b"no header at all", b"From \r\n\r\n", b": empty name\r\n\r\nx", b"From: a@example.co.jp", b"\r\n",
    b"From: a@example.co.jp\r\n" + office + multi, b"From: a@example.co.jp\r\n" + office + multi + b"--b", b"From: a@example.co.jp\r\n" + office + multi + b"--b\r\n--b\r\n--b--\r\n--b--",
    b"From: a@example.co.jp\r\n" + office + b"Content-Type: multipart/mixed\r\n\r\n--\r\nx", b"From: a@example.co.jp\r\n" + office + b"Content-Type: ;;;=\"\r\n\r\nx",
    b"From: a@example.co.jp\r\n" + office + b"Content-Type: text/plain; charset=no-such-thing\r\n\r\n\xff\xfe", b"From: a@example.co.jp\r\n" + office + b"Content-Transfer-Encoding: base64\r\n\r\n====!!!",
    b"From: a@example.co.jp\r\n" + office + b"Content-Transfer-Encoding: no-such-thing\r\n\r\nx", b"From: =?UTF-8?B?////?= <a@example.co.jp>\r\n" + office + b"\r\nx",
    b"From: a@example.co.jp\r\nSubject: =?ISO-2022-JP?B?GyRC?=\r\n\r\nx", b"From: a@example.co.jp\r\n" + office + b"Content-Type: text/plain; charset=ISO-2022-JP\r\n\r\n\x1b$B\x1b\x1b$(\x1b",
    b"From: a@example.co.jp\r\n" + office + b"Content-Type: message/rfc822\r\n\r\n", b"From: a@example.co.jp\r\n" + office + b"Date: Thu, 99 Foo 99999 99:99:99 +9999\r\n\r\nx",
    b"From: a@example.co.jp, b@example.co.jp\r\nFrom: c@example.co.jp\r\n" + office + b"\r\nx", b"From: <>\r\n" + office + b"\r\nx", b"From: a@example.co.jp\r\r\r\nTo: x\r\r\n\r\nx",
    b"From: a@example.co.jp\r\n" + office + b"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nStatus: \r\n--b--\r\n",
    b"From: a@example.co.jp\r\n" + office + b"MIME-Version: 1.0\r\nContent-Type: application/octet-stream; name=\"b3.docx\"\r\n\r\nPK\x03\x04broken",
    b"From: a@example.co.jp\r\n" + office + b"Content-Type: application/ms-tnef; name=winmail.dat\r\n\r\n\x78\x9f\x3e\x22",
    bytes(rng.randrange(256) for _ in range(20000)), b"From: a@example.co.jp\r\n" + bytes(rng.randrange(256) for _ in range(20000)),
]
for i, mail in enumerate(broken):
    open(f"{sys.argv[1]}/{2 * i + 1000}.broken", "wb").write(b"X-Number: %d\r\n" % i + mail if mail.startswith(b"From: ") else mail)
    good = (f"From: tanto{i + 1}@example.co.jp\r\nTo: security-action-info@sa.example.jp\r\nSubject: 配信停止のお願い\r\nMessage-ID: <{i}@example.co.jp>\r\nMIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nメールニュースの配信停止をお願いいたします。\r\n")
    open(f"{sys.argv[1]}/{2 * i + 1001}.good", "wb").write(good.encode())
print(len(broken))
END
count=$(find "$state/mailbox/new" -name '*.good' | wc -l)
# And bombs, with good ones between them and at the end.
n=2000
for name in nested_messages zip_zeros_small empty_parts file_name docx_zeros headers_100000; do
	/usr/bin/python3 tests/peers/bombs.py write "$dir/bombs" "$name" >/dev/null
	mv "$dir/bombs/$name.eml" "$state/mailbox/new/$n.bomb"
	sed "s/tanto1@/tanto$((n - 2000 + 40))@/; s/<0@/<bomb$n@/" "$state/mailbox/new/1001.good" >"$state/mailbox/new/$n.good"
	n=$((n + 1))
done
all=$(find "$state/mailbox/new" -type f | wc -l)
"$build/sengend" -c "$conf" --once 2>>"$dir/log" || fail "sengend --once"
equal "$(register 'SELECT count(*) FROM message WHERE state = 3')" "$all" "mails taken, read and filed"
equal "$(find "$state/mailbox/new" -type f | wc -l)" 0 "mails left in INBOX"
equal "$(register "SELECT count(*) FROM request WHERE kind = 4 AND state = 4")" $((count + 6)) "good mails carried out"
equal "$(register "SELECT count(*) FROM message WHERE size = 0 AND digest IS NULL")" 0 "mails without their bytes"
before=$(register 'SELECT max(seq) FROM history')
"$build/sengend" -c "$conf" --once 2>>"$dir/log"
equal "$(register "SELECT count(*) FROM message")" "$all" "mails after another run"
equal "$(register 'SELECT count(*) FROM history WHERE event = 39 AND seq > '"$before")" 0 "requests after another run"

# The drop folder.
n=100
for name in csv_line csv_open_quotes json_lines_open csv_columns json_objects; do
	path=$(/usr/bin/python3 tests/peers/bombs.py write "$dir/bombs" "$name")
	mv "$path" "$spool/incoming/"
	forms $n $n | drop "good$n.csv"
	n=$((n + 1))
done
"$build/sengend" -c "$conf" --once 2>>"$dir/log" || fail "sengend --once with bombs in the drop folder"
equal "$(register 'SELECT count(*) FROM application')" 65 "applications beside the bombs"
equal "$(find "$spool/incoming" -type f | wc -l)" 0 "files left in incoming"
equal "$(register 'SELECT count(*) FROM file WHERE state <> 2')" 0 "files without an end"
for name in csv_line csv_columns json_lines_open json_objects csv_open_quotes; do
	result=$(find "$spool/accepted" "$spool/rejected" -name "*$name*" ! -name "*.csv" ! -name "*.json" | head -n 1)
	[ -n "$result" ] || fail "$name has no result"
done
"$build/sengenctl" -c "$conf" audit >/dev/null
echo "figure: T11: $all mails, $((all - count - 6)) broken; $((count + 6)) good ones between them carried out"
