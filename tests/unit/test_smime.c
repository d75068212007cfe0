/* S/MIME signatures, verified by openssl cms and gpgsm */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/file.h"
#include "lib/mail/compose.h"
#include "lib/mail/dkim.h"
#include "lib/mail/reread.h"
#include "lib/mail/smime.h"
#include "tests/certificate.h"
#include "tests/unit/scratch.h"

#define NOW 1790000000LL
#define DAY 86400LL
#define OFFICE "security-action-info@sa.example.jp"

static struct err err;

static struct mail_certificate usual(void)
{
	return (struct mail_certificate){.mail = OFFICE, .from = NOW - DAY, .until = NOW + 90 * DAY};
}

static void read_pem(struct str *out, const char *name)
{
	str_clear(out);
	assert_int_equal(file_read(out, scratch_path(name), 65536, &err), RC_OK);
}

static enum rc load(
	struct smime_signer **signer, const char *certificate, const char *chain, const char *from)
{
	struct str leaf = STR_INIT, above = STR_INIT;
	*signer = NULL;
	read_pem(&leaf, certificate);
	if (*chain)
		read_pem(&above, chain);
	enum rc rc = smime_signer_load(signer, leaf.s, above.s, from, &err);
	str_free(&leaf);
	str_free(&above);
	return rc;
}

static struct smime_signer *office_signer(const struct mail_certificate *what)
{
	struct smime_signer *signer;
	struct secret key = SECRET_INIT;
	certificate_mail(scratch, what);
	assert_int_equal(load(&signer, "smime.pem", "smime-chain.pem", OFFICE), RC_OK);
	assert_int_equal(secret_read(&key, scratch_path("smime-key.pem"), &err), RC_OK);
	assert_int_equal(smime_signer_take_key(signer, key.bytes, key.len, &err), RC_OK);
	secret_free(&key);
	return signer;
}

/* The mail as signed, and what there is to keep of it. */
static void sign(struct str *out, const struct smime_signer *signer, const struct str *wire)
{
	struct str signature = STR_INIT, certificates = STR_INIT, again = STR_INIT;
	assert_int_equal(smime_sign(&signature, signer, wire->s, wire->len, NOW, &err), RC_OK);
	assert_true(signature.len < 700);
	smime_certificates(signer, &certificates);
	assert_int_equal(smime_join(out, wire->s, wire->len, &signature, &certificates, &err), RC_OK);
	assert_int_equal(smime_join(&again, wire->s, wire->len, &signature, &certificates, &err), RC_OK);
	assert_string_equal(again.s, out->s);
	str_free(&signature);
	str_free(&certificates);
	str_free(&again);
}

static bool peer_accepts(const struct str *mail)
{
	assert_int_equal(file_write(scratch_path("mail.eml"), mail->s, mail->len, 0600, &err), RC_OK);
	char command[1024];
	(void)snprintf(command, sizeof command,
		"/usr/bin/python3 tests/scripts/smime_peer.py %s %s %lld >%s/peer.out 2>&1",
		scratch_path("mail.eml"), scratch_path("smime-root.pem"), NOW, scratch);
	return system(command) == 0;
}

static void assert_accepted(const struct str *mail)
{
	if (!peer_accepts(mail)) {
		(void)!system("cat /tmp/sengen-test.*/peer.out");
		fail_msg("a verifier refuses the mail:\n%s", mail->s);
	}
}

static void make_mail(
	struct str *out, const char *body, enum mail_charset charset, const struct str *attached)
{
	const struct compose parts = {
		.from_name = "SECURITY ACTION事務局",
		.from = OFFICE,
		.reply_to = OFFICE,
		.to = "tanto@example.co.jp",
		.message_id = "id.1.0@sa.example.jp",
		.date = NOW,
		.subject = "【SECURITY ACTION】自己宣言IDのお知らせ",
		.body = body,
		.headers = "",
		.loop_mark = "id.1.0@sa.example.jp",
		.auto_submitted = "auto-generated",
		.charset = charset,
		.attached = attached ? attached->s : NULL,
		.attached_len = attached ? attached->len : 0,
	};
	assert_int_equal(compose(out, &parts, &err), RC_OK);
}

#define BODY "株式会社サンプル 御中\n\n自己宣言IDをお知らせします。\n"

