#include "lib/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/file.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static char dir[] = "/tmp/test_settings.XXXXXX";

static char *in_dir(const char *name)
{
	static char path[4][256];
	static int next;
	char *out = path[next++ % 4];
	(void)snprintf(out, sizeof path[0], "%s/%s", dir, name);
	return out;
}

static void put(const char *name, const char *text, mode_t mode)
{
	struct err err;
	assert_int_equal(file_write(in_dir(name), text, strlen(text), mode, &err), RC_OK);
}

static enum rc load(const char *text, struct settings **settings, struct err *err)
{
	put("sengend.conf", text, 0644);
	return settings_load(settings, in_dir("sengend.conf"), err);
}

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	static const char *const names[] = {"sengend.conf", "pw", "key", "empty", "state/credential.key",
		"state", "profiles/own.conf", "profiles"};
	for (size_t i = 0; i < COUNT_OF(names); i++)
		(void)remove(in_dir(names[i]));
	return rmdir(dir);
}

/* Two structs that were filled by the same table, key by key. */
static void assert_same(const struct conf_key *keys, const void *a, const void *b)
{
	for (const struct conf_key *key = keys; key->name; key++) {
		const char *x = (const char *)a + key->offset, *y = (const char *)b + key->offset;
		const char *s, *t;
		switch (key->type) {
		case CONF_BOOL:
			assert_int_equal(*(const bool *)x, *(const bool *)y);
			break;
		case CONF_INT:
			if (*(const int64_t *)x != *(const int64_t *)y)
				fail_msg("%s differs", key->name);
			break;
		case CONF_INT32:
		case CONF_CHOICE:
			if (*(const int *)x != *(const int *)y)
				fail_msg("%s differs", key->name);
			break;
		case CONF_STRING:
			s = *(char *const *)x;
			t = *(char *const *)y;
			if ((!s) != (!t) || (s && strcmp(s, t) != 0))
				fail_msg("%s differs: %s, %s", key->name, s ? s : "-", t ? t : "-");
			break;
		case CONF_LIST:
			assert_int_equal(
				((const struct strlist *)x)->count, ((const struct strlist *)y)->count);
			break;
		case CONF_GROUP:
			assert_same(key->keys, x, y);
			break;
		case CONF_FLOAT:
		case CONF_GROUPS:
		case CONF_LINE:
			break;
		}
	}
}

static void test_settings__shipped_file_is_exactly_the_defaults(void **state)
{
	(void)state;
	struct settings shipped = {0}, defaults = {0};
	struct err err = {0};
	if (conf_read("config/sengend.conf", settings_keys, &shipped, &err) != RC_OK)
		fail_msg("%s", err.text);
	assert_int_equal(conf_read(NULL, settings_keys, &defaults, &err), RC_OK);
	assert_same(settings_keys, &shipped, &defaults);
	assert_int_equal(shipped.dkim_count + shipped.logo_count + shipped.era_count, 0);
	assert_int_equal(shipped.policy_count, 0);
	assert_true(shipped.transport.maildir);
	assert_true(shipped.mailbox.maildir);
	assert_string_equal(shipped.mailbox.review, "要確認");
	conf_free(settings_keys, &shipped);
	conf_free(settings_keys, &defaults);
}

static void assert_keys_stand_in(const struct conf_key *keys, const char *text)
{
	for (const struct conf_key *key = keys; key->name; key++) {
		if (key->type == CONF_LINE)
			continue;
		struct str plain = STR_INIT, remark = STR_INIT, inside = STR_INIT;
		str_printf(&plain, "\n%s ", key->name);
		str_printf(&remark, "#%s ", key->name);
		str_printf(&inside, " %s = ", key->name);
		if (!strstr(text, plain.s) && !strstr(text, remark.s) && !strstr(text, inside.s))
			fail_msg("config/sengend.conf does not show %s", key->name);
		assert_true(!key->help || strlen(key->help) > 0);
		str_free(&plain);
		str_free(&remark);
		str_free(&inside);
		if (key->keys)
			assert_keys_stand_in(key->keys, text);
	}
}

static void test_settings__shipped_file_shows_every_key(void **state)
{
	(void)state;
	struct str text = STR_INIT;
	struct err err;
	assert_int_equal(file_read(&text, "config/sengend.conf", 1 << 20, &err), RC_OK);
	assert_keys_stand_in(settings_keys, text.s);
	str_free(&text);
}

