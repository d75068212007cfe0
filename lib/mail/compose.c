#include "lib/mail/compose.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/civil.h"
#include "lib/base/crypt.h"
#include "lib/base/mailaddr.h"
#include "lib/base/text.h"
#include "lib/mail/iso2022jp.h"

#define HEADER_COLUMNS 78 /* RFC 5322 2.1.1 */
#define LINE_MAX_OCTETS 998
#define HEADER_ROOM 1500 /* what is usual; it may be longer */
#define ENCODED_WORD_MAX 75 /* RFC 2047 2 */
#define ENCODED_LINE_MAX 76
#define BASE64_LINE_BYTES 57 /* 76 characters */

static const char *const charset_names[] = {
	[CHARSET_UTF8] = "UTF-8",
	[CHARSET_ISO_2022_JP] = "ISO-2022-JP",
};

/* Fields that compose() writes itself or that belong to others: a template or value must not bring a second one. */
static const char *const own_fields[] = {"From", "Sender", "Reply-To", "To", "Cc", "Bcc", "Subject", "Date",
	"Message-ID", "In-Reply-To", "References", "Return-Path", "Received", "DKIM-Signature",
	"Auto-Submitted", "X-Auto-Response-Suppress", "X-Sengen-Notice", "MIME-Version"};

static bool is_ascii(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text >= 0x80)
			return false;
	return true;
}

static bool fits_iso_2022_jp(const char *text)
{
	struct str scratch = STR_INIT;
	size_t bad;
	bool fits = iso2022jp_from_utf8(&scratch, text, strlen(text), &bad);
	str_free(&scratch);
	return fits;
}

void compose_base64(struct str *out, const void *bytes, size_t len)
{
	const char *at = bytes;
	for (size_t done = 0; done < len; done += BASE64_LINE_BYTES) {
		if (done)
			str_addz(out, "\r\n");
		base64_add(out, at + done, len - done < BASE64_LINE_BYTES ? len - done : BASE64_LINE_BYTES);
	}
}

/* ---- header text ---- */

static size_t encoded_word_len(size_t payload, enum mail_charset charset)
{
	return strlen("=?") + strlen(charset_names[charset]) + strlen("?B?") + (payload + 2) / 3 * 4 +
	       strlen("?=");
}

static void encoded_word_add(struct str *out, const char *payload, size_t len, enum mail_charset charset)
{
	str_printf(out, "=?%s?B?", charset_names[charset]);
	base64_add(out, payload, len);
	str_addz(out, "?=");
}

/* How many bytes of text, in whole characters, are no more than `most`. */
static size_t whole_characters(const char *text, size_t most)
{
	size_t taken = 0, len = strlen(text);
	uint32_t c;
	for (size_t width; (width = utf8_next(text + taken, len - taken, &c)) > 0 && taken + width <= most;)
		taken += width;
	return taken;
}

/* How much of text, in whole characters, fits an encoded word of so many columns; its payload is put into `payload`. */
static size_t encoded_word_take(
	const char *text, enum mail_charset charset, size_t columns, struct str *payload)
{
	size_t taken = 0, len = strlen(text), around = encoded_word_len(0, charset);
	if (charset == CHARSET_UTF8) {
		taken = whole_characters(text, columns > around ? (columns - around) / 4 * 3 : 0);
		str_add(payload, text, taken);
		return taken;
	}
	while (taken < len) { /* escape sequences stand around each change of the set */
		uint32_t c;
		size_t bad, width = utf8_next(text + taken, len - taken, &c);
		if (width == 0)
			break;
		struct str next = STR_INIT;
		(void)iso2022jp_from_utf8(&next, text, taken + width, &bad);
		bool fits = encoded_word_len(next.len, charset) <= columns;
		if (fits) {
			str_clear(payload);
			str_add(payload, next.s, next.len);
			taken += width;
		}
		str_free(&next);
		if (!fits)
			break;
	}
	return taken;
}

