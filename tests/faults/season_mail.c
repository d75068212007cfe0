#include "tests/faults/season_p.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "lib/base/civil.h"
#include "lib/mail/compose.h"
#include "lib/mail/reread.h"
#include "tests/faults/fault.h"
#include "tests/faults/peer.h"

#define OFFICE "security-action-info@sa.example.jp"
#define STRANGER "dareka@stranger.example.net"

struct letter { /* one mail on its way */
	const char *from, *subject, *text;
	const char *more; /* header lines, with CRLF; may be "" */
	const void *word; /* an attachment; NULL: none */
	size_t word_len;
};

static void add_encoded(struct str *out, const char *text)
{
	str_addz(out, "=?UTF-8?B?");
	base64_add(out, text, strlen(text));
	str_addz(out, "?=");
}

static void add_head(struct str *out, const struct letter *letter)
{
	str_printf(out, "Received: from mx.example.jp by mail.sa.example.jp; ");
	civil_rfc5322_print(out, fault_time());
	if (fault_draw(2))
		str_printf(out, "\r\nAuthentication-Results: mail.sa.example.jp; dkim=pass header.d=%s",
			strchr(letter->from, '@') + 1);
	str_printf(out, "\r\nMessage-ID: <season-%d@%s>\r\nDate: ", ++season->mails,
		strchr(letter->from, '@') + 1);
	civil_rfc5322_print(out, fault_time());
	str_printf(out, "\r\nFrom: <%s>\r\nTo: <" OFFICE ">\r\nSubject: ", letter->from);
	add_encoded(out, letter->subject);
	str_printf(out, "\r\n%sMIME-Version: 1.0\r\n", letter->more);
}

static void add_text(struct str *out, const char *text)
{
	str_addz(out, "Content-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: base64\r\n\r\n");
	compose_base64(out, text, strlen(text));
	str_addz(out, "\r\n");
}

/* May arrive twice, as mails do whose first way was thought lost. */
static void post(const struct str *mail)
{
	peer_receive(mail->s, mail->len);
	if (fault_strikes(FAULT_TWICE, "mail"))
		peer_receive(mail->s, mail->len);
}

static void write_letter(const struct letter *letter)
{
	struct str mail = STR_INIT;
	add_head(&mail, letter);
	if (letter->word) {
		str_addz(&mail, "Content-Type: multipart/mixed; boundary=\"=-season\"\r\n\r\n--=-season\r\n");
		add_text(&mail, letter->text);
		str_addz(&mail, "--=-season\r\nContent-Type: "
				"application/vnd.openxmlformats-officedocument.wordprocessingml.document\r\n"
				"Content-Disposition: attachment; filename=\"b3.docx\"\r\n"
				"Content-Transfer-Encoding: base64\r\n\r\n");
		compose_base64(&mail, letter->word, letter->word_len);
		str_addz(&mail, "\r\n--=-season--\r\n");
	} else {
		add_text(&mail, letter->text);
	}
	post(&mail);
	str_free(&mail);
}

/* ---- Form B-3 ---- */

struct b3 {
	const char *label, *value;
};

static void b3_rows(
	struct b3 row[8], const struct season_business *business, const char *id, const char *stop_on)
{
	const struct b3 rows[8] = {{"自己宣言ID", id}, {"事業者名", business->name}, {"代表者名", "見本太郎"},
		{"担当者名", "見本 花子"}, {"メールアドレス", business->mail},
		{"中止するロゴマーク", business->star == 2 ? "□★一つ星　☑★★二つ星" : "☑★一つ星　□★★二つ星"},
		{"使用中止日", stop_on}, {"使用を中止する理由", "事業内容の変更のため。"}};
	memcpy(row, rows, sizeof rows);
}

static const char *b3_text(
	struct pool *pool, const struct season_business *business, const char *id, const char *stop_on)
{
	struct b3 row[8];
	const char *text = "下記のとおり、使用中止を申し込みます。\n\n（様式B-3）SECURITY "
			   "ACTIONロゴマーク使用中止申込書\n\n";
	b3_rows(row, business, id, stop_on);
	for (int i = 0; i < 8; i++)
		text = pool_printf(pool, "%s%s：%s\n", text, row[i].label, row[i].value);
	return text;
}

static void zip_put(zip_t *zip, const char *name, const char *text)
{
	zip_source_t *source = zip_source_buffer(zip, text, strlen(text), 0);
	zip_int64_t at = source ? zip_file_add(zip, name, source, ZIP_FL_ENC_UTF_8) : -1;
	if (at < 0 || zip_file_set_mtime(zip, (zip_uint64_t)at, season->start, 0) != 0)
		die("a Word file can't be made");
}