/* The commented examples are right: with their # taken away they read. */
static void test_settings__examples_in_the_shipped_file_read(void **state)
{
	(void)state;
	struct str text = STR_INIT, active = STR_INIT;
	struct err err = {0};
	struct settings settings = {0};
	assert_int_equal(file_read(&text, "config/sengend.conf", 1 << 20, &err), RC_OK);
	for (const char *line = text.s; *line;) {
		const char *end = strchrnul(line, '\n');
		const char *hash = line + strspn(line, " ");
		bool example = *hash == '#' && hash[1] && hash[1] != ' ';
		bool continued = *hash == '#' && str_has_prefix(hash + 1, "   ");
		if (example || continued)
			line = hash + 1;
		str_add(&active, line, (size_t)(end - line));
		str_addc(&active, '\n');
		line = *end ? end + 1 : end;
	}
	if (conf_read_text(active.s, "examples", settings_keys, &settings, &err) != RC_OK)
		fail_msg("%s", err.text);
	assert_int_equal(settings.era_count, 3);
	assert_int_equal(settings.dkim_count, 2);
	assert_int_equal(settings.logo_count, 2);
	assert_int_equal(settings.policy_count, 4);
	assert_int_equal(settings.own_hops.count, 2);
	assert_string_equal(settings.authserv_id, "mail.example.jp");
	assert_string_equal(settings.mailbox.sent, "送信済み");
	assert_int_equal(settings.profile_files.count, 3);
	struct settings *heap = xmalloc(sizeof *heap);
	*heap = settings;
	settings_free(&heap);
	str_free(&text);
	str_free(&active);
}

static void test_settings__a_few_lines_are_enough(void **state)
{
	(void)state;
	struct settings *settings = NULL;
	struct err err = {0};
	if (load("state_directory = \"state\";\nspool_directory = \"spool\";\nruntime_directory = "
		 "\"/tmp/x\";\n",
		    &settings, &err) != RC_OK)
		fail_msg("%s", err.text);
	assert_string_equal(settings->state_directory, in_dir("state"));
	assert_string_equal(settings->spool_directory, in_dir("spool"));
	assert_string_equal(settings->runtime_directory, "/tmp/x");
	assert_string_equal(settings->store_path, in_dir("state/register.db"));
	assert_string_equal(settings->witness_path, in_dir("state/witness"));
	assert_string_equal(settings->transport.path, in_dir("state/maildir"));
	assert_string_equal(settings->mailbox.path, in_dir("state/mailbox"));
	assert_null(settings->mailbox.sent);
	assert_null(settings->authserv_id);
	assert_false(settings->trust_aligned_dkim);
	assert_string_equal(settings->from_mail, settings->contact_mail);
	assert_string_equal(settings->bounce_mail, settings->contact_mail);
	assert_string_equal(settings->message_id_domain, "ipa.go.jp");
	assert_non_null(settings->fieldmap);
	assert_true(settings->words.forbidden.count > 0);
	assert_int_equal(settings->calendar.open_minute, 570);
	static const int dates[][3] = {{2010, 1, 1}, {2023, 6, 1}, {2026, 3, 31}, {2026, 4, 1}, {2040, 1, 1}};
	for (size_t i = 0; i < COUNT_OF(dates); i++)
		assert_string_equal(
			profile_on(&settings->profiles, civil_from_ymd(dates[i][0], dates[i][1], dates[i][2]))
				->name,
			"form");
	assert_non_null(profile_find(&settings->profiles, "instant"));
	assert_non_null(profile_find(&settings->profiles, "site"));
	settings_free(&settings);
	assert_null(settings);
}

static void test_settings__lean_leaves_forms_and_wording(void **state)
{
	(void)state;
	struct settings *settings = NULL;
	struct err err = {0};
	put("fields.conf", "this is no field map", 0644);
	put("sengend.conf", "form_fields = \"fields.conf\";\n", 0644);
	assert_int_equal(settings_load(&settings, in_dir("sengend.conf"), &err), RC_CONFIG);
	assert_non_null(strstr(err.text, "fields.conf"));
	assert_int_equal(settings_load_lean(&settings, in_dir("sengend.conf"), &err), RC_OK);
	assert_null(settings->fieldmap);
	assert_int_equal(settings->words.forbidden.count, 0);
	assert_non_null(profile_find(&settings->profiles, "form"));
	settings_free(&settings);
	put("sengend.conf", "form_fields = \"missing.conf\";\n", 0644);
	assert_int_equal(settings_load_lean(&settings, in_dir("sengend.conf"), &err), RC_CONFIG);
	(void)unlink(in_dir("fields.conf"));
}

