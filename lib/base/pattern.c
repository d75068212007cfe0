#define PCRE2_CODE_UNIT_WIDTH 8

#include "lib/base/pattern.h"

#include <ctype.h>
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/pool.h"
#include "lib/base/text.h"

#define WORKSPACE 20000 /* pcre2_dfa_match(): three for each state that is open at a time, twice */
#define WORDS_MAX 200 /* of a clause */

/*
 * A clause is a set of words of which each match holds at least one; a pattern has several clauses or none. 使用.*(中止|停止) has {使用} and {中止, 停止}.
 */
struct clause {
	struct strlist word;
};

struct pattern {
	pcre2_code *code;
	const uint16_t *needs; /* see needs_make() */
};

/* Patterns and what they need lie side by side, apart from their code: whether a text is worth a look is asked of all, the code is needed of few. */
static struct {
	struct pool *pool; /* NULL: there is no pattern */
	size_t patterns;
} looked_at;

/* ---- the words a pattern can't do without ---- */

/* What is known about a piece of an expression. */
struct piece {
	bool exact; /* it matches the words in `word` and nothing else */
	struct strlist word;
	struct clause *clause;
	size_t clause_count;
};

static void piece_free(struct piece *piece)
{
	strlist_free(&piece->word);
	for (size_t i = 0; i < piece->clause_count; i++)
		strlist_free(&piece->clause[i].word);
	free(piece->clause);
	*piece = (struct piece){0};
}

static struct piece piece_of(const char *word, size_t len)
{
	struct piece piece = {.exact = true};
	strlist_addn(&piece.word, word, len);
	return piece;
}

/* Takes the words over. A clause with a word of less than two bytes is always met. */
static void clause_add(struct piece *piece, struct strlist *words)
{
	bool useful = words->count > 0;
	for (size_t i = 0; i < words->count; i++)
		useful = useful && strlen(words->item[i]) >= 2;
	if (!useful) {
		strlist_free(words);
		return;
	}
	piece->clause = xrealloc(piece->clause, (piece->clause_count + 1) * sizeof *piece->clause);
	piece->clause[piece->clause_count++].word = *words;
	*words = (struct strlist){0};
}

/* The words of an exact piece become a clause: it is known for what it holds, no more for what it is. */
static void piece_blur(struct piece *piece)
{
	if (piece->exact)
		clause_add(piece, &piece->word);
	piece->exact = false;
	strlist_free(&piece->word);
}

static void clauses_move(struct piece *to, struct piece *from)
{
	for (size_t i = 0; i < from->clause_count; i++)
		clause_add(to, &from->clause[i].word);
	piece_free(from);
}

/* `next` follows the sequence so far, of which `exact` and `word` tell the end only; next is taken over. False: the end has begun anew. */
static bool sequence_add(struct piece *piece, struct piece *next)
{
	if (piece->exact && next->exact && piece->word.count * next->word.count <= WORDS_MAX) {
		struct strlist both = {0};
		struct str word = STR_INIT;
		for (size_t i = 0; i < piece->word.count; i++)
			for (size_t n = 0; n < next->word.count; n++) {
				str_clear(&word);
				str_printf(&word, "%s%s", piece->word.item[i], next->word.item[n]);
				strlist_add(&both, word.s);
			}
		str_free(&word);
		strlist_free(&piece->word);
		piece->word = both;
		piece_free(next);
		return true;
	}
	piece_blur(piece);
	struct strlist last = next->word;
	bool exact = next->exact;
	next->word = (struct strlist){0};
	clauses_move(piece, next);
	piece->exact = exact;
	piece->word = last;
	return false;
}

/* How much a clause tells: the length of its shortest word. */
static size_t clause_weight(const struct clause *clause)
{
	size_t least = SIZE_MAX;
	for (size_t i = 0; i < clause->word.count; i++) {
		size_t len = strlen(clause->word.item[i]);
		least = len < least ? len : least;
	}
	return least;
}

/* Either of them; other is taken over. */
static void piece_or(struct piece *piece, struct piece *other)
{
	if (piece->exact && other->exact && piece->word.count + other->word.count <= WORDS_MAX) {
		for (size_t i = 0; i < other->word.count; i++)
			strlist_add(&piece->word, other->word.item[i]);
		piece_free(other);
		return;
	}
	struct piece *const both[] = {piece, other};
	struct strlist words = {0};
	bool known = true;
	for (size_t b = 0; b < 2; b++) {
		const struct clause *best = NULL;
		piece_blur(both[b]);
		for (size_t i = 0; i < both[b]->clause_count; i++)
			if (!best || clause_weight(&both[b]->clause[i]) > clause_weight(best))
				best = &both[b]->clause[i];
		known = known && best;
		for (size_t i = 0; best && i < best->word.count; i++)
			strlist_add(&words, best->word.item[i]);
	}
	piece_free(piece);
	piece_free(other);
	if (known && words.count <= WORDS_MAX)
		clause_add(piece, &words);
	strlist_free(&words);
}

