#include "lib/mail/request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/text.h"
#include "lib/mail/label.h"
#include "lib/mail/quote.h"
#include "lib/mail/rules.h"
#include "lib/mail/zipped.h"

#define BODY_MAX                                                                                             \
	((size_t)256 * 1024) /* bytes of a mail's text that are read: nobody writes more to an office */
#define FRESH_MAX ((size_t)48 * 1024) /* and of what is new in it */
#define PLAIN 4 /* from here on a wish is plain */
#define FORM_TEXT_MAX ((size_t)16 * 1024) /* bytes that staff are shown of a document */

bool request_identifies(const struct sheet *fields)
{
	return *fields->prefecture &&
	       (*fields->corporate_number || (*fields->business_name && *fields->representative));
}

/* ---- a reading in the making ---- */

struct form { /* an attached form that was read */
	struct sheet sheet;
	const char *name;
};

#define FORMS_MAX 16
#define DOCUMENTS_MAX 16 /* Word files and ZIPs that are opened */
#define DOCUMENT_BYTES_MAX ((size_t)4 * 1024 * 1024) /* of their text; one that goes on beyond is the last */

struct reader {
	struct reading *out;
	const struct message *message;
	const struct request_rules *rules;
	const char *office;
	const struct request_registry *registry;
	struct pool *pool;
	struct written written;
	struct evidence evidence;
	struct sheet body; /* what is typed into the mail */
	struct form form[FORMS_MAX];
	size_t form_count;
	bool blank_form; /* a form as it was handed out came along */
	bool forwarded; /* a form lies in a forwarded mail */
	const char *unreadable; /* why a document that may be a form can't be read; NULL */
	enum part_kind unreadable_kind; /* of the same document */
	const char *image; /* its name; NULL */
	struct str form_text;
	size_t document_bytes; /* of the text of Word files */
	bool too_long; /* the text was cut */
	struct str why;
};

static void say(struct reader *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct reader *r, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	if (r->why.len)
		str_addc(&r->why, ' ');
	str_vprintf(&r->why, format, args);
	va_end(args);
}

