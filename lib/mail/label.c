#include "lib/mail/label.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/conf.h"
#include "lib/base/embed.h"
#include "lib/base/text.h"

/* ---- the data ---- */

struct group {
	int label;
	struct strlist words;
};

struct group_list {
	struct group **item;
	size_t count;
};

/* A label of a field among those whose first character falls into the same place. */
struct word {
	const char *text;
	size_t len;
	enum label label;
	const struct word *next;
};

#define PLACES 128

struct labels {
	struct group_list fields, titles, groups;
	struct strlist at_once;
	const struct word *by_first[PLACES]; /* the words of all fields */
	bool ready;
};

static struct labels labels;

static const char *const field_names[] = {"", "declaration_id", "user_number", "business_name",
	"representative", "contact", "person", "mail", "corporate_number", "prefecture", "stop_on", "reason",
	"item", "old", "new", "reach", "other", NULL};
static const char *const form_names[] = {"", "stop", "change", NULL};

static const struct conf_key field_keys[] = {{.name = "field",
						     .type = CONF_CHOICE,
						     .offset = offsetof(struct group, label),
						     .choices = field_names,
						     .help = "the field"},
	{.name = "labels", .type = CONF_LIST, .offset = offsetof(struct group, words), .help = "its labels"},
	{0}};
static const struct conf_key title_keys[] = {{.name = "form",
						     .type = CONF_CHOICE,
						     .offset = offsetof(struct group, label),
						     .choices = form_names,
						     .help = "the form"},
	{.name = "words", .type = CONF_LIST, .offset = offsetof(struct group, words), .help = "its titles"},
	{0}};
static const struct conf_key group_keys[] = {{.name = "field",
						     .type = CONF_CHOICE,
						     .offset = offsetof(struct group, label),
						     .choices = field_names,
						     .help = "whose name it is"},
	{.name = "words", .type = CONF_LIST, .offset = offsetof(struct group, words), .help = "words"}, {0}};

static void *group_add(void *base)
{
	struct group_list *list = base;
	list->item = xrealloc(list->item, (list->count + 1) * sizeof(struct group *));
	return list->item[list->count++] = xcalloc(1, sizeof(struct group));
}

static const struct conf_key label_keys[] = {{.name = "fields",
						     .type = CONF_GROUPS,
						     .offset = offsetof(struct labels, fields),
						     .keys = field_keys,
						     .add = group_add,
						     .help = "labels of the fields"},
	{.name = "titles",
		.type = CONF_GROUPS,
		.offset = offsetof(struct labels, titles),
		.keys = title_keys,
		.add = group_add,
		.help = "titles of the forms"},
	{.name = "groups",
		.type = CONF_GROUPS,
		.offset = offsetof(struct labels, groups),
		.keys = group_keys,
		.add = group_add,
		.help = "headings over several rows"},
	{.name = "at_once",
		.type = CONF_LIST,
		.offset = offsetof(struct labels, at_once),
		.help = "words for: now"},
	{0}};

static void words_fold(struct strlist *words)
{
	for (size_t i = 0; i < words->count; i++) {
		struct str key = STR_INIT;
		label_key(&key, words->item[i]);
		free(words->item[i]);
		words->item[i] = str_take(&key);
	}
}

static size_t first_place(const char *key)
{
	uint32_t c = 0;
	(void)utf8_next(key, strnlen(key, 4), &c);
	return c % PLACES;
}

/* Of a word that stands twice the first counts: it is put in last, before the others. */
static void fields_index(void)
{
	for (size_t f = labels.fields.count; f-- > 0;) {
		const struct group *field = labels.fields.item[f];
		for (size_t i = field->words.count; i-- > 0;) {
			struct word *word = xcalloc(1, sizeof *word);
			const struct word **place = &labels.by_first[first_place(field->words.item[i])];
			*word = (struct word){field->words.item[i], strlen(field->words.item[i]),
				(enum label)field->label, *place};
			*place = word;
		}
	}
}

static const struct labels *labels_get(void)
{
	if (labels.ready)
		return &labels;
	struct err err = {0};
	if (conf_read_text(embedded_sheet_labels, "sheet-labels.conf", label_keys, &labels, &err))
		die("%s", err.text);
	struct group_list *const lists[] = {&labels.fields, &labels.titles, &labels.groups};
	for (size_t l = 0; l < sizeof lists / sizeof *lists; l++)
		for (size_t i = 0; i < lists[l]->count; i++)
			words_fold(&lists[l]->item[i]->words);
	words_fold(&labels.at_once);
	fields_index();
	labels.ready = true;
	return &labels;
}

