#include "lib/mail/rules.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/conf.h"
#include "lib/base/embed.h"
#include "lib/base/pattern.h"
#include "lib/base/text.h"
#include "lib/mail/label.h"

/* ---- the data ---- */

struct rule {
	int kind, where; /* enum rule_kind; index into places */
	char *name, *pattern;
	int weight;
	bool asked, takes;
	int line;
	struct pattern *compiled;
};

struct words { /* that patterns have in common: <name> */
	char *name, *pattern;
	int line;
};

struct request_rules {
	struct rule **rule;
	size_t count;
	struct words **words;
	size_t words_count;
};

enum { IN_TEXT = 1, IN_SUBJECT, IN_FILE };

static const char *const kind_names[] = {"", "stop", "resend", "change", "news-unsubscribe", "id-enquiry",
	"auto-reply", "unknown-mail", "password", "incident", "phishing", "contradiction", "form-wanted",
	"objection", "advert", "no-request", "doubt", "bare-stop", "stop-besides", "denied", "nothing", NULL};
static const char *const place_names[] = {"", "text", "subject", "attachment", NULL};

static const struct conf_key rule_keys[] = {{.name = "kind",
						    .type = CONF_CHOICE,
						    .offset = offsetof(struct rule, kind),
						    .choices = kind_names,
						    .help = "what a match speaks for"},
	{.name = "where",
		.type = CONF_CHOICE,
		.offset = offsetof(struct rule, where),
		.choices = place_names,
		.help = "where it counts"},
	{.name = "name", .type = CONF_STRING, .offset = offsetof(struct rule, name), .help = "for messages"},
	{.name = "pattern",
		.type = CONF_STRING,
		.offset = offsetof(struct rule, pattern),
		.help = "POSIX extended regular expression"},
	{.name = "weight",
		.type = CONF_INT32,
		.offset = offsetof(struct rule, weight),
		.min = 1,
		.max = 10,
		.help = "how much it counts"},
	{.name = "asked",
		.type = CONF_BOOL,
		.offset = offsetof(struct rule, asked),
		.fallback = "false",
		.help = "counts in a question too"},
	{.name = "takes",
		.type = CONF_BOOL,
		.offset = offsetof(struct rule, takes),
		.fallback = "false",
		.help = "takes its words away from the rules below"},
	{.name = "line", .type = CONF_LINE, .offset = offsetof(struct rule, line)}, {0}};

static const struct conf_key words_keys[] = {{.name = "name",
						     .type = CONF_STRING,
						     .offset = offsetof(struct words, name),
						     .help = "<name> in a pattern stands for them"},
	{.name = "pattern",
		.type = CONF_STRING,
		.offset = offsetof(struct words, pattern),
		.help = "POSIX extended regular expression"},
	{.name = "line", .type = CONF_LINE, .offset = offsetof(struct words, line)}, {0}};

static void *words_add(void *base)
{
	struct request_rules *rules = base;
	rules->words = xrealloc(rules->words, (rules->words_count + 1) * sizeof(struct words *));
	return rules->words[rules->words_count++] = xcalloc(1, sizeof(struct words));
}

static void *rule_add(void *base)
{
	struct request_rules *rules = base;
	rules->rule = xrealloc(rules->rule, (rules->count + 1) * sizeof(struct rule *));
	return rules->rule[rules->count++] = xcalloc(1, sizeof(struct rule));
}

static const struct conf_key file_keys[] = {{.name = "words",
						    .type = CONF_GROUPS,
						    .keys = words_keys,
						    .add = words_add,
						    .help = "what patterns have in common"},
	{.name = "rules",
		.type = CONF_GROUPS,
		.keys = rule_keys,
		.add = rule_add,
		.help = "the rules, in order"},
	{0}};

static const struct words *words_find(const struct request_rules *rules, const char *name, size_t len)
{
	for (size_t i = 0; i < rules->words_count; i++)
		if (strlen(rules->words[i]->name) == len && memcmp(rules->words[i]->name, name, len) == 0)
			return rules->words[i];
	return NULL;
}

