#include "lib/mail/template.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/text.h"

#define DEPTH_MAX 16 /* sections within sections */
#define LABEL_CHARS 40

/* A template is compiled once into one flat array: header values first, then the body. */
enum op_kind {
	OP_TEXT, /* own text: at, len in tpl->text */
	OP_VALUE, /* name index: at */
	OP_SKIP_EMPTY, /* go on at op `len` when the value of name `at` is empty */
	OP_SKIP_FILLED, /* … when it is not */
	OP_SKIP, /* go on at op `len` */
};

struct op {
	enum op_kind kind;
	bool improper;
	int line; /* of the file, where it begins */
	size_t at, len;
};

struct header {
	char *name; /* owned; as written */
	size_t first, end; /* ops of its value */
};

struct template
{
	char *name;
	struct str text;
	struct strlist names;
	struct op *op;
	size_t op_count, op_size;
	struct header *header; /* [0] is Subject */
	size_t header_count;
	size_t body; /* first op of the body */
};

/* ---- compiling ---- */

enum section_kind { SECTION_IF, SECTION_UNLESS, SECTION_IMPROPER };
static const char *const section_tag[] = {
	[SECTION_IF] = "if",
	[SECTION_UNLESS] = "unless",
	[SECTION_IMPROPER] = "improper",
};

struct section {
	enum section_kind kind;
	int line;
	size_t skip; /* op whose target is still open */
	bool has_else;
};

struct compiler {
	struct template *tpl;
	const char *const *known;
	int line;
	bool fresh; /* the next text begins an op of its own: something may jump here, or lines were left out */
	int improper;
	struct section section[DEPTH_MAX];
	size_t depth;
	struct err *err;
};

static enum rc fault(const struct compiler *c, const char *what, const char *detail)
{
	return err_set(c->err, RC_CONFIG, "%s:%d: %s%s%s.", c->tpl->name, c->line, what, detail ? ": " : "",
		detail ? detail : "");
}

static size_t op_add(struct compiler *c, enum op_kind kind, size_t at, size_t len)
{
	struct template *tpl = c->tpl;
	if (tpl->op_count == tpl->op_size) {
		tpl->op_size = tpl->op_size ? tpl->op_size * 2 : 32;
		tpl->op = xrealloc(tpl->op, tpl->op_size * sizeof *tpl->op);
	}
	tpl->op[tpl->op_count] = (struct op){kind, c->improper > 0, c->line, at, len};
	c->fresh = kind != OP_TEXT;
	return tpl->op_count++;
}

static void text_add(struct compiler *c, const char *text, size_t len)
{
	struct template *tpl = c->tpl;
	if (len == 0)
		return;
	if (!c->fresh && tpl->op_count > 0 && tpl->op[tpl->op_count - 1].kind == OP_TEXT)
		tpl->op[tpl->op_count - 1].len += len;
	else
		(void)op_add(c, OP_TEXT, tpl->text.len, len);
	str_add(&tpl->text, text, len);
}

static size_t name_index(struct template *tpl, const char *name)
{
	for (size_t i = 0; i < tpl->names.count; i++)
		if (strcmp(tpl->names.item[i], name) == 0)
			return i;
	strlist_add(&tpl->names, name);
	return tpl->names.count - 1;
}

/* The name must be one a template may use, and for a printed value one that has text. */
static enum rc name_check(const struct compiler *c, const char *name, bool printed)
{
	size_t len = strlen(name);
	for (const char *const *known = c->known; *known; known++) {
		if (strncmp(*known, name, len) != 0 || strchr(name, '?'))
			continue;
		if ((*known)[len] == '\0')
			return RC_OK;
		if (strcmp(*known + len, "?") == 0)
			return printed ? fault(c,
						 "this placeholder may only stand in {{#if}} and {{#unless}}",
						 name)
				       : RC_OK;
	}
	return fault(c, "there is no such placeholder", name);
}

