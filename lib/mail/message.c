#include "lib/mail/message.h"

#include <ctype.h>
#include <gmime/gmime.h>
#include <string.h>
#include <strings.h>

#include "lib/base/text.h"
#include "lib/mail/charset.h"

/* ---- parameters of Content-Type and Content-Disposition, as mailers really write them ---- */

struct parameter_pieces {
	struct str value;
	char charset[48];
	bool extended; /* RFC 2231 */
};

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void add_percent_decoded(struct str *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '%' && i + 2 < len + 0 && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0) {
			str_addc(out, (char)(hex(text[i + 1]) * 16 + hex(text[i + 2])));
			i += 2;
		} else {
			str_addc(out, text[i]);
		}
	}
}

/* name*=charset'lang'…, name*0*=…, name*1=… or name=…; `suffix` is what follows the name. */
static void add_parameter_piece(
	struct parameter_pieces *pieces, const char *suffix, size_t suffix_len, const char *value, size_t len)
{
	bool encoded = suffix_len && suffix[suffix_len - 1] == '*';
	bool first = suffix_len == 0 || !isdigit((unsigned char)suffix[1]) || (suffix[1] == '0');
	if (suffix_len)
		pieces->extended = true;
	if (encoded && first) {
		const char *quote = memchr(value, '\'', len);
		const char *second =
			quote ? memchr(quote + 1, '\'', len - (size_t)(quote + 1 - value)) : NULL;
		if (second) {
			size_t n = (size_t)(quote - value);
			if (n < sizeof pieces->charset)
				memcpy(pieces->charset, value, n);
			len -= (size_t)(second + 1 - value);
			value = second + 1;
		}
	}
	if (encoded)
		add_percent_decoded(&pieces->value, value, len);
	else
		str_add(&pieces->value, value, len);
}

/* Finds a parameter in the raw value of a header field and appends it decoded; false when it is not there. */
static bool parameter_find(struct str *out, const char *field, const char *name)
{
	struct parameter_pieces plain = {.value = STR_INIT}, extended = {.value = STR_INIT};
	bool found_plain = false;
	size_t name_len = strlen(name);
	const char *at = strchr(field, ';');
	while (at) {
		at++;
		at += strspn(at, " \t\r\n");
		const char *key = at;
		at += strcspn(at, "=;");
		if (*at != '=') {
			at = *at ? at : NULL;
			continue;
		}
		size_t key_len = (size_t)(at - key);
		while (key_len && isspace((unsigned char)key[key_len - 1]))
			key_len--;
		at++;
		at += strspn(at, " \t\r\n");
		struct str value = STR_INIT;
		if (*at == '"') {
			for (at++; *at && *at != '"'; at++) {
				if (*at == '\\' && (at[1] == '"' || at[1] == '\\'))
					at++;
				if (*at != '\r' && *at != '\n')
					str_addc(&value, *at);
			}
			at = strchr(at, ';');
		} else {
			/* Unquoted values with blanks exist: they end at the next semicolon. */
			size_t len = strcspn(at, ";");
			str_add(&value, at, len);
			while (value.len && isspace((unsigned char)value.s[value.len - 1]))
				str_cut(&value, value.len - 1);
			at = at[len] ? at + len : NULL;
		}
		if (key_len >= name_len && strncasecmp(key, name, name_len) == 0) {
			const char *suffix = key + name_len;
			size_t suffix_len = key_len - name_len;
			if (suffix_len == 0 && !found_plain) {
				found_plain = true;
				add_parameter_piece(&plain, suffix, 0, value.s, value.len);
			} else if (suffix_len && *suffix == '*') {
				add_parameter_piece(&extended, suffix, suffix_len, value.s, value.len);
			}
		}
		str_free(&value);
	}
	bool found = false;
	if (extended.value.len) {
		(void)charset_decode(out, extended.value.s, extended.value.len, extended.charset, NULL);
		found = true;
	} else if (found_plain) {
		(void)header_decode(out, plain.value.s,
			plain.value.len); /* RFC 2047 inside quotes, raw 8-bit, raw ISO-2022-JP */
		found = true;
	}
	str_free(&plain.value);
	str_free(&extended.value);
	return found;
}

/* ---- HTML ---- */

static const struct {
	const char *name;
	uint32_t c;
} entities[] = {
	{"nbsp", ' '},
	{"amp", '&'},
	{"lt", '<'},
	{"gt", '>'},
	{"quot", '"'},
	{"apos", '\''},
	{"copy", 0xA9},
	{"reg", 0xAE},
	{"yen", 0xA5},
	{"middot", 0xB7},
	{"hellip", 0x2026},
	{"mdash", 0x2014},
	{"ndash", 0x2013},
	{"lsquo", 0x2018},
	{"rsquo", 0x2019},
	{"ldquo", 0x201C},
	{"rdquo", 0x201D},
	{"bull", 0x2022},
	{"ensp", 0x2002},
	{"emsp", 0x2003},
	{"times", 0xD7},
	{"laquo", 0xAB},
	{"raquo", 0xBB},
	{"zwnj", 0x200C},
	{"zwsp", 0x200B},
};