static void encoded_words_add(struct str *out, const char *text, enum mail_charset charset, size_t used)
{
	struct str payload = STR_INIT;
	if (charset == CHARSET_ISO_2022_JP && !fits_iso_2022_jp(text))
		charset = CHARSET_UTF8;
	for (size_t column = used; *text;) {
		size_t room = column < ENCODED_LINE_MAX ? ENCODED_LINE_MAX - column : 0;
		str_clear(&payload);
		size_t taken = encoded_word_take(
			text, charset, room < ENCODED_WORD_MAX ? room : ENCODED_WORD_MAX, &payload);
		if (taken)
			encoded_word_add(out, payload.s, payload.len, charset);
		else if (column == 1)
			break; /* not UTF-8: refused before we come here */
		text += taken;
		if (*text)
			str_addz(out, "\r\n ");
		column = 1;
	}
	str_free(&payload);
}

/* Folds before blanks; a word is never cut. */
static void ascii_fold(struct str *out, const char *text, size_t used)
{
	bool line_has_word = used > 1;
	while (*text) {
		size_t blank = strspn(text, " \t");
		size_t word = strcspn(text + blank, " \t");
		if (line_has_word && blank && word && used + blank + word > HEADER_COLUMNS) {
			str_addz(out, "\r\n");
			used = 0;
		}
		str_add(out, text, blank + word);
		used += blank + word;
		line_has_word = true;
		text += blank + word;
	}
}

/* Whether text comes back unchanged when it is written as it is: no blanks that a reader folds away, no word that does not fit a
 * line, nothing that reads as an encoded word. */
static bool stands_plain(const char *text, size_t used)
{
	if (!is_ascii(text) || strstr(text, "=?") || strpbrk(text, "\t"))
		return false;
	size_t len = strlen(text);
	if (len == 0)
		return true;
	if (text[0] == ' ' || text[len - 1] == ' ' || strstr(text, "  "))
		return false;
	size_t room = HEADER_COLUMNS - (used < HEADER_COLUMNS ? used : HEADER_COLUMNS - 1);
	for (const char *word = text; *word; word += strspn(word, " ")) {
		size_t word_len = strcspn(word, " ");
		if (word_len > (word == text ? room : HEADER_COLUMNS - 1))
			return false;
		word += word_len;
	}
	return true;
}

void rfc2047_add(struct str *out, const char *text, enum mail_charset charset, size_t used)
{
	if (stands_plain(text, used))
		ascii_fold(out, text, used);
	else
		encoded_words_add(out, text, is_ascii(text) ? CHARSET_UTF8 : charset, used);
}

/* ---- what may stand in a mail ---- */

static bool is_noncharacter(uint32_t c)
{
	return c == 0xfffd || (c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffe) == 0xfffe;
}

static enum rc check_text(const char *what, const char *text, bool one_line, struct err *err)
{
	size_t len = strlen(text);
	for (size_t at = 0; at < len;) {
		uint32_t c = 0;
		at += utf8_usual(text + at, len - at, true);
		if (at == len)
			break;
		size_t width = utf8_next(text + at, len - at, &c);
		if (width == 0)
			return err_set(err, RC_REFUSED, "the %s of the mail is not valid UTF-8 (byte %zu)",
				what, at + 1);
		bool is_break = c == '\n' || c == '\t';
		bool is_control = c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029;
		if (is_control && (one_line || !is_break))
			return err_set(err, RC_REFUSED,
				"the %s of the mail has a line break or control character (U+%04X, byte %zu)",
				what, (unsigned)c, at + 1);
		if (is_noncharacter(c))
			return err_set(err, RC_REFUSED,
				"the %s of the mail has a character that stands for a lost one (U+%04X, byte "
				"%zu)",
				what, (unsigned)c, at + 1);
		at += width;
	}
	return RC_OK;
}