static enum rc section_open(struct compiler *c, enum section_kind kind, const char *name)
{
	if (c->depth == DEPTH_MAX)
		return fault(c, "sections are nested too deeply", NULL);
	struct section *section = &c->section[c->depth];
	*section = (struct section){.kind = kind, .line = c->line};
	if (kind == SECTION_IMPROPER) {
		if (*name)
			return fault(c, "{{#improper}} takes no name", name);
		c->improper++;
	} else {
		enum rc rc = name_check(c, name, false);
		if (rc != RC_OK)
			return rc;
		section->skip = op_add(
			c, kind == SECTION_IF ? OP_SKIP_EMPTY : OP_SKIP_FILLED, name_index(c->tpl, name), 0);
	}
	c->depth++;
	c->fresh = true;
	return RC_OK;
}

static enum rc section_else(struct compiler *c)
{
	struct section *section = c->depth ? &c->section[c->depth - 1] : NULL;
	if (!section || section->kind == SECTION_IMPROPER || section->has_else)
		return fault(c, "{{else}} without its {{#if}} or {{#unless}}", NULL);
	size_t over = op_add(c, OP_SKIP, 0, 0);
	c->tpl->op[section->skip].len = c->tpl->op_count;
	section->skip = over;
	section->has_else = true;
	return RC_OK;
}

static enum rc section_close(struct compiler *c, const char *tag)
{
	if (c->depth == 0 || strcmp(section_tag[c->section[c->depth - 1].kind], tag) != 0)
		return fault(c, "this closes a section that is not the last one opened", tag);
	struct section *section = &c->section[--c->depth];
	if (section->kind == SECTION_IMPROPER)
		c->improper--;
	else
		c->tpl->op[section->skip].len = c->tpl->op_count;
	c->fresh = true;
	return RC_OK;
}

static enum rc section_all_closed(struct compiler *c)
{
	if (c->depth == 0)
		return RC_OK;
	c->line = c->section[c->depth - 1].line;
	return fault(c, "this section is not closed", section_tag[c->section[c->depth - 1].kind]);
}

/* What stands between {{ and }}. */
static enum rc tag_compile(struct compiler *c, char *tag)
{
	if (tag[0] == '!') {
		c->fresh = true;
		return RC_OK;
	}
	text_trim(tag);
	if (tag[0] == '/')
		return section_close(c, text_trim(tag + 1));
	if (strcmp(tag, "else") == 0)
		return section_else(c);
	if (tag[0] == '#') {
		size_t word = strcspn(tag + 1, " \t");
		for (size_t kind = 0; kind < sizeof section_tag / sizeof section_tag[0]; kind++)
			if (strlen(section_tag[kind]) == word &&
				strncmp(section_tag[kind], tag + 1, word) == 0)
				return section_open(c, (enum section_kind)kind, text_trim(tag + 1 + word));
		return fault(c, "there is no such section", tag);
	}
	enum rc rc = name_check(c, tag, true);
	if (rc == RC_OK)
		(void)op_add(c, OP_VALUE, name_index(c->tpl, tag), 0);
	return rc;
}

/* A line that holds nothing but section tags and remarks leaves no line behind. */
static bool line_vanishes(const char *line, size_t len)
{
	bool tag = false;
	for (size_t i = 0; i < len;) {
		if (line[i] == ' ' || line[i] == '\t') {
			i++;
			continue;
		}
		const char *end = len - i >= 4 ? memmem(line + i, len - i, "}}", 2) : NULL;
		if (!end || memcmp(line + i, "{{", 2) != 0)
			return false;
		const char *word = line + i + 2;
		while (*word == ' ' || *word == '\t')
			word++;
		if (!strchr("#/!", *word) && !(str_has_prefix(word, "else") && strchr(" \t}", word[4])))
			return false;
		tag = true;
		i = (size_t)(end - line) + 2;
	}
	return tag;
}

