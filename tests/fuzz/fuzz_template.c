/* A template file as somebody's editor left it, and values as somebody's form had them: parse, render, guard, pack. */
#include <stdlib.h>
#include <string.h>

#include "lib/mail/notice.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct application applicant(char *value)
{
	struct application app = *notice_sample(APPLICANT_CORPORATION, KIND_STEP_UP);
	app.form.value[FIELD_BUSINESS_NAME] = value;
	app.form.value[FIELD_CONTACT] = value;
	return app;
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
		(void)guard_characters(&out, &err);
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
