#include <string.h>

#include "lib/base/text.h"
#include "lib/form/form_p.h"

/*
 * The confirmation page of the form as text: 項目：値, or the label on one line and its value on the next ones. Page
 * headings and buttons are passed over. A label that was already filled begins the next application, and so does the
 * page's own heading.
 */

#define LABEL_BYTES_MAX ((size_t)400)

struct text {
	struct form_reader *reader;
	const char *text;
	size_t len;
	int line;
	/* the record at hand */
	bool began;
	bool seen[SLOT_COUNT];
	int first_slot;
	bool break_before; /* a separator stood here: the next label may begin a new record */
	/* the value being collected */
	int slot, rank; /* SLOT_COUNT: none */
	struct str value;
	bool blank_before; /* an empty line ended the value, if it had begun */
};

struct labelled {
	int slot, rank;
	const char *value; /* within the line; "" when the label stands alone */
	bool quoted; /* a line of a two-column CSV: "label","value" */
	size_t gap; /* bytes of the blanks that alone part label and value; 0: a sign does */
};

/* ---- lines ---- */

/* | 項目 | 値 |: the outer lines of a table are none of a value. */
static void drop_table_edges(struct str *line)
{
	static const char *const edges[] = {"|", "│", "┃", "｜"};
	size_t begin = (size_t)(skip_blank(line->s) - line->s);
	for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
		if (!str_has_prefix(line->s + begin, edges[i]))
			continue;
		memset(line->s + begin, ' ', strlen(edges[i]));
		if (str_has_suffix(line->s, edges[i]))
			str_cut(line, line->len - strlen(edges[i]));
		str_cut(line, blank_end(line->s, line->len));
		return;
	}
}

static bool next_line(struct text *text, size_t *at, struct str *line)
{
	if (*at >= text->len)
		return false;
	const char *from = text->text + *at;
	size_t left = text->len - *at, n = 0;
	while (n < left && from[n] != '\n' && from[n] != '\r')
		n++;
	size_t end = n + (n < left && from[n] == '\r' && n + 1 < left && from[n + 1] == '\n' ? 2 : n < left);
	str_clear(line);
	str_add(line, from, blank_end(from, n));
	drop_table_edges(line);
	*at += end;
	text->line++;
	return true;
}

/* The label in line[0..len) (quotes of a two-column CSV taken off). */
static bool label_at(const struct form_reader *reader, const char *line, size_t len, struct labelled *out)
{
	char label[LABEL_BYTES_MAX + 1];
	if (len > LABEL_BYTES_MAX)
		return false;
	memcpy(label, line, len);
	label[len] = '\0';
	out->slot = fieldmap_slot(reader->map, label, &out->rank);
	return out->slot < SLOT_COUNT;
}

/* Behind the first sign that can part label and value, from `at` on; 0: none. *label_len: what stands before it. */
static size_t find_colon(const char *line, size_t at, size_t *label_len)
{
	static const char *const signs[] = {"：", ":", "\t", "＝", "=", ",", "，", "│", "|", "→", "⇒"};
	for (; line[at]; at++) {
		for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
			if (str_has_prefix(line + at, signs[i])) {
				*label_len = at;
				return at + strlen(signs[i]);
			}
		}
	}
	return 0;
}

/* The bracket that closes what was opened before `inside`: 【【公開】事業者名】. NULL: none. */
static const char *closing(const char *inside, const char *open, const char *close)
{
	int depth = 1;
	for (const char *p = inside; *p; p++) {
		if (str_has_prefix(p, open))
			depth++;
		else if (str_has_prefix(p, close) && --depth == 0)
			return p;
	}
	return NULL;
}

/* 【担当者名】山田太郎 */
static bool bracketed_label(const struct form_reader *reader, const char *line, struct labelled *out)
{
	static const char *const brackets[][2] = {
		{"【", "】"}, {"[", "]"}, {"［", "］"}, {"＜", "＞"}, {"<", ">"}, {"「", "」"}, {"《", "》"}};
	for (size_t i = 0; i < sizeof brackets / sizeof *brackets; i++) {
		if (!str_has_prefix(line, brackets[i][0]))
			continue;
		const char *inside = line + strlen(brackets[i][0]);
		const char *close = closing(inside, brackets[i][0], brackets[i][1]);
		if (!close || !label_at(reader, inside, (size_t)(close - inside), out))
			return false;
		out->value = skip_blank(close + strlen(brackets[i][1]));
		if (*out->value == ':')
			out->value = skip_blank(out->value + 1);
		else if (str_has_prefix(out->value, "："))
			out->value = skip_blank(out->value + strlen("："));
		return true;
	}
	return false;
}