/* ---- folding with a way back ---- */

/* The key of a text, and for each of its bytes where in the text the character ends that gave it. */
struct folded {
	struct str key;
	size_t *end;
	size_t size;
};

static bool is_blank(uint32_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x3000 || c == 0xA0 ||
	       (c >= 0x2000 && c <= 0x200F) || c == 0xFEFF || c == 0x2060 || c == 0x202F;
}

static bool is_selector(uint32_t c)
{
	return (c >= 0xFE00 && c <= 0xFE0F) || (c >= 0xE0100 && c <= 0xE01EF);
}

static bool is_voice_mark(uint32_t c)
{
	return c == 0xFF9E || c == 0xFF9F || c == 0x3099 || c == 0x309A;
}

static void folded_add_byte(struct folded *folded, char c, size_t end)
{
	if (folded->key.len == folded->size) {
		folded->size = folded->size ? folded->size * 2 : 128;
		folded->end = xrealloc(folded->end, folded->size * sizeof *folded->end);
	}
	folded->end[folded->key.len] = end;
	str_addc(&folded->key, c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c);
}

/* Characters that are their own key, or ASCII in full width: nearly all there are, and quick. */
static bool folded_add_plain(struct folded *folded, uint32_t c, const char *text, size_t len, size_t end)
{
	bool wide = c >= 0xFF01 && c <= 0xFF5D && c != 0xFF0D;
	if (wide || (c > ' ' && c < 0x7F)) {
		folded_add_byte(folded, (char)(wide ? c - 0xFEE0 : c), end);
		return true;
	}
	if (!((c >= 0x3041 && c <= 0x3096) || (c >= 0x30A1 && c <= 0x30FB) || (c >= 0x4E00 && c <= 0x9FFF) ||
		    c == 0x3001 || c == 0x3002))
		return false;
	for (size_t i = 0; i < len; i++)
		folded_add_byte(folded, text[i], end);
	return true;
}

static void folded_add(struct folded *folded, const char *text, size_t len, size_t end)
{
	struct str piece = STR_INIT;
	char *copy = xstrndup(text, len);
	text_fold(&piece, copy); /* hyphens and waves become one kind */
	free(copy);
	for (size_t i = 0; i < piece.len; i++)
		if (piece.s[i] != ' ')
			folded_add_byte(folded, piece.s[i], end);
	str_free(&piece);
}

/* Folds at most `most` bytes of the text. */
static void fold(struct folded *folded, const char *text, size_t most)
{
	*folded = (struct folded){.key = STR_INIT};
	size_t len = strnlen(text, most);
	for (size_t at = 0; at < len;) {
		uint32_t c, next;
		size_t step = utf8_next(text + at, len - at, &c);
		if (step == 0) {
			at++;
			continue;
		}
		size_t end = at + step, more;
		while ((more = utf8_next(text + end, len - end, &next)) > 0 &&
			(is_voice_mark(next) || is_selector(next)))
			end += more;
		bool alone = end == at + step;
		if (!is_blank(c) && !is_selector(c) &&
			!(alone && folded_add_plain(folded, c, text + at, step, end)))
			folded_add(folded, text + at, is_voice_mark(c) ? step : end - at, end);
		at = end;
	}
}

static void folded_free(struct folded *folded)
{
	str_free(&folded->key);
	free(folded->end);
}

void label_key(struct str *out, const char *text)
{
	struct folded folded;
	fold(&folded, text, strlen(text));
	/* Variation selectors that were kept with their character go here. */
	for (size_t at = 0; at < folded.key.len;) {
		uint32_t c;
		size_t step = utf8_next(folded.key.s + at, folded.key.len - at, &c);
		if (step == 0)
			break;
		if (!is_selector(c))
			str_add(out, folded.key.s + at, step);
		at += step;
	}
	folded_free(&folded);
}

/* ---- one label ---- */

static const char *const ornaments[] = {"・", "□", "■", "◆", "◇", "●", "○", "◎", "▼", "▽", "▶", "▷", "▲", "△",
	"★", "☆", "*", "-", "#", ">", "<", "【", "[", "《", "〈", "「", "『", "〔", "☐", "☑", "→", "•", "✓",
	"✔", "♦", "◾", "▪", "»", "|", "+", "〇", "~", "┃", "│", "┣", "├", "┗", "└", "┏", "┌", "║", "＋", "╋",
	"❏", "❐", "❑", "◯", "✅", "☛", "☞", "➤", "➡", "⇒", "♪", "※", "\"", "“"};