static void test_settings__eras_by_date(void **state)
{
	(void)state;
	struct settings *settings = NULL;
	struct err err = {0};
	assert_int_equal(load("era = ( { from = \"2017-04-01\"; profile = \"site\"; },\n"
			      "{ from = \"2024-04-01\"; profile = \"form\"; },\n"
			      "{ from = \"2026-04-01\"; profile = \"instant\"; } );",
				 &settings, &err),
		RC_OK);
	const struct profiles *profiles = &settings->profiles;
	assert_string_equal(profile_on(profiles, civil_from_ymd(2017, 3, 31))->name, "site");
	assert_string_equal(profile_on(profiles, civil_from_ymd(2017, 4, 1))->name, "site");
	assert_string_equal(profile_on(profiles, civil_from_ymd(2026, 3, 31))->name, "form");
	assert_string_equal(profile_on(profiles, civil_from_ymd(2026, 4, 1))->name, "instant");
	settings_free(&settings);
}

static void test_settings__mailbox_and_policy(void **state)
{
	(void)state;
	struct settings *settings = NULL;
	struct err err = {0};
	if (load("mailbox : { maildir = false; host = \"imap.example.jp\"; port = 143; tls = \"starttls\"; "
		 "auth = "
		 "\"xoauth2\";\n user = \"u\"; password_from = \"token\"; done = \"済\"; sent = "
		 "\"送信済み\"; };\n"
		 "authserv_id = \"mx.example.jp\"; own_hops = ( \"a.example.jp\" ); confirm_days = 3;\n"
		 "policy = ( { request = \"id-enquiry\"; applied_before = \"2026-04-01\"; action = "
		 "\"guide\"; },\n"
		 " { request = \"stop\"; from = \"2026-05-01\"; action = \"review\"; } );",
		    &settings, &err) != RC_OK)
		fail_msg("%s", err.text);
	const struct mailbox_settings *mailbox = &settings->mailbox;
	assert_false(mailbox->maildir);
	assert_int_equal(mailbox->tls, TLS_STARTTLS);
	assert_int_equal(mailbox->auth, AUTH_XOAUTH2);
	assert_string_equal(mailbox->password_from, in_dir("token"));
	assert_string_equal(mailbox->done, "済");
	assert_string_equal(mailbox->bounce, "バウンス");
	assert_int_equal(settings->confirm_days, 3);
	assert_int_equal(settings->policy_count, 2);
	assert_int_equal(settings->policy[0].request, REQUEST_ID_ENQUIRY);
	assert_int_equal(settings->policy[0].action, POLICY_GUIDE);
	assert_null(settings->policy[0].from);
	assert_int_equal(settings->policy[1].request, REQUEST_STOP);
	assert_string_equal(settings->policy[1].from, "2026-05-01");
	assert_int_equal(settings->policy[1].line, 5);
	settings_free(&settings);
}

