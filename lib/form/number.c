#include "lib/form/number.h"

#include <string.h>

bool corporate_number_valid(const char *digits)
{
	int sum = 0;
	for (int i = 0; i < 13; i++) {
		if (digits[i] < '0' || digits[i] > '9')
			return false;
	}
	if (digits[13] != '\0')
		return false;
	for (int n = 1; n <= 12; n++) /* counted from the lowest digit; weights 1, 2, 1, 2 … */
		sum += (digits[13 - n] - '0') * (n % 2 ? 1 : 2);
	return digits[0] - '0' == 9 - sum % 9;
}

void postal_code_print(struct str *out, const char *digits)
{
	str_printf(out, "%.3s-%s", digits, digits + 3);
}

void telephone_print(struct str *out, const char *digits)
{
	static const struct {
		const char *prefix;
		int area, local;
	} plans[] = {
		{"0120", 4, 3},
		{"0570", 4, 3},
		{"0990", 4, 3},
		{"03", 2, 4},
		{"06", 2, 4},
		{"", 3, 3},
	};
	int area = 3, local = 4; /* 11 digits */
	for (size_t i = 0; strlen(digits) == 10 && i < sizeof plans / sizeof *plans; i++) {
		if (!str_has_prefix(digits, plans[i].prefix))
			continue;
		area = plans[i].area;
		local = plans[i].local;
		break;
	}
	str_printf(out, "%.*s-%.*s-%s", area, digits, local, digits + area, digits + area + local);
}
