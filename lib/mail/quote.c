#include "lib/mail/quote.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/pattern.h"
#include "lib/base/text.h"

/* ---- the lines by which mail programs announce history ---- */

enum history {
	HISTORY_NO,
	HISTORY_MARKED, /* what follows is history as long as it carries quote marks; else to the end */
	HISTORY_REST, /* everything from here on is history */
};

/* Matched as bytes (pattern.h): no brackets of Japanese characters. */
#define DATE "[0-9]{4}(年|[/.-]) ?[0-9]{1,2}(月|[/.-]) ?[0-9]{1,2}"

static const struct {
	enum history kind;
	const char *pattern; /* POSIX extended, on the line folded (text_fold), trimmed */
} announcements[] = {
	/* Outlook, Outlook Express, Windows Live Mail, Shuriken, Yahoo, Notes; forwards */
	{HISTORY_REST,
		"^[-_=* ]{2,} ?(original message|original appointment|元のメッセージ|元のメール|オリジナル "
		"?メッセージ|返信元メッセージ) ?[-_=* ]{2,}$"},
	{HISTORY_REST, "^[-_=* ]{2,} ?(forwarded (message|by .*)|転送(された)?(メッセージ|メール)|forwarded) "
		       "?[-_=* ]{0,}$"},
	{HISTORY_REST, "^(begin forwarded message|転送されたメッセージ) ?:$"},
	{HISTORY_REST, "^-{3,} ?.{1,180} (wrote|からのメッセージ|さんからのメール) ?-{3,}$"},
	/* Gmail, Apple Mail, Thunderbird, iPhone, Becky! */
	{HISTORY_MARKED, "^on .{6,240} wrote ?:$"},
	{HISTORY_MARKED, "^.{1,240} wrote ?:$"},
	{HISTORY_MARKED, "^.{0,240}" DATE ".{0,240}[:>] ?$"},
	{HISTORY_MARKED, "^.{0,240}(のメール|は書きました|さんは書きました|が書きました|のメッセージ) ?:?$"},
	{HISTORY_MARKED, "^.{0,240}さん(は|が).{0,120}(に)?書きました"},
};

/* The first of two lines over which a program broke its announcement. */
static const char *const broken_announcement =
	"^(on ((mon|tue|wed|thu|fri|sat|sun)|[0-9]{1,4}[ /.-]).*[0-9]:[0-9]{2}.*|" DATE
	".*[0-9]:[0-9]{2}.*<)$";

/* A block of header lines such as Outlook puts above the history. */
static const char *const header_labels =
	"^[*> ]*(from|sent|date|to|cc|subject|差出人|送信者|送信日時|日時|日付|宛先|件名|送信元) ?:";

/* ---- lines by which signatures begin ---- */

static const char *const signature_rules[] = {
	"^-- ?$",
	"^(sent from my|iphoneから送信|ipadから送信|スマートフォンから送信|androidから送信|my "
	".*から送信|outlook for |get outlook|yahoo!メール.*から)",
};

/* What a signature block holds besides names. */
static const char *const contact_line =
	"(^| "
	")(tel|fax|電話|携帯|mobile|e-?mail|mail|url|https?|〒|住所|適格請求書|インボイス|法人番号|"
	"お客様番号)|〒 ?[0-9]{3}|[0-9]{2,4}-[0-9]{2,4}-[0-9]{3,4}|[a-z0-9._%+-]+@[a-z0-9.-]+";

/* Words of a request: a block that holds them between ornaments is no signature but the writer's own form. */
static const char *const request_words = "自己宣言|中止|停止|再送|変更|記載|依頼|希望";

struct patterns {
	struct pattern *announcement[sizeof announcements / sizeof *announcements];
	struct pattern *header, *contact, *request, *broken;
	struct pattern *signature[sizeof signature_rules / sizeof *signature_rules];
	bool ready;
};

static struct patterns patterns;

static struct pattern *compile(const char *expression)
{
	struct str why = STR_INIT;
	struct pattern *pattern = pattern_new(expression, true, &why);
	if (!pattern)
		die("broken pattern: %s: %s", expression, why.s);
	str_free(&why);
	return pattern;
}