static void review(struct reader *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void review(struct reader *r, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	str_addz(&r->why, r->why.len ? " Review: " : "Review: ");
	str_vprintf(&r->why, format, args);
	va_end(args);
	r->out->review = true;
}

static void say_words(struct reader *r, enum rule_kind kind)
{
	if (r->evidence.words[kind])
		say(r, "Rule %s.", r->evidence.words[kind]);
}

/* ---- attachments ---- */

static void form_add(struct reader *r, const struct doc *doc, const char *name)
{
	struct sheet sheet;
	sheet_read_doc(&sheet, doc, r->pool);
	if (sheet.kind == SHEET_NONE)
		return;
	if (sheet.blank)
		r->blank_form = true;
	else if (r->form_count < FORMS_MAX)
		r->form[r->form_count++] = (struct form){sheet, name};
	if (*doc->damage)
		r->unreadable = pool_printf(r->pool, "of the form %s: %s.", name, doc->damage);
}

/* A cell or paragraph a line: for people. */
static void form_text_add(struct reader *r, const struct doc *doc)
{
	for (size_t i = 0; i < doc->count && r->form_text.len < FORM_TEXT_MAX; i++) {
		const char *text = doc->cell[i].text;
		if (!*text || doc->cell[i].placeholder)
			continue;
		str_addz(&r->form_text, text);
		str_addc(&r->form_text, '\n');
	}
}

static void word_file_read(struct reader *r, const char *bytes, size_t len, const char *name)
{
	struct doc doc;
	struct err err = {0};
	if (docx_read(&doc, bytes, len, r->pool, &err) == RC_OK) {
		for (size_t i = 0; i < doc.count; i++)
			r->document_bytes += strlen(doc.cell[i].text);
		form_add(r, &doc, name);
		form_text_add(r, &doc);
	} else
		r->unreadable = pool_printf(r->pool, "the attachment %s can't be read. %s", name, err.text);
}

static void zip_read(struct reader *r, const struct message_part *part)
{
	struct zipped zipped;
	struct err err = {0};
	if (zipped_word_file(&zipped, part->bytes, part->len, r->pool, &err) == RC_OK) {
		word_file_read(r, zipped.bytes, zipped.len, part->name);
		r->unreadable =
			r->unreadable ? r->unreadable
				      : pool_printf(r->pool, "the form came inside the ZIP %s.", part->name);
	} else {
		r->unreadable =
			pool_printf(r->pool, "the attachment %s can't be read. %s", part->name, err.text);
	}
}

static const char *const unreadable_kinds[] = {
	[PART_OLE] = "an old Word or Excel file",
	[PART_ODT] = "an OpenDocument file",
	[PART_RTF] = "an RTF file",
	[PART_PDF] = "a PDF",
	[PART_XLSX] = "an Excel file",
	[PART_DOCM] = "a Word file with macros",
	[PART_ZIP_ENCRYPTED] = "an encrypted ZIP",
	[PART_TNEF] = "a winmail.dat of Outlook",
};

static void attachments_read(struct reader *r)
{
	const struct message *m = r->message;
	int documents = 0;
	for (size_t i = 0; i < m->part_count; i++) {
		const struct message_part *part = &m->part[i];
		const char *name = *part->name ? part->name : "without a name";
		size_t forms = r->form_count;
		const char *unreadable = r->unreadable;
		documents += part->kind == PART_DOCX || part->kind == PART_ZIP;
		if ((part->kind == PART_DOCX || part->kind == PART_ZIP) &&
			(documents > DOCUMENTS_MAX || r->document_bytes > DOCUMENT_BYTES_MAX))
			r->unreadable = "the mail holds more documents, or longer ones, than are read.";
		else if (part->kind == PART_DOCX)
			word_file_read(r, part->bytes, part->len, name);
		else if (part->kind == PART_ZIP)
			zip_read(r, part);
		else if (part->kind == PART_IMAGE)
			r->image = name;
		else if ((size_t)part->kind < sizeof unreadable_kinds / sizeof *unreadable_kinds &&
			 unreadable_kinds[part->kind])
			r->unreadable = pool_printf(
				r->pool, "the attachment %s is %s.", name, unreadable_kinds[part->kind]);
		if (r->unreadable != unreadable)
			r->unreadable_kind = part->kind;
		if (r->form_count > forms && part->parent >= 0)
			r->forwarded = true;
		if (part->attachment && part->kind != PART_MESSAGE)
			rules_try_file(r->rules, name, &r->evidence, r->pool);
	}
}

/* ---- bounces and machines ---- */

/* A delivery report that brings a form, or words of one, was made to be carried out. */
static bool is_forged_report(const struct reader *r)
{
	for (size_t i = 0; i < r->message->part_count; i++) {
		const struct message_part *part = &r->message->part[i];
		if (part->parent == -1 && (part->kind == PART_DOCX || part->kind == PART_OLE ||
						  part->kind == PART_ZIP || part->kind == PART_ZIP_ENCRYPTED))
			return true;
	}
	return r->body.kind != SHEET_NONE && (*r->body.declaration_id || *r->body.business_name);
}

static bool bounce_settles(struct reader *r)
{
	bounce_read(&r->out->bounce, r->message, r->pool);
	if (!r->out->bounce.is_bounce)
		return false;
	if (is_forged_report(r)) {
		r->out->bounce.is_bounce = false;
		r->out->kind = REQUEST_OTHER;
		review(r, "a delivery report that carries a form or a request is forged.");
		return true;
	}
	r->out->kind = REQUEST_BOUNCE;
	say(r, "%s", r->out->bounce.why ? r->out->bounce.why : "A delivery report.");
	return true;
}

static bool is_word(const char *value, const char *const *words)
{
	for (; *words; words++)
		if (strncasecmp(value, *words, strlen(*words)) == 0)
			return true;
	return false;
}

/* Header fields by which machines say that they are machines (RFC 3834, and what is older than it); NULL: none. */
static const char *machine_header(const struct message *m)
{
	static const char *const bulk[] = {"bulk", "list", "junk", "auto_reply", "auto-reply", NULL};
	static const char *const fields[] = {"X-Autoreply", "X-Autorespond", "X-Autoresponder",
		"X-Auto-Reply", "X-Mail-Autoreply", "X-Sengen-Notice", "X-FC-MachineGenerated", "X-Vacation"};
	if (*m->auto_submitted && strncasecmp(m->auto_submitted, "no", 2) != 0)
		return "Auto-Submitted";
	if (*m->precedence && is_word(m->precedence, bulk))
		return "Precedence";
	if (*m->list_id)
		return "List-Id";
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		if (message_header(m, fields[i]))
			return fields[i];
	return *m->x_loop ? "X-Loop" : NULL;
}

static bool has_part(const struct message *m, enum part_kind kind)
{
	for (size_t i = 0; i < m->part_count; i++)
		if (m->part[i].kind == kind && m->part[i].parent == -1)
			return true;
	return false;
}

static bool auto_reply(struct reader *r)
{
	r->out->kind = REQUEST_AUTO_REPLY;
	return true;
}

static bool machine_settles(struct reader *r)
{
	const struct message *m = r->message;
	const char *header = machine_header(m);
	const int *score = r->evidence.score;
	if (has_part(m, PART_DISPOSITION_NOTIFICATION)) {
		say(r, "A read receipt.");
		return auto_reply(r);
	}
	if (header) {
		say(r, "The header %s says that a machine wrote it.", header);
		return auto_reply(r);
	}
	bool own = r->office && *m->from.address && strcasecmp(m->from.address, r->office) == 0;
	if (own) {
		r->out->kind = REQUEST_OTHER;
		review(r, "the sender is the office itself: own mail that came back, or forged.");
		return true;
	}
	bool wishes = r->form_count || r->body.kind != SHEET_NONE;
	if (!wishes &&
		(score[RULE_AUTO_REPLY] >= PLAIN ||
			(score[RULE_AUTO_REPLY] > 0 &&
				(*m->x_auto_response_suppress || (m->return_path && !*m->return_path))))) {
		say_words(r, RULE_AUTO_REPLY);
		return auto_reply(r);
	}
	if (m->return_path && !*m->return_path && (wishes || is_forged_report(r))) {
		r->out->kind = REQUEST_OTHER;
		review(r, "a mail with the null sender that carries a form or a request is forged.");
		return true;
	}
	if (m->return_path && !*m->return_path) {
		say(r, "The null sender: nothing may answer it.");
		return auto_reply(r);
	}
	return false;
}

/* ---- which wish ---- */

static const struct {
	enum rule_kind rule;
	enum request_kind kind;
} wishes[] = {/* heaviest first */
	{RULE_STOP, REQUEST_STOP}, {RULE_CHANGE, REQUEST_CHANGE}, {RULE_RESEND, REQUEST_RESEND},
	{RULE_ID_ENQUIRY, REQUEST_ID_ENQUIRY}, {RULE_NEWS_UNSUBSCRIBE, REQUEST_NEWS_UNSUBSCRIBE}};
#define WISHES (sizeof wishes / sizeof *wishes)

/* 停止をお願いします alone: of the declaration, unless the mail speaks of the news and of no declaration. */
static void bare_stop_weigh(struct reader *r)
{
	struct evidence *evidence = &r->evidence;
	bool news = evidence->score[RULE_NEWS_UNSUBSCRIBE] >= PLAIN && !evidence->score[RULE_STOP];
	if (news || !evidence->score[RULE_BARE_STOP])
		return;
	evidence->score[RULE_STOP] += evidence->score[RULE_BARE_STOP];
	if (evidence->heaviest[RULE_BARE_STOP] > evidence->heaviest[RULE_STOP])
		evidence->words[RULE_STOP] = evidence->words[RULE_BARE_STOP];
}

/* A form, on paper or typed, is the plainest wish. */
static void forms_weigh(struct reader *r)
{
	int *score = r->evidence.score;
	for (size_t i = 0; i < r->form_count; i++)
		score[r->form[i].sheet.kind == SHEET_STOP ? RULE_STOP : RULE_CHANGE] += 10;
	if (r->body.kind == SHEET_STOP)
		score[RULE_STOP] += 6;
	if (r->body.kind == SHEET_CHANGE && r->body.change_count)
		score[RULE_CHANGE] += 6;
	if (score[RULE_ID_ENQUIRY] && request_identifies(&r->body))
		score[RULE_ID_ENQUIRY] += 2;
}

static bool has_form(const struct reader *r)
{
	return r->form_count > 0 || r->body.kind != SHEET_NONE;
}

/* What a mail is when it is no request: its reason, and whether that stands above a wish. */
static bool other_settles(struct reader *r)
{
	static const struct {
		enum rule_kind rule;
		const char *reason;
	} others[] = {
		{RULE_UNKNOWN_MAIL, "the writer does not know the mail (心当たりがない)."},
		{RULE_PHISHING, "it looks like phishing."},
		{RULE_INCIDENT, "it speaks of an incident."},
		{RULE_FORM_WANTED, "it wants a form sent."},
		{RULE_ADVERT, "it looks like an advertisement."},
		{RULE_NO_REQUEST, "it speaks of the rules, or of somebody else."},
		{RULE_PASSWORD, "it brings a password for an attachment."},
	};
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		if (r->evidence.score[others[i].rule] < 3 || has_form(r))
			continue;
		/* The password of the logo that was lost is a notice to be sent again. */
		if (others[i].rule == RULE_PASSWORD && r->evidence.score[RULE_RESEND] >= PLAIN)
			continue;
		r->out->kind = REQUEST_OTHER;
		r->out->unknown_mail = others[i].rule == RULE_UNKNOWN_MAIL;
		say_words(r, others[i].rule);
		review(r, "%s", others[i].reason);
		return true;
	}
	/* A stop that is denied beside a plain wish about the news says the same once more: ロゴは引き続き使用します. */
	bool news = r->evidence.score[RULE_NEWS_UNSUBSCRIBE] >= PLAIN && !r->evidence.score[RULE_STOP] &&
		    !has_form(r);
	bool denied = r->evidence.score[RULE_DENIED] >= PLAIN && !news;
	if (r->evidence.score[RULE_CONTRADICTION] >= PLAIN || denied) {
		r->out->kind = REQUEST_OTHER;
		say_words(r, denied ? RULE_DENIED : RULE_CONTRADICTION);
		review(r, "a stop is denied or taken back.");
		return true;
	}
	if (r->blank_form && r->form_count == 0 && r->body.kind == SHEET_NONE) {
		r->out->kind = REQUEST_OTHER;
		review(r, "the form is not filled in.");
		return true;
	}
	return false;
}

