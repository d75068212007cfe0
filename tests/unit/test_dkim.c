/* DKIM signatures, verified by dkimpy (tests/scripts/dkim_peer.py) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <cmocka.h>

#include "lib/base/file.h"
#include "lib/mail/dkim.h"

static struct dkim_key *rsa, *ed25519;

static void pem_of(struct str *out, EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes;
	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
	long len = BIO_get_mem_data(bio, &bytes);
	str_add(out, bytes, (size_t)len);
	BIO_free(bio);
	EVP_PKEY_free(key);
}

static int set_up(void **state)
{
	(void)state;
	struct str pem = STR_INIT;
	struct err err = {0};
	pem_of(&pem, EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048));
	assert_int_equal(dkim_key_load(&rsa, pem.s, pem.len, "sa.example.jp", "r2026", &err), RC_OK);
	str_clear(&pem);
	pem_of(&pem, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
	assert_int_equal(dkim_key_load(&ed25519, pem.s, pem.len, "sa.example.jp", "e2026", &err), RC_OK);
	str_wipe(&pem);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	dkim_key_free(&rsa);
	dkim_key_free(&ed25519);
	return 0;
}

static bool peer_accepts(const struct str *wire)
{
	char dir[] = "/tmp/sengen-dkim-XXXXXX";
	struct str command = STR_INIT, path = STR_INIT;
	struct err err = {0};
	assert_non_null(mkdtemp(dir));
	path_join(&path, dir, "mail.eml");
	assert_int_equal(file_write(path.s, wire->s, wire->len, 0600, &err), RC_OK);
	str_printf(&command, "/usr/bin/python3 tests/scripts/dkim_peer.py %s r2026 '", path.s);
	dkim_key_record(rsa, &command);
	str_addz(&command, "' e2026 '");
	dkim_key_record(ed25519, &command);
	str_addz(&command, "'");
	int status = system(command.s);
	unlink(path.s);
	rmdir(dir);
	str_free(&command);
	str_free(&path);
	return status == 0;
}

static void signed_mail(struct str *out, const char *wire)
{
	struct dkim_key *const keys[] = {rsa, ed25519};
	struct err err = {0};
	assert_int_equal(dkim_sign(out, keys, 2, wire, strlen(wire), 1700000000, &err), RC_OK);
	str_addz(out, wire);
}

#define HEADER                                                                                               \
	"From: =?UTF-8?B?5LqL5YuZ5bGA?=\r\n <a@sa.example.jp>\r\nTo:  b@example.co.jp \r\nSubject: one \t "  \
	"two\r\n   three\r\n"                                                                                \
	"Date: Fri, 15 Jan 2027 17:00:00 +0900\r\nMessage-ID: <1@sa.example.jp>\r\nX-Other: "                \
	"1\r\nMIME-Version: 1.0\r\n"

static void test_dkim__accepted_by_another_verifier(void **state)
{
	(void)state;
	static const char *const mails[] = {
		HEADER "\r\nline\r\n",
		HEADER "\r\n",
		HEADER "\r\n\r\n\r\n",
		HEADER "\r\n  a \t b  \r\n\t\r\n.\r\n..\r\n\r\n\r\n",
		HEADER "\r\nno line end",
	};
	for (size_t i = 0; i < sizeof mails / sizeof mails[0]; i++) {
		struct str wire = STR_INIT;
		signed_mail(&wire, mails[i]);
		if (!peer_accepts(&wire))
			fail_msg("mail %zu is not accepted:\n%s", i, wire.s);
		for (const char *line = wire.s; line; line = strchr(line, '\n')) {
			line += *line == '\n';
			assert_true(strcspn(line, "\r") <= 78);
		}
		str_free(&wire);
	}
}

static void test_dkim__alterations_are_seen(void **state)
{
	(void)state;
	static const char *const from_to[][2] = {
		{"line\r\n", "lime\r\n"}, {"Subject: one", "Subject: two"}, {"To:  b@", "To:  c@"}};
	for (size_t i = 0; i < sizeof from_to / sizeof from_to[0]; i++) {
		struct str wire = STR_INIT;
		signed_mail(&wire, HEADER "\r\nline\r\n");
		char *at = strstr(wire.s, from_to[i][0]);
		assert_non_null(at);
		memcpy(at, from_to[i][1], strlen(from_to[i][1]));
		assert_false(peer_accepts(&wire));
		str_free(&wire);
	}
	/* A second From on top must not be covered: the first is signed twice. */
	struct str wire = STR_INIT, forged = STR_INIT;
	signed_mail(&wire, HEADER "\r\nline\r\n");
	str_printf(&forged, "From: evil@example.com\r\n%s", wire.s);
	assert_false(peer_accepts(&forged));
	str_free(&wire);
	str_free(&forged);
}

