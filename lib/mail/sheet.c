#include "lib/mail/sheet.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mailaddr.h"
#include "lib/base/text.h"
#include "lib/flow/ident.h"
#include "lib/mail/label.h"

/* ---- values ---- */

const char *sheet_find_prefecture(const char *text)
{
	const char *first = NULL, *name = NULL;
	for (size_t i = 0; i < PREFECTURES; i++) {
		const char *at = strstr(text, prefecture_name[i]);
		if (at && (!first || at < first)) {
			first = at;
			name = prefecture_name[i];
		}
	}
	/* 東京, 大阪: without the suffix only when nothing else stands there. */
	for (size_t i = 0; i < PREFECTURES && !name; i++) {
		size_t len = strlen(prefecture_name[i]) - strlen("県");
		if (strlen(text) == len && strncmp(text, prefecture_name[i], len) == 0)
			name = prefecture_name[i];
	}
	return name;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *folded_text(const char *text, struct pool *pool)
{
	struct str folded = STR_INIT;
	text_fold(&folded, text);
	const char *kept = pool_strdup(pool, folded.s);
	str_free(&folded);
	return kept;
}

static bool starts_day(const char *at)
{
	return is_digit(*at) || *at == 'R' || *at == 'r' || str_has_prefix(at, "令和") ||
	       str_has_prefix(at, "平成") || *at == 'H' || str_has_prefix(at, "㋿");
}

#define DAY_TEXT_MAX 400 /* bytes of a value in which a day is looked for */

/* 2026年12月末, 令和8年2月末日: the last day of that month, and how far it reaches. About then, or one of several, is no day. */
static civil_day month_end_at(const char *text, size_t *len)
{
	static const char *const vague[] = {"頃", "ごろ", "ころ", "前後", "くらい", "ぐらい", "あたり",
		"辺り", "または", "又は", "もしくは", "若しくは", "か", "以降", "以後", "予定", "見込", "~",
		"-", "?", "(予定", "(見込"};
	const char *end = strstr(text, "月末");
	if (!end || end - text > 40)
		return CIVIL_DAY_NONE;
	struct str piece = STR_INIT;
	int year, month, dom;
	str_add(&piece, text, (size_t)(end - text));
	str_addz(&piece, "月1日");
	civil_day first = civil_day_read(piece.s);
	str_free(&piece);
	end += strlen("月末");
	end += str_has_prefix(end, "日") ? strlen("日") : 0;
	for (size_t i = 0; i < sizeof vague / sizeof *vague; i++)
		if (str_has_prefix(end + strspn(end, " "), vague[i]))
			return CIVIL_DAY_NONE;
	if (first == CIVIL_DAY_NONE)
		return CIVIL_DAY_NONE;
	*len = (size_t)(end - text);
	civil_to_ymd(first, &year, &month, &dom);
	return civil_from_ymd(month == 12 ? year + 1 : year, month == 12 ? 1 : month + 1, 1) - 1;
}

/* The day that begins at that place of folded text, and how far it reaches. */
static civil_day day_at(const char *text, size_t at, size_t *len)
{
	if (!starts_day(text + at) || (at > 0 && is_digit(text[at - 1]) && is_digit(text[at])))
		return CIVIL_DAY_NONE;
	for (*len = strnlen(text + at, 40); *len >= 6; --*len) {
		/* A day never ends inside a number. */
		if (is_digit(text[at + *len]) && is_digit(text[at + *len - 1]))
			continue;
		char *piece = xstrndup(text + at, *len);
		civil_day day = civil_day_read(piece);
		free(piece);
		if (day != CIVIL_DAY_NONE)
			return day;
	}
	return month_end_at(text + at, len);
}

static civil_day year_end(const char *year, size_t len)
{
	struct str day = STR_INIT;
	str_add(&day, year, len);
	if (!str_has_suffix(day.s, "年"))
		str_addz(&day, "年");
	str_addz(&day, "12月31日");
	civil_day end = civil_day_read(day.s);
	str_free(&day);
	return end;
}

/* Where the year (with its era) begins that ends at that place of folded text; `at` itself: there is none. */
static size_t year_begin(const char *text, size_t at)
{
	static const char *const eras[] = {"令和", "平成", "西暦", "R", "H", "r", "h"};
	size_t from = at;
	if (from >= strlen("年") && strncmp(text + from - strlen("年"), "年", strlen("年")) == 0)
		from -= strlen("年");
	size_t digits = from;
	while (from > 0 && is_digit(text[from - 1]))
		from--;
	if (from == digits)
		return at;
	for (size_t i = 0; i < sizeof eras / sizeof *eras; i++) {
		size_t len = strlen(eras[i]);
		if (from >= len && strncmp(text + from - len, eras[i], len) == 0)
			return from - len;
	}
	return from;
}

/* 令和8(2026)年12月16日: a year in brackets behind the same year goes. */
static void years_join(struct str *out, const char *text)
{
	for (size_t at = 0; text[at]; at++) {
		size_t from = text[at] == '(' ? year_begin(text, at) : at, end = at + strcspn(text + at, ")");
		bool joins = from < at && text[end] && end - at < 24 && year_begin(text, end) == at + 1 &&
			     (is_digit(text[end + 1]) || str_has_prefix(text + end + 1, "年"));
		civil_day outer = joins ? year_end(text + from, at - from) : CIVIL_DAY_NONE;
		if (outer == CIVIL_DAY_NONE || outer != year_end(text + at + 1, end - at - 1)) {
			str_addc(out, text[at]);
			continue;
		}
		if (!str_has_suffix(out->s, "年") && !str_has_prefix(text + end + 1, "年"))
			str_addz(out, "年");
		at = end;
	}
}

/* 令和八年十月三十一日: the numerals before 年, 月 and 日 as digits. */
static void numerals_read(struct str *out, const char *text)
{
	static const char *const numerals[] = {"〇", "一", "二", "三", "四", "五", "六", "七", "八", "九"};
	while (*text) {
		const char *at = text;
		int value = 0, unit = 0;
		for (bool more = true; more;) {
			more = str_has_prefix(at, "十");
			if (more) {
				value += (unit ? unit : 1) * 10;
				unit = 0;
				at += strlen("十");
			}
			for (int i = 0; i < 10 && !more; i++)
				if ((more = str_has_prefix(at, numerals[i]))) {
					unit = (unit * 10 + i) % 10000;
					at += strlen(numerals[i]);
				}
		}
		bool counts =
			str_has_prefix(at, "年") || str_has_prefix(at, "月") || str_has_prefix(at, "日");
		if (at > text && counts) {
			str_printf(out, "%d", value + unit);
			text = at;
		} else if (at > text) {
			str_add(out, text, (size_t)(at - text));
			text = at;
		} else {
			str_addc(out, *text++);
		}
	}
}

civil_day sheet_find_day(const char *text)
{
	struct str folded = STR_INIT, plain = STR_INIT;
	civil_day day = CIVIL_DAY_NONE;
	size_t len;
	char *bounded = xstrndup(text, strnlen(text, DAY_TEXT_MAX));
	numerals_read(&plain, bounded);
	text_fold(&folded, plain.s);
	str_clear(&plain);
	years_join(&plain, folded.s);
	str_clear(&folded);
	str_addz(&folded, plain.s);
	str_free(&plain);
	free(bounded);
	for (size_t at = 0; at < folded.len && day == CIVIL_DAY_NONE; at++)
		day = day_at(folded.s, at, &len);
	str_free(&folded);
	return day;
}

/* Reads a number in groups (blank or hyphen between them) at *at of folded text; moves behind it. Only digits are kept. */
static size_t number_run(const char **at, char *digits, size_t size)
{
	size_t count = 0;
	const char *p = *at;
	while (is_digit(*p) || ((*p == ' ' || *p == '-') && is_digit(p[1]))) {
		if (is_digit(*p) && count + 1 < size)
			digits[count++] = *p;
		p++;
	}
	digits[count] = '\0';
	*at = p;
	return count;
}

/* A number that is only printed as an example: 4999999999. */
static bool is_example(const char *digits)
{
	return digits[0] && digits[1] && strspn(digits + 1, "9") == strlen(digits + 1);
}

static const char *number_text(int64_t number, struct pool *pool)
{
	return number ? pool_printf(pool, "%lld", (long long)number) : "";
}

/* The one ID in a value such as "[4715-000-1111]（一つ星）"; "": none or several. */
static const char *id_in(const char *value, enum ident_kind kind, struct pool *pool)
{
	const char *at = folded_text(value, pool), *found = "";
	int64_t (*read)(const char *) = kind == IDENT_DECLARATION ? ident_read_declaration : ident_read_user;
	while (*at) {
		char digits[40];
		if (!is_digit(*at)) {
			at++;
			continue;
		}
		(void)number_run(&at, digits, sizeof digits);
		/* A letter beside the digits: 496779O7182 is no number. */
		int64_t number = (*at >= 'A' && *at <= 'Z') || (*at >= 'a' && *at <= 'z') ? 0 : read(digits);
		if (!number || is_example(digits))
			continue;
		if (*found && strcmp(found, number_text(number, pool)) != 0)
			return "";
		found = number_text(number, pool);
	}
	return found;
}

static const char *const id_words[] = {"自己宣言ID", "自己宣言番号", "自己宣言 ID", "宣言ID", "宣言 ID",
	"自己宣言id", "自己宣言Id", "自己宣言 id", "ID番号", "ID"};

/* Where behind a word for the ID its number begins, in folded text; NULL: nowhere near. */
static const char *behind_id_word(const char *at)
{
	size_t skip = 0;
	for (size_t i = 0; i < sizeof id_words / sizeof *id_words && !skip; i++)
		if (str_has_prefix(at, id_words[i]))
			skip = strlen(id_words[i]);
	if (!skip)
		return NULL;
	at += skip;
	size_t reach = 30; /* bytes: ten characters such as 番号は「 */
	while (*at && reach && !is_digit(*at) && !str_has_prefix(at, "。") && *at != '\n') {
		at++;
		reach--;
	}
	return is_digit(*at) ? at : NULL;
}

const char *sheet_find_declaration_id(const char *text, struct pool *pool)
{
	const char *found = "";
	for (const char *at = folded_text(text, pool); *at; at++) {
		const char *number = behind_id_word(at);
		if (!number)
			continue;
		char digits[40];
		(void)number_run(&number, digits, sizeof digits);
		int64_t id = ident_read_declaration(digits);
		if (!id || is_example(digits))
			continue;
		const char *print = number_text(id, pool);
		if (*found && strcmp(found, print) != 0)
			return "";
		found = print;
	}
	return found;
}

static const char *corporate_number_in(const char *value, struct pool *pool)
{
	for (const char *at = folded_text(value, pool); *at;) {
		char digits[40];
		if (!is_digit(*at)) {
			at++;
			continue;
		}
		if (number_run(&at, digits, sizeof digits) == 13)
			return pool_strdup(pool, digits);
	}
	return "";
}

static bool is_address_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c && strchr("._%+-!#$&'*/=?^`{|}~", c));
}

