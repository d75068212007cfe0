#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "lib/base/mailaddr.h"
#include "lib/base/text.h"
#include "lib/mail/bounce_p.h"

#define TEXT_MAX ((size_t)65536) /* bytes of a text that are looked at: explanations are short */
#define RECIPIENTS_MAX 64

/* What one recipient's lines of a report say (RFC 3464 2.3); "" where they don't. */
struct recipient {
	const char *address, *action, *status, *diagnostic;
	bool is_own; /* the diagnostic is what the mail system writes itself */
	int rank; /* of a plain-text one: how surely the address is the recipient's */
};

struct bounce_reader {
	struct bounce *out;
	const struct message *message;
	const struct bounce_rules *rules;
	struct pool *pool;
	const char *own; /* the text of the mail system itself, up to the returned mail */
	const char *returned; /* the returned mail as far as it stands in the text; "" */
	const char *own_folded;
	struct recipient recipient[RECIPIENTS_MAX];
	size_t recipient_count;
	const char *other_party; /* named like a recipient, but the mail went to it too; NULL */
};

/* ---- small helpers ---- */

static const char *pool_lower(struct pool *pool, const char *text, size_t len)
{
	char *copy = pool_strndup(pool, text, len);
	for (char *c = copy; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return text_trim(copy);
}

static const char *fold(const struct bounce_reader *r, const char *text)
{
	struct str folded = STR_INIT;
	bounce_fold(&folded, text, strnlen(text, TEXT_MAX));
	const char *kept = pool_strdup(r->pool, folded.s);
	str_free(&folded);
	return kept;
}

/* The address key of what stands in [text, text + len), NULL when it is none. */
static const char *address_key(struct pool *pool, const char *text, size_t len)
{
	struct mailaddr address;
	struct str key = STR_INIT;
	if (mailaddr_read(&address, pool_strndup(pool, text, len)) != MAILADDR_OK)
		return NULL;
	mailaddr_key(&key, &address);
	const char *kept = pool_lower(pool, key.s, key.len);
	str_free(&key);
	return kept;
}

static bool is_address_char(char c)
{
	return isalnum((unsigned char)c) || (c && strchr(".!#$%&'*+/=?^_`{|}~-", c));
}

/* The next address in text; *start and *end are set around it. NULL: no more. */
static const char *address_next(struct pool *pool, const char *text, const char **start, const char **end)
{
	for (const char *sign = strchr(text, '@'); sign; sign = strchr(sign + 1, '@')) {
		const char *first = sign, *last = sign + 1;
		if (first > text && first[-1] == '"') {
			first--;
			while (first > text && first[-1] != '"' && first[-1] != '\n')
				first--;
			first -= first > text;
		} else {
			while (first > text && is_address_char(first[-1]))
				first--;
		}
		while (isalnum((unsigned char)*last) || *last == '-' || *last == '.')
			last++;
		while (last > sign && !isalnum((unsigned char)last[-1]))
			last--;
		while (first < sign && strchr("'`=*|/", *first) && strncmp(first, "=?", 2) != 0)
			first++; /* quotes and marks of the text around it */
		const char *key = sign - first > 0 && sign - first <= 70 && last - sign <= 256
					  ? address_key(pool, first, (size_t)(last - first))
					  : NULL;
		if (key) {
			*start = first;
			*end = last;
			return key;
		}
	}
	return NULL;
}

/* Whether a line goes on with the field of the line before; behind quote marks one blank is theirs. */
static bool is_folded(const char *line, const char *end)
{
	const char *at = line;
	while (at < end && (*at == '>' || *at == '|'))
		at++;
	if (at > line && at < end && *at == ' ')
		at++;
	bool blank = at < end && (*at == ' ' || *at == '\t');
	while (at < end && (*at == ' ' || *at == '\t' || *at == '\r'))
		at++;
	return blank && at < end && *at != '\n';
}

/* The value of a field in a block of header-like lines, unfolded; NULL. Quote marks in front of lines are passed over. */
static const char *field_find(struct pool *pool, const char *block, size_t len, const char *name)
{
	size_t name_len = strlen(name);
	for (const char *at = block, *end = block + len; at < end;) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		const char *line = at;
		at = stop ? stop + 1 : end;
		while (line < at && strchr(" \t>|*", *line) && *line)
			line++;
		if ((size_t)(at - line) <= name_len || strncasecmp(line, name, name_len) != 0)
			continue;
		const char *value = line + name_len;
		while (value < at && (*value == ' ' || *value == '\t'))
			value++;
		if (value == at || *value != ':')
			continue;
		value++;
		while (at < end && is_folded(at, end)) {
			stop = memchr(at, '\n', (size_t)(end - at));
			at = stop ? stop + 1 : end;
		}
		char *copy = pool_strndup(pool, value, (size_t)(at - value));
		for (char *c = copy; *c; c++)
			if (*c == '\n' || *c == '\r' || *c == '\t')
				*c = ' ';
		return text_trim(copy);
	}
	return NULL;
}

