#include "lib/mail/authres.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "lib/base/mailaddr.h"
#include "lib/base/text.h"

/* ---- words of a structured field (RFC 5322 3.2) ---- */

struct field {
	const char *at;
	bool bad; /* not to be read with certainty: nothing in it counts */
	struct str comment; /* the last one, without its brackets */
};

static void skip_comment(struct field *field)
{
	int depth = 0;
	str_clear(&field->comment);
	do {
		if (*field->at == '\0') {
			field->bad = true;
			return;
		}
		/* A server that prints a sender's quoted local part into a comment may let it close the comment. */
		if (*field->at == '"')
			field->bad = true;
		if (*field->at == '\\' && field->at[1])
			field->at++;
		else
			depth += *field->at == '(' ? 1 : *field->at == ')' ? -1 : 0;
		str_addc(&field->comment, *field->at++);
	} while (depth > 0);
	str_cut(&field->comment, field->comment.len - 1); /* the closing bracket, then the opening one */
	memmove(field->comment.s, field->comment.s + 1, field->comment.len);
	str_cut(&field->comment, field->comment.len - 1);
}

static void skip_blanks(struct field *field)
{
	while (isspace((unsigned char)*field->at) || *field->at == '(')
		if (*field->at == '(')
			skip_comment(field);
		else
			field->at++;
}

static void add_quoted(struct field *field, struct str *word)
{
	for (field->at++; *field->at && *field->at != '"'; field->at++) {
		if (*field->at == '\\' && field->at[1])
			field->at++;
		str_addc(word, *field->at);
	}
	if (*field->at == '"')
		field->at++;
	else
		field->bad = true;
}

/* The next word, up to white space, a comment or one of the signs in `ends`; quoted pieces are part of it. False: there is none. */
static bool take_word(struct field *field, struct str *word, const char *ends)
{
	str_clear(word);
	skip_blanks(field);
	const char *start = field->at;
	while (*field->at && !isspace((unsigned char)*field->at) && *field->at != '(' &&
		!strchr(ends, *field->at))
		if (*field->at == '"')
			add_quoted(field, word);
		else
			str_addc(word, *field->at++);
	return field->at > start;
}

static bool take_sign(struct field *field, char sign)
{
	skip_blanks(field);
	if (*field->at != sign)
		return false;
	field->at++;
	return true;
}

/* ---- domains ---- */

/* "a@x" and "@x" are x; A-labels, lower case. False: no domain. */
static bool domain_of(struct mailaddr *out, const char *text)
{
	const char *sign = strrchr(text, '@');
	struct str address = STR_INIT;
	str_printf(&address, "x@%s", sign ? sign + 1 : text);
	bool good = mailaddr_read(out, address.s) == MAILADDR_OK;
	str_free(&address);
	return good;
}

static bool same_domain(const char *a, const char *b)
{
	struct mailaddr x, y;
	return domain_of(&x, a) && domain_of(&y, b) && strcmp(x.domain, y.domain) == 0;
}

static bool same_host(const char *a, const char *b)
{
	return strcasecmp(a, b) == 0 || same_domain(a, b);
}

/* ---- hops ---- */

struct office_hosts {
	const char *authserv_id;
	const struct strlist *own_hops;
};

static bool is_own(const struct office_hosts *hosts, const char *name)
{
	bool own = same_host(name, hosts->authserv_id);
	for (size_t i = 0; hosts->own_hops && i < hosts->own_hops->count && !own; i++)
		own = same_host(name, hosts->own_hops->item[i]);
	return own;
}

/* What a Received field says of the host that brought the mail. */
struct hop {
	struct str said; /* behind `from`: only what the client says of itself */
	struct str found; /* the comment behind it: "name [address]", what our server found out */
	bool by_own, local; /* taken by one of our servers; handed on by LMTP, which no stranger speaks */
};

/* The comment must be of that very form: others hold what the client said ("HELO x", "helo=x"), or doubt the name ("may be forged"). */
static bool is_proven_own(const struct office_hosts *hosts, const struct hop *hop)
{
	if (!hop->found.len)
		return hop->local && is_own(hosts, hop->said.s);
	size_t len = strcspn(hop->found.s, " \t[");
	const char *address = hop->found.s + len;
	struct str name = STR_INIT;
	str_add(&name, hop->found.s, len);
	bool own = is_own(hosts, name.s);
	bool machine = !len || own || strcasecmp(name.s, "localhost") == 0 ||
		       strcasecmp(name.s, "localhost.localdomain") == 0;
	str_free(&name);
	if (len && *address != ' ')
		return false;
	address += strspn(address, " \t");
	/* Behind the address is nothing: a name that our server printed may look like one. */
	const char *end = strchr(address, ']');
	if (!end || end[1])
		return false;
	bool loopback = str_has_prefix(address, "[127.") || str_has_prefix(address, "[::1]") ||
			str_has_prefix(address, "[IPv6:::1]");
	return *address == '[' && ((loopback && machine) || (own && is_own(hosts, hop->said.s)));
}

