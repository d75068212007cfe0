/* tokens: made once, found in whatever came back */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/mail/token.h"

static const uint8_t key[SEAL_KEY_LEN] = "the credential key of the office";

static void make(char out[TOKEN_TEXT_MAX])
{
	struct rng rng = rng_seeded(7);
	token_make(out, TOKEN_REQUEST, 41, 1795000000, &rng, key);
}

static void test_token__every_input_counts(void **state)
{
	(void)state;
	static const uint8_t other_key[SEAL_KEY_LEN] = "another key";
	char token[6][TOKEN_TEXT_MAX];
	struct rng rng = rng_seeded(7), again = rng_seeded(7), other = rng_seeded(8);
	make(token[0]);
	token_make(token[1], TOKEN_NEW_ADDRESS, 41, 1795000000, &rng, key);
	token_make(token[2], TOKEN_REQUEST, 42, 1795000000, &again, key);
	again = rng_seeded(7);
	token_make(token[3], TOKEN_REQUEST, 41, 1795000001, &again, key);
	token_make(token[4], TOKEN_REQUEST, 41, 1795000000, &other, key);
	again = rng_seeded(7);
	token_make(token[5], TOKEN_REQUEST, 41, 1795000000, &again, other_key);
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(strlen(token[i]), TOKEN_TEXT_MAX - 1);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(token[i], token[j]);
	}
	char same[TOKEN_TEXT_MAX];
	make(same);
	assert_string_equal(same, token[0]);
}

static void test_token__letters_that_nobody_confuses(void **state)
{
	(void)state;
	struct rng rng = rng_seeded(1);
	for (int i = 0; i < 500; i++) {
		char token[TOKEN_TEXT_MAX];
		struct strlist found = {0};
		token_make(token, TOKEN_APPLICATION, i, 1795000000, &rng, key);
		assert_int_equal(strspn(token, "0123456789ABCDEFGHJKMNPQRSTVWXYZ-"), TOKEN_TEXT_MAX - 1);
		token_find(&found, token, 8);
		assert_int_equal(found.count, 1);
		assert_string_equal(found.item[0], token);
		strlist_free(&found);
	}
}

/* ---- what mail programs make of it ---- */

enum writing { AS_IT_IS, LOWER, WIDE, WIDE_LOWER, NO_HYPHENS, CONFUSED };

static void add_wide(struct str *out, char c)
{
	if (c == '-')
		str_addz(out, "－");
	else {
		const char wide[] = {(char)0xEF, (char)(c < '`' ? 0xBC : 0xBD),
			(char)(c < '`' ? 0x80 + (c - ' ') : 0x80 + (c - '`')), 0};
		str_addz(out, wide);
	}
}

/* The token in a shape: @ stands for the token, 1…4 for its groups, A and B for the letters before and behind the tenth. */
static void shape(struct str *out, const char *pattern, const char *token, enum writing writing)
{
	static const struct {
		char sign;
		size_t from, len;
	} pieces[] = {{'@', 0, 27}, {'1', 0, 6}, {'2', 7, 6}, {'3', 14, 6}, {'4', 21, 6}, {'A', 0, 11},
		{'B', 11, 16}};
	for (const char *at = pattern; *at; at++) {
		size_t p = 0;
		while (p < 7 && pieces[p].sign != *at)
			p++;
		if (p == 7) {
			str_addc(out, *at);
			continue;
		}
		for (size_t i = 0; i < pieces[p].len; i++) {
			char c = token[pieces[p].from + i];
			char small = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
			if (writing == WIDE || writing == WIDE_LOWER)
				add_wide(out, writing == WIDE ? c : small);
			else if (writing == CONFUSED)
				str_addc(out, c == '0' ? 'o' : c == '1' ? 'l' : c);
			else if (writing != NO_HYPHENS || c != '-')
				str_addc(out, writing == LOWER ? small : c);
		}
	}
}

