/* kept letters: what comes out is what went in */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/text.h"
#include "lib/mail/compose.h"
#include "lib/mail/letter.h"

static const char tpl[] = "【SECURITY "
			  "ACTION】自己宣言IDのお知らせ\n様\n\n自己宣言IDを発行しました。\n自己宣言ID：\n利用"
			  "者番号：\nこのメールに心当たりのない方は"
			  "お手数ですがご連絡ください。\n";
static const uint8_t key[SEAL_KEY_LEN] = {1, 2, 3};

static void id_mail(struct str *wire, enum mail_charset charset, const char *attached, size_t attached_len)
{
	struct compose mail = {
		.from_name = "SECURITY ACTION事務局",
		.from = "security-action-info@example.jp",
		.reply_to = "security-action-info@example.jp",
		.to = "info@example.co.jp",
		.message_id = "id.12.0@example.jp",
		.date = 1800000000,
		.subject = "【SECURITY ACTION】自己宣言IDのお知らせ",
		.body = "株式会社サンプル "
			"様\n\n自己宣言IDを発行しました。\n自己宣言ID：41234567890\n利用者番号：9035489508\n"
			"このメールに心当たりのない方はお手数ですがご連絡ください。\n",
		.headers = "",
		.loop_mark = "12",
		.auto_submitted = "auto-generated",
		.charset = charset,
		.attached = attached,
		.attached_len = attached_len,
	};
	struct err err;
	if (compose(wire, &mail, &err) != RC_OK)
		fail_msg("%s", err.text);
}

static void round_trip(const char *wire, size_t len, const char *const *secret, size_t at_most)
{
	struct rng rng = rng_seeded(7);
	struct letter_secrets secrets = {.key = key, .rng = &rng, .secret = secret};
	struct str packed = STR_INIT, back = STR_INIT;
	struct err err;
	str_addz(&packed, "x"); /* it is appended */
	if (letter_pack(&packed, wire, len, tpl, sizeof tpl - 1, &secrets, &err) != RC_OK)
		fail_msg("%s", err.text);
	for (size_t i = 0; secret && secret[i]; i++)
		if (strlen(secret[i]) > 4) /* shorter ones stand in any bytes by chance */
			assert_null(memmem(packed.s, packed.len, secret[i], strlen(secret[i])));
	if (at_most && packed.len > at_most)
		fail_msg("%zu bytes became %zu, more than %zu", len, packed.len, at_most);
	assert_int_equal(
		letter_unpack(&back, packed.s + 1, packed.len - 1, tpl, sizeof tpl - 1, key, &err), RC_OK);
	assert_int_equal(back.len, len);
	assert_memory_equal(back.s, wire, len);
	str_free(&packed);
	str_free(&back);
}

static void test_letter__round_trip_of_mails(void **state)
{
	(void)state;
	static const char *const secret[] = {"9035489508", "zip-passw0rd", NULL};
	for (int charset = CHARSET_UTF8; charset <= CHARSET_ISO_2022_JP; charset++) {
		struct str first = STR_INIT, resend = STR_INIT;
		id_mail(&first, charset, NULL, 0);
		id_mail(&resend, charset, first.s, first.len);
		round_trip(first.s, first.len, NULL, 0);
		round_trip(first.s, first.len, secret, charset == CHARSET_UTF8 ? 520 : 640);
		round_trip(resend.s, resend.len, secret, 900);
		str_free(&first);
		str_free(&resend);
	}
}

static void test_letter__round_trip_of_anything(void **state)
{
	(void)state;
	static const char *const secret[] = {"9", "90", "=", NULL};
	static const char b64[] =
		"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVpBQkNERUZHSElKS0xNTk9QUVJTVFVWV1hZWkFCQ0RF";
	struct str texts[8];
	for (size_t i = 0; i < 8; i++)
		texts[i] = STR_INIT;
	str_addz(&texts[0], "");
	str_addz(&texts[1], "\r\n\r\n\r\n\r\n");
	str_printf(&texts[2], "a: b\r\n\r\n%s\r\n%s\r\nQUI=\r\n", b64, b64); /* canonical */
	str_printf(&texts[3], "a: b\r\n\r\n%s\r\n%s\r\nQUJ=\r\n", b64, b64); /* bits behind the end */
	str_printf(&texts[4], "a: b\r\n\r\n%s\r\n%s", b64, b64); /* no last line end */
	str_printf(&texts[5], "a: b\r\n\r\n%s\n%s\nQUI=\r\n", b64, b64); /* bare LF */
	str_printf(&texts[6], "a: b\r\n\r\n%s\r\n%s\r\n%.70s\r\n%s9099=\r\n\r\n\r\n", b64, b64, b64, b64);
	str_add(&texts[7], "\0\xff\0=9090", 8);
	for (size_t i = 0; i < 8; i++) {
		round_trip(texts[i].s, texts[i].len, NULL, 0);
		round_trip(texts[i].s, texts[i].len, secret, 0);
		str_free(&texts[i]);
	}
	struct rng rng = rng_seeded(3);
	for (int turn = 0; turn < 300;
		turn++) { /* lines of base64 and other letters, put together at random */
		struct str text = STR_INIT;
		for (int n = (int)rng_below(&rng, 12); n >= 0; n--) {
			static const char *const part[] = {
				"\r\n", "\r\n\r\n", b64, "QUI=", "9035489508", "\n", "あ"};
			str_addz(&text, part[rng_below(&rng, 7)]);
		}
		round_trip(text.s, text.len, secret, 0);
		str_free(&text);
	}
}