static void patterns_prepare(void)
{
	if (patterns.ready)
		return;
	for (size_t i = 0; i < sizeof announcements / sizeof *announcements; i++)
		patterns.announcement[i] = compile(announcements[i].pattern);
	for (size_t i = 0; i < sizeof signature_rules / sizeof *signature_rules; i++)
		patterns.signature[i] = compile(signature_rules[i]);
	patterns.header = compile(header_labels);
	patterns.broken = compile(broken_announcement);
	patterns.contact = compile(contact_line);
	patterns.request = compile(request_words);
	patterns.ready = true;
}

static bool matches(const struct pattern *pattern, const char *text)
{
	struct pattern_pairs pairs;
	pattern_pairs_of(&pairs, text);
	return pattern_may_match(pattern, &pairs) && pattern_find(pattern, text, NULL, NULL);
}

/* ---- lines ---- */

struct line {
	const char *text; /* in the body, not terminated */
	size_t len;
	char *folded; /* lower case left to the patterns; owned */
	int depth; /* quote marks in front */
	size_t mark; /* bytes of them */
};

/* | 事業者名 | 株式会社… |: a row of a table that is drawn, no quotation. */
static bool is_table_row(const char *text, size_t len)
{
	while (len > 1 && strchr(" \t\r", text[len - 1]))
		len--;
	return len > 2 && text[len - 1] == '|' && memchr(text + 1, '|', len - 2);
}

/* The quote marks > ＞ | in front of a line. */
static int quote_depth(const char *text, size_t len, size_t *mark)
{
	int depth = 0;
	size_t at = 0;
	*mark = 0;
	while (at < len) {
		size_t step = 0;
		if (text[at] == '>')
			step = 1;
		else if (len - at >= 3 && memcmp(text + at, "＞", 3) == 0)
			step = 3;
		else if (text[at] == '|' && at == *mark && (at + 1 == len || text[at + 1] == ' ') &&
			 !is_table_row(text + at, len - at))
			step = 1;
		if (!step)
			break;
		depth++;
		at += step;
		if (at < len && text[at] == ' ')
			at++;
		*mark = at;
	}
	return depth;
}

static size_t split_lines(struct line **out, const char *body)
{
	size_t count = 0, size = 0;
	struct line *lines = NULL;
	for (const char *at = body; *at;) {
		size_t len = strcspn(at, "\n");
		if (count == size) {
			size = size ? size * 2 : 64;
			lines = xrealloc(lines, size * sizeof *lines);
		}
		struct line *line = &lines[count++];
		*line = (struct line){.text = at, .len = len};
		line->depth = quote_depth(at, len, &line->mark);
		struct str folded = STR_INIT;
		char *plain = xstrndup(at, len < 400 ? len : 400);
		text_fold(&folded, plain);
		free(plain);
		line->folded = str_take(&folded);
		at += len + (at[len] == '\n');
	}
	*out = lines;
	return count;
}

static void add_line(struct str *out, const struct line *line, bool without_marks)
{
	size_t skip = without_marks ? line->mark : 0;
	str_add(out, line->text + skip, line->len - skip);
	str_addc(out, '\n');
}

static enum history announced(const char *folded)
{
	struct pattern_pairs pairs;
	pattern_pairs_of(&pairs, folded);
	for (size_t i = 0; i < sizeof announcements / sizeof *announcements; i++)
		if (pattern_may_match(patterns.announcement[i], &pairs) &&
			pattern_find(patterns.announcement[i], folded, NULL, NULL))
			return announcements[i].kind;
	return HISTORY_NO;
}

/* Whether lines[at] and the next are one announcement that was broken. */
static bool is_broken_announcement(const struct line *lines, size_t count, size_t at)
{
	if (at + 1 >= count || lines[at + 1].depth > 0 || !matches(patterns.broken, lines[at].folded))
		return false;
	struct str both = STR_INIT;
	str_printf(&both, "%s %s", lines[at].folded, lines[at + 1].folded);
	bool is = announced(both.s) == HISTORY_MARKED;
	str_free(&both);
	return is;
}