/* ---- status codes ---- */

static bool is_status(const char *at, size_t *len)
{
	if (!(*at == '2' || *at == '4' || *at == '5') || at[1] != '.')
		return false;
	const char *p = at + 2;
	size_t subject = strspn(p, "0123456789");
	if (subject < 1 || subject > 3 || p[subject] != '.')
		return false;
	p += subject + 1;
	size_t detail = strspn(p, "0123456789");
	if (detail < 1 || detail > 3 || (p[detail] == '.' && isdigit((unsigned char)p[detail + 1])))
		return false;
	*len = (size_t)(p + detail - at);
	return true;
}

/* The first enhanced status code of a failure in text; "". Addresses and version numbers of four parts are none. */
static const char *status_find(struct pool *pool, const char *text)
{
	for (const char *at = text; *at; at++) {
		size_t len;
		if (at > text && (isalnum((unsigned char)at[-1]) || at[-1] == '.' || at[-1] == '-'))
			if (!(at[-1] == '-' && at - text >= 4 && isdigit((unsigned char)at[-2])))
				continue; /* "550-5.1.1" is one */
		if (*at != '2' && is_status(at, &len))
			return pool_strndup(pool, at, len);
	}
	return "";
}

/* Where another server's answer begins: "550 …", "552-5.2.2 …"; NULL. */
static const char *reply_find(const char *text)
{
	for (const char *at = text; *at; at++) {
		if ((*at != '4' && *at != '5') ||
			(at > text && (isalnum((unsigned char)at[-1]) || at[-1] == '.')))
			continue;
		if (at[1] < '0' || at[1] > '5' || !isdigit((unsigned char)at[2]) ||
			(at[3] != ' ' && at[3] != '-'))
			continue;
		if (isalpha((unsigned char)at[4]) || ((unsigned char)at[4] & 0x80u) ||
			strchr("<#([\"'", at[4]) || (at[4] == *at && at[5] == '.'))
			return at[4] ? at : NULL;
	}
	return NULL;
}

/* ---- what is decided ---- */

static const struct bounce_reason *reason_by_words(
	const struct bounce_rules *rules, const char *folded, const char **word)
{
	for (size_t i = 0; i < rules->reason_count; i++)
		if ((*word = words_find(&rules->reason[i].words, folded)))
			return &rules->reason[i];
	return NULL;
}

static const struct bounce_reason *reason_by_status(const struct bounce_rules *rules, const char *status)
{
	for (size_t i = 0; *status && i < rules->reason_count; i++)
		if (strlist_has(&rules->reason[i].status, status))
			return &rules->reason[i];
	return NULL;
}

/* What the kind of a status says whose detail isn't listed: "5.7.x". */
static const struct bounce_reason *reason_by_kind(const struct bounce_reader *r, const char *status)
{
	const char *detail = strrchr(status, '.');
	return detail ? reason_by_status(
				r->rules, pool_printf(r->pool, "%.*s.x", (int)(detail - status), status))
		      : NULL;
}

/* Words that other causes bring along too. */
static bool is_weak(const struct bounce_reason *reason)
{
	return str_has_suffix(reason->name, "-weak");
}

/* What an answer speaks of by the command it was given to: of the sender, of the mail's text; else what the words say. */
static enum bounce_class stage_class(
	const struct bounce_reader *r, const char *diagnostic, enum bounce_class by_words)
{
	const struct bounce_rules *rules = r->rules;
	bool alone = r->recipient_count == 1; /* else the text speaks of others too */
	if (words_find(&rules->sender_stages, diagnostic) ||
		(alone && words_find(&rules->sender_stages, r->own_folded)))
		return BOUNCE_POLICY;
	if (words_find(&rules->content_stages, diagnostic) ||
		(alone && words_find(&rules->content_stages, r->own_folded)))
		return BOUNCE_CONTENT;
	return by_words;
}

/* The stage stands above words that are weak ("550 invalid", said to MAIL FROM); what is said of the sender is no word on a recipient. */
static enum bounce_class class_at_stage(
	const struct bounce_reader *r, const char *diagnostic, const struct bounce_reason *reason)
{
	if (!reason)
		return stage_class(r, diagnostic, BOUNCE_UNDECIDED);
	enum bounce_class by_words = (enum bounce_class)reason->class_,
			  by_stage = stage_class(r, diagnostic, by_words);
	bool to_sender = by_words == BOUNCE_HARD && by_stage == BOUNCE_POLICY;
	return is_weak(reason) || to_sender ? by_stage : by_words;
}

/* Whether the failure is one for now: by the status, and by the server's answer where the status only says that. A queue that gives up writes
 * "4.0.0" however clear the answer was. */