/* id-left "@" id-right (RFC 5322 3.6.4), as dot-atoms. */
static bool is_message_id(const char *id, size_t len)
{
	static const char atom[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~.";
	size_t ats = 0;
	for (size_t i = 0; i < len; i++) {
		if (id[i] == '@')
			ats++;
		else if (!strchr(atom, id[i]))
			return false;
	}
	return ats == 1 && len > 2 && len <= 250 && id[0] != '@' && id[len - 1] != '@';
}

static enum rc read_address(struct str *out, const char *what, const char *text, struct err *err)
{
	struct mailaddr address;
	enum mailaddr_fault fault = mailaddr_read(&address, text ? text : "");
	if (fault != MAILADDR_OK)
		return err_set(err, RC_REFUSED, "the %s of the mail is not one mail address (%s)", what,
			mailaddr_fault_name(fault));
	mailaddr_print(out, &address);
	return RC_OK;
}

/* ---- header fields ---- */

static enum rc add_mailbox(struct str *out, const char *field, const char *name, const char *address,
	enum mail_charset charset, struct err *err)
{
	struct str printed = STR_INIT;
	enum rc rc = read_address(&printed, field, address, err);
	if (rc == RC_OK && name && *name)
		rc = check_text(field, name, true, err);
	if (rc != RC_OK) {
		str_free(&printed);
		return rc;
	}
	size_t line = out->len;
	str_printf(out, "%s: ", field);
	if (!name || !*name) {
		str_addz(out, printed.s);
	} else {
		if (is_ascii(name) && !strstr(name, "=?") && strlen(name) <= 40) {
			str_addc(out, '"');
			for (const char *c = name; *c; c++) {
				if (*c == '"' || *c == '\\')
					str_addc(out, '\\');
				str_addc(out, *c);
			}
			str_addc(out, '"');
		} else {
			encoded_words_add(out, name, charset, out->len - line);
		}
		const char *last = memrchr(out->s + line, '\n', out->len - line);
		size_t column = last ? (size_t)(out->s + out->len - last - 1) : out->len - line;
		str_addz(out, column + printed.len + 3 > HEADER_COLUMNS ? "\r\n " : " ");
		str_printf(out, "<%s>", printed.s);
	}
	str_addz(out, "\r\n");
	str_free(&printed);
	return RC_OK;
}

/* ids: one or several message ids without angle brackets, separated by blanks. */
static enum rc add_message_ids(struct str *out, const char *field, const char *ids, struct err *err)
{
	str_printf(out, "%s:", field);
	size_t column = strlen(field) + 1;
	for (const char *id = ids + strspn(ids, " "); *id; id += strspn(id, " ")) {
		size_t len = strcspn(id, " ");
		if (!is_message_id(id, len))
			return err_set(err, RC_REFUSED, "the %s of the mail is not a message id", field);
		if (id != ids && column + len + 3 > HEADER_COLUMNS) {
			str_addz(out, "\r\n");
			column = 0;
		}
		str_printf(out, " <%.*s>", (int)len, id);
		column += len + 3;
		id += len;
	}
	str_addz(out, "\r\n");
	return RC_OK;
}

static bool is_own_field(const char *name, size_t len)
{
	if (len >= 8 && strncasecmp(name, "Content-", 8) == 0)
		return true;
	for (size_t i = 0; i < sizeof own_fields / sizeof own_fields[0]; i++)
		if (strlen(own_fields[i]) == len && strncasecmp(own_fields[i], name, len) == 0)
			return true;
	return false;
}

static enum rc add_further_field(
	struct str *out, const char *line, enum mail_charset charset, struct err *err)
{
	size_t name_len = strcspn(line, ":");
	for (size_t i = 0; i < name_len; i++)
		if (line[i] <= ' ' || line[i] > '~')
			name_len = 0;
	if (name_len == 0 || line[name_len] != ':' || name_len > 60)
		return err_set(err, RC_REFUSED,
			"a further header line of the mail is not of the form \"Name: value\"");
	if (is_own_field(line, name_len))
		return err_set(err, RC_REFUSED, "the header field %.*s can't be set by a template",
			(int)name_len, line);
	const char *value = line + name_len + 1;
	value += strspn(value, " ");
	enum rc rc = check_text("further header lines", value, true, err);
	if (rc != RC_OK)
		return rc;
	str_printf(out, "%.*s: ", (int)name_len, line);
	/* Structured fields (List-Unsubscribe: <…>) stay as they are written; only text that must is encoded. */
	if (is_ascii(value) && strlen(value) < LINE_MAX_OCTETS - 100)
		ascii_fold(out, value, name_len + 2);
	else
		rfc2047_add(out, value, charset, name_len + 2);
	str_addz(out, "\r\n");
	return RC_OK;
}

static enum rc add_further_fields(
	struct str *out, const char *headers, enum mail_charset charset, struct err *err)
{
	enum rc rc = RC_OK;
	while (rc == RC_OK && headers && *headers) {
		size_t len = strcspn(headers, "\n");
		char *line = xstrndup(headers, len);
		rc = add_further_field(out, line, charset, err);
		free(line);
		headers += len + (headers[len] == '\n');
	}
	return rc;
}

static enum rc add_token_field(struct str *out, const char *field, const char *value, struct err *err)
{
	for (const char *c = value; *c; c++)
		if (*c < ' ' || *c > '~')
			return err_set(err, RC_REFUSED, "the %s of the mail is not plain ASCII", field);
	str_printf(out, "%s: ", field);
	ascii_fold(out, value, strlen(field) + 2);
	str_addz(out, "\r\n");
	return RC_OK;
}

static enum rc add_text_field(
	struct str *out, const char *field, const char *value, enum mail_charset charset, struct err *err)
{
	enum rc rc = check_text(field, value, true, err);
	if (rc != RC_OK)
		return rc;
	str_printf(out, "%s: ", field);
	rfc2047_add(out, value, charset, strlen(field) + 2);
	str_addz(out, "\r\n");
	return RC_OK;
}

static enum rc add_header(
	struct str *out, const struct compose *mail, enum mail_charset charset, struct err *err)
{
	enum rc rc = add_mailbox(out, "From", mail->from_name, mail->from, charset, err);
	if (rc == RC_OK && mail->reply_to && *mail->reply_to)
		rc = add_mailbox(out, "Reply-To", NULL, mail->reply_to, charset, err);
	if (rc == RC_OK)
		rc = add_mailbox(out, "To", NULL, mail->to, charset, err);
	if (rc == RC_OK)
		rc = add_text_field(out, "Subject", mail->subject, charset, err);
	if (rc != RC_OK)
		return rc;
	str_addz(out, "Date: ");
	civil_rfc5322_print(out, mail->date);
	str_addz(out, "\r\n");
	rc = add_message_ids(out, "Message-ID", mail->message_id, err);
	if (rc == RC_OK && mail->in_reply_to && *mail->in_reply_to)
		rc = add_message_ids(out, "In-Reply-To", mail->in_reply_to, err);
	if (rc == RC_OK && mail->references && *mail->references)
		rc = add_message_ids(out, "References", mail->references, err);
	if (rc == RC_OK)
		rc = add_token_field(out, "Auto-Submitted", mail->auto_submitted, err);
	if (rc == RC_OK)
		rc = add_token_field(out, "X-Auto-Response-Suppress", "All", err);
	if (rc == RC_OK && mail->loop_mark && *mail->loop_mark)
		rc = add_token_field(out, "X-Sengen-Notice", mail->loop_mark, err);
	if (rc == RC_OK)
		rc = add_further_fields(out, mail->headers, charset, err);
	str_addz(out, "MIME-Version: 1.0\r\n");
	return rc;
}

/* ---- body ---- */

static bool lines_fit(const struct str *text)
{
	for (const char *at = text->s, *end = text->s + text->len; at < end;) {
		const char *line_end = memchr(at, '\n', (size_t)(end - at));
		if ((size_t)((line_end ? line_end : end) - at) > LINE_MAX_OCTETS)
			return false;
		at = line_end ? line_end + 1 : end;
	}
	return true;
}

/* Servers on the way take blanks off the ends of lines, and write ">From": that would break a signature (RFC 8551 3.1.1, RFC 4155). */
static bool lines_last(const struct str *text)
{
	for (const char *at = text->s, *end = text->s + text->len; at < end;) {
		const char *line_end = memchr(at, '\r', (size_t)(end - at));
		line_end = line_end ? line_end : end;
		bool blank_at_end = line_end > at && (line_end[-1] == ' ' || line_end[-1] == '\t');
		if (blank_at_end || str_has_prefix(at, "From "))
			return false;
		at = line_end + strspn(line_end, "\r\n");
	}
	return true;
}

/* Header fields and content of a text part. */
static void add_text_part(struct str *out, const char *subtype, const char *body, enum mail_charset charset)
{
	struct str lines = STR_INIT, encoded = STR_INIT;
	size_t bad, len = strlen(body);
	str_grow(&lines, len + len / 16 + 64);
	for (const char *at = body, *end = body + len; at < end;) {
		const char *line_end = memchr(at, '\n', (size_t)(end - at));
		str_add(&lines, at, (size_t)((line_end ? line_end : end) - at));
		str_add(&lines, "\r\n", 2);
		at = line_end ? line_end + 1 : end;
	}
	if (len == 0)
		str_addz(&lines, "\r\n");
	if (charset == CHARSET_ISO_2022_JP) {
		(void)iso2022jp_from_utf8(&encoded, lines.s, lines.len, &bad);
		str_free(&lines);
		lines = encoded;
	}
	bool as_it_is = charset == CHARSET_ISO_2022_JP && lines_fit(&lines) && lines_last(&lines);
	str_printf(out, "Content-Type: text/%s; charset=%s\r\nContent-Transfer-Encoding: %s\r\n\r\n", subtype,
		charset_names[charset], as_it_is ? "7bit" : "base64");
	if (as_it_is) {
		str_add(out, lines.s, lines.len);
	} else {
		compose_base64(out, lines.s, lines.len);
		str_addz(out, "\r\n");
	}
	str_free(&lines);
}

/* A mail can be attached as it is when it is 7-bit, has CRLF line ends only and no long lines (RFC 2046 5.2.1). */
static bool is_7bit_mail(const char *wire, size_t len)
{
	size_t column = 0;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)wire[i];
		bool pair = c == '\r' && i + 1 < len && wire[i + 1] == '\n';
		if (c == 0 || c >= 0x80 || (c == '\r' && !pair) ||
			(c == '\n' && (i == 0 || wire[i - 1] != '\r')))
			return false;
		column = c == '\n' ? 0 : column + (c != '\r');
		if (column > LINE_MAX_OCTETS)
			return false;
	}
	return len >= 2 && wire[len - 1] == '\n';
}

