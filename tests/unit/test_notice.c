/* notices: what they print, and every shipped template of every profile */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/mail/notice.h"

static const char *const form_names[] = {"receipt", "id", "logo", "resend-head", "refused", "rejected", NULL};
static const char *const site_names[] = {
	"confirm", "completion", "acceptance", "resend-head", "refused", "rejected", NULL};
static const char *const answer_names[] = {"confirm-stop", "confirm-change", "confirm-address", "stopped",
	"stop-planned", "changed", "news-stopped", "id-answer", "guide", "wrong-number", "neutral",
	"readable-form", NULL};
static const struct {
	const char *name;
	const char *const *want;
} profiles[] = {
	{"form", form_names}, {"site", site_names}, {"instant", form_names}, {"answer", answer_names}};
#define PROFILES (sizeof profiles / sizeof profiles[0])

static struct logo logos[] = {
	{1, CIVIL_DAY_NONE, (char[]){"https://logo.example.jp/2024/one.zip"}, SECRET_LENT("Old-Secret-1")},
	{1, 20549, (char[]){"https://logo.example.jp/2026/one.zip"}, SECRET_LENT("Hoshi-Hitotsu-1")},
	{2, 20549, (char[]){"https://logo.example.jp/2026/two.zip"}, SECRET_LENT("Hoshi-Futatsu-2")},
	{1, 40000, (char[]){"https://logo.example.jp/2079/one.zip"}, SECRET_LENT("Later-Secret-1")},
};
static const struct notice_office office = {
	.office_name = "SECURITY ACTION事務局",
	.organization = "独立行政法人情報処理推進機構 (IPA)",
	.department = "セキュリティセンター",
	.contact_mail = "security-action-info@sa.example.jp",
	.site_url = "https://sa.example.jp/security/index.html",
	.logo = logos,
	.logo_count = sizeof logos / sizeof logos[0],
};

static struct notice_values values_of(const struct application *app)
{
	return (struct notice_values){
		.app = app,
		.office = &office,
		.today = 20563, /* 2026-04-20 */
		.reason_ja = "お申込みの取下げのご連絡をいただいたため",
		.refused_rules_ja = "法人番号：13桁の数字で入力してください。\n都道府県：選択してください。",
		.first_sent_on = 20556, /* 2026-04-13 */
		.token = "ABCDEF-GHJKMN-PQRSTV-WXYZ01",
		.confirm_by = 20570, /* 2026-04-27 */
		.stop_on = 20573, /* 2026-04-30 */
		.changes = "電話番号：03-0000-0000\n所在地：見本区例示町4-5-6",
		.scratch = STR_INIT,
	};
}

static struct template_set *load(const char *profile, const char *const *want)
{
	struct wording wording;
	struct template_set *set = NULL;
	struct err err = {0};
	if (wording_load(&wording, NULL, &err) != RC_OK ||
		template_set_load(&set, "templates/mail", profile, want, &wording, &err) != RC_OK)
		fail_msg("%s", err.text);
	wording_free(&wording);
	return set;
}

static void render(
	const struct template_set *set, const char *name, struct notice_values *values, struct rendered *out)
{
	struct err err = {0};
	const struct template *tpl = template_set_find(set, name);
	assert_non_null(tpl);
	if (template_render(tpl, notice_value, values, out, &err) != RC_OK)
		fail_msg("%s: %s", name, err.text);
}

/* ---- every shipped template ---- */

/* Wide enough to read, narrow enough that no mail program breaks the lines anew. */
static void check_lines(const char *profile, const char *name, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");
		char *line = xstrndup(text, len);
		if (text_columns(line) > 76)
			fail_msg("%s/%s: too wide: %s", profile, name, line);
		if (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t'))
			fail_msg("%s/%s: blank at the end: %s", profile, name, line);
		free(line);
		text += len + (text[len] == '\n');
	}
}

