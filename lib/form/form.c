#include "lib/form/cell.h"
#include "lib/form/form.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/text.h"
#include "lib/form/decision.h"
#include "lib/form/form_p.h"

const struct form_limits form_limits_default = {
	.file_bytes = (size_t)64 << 20,
	.records = 200000,
	.value_bytes = 8192,
	.columns = 200,
};

enum rc reader_refuse(struct form_reader *reader, const char *why_ja, const char *why)
{
	*reader->why_ja = why_ja;
	return err_set(reader->err, RC_REFUSED, "%s", why);
}

/* ---- white space ---- */

/* Length of the white space character at text, 0: none. */
static size_t blank_len(const char *text)
{
	static const char *const wide[] = {"\xE3\x80\x80" /* U+3000 */, "\xC2\xA0" /* U+00A0 */,
		"\xEF\xBB\xBF" /* U+FEFF */, "\xE2\x80\x8B" /* U+200B */, "\xE2\x80\x83" /* U+2003 */};
	if (*text == ' ' || (*text >= '\t' && *text <= '\r'))
		return 1;
	for (size_t i = 0; ((unsigned char)*text & 0x80) && i < sizeof wide / sizeof *wide; i++) {
		size_t n = strlen(wide[i]);
		if (strncmp(text, wide[i], n) == 0)
			return n;
	}
	return 0;
}

const char *skip_blank(const char *text)
{
	for (size_t n; (n = blank_len(text)) != 0;)
		text += n;
	return text;
}

size_t blank_end(const char *text, size_t len)
{
	while (len > 0) {
		size_t at = len - 1;
		while (at > 0 && ((unsigned char)text[at] & 0xC0) == 0x80)
			at--;
		size_t n = blank_len(text + at);
		if (n == 0 || at + n != len)
			return len;
		len = at;
	}
	return 0;
}

/* ---- decoding ---- */

#define REPLACEMENT "\xEF\xBF\xBD"
/* NUL can't stand in a value; another control character takes its place, so that validation finds it. */
#define NUL_SHOWN "\x01"

static void decode_utf8(struct str *out, const char *bytes, size_t len)
{
	for (size_t at = 0; at < len;) {
		uint32_t c = 0;
		size_t n = utf8_next(bytes + at, len - at, &c);
		if (n == 0)
			str_add(out, REPLACEMENT, 3);
		else
			str_add(out, c ? bytes + at : NUL_SHOWN, n);
		at += n ? n : 1;
	}
}

static void decode_cp932(struct str *out, const char *bytes, size_t len)
{
	while (len > 0) {
		const char *nul = memchr(bytes, 0, len);
		size_t part = nul ? (size_t)(nul - bytes) : len, bad = 0;
		size_t used = text_from_cp932(out, bytes, part, &bad) ? part : bad;
		if (used < len) {
			if (used == part)
				str_addz(out, NUL_SHOWN);
			else
				str_add(out, REPLACEMENT, 3);
			/* Both bytes of a pair that has no character; a lead byte before a delimiter goes alone. */
			unsigned char lead = (unsigned char)bytes[used];
			bool pair = used < part &&
				    ((lead >= 0x81 && lead <= 0x9F) || (lead >= 0xE0 && lead <= 0xFC)) &&
				    used + 1 < part && (unsigned char)bytes[used + 1] >= 0x40;
			used += pair ? 2 : 1;
		}
		bytes += used;
		len -= used;
	}
}

void reader_decode(const struct form_reader *reader, struct str *out, const char *bytes, size_t len)
{
	if (reader->clean)
		str_add(out, bytes, len);
	else if (reader->charset == CHARSET_CP932)
		decode_cp932(out, bytes, len);
	else
		decode_utf8(out, bytes, len);
}

