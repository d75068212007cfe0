/*
 * request_unreadable.c - a stop or change by words, with a form that can't be read: one letter asks for the plain Word file (N8)
 *
 * The request stays in review all the same, and nothing is opened with a password that comes in another mail.
 */
#include "lib/office/inbound_p.h"

#include <string.h>

#define NOTE_ASKED                                                                                           \
	"添付の書類を読み取れません（%s）。Word形式での再送をお願いするメールを、差出人にお送りしました。"
#define NOTE_SILENT "添付の書類を読み取れません（%s）。再送のお願いは、お送りしていません。"

/* Kinds of attachments (part_kind_name()) in the words of the office. */
static const char *kind_ja(const char *kind)
{
	static const struct {
		const char *kind, *name_ja;
	} names[] = {
		{"ole", "古い形式のWord・Excelファイル"},
		{"docm", "マクロ付きのWordファイル"},
		{"docx", "壊れているか、パスワードの付いたWordファイル"},
		{"xlsx", "Excelファイル"},
		{"odt", "OpenDocumentファイル"},
		{"rtf", "RTFファイル"},
		{"pdf", "PDF"},
		{"image", "画像"},
		{"zip", "ZIPファイル"},
		{"zip-encrypted", "暗号化されたZIPファイル"},
		{"tnef", "winmail.dat"},
	};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(names[i].kind, kind) == 0)
			return names[i].name_ja;
	return kind;
}

bool inbound_is_unreadable(const struct inbound *in)
{
	enum request_kind kind = in->request.kind;
	return *in->received->unreadable && !in->received->reading.from_form &&
	       (kind == REQUEST_STOP || kind == REQUEST_CHANGE);
}

/* An address that is on file needs no proof that it is the sender's. That it is on file does not say which declaration the form speaks of. */
static enum rc ask(struct inbound *in, bool *sent)
{
	const struct application none = {0};
	int64_t notice_id;
	enum rc rc = inbound_take_by_sender(in);
	if (rc == RC_OK)
		rc = inbound_answer(in, ANSWER_READABLE_FORM, NULL,
			in->from_registered ? NULL : in->received->from, sent, &notice_id);
	in->app = none;
	in->from_registered = false;
	return rc;
}

enum rc inbound_unreadable(struct inbound *in)
{
	bool sent = false;
	enum rc rc = ask(in, &sent);
	return rc == RC_OK ? inbound_review(in, pool_printf(in->pool, sent ? NOTE_ASKED : NOTE_SILENT,
							kind_ja(in->received->unreadable)))
			   : rc;
}