static void hop_read(struct hop *hop, const struct office_hosts *hosts, const char *received)
{
	struct field field = {.at = received, .comment = STR_INIT};
	struct str word = STR_INIT;
	bool by = false;
	while (take_word(&field, &word, ";")) {
		if (strcasecmp(word.s, "from") == 0 && !hop->said.len && take_word(&field, &hop->said, ";")) {
			while (isspace((unsigned char)*field.at))
				field.at++;
			if (*field.at ==
				'(') { /* only the first: others name certificates, logins, what the client likes */
				skip_comment(&field);
				str_add(&hop->found, field.comment.s, field.comment.len);
			}
		} else if (strcasecmp(word.s, "by") == 0 && !by) {
			by = true;
			hop->by_own = take_word(&field, &word, ";") && is_own(hosts, word.s);
		} else if (strcasecmp(word.s, "with") == 0 && take_word(&field, &word, ";")) {
			hop->local = hop->local || strncasecmp(word.s, "LMTP", 4) == 0;
		}
	}
	str_free(&word);
	str_free(&field.comment);
}

/* A Received field by which one of our servers passed the mail on to another: the mail was ours already. */
static bool is_inner_hop(const struct office_hosts *hosts, const char *received)
{
	struct hop hop = {.said = STR_INIT, .found = STR_INIT};
	hop_read(&hop, hosts, received);
	bool inner = hop.by_own && (!hop.said.len || is_proven_own(hosts, &hop));
	str_free(&hop.said);
	str_free(&hop.found);
	return inner;
}

/* ---- results ---- */

struct finding { /* one method of a field */
	struct str method, result, dkim_domain, dkim_identity, mail_from, header_from;
};

static void finding_clear(struct finding *finding)
{
	struct str *const texts[] = {&finding->method, &finding->result, &finding->dkim_domain,
		&finding->dkim_identity, &finding->mail_from, &finding->header_from};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		str_clear(texts[i]);
}

static void finding_free(struct finding *finding)
{
	struct str *const texts[] = {&finding->method, &finding->result, &finding->dkim_domain,
		&finding->dkim_identity, &finding->mail_from, &finding->header_from};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		str_free(texts[i]);
}

/* A property that stands twice with two values says nothing. */
static void keep_property(
	struct field *field, struct finding *finding, const char *name, const struct str *value)
{
	struct str *to = strcasecmp(name, "header.d") == 0        ? &finding->dkim_domain
			 : strcasecmp(name, "header.i") == 0      ? &finding->dkim_identity
			 : strcasecmp(name, "smtp.mailfrom") == 0 ? &finding->mail_from
			 : strcasecmp(name, "header.from") == 0   ? &finding->header_from
								  : NULL;
	if (!to)
		return;
	if (to->len && strcmp(to->s, value->s) != 0)
		field->bad = true;
	str_clear(to);
	str_add(to, value->s, value->len);
}

/* method[/version] = result *(name = value), up to the semicolon or the end (RFC 8601 2.2). */
static bool take_finding(struct field *field, struct finding *finding)
{
	struct str name = STR_INIT, value = STR_INIT;
	finding_clear(finding);
	bool first = true;
	while (!field->bad && take_word(field, &name, "=;/")) {
		bool current = true;
		if (first && take_sign(field, '/'))
			current = take_word(field, &value, "=;") && strcmp(value.s, "1") == 0;
		if (!take_sign(field, '=')) { /* "none", or what is none of it */
			field->bad = field->bad || !first || strcasecmp(name.s, "none") != 0;
			break;
		}
		if (!take_word(field, &value, ";"))
			field->bad = true;
		if (first && current) {
			str_add(&finding->method, name.s, name.len);
			str_add(&finding->result, value.s, value.len);
		} else if (!first) {
			keep_property(field, finding, name.s, &value);
		}
		first = false;
	}
	skip_blanks(field);
	str_free(&name);
	str_free(&value);
	return !field->bad && !first;
}

static void finding_weigh(struct authres *out, const struct finding *finding, const char *from)
{
	bool spf = strcasecmp(finding->method.s, "spf") == 0 && same_domain(finding->mail_from.s, from);
	bool dmarc = strcasecmp(finding->method.s, "dmarc") == 0 && same_domain(finding->header_from.s, from);
	out->disowned = out->disowned || ((spf || dmarc) && strcasecmp(finding->result.s, "fail") == 0);
	if (strcasecmp(finding->result.s, "pass") != 0)
		return;
	const char *signer = finding->dkim_domain.len ? finding->dkim_domain.s : finding->dkim_identity.s;
	if (strcasecmp(finding->method.s, "dkim") == 0 && same_domain(signer, from))
		out->dkim_aligned = true;
	out->spf_aligned = out->spf_aligned || spf;
}