/* One line without its line end; `line_end` is added where the line stays. */
static enum rc line_compile(struct compiler *c, const char *line, size_t len, const char *line_end)
{
	bool vanishes = line_vanishes(line, len);
	size_t at = 0;
	while (at < len) {
		const char *open = memmem(line + at, len - at, "{{", 2);
		size_t text = open ? (size_t)(open - line) - at : len - at;
		if (memmem(line + at, text, "}}", 2))
			return fault(c, "}} without {{", NULL);
		if (!vanishes)
			text_add(c, line + at, text);
		at += text;
		if (!open)
			break;
		const char *close = memmem(line + at + 2, len - at - 2, "}}", 2);
		if (!close)
			return fault(c, "{{ without }} on the same line", NULL);
		char *tag = xstrndup(open + 2, (size_t)(close - open) - 2);
		enum rc rc = tag_compile(c, tag);
		free(tag);
		if (rc != RC_OK)
			return rc;
		at = (size_t)(close - line) + 2;
	}
	if (vanishes)
		c->fresh = true;
	else
		text_add(c, line_end, strlen(line_end));
	return RC_OK;
}

/* X-Sengen-… and X-Auto-Response-Suppress are the program's own marks against mail loops. */
static bool header_allowed(const char *name)
{
	static const char *const allowed[] = {
		"Subject", "Comments", "Keywords", "Importance", "Organization"};
	for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
		if (strcasecmp(name, allowed[i]) == 0)
			return true;
	return strncasecmp(name, "X-", 2) == 0 && name[2] && strncasecmp(name, "X-Sengen-", 9) != 0 &&
	       strncasecmp(name, "X-Auto-", 7) != 0 && strncasecmp(name, "X-Original-", 11) != 0;
}

static enum rc header_compile(struct compiler *c, const char *line, size_t len)
{
	struct template *tpl = c->tpl;
	const char *colon = memchr(line, ':', len);
	size_t name_len = colon ? (size_t)(colon - line) : 0;
	for (size_t i = 0; i < name_len; i++)
		if (line[i] <= ' ' || line[i] > '~')
			name_len = 0; /* RFC 5322 section 2.2: printable ASCII without blanks */
	if (name_len == 0 || name_len > 64)
		return fault(c,
			"a header line \"Name: value\" must stand here, and an empty line between headers "
			"and body",
			NULL);

	char *name = xstrndup(line, name_len);
	bool twice = false;
	for (size_t i = 0; i < tpl->header_count; i++)
		if (tpl->header[i].name && strcasecmp(tpl->header[i].name, name) == 0)
			twice = true;
	enum rc rc = twice                   ? fault(c, "this header stands here twice", name)
		     : !header_allowed(name) ? fault(c, "this header may not stand in a template", name)
					     : RC_OK;
	size_t slot = strcasecmp(name, "Subject") == 0 ? 0 : tpl->header_count;
	if (rc != RC_OK) {
		free(name);
		return rc;
	}
	if (slot == tpl->header_count) {
		tpl->header = xrealloc(tpl->header, (tpl->header_count + 1) * sizeof *tpl->header);
		tpl->header_count++;
	}
	size_t value = name_len + 1;
	while (value < len && (line[value] == ' ' || line[value] == '\t'))
		value++;
	while (len > value && (line[len - 1] == ' ' || line[len - 1] == '\t'))
		len--;
	c->fresh = true;
	tpl->header[slot] = (struct header){.name = name, .first = tpl->op_count};
	rc = line_compile(c, line + value, len - value, "");
	if (rc == RC_OK)
		rc = section_all_closed(c);
	tpl->header[slot].end = tpl->op_count;
	if (rc == RC_OK && tpl->header[slot].end == tpl->header[slot].first)
		rc = fault(c, "this header has no value", name);
	return rc;
}

static enum rc line_check(const struct compiler *c, const char *line, size_t len)
{
	if (!utf8_valid(line, len))
		return fault(c, "this line is not UTF-8; save the file as UTF-8", NULL);
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)line[i] < ' ' && line[i] != '\t') || line[i] == '\x7f')
			return fault(c, "there is a control character in this line", NULL);
	return RC_OK;
}

