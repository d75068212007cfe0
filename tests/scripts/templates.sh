#!/bin/bash
# The blank forms of spool/templates: they open in Excel (LibreOffice Calc), each does what it is for when it is filled in, and comes back kindly when it is empty.
cd "$(dirname "$0")/../.."
. tests/scripts/lib
. tests/scripts/office
make_conf 'rescan_seconds = 1;'
mkdir -p "$state/mailbox"/{new,cur,tmp} "$dir/filled"
templates=$PWD/spool/templates
kinds='判断 使用中止 再送 訂正 繰上げ 元に戻す 依頼の処理'
result() { cat "$spool"/*/*/*/*"_$1_結果.txt"; }
decided() { drop "$1"; until_ok 30 eval 'ls "$spool"/*/*/*/*"_'"$1"'_結果.txt" >/dev/null 2>&1'; }
# fill NAME CELL…: the template with one row, as Excel saves it.
fill() {
	local name=$1
	shift
	{ cat "$templates/$name.csv"; (IFS=,; printf '%s\r\n' "$*"); } >"$dir/filled/$name.csv"
}

# Every file: a byte order mark, so that Excel takes it for UTF-8, and its line ends.
for file in "$templates"/*.csv "$templates"/*.txt; do
	[ "$(head -c 3 "$file" | od -An -tx1 | tr -d ' ')" = efbbbf ] || fail "${file##*/} has no byte order mark"
	[ "$(grep -c '' "$file")" = "$(grep -c $'\r$' "$file")" ] || fail "${file##*/} has line ends without CR"
done
for file in "$templates"/*.csv; do [ "$(grep -c '' "$file")" = 1 ] || fail "${file##*/} is more than a head"; done
for kind in $kinds; do
	[ -f "$templates/$kind.csv" ] || fail "there is no template $kind"
	grep -q "^$kind.csv" "$templates/説明.txt" || fail "説明.txt does not tell of $kind.csv"
done

# A register with something for each: an application that waits, one that is rejected, a request in review.
start_daemon
forms 1 8 | drop 申込み.csv
until_ok 60 eval '[ "$(register "select count(*) from outbox where state = 3")" = 8 ]'
printf '申込番号,処理,理由\n6,却下,間違い\n' | decided 却下.csv
{
	printf 'From: somebody@elsewhere.example\r\nTo: security-action-info@sa.example.jp\r\nSubject: =?UTF-8?B?%s?=\r\n' \
		"$(printf 'ロゴマークの使用中止' | base64 -w 0)"
	printf 'Message-ID: <a@elsewhere.example>\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\n'
	printf '%s\r\n' 下記のとおり使用中止を申し込みます。 自己宣言ID：41234567890 事業者名：別の会社 代表者名：見本太郎
} >"$state/mailbox/tmp/a"
mv "$state/mailbox/tmp/a" "$state/mailbox/new/a"
until_ok 30 eval '[ "$(register "select count(*) from request where state = 1")" = 1 ]'

# Empty, each of them, and the explanation: nothing happens, and the answer says what to do.
before=$(register 'select count(*) from history where application_id > 0')
for kind in $kinds; do
	cat "$templates/$kind.csv" | decided "空の$kind.csv"
	text=$(result "空の$kind.csv")
	contains "$text" '見出しだけで、1件もありません。何も変えていません' "an empty $kind"
	contains "$text" 'ひな形は「templates」フォルダーに残し' "an empty $kind"
done
cat "$templates/説明.txt" | decided 説明.txt
contains "$(result 説明.txt)" '見出しの行' "the explanation"
equal "$(register 'select count(*) from history where application_id > 0')" "$before" "history after empty files"

# Filled in, through Calc: as a workbook, and back as CSV in UTF-8 or CP932, as Excel saves it.
fill 判断 1 保留 電話で確認中
fill 使用中止 2 使用中止 2099/12/31 書面で申出
fill 再送 3 再送 受付 届いていないとのお電話
fill 訂正 4 訂正 担当者名 '見本 次郎' 電話で申出
fill 繰上げ 5 繰上げ 至急のご希望
fill 元に戻す 6 元に戻す 却下は間違い
fill 依頼の処理 1 依頼を終了 '' '' いたずら
calc() {
	HOME=$dir soffice -env:UserInstallation="file://$dir/profile" --headless --norestore "$@" >"$dir/said" 2>&1 ||
		fail "soffice: $(cat "$dir/said")"
}
calc --infilter='CSV:44,34,76,1,,0,false,true,false' --convert-to xlsx --outdir "$dir/books" "$dir"/filled/*.csv
calc --convert-to 'csv:Text - txt - csv (StarCalc):44,34,64,1,,0,false,true,false' --outdir "$dir/saved" "$dir"/books/*.xlsx
for kind in $kinds; do
	head -1 "$dir/saved/$kind.csv" | iconv -f CP932 -t UTF-8 | tr -d '\r' >"$dir/head"
	equal "$(cat "$dir/head")" "$(tr -d '\r' <"$templates/$kind.csv" | sed 's/^\xef\xbb\xbf//')" "the head of $kind after Calc"
	decided "$kind.csv" <"$dir/saved/$kind.csv"
	text=$(result "$kind.csv")
	contains "$text" '処理しました: 1件' "$kind"
	contains "$text" '判断した人: ' "$kind"
done
equal "$(register 'select hold from application where id = 1')" 1 判断
equal "$(register 'select hold, stopped_on is not null from application where id = 2')" '1|1' 使用中止
until_ok 30 eval '[ "$(register "select count(*) from outbox where application_id = 3 and state = 3")" = 2 ]'
contains "$("$build/sengenctl" -c "$conf" --json show 4)" '見本 次郎' 訂正
equal "$(register 'select state from application where id = 5')" 3 繰上げ
equal "$(register 'select state from application where id = 6')" 2 元に戻す
equal "$(register 'select state from request where id = 1')" 6 依頼の処理
contains "$(result 繰上げ.csv)" '今の状態: ID発行済み' 繰上げ
contains "$(result 訂正.csv)" '訂正しました: 担当者名' 訂正

# As they come from a text editor, in UTF-8 with the mark.
fill 判断 1 保留解除 確認できた
decided 判断2.csv <"$dir/filled/判断.csv"
equal "$(register 'select hold from application where id = 1')" 0 保留解除
stop_daemon || fail "exit status $? at SIGTERM"