/* From the content, so that the same mail has the same boundary; no part may contain it. */
static void boundary_make(struct str *out, const struct compose *mail)
{
	const char *part = mail->attached ? mail->attached : mail->html;
	size_t len = mail->attached ? mail->attached_len : strlen(part);
	for (int attempt = 0; out->len == 0; attempt++) {
		uint8_t digest[SHA256_LEN];
		struct sha256_stream *stream = sha256_begin();
		sha256_add(stream, &attempt, sizeof attempt);
		sha256_add(stream, mail->message_id, strlen(mail->message_id));
		sha256_add(stream, part, len);
		sha256_end(&stream, digest);
		str_addz(out, "=_");
		hex_add(out, digest, 16);
		if (memmem(part, len, out->s, out->len) || strstr(mail->body, out->s))
			str_clear(out);
	}
}

/* filename by RFC 2231, in pieces that fit a line. */
static void add_file_name(struct str *out, const char *name)
{
	if (is_ascii(name) && !strpbrk(name, "\"\\") && !strstr(name, "=?") && strlen(name) < 60) {
		str_printf(out, ";\r\n filename=\"%s\"", name);
		return;
	}
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
	size_t column = HEADER_COLUMNS;
	int piece = 0;
	for (const char *c = name; *c; c++) {
		if (column + 4 > HEADER_COLUMNS) {
			size_t line = out->len + 3;
			str_printf(out, ";\r\n filename*%d*=%s", piece, piece == 0 ? "UTF-8''" : "");
			column = out->len - line + 1;
			piece++;
		}
		if (strchr(safe, *c))
			str_addc(out, *c);
		else
			str_printf(out, "%%%02X", (unsigned char)*c);
		column += strchr(safe, *c) ? 1 : 3;
	}
}