/* The first mail address in a value, width folded. */
static const char *mail_in(const char *value, struct pool *pool)
{
	struct str plain = STR_INIT;
	text_nfkc(&plain, value);
	const char *found = "";
	for (const char *sign = strchr(plain.s, '@'); sign && !*found; sign = strchr(sign + 1, '@')) {
		const char *from = sign, *to = sign + 1;
		while (from > plain.s && is_address_char(from[-1]))
			from--;
		while (is_address_char(*to) && !strchr("/?=&#", *to))
			to++;
		while (to > sign + 1 && strchr(".-_'", to[-1]))
			to--;
		char *candidate = xstrndup(from, (size_t)(to - from));
		const char *bare = str_has_prefix(candidate, "mailto:") ? candidate + 7 : candidate;
		struct mailaddr address;
		if (mailaddr_read(&address, bare) == MAILADDR_OK)
			found = pool_strdup(pool, bare);
		free(candidate);
	}
	str_free(&plain);
	return found;
}

/* LibreOffice writes a filled content control several times over: the value is what is repeated. */
static void repetition_cut(char *value)
{
	size_t len = strlen(value);
	bool digits = strpbrk(value, "0123456789") != NULL;
	for (size_t unit = 1; unit <= len / 2; unit++) {
		if (len % unit != 0 || ((unsigned char)value[unit] & 0xC0) == 0x80)
			continue;
		size_t times = len / unit, i = 1;
		if (unit < (digits ? 8u : times > 2 ? 6u : 15u))
			continue;
		while (i < times && memcmp(value, value + i * unit, unit) == 0)
			i++;
		if (i == times) {
			value[unit] = '\0';
			return;
		}
	}
}

static const struct {
	const char *open, *close;
} pairs[] = {{"「", "」"}, {"『", "』"}, {"【", "】"}, {"[", "]"}, {"［", "］"}, {"“", "”"}, {"\"", "\""},
	{"<", ">"}, {"＜", "＞"}, {"〔", "〕"}};

static char *pairs_strip(char *value)
{
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		size_t open = strlen(pairs[i].open), close = strlen(pairs[i].close), len = strlen(value);
		if (len > open + close && str_has_prefix(value, pairs[i].open) &&
			str_has_suffix(value, pairs[i].close)) {
			value[len - close] = '\0';
			return text_trim(value + open);
		}
	}
	return value;
}

/* Nothing but lines, dots, blanks and the empty shell of a date: what a form has where nothing was written. */
static bool is_nothing(const char *value)
{
	static const char *const shells[] = {"年", "月", "日", "令和", "西暦", "R", "(", ")", ":", "/", "_",
		"-", ".", "―", "─", "…", "・", "□", "☐", "○", "*", "※", "〒", "@", "'", "\"", "~"};
	static const char *const words[] = {
		"未記入", "空欄", "記入なし", "なし", "無し", "無", "不明", "-", "N/A", "n/a", "同上"};
	struct str folded = STR_INIT;
	text_fold(&folded, value);
	bool nothing = true;
	for (const char *at = folded.s; *at && nothing;) {
		size_t step = *at == ' ' ? 1 : 0;
		for (size_t i = 0; i < sizeof shells / sizeof *shells && !step; i++)
			if (str_has_prefix(at, shells[i]))
				step = strlen(shells[i]);
		nothing = step > 0;
		at += step;
	}
	for (size_t i = 0; i < sizeof words / sizeof *words && !nothing; i++)
		nothing = strcmp(folded.s, words[i]) == 0;
	str_free(&folded);
	return nothing;
}

static bool is_note(const char *text)
{
	static const char *const opens[] = {"※", "（事務局", "(事務局", "事務局使用", "事務局記入", "＊",
		"*注", "注)", "注）", "(注", "（注", "(例", "（例", "例:", "例：", "例)", "例）", "例）",
		"(記入例", "（記入例", "記入例", "クリックまたはタップして", "ここをクリック", "ここに入力"};
	text += strspn(text, " \t\r\n");
	while (str_has_prefix(text, "　"))
		text += strlen("　");
	for (size_t i = 0; i < sizeof opens / sizeof *opens; i++)
		if (str_has_prefix(text, opens[i]))
			return true;
	return false;
}

/* Lines of a value that are notes of the form go. */
static char *notes_cut(const char *value, struct pool *pool)
{
	struct str kept = STR_INIT;
	for (const char *at = value; *at;) {
		size_t len = strcspn(at, "\n");
		char *line = xstrndup(at, len);
		if (!is_note(line)) {
			if (kept.len)
				str_addc(&kept, '\n');
			str_addz(&kept, line);
		}
		free(line);
		at += len + (at[len] == '\n');
	}
	char *text = text_trim(pool_strdup(pool, kept.s));
	str_free(&kept);
	return text;
}

static char *value_clean(const char *value, struct pool *pool)
{
	char *text = notes_cut(value, pool);
	/* A note on the same line. */
	char *note = strstr(text, "　※");
	note = note ? note : strstr(text, " ※");
	if (note)
		*note = '\0';
	repetition_cut(text_trim(text));
	return pairs_strip(text_trim(text));
}

static bool is_kana_remark(const char *inside)
{
	struct str plain = STR_INIT;
	text_nfkc(&plain, inside);
	bool kana = plain.len > 0;
	for (size_t at = 0; at < plain.len && kana;) {
		uint32_t c;
		size_t step = utf8_next(plain.s + at, plain.len - at, &c);
		kana = step > 0 && (c == ' ' || c == 0x3000 || (c >= 0x3041 && c <= 0x30FF));
		at += step ? step : 1;
	}
	str_free(&plain);
	return kana;
}

/* 小林　花子（コバヤシ ハナコ）, 小林 花子　㊞, 小林様 → the name. */
static const char *person_clean(char *name)
{
	static const char *const tails[] = {"㊞", "印", "(印)", "（印）", "様", "殿", "さん", "宛", "です"};
	for (bool again = true; again;) {
		again = false;
		name = text_trim(name);
		for (size_t i = 0; i < sizeof tails / sizeof *tails; i++)
			if (str_has_suffix(name, tails[i]) && strlen(name) > strlen(tails[i])) {
				name[strlen(name) - strlen(tails[i])] = '\0';
				again = true;
				name = text_trim(name);
			}
		char *open = NULL;
		for (char *at = name; *at; at++)
			if (*at == '(' || str_has_prefix(at, "（"))
				open = at;
		if (open && open > name && (str_has_suffix(name, ")") || str_has_suffix(name, "）"))) {
			size_t skip = *open == '(' ? 1 : strlen("（");
			size_t tail = str_has_suffix(name, ")") ? 1 : strlen("）");
			char *inside = xstrndup(open + skip, strlen(open) - skip - tail);
			if (is_kana_remark(inside)) {
				*open = '\0';
				again = true;
			}
			free(inside);
		}
	}
	return name;
}

/* ---- ticks ---- */

static size_t tick_at(const char *text, bool *on)
{
	static const struct {
		const char *mark;
		bool on;
	} marks[] = {{"☑", true}, {"☒", true}, {"■", true}, {"✓", true}, {"✔", true}, {"✅", true},
		{"レ", true}, {"〓", true}, {"●", true}, {"◉", true}, {"🗹", true}, {"🗸", true},
		{"[x]", true}, {"[X]", true}, {"□", false}, {"☐", false}, {"○", false}, {"◯", false},
		{"[ ]", false}, {"❏", false}, {"▢", false}};
	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
		if (str_has_prefix(text, marks[i].mark)) {
			*on = marks[i].on;
			return strlen(marks[i].mark);
		}
	return 0;
}