/* Every character fits the charsets Japanese mail programs of any age read. */
static void check_charset(const char *profile, const char *name, const char *text)
{
	struct str cp932 = STR_INIT;
	size_t bad;
	if (!text_to_cp932(&cp932, text, strlen(text), &bad))
		fail_msg("%s/%s: a character at byte %zu is not in CP932", profile, name, bad);
	str_free(&cp932);
}

static const char *const tell_the_id[] = {"id", "completion", "confirm-stop", "confirm-change", "stopped",
	"stop-planned", "changed", "id-answer", NULL};
static const char *const may_go_to_anybody[] = {
	"confirm-address", "guide", "wrong-number", "neutral", "readable-form", NULL};

static bool is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

static void check_letter(
	const char *profile, const char *name, const struct notice_values *values, const struct rendered *out)
{
	const char *id = "41234567890", *user = "9123456789";
	const char *const allowed[] = {id, user, values->app->form.value[FIELD_MAIL], office.contact_mail,
		values->app->form.value[FIELD_CORPORATE_NUMBER], NULL};
	struct err err = {0};
	if (guard_foreign(out, allowed, &err) != RC_OK || guard_characters(out, &err) != RC_OK)
		fail_msg("%s/%s: %s", profile, name, err.text);
	check_lines(profile, name, out->body.s);
	check_charset(profile, name, out->body.s);
	check_charset(profile, name, out->subject.s);
	assert_null(strstr(out->body.s, "{{"));
	assert_null(strstr(out->body.s, "\n\n\n"));
	bool asks = str_has_prefix(name, "confirm");
	assert_int_equal(strstr(out->body.s, "\n確認番号：ABCDEF-GHJKMN-PQRSTV-WXYZ01\n") != NULL, asks);
	/* The site's subject is the scheme's, to the letter. */
	assert_int_equal(strstr(out->subject.s, "[ABCDEF-GHJKMN-PQRSTV-WXYZ01]") != NULL,
		asks && strcmp(profile, "site") != 0);
	assert_true(str_has_prefix(
		out->subject.s, strcmp(name, "resend-head") == 0 ? "【再送】" : "【SECURITY ACTION】"));

	bool tells_id = is_one_of(name, tell_the_id), for_anybody = is_one_of(name, may_go_to_anybody);
	bool gives_logo = strcmp(name, "logo") == 0 || strcmp(name, "acceptance") == 0;
	assert_int_equal(strstr(out->body.s, "自己宣言ID：41234567890\n") != NULL, tells_id || gives_logo);
	assert_int_equal(
		strstr(out->body.s, "利用者番号：9123456789\n") != NULL, strcmp(name, "completion") == 0);
	const struct logo *logo = values->app->star == 2 ? &logos[2] : &logos[1];
	assert_int_equal(strstr(out->body.s, logo->url) != NULL, gives_logo);
	assert_int_equal(strstr(out->body.s, logo->password.bytes) != NULL, gives_logo);
	if (gives_logo) {
		assert_non_null(strstr(out->body.s, values->app->star == 2 ? "「二つ星を宣言しました」\n"
									   : "「一つ星を宣言しました」\n"));
		assert_int_equal(
			strstr(out->body.s, "一つ星と二つ星のロゴマークを同時に使用することはできません") !=
				NULL,
			values->app->kind == KIND_STEP_UP);
	}
	if (strcmp(name, "resend-head") == 0) {
		assert_string_equal(out->body.s,
			"【再送】このメールは、2026年4月13日(月)にお送りしたメールの再送です。\n");
		return;
	}
	assert_non_null(strstr(out->body.s, "お心当たりがない場合"));
	assert_non_null(
		strstr(out->body.s, "SECURITY ACTION事務局\nEメール：security-action-info@sa.example.jp\n"));
	const char *salutation = for_anybody ? "ご担当者 様\n\n"
				 : values->app->type == APPLICANT_CORPORATION
					 ? "株式会社サンプル\n山田 太郎 様\n\n"
					 : "サンプル商店\n山田 太郎 様\n\n";
	assert_true(str_has_prefix(out->body.s, salutation));
}

