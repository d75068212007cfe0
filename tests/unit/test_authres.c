/* Authentication-Results: what counts, and what came with the mail */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/mail/authres.h"

#define ID "mx.sa.example.jp"
#define FROM "From: =?UTF-8?B?6KaL5pys?= <a@example.co.jp>\n"
#define BORDER                                                                                               \
	"Received: from mail.example.co.jp (mail.example.co.jp [192.0.2.1])\n\tby " ID                       \
	" (Postfix) with ESMTPS id 4F1;\n\tSun, 22 Nov 2026 10:00:00 +0900 (JST)\n"
#define FOREIGN                                                                                              \
	"Received: from pc (unknown [198.51.100.1]) by mail.example.co.jp; Sun, 22 Nov 2026 10:00:00 "       \
	"+0900\n"
#define PASS "Authentication-Results: " ID "; dkim=pass header.d=example.co.jp\n"

static struct authres read_with(const char *header, const char *id, const struct strlist *own)
{
	struct str mail = STR_INIT;
	str_printf(&mail, "%s\nbody\n", header);
	struct pool *pool = pool_new();
	struct message message;
	struct err err;
	assert_int_equal(
		message_read(&message, mail.s, mail.len, &message_limits_default, pool, &err), RC_OK);
	struct authres out;
	authres_read(&out, &message, id, own);
	pool_free(&pool);
	str_free(&mail);
	return out;
}

struct authres_case {
	const char *name, *header;
	bool seen, dkim, spf;
};

static void check(const struct authres_case *cases, size_t count)
{
	struct strlist own = {0};
	strlist_add(&own, "store.sa.example.jp");
	for (size_t i = 0; i < count; i++) {
		const struct authres_case *c = &cases[i];
		struct authres out = read_with(c->header, ID, &own);
		if (out.seen != c->seen || out.dkim_aligned != c->dkim || out.spf_aligned != c->spf)
			fail_msg("%s: seen %d, dkim %d, spf %d", c->name, out.seen, out.dkim_aligned,
				out.spf_aligned);
	}
	strlist_free(&own);
}

static void test_authres__shapes_of_servers(void **state)
{
	(void)state;
	static const struct authres_case cases[] = {
		{"OpenDKIM",
			"Authentication-Results: " ID
			";\n\tdkim=pass (2048-bit key; unprotected) header.d=example.co.jp "
			"header.i=@example.co.jp\n\theader.a=rsa-sha256 header.s=s1 "
			"header.b=\"AbCd+/=\";\n\tdkim-atps=neutral\n" BORDER FROM,
			true, true, false},
		{"OpenDMARC",
			"Authentication-Results: " ID
			"; dmarc=pass (p=none dis=none) header.from=example.co.jp\n" BORDER FROM,
			true, false, false},
		{"policyd-spf",
			"Authentication-Results: " ID "; spf=pass (sender SPF authorized)\n "
			"smtp.mailfrom=example.co.jp (client-ip=192.0.2.1; helo=mail.example.co.jp; "
			"envelope-from=a@example.co.jp; receiver=<UNKNOWN>)\n" BORDER FROM,
			true, false, true},
		{"rspamd",
			"Authentication-Results: " ID
			";\n\tdkim=pass header.d=example.co.jp header.s=s1 header.b=Xy+z/1;\n\tspf=pass "
			"(" ID " domain of a@example.co.jp designates 192.0.2.1 as permitted sender) "
			"smtp.mailfrom=a@example.co.jp;\n\tdmarc=pass (policy=none) "
			"header.from=example.co.jp\n" BORDER FROM,
			true, true, true},
		{"only header.i",
			"Authentication-Results: " ID
			";\n       dkim=pass header.i=@example.co.jp header.s=s1 "
			"header.b=Ab12;\n       spf=pass (google.com: domain of a@example.co.jp designates "
			"192.0.2.1 as permitted sender) smtp.mailfrom=a@example.co.jp;\n       dmarc=pass "
			"(p=NONE sp=NONE dis=NONE) header.from=example.co.jp\n" BORDER FROM,
			true, true, true},
		{"Exchange, which names no server",
			"Authentication-Results: spf=pass (sender IP is 192.0.2.1)\n "
			"smtp.mailfrom=example.co.jp; dkim=pass (signature was verified)\n "
			"header.d=example.co.jp;dmarc=pass action=none "
			"header.from=example.co.jp;compauth=pass "
			"reason=100\n" BORDER FROM,
			false, false, false},
		{"two fields",
			"Authentication-Results: " ID "; dkim=pass header.d=example.co.jp\n"
			"Authentication-Results: " ID "; spf=pass smtp.mailfrom=example.co.jp\n" BORDER FROM,
			true, true, true},
		{"two signatures, one aligned",
			"Authentication-Results: " ID "; dkim=pass header.d=ml.example.net; dkim=fail "
			"reason=\"bad; signature\" header.d=a.example; dkim=pass "
			"header.d=example.co.jp\n" BORDER FROM,
			true, true, false},
		{"version, comments, case",
			"AUTHENTICATION-RESULTS: (of (the) office) MX.SA.example.JP (x) 1 (y) ; (z) DKIM (a) "
			"/ "
			"(b) 1 = (c) PASS (d \\) e) HEADER.D (f) = (g) Example.CO.jp (h) ;\n" BORDER FROM,
			true, true, false},
		{"quoted",
			"Authentication-Results: \"" ID
			"\"; spf=pass smtp.mailfrom=\"a b;c\"@example.co.jp\n" BORDER FROM,
			true, false, true},
		{"none", "Authentication-Results: " ID "; none\n" BORDER FROM, true, false, false},
		{"nothing behind the name", "Authentication-Results: " ID "\n" BORDER FROM, true, false,
			false},
		{"no hop at all", PASS FROM, true, true, false},
	};
	check(cases, sizeof cases / sizeof *cases);
}