/* Of a value with boxes to tick, what was ticked; the value itself when it has none. */
static const char *ticked(const char *value, struct pool *pool)
{
	size_t marks = 0, offs = 0;
	bool on = false;
	struct str chosen = STR_INIT;
	bool taking = false;
	for (const char *at = value; *at;) {
		size_t step = tick_at(at, &on);
		/* レ is a tick only in front of an option. */
		if (step && str_has_prefix(at, "レ") && at != value && at[-1] != ' ' && at[-1] != '\n')
			step = 0;
		if (step) {
			marks++;
			offs += !on;
			taking = on;
			at += step;
			continue;
		}
		if (taking)
			str_addc(&chosen, *at);
		at++;
	}
	const char *out = value;
	if (marks && (offs || marks == 1) && chosen.len)
		out = text_trim(pool_strdup(pool, chosen.s));
	else if (marks && offs == marks)
		out = "";
	str_free(&chosen);
	return out;
}

/* ---- a sheet that fills ---- */

struct filling {
	struct sheet *sheet;
	struct pool *pool;
	const char *person; /* a name whose owner is not known yet */
	const char *reach; /* a mail address that stood under 連絡先 */
	size_t change_size;
	bool stop_labels, change_labels; /* labels that only the one form has */
	bool several_ids;
	bool items_unclear; /* what changes is not ticked, or more than one thing is */
	bool form; /* a Word file, not running text */
};

static void set_text(const char **field, const char *value)
{
	if (!**field)
		*field = value;
}

static void set_declaration_id(struct filling *f, const char *value)
{
	struct sheet *sheet = f->sheet;
	const char *id = id_in(value, IDENT_DECLARATION, f->pool);
	if (*id && *sheet->declaration_id && strcmp(id, sheet->declaration_id) != 0)
		f->several_ids = true;
	if (*id && !*sheet->declaration_id)
		sheet->declaration_id = id;
	char digits[40];
	const char *at = folded_text(value, f->pool);
	if (*id || *sheet->declaration_id)
		return;
	at += strcspn(at, "0123456789");
	(void)number_run(&at, digits, sizeof digits);
	if (is_example(digits))
		return;
	sheet->declaration_id_written = value;
	const char *user = id_in(value, IDENT_USER, f->pool);
	if (*user && !*sheet->user_number)
		sheet->user_number = user;
}

static void set_stop_on(struct filling *f, const char *value)
{
	struct sheet *sheet = f->sheet;
	if (sheet->stop_on != CIVIL_DAY_NONE || sheet->at_once)
		return;
	value = ticked(value, f->pool);
	sheet->stop_on = sheet_find_day(value);
	if (sheet->stop_on != CIVIL_DAY_NONE)
		return;
	if (label_at_once(value))
		sheet->at_once = true;
	else if (!is_nothing(value))
		sheet->stop_on_written = value;
}

static struct sheet_change *change_open(struct filling *f)
{
	struct sheet *sheet = f->sheet;
	if (!sheet->change || sheet->change_count == f->change_size) {
		f->change_size = f->change_size ? f->change_size * 2 : 8;
		struct sheet_change *larger = pool_alloc(f->pool, f->change_size * sizeof *larger);
		if (sheet->change)
			memcpy(larger, sheet->change, sheet->change_count * sizeof *larger);
		sheet->change = larger;
	}
	struct sheet_change *change = &sheet->change[sheet->change_count++];
	*change = (struct sheet_change){.item = "", .old = "", .new_value = ""};
	return change;
}

/* Of an item with boxes to tick, what is ticked; the value itself when it has none. Boxes stand before or behind their options. */
static const char *item_ticked(struct filling *f, const char *value)
{
	struct str chosen = STR_INIT;
	size_t marks = 0, ticks = 0;
	const char *option = value; /* the text since the last mark */
	bool on = false, open = false, behind = false;
	for (const char *at = value;;) {
		size_t step = *at ? tick_at(at, &on) : 0;
		bool word = at == value || at[-1] == ' ' || at[-1] == '\n' || at[-1] == '\t' ||
			    (at - value >= 3 && strncmp(at - 3, "　", 3) == 0);
		if (step && str_has_prefix(at, "レ") && !word)
			step = 0; /* メールアドレス */
		if (!step && *at) {
			at++;
			continue;
		}
		const char *text = text_trim(pool_strndup(f->pool, option, (size_t)(at - option)));
		if (step && !marks)
			behind = *text != '\0';
		if (behind ? step && on : open) {
			ticks++;
			if (chosen.len)
				str_addz(&chosen, "　");
			str_addz(&chosen, text);
		}
		open = on;
		marks += step > 0;
		at += step;
		option = at;
		if (!*at && !step)
			break;
	}
	const char *out = marks ? pool_strdup(f->pool, chosen.s) : value;
	str_free(&chosen);
	f->items_unclear = f->items_unclear || (marks && ticks != 1);
	return out;
}

static void set_change(struct filling *f, enum label label, const char *value)
{
	struct sheet *sheet = f->sheet;
	struct sheet_change *last = sheet->change_count ? &sheet->change[sheet->change_count - 1] : NULL;
	f->change_labels = true;
	bool again = last && ((label == LABEL_OLD && *last->old) || (label == LABEL_NEW && *last->new_value));
	if (label == LABEL_ITEM || !last || again)
		last = change_open(f);
	if (label == LABEL_ITEM)
		last->item = item_ticked(f, value);
	else if (label == LABEL_OLD)
		last->old = value;
	else
		last->new_value = value;
}

/* 居酒屋 とり吉（京都府） → the name. */
static const char *place_cut(char *name)
{
	static const char *const brackets[][2] = {{"（", "）"}, {"(", ")"}};
	for (size_t i = 0; i < 2; i++) {
		char *open = strstr(name, brackets[i][0]);
		const char *place = open && open > name ? sheet_find_prefecture(open) : NULL;
		size_t inside = place ? strlen(open) - strlen(brackets[i][0]) - strlen(brackets[i][1]) : 0;
		if (place && str_has_suffix(name, brackets[i][1]) && inside == strlen(place))
			*open = '\0';
	}
	return text_trim(name);
}

static void set_field(struct filling *f, enum label label, const char *raw)
{
	struct sheet *sheet = f->sheet;
	/* 理由 alone says nothing in running text: a resend has reasons too. */
	f->stop_labels = f->stop_labels || label == LABEL_STOP_ON || (label == LABEL_REASON && f->form);
	char *value = value_clean(raw, f->pool);
	if (is_nothing(value))
		return;
	switch (label) {
	case LABEL_DECLARATION_ID:
		set_declaration_id(f, value);
		break;
	case LABEL_USER_NUMBER:
		if (!*sheet->user_number)
			sheet->user_number = id_in(value, IDENT_USER, f->pool);
		break;
	case LABEL_CORPORATE_NUMBER:
		if (!*sheet->corporate_number)
			sheet->corporate_number = corporate_number_in(value, f->pool);
		break;
	case LABEL_MAIL:
		if (!*sheet->mail)
			sheet->mail = mail_in(value, f->pool);
		break;
	case LABEL_PREFECTURE:
		if (!*sheet->prefecture) {
			const char *name = sheet_find_prefecture(value);
			sheet->prefecture = name ? name : "";
			sheet->address = value;
		}
		break;
	case LABEL_STOP_ON:
		set_stop_on(f, value);
		break;
	case LABEL_ITEM:
	case LABEL_OLD:
	case LABEL_NEW:
		set_change(f, label, value);
		break;
	case LABEL_PERSON:
		if (!f->person)
			f->person = person_clean(value);
		break;
	case LABEL_REPRESENTATIVE:
		set_text(&sheet->representative, person_clean(value));
		break;
	case LABEL_CONTACT:
		set_text(&sheet->contact, person_clean(value));
		break;
	case LABEL_REASON:
		set_text(&sheet->reason, ticked(value, f->pool));
		break;
	case LABEL_BUSINESS_NAME:
		set_text(&sheet->business_name, place_cut(value));
		break;
	case LABEL_REACH:
		if (!*f->reach)
			f->reach = mail_in(value, f->pool);
		break;
	case LABEL_NONE:
	case LABEL_OTHER:
	case LABELS:
		break;
	}
}

static void sheet_clear(struct sheet *sheet)
{
	*sheet = (struct sheet){.declaration_id = "",
		.declaration_id_written = "",
		.user_number = "",
		.business_name = "",
		.representative = "",
		.contact = "",
		.mail = "",
		.corporate_number = "",
		.prefecture = "",
		.address = "",
		.reason = "",
		.stop_on = CIVIL_DAY_NONE,
		.stop_on_written = "",
		.doubt = ""};
}

bool sheet_is_empty(const struct sheet *sheet)
{
	const char *const texts[] = {sheet->declaration_id, sheet->declaration_id_written, sheet->user_number,
		sheet->business_name, sheet->representative, sheet->contact, sheet->mail,
		sheet->corporate_number, sheet->prefecture, sheet->reason, sheet->stop_on_written};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (*texts[i])
			return false;
	return sheet->stop_on == CIVIL_DAY_NONE && !sheet->at_once && sheet->change_count == 0;
}

