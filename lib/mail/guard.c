#include "lib/mail/guard.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unictype.h>

#include "lib/base/conf.h"
#include "lib/base/embed.h"
#include "lib/base/mailaddr.h"
#include "lib/base/text.h"

/* ---- wording.conf ---- */

static const struct conf_key wording_keys[] = {
	{.name = "forbidden",
		.type = CONF_LIST,
		.offset = offsetof(struct wording, forbidden),
		.fallback = "",
		.help = "POSIX extended regular expressions that no sentence of a template may match"},
	{.name = "required",
		.type = CONF_LIST,
		.offset = offsetof(struct wording, required),
		.fallback = "",
		.help = "texts or {{placeholders}} that every notice must contain"},
	{.name = "links",
		.type = CONF_LIST,
		.offset = offsetof(struct wording, links),
		.fallback = "",
		.help = "host names that a link in a template may point to"},
	{.name = NULL},
};

static enum rc pattern_compile(regex_t *compiled, const char *pattern, const char *where, struct err *err)
{
	int fault = regcomp(compiled, pattern, REG_EXTENDED | REG_NOSUB);
	if (fault == 0)
		return RC_OK;
	char why[128];
	(void)regerror(fault, compiled, why, sizeof why);
	return err_set(
		err, RC_CONFIG, "%s: the regular expression \"%s\" can't be used: %s.", where, pattern, why);
}

enum rc wording_load(struct wording *wording, const char *path, struct err *err)
{
	*wording = (struct wording){0};
	enum rc rc = path ? conf_read(path, wording_keys, wording, err)
			  : conf_read_text(embedded_wording, "wording.conf", wording_keys, wording, err);
	for (size_t i = 0; rc == RC_OK && i < wording->forbidden.count; i++) {
		regex_t compiled;
		rc = pattern_compile(
			&compiled, wording->forbidden.item[i], path ? path : "wording.conf", err);
		if (rc == RC_OK)
			regfree(&compiled);
	}
	if (rc != RC_OK)
		wording_free(wording);
	return rc;
}

void wording_free(struct wording *wording)
{
	strlist_free(&wording->forbidden);
	strlist_free(&wording->required);
	strlist_free(&wording->links);
}

/* ---- the template's own text ---- */

/* Folded, without blanks; '\n' only where a sentence ends. Each sentence knows the lines its bytes come from. */
struct own_text {
	struct str flat;
	struct line_at {
		size_t at;
		int line;
	} * lines;
	size_t line_count;
};

/* An empty line ends every sentence, and so does the next heading or item of a list. */
static bool begins_anew(const char *folded)
{
	static const char *const marks[] = {"・", "※", "【", "■", "□", "●", "○", "◆", "◇", "<", "「"};
	if (!*folded || (*folded >= '0' && *folded <= '9'))
		return true;
	for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
		if (str_has_prefix(folded, marks[i]))
			return true;
	return false;
}

static void flatten_line(struct own_text *own, const char *line, size_t len)
{
	char *copy = xstrndup(line, len);
	struct str folded = STR_INIT;
	text_fold(&folded, copy);
	free(copy);
	if (begins_anew(folded.s))
		str_addc(&own->flat, '\n');
	for (size_t i = 0; i < folded.len;) {
		if (folded.s[i] == ' ') {
			i++;
		} else if (str_has_prefix(folded.s + i, "。")) {
			str_addc(&own->flat, '\n');
			i += strlen("。");
		} else {
			str_addc(&own->flat, folded.s[i++]);
		}
	}
	str_free(&folded);
}

static void own_text_make(struct own_text *own, const char *text)
{
	*own = (struct own_text){.flat = STR_INIT};
	int number = 1;
	for (const char *line = text; line; number++) {
		const char *end = strchr(line, '\n');
		own->lines = xrealloc(own->lines, (own->line_count + 1) * sizeof *own->lines);
		own->lines[own->line_count++] = (struct line_at){own->flat.len, number};
		flatten_line(own, line, end ? (size_t)(end - line) : strlen(line));
		line = end ? end + 1 : NULL;
	}
}

