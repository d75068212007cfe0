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

static struct letter_model *model_of(const char *text, size_t len)
{
	return letter_model_new(letter_model_id(text, len), text, len);
}

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
	struct letter_model *model = model_of(tpl, sizeof tpl - 1);
	struct err err;
	str_addz(&packed, "x"); /* it is appended */
	if (letter_pack(&packed, wire, len, model, &secrets, &err) != RC_OK)
		fail_msg("%s", err.text);
	assert_int_equal(
		letter_packed_model(packed.s + 1, packed.len - 1), letter_model_id(tpl, sizeof tpl - 1));
	letter_model_free(&model);
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
		struct letter_model *model = model_of(tpl, sizeof tpl - 1);
		assert_int_equal(
			letter_pack(&packed, wire.s, wire.len, model, sealed ? &secrets : NULL, &err), RC_OK);
		letter_model_free(&model);
		for (size_t i = 0; i < packed.len; i++) {
			packed.s[i] ^= 0x40;
			/* Bits behind the end of the last code mean nothing; the number of the model only says where its text is. */
			if (letter_unpack(&back, packed.s, packed.len, tpl, sizeof tpl - 1, key, &err) ==
				RC_OK) {
				assert_true(i == packed.len - 1 || (i >= 1 && i <= 4));
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

/* As they were packed until version 5 of the register: plain, and with two secrets. */
static void test_letter__from_before_models(void **state)
{
	(void)state;
	static const char plain[] = "\x4c\xaa\x68\xe2\xd6\x6e\x92\x84\xcb\x43\x71\x9c\xf2\x9b\x58\xd1\x3d\x4e"
				    "\x7d\x8d\x4f\x26\x36\xde"
				    "\xf8\xb6\xe9\x5d\x92\x9f\xa5\x18\x16\x63\x66\x68\x66\x61\xbc\xcb\xc8\xc0"
				    "\xc4\x40\x7a\x0c\x03\xf3"
				    "\x08\xf6\x38\x86\x45\x12\x31\x91\x8c\x50\x4b\xe3\x58\x36\x01\xc7\x2a\x8a"
				    "\x11\xee\xde\xa6\xa6\xda"
				    "\x39\x26\x26\xde\x5e\x40\x76\x12\x22\xd2\xc1\x19\xc8\xd0\x14\x9c\x73\xc0"
				    "\x19\xc1\xd0\x1c\x98\x15"
				    "\x90\x72\x03\x4a\x9a\x00\xa6\x05\x43\x23\x60\x4a\x40\xf1\x35\xb5\x93\x82"
				    "\xa1\x11\x1d\x12\xc3\xb3"
				    "\x05\xab\x9e\xee\xe9\x7f\xb2\x67\xd6\xf3\x25\xfb\x1e\x37\x6d\x7d\xdc\xbc"
				    "\xf9\x71\xf3\x74\x60\x41"
				    "\xae\x40\x69\x75\x61\x62\x68\x64\x6c\x62\x6a\x66\x6e\x61\x69\x80\xad\xe6"
				    "\xb0\x34\x30\x36\x35\xb1"
				    "\xb0\x34\x35\xb0\xa0\x61\x1d\xc2\xcb\x05\x00";
	static const char sealed[] = "\x53\x55\xe8\xdd\x94\x3d\x36\x6c\xaa\xe7\xbe\xb7\x06\xc6\xd9\x76\xa0"
				     "\x13\x23\xf8\x77\x11\x2e\xa6"
				     "\x4f\xe9\xa2\xd8\x1c\xf3\x7f\x0b\xff\x0b\x78\x76\x75\xac\x29\x20\x8e"
				     "\xd9\xfa\x2c\xad\x62\x1c\x76"
				     "\xfb\x65\xc4\x1a\x38\x4a\x85\x38\xfb\x35\xec\xc9\x16\xaf\x72\xdc\xcd"
				     "\x89\xb1\xa7\x9b\x54\x1b\x25"
				     "\x4f\x56\x59\xac\x2a\xc9\x38\x87\x7e\xc3\xee\xbb\x90\x5a\x26\x63\x66"
				     "\x68\x66\x61\xbc\xcb\xc8\xc0"
				     "\xc4\xf8\x9b\x85\x81\xf4\x48\x06\x66\x13\xec\xd1\x0c\x8b\x27\x62\xe2"
				     "\x19\xa1\x96\xc6\x11\x6d\x02"
				     "\x8e\x58\x14\x23\xdc\xbd\x4d\x4d\xb5\x73\x4c\x4c\xbc\xbd\x80\xec\x24"
				     "\x44\xbc\x83\xf3\x90\xa1\x29"
				     "\x38\xf3\x80\xf3\x82\xa1\x39\x30\x37\x20\x65\x08\x94\x64\x01\x4c\x0e"
				     "\x86\x46\xc0\xc4\x80\xe2\x6b"
				     "\x6a\xa7\x06\x43\x23\x3a\xa4\x87\x67\x0b\x56\x3d\xdd\xd3\xff\x64\xcf"
				     "\xac\xe7\x4b\xf6\x3d\x6e\xda"
				     "\xfa\xb8\x79\xf3\xe3\xe6\xe9\xc0\xb2\x5c\x81\xd2\x1a\xc3\xc4\xd0\xc8"
				     "\xd8\xc4\xd4\xcc\xdc\xc2\xd2"
				     "\x80\xce\x95\x07\x2f\x17\x00";
	static const struct {
		const char *packed;
		size_t len;
	} old[] = {{plain, sizeof plain - 1}, {sealed, sizeof sealed - 1}};
	struct str wire = STR_INIT;
	id_mail(&wire, CHARSET_UTF8, NULL, 0);
	for (size_t i = 0; i < 2; i++) {
		struct str back = STR_INIT;
		struct err err;
		assert_int_equal(letter_packed_model(old[i].packed, old[i].len), 0);
		if (letter_unpack(&back, old[i].packed, old[i].len, tpl, sizeof tpl - 1, key, &err) != RC_OK)
			fail_msg("%s", err.text);
		assert_int_equal(back.len, wire.len);
		assert_memory_equal(back.s, wire.s, wire.len);
		str_clear(&back);
		assert_int_equal(
			letter_unpack(&back, old[i].packed, old[i].len, tpl, 30, key, &err), RC_STORE);
		str_free(&back);
	}
	str_free(&wire);
}

/* What stands in the sample too costs next to nothing, and no secret stands in the model. */
static void test_letter__a_model_with_a_sample(void **state)
{
	(void)state;
	static const char *const secret[] = {"9035489508", NULL};
	struct rng rng = rng_seeded(7);
	struct letter_secrets secrets = {.key = key, .rng = &rng, .secret = secret};
	struct str sample = STR_INIT, wire = STR_INIT, text = STR_INIT, again = STR_INIT, packed = STR_INIT;
	struct err err;
	id_mail(&sample, CHARSET_UTF8, NULL, 0);
	id_mail(&wire, CHARSET_UTF8, NULL, 0);
	letter_model_text(&text, tpl, sizeof tpl - 1, sample.s, sample.len);
	letter_model_text(&again, tpl, sizeof tpl - 1, NULL, 0);
	assert_int_not_equal(letter_model_id(text.s, text.len), letter_model_id(again.s, again.len));
	assert_true(text.len > again.len && memcmp(text.s, again.s, again.len) == 0);
	struct letter_model *model = model_of(text.s, text.len);
	for (int turn = 0; turn < 2; turn++) { /* a model serves many letters */
		struct str back = STR_INIT;
		str_clear(&packed);
		assert_int_equal(letter_pack(&packed, wire.s, wire.len, model, &secrets, &err), RC_OK);
		assert_true(packed.len < 110);
		assert_int_equal(
			letter_unpack(&back, packed.s, packed.len, text.s, text.len, key, &err), RC_OK);
		assert_string_equal(back.s, wire.s);
		assert_int_equal(
			letter_unpack(&back, packed.s, packed.len, again.s, again.len, key, &err), RC_STORE);
		str_free(&back);
	}
	letter_model_free(&model);
	str_free(&sample);
	str_free(&wire);
	str_free(&text);
	str_free(&again);
	str_free(&packed);
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
	assert_int_equal(letter_pack(&packed, wire.s, wire.len, NULL, &secrets, &err), RC_OK);
	assert_int_equal(
		letter_unpack(&back, packed.s, packed.len, tpl, sizeof tpl - 1, NULL, &err), RC_CONFIG);
	assert_int_equal(
		letter_unpack(&back, packed.s, packed.len, tpl, sizeof tpl - 1, other, &err), RC_CONFIG);
	str_clear(&packed);
	secrets.key = NULL;
	assert_int_equal(letter_pack(&packed, wire.s, wire.len, NULL, &secrets, &err), RC_CONFIG);
	assert_int_equal(packed.len, 0);
	secrets.secret = absent; /* nothing to seal: no key needed */
	assert_int_equal(letter_pack(&packed, wire.s, wire.len, NULL, &secrets, &err), RC_OK);
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
		cmocka_unit_test(test_letter__from_before_models),
		cmocka_unit_test(test_letter__a_model_with_a_sample),
		cmocka_unit_test(test_letter__wrong_or_no_key),
	};
	return cmocka_run_group_tests_name("letter", tests, NULL, NULL);
}
