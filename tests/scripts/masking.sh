#!/bin/bash
# User numbers, confirmation codes and ZIP passwords: planted in letters, in a mail that quotes them, in reasons; then every command that shows anything, every file
# that is written for people, and the log are looked through. The log is also looked through for names and addresses.
cd "$(dirname "$0")/../.."
. tests/scripts/lib
. tests/scripts/office
make_conf 'retention : { survey_days = 3; mail_days = 1; };'
mkdir -p "$state/mailbox"/{new,cur,tmp}
forms 1 2 >"$spool/incoming/a.csv"
touch -d '2026-03-02 14:00 +0900' "$spool/incoming/a.csv"
: >"$dir/log"
simulate() { "$build/sengend" -v -c "$conf" --from "$1" --simulate-until "$2" 2>>"$dir/log" >>"$dir/told" || fail "simulation until $2: $(tail -3 "$dir/log")"; }
# mail NAME DAY LINE...: from the first applicant.
mail() {
	local name=$1 day=$2; shift 2
	{
		printf 'From: tanto1@example.co.jp\r\nTo: security-action-info@sa.example.jp\r\nMessage-ID: <%s@example.co.jp>\r\n' "$name"
		printf 'Subject: =?UTF-8?B?%s?=\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\n' "$(printf '%s' "$1" | base64 -w 0)"
		printf '%s\r\n' "$@"
	} >"$state/mailbox/new/$name"
	touch -d "$day +0900" "$state/mailbox/new/$name"
}

simulate '2026-03-02 13:00' '2026-03-25 18:00'
number=$(register "SELECT user_number FROM application WHERE id = 1")
id=$(register "SELECT declaration_id FROM application WHERE id = 1")
[ -n "$number" ] && [ -n "$id" ] || fail "no number was issued"
[ "$(grep -l -a "$number" "$state"/maildir/new/* | wc -l)" -ge 0 ]
wide=$(printf '%s' "$number" | sed 'y/0123456789/０１２３４５６７８９/')
mail quote '2026-03-26 10:00' "利用者番号 $number について" "番号は $wide、${number:0:3}-${number:3} です。パスワードは zip-password-1 でした。どうなっていますか。"
mail stop '2026-03-26 10:30' "ロゴマークの使用中止 $number" 下記のとおり使用中止を申し込みます。 "自己宣言ID：$id" "利用者番号：$number" 事業者名：株式会社サンプル1 代表者名：見本太郎 "担当者名：見本 花子"
printf '申込番号,処理,理由\n2,保留,"番号 %s とパスワード zip-password-1 を確認"\n1,却下,"利用者番号 %s zip-password-1"\n' "$number" "$number" >"$spool/incoming/decisions.csv"
touch -d '2026-03-26 11:00 +0900' "$spool/incoming/decisions.csv"
simulate '2026-03-25 18:00' '2026-03-27 18:00'
token=$(cat "$state"/maildir/new/* | grep -a -o -E '[0-9A-Z]{6}(-[0-9A-Z]{6}){3}' | head -1)
[ -n "$token" ] || fail "no confirmation was asked for"
requests=$(register "SELECT count(*) FROM request")
[ "$requests" -ge 2 ] || fail "the mails were not taken"

# ---- everything that shows something ----
/usr/bin/python3 - "$build/sengenctl" "$conf" "$dir" "$requests" <<'END' >"$dir/shown" 2>&1 || fail "$(tail -5 "$dir/shown")"
import os, re, subprocess, sys
ctl, conf, directory, requests = sys.argv[1:]
def run(language, *arguments):
    return subprocess.run([ctl, "-c", conf, *arguments], capture_output=True, text=True, env={**os.environ, "LC_ALL": language})
each_request = [[str(n)] for n in range(1, int(requests) + 1)]
both = [["1"], ["2"]]
# How a command that shows something is asked; one that is not named here stops this test.
ways = {
    "status": [[]], "batches": [[]], "list": [[]], "show": both, "why": both, "requests": [[]], "review list": [[]], "review show": each_request,
    "plan": [[], ["--from", "2026-03-01", "--days", "60"]], "balance": [[]], "published": both, "audit": [[]], "health": [[]], "metrics": [[]],
    "search": [["サンプル1"], ["tanto1"]], "preview": [["1", "--notice", "id"], ["1", "--notice", "logo"], ["1", "--notice", "receipt"], []],
    "report": [[directory + "/report"]], "proof": both + [["1", "--text"]], "publish": [["--csv", "--html", directory + "/public"]],
    "export": [[directory + "/export.csv"]], "purge": [["--preview"]], "erase": [["1", "--preview"], ["2", "--preview"]],
    "backup": [[directory + "/copy.db"]], "restore-check": [[directory + "/copy.db"]], "check-config": [[]],
}
# These ask the daemon to change something and show its answer alone; these two show the caller's own files, for scripts.
others = {"hold", "release", "approve", "confirm", "reject", "withdraw", "stop", "resend", "correct", "move", "undo", "review resolve", "pause", "resume",
          "import", "release", "completion", "check-form", "inspect"}
names = re.findall(r"(?m)^  ([a-z][a-z-]*(?: [a-z]+)?)  +\S", run("C.UTF-8", "--help").stdout)
assert len(names) > 30, names
for name in names:
    if name in others:
        continue
    assert name in ways, f"say in tests/scripts/masking.sh how {name} is run"
    as_json = "--json" in run("C.UTF-8", *name.split(), "--help").stdout
    for arguments in ways[name]:
        for language in ("C.UTF-8", "ja_JP.UTF-8"):
            for options in ([], ["--json"]) if as_json else ([],):
                if name == "backup" and os.path.exists(arguments[0]):
                    os.unlink(arguments[0])
                said = run(language, *options, *name.split(), *arguments)
                assert said.returncode in (0, 1), f"{name} {arguments}: {said.returncode} {said.stderr}"
                print(f"== {name} {arguments} {options}\n{said.stdout}{said.stderr}")
END
mkdir -p "$spool/rejected" "$spool/report"
find "$dir/report" "$dir/public" "$dir/export.csv" "$spool/accepted" "$spool/rejected" "$spool/report" -type f |
	grep -v -e '\.eml$' -e '_decisions\.csv$' -e '_a\.csv$' -e '_要修正\.csv$' >"$dir/files" # all these give back what somebody wrote, as it was
grep -q '_decisions.csv_結果' "$dir/files" || fail "no result of the decisions"
check() { # check WHAT FILE...
	local what=$1; shift
	for secret in "$number" "$wide" "${number:0:3}-${number:3}" zip-password-1 "$token" "${token//-/}"; do
		if grep -a -n -H -F -e "$secret" "$@" /dev/null >"$dir/hits"; then
			fail "$what: '$secret' stands whole: $(cut -c 1-300 "$dir/hits" | head -3)"
		fi
	done
}
check "what commands show" "$dir/shown"
# shellcheck disable=SC2046
check "what is written for people" $(cat "$dir/files")
check "the log" "$dir/log" "$dir/told"
# Masked, not left out: who looks must see that something stood there.
grep -q '••••••' "$dir/shown" || fail "nothing was masked"

# ---- the log knows nobody ----
for word in tanto1 tanto2 example.co.jp 見本 サンプル 太郎 花子 千代田 03-0000 "$id"; do
	if grep -n -F -e "$word" "$dir/log" >"$dir/hits"; then
		fail "the log names somebody: '$word': $(head -2 "$dir/hits")"
	fi
done