static void test_notice__every_template_for_every_applicant(void **state)
{
	(void)state;
	struct rendered out = RENDERED_INIT;
	for (size_t p = 0; p < PROFILES; p++) {
		struct template_set *set = load(profiles[p].name, profiles[p].want);
		for (int type = APPLICANT_CORPORATION; type <= APPLICANT_SOLE_PROPRIETOR; type++)
			for (int kind = KIND_NEW1; kind <= KIND_STEP_UP; kind++)
				for (size_t i = 0; profiles[p].want[i]; i++) {
					const struct application *app = notice_sample(
						(enum applicant_type)type, (enum application_kind)kind);
					struct notice_values values = values_of(app);
					render(set, profiles[p].want[i], &values, &out);
					check_letter(profiles[p].name, profiles[p].want[i], &values, &out);
					notice_values_free(&values);
				}
		template_set_free(&set);
		assert_null(set);
	}
	rendered_free(&out);
}

static void test_notice__known_subjects_to_the_letter(void **state)
{
	static const struct {
		const char *profile, *name;
		enum application_kind kind;
		const char *subject;
	} cases[] = {
		{"form", "id", KIND_NEW1, "【SECURITY ACTION】自己宣言IDのお知らせ"},
		{"instant", "id", KIND_NEW2, "【SECURITY ACTION】自己宣言IDのお知らせ"},
		{"site", "completion", KIND_NEW1, "【SECURITY ACTION】一つ星：自己宣言完了のお知らせ"},
		{"site", "completion", KIND_NEW2, "【SECURITY ACTION】二つ星：自己宣言完了のお知らせ"},
		{"site", "completion", KIND_STEP_UP, "【SECURITY ACTION】二つ星：自己宣言完了のお知らせ"},
		{"site", "acceptance", KIND_NEW1, "【SECURITY ACTION】申込受理のご連絡"},
	};
	(void)state;
	struct rendered out = RENDERED_INIT;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct template_set *set = load(cases[i].profile, NULL);
		struct notice_values values = values_of(notice_sample(APPLICANT_CORPORATION, cases[i].kind));
		render(set, cases[i].name, &values, &out);
		assert_string_equal(out.subject.s, cases[i].subject);
		notice_values_free(&values);
		template_set_free(&set);
	}
	rendered_free(&out);
}

/* The letters as they look, byte for byte. SENGEN_GOLDEN=write makes them anew after an intended change of the texts. */
static void test_notice__golden_letters(void **state)
{
	static const struct {
		const char *profile, *name;
		enum applicant_type type;
		enum application_kind kind;
		const char *file;
	} cases[] = {
		{"form", "receipt", APPLICANT_CORPORATION, KIND_NEW1, "form-receipt-corporation-new1.txt"},
		{"form", "id", APPLICANT_SOLE_PROPRIETOR, KIND_NEW1, "form-id-sole-new1.txt"},
		{"form", "logo", APPLICANT_CORPORATION, KIND_STEP_UP, "form-logo-corporation-step.txt"},
		{"site", "completion", APPLICANT_CORPORATION, KIND_NEW2,
			"site-completion-corporation-new2.txt"},
		{"site", "acceptance", APPLICANT_CORPORATION, KIND_NEW1,
			"site-acceptance-corporation-new1.txt"},
		{"instant", "id", APPLICANT_CORPORATION, KIND_NEW2, "instant-id-corporation-new2.txt"},
	};
	(void)state;
	const char *golden = getenv("SENGEN_GOLDEN");
	struct rendered out = RENDERED_INIT;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct template_set *set = load(cases[i].profile, NULL);
		struct notice_values values = values_of(notice_sample(cases[i].type, cases[i].kind));
		render(set, cases[i].name, &values, &out);
		struct str text = STR_INIT, path = STR_INIT, want = STR_INIT;
		struct err err = {0};
		str_printf(&text, "Subject: %s\n\n%s", out.subject.s, out.body.s);
		path_join(&path, "tests/data/notices", cases[i].file);
		if (golden && strcmp(golden, "write") == 0)
			assert_int_equal(file_write(path.s, text.s, text.len, 0644, &err), RC_OK);
		if (file_read(&want, path.s, 65536, &err) != RC_OK)
			fail_msg("%s", err.text);
		assert_string_equal(text.s, want.s);
		str_free(&want);
		str_free(&path);
		str_free(&text);
		notice_values_free(&values);
		template_set_free(&set);
	}
	rendered_free(&out);
}