static void kind_decide(struct reader *r)
{
	const int *score = r->evidence.score;
	size_t plain = 0, weak = 0, first = WISHES, first_weak = WISHES;
	for (size_t i = 0; i < WISHES; i++) {
		if (score[wishes[i].rule] >= PLAIN) {
			plain++;
			first = first == WISHES ? i : first;
			r->out->wishes |= 1u << wishes[i].kind;
		} else if (score[wishes[i].rule] > 0) {
			weak++;
			first_weak = first_weak == WISHES ? i : first_weak;
		}
	}
	bool documents = r->unreadable || r->image;
	/* A subject alone says little: it may be asked about, or be the office's own. Where nothing else was written, the news may end by it. */
	bool alone = first_weak < WISHES && wishes[first_weak].kind == REQUEST_NEWS_UNSUBSCRIBE &&
		     r->written.fresh.s[strspn(r->written.fresh.s, " \t\r\n")] == '\0';
	if (plain == 0 && weak > 0 && !r->evidence.asks && (documents || r->evidence.said || alone)) {
		first = first_weak;
		r->out->wishes = 1u << wishes[first].kind;
	}
	if (first == WISHES) {
		review(r, "no rule knows what it asks for.");
		return;
	}
	enum request_kind kind = wishes[first].kind;
	bool heavy = kind == REQUEST_STOP || kind == REQUEST_CHANGE || kind == REQUEST_NEWS_UNSUBSCRIBE;
	say_words(r, wishes[first].rule);
	if (heavy && r->evidence.asks && !has_form(r)) {
		review(r, "it asks something about it.");
		return;
	}
	unsigned both = (1u << REQUEST_STOP) | (1u << REQUEST_CHANGE);
	if ((r->out->wishes & both) == both) {
		review(r, "it wishes a stop and a change.");
		return;
	}
	r->out->kind = kind;
	if (heavy && r->evidence.score[RULE_DOUBT]) {
		say_words(r, RULE_DOUBT);
		review(r, "the writer hesitates, or speaks of something done or of somebody else.");
	}
	if (kind == REQUEST_ID_ENQUIRY && r->evidence.score[RULE_STOP_BESIDES])
		review(r, "it wishes a stop as well.");
	if (plain > 1)
		review(r, "it wishes more than one thing.");
	else if (plain == 0)
		review(r, "what it wishes is not said plainly.");
}