static void decode_utf16(struct str *out, const char *bytes, size_t len, bool big)
{
	const unsigned char *p = (const unsigned char *)bytes;
	str_grow(out, len + len / 2);
	for (size_t at = 0; at + 1 < len; at += 2) {
		uint32_t c = (uint32_t)(big ? p[at] << 8 | p[at + 1] : p[at + 1] << 8 | p[at]);
		if (c >= 0xD800 && c <= 0xDBFF && at + 3 < len) {
			uint32_t low =
				(uint32_t)(big ? p[at + 2] << 8 | p[at + 3] : p[at + 3] << 8 | p[at + 2]);
			if (low >= 0xDC00 && low <= 0xDFFF) {
				c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
				at += 2;
			}
		}
		utf8_add(out, c == 0 ? 1 : c >= 0xD800 && c <= 0xDFFF ? 0xFFFD : c);
	}
}

/* Byte sequences that are no characters, by structure alone. */
static size_t utf8_faults(const char *bytes, size_t len)
{
	size_t faults = 0;
	uint32_t c = 0;
	for (size_t at = 0, n; at < len; at += n ? n : 1) {
		n = utf8_next(bytes + at, len - at, &c);
		faults += n == 0;
	}
	return faults;
}

static size_t cp932_faults(const char *bytes, size_t len)
{
	const unsigned char *p = (const unsigned char *)bytes;
	size_t faults = 0;
	for (size_t at = 0; at < len; at++) {
		if (p[at] < 0x80 || (p[at] >= 0xA1 && p[at] <= 0xDF))
			continue;
		bool lead = (p[at] >= 0x81 && p[at] <= 0x9F) || (p[at] >= 0xE0 && p[at] <= 0xFC);
		bool trail = at + 1 < len && p[at + 1] >= 0x40 && p[at + 1] <= 0xFC && p[at + 1] != 0x7F;
		if (lead && trail)
			at++;
		else
			faults++;
	}
	return faults;
}

/* UTF-16 without a mark: Japanese files hold enough ASCII (commas, line ends, addresses) to show on one side. */
static bool looks_utf16(const char *bytes, size_t len, bool *big)
{
	size_t nul[2] = {0}, n = len < 4096 ? len & ~(size_t)1 : 4096;
	for (size_t i = 0; i < n; i++)
		nul[i & 1] += bytes[i] == 0;
	*big = nul[0] > nul[1];
	return n >= 8 && nul[*big ? 0 : 1] > n / 10 && nul[*big ? 1 : 0] < n / 50;
}

static void detect_charset(struct form_reader *reader, struct str *converted)
{
	const char *bytes = reader->bytes;
	size_t len = reader->len;
	bool big = false, little_mark = len >= 2 && memcmp(bytes, "\xFF\xFE", 2) == 0;
	bool big_mark = len >= 2 && memcmp(bytes, "\xFE\xFF", 2) == 0;
	bool utf8_mark = len >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0;
	reader->head.bom = little_mark || big_mark || utf8_mark;
	reader->head.charset = "UTF-8";
	if (little_mark || big_mark || looks_utf16(bytes, len, &big)) {
		size_t skip = little_mark || big_mark ? 2 : 0;
		decode_utf16(converted, bytes + skip, len - skip, big_mark || (skip == 0 && big));
		reader->bytes = converted->s;
		reader->len = converted->len;
		reader->head.charset = "UTF-16";
	} else if (utf8_mark) {
		reader->bytes += 3;
		reader->len -= 3;
	}
	reader->clean = utf8_valid(reader->bytes, reader->len) && !memchr(reader->bytes, 0, reader->len);
	if (reader->clean || reader->head.bom || utf8_valid(reader->bytes, reader->len))
		return;
	if (cp932_faults(reader->bytes, reader->len) <= utf8_faults(reader->bytes, reader->len)) {
		reader->charset = CHARSET_CP932;
		reader->head.charset = "CP932";
	}
}

/* ---- records ---- */

void reader_begin(struct form_reader *reader, int line)
{
	int number = reader->record.record;
	reader->record = (struct form_record){.record = number, .line = line};
	memset(reader->value, 0, sizeof reader->value);
	memset(reader->rank, 0, sizeof reader->rank);
	reader->detail_twice = false;
}

#define DAMAGE_MAX ((size_t)16) /* findings of one record; more would say nothing new */