static enum rc add_parts(
	struct str *out, const struct compose *mail, enum mail_charset charset, struct err *err)
{
	if (!is_7bit_mail(mail->attached, mail->attached_len))
		return err_set(err, RC_REFUSED,
			"the mail to attach is not 7-bit with CRLF line ends; only mails this program "
			"composed can be attached");
	const char *name = mail->attached_name ? mail->attached_name : "notice.eml";
	enum rc rc = check_text("name of the attachment", name, true, err);
	if (rc != RC_OK)
		return rc;
	struct str boundary = STR_INIT;
	boundary_make(&boundary, mail);
	str_printf(out,
		"Content-Type: multipart/mixed; boundary=\"%s\"\r\nContent-Transfer-Encoding: 7bit\r\n\r\n",
		boundary.s);
	str_printf(out, "--%s\r\n", boundary.s);
	add_text_part(out, "plain", mail->body, charset);
	/* The CRLF before a delimiter belongs to it: the attached bytes end with their own. */
	str_printf(out,
		"\r\n--%s\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: "
		"7bit\r\nContent-Disposition: "
		"attachment",
		boundary.s);
	add_file_name(out, name);
	str_addz(out, "\r\n\r\n");
	str_add(out, mail->attached, mail->attached_len);
	str_printf(out, "\r\n--%s--\r\n", boundary.s);
	str_free(&boundary);
	return RC_OK;
}

