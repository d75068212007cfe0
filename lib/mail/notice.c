#include "lib/mail/notice.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/text.h"

/* ---- values ---- */

/* A field as the applicant wrote it, when it is one clean line. */
static const char *field(const struct notice_values *values, enum form_field which)
{
	const char *value = values->app->form.value[which];
	return value && *value && !text_has_control(value) ? value : NULL;
}

/* Texts made for one question; valid until the next. */
static const char *number_text(struct notice_values *values, int64_t number)
{
	str_clear(&values->scratch);
	if (number > 0)
		str_printf(&values->scratch, "%lld", (long long)number);
	return values->scratch.s;
}

static const char *day_text(struct notice_values *values, civil_day day)
{
	str_clear(&values->scratch);
	if (day != CIVIL_DAY_NONE)
		civil_day_print_ja(&values->scratch, day);
	return values->scratch.s;
}

static const char *condition(bool holds)
{
	return holds ? "1" : "";
}

/* The logo in force today: the latest one whose day has come. */
static const struct logo *logo_of(const struct notice_values *values)
{
	const struct logo *best = NULL;
	for (size_t i = 0; i < values->office->logo_count; i++) {
		const struct logo *logo = &values->office->logo[i];
		if (logo->star == values->app->star && logo->from <= values->today &&
			(!best || logo->from >= best->from))
			best = logo;
	}
	return best;
}

static void add_with_honorific(struct str *out, const char *name)
{
	static const char *const honorifics[] = {"様", "さま", "殿", "御中"};
	str_addz(out, name);
	for (size_t i = 0; i < sizeof honorifics / sizeof honorifics[0]; i++)
		if (str_has_suffix(name, honorifics[i]))
			return;
	str_addz(out, " 様");
}

/* A facility that applies as sole proprietor has its corporation's name for a family name (design of the scheme): no person. */
static bool names_an_organization(const char *family_name)
{
	static const char *const marks[] = {
		"会社", "法人", "組合", "財団", "社団", "(株)", "(有)", "(合)", "(医)", "(福)"};
	struct str folded = STR_INIT;
	text_fold(&folded, family_name);
	bool found = false;
	for (size_t i = 0; i < sizeof marks / sizeof marks[0] && !found; i++)
		found = strstr(folded.s, marks[i]) != NULL;
	str_free(&folded);
	return found;
}

static void add_representative(struct str *out, const struct notice_values *values)
{
	const char *family = field(values, FIELD_FAMILY_NAME), *given = field(values, FIELD_GIVEN_NAME);
	if (family)
		str_addz(out, family);
	if (family && given)
		str_addc(out, ' ');
	if (given)
		str_addz(out, given);
}

/* Sole proprietors: trade name, representative, and whoever is in charge where that is somebody else. */
static void add_sole_proprietor(struct str *out, const struct notice_values *values)
{
	const char *trade_name = field(values, FIELD_BUSINESS_NAME);
	const char *contact = field(values, FIELD_CONTACT), *family = field(values, FIELD_FAMILY_NAME);
	struct str representative = STR_INIT;
	add_representative(&representative, values);

	if (trade_name && !text_same_key(trade_name, representative.s))
		str_printf(out, "%s\n", trade_name);
	if (representative.len == 0) {
		if (contact)
			add_with_honorific(out, contact);
	} else if (family && names_an_organization(family)) {
		str_printf(out, "%s\n", representative.s);
		add_with_honorific(out, contact ? contact : "ご担当者");
	} else {
		add_with_honorific(out, representative.s);
		if (contact && !text_same_key(contact, representative.s)) {
			str_addz(out, "\nご担当 ");
			add_with_honorific(out, contact);
		}
	}
	str_free(&representative);
}

static const char *get_salutation(struct notice_values *values)
{
	struct str *out = &values->scratch;
	str_clear(out);
	if (values->app->type == APPLICANT_SOLE_PROPRIETOR) {
		add_sole_proprietor(out, values);
		return out->s;
	}
	const char *name = field(values, FIELD_BUSINESS_NAME), *contact = field(values, FIELD_CONTACT);
	if (!name)
		return NULL;
	str_printf(out, "%s\n", name);
	add_with_honorific(out, contact ? contact : "ご担当者");
	return out->s;
}