static size_t ornament_skip(const char *key)
{
	for (size_t i = 0; i < sizeof ornaments / sizeof *ornaments; i++)
		if (str_has_prefix(key, ornaments[i]))
			return strlen(ornaments[i]);
	return 0;
}

/* "1." "(1)" "1)" "第1" "a." "一、" and what ① became: "1". */
static size_t numbering_skip(const char *key)
{
	static const char *const signs[] = {".", ")", "]", "、", ":", "。", ","};
	static const char *const letters[] = {"一", "二", "三", "四", "五", "六", "七", "八", "九", "十",
		"ア", "イ", "ウ", "エ", "オ", "カ", "キ", "ク", "ケ", "コ", "a", "b", "c", "d", "e", "f", "g",
		"h", "i", "j"};
	size_t at = *key == '(' || *key == '[' ? 1 : 0, digits = strspn(key + at, "0123456789");
	bool opened = at > 0, letter = false;
	if (digits > 2)
		return 0;
	at += digits;
	for (size_t i = 0; !digits && i < sizeof letters / sizeof *letters && !letter; i++)
		if (str_has_prefix(key + at, letters[i])) {
			at += strlen(letters[i]);
			letter = true;
		}
	if (!digits && !letter)
		return 0;
	bool signed_ = false;
	for (size_t i = 0; i < sizeof signs / sizeof *signs && !signed_; i++)
		if (str_has_prefix(key + at, signs[i])) {
			at += strlen(signs[i]);
			signed_ = true;
		}
	return (opened || letter) && !signed_ ? 0 : at;
}

/* The longest label at that place of the key that ends in the text where a label can; 0: none. */
static size_t label_match(const char *key, enum label *label, size_t below)
{
	size_t longest = 0;
	for (const struct word *word = labels_get()->by_first[first_place(key)]; word; word = word->next)
		if (word->len > longest && word->len < below && str_has_prefix(key, word->text)) {
			longest = word->len;
			*label = word->label;
		}
	return longest;
}

static size_t prefix_skip(const char *text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_has_prefix(text, words[i]))
			return strlen(words[i]);
	return 0;
}

/*
 * What names a reason or a day of the end without standing in any list: 中止に至った理由, 使用中止を希望される日. The longest
 * beginning of the key, shorter than `below`, that ends in such a noun.
 */
static size_t named_match(const char *key, enum label *label, size_t below)
{
	static const char *const ends[] = {"中止", "停止", "終了", "廃止", "取り下げ", "取下げ", "取りやめ",
		"やめ", "抹消", "退会", "解約", "辞退", "返上"};
	static const char *const others[] = {"申込", "申請", "届", "提出", "記入", "受付", "受理", "変更",
		"宣言し", "メール", "ニュース", "配信", "購読", "は", "が", "、", "。", ":", "=", "…", "(",
		"「", "\""};
	/* What is ended is the use or the declaration, not a service or a newsletter. */
	static const char *const begins[] = {"使用", "利用", "ロゴ", "マーク", "登録", "宣言", "自己宣言",
		"掲載", "表示", "掲示", "security", "セキュリティ", "上記", "本件"};
	static const struct {
		const char *noun;
		enum label label;
	} nouns[] = {{"理由", LABEL_REASON}, {"事由", LABEL_REASON}, {"経緯", LABEL_REASON},
		{"わけ", LABEL_REASON}, {"日", LABEL_STOP_ON}, {"年月日", LABEL_STOP_ON},
		{"日付", LABEL_STOP_ON}, {"時期", LABEL_STOP_ON}};
	size_t longest = 0, reach = strnlen(key, 90); /* thirty characters */
	bool ended = false, other = !prefix_skip(key, begins, sizeof begins / sizeof *begins) &&
				    !prefix_skip(key, ends, sizeof ends / sizeof *ends);
	for (size_t at = 0; at < reach && !other; at++) {
		ended = ended || prefix_skip(key + at, ends, sizeof ends / sizeof *ends);
		other = prefix_skip(key + at, others, sizeof others / sizeof *others);
		for (size_t i = 0; i < sizeof nouns / sizeof *nouns && ended && !other; i++)
			if (str_has_prefix(key + at, nouns[i].noun) && at + strlen(nouns[i].noun) < below) {
				longest = at + strlen(nouns[i].noun);
				*label = nouns[i].label;
			}
	}
	return longest;
}