static enum rc file_compile(struct compiler *c, const char *text, size_t len)
{
	bool headers = true;
	for (size_t at = 0; at < len;) {
		const char *newline = memchr(text + at, '\n', len - at);
		size_t line_len = newline ? (size_t)(newline - text) - at : len - at;
		const char *line = text + at;
		at += line_len + 1;
		if (line_len > 0 && line[line_len - 1] == '\r')
			line_len--;
		c->line++;
		enum rc rc = line_check(c, line, line_len);
		if (rc != RC_OK)
			return rc;
		if (!headers) {
			rc = line_compile(c, line, line_len, "\n");
		} else if (line_len == 0) {
			headers = false;
			c->tpl->body = c->tpl->op_count;
			c->fresh = true;
		} else if (line_len > 3 && memcmp(line, "{{!", 3) == 0 && line_vanishes(line, line_len)) {
			rc = line_compile(c, line, line_len, "");
		} else {
			rc = header_compile(c, line, line_len);
		}
		if (rc != RC_OK)
			return rc;
	}
	if (!c->tpl->header[0].name) {
		c->line = 1;
		return fault(c, "the Subject line is missing", NULL);
	}
	if (headers || c->tpl->body == c->tpl->op_count)
		return fault(c, "the body is missing", NULL);
	return section_all_closed(c);
}

enum rc template_parse(struct template **tpl, const char *name, const char *text, size_t len,
	const char *const *known, struct err *err)
{
	struct template *fresh = xcalloc(1, sizeof *fresh);
	fresh->name = xstrdup(name);
	fresh->text = STR_INIT;
	fresh->header = xcalloc(1, sizeof *fresh->header);
	fresh->header_count = 1;

	if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
		text += 3;
		len -= 3;
	}
	struct compiler c = {.tpl = fresh, .known = known, .fresh = true, .err = err};
	enum rc rc = file_compile(&c, text, len);
	if (rc != RC_OK) {
		template_free(&fresh);
		return rc;
	}
	*tpl = fresh;
	return RC_OK;
}

void template_free(struct template **tpl)
{
	struct template *old = *tpl;
	if (!old)
		return;
	for (size_t i = 0; i < old->header_count; i++)
		free(old->header[i].name);
	free(old->header);
	free(old->op);
	strlist_free(&old->names);
	str_free(&old->text);
	free(old->name);
	free(old);
	*tpl = NULL;
}

/* ---- rendering ---- */

/* What a value must not hold; a body value may have several lines. */
static bool value_is_clean(const char *value, size_t len, bool one_line)
{
	if (!utf8_valid(value, len))
		return false;
	if (!text_has_control(value))
		return true;
	if (one_line)
		return false;
	struct str lines = STR_INIT;
	str_add(&lines, value, len);
	for (size_t i = 0; i < lines.len; i++)
		if (lines.s[i] == '\n' || lines.s[i] == '\t')
			lines.s[i] = ' ';
	bool clean = !text_has_control(lines.s);
	str_free(&lines);
	return clean;
}

static enum rc value_add(const struct template *tpl, const struct op *op, const char *value, bool one_line,
	struct str *out, struct err *err)
{
	const char *name = tpl->names.item[op->at];
	if (!value || !*value)
		return err_set(err, RC_REFUSED, "%s:%d: {{%s}} has no value that can be printed.", tpl->name,
			op->line, name);
	size_t len = strlen(value);
	if (!value_is_clean(value, len, one_line))
		return err_set(err, RC_REFUSED,
			"%s:%d: the value of {{%s}} has a line break or a control character.", tpl->name,
			op->line, name);
	str_add(out, value, len);
	return RC_OK;
}