static size_t add_entity(struct str *out, const char *at, size_t len)
{
	const char *end = memchr(at, ';', len < 12 ? len : 12);
	if (!end || end == at + 1)
		return 0;
	char name[12] = "";
	memcpy(name, at + 1, (size_t)(end - at - 1));
	uint32_t c = 0;
	if (name[0] == '#')
		c = (uint32_t)strtoul(name[1] == 'x' || name[1] == 'X' ? name + 2 : name + 1, NULL,
			name[1] == 'x' || name[1] == 'X' ? 16 : 10);
	for (size_t i = 0; !c && i < sizeof entities / sizeof *entities; i++)
		if (strcmp(entities[i].name, name) == 0)
			c = entities[i].c;
	if (c == 0xA0)
		c = ' ';
	if (!c || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))
		return 0;
	utf8_add(out, c);
	return (size_t)(end + 1 - at);
}

struct html_reader {
	struct str *out;
	int quote; /* open blockquotes */
	bool space; /* white space was passed since the last text */
	bool pre;
};

static void html_line(struct html_reader *h)
{
	while (h->out->len && h->out->s[h->out->len - 1] == ' ')
		str_cut(h->out, h->out->len - 1);
	str_addc(h->out, '\n');
	h->space = false;
}

static bool at_line_start(const struct html_reader *h)
{
	return h->out->len == 0 || h->out->s[h->out->len - 1] == '\n';
}

static void html_break_before(struct html_reader *h)
{
	if (!at_line_start(h))
		html_line(h);
}

static void html_text(struct html_reader *h, const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		if (isspace((unsigned char)text[i]) && !h->pre) {
			h->space = true;
			i++;
			continue;
		}
		if (text[i] == '\n') {
			html_line(h);
			i++;
			continue;
		}
		if (at_line_start(h)) {
			for (int q = 0; q < h->quote && q < 8; q++)
				str_addz(h->out, "> ");
		} else if (h->space) {
			str_addc(h->out, ' ');
		}
		h->space = false;
		size_t step = text[i] == '&' ? add_entity(h->out, text + i, len - i) : 0;
		if (step == 0) {
			if (text[i] != '\r')
				str_addc(h->out, text[i]);
			step = 1;
		}
		i += step;
	}
}

static bool tag_is(const char *tag, size_t len, const char *names)
{
	for (const char *at = names; *at;) {
		size_t n = strcspn(at, " ");
		if (n == len && strncasecmp(at, tag, len) == 0)
			return true;
		at += n + strspn(at + n, " ");
	}
	return false;
}

/* Where the content of an element that is left out ends. */
static const char *skip_element(const char *at, const char *end, const char *name, size_t name_len)
{
	for (; at < end; at++)
		if (at[0] == '<' && at + 2 + name_len <= end && at[1] == '/' &&
			strncasecmp(at + 2, name, name_len) == 0)
			return at;
	return end;
}

/* Its end tag, elements of the same name within it passed over; NULL: there is none, or it costs too much to find. */
static const char *element_end(
	const char *at, const char *end, const char *name, size_t name_len, size_t *budget)
{
	int open = 1;
	for (; at<end && * budget> 0; at++, --*budget) {
		if (*at != '<' || (size_t)(end - at) < name_len + 2)
			continue;
		bool ends = at[1] == '/';
		const char *tag = at + 1 + ends;
		if ((size_t)(end - tag) <= name_len || strncasecmp(tag, name, name_len) != 0 ||
			isalnum((unsigned char)tag[name_len]))
			continue;
		open += ends ? -1 : 1;
		if (open == 0)
			return at;
	}
	return NULL;
}

/* Without blanks, in lower case: "display:none;color:red". */
static void style_fold(struct str *out, const char *style, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isspace((unsigned char)style[i]))
			str_addc(out, (char)tolower((unsigned char)style[i]));
}

enum sight { SEEN, CROSSED_OUT, UNSEEN };

static enum sight style_sight(const char *style, size_t len)
{
	static const char *const unseen[] = {"display:none", "visibility:hidden", "mso-hide:all"};
	struct str folded = STR_INIT;
	enum sight sight = SEEN;
	style_fold(&folded, style, len);
	for (size_t i = 0; i < sizeof unseen / sizeof *unseen; i++)
		if (strstr(folded.s, unseen[i]))
			sight = UNSEEN;
	const char *line = strstr(folded.s, "text-decoration");
	const char *through = line ? strstr(line, "line-through") : NULL;
	if (sight == SEEN && through && !memchr(line, ';', (size_t)(through - line)))
		sight = CROSSED_OUT;
	str_free(&folded);
	return sight;
}