static void test_token__found_in_replies(void **state)
{
	(void)state;
	static const struct {
		const char *pattern;
		enum writing writing;
	} shapes[] = {
		{"@", AS_IT_IS},
		{"@", LOWER},
		{"@", WIDE},
		{"@", WIDE_LOWER},
		{"@", NO_HYPHENS},
		{"@", CONFUSED},
		/* Outlook in Japanese: RE: and a subject that is cut and folded */
		{"RE: 【SECURITY ACTION】使用中止の確認 [@]", AS_IT_IS},
		{"RE: RE: 【SECURITY ACTION】使用中止の確認 [1-2-\r\n 3-4]", AS_IT_IS},
		{"-----Original Message-----\nFrom: 事務局 <office+@<x>\nSubject: 確認\n\n確認番号：@\n",
			AS_IT_IS},
		/* Gmail, Apple Mail, iPhone, Thunderbird: quoted, some levels deep, wrapped */
		{"2026年11月22日(日) 10:00 事務局 <office.example.jp>:\n\n> 確認番号: @\n> 以上\n", AS_IT_IS},
		{"> > 確認番号: 1-2-\n> > 3-4\n", AS_IT_IS},
		{">> A\n>> B\n", AS_IT_IS},
		{"> 確認番号: A\nB\n", AS_IT_IS},
		{"| 1-2\n| 3-4", AS_IT_IS},
		{"iPhoneから送信\n\n> 2026/11/22 10:00、事務局のメール:\n> \n> \xEF\xBB\xBF@\n", AS_IT_IS},
		/* Becky!, Shuriken: names in front of quoted lines */
		{"見本> 1-2-\n見本> 3-4\n", AS_IT_IS},
		{"taro>> 1-2\ntaro>> -3-4\n", AS_IT_IS},
		/* phones: wide letters, ー for a hyphen, lines of twenty columns, <br> */
		{"確認番号は1ー2ー3ー4です", WIDE},
		{"1－2－3\n－4", WIDE_LOWER},
		{"＞1‐2‐\n＞3‐4", AS_IT_IS},
		{"1−2–3—4", AS_IT_IS},
		{"1ｰ2ｰ3ｰ4", LOWER},
		{"確認番号:<br>1-2-<br />3-4<BR>", AS_IT_IS},
		{"<font size=\"2\">1-2</font><wbr><span class=x>-3-4</span>", AS_IT_IS},
		{"1 2 3 4", AS_IT_IS},
		{"1　2　3　4", AS_IT_IS},
		{"1-\u200b2-\u200b3\u00ad-4", AS_IT_IS},
		{"*1-2-3-4*", AS_IT_IS},
		{"1-2-=\n3-4", AS_IT_IS},
		{"1-2-=\r\n3-4", AS_IT_IS},
		/* automatic links */
		{"<@>", AS_IT_IS},
		{"[@](https://example.jp/)", AS_IT_IS},
		/* ids and addresses */
		{"<confirm.@@sa.example.jp>", AS_IT_IS},
		{"<t@@sa.example.jp> <CAGx8=uuu@mail.example.com>", LOWER},
		{"<CAGx8=uuu@mail.example.com>\r\n\t<@@sa.example.jp>", AS_IT_IS},
		{"\"事務局\" <office+@@sa.example.jp>", LOWER},
		{"office+c@@sa.example.jp", NO_HYPHENS},
		/* stray bytes */
		{"\xE3\x81\xFF@\xE3", AS_IT_IS},
	};
	char token[TOKEN_TEXT_MAX];
	make(token);
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		struct str text = STR_INIT;
		struct strlist found = {0};
		shape(&text, shapes[i].pattern, token, shapes[i].writing);
		token_find(&found, text.s, 8);
		if (found.count != 1 || strcmp(found.item[0], token) != 0)
			fail_msg("not found in: %s", text.s);
		strlist_free(&found);
		str_free(&text);
	}
}