/* The form as Word keeps it: a table with two columns, a run cut in the middle of its text. */
static void b3_word(
	struct str *out, const struct season_business *business, const char *id, const char *stop_on)
{
	struct b3 row[8];
	struct str xml = STR_INIT;
	zip_error_t error;
	b3_rows(row, business, id, stop_on);
	str_addz(&xml, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><w:document "
		       "xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body>"
		       "<w:p><w:r><w:t>（様式B-3）</w:t></w:r></w:p><w:p><w:r><w:t>SECURITY ACTIONロゴマーク"
		       "</w:t></w:r><w:r><w:t>使用中止申込書</w:t></w:r></w:p><w:tbl>");
	for (int i = 0; i < 8; i++)
		str_printf(&xml,
			"<w:tr><w:tc><w:p><w:r><w:t>%s</w:t></w:r></w:p></w:tc>"
			"<w:tc><w:p><w:r><w:t>%s</w:t></w:r></w:p></w:tc></w:tr>",
			row[i].label, row[i].value);
	str_addz(&xml, "</w:tbl></w:body></w:document>");
	zip_error_init(&error);
	zip_source_t *source = zip_source_buffer_create(NULL, 0, 0, &error);
	zip_t *zip = source ? zip_open_from_source(source, ZIP_TRUNCATE, &error) : NULL;
	if (!zip)
		die("a Word file can't be begun");
	zip_source_keep(source);
	zip_put(zip, "[Content_Types].xml",
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?><Types "
		"xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default "
		"Extension=\"rels\" "
		"ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Override "
		"PartName=\"/word/document.xml\" "
		"ContentType=\"application/"
		"vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml\"/></Types>");
	zip_put(zip, "_rels/.rels",
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?><Relationships "
		"xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship "
		"Id=\"rId1\" "
		"Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" "
		"Target=\"word/document.xml\"/></Relationships>");
	zip_put(zip, "word/document.xml", xml.s);
	zip_stat_t st;
	if (zip_close(zip) != 0 || zip_source_stat(source, &st) != 0 || zip_source_open(source) != 0)
		die("a Word file can't be written");
	str_grow(out, st.size);
	if (zip_source_read(source, out->s, st.size) != (zip_int64_t)st.size)
		die("a Word file can't be read back");
	out->len = st.size;
	(void)zip_source_close(source);
	zip_source_free(source);
	str_free(&xml);
}

/* ---- kinds ---- */

/* A number as its holder knows it: from the register, for the mail that told it may be a resend by now. */
static const char *id_of(struct turn *turn, const struct season_business *business, struct pool *pool)
{
	struct application app;
	struct err err = {0};
	if (season_application(turn, business, &app, pool, &err) || !app.id || !app.declaration_id)
		return NULL;
	return pool_printf(pool, "%" PRId64, app.declaration_id);
}

static bool write_stop(struct turn *turn, const struct season_event *event,
	const struct season_business *business, struct pool *pool)
{
	const char *id = id_of(turn, business, pool);
	struct str word = STR_INIT, day = STR_INIT;
	if (!id)
		return false;
	if (fault_draw(3) == 0)
		civil_day_print(&day, civil_day_of(fault_time()) + 1 + (civil_day)fault_draw(10));
	struct letter letter = {.from = event->kind == SEASON_STOP_FORGED ? STRANGER : business->mail,
		.subject = "ロゴマーク使用中止申込書の送付",
		.text = "使用中止申込書をお送りします。よろしくお願いいたします。",
		.more = ""};
	if (event->kind == SEASON_STOP_WORD) {
		b3_word(&word, business, id, day.s);
		letter.word = word.s;
		letter.word_len = word.len;
	} else {
		letter.text = b3_text(pool, business, id, day.s);
	}
	write_letter(&letter);
	str_free(&word);
	str_free(&day);
	return true;
}

/* Replies to the next mail that asks this business to confirm something. */
static bool write_reply(struct season_business *business, struct pool *pool)
{
	struct str subject = STR_INIT, body = STR_INIT;
	bool found = false;
	for (size_t i = business->replied; i < peer_mail_count() && !found; i++) {
		const struct peer_mail *mail = peer_mail_at(i);
		struct err err = {0};
		if (strcmp(mail->recipient, business->mail) != 0 &&
			strcmp(mail->recipient, business->later_mail) != 0)
			continue;
		str_clear(&subject);
		str_clear(&body);
		if (reread(&subject, &body, mail->wire, mail->len, &err) ||
			!strstr(subject.s, "ご確認のお願い"))
			continue;
		struct letter letter = {.from = mail->recipient,
			.subject = pool_printf(pool, "Re: %s", subject.s),
			.text = pool_printf(pool,
				"承知しました。よろしくお願いいたします。\n\n----- Original Message "
				"-----\n%s",
				body.s),
			.more = pool_printf(pool, "In-Reply-To: <%s>\r\n", mail->message_id)};
		write_letter(&letter);
		business->replied = i + 1;
		found = true;
	}
	str_free(&subject);
	str_free(&body);
	return found;
}

