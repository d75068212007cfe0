/*
 * Bytes of a mail under any label, and header text: always UTF-8 comes out, and no more than the bytes can hold. What we write ourselves (ISO-2022-JP, CP932, names of
 * folders) is read as what it was.
 */

#include "lib/base/text.h"
#include "lib/mail/charset.h"
#include "lib/mail/iso2022jp.h"
#include "lib/mail/mailbox.h"
#include "tests/fuzz/fuzz.h"

static const char *const labels[] = {"", "utf-8", "iso-2022-jp", "shift_jis", "euc-jp", "iso-8859-1",
	"us-ascii", "utf-16", "utf-16le", "gb18030", "big5", "euc-kr", "utf-7", "nonsense"};

static void check_folder_name(const char *bytes, const char *text)
{
	struct str name = STR_INIT, wire = STR_INIT, again = STR_INIT;
	if (mutf7_to_utf8(&name, bytes)) {
		must_be_text(name.s);
		mutf7_add(&wire, name.s);
		MUST(mutf7_to_utf8(&again, wire.s) && strcmp(again.s, name.s) == 0);
	}
	str_clear(&wire);
	str_clear(&again);
	mutf7_add(&wire, text);
	for (size_t i = 0; i < wire.len; i++)
		MUST((unsigned char)wire.s[i] < 0x80);
	MUST(mutf7_to_utf8(&again, wire.s) && strcmp(again.s, text) == 0);
	str_free(&name);
	str_free(&wire);
	str_free(&again);
}

/* text: without NUL. */
static void check_written(const struct str *text)
{
	struct str wire = STR_INIT, again = STR_INIT, twice = STR_INIT;
	size_t bad = 0;
	if (iso2022jp_from_utf8(&wire, text->s, text->len, &bad)) {
		for (size_t i = 0; i < wire.len; i++)
			MUST((unsigned char)wire.s[i] < 0x80);
		MUST(charset_decode(&again, wire.s, wire.len, "iso-2022-jp", NULL) == 0);
		/* Folded to what JIS has, and then it stays. */
		MUST(iso2022jp_from_utf8(&twice, again.s, again.len, &bad));
		MUST(strcmp(twice.s, wire.s) == 0);
	} else {
		MUST(bad < text->len && wire.len == 0);
	}
	str_clear(&wire);
	str_clear(&again);
	if (text_to_cp932(&wire, text->s, text->len, &bad))
		MUST(text_from_cp932(&again, wire.s, wire.len, &bad));
	else
		MUST(bad < text->len);
	str_free(&wire);
	str_free(&again);
	str_free(&twice);
}

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
	if (strlen(text.s) == text.len && !memchr(text.s, 0x1B, text.len)) {
		struct str bytes = STR_INIT;
		str_add(&bytes, data + 1, size - 1);
		check_folder_name(bytes.s, text.s);
		check_written(&text);
		str_free(&bytes);
	}
	str_free(&text);
	str_free(&header);
	return 0;
}