/* 変更なし, 同左, or what stood there before. */
static bool is_unchanged(const struct sheet_change *change)
{
	static const char *const words[] = {"変更なし", "変更無し", "変更無", "変更はなし", "変更ありません",
		"変更はありません", "変更はございません", "変更しない", "変更せず", "変わらず", "変わりなし",
		"同じ", "同左", "同上", "左に同じ", "上に同じ", "現行通り", "現行どおり", "従来通り",
		"従来どおり"};
	struct str old = STR_INIT, new_value = STR_INIT;
	label_key(&old, change->old);
	label_key(&new_value, change->new_value);
	const char *key = new_value.s;
	size_t len = new_value.len;
	if (*key == '(' && key[len - 1] == ')') {
		key++;
		len -= 2;
	}
	if (str_has_suffix(new_value.s, "。"))
		len -= strlen("。");
	bool unchanged = new_value.len && strcmp(old.s, new_value.s) == 0;
	for (size_t i = 0; i < sizeof words / sizeof *words && !unchanged; i++)
		unchanged = len == strlen(words[i]) && strncmp(key, words[i], len) == 0;
	str_free(&old);
	str_free(&new_value);
	return unchanged;
}

/*
 * A change that says neither what was nor what shall be is a row that was left empty; one that says the same twice is none. Two
 * mail addresses say themselves what changes.
 */
static void changes_settle(struct sheet *sheet, struct pool *pool)
{
	size_t kept = 0;
	for (size_t i = 0; i < sheet->change_count; i++) {
		struct sheet_change *change = &sheet->change[i];
		if ((!*change->new_value && !*change->old) || is_unchanged(change))
			continue;
		if (!*change->item && *mail_in(change->old, pool) && *mail_in(change->new_value, pool))
			change->item = "メールアドレス";
		sheet->change[kept++] = *change;
	}
	sheet->change_count = kept;
}

static void settle(struct filling *f, enum label_form title)
{
	struct sheet *sheet = f->sheet;
	changes_settle(sheet, f->pool);
	if (f->person && !*sheet->representative)
		sheet->representative = f->person;
	else if (f->person && !*sheet->contact)
		sheet->contact = f->person;
	if (!*sheet->mail)
		sheet->mail = f->reach;
	if (title == LABEL_FORM_CHANGE || (title == LABEL_FORM_NONE && f->change_labels))
		sheet->kind = SHEET_CHANGE;
	else if (title == LABEL_FORM_STOP || f->stop_labels)
		sheet->kind = SHEET_STOP;
	sheet->blank = sheet->kind != SHEET_NONE && sheet_is_empty(sheet);

	sheet->confidence = 100;
	if (f->several_ids) {
		sheet->doubt = "The form names more than one declaration ID.";
		sheet->confidence = 20;
	} else if (*sheet->declaration_id_written && !*sheet->declaration_id) {
		sheet->doubt = *sheet->user_number
				       ? "Where the declaration ID should stand there is a user number."
				       : "What stands in the place of the declaration ID is no such number.";
		sheet->confidence = 10;
	} else if (sheet->kind != SHEET_NONE && !*sheet->declaration_id) {
		sheet->doubt = "The declaration ID is missing.";
		sheet->confidence = 10;
	} else if (f->items_unclear && sheet->change_count) {
		sheet->doubt = "What is to change isn't ticked, or more than one thing is.";
		sheet->confidence = 40;
	} else if (*sheet->stop_on_written) {
		sheet->doubt = "The day from which the use ends can't be read.";
		sheet->confidence = 40;
	} else if (sheet->kind == SHEET_STOP && !*sheet->business_name) {
		sheet->confidence = 70;
	}
}

/* ---- lines ---- */

/* A line that ends the form, or begins a note of its own. */
static bool ends_value(const char *line)
{
	static const char *const opens[] = {"以上", "よろしく", "宜しく", "何卒", "なにとぞ", "お忙しい",
		"お手数", "恐れ入り", "取り急ぎ", "ご確認", "ご査収", "--", "―", "◆", "◇", "□", "■", "・",
		"＊", "*", "=", "/", "_", "SECURITY ACTION事務局", "敬具", "草々", "どうぞ", "不備",
		"お願い"};
	char *copy = xstrdup(line), *text = text_trim(copy);
	bool ends = !*text || is_note(text) || label_title(text) != LABEL_FORM_NONE;
	for (size_t i = 0; i < sizeof opens / sizeof *opens && !ends; i++)
		ends = str_has_prefix(text, opens[i]);
	free(copy);
	return ends;
}

/* A line that goes on with the sentence of the line before: wrapped by a mailer, or a further remark. */
static bool goes_on(const char *before, const char *line)
{
	static const char *const opens[] = {"なお", "また", "（", "(", "　", "  ", "ただし", "但し"};
	if (ends_value(line))
		return false;
	for (size_t i = 0; i < sizeof opens / sizeof *opens; i++)
		if (str_has_prefix(line, opens[i]))
			return true;
	return text_columns(before) >= 60;
}

struct line_reader {
	struct filling *f;
	bool strict; /* running text: a blank alone makes no label of every word */
	enum label open; /* the label whose value the next line may bring or go on with; LABEL_NONE */
	struct str value; /* of the open label */
	struct str last; /* the line before */
};

static void line_flush(struct line_reader *r)
{
	if (r->open != LABEL_NONE)
		set_field(r->f, r->open, r->value.s);
	r->open = LABEL_NONE;
	str_clear(&r->value);
}

/* In running text a label with nothing but a blank behind it must have a value of the right shape. */
static bool is_plausible(const struct labelled *found, const char *value, struct pool *pool)
{
	static const char *const addressed[] = {"様", "御中", "各位", "殿", "さま"};
	char *copy = pool_strdup(pool, value), *text = text_trim(copy);
	for (size_t i = 0; i < sizeof addressed / sizeof *addressed; i++)
		if (strcmp(text, addressed[i]) == 0)
			return false;
	bool sentence = strstr(text, "。") || str_has_suffix(text, "、") || str_has_suffix(text, "です") ||
			str_has_suffix(text, "ます");
	switch (found->label) {
	case LABEL_DECLARATION_ID:
	case LABEL_USER_NUMBER:
	case LABEL_CORPORATE_NUMBER:
		return strpbrk(folded_text(text, pool), "0123456789") != NULL && !sentence;
	case LABEL_MAIL:
	case LABEL_REACH:
		return strchr(folded_text(text, pool), '@') != NULL;
	case LABEL_ITEM:
	case LABEL_OLD:
	case LABEL_NEW:
	case LABEL_OTHER:
		return false;
	case LABEL_REASON:
		return true;
	default:
		return !sentence;
	}
}

static void line_read(struct line_reader *r, const char *line)
{
	struct labelled found = label_read(line);
	if (is_note(line)) {
		line_flush(r);
		str_clear(&r->last);
		return;
	}
	if (found.label != LABEL_NONE && found.gap == GAP_BLANK && r->strict &&
		!is_plausible(&found, found.value, r->f->pool))
		found.label = found.label == LABEL_OTHER ? LABEL_OTHER : LABEL_NONE;
	if (found.label != LABEL_NONE) {
		line_flush(r);
		r->open = found.label;
		str_addz(&r->value, found.value);
	} else if (r->open != LABEL_NONE) {
		bool empty = r->value.len == 0;
		bool more = empty ? !ends_value(line) : r->open == LABEL_REASON && goes_on(r->last.s, line);
		if (more) {
			if (!empty)
				str_addc(&r->value, '\n');
			str_addz(&r->value, line);
		}
		/* The value of a label without one is one line; a reason goes on as long as its lines do. */
		if (!more || r->open != LABEL_REASON)
			line_flush(r);
	}
	str_clear(&r->last);
	str_addz(&r->last, line);
}

static void lines_read(struct line_reader *r, const char *text)
{
	for (const char *at = text; *at;) {
		size_t len = strcspn(at, "\n");
		char *line = xstrndup(at, len);
		line_read(r, line);
		free(line);
		at += len + (at[len] == '\n');
	}
}

static void line_reader_end(struct line_reader *r)
{
	line_flush(r);
	str_free(&r->value);
	str_free(&r->last);
}

/* ---- Word files: cells ---- */

static const char *cell_text(const struct doc_cell *cell)
{
	return cell->placeholder ? "" : cell->text;
}

/* A cell that is a label and nothing else. */
static enum label cell_label(const struct doc_cell *cell)
{
	return strlen(cell->text) > 240 ? LABEL_NONE : label_alone(cell->text);
}

struct grid { /* the cells of one table */
	const struct doc_cell *cell;
	size_t count;
	bool above; /* labels stand above their values */
	bool *used; /* cells that are spoken for */
};

static const struct doc_cell *cell_right(const struct grid *grid, const struct doc_cell *cell)
{
	for (size_t i = 0; i < grid->count; i++)
		if (grid->cell[i].row == cell->row && grid->cell[i].column == cell->column + cell->span)
			return &grid->cell[i];
	return NULL;
}

