/* Bytes of a mail under any label, and header text: always UTF-8 comes out, and no more than the bytes can hold. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/mail/charset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const labels[] = {"", "utf-8", "iso-2022-jp", "shift_jis", "euc-jp", "iso-8859-1",
	"us-ascii", "utf-16", "utf-16le", "gb18030", "big5", "euc-kr", "utf-7", "nonsense"};

/* The first byte chooses the label. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	const char *label = labels[data[0] % (sizeof labels / sizeof *labels)], *used = NULL;
	struct str text = STR_INIT, header = STR_INIT;
	size_t bad = charset_decode(&text, (const char *)data + 1, size - 1, label, &used);
	header_decode(&header, (const char *)data + 1, size - 1);
	if (!utf8_valid(text.s, text.len) || !utf8_valid(header.s, header.len) || bad > size || !used)
		abort();
	for (size_t i = 0; i < header.len; i++)
		if ((unsigned char)header.s[i] < ' ')
			abort();
	if (text.len > size * 6 || header.len > size * 6)
		abort();
	str_free(&text);
	str_free(&header);
	return 0;
}