static enum rc range_render(const struct template *tpl, size_t first, size_t end, bool one_line,
	template_value_fn *value, void *ctx, struct str *out, struct err *err)
{
	for (size_t i = first; i < end; i++) {
		const struct op *op = &tpl->op[i];
		if (op->kind == OP_TEXT) {
			str_add(out, tpl->text.s + op->at, op->len);
			continue;
		}
		const char *text = op->kind == OP_SKIP ? NULL : value(ctx, tpl->names.item[op->at]);
		bool filled = text && *text;
		if (op->kind == OP_VALUE) {
			enum rc rc = value_add(tpl, op, text, one_line, out, err);
			if (rc != RC_OK)
				return rc;
		} else if (op->kind == OP_SKIP || filled == (op->kind == OP_SKIP_FILLED)) {
			i = op->len - 1;
		}
	}
	return RC_OK;
}

enum rc template_render(const struct template *tpl, template_value_fn *value, void *ctx, struct rendered *out,
	struct err *err)
{
	str_clear(&out->subject);
	str_clear(&out->headers);
	str_clear(&out->body);
	str_grow(&out->body, tpl->text.len + 512);
	for (size_t i = 0; i < tpl->header_count; i++) {
		const struct header *header = &tpl->header[i];
		struct str *to = i == 0 ? &out->subject : &out->headers;
		size_t before = to->len;
		if (i > 0)
			str_printf(to, "%s: ", header->name);
		size_t value_at = to->len;
		enum rc rc = range_render(tpl, header->first, header->end, true, value, ctx, to, err);
		if (rc != RC_OK)
			return rc;
		if (i == 0 && to->len == 0)
			return err_set(err, RC_REFUSED, "%s: the subject came out empty.", tpl->name);
		if (i > 0 && to->len == value_at)
			str_cut(to, before); /* a header whose section was left out */
		else if (i > 0)
			str_addc(to, '\n');
	}
	return range_render(tpl, tpl->body, tpl->op_count, false, value, ctx, &out->body, err);
}

void rendered_free(struct rendered *rendered)
{
	str_free(&rendered->subject);
	str_free(&rendered->headers);
	str_free(&rendered->body);
}

/* ---- looking at a template ---- */

void template_own_text(const struct template *tpl, bool proper_only, struct str *out)
{
	int line = 1;
	for (size_t i = 0; i < tpl->op_count; i++) {
		const struct op *op = &tpl->op[i];
		if (op->kind != OP_TEXT || (proper_only && op->improper))
			continue;
		for (; line < op->line; line++)
			str_addc(out, '\n');
		str_add(out, tpl->text.s + op->at, op->len);
		for (size_t k = 0; k < op->len; k++)
			line += tpl->text.s[op->at + k] == '\n';
	}
}

/* The last characters before the end of `seen` on its last line that is not blank. */
static void label_take(const struct str *seen, struct str *label)
{
	size_t end = seen->len;
	while (end > 0) {
		if (strchr(" \t\n", seen->s[end - 1]))
			end--;
		else if (end >= 3 && memcmp(seen->s + end - 3, "\xE3\x80\x80", 3) == 0)
			end -= 3; /* U+3000 */
		else
			break;
	}
	size_t start = end;
	for (int chars = 0; start > 0 && seen->s[start - 1] != '\n' && chars < LABEL_CHARS;) {
		start--;
		chars += ((unsigned char)seen->s[start] & 0xC0u) != 0x80u;
	}
	str_clear(label);
	str_add(label, seen->s + start, end - start);
}

void template_each_placeholder(const struct template *tpl,
	void (*fn)(void *ctx, const char *name, int line, const char *label), void *ctx)
{
	struct str seen = STR_INIT, label = STR_INIT;
	for (size_t i = 0; i < tpl->op_count; i++) {
		const struct op *op = &tpl->op[i];
		if (i == tpl->body)
			str_addc(&seen, '\n');
		if (op->kind == OP_TEXT) {
			str_add(&seen, tpl->text.s + op->at, op->len);
		} else if (op->kind == OP_VALUE) {
			label_take(&seen, &label);
			fn(ctx, tpl->names.item[op->at], op->line, label.s);
		}
	}
	str_free(&label);
	str_free(&seen);
}