/* All of a field or nothing: one that is malformed anywhere may have been made so by what a sender put into it. */
static void field_read(struct authres *out, const char *raw, const char *authserv_id, const char *from)
{
	struct field field = {.at = raw, .comment = STR_INIT};
	struct finding finding = {STR_INIT, STR_INIT, STR_INIT, STR_INIT, STR_INIT, STR_INIT};
	struct str word = STR_INIT;
	struct authres found = {.seen = true};
	bool ours = take_word(&field, &word, ";=") && same_host(word.s, authserv_id);
	if (ours && take_word(&field, &word, ";"))
		ours = strcmp(word.s, "1") == 0; /* the version of the format */
	skip_blanks(&field);
	while (ours && !field.bad && take_sign(&field, ';'))
		if (take_finding(&field, &finding))
			finding_weigh(&found, &finding, from);
	if (ours && !field.bad && *field.at == '\0') {
		out->seen = true;
		out->dkim_aligned = out->dkim_aligned || found.dkim_aligned;
		out->spf_aligned = out->spf_aligned || found.spf_aligned;
		out->disowned = out->disowned || found.disowned;
	}
	finding_free(&finding);
	str_free(&word);
	str_free(&field.comment);
}

void authres_read(struct authres *out, const struct message *message, const char *authserv_id,
	const struct strlist *own_hops)
{
	*out = (struct authres){0};
	if (!authserv_id || !*authserv_id)
		return;
	const struct office_hosts hosts = {authserv_id, own_hops};
	const char *from = message->from_count == 1 ? message->from.address : "";
	for (size_t i = 0; i < message->header_count; i++) {
		const struct message_header *header = &message->header[i];
		if (strcasecmp(header->name, "Received") == 0 && !is_inner_hop(&hosts, header->raw))
			return;
		if (strcasecmp(header->name, "Authentication-Results") == 0)
			field_read(out, header->raw, authserv_id, from);
	}
	out->disowned = out->disowned && !out->dkim_aligned && !out->spf_aligned;
}

/* ---- from the bytes, by whoever can't believe a reader ---- */

#define FIELDS_MAX 500

/* The next field of a header: its name, and its value with its folding. The place behind it; NULL: there is none, or what stands there is no field. */
static const char *take_field(struct message_header *out, const char *at, const char *end, struct pool *pool)
{
	const char *line = at, *colon = memchr(at, ':', (size_t)(end - at));
	do {
		const char *next = memchr(line, '\n', (size_t)(end - line));
		line = next ? next + 1 : end;
	} while (line < end && (*line == ' ' || *line == '\t'));
	if (!colon || colon >= line)
		return NULL;
	size_t len = (size_t)(colon - at);
	while (len > 0 && (at[len - 1] == ' ' || at[len - 1] == '\t'))
		len--;
	out->name = pool_strndup(pool, at, len);
	out->raw = out->value = pool_strndup(pool, colon + 1, (size_t)(line - colon - 1));
	return line;
}

static const char *header_end(const char *bytes, size_t len)
{
	const char *lf = memmem(bytes, len, "\n\n", 2), *crlf = memmem(bytes, len, "\n\r\n", 3);
	const char *end = !lf || (crlf && crlf < lf) ? crlf : lf;
	return end ? end + 1 : bytes + len;
}

/* One plain address, with a name before it or without; "" for whatever could be read in more than one way. */
static const char *plain_address(const char *value, struct pool *pool)
{
	char *text = text_trim(pool_strdup(pool, value)), *open = strchr(text, '<');
	size_t len = strlen(text);
	const char *sign = strchr(text, '@');
	if (!sign || strchr(sign + 1, '@') || (open && (text[len - 1] != '>' || sign < open)))
		return "";
	if (open) {
		text[len - 1] = '\0';
		text = open + 1;
	}
	for (const char *c = text; *c; c++)
		if (*c <= ' ' || *c >= 0x7F || strchr("()<>\",:;\\[]=", *c))
			return "";
	return text;
}

void authres_reread(struct authres *out, const char **from, const char *bytes, size_t len,
	const char *authserv_id, const struct strlist *own_hops, struct pool *pool)
{
	struct message message = {.from = {.name = "", .address = ""}};
	const char *at = bytes, *end = header_end(bytes, len);
	*out = (struct authres){0};
	*from = "";
	if ((size_t)(end - bytes) > message_limits_default.header_bytes ||
		memchr(bytes, '\0', (size_t)(end - bytes)))
		return;
	message.header = pool_alloc(pool, FIELDS_MAX * sizeof *message.header);
	while (at && at < end && message.header_count < FIELDS_MAX) {
		struct message_header *header = &message.header[message.header_count];
		at = take_field(header, at, end, pool);
		message.header_count += at != NULL;
		if (at && strcasecmp(header->name, "From") == 0 && message.from_count++ == 0)
			message.from.address = plain_address(header->raw, pool);
	}
	if (!at || at < end || message.from_count != 1 || !*message.from.address)
		return;
	*from = message.from.address;
	authres_read(out, &message, authserv_id, own_hops);
}