static struct piece read_choice(const char **at);

/* A bracket expression: any of its bytes. */
static struct piece read_bracket(const char **at)
{
	const char *c = *at + 1;
	c += *c == '^';
	c += *c == ']';
	while (*c && *c != ']')
		c++;
	*at = *c ? c + 1 : c;
	return (struct piece){0};
}

static struct piece read_atom(const char **at)
{
	const char *c = *at;
	if (*c == '(') {
		(*at)++;
		struct piece inner = read_choice(at);
		*at += **at == ')';
		return inner;
	}
	if (*c == '[')
		return read_bracket(at);
	bool escaped = *c == '\\' && c[1];
	*at += escaped ? 2 : 1;
	if (!escaped && (*c == '^' || *c == '$'))
		return piece_of("", 0);
	if (!escaped && *c == '.')
		return (struct piece){0};
	char byte = (char)tolower((unsigned char)c[escaped]);
	return piece_of(&byte, 1);
}

static struct piece read_repeated(const char **at)
{
	struct piece piece = read_atom(at);
	while (**at && strchr("?+*{", **at)) {
		if (**at == '?') {
			struct piece nothing = piece_of("", 0);
			piece_or(&piece, &nothing);
		} else if (**at == '+' || (**at == '{' && (*at)[1] != '0')) {
			piece_blur(&piece);
		} else {
			piece_free(&piece);
		}
		*at += **at == '{' ? strcspn(*at, "}") : 0;
		*at += **at != '\0';
	}
	return piece;
}

static struct piece read_sequence(const char **at)
{
	struct piece whole = piece_of("", 0);
	bool exact = true;
	while (**at && **at != '|' && **at != ')') {
		struct piece next = read_repeated(at);
		exact = sequence_add(&whole, &next) && exact;
	}
	if (!exact)
		piece_blur(&whole);
	return whole;
}

static struct piece read_choice(const char **at)
{
	struct piece whole = read_sequence(at);
	while (**at == '|') {
		(*at)++;
		struct piece other = read_sequence(at);
		piece_or(&whole, &other);
	}
	return whole;
}

/* ---- pairs of bytes ---- */

static uint16_t pair_at(const char *text)
{
	return (uint16_t)(tolower((unsigned char)text[0]) << 8 | tolower((unsigned char)text[1]));
}

void pattern_pairs_of(struct pattern_pairs *pairs, const char *text)
{
	memset(pairs, 0, sizeof *pairs);
	for (; text[0] && text[1]; text++) {
		uint16_t pair = pair_at(text);
		pairs->bits[pair / 64] |= UINT64_C(1) << pair % 64;
	}
}

static void needs_add(struct str *out, size_t number)
{
	if (number > UINT16_MAX)
		die("a pattern needs more than can be said");
	const uint16_t unit = (uint16_t)number;
	str_add(out, &unit, sizeof unit);
}

static void needs_add_clause(struct str *out, const struct clause *clause)
{
	needs_add(out, clause->word.count);
	for (size_t i = 0; i < clause->word.count; i++) {
		const char *word = clause->word.item[i];
		needs_add(out, strlen(word) - 1);
		for (; word[1]; word++)
			needs_add(out, pair_at(word));
	}
}

/* How many clauses; of each its size, how many words; of each how many pairs of bytes, and those. */
static const uint16_t *needs_make(const struct piece *piece)
{
	struct str needs = STR_INIT, clause = STR_INIT;
	needs_add(&needs, piece->clause_count);
	for (size_t i = 0; i < piece->clause_count; i++) {
		str_clear(&clause);
		needs_add_clause(&clause, &piece->clause[i]);
		needs_add(&needs, clause.len / sizeof(uint16_t));
		str_add(&needs, clause.s, clause.len);
	}
	uint16_t *made = pool_alloc(looked_at.pool, needs.len);
	memcpy(made, needs.s, needs.len);
	str_free(&clause);
	str_free(&needs);
	return made;
}