/* What a start tag, up to its >, says of its content by its name, `hidden` or `style`. */
static enum sight tag_sight(const char *name, size_t name_len, const char *close)
{
	enum sight sight = tag_is(name, name_len, "s strike del") ? CROSSED_OUT : SEEN;
	/* What has no end tag has no content. */
	if (tag_is(name, name_len, "br hr img input meta link area base col embed source wbr html body"))
		return SEEN;
	for (const char *at = name + name_len; at < close && sight != UNSEEN;) {
		const char *word = at;
		while (at < close && !isspace((unsigned char)*at) && *at != '=' && *at != '/')
			at++;
		size_t len = (size_t)(at - word), value_len = 0;
		while (at < close && isspace((unsigned char)*at))
			at++;
		const char *value = at;
		if (at < close && *at == '=') {
			do
				at++;
			while (at < close && isspace((unsigned char)*at));
			char quote = *at == '"' || *at == '\'' ? *at : 0;
			value = at += quote ? 1 : 0;
			while (at < close && (quote ? *at != quote : !isspace((unsigned char)*at)))
				at++;
			value_len = (size_t)(at - value);
		}
		if (tag_is(word, len, "hidden"))
			sight = UNSEEN;
		else if (tag_is(word, len, "style") && style_sight(value, value_len) != SEEN)
			sight = style_sight(value, value_len);
		at += at < close && at == word;
		at += at < close && (*at == '"' || *at == '\'' || *at == '/');
	}
	return sight;
}

/* The > that ends a tag: one inside a quoted attribute does not, unless the quotes never close. */
static const char *tag_end(const char *tag, const char *end)
{
	const char *first = memchr(tag, '>', (size_t)(end - tag));
	char quote = 0;
	for (const char *at = tag; first && at < end && at - tag < 4096; at++) {
		if (quote ? *at == quote : (*at == '"' || *at == '\'') && at[-1] == '=')
			quote = quote ? 0 : *at;
		else if (!quote && *at == '>')
			return at;
	}
	return first;
}

void html_to_text(struct str *out, const char *html, size_t len)
{
	struct html_reader h = {.out = out};
	const char *at = html, *end = html + len, *content_end;
	size_t budget = 4 * len;
	enum sight sight;
	while (at < end) {
		const char *tag = memchr(at, '<', (size_t)(end - at));
		html_text(&h, at, (size_t)((tag ? tag : end) - at));
		if (!tag)
			break;
		if (end - tag >= 4 && memcmp(tag, "<!--", 4) == 0) {
			const char *close = memmem(tag, (size_t)(end - tag), "-->", 3);
			at = close ? close + 3 : end;
			continue;
		}
		const char *close = tag_end(tag, end);
		if (!close)
			break;
		at = close + 1;
		bool ends = tag[1] == '/';
		const char *name = tag + 1 + (ends ? 1 : 0);
		size_t name_len = 0;
		while (name + name_len < close && isalnum((unsigned char)name[name_len]))
			name_len++;
		if (!ends && tag_is(name, name_len, "script style head title"))
			at = skip_element(at, end, name, name_len);
		else if (!ends && (sight = tag_sight(name, name_len, close)) != SEEN) {
			/* What is never closed is hidden to the end; a line through the rest was hardly meant. */
			content_end = element_end(at, end, name, name_len, &budget);
			at = content_end ? content_end : sight == UNSEEN ? end : at;
		} else if (tag_is(name, name_len, "br"))
			html_line(&h);
		else if (tag_is(name, name_len, "pre"))
			h.pre = !ends;
		else if (!ends && tag_is(name, name_len, "hr")) {
			html_break_before(&h);
			html_text(&h, "________________________________", 32);
			html_line(&h);
		} else if (tag_is(name, name_len, "blockquote")) {
			html_break_before(&h);
			h.quote += ends ? -(h.quote > 0) : 1;
		} else if (tag_is(name, name_len, "td th")) {
			if (ends)
				h.space = true;
		} else if (tag_is(name, name_len,
				   "p div tr table ul ol li h1 h2 h3 h4 h5 h6 dl dt dd section article "
				   "header footer center address")) {
			html_break_before(&h);
		}
	}
	if (!at_line_start(&h))
		str_addc(out, '\n');
}

/* ---- one mail ---- */

static bool is_blank(const char *text)
{
	return !text || text[strspn(text, " \t\r\n")] == '\0';
}

struct builder {
	struct message *message;
	const struct message_limits *limits;
	struct pool *pool;
	size_t size, decoded;
	int alternatives, alternative; /* met so far, and the one that is walked; 0: none */
	struct str damage;
};

static void say_damage(struct builder *b, const char *sentence)
{
	if (strstr(b->damage.s, sentence))
		return;
	if (b->damage.len)
		str_addc(&b->damage, ' ');
	str_addz(&b->damage, sentence);
}

static const char *decoded_header(struct pool *pool, const char *raw)
{
	struct str text = STR_INIT;
	(void)header_decode(&text, raw, strlen(raw));
	const char *kept = text_trim(pool_strdup(pool, text.s));
	str_free(&text);
	return kept;
}

static const char *raw_header(GMimeObject *object, const char *name)
{
	GMimeHeaderList *list = g_mime_object_get_header_list(object);
	GMimeHeader *header = g_mime_header_list_get_header(list, name);
	return header ? g_mime_header_get_raw_value(header) : NULL;
}