/* 担当者名　　山田太郎: columns made with blanks. */
static bool spaced_label(const struct form_reader *reader, const char *line, struct labelled *out)
{
	for (const char *p = line; *p && p < line + LABEL_BYTES_MAX; p++) {
		const char *behind = skip_blank(p);
		if (behind == p)
			continue;
		if (label_at(reader, line, (size_t)(p - line), out)) {
			out->value = behind;
			out->gap = (size_t)(behind - p);
			return true;
		}
		p = behind - 1;
	}
	return false;
}

/* Values behind blanks that would pass for signs or for part of the label: ★★, {{…}}, and =1+1 behind a wide gap. */
static bool spaced_sign(const struct form_reader *reader, const char *line, struct labelled *out)
{
	if (!spaced_label(reader, line, out))
		return false;
	const char *value = out->value;
	return str_has_prefix(value, "★") || str_has_prefix(value, "☆") || str_has_prefix(value, "{{") ||
	       str_has_prefix(value, "'=") ||
	       (*value == '=' && out->gap > 1 && skip_blank(value + 1) == value + 1);
}

static bool labelled_line(const struct form_reader *reader, const char *line, struct labelled *out)
{
	line = skip_blank(line);
	*out = (struct labelled){.slot = SLOT_COUNT, .quoted = *line == '"'};
	if (bracketed_label(reader, line, out) || spaced_sign(reader, line, out))
		return true;
	out->gap = 0;
	size_t label_len = 0;
	for (size_t at = find_colon(line, 0, &label_len), tries = 0; at && tries < 3;
		at = find_colon(line, at, &label_len), tries++) {
		if (label_at(reader, line, label_len, out)) {
			out->value = line + at;
			out->quoted |= *skip_blank(out->value) == '"' &&
				       (line[at - 1] == ',' || line[label_len - 1] == '"');
			return true;
		}
	}
	if (label_at(reader, line, strlen(line), out)) {
		out->value = "";
		return true;
	}
	return spaced_label(reader, line, out);
}

/* ----, ＝＝＝＝, ────: nothing but one sign, four times or more; ---|--- of a table. */
static bool is_separator(const char *line)
{
	static const char *const signs[] = {
		"-", "=", "*", "_", "~", "#", "－", "―", "─", "━", "＝", "＊", "―", "〜", "～", "ー", "…"};
	line = skip_blank(line);
	if (strcmp(line, "--") == 0) /* RFC 3676 section 4.3: a signature follows */
		return true;
	if (strstr(line, "---") && strspn(line, "-|+:= ") == strlen(line))
		return true;
	for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
		size_t n = strlen(signs[i]), count = 0;
		const char *p = line;
		for (; str_has_prefix(p, signs[i]); p += n)
			count++;
		if (count >= 4 && !*p)
			return true;
	}
	return false;
}

/* What the page itself says. `starts`: it begins the page of a new application. */
static bool is_page_text(const char *line, bool *starts)
{
	static const struct {
		const char *text;
		bool whole;
	} page[] = {
		{"入力（", false},
		{"入力(", false},
		{"戻る", true},
		{"次へ", true},
		{"登録", true},
		{"登録する", true},
		{"送信", true},
		{"送信する", true},
		{"印刷", true},
		{"戻る 登録", true},
		{"戻る　登録", true},
		{"SECURITY ACTION", true},
		{"SECURITY ACTION 自己宣言申込みフォーム", true},
		{"セキュリティ対策自己宣言", true},
		{"ブラウザの「戻る」", false},
		{"【必須】項目は", false},
		{"【公開】項目は", false},
		{"以下の内容で", false},
		{"下記の内容で", false},
		{"Copyright", false},
		{"以上", true},
	};
	line = skip_blank(line);
	*starts = strstr(line, "入力内容確認") || strstr(line, "入力内容の確認");
	if (*starts)
		return true;
	for (size_t i = 0; i < sizeof page / sizeof *page; i++) {
		if (page[i].whole ? strcmp(line, page[i].text) == 0 : str_has_prefix(line, page[i].text))
			return true;
	}
	return false;
}