static bool word_may_stand(const uint16_t *pair, size_t count, const struct pattern_pairs *pairs)
{
	for (size_t i = 0; i < count; i++)
		if (!(pairs->bits[pair[i] / 64] >> pair[i] % 64 & 1))
			return false;
	return true;
}

bool pattern_may_match(const struct pattern *pattern, const struct pattern_pairs *pairs)
{
	const uint16_t *at = pattern->needs;
	for (size_t clauses = *at++; clauses > 0; clauses--) {
		size_t size = *at++;
		const uint16_t *next = at + size;
		bool met = false;
		for (size_t words = *at++; words > 0 && !met; words--) {
			met = word_may_stand(at + 1, *at, pairs);
			at += 1 + *at;
		}
		if (!met)
			return false;
		at = next;
	}
	return true;
}

/* ---- matching ---- */

/* 申し?込み → 申(し)?込み */
static void group_characters(struct str *out, const char *expression)
{
	size_t len = strlen(expression);
	for (size_t at = 0; at < len;) {
		uint32_t c;
		size_t step = utf8_next(expression + at, len - at, &c);
		step = step ? step : 1;
		char next = expression[at + step];
		if (step > 1 && next && strchr("?*+{", next))
			str_printf(out, "(%.*s)", (int)step, expression + at);
		else
			str_add(out, expression + at, step);
		at += step;
	}
}

struct pattern *pattern_new(const char *expression, bool ignore_case, struct str *why)
{
	const uint32_t options = PCRE2_DOLLAR_ENDONLY | PCRE2_DOTALL | PCRE2_NO_AUTO_CAPTURE |
				 PCRE2_NEVER_UTF | (ignore_case ? PCRE2_CASELESS : 0);
	struct str grouped = STR_INIT;
	int fault;
	size_t where;
	group_characters(&grouped, expression);
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)grouped.s, grouped.len, options, &fault, &where, NULL);
	struct pattern *pattern = NULL;
	if (code) {
		const char *at = grouped.s;
		struct piece whole = read_choice(&at);
		piece_blur(&whole);
		if (!looked_at.pool)
			looked_at.pool = pool_new();
		looked_at.patterns++;
		pattern = pool_alloc(looked_at.pool, sizeof *pattern);
		*pattern = (struct pattern){code, needs_make(&whole)};
		piece_free(&whole);
	} else {
		PCRE2_UCHAR text[200];
		(void)pcre2_get_error_message(fault, text, sizeof text);
		str_addz(why, (const char *)text);
	}
	str_free(&grouped);
	return pattern;
}

void pattern_free(struct pattern **pattern)
{
	if (!*pattern)
		return;
	pcre2_code_free((*pattern)->code);
	*pattern = NULL;
	if (--looked_at.patterns == 0)
		pool_free(&looked_at.pool);
}

/* How far the search that goes back and forth is followed: short texts, of which most match nothing, are done with long before. */
#define STEPS_MAX 5000

static struct {
	pcre2_match_data *data;
	pcre2_match_context *context;
} matching;

static void matching_prepare(void)
{
	if (matching.data)
		return;
	matching.data = pcre2_match_data_create(1, NULL);
	matching.context = pcre2_match_context_create(NULL);
	if (!matching.data || !matching.context)
		die("out of memory");
	(void)pcre2_set_match_limit(matching.context, STEPS_MAX);
}

bool pattern_find(const struct pattern *pattern, const char *text, size_t *from, size_t *to)
{
	static int workspace[WORKSPACE];
	size_t len = strlen(text);
	matching_prepare();
	/* Most patterns that are tried match nothing, and this one says so in half the time; which match is the longest, and in bounded time, only the other can say. */
	if (pcre2_match(pattern->code, (PCRE2_SPTR)text, len, 0, PCRE2_NO_UTF_CHECK, matching.data,
		    matching.context) == PCRE2_ERROR_NOMATCH)
		return false;
	int found = pcre2_dfa_match(pattern->code, (PCRE2_SPTR)text, len, 0, PCRE2_NO_UTF_CHECK,
		matching.data, NULL, workspace, WORKSPACE);
	if (found == PCRE2_ERROR_NOMATCH)
		return false;
	if (found < 0) /* 0: there were shorter ones, too */
		die("a pattern could not be matched: %d", found);
	const PCRE2_SIZE *place = pcre2_get_ovector_pointer(matching.data);
	if (from)
		*from = place[0];
	if (to)
		*to = place[1];
	return true;
}
