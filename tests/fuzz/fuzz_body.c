/* Text that people and their mail programs wrote: HTML, quoted history, what is shown of it, what is compared of it. */
#include "lib/base/civil.h"
#include "lib/base/text.h"
#include "lib/desk/html.h"
#include "lib/mail/bounce_p.h"
#include "lib/mail/label.h"
#include "lib/mail/mask.h"
#include "lib/mail/message.h"
#include "lib/mail/quote.h"
#include "tests/fuzz/fuzz.h"

static void check_written(const char *body, size_t len)
{
	struct written written;
	written_split(&written, body);
	must_be_text(written.fresh.s);
	must_be_text(written.quoted.s);
	must_be_text(written.signature.s);
	MUST(written.fresh.len + written.quoted.len + written.signature.len <= 2 * len + 16);
	written_free(&written);
}

static void check_shown(const char *text)
{
	struct str shown = STR_INIT;
	text_add_printable(&shown, text);
	must_be_text(shown.s);
	for (size_t at = 0, step; at < shown.len; at += step) {
		uint32_t c = 0;
		step = utf8_next(shown.s + at, shown.len - at, &c);
		MUST(step > 0 && (!text_is_control(c) || c == '\n' || c == '\t'));
	}
	str_clear(&shown);
	html_text(&shown, text);
	MUST(!strpbrk(shown.s, "<>"));
	str_clear(&shown);
	html_attribute(&shown, text);
	MUST(!strpbrk(shown.s, "<>\"'"));
	str_clear(&shown);
	html_script_string(&shown, text);
	must_be_line(shown.s);
	MUST(shown.len >= 2 && !strpbrk(shown.s, "<>"));
	str_clear(&shown);
	html_url_path(&shown, text);
	MUST(!strpbrk(shown.s, "<>\"' "));
	str_clear(&shown);
	mask_add(&shown, NULL, text);
	must_be_text(shown.s);
	str_free(&shown);
}

typedef void text_fn(struct str *out, const char *text);

/* Keys are texts, and what is folded already stays as it is. (A key need not: where blanks go, characters may join.) */
static void check_keys(const char *text)
{
	static text_fn *const fold[] = {text_nfkc, text_fold, text_key, text_search_key};
	for (size_t i = 0; i < sizeof fold / sizeof *fold; i++) {
		struct str key = STR_INIT, again = STR_INIT;
		fold[i](&key, text);
		must_be_text(key.s);
		fold[i](&again, key.s);
		MUST(i > 1 || strcmp(key.s, again.s) == 0);
		str_free(&key);
		str_free(&again);
	}
	struct str key = STR_INIT;
	label_key(&key, text);
	must_be_text(key.s);
	str_clear(&key);
	(void)text_digits(&key, text);
	MUST(strspn(key.s, "0123456789") == key.len);
	str_clear(&key);
	bounce_fold(&key, text, strlen(text));
	must_be_text(key.s);
	str_free(&key);
	(void)label_read(text);
	MUST(text_columns(text) <= 2 * strlen(text));
	(void)text_has_url(text);
}

static void check_times(const char *text)
{
	utc_time at;
	civil_day day = civil_day_read(text);
	struct str printed = STR_INIT;
	if (day != CIVIL_DAY_NONE) {
		civil_day_print(&printed, day);
		MUST(civil_day_read(printed.s) == day);
		str_clear(&printed);
		civil_day_print_ja(&printed, day);
		MUST(civil_day_read(printed.s) == day);
	}
	str_clear(&printed);
	if (civil_time_read(text, &at)) {
		utc_time again;
		civil_rfc3339_print(&printed, at);
		MUST(civil_time_read(printed.s, &again) && again == at);
	}
	str_free(&printed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str plain = STR_INIT, text = STR_INIT;
	html_to_text(&plain, (const char *)data, size);
	/* As a body comes out of its charset. */
	for (size_t at = 0; at < size;) {
		uint32_t c = 0xFFFD;
		size_t step = utf8_next((const char *)data + at, size - at, &c);
		utf8_add(&text, c ? c : ' ');
		at += step ? step : 1;
	}
	if (utf8_valid((const char *)data, size))
		must_be_text(plain.s);
	check_written(text.s, text.len);
	check_shown(text.s);
	check_keys(text.s);
	check_times(text.s);
	str_free(&plain);
	str_free(&text);
	return 0;
}
