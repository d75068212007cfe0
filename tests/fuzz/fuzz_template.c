/* A template file as somebody's editor left it, and values as somebody's form had them: parse, render, guard, pack, and the mail that comes of it. */
#include "lib/mail/compose.h"
#include "lib/mail/notice.h"
#include "lib/mail/reread.h"
#include "tests/fuzz/fuzz.h"

static struct application applicant(char *value)
{
	struct application app = *notice_sample(APPLICANT_CORPORATION, KIND_STEP_UP);
	app.form.value[FIELD_BUSINESS_NAME] = value;
	app.form.value[FIELD_CONTACT] = value;
	return app;
}

/* Seven bits, short lines, one of each field; and the letter is in it. */
static void check_mail(const struct rendered *letter, enum mail_charset charset)
{
	struct compose mail = {.from_name = "事務局",
		.from = "office@sa.example.jp",
		.reply_to = "office@sa.example.jp",
		.to = "taro@example.co.jp",
		.message_id = "id.1.0@sa.example.jp",
		.date = 1780000000,
		.subject = letter->subject.s,
		.body = letter->body.s,
		.headers = letter->headers.s,
		.loop_mark = "1",
		.auto_submitted = "auto-generated",
		.charset = charset};
	struct str wire = STR_INIT, subject = STR_INIT, body = STR_INIT;
	struct err err = {0};
	if (compose(&wire, &mail, &err) == RC_OK) {
		MUST(strlen(wire.s) == wire.len);
		size_t column = 0;
		for (size_t i = 0; i < wire.len; i++) {
			MUST(!(wire.s[i] & 0x80) && (wire.s[i] != '\n' || (i && wire.s[i - 1] == '\r')));
			MUST(wire.s[i] != '\r' || wire.s[i + 1] == '\n');
			column = wire.s[i] == '\n' ? 0 : column + 1;
			MUST(column <= 998);
		}
		char *end = strstr(wire.s, "\r\n\r\n");
		MUST(end);
		*end = '\0';
		MUST(strcasestr(wire.s, "\r\nTo:") && !strcasestr(wire.s, "\r\nBcc:") &&
			!strcasestr(wire.s, "\r\nCc:"));
		*end = '\r';
		MUST(reread(&subject, &body, wire.s, wire.len, &err) == RC_OK);
		MUST(charset == CHARSET_ISO_2022_JP || strcmp(subject.s, letter->subject.s) == 0);
	}
	str_free(&wire);
	str_free(&subject);
	str_free(&body);
}

static void render(const struct template *tpl, char *value)
{
	static const struct notice_office office = {.office_name = "事務局",
		.organization = "",
		.department = NULL,
		.contact_mail = "office@example.jp"};
	struct application app = applicant(value);
	struct notice_values values = {.app = &app, .office = &office, .today = 20549, .scratch = STR_INIT};
	struct rendered out = RENDERED_INIT;
	struct err err = {0};
	const char *const allowed[] = {value, NULL};
	if (template_render(tpl, notice_value, &values, &out, &err) == RC_OK) {
		if (memchr(out.subject.s, '\n', out.subject.len) || strlen(out.subject.s) != out.subject.len)
			abort();
		(void)guard_foreign(&out, allowed, &err);
		if (guard_characters(&out, &err) == RC_OK) {
			check_mail(&out, CHARSET_UTF8);
			check_mail(&out, CHARSET_ISO_2022_JP);
		}
	}
	rendered_free(&out);
	notice_values_free(&values);
}

/* The part before the first NUL byte is the template, the part behind it a value. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct wording wording;
	static bool ready;
	struct err err = {0};
	if (!ready && wording_load(&wording, NULL, &err) != RC_OK)
		abort();
	ready = true;

	const uint8_t *nul = size ? memchr(data, 0, size) : NULL;
	size_t len = nul ? (size_t)(nul - data) : size;
	char *value = nul ? xstrndup((const char *)nul + 1, size - len - 1) : xstrdup("見本");
	struct template *tpl = NULL;
	if (template_parse(&tpl, "t", (const char *)data, len, notice_placeholders, &err) == RC_OK) {
		(void)guard_wording(tpl, "t", &wording, &err);
		(void)guard_labels(tpl, "t", &err);
		render(tpl, value);
		template_free(&tpl);
	}
	struct template_set *set = NULL;
	if (template_set_unpack(&set, (const char *)data, size, &err) == RC_OK) {
		struct str packed = STR_INIT;
		template_set_pack(set, &packed);
		if (packed.len != size || memcmp(packed.s, data, size) != 0)
			abort();
		str_free(&packed);
		template_set_free(&set);
	}
	free(value);
	return 0;
}