static const char *get_business_name(struct notice_values *values)
{
	return field(values, FIELD_BUSINESS_NAME);
}

static const char *get_representative(struct notice_values *values)
{
	str_clear(&values->scratch);
	add_representative(&values->scratch, values);
	return values->scratch.s;
}

static const char *get_contact(struct notice_values *values)
{
	return field(values, FIELD_CONTACT);
}

static const char *get_mail(struct notice_values *values)
{
	return field(values, FIELD_MAIL);
}

static const char *get_corporate_number(struct notice_values *values)
{
	return field(values, FIELD_CORPORATE_NUMBER);
}

static const char *get_prefecture(struct notice_values *values)
{
	return field(values, FIELD_PREFECTURE);
}

static const char *get_application_number(struct notice_values *values)
{
	return number_text(values, values->app->id);
}

static const char *get_declaration_id(struct notice_values *values)
{
	return number_text(values, values->app->declaration_id);
}

static const char *get_user_number(struct notice_values *values)
{
	return number_text(values, values->app->user_number);
}

static const char *get_star_ja(struct notice_values *values)
{
	return values->app->star == 2 ? "二つ星" : values->app->star == 1 ? "一つ星" : NULL;
}

static const char *get_kind_ja(struct notice_values *values)
{
	static const char *const text[] = {
		[KIND_NEW1] = "★一つ星（新規）",
		[KIND_NEW2] = "★★二つ星（新規）",
		[KIND_STEP_UP] = "★★二つ星（一つ星からのステップアップ）",
	};
	return text[values->app->kind];
}

static const char *get_applied_on(struct notice_values *values)
{
	return day_text(values, values->app->clock_start);
}

static const char *get_received_on(struct notice_values *values)
{
	return day_text(values, civil_day_of(values->app->received_at));
}

static const char *get_id_issued_on(struct notice_values *values)
{
	return day_text(values, values->app->id_issued_on);
}

static const char *get_logo_authorized_on(struct notice_values *values)
{
	return day_text(values, values->app->logo_authorized_on);
}

static const char *get_first_sent_on(struct notice_values *values)
{
	return day_text(values, values->first_sent_on);
}

static const char *get_today(struct notice_values *values)
{
	return day_text(values, values->today);
}

static const char *get_logo_url(struct notice_values *values)
{
	const struct logo *logo = logo_of(values);
	return logo ? logo->url : NULL;
}

static const char *get_logo_password(struct notice_values *values)
{
	const struct logo *logo = logo_of(values);
	return logo ? logo->password.bytes : NULL;
}

static const char *get_office_name(struct notice_values *values)
{
	return values->office->office_name;
}

static const char *get_organization(struct notice_values *values)
{
	return values->office->organization;
}

static const char *get_department(struct notice_values *values)
{
	return values->office->department;
}

static const char *get_contact_mail(struct notice_values *values)
{
	return values->office->contact_mail;
}

static const char *get_site_url(struct notice_values *values)
{
	return values->office->site_url;
}

static const char *get_reason(struct notice_values *values)
{
	return values->reason_ja;
}

static const char *get_refused_rules(struct notice_values *values)
{
	return values->refused_rules_ja;
}

static const char *get_token(struct notice_values *values)
{
	return values->token;
}

static const char *get_confirm_by(struct notice_values *values)
{
	return day_text(values, values->confirm_by);
}

static const char *get_stop_on(struct notice_values *values)
{
	return day_text(values, values->stop_on);
}

static const char *get_changes(struct notice_values *values)
{
	return values->changes;
}

static const char *is_two_star(struct notice_values *values)
{
	return condition(values->app->star == 2);
}

static const char *is_step_up(struct notice_values *values)
{
	return condition(values->app->kind == KIND_STEP_UP);
}

