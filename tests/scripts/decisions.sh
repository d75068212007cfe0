#!/bin/bash
# Decision files: everything staff may do to an application or a request without a terminal; who may; what the result says; the same file again.
cd "$(dirname "$0")/../.."
. tests/scripts/lib
. tests/scripts/office
# Everything at once, but the logo waits for staff: letters are there to be sent again.
sed -e 's/name = "logo";/&\n    approval = true;/' -e 's/id_prefix = 5/id_prefix = 4/' -e '/want_gbiz/d' config/profiles/instant.conf >"$dir/instant.conf"
make_conf 'rescan_seconds = 1;' 'era = ( { from = "2000-01-01"; profile = "instant"; } );' \
	'rights : { work = "nogroup"; };'
sed -i "s|$PWD/config/profiles/instant.conf|$dir/instant.conf|" "$conf"
mkdir -p "$state/mailbox"/{new,cur,tmp}
request_mail() { # NAME ID COMPANY: a stop request by mail
	{
		printf 'From: somebody%s@elsewhere.example\r\nTo: security-action-info@sa.example.jp\r\nSubject: =?UTF-8?B?%s?=\r\n' \
			"$1" "$(printf 'ロゴマークの使用中止' | base64 -w 0)"
		printf 'Message-ID: <%s@elsewhere.example>\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\n' "$1"
		printf '%s\r\n' 下記のとおり使用中止を申し込みます。 "自己宣言ID：$2" "事業者名：$3" 代表者名：見本太郎
	} >"$state/mailbox/tmp/$1"
	mv "$state/mailbox/tmp/$1" "$state/mailbox/new/$1"
}
result() { cat "$spool"/*/*/*/*"_$1_結果.txt"; }
# decided NAME: standard input as a file in the drop folder, until its result is there.
decided() { drop "$1"; until_ok 30 eval 'ls "$spool"/*/*/*/*"_'"$1"'_結果.txt" >/dev/null 2>&1'; }
state_of() { register "select state from application where id = $1"; }
id_of() { register "select declaration_id from application where id = $1"; }
history_of() { "$build/sengenctl" -c "$conf" --json show "$1"; }

start_daemon
forms 1 14 | drop 申込み.csv
until_ok 60 eval '[ "$(register "select count(*) from outbox where state = 3")" = 28 ]'
equal "$(state_of 14)" 3 "state of an application"

# ---- each 処理, in CSV ----
printf '\xef\xbb\xbf申込番号,処理,理由\r\n1,保留,電話で確認中\r\n2,承認,\r\n3,却下,重複のため\r\n999,許可,\r\n4,取消し,申込者から\r\n5,検討中,\r\n' | decided 判断.csv
equal "$(register 'select hold from application where id = 1')" 1 "a hold"
until_ok 30 eval '[ "$(state_of 2)" = 4 ]'
text=$(result 判断.csv)
contains "$text" '判断した人: root' "who decides"
contains "$text" '※ この名前は人のものではないようです' "an account that is nobody's"
contains "$text" '保留にしました。解除するまで、通知は送りません。' "a result"
contains "$text" '申込番号999の申込みはありません' "a result"
contains "$text" '直前の処理を取り消すときは「元に戻す」' "a word with two meanings"
contains "$text" '処理の言葉が分かりません' "an unknown word"
contains "$(history_of 1)" '"actor":"staff:0(root)"' "the history"

# In CP932 and with tabs, as Excel writes; two columns for the number; a day to come.
{ printf '申込番号\t自己宣言ID\t処理\t中止日\t理由\n'
	printf '6\t%s\t中止\t\t電話でご本人に確認\n7\t\t使用中止\t2099/12/31\t書面\n8\t%s\t停止\t\t\n\t%s\t使用中止\t12/31\t\n' \
		"$(id_of 6)" "$(id_of 9)" "$(id_of 10)"; } | iconv -f UTF-8 -t CP932 | decided 使用中止.csv
equal "$(state_of 6)" 7 "a stop"
equal "$(state_of 7)-$(register 'select stopped_on is not null from application where id = 7')" 3-1 "a stop to come"
equal "$(state_of 8)" 3 "two numbers that differ"
text=$(result 使用中止.csv)
contains "$text" '使用中止にしました（中止日 ' "a result"
contains "$text" '2099年12月31日' "a result"
contains "$text" 'は申込番号9のものです' "a result"
contains "$text" '年から入れてください' "a result"
contains "$text" '受け付けられません: 2件' "a result"
mended=$(cat "$spool"/accepted/*/*/*_使用中止.csv_要修正.csv)
contains "$mended" '12/31' "rows to mend"
# The rows to mend, mended.
printf '%s\n' "$mended" | grep -v "$(id_of 9)" | sed "s|,'12/31,|,2026/12/31,|" | decided 直した使用中止.csv
contains "$(result 直した使用中止.csv)" '処理しました: 1件' "mended rows"

# JSON and text.
before=$(register 'select count(*) from outbox where application_id = 11')
printf '[{"申込番号":11,"処理":"再送信","通知":"自己宣言ID"},{"申込番号":12,"処理":"再送","通知":"ロゴマーク"},{"申込番号":1,"処理":"保留解除"}]' |
	decided 再送.json
equal "$(register 'select count(*) from outbox where application_id = 11')" $((before + 1)) "a resend"
text=$(result 再送.json)
contains "$text" '「自己宣言IDのお知らせ」の再送を送信待ちにしました' "a result"
contains "$text" '申込番号12: ' "a letter that was never sent"
equal "$(register 'select hold from application where id = 1')" 0 "a release"

# A letter made anew, a rejection taken back, a stage brought forward.
printf '申込番号,処理,通知,理由\n12,作り直し,id,宛名を直したため\n3,元に戻す,,却下は間違い\n13,元に戻す,,間違い\n13,前倒し,,至急\n2,繰上げ,,至急\n' |
	decided まとめて.csv
text=$(result まとめて.csv)
contains "$text" '「自己宣言IDのお知らせ」を今の登録内容で作り直し' "a result"
contains "$text" '直前の処理を元に戻しました。（今の状態: ID発行済み）' "a result"
contains "$text" '申込番号13: 許可を待っている段階です' "a result"
contains "$text" '申込番号2: すべての段階が済んでいます' "a result"
contains "$text" '受け付けられません: 3件' "a result"
equal "$(state_of 3)" 3 "a rejection that was taken back"

# Corrections: by 項目 and 新しい値, and as a list with the form's own columns, in which empty cells change nothing.
{ printf '申込番号,処理,項目,新しい値,理由\n11,訂正,担当者メールアドレス,atarashii@example.co.jp,電話で申出\n'
	printf '11,修正,都道府県,東京府,電話で申出\n11,訂正,宣言の内容,★★二つ星,間違い\n11,訂正,担当者名,見本　花子,同じ\n'
	printf '11,訂正,電話番号,03-1111-2222,\n11,許可,電話番号,03-1111-2222,間違い\n11,訂正,好きな色,赤,間違い\n'; } | decided 訂正.csv
text=$(result 訂正.csv)
contains "$text" '訂正しました: 担当者メールアドレス' "a correction"
contains "$text" '受け付けられません: 6件' "corrections"
contains "$text" '「項目」「新しい値」を入れられるのは訂正のときだけ' "a correction"
contains "$text" '訂正には理由が要ります' "a correction"
contains "$text" '申込書の項目ではありません' "a correction"
contains "$text" '登録内容と同じ' "a correction that changes nothing"
contains "$text" '都道府県：' "a prefecture that is none"
contains "$text" '別の申込みになるため、訂正できません' "a field that can't be corrected"
printf '自己宣言ID,担当者名,担当者メールアドレス,電話番号,処理,理由\n%s,見本　花子,,03-3333-4444,訂正,一覧から\n' "$(id_of 12)" | decided 一覧.csv
contains "$(result 一覧.csv)" '訂正しました: 電話番号' "a correction in a list"
lacks "$(result 一覧.csv)" '担当者名' "a correction in a list"
contains "$(history_of 12)" '03-3333-4444' "the form"
contains "$(history_of 12)" 'tanto12@example.co.jp' "the form"
contains "$(history_of 11)" 'atarashii@example.co.jp' "the form"

# Requests by mail: closed, refused, carried out.
request_mail a "$(id_of 13)" 別の会社
request_mail b "$(id_of 14)" 別の会社
until_ok 30 eval '[ "$(register "select count(*) from request where state = 1")" = 2 ]'
first=$(register "select min(id) from request") second=$(register "select max(id) from request")
{ printf '依頼番号：%s\n処理：依頼を終了\n理由：いたずら\n\n' "$first"
	printf '依頼番号：%s\n処理：許可\n\n依頼番号：77\n処理：依頼を終了\n理由：見本\n' "$second"; } | decided 依頼.txt
equal "$(register "select state from request where id = $first")" 6 "a request that was closed"
text=$(result 依頼.txt)
contains "$text" "依頼番号$first" "a result"
contains "$text" '依頼の処理は依頼を実行／本人に確認／依頼を終了のどれか' "a result"
contains "$text" 'その依頼番号の依頼はありません' "a result"
printf '依頼番号,申込番号,処理,理由\n%s,14,依頼を実行,電話でご本人に確認\n' "$second" | decided 依頼.csv
equal "$(register "select state from request where id = $second")-$(state_of 14)" 4-7 "a request that was carried out"

# ---- the same file again ----
rows=$(register 'select count(*) from history where event < 30 or event = 31')
printf '[{"申込番号":11,"処理":"再送信","通知":"自己宣言ID"},{"申込番号":12,"処理":"再送","通知":"ロゴマーク"},{"申込番号":1,"処理":"保留解除"}]' |
	decided 再送もう一度.json
contains "$(result 再送もう一度.json)" '同じ内容です。登録内容は何も変わりません。同じ処理をもう一度行うときは' "the same file again"
equal "$(register 'select count(*) from outbox where application_id = 11')" $((before + 1)) "the same file again"
equal "$(register 'select count(*) from history where event < 30 or event = 31')" "$rows" "the same file again"

# Twice at once, a copy beside its original: done once.
stop_daemon || fail "exit status $? at SIGTERM"
before=$(register 'select count(*) from outbox where application_id = 11')
for name in 二度.json 二度のコピー.json; do
	printf '[{"申込番号":11,"処理":"再送","通知":"自己宣言ID","理由":"電話で"}]' >"$spool/incoming/$name"
done
touch -d '10 seconds ago' "$spool"/incoming/二度*.json
start_daemon
until_ok 30 eval 'ls "$spool"/*/*/*/*_二度.json_結果.txt "$spool"/*/*/*/*_二度のコピー.json_結果.txt >/dev/null 2>&1'
contains "$(result 二度.json)" '再送を送信待ちにしました' "the first of two"
contains "$(result 二度のコピー.json)" '同じ内容です' "the second of two"
equal "$(register 'select count(*) from outbox where application_id = 11')" $((before + 1)) "two of the same content at once"

# ---- whose file ----
if [ "$(id -u)" = 0 ]; then
	as() { # USER NAME [MODE]: standard input as that user's file
		cat >"$dir/dropping"
		chmod "${3:-640}" "$dir/dropping"
		chown "$1" "$dir/dropping"
		mv "$dir/dropping" "$spool/incoming/$2"
		until_ok 30 eval 'ls "$spool"/*/*/*/*"_'"$2"'_結果.txt" >/dev/null 2>&1'
	}
	order() { printf '申込番号,処理,理由\n%s,保留,%s\n' "$1" "$2"; }
	order 2 権限なし | as daemon 権限なし.csv
	text=$(cat "$spool"/rejected/*/*/*_権限なし.csv_結果.txt)
	contains "$text" 'このファイルの持ち主「daemon」には、判断をする権限がありません。グループ「nogroup」' "an owner who may not decide"
	lacks "$text" '件目' "an owner who may not decide"
	order 2 だれでもない | as 54321 だれでもない.csv
	contains "$(result だれでもない.csv)" '「54321」には、判断をする権限がありません' "an owner without an account"
	order 2 共有 | as nobody 共有.csv 660
	contains "$(result 共有.csv)" 'ほかの人も書き換えられる' "a file that others may write to"
	equal "$(register 'select hold from application where id = 2')" 0 "refused files"
	# The very file of somebody who may: what was refused hides nobody.
	order 2 権限なし | as nobody 権限あり.csv
	equal "$(register 'select hold from application where id = 2')" 1 "an owner who may decide"
	contains "$(result 権限あり.csv)" '判断した人: nobody' "an owner who may decide"
	contains "$(history_of 2)" '"actor":"staff:65534(nobody)"' "the history"
	order 2 権限なし | as daemon 三度目.csv
	contains "$(result 三度目.csv)" '同じ内容です' "the same file a third time"
	# Forms may come from anybody who can write there.
	forms 30 30 | as daemon 申込み2.csv
	contains "$(result 申込み2.csv)" '登録しました' "a form"
fi
lacks "$(cat "$dir/log")" サンプル "log"
lacks "$(cat "$dir/log")" nobody "log"
stop_daemon || fail "exit status $? at SIGTERM"
# Of a file that was refused for its owner no row is missing.
"$build/sengend" -c "$conf" --once 2>"$dir/once"
equal "$(register 'select count(*) from file where state = 2 and id not in (select file_id from recount)')" 0 "files not counted"
said=$("$build/sengenctl" -c "$conf" --json balance) || fail "the books: $said"
"$build/sengenctl" -c "$conf" audit >/dev/null || fail "the audit found something"