static const struct doc_cell *cell_below(const struct grid *grid, const struct doc_cell *cell)
{
	const struct doc_cell *below = NULL;
	for (size_t i = 0; i < grid->count; i++) {
		const struct doc_cell *other = &grid->cell[i];
		if (other->row > cell->row && (!below || other->row < below->row) &&
			other->column <= cell->column && other->column + other->span > cell->column)
			below = other;
	}
	/* Only the very next row: what is further down belongs to something else. */
	for (size_t i = 0; below && i < grid->count; i++)
		if (grid->cell[i].row > cell->row && grid->cell[i].row < below->row)
			return NULL;
	return below;
}

/* The heading that spans the rows a cell stands in: the nearest cell to the left that is itself no neighbour's value. */
static enum label group_of(const struct grid *grid, const struct doc_cell *cell)
{
	const struct doc_cell *heading = NULL;
	for (size_t i = 0; i < grid->count && &grid->cell[i] < cell; i++)
		if (grid->cell[i].column < cell->column && grid->cell[i].column == 0)
			heading = &grid->cell[i];
	return heading && cell_label(heading) != LABEL_NONE ? label_group(heading->text) : LABEL_NONE;
}

/* Labels beside or above their values: what most of the table does decides for the cells that could be read either way. */
static bool stands_above(const struct grid *grid)
{
	int above = 0, beside = 0;
	for (size_t i = 0; i < grid->count; i++) {
		const struct doc_cell *cell = &grid->cell[i];
		if (cell_label(cell) == LABEL_NONE)
			continue;
		const struct doc_cell *right = cell_right(grid, cell), *below = cell_below(grid, cell);
		bool right_value = right && cell_label(right) == LABEL_NONE;
		bool below_value = below && cell_label(below) == LABEL_NONE;
		if (right && !right_value && below_value)
			above += 2;
		else if (right_value && (!below || !below_value))
			beside += 2;
		else if (!right && below_value)
			above++;
		else if (right_value && below_value && cell->column > 0)
			above++;
	}
	return above > beside;
}

/* Reads the rows below 変更項目 | 変更前 | 変更後; returns whether the row at hand was such a head. */
static bool change_table_read(struct filling *f, struct grid *grid, int row)
{
	const struct doc_cell *head[LABELS] = {0};
	for (size_t i = 0; i < grid->count; i++)
		if (grid->cell[i].row == row)
			head[cell_label(&grid->cell[i])] = &grid->cell[i];
	if (!head[LABEL_OLD] || !head[LABEL_NEW])
		return false;
	int item_column = head[LABEL_ITEM] ? head[LABEL_ITEM]->column : 0;
	f->change_labels = true;
	for (size_t i = 0; i < grid->count; i++) {
		const struct doc_cell *cell = &grid->cell[i];
		if (cell->row < row)
			continue;
		grid->used[i] = true;
		if (cell->row == row || cell->column != item_column)
			continue;
		const char *value[2] = {"", ""};
		for (size_t k = 0; k < grid->count; k++)
			for (int side = 0; side < 2; side++)
				if (grid->cell[k].row == cell->row &&
					grid->cell[k].column == head[side ? LABEL_NEW : LABEL_OLD]->column)
					value[side] = value_clean(cell_text(&grid->cell[k]), f->pool);
		if (is_nothing(value[0]) && is_nothing(value[1]))
			continue;
		struct sheet_change *change = change_open(f);
		*change = (struct sheet_change){
			item_ticked(f, value_clean(cell_text(cell), f->pool)), value[0], value[1]};
	}
	return true;
}

static void cell_use(struct filling *f, struct grid *grid, const struct doc_cell *label_cell,
	enum label label, const struct doc_cell *value)
{
	if (label == LABEL_PERSON) {
		enum label group = group_of(grid, label_cell);
		label = group != LABEL_NONE ? group : label;
	}
	grid->used[value - grid->cell] = true;
	set_field(f, label, cell_text(value));
}

static bool row_has_others(const struct grid *grid, const struct doc_cell *cell)
{
	for (size_t i = 0; i < grid->count; i++)
		if (grid->cell[i].row == cell->row && &grid->cell[i] != cell)
			return true;
	return false;
}

/* 項目 | 内容: names of columns. */
static bool is_column_head(const char *text)
{
	static const char *const heads[] = {"内容", "記入欄", "記入内容", "登録内容", "入力欄", "入力内容",
		"記載内容", "申込内容", "申請内容", "値", "回答", "回答欄", "記入", "備考"};
	struct str key = STR_INIT;
	bool head = false;
	label_key(&key, text);
	for (size_t i = 0; i < sizeof heads / sizeof *heads && !head; i++)
		head = strcmp(key.s, heads[i]) == 0;
	str_free(&key);
	return head;
}

/* A form for one declaration that lists several. */
static void further_ids_read(struct filling *f, const struct grid *grid, const struct doc_cell *first)
{
	for (size_t i = 0; i < grid->count; i++) {
		const struct doc_cell *cell = &grid->cell[i];
		if (cell->column == first->column && cell->row > first->row &&
			*id_in(cell_text(cell), IDENT_DECLARATION, f->pool))
			set_declaration_id(f, cell_text(cell));
	}
}

/* A cell that is a label: its value stands beside or below it. */
static void label_cell_read(
	struct filling *f, struct grid *grid, const struct doc_cell *cell, enum label label)
{
	const struct doc_cell *right = cell_right(grid, cell), *below = cell_below(grid, cell);
	bool right_value = right && !grid->used[right - grid->cell] && cell_label(right) == LABEL_NONE;
	bool below_value = below && !grid->used[below - grid->cell] && cell_label(below) == LABEL_NONE;
	f->stop_labels = f->stop_labels || label == LABEL_STOP_ON || label == LABEL_REASON;
	if (label == LABEL_ITEM && right && is_column_head(right->text)) {
		grid->used[right - grid->cell] = true;
		return;
	}
	/* 変更する項目 | 電話番号: what is changed has a label's name. */
	if (label == LABEL_ITEM && right && !right_value && !grid->used[right - grid->cell] &&
		cell_label(right) != LABEL_OLD && cell_label(right) != LABEL_NEW)
		right_value = true;
	if (grid->above && below_value) {
		cell_use(f, grid, cell, label, below);
		if (label == LABEL_DECLARATION_ID)
			further_ids_read(f, grid, below);
	} else if (right_value)
		cell_use(f, grid, cell, label, right);
	else if (!right && below_value)
		cell_use(f, grid, cell, label, below);
}

static void table_read(struct filling *f, const struct doc_cell *cells, size_t count)
{
	struct grid grid = {.cell = cells, .count = count, .used = pool_alloc(f->pool, count + 1)};
	grid.above = stands_above(&grid);
	for (size_t i = 0; i < count; i++) {
		const struct doc_cell *cell = &cells[i];
		if (grid.used[i])
			continue;
		if ((i == 0 || cells[i - 1].row != cell->row) && change_table_read(f, &grid, cell->row))
			return;
		enum label label = cell_label(cell);
		if (label != LABEL_NONE) {
			label_cell_read(f, &grid, cell, label);
			continue;
		}
		/* Label and value in one cell; a blank alone between them only counts where nothing else stands in the row. */
		struct labelled found = label_read(cell->text);
		if (found.label == LABEL_NONE || (found.gap == GAP_BLANK && row_has_others(&grid, cell)))
			continue;
		struct line_reader r = {.f = f, .value = STR_INIT, .last = STR_INIT};
		bool reason = found.label == LABEL_REASON;
		if (reason)
			set_field(f, LABEL_REASON, found.value);
		else
			lines_read(&r, cell_text(cell));
		line_reader_end(&r);
	}
}

void sheet_read_doc(struct sheet *out, const struct doc *doc, struct pool *pool)
{
	sheet_clear(out);
	struct filling f = {.sheet = out, .pool = pool, .reach = "", .form = true};
	enum label_form title = LABEL_FORM_NONE;
	struct line_reader r = {.f = &f, .value = STR_INIT, .last = STR_INIT};
	for (size_t i = 0; i < doc->count;) {
		const struct doc_cell *cell = &doc->cell[i];
		if (title == LABEL_FORM_NONE && !is_note(cell->text) && strlen(cell->text) < 240)
			title = label_title(cell->text);
		if (cell->table == 0) {
			if (label_title(cell->text) == LABEL_FORM_NONE ||
				label_read(cell->text).gap == GAP_SIGN)
				lines_read(&r, cell_text(cell));
			i++;
			continue;
		}
		line_flush(&r);
		/* The paragraph cells of text boxes can stand among those of a table. */
		size_t end = i;
		struct doc_cell *cells = pool_alloc(pool, (doc->count - i) * sizeof *cells);
		size_t count = 0;
		for (; end < doc->count && (doc->cell[end].table == cell->table || doc->cell[end].table == 0);
			end++)
			if (doc->cell[end].table == cell->table)
				cells[count++] = doc->cell[end];
		while (doc->cell[end - 1].table != cell->table)
			end--;
		table_read(&f, cells, count);
		for (; i < end; i++)
			if (doc->cell[i].table == 0)
				lines_read(&r, cell_text(&doc->cell[i]));
	}
	line_reader_end(&r);
	settle(&f, title);
}

/* ---- running text: tables ---- */

/* What parts the cells of a line. */
enum parting { BY_BOX, BY_BAR, BY_TAB, BY_BLANK };