static size_t blank_skip(const char *text, bool *tab)
{
	size_t at = 0, step;
	uint32_t c;
	while ((step = utf8_next(text + at, strnlen(text + at, 4), &c)) > 0 && is_blank(c)) {
		*tab = *tab || c == '\t';
		at += step;
	}
	return at;
}

static size_t close_skip(const char *text)
{
	static const char *const closing[] = {
		"】", "]", "］", "》", "〉", "」", "』", "〕", "*", "＊", "欄", ">", "＞"};
	return prefix_skip(text, closing, sizeof closing / sizeof *closing);
}

static size_t sign_skip(const char *text)
{
	static const char *const signs[] = {":", "：", "=", "＝", "→", "⇒", "…", "‥", "・", "―", "─", "—",
		"–", "-", "－", "|", "｜", "/", "／", ";", "；", "...", "．．", ">", "＞", "︓", "﹕", "➡",
		"☞", "､", "､", "┃", "│", "║"};
	size_t dots = strspn(text, "."); /* a leader of any length */
	return dots > 1 ? dots : prefix_skip(text, signs, sizeof signs / sizeof *signs);
}

/* The ornament that ends the text in front of a label, as often as it stands behind the label as well: ●使用中止日●. */
static size_t frame_skip(const char *text, const char *front, size_t len)
{
	static const char *const boxes[] = {"□", "■", "☐", "☑", "○", "✓", "✔", "✅"}; /* to tick */
	const char *ornament = NULL;
	bool tab = false;
	for (size_t i = 0; i < sizeof ornaments / sizeof *ornaments && !ornament; i++) {
		size_t size = strlen(ornaments[i]);
		if (len >= size && memcmp(front + len - size, ornaments[i], size) == 0)
			ornament = ornaments[i];
	}
	size_t at = blank_skip(text, &tab), first = at;
	while (ornament && str_has_prefix(text + at, ornament))
		at += strlen(ornament);
	bool ends = at > first && text[at + blank_skip(text + at, &tab)] == '\0';
	bool box = ornament && prefix_skip(ornament, boxes, sizeof boxes / sizeof *boxes) > 0;
	return ends || (first == 0 && !box) ? at : 0;
}

/* Behind a label in quotation marks, the comma and what opens the value: "事業者名","株式会社… */
static size_t comma_skip(const char *text)
{
	static const char *const quotes[] = {"\"", "”"}, *const commas[] = {",", "，", "、"};
	bool tab = false;
	size_t at = prefix_skip(text, quotes, sizeof quotes / sizeof *quotes);
	size_t skip = at ? blank_skip(text + at, &tab) : 0,
	       comma = at ? prefix_skip(text + at + skip, commas, sizeof commas / sizeof *commas) : 0;
	return comma ? at + skip + comma : 0;
}

/* A value in quotation marks that ends the text: 事業者名「株式会社…」. */
static bool is_quotation(const char *text)
{
	static const char *const quotes[][2] = {{"「", "」"}, {"『", "』"}};
	for (size_t i = 0; i < sizeof quotes / sizeof *quotes; i++) {
		const char *close = str_has_prefix(text, quotes[i][0]) ? strstr(text, quotes[i][1]) : NULL;
		bool tab = false;
		if (close)
			return close[strlen(quotes[i][1]) + blank_skip(close + strlen(quotes[i][1]), &tab)] ==
			       '\0';
	}
	return false;
}

/* [49955129757] is a value, (例：4999999999) a remark. */
static bool is_bracketed_value(const char *inside)
{
	struct str folded = STR_INIT;
	size_t digits = 0;
	text_fold(&folded, inside);
	for (size_t i = 0; i < folded.len; i++)
		digits += folded.s[i] >= '0' && folded.s[i] <= '9';
	bool value = digits >= 6 && !strstr(folded.s, "例");
	str_free(&folded);
	return value;
}

/* A remark in brackets: (法人名又は屋号). Its length with the brackets; 0: none. chars: of what it holds. */
static size_t remark_length(const char *text, size_t *chars)
{
	static const struct {
		const char *open, *close;
	} brackets[] = {{"(", ")"}, {"（", "）"}, {"（", ")"}, {"(", "）"}, {"[", "]"}, {"［", "］"},
		{"〔", "〕"}, {"<", ">"}, {"＜", "＞"}};
	for (size_t i = 0; i < sizeof brackets / sizeof *brackets; i++) {
		if (!str_has_prefix(text, brackets[i].open))
			continue;
		const char *inside = text + strlen(brackets[i].open),
			   *close = strstr(inside, brackets[i].close);
		if (!close || close - inside > 120)
			continue;
		char *copy = xstrndup(inside, (size_t)(close - inside));
		*chars = utf8_chars(copy);
		bool value = is_bracketed_value(copy);
		free(copy);
		if (value)
			return 0;
		return (size_t)(close - text) + strlen(brackets[i].close);
	}
	return 0;
}