static void test_settings__refusals_name_file_and_line(void **state)
{
	(void)state;
	static const struct {
		const char *text, *where, *what;
	} cases[] = {
		{"\nzone = \"Asia/Tokio\";", "sengend.conf:2: ", "time zone"},
		{"contact_mail = \"nobody\";", "sengend.conf:1: ", "mail address"},
		{"contact_mail = \"a@example.jp\\r\\nBcc: b@example.jp\";",
			"sengend.conf:1: ", "mail address"},
		{"from_name = \"x\\ny\";", "sengend.conf:1: ", "one line"},
		{"message_id_domain = \"a b\";", "sengend.conf:1: ", "domain name"},
		{"hours = \"9-17\";", "sengend.conf:1: ", "office hours"},
		{"\n\nallow = ( \"x\" );", "sengend.conf:3: ", "mail address"},
		{"spool_directory = \"\";", "sengend.conf:1: ", "a path"},
		{"transport : {\n port = 70000; };", "sengend.conf:2: ", "from 1 to 65535"},
		{"transport : { tls = \"ssl\"; };", "sengend.conf:1: ", "\"starttls\""},
		{"transport : { password = \"x\"; };", "sengend.conf:1: ", "no key \"password\""},
		{"transport : { maildir = false; };", "sengend.conf: ", "\"host\""},
		{"transport : { maildir = false; host = \"h\"; auth = \"plain\"; };",
			"sengend.conf: ", "\"user\""},
		{"transport : { maildir = false; host = \"h\"; auth = \"plain\"; user = \"u\"; password_from "
		 "= \"p\"; "
		 "tls = \"none\"; };",
			"sengend.conf: ", "in the clear"},
		{"mailbox : { maildir = false; user = \"u\"; password_from = \"p\"; };",
			"sengend.conf: in \"mailbox\"", "\"host\""},
		{"mailbox : { maildir = false; host = \"h\"; };", "sengend.conf: in \"mailbox\"", "\"user\""},
		{"mailbox : { maildir = false; host = \"h\"; user = \"u\"; };",
			"sengend.conf: in \"mailbox\"", "\"password_from\""},
		{"mailbox : { maildir = false; host = \"h\"; user = \"u\"; password_from = \"p\"; tls = "
		 "\"none\"; };",
			"sengend.conf: in \"mailbox\"", "in the clear"},
		{"mailbox : { maildir = false; host = \"h\"; auth = \"none\"; };",
			"sengend.conf: in \"mailbox\"", "login or xoauth2"},
		{"mailbox : { maildir = false; host = \"h\"; auth = \"plain\"; user = \"u\"; password_from = "
		 "\"p\"; };",
			"sengend.conf: in \"mailbox\"", "login or xoauth2"},
		{"mailbox : { review = \"a\\nb\"; };", "sengend.conf:1: ", "one line"},
		{"mailbox : {\n idle_seconds = 1741; };", "sengend.conf:2: ", "from 10 to 1740"},
		{"mailbox : {\n message_bytes = 1023; };", "sengend.conf:2: ", "from 1024"},
		{"mailbox : {\n\n password = \"x\"; };", "sengend.conf:3: ", "no key \"password\""},
		{"own_hops = ( \"mx.example.jp\", \"a b\" );", "sengend.conf:1: ", "domain name"},
		{"authserv_id = \"a\\nb\";", "sengend.conf:1: ", "one line"},
		{"confirm_days = 0;", "sengend.conf:1: ", "from 1 to 90"},
		{"policy = ( { request = \"stop\"; } );", "sengend.conf:1: ", "\"action\" is missing"},
		{"policy = ( { action = \"guide\"; } );", "sengend.conf:1: ", "\"request\" is missing"},
		{"policy = ( { request = \"stop-request\"; action = \"act\"; } );",
			"sengend.conf:1: ", "\"id-enquiry\""},
		{"policy = ( { request = \"stop\"; action = \"refuse\"; } );",
			"sengend.conf:1: ", "\"review\""},
		{"policy = (\n { request = \"stop\"; applied_before = \"2026-4-1\"; action = \"act\"; } );",
			"sengend.conf:2: ", "a day"},
		{"policy = (\n { request = \"stop\"; from = \"2026-02-30\"; action = \"act\"; } );",
			"sengend.conf:2: ", "a day"},
		{"retry_first_seconds = 900; retry_last_seconds = 60;",
			"sengend.conf: ", "retry_last_seconds"},
		{"limits : { file_bytes = 3000000000; };", "sengend.conf:1: ", "it is 3000000000"},
		{"era = (\n { from = \"2024-02-30\"; profile = \"form\"; } );", "sengend.conf:2: ", "a day"},
		{"era = ( { from = \"2024-04-01\"; profile = \"nix\"; } );", "sengend.conf:1: ", "nix"},
		{"logo = ( { star = 3; url = \"u\"; password_from = \"p\"; } );",
			"sengend.conf:1: ", "from 1 to 2"},
		{"dkim = ( { domain = \"example.jp\"; selector = \"s\"; } );",
			"sengend.conf:1: ", "\"key_from\" is missing"},
		{"profile_files = ( \"profiles/none.conf\" );", "sengend.conf: \"profile_files\"",
			"profiles/none.conf, which can't be read"},
		{"calendar_overrides = \"none\";", "sengend.conf: \"calendar_overrides\"", "none, which"},
		{"form_fields = \"none\";", "sengend.conf: \"form_fields\"", "none, which"},
		{"wording = \"none\";", "sengend.conf: \"wording\"", "none, which"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct settings *settings = NULL;
		struct err err = {0};
		if (load(cases[i].text, &settings, &err) != RC_CONFIG)
			fail_msg("%s was not refused as it should be (%s)", cases[i].text, err.text);
		assert_null(settings);
		if (!strstr(err.text, cases[i].where) || !strstr(err.text, cases[i].what))
			fail_msg("%s: %s", cases[i].text, err.text);
	}
}

static void test_settings__a_refused_file_leaves_the_zone(void **state)
{
	(void)state;
	struct settings *settings = NULL;
	struct err err = {0};
	assert_int_equal(load("zone = \"Europe/Berlin\";", &settings, &err), RC_OK);
	assert_int_equal(civil_minute_of(0), 60);
	settings_free(&settings);
	assert_int_equal(
		load("zone = \"America/New_York\"; wording = \"none\";", &settings, &err), RC_CONFIG);
	assert_int_equal(civil_minute_of(0), 60);
	assert_int_equal(load("", &settings, &err), RC_OK);
	assert_int_equal(civil_minute_of(0), 540);
	settings_free(&settings);
}

static void test_settings__secrets(void **state)
{
	(void)state;
	struct settings *settings = NULL;
	struct secrets secrets, again;
	struct err err = {0};
	put("pw", "zip-password\n", 0600);
	put("key", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n", 0600);
	put("empty", "\n", 0600);
	assert_int_equal(
		load("state_directory = \"state\"; credential_key_from = \"key\";\n"
		     "logo = ( { star = 2; from = \"2026-01-05\"; url = \"https://example.jp/2.zip\"; "
		     "password_from = \"pw\"; } );",
			&settings, &err),
		RC_OK);
	if (secrets_load(&secrets, settings, true, &err) != RC_OK)
		fail_msg("%s", err.text);
	assert_non_null(secrets_key(&secrets));
	assert_int_equal(secrets_key(&secrets)[1], 0x11);
	assert_int_equal(secrets.logo_count, 1);
	assert_int_equal(secrets.logo[0].star, 2);
	assert_int_equal(secrets.logo[0].from, civil_from_ymd(2026, 1, 5));
	assert_string_equal(secrets.logo[0].password.bytes, "zip-password");
	secrets_free(&secrets);
	assert_null(secrets_key(&secrets));

	assert_int_equal(chmod(in_dir("pw"), 0644), 0);
	assert_int_equal(secrets_load(&secrets, settings, true, &err), RC_CONFIG);
	assert_non_null(strstr(err.text, "sengend.conf:2: "));
	assert_null(strstr(err.text, "zip-password"));
	settings_free(&settings);

	static const char *const bad[] = {
		"credential_key_from = \"empty\";",
		"credential_key_from = \"none\";",
		"credential_key_from = \"credential:none\";",
		"credential_key_from = \"key\"; logo = ( { star = 1; url = \"u\"; password_from = \"empty\"; "
		"} );",
		"credential_key_from = \"key\"; dkim = ( { domain = \"example.jp\"; selector = \"s\"; "
		"key_from = \"pw\"; } );",
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		assert_int_equal(load(bad[i], &settings, &err), RC_OK);
		assert_int_equal(secrets_load(&secrets, settings, true, &err), RC_CONFIG);
		settings_free(&settings);
	}

	/* Without a named key one is made, once, that others can't read. */
	assert_int_equal(load("state_directory = \"state\";", &settings, &err), RC_OK);
	assert_int_equal(secrets_load(&secrets, settings, false, &err), RC_OK);
	assert_int_equal(secrets_load(&again, settings, false, &err), RC_OK);
	assert_non_null(secrets_key(&secrets));
	assert_memory_equal(secrets_key(&secrets), secrets_key(&again), SEAL_KEY_LEN);
	struct stat st;
	assert_int_equal(stat(in_dir("state/credential.key"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	secrets_free(&secrets);
	secrets_free(&again);
	settings_free(&settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_settings__shipped_file_is_exactly_the_defaults),
		cmocka_unit_test(test_settings__shipped_file_shows_every_key),
		cmocka_unit_test(test_settings__examples_in_the_shipped_file_read),
		cmocka_unit_test(test_settings__a_few_lines_are_enough),
		cmocka_unit_test(test_settings__lean_leaves_forms_and_wording),
		cmocka_unit_test(test_settings__eras_by_date),
		cmocka_unit_test(test_settings__mailbox_and_policy),
		cmocka_unit_test(test_settings__refusals_name_file_and_line),
		cmocka_unit_test(test_settings__a_refused_file_leaves_the_zone),
		cmocka_unit_test(test_settings__secrets),
	};
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