/* A step-up keeps its declaration's ID where the profile says so: then the notice must not call it a new one. */
static const char *is_id_kept(struct notice_values *values)
{
	const char *old = field(values, FIELD_DECLARATION_ID);
	const char *now = number_text(values, values->app->declaration_id);
	return condition(values->app->kind == KIND_STEP_UP && old && strcmp(old, now) == 0);
}

static const char *is_corporation(struct notice_values *values)
{
	return condition(values->app->type == APPLICANT_CORPORATION);
}

static const char *is_news(struct notice_values *values)
{
	const char *news = field(values, FIELD_NEWS);
	return condition(news && strcmp(news, "true") == 0);
}

/* X(name, kind, getter, meaning in Japanese, meaning in English, example) */
// clang-format off
#define PLACEHOLDERS(X) \
	X(salutation, LINES, get_salutation, "宛名（事業者名とご担当者名に「様」）", "applicant and contact person, with 様", "株式会社サンプル\n山田 太郎 様") \
	X(business_name, TEXT, get_business_name, "事業者名・屋号", "name of the business", "株式会社サンプル") \
	X(representative, TEXT, get_representative, "代表者（姓 名）", "representative of a sole proprietor", "山田 太郎") \
	X(contact, TEXT, get_contact, "担当者名", "contact person", "山田 太郎") \
	X(mail, TEXT, get_mail, "登録されているメールアドレス", "registered mail address", "taro@example.co.jp") \
	X(corporate_number, TEXT, get_corporate_number, "法人番号", "corporate number, 13 digits", "7010705000725") \
	X(prefecture, TEXT, get_prefecture, "都道府県", "prefecture", "東京都") \
	X(application_number, TEXT, get_application_number, "申込番号", "number of the application", "1234") \
	X(declaration_id, TEXT, get_declaration_id, "自己宣言ID", "declaration ID, once issued", "41234567890") \
	X(user_number, TEXT, get_user_number, "利用者番号", "user number (a credential), once issued", "9123456789") \
	X(star_ja, TEXT, get_star_ja, "一つ星、二つ星", "star declared", "一つ星") \
	X(kind_ja, TEXT, get_kind_ja, "宣言の内容", "what was applied for", "★一つ星（新規）") \
	X(applied_on, TEXT, get_applied_on, "お申込日", "day of the application, from which the times count", "2026年4月6日(月)") \
	X(received_on, TEXT, get_received_on, "受付日", "day of intake", "2026年4月6日(月)") \
	X(id_issued_on, TEXT, get_id_issued_on, "自己宣言IDの発行日", "day the ID was issued", "2026年4月13日(月)") \
	X(logo_authorized_on, TEXT, get_logo_authorized_on, "ロゴマークの使用許諾日", "day the logo was authorized", "2026年4月20日(月)") \
	X(logo_url, TEXT, get_logo_url, "ロゴマークのダウンロード先", "where the logo is fetched", "https://www.ipa.go.jp/…") \
	X(logo_password, TEXT, get_logo_password, "ロゴマークのZIPファイルのパスワード", "password of the logo's ZIP file", "Sample-1234") \
	X(first_sent_on, TEXT, get_first_sent_on, "最初にお送りした日（resend-head のみ）", "day of the first letter (resend-head only)", "2026年4月13日(月)") \
	X(today, TEXT, get_today, "通知の日付", "day of the notice", "2026年4月20日(月)") \
	X(reason, LINES, get_reason, "却下の理由（rejected のみ）", "why staff refused (rejected only)", "お申込みの取下げのご連絡をいただいたため") \
	X(refused_rules, LINES, get_refused_rules, "不備の内容（refused のみ）", "what was wrong with the form (refused only)", "法人番号：13桁の数字で入力してください") \
	X(token, TEXT, get_token, "確認番号（confirm で始まるもののみ）", "what a reply must bring back (only those that begin with confirm)", "ABCDEF-GHJKMN-PQRSTV-WXYZ01") \
	X(confirm_by, TEXT, get_confirm_by, "ご返信の期限（confirm で始まるもののみ）", "the last day for that reply (likewise)", "2026年4月27日(月)") \
	X(stop_on, TEXT, get_stop_on, "使用中止日（confirm-stop、stop-planned、stopped のみ）", "day of a stop (confirm-stop, stop-planned, stopped)", "2026年4月30日(木)") \
	X(changes, LINES, get_changes, "変更の内容（confirm-change、changed のみ）", "what is changed, one a line (confirm-change, changed)", "電話番号：03-0000-0000") \
	X(office_name, TEXT, get_office_name, "事務局の名称", "name of the office", "SECURITY ACTION事務局") \
	X(organization, TEXT, get_organization, "組織の名称", "organization", "独立行政法人情報処理推進機構 (IPA)") \
	X(department, TEXT, get_department, "部署の名称", "department", "セキュリティセンター") \
	X(contact_mail, TEXT, get_contact_mail, "事務局のメールアドレス", "mail address of the office", "security-action-info@sa.example.jp") \
	X(site_url, TEXT, get_site_url, "サイトのURL", "address of the scheme's site", "https://www.ipa.go.jp/security/security-action/") \
	X(two_star, CONDITION, is_two_star, "二つ星のとき", "the application is for two stars", "") \
	X(step_up, CONDITION, is_step_up, "ステップアップのとき", "it is a step-up", "") \
	X(id_kept, CONDITION, is_id_kept, "ステップアップで自己宣言IDが変わらないとき", "a step-up that keeps its declaration ID", "") \
	X(corporation, CONDITION, is_corporation, "法人のとき", "the applicant is a corporation", "") \
	X(news, CONDITION, is_news, "情報送付を希望するとき", "news are wanted", "")