/* Puts the words in the place of their names. */
static enum rc rule_fill(
	const struct request_rules *rules, struct rule *rule, const char *name, struct err *err)
{
	struct str full = STR_INIT;
	for (const char *at = rule->pattern; *at;) {
		size_t len = *at == '<' ? strcspn(at + 1, ">") : 0;
		if (*at != '<') {
			str_addc(&full, *at++);
			continue;
		}
		const struct words *words = words_find(rules, at + 1, len);
		if (!words || !at[len + 1]) {
			str_free(&full);
			return err_set(err, RC_CONFIG,
				"%s:%d: the pattern of the rule %s names <%.*s>, which is not among the "
				"words.",
				name, rule->line, rule->name, (int)len, at + 1);
		}
		str_printf(&full, "(%s)", words->pattern);
		at += len + 2;
	}
	free(rule->pattern);
	rule->pattern = xstrdup(full.s);
	str_free(&full);
	return RC_OK;
}

static enum rc rules_compile(struct request_rules *rules, const char *name, struct err *err)
{
	for (size_t i = 0; i < rules->count; i++) {
		struct rule *rule = rules->rule[i];
		struct str why = STR_INIT;
		enum rc rc = rule_fill(rules, rule, name, err);
		if (rc)
			return rc;
		rule->compiled = pattern_new(rule->pattern, false, &why);
		if (!rule->compiled)
			(void)err_set(err, RC_CONFIG, "%s:%d: the pattern of the rule %s is broken: %s.",
				name, rule->line, rule->name, why.s);
		str_free(&why);
		if (!rule->compiled)
			return RC_CONFIG;
	}
	return RC_OK;
}

enum rc request_rules_load(struct request_rules **out, const char *path, struct err *err)
{
	struct request_rules *rules = xcalloc(1, sizeof *rules);
	enum rc rc =
		path ? conf_read(path, file_keys, rules, err)
		     : conf_read_text(embedded_request_rules, "request-rules.conf", file_keys, rules, err);
	rc = rc ? rc : rules_compile(rules, path ? path : "request-rules.conf", err);
	if (rc)
		request_rules_free(&rules);
	else
		*out = rules;
	return rc;
}

void request_rules_free(struct request_rules **rules)
{
	if (!*rules)
		return;
	for (size_t i = 0; i < (*rules)->count; i++) {
		struct rule *rule = (*rules)->rule[i];
		pattern_free(&rule->compiled);
		conf_free(rule_keys, rule);
		free(rule);
	}
	for (size_t i = 0; i < (*rules)->words_count; i++) {
		conf_free(words_keys, (*rules)->words[i]);
		free((*rules)->words[i]);
	}
	free((*rules)->words);
	free((*rules)->rule);
	free(*rules);
	*rules = NULL;
}

void request_rules_each(const struct request_rules *rules,
	void (*fn)(void *ctx, const char *kind, const char *name, const char *where, int weight,
		const char *pattern),
	void *ctx)
{
	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = rules->rule[i];
		fn(ctx, kind_names[rule->kind], rule->name, place_names[rule->where], rule->weight,
			rule->pattern);
	}
}

/* ---- sentences ---- */

static bool holds_any(const char *text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strstr(text, words[i]))
			return true;
	return false;
}

/* Without a sign behind it か ends a question only where a verb does: 円城寺さやか is a name. */
static bool is_question(const char *sentence)
{
	static const char *const endings[] = {"か。", "?", "か?。", "かね。", "かな。", "よね。", "よね",
		"ですか", "ますか", "せんか", "しょうか", "したか", "か、", "すか)", "うか)", "んか)"};
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
		if (str_has_suffix(sentence, endings[i]))
			return true;
	return false;
}

/* 再送していただけますか asks for a deed, not for an answer. */
static bool is_plea(const char *sentence)
{
	static const char *const words[] = {"もらえ", "いただけ", "いただき", "頂け", "頂き", "ください",
		"下さい", "くださ", "下さ", "お願い", "願え", "願い", "希望", "依頼"};
	return holds_any(sentence, words, sizeof words / sizeof *words);
}