/* The name of a part, wherever the mailer put it: filename*, name*, filename, name (RFC 2231 before RFC 2047). */
static const char *part_name(GMimeObject *object, struct pool *pool)
{
	const char *disposition = raw_header(object, "Content-Disposition"),
		   *type = raw_header(object, "Content-Type");
	struct str name = STR_INIT;
	bool found = disposition && parameter_find(&name, disposition, "filename") && name.len;
	if (!found && type)
		(void)parameter_find(&name, type, "name");
	for (size_t i = 0; i < name.len; i++) /* what %0A and %00 were */
		if ((unsigned char)name.s[i] < ' ' || name.s[i] == 0x7F)
			name.s[i] = ' ';
	const char *kept = pool_strdup(pool, name.s);
	str_free(&name);
	return kept;
}

static const char *lower(struct pool *pool, const char *text)
{
	char *copy = pool_strdup(pool, text);
	for (char *c = copy; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return copy;
}

static const char *declared_type(GMimeObject *object, struct pool *pool)
{
	GMimeContentType *type = g_mime_object_get_content_type(object);
	const char *raw = raw_header(object, "Content-Type");
	if (!type || (raw && !memchr(raw, '/', strcspn(raw, ";")))) /* RFC 2045 section 5.2 */
		return "text/plain";
	return lower(pool,
		pool_printf(pool, "%s/%s",
			g_mime_content_type_get_media_type(type) ? g_mime_content_type_get_media_type(type)
								 : "text",
			g_mime_content_type_get_media_subtype(type)
				? g_mime_content_type_get_media_subtype(type)
				: "plain"));
}

/* Lines that begin like a boundary, and are ornament more often. */
#define LINES_PER_PART 100
#define FIELDS_PER_PART 10 /* that tell a part's type */

static const char header_left_out[] = "The header is longer than is read.";
static const char parts_left_out[] = "The mail has more parts than are read.";

static struct message_part *new_part(struct builder *b)
{
	struct message *m = b->message;
	if (m->part_count >= (size_t)b->limits->parts) {
		say_damage(b, parts_left_out);
		return NULL;
	}
	if (m->part_count == b->size) {
		b->size = b->size ? b->size * 2 : 8;
		struct message_part *larger = pool_alloc(b->pool, b->size * sizeof *larger);
		if (m->part_count)
			memcpy(larger, m->part, m->part_count * sizeof *larger);
		m->part = larger;
	}
	struct message_part *part = &m->part[m->part_count++];
	*part = (struct message_part){.parent = -1, .alternative = b->alternative, .name = "", .bytes = ""};
	return part;
}

static void read_content(struct builder *b, struct message_part *part, GMimeDataWrapper *content)
{
	GMimeStream *stream = g_mime_stream_mem_new();
	if (content)
		(void)g_mime_data_wrapper_write_to_stream(content, stream);
	GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
	size_t len = bytes->len;
	if (len > b->limits->decoded_bytes - b->decoded) {
		say_damage(b, "A part is larger than is read.");
		len = 0;
	}
	b->decoded += len;
	part->bytes = len ? pool_strndup(b->pool, (const char *)bytes->data, len) : "";
	part->len = len;
	g_object_unref(stream);
}

/* Bytes of one text that are decoded: many times what anybody writes. */
#define TEXT_BYTES_MAX ((size_t)4 * 1024 * 1024)

static void make_text(struct builder *b, struct message_part *part, const char *charset)
{
	struct str text = STR_INIT, plain = STR_INIT;
	size_t len = part->len < TEXT_BYTES_MAX ? part->len : TEXT_BYTES_MAX;
	if (len < part->len && part->parent == -1 && !part->attachment)
		say_damage(b, "The text is longer than is read.");
	(void)charset_decode(&text, part->bytes, len, charset, NULL);
	if (part->parent == -1 && memchr(text.s, '\0', text.len))
		say_damage(b, "The text holds NUL bytes.");
	if (part->kind == PART_HTML)
		html_to_text(&plain, text.s, text.len);
	else
		for (size_t i = 0; i < text.len; i++) { /* one kind of line end, no NUL */
			if (text.s[i] == '\r' && i + 1 < text.len && text.s[i + 1] == '\n')
				continue;
			str_addc(&plain, text.s[i] == '\r' ? '\n' : text.s[i] ? text.s[i] : ' ');
		}
	part->text = pool_strdup(b->pool, plain.s);
	str_free(&text);
	str_free(&plain);
}

static void walk(struct builder *b, GMimeObject *object, int depth, int parent);

static void walk_leaf(struct builder *b, GMimePart *leaf, int depth, int parent)
{
	GMimeObject *object = GMIME_OBJECT(leaf);
	struct message_part *part = new_part(b);
	if (!part)
		return;
	part->depth = depth;
	part->parent = parent;
	part->declared_type = declared_type(object, b->pool);
	part->name = part_name(object, b->pool);
	read_content(b, part, g_mime_part_get_content(leaf));
	part->kind = part_kind_tell(part->bytes, part->len, part->declared_type);
	GMimeContentDisposition *disposition = g_mime_object_get_content_disposition(object);
	bool is_text = part->kind == PART_TEXT || part->kind == PART_HTML;
	part->attachment = (disposition && g_mime_content_disposition_is_attachment(disposition)) ||
			   (!is_text && part->name[0]);
	if (is_text || part->kind == PART_DELIVERY_STATUS || part->kind == PART_DISPOSITION_NOTIFICATION ||
		(part->kind == PART_MESSAGE && strcmp(part->declared_type, "text/rfc822-headers") == 0))
		make_text(b, part, g_mime_object_get_content_type_parameter(object, "charset"));
}

static void walk_message(struct builder *b, GMimeObject *object, int depth, int parent)
{
	struct message_part *part = new_part(b);
	if (!part)
		return;
	int index = (int)b->message->part_count - 1;
	part->depth = depth;
	part->parent = parent;
	part->kind = PART_MESSAGE;
	part->declared_type = "message/rfc822";
	part->name = part_name(object, b->pool);
	part->attachment = true;
	GMimeMessage *inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));
	if (!inner)
		return;
	GMimeStream *stream = g_mime_stream_mem_new();
	(void)g_mime_object_write_to_stream(GMIME_OBJECT(inner), NULL, stream);
	GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
	if (bytes->len > b->limits->decoded_bytes - b->decoded) {
		say_damage(b, "A part is larger than is read.");
	} else if (bytes->len) {
		b->decoded += bytes->len;
		part->bytes = pool_strndup(b->pool, (const char *)bytes->data, bytes->len);
		part->len = bytes->len;
	}
	g_object_unref(stream);
	if (g_mime_message_get_mime_part(inner))
		walk(b, g_mime_message_get_mime_part(inner), depth + 1, index);
}