/* ---- records ---- */

static void end_value(struct text *text)
{
	struct form_reader *reader = text->reader;
	if (text->slot < SLOT_COUNT)
		reader_put(reader, text->slot, text->rank,
			pool_strndup(reader->pool, text->value.s, text->value.len));
	text->slot = SLOT_COUNT;
	str_clear(&text->value);
	text->blank_before = false;
}

/* Behind an application: a way to reach somebody, and nothing that only a form asks. */
static bool is_signature(const struct text *text)
{
	static const int reach[] = {
		FIELD_TELEPHONE, FIELD_MAIL, SLOT_OTHER_MAIL, FIELD_POSTAL_CODE, FIELD_ADDRESS};
	static const int asked[] = {FIELD_KIND, FIELD_PURPOSE, FIELD_PLEDGE, FIELD_TYPE,
		FIELD_CORPORATE_NUMBER, FIELD_PRIVACY, FIELD_TERMS, SLOT_CONSENTS, SLOT_DECISION_ACTION};
	bool reaches = false;
	for (size_t i = 0; i < sizeof reach / sizeof *reach; i++)
		reaches |= text->seen[reach[i]];
	for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
		if (text->seen[asked[i]])
			return false;
	}
	return reaches && text->reader->record.record > 0;
}

static enum rc end_record(struct text *text)
{
	end_value(text);
	text->break_before = false;
	if (!text->began)
		return RC_OK;
	bool signature = is_signature(text);
	text->began = false;
	memset(text->seen, 0, sizeof text->seen);
	return signature ? RC_OK : reader_emit(text->reader);
}

/* A value may go on over several lines; it begins behind its label's own line end. */
static void add_value(struct text *text, const char *line)
{
	line = skip_blank(line);
	if (text->value.len && *line)
		str_addc(&text->value, '\n');
	str_addz(&text->value, line);
}

static void add_quoted_value(struct text *text, const char *value)
{
	value = skip_blank(value);
	size_t len = strlen(value);
	len -= str_has_suffix(value, "\","); /* a line of JSON */
	if (len < 2 || *value != '"' || value[len - 1] != '"') {
		add_value(text, value);
		return;
	}
	for (size_t i = 1; i < len - 1; i++) {
		if (value[i] == '"' && value[i + 1] == '"')
			i++;
		str_addc(&text->value, value[i]);
	}
}

static enum rc take_label(struct text *text, const struct labelled *found)
{
	end_value(text);
	int slot = found->slot;
	/* The page asks for the address twice under one label. */
	if (slot == FIELD_MAIL && text->seen[FIELD_MAIL] && !text->seen[FIELD_MAIL_CONFIRM] &&
		!text->break_before)
		slot = FIELD_MAIL_CONFIRM;
	if (text->began && text->seen[slot] && (text->break_before || slot == text->first_slot)) {
		enum rc rc = end_record(text);
		if (rc)
			return rc;
	}
	if (!text->began) {
		reader_begin(text->reader, text->line);
		text->began = true;
		text->first_slot = slot;
	}
	text->break_before = false;
	text->seen[slot] = true;
	text->slot = slot;
	text->rank = found->rank;
	if (found->quoted)
		add_quoted_value(text, found->value);
	else
		add_value(text, found->value);
	return RC_OK;
}

/* "備考：なし": a label we do not know ends the value before it; "Bcc: x" or "http://x" behind a name does not: that is what
 * an injected line looks like, and validation must see it. */
static bool is_unknown_label(const char *line)
{
	size_t label_len = 0;
	const char *p = skip_blank(line);
	return find_colon(p, 0, &label_len) && label_len > 0 && label_len < 90 &&
	       ((unsigned char)*p & 0x80) != 0 && p[label_len] != ',' && p[label_len] != '=';
}