static void test_authres__what_does_not_pass(void **state)
{
	(void)state;
	static const struct authres_case cases[] = {
		{"failed", "Authentication-Results: " ID "; dkim=fail header.d=example.co.jp\n" BORDER FROM,
			true, false, false},
		{"another domain",
			"Authentication-Results: " ID "; dkim=pass header.d=example.com; spf=pass "
			"smtp.mailfrom=a@example.com\n" BORDER FROM,
			true, false, false},
		{"a domain above", "Authentication-Results: " ID "; dkim=pass header.d=co.jp\n" BORDER FROM,
			true, false, false},
		{"a domain below",
			"Authentication-Results: " ID "; dkim=pass header.d=mail.example.co.jp\n" BORDER FROM,
			true, false, false},
		{"as an ending",
			"Authentication-Results: " ID "; dkim=pass header.d=evil-example.co.jp\n" BORDER FROM,
			true, false, false},
		{"d decides, not i",
			"Authentication-Results: " ID "; dkim=pass header.d=example.com "
			"header.i=@example.co.jp\n" BORDER FROM,
			true, false, false},
		{"d of another result",
			"Authentication-Results: " ID "; dkim=pass header.d=example.com; dkim=fail "
			"header.d=example.co.jp\n" BORDER FROM,
			true, false, false},
		{"only HELO passed",
			"Authentication-Results: " ID "; spf=pass smtp.helo=example.co.jp\n" BORDER FROM,
			true, false, false},
		{"no domain", "Authentication-Results: " ID "; dkim=pass; spf=pass\n" BORDER FROM, true,
			false, false},
		{"in a comment",
			"Authentication-Results: " ID
			"; spf=none (dkim=pass header.d=example.co.jp)\n" BORDER FROM,
			true, false, false},
		{"in a quoted reason",
			"Authentication-Results: " ID
			"; dkim=fail reason=\"x; dkim=pass header.d=example.co.jp\" "
			"header.d=a.example\n" BORDER FROM,
			true, false, false},
		{"other version of the method",
			"Authentication-Results: " ID "; dkim/2=pass header.d=example.co.jp\n" BORDER FROM,
			true, false, false},
		{"two From", PASS BORDER FROM "From: b@example.com\n", true, false, false},
		{"two addresses in From", PASS BORDER "From: a@example.co.jp, b@example.com\n", true, false,
			false},
		{"no From", PASS BORDER "Subject: x\n", true, false, false},
	};
	check(cases, sizeof cases / sizeof *cases);
}