/* ---- fields ---- */

static const struct form *form_chosen(const struct reader *r)
{
	enum sheet_kind wanted = r->out->kind == REQUEST_CHANGE ? SHEET_CHANGE : SHEET_STOP;
	for (size_t i = 0; i < r->form_count; i++)
		if (r->form[i].sheet.kind == wanted)
			return &r->form[i];
	return r->form_count ? &r->form[0] : NULL;
}

static void fields_settle(struct reader *r)
{
	const struct form *form = form_chosen(r);
	r->out->from_form = form != NULL;
	r->out->fields = form ? form->sheet : r->body;
	if (form)
		say(r, "The form %s.", form->name);
}

/* Without the clauses about a notice that came: IDのお知らせは届いたのですが、ロゴマークの… */
static void arrived_cut(char *text)
{
	static const char *const arrived[] = {"届いたのですが", "届きましたが", "届いていますが",
		"届いておりますが", "受け取りましたが", "受け取ったのですが", "受領しましたが",
		"受領いたしましたが", "いただきましたが", "頂きましたが", "受信しましたが",
		"受信できましたが"};
	for (size_t i = 0; i < sizeof arrived / sizeof *arrived; i++)
		for (char *at = strstr(text, arrived[i]); at; at = strstr(text, arrived[i])) {
			char *from = at, *to = at + strlen(arrived[i]);
			while (from > text && strncmp(from, "。", strlen("。")) != 0 &&
				strncmp(from, "、", strlen("、")) != 0)
				from--;
			memmove(from, to, strlen(to) + 1);
		}
}

