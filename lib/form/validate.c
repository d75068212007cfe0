#include "lib/form/validate.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/civil.h"
#include "lib/base/mailaddr.h"
#include "lib/base/text.h"
#include "lib/form/fieldmap_p.h"
#include "lib/form/number.h"

/* One record being checked. */
struct check {
	struct form_values *out;
	struct findings *findings;
	const struct form_record *record;
	const struct fieldmap *map;
	const struct validate_rules *rules;
	const struct registry *registry;
	struct pool *pool;
	bool damaged[FIELD_COUNT];
};

const char *finding_code_name(enum finding_code code)
{
	static const char *const names[] = {
		[FINDING_CORPORATE_NUMBER] = "corporate-number",
		[FINDING_MAIL_CONFIRM] = "mail-confirm",
		[FINDING_MAIL] = "mail",
		[FINDING_PLEDGE] = "pledge",
		[FINDING_CONSENT] = "consent",
		[FINDING_DUPLICATE] = "duplicate",
		[FINDING_STEP_UP] = "step-up",
		[FINDING_PREFECTURE] = "prefecture",
		[FINDING_INJECTION] = "injection",
		[FINDING_REQUIRED] = "required",
		[FINDING_CHOICE] = "choice",
		[FINDING_DATE] = "date",
		[FINDING_POSTAL_CODE] = "postal-code",
		[FINDING_TELEPHONE] = "telephone",
		[FINDING_LENGTH] = "length",
		[FINDING_DAMAGE] = "damage",
		[FINDING_GBIZ] = "gbiz",
		[FINDING_PROXY] = "proxy",
		[FINDING_BACKDATE] = "backdate",
		[FINDING_SAME_ROW] = "duplicate", /* the plainest case of one */
	};
	return names[code];
}

static bool findings_have(const struct findings *findings, enum severity severity)
{
	for (size_t i = 0; i < findings->count; i++) {
		if (findings->item[i].severity == severity)
			return true;
	}
	return false;
}

bool findings_refuse(const struct findings *findings)
{
	return findings_have(findings, SEVERITY_REFUSE);
}

bool findings_review(const struct findings *findings)
{
	return findings_have(findings, SEVERITY_REVIEW);
}

/* ---- findings ---- */

#define FINDINGS_MAX ((size_t)(2 * FIELD_COUNT)) /* no field has more than two */
#define VALUE_SHOWN_CHARS ((size_t)60)

static const char *shown(struct check *check, const char *value)
{
	value = value ? value : "";
	size_t len = strlen(value), at = 0, chars = 0;
	uint32_t c;
	for (size_t n; chars < VALUE_SHOWN_CHARS && (n = utf8_next(value + at, len - at, &c)) != 0; at += n)
		chars++;
	struct str text = STR_INIT;
	char *cut = pool_strndup(check->pool, value, at);
	text_add_printable(&text, cut);
	if (at < len)
		str_addz(&text, "…");
	const char *copy = pool_strndup(check->pool, text.s, text.len);
	str_free(&text);
	return copy;
}

static void found(struct check *check, enum form_field field, enum finding_code code, enum severity severity,
	const char *message_ja, const char *remedy_ja)
{
	struct findings *findings = check->findings;
	if (!findings->item)
		findings->item = pool_alloc(check->pool, FINDINGS_MAX * sizeof *findings->item);
	if (findings->count == FINDINGS_MAX)
		return;
	findings->item[findings->count++] = (struct finding){
		.field = field,
		.code = code,
		.severity = severity,
		.value = field < FIELD_COUNT ? shown(check, check->record->form.value[field]) : "",
		.message_ja = message_ja,
		.remedy_ja = remedy_ja,
	};
}

static void refuse(struct check *check, enum form_field field, enum finding_code code, const char *message_ja,
	const char *remedy_ja)
{
	found(check, field, code, SEVERITY_REFUSE, message_ja, remedy_ja);
}

static void note(struct check *check, enum form_field field, enum finding_code code, const char *message_ja)
{
	found(check, field, code, SEVERITY_NOTE, message_ja,
		"直す必要はありません。違う場合は訂正してください。");
}

static const char *label(const struct check *check, enum form_field field)
{
	return fieldmap_label(check->map, field);
}

/* ---- what a value hides ---- */

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Most values are plain Japanese text; only those with signs, controls or full-width forms need the slow look. */
static bool is_plain(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p < 0x80 ? !(is_letter((char)*p) || is_digit((char)*p) || *p == ' ' || *p == '-')
			      : *p == 0xEF || *p == 0xE2 || *p == 0xC2 || *p == 0xD8)
			return false;
	}
	return true;
}

/* "Bcc:" and its like at the beginning or behind something that is no letter. */
static bool has_header_field(const char *lower)
{
	static const char *const names[] = {
		"bcc:", "cc:", "to:", "from:", "subject:", "reply-to:", "sender:", "return-path:",
		"content-type:", "content-transfer-encoding:", "mime-version:", "x-mailer:", "received:"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		for (const char *at = strstr(lower, names[i]); at; at = strstr(at + 1, names[i])) {
			if (at == lower || !is_letter(at[-1]))
				return true;
		}
	}
	return false;
}

static bool has_address(const char *lower)
{
	for (const char *at = strchr(lower, '@'); at; at = strchr(at + 1, '@')) {
		const char *p = at + 1;
		while (is_letter(*p) || is_digit(*p) || *p == '-')
			p++;
		if (at > lower && (is_letter(at[-1]) || is_digit(at[-1])) && p > at + 1 && *p == '.' &&
			is_letter(p[1]))
			return true;
	}
	return false;
}

static bool has_any(const char *text, const char *const *signs)
{
	for (; *signs; signs++) {
		if (strstr(text, *signs))
			return true;
	}
	return false;
}

/* What is wrong with a text that stands in mails and lists; NULL: nothing. */
static const char *hostile(const char *text)
{
	static const char *const escapes[] = {"\\r", "\\n", "%0d", "%0a", "&#10;", "&#13;", NULL};
	if (is_plain(text))
		return NULL;
	if (strpbrk(text, "\r\n") || strstr(text, "\xE2\x80\xA8") || strstr(text, "\xE2\x80\xA9"))
		return "改行が入っています。";
	if (text_has_control(text))
		return "制御文字が入っています。";
	if (text_has_url(text))
		return "URLが入っています。";
	struct str folded = STR_INIT;
	text_nfkc(&folded, text);
	for (size_t i = 0; i < folded.len; i++) {
		if (folded.s[i] >= 'A' && folded.s[i] <= 'Z')
			folded.s[i] = (char)(folded.s[i] + 32);
	}
	const char *what = NULL;
	const char *s = folded.s, *tag = strchr(s, '<');
	if (has_header_field(s) || has_any(s, escapes))
		what = "メールのヘッダーのような文字列が入っています。";
	else if (strstr(s, "{{") || strstr(s, "}}"))
		what = "差し込み記号（{{ }}）が入っています。";
	else if (tag && (is_letter(tag[1]) || tag[1] == '/' || tag[1] == '!'))
		what = "HTMLのタグのような文字列が入っています。";
	else if (strchr("=+-@", *s) && *s && strpbrk(s, "(|!"))
		what = "表計算ソフトの式のような文字列が入っています。";
	else if (has_address(s))
		what = "メールアドレスが入っています。";
	str_free(&folded);
	return what;
}