static void test_smime__valid_in_other_verifiers(void **state)
{
	(void)state;
	static const struct {
		const char *body;
		enum mail_charset charset;
		const char *curve;
		const char *holds;
	} cases[] = {
		{BODY, CHARSET_UTF8, NULL, "charset=UTF-8\r\nContent-Transfer-Encoding: base64"},
		{BODY, CHARSET_ISO_2022_JP, NULL, "charset=ISO-2022-JP\r\nContent-Transfer-Encoding: 7bit"},
		/* What servers on the way would change goes encoded. */
		{"宣言 \n次の行\n", CHARSET_ISO_2022_JP, NULL,
			"charset=ISO-2022-JP\r\nContent-Transfer-Encoding: base64"},
		{"宣言\nFrom here on\n", CHARSET_ISO_2022_JP, NULL,
			"charset=ISO-2022-JP\r\nContent-Transfer-Encoding: base64"},
		{BODY, CHARSET_UTF8, "P-256", "charset=UTF-8"},
		{".\n..\n\n\n", CHARSET_UTF8, NULL, "base64"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct mail_certificate what = usual();
		what.curve = cases[i].curve;
		struct smime_signer *signer = office_signer(&what);
		struct str wire = STR_INIT, mail = STR_INIT;
		make_mail(&wire, cases[i].body, cases[i].charset, NULL);
		sign(&mail, signer, &wire);
		assert_non_null(strstr(mail.s, cases[i].holds));
		for (size_t at = 0; at < mail.len; at++)
			assert_true(mail.s[at] > 0);
		assert_accepted(&mail);

		struct str subject = STR_INIT, body = STR_INIT;
		assert_int_equal(reread(&subject, &body, mail.s, mail.len, &err), RC_OK);
		assert_string_equal(subject.s, "【SECURITY ACTION】自己宣言IDのお知らせ");
		assert_string_equal(body.s, cases[i].body);

		/* And whoever changes it is found out. */
		char *place = strstr(mail.s, "Content-Transfer-Encoding: ");
		place = strstr(place, "\r\n\r\n") + 4;
		*place = *place == 'A' ? 'B' : 'A';
		assert_false(peer_accepts(&mail));
		smime_signer_free(&signer);
		str_free(&wire);
		str_free(&mail);
		str_free(&subject);
		str_free(&body);
	}
}

/* A resent letter carries the first one, signed too, byte for byte (RFC 2046 5.2.1: 7bit). */
static void test_smime__a_letter_with_a_letter_inside(void **state)
{
	(void)state;
	struct mail_certificate what = usual();
	struct smime_signer *signer = office_signer(&what);
	struct str wire = STR_INIT, first = STR_INIT, second = STR_INIT, mail = STR_INIT;
	make_mail(&wire, BODY, CHARSET_ISO_2022_JP, NULL);
	sign(&first, signer, &wire);
	make_mail(&second, BODY, CHARSET_ISO_2022_JP, &first);
	sign(&mail, signer, &second);
	assert_non_null(strstr(mail.s, first.s));
	assert_accepted(&mail);
	smime_signer_free(&signer);
	str_free(&wire);
	str_free(&first);
	str_free(&second);
	str_free(&mail);
}

static void test_smime__certificates_that_are_refused(void **state)
{
	(void)state;
	struct mail_certificate what = usual();
	struct smime_signer *signer;
	certificate_mail(scratch, &what);
	assert_int_equal(load(&signer, "smime.pem", "smime-chain.pem", "other@sa.example.jp"), RC_CONFIG);
	assert_non_null(strstr(err.text, "\"from_mail\" must be among the addresses"));
	assert_int_equal(
		load(&signer, "smime.pem", "smime-chain.pem", "security-action-info@SA.example.JP"), RC_OK);
	smime_signer_free(&signer);
	assert_int_equal(load(&signer, "smime.pem", "", OFFICE), RC_OK);
	smime_signer_free(&signer);
	/* The root may stand in the chain; it is not sent. */
	assert_int_equal(load(&signer, "smime-root.pem", "smime-chain.pem", OFFICE), RC_CONFIG);
	assert_int_equal(load(&signer, "smime.pem", "smime-root.pem", OFFICE), RC_OK);
	smime_signer_free(&signer);
	assert_int_equal(load(&signer, "smime-key.pem", "", OFFICE), RC_CONFIG);
	assert_non_null(strstr(err.text, "not one in PEM"));
	assert_int_equal(load(&signer, "smime.pem", "smime-key.pem", OFFICE), RC_CONFIG);
	assert_non_null(strstr(err.text, "holds no certificate"));

	struct str other_chain = STR_INIT;
	read_pem(&other_chain, "smime-chain.pem");
	certificate_mail(scratch, &what);
	assert_int_equal(
		file_write(scratch_path("other.pem"), other_chain.s, other_chain.len, 0644, &err), RC_OK);
	assert_int_equal(load(&signer, "smime.pem", "other.pem", OFFICE), RC_CONFIG);
	assert_non_null(strstr(err.text, "does not lead on"));
	str_free(&other_chain);

	what.usage = "serverAuth";
	certificate_mail(scratch, &what);
	assert_int_equal(load(&signer, "smime.pem", "smime-chain.pem", OFFICE), RC_CONFIG);
	assert_non_null(strstr(err.text, "emailProtection"));
	what = usual();
	what.curve = "P-521";
	certificate_mail(scratch, &what);
	assert_int_equal(load(&signer, "smime.pem", "smime-chain.pem", OFFICE), RC_CONFIG);
	assert_non_null(strstr(err.text, "P-256"));
}

static void test_smime__keys_that_are_refused(void **state)
{
	(void)state;
	struct mail_certificate what = usual();
	struct smime_signer *signer;
	struct secret key = SECRET_INIT;
	struct str wire = STR_INIT, out = STR_INIT;
	certificate_mail(scratch, &what);
	assert_int_equal(secret_read(&key, scratch_path("smime-key.pem"), &err), RC_OK);
	certificate_mail(scratch, &what);
	assert_int_equal(load(&signer, "smime.pem", "smime-chain.pem", OFFICE), RC_OK);
	assert_int_equal(smime_signer_take_key(signer, key.bytes, key.len, &err), RC_CONFIG);
	assert_non_null(strstr(err.text, "not the one of the S/MIME certificate"));
	assert_int_equal(smime_signer_take_key(signer, "no key", 6, &err), RC_CONFIG);
	assert_non_null(strstr(err.text, "not a private key"));
	make_mail(&wire, BODY, CHARSET_UTF8, NULL);
	assert_int_equal(smime_sign(&out, signer, wire.s, wire.len, NOW, &err), RC_CONFIG);
	assert_int_equal(out.len, 0);
	smime_signer_free(&signer);
	secret_free(&key);
	str_free(&wire);
}

/* What would not be believed is not sent. */
static void test_smime__outside_its_time(void **state)
{
	(void)state;
	struct mail_certificate what = usual();
	struct str wire = STR_INIT, out = STR_INIT;
	make_mail(&wire, BODY, CHARSET_UTF8, NULL);
	struct smime_signer *signer = office_signer(&what);
	assert_int_equal(smime_valid_until(signer), NOW + 90 * DAY);
	assert_int_equal(smime_sign(&out, signer, wire.s, wire.len, NOW - 2 * DAY, &err), RC_CONFIG);
	assert_non_null(strstr(err.text, "the S/MIME certificate is not valid before 20"));
	assert_int_equal(smime_sign(&out, signer, wire.s, wire.len, NOW + 90 * DAY, &err), RC_CONFIG);
	assert_non_null(strstr(err.text, "the S/MIME certificate ran out at 20"));
	smime_signer_free(&signer);
	what.chain_until = NOW + 10 * DAY;
	signer = office_signer(&what);
	assert_int_equal(smime_valid_until(signer), NOW + 10 * DAY);
	assert_int_equal(smime_sign(&out, signer, wire.s, wire.len, NOW + 11 * DAY, &err), RC_CONFIG);
	assert_non_null(strstr(err.text, "a certificate of the S/MIME chain ran out"));
	assert_int_equal(out.len, 0);
	smime_signer_free(&signer);
	str_free(&wire);
}

static void test_smime__what_can_not_be_joined(void **state)
{
	(void)state;
	struct mail_certificate what = usual();
	struct smime_signer *signer = office_signer(&what);
	struct str wire = STR_INIT, out = STR_INIT, signature = STR_INIT, certificates = STR_INIT;
	make_mail(&wire, BODY, CHARSET_UTF8, NULL);
	assert_int_equal(
		smime_sign(&signature, signer, "Subject: x\r\n\r\nx\r\n", 17, NOW, &err), RC_REFUSED);
	assert_int_equal(smime_sign(&signature, signer, "no mail", 7, NOW, &err), RC_REFUSED);
	assert_int_equal(smime_sign(&signature, signer, wire.s, wire.len, NOW, &err), RC_OK);
	smime_certificates(signer, &certificates);
	assert_int_equal(smime_join(&out, "no mail", 7, &signature, &certificates, &err), RC_STORE);
	str_cut(&certificates, certificates.len - 1);
	assert_int_equal(smime_join(&out, wire.s, wire.len, &signature, &certificates, &err), RC_STORE);
	str_clear(&certificates);
	str_cut(&signature, signature.len - 1);
	assert_int_equal(smime_join(&out, wire.s, wire.len, &signature, &certificates, &err), RC_STORE);
	assert_int_equal(out.len, 0);
	smime_signer_free(&signer);
	str_free(&wire);
	str_free(&signature);
	str_free(&certificates);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_smime__valid_in_other_verifiers),
		cmocka_unit_test(test_smime__a_letter_with_a_letter_inside),
		cmocka_unit_test(test_smime__certificates_that_are_refused),
		cmocka_unit_test(test_smime__keys_that_are_refused),
		cmocka_unit_test(test_smime__outside_its_time),
		cmocka_unit_test(test_smime__what_can_not_be_joined),
	};
	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