/* The notices that the sentences about a resend name; else the subject, else the rest of the text. */
static void notice_settle(struct reader *r)
{
	static const char *const logo[] = {"ロゴ", "ろご", "使用通知", "使用手続", "許諾", "logo", "受理",
		"パスワード", "zip", "ダウンロード"};
	static const char *const both[] = {
		"両方", "どちらのメール", "双方", "2通", "二通", "いずれも", "それぞれ"};
	static const char *const id[] = {"id通知", "idの通知", "idのお知らせ", "idお知らせ", "idの再", "id再",
		"idを再", "idに関する", "idのメール", "idメール", "idを通知", "id発行", "idの案内", "id案内",
		"idのご案内", "自己宣言通知", "宣言完了", "idが記載", "id(", "idとロゴ", "idおよび", "id及び",
		"id、", "id・", "idと", "id番号の"};
	struct str subject = STR_INIT, whole = STR_INIT;
	label_key(&subject, r->message->subject);
	label_key(&whole, r->written.fresh.s);
	if (r->evidence.lost.len)
		arrived_cut(r->evidence.lost.s);
	for (int round = 0; round < 3 && !*r->out->notice; round++) {
		const char *text = round == 0 ? r->evidence.lost.s : round == 1 ? subject.s : whole.s;
		bool with_logo = false, with_id = false, with_both = false;
		for (size_t i = 0; i < sizeof logo / sizeof *logo; i++)
			with_logo = with_logo || strstr(text, logo[i]);
		for (size_t i = 0; i < sizeof both / sizeof *both; i++)
			with_both = with_both || strstr(text, both[i]);
		for (size_t i = 0; i < sizeof id / sizeof *id; i++)
			with_id = with_id || strstr(text, id[i]);
		with_id = with_id || (!with_logo && strstr(text, "id"));
		if (with_both || (with_logo && with_id))
			r->out->notice = "both";
		else if (with_logo)
			r->out->notice = "logo-notice";
		else if (with_id)
			r->out->notice = "id-notice";
	}
	str_free(&subject);
	str_free(&whole);
}