/* ---- values ---- */

static void check_value(const struct application *app, const char *name, const char *want)
{
	struct notice_values values = values_of(app);
	const char *value = notice_value(&values, name);
	if (!want)
		assert_true(!value || !*value);
	else
		assert_string_equal(value, want);
	notice_values_free(&values);
}

static void test_notice__salutations(void **state)
{
	static const struct {
		enum applicant_type type;
		const char *business, *family, *given, *contact, *want;
	} cases[] = {
		{APPLICANT_CORPORATION, "株式会社サンプル", "山田", "太郎", "鈴木 花子",
			"株式会社サンプル\n鈴木 花子 様"},
		{APPLICANT_CORPORATION, "認定NPO法人見本", "", "", "総務課 鈴木様",
			"認定NPO法人見本\n総務課 鈴木様"},
		{APPLICANT_CORPORATION, "株式会社サンプル", "", "", "", "株式会社サンプル\nご担当者 様"},
		{APPLICANT_CORPORATION, "", "", "", "鈴木", NULL},
		{APPLICANT_CORPORATION, "株式会社\nサンプル", "", "", "鈴木", NULL},
		{APPLICANT_SOLE_PROPRIETOR, "サンプル商店", "山田", "太郎", "山田太郎",
			"サンプル商店\n山田 太郎 様"},
		{APPLICANT_SOLE_PROPRIETOR, "サンプル商店", "山田", "太郎", "鈴木 花子",
			"サンプル商店\n山田 太郎 様\nご担当 鈴木 花子 様"},
		{APPLICANT_SOLE_PROPRIETOR, "", "山田", "太郎", "山田 太郎", "山田 太郎 様"},
		{APPLICANT_SOLE_PROPRIETOR, "山田　太郎", "山田", "太郎", "山田 太郎", "山田 太郎 様"},
		{APPLICANT_SOLE_PROPRIETOR, "さくら苑", "社会福祉法人見本会", "さくら苑", "鈴木 花子",
			"さくら苑\n社会福祉法人見本会 さくら苑\n鈴木 花子 様"},
		{APPLICANT_SOLE_PROPRIETOR, "", "㈱見本ケア", "ひまわり", "",
			"㈱見本ケア ひまわり\nご担当者 様"},
		{APPLICANT_SOLE_PROPRIETOR, "サンプル商店", "", "", "山田", "サンプル商店\n山田 様"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct application app = *notice_sample(cases[i].type, KIND_NEW1);
		app.form.value[FIELD_BUSINESS_NAME] = cases[i].business;
		app.form.value[FIELD_FAMILY_NAME] = cases[i].family;
		app.form.value[FIELD_GIVEN_NAME] = cases[i].given;
		app.form.value[FIELD_CONTACT] = cases[i].contact;
		check_value(&app, "salutation", cases[i].want);
	}
}

static void test_notice__dates_numbers_and_stars(void **state)
{
	(void)state;
	struct application app = *notice_sample(APPLICANT_CORPORATION, KIND_NEW1);
	check_value(&app, "applied_on", "2026年4月6日(月)");
	check_value(&app, "id_issued_on", "2026年4月13日(月)");
	check_value(&app, "logo_authorized_on", "2026年4月20日(月)");
	check_value(&app, "today", "2026年4月20日(月)");
	check_value(&app, "application_number", "1234");
	check_value(&app, "star_ja", "一つ星");
	check_value(&app, "two_star", NULL);
	check_value(&app, "corporation", "1");
	check_value(&app, "news", NULL);
	check_value(&app, "logo_password", "Hoshi-Hitotsu-1"); /* the latest whose day has come */
	app.declaration_id = app.user_number = 0;
	app.id_issued_on = CIVIL_DAY_NONE;
	check_value(&app, "declaration_id", NULL);
	check_value(&app, "user_number", NULL);
	check_value(&app, "id_issued_on", NULL);
	app.star = 3;
	check_value(&app, "star_ja", NULL);
	check_value(&app, "logo_url", NULL);
	check_value(&app, "no_such_name", NULL);

	struct application step = *notice_sample(APPLICANT_SOLE_PROPRIETOR, KIND_STEP_UP);
	check_value(&step, "id_kept", "1");
	check_value(&step, "step_up", "1");
	check_value(&step, "two_star", "1");
	check_value(&step, "corporation", NULL);
	step.declaration_id = 40000000001;
	check_value(&step, "id_kept", NULL);
	step.form.value[FIELD_NEWS] = "true";
	check_value(&step, "news", "1");
}

static void test_notice__every_placeholder_has_a_value(void **state)
{
	(void)state;
	size_t count = 0;
	for (const struct notice_placeholder *p = notice_placeholder_table; p->name; p++, count++) {
		bool is_condition = p->kind == PLACEHOLDER_CONDITION;
		struct str known = STR_INIT;
		str_printf(&known, "%s%s", p->name, is_condition ? "?" : "");
		assert_string_equal(notice_placeholders[count], known.s);
		str_free(&known);
		assert_true(*p->meaning_ja && *p->meaning && (*p->example != '\0') == !is_condition);
		struct notice_values values = values_of(notice_sample(APPLICANT_CORPORATION, KIND_STEP_UP));
		const char *value = notice_value(&values, p->name);
		if (!is_condition && (!value || !*value))
			fail_msg("%s has no value in the sample", p->name);
		notice_values_free(&values);
	}
	assert_null(notice_placeholders[count]);
}

static void test_notice__manual_lists_every_placeholder(void **state)
{
	(void)state;
	struct str page = STR_INIT, line = STR_INIT;
	struct err err = {0};
	if (file_read(&page, "man/sengen-templates.5", 1 << 20, &err) != RC_OK)
		fail_msg("%s", err.text);
	for (const struct notice_placeholder *p = notice_placeholder_table; p->name; p++) {
		str_clear(&line);
		str_printf(&line, ".It Li %s\n", p->name);
		if (!strstr(page.s, line.s))
			fail_msg("%s is not in the manual", p->name);
	}
	str_free(&line);
	str_free(&page);
}

/* T14: line breaks, controls and placeholder text in every field. No letter comes out with one more line or header than it has with clean
 * values, and no number but its own. */
static void test_notice__hostile_values_in_every_field(void **state)
{
	static const struct {
		const char *value;
		bool clean;
	} hostile[] = {
		{"見本\nBcc: other@example.com", false},
		{"見本\r\n\r\n本文", false},
		{"見本\r", false},
		{"見本\xE2\x80\xA8行", false},
		{"見本\xE2\x80\xA9行", false},
		{"見本\xC2\x85行", false},
		{"見本\x01", false},
		{"見本\xC0\x80", false},
		{"見本\xE2\x80\xAE行", false},
		{"{{declaration_id}}", true},
		{"{{#if two_star}}", true},
		{"%s%n", true},
	};
	(void)state;
	struct rendered out = RENDERED_INIT;
	for (size_t p = 0; p < PROFILES; p++) {
		struct template_set *set = load(profiles[p].name, profiles[p].want);
		for (size_t h = 0; h < sizeof hostile / sizeof hostile[0]; h++)
			for (int field = 0; field < FIELD_COUNT; field++)
				for (size_t i = 0; profiles[p].want[i]; i++) {
					struct application app =
						*notice_sample(APPLICANT_SOLE_PROPRIETOR, KIND_NEW1);
					app.form.value[field] = hostile[h].value;
					struct notice_values values = values_of(&app);
					struct err err = {0};
					enum rc rc =
						template_render(template_set_find(set, profiles[p].want[i]),
							notice_value, &values, &out, &err);
					notice_values_free(&values);
					if (rc == RC_OK) {
						assert_null(strchr(out.subject.s, '\n'));
						assert_int_equal(out.headers.len, 0);
						const char *at = strstr(out.body.s, hostile[h].value);
						assert_true(hostile[h].clean || !at);
					} else {
						assert_int_equal(rc, RC_REFUSED);
						assert_false(hostile[h].clean);
						assert_null(strstr(err.text, hostile[h].value));
					}
				}
		template_set_free(&set);
	}
	rendered_free(&out);
}

/* ---- sets ---- */

struct box {
	char dir[64];
	struct str path;
};

static int box_make(void **state)
{
	struct box *box = xcalloc(1, sizeof *box);
	(void)snprintf(box->dir, sizeof box->dir, "/tmp/sengen-notice-XXXXXX");
	assert_non_null(mkdtemp(box->dir));
	box->path = STR_INIT;
	*state = box;
	return 0;
}

static int box_remove(void **state)
{
	struct box *box = *state;
	struct strlist names = {0};
	struct err err = {0};
	struct str path = STR_INIT;
	path_join(&path, box->dir, "form");
	if (file_list_dir(&names, path.s, &err) == RC_OK)
		for (size_t i = 0; i < names.count; i++) {
			struct str file = STR_INIT;
			path_join(&file, path.s, names.item[i]);
			(void)unlink(file.s);
			str_free(&file);
		}
	(void)rmdir(path.s);
	(void)rmdir(box->dir);
	strlist_free(&names);
	str_free(&path);
	str_free(&box->path);
	free(box);
	return 0;
}

static void box_put(struct box *box, const char *name, const char *text)
{
	struct err err = {0};
	str_clear(&box->path);
	path_join(&box->path, box->dir, "form");
	assert_int_equal(file_mkdirs(box->path.s, 0755, &err), RC_OK);
	str_addc(&box->path, '/');
	str_addz(&box->path, name);
	assert_int_equal(file_write(box->path.s, text, strlen(text), 0644, &err), RC_OK);
}

#define SIGNED "\n{{office_name}}\n{{contact_mail}}\n"

static enum rc box_load(const struct box *box, struct template_set **set, struct err *err)
{
	static const char *const want[] = {"id", NULL};
	struct wording wording;
	assert_int_equal(wording_load(&wording, NULL, err), RC_OK);
	enum rc rc = template_set_load(set, box->dir, "form", want, &wording, err);
	wording_free(&wording);
	return rc;
}

static void test_notice__set_names_file_and_line(void **state)
{
	static const struct {
		const char *text, *what;
	} cases[] = {
		{"Subject: a\n\n{{nmae}}\n" SIGNED, "form/id.txt:3: there is no such placeholder"},
		{"Subject: a\n\n利用者番号：{{declaration_id}}\n" SIGNED,
			"form/id.txt:3: {{declaration_id}} stands under"},
		{"Subject: a\n\n一つ星を取得しました\n" SIGNED, "form/id.txt:3: the sentence"},
		{"Subject: a\n\nhttps://phish.example.com/\n" SIGNED, "form/id.txt:3: a link points to"},
		{"Subject: a\n\n本文\n", "every notice must contain {{office_name}}"},
		{"Subject: a\n\n理由：{{reason}}\n" SIGNED, "form/id.txt:3: {{reason}} has no value"},
		{"Subject: a\n\n{{first_sent_on}}\n" SIGNED, "form/id.txt:3: {{first_sent_on}} has no value"},
		{"Subject: {{salutation}}\n\n本文\n" SIGNED,
			"form/id.txt:1: the value of {{salutation}} has a line break"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		box_put(*state, "id.txt", cases[i].text);
		struct template_set *set = NULL;
		struct err err = {0};
		assert_int_equal(box_load(*state, &set, &err), RC_CONFIG);
		if (!strstr(err.text, cases[i].what))
			fail_msg("case %zu: %s", i, err.text);
		assert_null(set);
	}
}

/* What belongs to one notice has no value in another; what strangers get prints nothing about anybody. */
static void test_notice__values_of_answers(void **state)
{
	static const struct {
		const char *file, *line, *what; /* NULL: it is taken */
	} cases[] = {
		{"neutral.txt", "{{contact_mail}} {{today}}", NULL},
		{"neutral.txt", "{{salutation}}", "form/neutral.txt:3: {{salutation}} can't stand here"},
		{"neutral.txt", "{{declaration_id}}", "{{declaration_id}} can't stand here"},
		{"neutral.txt", "{{application_number}}", "{{application_number}} can't stand here"},
		{"guide.txt", "{{mail}}", "{{mail}} can't stand here"},
		{"wrong-number.txt", "{{user_number}}", "{{user_number}} can't stand here"},
		{"readable-form.txt", "{{business_name}}", "{{business_name}} can't stand here"},
		{"confirm-address.txt", "{{token}} {{confirm_by}}", NULL},
		{"confirm-address.txt", "{{changes}}", "{{changes}} can't stand here"},
		{"neutral.txt", "{{token}}", "form/neutral.txt:3: {{token}} has no value"},
		{"stopped.txt", "{{token}}", "{{token}} has no value"},
		{"id.txt", "{{token}}", "{{token}} has no value"},
		{"id.txt", "{{stop_on}}", "{{stop_on}} has no value"},
		{"id.txt", "{{changes}}", "{{changes}} has no value"},
		{"changed.txt", "{{changes}}", NULL},
		{"changed.txt", "{{confirm_by}}", "{{confirm_by}} has no value"},
		{"stop-planned.txt", "{{stop_on}}", NULL},
		{"confirm-stop.txt", "{{stop_on}}", "form/confirm-stop.txt:3: {{stop_on}} has no value"},
		{"confirm-stop.txt", "{{#if stop_on}}{{stop_on}}{{/if}} {{token}}", NULL},
		{"confirm.txt", "{{token}}", NULL},
	};
	struct box *box = *state;
	box_put(box, "id.txt", "Subject: a\n\n本文\n" SIGNED);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct str text = STR_INIT;
		struct template_set *set = NULL;
		struct err err = {0};
		str_printf(&text, "Subject: a\n\n%s\n" SIGNED, cases[i].line);
		box_put(box, cases[i].file, text.s);
		assert_int_equal(box_load(box, &set, &err), cases[i].what ? RC_CONFIG : RC_OK);
		if (cases[i].what && !strstr(err.text, cases[i].what))
			fail_msg("%s %s: %s", cases[i].file, cases[i].line, err.text);
		box_put(box, cases[i].file, "Subject: a\n\n本文\n" SIGNED);
		template_set_free(&set);
		str_free(&text);
	}
}

static void test_notice__tried_in_the_state_it_is_sent_in(void **state)
{
	static const struct {
		const char *profile, *name;
		enum state state;
		enum rc rc;
	} cases[] = {
		{"form", "receipt", STATE_RECEIVED, RC_OK},
		{"form", "id", STATE_ID_ISSUED, RC_OK},
		{"form", "id", STATE_RECEIVED, RC_CONFIG}, /* no ID yet */
		{"form", "logo", STATE_LOGO_AUTHORIZED, RC_OK},
		{"site", "confirm", STATE_UNCONFIRMED, RC_OK},
		{"site", "completion", STATE_ID_ISSUED, RC_OK},
		{"site", "completion", STATE_UNCONFIRMED, RC_CONFIG},
		{"site", "acceptance", STATE_LOGO_AUTHORIZED, RC_OK},
		{"instant", "receipt", STATE_RECEIVED, RC_OK},
		{"form", "refused", STATE_NONE, RC_OK},
		{"form", "rejected", STATE_RECEIVED, RC_OK},
	};
	(void)state;
	struct err err = {0};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct template_set *set = load(cases[i].profile, NULL);
		const struct template *tpl = template_set_find(set, cases[i].name);
		if (notice_try(tpl, cases[i].name, cases[i].state, NULL, &err) != cases[i].rc)
			fail_msg("case %zu: %s", i, err.text);
		template_set_free(&set);
	}
	/* A logo that is not configured is found before the first logo notice is due. */
	struct notice_office bare = office;
	bare.logo_count = 0;
	struct template_set *set = load("form", NULL);
	assert_int_equal(
		notice_try(template_set_find(set, "logo"), "logo", STATE_LOGO_AUTHORIZED, &bare, &err),
		RC_CONFIG);
	assert_non_null(strstr(err.text, "{{logo_url}}"));
	template_set_free(&set);
}