static bool is_wide(const char *p)
{
	return (unsigned char)*p >= 0xE3 && (unsigned char)*p <= 0xEF;
}

/* "?" beside a Japanese character, or a geta mark, is what a system leaves where it had no character. */
static bool has_lost_character(const char *text)
{
	if (strstr(text, "〓"))
		return true;
	for (const char *p = strchr(text, '?'); p; p = strchr(p + 1, '?')) {
		bool before = p - text >= 3 && is_wide(p - 3);
		if (is_wide(p + 1) || (before && p[1] == '?'))
			return true;
	}
	return false;
}

/* Line breaks become a blank where they mean nothing. */
static const char *one_line(struct check *check, const char *value)
{
	char *copy = pool_strdup(check->pool, value), *to = copy;
	for (const char *from = value; *from; from++) {
		if (*from != '\n' && *from != '\r' && *from != '\t')
			*to++ = *from;
		else if (to > copy && to[-1] != ' ')
			*to++ = ' ';
	}
	*to = '\0';
	return copy;
}

static const char *folded_value(struct check *check, const char *value)
{
	struct str folded = STR_INIT;
	text_fold(&folded, value);
	const char *copy = pool_strndup(check->pool, folded.s, folded.len);
	str_free(&folded);
	return copy;
}

/* 9.99953E+12: what Excel shows, and saves, instead of a long number. */
static bool is_scientific(const char *folded)
{
	const char *p = folded;
	size_t digits = 0;
	for (; is_digit(*p) || *p == '.'; p++)
		digits++;
	if (!digits || (*p != 'E' && *p != 'e'))
		return false;
	p++;
	p += *p == '+' || *p == '-';
	return is_digit(p[0]) && (!p[1] || (is_digit(p[1]) && !p[2]));
}

/* ---- choices ---- */

enum mark { MARK_NONE, MARK_ON, MARK_OFF };

static enum mark mark_at(const char *text, size_t *len)
{
	static const struct {
		const char *sign;
		enum mark mark;
	} marks[] = {
		{"■", MARK_ON},
		{"☑", MARK_ON},
		{"✓", MARK_ON},
		{"✔", MARK_ON},
		{"☒", MARK_ON},
		{"●", MARK_ON},
		{"◉", MARK_ON},
		{"[x]", MARK_ON},
		{"[X]", MARK_ON},
		{"[v]", MARK_ON},
		{"□", MARK_OFF},
		{"☐", MARK_OFF},
		{"○", MARK_OFF},
		{"◯", MARK_OFF},
		{"〇", MARK_OFF},
		{"[ ]", MARK_OFF},
		{"[　]", MARK_OFF},
	};
	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
		if (str_has_prefix(text, marks[i].sign)) {
			*len = strlen(marks[i].sign);
			return marks[i].mark;
		}
	}
	*len = 0;
	return MARK_NONE;
}

/* Only what is marked as chosen, a line each; the text itself when nothing in it is marked. */
static const char *chosen_lines(struct check *check, const char *value)
{
	bool any_on = false, any_off = false;
	size_t len;
	for (const char *p = value; *p; p++) {
		enum mark mark = mark_at(p, &len);
		any_on |= mark == MARK_ON;
		any_off |= mark == MARK_OFF;
	}
	if (!any_on && !any_off)
		return value;
	struct str text = STR_INIT;
	/* A lone circle before an answer chooses it; empty boxes choose nothing. */
	bool keep = false;
	for (const char *p = value; *p;) {
		enum mark mark = mark_at(p, &len);
		if (mark != MARK_NONE) {
			keep = mark == MARK_ON ||
			       (!any_on && !str_has_prefix(p, "□") && !str_has_prefix(p, "☐") && *p != '[');
			str_addc(&text, '\n');
			p += len;
		} else {
			if (keep)
				str_addc(&text, *p);
			p++;
		}
	}
	const char *copy = text_trim(pool_strndup(check->pool, text.s, text.len));
	str_free(&text);
	return copy;
}

static size_t divider_len(const char *text)
{
	static const char *const dividers[] = {"\n", "、", "，", ",", "/", "／", ";", "；", "|"};
	for (size_t i = 0; i < sizeof dividers / sizeof *dividers; i++) {
		if (str_has_prefix(text, dividers[i]))
			return strlen(dividers[i]);
	}
	return 0;
}

#define PIECES_MAX 64

struct pieces {
	const char *begin[PIECES_MAX], *end[PIECES_MAX];
	size_t count;
};

static void cut_pieces(struct pieces *pieces, const char *value, bool lines_only)
{
	pieces->count = 0;
	const char *from = value;
	for (const char *p = value;; p++) {
		size_t n = *p ? lines_only ? *p == '\n' : divider_len(p) : 0;
		if (*p && n == 0)
			continue;
		if (p > from && pieces->count < PIECES_MAX) {
			pieces->begin[pieces->count] = from;
			pieces->end[pieces->count++] = p;
		}
		if (!*p)
			return;
		from = p + n;
		p += n - 1;
	}
}

static const char *piece(struct check *check, const struct pieces *pieces, size_t first, size_t last)
{
	return text_trim(pool_strndup(
		check->pool, pieces->begin[first], (size_t)(pieces->end[last] - pieces->begin[first])));
}

/* One of the choices, where the page may have put explanations on other lines. */
static const char *choice_of_lines(struct check *check, enum form_field field, const char *value)
{
	static const char *const negatives[] = {"誓約しない", "誓約しません", "同意しない", "同意しません",
		"希望しない", "希望しません", NULL};
	struct pieces pieces;
	const char *one = NULL;
	cut_pieces(&pieces, value, true);
	for (size_t i = 0; i < pieces.count; i++) {
		const char *line = piece(check, &pieces, i, i);
		const char *key = fieldmap_choice(check->map, field, line);
		if (key && one && strcmp(key, one) != 0)
			return NULL;
		if (key)
			one = key;
		else if (has_any(line, negatives))
			return NULL;
	}
	return one;
}

static void add_answer(struct str *out, const char *answer)
{
	if (out->len)
		str_addz(out, "、");
	str_addz(out, answer);
}

/* Several choices joined by signs that choices themselves contain: the longest run of pieces that is one wins. *unknown
 * gets what is none. */
static const char *choices_of_pieces(
	struct check *check, enum form_field field, const char *value, const char **unknown)
{
	struct pieces pieces;
	struct str out = STR_INIT;
	cut_pieces(&pieces, value, false);
	for (size_t i = 0; i < pieces.count;) {
		const char *key = NULL;
		size_t last = i + 7 < pieces.count ? i + 7 : pieces.count - 1;
		for (; !key; last--) {
			key = fieldmap_choice(check->map, field, piece(check, &pieces, i, last));
			if (key || last == i)
				break;
		}
		const char *text = key ? key : piece(check, &pieces, i, i);
		if (!key && *text)
			*unknown = text;
		if (*text)
			add_answer(&out, text);
		i = (key ? last : i) + 1;
	}
	const char *copy = pool_strndup(check->pool, out.s, out.len);
	str_free(&out);
	return copy;
}