/* ---- what a person must look at ---- */

static const char *header_fault(const struct message *m)
{
	static const char *const once[] = {"From", "Subject", "Date", "Message-ID", "Content-Type", "Sender",
		"Reply-To", "To", "MIME-Version", "Content-Transfer-Encoding"};
	if (m->from_count != 1)
		return m->from_count > 1 ? "it has more than one From" : "it has no From";
	for (size_t i = 0; i < sizeof once / sizeof *once; i++) {
		int count = 0;
		for (size_t h = 0; h < m->header_count; h++)
			count += strcasecmp(m->header[h].name, once[i]) == 0;
		if (count > 1)
			return "a header field that must stand once stands twice";
	}
	if (!*m->from.address)
		return "its From can't be read";
	return NULL;
}

/* Which of the two a person saw depends on his program. */
static bool alternatives_differ(const struct reader *r)
{
	const struct message *m = r->message;
	const char *plain = "", *html = "";
	for (size_t i = 0; i < m->part_count; i++) {
		const struct message_part *part = &m->part[i];
		if (part->parent != -1 || !part->alternative || !part->text || part->attachment)
			continue;
		if (part->kind == PART_TEXT && !*plain)
			plain = sheet_find_declaration_id(part->text, r->pool);
		else if (part->kind == PART_HTML && !*html)
			html = sheet_find_declaration_id(part->text, r->pool);
	}
	return *plain && *html && strcmp(plain, html) != 0;
}

static void review_mail(struct reader *r)
{
	const char *fault = header_fault(r->message);
	if (fault)
		review(r, "%s: it may be forged.", fault);
	if (alternatives_differ(r))
		review(r, "its plain text and its HTML name different declaration IDs.");
	if (r->too_long)
		review(r, "the text is longer than is read.");
	if (*r->message->damage)
		review(r, "the mail is damaged. %s", r->message->damage);
}

static bool ids_differ(const struct reader *r)
{
	const char *id = "";
	for (size_t i = 0; i <= r->form_count; i++) {
		const char *other =
			i < r->form_count ? r->form[i].sheet.declaration_id : r->body.declaration_id;
		if (*other && *id && strcmp(id, other) != 0)
			return true;
		id = *other ? other : id;
	}
	return false;
}

static void review_forms(struct reader *r)
{
	const struct sheet *fields = &r->out->fields;
	bool change = r->out->kind == REQUEST_CHANGE;
	if (ids_differ(r))
		review(r, "it names more than one declaration ID.");
	else if (!*fields->declaration_id)
		review(r, "%s", *fields->doubt ? fields->doubt : "the declaration ID is missing.");
	else if (*fields->doubt)
		review(r, "%s", fields->doubt);
	if (r->forwarded)
		review(r, "the form lies in a mail that was forwarded.");
	if (r->unreadable &&
		(!r->out->from_form || r->out->fields.kind == SHEET_NONE || strstr(r->unreadable, "ZIP")))
		review(r, "%s", r->unreadable);
	else if (r->image && !has_form(r))
		review(r, "the attachment %s is a picture.", r->image);
	if (change && !r->out->from_form)
		review(r, "a change needs the form.");
}