/* Has the value not begun, or only its explanation (the pledge's text stands before 誓約する)? */
static bool is_awaiting(const struct text *text)
{
	if (text->slot == SLOT_COUNT || text->value.len == 0)
		return text->slot < SLOT_COUNT;
	return text->slot < FIELD_COUNT && fieldmap_closed(text->reader->map, (enum form_field)text->slot) &&
	       !fieldmap_choice(text->reader->map, (enum form_field)text->slot, text->value.s);
}

/* 項目 and 通知 head tables and pages of applications too: they are labels only of a record that is a decision. */
static bool is_label(const struct text *text, const struct labelled *found)
{
	bool decision = text->seen[SLOT_DECISION_TARGET] || text->seen[SLOT_DECISION_REQUEST] ||
			text->seen[SLOT_DECISION_ACTION] ||
			(text->began && text->first_slot == FIELD_DECLARATION_ID);
	return found->slot != SLOT_IGNORED && (!SLOT_IS_DETAIL(found->slot) || decision);
}

static enum rc take_line(struct text *text, const char *line)
{
	struct labelled found;
	bool starts = false;
	if (!*skip_blank(line)) {
		text->blank_before = true;
		return RC_OK;
	}
	if (is_separator(line)) {
		end_value(text);
		text->break_before = true;
		return RC_OK;
	}
	/* A choice that reads like a label (同意) is an answer while one is awaited. */
	bool awaited = is_awaiting(text);
	bool answer = awaited && text->slot < FIELD_COUNT &&
		      fieldmap_choice(text->reader->map, (enum form_field)text->slot, line);
	if (!answer && labelled_line(text->reader, line, &found) && is_label(text, &found)) {
		/* 法人・個人事業主 below 法人／個人事業主 is an answer, if not a good one; so are 代表取締役 見本 and 同意 太郎. */
		answer = awaited &&
			 ((found.slot == text->slot && !*found.value) || text->slot == SLOT_DECISION_FIELD ||
				 (found.slot >= FIELD_COUNT && found.gap > 0));
		if (!answer)
			return take_label(text, &found);
	}
	if (!answer && is_page_text(line, &starts)) {
		end_value(text);
		return starts ? end_record(text) : RC_OK;
	}
	if (text->slot == SLOT_COUNT)
		return RC_OK;
	if ((!awaited && text->blank_before) ||
		(text->value.len && text->slot != FIELD_ADDRESS && is_unknown_label(line)))
		end_value(text);
	else
		add_value(text, line);
	text->blank_before = false;
	return RC_OK;
}

#define FIELDS_MIN 3 /* different labels that make a text a form */
#define SEARCH_LINES 2000

bool text_detect(const struct form_reader *reader, const char *bytes, size_t len)
{
	struct text text = {.text = bytes, .len = len};
	struct str line = STR_INIT;
	bool seen[SLOT_COUNT] = {false};
	int fields = 0;
	for (size_t at = 0;
		fields < FIELDS_MIN && text.line < SEARCH_LINES && next_line(&text, &at, &line);) {
		struct labelled found;
		if (!labelled_line(reader, line.s, &found) || found.slot == SLOT_IGNORED ||
			SLOT_IS_DETAIL(found.slot) || seen[found.slot])
			continue;
		seen[found.slot] = true;
		fields++;
		if (seen[SLOT_DECISION_ACTION] &&
			(seen[SLOT_DECISION_TARGET] || seen[SLOT_DECISION_REQUEST] ||
				seen[FIELD_DECLARATION_ID]))
			fields = FIELDS_MIN;
	}
	str_free(&line);
	return fields >= FIELDS_MIN;
}

enum rc text_read(struct form_reader *reader, const char *bytes, size_t len)
{
	struct text text = {
		.reader = reader, .text = bytes, .len = len, .slot = SLOT_COUNT, .value = STR_INIT};
	struct str line = STR_INIT;
	reader->head.format = FORM_TEXT;
	enum rc rc = RC_OK;
	for (size_t at = 0; !rc && next_line(&text, &at, &line);)
		rc = take_line(&text, line.s);
	if (!rc)
		rc = end_record(&text);
	str_free(&line);
	str_free(&text.value);
	return rc;
}