static void test_dkim__same_input_same_bytes(void **state)
{
	(void)state;
	struct str one = STR_INIT, two = STR_INIT;
	signed_mail(&one, HEADER "\r\nline\r\n");
	signed_mail(&two, HEADER "\r\nline\r\n");
	assert_string_equal(one.s, two.s);
	str_free(&one);
	str_free(&two);
}

/* Strings of at most 255 bytes that together are the record. */
static void check_zone_line(const struct dkim_key *key, const char *start, int strings)
{
	struct str line = STR_INIT, record = STR_INIT, joined = STR_INIT;
	dkim_key_zone_line(key, &line);
	dkim_key_record(key, &record);
	assert_true(str_has_prefix(line.s, start));
	const char *at = line.s + strlen(start);
	for (; strncmp(at, " \"", 2) == 0; strings--) {
		size_t len = strcspn(at + 2, "\"");
		assert_in_range(len, 1, 255);
		str_add(&joined, at + 2, len);
		at += 2 + len + 1;
	}
	assert_string_equal(at, " )");
	assert_int_equal(strings, 0);
	assert_string_equal(joined.s, record.s);
	str_free(&line);
	str_free(&record);
	str_free(&joined);
}

static void test_dkim__zone_line(void **state)
{
	(void)state;
	check_zone_line(rsa, "r2026._domainkey.sa.example.jp. IN TXT (", 2);
	check_zone_line(ed25519, "e2026._domainkey.sa.example.jp. IN TXT (", 1);
}

static void test_dkim__refuses(void **state)
{
	(void)state;
	struct dkim_key *key = NULL;
	struct dkim_key *const keys[] = {rsa};
	struct str pem = STR_INIT, out = STR_INIT;
	struct err err = {0};
	assert_int_equal(dkim_key_load(&key, "no key", 6, "sa.example.jp", "s", &err), RC_CONFIG);
	pem_of(&pem, EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024));
	assert_int_equal(dkim_key_load(&key, pem.s, pem.len, "sa.example.jp", "s", &err), RC_CONFIG);
	str_clear(&pem);
	pem_of(&pem, EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"));
	assert_int_equal(dkim_key_load(&key, pem.s, pem.len, "sa.example.jp", "s", &err), RC_CONFIG);
	str_clear(&pem);
	pem_of(&pem, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
	assert_int_equal(dkim_key_load(&key, pem.s, pem.len, "sa.example.jp", "a; p=b", &err), RC_CONFIG);
	assert_null(key);
	assert_int_equal(dkim_sign(&out, keys, 1, "To: a\r\n\r\nx", 11, 1, &err), RC_REFUSED);
	assert_int_equal(dkim_sign(&out, keys, 1, "From: a", 7, 1, &err), RC_REFUSED);
	assert_int_equal(out.len, 0);
	str_wipe(&pem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dkim__accepted_by_another_verifier),
		cmocka_unit_test(test_dkim__alterations_are_seen),
		cmocka_unit_test(test_dkim__same_input_same_bytes),
		cmocka_unit_test(test_dkim__zone_line),
		cmocka_unit_test(test_dkim__refuses),
	};
	return cmocka_run_group_tests_name("dkim", tests, set_up, tear_down);
}