/* Which star, in words of the writer's own: "1. 新規に【★ひとつ星】を申し込みます". Only what can be meant in one way. */
static const char *kind_of_words(const char *value)
{
	static const char *const one_star[] = {"一つ星", "1つ星", "ひとつ星", NULL};
	static const char *const two_stars[] = {"二つ星", "2つ星", "ふたつ星", NULL};
	static const char *const from_to[] = {"から", "→", "⇒", "->", NULL};
	static const char *const others[] = {"三つ", "3つ", "みっつ", "★★★", "☆☆☆", "ない", "ません", NULL};
	static const char *const step_up[] = {"ステップアップ", "stepup", NULL};
	static const char *const star[] = {"★", "☆", NULL}, *const twice[] = {"★★", "☆☆", NULL};
	struct str key = STR_INIT;
	text_key(&key, value);
	bool one = has_any(key.s, one_star), two = has_any(key.s, two_stars), up = has_any(key.s, step_up);
	bool other = has_any(key.s, others), parts = has_any(key.s, from_to);
	/* The signs must not gainsay the words. */
	bool gainsaid = has_any(key.s, twice) ? !two : two && has_any(key.s, star);
	str_free(&key);
	if (other || (gainsaid && !up))
		return NULL;
	if (up || (one && two))
		return up || parts ? "step" : NULL;
	return two ? "new2" : one ? "new1" : NULL;
}

/* A choice with an explanation in brackets behind it: 法人（株式会社）. Not for consents, which nothing may qualify. */
static const char *choice_before_bracket(struct check *check, enum form_field field, const char *value)
{
	static const enum form_field fields[] = {
		FIELD_PURPOSE, FIELD_TYPE, FIELD_INDUSTRY, FIELD_ASSOCIATION};
	const char *folded = folded_value(check, value), *open = strchr(folded, '(');
	for (size_t i = 0; open > folded && i < sizeof fields / sizeof *fields; i++) {
		if (fields[i] == field && str_has_suffix(folded, ")"))
			return fieldmap_choice(check->map, field,
				pool_strndup(check->pool, folded, (size_t)(open - folded)));
	}
	return NULL;
}

/* The canonical answer, "" when none was given, NULL when it is not admissible. */
static const char *choice_read(
	struct check *check, enum form_field field, const char *value, const char **unknown)
{
	*unknown = NULL;
	const char *key = fieldmap_choice(check->map, field, value);
	if (key)
		return key;
	value = chosen_lines(check, value);
	if (!*value)
		return "";
	key = fieldmap_choice(check->map, field, value);
	key = key ? key : choice_before_bracket(check, field, value);
	if (key)
		return key;
	if (fieldmap_several(check->map, field)) {
		const char *answers = choices_of_pieces(check, field, value, unknown);
		return *unknown && !fieldmap_open(check->map, field) ? NULL : answers;
	}
	key = choice_of_lines(check, field, value);
	return key || field != FIELD_KIND ? key : kind_of_words(value);
}

/* ---- the rules, one a field; value is never empty ---- */

typedef void rule_fn(struct check *check, enum form_field field, const char *value);

static void missing(struct check *check, enum form_field field, enum finding_code code);

static void check_choice(struct check *check, enum form_field field, const char *value)
{
	const char *unknown;
	const char *key = choice_read(check, field, value, &unknown);
	if (key && !*key && field == FIELD_NEWS) /* a tick alone is a yes, boxes all empty are none */
		key = str_has_prefix(value, "□") || str_has_prefix(value, "☐") || *value == '[' ? "false"
												: "true";
	if (key && !*key) {
		missing(check, field, FINDING_REQUIRED);
	} else if (key) {
		check->out->value[field] = key;
	} else {
		struct str choices = STR_INIT;
		fieldmap_choices_print(check->map, field, &choices);
		refuse(check, field, FINDING_CHOICE,
			pool_printf(check->pool, "「%s」は選択肢にない値です。", label(check, field)),
			pool_printf(check->pool, "次のどれかにしてください: %s", choices.s));
		str_free(&choices);
	}
}

static void check_pledge(struct check *check, enum form_field field, const char *value)
{
	const char *unknown;
	const char *key = choice_read(check, field, value, &unknown);
	if (key && *key)
		check->out->value[field] = key;
	else
		refuse(check, field, FINDING_PLEDGE,
			"反社会的勢力排除に関する誓約が「誓約する」になっていません。誓約した方だけが申し込め"
			"ます。",
			"申込者が誓約する場合は「誓約する」にしてください。");
}

static void check_consent(struct check *check, enum form_field field, const char *value)
{
	const char *unknown;
	const char *key = choice_read(check, field, value, &unknown);
	if (key && *key)
		check->out->value[field] = key;
	else
		refuse(check, field, FINDING_CONSENT,
			pool_printf(
				check->pool, "「%s」が「同意する」になっていません。", label(check, field)),
			"申込者が同意する場合は「同意する」にしてください。");
}

static bool check_length(struct check *check, enum form_field field, const char *value, size_t max)
{
	if (utf8_chars(value) <= max)
		return true;
	refuse(check, field, FINDING_LENGTH,
		pool_printf(check->pool, "「%s」が長すぎます（%zu文字まで）。", label(check, field), max),
		"短くしてください。");
	return false;
}

static bool check_hostile(struct check *check, enum form_field field, const char *value)
{
	const char *what = hostile(value);
	if (!what)
		return true;
	check->out->value[field] = value;
	found(check, field, FINDING_INJECTION, SEVERITY_REVIEW,
		pool_printf(check->pool, "「%s」に%s", label(check, field), what),
		"内容を確かめてください。正しい名称であれば「許可」、いたずらであれば「却下」にしてください"
		"。");
	return false;
}

/* Names stay as they are written; what is odd in them a person must see. */
static void check_name(struct check *check, enum form_field field, const char *value)
{
	if (strchr(value, '\t'))
		value = strpbrk(value, "\r\n") ? value : one_line(check, value);
	if (!check_length(check, field, value, 200) || !check_hostile(check, field, value))
		return;
	check->out->value[field] = value;
	if (has_lost_character(value))
		found(check, field, FINDING_DAMAGE, SEVERITY_REVIEW,
			pool_printf(check->pool,
				"「%s」に「?」や「〓」があります。元の文字が失われているようです。",
				label(check, field)),
			"元の申込みで正しい文字を確かめ、訂正してください。");
}

static void check_text(struct check *check, enum form_field field, const char *value)
{
	value = one_line(check, value);
	if (check_length(check, field, value, 400) && check_hostile(check, field, value))
		check->out->value[field] = value;
}