static void test_letter__altered_or_cut(void **state)
{
	(void)state;
	static const char *const secret[] = {"9035489508", NULL};
	struct rng rng = rng_seeded(7);
	struct letter_secrets secrets = {.key = key, .rng = &rng, .secret = secret};
	struct str wire = STR_INIT, back = STR_INIT;
	struct err err;
	id_mail(&wire, CHARSET_UTF8, NULL, 0);
	for (int sealed = 0; sealed < 2; sealed++) {
		struct str packed = STR_INIT;
		assert_int_equal(letter_pack(&packed, wire.s, wire.len, tpl, sizeof tpl - 1,
					 sealed ? &secrets : NULL, &err),
			RC_OK);
		for (size_t i = 0; i < packed.len; i++) {
			packed.s[i] ^= 0x40;
			/* Bits behind the end of the last code mean nothing. */
			if (letter_unpack(&back, packed.s, packed.len, tpl, sizeof tpl - 1, key, &err) ==
				RC_OK) {
				assert_int_equal(i, packed.len - 1);
				assert_string_equal(back.s, wire.s);
				str_clear(&back);
			}
			packed.s[i] ^= 0x40;
			assert_int_not_equal(
				letter_unpack(&back, packed.s, i, tpl, sizeof tpl - 1, key, &err), RC_OK);
			assert_int_equal(back.len, 0);
		}
		/* Another template is another dictionary. */
		assert_int_equal(letter_unpack(&back, packed.s, packed.len, "x", 1, key, &err), RC_STORE);
		str_free(&packed);
	}
	str_free(&back);
	str_free(&wire);
}

static void test_letter__wrong_or_no_key(void **state)
{
	(void)state;
	static const char *const secret[] = {"9035489508", NULL};
	static const char *const absent[] = {"0000000000", NULL};
	struct rng rng = rng_seeded(7);
	uint8_t other[SEAL_KEY_LEN] = {9};
	struct letter_secrets secrets = {.key = key, .rng = &rng, .secret = secret};
	struct str wire = STR_INIT, packed = STR_INIT, back = STR_INIT;
	struct err err;
	id_mail(&wire, CHARSET_UTF8, NULL, 0);
	assert_int_equal(letter_pack(&packed, wire.s, wire.len, tpl, sizeof tpl - 1, &secrets, &err), RC_OK);
	assert_int_equal(
		letter_unpack(&back, packed.s, packed.len, tpl, sizeof tpl - 1, NULL, &err), RC_CONFIG);
	assert_int_equal(
		letter_unpack(&back, packed.s, packed.len, tpl, sizeof tpl - 1, other, &err), RC_CONFIG);
	str_clear(&packed);
	secrets.key = NULL;
	assert_int_equal(
		letter_pack(&packed, wire.s, wire.len, tpl, sizeof tpl - 1, &secrets, &err), RC_CONFIG);
	assert_int_equal(packed.len, 0);
	secrets.secret = absent; /* nothing to seal: no key needed */
	assert_int_equal(letter_pack(&packed, wire.s, wire.len, tpl, sizeof tpl - 1, &secrets, &err), RC_OK);
	str_free(&packed);
	str_free(&back);
	str_free(&wire);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_letter__round_trip_of_mails),
		cmocka_unit_test(test_letter__round_trip_of_anything),
		cmocka_unit_test(test_letter__altered_or_cut),
		cmocka_unit_test(test_letter__wrong_or_no_key),
	};
	return cmocka_run_group_tests_name("letter", tests, NULL, NULL);
}