static void test_notice__set_missing_and_odd_files(void **state)
{
	struct template_set *set = NULL;
	struct err err = {0};
	assert_int_equal(box_load(*state, &set, &err), RC_CONFIG); /* no directory */
	box_put(*state, "id - コピー.txt", "これはテンプレートではありません");
	box_put(*state, "id.txt.bak", "Subject: a\n");
	box_put(*state, "~$id.txt", "");
	assert_int_equal(box_load(*state, &set, &err), RC_CONFIG);
	assert_non_null(strstr(err.text, "id.txt is missing"));
	box_put(*state, "id.txt", "Subject: a\n\n自己宣言ID：{{declaration_id}}\n" SIGNED);
	assert_int_equal(box_load(*state, &set, &err), RC_OK);
	assert_non_null(template_set_find(set, "id"));
	assert_null(template_set_find(set, "logo"));
	template_set_free(&set);
}

static void test_notice__set_packs_and_unpacks(void **state)
{
	(void)state;
	struct template_set *set = load("form", form_names), *again = NULL,
			    *other = load("instant", form_names);
	struct str packed = STR_INIT, twice = STR_INIT;
	struct err err = {0};
	template_set_pack(set, &packed);
	assert_int_equal(template_set_unpack(&again, packed.s, packed.len, &err), RC_OK);
	template_set_pack(again, &twice);
	assert_int_equal(packed.len, twice.len);
	assert_memory_equal(packed.s, twice.s, packed.len);

	str_clear(&twice);
	template_set_pack(other, &twice);
	assert_string_not_equal(packed.s, twice.s);
	for (size_t i = 0; form_names[i]; i++)
		assert_non_null(template_set_find(again, form_names[i]));
	template_set_free(&again);

	/* Whatever is cut off is missed, wherever the cut is. */
	for (size_t len = 0; len < packed.len; len += 97) {
		enum rc rc = template_set_unpack(&again, packed.s, len, &err);
		if (rc ==
			RC_OK) { /* a cut exactly between two templates can't be seen here: the register checks the digest */
			str_clear(&twice);
			template_set_pack(again, &twice);
			assert_true(twice.len < packed.len);
			template_set_free(&again);
		}
		assert_null(again);
	}
	str_free(&packed);
	str_free(&twice);
	template_set_free(&set);
	template_set_free(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_notice__every_template_for_every_applicant),
		cmocka_unit_test(test_notice__known_subjects_to_the_letter),
		cmocka_unit_test(test_notice__golden_letters),
		cmocka_unit_test(test_notice__salutations),
		cmocka_unit_test(test_notice__dates_numbers_and_stars),
		cmocka_unit_test(test_notice__every_placeholder_has_a_value),
		cmocka_unit_test(test_notice__manual_lists_every_placeholder),
		cmocka_unit_test(test_notice__hostile_values_in_every_field),
		cmocka_unit_test_setup_teardown(test_notice__set_names_file_and_line, box_make, box_remove),
		cmocka_unit_test_setup_teardown(test_notice__set_missing_and_odd_files, box_make, box_remove),
		cmocka_unit_test_setup_teardown(test_notice__values_of_answers, box_make, box_remove),
		cmocka_unit_test(test_notice__tried_in_the_state_it_is_sent_in),
		cmocka_unit_test(test_notice__set_packs_and_unpacks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