static void own_text_free(struct own_text *own)
{
	str_free(&own->flat);
	free(own->lines);
}

static int line_of(const struct own_text *own, size_t at)
{
	int line = 1;
	for (size_t i = 0; i < own->line_count && own->lines[i].at <= at; i++)
		line = own->lines[i].line;
	return line;
}

/* The first sentence that matches is cut out into `sentence`; its line, 0 when there is none. */
static int find_forbidden(const struct own_text *own, const regex_t *pattern, struct str *sentence)
{
	for (size_t at = 0; at < own->flat.len;) {
		size_t len = strcspn(own->flat.s + at, "\n");
		str_clear(sentence);
		str_add(sentence, own->flat.s + at, len);
		if (len > 0 && regexec(pattern, sentence->s, 0, NULL, 0) == 0)
			return line_of(own, at);
		at += len + 1;
	}
	return 0;
}

/* tpl_name NULL: free text. */
static enum rc check_forbidden(
	const struct own_text *own, const char *tpl_name, const struct wording *wording, struct err *err)
{
	struct str sentence = STR_INIT;
	enum rc rc = RC_OK;
	for (size_t i = 0; i < wording->forbidden.count && rc == RC_OK; i++) {
		regex_t compiled;
		const char *pattern = wording->forbidden.item[i];
		rc = pattern_compile(&compiled, pattern, "wording.conf", err);
		if (rc != RC_OK)
			break;
		int line = find_forbidden(own, &compiled, &sentence);
		if (line && tpl_name)
			rc = err_set(err, RC_CONFIG,
				"%s:%d: the sentence \"%s\" has forbidden wording (%s); say 宣言しました, or "
				"mark the list "
				"of improper examples with {{#improper}}.",
				tpl_name, line, sentence.s, pattern);
		else if (line)
			rc = err_set(err, RC_REFUSED,
				"The text that goes into the letter has forbidden wording (%s); say "
				"宣言しました.",
				pattern);
		regfree(&compiled);
	}
	str_free(&sentence);
	return rc;
}

struct placeholder_search {
	const char *name;
	size_t len;
	bool found;
};

static void placeholder_seen(void *ctx, const char *name, int line, const char *label)
{
	(void)line;
	(void)label;
	struct placeholder_search *search = ctx;
	if (strlen(name) == search->len && strncmp(name, search->name, search->len) == 0)
		search->found = true;
}

static enum rc check_required(const struct template *tpl, const struct own_text *own, const char *name,
	const char *required, struct err *err)
{
	bool found;
	if (str_has_prefix(required, "{{") && str_has_suffix(required, "}}") && strlen(required) > 4) {
		struct placeholder_search search = {required + 2, strlen(required) - 4, false};
		template_each_placeholder(tpl, placeholder_seen, &search);
		found = search.found;
	} else {
		struct own_text wanted = {.flat = STR_INIT};
		flatten_line(&wanted, required, strlen(required));
		found = strstr(own->flat.s, wanted.flat.s + strspn(wanted.flat.s, "\n")) != NULL;
		own_text_free(&wanted);
	}
	return found ? RC_OK
		     : err_set(err, RC_CONFIG, "%s: every notice must contain %s; add it to the signature.",
			       name, required);
}

/* ---- links ---- */

static bool host_allowed(const char *host, size_t len, const struct strlist *allowed)
{
	for (size_t i = 0; i < allowed->count; i++) {
		const char *item = allowed->item[i];
		size_t item_len = strlen(item);
		if (item_len == len && strncasecmp(item, host, len) == 0)
			return true;
		if (str_has_prefix(item, "*.") && len > item_len - 1 &&
			strncasecmp(item + 1, host + len - (item_len - 1), item_len - 1) == 0)
			return true;
	}
	return false;
}