/* A multipart whose boundary is missing or never comes: what stands in it is all there is to read. */
static void walk_prologue(struct builder *b, GMimeMultipart *multipart, int depth, int parent)
{
	const char *text = g_mime_multipart_get_prologue(multipart);
	size_t len = text ? strlen(text) : 0;
	if (is_blank(text) || len > b->limits->decoded_bytes - b->decoded)
		return;
	struct message_part *part = new_part(b);
	if (!part)
		return;
	b->decoded += len;
	part->kind = PART_TEXT;
	part->declared_type = "text/plain";
	part->depth = depth;
	part->parent = parent;
	part->bytes = pool_strndup(b->pool, text, len);
	part->len = len;
	make_text(b, part, NULL);
	say_damage(b, "The boundary between the parts is missing.");
}

static void walk(struct builder *b, GMimeObject *object, int depth, int parent)
{
	if (depth > b->limits->depth) {
		say_damage(b, "The mail is nested more deeply than is read.");
		return;
	}
	if (GMIME_IS_MULTIPART(object)) {
		GMimeMultipart *multipart = GMIME_MULTIPART(object);
		int count = g_mime_multipart_get_count(multipart), around = b->alternative;
		GMimeContentType *type = g_mime_object_get_content_type(object);
		if (!around && g_mime_content_type_is_type(type, "multipart", "alternative"))
			b->alternative = ++b->alternatives;
		if (count == 0)
			walk_prologue(b, multipart, depth, parent);
		for (int i = 0; i < count; i++) {
			if (b->message->part_count >= (size_t)b->limits->parts) {
				say_damage(b, parts_left_out);
				break;
			}
			walk(b, g_mime_multipart_get_part(multipart, i), depth + 1, parent);
		}
		b->alternative = around;
	} else if (GMIME_IS_MESSAGE_PART(object)) {
		walk_message(b, object, depth, parent);
	} else if (GMIME_IS_PART(object)) {
		walk_leaf(b, GMIME_PART(object), depth, parent);
	}
}

/* Behind a quoted string, comment or encoded word: signs in it are text. */
static const char *text_end(const char *at)
{
	char close = *at == '"' ? '"' : ')';
	if (*at == '=') {
		const char *end = strstr(at + 2, "?=");
		return end ? end + 2 : at + strlen(at);
	}
	for (at++; *at && *at != close; at++)
		if (*at == '\\' && at[1])
			at++;
	return *at ? at + 1 : at;
}

/* An address field as UTF-8 without its comments. Quoted strings and encoded words stay as they are: what stands in them is text, whatever it looks like. */
static const char *without_comments(struct pool *pool, const char *raw)
{
	struct str text = STR_INIT, out = STR_INIT;
	(void)charset_decode(&text, raw, strlen(raw), NULL, NULL);
	for (const char *at = text.s; *at;) {
		bool piece = *at == '"' || *at == '(' || str_has_prefix(at, "=?");
		const char *end = piece ? text_end(at) : at + 1;
		if (*at != '(')
			str_add(&out, at, (size_t)(end - at));
		at = end;
	}
	const char *copy = pool_strdup(pool, out.s);
	str_free(&text);
	str_free(&out);
	return copy;
}

/* The first of the signs that stands in no quoted string; NULL: none does. */
static const char *find_sign(const char *text, const char *signs)
{
	for (const char *at = text; *at; at = *at == '"' ? text_end(at) : at + 1)
		if (*at != '"' && strchr(signs, *at))
			return at;
	return NULL;
}