/* Two bytes of three in a Japanese text: no word begins there. */
static bool inside_character(const char *at)
{
	return ((unsigned char)*at & 0xC0) == 0x80;
}

/* Why it is asked for, or a question of courtesy behind the wish: neither asks for an answer. */
static size_t courtesy_clause(const char *sentence, const char *at)
{
	static const char *const reasons[] = {"方法がわからないので", "方法がわからないため",
		"方法が分からないので", "方法が分からないため", "方法がわかりませんので",
		"方法が分かりませんので", "わからないので", "わからないため", "分からないので",
		"分からないため", "わかりませんので", "分かりませんので", "わからなくなったので",
		"分からなくなったので", "わからなくなったため", "分からなくなったため", "可能でしたら",
		"検討した結果", "検討しました結果", "検討いたしました結果", "検討の結果", "検討を重ねた結果",
		"可能であれば"};
	static const char *const wished[] = {"いただきたいのですが", "頂きたいのですが", "もらいたいのですが",
		"お願いしたいのですが", "ほしいのですが"};
	static const char *const asked[] = {"よろしいでしょうか", "宜しいでしょうか", "よろしいですか",
		"可能でしょうか", "可能ですか", "できますでしょうか", "できますか", "大丈夫でしょうか",
		"いかがでしょうか"};
	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (str_has_prefix(at, reasons[i]))
			return strlen(reasons[i]);
	for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
		if (!str_has_prefix(at, asked[i]))
			continue;
		size_t before = (size_t)(at - sentence), comma = strlen("、");
		before -= before >= comma && memcmp(at - comma, "、", comma) == 0 ? comma : 0;
		for (size_t w = 0; w < sizeof wished / sizeof *wished; w++) {
			size_t len = strlen(wished[w]);
			if (before >= len && memcmp(sentence + before - len, wished[w], len) == 0)
				return strlen(asked[i]);
		}
	}
	return 0;
}

/* A deed that is asked for as politely as can be: 中止していただくことは可能でしょうか. It asks nothing else. */
static size_t courtesy_deed(const char *at)
{
	static const char *const verbs[] = {"いただ", "頂", "お願い", "願い", "もら", "願", "くだ"};
	static const char *const endings[] = {"けますでしょうか", "けませんでしょうか", "けないでしょうか",
		"くことは可能でしょうか", "くことは可能ですか", "くことはできますでしょうか",
		"くことはできますか", "くことはできないでしょうか", "くことはできませんか",
		"いても宜しいでしょうか", "いてもよろしいでしょうか", "いてもよろしいですか",
		"できますでしょうか", "できませんでしょうか", "できないでしょうか", "できますか",
		"できませんか", "えますでしょうか", "えませんでしょうか", "えないでしょうか",
		"うことはできますか", "うことは可能でしょうか", "うことは可能ですか", "さいますでしょうか",
		"さいませんか", "さいませんでしょうか"};
	for (size_t v = 0; v < sizeof verbs / sizeof *verbs; v++) {
		if (!str_has_prefix(at, verbs[v]))
			continue;
		size_t verb = strlen(verbs[v]);
		for (size_t e = 0; e < sizeof endings / sizeof *endings; e++)
			if (str_has_prefix(at + verb, endings[e]))
				return verb + strlen(endings[e]);
	}
	return 0;
}

static void courtesy_cut(struct str *out, const char *sentence)
{
	for (const char *at = sentence; *at;) {
		size_t step = 0;
		if (!inside_character(at)) {
			step = courtesy_clause(sentence, at);
			step = step ? step : courtesy_deed(at);
		}
		if (!step)
			str_addc(out, *at);
		at += step ? step : 1;
	}
}

