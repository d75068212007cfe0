#include "lib/base/crypt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static void assert_hex(const void *bytes, size_t len, const char *expected)
{
	struct str hex = STR_INIT;
	hex_add(&hex, bytes, len);
	assert_string_equal(hex.s, expected);
	str_free(&hex);
}

static void test_crypt__sha256_of_fips_180(void **state)
{
	(void)state;
	uint8_t digest[SHA256_LEN];
	sha256(digest, "abc", 3);
	assert_hex(digest, sizeof digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	sha256(digest, "", 0);
	assert_hex(digest, sizeof digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void test_crypt__sha256_in_pieces(void **state)
{
	(void)state;
	uint8_t digest[SHA256_LEN];
	struct sha256_stream *stream = sha256_begin();
	sha256_add(stream, "a", 1);
	sha256_add(stream, "", 0);
	sha256_add(stream, "bc", 2);
	sha256_end(&stream, digest);
	assert_null(stream);
	assert_hex(digest, sizeof digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void test_crypt__hmac_of_rfc_4231(void **state)
{
	(void)state;
	uint8_t mac[SHA256_LEN];
	const char *data = "what do ya want for nothing?";
	hmac_sha256(mac, "Jefe", 4, data, strlen(data));
	assert_hex(mac, sizeof mac, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	assert_true(bytes_equal(mac, mac, sizeof mac));
	assert_false(bytes_equal("abc", "abd", 3));
}

static void test_crypt__hmac_of_a_long_key_and_of_none(void **state)
{
	(void)state;
	uint8_t mac[SHA256_LEN], key[131];
	memset(key, 0xaa, sizeof key);
	const char *data = "Test Using Larger Than Block-Size Key - Hash Key First"; /* RFC 4231 4.7 */
	hmac_sha256(mac, key, sizeof key, data, strlen(data));
	assert_hex(mac, sizeof mac, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	hmac_sha256(mac, "", 0, "", 0);
	assert_hex(mac, sizeof mac, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void test_crypt__hex(void **state)
{
	(void)state;
	uint8_t bytes[3] = {9, 9, 9};
	assert_true(hex_read(bytes, 3, "00aBfF"));
	assert_hex(bytes, 3, "00abff");
	static const char *const bad[] = {"", "00abf", "00abff00", "00abfg", "00 bff"};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_false(hex_read(bytes, 3, bad[i]));
}

static void test_crypt__base64_of_rfc_4648(void **state)
{
	(void)state;
	static const char *const cases[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"},
		{"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"},
		{"\xFF\xEF\xBE", "/+++"}};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str out = STR_INIT, back = STR_INIT;
		base64_add(&out, cases[i][0], strlen(cases[i][0]));
		assert_string_equal(out.s, cases[i][1]);
		assert_true(base64_read(&back, out.s, out.len));
		assert_string_equal(back.s, cases[i][0]);
		str_free(&out);
		str_free(&back);
	}
	struct str out = STR_INIT;
	assert_true(base64_read(&out, "Zm9v\r\n YmFy\t", 12));
	assert_string_equal(out.s, "foobar");
	static const char *const bad[] = {"Z", "Zg", "Zg=", "Zg===", "=Zg=", "Zg==Zg==", "Z!==", "Zm9v="};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		assert_false(base64_read(&out, bad[i], strlen(bad[i])));
		assert_string_equal(out.s, "foobar");
	}
	str_free(&out);
}

static void test_crypt__base64_in_its_one_spelling(void **state)
{
	(void)state;
	static const char *const good[] = {"Zg==", "Zm8=", "Zm9v", "Zm9vYmFy", "Zm9vYmE=", "/+++"};
	static const char *const bad[] = {"", "Zg", "Zg=", "Zh==", "Zm9=", "Zm=v",
		"Z===", "====", "Zg==Zg==", "Zm9v\r\n", "Zm 9", "Zm9v=", "Zm-v", "\xFFm9v"};
	struct str out = STR_INIT, again = STR_INIT;
	str_addz(&out, "before");
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		assert_false(base64_read_line(&out, bad[i], strlen(bad[i])));
		assert_string_equal(out.s, "before");
	}
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		str_cut(&out, 6);
		str_clear(&again);
		assert_true(base64_read_line(&out, good[i], strlen(good[i])));
		base64_add(&again, out.s + 6, out.len - 6);
		assert_string_equal(again.s, good[i]);
	}
	str_free(&out);
	str_free(&again);
}

static void test_crypt__base32(void **state)
{
	(void)state;
	static const char *const cases[][2] = {{"", ""}, {"f", "my"}, {"fo", "mzxq"}, {"foo", "mzxw6"},
		{"foob", "mzxw6yq"}, {"fooba", "mzxw6ytb"}, {"foobar", "mzxw6ytboi"}};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str out = STR_INIT, back = STR_INIT;
		base32_add(&out, cases[i][0], strlen(cases[i][0]));
		assert_string_equal(out.s, cases[i][1]);
		assert_true(base32_read(&back, out.s, out.len));
		assert_string_equal(back.s, cases[i][0]);
		str_free(&out);
		str_free(&back);
	}
	struct str out = STR_INIT;
	assert_true(base32_read(&out, "MZXW6", 5));
	assert_string_equal(out.s, "foo");
	/* "mz" would be a second spelling of "f": its left-over bits are not zero. */
	static const char *const bad[] = {"m", "mz", "mzx", "m1", "my=", "m y"};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_false(base32_read(&out, bad[i], strlen(bad[i])));
	str_free(&out);
}

static void test_crypt__seal(void **state)
{
	(void)state;
	uint8_t key[SEAL_KEY_LEN] = {1}, other[SEAL_KEY_LEN] = {2};
	struct rng rng = rng_seeded(7);
	struct str sealed = STR_INIT, again = STR_INIT, open = STR_INIT;
	static const char secret[] = "9035489508\0x";
	seal(&sealed, key, &rng, secret, sizeof secret);
	seal(&again, key, &rng, secret, sizeof secret);
	assert_int_equal(sealed.len, 12 + sizeof secret + 16);
	assert_memory_not_equal(sealed.s, again.s, sealed.len);

	assert_true(unseal(&open, key, sealed.s, sealed.len));
	assert_int_equal(open.len, sizeof secret);
	assert_memory_equal(open.s, secret, sizeof secret);
	assert_false(unseal(&open, other, sealed.s, sealed.len));
	for (size_t i = 0; i < sealed.len; i++) {
		sealed.s[i] ^= 1;
		assert_false(unseal(&open, key, sealed.s, sealed.len));
		sealed.s[i] ^= 1;
	}
	for (size_t len = 0; len < sealed.len; len++)
		assert_false(unseal(&open, key, sealed.s, len));
	assert_int_equal(open.len, sizeof secret); /* refusals added nothing */

	str_clear(&sealed);
	seal(&sealed, key, &rng, "", 0);
	assert_true(unseal(&open, key, sealed.s, sealed.len));
	assert_int_equal(open.len, sizeof secret);
	str_free(&sealed);
	str_free(&again);
	str_wipe(&open);
}

static void test_crypt__seeded_randomness_repeats(void **state)
{
	(void)state;
	struct rng a = rng_seeded(42), b = rng_seeded(42), c = rng_seeded(43);
	uint8_t x[100], y[100], z[100];
	rng_bytes(&a, x, sizeof x);
	rng_bytes(&b, y, sizeof y);
	rng_bytes(&c, z, sizeof z);
	assert_memory_equal(x, y, sizeof x);
	assert_memory_not_equal(x, z, sizeof x);
	rng_bytes(&a, x, sizeof x);
	assert_memory_not_equal(x, y, sizeof x);
}

static void test_crypt__numbers_stay_below_their_bound(void **state)
{
	(void)state;
	struct rng rng = rng_seeded(1), live = rng_system();
	int seen[6] = {0};
	for (int i = 0; i < 6000; i++)
		seen[rng_below(&rng, 6)]++;
	for (int i = 0; i < 6; i++)
		assert_in_range(seen[i], 850, 1150);
	assert_int_equal(rng_below(&rng, 1), 0);
	assert_true(rng_below(&live, UINT64_MAX) < UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crypt__sha256_of_fips_180),
		cmocka_unit_test(test_crypt__sha256_in_pieces),
		cmocka_unit_test(test_crypt__hmac_of_rfc_4231),
		cmocka_unit_test(test_crypt__hmac_of_a_long_key_and_of_none),
		cmocka_unit_test(test_crypt__hex),
		cmocka_unit_test(test_crypt__base64_of_rfc_4648),
		cmocka_unit_test(test_crypt__base64_in_its_one_spelling),
		cmocka_unit_test(test_crypt__base32),
		cmocka_unit_test(test_crypt__seal),
		cmocka_unit_test(test_crypt__seeded_randomness_repeats),
		cmocka_unit_test(test_crypt__numbers_stay_below_their_bound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