static bool is_particle(const char *text)
{
	static const char *const particles[] = {"は", "が", "を", "に", "の", "と", "って", "で", "も", "欄"};
	return prefix_skip(text, particles, sizeof particles / sizeof *particles) > 0;
}

static bool ends_with_any(const char *text, size_t len, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t size = strlen(words[i]);
		if (len >= size && memcmp(text + len - size, words[i], size) == 0)
			return true;
	}
	return false;
}

/* Reads on behind the label: false when the text goes on as no label's would. The first `len` bytes of `front` stood before it. */
static bool gap_read(const char *text, const char *front, size_t len, struct labelled *out)
{
	static const char *const opening[] = {"(", "（"}, *const closing[] = {")", "）"};
	size_t at = comma_skip(text), step, chars = 0;
	at = at ? at : frame_skip(text, front, len);
	bool blank = false, sign = at > 0 || is_quotation(text), tab = false;
	if (ends_with_any(front, len, opening, sizeof opening / sizeof *opening)) {
		at = prefix_skip(text, closing, sizeof closing / sizeof *closing);
		sign = true; /* （事業者名）株式会社… */
		if (!at || is_particle(text + at))
			return false;
	}
	while ((step = close_skip(text + at)) > 0) {
		bool quotes = str_has_prefix(text + at, "」") || str_has_prefix(text + at, "』");
		at += step;
		sign = true; /* 【事業者名】株式会社… */
		if (quotes && is_particle(text + at))
			return false; /* 「使用中止日」は… speaks of the label */
	}
	size_t remark = remark_length(text + at, &chars);
	size_t before = at;
	if (!remark) {
		size_t skip = blank_skip(text + at, &tab);
		remark = remark_length(text + at + skip, &chars);
		before = at + skip;
	}
	if (remark) {
		size_t behind = before + remark;
		bool behind_tab = false;
		size_t skip = blank_skip(text + behind, &behind_tab);
		bool ends = text[behind + skip] == '\0';
		/* (有) and the like open a value; a longer remark right behind the label, or one before a sign, does not. */
		if (sign_skip(text + behind + skip) || behind_tab || (chars > 2 && (before == at || ends)) ||
			(ends && before == at))
			at = behind;
		else
			tab = false;
	}
	while ((step = close_skip(text + at)) > 0)
		at += step;
	for (;;) {
		size_t skip = blank_skip(text + at, &tab);
		blank = blank || skip > 0;
		at += skip;
		step = sign_skip(text + at);
		if (!step)
			break;
		sign = true;
		at += step;
	}
	out->value = text + at;
	if (!*out->value) {
		out->gap = GAP_END;
		return true;
	}
	out->gap = sign || tab ? GAP_SIGN : GAP_BLANK;
	/* A remark that was passed over is as good as a blank. */
	return sign || blank || tab || (remark && at > 0);
}

#define LABEL_BYTES 400 /* bytes in which a label can stand */

/* The longest label that begins at that byte of the key and ends where the text lets it. */
static bool label_at(
	const char *text, const struct folded *folded, size_t start, bool named, struct labelled *out)
{
	enum label label = LABEL_NONE;
	size_t len = SIZE_MAX, front = start ? folded->end[start - 1] : 0;
	if (start >= folded->key.len)
		return false;
	while ((len = named ? named_match(folded->key.s + start, &label, len)
			    : label_match(folded->key.s + start, &label, len)) > 0) {
		struct labelled found = {.label = label, .value = ""};
		if (gap_read(text + folded->end[start + len - 1], text, front, &found) &&
			(!named || found.gap != GAP_BLANK)) {
			*out = found;
			return true;
		}
	}
	return false;
}

static const char *const honours[] = {"ご", "お", "御"};