// clang-format on

#define SUFFIX_TEXT
#define SUFFIX_LINES
#define SUFFIX_CONDITION "?"
const char *const notice_placeholders[] = {
// NOLINTNEXTLINE(bugprone-suspicious-missing-comma): the name and its mark belong together
#define X(name, kind, getter, meaning_ja, meaning, example) #name SUFFIX_##kind,
	PLACEHOLDERS(X)
#undef X
		NULL};

const struct notice_placeholder notice_placeholder_table[] = {
#define X(name, kind, getter, meaning_ja, meaning, example)                                                  \
	{#name, PLACEHOLDER_##kind, meaning_ja, meaning, example},
	PLACEHOLDERS(X)
#undef X
		{NULL, PLACEHOLDER_TEXT, NULL, NULL, NULL}};

struct getter {
	const char *name;
	const char *(*get)(struct notice_values *values);
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct getter *)a)->name, ((const struct getter *)b)->name);
}

const char *notice_value(void *notice_values, const char *name)
{
	static struct getter getters[] = {
#define X(name, kind, getter, meaning_ja, meaning, example) {#name, getter},
		PLACEHOLDERS(X)
#undef X
	};
	static bool sorted;
	const size_t count = sizeof getters / sizeof *getters;
	if (!sorted)
		qsort(getters, count, sizeof *getters, by_name);
	sorted = true;
	const struct getter wanted = {.name = name};
	const struct getter *found = bsearch(&wanted, getters, count, sizeof *getters, by_name);
	return found ? found->get(notice_values) : NULL;
}

void notice_values_free(struct notice_values *values)
{
	str_wipe(&values->scratch); /* a user number may stand there */
}

/* ---- sample data ---- */

/* 2026-04-06, a Monday; the form was dropped at 10:30 in Japan. */
#define SAMPLE_DAY 20549
#define SAMPLE_TIME ((utc_time)SAMPLE_DAY * 86400 + 5400)