/* An address in the writer's own text that is neither the sender's nor the office's. */
static const char *other_address(const struct reader *r)
{
	struct str plain = STR_INIT;
	const char *found = "";
	text_nfkc(&plain, r->written.fresh.s);
	for (char *sign = strchr(plain.s, '@'); sign && !*found; sign = strchr(sign + 1, '@')) {
		static const char *const chars =
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._%+-";
		const char *from = sign;
		while (from > plain.s && strchr(chars, from[-1]))
			from--;
		size_t len = (size_t)(sign - from) + 1 + strspn(sign + 1, chars);
		while (len && strchr(".-_", from[len - 1]))
			len--;
		char *address = pool_strndup(r->pool, from, len);
		if (from < sign && strchr(strchr(address, '@'), '.') &&
			strcasecmp(address, r->message->from.address) != 0 &&
			!(r->office && strcasecmp(address, r->office) == 0))
			found = address;
	}
	str_free(&plain);
	return found;
}

static bool sentence_holds(const char *text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strstr(text, words[i]))
			return true;
	return false;
}

static void review_resend(struct reader *r)
{
	static const char *const elsewhere[] = {"新しいアドレス", "新しいメール", "新アドレス",
		"別のアドレス", "別のメール", "別アドレス", "こちらのアドレスに", "こちらのアドレスへ",
		"下記アドレスに", "下記のアドレスに", "下記アドレスへ", "下記のアドレスへ", "このアドレスに",
		"このアドレスへ", "使えなくな", "使用できなくな", "利用できなくな", "アドレスが変わ",
		"アドレスを変更", "アドレス変更", "受信できなくな", "受け取れなくな", "以下のアドレス",
		"本メールアドレスに", "本アドレスに", "本アドレス宛", "このメールアドレスに",
		"差出人アドレス"};
	const struct sheet *fields = &r->out->fields;
	struct str key = STR_INIT;
	label_key(&key, r->written.fresh.s);
	if (!*fields->declaration_id && !*fields->corporate_number &&
		(!*fields->business_name || fields->introduced))
		review(r, "nothing in it says which declaration is meant.");
	if (*fields->declaration_id_written)
		review(r, "%s", fields->doubt);
	if ((*fields->mail && strcasecmp(fields->mail, r->message->from.address) != 0) || *other_address(r))
		review(r, "it names an address that is not the sender's.");
	else if (sentence_holds(key.s, elsewhere, sizeof elsewhere / sizeof *elsewhere))
		review(r, "it wants the notice at another address.");
	str_free(&key);
}

static void review_enquiry(struct reader *r)
{
	if (!request_identifies(&r->out->fields))
		review(r, "it does not give what identifies a declaration.");
	else if (r->registry && r->registry->identify(r->registry->ctx, &r->out->fields) > 1)
		review(r, "what it gives fits more than one declaration.");
}

static void review_news(struct reader *r)
{
	const char *other = other_address(r);
	if (!*other && *r->out->fields.mail && strcasecmp(r->out->fields.mail, r->message->from.address) != 0)
		other = r->out->fields.mail;
	if (!*other)
		return;
	r->out->fields.mail = other;
	review(r, "it names an address that is not the sender's.");
}

/* ---- against what is on file ---- */

static void review_registry(struct reader *r)
{
	const struct request_registry *registry = r->registry;
	const struct sheet *fields = &r->out->fields;
	const char *name = NULL, *mail = NULL;
	if (!registry)
		return;
	if (!*fields->declaration_id) {
		if (r->out->kind != REQUEST_ID_ENQUIRY &&
			!registry->sender(registry->ctx, r->message->from.address))
			review(r, "the sender's address is not registered.");
		return;
	}
	if (!registry->declaration(registry->ctx, fields->declaration_id, &name, &mail))
		review(r, "no declaration with that ID is on file.");
	else if (*fields->business_name && name && *name && !text_same_key(name, fields->business_name))
		review(r, "the declaration ID is another business's.");
	else if (mail && strcasecmp(mail, r->message->from.address) != 0)
		review(r, "the sender's address is not the one registered for that declaration.");
}