/* 担当者様：見本 太郎: only with a value behind it is this no salutation. */
static bool addressed_at(const char *text, const struct folded *folded, size_t start, struct labelled *out)
{
	enum label label = LABEL_NONE;
	size_t len = label_match(folded->key.s + start, &label, SIZE_MAX),
	       titled = start + len + strlen("様");
	return len && str_has_prefix(folded->key.s + start + len, "様") &&
	       (label == LABEL_CONTACT || label == LABEL_REPRESENTATIVE) &&
	       gap_read(text + folded->end[titled - 1], text, 0, out) && out->gap == GAP_SIGN &&
	       (out->label = label) != LABEL_NONE;
}

/* Takes out of a key the honours a noun can have: ご担当者様のお名前, 代表者ご氏名. False: there is none. */
static bool honours_drop(struct folded *folded, size_t start)
{
	static const char *const nouns[] = {"氏名", "名前", "芳名", "担当", "代表", "連絡", "住所", "電話",
		"所属", "役職", "申込", "申し込", "申請", "登録", "利用", "使用", "中止", "希望", "理由"};
	char *whole = xstrdup(folded->key.s);
	size_t len = folded->key.len, kept = start;
	for (size_t at = start; at < len;) {
		size_t skip = prefix_skip(whole + at, honours, sizeof honours / sizeof *honours);
		if (skip && !prefix_skip(whole + at + skip, nouns, sizeof nouns / sizeof *nouns))
			skip = 0;
		if (!skip && str_has_prefix(whole + at, "様") && at > start)
			skip = strlen("様");
		for (size_t i = 0; i < (skip ? 0 : 1); i++, at++) {
			folded->end[kept] = folded->end[at];
			folded->key.s[kept++] = whole[at];
		}
		at += skip;
	}
	str_cut(&folded->key, kept);
	free(whole);
	return kept < len;
}

struct labelled label_read(const char *text)
{
	struct labelled out = {.label = LABEL_NONE, .value = ""};
	struct folded folded;
	fold(&folded, text, LABEL_BYTES);
	size_t at = 0, step;
	for (int i = 0; i < 6 && (step = ornament_skip(folded.key.s + at)) > 0; i++)
		at += step;
	size_t numbered = at + numbering_skip(folded.key.s + at);
	while ((step = ornament_skip(folded.key.s + numbered)) > 0 && numbered > at)
		numbered += step;
	/* ご連絡先メールアドレス, お名前: as the label without the honour. （事業者名）: as the label without the bracket. */
	size_t honour = prefix_skip(folded.key.s + numbered, honours, sizeof honours / sizeof *honours),
	       bracket = folded.key.s[numbered] == '(';
	const size_t starts[] = {numbered, at, numbered + honour, numbered + bracket};
	bool found = false;
	for (size_t s = 0; s < sizeof starts / sizeof *starts && !found; s++)
		if (s == 0 || starts[s] != numbered)
			found = label_at(text, &folded, starts[s], false, &out);
	found = found || addressed_at(text, &folded, numbered + honour, &out);
	if (!found && honours_drop(&folded, numbered + bracket))
		found = label_at(text, &folded, numbered + bracket, false, &out);
	if (!found)
		(void)label_at(text, &folded, numbered + bracket, true, &out);
	/* Behind a blank alone only a mail address makes it more than a word. */
	if (out.label == LABEL_REACH && out.gap == GAP_BLANK && !strchr(out.value, '@'))
		out.label = LABEL_OTHER;
	folded_free(&folded);
	return out;
}

enum label label_alone(const char *text)
{
	struct labelled found = label_read(text);
	return found.gap == GAP_END ? found.label : LABEL_NONE;
}

/* ---- words ---- */

static int group_with(const struct group_list *list, const char *key)
{
	for (size_t g = 0; g < list->count; g++)
		for (size_t i = 0; i < list->item[g]->words.count; i++)
			if (strstr(key, list->item[g]->words.item[i]))
				return list->item[g]->label;
	return 0;
}

enum label_form label_title(const char *text)
{
	struct str key = STR_INIT;
	label_key(&key, text);
	int form = group_with(&labels_get()->titles, key.s);
	str_free(&key);
	return (enum label_form)form;
}

enum label label_group(const char *text)
{
	struct str key = STR_INIT;
	label_key(&key, text);
	int label = group_with(&labels_get()->groups, key.s);
	str_free(&key);
	return (enum label)label;
}

bool label_at_once(const char *text)
{
	const struct strlist *words = &labels_get()->at_once;
	struct str key = STR_INIT;
	bool found = false;
	label_key(&key, text);
	for (size_t i = 0; i < words->count && !found; i++)
		found = strstr(key.s, words->item[i]) != NULL;
	str_free(&key);
	return found;
}
