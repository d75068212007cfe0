#include "lib/mail/iso2022jp.h"

#include <iconv.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/text.h"

/* EUC-JP holds JIS X 0208 as two bytes over 0xA0, and what RFC 1468 lacks (half-width kana, JIS X 0212) behind a shift byte: the two
 * are told apart by looking, which the ISO-2022-JP converter itself does not allow. */
static iconv_t euc_jp = (iconv_t)-1;

static const struct {
	uint32_t from, to;
} folds[] = {
	{0x00a5, 0xffe5}, /* ¥ → ￥ */
	{0x203e, 0xffe3}, /* ‾ → ￣ */
	{0x2014, 0x2015}, /* — → ― */
	{0x2225, 0x2016}, /* ∥ → ‖ */
	{0xff0d, 0x2212}, /* － → − */
	{0xff5e, 0x301c}, /* ～ → 〜 */
	{0xffe0, 0x00a2}, /* ￠ → ¢ */
	{0xffe1, 0x00a3}, /* ￡ → £ */
	{0xffe2, 0x00ac}, /* ￢ → ¬ */
};

void iso2022jp_preload(void)
{
	if (euc_jp == (iconv_t)-1)
		euc_jp = iconv_open("EUC-JP", "UTF-8");
	if (euc_jp == (iconv_t)-1)
		die("the C library has no converter for EUC-JP; install its character set modules (libc6 "
		    "gconv)");
}

static bool to_jis_x_0208(uint32_t c, uint8_t jis[2])
{
	for (size_t i = 0; i < sizeof folds / sizeof folds[0]; i++)
		if (folds[i].from == c)
			c = folds[i].to;
	struct str utf8 = STR_INIT;
	utf8_add(&utf8, c);
	char *in = utf8.s, out[8], *out_at = out;
	size_t in_left = utf8.len, out_left = sizeof out;
	iconv(euc_jp, NULL, NULL, NULL, NULL);
	size_t replaced = iconv(euc_jp, &in, &in_left, &out_at, &out_left);
	str_free(&utf8);
	if (replaced != 0 || out_at - out != 2 || (uint8_t)out[0] < 0xa1 || (uint8_t)out[1] < 0xa1)
		return false;
	jis[0] = (uint8_t)out[0] & 0x7f;
	jis[1] = (uint8_t)out[1] & 0x7f;
	return true;
}

bool iso2022jp_from_utf8(struct str *out, const char *text, size_t len, size_t *bad_offset)
{
	iso2022jp_preload();
	size_t start = out->len;
	bool in_jis = false;
	for (size_t at = 0; at < len;) {
		uint32_t c = 0;
		uint8_t jis[2];
		size_t width = utf8_next(text + at, len - at, &c);
		bool is_ascii = width == 1;
		/* ESC, SO and SI would switch the reader's character set. */
		if (width == 0 || c == 0x1b || c == 0x0e || c == 0x0f ||
			(!is_ascii && !to_jis_x_0208(c, jis))) {
			*bad_offset = at;
			str_cut(out, start);
			return false;
		}
		if (is_ascii == in_jis) {
			str_addz(out, is_ascii ? "\033(B" : "\033$B");
			in_jis = !is_ascii;
		}
		if (is_ascii)
			str_addc(out, (char)c);
		else
			str_add(out, jis, 2);
		at += width;
	}
	if (in_jis)
		str_addz(out, "\033(B");
	return true;
}