/* The one word that has an @; "" where there are several, or none. */
static char *word_with_at(struct pool *pool, const char *text)
{
	static const char blanks[] = " \t\r\n,;";
	char *found = pool_strdup(pool, "");
	while (*text) {
		text += strspn(text, blanks);
		const char *end = find_sign(text, blanks);
		end = end ? end : text + strlen(text);
		char *word = pool_strndup(pool, text, (size_t)(end - text));
		if (find_sign(word, "@")) {
			if (*found)
				return pool_strdup(pool, "");
			found = word;
		}
		text = end;
	}
	return found;
}

/* No encoded word is an address (RFC 2047 5), and none has two @ outside of quotes: another reader would take it for somebody else's. */
static bool is_address(const char *text)
{
	const char *sign = find_sign(text, "@");
	return sign && !find_sign(sign + 1, "@<>") && !strstr(text, "=?") && utf8_valid(text, strlen(text));
}

/*
 * An address field as people write it: the only <…>, else the only word with an @. Read from the field as it came: brackets and signs in a comment, a quoted name
 * or an encoded word belong to a name. What can be read in two ways, and a group (RFC 6854), has no address.
 */
static void read_address(struct message_address *out, const char *raw, struct pool *pool)
{
	*out = (struct message_address){.name = "", .address = ""};
	if (!raw)
		return;
	const char *text = without_comments(pool, raw);
	const char *open = find_sign(text, "<"), *close = open ? strchr(open, '>') : NULL;
	char *address;
	if (open) {
		const char *name = decoded_header(pool, pool_strndup(pool, text, (size_t)(open - text)));
		out->name = text_trim(pool_strdup(pool, name));
	}
	if (close) {
		address = text_trim(pool_strndup(pool, open + 1, (size_t)(close - open - 1)));
		if (find_sign(close, "<@"))
			address = pool_strdup(pool, "");
	} else { /* a bracket that is never closed is no doubt: there is one address */
		address = find_sign(text, ":") ? pool_strdup(pool, "")
					       : word_with_at(pool, open ? open + 1 : text);
	}
	char *sign = strrchr(address, '@');
	for (char *c = sign; c && *c; c++)
		*c = (char)tolower((unsigned char)*c);
	out->address = is_address(address) ? address : "";
	size_t n = strlen(out->name);
	if (n >= 2 && out->name[0] == '"' && out->name[n - 1] == '"')
		out->name = pool_strndup(pool, out->name + 1, n - 2);
}

/* How many addresses an address field holds; 1 where none can be told. */
static int address_count(const char *raw)
{
	int count = 0;
	bool address = false;
	for (const char *at = raw; *at;) {
		if (*at == '"' || *at == '(' || (at[0] == '=' && at[1] == '?')) {
			at = text_end(at);
			continue;
		}
		address = address || *at == '@';
		if (*at == ',' || *at == ';') {
			count += address;
			address = false;
		}
		at++;
	}
	count += address;
	return count ? count : 1;
}

static void collect(struct builder *b, const char ***values, size_t *count, const char *value)
{
	if (*count >= 64)
		return;
	if (*count % 16 == 0) {
		const char **larger = pool_alloc(b->pool, (*count + 16) * sizeof *larger);
		if (*count)
			memcpy(larger, *values, *count * sizeof *larger);
		*values = larger;
	}
	(*values)[(*count)++] = value;
}

static const struct {
	const char *name;
	size_t offset;
} single_headers[] = {
	{"Subject", offsetof(struct message, subject)},
	{"Message-ID", offsetof(struct message, message_id)},
	{"In-Reply-To", offsetof(struct message, in_reply_to)},
	{"References", offsetof(struct message, references)},
	{"To", offsetof(struct message, to)},
	{"Cc", offsetof(struct message, cc)},
	{"Auto-Submitted", offsetof(struct message, auto_submitted)},
	{"Precedence", offsetof(struct message, precedence)},
	{"List-Id", offsetof(struct message, list_id)},
	{"X-Auto-Response-Suppress", offsetof(struct message, x_auto_response_suppress)},
	{"X-Loop", offsetof(struct message, x_loop)},
};

/* GMime keeps the fields that describe the body with the body: a mail that has one of them twice means different things to different readers. */
static void read_body_headers(struct builder *b, GMimeMessage *mime)
{
	GMimeObject *body = g_mime_message_get_mime_part(mime);
	if (!body)
		return;
	GMimeHeaderList *list = g_mime_object_get_header_list(body);
	int types = 0;
	for (int i = 0; i < g_mime_header_list_get_count(list); i++)
		types += strcasecmp(g_mime_header_get_name(g_mime_header_list_get_header_at(list, i)),
				 "Content-Type") == 0;
	if (types > 1)
		say_damage(b, "The mail has more than one Content-Type.");
}