static void check_mail(struct check *check, enum form_field field, const char *value)
{
	static const struct {
		const char *message_ja, *remedy_ja;
	} faults[] = {
		[MAILADDR_EMPTY] = {"メールアドレスがありません。", "メールアドレスを入れてください。"},
		[MAILADDR_NO_AT] = {"メールアドレスの形ではありません（@の前後が足りません）。",
			"name@example.co.jp の形で入れてください。"},
		[MAILADDR_SEVERAL] = {"メールアドレスが二つ以上入っています。",
			"IPAからのメールを受け取るアドレスを一つだけ入れてください。"},
		[MAILADDR_CONTROL] = {"メールアドレスに改行や見えない文字が入っています。",
			"アドレスを打ち直してください。"},
		[MAILADDR_LOCAL_CHARS] = {"メールアドレスの@より前に使えない文字があります。",
			"全角文字や空白などが入っていないか確かめてください。"},
		[MAILADDR_DOMAIN] = {"メールアドレスの@より後ろがドメイン名の形ではありません。",
			"example.co.jp のような形か確かめてください。"},
		[MAILADDR_TOO_LONG] = {"メールアドレスが長すぎます。", "正しいアドレスか確かめてください。"},
	};
	struct mailaddr addr;
	enum mailaddr_fault fault = mailaddr_read(&addr, value);
	if (fault == MAILADDR_OK)
		check->out->value[field] = pool_printf(check->pool, "%s@%s", addr.local, addr.domain);
	else
		refuse(check, field, FINDING_MAIL, faults[fault].message_ja, faults[fault].remedy_ja);
}

static bool same_mail(const char *a, const char *b)
{
	struct mailaddr first, second;
	if (mailaddr_read(&first, a) != MAILADDR_OK || mailaddr_read(&second, b) != MAILADDR_OK)
		return false;
	struct str first_key = STR_INIT, second_key = STR_INIT;
	mailaddr_key(&first_key, &first);
	mailaddr_key(&second_key, &second);
	bool same = strcmp(first_key.s, second_key.s) == 0;
	str_free(&first_key);
	str_free(&second_key);
	return same;
}

static void check_mail_confirm(struct check *check, enum form_field field, const char *value)
{
	const char *mail = check->out->value[FIELD_MAIL];
	if (!mail) /* the address itself was found wrong: that is the one thing to mend */
		return;
	if (same_mail(mail, value))
		check->out->value[field] = mail;
	else
		refuse(check, field, FINDING_MAIL_CONFIRM,
			"「担当者メールアドレス」と「（確認）」が違います。どちらが正しいか分かりません。",
			"申込者に確かめ、両方を同じアドレスにしてください。");
}

/* 法人番号：… within the cell: the number's own name before it is dropped. */
static const char *behind_name(const char *folded, const char *const *names)
{
	for (; *names; names++) {
		if (str_has_prefix(folded, *names)) {
			folded += strlen(*names);
			break;
		}
	}
	return folded + strspn(folded, " :.#");
}

/* 2,999,046,046,739: how a spreadsheet shows a large number. */
static const char *without_thousands(struct check *check, const char *number)
{
	const char *p = number;
	size_t first = strspn(p, "0123456789");
	if (first == 0 || first > 3 || p[first] != ',')
		return number;
	for (p += first; *p; p += 4) {
		if (*p != ',' || strspn(p + 1, "0123456789") < 3)
			return number;
	}
	char *copy = pool_strdup(check->pool, number), *to = copy;
	for (p = number; *p; p++) {
		if (*p != ',')
			*to++ = *p;
	}
	*to = '\0';
	return copy;
}

static void check_corporate_number(struct check *check, enum form_field field, const char *value)
{
	const char *type = check->out->value[FIELD_TYPE];
	const char *folded = folded_value(check, value);
	if (!type)
		return;
	if (strcmp(type, "corporation") != 0) {
		if (strpbrk(folded, "0123456789"))
			note(check, field, FINDING_CORPORATE_NUMBER,
				"個人事業主に法人番号はありません。入っていた番号は使いません。");
		return;
	}
	static const char *const names[] = {"法人番号", "登録番号", "インボイス番号", NULL};
	struct str digits = STR_INIT;
	const char *p = behind_name(folded, names);
	while (*p == '\'' || *p == 'T' || *p == 't' || *p == ' ')
		p++;
	size_t len = strlen(p);
	if (len > 13 && str_has_suffix(p, ".0"))
		len -= 2;
	const char *bare = without_thousands(check, pool_strndup(check->pool, p, len)), *message = NULL;
	const char *remedy = "国税庁の法人番号公表サイトで13桁の番号を確かめて入れてください。";
	if (is_scientific(bare) || strstr(bare, "##")) {
		message =
			"Excelが法人番号を指数の形（1.23E+12など）に変えてしまい、元の番号が失われています。";
		remedy = "元の申込みから13桁の番号を入れ直し、セルの書式を「文字列」にするか、T1234567890123"
			 "のように先頭にTを付けてください。";
	} else if (!text_digits(&digits, bare)) {
		message = "法人番号に数字でない文字があります。";
	} else if (digits.len == 12) {
		message = "法人番号は13桁ですが、12桁しかありません（12桁は登記の会社法人等番号で、法人番号は"
			  "その前に1桁付きます）。";
	} else if (digits.len != 13) {
		message = pool_printf(check->pool, "法人番号は13桁ですが、%zu桁あります。", digits.len);
	} else if (!corporate_number_valid(digits.s)) {
		message = str_has_suffix(digits.s, "000000")
				  ? "法人番号の検査数字が合いません。Excelが下の桁を0に変えたようです。"
				  : "法人番号の検査数字が合いません。番号の写し違いがあります。";
	}
	if (message)
		refuse(check, field, FINDING_CORPORATE_NUMBER, message, remedy);
	else
		check->out->value[field] = pool_strdup(check->pool, digits.s);
	str_free(&digits);
}

/* 東京都千代田区 in the column of the prefecture: only its beginning is meant, unless another one follows (東京都・大阪府). */
static const char *prefecture_before_city(struct check *check, const char *plain)
{
	static const char *const dividers[] = {
		"・", "、", "/", ",", ";", "|", "&", "と", "又は", "または", "及び"};
	const char *key = NULL;
	uint32_t c;
	size_t at = 0;
	for (size_t n; !key && (n = utf8_next(plain + at, strlen(plain + at), &c)) != 0; at += n) {
		if (c == 0x90FD || c == 0x9053 || c == 0x5E9C || c == 0x770C) /* 都 道 府 県 */
			key = fieldmap_choice(
				check->map, FIELD_PREFECTURE, pool_strndup(check->pool, plain, at + n));
	}
	for (size_t i = 0; key && i < sizeof dividers / sizeof *dividers; i++) {
		if (str_has_prefix(plain + at, dividers[i]))
			return NULL;
	}
	return key;
}