static void sample_fill(struct application *app, enum applicant_type type, enum application_kind kind)
{
	bool corporation = type == APPLICANT_CORPORATION;
	*app = (struct application){
		.id = 1234,
		.state = STATE_LOGO_AUTHORIZED,
		.hold_reason = "",
		.kind = kind,
		.type = type,
		.star = kind == KIND_NEW1 ? 1 : 2,
		.profile = "form",
		.received_at = SAMPLE_TIME,
		.applied_on = SAMPLE_DAY,
		.clock_start = SAMPLE_DAY,
		.stage = STAGE_NONE,
		.due_at = UTC_NEVER,
		.latest_at = UTC_NEVER,
		.declaration_id = 41234567890,
		.user_number = 9123456789,
		.id_issued_on = SAMPLE_DAY + 7,
		.logo_authorized_on = SAMPLE_DAY + 14,
		.stopped_on = CIVIL_DAY_NONE,
		.form.value =
			{
				[FIELD_KIND] = kind == KIND_NEW1   ? "new1"
					       : kind == KIND_NEW2 ? "new2"
								   : "step",
				[FIELD_PURPOSE] = "自社の経営層・従業員の意識を高めるため",
				[FIELD_PLEDGE] = "true",
				[FIELD_CONTACT] = "山田 太郎",
				[FIELD_MAIL] = "taro@example.co.jp",
				[FIELD_MAIL_CONFIRM] = "taro@example.co.jp",
				[FIELD_TYPE] = corporation ? "corporation" : "sole",
				[FIELD_CORPORATE_NUMBER] = corporation ? "7010705000725" : "",
				[FIELD_BUSINESS_NAME] = corporation ? "株式会社サンプル" : "サンプル商店",
				[FIELD_FAMILY_NAME] = "山田",
				[FIELD_GIVEN_NAME] = "太郎",
				[FIELD_POSTAL_CODE] = "1000001",
				[FIELD_PREFECTURE] = "東京都",
				[FIELD_ADDRESS] = "千代田区見本町1-2-3",
				[FIELD_TELEPHONE] = "0300000000",
				[FIELD_NEWS] = "false",
				[FIELD_PRIVACY] = "true",
				[FIELD_TERMS] = "true",
				[FIELD_DECLARATION_ID] = kind == KIND_STEP_UP ? "41234567890" : "",
				[FIELD_APPLIED_ON] = "2026-04-06",
			},
	};
}

const struct application *notice_sample(enum applicant_type type, enum application_kind kind)
{
	static struct application sample[APPLICANT_SOLE_PROPRIETOR + 1][KIND_STEP_UP + 1];
	struct application *app = &sample[type][kind];
	if (app->id == 0)
		sample_fill(app, type, kind);
	return app;
}

/* ---- what only some notices have ---- */

enum special {
	HAS_REASON = 1,
	HAS_REFUSED_RULES = 2,
	HAS_FIRST_SENT_ON = 4,
	HAS_TOKEN = 8, /* with the last day for it */
	HAS_STOP_ON = 16,
	HAS_CHANGES = 32,
	AT_ONCE_TOO = 64, /* a stop may have no day */
	FOR_ANYBODY = 128, /* may go to an address that nobody has proven */
};

static const struct {
	const char *name;
	int has;
} specials[] = {
	{NOTICE_REJECTED, HAS_REASON},
	{NOTICE_REFUSED, HAS_REFUSED_RULES},
	{NOTICE_RESEND_HEAD, HAS_FIRST_SENT_ON},
	{"confirm", HAS_TOKEN},
	{"confirm-stop", HAS_TOKEN | HAS_STOP_ON | AT_ONCE_TOO},
	{"confirm-change", HAS_TOKEN | HAS_CHANGES},
	{"confirm-address", HAS_TOKEN | FOR_ANYBODY},
	{"stopped", HAS_STOP_ON},
	{"stop-planned", HAS_STOP_ON},
	{"changed", HAS_CHANGES},
	{"guide", FOR_ANYBODY},
	{"wrong-number", FOR_ANYBODY},
	{"neutral", FOR_ANYBODY},
	{"readable-form", FOR_ANYBODY},
};

static int special_of(const char *name)
{
	for (size_t i = 0; i < sizeof specials / sizeof *specials; i++)
		if (strcmp(specials[i].name, name) == 0)
			return specials[i].has;
	return 0;
}

struct anybody {
	const char *bad;
	int line;
};