/* Whether history begins at the line; *taken: how many lines announce it, 0 when it does not. */
static enum history history_at(const struct line *lines, size_t count, size_t at, size_t *taken)
{
	const struct line *line = &lines[at];
	*taken = 0;
	if (!line->folded[0])
		return HISTORY_NO;
	*taken = 1;
	enum history history = announced(line->folded);
	if (history != HISTORY_REST && is_broken_announcement(lines, count, at)) {
		history = HISTORY_MARKED;
		line = &lines[at + 1];
		*taken = 2;
	}
	if (history == HISTORY_REST)
		return HISTORY_REST;
	if (history == HISTORY_MARKED) {
		/* An attribution is only one when quoted lines follow, or nothing but history can (a mail address or 事務局 in it). */
		size_t next = at + *taken;
		while (next < count && !lines[next].folded[0])
			next++;
		if (next < count && lines[next].depth > 0)
			return HISTORY_MARKED;
		if (strchr(line->folded, '@') || strstr(line->folded, "事務局") ||
			strstr(line->folded, " wrote"))
			return HISTORY_REST;
	}
	/* Three header lines in a row. */
	size_t run = 0;
	while (run < 3 && at + run < count && matches(patterns.header, lines[at + run].folded))
		run++;
	*taken = run == 3;
	return run == 3 ? HISTORY_REST : HISTORY_NO;
}

/* The line of underscores that Outlook draws above history. */
static bool is_rule(const char *folded)
{
	size_t len = strlen(folded);
	return len >= 8 && strspn(folded, "_") == len;
}

/* A line of nothing but ornament: ----- ＊＊＊ ◆◇◆――― //////. Its first character, 0 when it is none. */
static bool is_ornament(const char *folded)
{
	size_t chars = 0;
	for (const char *at = folded; *at;) {
		uint32_t c;
		size_t step = utf8_next(at, strlen(at), &c);
		if (step == 0)
			return false;
		bool letter = (c < 0x80 && ((c >= '0' && c <= '9') ||
						   ((c | 0x20u) >= 'a' && (c | 0x20u) <= 'z'))) ||
			      (c >= 0x3041 && c <= 0x30FA) || (c >= 0x4E00 && c <= 0x9FFF) ||
			      (c >= 0xFF66 && c <= 0xFF9D);
		if (letter)
			return false;
		if (c != ' ')
			chars++;
		at += step;
	}
	return chars >= 6;
}

#define SIGNATURE_LINES 16

/* Where the signature begins among the fresh lines [first, count): count when there is none. */
static size_t signature_start(const struct line *const *fresh, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t r = 0; r < sizeof signature_rules / sizeof *signature_rules; r++)
			if (matches(patterns.signature[r], fresh[i]->folded))
				return i;
	/* A block between ornaments at the end that holds contact data. */
	for (size_t i = 0; i < count; i++) {
		if (!is_ornament(fresh[i]->folded) || i == 0)
			continue;
		size_t contacts = 0, lines = 0, words = 0;
		for (size_t k = i + 1; k < count && lines <= SIGNATURE_LINES && words == 0; k++) {
			lines += fresh[k]->folded[0] != '\0';
			contacts += matches(patterns.contact, fresh[k]->folded);
			words += matches(patterns.request, fresh[k]->folded);
		}
		if (contacts >= 1 && words == 0 && lines <= SIGNATURE_LINES)
			return i;
	}
	return count;
}

void written_split(struct written *out, const char *body)
{
	*out = (struct written){STR_INIT, STR_INIT, STR_INIT};
	patterns_prepare();
	struct line *lines;
	size_t count = split_lines(&lines, body);
	const struct line **fresh = xcalloc(count + 1, sizeof *fresh);
	size_t fresh_count = 0;
	bool rest = false;
	size_t announcing = 0; /* lines from here that announce history */
	for (size_t i = 0; i < count; i++) {
		enum history history = HISTORY_NO;
		if (!rest && !announcing && lines[i].depth == 0)
			history = history_at(lines, count, i, &announcing);
		rest = rest || history == HISTORY_REST;
		if (history == HISTORY_REST && fresh_count && is_rule(fresh[fresh_count - 1]->folded))
			add_line(&out->quoted, fresh[--fresh_count], true);
		if (rest || lines[i].depth > 0 || announcing)
			add_line(&out->quoted, &lines[i], true);
		else
			fresh[fresh_count++] = &lines[i];
		announcing -= announcing > 0;
	}
	size_t signature = signature_start(fresh, fresh_count);
	for (size_t i = 0; i < fresh_count; i++)
		add_line(i < signature ? &out->fresh : &out->signature, fresh[i], false);
	for (size_t i = 0; i < count; i++)
		free(lines[i].folded);
	free(lines);
	free(fresh);
}

void written_free(struct written *written)
{
	str_free(&written->fresh);
	str_free(&written->quoted);
	str_free(&written->signature);
}