static void check_prefecture(struct check *check, enum form_field field, const char *value)
{
	const char *key = fieldmap_choice(check->map, field, value);
	const char *plain = folded_value(check, value);
	if (!key) { /* 13 東京都, 13:東京都: some lists give the prefectures' codes too */
		plain += strspn(plain, "0123456789");
		plain += strspn(plain, " .:_-");
		key = fieldmap_choice(check->map, field, plain);
	}
	if (!key && !check_hostile(check, field, one_line(check, value))) {
		check->out->value[field] = NULL;
		return;
	}
	if (!key) {
		key = prefecture_before_city(check, plain);
		if (key)
			note(check, field, FINDING_PREFECTURE,
				pool_printf(check->pool, "都道府県を「%s」と読みました。", key));
	}
	if (key)
		check->out->value[field] = key;
	else
		refuse(check, field, FINDING_PREFECTURE, "47の都道府県のどれでもありません。",
			"「東京都」「北海道」のように都道府県名だけを入れてください。");
}

static void missing_prefecture(struct check *check)
{
	const char *address = check->record->form.value[FIELD_ADDRESS];
	/* Names of prefectures have three or four characters. */
	for (size_t len = 9; address && len <= 12 && strlen(address) >= len; len += 3) {
		char *begin = pool_strndup(check->pool, address, len);
		const char *key = fieldmap_choice(check->map, FIELD_PREFECTURE, begin);
		if (!key || strcmp(key, begin) != 0)
			continue;
		check->out->value[FIELD_PREFECTURE] = key;
		note(check, FIELD_PREFECTURE, FINDING_PREFECTURE,
			pool_printf(check->pool, "都道府県が空でしたが、住所から「%s」と読みました。", key));
		return;
	}
	refuse(check, FIELD_PREFECTURE, FINDING_PREFECTURE, "都道府県がありません。",
		"都道府県名（例: 東京都）を入れてください。");
}

/* No declaration fails for want of a telephone number or postal code: the office writes to the mail address. */
static void accept_as_written(struct check *check, enum form_field field, const char *value,
	enum finding_code code, const char *message_ja)
{
	check_text(check, field, value);
	if (check->out->value[field])
		note(check, field, code, message_ja);
}

/* Postal codes that begin with 0 belong to these prefectures only: with one of them a lost 0 is certain. */
static bool postal_code_fits(const char *digits, const char *prefecture)
{
	static const struct {
		const char *prefix, *prefecture;
	} areas[] = {
		{"00", "北海道"},
		{"01", "秋田県"},
		{"02", "岩手県"},
		{"03", "青森県"},
		{"04", "北海道"},
		{"05", "北海道"},
		{"06", "北海道"},
		{"07", "北海道"},
		{"08", "北海道"},
		{"09", "北海道"},
	};
	for (size_t i = 0; prefecture && i < sizeof areas / sizeof *areas; i++) {
		if (str_has_prefix(digits, areas[i].prefix))
			return strcmp(areas[i].prefecture, prefecture) == 0;
	}
	return false;
}

/* Digits of a number as people write it: marks before it and ".0" behind it dropped. false: something else stood there. */
static bool plain_digits(struct check *check, const char *value, struct str *digits)
{
	const char *p = folded_value(check, value);
	while (*p && !is_digit(*p) && !is_letter(*p) && *p != '+')
		p++;
	size_t len = strlen(p);
	if (str_has_suffix(p, ".0"))
		len -= 2;
	return text_digits(digits, pool_strndup(check->pool, p, len));
}

static const char *printed(struct check *check, void (*print)(struct str *, const char *), const char *digits)
{
	struct str text = STR_INIT;
	print(&text, digits);
	const char *copy = pool_strndup(check->pool, text.s, text.len);
	str_free(&text);
	return copy;
}

static void check_postal_code(struct check *check, enum form_field field, const char *value)
{
	struct str digits = STR_INIT;
	if (!check_hostile(check, field, one_line(check, value)))
		return;
	bool only = plain_digits(check, one_line(check, value), &digits);
	const char *prefecture = check->out->value[FIELD_PREFECTURE];
	if (only && digits.len == 7) {
		check->out->value[field] = printed(check, postal_code_print, digits.s);
	} else if (only && (digits.len == 6 || digits.len == 5)) {
		const char *padded = pool_printf(check->pool, "%s%s", digits.len == 6 ? "0" : "00", digits.s);
		if (postal_code_fits(padded, prefecture)) {
			check->out->value[field] = printed(check, postal_code_print, padded);
			note(check, field, FINDING_POSTAL_CODE,
				pool_printf(check->pool,
					"Excelが郵便番号の先頭の0を消したようです。%sと読みました。",
					check->out->value[field]));
		} else {
			check->out->value[field] = value;
			note(check, field, FINDING_POSTAL_CODE,
				"郵便番号が7桁ありません（Excelが先頭の0を消したか、桁が抜けています）。その"
				"まま受け付けます。");
		}
	} else if (strpbrk(folded_value(check, value), "0123456789")) {
		accept_as_written(check, field, value, FINDING_POSTAL_CODE,
			"郵便番号の形ではありません（数字7桁）。そのまま受け付けます。");
	}
	str_free(&digits);
}

static void check_telephone(struct check *check, enum form_field field, const char *value)
{
	const char *folded = folded_value(check, value), *p = folded;
	struct str digits = STR_INIT;
	/* +81 (0)90 looks like a formula; a line break or URL is what a number never has. */
	if ((strpbrk(value, "\r\n") || text_has_url(value)) &&
		!check_hostile(check, field, one_line(check, value)))
		return;
	while (*p && !is_digit(*p))
		p++;
	bool international = p > folded && p[-1] == '+' && str_has_prefix(p, "81");
	if (international) {
		str_addc(&digits, '0');
		p += 2;
	}
	/* The first number; an extension or a second number may follow. */
	size_t written = 0;
	for (; is_digit(*p) || strchr("-() .", *p); p++, written++) {
		if (!*p)
			break;
		if (is_digit(*p) && !(international && *p == '0' && digits.len == 1))
			str_addc(&digits, *p);
	}
	bool scientific = is_scientific(folded);
	bool whole = digits.len >= 10 && digits.len <= 11 && digits.s[0] == '0';
	/* A number without its 0 can't be dialled, so there is one reading only. */
	bool no_zero = digits.len >= 9 && digits.len <= 10 && digits.s[0] != '0' && !scientific;
	if (whole) {
		/* As written when it was parted by its writer, who knows where the area code ends. */
		bool parted = strchr(folded, '-') && strlen(folded) == written;
		check->out->value[field] = parted ? folded : printed(check, telephone_print, digits.s);
	} else if (no_zero) {
		check->out->value[field] =
			printed(check, telephone_print, pool_printf(check->pool, "0%s", digits.s));
		note(check, field, FINDING_TELEPHONE,
			pool_printf(check->pool, "Excelが電話番号の先頭の0を消したようです。%sと読みました。",
				check->out->value[field]));
	} else if (digits.len || scientific) {
		accept_as_written(check, field, value, FINDING_TELEPHONE,
			scientific
				? "Excelが電話番号を指数の形（1.2E+10など）に変えてしまい、元の番号が失われて"
				  "います。そのまま受け付けます。"
				: "電話番号の形ではありません（0から始まる10桁か11桁）。そのまま受け付けます"
				  "。");
	}
	str_free(&digits);
}

