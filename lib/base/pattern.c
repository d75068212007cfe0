#include "lib/base/pattern.h"

#include <locale.h>
#include <string.h>

#include "lib/base/text.h"

/* 申し?込み → 申(し)?込み */
static void group_characters(struct str *out, const char *pattern)
{
	size_t len = strlen(pattern);
	for (size_t at = 0; at < len;) {
		uint32_t c;
		size_t step = utf8_next(pattern + at, len - at, &c);
		step = step ? step : 1;
		char next = pattern[at + step];
		if (step > 1 && next && strchr("?*+{", next))
			str_printf(out, "(%.*s)", (int)step, pattern + at);
		else
			str_add(out, pattern + at, step);
		at += step;
	}
}

int pattern_compile(regex_t *out, const char *pattern, int flags)
{
	static locale_t bytes; /* glibc remembers with the expression how it was compiled */
	if (!bytes)
		bytes = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	struct str grouped = STR_INIT;
	group_characters(&grouped, pattern);
	locale_t before = uselocale(bytes);
	int fault = regcomp(out, grouped.s, REG_EXTENDED | flags);
	(void)uselocale(before);
	str_free(&grouped);
	return fault;
}