void reader_damage(struct form_reader *reader, enum form_field field, const char *format, ...)
{
	struct form_record *record = &reader->record;
	for (size_t i = 0; i < record->damage_count; i++) {
		if (record->damage[i].field == field)
			return;
	}
	if (record->damage_count == DAMAGE_MAX)
		return;
	if (!record->damage)
		record->damage = pool_alloc(reader->pool, DAMAGE_MAX * sizeof *record->damage);
	struct str text = STR_INIT;
	va_list args;
	va_start(args, format);
	str_vprintf(&text, format, args);
	va_end(args);
	record->damage[record->damage_count++] =
		(struct form_damage){field, pool_strndup(reader->pool, text.s, text.len)};
	str_free(&text);
}

/* The field that a finding about a part is reported under. */
static enum form_field slot_field(int slot)
{
	static const enum form_field fields[] = {
		[SLOT_REPRESENTATIVE - FIELD_COUNT] = FIELD_FAMILY_NAME,
		[SLOT_CONTACT_FAMILY - FIELD_COUNT] = FIELD_CONTACT,
		[SLOT_CONTACT_GIVEN - FIELD_COUNT] = FIELD_CONTACT,
		[SLOT_TRADE_NAME - FIELD_COUNT] = FIELD_BUSINESS_NAME,
		[SLOT_OTHER_MAIL - FIELD_COUNT] = FIELD_MAIL,
		[SLOT_STREET - FIELD_COUNT] = FIELD_ADDRESS,
		[SLOT_BUILDING - FIELD_COUNT] = FIELD_ADDRESS,
		[SLOT_CONSENTS - FIELD_COUNT] = FIELD_PRIVACY,
	};
	if (slot < FIELD_COUNT)
		return (enum form_field)slot;
	return slot < SLOT_IGNORED ? fields[slot - FIELD_COUNT] : FIELD_COUNT;
}

/* Spreadsheets and our own result files put an apostrophe before what must stay text, be it a formula or a number; the one of
 * '90s belongs to the name. */
static bool is_guard(const char *text)
{
	if (text[0] != '\'' || !text[1])
		return false;
	return cell_is_formula(text + 1) || !text[1 + strspn(text + 1, "0123456789-.,/:() ")];
}

/* ="0123": another guard, which programs that export for spreadsheets write. The length of what is inside; 0: none. */
static size_t formula_text_len(const char *text, size_t len)
{
	if (len < 4 || text[0] != '=' || text[1] != '"' || text[len - 1] != '"')
		return 0;
	return memchr(text + 2, '"', len - 3) ? 0 : len - 3;
}

size_t cut_len(const char *text, size_t limit)
{
	while (limit > 0 && ((unsigned char)text[limit] & 0xC0) == 0x80)
		limit--;
	return limit;
}

/* How much of a value is kept; more than there may be is damage. */
static size_t kept_len(struct form_reader *reader, enum form_field field, const char *value, size_t len)
{
	size_t most = reader->limits->value_bytes;
	if (len <= most)
		return len;
	reader_damage(reader, field, "値が長すぎます（%zu文字まで）。", most / 3);
	return cut_len(value, most);
}

void reader_put(struct form_reader *reader, int slot, int rank, const char *text)
{
	if (slot >= SLOT_COUNT || slot == SLOT_IGNORED)
		return;
	const char *begin = skip_blank(text);
	if (is_guard(begin))
		begin = skip_blank(begin + 1);
	size_t len = strlen(begin), end = blank_end(begin, len);
	size_t inside = formula_text_len(begin, end);
	if (inside) {
		begin += 2;
		len -= 2;
		end = inside;
	}
	end = kept_len(reader, slot_field(slot), begin, end);
	const char *value = end == len ? begin : pool_strndup(reader->pool, begin, end);
	if (end && strstr(value, REPLACEMENT))
		reader_damage(reader, slot_field(slot),
			"読み取れない文字があります（文字コードが壊れているか、使えない文字です）。");
	const char *old = reader->value[slot];
	if (!old || !*old || (*value && rank < reader->rank[slot])) {
		reader->value[slot] = value;
		reader->rank[slot] = rank;
	} else if (*value && SLOT_IS_DETAIL(slot) && strcmp(old, value) != 0) {
		reader->detail_twice = true; /* 項目 means something only in a control file */
	} else if (*value && rank == reader->rank[slot] && strcmp(old, value) != 0) {
		reader_damage(reader, slot_field(slot), "同じ項目が二度あり、値が違います。");
	}
}