static void check_employees(struct check *check, enum form_field field, const char *value)
{
	check_text(check, field, value);
	const char *written = check->out->value[field];
	if (!written)
		return;
	if (str_has_suffix(written, ".0"))
		check->out->value[field] = pool_strndup(check->pool, written, strlen(written) - 2);
	else if (strstr(written, "月") || civil_day_read(written) != CIVIL_DAY_NONE)
		note(check, field, FINDING_DAMAGE,
			"従業員数が日付になっています（Excelが「1-"
			"5」などを日付に変えたようです）。そのまま受け付けます。");
}

/* The office's list follows 日本標準産業分類, but applicants also write their trade in their own words. */
static void check_industry(struct check *check, enum form_field field, const char *value)
{
	static const char *const words[] = {"業", "店", "サービス", "製造", "販売", "小売", "卸", "建設",
		"工事", "医療", "介護", "福祉", "教育", "学校", "協会", "組合", "団体", "公務", "事務所",
		"士", "院", "園", "保育", "情報", "通信", "農", "林", "漁", "その他", "分類", "設計", "運送",
		"運輸", "物流", "飲食", "宿泊", "観光", "不動産", "金融", "保険", "印刷", "出版", "デザイン",
		"コンサル", "システム", "ソフトウェア", "ソフトウエア", "メーカー", "商社", "研究", NULL};
	const char *unknown;
	const char *key = choice_read(check, field, value, &unknown);
	if (!check_hostile(check, field, one_line(check, value)))
		return;
	check->out->value[field] = key && *key ? key : NULL;
	if (!unknown)
		return;
	struct str folded = STR_INIT;
	text_fold(&folded, unknown);
	if (has_any(folded.s, words) || strncmp(folded.s, "IT", 2) == 0) {
		note(check, field, FINDING_CHOICE,
			"日本標準産業分類の中分類にない業種名です。書かれたとおりに受け付けます。");
	} else {
		check->out->value[field] = NULL;
		refuse(check, field, FINDING_CHOICE, "業種（中分類）の選択肢にない値です。",
			"日本標準産業分類の中分類の名前（例: 情報サービス業）を入れるか、空にしてください。");
	}
	str_free(&folded);
}

static void check_open_choices(struct check *check, enum form_field field, const char *value)
{
	const char *unknown;
	const char *key = choice_read(check, field, value, &unknown);
	if (key && *key && (field == FIELD_SURVEY || check_hostile(check, field, key)))
		check->out->value[field] = key;
}

static void check_terms_version(struct check *check, enum form_field field, const char *value)
{
	check_text(check, field, value);
	const char *wanted = check->rules->terms_version;
	if (!wanted || !*wanted || !check->out->value[field])
		return;
	struct str given = STR_INIT, in_force = STR_INIT;
	text_key(&given, value);
	text_key(&in_force, wanted);
	civil_day day = civil_day_read(value);
	bool same =
		strcmp(given.s, in_force.s) == 0 || (day != CIVIL_DAY_NONE && day == civil_day_read(wanted));
	if (!same)
		found(check, field, FINDING_CONSENT, SEVERITY_REVIEW,
			pool_printf(check->pool, "今の版（%s）ではない使用規約に同意しています。", wanted),
			"今の版に同意をもらってから、「許可」にしてください。");
	str_free(&given);
	str_free(&in_force);
}

/* 10 or 11 digits, 4 (or 5) first. NULL: the message says what it is instead. */
static const char *declaration_id_read(struct check *check, const char *value, const char **message)
{
	static const char *const names[] = {"自己宣言ID番号", "自己宣言ID", "宣言ID", "ID", NULL};
	const char *folded = behind_name(folded_value(check, value), names);
	struct str digits = STR_INIT;
	const char *id = NULL;
	bool only = plain_digits(check, folded, &digits);
	if (is_scientific(folded))
		*message = "Excelが自己宣言IDを指数の形に変えてしまい、元の番号が失われています。";
	else if (only && digits.len >= 10 && digits.len <= 11 && digits.s[0] == '9')
		*message = "自己宣言IDの欄に利用者番号（9から始まる番号）が入っています。";
	else if (!only || digits.len < 10 || digits.len > 11 || (digits.s[0] != '4' && digits.s[0] != '5'))
		*message = "自己宣言IDの形ではありません（4または5から始まる10桁か11桁の数字）。";
	else
		id = pool_strdup(check->pool, digits.s);
	str_free(&digits);
	return id;
}

static bool is_step_up(const struct check *check)
{
	const char *kind = check->out->value[FIELD_KIND];
	return kind && strcmp(kind, "step") == 0;
}

static void check_declaration_id(struct check *check, enum form_field field, const char *value)
{
	const char *message = NULL;
	const char *id = declaration_id_read(check, value, &message);
	if (id)
		check->out->value[field] = id;
	else if (is_step_up(check))
		refuse(check, field, FINDING_STEP_UP, message,
			"一つ星の自己宣言ID（お知らせメールに書かれた番号）を入れてください。");
	else if (strpbrk(folded_value(check, value), "0123456789"))
		note(check, field, FINDING_STEP_UP,
			pool_printf(check->pool, "%sステップアップではないので使いません。", message));
}

/* 46000: a date of which a spreadsheet kept only its serial number (days since 1899-12-30). */
static civil_day serial_day(const char *folded)
{
	char *end;
	long serial = strtol(folded, &end, 10);
	if (end != folded + 5 || (*end != '\0' && *end != '.') ||
		strspn(folded, "0123456789.") != strlen(folded))
		return CIVIL_DAY_NONE;
	return serial >= 36526 && serial <= 73050 ? civil_from_ymd(1899, 12, 30) + (civil_day)serial
						  : CIVIL_DAY_NONE;
}

static void check_applied_on(struct check *check, enum form_field field, const char *value)
{
	const struct validate_rules *rules = check->rules;
	civil_day day = civil_day_read(value), serial = CIVIL_DAY_NONE;
	if (day == CIVIL_DAY_NONE)
		day = serial = serial_day(folded_value(check, value));
	if (day == CIVIL_DAY_NONE) {
		found(check, field, FINDING_DATE, SEVERITY_REVIEW, "お申込日が日付として読めません。",
			"受け付けた日から数えてよければ「許可」にしてください（日付は2026/11/22のように書きま"
			"す）。");
		return;
	}
	struct str text = STR_INIT;
	civil_day_print(&text, day);
	check->out->value[field] = pool_strndup(check->pool, text.s, text.len);
	str_free(&text);
	if (serial != CIVIL_DAY_NONE)
		note(check, field, FINDING_DATE,
			pool_printf(check->pool, "Excelの日付の通し番号を%sと読みました。",
				check->out->value[field]));
	if (day > rules->today)
		note(check, field, FINDING_DATE, "お申込日が先の日付です。受け付けた日から数えます。");
	else if (day < rules->today - rules->backdate_max)
		found(check, field, FINDING_BACKDATE, SEVERITY_REVIEW,
			pool_printf(check->pool, "お申込日が%d日より前です。", rules->backdate_max),
			"日付を確かめ、正しければ「許可」にしてください。それまでメールは送りません。");
}