#define ROW_CELLS 16
#define TABLE_ROWS 100 /* no form has more; what follows is another table */

struct row {
	const char *cell[ROW_CELLS];
	size_t count;
};

static size_t parting_skip(const char *text, enum parting how)
{
	static const char *const boxes[] = {"┃", "│", "║"}, *const bars[] = {"|", "｜"};
	if (how == BY_BLANK)
		return strspn(text, " ");
	if (how == BY_TAB)
		return *text == '\t' ? 1 : 0;
	for (size_t i = 0; i < (how == BY_BOX ? sizeof boxes / sizeof *boxes : sizeof bars / sizeof *bars);
		i++) {
		const char *border = how == BY_BOX ? boxes[i] : bars[i];
		if (str_has_prefix(text, border))
			return strlen(border);
	}
	return 0;
}

/* False: the line is no such row, or has too many cells. */
static bool row_split(struct row *row, const char *line, enum parting how, struct pool *pool)
{
	bool framed = how == BY_BOX || how == BY_BAR;
	size_t step = framed ? parting_skip(line, how) : 0;
	row->count = 0;
	if (framed && !step)
		return false;
	for (const char *from = line + step, *at = from;; at++) {
		step = parting_skip(at, how);
		if (!step && *at)
			continue;
		/* The frame on the right closes the row. */
		if (!*at && framed && at == from)
			return row->count > 0;
		if (row->count == ROW_CELLS)
			return false;
		row->cell[row->count++] = text_trim(pool_strndup(pool, from, (size_t)(at - from)));
		if (!*at)
			return true;
		from = at + step;
		at = from - 1;
	}
}

/* A line of a drawn table that holds nothing but its lines: ├──┼──┤, +---+---+, |:--|--:| */
static bool is_table_rule(const char *line)
{
	bool joint = false, level = false;
	for (size_t len = strlen(line), at = 0; at < len;) {
		uint32_t c = 0;
		size_t step = utf8_next(line + at, len - at, &c);
		bool box = c >= 0x2500 && c <= 0x257F;
		if (!step || (!box && c != ' ' && c != 0x3000 && c != 0xFF0B &&
				     !(c < 0x80 && strchr("+-=|:", (int)c))))
			return false;
		joint = joint || box || c == '+' || c == '|' || c == 0xFF0B;
		level = level || c == '-' || c == '=' || c == 0x2500 || c == 0x2501 || c == 0x2550;
		at += step;
	}
	return joint && level;
}

/* Cells that lines of text make. */
struct drawn {
	struct doc_cell *cell;
	size_t count, size;
	int row; /* of the last cells */
};

static void drawn_add(struct drawn *drawn, size_t column, const char *text)
{
	if (drawn->count == drawn->size) {
		drawn->size = drawn->size ? drawn->size * 2 : 32;
		drawn->cell = xrealloc(drawn->cell, drawn->size * sizeof *drawn->cell);
	}
	drawn->cell[drawn->count++] = (struct doc_cell){
		.table = 1, .row = drawn->row, .column = (int)column, .span = 1, .text = text};
}

static bool has_label(const struct row *row)
{
	for (size_t i = 0; i < row->count; i++)
		if (label_alone(row->cell[i]) != LABEL_NONE)
			return true;
	return false;
}

/* A row without a line above it and with nothing in its first cell goes on with the cells above. */
static void drawn_continue(struct drawn *drawn, const struct row *row, struct pool *pool)
{
	for (size_t i = drawn->count; i-- > 0 && drawn->cell[i].row == drawn->row;) {
		struct doc_cell *cell = &drawn->cell[i];
		const char *more = (size_t)cell->column < row->count ? row->cell[cell->column] : "";
		if (*more)
			cell->text = pool_printf(pool, "%s\n%s", cell->text, more);
	}
}

static char *line_copy(const char **at, struct pool *pool)
{
	size_t len = strcspn(*at, "\n");
	char *line = pool_strndup(pool, *at, len);
	*at += len + ((*at)[len] == '\n');
	return line;
}

/* Reads a table drawn with lines, and moves `end` behind it. False: it was none that holds labels. */
static bool drawn_table_read(struct filling *f, const char *text, const char **end)
{
	struct drawn drawn = {.row = -1};
	struct row row;
	bool ruled = true, labels = false, wide = false;
	*end = text;
	for (const char *at = text; *at && drawn.row < TABLE_ROWS; *end = at) {
		const char *line = text_trim(line_copy(&at, f->pool));
		if (is_table_rule(line)) {
			ruled = true;
			continue;
		}
		if (!row_split(&row, line, parting_skip(line, BY_BOX) ? BY_BOX : BY_BAR, f->pool))
			break;
		bool headless = row.count > 1 && !*row.cell[0];
		labels = labels || has_label(&row);
		wide = wide || row.count > 1;
		if (headless && !ruled && drawn.row >= 0 && !has_label(&row)) {
			drawn_continue(&drawn, &row, f->pool);
			continue;
		}
		drawn.row++;
		for (size_t i = headless ? 1 : 0; i < row.count; i++)
			drawn_add(&drawn, i, row.cell[i]);
		ruled = false;
	}
	if (labels && wide)
		table_read(f, drawn.cell, drawn.count);
	free(drawn.cell);
	return labels && wide;
}

/* Words that make a label only together: SECURITY ACTION 自己宣言ID. False: one of them belongs to none. */
static bool head_words_join(struct row *row, struct pool *pool)
{
	size_t kept = 0;
	for (size_t i = 0; i < row->count;) {
		const char *label = NULL, *run = "";
		size_t words = 0;
		for (size_t n = 0; n < 3 && i + n < row->count; n++) {
			run = n ? pool_printf(pool, "%s %s", run, row->cell[i + n]) : row->cell[i];
			if (label_alone(run) != LABEL_NONE) {
				label = run;
				words = n + 1;
			}
		}
		if (!label)
			return false;
		row->cell[kept++] = label;
		i += words;
	}
	row->count = kept;
	return true;
}

/* Could that be the value of the label? `sure`: only a value of that label looks so. */
static bool has_shape(enum label label, const char *value, bool *sure, struct pool *pool)
{
	*sure = true;
	switch (label) {
	case LABEL_DECLARATION_ID:
		return *id_in(value, IDENT_DECLARATION, pool) != '\0';
	case LABEL_USER_NUMBER:
		return *id_in(value, IDENT_USER, pool) != '\0';
	case LABEL_CORPORATE_NUMBER:
		return *corporate_number_in(value, pool) != '\0';
	case LABEL_MAIL:
		return *mail_in(value, pool) != '\0';
	case LABEL_STOP_ON:
		return sheet_find_day(value) != CIVIL_DAY_NONE || label_at_once(value);
	default:
		*sure = false;
		return !strchr(value, '@');
	}
}

/* Where blanks part the cells they part names as well: the values must be those of just these labels. */
static bool values_fit(const struct row *head, const struct row *values, struct pool *pool)
{
	size_t names = 0, shaped = 0;
	for (size_t i = 0; i < head->count; i++) {
		enum label label = label_alone(head->cell[i]);
		bool sure;
		if (label == LABEL_ITEM || label == LABEL_OLD || label == LABEL_NEW ||
			!has_shape(label, values->cell[i], &sure, pool))
			return false;
		names += label == LABEL_REPRESENTATIVE || label == LABEL_CONTACT || label == LABEL_PERSON;
		shaped += sure;
	}
	return names <= 1 && shaped > 0;
}

/* Reads a row of labels with rows of values below it, and moves `end` behind what was read. */
static bool head_table_read(struct filling *f, const char *text, const char **end)
{
	const char *at = text, *line = text_trim(line_copy(&at, f->pool));
	enum parting how = strchr(line, '\t') ? BY_TAB : BY_BLANK;
	struct row head, values;
	struct drawn drawn = {.row = 0};
	if (strlen(line) > 400 || !row_split(&head, line, how, f->pool) || head.count < 2 ||
		(how == BY_BLANK && !head_words_join(&head, f->pool)) || head.count < (how == BY_TAB ? 2 : 3))
		return false;
	bool change = false;
	for (size_t i = 0; i < head.count; i++) {
		enum label label = label_alone(head.cell[i]);
		if (label == LABEL_NONE) {
			free(drawn.cell);
			return false;
		}
		change = change || label == LABEL_OLD || label == LABEL_NEW;
		drawn_add(&drawn, i, head.cell[i]);
	}
	for (*end = at; *at && drawn.row < TABLE_ROWS; *end = at) {
		char *written = line_copy(&at, f->pool);
		line = how == BY_TAB ? written : text_trim(written); /* an empty cell may stand last */
		if (!row_split(&values, line, how, f->pool) || values.count != head.count ||
			(!change && has_label(&values)) ||
			(how == BY_BLANK && !values_fit(&head, &values, f->pool)))
			break;
		drawn.row++;
		for (size_t i = 0; i < values.count; i++)
			drawn_add(&drawn, i, values.cell[i]);
	}
	bool read = drawn.row > 0;
	if (read)
		table_read(f, drawn.cell, drawn.count);
	free(drawn.cell);
	/* Labels without values are no value of the first of them. */
	return read || (how == BY_BLANK && !change);
}

