#include <string.h>

#include "lib/base/conf.h"
#include "lib/base/embed.h"
#include "lib/base/text.h"
#include "lib/mail/bounce_p.h"

#define GAP_MAX 80 /* bytes that " * " may stand for */

static const char *const class_names[] = {
	[BOUNCE_NONE] = "none",
	[BOUNCE_HARD] = "hard",
	[BOUNCE_SOFT] = "soft",
	[BOUNCE_POLICY] = "policy",
	[BOUNCE_FULL] = "full",
	[BOUNCE_CONTENT] = "content",
	[BOUNCE_UNDECIDED] = "undecided",
	NULL,
};

const char *bounce_class_name(enum bounce_class c)
{
	return class_names[c];
}

const char *bounce_class_name_ja(enum bounce_class c)
{
	static const char *const names[] = {
		[BOUNCE_NONE] = "配信の知らせ",
		[BOUNCE_HARD] = "宛先不明",
		[BOUNCE_SOFT] = "一時的な不達",
		[BOUNCE_POLICY] = "受信側の拒否",
		[BOUNCE_FULL] = "受信箱の容量超過",
		[BOUNCE_CONTENT] = "内容による拒否",
		[BOUNCE_UNDECIDED] = "理由不明",
	};
	return names[c];
}

static const struct conf_key reason_keys[] = {
	{.name = "name",
		.type = CONF_STRING,
		.offset = offsetof(struct bounce_reason, name),
		.help = "what staff read"},
	{.name = "class",
		.type = CONF_CHOICE,
		.offset = offsetof(struct bounce_reason, class_),
		.choices = class_names,
		.help = "what it means for the recipient"},
	{.name = "status",
		.type = CONF_LIST,
		.offset = offsetof(struct bounce_reason, status),
		.fallback = "",
		.help = "enhanced status codes (RFC 3463)"},
	{.name = "words",
		.type = CONF_LIST,
		.offset = offsetof(struct bounce_reason, words),
		.fallback = "",
		.help = "words of the reason"},
	{0},
};

static void *add_reason(void *base)
{
	struct bounce_rules *rules = base;
	rules->reason = xrealloc(rules->reason, (rules->reason_count + 1) * sizeof *rules->reason);
	struct bounce_reason *reason = &rules->reason[rules->reason_count++];
	*reason = (struct bounce_reason){0};
	return reason;
}

#define WORDS(field, text)                                                                                   \
	{                                                                                                    \
		.name = #field, .type = CONF_LIST, .offset = offsetof(struct bounce_rules, field),           \
		.fallback = "", .help = (text)                                                               \
	}

static const struct conf_key rules_keys[] = {
	WORDS(senders, "who sends bounces"),
	WORDS(subjects, "their subjects"),
	WORDS(phrases, "sentences of a mail system"),
	WORDS(auto_replies, "subjects of automatic replies"),
	WORDS(copies, "lines that announce the returned mail"),
	WORDS(forms, "words that no mail system writes"),
	WORDS(delays, "not given up yet"),
	WORDS(sender_stages, "commands of SMTP that name the sender, as reports name them"),
	WORDS(content_stages, "the end of the mail's text, as reports name it"),
	{.name = "reasons",
		.type = CONF_GROUPS,
		.keys = reason_keys,
		.add = add_reason,
		.help = "what it says about the recipient, in order"},
	{0},
};

const struct bounce_rules *bounce_rules(void)
{
	static struct bounce_rules rules;
	static bool ready;
	struct err err = {0};
	if (!ready &&
		conf_read_text(embedded_bounce_rules, "bounce-rules.conf", rules_keys, &rules, &err) != RC_OK)
		die("%s", err.text);
	ready = true;
	return &rules;
}

void bounce_preload(void)
{
	(void)bounce_rules();
}

void bounce_fold(struct str *out, const char *text, size_t len)
{
	struct str plain = STR_INIT, folded = STR_INIT;
	str_add(&plain, text, len);
	text_fold(&folded, plain.s);
	str_addc(out, ' ');
	for (size_t i = 0; i < folded.len; i++) {
		char c = folded.s[i];
		/* Japanese goes on in the next line without a blank. */
		if (c == ' ' && i > 0 && ((unsigned char)folded.s[i - 1] & 0x80u) &&
			((unsigned char)folded.s[i + 1] & 0x80u))
			continue;
		str_addc(out, c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c);
	}
	str_addc(out, ' ');
	str_free(&plain);
	str_free(&folded);
}

/* Whether the rest of a word with gaps stands behind `at`, each piece at most a gap away from the one before. */
static bool pieces_follow(const char *at, const char *word)
{
	while (*word) {
		const char *gap = strstr(word, " * ");
		size_t len = gap ? (size_t)(gap - word) : strlen(word);
		size_t room = strnlen(at, GAP_MAX + len);
		const char *found = memmem(at, room, word, len);
		if (!found)
			return false;
		at = found + len;
		word = gap ? gap + 3 : word + len;
	}
	return true;
}

static bool word_stands(const char *word, const char *folded)
{
	const char *at = folded, *end = folded + strlen(folded);
	if (*word == '^') {
		at += strspn(at, " -=*_#>|:<[(~");
		end = at + strnlen(at, strlen(++word));
	}
	const char *gap = strstr(word, " * ");
	size_t len = gap ? (size_t)(gap - word) : strlen(word);
	while ((at = memmem(at, (size_t)(end - at), word, len))) {
		if (!gap || pieces_follow(at + len, gap + 3))
			return true;
		at++;
	}
	return false;
}

const char *words_find(const struct strlist *words, const char *folded)
{
	for (size_t i = 0; i < words->count; i++)
		if (word_stands(words->item[i], folded))
			return words->item[i];
	return NULL;
}
