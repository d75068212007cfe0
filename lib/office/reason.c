/*
 * reason.c - what the reading says of a mail, in words for staff
 *
 * The reading speaks English and names its rules (sengenctl inspect); here each of its reasons has a sentence that can be passed on. One that is not in the table is not
 * lost: the reading itself lies beside the request.
 */
#include "lib/office/inbound_p.h"

#include <string.h>

static const struct {
	const char *words; /* in reading.why */
	const char *ja;
} reasons[] = {
	{"does not know the mail", "「心当たりがない」とのメールです。"},
	{"looks like phishing", "詐欺メール（フィッシング）と思われます。"},
	{"speaks of an incident", "情報セキュリティの事故についてのメールです。"},
	{"wants a form sent", "様式の送付を希望しています。"},
	{"brings a password", "添付ファイルのパスワードを知らせるメールです。"},
	{"denied or taken back", "使用中止の取消し、または中止しない旨が書かれています。"},
	{"form is not filled in", "様式に何も記入されていません。"},
	{"no rule knows", "用件を読み取れません。"},
	{"asks something about it", "質問と思われます。"},
	{"a stop and a change", "使用中止と登録情報の変更の両方が書かれています。"},
	{"more than one thing", "複数の用件が書かれています。"},
	{"not said plainly", "用件がはっきり書かれていません。"},
	{"more than one From", "差出人が複数書かれています。偽装のおそれがあります。"},
	{"it has no From", "差出人がありません。偽装のおそれがあります。"},
	{"must stand once stands twice", "ヘッダーが重複しています。偽装のおそれがあります。"},
	{"its From can't be read", "差出人を読み取れません。偽装のおそれがあります。"},
	{"longer than is read", "本文が長すぎるため、全部は読み取っていません。"},
	{"the mail is damaged", "メールが壊れています。"},
	{"more than one declaration ID", "自己宣言IDが複数書かれています。"},
	{"declaration ID is missing", "自己宣言IDが書かれていません。"},
	{"the use ends can't be read", "使用中止日を読み取れません。"},
	{"in a mail that was forwarded", "様式が、転送されたメールに添付されています。"},
	{"is a picture", "添付は画像です。"},
	{"old Word or Excel file", "添付は古い形式のWord・Excelファイルです。"},
	{"an OpenDocument file", "添付はOpenDocumentファイルです。"},
	{"an RTF file", "添付はRTFファイルです。"},
	{"is a PDF", "添付はPDFです。"},
	{"is an Excel file", "添付はExcelファイルです。"},
	{"a Word file with macros", "添付はマクロ付きのWordファイルです。"},
	{"encrypted ZIP", "添付は暗号化されたZIPファイルです。"},
	{"winmail.dat", "添付はwinmail.dat（Outlook独自の形式）です。"},
	{"came inside the ZIP", "様式がZIPファイルに入っています。"},
	{"can't be read.", "添付の書類を読み取れません。"},
	{"of the form", "様式の一部を読み取れません。"},
	{"a change needs the form", "登録情報の変更ですが、様式が添付されていません。"},
	{"which declaration is meant", "どの宣言のことか、書かれていません。"},
	{"address that is not the sender's", "差出人とは別のメールアドレスが書かれています。"},
	{"wants the notice at another address", "別のメールアドレスへの送付を希望しています。"},
	{"not give what identifies", "宣言を特定できる内容が書かれていません。"},
	{"fits more than one declaration", "書かれた内容に合う宣言が、複数あります。"},
	{"delivery report that carries", "不達通知に依頼が書かれています。偽装のおそれがあります。"},
	{"null sender that carries", "差出人のないメールに依頼が書かれています。偽装のおそれがあります。"},
	{"is the office itself", "差出人が事務局自身です。戻ってきたメールか、偽装です。"},
};

const char *inbound_reason_ja(const struct reading *reading, struct pool *pool)
{
	struct str text = STR_INIT;
	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (strstr(reading->why, reasons[i].words))
			str_addz(&text, reasons[i].ja);
	const char *ja = text.len ? pool_strdup(pool, text.s) : "内容を確かめてください。";
	str_free(&text);
	return ja;
}
