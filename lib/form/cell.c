#include "lib/form/cell.h"

#include <string.h>

#include "lib/base/text.h"
#include "lib/form/number.h"
#include "lib/register.h"

static bool all_digits(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

/* What a spreadsheet would take for a date or a number and change: 1-5, 1/2/3, 007, 1234567890123. */
static bool would_change(const char *text)
{
	size_t group[3] = {0}, groups = 0;
	for (const char *p = text; groups < 3; p++) {
		size_t digits = strspn(p, "0123456789");
		group[groups++] = digits;
		p += digits;
		if (*p != '-' && *p != '/') {
			if (*p || digits == 0)
				return false;
			break;
		}
	}
	if (groups == 1)
		return group[0] > 11 || (group[0] > 1 && *text == '0');
	return group[0] >= 1 && group[0] <= 2 && group[1] >= 1 && group[1] <= 2 && group[2] <= 4 &&
	       strspn(text, "0123456789-/") == strlen(text);
}

/* Behind blanks of any kind. */
static const char *skip_blanks(const char *text)
{
	static const char *const blanks[] = {" ", "\t", "\r", "\n", "\u00A0", "\u3000"};
	for (size_t i = 0; i < sizeof blanks / sizeof *blanks;) {
		size_t len = strlen(blanks[i]);
		bool found = strncmp(text, blanks[i], len) == 0;
		text += found ? len : 0;
		i = found ? 0 : i + 1;
	}
	return text;
}

bool cell_is_formula(const char *text)
{
	static const char *const wide[] = {"＝", "＋", "－", "＠"};
	const char *at = skip_blanks(text);
	if (*at && strchr("=+-@", *at))
		return true;
	/* Alone, － says that there is nothing. */
	for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
		if (str_has_prefix(at, wide[i]) && at[strlen(wide[i])])
			return true;
	return *text == '\t' || *text == '\r' || *text == '\n';
}

void cell_quote(struct str *out, const char *text)
{
	bool quote = strpbrk(text, ",\"\r\n;\t") || *text == ' ';
	if (quote)
		str_addc(out, '"');
	for (; *text; text++) {
		if (*text == '"')
			str_addc(out, '"');
		str_addc(out, *text);
	}
	if (quote)
		str_addc(out, '"');
}

void cell_add(struct str *out, int field, const char *cell)
{
	struct str digits = STR_INIT, value = STR_INIT;
	bool only = text_digits(&digits, cell);
	if (field == FIELD_CORPORATE_NUMBER && only && digits.len == 13)
		str_printf(&value, "T%s", digits.s);
	else if (field == FIELD_POSTAL_CODE && only && digits.len == 7)
		postal_code_print(&value, digits.s);
	else if (field == FIELD_TELEPHONE && all_digits(cell) && digits.s[0] == '0' &&
		 (digits.len == 10 || digits.len == 11))
		telephone_print(&value, digits.s);
	else if (cell_is_formula(cell) || (field != FIELD_APPLIED_ON && would_change(cell)))
		str_printf(&value, "'%s", cell);
	else
		str_addz(&value, cell);
	cell_quote(out, value.s);
	str_free(&digits);
	str_free(&value);
}
