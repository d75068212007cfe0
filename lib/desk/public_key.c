#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/desk/public_p.h"

#define FORMS_MAX 64

static int longer_first(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;
	size_t left = strlen(x), right = strlen(y);
	return left != right ? (left < right ? 1 : -1) : strcmp(x, y);
}

const char *const *public_forms(void)
{
	static const char *forms[FORMS_MAX + 1];
	static size_t count;
	if (count > 0)
		return forms;
	for (size_t i = 0; i < text_company_form_count; i++) {
		size_t known = 0;
		while (known < count && strcmp(forms[known], text_company_forms[i][1]) != 0)
			known++;
		if (known == FORMS_MAX)
			die("there are more than %d kinds of company", FORMS_MAX);
		if (known == count)
			forms[count++] = text_company_forms[i][1];
	}
	qsort(forms, count, sizeof *forms, longer_first);
	return forms;
}

bool public_is_form(uint32_t c)
{
	return c >= PUBLIC_FORM_FIRST && c < PUBLIC_FORM_FIRST + FORMS_MAX;
}

/* Keys stand in string literals of script files; nobody looks for these. */
static bool ends_string(unsigned char c)
{
	return c < 0x20 || c == '"' || c == '\\' || c == 0x7F;
}

void public_key(struct str *out, const char *name)
{
	const char *const *forms = public_forms();
	struct str key = STR_INIT;
	text_key(&key, name);
	for (size_t at = 0; at < key.len;) {
		uint32_t form = 0;
		while (forms[form] && !str_has_prefix(key.s + at, forms[form]))
			form++;
		if (forms[form]) {
			utf8_add(out, PUBLIC_FORM_FIRST + form);
			at += strlen(forms[form]);
		} else if (ends_string((unsigned char)key.s[at])) {
			at++;
		} else {
			str_addc(out, key.s[at++]);
		}
	}
	str_free(&key);
}

const char *public_sort_name(const char *key)
{
	const char *at = key;
	uint32_t c;
	for (size_t size; (size = utf8_next(at, strlen(at), &c)) > 0 && public_is_form(c);)
		at += size;
	return *at ? at : key;
}