static void test_token__digest_is_that_of_the_canonical_writing(void **state)
{
	(void)state;
	char token[TOKEN_TEXT_MAX];
	uint8_t digest[SHA256_LEN], other[SHA256_LEN];
	make(token);
	token_digest(digest, token);
	for (enum writing writing = AS_IT_IS; writing <= CONFUSED; writing++) {
		struct str text = STR_INIT;
		shape(&text, "@", token, writing);
		token_digest(other, text.s);
		assert_memory_equal(digest, other, SHA256_LEN);
		str_free(&text);
	}
	token[0] = token[0] == 'A' ? 'B' : 'A';
	token_digest(other, token);
	assert_memory_not_equal(digest, other, SHA256_LEN);
}

static void test_token__plain_text_holds_none(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"",
		"ABCDEFGHJKMNPQRSTVWX",
		"ABCDEF-GHJKMN-PQRSTV-WXYZ23",
		"000000-000000-000000-000000",
		"4000-0000-000 1234567890123 〒100-0001 03-0000-0000 090-0000-0000 9000000000",
		"<20261122100000.ABCDEF0123456789abcdef0123456789@mail.example.co.jp>",
		"<CAKk8vxHd3a2mDk9c8Dq7sTzB2w3e4r5t6y7h8n9m0@mail.gmail.com>",
		"<TYCPR01MB1234ABCDEF5678901234567890@TYCPR01MB1234.jpnprd01.prod.example.com>",
		"-----------------------------------------------------------------------",
		"JVBERi0xLjQKJcOkw7zDtsOfCjIgMCBvYmoKPDwvTGVuZ3RoIDMgMCBSL0ZpbHRlci9GbGF0ZURlY29kZT4+",
		"https://www.example.jp/path?id=abcdef0123456789abcdef0123456789abcdef0123456789",
		"the rain in spain stays mainly in the plain and his name as ever remains the same",
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct strlist found = {0};
		token_find(&found, texts[i], 8);
		assert_int_equal(found.count, 0);
		strlist_free(&found);
	}
}

/* A letter wrong, missing or swapped is no token: a person who typed it off hears so, and nothing is looked up in vain. */
static void test_token__damage_is_seen(void **state)
{
	(void)state;
	char token[TOKEN_TEXT_MAX];
	make(token);
	for (size_t i = 0; token[i]; i++) {
		if (token[i] == '-')
			continue;
		char damaged[TOKEN_TEXT_MAX];
		struct strlist found = {0};
		memcpy(damaged, token, sizeof damaged);
		damaged[i] = damaged[i] == 'Z' ? 'Y' : 'Z';
		token_find(&found, damaged, 8);
		memmove(damaged + i, token + i + 1, strlen(token + i)); /* with its NUL */
		token_find(&found, damaged, 8);
		assert_int_equal(found.count, 0);
		strlist_free(&found);
	}
}

static void test_token__several_each_once_up_to_the_limit(void **state)
{
	(void)state;
	struct rng rng = rng_seeded(3);
	struct str text = STR_INIT;
	char token[10][TOKEN_TEXT_MAX];
	for (size_t i = 0; i < 10; i++) {
		token_make(token[i], TOKEN_REQUEST, (int64_t)i, 1795000000, &rng, key);
		str_printf(&text, "%s %s\n", token[i], token[i]);
	}
	struct strlist found = {0};
	token_find(&found, text.s, 8);
	assert_int_equal(found.count, 8);
	for (size_t i = 0; i < 8; i++)
		assert_string_equal(found.item[i], token[i]);
	strlist_free(&found);
	str_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_token__every_input_counts),
		cmocka_unit_test(test_token__letters_that_nobody_confuses),
		cmocka_unit_test(test_token__found_in_replies),
		cmocka_unit_test(test_token__digest_is_that_of_the_canonical_writing),
		cmocka_unit_test(test_token__plain_text_holds_none),
		cmocka_unit_test(test_token__damage_is_seen),
		cmocka_unit_test(test_token__several_each_once_up_to_the_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