static void find_value_of_somebody(void *ctx, const char *name, int line, const char *label)
{
	static const char *const of_the_office[] = {"token", "confirm_by", "today", "office_name",
		"organization", "department", "contact_mail", "site_url"};
	struct anybody *anybody = ctx;
	(void)label;
	for (size_t i = 0; i < sizeof of_the_office / sizeof *of_the_office; i++)
		if (strcmp(of_the_office[i], name) == 0)
			return;
	if (!anybody->bad) {
		anybody->bad = name;
		anybody->line = line;
	}
}

/* What anybody may get prints nothing about an application. */
static enum rc check_anybody(const struct template *tpl, const char *shown, const char *name, struct err *err)
{
	struct anybody anybody = {0};
	if (!(special_of(name) & FOR_ANYBODY))
		return RC_OK;
	template_each_placeholder(tpl, find_value_of_somebody, &anybody);
	return anybody.bad
		       ? err_set(err, RC_CONFIG,
				 "%s:%d: {{%s}} can't stand here: this mail also goes to addresses that are "
				 "not registered; it may only print the office's own data.",
				 shown, anybody.line, anybody.bad)
		       : RC_OK;
}

/* What is known of an application before it came to its end in `state`. */
static void sample_at(struct application *app, enum state state)
{
	app->state = state;
	if (state == STATE_NONE)
		app->id = 0;
	if (state == STATE_LOGO_AUTHORIZED)
		return;
	app->logo_authorized_on = CIVIL_DAY_NONE;
	if (state == STATE_ID_ISSUED)
		return;
	app->id_issued_on = CIVIL_DAY_NONE;
	app->declaration_id = app->user_number = 0;
}

static const struct logo sample_logos[] = {
	{1, CIVIL_DAY_NONE, (char[]){"https://logo.example.jp/one.zip"}, SECRET_LENT("Sample-1234")},
	{2, CIVIL_DAY_NONE, (char[]){"https://logo.example.jp/two.zip"}, SECRET_LENT("Sample-5678")},
};
static const struct notice_office sample_office = {
	.office_name = "SECURITY ACTION事務局",
	.organization = "独立行政法人情報処理推進機構 (IPA)",
	.department = "セキュリティセンター",
	.contact_mail = "security-action-info@sa.example.jp",
	.site_url = "https://sa.example.jp/",
	.logo = sample_logos,
	.logo_count = sizeof sample_logos / sizeof sample_logos[0],
};

static enum rc render_sample(const struct template *tpl, const char *name, enum applicant_type type,
	enum application_kind kind, enum state state, const struct notice_office *office,
	struct rendered *out, struct err *err)
{
	const int special = special_of(name);
	struct application app = *notice_sample(type, kind);
	sample_at(&app, state);
	struct notice_values values = {
		.app = &app,
		.office = office ? office : &sample_office,
		.today = app.clock_start,
		.reason_ja = special & HAS_REASON ? "理由" : NULL,
		.refused_rules_ja = special & HAS_REFUSED_RULES ? "不備" : NULL,
		.first_sent_on = special & HAS_FIRST_SENT_ON ? app.clock_start : CIVIL_DAY_NONE,
		.token = special & HAS_TOKEN ? "ABCDEF-GHJKMN-PQRSTV-WXYZ01" : NULL,
		.confirm_by = special & HAS_TOKEN ? app.clock_start + 7 : CIVIL_DAY_NONE,
		.stop_on = special & HAS_STOP_ON && !(special & AT_ONCE_TOO && type == (enum applicant_type)1)
				   ? app.clock_start + 7
				   : CIVIL_DAY_NONE,
		.changes = special & HAS_CHANGES ? "変更" : NULL,
		.scratch = STR_INIT,
	};
	enum rc rc = template_render(tpl, notice_value, &values, out, err);
	notice_values_free(&values);
	return rc;
}

enum rc notice_try(const struct template *tpl, const char *name, enum state state,
	const struct notice_office *office, struct err *err)
{
	struct rendered out = RENDERED_INIT;
	enum rc rc = RC_OK;
	for (int i = 0; i < 2 * (KIND_STEP_UP + 1) && rc == RC_OK; i++)
		if (render_sample(tpl, name, (enum applicant_type)(i % 2), (enum application_kind)(i / 2),
			    state, office, &out, err) != RC_OK)
			rc = err->rc = RC_CONFIG;
	rendered_free(&out);
	return rc;
}