static bool is_filled(const char *value)
{
	return value && *value;
}

/* Two parts of a field; together they may be too long. */
static const char *join(struct form_reader *reader, enum form_field field, const char *first, const char *gap,
	const char *second)
{
	if (!is_filled(first))
		return is_filled(second) ? second : first ? first : second;
	if (!is_filled(second))
		return first;
	char *both = pool_printf(reader->pool, "%s%s%s", first, gap, second);
	both[kept_len(reader, field, both, strlen(both))] = '\0';
	return both;
}

/* 代表取締役 山田 太郎: the title is no part of the name. Short ones only before a blank: 代表 also begins names of offices. */
static const char *skip_title(const char *name)
{
	static const struct {
		const char *text;
		bool glued; /* may stand without a blank behind it */
	} titles[] = {
		{"代表取締役社長", true},
		{"代表取締役会長", true},
		{"代表取締役", true},
		{"取締役社長", true},
		{"代表理事", true},
		{"代表社員", true},
		{"代表者", false},
		{"業務執行社員", true},
		{"理事長", false},
		{"代表", false},
		{"社長", false},
		{"会長", false},
		{"院長", false},
		{"所長", false},
		{"店主", false},
	};
	for (size_t i = 0; i < sizeof titles / sizeof *titles; i++) {
		if (!str_has_prefix(name, titles[i].text))
			continue;
		const char *rest = name + strlen(titles[i].text), *behind = skip_blank(rest);
		if (*behind && (titles[i].glued || behind > rest))
			return behind;
	}
	return name;
}

/* The first blank within text, or its end. */
static const char *first_blank(const char *text)
{
	while (*text && blank_len(text) == 0)
		text++;
	return text;
}

/* 代表者姓, 代表者名: beside a column of family names 代表者名 is the given name, or the whole name that begins with it. */
static void take_given_name(struct form_reader *reader)
{
	const char *family = reader->value[FIELD_FAMILY_NAME], *name = reader->value[SLOT_REPRESENTATIVE];
	if (!family || !name || reader->value[FIELD_GIVEN_NAME])
		return;
	const char *rest = name + (str_has_prefix(name, family) ? strlen(family) : 0);
	if (*family || !*first_blank(name))
		reader->value[FIELD_GIVEN_NAME] = *skip_blank(rest) ? skip_blank(rest) : name;
}

static void split_representative(struct form_reader *reader)
{
	take_given_name(reader);
	const char *whole = reader->value[SLOT_REPRESENTATIVE];
	if (!whole || is_filled(reader->value[FIELD_FAMILY_NAME]) ||
		is_filled(reader->value[FIELD_GIVEN_NAME]))
		return;
	whole = skip_title(whole);
	const char *gap = first_blank(whole);
	const char *given = skip_blank(gap);
	reader->value[FIELD_FAMILY_NAME] = pool_strndup(reader->pool, whole, (size_t)(gap - whole));
	reader->value[FIELD_GIVEN_NAME] = given;
	reader->record.representative_whole = *whole && !*given;
}

static void put_together(struct form_reader *reader)
{
	const char **value = reader->value;
	split_representative(reader);
	value[FIELD_MAIL] = is_filled(value[FIELD_MAIL]) || !value[SLOT_OTHER_MAIL] ? value[FIELD_MAIL]
										    : value[SLOT_OTHER_MAIL];
	if (!is_filled(value[FIELD_CONTACT]) && (value[SLOT_CONTACT_FAMILY] || value[SLOT_CONTACT_GIVEN]))
		value[FIELD_CONTACT] = join(
			reader, FIELD_CONTACT, value[SLOT_CONTACT_FAMILY], " ", value[SLOT_CONTACT_GIVEN]);
	if (value[SLOT_TRADE_NAME]) {
		const char *type = value[FIELD_TYPE]
					   ? fieldmap_choice(reader->map, FIELD_TYPE, value[FIELD_TYPE])
					   : NULL;
		bool sole = type && strcmp(type, "sole") == 0;
		if (!is_filled(value[FIELD_BUSINESS_NAME]) || (sole && *value[SLOT_TRADE_NAME]))
			value[FIELD_BUSINESS_NAME] = value[SLOT_TRADE_NAME];
	}
	value[FIELD_ADDRESS] = join(reader, FIELD_ADDRESS, value[FIELD_ADDRESS], "", value[SLOT_STREET]);
	value[FIELD_ADDRESS] = join(reader, FIELD_ADDRESS, value[FIELD_ADDRESS], " ", value[SLOT_BUILDING]);
	if (value[SLOT_CONSENTS]) {
		if (!value[FIELD_PRIVACY])
			value[FIELD_PRIVACY] = value[SLOT_CONSENTS];
		if (!value[FIELD_TERMS])
			value[FIELD_TERMS] = value[SLOT_CONSENTS];
	}
}