/* Where a link begins: after "://", or at "www." that is no part of a longer word. NULL: no more. */
static const char *link_host(const char *text, const char *from)
{
	for (const char *at = from; *at; at++) {
		if (str_has_prefix(at, "://"))
			return at + 3;
		bool inside_word = at > text && strchr("./@-_", at[-1]);
		inside_word =
			inside_word || (at > text && ((at[-1] | 0x20) >= 'a' && (at[-1] | 0x20) <= 'z'));
		if (!inside_word && strncasecmp(at, "www.", 4) == 0)
			return at;
	}
	return NULL;
}

/* Everything up to the path belongs to the host here, so that user@host and host:port are refused. Japanese text behind an address does
 * not: 「https://…」をご覧ください. */
static size_t host_length(const char *host)
{
	size_t len = strcspn(host, "/?#\\ \t\r\n\"'<>()[]");
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)host[i] >= 0x80)
			return i;
	return len;
}

/* tpl_name NULL: free text. */
static enum rc check_links(
	const char *own, const char *tpl_name, const struct strlist *allowed, struct err *err)
{
	struct str text = STR_INIT;
	text_nfkc(&text, own);
	enum rc rc = RC_OK;
	const char *host = text.s;
	while (rc == RC_OK && (host = link_host(text.s, host)) != NULL) {
		size_t len = host_length(host);
		int shown = (int)(len < 80 ? len : 80);
		if (!host_allowed(host, len, allowed)) {
			int line = 1;
			for (const char *at = text.s; at < host; at++)
				line += *at == '\n';
			/* Without the link where it came from a form: this goes to the log. */
			rc = tpl_name
				     ? err_set(err, RC_CONFIG,
					       "%s:%d: a link points to \"%.*s\", which is not in the list "
					       "of "
					       "allowed hosts (links in wording.conf).",
					       tpl_name, line, shown, host)
				     : err_set(err, RC_REFUSED,
					       "The text that goes into the letter has a link to a host that "
					       "is not in the list of allowed hosts (links in "
					       "wording.conf).");
		}
		host += len ? len : 1;
	}
	str_free(&text);
	return rc;
}

/* ---- labels ---- */

struct label_check {
	const char *template_name;
	enum rc rc;
	struct err *err;
};

static const char *last_of(const char *text, const char *phrase)
{
	const char *last = NULL;
	for (const char *at = text; (at = strstr(at, phrase)) != NULL; at++)
		last = at;
	return last;
}

static void label_seen(void *ctx, const char *name, int line, const char *label)
{
	static const struct {
		const char *name, *own, *other;
	} numbers[] = {
		{"declaration_id", "自己宣言ID", "利用者番号"},
		{"user_number", "利用者番号", "自己宣言ID"},
	};
	struct label_check *check = ctx;
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		if (check->rc != RC_OK || strcmp(numbers[i].name, name) != 0)
			continue;
		struct own_text folded = {.flat = STR_INIT};
		flatten_line(&folded, label, strlen(label));
		const char *own = last_of(folded.flat.s, numbers[i].own);
		const char *other = last_of(folded.flat.s, numbers[i].other);
		if (other && (!own || other > own))
			check->rc = err_set(check->err, RC_CONFIG,
				"%s:%d: {{%s}} stands under the label %s; print it under %s.",
				check->template_name, line, name, numbers[i].other, numbers[i].own);
		own_text_free(&folded);
	}
}

enum rc guard_labels(const struct template *tpl, const char *name, struct err *err)
{
	struct label_check check = {name, RC_OK, err};
	template_each_placeholder(tpl, label_seen, &check);
	return check.rc;
}

/* ---- finding numbers and addresses ---- */

#define NUMBER_MAX 13 /* 法人番号; a declaration ID has 10 or 11 digits, a user number 10 */
#define ADDRESS_MAX 320