/* ---- the whole ---- */

static void reading_clear(struct reading *out)
{
	*out = (struct reading){.kind = REQUEST_OTHER,
		.why = "",
		.notice = "",
		.unreadable = "",
		.fresh = "",
		.quoted = "",
		.form_text = ""};
}

static void request_settle(struct reader *r)
{
	fields_settle(r);
	review_mail(r);
	switch (r->out->kind) {
	case REQUEST_STOP:
	case REQUEST_CHANGE:
		review_forms(r);
		break;
	case REQUEST_RESEND:
		notice_settle(r);
		review_resend(r);
		break;
	case REQUEST_ID_ENQUIRY:
		review_enquiry(r);
		break;
	case REQUEST_NEWS_UNSUBSCRIBE:
		review_news(r);
		return;
	default:
		return;
	}
	review_registry(r);
}

/* Cuts at a character's start; says so. */
static size_t text_cut(struct reader *r, const char *text, size_t len, size_t most)
{
	if (len <= most)
		return len;
	while (most > 0 && ((unsigned char)text[most] & 0xC0) == 0x80)
		most--;
	r->too_long = true;
	return most;
}

static void text_split(struct reader *r)
{
	const char *body = message_text(r->message, r->pool);
	char *text = pool_strndup(r->pool, body, text_cut(r, body, strlen(body), BODY_MAX));
	written_split(&r->written, text);
	str_cut(&r->written.fresh, text_cut(r, r->written.fresh.s, r->written.fresh.len, FRESH_MAX));
}

/* What the office needs besides the kind and the fields. */
static void reading_complete(struct reader *r)
{
	struct reading *out = r->out;
	const int *score = r->evidence.score;
	out->objects = score[RULE_CONTRADICTION] > 0 || score[RULE_DENIED] > 0 ||
		       score[RULE_UNKNOWN_MAIL] > 0 || score[RULE_OBJECTION] > 0 || score[RULE_DOUBT] > 0 ||
		       score[RULE_AUTO_REPLY] > 0;
	bool heavy = out->kind == REQUEST_STOP || out->kind == REQUEST_CHANGE;
	if (r->unreadable && r->form_count == 0)
		out->unreadable = part_kind_name(r->unreadable_kind);
	else if (r->image && heavy && !has_form(r))
		out->unreadable = part_kind_name(PART_IMAGE); /* else it is a signature's logo */
	out->fresh = pool_strndup(r->pool, r->written.fresh.s, r->written.fresh.len);
	out->quoted = pool_strndup(r->pool, r->written.quoted.s, r->written.quoted.len);
	out->form_text = pool_strndup(r->pool, r->form_text.s, r->form_text.len);
	out->review = out->review || out->kind == REQUEST_OTHER;
	out->why = pool_strdup(r->pool, r->why.s);
}

void request_read(struct reading *out, const struct message *message, const struct request_rules *rules,
	const char *office, const struct request_registry *registry, struct pool *pool)
{
	reading_clear(out);
	struct reader *r = pool_alloc(pool, sizeof *r);
	*r = (struct reader){.out = out,
		.message = message,
		.rules = rules,
		.office = office,
		.registry = registry,
		.pool = pool,
		.evidence = {.lost = STR_INIT},
		.form_text = STR_INIT,
		.why = STR_INIT};
	text_split(r);
	sheet_read_text(&r->body, r->written.fresh.s, pool);
	out->fields = r->body;
	rules_try_subject(rules, message->subject, &r->evidence, pool);
	rules_try_text(rules, r->written.fresh.s, &r->evidence, pool);
	attachments_read(r);
	if (!bounce_settles(r) && !machine_settles(r)) {
		bare_stop_weigh(r);
		forms_weigh(r);
		if (!other_settles(r))
			kind_decide(r);
		request_settle(r);
	}
	reading_complete(r);
	str_free(&r->why);
	str_free(&r->form_text);
	evidence_free(&r->evidence);
	written_free(&r->written);
}