/* How, when, where, whether one may: what follows is not yet wished for. */
static bool is_how(const char *sentence)
{
	static const char *const words[] = {"教え", "教示", "知りたい", "どう", "どの", "どこ", "どちらに",
		"いつ", "何を", "なにを", "なぜ", "よいです", "良いです", "いいです", "よいでしょう",
		"良いでしょう", "いいでしょう", "よろしいで", "宜しいで", "必要です", "必要でしょう",
		"必要があり", "構いませ", "かまいませ", "かまわな", "構わな", "問題ありませんか",
		"問題ないで", "可能でしょう", "可能です", "べきでしょう", "べきです", "場合は", "場合、",
		"場合に", "場合の", "した後", "後も", "したら", "すると", "伺い", "うかがい", "お聞き",
		"質問", "できますか", "できるので", "できるのでしょう", "方法", "検討", "まだ決ま", "書き方",
		"ますでしょうか", "相談", "説明", "完了して", "完了済", "わかりませ", "分かりませ",
		"判りませ", "わからな", "分からな", "受理され", "進捗", "状況"};
	return holds_any(sentence, words, sizeof words / sizeof *words);
}

static bool asks_for_answer(const char *sentence)
{
	static const char *const words[] = {
		"教え", "教示", "知りたい", "お聞き", "伺い", "うかがい", "質問", "相談"};
	return (is_question(sentence) && (is_how(sentence) || !is_plea(sentence))) ||
	       holds_any(sentence, words, sizeof words / sizeof *words);
}

static void note(
	struct evidence *evidence, const struct rule *rule, const char *words, size_t len, struct pool *pool)
{
	evidence->score[rule->kind] += rule->weight;
	if (rule->weight <= evidence->heaviest[rule->kind])
		return;
	evidence->heaviest[rule->kind] = rule->weight;
	size_t shown = len < 120 ? len : 120;
	while (shown > 0 && ((unsigned char)words[shown] & 0xC0) == 0x80)
		shown--;
	evidence->words[rule->kind] = pool_printf(pool, "%s \"%.*s\"", rule->name, (int)shown, words);
}

/* Courtesies stand anywhere between a noun and its verb (再送のほど何卒よろしくお願い): no pattern need know of them. */
static void courtesies_drop(char *sentence)
{
	static const char *const courtesies[] = {"のほど", "の程", "よろしく", "宜しく", "何卒", "なにとぞ",
		"どうぞ", "お手数ですが", "お手数をおかけしますが", "お手数をお掛けしますが",
		"お手数をおかけいたしますが", "お手数をお掛けいたしますが", "お手間をおかけしますが",
		"恐れ入りますが", "恐縮ですが", "恐縮ではございますが", "申し訳ございませんが",
		"申し訳ありませんが", "すみませんが", "すいませんが", "誠に勝手ながら", "勝手ながら"};
	char *to = sentence;
	for (const char *at = sentence; *at;) {
		size_t step = 0;
		for (size_t i = 0;
			i < sizeof courtesies / sizeof *courtesies && !step && !inside_character(at); i++)
			if (str_has_prefix(at, courtesies[i]))
				step = strlen(courtesies[i]);
		if (step && str_has_prefix(at, "の程度"))
			step = 0;
		if (step && to > sentence && str_has_prefix(at + step, "、"))
			step += strlen("、");
		if (!step)
			*to++ = *at++;
		at += step;
	}
	*to = '\0';
}

#define SENTENCE_MAX 1200 /* bytes that are matched of one sentence */