static void check_gbiz(struct check *check, enum form_field field, const char *value)
{
	const char *unknown;
	const char *key = choice_read(check, field, value, &unknown);
	if (key && *key)
		check->out->value[field] = key;
	else if (check->rules->want_gbiz)
		refuse(check, field, FINDING_GBIZ, "GビズIDがプライムでもメンバーでもありません。",
			"「プライム」か「メンバー」を入れてください（エントリーでは申し込めません）。");
}

/* ---- the table ---- */

enum presence { OPTIONAL, REQUIRED };

/* In the order of checking: type comes before the corporate number, the prefecture before the postal code. */
static const struct rule {
	enum form_field field;
	enum presence presence;
	enum finding_code code; /* when missing */
	rule_fn *check;
} rules_table[] = {
	{FIELD_KIND, REQUIRED, FINDING_REQUIRED, check_choice},
	{FIELD_PURPOSE, REQUIRED, FINDING_REQUIRED, check_choice},
	{FIELD_PLEDGE, REQUIRED, FINDING_PLEDGE, check_pledge},
	{FIELD_CONTACT, REQUIRED, FINDING_REQUIRED, check_name},
	{FIELD_MAIL, REQUIRED, FINDING_REQUIRED, check_mail},
	{FIELD_MAIL_CONFIRM, OPTIONAL, FINDING_MAIL_CONFIRM, check_mail_confirm},
	{FIELD_TYPE, REQUIRED, FINDING_REQUIRED, check_choice},
	{FIELD_CORPORATE_NUMBER, OPTIONAL, FINDING_CORPORATE_NUMBER, check_corporate_number},
	{FIELD_BUSINESS_NAME, REQUIRED, FINDING_REQUIRED, check_name},
	{FIELD_FAMILY_NAME, REQUIRED, FINDING_REQUIRED, check_name},
	{FIELD_GIVEN_NAME, OPTIONAL, FINDING_REQUIRED, check_name},
	{FIELD_PREFECTURE, REQUIRED, FINDING_PREFECTURE, check_prefecture},
	{FIELD_POSTAL_CODE, OPTIONAL, FINDING_POSTAL_CODE, check_postal_code},
	{FIELD_ADDRESS, OPTIONAL, FINDING_REQUIRED, check_text},
	{FIELD_TELEPHONE, OPTIONAL, FINDING_TELEPHONE, check_telephone},
	{FIELD_EMPLOYEES, OPTIONAL, FINDING_REQUIRED, check_employees},
	{FIELD_INDUSTRY, OPTIONAL, FINDING_REQUIRED, check_industry},
	{FIELD_ASSOCIATION, OPTIONAL, FINDING_REQUIRED, check_open_choices},
	{FIELD_NEWS, OPTIONAL, FINDING_REQUIRED, check_choice},
	{FIELD_PRIVACY, REQUIRED, FINDING_CONSENT, check_consent},
	{FIELD_TERMS, REQUIRED, FINDING_CONSENT, check_consent},
	{FIELD_TERMS_VERSION, OPTIONAL, FINDING_CONSENT, check_terms_version},
	{FIELD_DECLARATION_ID, OPTIONAL, FINDING_STEP_UP, check_declaration_id},
	{FIELD_APPLIED_ON, OPTIONAL, FINDING_DATE, check_applied_on},
	{FIELD_SURVEY, OPTIONAL, FINDING_REQUIRED, check_open_choices},
	{FIELD_GBIZ, OPTIONAL, FINDING_GBIZ, check_gbiz},
};

static void missing(struct check *check, enum form_field field, enum finding_code code)
{
	if (field == FIELD_PREFECTURE)
		missing_prefecture(check);
	else
		refuse(check, field, code,
			pool_printf(check->pool, "「%s」がありません。", label(check, field)),
			pool_printf(check->pool, "必須の項目です。「%s」を入れてください。",
				label(check, field)));
}

/* What a missing value means where that depends on other fields. */
static void check_missing(struct check *check, const struct rule *rule)
{
	const struct form_record *record = check->record;
	const char *type = check->out->value[FIELD_TYPE];
	switch (rule->field) {
	case FIELD_MAIL_CONFIRM:
		if (!check->out->value[FIELD_MAIL])
			return;
		if (record->form.value[FIELD_MAIL_CONFIRM]) {
			missing(check, rule->field, rule->code);
		} else { /* exports leave out a column that only served typing */
			check->out->value[FIELD_MAIL_CONFIRM] = check->out->value[FIELD_MAIL];
			note(check, rule->field, rule->code,
				"確認用のメールアドレスの列がないので、比べていません。");
		}
		return;
	case FIELD_CORPORATE_NUMBER:
		if (type && strcmp(type, "corporation") == 0)
			refuse(check, rule->field, rule->code, "法人の申込みに法人番号がありません。",
				"国税庁の法人番号公表サイトで13桁の番号を確かめて入れてください。");
		return;
	case FIELD_GIVEN_NAME:
		if (record->representative_whole)
			check->out->value[FIELD_GIVEN_NAME] = "";
		else if (record->form.value[FIELD_FAMILY_NAME] && *record->form.value[FIELD_FAMILY_NAME])
			missing(check, rule->field, rule->code);
		return;
	case FIELD_NEWS: /* no answer is no consent */
		check->out->value[FIELD_NEWS] = "false";
		return;
	case FIELD_DECLARATION_ID:
		if (is_step_up(check))
			refuse(check, rule->field, rule->code,
				"ステップアップの申込みに、一つ星の自己宣言IDがありません。",
				"一つ星の自己宣言ID（お知らせメールに書かれた番号）を入れてください。");
		return;
	case FIELD_GBIZ:
		if (check->rules->want_gbiz)
			missing(check, rule->field, rule->code);
		return;
	default:
		if (rule->presence == REQUIRED)
			missing(check, rule->field, rule->code);
	}
}

static void check_field(struct check *check, const struct rule *rule)
{
	const char *value = check->record->form.value[rule->field];
	if (check->damaged[rule->field])
		return;
	if (value && *value)
		rule->check(check, rule->field, value);
	else
		check_missing(check, rule);
}

/* ---- against the register ---- */

static bool has_key(const struct form_values *form)
{
	const char *type = form->value[FIELD_TYPE];
	if (!type || !form->value[FIELD_KIND])
		return false;
	if (strcmp(type, "corporation") == 0)
		return form->value[FIELD_CORPORATE_NUMBER] != NULL;
	return form->value[FIELD_BUSINESS_NAME] && form->value[FIELD_FAMILY_NAME] &&
	       form->value[FIELD_PREFECTURE];
}

static enum form_field key_field(const struct form_values *form)
{
	return strcmp(form->value[FIELD_TYPE], "corporation") == 0 ? FIELD_CORPORATE_NUMBER
								   : FIELD_BUSINESS_NAME;
}