struct find {
	bool address; /* else a number */
	char text[ADDRESS_MAX + 1]; /* digits, or the address folded and in lower case */
};
/* Called for each number and address of a text; true ends the scan. */
typedef bool find_fn(void *ctx, const struct find *find);

enum glyph { GLYPH_OTHER, GLYPH_DIGIT, GLYPH_HYPHEN, GLYPH_BLANK, GLYPH_NONE };

/* What a character is to somebody who reads numbers; *narrow: its ASCII form where it has one. */
static enum glyph glyph_of(uint32_t c, char *narrow)
{
	*narrow = c < 0x80 ? (char)c : c >= 0xFF01 && c <= 0xFF5E ? (char)(c - 0xFEE0) : '\0';
	if (*narrow >= '0' && *narrow <= '9')
		return GLYPH_DIGIT;
	switch (c) {
	case '-':
	case 0x00AD: /* soft hyphen */
	case 0x2010:
	case 0x2011:
	case 0x2012:
	case 0x2013:
	case 0x2014:
	case 0x2015:
	case 0x2212:
	case 0x30FC: /* ー */
	case 0xFF0D:
	case 0xFF70:
		return GLYPH_HYPHEN;
	case ' ':
	case '\t':
	case 0x00A0:
	case 0x2002:
	case 0x2003:
	case 0x2009:
	case 0x202F:
	case 0x3000:
		return GLYPH_BLANK;
	case 0x200B: /* zero width: nobody sees it */
	case 0x200C:
	case 0x200D:
	case 0x2060:
	case 0xFEFF:
		return GLYPH_NONE;
	default:
		break;
	}
	if (c < 0x80 || (c >= 0x3041 && c <= 0x9FFF) || (c >= 0xFF01 && c <= 0xFFEF))
		return GLYPH_OTHER;
	int value = uc_decimal_value(c);
	if (value < 0)
		return GLYPH_OTHER;
	*narrow = (char)('0' + value);
	return GLYPH_DIGIT;
}

/* A telephone number begins with 0; declaration IDs with 4 or 5, user numbers with 9. */
static bool looks_like_ours(const char *digits, size_t len)
{
	return len == NUMBER_MAX || ((len == 10 || len == 11) && strchr("459", digits[0]));
}

#define GROUPS_MAX 16
#define GROUP_DIGITS_MAX (NUMBER_MAX + 1) /* further digits only tell that it is none of our numbers */

/* Groups of digits with the same mark between all of them: 4123-4567-890. */
struct run {
	char digits[GROUPS_MAX * GROUP_DIGITS_MAX];
	size_t start[GROUPS_MAX + 1]; /* of each group; start[groups] is the end of the digits */
	size_t groups;
	enum glyph mark; /* between groups; GLYPH_OTHER: only one group so far */
	bool international; /* + stood before: a telephone number */
};

/* Every sequence of groups, the longest first: a year may stand before a number. What was seen as a number is not looked into again. */
static bool run_report(const struct run *run, find_fn *fn, void *ctx)
{
	for (size_t first = 0; first < run->groups; first++)
		for (size_t end = run->groups; end > first; end--) {
			size_t len = run->start[end] - run->start[first];
			bool joined = end > first + 1;
			struct find find = {.address = false};
			if ((joined && run->international) ||
				!looks_like_ours(run->digits + run->start[first], len))
				continue;
			memcpy(find.text, run->digits + run->start[first], len);
			if (fn(ctx, &find))
				return true;
			first = end - 1;
			break;
		}
	return false;
}

/* Only the last group stays: a number may go on with another mark than the one before it. */
static void run_keep_last(struct run *run)
{
	size_t start = run->start[run->groups - 1], len = run->start[run->groups] - start;
	memmove(run->digits, run->digits + start, len);
	run->start[0] = 0;
	run->start[1] = len;
	run->groups = 1;
	run->mark = GLYPH_OTHER;
	run->international = false;
}