static void text_read(struct line_reader *r, const char *text)
{
	for (const char *at = text, *end; *at; at = end) {
		const char *first = at + strspn(at, " ");
		while (str_has_prefix(first, "　"))
			first += strlen("　");
		bool framed = parting_skip(first, BY_BOX) || parting_skip(first, BY_BAR);
		size_t len = strcspn(at, "\n");
		if (framed ? drawn_table_read(r->f, at, &end) : head_table_read(r->f, at, &end)) {
			line_flush(r);
			str_clear(&r->last);
			continue;
		}
		end = framed && end > at + len ? end : at + len + (at[len] == '\n');
		char *lines = xstrndup(at, (size_t)(end - at));
		lines_read(r, lines);
		free(lines);
	}
}

/* ---- running text ---- */

static bool begins_with_any(const char *text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_has_prefix(text, words[i]))
			return true;
	return false;
}

static bool holds_any(const char *text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strstr(text, words[i]))
			return true;
	return false;
}

/* 弊社…は自己宣言ID …, 会社名は…です */
static void business_in_prose(struct filling *f, const char *text)
{
	static const char *const openings[] = {"弊社名は", "社名は", "会社名は", "事業者名は", "法人名は",
		"屋号は", "名称は", "弊社", "当社", "当方"};
	static const char *const endings[] = {"は自己宣言ID", "は、自己宣言ID", "は自己宣言", "は、自己宣言",
		"です。", "です", "となります", "になります", "（自己宣言", "(自己宣言", "の自己宣言ID"};
	if (*f->sheet->business_name)
		return;
	for (size_t o = 0; o < sizeof openings / sizeof *openings; o++) {
		const char *at = strstr(text, openings[o]);
		if (!at)
			continue;
		at += strlen(openings[o]);
		size_t len = SIZE_MAX;
		for (size_t e = 0; e < sizeof endings / sizeof *endings; e++) {
			const char *end = strstr(at, endings[e]);
			if (end && (size_t)(end - at) < len)
				len = (size_t)(end - at);
		}
		if (len == SIZE_MAX || len < 6 || len > 120)
			continue;
		char *name = text_trim(pool_strndup(f->pool, at, len));
		if (strpbrk(name, "\n") || strstr(name, "。") || strstr(name, "、") ||
			str_has_prefix(name, "は") || str_has_prefix(name, "の") ||
			str_has_prefix(name, "が") || str_has_prefix(name, "で"))
			continue;
		f->sheet->business_name = pairs_strip(name);
		return;
	}
}

/* 代表者は架空 剛、担当は私辻󠄀健です: a name between its word and the next sign. */
static const char *person_in_prose(
	const char *text, const char *const *words, size_t count, struct pool *pool)
{
	static const char *const endings[] = {
		"、", "。", "です", "と申", "で、", "となり", "(", "（", ")", "）", "\n", "・", "／", "/"};
	static const char *const fillers[] = {"は", "：", ":", "　", " ", "、", "私、", "私", "同じく"};
	static const char *const no_names[] = {"した", "ため", "ので", "ません", "ます", "変更", "退職",
		"異動", "不在", "より", "から", "まで", "こと", "いる", "@", "ID", "自己宣言", "担当"};
	for (size_t w = 0; w < count; w++) {
		const char *at = strstr(text, words[w]);
		if (!at)
			continue;
		at += strlen(words[w]);
		bool marked = false;
		for (bool again = true; again;) {
			again = false;
			for (size_t i = 0; i < sizeof fillers / sizeof *fillers; i++)
				if (str_has_prefix(at, fillers[i])) {
					at += strlen(fillers[i]);
					again = marked = true;
				}
		}
		size_t len = strlen(at);
		for (size_t e = 0; e < sizeof endings / sizeof *endings; e++) {
			const char *end = strstr(at, endings[e]);
			if (end && (size_t)(end - at) < len)
				len = (size_t)(end - at);
		}
		bool says_who = str_has_prefix(at + len, "です") ||
				str_has_prefix(at + len, "と申"); /* 代表見本太郎です */
		if ((!marked && !says_who) || len < 3 || len > 60)
			continue;
		char *name = pool_strndup(pool, at, len);
		enum label label = label_read(name).label;
		bool labelled = label != LABEL_NONE && label != LABEL_REPRESENTATIVE; /* the next of a row */
		if (!labelled && !holds_any(name, no_names, sizeof no_names / sizeof *no_names))
			return person_clean(name);
	}
	return "";
}

static bool speaks_of_end(const char *sentence)
{
	static const char *const verbs[] = {"中止", "停止", "終了", "取りやめ", "取り止め", "取り下げ",
		"取下げ", "やめ", "廃止", "抹消", "辞退", "退会", "解約", "返上", "取り消", "取消", "解除"};
	return holds_any(sentence, verbs, sizeof verbs / sizeof *verbs);
}

/* 12月31日, 来年3月31日, 今月末, 年度末: a day that wants another one to be reckoned from, or the writer. Returns how far it reaches. */
static size_t loose_day_at(const char *text)
{
	static const char *const months[] = {"今月", "来月", "本月", "当月", "翌月", "再来月"};
	static const char *const ends[] = {
		"年度末", "年度いっぱい", "年度内", "年末", "年内", "月末", "期末"};
	const char *at = text;
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		if (str_has_prefix(at, ends[i]))
			return strlen(ends[i]);
	size_t digits = strspn(at, "0123456789"), month = 0;
	if (digits == 1 || digits == 2)
		month = str_has_prefix(at + digits, "月") ? digits + strlen("月") : 0;
	for (size_t i = 0; i < sizeof months / sizeof *months && !month; i++)
		month = str_has_prefix(at, months[i]) ? strlen(months[i]) : 0;
	if (!month)
		return 0;
	at += month;
	digits = strspn(at, "0123456789");
	if (digits > 0 && str_has_prefix(at + digits, "日"))
		at += digits + strlen("日");
	return (size_t)(at - text);
}

static const char *behind_remark(const char *rest)
{
	static const char *const spans[] = {"いっぱい", "一杯", "末日", "末", "中", "内"};
	rest += *rest == ' ';
	if (*rest == '(' && strchr(rest, ')'))
		rest = strchr(rest, ')') + 1;
	for (size_t i = 0; i < sizeof spans / sizeof *spans; i++)
		if (str_has_prefix(rest, spans[i]))
			return rest + strlen(spans[i]);
	return rest;
}

/* The use ends on a day that the sentence does not give whole: nobody may take it for today. */
static void loose_day_in_sentence(struct filling *f, const char *sentence)
{
	static const char *const used[] = {"使用は", "使用を"};
	static const char *const behind[] = {"で", "をもって", "をもちまして", "付", "より", "から", "限り",
		"まで", "以降", "とし", "と致", "とさせ"};
	static const char *const names[] = {"中止日は", "中止日を", "終了日は", "終了日を", "停止日は"};
	if (!speaks_of_end(sentence) && !holds_any(sentence, used, sizeof used / sizeof *used))
		return;
	for (const char *at = sentence; *at && !*f->sheet->stop_on_written; at++) {
		size_t len = at > sentence && is_digit(at[-1]) && is_digit(*at) ? 0 : loose_day_at(at);
		if (!len)
			continue;
		bool named = false;
		for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
			size_t before = strlen(names[i]);
			named = named || ((size_t)(at - sentence) >= before &&
						 memcmp(at - before, names[i], before) == 0);
		}
		const char *rest = behind_remark(at + len);
		if (named || begins_with_any(rest, behind, sizeof behind / sizeof *behind))
			f->sheet->stop_on_written = pool_strndup(f->pool, at, (size_t)(rest - at));
		at += len - 1;
	}
}

/* The day on which a sentence says the use ends. */
static void stop_day_in_sentence(struct filling *f, const char *sentence)
{
	static const char *const behind[] = {"で", "をもって", "をもちまして", "付", "より", "から", "に",
		"限り", "まで", "を使用中止日", "を中止日", "以降", "使用中止", "中止"};
	static const char *const past[] = {"に宣言", "に自己宣言", "に申", "に登録", "に取得", "に届", "に受",
		"付で宣言", "付の", "にお申", "に発行", "に通知"};
	static const char *const alone[] = {"付で", "をもって", "をもちまして", "限りで"};
	size_t len;
	bool ends = speaks_of_end(sentence);
	if (!ends && !holds_any(sentence, alone, sizeof alone / sizeof *alone))
		return;
	for (size_t at = 0; sentence[at] && f->sheet->stop_on == CIVIL_DAY_NONE; at++) {
		civil_day day = day_at(sentence, at, &len);
		if (day == CIVIL_DAY_NONE)
			continue;
		const char *rest = sentence + at + len;
		rest += *rest == ' ';
		if (*rest == '(' && strchr(rest, ')'))
			rest = strchr(rest, ')') + 1;
		rest += *rest == ')'; /* 9月1日(2026年9月1日)をもって */
		/* 2026/12/18付でお願いします: a sentence of its own behind the wish. */
		bool fits = ends ? begins_with_any(rest, behind, sizeof behind / sizeof *behind)
				 : begins_with_any(rest, alone, sizeof alone / sizeof *alone) &&
					    strstr(rest, "願い");
		if (fits && !begins_with_any(rest, past, sizeof past / sizeof *past))
			f->sheet->stop_on = day;
		at += len - 1;
	}
}