/* ---- decisions ---- */

/* A list that staff wrote 処理 into may hold names too; an application always has its first two questions. */
void reader_tell_content(struct form_reader *reader, bool action, bool form)
{
	reader->head.content = action && !form ? CONTENT_DECISIONS : CONTENT_APPLICATIONS;
	reader->content_known = true;
}

/* 項目 and 新しい値: the value goes where the form's own column would have put it. */
static void take_named_field(struct form_reader *reader)
{
	const char *label = reader->value[SLOT_DECISION_FIELD], *value = reader->value[SLOT_DECISION_VALUE];
	if (!is_filled(label)) {
		if (is_filled(value))
			reader_damage(reader, FIELD_COUNT,
				"「新しい値」がありますが、「項目」がありません。どの項目を直すのか入れてくだ"
				"さい。");
		return;
	}
	int rank = 0, slot = fieldmap_slot(reader->map, label, &rank);
	if (slot >= SLOT_IGNORED)
		reader_damage(reader, FIELD_COUNT,
			"項目「%"
			"s」は申込書の項目ではありません。「担当者名」「電話番号」など、申込書の言葉で入れて"
			"くだ"
			"さい。",
			label);
	else if (slot == FIELD_DECLARATION_ID)
		reader_damage(reader, FIELD_COUNT, "自己宣言IDは訂正できません。");
	else if (!is_filled(value))
		reader_damage(reader, FIELD_COUNT,
			"「新しい値」がありません。値を消すときは「空欄にする」と入れてください。");
	else if (is_filled(reader->value[slot]) && strcmp(reader->value[slot], value) != 0)
		reader_damage(reader, FIELD_COUNT,
			"「%s」の値が、「新しい値」とその項目の列とで違います。どちらかにしてください。",
			label);
	else
		reader_put(reader, slot, rank, value);
}

/* Half of a value would take the place of the whole. */
static void refuse_halves(struct form_reader *reader)
{
	const char *const *value = reader->value;
	if (!is_filled(value[FIELD_ADDRESS]) &&
		(is_filled(value[SLOT_STREET]) || is_filled(value[SLOT_BUILDING])))
		reader_damage(reader, FIELD_ADDRESS,
			"住所の一部だけは訂正できません。「市区町村・番地」に、建物名まで全部を入れてください"
			"。");
	if (!is_filled(value[FIELD_CONTACT]) &&
		is_filled(value[SLOT_CONTACT_FAMILY]) != is_filled(value[SLOT_CONTACT_GIVEN]))
		reader_damage(reader, FIELD_CONTACT,
			"担当者の姓と名の一方だけは訂正できません。「担当者名」に姓と名を入れてください。");
}

/* An empty cell changes nothing; to clear a value takes a word. */
static const char *new_value(const char *value)
{
	static const char *const clear[] = {
		"空欄", "空欄にする", "空にする", "（空欄）", "(空欄)", "(空欄にする)"};
	if (!is_filled(value))
		return NULL;
	for (size_t i = 0; i < sizeof clear / sizeof *clear; i++) {
		if (strcmp(value, clear[i]) == 0)
			return "";
	}
	return value;
}