static void found_live(struct check *check, int64_t application_id, int64_t declaration_id, bool same_row)
{
	enum form_field field = key_field(check->out);
	const char *number_ja = check->registry->number_ja ? check->registry->number_ja : "申込番号";
	if (same_row) {
		refuse(check, field, FINDING_SAME_ROW,
			pool_printf(check->pool,
				"同じ内容の申込みがすでに登録されています（%s %lld）。何も変えていません。",
				number_ja, (long long)application_id),
			"何もする必要はありません。");
		return;
	}
	const char *known =
		declaration_id ? pool_printf(check->pool, "自己宣言ID %lld", (long long)declaration_id)
			       : pool_printf(check->pool, "%s %lld", number_ja, (long long)application_id);
	refuse(check, field, FINDING_DUPLICATE,
		pool_printf(check->pool,
			"この事業者の自己宣言がすでにあります（%s）。自己宣言は1法人・1事業者に一つです。",
			known),
		"二つ星への変更は「一つ星から【★★二つ星】にステップアップする」で、通知メールの再送は再送依頼"
		"で受け付けます。"
		"事業所・施設ごとの申込みは、個人事業主の区分で代表者（姓）に法人名、代表者（名）に施設名を入"
		"れてください。");
}

/* The ★ of a step-up, and whether it may still be stepped up from. */
static void check_star(struct check *check, const char *key)
{
	const struct registry *registry = check->registry;
	int64_t star = registry->live_star1(
		registry->ctx, key, strtoll(check->out->value[FIELD_DECLARATION_ID], NULL, 10));
	if (!star) {
		refuse(check, FIELD_DECLARATION_ID, FINDING_STEP_UP,
			"この自己宣言IDの一つ星が、この事業者のものとして有効ではありません（番号違い、別の事"
			"業者、中止済み、またはすでに二つ星）。",
			"自己宣言IDと事業者名・法人番号を確かめてください。一つ星がなければ、新規に二つ星を申"
			"し込んでください。");
		return;
	}
	enum step_up step_up = registry->step_up ? registry->step_up(registry->ctx, star) : STEP_UP_GOES;
	if (step_up == STEP_UP_ENDED)
		refuse(check, FIELD_DECLARATION_ID, FINDING_STEP_UP,
			"この時期にお申込みいただいた一つ星からのステップアップは、受付を終了しています。",
			"現在の方法で、新規に二つ星を申し込んでください。");
	else if (step_up == STEP_UP_ASKS_STAFF)
		found(check, FIELD_DECLARATION_ID, FINDING_STEP_UP, SEVERITY_REVIEW,
			"この一つ星からのステップアップは、職員が判断することになっています（設定 policy）。",
			"受け付けてよければ「許可」に、そうでなければ「却下」にしてください。");
}

static void check_register(struct check *check)
{
	const struct registry *registry = check->registry;
	struct form_values *form = check->out;
	if (!registry || !has_key(form))
		return;
	const char *key = applicant_key(form, check->pool);
	bool step_up = is_step_up(check), same_row = false;
	int64_t live_id = 0, declaration_id = 0;
	if (registry->live) {
		uint8_t digest[SHA256_LEN];
		form_row_digest(digest, form);
		live_id = registry->live(registry->ctx, key, digest, &declaration_id, &same_row);
	}
	if (live_id && (same_row || !step_up)) {
		found_live(check, live_id, declaration_id, same_row);
	} else if (step_up && form->value[FIELD_DECLARATION_ID] && registry->live_star1) {
		check_star(check, key);
	}
	if (registry->businesses_of_mail && check->rules->proxy_max > 0 && form->value[FIELD_MAIL]) {
		struct mailaddr addr;
		struct str mail_key = STR_INIT;
		if (mailaddr_read(&addr, form->value[FIELD_MAIL]) == MAILADDR_OK)
			mailaddr_key(&mail_key, &addr);
		int others = mail_key.len ? registry->businesses_of_mail(registry->ctx, mail_key.s, key) : 0;
		str_free(&mail_key);
		if (others + 1 > check->rules->proxy_max)
			found(check, FIELD_MAIL, FINDING_PROXY, SEVERITY_REVIEW,
				pool_printf(check->pool,
					"同じメールアドレスで%"
					"d件の事業者が申し込んでいます（代行申込みの疑い）。",
					others + 1),
				"申込者本人の申込みか確かめ、よければ「許可」にしてください。");
	}
}

void validate(struct form_values *out, struct findings *findings, const struct form_record *record,
	const struct fieldmap *map, const struct validate_rules *rules, const struct registry *registry,
	struct pool *pool)
{
	struct check check = {.out = out,
		.findings = findings,
		.record = record,
		.map = map,
		.rules = rules,
		.registry = registry,
		.pool = pool};
	*out = (struct form_values){{NULL}};
	*findings = (struct findings){NULL, 0};
	for (size_t i = 0; i < record->damage_count; i++) {
		const struct form_damage *damage = &record->damage[i];
		refuse(&check, damage->field, FINDING_DAMAGE, damage->message_ja,
			"元のファイルを確かめ、正しい値に直してください。");
		if (damage->field == FIELD_COUNT)
			return; /* its values can't be trusted: nothing more to say */
		check.damaged[damage->field] = true;
	}
	for (size_t i = 0; i < sizeof rules_table / sizeof *rules_table; i++)
		check_field(&check, &rules_table[i]);
	check_register(&check);
}

const char *applicant_key(const struct form_values *form, struct pool *pool)
{
	static const enum form_field tuple[] = {
		FIELD_BUSINESS_NAME, FIELD_FAMILY_NAME, FIELD_GIVEN_NAME, FIELD_PREFECTURE, FIELD_ADDRESS};
	const char *type = form->value[FIELD_TYPE], *number = form->value[FIELD_CORPORATE_NUMBER];
	if (type && strcmp(type, "corporation") == 0)
		return pool_printf(pool, "c:%s", number ? number : "");
	struct str key = STR_INIT;
	str_addz(&key, "s:");
	for (size_t i = 0; i < sizeof tuple / sizeof *tuple; i++) {
		const char *value = form->value[tuple[i]];
		/* No sign between 姓 and 名: a name given in one column has the same key. */
		if (i > 0 && tuple[i] != FIELD_GIVEN_NAME)
			str_addc(&key, '\x1f');
		text_key(&key, value ? value : "");
	}
	const char *copy = pool_strndup(pool, key.s, key.len);
	str_free(&key);
	return copy;
}

void form_row_digest(uint8_t out[SHA256_LEN], const struct form_values *form)
{
	struct str text = STR_INIT;
	for (int i = 0; i < FIELD_COUNT; i++) {
		const char *value = form->value[i] ? form->value[i] : "";
		str_printf(&text, "%s %zu:", form_field_key((enum form_field)i), strlen(value));
		str_addz(&text, value);
		str_addc(&text, '\n');
	}
	sha256(out, text.s, text.len);
	str_free(&text);
}