/* ---- template sets ---- */

#define TEMPLATE_BYTES_MAX 65536
#define PACK_HEAD "sengen-templates 1 "

struct set_entry {
	char *name;
	struct str text; /* the file, byte for byte */
	struct template *tpl;
};

struct template_set {
	char *profile;
	struct set_entry *entry; /* by name */
	size_t count;
};

static bool is_template_name(const char *name, size_t len)
{
	return len > 0 && len <= 64 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") >= len;
}

static struct template_set *set_new(const char *profile, size_t len)
{
	struct template_set *set = xcalloc(1, sizeof *set);
	set->profile = xstrndup(profile, len);
	return set;
}

static enum rc set_add(struct template_set *set, const char *name, size_t name_len, const char *text,
	size_t len, struct err *err)
{
	set->entry = xrealloc(set->entry, (set->count + 1) * sizeof *set->entry);
	struct set_entry *entry = &set->entry[set->count++];
	*entry = (struct set_entry){.name = xstrndup(name, name_len), .text = STR_INIT};
	str_add(&entry->text, text, len);

	struct str shown = STR_INIT;
	str_printf(&shown, "%s/%s.txt", set->profile, entry->name);
	enum rc rc = template_parse(&entry->tpl, shown.s, text, len, notice_placeholders, err);
	str_free(&shown);
	return rc;
}

/* The widest state in which a notice of that name can be sent. */
static enum state state_tried_first(const char *name)
{
	return strcmp(name, NOTICE_REFUSED) == 0    ? STATE_NONE
	       : strcmp(name, NOTICE_REJECTED) == 0 ? STATE_RECEIVED
						    : STATE_LOGO_AUTHORIZED;
}

enum rc notice_example(const struct template *tpl, const char *name, enum state state,
	const struct notice_office *office, struct rendered *out, struct err *err)
{
	return render_sample(tpl, name, APPLICANT_CORPORATION, KIND_NEW1,
		state == STATE_COUNT ? state_tried_first(name) : state, office, out, err);
}

/* The head of a resent letter is one line, not a letter: it has no signature. */
static enum rc entry_check(const struct template_set *set, const struct set_entry *entry,
	const struct wording *wording, struct err *err)
{
	struct wording fragment = *wording;
	if (strcmp(entry->name, NOTICE_RESEND_HEAD) == 0)
		fragment.required = (struct strlist){0};
	struct str shown = STR_INIT;
	str_printf(&shown, "%s/%s.txt", set->profile, entry->name);
	enum rc rc = guard_wording(entry->tpl, shown.s, &fragment, err);
	if (rc == RC_OK)
		rc = guard_labels(entry->tpl, shown.s, err);
	if (rc == RC_OK)
		rc = check_anybody(entry->tpl, shown.s, entry->name, err);
	if (rc == RC_OK)
		rc = notice_try(entry->tpl, entry->name, state_tried_first(entry->name), NULL, err);
	str_free(&shown);
	return rc;
}

static enum rc set_read(
	struct template_set *set, const char *path, const struct wording *wording, struct err *err)
{
	struct strlist names = {0};
	enum rc rc = file_list_dir(&names, path, err) == RC_OK
			     ? RC_OK
			     : err_set(err, RC_CONFIG,
				       "The templates of profile %s can't be read from %s; set "
				       "template_directory, or put them there.",
				       set->profile, path);
	for (size_t i = 0; i < names.count && rc == RC_OK; i++) {
		const char *name = names.item[i];
		size_t len = strlen(name);
		if (!str_has_suffix(name, ".txt") || !is_template_name(name, len - 4))
			continue;
		struct str file = STR_INIT, text = STR_INIT;
		path_join(&file, path, name);
		rc = file_read(&text, file.s, TEMPLATE_BYTES_MAX, err);
		if (rc != RC_OK)
			rc = err->rc = RC_CONFIG;
		else
			rc = set_add(set, name, len - 4, text.s, text.len, err);
		if (rc == RC_OK)
			rc = entry_check(set, &set->entry[set->count - 1], wording, err);
		str_free(&text);
		str_free(&file);
	}
	strlist_free(&names);
	return rc;
}