/* A digit that follows the run directly (gap GLYPH_NONE) or behind one mark. True stops the scan. */
static bool run_add(struct run *run, enum glyph gap, char digit, find_fn *fn, void *ctx)
{
	if (run->groups == 0 || gap != GLYPH_NONE) {
		bool other_mark = run->mark != GLYPH_OTHER && run->mark != gap;
		if (run->groups > 0 && (other_mark || run->groups == GROUPS_MAX)) {
			if (run_report(run, fn, ctx))
				return true;
			run_keep_last(run);
		}
		if (run->groups > 0)
			run->mark = gap;
		run->groups++;
		run->start[run->groups] = run->start[run->groups - 1];
	}
	size_t *end = &run->start[run->groups];
	if (*end - run->start[run->groups - 1] < GROUP_DIGITS_MAX)
		run->digits[(*end)++] = digit;
	return false;
}

static bool run_end(struct run *run, find_fn *fn, void *ctx)
{
	bool stop = run->groups > 0 && run_report(run, fn, ctx);
	run->groups = 0;
	run->mark = GLYPH_OTHER;
	run->international = false;
	return stop;
}

static bool is_address_char(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
	       (c && strchr("!#$%&'*+-/=?^_`{|}~.", c));
}

/* The folded text around an @ (its offset in `text`): local part and domain. */
static bool address_report(const char *text, size_t at, find_fn *fn, void *ctx)
{
	size_t start = at, end = at + 1;
	if (at > 0 && text[at - 1] == '"') { /* "a..b"@docomo.ne.jp */
		for (start = at - 1; start > 0 && text[start - 1] != '"' && text[start - 1] != '\n';)
			start--;
		start -= start > 0;
	} else {
		while (start > 0 && is_address_char(text[start - 1]))
			start--;
	}
	bool ascii = (unsigned char)text[end] < 0x80;
	while (text[end] && (is_address_char(text[end]) || (!ascii && (unsigned char)text[end] >= 0x80)))
		end++;
	while (end > at + 1 && strchr(".-'_", text[end - 1]))
		end--;
	if (start == at || end == at + 1 || !memchr(text + at + 1, '.', end - at - 1) ||
		end - start > ADDRESS_MAX)
		return false;
	struct find find = {.address = true};
	for (size_t i = start; i < end; i++)
		find.text[i - start] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] | 0x20) : text[i];
	return fn(ctx, &find);
}

/* Full-width ASCII narrowed, everything else as it is: enough to see an address. */
static void narrow_add(struct str *out, const char *text, size_t len)
{
	uint32_t c;
	for (size_t at = 0, size; (size = utf8_next(text + at, len - at, &c)) > 0; at += size) {
		char ascii;
		if (c == 0xFE6B)
			str_addc(out, '@');
		else if (glyph_of(c, &ascii) != GLYPH_NONE) {
			if (ascii)
				str_addc(out, ascii);
			else
				str_add(out, text + at, size);
		}
	}
}

/* The next @ of any width; NULL: none. */
static const char *next_at_sign(const char *text, const char *end)
{
	const char *plain = memchr(text, '@', (size_t)(end - text));
	const char *until = plain ? plain : end;
	for (const char *at = text; (at = memchr(at, 0xEF, (size_t)(until - at))) != NULL; at++)
		if (end - at >= 3 && (memcmp(at, "＠", 3) == 0 || memcmp(at, "﹫", 3) == 0))
			return at;
	return plain;
}

/* No address goes over the end of a line: only lines that have an @ are looked at, each with the line break before it. */
static bool scan_addresses(const char *text, size_t len, find_fn *fn, void *ctx)
{
	const char *end = text + len, *from = text, *sign;
	struct str narrow = STR_INIT;
	bool stop = false;
	while (!stop && (sign = next_at_sign(from, end)) != NULL) {
		const char *line = memrchr(text, '\n', (size_t)(sign - text));
		const char *line_end = memchr(sign, '\n', (size_t)(end - sign));
		line = line ? line : text;
		line_end = line_end ? line_end : end;
		str_clear(&narrow);
		narrow_add(&narrow, line, (size_t)(line_end - line));
		for (size_t i = 0; i < narrow.len && !stop; i++)
			if (narrow.s[i] == '@')
				stop = address_report(narrow.s, i, fn, ctx);
		from = line_end;
	}
	str_free(&narrow);
	return stop;
}