static bool is_temporary(
	const struct recipient *recipient, const struct bounce_reason *reason, const char *diagnostic)
{
	const char *status = recipient->status;
	if (*status && !str_has_suffix(status, ".0.0"))
		return *status == '4';
	const char *reply = reply_find(diagnostic);
	if (reply)
		return *reply == '4';
	return *status == '4' && (!reason || is_weak(reason));
}

/* Finds the class: the other server's words before its code, its code before what the mail system explains to people, which lists every cause
 * there is. */
static void classify(struct bounce_reader *r, const struct recipient *recipient, const char *from)
{
	struct bounce *out = r->out;
	const char *word = NULL, *diagnostic = fold(r, recipient->diagnostic), *status = recipient->status;
	const struct bounce_reason *reason = reason_by_words(r->rules, diagnostic, &word), *by_status;
	const char *by = word;
	by_status = reason_by_status(r->rules, status);
	if (!by_status && !reason)
		by_status = reason_by_kind(r, status);
	if (by_status && (!reason || is_weak(reason))) {
		reason = by_status;
		by = status;
	}
	if (!reason || (recipient->is_own && is_weak(reason))) {
		const struct bounce_reason *by_text = reason_by_words(r->rules, r->own_folded, &word);
		by = by_text ? word : by;
		reason = by_text ? by_text : reason;
	}
	out->class_ = class_at_stage(r, diagnostic, reason);

	bool temporary = is_temporary(recipient, reason, diagnostic);
	bool delayed = strcmp(recipient->action, "delayed") == 0;
	if (strcmp(recipient->action, "failed") != 0 && !delayed)
		out->class_ = BOUNCE_NONE;
	else if ((temporary || delayed) && out->class_ != BOUNCE_FULL)
		out->class_ = BOUNCE_SOFT;
	out->permanent = out->class_ == BOUNCE_HARD;
	out->permanent_known = out->class_ == BOUNCE_HARD || out->class_ == BOUNCE_SOFT ||
			       out->class_ == BOUNCE_FULL || delayed;
	out->why = reason ? pool_printf(r->pool, "%s; rule \"%s\" by \"%s\"", from, reason->name, by)
			  : pool_printf(r->pool, "%s; nothing says why", from);
}

static void settle(struct bounce_reader *r, const char *from)
{
	struct bounce *out = r->out;
	static const struct recipient nobody = {
		.address = "", .action = "failed", .status = "", .diagnostic = ""};
	const struct recipient *worst = r->recipient_count ? &r->recipient[0] : &nobody;
	for (size_t i = r->recipient_count; i-- > 0;)
		if (strcmp(r->recipient[i].action, "failed") == 0)
			worst = &r->recipient[i];
	out->is_bounce = true;
	out->recipient = pool_alloc(r->pool, (r->recipient_count + 1) * sizeof *out->recipient);
	for (size_t i = 0; i < r->recipient_count; i++)
		if (*r->recipient[i].address)
			out->recipient[out->recipient_count++] = r->recipient[i].address;
	out->action = worst->action;
	out->status = worst->status;
	classify(r, worst, from);
}

static bool recipient_known(const struct bounce_reader *r, const char *address)
{
	for (size_t i = 0; i < r->recipient_count; i++)
		if (strcmp(r->recipient[i].address, address) == 0)
			return true;
	return false;
}

static struct recipient *recipient_add(struct bounce_reader *r, const char *address)
{
	if (r->recipient_count == RECIPIENTS_MAX || (*address && recipient_known(r, address)))
		return NULL;
	struct recipient *recipient = &r->recipient[r->recipient_count++];
	*recipient =
		(struct recipient){.address = address, .action = "failed", .status = "", .diagnostic = ""};
	return recipient;
}

/* ---- the returned mail ---- */

/* <…> in a value; the value itself up to its first blank when a mailer left the brackets out. */
static const char *id_in(struct pool *pool, const char *value)
{
	const char *open = strchr(value, '<'), *close = open ? strchr(open, '>') : NULL;
	if (close && memchr(open, '@', (size_t)(close - open)))
		return pool_strndup(pool, open, (size_t)(close + 1 - open));
	size_t len = strcspn(value, " ,;");
	return memchr(value, '@', len) && len < 250 ? pool_printf(pool, "<%.*s>", (int)len, value) : "";
}