static bool write_plain(struct turn *turn, const struct season_event *event,
	const struct season_business *business, struct pool *pool)
{
	const char *id = id_of(turn, business, pool);
	struct letter letter = {.from = business->mail, .more = ""};
	switch (event->kind) {
	case SEASON_RESEND:
		if (!id)
			return false;
		letter.from = fault_draw(2) ? business->mail : STRANGER;
		letter.subject = "自己宣言IDのお知らせの再送のお願い";
		letter.text = pool_printf(pool,
			"自己宣言IDのお知らせメールを再送してください。\n自己宣言ID：%s\n事業者名：%s\n", id,
			business->name);
		break;
	case SEASON_CHANGE:
		if (!id)
			return false;
		letter.subject = "登録情報の変更について";
		letter.text = pool_printf(pool,
			"担当者のメールアドレスの変更をお願いします。\n自己宣言ID：%s\n事業者名：%s\n"
			"新しいメールアドレス：%s\n",
			id, business->name, business->later_mail);
		break;
	case SEASON_NEWS_OFF:
		letter.subject = "メールニュースの配信停止";
		letter.text = "メールニュースの配信を停止してください。\n";
		break;
	case SEASON_ENQUIRY:
		letter.subject = "自己宣言IDを教えてください";
		letter.text = pool_printf(pool,
			"自己宣言IDが分からなくなりました。教えてください。\n法人番号：%s\n事業者名：%s\n"
			"都道府県：東京都\n代表者名：見本太郎\n",
			business->sole ? "なし" : business->number, business->name);
		break;
	case SEASON_NOT_MINE:
		letter.subject = "心当たりがありません";
		letter.text = "このメールに心当たりがありません。申込みをした覚えはありません。\n";
		break;
	default:
		letter.subject = "自動応答: 不在のお知らせ";
		letter.text = "ただいま不在にしております。\n";
		letter.more = "Auto-Submitted: auto-replied\r\nPrecedence: bulk\r\n";
		break;
	}
	write_letter(&letter);
	return true;
}

/* A mail that was taken comes back from the recipient's own server. */
static bool write_bounce(const struct season_business *business, struct pool *pool)
{
	const struct peer_mail *mail = NULL;
	for (size_t i = 0; i < peer_mail_count(); i++)
		if (strcmp(peer_mail_at(i)->recipient, business->mail) == 0)
			mail = peer_mail_at(i);
	if (!mail)
		return false;
	bool hard = fault_draw(2) == 0;
	struct str text = STR_INIT;
	str_printf(&text,
		"Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example.jp\r\nTo: <%s>\r\nMessage-ID: "
		"<season-%d@mx.example.jp>\r\nDate: ",
		mail->sender, ++season->mails);
	civil_rfc5322_print(&text, fault_time());
	str_printf(&text,
		"\r\nSubject: Undelivered Mail Returned to Sender\r\nAuto-Submitted: "
		"auto-replied\r\nMIME-Version: "
		"1.0\r\nContent-Type: multipart/report; report-type=delivery-status; "
		"boundary=\"=-season\"\r\n\r\n--=-season\r\nContent-Type: text/plain\r\n\r\nIt could not be "
		"delivered.\r\n--=-season\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: "
		"dns; "
		"mx.example.jp\r\n\r\nFinal-Recipient: rfc822; %s\r\nAction: %s\r\nStatus: %s\r\n\r\n"
		"--=-season\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <%s>\r\nTo: <%s>\r\n\r\n"
		"--=-season--\r\n",
		mail->recipient, hard ? "failed" : "delayed", hard ? "5.1.1" : "4.4.1", mail->message_id,
		mail->recipient);
	post(&text);
	str_free(&text);
	(void)pool;
	return true;
}

/* What no mail program writes: half of one, or noise. */
static bool write_poison(void)
{
	struct str text = STR_INIT;
	str_printf(&text,
		"From: <" STRANGER ">\r\nMessage-ID: <season-%d@stranger.example.net>\r\nContent-Type: "
		"multipart/mixed; boundary=x\r\n\r\n",
		++season->mails);
	for (uint64_t i = fault_draw(2000); i > 0; i--)
		str_addc(&text, (char)fault_draw(256));
	str_addz(&text, "--x\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x");
	post(&text);
	str_free(&text);
	return true;
}

bool season_write_mail(struct turn *turn, const struct season_event *event)
{
	struct season_business *business = &season->business[event->who];
	struct pool *pool = pool_new();
	bool written;
	switch (event->kind) {
	case SEASON_STOP_BODY:
	case SEASON_STOP_WORD:
	case SEASON_STOP_FORGED:
		written = write_stop(turn, event, business, pool);
		break;
	case SEASON_REPLY:
		written = write_reply(business, pool);
		break;
	case SEASON_BOUNCE:
		written = write_bounce(business, pool);
		break;
	case SEASON_POISON:
		written = write_poison();
		break;
	default:
		written = write_plain(turn, event, business, pool);
		break;
	}
	if (written && event->kind == SEASON_CHANGE)
		business->later_mail_entered = true;
	pool_free(&pool);
	return written;
}