static bool scan_numbers(const char *text, size_t len, find_fn *fn, void *ctx)
{
	struct run run = {.mark = GLYPH_OTHER};
	enum glyph gap = GLYPH_NONE; /* the mark behind the last digit */
	bool plus = false, link = false, stop = false;
	uint32_t c;
	for (size_t at = 0, size; !stop; at += size) {
		char ascii;
		if (run.groups == 0 && !link) { /* only a digit, + or :// changes anything now */
			size_t usual = utf8_usual(text + at, len - at, false);
			at += usual;
			plus = plus && usual == 0;
		}
		size = utf8_next(text + at, len - at, &c);
		if (size == 0)
			break;
		enum glyph glyph = glyph_of(c, &ascii);
		if (glyph == GLYPH_NONE || (link && c > ' ' && c < 0x7F))
			continue;
		link = c == ':' && len - at >= 3 && memcmp(text + at, "://", 3) == 0;
		bool mark = glyph == GLYPH_HYPHEN || glyph == GLYPH_BLANK;
		if (glyph == GLYPH_DIGIT) {
			if (run.groups == 0)
				run.international = plus;
			stop = run_add(&run, gap, ascii, fn, ctx);
			gap = GLYPH_NONE;
		} else if (mark && run.groups > 0 && gap == GLYPH_NONE) {
			gap = glyph;
		} else {
			stop = run_end(&run, fn, ctx);
			gap = GLYPH_NONE;
		}
		plus = ascii == '+';
	}
	return stop || run_end(&run, fn, ctx);
}

static bool scan(const char *text, size_t len, find_fn *fn, void *ctx)
{
	return scan_numbers(text, len, fn, ctx) || scan_addresses(text, len, fn, ctx);
}

/* A declaration ID or user number that staff pasted into a template would go out to everybody. */
static bool is_pasted_number(void *ctx, const struct find *find)
{
	bool *found = ctx;
	*found = strlen(find->text) < NUMBER_MAX; /* the office's own 法人番号 may stand there */
	return *found;
}

static enum rc check_numbers(const char *own, const char *name, struct err *err)
{
	bool found = false;
	int number = 1;
	for (const char *line = own; *line && !found; number++) {
		size_t len = strcspn(line, "\n");
		(void)scan_numbers(line, len, is_pasted_number, &found);
		line += len + (line[len] == '\n');
	}
	if (!found)
		return RC_OK;
	return err_set(err, RC_CONFIG,
		"%s:%d: a number that looks like a declaration ID or user number stands in the template "
		"itself; print "
		"{{declaration_id}} or {{user_number}}.",
		name, number - 1);
}

enum rc guard_wording(
	const struct template *tpl, const char *name, const struct wording *wording, struct err *err)
{
	struct str text = STR_INIT;
	struct own_text own;
	template_own_text(tpl, false, &text);
	enum rc rc = check_links(text.s, name, &wording->links, err);
	if (rc == RC_OK)
		rc = check_numbers(text.s, name, err);
	str_clear(&text);
	template_own_text(tpl, true, &text);
	own_text_make(&own, text.s);
	if (rc == RC_OK)
		rc = check_forbidden(&own, name, wording, err);
	for (size_t i = 0; i < wording->required.count && rc == RC_OK; i++)
		rc = check_required(tpl, &own, name, wording->required.item[i], err);
	own_text_free(&own);
	str_free(&text);
	return rc;
}