static const char *returned_field(struct bounce_reader *r, const char *name)
{
	const struct message *m = r->message;
	const char *value;
	for (size_t i = 0; i < m->part_count; i++) {
		const struct message_part *part = &m->part[i];
		if (part->parent != -1 || part->kind != PART_MESSAGE)
			continue;
		const char *end = memmem(part->bytes, part->len, "\n\n", 2);
		const char *crlf = memmem(part->bytes, part->len, "\r\n\r\n", 4);
		if (!end || (crlf && crlf < end))
			end = crlf;
		size_t len = end ? (size_t)(end + 1 - part->bytes) : part->len;
		if ((value = field_find(r->pool, part->bytes, len < TEXT_MAX ? len : TEXT_MAX, name)) &&
			*value)
			return value;
	}
	if ((value = field_find(r->pool, r->returned, strnlen(r->returned, TEXT_MAX), name)) && *value)
		return value;
	for (size_t i = 0; i < m->part_count; i++) {
		const struct message_part *part = &m->part[i];
		const char *text = part->parent != -1 ? NULL : part->text ? part->text : part->bytes;
		bool is_text = part->kind == PART_TEXT || part->kind == PART_HTML || part->kind == PART_OTHER;
		if (!text || !is_text)
			continue;
		size_t len = part->text             ? strnlen(text, TEXT_MAX)
			     : part->len < TEXT_MAX ? part->len
						    : TEXT_MAX;
		if ((value = field_find(r->pool, text, len, name)) && *value)
			return value;
	}
	return NULL;
}

static void read_message_id(struct bounce_reader *r)
{
	const char *value = returned_field(r, "Message-ID");
	const char *id = value ? id_in(r->pool, value) : "";
	if (!*id) /* Exchange names it only there */
		id = id_in(r->pool, r->message->in_reply_to);
	if (!*id)
		id = id_in(r->pool, r->message->references);
	r->out->message_id = id;
}

/* ---- the text of the mail system, apart from the mail it returns ---- */