static void read_headers(struct builder *b, GMimeMessage *mime)
{
	struct message *m = b->message;
	GMimeObject *object = GMIME_OBJECT(mime);
	GMimeHeaderList *list = g_mime_object_get_header_list(object);
	for (size_t i = 0; i < sizeof single_headers / sizeof *single_headers; i++)
		*(const char **)((char *)m + single_headers[i].offset) = "";

	size_t bytes = 0;
	int count = g_mime_header_list_get_count(list);
	m->header = pool_alloc(b->pool, ((size_t)count + 1) * sizeof *m->header);
	for (int i = 0; i < count; i++) {
		GMimeHeader *header = g_mime_header_list_get_header_at(list, i);
		const char *name = g_mime_header_get_name(header), *raw = g_mime_header_get_raw_value(header);
		bytes += strlen(name) + strlen(raw);
		if (bytes > b->limits->header_bytes) {
			say_damage(b, header_left_out);
			break;
		}
		struct str decoded = STR_INIT;
		if (header_decode(&decoded, raw, strlen(raw)))
			say_damage(b, "A header field holds a hidden line end.");
		const char *value = text_trim(pool_strdup(b->pool, decoded.s));
		str_free(&decoded);
		m->header[m->header_count++] =
			(struct message_header){pool_strdup(b->pool, name), value, pool_strdup(b->pool, raw)};
		for (size_t s = 0; s < sizeof single_headers / sizeof *single_headers; s++) {
			const char **to = (const char **)((char *)m + single_headers[s].offset);
			if (strcasecmp(name, single_headers[s].name) == 0 && !**to)
				*to = value;
		}
		if (strcasecmp(name, "From") == 0) {
			if (m->from_count == 0)
				read_address(&m->from, raw, b->pool);
			m->from_count += address_count(raw);
		} else if (strcasecmp(name, "Sender") == 0 && !m->sender.address)
			read_address(&m->sender, raw, b->pool);
		else if (strcasecmp(name, "Reply-To") == 0 && !m->reply_to.address)
			read_address(&m->reply_to, raw, b->pool);
		else if (strcasecmp(name, "Return-Path") == 0 && !m->return_path) {
			struct message_address path;
			read_address(&path, raw, b->pool);
			m->return_path = path.address;
		} else if (strcasecmp(name, "Authentication-Results") == 0)
			collect(b, &m->authentication_results, &m->authentication_results_count, value);
		else if (strcasecmp(name, "Received") == 0)
			collect(b, &m->received, &m->received_count, value);
		else if (strcasecmp(name, "Delivered-To") == 0 || strcasecmp(name, "X-Original-To") == 0 ||
			 strcasecmp(name, "To") == 0)
			collect(b, &m->delivered_to, &m->delivered_to_count, value);
	}
	struct message_address *const addresses[] = {&m->from, &m->sender, &m->reply_to};
	for (size_t i = 0; i < 3; i++)
		if (!addresses[i]->address)
			*addresses[i] = (struct message_address){.name = "", .address = ""};
	GDateTime *date = g_mime_message_get_date(mime);
	m->date = date ? (utc_time)g_date_time_to_unix(date) : 0;
}

/* Up to the empty line. */
static size_t header_length(const char *bytes, size_t len)
{
	const char *lf = memmem(bytes, len, "\n\n", 2), *crlf = memmem(bytes, len, "\r\n\r\n", 4);
	const char *end = lf && (!crlf || lf < crlf) ? lf : crlf;
	return end ? (size_t)(end - bytes) : len;
}

/* Behind the field that begins at `at`: its line and those that go on it. */
static size_t field_end(const char *bytes, size_t at, size_t end)
{
	do {
		const char *line_end = memchr(bytes + at, '\n', end - at);
		at = line_end ? (size_t)(line_end - bytes) + 1 : end;
	} while (at < end && (bytes[at] == ' ' || bytes[at] == '\t'));
	return at;
}

/* The fields that are read, and the body: the parser would build all of a flood before anybody could look at the limits. */
static char *without_floods(
	const char *bytes, size_t *len, const struct message_limits *limits, struct pool *pool)
{
	size_t header = header_length(bytes, *len), kept = 0;
	char *copy = pool_alloc(pool, limits->header_bytes + *len - header + 1);
	for (size_t at = 0, next; at < header; at = next) {
		next = field_end(bytes, at, header);
		if (next - at > limits->header_bytes - kept)
			continue;
		memcpy(copy + kept, bytes + at, next - at);
		kept += next - at;
	}
	memcpy(copy + kept, bytes + header, *len - header);
	*len = kept + *len - header;
	copy[*len] = '\0';
	return copy;
}

/* Where a mail has more lines that may begin a part than any mail whose parts are read: the length before; else len. */
static size_t parts_end(const char *bytes, size_t len, const struct message_limits *limits)
{
	static const char field[] = "content-type:";
	int boundaries = limits->parts * LINES_PER_PART, fields = limits->parts * FIELDS_PER_PART;
	for (size_t at = 0; at < len;) {
		if (len - at > sizeof field &&
			(memcmp(bytes + at, "--", 2) == 0
					? --boundaries < 0
					: strncasecmp(bytes + at, field, sizeof field - 1) == 0 &&
						  --fields < 0))
			return at;
		const char *line_end = memchr(bytes + at, '\n', len - at);
		at = line_end ? (size_t)(line_end - bytes) + 1 : len;
	}
	return len;
}

void message_preload(void)
{
	static bool ready;
	if (ready)
		return;
	g_mime_init();
	charset_preload();
	ready = true;
}