enum rc guard_free_text(const char *text, const struct wording *wording, struct err *err)
{
	struct own_text own;
	own_text_make(&own, text);
	enum rc rc = check_links(text, NULL, &wording->links, err);
	if (rc == RC_OK)
		rc = check_forbidden(&own, NULL, wording, err);
	own_text_free(&own);
	return rc;
}

/* ---- numbers and addresses of others ---- */

struct foreign {
	const char *const *allowed;
	const struct find *wanted; /* while the allowed texts are searched for it */
	bool found_address, found_number;
};

/* Two spellings of one address are equal: quoted or not, A-labels or not. */
static bool same_address(const char *a, const char *b)
{
	struct mailaddr left, right;
	if (strcmp(a, b) == 0)
		return true;
	if (mailaddr_read(&left, a) != MAILADDR_OK || mailaddr_read(&right, b) != MAILADDR_OK)
		return false;
	struct str left_key = STR_INIT, right_key = STR_INIT;
	mailaddr_key(&left_key, &left);
	mailaddr_key(&right_key, &right);
	bool same = strcmp(left_key.s, right_key.s) == 0;
	str_free(&left_key);
	str_free(&right_key);
	return same;
}

static bool is_wanted(void *ctx, const struct find *find)
{
	const struct foreign *foreign = ctx;
	return find->address == foreign->wanted->address &&
	       (find->address ? same_address(find->text, foreign->wanted->text)
			      : strcmp(find->text, foreign->wanted->text) == 0);
}

static bool is_foreign(void *ctx, const struct find *find)
{
	struct foreign *foreign = ctx;
	foreign->wanted = find;
	/* Mostly it stands there by itself. */
	for (const char *const *text = foreign->allowed; text && *text; text++)
		if (strcmp(*text, find->text) == 0)
			return false;
	for (const char *const *text = foreign->allowed; text && *text; text++)
		if (scan(*text, strlen(*text), is_wanted, foreign))
			return false;
	foreign->found_address = find->address;
	foreign->found_number = !find->address;
	return true;
}

enum rc guard_foreign(const struct rendered *mail, const char *const *allowed, struct err *err)
{
	const struct str *parts[] = {&mail->subject, &mail->headers, &mail->body};
	struct foreign foreign = {.allowed = allowed};
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		if (scan(parts[i]->s, parts[i]->len, is_foreign, &foreign))
			return err_set(err, RC_REFUSED,
				foreign.found_address
					? "The letter contains a mail address that is neither the "
					  "applicant's nor the office's."
					: "The letter contains a number that looks like a declaration ID, "
					  "user number or corporate number and is not this applicant's.");
	return RC_OK;
}

/* ---- characters ---- */

static bool character_stands(uint32_t c)
{
	if (c == 0xFFFD || (c & 0xFFFE) == 0xFFFE || (c >= 0xFDD0 && c <= 0xFDEF))
		return false;
	if (c >= 0x20000 && c < 0x40000)
		return true; /* planes of kanji: newer ones than this machine's tables know may stand there */
	return !uc_is_general_category_withtable(
		c, UC_CATEGORY_MASK_Cn | UC_CATEGORY_MASK_Co | UC_CATEGORY_MASK_Cs);
}

enum rc guard_characters(const struct rendered *mail, struct err *err)
{
	const struct str *parts[] = {&mail->subject, &mail->headers, &mail->body};
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		uint32_t c;
		for (size_t at = 0, size; at < parts[i]->len; at += size) {
			at += utf8_usual(parts[i]->s + at, parts[i]->len - at, true);
			if (at == parts[i]->len)
				break;
			size = utf8_next(parts[i]->s + at, parts[i]->len - at, &c);
			if (size == 0)
				return err_set(
					err, RC_REFUSED, "The letter contains bytes that are not UTF-8.");
			if (c >= 0x80 && !character_stands(c))
				return err_set(err, RC_REFUSED,
					"The letter contains U+%04X, which other machines can't show; ask "
					"for the "
					"character that was meant.",
					(unsigned)c);
		}
	}
	return RC_OK;
}