static bool starts_with_one(const char *line, size_t len, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (len >= strlen(names[i]) && strncasecmp(line, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static bool is_mail_field(const char *line, size_t len)
{
	static const char *const names[] = {"Return-Path:", "Received:", "Message-ID:", "From:", "To:",
		"Subject:", "Date:", "MIME-Version:", "DKIM-Signature:", "Content-Type:", "X-Mailer:",
		"Sender:", "Reply-To:", "Content-Transfer-Encoding:", "Delivered-To:"};
	while (len && strchr(" \t>|", *line))
		line++, len--;
	return starts_with_one(line, len, names, sizeof names / sizeof *names);
}

/* Fields that a summary of the mail ("To: … Subject: …") goes without. */
static bool is_trace_field(const char *line, size_t len)
{
	static const char *const names[] = {
		"Return-Path:", "Received:", "Message-ID:", "From:", "MIME-Version:", "Delivered-To:"};
	while (len && strchr(" \t>|", *line))
		line++, len--;
	return starts_with_one(line, len, names, sizeof names / sizeof *names);
}

/* Whether the header of a mail begins here: three of its fields within eight lines. */
static bool header_begins(const char *at)
{
	size_t fields = 0, traces = 0, lines = 0;
	while (*at && lines++ < 8) {
		size_t len = strcspn(at, "\n");
		bool is_field = is_mail_field(at, len);
		if (lines == 1 && !is_field)
			return false;
		fields += is_field;
		traces += is_trace_field(at, len);
		at += len + (at[len] == '\n');
	}
	return fields >= 3 && traces > 0;
}

static void split_text(struct bounce_reader *r, const char *body)
{
	struct str folded = STR_INIT;
	size_t cut = strnlen(body, TEXT_MAX);
	const char *from = body + cut;
	for (const char *at = body; at < body + cut;) {
		size_t len = strcspn(at, "\n");
		str_clear(&folded);
		if (len < 200 && at > body) /* the first line is the mail system's */
			bounce_fold(&folded, at, len);
		if (header_begins(at) || (folded.len > 2 && words_find(&r->rules->copies, folded.s))) {
			cut = (size_t)(at - body);
			from = at;
			break;
		}
		at += len + (at[len] == '\n');
	}
	str_free(&folded);
	r->own = pool_strndup(r->pool, body, cut);
	r->returned = from;
	r->own_folded = fold(r, r->own);
}

/* ---- RFC 3464 ---- */

/* "rfc822; <a@example.jp>" → the address' key; NULL. */
static const char *typed_address(struct pool *pool, const char *value)
{
	const char *type_end = value ? strchr(value, ';') : NULL;
	if (!value || !*value)
		return NULL;
	if (type_end && strncasecmp(value, "rfc822", 6) != 0 && strncasecmp(value, "utf-8", 5) != 0 &&
		strncasecmp(value, "smtp", 4) != 0)
		return NULL;
	const char *text = type_end ? type_end + 1 : value;
	struct str plain = STR_INIT;
	for (const char *at = text; *at; at++) { /* xtext (RFC 3461 section 4) */
		if (*at == '+' && isxdigit((unsigned char)at[1]) && isxdigit((unsigned char)at[2]) &&
			!islower((unsigned char)at[1]) && !islower((unsigned char)at[2]) &&
			strchr("234567", at[1]) &&
			!isalnum((at[1] - '0') * 16 + (at[2] <= '9' ? at[2] - '0' : at[2] - 'A' + 10))) {
			str_addc(&plain,
				(char)((at[1] - '0') * 16 + (at[2] <= '9' ? at[2] - '0' : at[2] - 'A' + 10)));
			at += 2;
		} else {
			str_addc(&plain, *at);
		}
	}
	const char *start, *end;
	const char *key = address_next(pool, plain.s, &start, &end);
	str_free(&plain);
	return key;
}

static const char *action_read(struct pool *pool, const char *value)
{
	static const char *const actions[] = {"failed", "delayed", "delivered", "relayed", "expanded"};
	const char *text = pool_lower(pool, value, strcspn(value, " (;"));
	for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
		if (strcmp(text, actions[i]) == 0)
			return actions[i];
	return str_has_prefix(text, "fail") ? "failed" : str_has_prefix(text, "delay") ? "delayed" : NULL;
}

/* Which of the two the mail was sent to: the original one, unless the returned mail names the final one alone. */
static const char *sent_to(struct bounce_reader *r, const char *original, const char *final)
{
	if (!original || !final || strcmp(original, final) == 0)
		return original ? original : final;
	const char *to = returned_field(r, "To");
	return to && strcasestr(to, final) && !strcasestr(to, original) ? final : original;
}

static void read_recipient_block(struct bounce_reader *r, const char *block, size_t len)
{
	const char *final = field_find(r->pool, block, len, "Final-Recipient");
	const char *original = field_find(r->pool, block, len, "Original-Recipient");
	const char *action = field_find(r->pool, block, len, "Action");
	if (!final && !original && !action)
		return;
	const char *address = sent_to(r, typed_address(r->pool, original), typed_address(r->pool, final));
	struct recipient *recipient = recipient_add(r, address ? address : "");
	if (!recipient)
		return;
	const char *diagnostic = field_find(r->pool, block, len, "Diagnostic-Code"),
		   *status = field_find(r->pool, block, len, "Status"), *semicolon;
	if (diagnostic && (semicolon = strchr(diagnostic, ';')) && semicolon - diagnostic < 20)
		diagnostic = semicolon + 1 + strspn(semicolon + 1, " ");
	recipient->diagnostic = diagnostic ? diagnostic : "";
	size_t status_len = 0;
	if (status && is_status(status, &status_len))
		recipient->status = pool_strndup(r->pool, status, status_len);
	if (str_has_suffix(recipient->status, ".0.0") || !*recipient->status) { /* says nothing */
		const char *better = status_find(r->pool, recipient->diagnostic);
		if (*better)
			recipient->status = better;
	}
	const char *read = action ? action_read(r->pool, action) : NULL;
	if (read)
		recipient->action = read;
	else if (*recipient->status == '4')
		recipient->action = "delayed";
	else if (*recipient->status == '2')
		recipient->action = "delivered";
}

/* Which of the two fields that name a recipient a line is; 0. */
static unsigned recipient_field(const char *line)
{
	static const char *const names[] = {"Final-Recipient:", "Original-Recipient:"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strncasecmp(line, names[i], strlen(names[i])) == 0)
			return 1u << i;
	return 0;
}

/* Blocks of fields with empty lines between, which some servers leave out between recipients; the first tells of the mail as a whole and has no recipient. */
static void read_report(struct bounce_reader *r, const char *text)
{
	const char *end = text + strnlen(text, TEXT_MAX);
	while (text < end) {
		const char *at = text;
		unsigned named = 0;
		while (at < end) {
			size_t len = strcspn(at, "\n");
			size_t blanks = strspn(at, " \t\r");
			unsigned names = recipient_field(at);
			if (names & named)
				break;
			named |= names;
			at += len + (at[len] == '\n');
			if (blanks >= len)
				break;
		}
		read_recipient_block(r, text, (size_t)(at - text));
		text = at;
	}
}

/* Ten or eleven digits that begin with 4 or 5, as a declaration ID does. */
static bool holds_declaration_id(const char *text)
{
	for (size_t digits; *text; text += digits ? digits : 1) {
		digits = strspn(text, "0123456789");
		if ((digits == 10 || digits == 11) && (*text == '4' || *text == '5'))
			return true;
	}
	return false;
}

/* A report proper explains itself in any words: only with an ID beside them are they a form's. */
static bool carries_form(const struct bounce_reader *r, bool is_report)
{
	for (size_t i = 0; i < r->message->part_count; i++) {
		const struct message_part *part = &r->message->part[i];
		if (part->parent == -1 && part->kind >= PART_DOCX && part->kind <= PART_ZIP_ENCRYPTED &&
			part->kind != PART_IMAGE)
			return true;
	}
	return words_find(&r->rules->forms, r->own_folded) &&
	       (!is_report || holds_declaration_id(r->own_folded));
}

static const struct message_part *part_of_kind(const struct message *message, enum part_kind kind)
{
	for (size_t i = 0; i < message->part_count; i++)
		if (message->part[i].parent == -1 && message->part[i].kind == kind)
			return &message->part[i];
	return NULL;
}

/* What a report leaves open is looked for in the text that goes with it. */
static void fill_from_text(struct bounce_reader *r)
{
	const char *said = reply_find(r->own);
	for (size_t i = 0; i < r->recipient_count; i++) {
		struct recipient *recipient = &r->recipient[i];
		if (!*recipient->diagnostic && said && r->recipient_count == 1) {
			recipient->diagnostic = pool_strndup(r->pool, said, strnlen(said, 400));
			recipient->is_own = true;
		}
		if (!*recipient->status)
			recipient->status = status_find(r->pool, r->own);
	}
}

/* ---- plain text ---- */

enum { RANK_MENTIONED = 1, RANK_BESIDE_REPLY, RANK_LABELLED };

/* Labels before a recipient's address, folded. */
static bool is_recipient_label(const char *folded)
{
	static const char *const labels[] = {"宛先", "宛て先", "あて先", "送信先", "受信者", "配信先",
		"送り先", "お届け先", "to", "recipient", "rcpt to", "for", "address", "メールアドレス",
		"delivered to", "attempts", "userid", "地址", "user", "ユーザ", "ユーザー", "到達しなかった",
		"メールを配信できません", "メッセージを配信できません"};
	size_t len = strcspn(folded, ":<");
	while (len && strchr(" '\"", folded[len - 1]))
		len--;
	for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
		size_t n = strlen(labels[i]);
		if (len >= n && memcmp(folded + len - n, labels[i], n) == 0)
			return true;
	}
	return false;
}

/* "550 5.1.1 <a@example.jp>... User unknown": sendmail's word on a recipient. */
static bool is_answered(const char *line, const char *start, const char *end)
{
	bool bracketed = start > line && start[-1] == '<' && strncmp(end, ">...", 4) == 0;
	return bracketed && (*line == '4' || *line == '5') &&
	       strspn(line, "0123456789. -") + 1 == (size_t)(start - line);
}

static int rank_of(
	const struct bounce_reader *r, const char *line, const char *start, const char *end, size_t len)
{
	size_t before = (size_t)(start - line), after = (size_t)(line + len - end);
	size_t ornaments = strspn(line, " \t<*-+#>|\"'([.");
	const char *bullet = "・";
	bool alone_before =
		ornaments >= before ||
		(before - ornaments <= 4 && memcmp(line + ornaments, bullet, strlen(bullet)) == 0);
	size_t trailing = strspn(end, " \t>:;,.'\")]\r");
	if (alone_before && (trailing >= after || *end == '>' || *end == ':'))
		return RANK_LABELLED;
	if (alone_before && (strncmp(end + trailing, "様", 3) == 0 || end[trailing] == '('))
		return RANK_LABELLED;
	if (is_answered(line, start, end))
		return RANK_LABELLED;
	const char *folded = fold(r, pool_strndup(r->pool, line, before));
	if (alone_before && before < 8 && strncasecmp(end + trailing, "on ", 3) == 0)
		return RANK_LABELLED; /* mikeneko@example.co.jp on Thu, 29 Apr 2007 … */
	if (ornaments < before && strncasecmp(line + ornaments, "To:", 3) == 0)
		return RANK_BESIDE_REPLY; /* a summary of the mail, which may have gone to others too */
	if (before < 80 && is_recipient_label(folded))
		return RANK_LABELLED;
	bool beside = reply_find(pool_strndup(r->pool, line, len)) || strstr(folded, "rcpt") ||
		      (alone_before && before < 8);
	return beside ? RANK_BESIDE_REPLY : RANK_MENTIONED;
}

static bool is_role(const char *address)
{
	static const char *const roles[] = {"postmaster@", "mailer-daemon@", "mailer_daemon@", "abuse@",
		"support@", "noreply@", "no-reply@", "hostmaster@", "mail-daemon@", "helpdesk@", "root@"};
	for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
		if (str_has_prefix(address, roles[i]))
			return true;
	return false;
}

static bool was_delivered_to(const struct message *m, const char *address)
{
	for (size_t i = 0; i < m->delivered_to_count; i++)
		if (strcasestr(m->delivered_to[i], address))
			return true;
	return false;
}

/* The office, the sender of the bounce and those behind it are no recipients of ours. */
static bool is_other_party(const struct bounce_reader *r, const char *address)
{
	return is_role(address) || strcasecmp(r->message->from.address, address) == 0 ||
	       was_delivered_to(r->message, address);
}

static void mention(struct bounce_reader *r, const char *address, int rank)
{
	for (size_t i = 0; i < r->recipient_count; i++)
		if (strcmp(r->recipient[i].address, address) == 0) {
			if (r->recipient[i].rank < rank)
				r->recipient[i].rank = rank;
			return;
		}
	bool other = is_other_party(r, address);
	bool possible = was_delivered_to(r->message, address) ||
			(is_role(address) && strcasecmp(r->message->from.address, address) != 0);
	if (other && rank >= RANK_BESIDE_REPLY && !r->other_party && possible)
		r->other_party = address;
	struct recipient *recipient = other ? NULL : recipient_add(r, address);
	if (recipient)
		recipient->rank = rank;
}

static void mention_all(struct bounce_reader *r, const char *text, int rank)
{
	const char *start, *end, *address;
	for (; text && (address = address_next(r->pool, text, &start, &end)); text = end)
		mention(r, address, rank);
}

/* "(expanded from <a>)" in the line or the next: the address of ours stands there, before it the one behind an alias. */
static const char *alias_find(const char *line)
{
	const char *end = strchrnul(line, '\n'), *next = *end ? end + 1 : end;
	const char *here = memmem(line, (size_t)(end - line), "expanded from", 13);
	if (here)
		return here;
	next += strspn(next, " \t(");
	return str_has_prefix(next, "expanded from") ? next : NULL;
}

static void mention_lines(struct bounce_reader *r)
{
	for (const char *at = r->own; *at && r->recipient_count < RECIPIENTS_MAX;) {
		size_t len = strcspn(at, "\n");
		const char *line = pool_strndup(r->pool, at, len), *text = line, *start, *end, *address;
		const char *alias = alias_find(at);
		if (alias && (address = address_next(r->pool,
				      pool_strndup(r->pool, alias, strnlen(alias, 400)), &start, &end)))
			mention(r, address, RANK_LABELLED);
		else
			for (; (address = address_next(r->pool, text, &start, &end)); text = end)
				mention(r, address, rank_of(r, line, start, end, len));
		at += len + (at[len] == '\n');
	}
}

/* Keeps the addresses of the best rank; a mail that was only mentioned gives way to the one the returned mail went to. */
static void choose_recipients(struct bounce_reader *r)
{
	int best = 0;
	for (size_t i = 0; i < r->recipient_count; i++)
		if (r->recipient[i].rank > best)
			best = r->recipient[i].rank;
	if (best <= RANK_MENTIONED) {
		const char *start, *end, *to = returned_field(r, "To");
		const char *address = to ? address_next(r->pool, to, &start, &end) : NULL;
		if (address && !is_other_party(r, address)) {
			r->recipient_count = 0;
			best = 0;
			(void)recipient_add(r, address);
		}
	}
	size_t kept = 0;
	for (size_t i = 0; i < r->recipient_count; i++)
		if (r->recipient[i].rank == best)
			r->recipient[kept++] = r->recipient[i];
	r->recipient_count = kept;
	/* Somebody who wrote to himself, or a program that names the recipient in X-Original-To. */
	if (!kept && r->other_party)
		(void)recipient_add(r, r->other_party);
}

/* A mail of an unknown sender in the very words of a mail system, with the mail that it returns: a gateway under its operator's name. Not one that
 * somebody hands on. */
static bool is_worded_as_report(const struct bounce_reader *r, const char *subject)
{
	static const char *const handed_on[] = {" re:", " fw:", " fwd:", " 転送:"};
	for (size_t i = 0; i < sizeof handed_on / sizeof *handed_on; i++)
		if (str_has_prefix(subject, handed_on[i]))
			return false;
	return (part_of_kind(r->message, PART_MESSAGE) || *r->returned) &&
	       words_find(&r->rules->subjects, subject) && words_find(&r->rules->phrases, r->own_folded);
}

/* By what a mail system is known as the sender; NULL. *weak: the null sender alone, which automatic replies use too. */
static const char *from_daemon(const struct bounce_reader *r, bool *weak)
{
	const struct message *m = r->message;
	const char *from = fold(r, pool_printf(r->pool, "%s <%s>", m->from.name, m->from.address));
	const char *word = words_find(&r->rules->senders, from);
	*weak = false;
	if (word)
		return word;
	if (message_header(m, "X-Failed-Recipients"))
		return "X-Failed-Recipients";
	bool nobody =
		str_has_prefix(m->from.address, "no-reply@") || str_has_prefix(m->from.address, "noreply@");
	if (nobody && words_find(&r->rules->subjects, fold(r, m->subject)))
		return "no-reply";
	*weak = m->return_path && !*m->return_path;
	if (!*weak && is_worded_as_report(r, fold(r, m->subject)))
		return "its words";
	return *weak ? "the null sender" : NULL;
}

/* The word or field by which a mail is an automatic reply; NULL. */
static const char *answers_by_itself(const struct bounce_reader *r, const char *subject, bool weak)
{
	static const char *const fields[] = {"X-Autoreply", "X-Autorespond", "X-Autoresponder",
		"X-Auto-Reply", "X-Mail-Autoreply", "X-Vacation"};
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		if (message_header(r->message, fields[i]))
			return fields[i];
	const char *word = words_find(&r->rules->auto_replies, subject);
	return word || !weak ? word : words_find(&r->rules->auto_replies, r->own_folded);
}

static void plain_settle(struct bounce_reader *r, const char *from)
{
	const char *said = reply_find(r->own);
	const char *diagnostic = said ? pool_strndup(r->pool, said, strnlen(said, 400)) : "";
	const char *status = status_find(r->pool, *diagnostic ? diagnostic : r->own);
	if (!*status)
		status = status_find(r->pool, r->own);
	const char *delayed = words_find(&r->rules->delays, r->own_folded);
	if (!r->recipient_count)
		(void)recipient_add(r, "");
	for (size_t i = 0; i < r->recipient_count; i++) {
		struct recipient *recipient = &r->recipient[i];
		recipient->diagnostic = diagnostic;
		recipient->status = status;
		recipient->action = delayed && *status != '5' ? "delayed" : "failed";
	}
	settle(r, from);
	read_message_id(r);
}

static void read_plain(struct bounce_reader *r, const char *daemon, bool weak)
{
	const char *subject = fold(r, r->message->subject);
	const char *by_subject = words_find(&r->rules->subjects, subject);
	const char *by_text = words_find(&r->rules->phrases, r->own_folded);
	const char *failed = message_header(r->message, "X-Failed-Recipients");
	const char *answer = by_subject ? NULL : answers_by_itself(r, subject, weak);
	if (answer) {
		r->out->why = pool_printf(r->pool, "an automatic reply, known by \"%s\"", answer);
		return;
	}
	if (!by_subject && !by_text && !failed) {
		r->out->why = "it says nothing of a mail that was not delivered";
		return;
	}
	if (carries_form(r, false)) {
		r->out->why = "a mail of a mail system's shape that carries a form is not trusted";
		return;
	}
	mention_all(r, failed, RANK_LABELLED);
	if (!r->recipient_count)
		mention_lines(r);
	choose_recipients(r);
	if (weak && !by_subject && !r->recipient_count) {
		r->out->why = "it names nobody to whom a mail was not delivered";
		return;
	}
	const char *by = by_subject ? by_subject : by_text ? by_text : "X-Failed-Recipients";
	plain_settle(
		r, pool_printf(r->pool, "plain text from a mail system (%s), known by \"%s\"", daemon, by));
}

static bool names_somebody(const struct bounce_reader *r)
{
	for (size_t i = 0; i < r->recipient_count; i++)
		if (*r->recipient[i].address)
			return true;
	return false;
}

/* The report of a bounce that a mail system passes on whole; NULL. */
static const struct message_part *report_within(const struct message *message)
{
	for (size_t i = 0; i < message->part_count; i++)
		if (message->part[i].kind == PART_DELIVERY_STATUS)
			return &message->part[i];
	return NULL;
}

void bounce_read(struct bounce *out, const struct message *message, struct pool *pool)
{
	*out = (struct bounce){
		.action = "", .status = "", .message_id = "", .class_ = BOUNCE_NONE, .why = ""};
	struct bounce_reader r = {.out = out, .message = message, .rules = bounce_rules(), .pool = pool};
	const char *type = message_header(message, "Content-Type");
	if (part_of_kind(message, PART_DISPOSITION_NOTIFICATION) ||
		(type && strcasestr(type, "disposition-notification"))) {
		out->why = "a read receipt is no bounce";
		return;
	}
	bool weak;
	const struct message_part *report = part_of_kind(message, PART_DELIVERY_STATUS);
	split_text(&r, message_body(message));
	const char *daemon = from_daemon(&r, &weak);
	if (!report && !daemon) {
		out->why = "no mail system sent it";
		return;
	}
	if (report)
		read_report(&r, report->text ? report->text : "");
	else if (strcasestr(r.own, "Final-Recipient:") && strcasestr(r.own, "Action:"))
		read_report(&r, r.own); /* its parts were flattened on the way */
	else if (daemon && strcasestr(r.returned, "\nFinal-Recipient:") &&
		 strcasestr(r.returned, "\nAction:"))
		read_report(&r, r.returned); /* a provider hands on the report of its own server as text */
	if (!names_somebody(&r) && daemon)
		r.recipient_count = 0;
	if (!report && daemon && !weak && !strchr(r.own, '@') && (report = report_within(message)))
		read_report(&r, report->text ? report->text : "");
	if (r.recipient_count == 0) {
		if (daemon)
			read_plain(&r, daemon, weak);
		else
			out->why = "a delivery report without a recipient, not from a mail system";
	} else if (carries_form(&r, report != NULL)) {
		out->why = "a delivery report that carries a form is not trusted";
	} else {
		fill_from_text(&r);
		settle(&r, "delivery report");
		read_message_id(&r);
	}
}
