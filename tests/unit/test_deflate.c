/* deflate against a model, read back by zlib */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ZLIB_CONST
#include <zlib.h>

#include "lib/mail/deflate.h"

/* Inflated with the window it was made for; how many bytes it took. */
static size_t check(
	const struct deflate_model *model, const struct str *dictionary, const char *bytes, size_t len)
{
	struct str packed = STR_INIT, back = STR_INIT;
	z_stream z = {0};
	str_addz(&packed, "before");
	deflate_like(&packed, model, bytes, len);
	str_grow(&back, len + 1);
	assert_int_equal(inflateInit2(&z, -DEFLATE_WINDOW_BITS), Z_OK);
	if (dictionary->len)
		assert_int_equal(
			inflateSetDictionary(&z, (const Bytef *)dictionary->s, (uInt)dictionary->len), Z_OK);
	z.next_in = (const Bytef *)packed.s + 6;
	z.avail_in = (uInt)(packed.len - 6);
	z.next_out = (Bytef *)back.s;
	int status = Z_OK;
	while (status == Z_OK) { /* in small steps, so that the window is what is copied from */
		z.avail_out = (uInt)(len + 1 - z.total_out < 1000 ? len + 1 - z.total_out : 1000);
		status = inflate(&z, Z_NO_FLUSH);
	}
	assert_int_equal(status, Z_STREAM_END);
	assert_int_equal(z.avail_in, 0);
	assert_int_equal(z.total_out, len);
	assert_memory_equal(back.s, bytes, len);
	inflateEnd(&z);
	size_t took = packed.len - 6;
	str_free(&packed);
	str_free(&back);
	return took;
}

static void fill(struct str *out, size_t len, unsigned kinds)
{
	while (out->len < len)
		str_addc(out, (char)((unsigned)random() % kinds * 255U / kinds));
}

static void test_deflate__what_the_model_holds_costs_little(void **state)
{
	(void)state;
	struct str text = STR_INIT, letter = STR_INIT;
	srandom(1);
	fill(&text, 6000, 200);
	struct deflate_model *model = deflate_model_new(text.s, text.len);
	assert_true(check(model, &text, text.s, text.len) < 100);
	str_add(&letter, text.s, 3000);
	str_addz(&letter, "株式会社サンプル");
	str_add(&letter, text.s + 3010, 2990);
	assert_true(check(model, &text, letter.s, letter.len) < 140);
	deflate_model_free(&model);
	assert_null(model);
	str_free(&text);
	str_free(&letter);
}

static void test_deflate__texts_of_every_kind(void **state)
{
	(void)state;
	static const size_t lengths[] = {
		0, 1, 3, 4, 5, 257, 258, 259, 261, 262, 263, 516, 517, 520, 521, 1000, 40000};
	static const size_t models[] = {0, 3, 4, 300, DEFLATE_WINDOW};
	srandom(2);
	for (size_t m = 0; m < sizeof models / sizeof *models; m++)
		for (unsigned kinds = 1; kinds <= 256; kinds *= 4) {
			struct str dictionary = STR_INIT, text = STR_INIT;
			fill(&dictionary, models[m], kinds);
			struct deflate_model *model = deflate_model_new(dictionary.s, dictionary.len);
			for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
				str_clear(&text);
				fill(&text, lengths[i], kinds);
				(void)check(model, &dictionary, text.s, text.len);
			}
			deflate_model_free(&model);
			str_free(&dictionary);
			str_free(&text);
		}
}

/* Every length of a match, at every distance that has a code of its own. */
static void test_deflate__lengths_and_distances(void **state)
{
	(void)state;
	struct str dictionary = STR_INIT, text = STR_INIT;
	srandom(3);
	fill(&dictionary, DEFLATE_WINDOW, 250);
	struct deflate_model *model = deflate_model_new(dictionary.s, dictionary.len);
	for (size_t len = 4; len < 600; len++) {
		size_t back = (size_t)random() % (DEFLATE_WINDOW - 600);
		str_clear(&text);
		str_add(&text, "\xFE\xFF\xFE", (size_t)random() % 4);
		str_add(&text, dictionary.s + back, len);
		str_add(&text, "\xFF\xFE", 2);
		str_add(&text, dictionary.s + DEFLATE_WINDOW - (len % 40), len % 40);
		assert_true(check(model, &dictionary, text.s, text.len) < 40);
	}
	for (size_t period = 1; period < 300;
		period++) { /* what repeats itself, at distances shorter than its length */
		str_clear(&text);
		for (size_t i = 0; i < 900; i++)
			str_addc(&text, (char)(i % period < period - 1 ? i % period : 255));
		(void)check(model, &dictionary, text.s, text.len);
	}
	deflate_model_free(&model);
	str_free(&dictionary);
	str_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_deflate__what_the_model_holds_costs_little),
		cmocka_unit_test(test_deflate__texts_of_every_kind),
		cmocka_unit_test(test_deflate__lengths_and_distances),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