static void each_sentence(
	struct filling *f, const char *text, void (*fn)(struct filling *f, const char *sentence))
{
	struct str sentence = STR_INIT, joined = STR_INIT;
	for (const char *at = text; *at;) {
		const char *end = strstr(at, "。");
		size_t len = end ? (size_t)(end - at) + strlen("。") : strlen(at);
		char *piece = xstrndup(at, len);
		str_clear(&sentence);
		text_fold(&sentence, piece);
		free(piece);
		if (sentence.len < 2000) {
			str_clear(&joined);
			years_join(&joined, sentence.s);
			fn(f, joined.s);
		}
		at += len;
	}
	str_free(&sentence);
	str_free(&joined);
}

static void stop_day_in_prose(struct filling *f, const char *text)
{
	each_sentence(f, text, stop_day_in_sentence);
	if (f->sheet->stop_on == CIVIL_DAY_NONE)
		each_sentence(f, text, loose_day_in_sentence);
}

/* 和歌山県の浅葱クリニック（代表者：…）です */
static void place_in_prose(struct filling *f, const char *text)
{
	const char *name = sheet_find_prefecture(text);
	if (!name)
		return;
	if (!*f->sheet->prefecture)
		f->sheet->prefecture = name;
	const char *at = strstr(text, name);
	if (!at) /* 福岡, and nothing else */
		return;
	at += strlen(name);
	if (*f->sheet->business_name || (!str_has_prefix(at, "の") && !str_has_prefix(at, "にある")))
		return;
	at += str_has_prefix(at, "の") ? strlen("の") : strlen("にある");
	static const char *const endings[] = {
		"（代表", "(代表", "です", "の代表", "と申", "、代表", "の担当"};
	size_t len = SIZE_MAX;
	for (size_t e = 0; e < sizeof endings / sizeof *endings; e++) {
		const char *end = strstr(at, endings[e]);
		if (end && (size_t)(end - at) < len)
			len = (size_t)(end - at);
	}
	if (len < 90 && len >= 3 && !memchr(at, '\n', len))
		f->sheet->business_name = text_trim(pool_strndup(f->pool, at, len));
}

/* A word that only the name of a business has. */
static bool names_business(const char *text)
{
	static const char *const words[] = {"株式会社", "有限会社", "合同会社", "合名会社", "合資会社",
		"(株)", "（株）", "㈱", "(有)", "（有）", "㈲", "(同)", "（同）", "法人", "組合", "事務所",
		"協会", "財団", "社団", "商店", "工務店", "製作所", "クリニック", "医院", "歯科", "薬局",
		"農園"};
	static const char *const ours[] = {"情報処理推進機構", "独立行政法人", "事務局", "御中", "IPA"};
	return holds_any(text, words, sizeof words / sizeof *words) &&
	       !holds_any(text, ours, sizeof ours / sizeof *ours);
}

/* 株式会社 (and nothing more), as it stands before a blank: the name goes on behind it. */
static bool is_legal_form(const char *word)
{
	static const char *const ends[] = {"会社", "法人", "社団", "財団"};
	static const char *const begins[] = {"株式", "有限", "合同", "合名", "合資", "医療", "社会福祉",
		"学校", "宗教", "NPO", "ＮＰＯ", "特定非営利", "一般", "公益", "農事組合", "税理士",
		"弁護士"};
	bool ends_so = false;
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		ends_so = ends_so || str_has_suffix(word, ends[i]);
	return ends_so && strlen(word) <= strlen("特定非営利活動法人") &&
	       begins_with_any(word, begins, sizeof begins / sizeof *begins);
}

/* Of words with blanks between, those up to the last that names a business: 株式会社 サンプル 総務部 見本 → 株式会社 サンプル. */
static const char *business_words(const char *text, struct pool *pool)
{
	size_t keep = 0;
	bool goes_on = false;
	for (const char *at = text; *at;) {
		bool wide = str_has_prefix(at, "　");
		if (*at == ' ' || *at == '\t' || wide) {
			at += wide ? strlen("　") : 1;
			continue;
		}
		const char *end = at;
		while (*end && *end != ' ' && *end != '\t' && !str_has_prefix(end, "　"))
			end++;
		char *word = xstrndup(at, (size_t)(end - at));
		if (goes_on || names_business(word))
			keep = (size_t)(end - text);
		goes_on = is_legal_form(word);
		free(word);
		at = end;
	}
	return text_trim(pool_strndup(pool, text, keep));
}

/* Who says 株式会社サンプルの見本です, 株式会社サンプル 総務部 見本と申します, 東京都の株式会社サンプルです; "" when it is no business. */
static const char *business_introduced(const char *who, struct pool *pool)
{
	static const char *const leads[] = {"おります", "にある", "私、", "私は"};
	for (size_t i = 0; i < sizeof leads / sizeof *leads; i++) {
		const char *lead = strstr(who, leads[i]);
		who = lead ? lead + strlen(leads[i]) : who;
	}
	for (const char *at; (at = strstr(who, "の"));) {
		char *left = pool_strndup(pool, who, (size_t)(at - who));
		if (names_business(left) || !sheet_find_prefecture(left))
			break;
		who = at + strlen("の");
	}
	const char *last = NULL;
	for (const char *at = who; (at = strstr(at, "の")); at += strlen("の"))
		last = at;
	const char *name = last ? last + strlen("の") : "";
	size_t chars = utf8_chars(name);
	char *left = last ? pool_strndup(pool, who, (size_t)(last - who)) : NULL;
	return business_words(
		left && names_business(left) && !names_business(name) && chars >= 2 && chars <= 12 ? left
												   : who,
		pool);
}

/* A line that is nothing but the name of a business. */
static bool is_business_line(const char *line)
{
	static const char *const no_names[] = {"。", "、", ":", "：", "@", "様", "殿", "ます", "です",
		"ません", "ました", "http", "TEL", "について", "の件", "を"};
	return names_business(line) && utf8_chars(line) <= 30 &&
	       !holds_any(line, no_names, sizeof no_names / sizeof *no_names) && !is_note(line) &&
	       label_read(line).label == LABEL_NONE && label_title(line) == LABEL_FORM_NONE;
}

static void introduction_read(struct filling *f, const char *text)
{
	if (*f->sheet->business_name)
		return;
	static const char *const ends[] = {"と申します", "でございます", "です", "と申し"};
	static const char *const signs[] = {"。", "、", "!", "！", "\n"};
	const char *line_start = text;
	for (const char *at = text; *at && !*f->sheet->business_name;) {
		size_t len = strlen(at);
		for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
			const char *sign = strstr(at, signs[i]);
			if (sign && (size_t)(sign - at) < len)
				len = (size_t)(sign - at);
		}
		bool whole_line = at == line_start && (!at[len] || at[len] == '\n');
		if (len > 0 && len < 200) {
			char *who = text_trim(pool_strndup(f->pool, at, len));
			bool introduced = false;
			for (size_t i = 0; i < sizeof ends / sizeof *ends && !introduced; i++)
				if ((introduced = str_has_suffix(who, ends[i])))
					who[strlen(who) - strlen(ends[i])] = '\0';
			if (introduced && names_business(who))
				f->sheet->business_name = business_introduced(who, f->pool);
			else if (!introduced && whole_line && is_business_line(who))
				f->sheet->business_name = business_words(place_cut(who), f->pool);
		}
		at += len;
		if (*at == '\n')
			line_start = at + 1;
		uint32_t sign;
		at += utf8_next(at, strlen(at), &sign);
	}
	f->sheet->introduced = *f->sheet->business_name != '\0';
}

static void prose_read(struct filling *f, const char *text)
{
	static const char *const representative[] = {"代表者名", "代表者", "代表取締役", "代表"};
	static const char *const contact[] = {"担当者名", "担当者", "担当"};
	struct sheet *sheet = f->sheet;
	if (!*sheet->declaration_id)
		sheet->declaration_id = sheet_find_declaration_id(text, f->pool);
	const char *number = strstr(text, "法人番号");
	if (!*sheet->corporate_number && number)
		sheet->corporate_number =
			corporate_number_in(pool_strndup(f->pool, number, strnlen(number, 90)), f->pool);
	place_in_prose(f, text);
	business_in_prose(f, text);
	introduction_read(f, text);
	if (!*sheet->representative)
		sheet->representative = person_in_prose(
			text, representative, sizeof representative / sizeof *representative, f->pool);
	if (!*sheet->contact)
		sheet->contact = person_in_prose(text, contact, sizeof contact / sizeof *contact, f->pool);
	if (sheet->stop_on == CIVIL_DAY_NONE && !sheet->at_once && !*sheet->stop_on_written)
		stop_day_in_prose(f, text);
}

void sheet_read_text(struct sheet *out, const char *text, struct pool *pool)
{
	sheet_clear(out);
	struct filling f = {.sheet = out, .pool = pool, .reach = ""};
	struct line_reader r = {.f = &f, .strict = true, .value = STR_INIT, .last = STR_INIT};
	text_read(&r, text);
	line_reader_end(&r);
	prose_read(&f, text);
	settle(&f, LABEL_FORM_NONE);
}