static void take_correction(struct form_reader *reader)
{
	struct form_record *record = &reader->record;
	reader->value[FIELD_DECLARATION_ID] = NULL; /* says which, not what */
	take_named_field(reader);
	refuse_halves(reader);
	put_together(reader);
	if (record->representative_whole)
		reader_damage(reader, FIELD_FAMILY_NAME,
			"代表者の姓と名の境が分かりません。間を空けるか、姓と名を別々に入れてください。");
	for (int i = 0; i < FIELD_COUNT; i++)
		record->form.value[i] = new_value(reader->value[i]);
}

static void take_decision(struct form_reader *reader)
{
	struct form_record *record = &reader->record;
	enum decision_action action;
	for (int i = DECISION_TARGET; i < DECISION_DECLARATION; i++)
		record->decision[i] = reader->value[SLOT_DECISION_TARGET + i];
	record->decision[DECISION_DECLARATION] = reader->value[FIELD_DECLARATION_ID];
	if (reader->detail_twice)
		reader_damage(reader, FIELD_COUNT,
			"同じ見出しの列が二つあり、値が違います。一つの行には一つだけ入れてください。");
	const char *word = record->decision[DECISION_ACTION];
	if (word && decision_action_read(&action, word) && action == DECISION_CORRECT)
		take_correction(reader);
}

enum rc reader_emit(struct form_reader *reader)
{
	struct form_record *record = &reader->record;
	if ((size_t)record->record >= reader->limits->records)
		return reader_refuse(reader,
			"一つのファイルの件数が多すぎます。ファイルを分けて入れてください。",
			"The file holds more records than the limit allows; split it.");
	record->record++;
	if (!reader->content_known && (record->damage_count == 0 || reader->value[SLOT_DECISION_ACTION]))
		reader_tell_content(reader, reader->value[SLOT_DECISION_ACTION] != NULL,
			reader->value[FIELD_KIND] || reader->value[FIELD_PLEDGE]);
	if (reader->head.content == CONTENT_DECISIONS) {
		take_decision(reader);
	} else {
		put_together(reader);
		memcpy(record->form.value, reader->value, sizeof record->form.value);
	}
	enum rc rc = reader->fn(reader->ctx, &reader->head, record, reader->err);
	pool_reset(reader->pool);
	return rc;
}

int form_record_from(struct form_record *out, const struct fieldmap *map, const struct form_limits *limits,
	const char *const *label, const char *const *value, size_t count, struct pool *pool)
{
	struct form_reader reader = {.map = map, .limits = limits, .pool = pool};
	for (size_t i = 0; i < count; i++) {
		int rank, slot = fieldmap_slot(map, label[i], &rank);
		if (slot >= SLOT_IGNORED)
			return (int)i;
		reader_put(&reader, slot, rank, value[i]);
	}
	put_together(&reader);
	*out = reader.record;
	memcpy(out->form.value, reader.value, sizeof out->form.value);
	return -1;
}

/* ---- the file ---- */

/* Files that are something else, whatever their name says. */
static const struct {
	const char *magic;
	size_t len;
	const char *why_ja;
} others[] = {
	{"PK\x03\x04", 4,
		"Excelブック（.xlsx）またはZIPファイルです。Excelで開き、「CSV "
		"UTF-8」の形式で保存し直してください。"},
	{"\xD0\xCF\x11\xE0", 4,
		"古い形式のExcel／Wordファイルです。開いて「CSV UTF-8」の形式で保存し直してください。"},
	{"%PDF", 4, "PDFファイルです。CSV、JSON、またはテキストで保存したものを入れてください。"},
	{"{\\rtf", 5, "リッチテキスト（RTF）です。「書式なしテキスト」で保存し直してください。"},
	{"\x89PNG", 4, "画像ファイルです。申込書の内容をCSV、JSON、またはテキストで入れてください。"},
	{"\xFF\xD8\xFF", 3, "画像ファイルです。申込書の内容をCSV、JSON、またはテキストで入れてください。"},
	{"GIF8", 4, "画像ファイルです。申込書の内容をCSV、JSON、またはテキストで入れてください。"},
	{"II*", 3, "画像ファイルです。申込書の内容をCSV、JSON、またはテキストで入れてください。"},
	{"\x1F\x8B", 2, "圧縮されたファイルです。中身を取り出して入れてください。"},
	{"7z\xBC\xAF", 4, "圧縮されたファイルです。中身を取り出して入れてください。"},
	{"Rar!", 4, "圧縮されたファイルです。中身を取り出して入れてください。"},
	{"\x7F"
	 "ELF",
		4, "プログラムのファイルです。申込書ではありません。"},
	{"MZ\x90", 3, "プログラムのファイルです。申込書ではありません。"},
	{"<!DOCTYPE", 9,
		"Webページ（HTML）です。画面の文字をコピーしてテキストで保存するか、CSVを入れてください。"},
	{"<html", 5,
		"Webページ（HTML）です。画面の文字をコピーしてテキストで保存するか、CSVを入れてください。"},
	{"<HTML", 5,
		"Webページ（HTML）です。画面の文字をコピーしてテキストで保存するか、CSVを入れてください。"},
	{"<?xml", 5, "XMLファイルです。CSV、JSON、またはテキストで保存したものを入れてください。"},
	{"From ", 5, "メールのファイルです。申込書の内容をCSV、JSON、またはテキストで入れてください。"},
	{"Received:", 9, "メールのファイルです。申込書の内容をCSV、JSON、またはテキストで入れてください。"},
};