/* One sentence, folded. used: rules that have counted already; NULL: none is remembered. */
static void try_sentence(const struct request_rules *rules, int where, char *sentence, bool *used,
	struct evidence *evidence, struct pool *pool)
{
	struct str plain = STR_INIT;
	courtesy_cut(&plain, sentence);
	bool wished = !(is_question(plain.s) && !is_plea(plain.s)) && !is_how(plain.s);
	evidence->asks = evidence->asks || (where == IN_TEXT && asks_for_answer(plain.s));
	str_free(&plain);
	courtesies_drop(sentence);
	if (strlen(sentence) > SENTENCE_MAX)
		sentence[SENTENCE_MAX] = '\0';
	struct pattern_pairs pairs;
	pattern_pairs_of(&pairs, sentence);
	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = rules->rule[i];
		size_t from, to;
		if (rule->where != where || (!rule->asked && !wished) ||
			!pattern_may_match(rule->compiled, &pairs) ||
			!pattern_find(rule->compiled, sentence, &from, &to) || to == from)
			continue;
		if (rule->kind == RULE_RESEND && where != IN_FILE)
			str_addz(&evidence->lost, sentence);
		evidence->said = evidence->said ||
				 (where == IN_TEXT && rule->weight > 1 &&
					 (rule->kind <= RULE_ID_ENQUIRY || rule->kind == RULE_BARE_STOP));
		if (!used || !used[i])
			note(evidence, rule, sentence + from, to - from, pool);
		if (used)
			used[i] = true;
		if (rule->takes) {
			memmove(sentence + from, sentence + to, strlen(sentence + to) + 1);
			pattern_pairs_of(&pairs, sentence);
		}
	}
}

void rules_try_subject(
	const struct request_rules *rules, const char *subject, struct evidence *evidence, struct pool *pool)
{
	struct str key = STR_INIT;
	label_key(&key, subject);
	try_sentence(rules, IN_SUBJECT, key.s, NULL, evidence, pool);
	str_free(&key);
}

void rules_try_file(
	const struct request_rules *rules, const char *name, struct evidence *evidence, struct pool *pool)
{
	struct str key = STR_INIT;
	label_key(&key, name);
	try_sentence(rules, IN_FILE, key.s, NULL, evidence, pool);
	str_free(&key);
}

/* A line of a form typed into the mail: it names values, it wishes nothing. But 自己宣言ID：…の登録停止をお願いします is a sentence. */
static bool is_form_line(const char *line)
{
	struct labelled found = label_read(line);
	if (found.label == LABEL_NONE || (found.gap == GAP_BLANK && found.label == LABEL_OTHER))
		return false;
	bool sentence = strstr(found.value, "。") || str_has_suffix(found.value, "ます") ||
			str_has_suffix(found.value, "です");
	return found.label == LABEL_REASON || found.gap == GAP_END || !sentence;
}

struct sentences {
	const struct request_rules *rules;
	struct evidence *evidence;
	struct pool *pool;
	struct str open; /* folded, not ended yet */
	bool *used;
};

static void sentence_end(struct sentences *s)
{
	if (s->open.len)
		try_sentence(s->rules, IN_TEXT, s->open.s, s->used, s->evidence, s->pool);
	str_clear(&s->open);
}

static void line_try(struct sentences *s, const char *line)
{
	struct str key = STR_INIT;
	label_key(&key, line);
	for (const char *at = key.s; *at;) {
		size_t step = str_has_prefix(at, "。") ? strlen("。") : *at == '?' || *at == '!' ? 1 : 0;
		str_add(&s->open, at, step ? step : 1);
		at += step ? step : 1;
		if (step)
			sentence_end(s);
	}
	str_free(&key);
}

void rules_try_text(
	const struct request_rules *rules, const char *text, struct evidence *evidence, struct pool *pool)
{
	struct sentences s = {.rules = rules,
		.evidence = evidence,
		.pool = pool,
		.open = STR_INIT,
		.used = pool_alloc(pool, rules->count + 1)};
	for (const char *at = text; *at;) {
		size_t len = strcspn(at, "\n");
		char *line = xstrndup(at, len);
		/* Mailers and writers break lines anywhere: a sentence ends with its sign, a paragraph, or at a form's line. */
		if (!*text_trim(line) || is_form_line(line))
			sentence_end(&s);
		else
			line_try(&s, line);
		free(line);
		at += len + (at[len] == '\n');
	}
	sentence_end(&s);
	str_free(&s.open);
}

void evidence_free(struct evidence *evidence)
{
	str_free(&evidence->lost);
}