enum rc template_set_load(struct template_set **set, const char *dir, const char *profile,
	const char *const *want, const struct wording *wording, struct err *err)
{
	struct template_set *fresh = set_new(profile, strlen(profile));
	struct str path = STR_INIT;
	path_join(&path, dir, profile);
	enum rc rc = set_read(fresh, path.s, wording, err);
	for (; rc == RC_OK && want && *want; want++)
		if (!template_set_find(fresh, *want))
			rc = err_set(err, RC_CONFIG,
				"%s/%s.txt is missing, but profile %s needs this notice.", path.s, *want,
				profile);
	str_free(&path);
	if (rc != RC_OK) {
		template_set_free(&fresh);
		return rc;
	}
	*set = fresh;
	return RC_OK;
}

void template_set_pack(const struct template_set *set, struct str *out)
{
	str_printf(out, PACK_HEAD "%s\n", set->profile);
	for (size_t i = 0; i < set->count; i++) {
		str_printf(out, "%s %zu\n", set->entry[i].name, set->entry[i].text.len);
		str_add(out, set->entry[i].text.s, set->entry[i].text.len);
	}
}

/* Takes "name length\n" and as many bytes from *at on; false when that does not stand there. */
static bool entry_unpack(const char **at, size_t *left, const char **name, size_t *name_len, size_t *len)
{
	const char *blank = memchr(*at, ' ', *left), *newline = memchr(*at, '\n', *left);
	if (!blank || !newline || blank > newline || newline - blank < 2 || newline - blank > 8 ||
		blank[1] == '0')
		return false;
	*name = *at;
	*name_len = (size_t)(blank - *at);
	*len = 0;
	for (const char *digit = blank + 1; digit < newline; digit++) {
		if (*digit < '0' || *digit > '9')
			return false;
		*len = *len * 10 + (size_t)(*digit - '0');
	}
	*left -= (size_t)(newline + 1 - *at);
	*at = newline + 1;
	return *len <= *left && is_template_name(*name, *name_len);
}

enum rc template_set_unpack(struct template_set **set, const char *packed, size_t len, struct err *err)
{
	const char *newline = memchr(packed, '\n', len);
	size_t head = strlen(PACK_HEAD);
	if (!newline || len < head || memcmp(packed, PACK_HEAD, head) != 0 ||
		!is_template_name(packed + head, (size_t)(newline - packed) - head))
		return err_set(err, RC_STORE,
			"A template set in the register is damaged; restore it from a backup.");
	struct template_set *fresh = set_new(packed + head, (size_t)(newline - packed) - head);
	const char *at = newline + 1;
	size_t left = len - (size_t)(at - packed);
	enum rc rc = RC_OK;
	while (left > 0 && rc == RC_OK) {
		const char *name;
		size_t name_len, text_len;
		if (!entry_unpack(&at, &left, &name, &name_len, &text_len)) {
			rc = err_set(err, RC_STORE,
				"A template set in the register is cut or altered; restore it from a "
				"backup.");
			break;
		}
		rc = set_add(fresh, name, name_len, at, text_len, err);
		at += text_len;
		left -= text_len;
	}
	if (rc != RC_OK) {
		template_set_free(&fresh);
		return rc;
	}
	*set = fresh;
	return RC_OK;
}

const struct template *template_set_find(const struct template_set *set, const char *name)
{
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->entry[i].name, name) == 0)
			// cppcheck-suppress CastIntegerToAddressAtReturn ; it takes `struct template` for C++
			return set->entry[i].tpl;
	return NULL;
}

void template_set_free(struct template_set **set)
{
	if (!*set)
		return;
	for (size_t i = 0; i < (*set)->count; i++) {
		free((*set)->entry[i].name);
		str_free(&(*set)->entry[i].text);
		template_free(&(*set)->entry[i].tpl);
	}
	free((*set)->entry);
	free((*set)->profile);
	free(*set);
	*set = NULL;
}