enum rc message_read(struct message *out, const char *bytes, size_t len, const struct message_limits *limits,
	struct pool *pool, struct err *err)
{
	*out = (struct message){.damage = ""};
	if (len > limits->bytes)
		return err_set(
			err, RC_REFUSED, "The mail has %zu bytes; at most %zu are read.", len, limits->bytes);
	bool blank = true;
	for (size_t i = 0; i < len && blank; i++)
		blank = isspace((unsigned char)bytes[i]) || bytes[i] == '\0';
	if (blank)
		return err_set(err, RC_REFUSED, "The mail is empty.");

	message_preload();
	/* Lines that end in CR alone: an old Macintosh, or a gateway's damage. */
	char *mended = NULL;
	if (!memchr(bytes, '\n', len)) {
		mended = pool_strndup(pool, bytes, len);
		for (size_t i = 0; i < len; i++)
			if (mended[i] == '\r')
				mended[i] = '\n';
	}
	bytes = mended ? mended : bytes;
	bool flooded = header_length(bytes, len) > limits->header_bytes;
	if (flooded)
		bytes = without_floods(bytes, &len, limits, pool);
	size_t whole = len;
	len = parts_end(bytes, len, limits);
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer(bytes, len);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeMessage *mime = g_mime_parser_construct_message(parser, NULL);
	enum rc rc = RC_OK;
	if (mime && g_mime_header_list_get_count(g_mime_object_get_header_list(GMIME_OBJECT(mime))) > 0) {
		struct builder b = {.message = out, .limits = limits, .pool = pool, .damage = STR_INIT};
		if (flooded)
			say_damage(&b, header_left_out);
		if (len < whole)
			say_damage(&b, parts_left_out);
		read_headers(&b, mime);
		read_body_headers(&b, mime);
		if (memchr(bytes, '\0', header_length(bytes, len)))
			say_damage(&b, "The header holds NUL bytes.");
		if (g_mime_message_get_mime_part(mime))
			walk(&b, g_mime_message_get_mime_part(mime), 0, -1);
		out->damage = pool_strdup(pool, b.damage.s);
		str_free(&b.damage);
	} else {
		rc = err_set(err, RC_REFUSED, "The mail has no header that can be read.");
	}
	if (mime)
		g_object_unref(mime);
	g_object_unref(parser);
	g_object_unref(stream);
	return rc;
}

const char *message_header(const struct message *message, const char *name)
{
	for (size_t i = 0; i < message->header_count; i++)
		if (strcasecmp(message->header[i].name, name) == 0)
			return message->header[i].value;
	return NULL;
}

static bool is_written(const struct message_part *part)
{
	return part->parent == -1 && !part->attachment && !is_blank(part->text) &&
	       (part->kind == PART_TEXT || part->kind == PART_HTML);
}

/* Some programs put only "this is an HTML mail" into the plain alternative. */
static const char *better(const char *plain, const char *html)
{
	bool only_says_so = *html && strlen(plain) < 120 && strlen(html) > strlen(plain) * 3;
	return *plain && !only_says_so ? plain : html;
}

const char *message_body(const struct message *message)
{
	const char *plain = "", *html = "";
	for (size_t i = 0; i < message->part_count; i++) {
		const struct message_part *part = &message->part[i];
		if (!is_written(part))
			continue;
		if (part->kind == PART_TEXT && !*plain)
			plain = part->text;
		else if (part->kind == PART_HTML && !*html)
			html = part->text;
	}
	return better(plain, html);
}

static bool is_letter(const struct message_part *part)
{
	return is_written(part) && !part->name[0] &&
	       (strcmp(part->declared_type, "text/plain") == 0 ||
		       strcmp(part->declared_type, "text/html") == 0);
}

static void add_text(struct str *out, const char *text)
{
	if (*text && out->len)
		str_addc(out, '\n');
	str_addz(out, text);
}

/* Of several alternatives one; all there is of it. */
static void add_alternative(struct str *out, const struct message *message, int alternative)
{
	struct str plain = STR_INIT, html = STR_INIT;
	for (size_t i = 0; i < message->part_count; i++) {
		const struct message_part *part = &message->part[i];
		if (part->alternative == alternative && is_letter(part))
			add_text(part->kind == PART_TEXT ? &plain : &html, part->text);
	}
	add_text(out, better(plain.s, html.s));
	str_free(&plain);
	str_free(&html);
}

const char *message_text(const struct message *message, struct pool *pool)
{
	struct str text = STR_INIT;
	int alternative = 0;
	for (size_t i = 0; i < message->part_count; i++) {
		const struct message_part *part = &message->part[i];
		if (!is_letter(part))
			continue;
		if (part->alternative == 0) {
			add_text(&text, part->text);
		} else if (part->alternative != alternative) {
			alternative = part->alternative;
			add_alternative(&text, message, alternative);
		}
	}
	/* A letter of another kind, or under a name, is one all the same where there is no other. */
	const char *whole = text.len ? pool_strdup(pool, text.s) : message_body(message);
	str_free(&text);
	return whole;
}