static void test_authres__other_servers_names(void **state)
{
	(void)state;
	static const char *const ids[] = {"mx.example.com", "mx.sa.example.jp.evil.example",
		"evil-mx.sa.example.jp", "sa.example.jp", "mx.sa.example.jpx",
		"mx\xEF\xBC\x8E"
		"sa.example.jq",
		"mx.s\xD0\xB0.example.jp", "mx.sa.example.jp/x", "=?us-ascii?q?mx.sa.example.jp?="};
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
		struct str header = STR_INIT;
		str_printf(&header,
			"Authentication-Results: %s; dkim=pass header.d=example.co.jp\n" BORDER FROM, ids[i]);
		struct authres out = read_with(header.s, ID, NULL);
		if (out.seen || out.dkim_aligned)
			fail_msg("believed: %s", ids[i]);
		str_free(&header);
	}
	/* What no office has configured is nothing either. */
	assert_false(read_with(PASS BORDER FROM, NULL, NULL).seen);
	assert_false(read_with(PASS BORDER FROM, "", NULL).seen);
	assert_false(read_with("Authentication-Results: ; dkim=pass header.d=example.co.jp\n" FROM, "", NULL)
			     .seen);
}

static void test_authres__planted_below_our_hop(void **state)
{
	(void)state;
#define INNER                                                                                                \
	"Received: from " ID " (" ID                                                                         \
	" [192.0.2.9])\n\tby store.sa.example.jp (Postfix) with ESMTP id 5A;\n\t"                            \
	"Sun, 22 Nov 2026 10:00:01 +0900\n"
#define LOCAL                                                                                                \
	"Received: from localhost (localhost [127.0.0.1])\n\tby " ID                                         \
	" (Postfix) with ESMTP id 5B;\n\tSun, 22 "                                                           \
	"Nov 2026 10:00:01 +0900\n"
	static const struct authres_case cases[] = {
		{"below the border", BORDER PASS FROM, false, false, false},
		{"below a foreign hop", BORDER FOREIGN PASS FROM, false, false, false},
		{"below a planted hop of ours",
			BORDER "Received: by " ID "; Sun, 22 Nov 2026 09:00:00 +0900\n" PASS FROM, false,
			false, false},
		{"passed on inside", INNER PASS BORDER FROM, true, true, false},
		{"delivered by LMTP",
			"Received: from " ID " by store.sa.example.jp with LMTP id 1; Sun, 22 Nov 2026 "
			"10:00:02 +0900\n" PASS BORDER FROM,
			true, true, false},
		{"a filter on the same machine", LOCAL PASS BORDER FROM, true, true, false},
		{"below both", INNER LOCAL BORDER PASS FROM, false, false, false},
		{"a client that says it were we",
			"Received: from " ID " (evil.example [203.0.113.1])\n\tby " ID
			" (Postfix); Sun, 22 Nov 2026 10:00:00 +0900\n" PASS FROM,
			false, false, false},
		{"a client that says so, without a name of its own",
			"Received: from " ID " ([203.0.113.1])\n\tby " ID
			" (Postfix); Sun, 22 Nov 2026 10:00:00 +0900\n" PASS FROM,
			false, false, false},
		{"a client that says localhost",
			"Received: from localhost (unknown [203.0.113.1])\n\tby " ID
			" (Postfix); Sun, 22 Nov 2026 10:00:00 +0900\n" PASS FROM,
			false, false, false},
		{"the machine itself, in its own name",
			"Received: from filter (" ID " [127.0.0.1]) by " ID
			" (Postfix); Sun, 22 Nov 2026 10:00:00 +0900\n" PASS BORDER FROM,
			true, true, false},
		{"a certificate that says it were this machine",
			"Received: from " ID " (evil.example [203.0.113.1])\n (using TLSv1.3)\n (Client CN "
			"\"[127.0.0.1]\", Issuer \"x\" (not verified))\n by " ID
			" (Postfix); Sun, 22 Nov 2026 10:00:00 +0900\n" PASS FROM,
			false, false, false},
		{"HELO of an address",
			"Received: from [203.0.113.1] (helo=[127.0.0.1])\n by " ID
			" with smtp; Sun, 22 Nov 2026 10:00:00 +0900\n" PASS FROM,
			false, false, false},
		{"HELO of an address, as qmail writes it",
			"Received: from unknown (HELO [127.0.0.1]) (203.0.113.1)\n by " ID
			" with SMTP; Sun, 22 Nov 2026 10:00:00 +0900\n" PASS FROM,
			false, false, false},
		{"a name that was not confirmed",
			"Received: from " ID " (" ID " [203.0.113.1] (may be forged))\n by " ID
			"; Sun, 22 Nov 2026 10:00:00 +0900\n" PASS FROM,
			false, false, false},
		{"nothing found out about the client",
			"Received: from " ID " by " ID
			" with SMTP; Sun, 22 Nov 2026 10:00:00 +0900\n" PASS FROM,
			false, false, false},
		{"an address without brackets",
			"Received: from " ID " (127.0.0.1) by " ID
			" with SMTP; Sun, 22 Nov 2026 10:00:00 +0900\n" PASS FROM,
			false, false, false},
		{"a hop that can't be read", "Received: (qmail 123 invoked by uid 89)\n" PASS FROM, false,
			false, false},
		{"the genuine one above, a planted one below",
			"Authentication-Results: " ID "; dkim=fail header.d=example.co.jp\n" BORDER PASS FROM,
			true, false, false},
	};
	check(cases, sizeof cases / sizeof *cases);
}

