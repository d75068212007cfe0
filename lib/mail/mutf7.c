#include <string.h>

#include "lib/base/crypt.h"
#include "lib/base/text.h"
#include "lib/mail/mailbox.h"

static bool stands_for_itself(uint32_t c)
{
	return c >= 0x20 && c <= 0x7e;
}

static void add_utf16(struct str *out, uint32_t c)
{
	uint32_t unit[2] = {c};
	size_t count = 1;
	if (c > 0xffff) {
		unit[0] = 0xd800 + ((c - 0x10000) >> 10);
		unit[1] = 0xdc00 + ((c - 0x10000) & 0x3ff);
		count = 2;
	}
	for (size_t i = 0; i < count; i++) {
		str_addc(out, (char)(unit[i] >> 8));
		str_addc(out, (char)(unit[i] & 0xff));
	}
}

/* Base64 with ',' for '/' and without padding. */
static void add_shifted(struct str *out, struct str *units)
{
	struct str base64 = STR_INIT;
	if (units->len == 0)
		return;
	base64_add(&base64, units->s, units->len);
	str_addc(out, '&');
	for (size_t i = 0; i < base64.len && base64.s[i] != '='; i++)
		str_addc(out, base64.s[i] == '/' ? ',' : base64.s[i]);
	str_addc(out, '-');
	str_free(&base64);
	str_clear(units);
}

void mutf7_add(struct str *out, const char *utf8)
{
	struct str units = STR_INIT;
	size_t len = strlen(utf8), n;
	uint32_t c;
	for (; (n = utf8_next(utf8, len, &c)) > 0; utf8 += n, len -= n) {
		if (!stands_for_itself(c)) {
			add_utf16(&units, c);
			continue;
		}
		add_shifted(out, &units);
		str_addc(out, (char)c);
		if (c == '&')
			str_addc(out, '-');
	}
	add_shifted(out, &units);
	str_free(&units);
}

static bool add_from_utf16(struct str *out, const struct str *units)
{
	const unsigned char *b = (const unsigned char *)units->s;
	if (units->len == 0 || units->len % 2 != 0)
		return false;
	for (size_t i = 0; i < units->len; i += 2) {
		uint32_t c = (uint32_t)b[i] << 8 | b[i + 1];
		if (c >= 0xdc00 && c <= 0xdfff)
			return false;
		if (c >= 0xd800 && c <= 0xdbff) {
			i += 2;
			if (i >= units->len)
				return false;
			uint32_t low = (uint32_t)b[i] << 8 | b[i + 1];
			if (low < 0xdc00 || low > 0xdfff)
				return false;
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		}
		if (c == 0)
			return false;
		utf8_add(out, c);
	}
	return true;
}

/* What stands between '&' and '-'. */
static bool add_unshifted(struct str *out, const char *shifted, size_t len)
{
	struct str base64 = STR_INIT, units = STR_INIT;
	for (size_t i = 0; i < len; i++)
		str_addc(&base64, shifted[i] == ',' ? '/' : shifted[i]);
	while (base64.len % 4 != 0)
		str_addc(&base64, '=');
	bool good = !memchr(shifted, '/', len) && !memchr(shifted, '=', len) && !memchr(shifted, ' ', len) &&
		    base64_read(&units, base64.s, base64.len) && add_from_utf16(out, &units);
	str_free(&base64);
	str_free(&units);
	return good;
}

bool mutf7_to_utf8(struct str *out, const char *mutf7)
{
	for (const char *at = mutf7; *at; at++) {
		if (!stands_for_itself((unsigned char)*at))
			return false;
		if (*at != '&') {
			str_addc(out, *at);
			continue;
		}
		const char *end = strchr(at, '-');
		if (!end)
			return false;
		if (end == at + 1)
			str_addc(out, '&');
		else if (!add_unshifted(out, at + 1, (size_t)(end - at - 1)))
			return false;
		at = end;
	}
	return true;
}