/* The plainest first: a reader shows the last one it can. */
static void add_alternative(struct str *out, const struct compose *mail, enum mail_charset charset)
{
	struct str boundary = STR_INIT;
	boundary_make(&boundary, mail);
	str_printf(out,
		"Content-Type: multipart/alternative;\r\n boundary=\"%s\"\r\nContent-Transfer-Encoding: "
		"7bit\r\n\r\n--%s\r\n",
		boundary.s, boundary.s);
	add_text_part(out, "plain", mail->body, charset);
	str_printf(out, "\r\n--%s\r\n", boundary.s);
	add_text_part(out, "html", mail->html, CHARSET_UTF8);
	str_printf(out, "\r\n--%s--\r\n", boundary.s);
	str_free(&boundary);
}

enum rc compose(struct str *out, const struct compose *mail, struct err *err)
{
	enum rc rc = check_text("body", mail->body, false, err);
	if (rc == RC_OK && mail->html)
		rc = check_text("HTML body", mail->html, false, err);
	if (rc == RC_OK && mail->html && mail->attached)
		rc = err_set(err, RC_REFUSED, "a mail with an HTML body can't carry another mail");
	if (rc != RC_OK)
		return rc;
	enum mail_charset charset = mail->charset;
	if (charset == CHARSET_ISO_2022_JP &&
		!(fits_iso_2022_jp(mail->body) && fits_iso_2022_jp(mail->subject) &&
			(!mail->from_name || fits_iso_2022_jp(mail->from_name))))
		charset = CHARSET_UTF8;
	size_t start = out->len;
	str_grow(out, strlen(mail->body) / 2 * 3 + mail->attached_len + HEADER_ROOM);
	rc = add_header(out, mail, charset, err);
	if (rc == RC_OK && mail->attached)
		rc = add_parts(out, mail, charset, err);
	else if (rc == RC_OK && mail->html)
		add_alternative(out, mail, charset);
	else if (rc == RC_OK)
		add_text_part(out, "plain", mail->body, charset);
	if (rc != RC_OK)
		str_cut(out, start);
	return rc;
}

void message_id_make(struct str *out, int64_t application_id, const char *template_name, int64_t resend_no,
	const char *domain)
{
	str_printf(out, "%s.%lld.%lld@%s", template_name, (long long)application_id, (long long)resend_no,
		domain);
}