/* What a sender can bring into a field that our own server wrote: his envelope address, printed with little care. */
static void test_authres__smuggled_into_our_own_field(void **state)
{
	(void)state;
	static const struct authres_case cases[] = {
		{"closes a comment",
			"Authentication-Results: " ID "; spf=pass (domain of \"x); dkim=pass "
			"header.d=example.co.jp (\"@evil.example designates) "
			"smtp.mailfrom=evil.example\n" BORDER FROM,
			false, false, false},
		{"an encoded word",
			"Authentication-Results: " ID "; spf=pass "
			"smtp.mailfrom==?us-ascii?q?x=3B_dkim=3Dpass_header.d=3Dexample.co.jp?=@evil."
			"example\n" BORDER FROM,
			true, false, false},
		{"blanks in an address",
			"Authentication-Results: " ID
			"; spf=pass smtp.mailfrom=x smtp.mailfrom=example.co.jp "
			"y@evil.example\n" BORDER FROM,
			false, false, false},
		{"two addresses in one",
			"Authentication-Results: " ID
			"; spf=pass smtp.mailfrom=a@example.co.jp@evil.example\n" BORDER FROM,
			true, false, false},
		{"a bracket that does not close",
			"Authentication-Results: " ID "; dkim=pass header.d=example.co.jp (\n" BORDER FROM,
			false, false, false},
		{"a quote that does not close",
			"Authentication-Results: " ID
			"; dkim=pass header.d=example.co.jp reason=\"\n" BORDER FROM,
			false, false, false},
		{"no method",
			"Authentication-Results: " ID "; dkim=pass header.d=example.co.jp; x y\n" BORDER FROM,
			false, false, false},
	};
	check(cases, sizeof cases / sizeof *cases);
}

static void test_authres__international_domains(void **state)
{
	(void)state;
	static const char *const domains[] = {
		"xn--wgv71a119e.example.jp", "日本語.example.jp", "XN--WGV71A119E.Example.JP"};
	for (size_t i = 0; i < 3; i++)
		for (size_t j = 0; j < 3; j++) {
			struct str header = STR_INIT;
			str_printf(&header,
				"Authentication-Results: " ID "; dkim=pass header.d=%s; spf=pass "
				"smtp.mailfrom=a@%s\n" BORDER "From: a@%s\n",
				domains[i], domains[i], domains[j]);
			struct authres out = read_with(header.s, ID, NULL);
			if (!out.dkim_aligned || !out.spf_aligned)
				fail_msg("%s and %s", domains[i], domains[j]);
			str_free(&header);
		}
	/* Cyrillic е */
	assert_false(read_with("Authentication-Results: " ID "; dkim=pass header.d=example.co.jp\n" BORDER
			       "From: a@\xD0\xB5xample.co.jp\n",
		ID, NULL)
			     .dkim_aligned);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_authres__shapes_of_servers),
		cmocka_unit_test(test_authres__what_does_not_pass),
		cmocka_unit_test(test_authres__other_servers_names),
		cmocka_unit_test(test_authres__planted_below_our_hop),
		cmocka_unit_test(test_authres__smuggled_into_our_own_field),
		cmocka_unit_test(test_authres__international_domains),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