static enum rc refuse_others(struct form_reader *reader)
{
	const char *bytes = reader->bytes;
	size_t len = reader->len;
	if (len >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0) {
		bytes += 3;
		len -= 3;
	}
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		if (len >= others[i].len && strncasecmp(bytes, others[i].magic, others[i].len) == 0)
			return reader_refuse(reader, others[i].why_ja,
				"The file is of another kind than CSV, JSON or text; export it as one of "
				"these.");
	}
	return RC_OK;
}

/* JSON and text are small and read as a whole; CSV is decoded record by record. */
static enum rc read_whole(struct form_reader *reader)
{
	struct str text = STR_INIT;
	const char *bytes = reader->bytes;
	size_t len = reader->len;
	if (!reader->clean) {
		reader_decode(reader, &text, reader->bytes, reader->len);
		bytes = text.s;
		len = text.len;
	}
	enum rc rc;
	if (json_detect(bytes, len))
		rc = json_read(reader, bytes, len);
	else if (text_detect(reader, bytes, len))
		rc = text_read(reader, bytes, len);
	else
		rc = reader_refuse(reader,
			"見出しの行（「担当者名」「事業者名」など）が見つかりません。申込書のCSV、JSON、確認"
			"画面のテキスト、または判断のファイル（「申込番号」「処理」「理由」）か確かめてくださ"
			"い。",
			"No header row, key or label of the form was found; check that this is a form file.");
	str_free(&text);
	return rc;
}

static enum rc read_any(struct form_reader *reader)
{
	enum rc rc = refuse_others(reader);
	if (rc)
		return rc;
	struct str converted = STR_INIT;
	detect_charset(reader, &converted);
	size_t first = 0;
	while (first < reader->len && strchr(" \t\r\n", reader->bytes[first]))
		first++;
	if (first == reader->len)
		rc = reader_refuse(reader, "ファイルが空です。", "The file is empty.");
	else if (!json_detect(reader->bytes, reader->len) && csv_detect(reader))
		rc = csv_read(reader);
	else
		rc = read_whole(reader);
	str_free(&converted);
	return rc;
}

enum rc form_read(const char *bytes, size_t len, const struct fieldmap *map, const struct form_limits *limits,
	form_record_fn *fn, void *ctx, const char **why_ja, struct err *err)
{
	struct form_reader reader = {
		.map = map,
		.limits = limits ? limits : &form_limits_default,
		.fn = fn,
		.ctx = ctx,
		.why_ja = why_ja,
		.err = err,
		.bytes = bytes,
		.len = len,
	};
	*why_ja = NULL;
	if (len > reader.limits->file_bytes)
		return reader_refuse(&reader, "ファイルが大きすぎます。分けて入れてください。",
			"The file is larger than the limit allows; split it.");
	reader.pool = pool_new();
	reader.head_pool = pool_new();
	enum rc rc = read_any(&reader);
	pool_free(&reader.pool);
	pool_free(&reader.head_pool);
	return rc;
}
