#include "lib/mail/charset.h"

#include <ctype.h>
#include <errno.h>
#include <iconv.h>
#include <string.h>
#include <strings.h>

#include "lib/base/crypt.h"
#include "lib/base/err.h"
#include "lib/base/text.h"

/* ---- the names mailers use ---- */

enum coding {
	CODING_NONE, /* no label, or one that says nothing */
	CODING_ASCII,
	CODING_UTF8,
	CODING_JIS,
	CODING_CP932,
	CODING_EUC,
	CODING_LATIN1,
	CODING_GB18030,
	CODING_BIG5,
	CODING_KOREAN,
	CODING_UTF16LE,
	CODING_UTF16BE,
	CODING_COUNT
};

static const struct {
	const char *shown; /* what *used says */
	const char *converter; /* iconv's name; NULL: decoded here or by text.h */
} codings[CODING_COUNT] = {
	[CODING_NONE] = {"", NULL},
	[CODING_ASCII] = {"US-ASCII", NULL},
	[CODING_UTF8] = {"UTF-8", NULL},
	[CODING_JIS] = {"ISO-2022-JP", NULL},
	[CODING_CP932] = {"CP932", NULL},
	[CODING_EUC] = {"EUC-JP", "EUC-JP-MS"},
	[CODING_LATIN1] = {"ISO-8859-1", "WINDOWS-1252"},
	[CODING_GB18030] = {"GB18030", "GB18030"},
	[CODING_BIG5] = {"Big5", "BIG5"},
	[CODING_KOREAN] = {"EUC-KR", "UHC"},
	[CODING_UTF16LE] = {"UTF-16LE", "UTF-16LE"},
	[CODING_UTF16BE] = {"UTF-16BE", "UTF-16BE"},
};

static const struct {
	const char *label; /* lower case, without _ - and blanks */
	enum coding coding;
} labels[] = {
	{"utf8", CODING_UTF8},
	{"unicode11utf8", CODING_UTF8},
	{"utf8n", CODING_UTF8},
	{"utf8mb4", CODING_UTF8},
	{"usascii", CODING_ASCII},
	{"ascii", CODING_ASCII},
	{"ansix3.41968", CODING_ASCII},
	{"7bit", CODING_NONE},
	{"iso2022jp", CODING_JIS},
	{"iso2022jp1", CODING_JIS},
	{"iso2022jp2", CODING_JIS},
	{"iso2022jp3", CODING_JIS},
	{"iso2022jpms", CODING_JIS},
	{"csiso2022jp", CODING_JIS},
	{"jis", CODING_JIS},
	{"cp50220", CODING_JIS},
	{"cp50221", CODING_JIS},
	{"cp50222", CODING_JIS},
	{"windows50220", CODING_JIS},
	{"shiftjis", CODING_CP932},
	{"xsjis", CODING_CP932},
	{"sjis", CODING_CP932},
	{"xshiftjis", CODING_CP932},
	{"mskanji", CODING_CP932},
	{"csshiftjis", CODING_CP932},
	{"windows31j", CODING_CP932},
	{"cswindows31j", CODING_CP932},
	{"cp932", CODING_CP932},
	{"ms932", CODING_CP932},
	{"windows932", CODING_CP932},
	{"xmscp932", CODING_CP932},
	{"eucjp", CODING_EUC},
	{"xeucjp", CODING_EUC},
	{"xeuc", CODING_EUC},
	{"eucjpms", CODING_EUC},
	{"cseucpkdfmtjapanese", CODING_EUC},
	{"cp51932", CODING_EUC},
	{"ujis", CODING_EUC},
	{"iso88591", CODING_LATIN1},
	{"latin1", CODING_LATIN1},
	{"windows1252", CODING_LATIN1},
	{"cp1252", CODING_LATIN1},
	{"iso885915", CODING_LATIN1},
	{"gb2312", CODING_GB18030},
	{"gbk", CODING_GB18030},
	{"gb18030", CODING_GB18030},
	{"cp936", CODING_GB18030},
	{"hzgb2312", CODING_GB18030},
	{"big5", CODING_BIG5},
	{"cp950", CODING_BIG5},
	{"euckr", CODING_KOREAN},
	{"ksc56011987", CODING_KOREAN},
	{"ksc5601", CODING_KOREAN},
	{"cp949", CODING_KOREAN},
	{"utf16", CODING_UTF16BE},
	{"utf16le", CODING_UTF16LE},
	{"utf16be", CODING_UTF16BE},
};

static enum coding coding_of(const char *label)
{
	char folded[32];
	size_t len = 0;
	for (; label && *label && len + 1 < sizeof folded; label++)
		if (!strchr("-_ \t\"'", *label))
			folded[len++] = (char)tolower((unsigned char)*label);
	folded[len] = '\0';
	for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
		if (strcmp(labels[i].label, folded) == 0)
			return labels[i].coding;
	return CODING_NONE;
}

/* ---- converters ---- */

#define JIS_CELLS 94

static iconv_t converter[CODING_COUNT];
static bool converter_open[CODING_COUNT];
static uint16_t jis_table[JIS_CELLS]
			 [JIS_CELLS]; /* row, cell of JIS X 0208 with vendor rows → UTF-16; 0: none */
static uint16_t jis_supplement[JIS_CELLS][JIS_CELLS]; /* JIS X 0212 */
static bool jis_ready;

static iconv_t open_converter(enum coding coding)
{
	if (!converter_open[coding]) {
		converter[coding] = iconv_open("UTF-8", codings[coding].converter);
		if (converter[coding] == (iconv_t)-1)
			die("the converter for %s is missing from this system", codings[coding].converter);
		converter_open[coding] = true;
	}
	return converter[coding];
}

/* Row and cell (from 0) as Windows sends them: through Shift_JIS positions to CP932, which knows the NEC and IBM extensions. */
static void fill_jis_tables(void)
{
	iconv_t cp932 = iconv_open("UTF-16LE", "CP932");
	iconv_t euc = iconv_open("UTF-16LE", "EUC-JP");
	if (cp932 == (iconv_t)-1 || euc == (iconv_t)-1)
		die("the converters for CP932 and EUC-JP are missing from this system");
	for (unsigned row = 0; row < JIS_CELLS; row++) {
		for (unsigned cell = 0; cell < JIS_CELLS; cell++) {
			unsigned lead = row / 2 + (row < 62 ? 0x81 : 0xC1);
			unsigned trail = row % 2 ? cell + 0x9F : cell + (cell < 63 ? 0x40 : 0x41);
			char sjis[2] = {(char)lead, (char)trail};
			char supplement[3] = {(char)0x8F, (char)(row + 0xA1), (char)(cell + 0xA1)};
			const struct {
				iconv_t from;
				char *bytes;
				size_t len;
				uint16_t *to;
			} turn[] = {{cp932, sjis, 2, &jis_table[row][cell]},
				{euc, supplement, 3, &jis_supplement[row][cell]}};
			for (size_t i = 0; i < 2; i++) {
				unsigned char wide[8];
				char *in = turn[i].bytes, *out = (char *)wide;
				size_t in_left = turn[i].len, out_left = sizeof wide;
				(void)iconv(turn[i].from, NULL, NULL, NULL, NULL);
				if (iconv(turn[i].from, &in, &in_left, &out, &out_left) != (size_t)-1 &&
					out_left == sizeof wide - 2)
					*turn[i].to = (uint16_t)(wide[0] | wide[1] << 8);
			}
		}
	}
	(void)iconv_close(cp932);
	(void)iconv_close(euc);
	jis_ready = true;
}

void charset_preload(void)
{
	if (!jis_ready)
		fill_jis_tables();
	text_preload();
	for (int coding = 0; coding < CODING_COUNT; coding++)
		if (codings[coding].converter)
			(void)open_converter((enum coding)coding);
}

/* ---- decoding, never failing: what has no reading becomes U+FFFD and is counted ---- */

static size_t decode_utf8(struct str *out, const char *bytes, size_t len)
{
	size_t bad = 0;
	for (size_t at = 0; at < len;) {
		uint32_t c;
		size_t step = utf8_next(bytes + at, len - at, &c);
		if (step == 0) {
			utf8_add(out, 0xFFFD);
			bad++;
			step = 1;
			/* The rest of a broken sequence is one loss, not several. */
			while (at + step < len && ((unsigned char)bytes[at + step] & 0xC0u) == 0x80u)
				step++;
		} else if (!(at == 0 && c == 0xFEFF)) {
			str_add(out, bytes + at, step);
		}
		at += step;
	}
	return bad;
}

static size_t decode_cp932(struct str *out, const char *bytes, size_t len)
{
	size_t bad = 0;
	while (len > 0) {
		size_t offset = 0;
		if (text_from_cp932(out, bytes, len, &offset))
			break;
		utf8_add(out, 0xFFFD);
		bad++;
		bytes += offset + 1;
		len -= offset + 1;
	}
	return bad;
}

static size_t decode_iconv(struct str *out, const char *bytes, size_t len, enum coding coding)
{
	iconv_t cd = open_converter(coding);
	size_t bad = 0;
	(void)iconv(cd, NULL, NULL, NULL, NULL);
	char *in = (char *)(uintptr_t)bytes; /* iconv's prototype lacks a const; it does not write */
	while (len > 0) {
		char piece[4096], *to = piece;
		size_t room = sizeof piece;
		size_t done = iconv(cd, &in, &len, &to, &room);
		str_add(out, piece, sizeof piece - room);
		if (done != (size_t)-1 || errno == E2BIG)
			continue;
		utf8_add(out, 0xFFFD);
		bad++;
		in++;
		len--;
	}
	return bad;
}

enum jis_set { SET_ASCII, SET_KATAKANA, SET_0208, SET_0212 };

static const struct {
	const char *escape;
	enum jis_set set;
} escapes[] = {
	{"\033$(D", SET_0212},
	{"\033$(B", SET_0208},
	{"\033$(@", SET_0208},
	{"\033$@", SET_0208},
	{"\033$B", SET_0208},
	{"\033&@\033$B", SET_0208},
	{"\033(B", SET_ASCII},
	{"\033(J", SET_ASCII},
	{"\033(H", SET_ASCII},
	{"\033(I", SET_KATAKANA},
};

static size_t escape_at(const char *bytes, size_t len, enum jis_set *set)
{
	for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++) {
		size_t n = strlen(escapes[i].escape);
		if (n <= len && memcmp(bytes, escapes[i].escape, n) == 0) {
			*set = escapes[i].set;
			return n;
		}
	}
	return 0;
}

/* CP50221: the escapes of ISO-2022-JP over the repertoire of CP932, with half-width kana (ESC ( I, SO/SI, or bare 8-bit). */
static size_t decode_jis(struct str *out, const char *bytes, size_t len)
{
	if (!jis_ready)
		fill_jis_tables();
	size_t bad = 0;
	enum jis_set set = SET_ASCII, before_shift = SET_ASCII;
	for (size_t at = 0; at < len;) {
		unsigned char c = (unsigned char)bytes[at];
		size_t step;
		if (c == 0x1B && (step = escape_at(bytes + at, len - at, &set)) > 0) {
			at += step;
			continue;
		}
		at++;
		if (c == 0x0E) {
			before_shift = set;
			set = SET_KATAKANA;
		} else if (c == 0x0F) {
			set = before_shift;
		} else if (c == '\n' || c == '\r') {
			set = SET_ASCII; /* RFC 1468: a line ends in ASCII, whether the writer knew it or not */
			str_addc(out, (char)c);
		} else if (c >= 0xA1 && c <= 0xDF) {
			utf8_add(out, 0xFF61u + (c - 0xA1u));
		} else if (c <= 0x20 || c == 0x7F) {
			str_addc(out, (char)c);
		} else if (c > 0x7F) {
			utf8_add(out, 0xFFFD);
			bad++;
		} else if (set == SET_ASCII) {
			str_addc(out, (char)c);
		} else if (set == SET_KATAKANA) {
			if (c <= 0x5F) {
				utf8_add(out, 0xFF61u + (c - 0x21u));
			} else {
				utf8_add(out, 0xFFFD);
				bad++;
			}
		} else {
			unsigned char d = at < len ? (unsigned char)bytes[at] : 0;
			uint16_t wide = 0;
			if (d >= 0x21 && d <= 0x7E && c >= 0x21 && c <= 0x7E) {
				wide = set == SET_0208 ? jis_table[c - 0x21][d - 0x21]
						       : jis_supplement[c - 0x21][d - 0x21];
				at++;
			}
			if (!wide)
				bad++;
			utf8_add(out, wide ? wide : 0xFFFD);
		}
	}
	return bad;
}

static size_t decode(struct str *out, const char *bytes, size_t len, enum coding coding)
{
	switch (coding) {
	case CODING_JIS:
		return decode_jis(out, bytes, len);
	case CODING_CP932:
		return decode_cp932(out, bytes, len);
	case CODING_NONE:
	case CODING_ASCII:
	case CODING_UTF8:
		return decode_utf8(out, bytes, len);
	case CODING_EUC:
	case CODING_LATIN1:
	case CODING_GB18030:
	case CODING_BIG5:
	case CODING_KOREAN:
	case CODING_UTF16LE:
	case CODING_UTF16BE:
	case CODING_COUNT:
		break;
	}
	return decode_iconv(out, bytes, len, coding);
}

/* ---- guessing ---- */

/* How much a decoding looks like Japanese: hiragana, katakana, kanji and their punctuation count for it; half-width kana, private
 * use, Latin-1 letters and losses, which wrong readings are full of, against it. */
static long likelihood(const char *text, size_t len)
{
	long score = 0;
	for (size_t at = 0; at < len;) {
		uint32_t c;
		size_t step = utf8_next(text + at, len - at, &c);
		if (step == 0)
			break;
		at += step;
		if (c >= 0x3041 && c <= 0x3093)
			score += 6; /* hiragana: no Japanese mail is without */
		else if ((c >= 0x30A1 && c <= 0x30FC) || (c >= 0x3001 && c <= 0x3002) ||
			 (c >= 0x300C && c <= 0x300D))
			score += 4;
		else if (c >= 0x4E00 && c <= 0x9FFF)
			score += 2;
		else if (c >= 0xFF01 && c <= 0xFF5E)
			score += 1;
		else if (c >= 0xFF61 && c <= 0xFF9F)
			score -= 3;
		else if (c == 0xFFFD || (c >= 0xE000 && c <= 0xF8FF))
			score -= 20;
		else if (c >= 0x80 && c <= 0x24F)
			score -= 2;
	}
	return score;
}

static enum coding guess(const char *bytes, size_t len)
{
	if (utf8_valid(bytes, len))
		return CODING_UTF8;
	static const enum coding candidates[] = {CODING_CP932, CODING_EUC, CODING_UTF8, CODING_LATIN1};
	enum coding best = CODING_UTF8;
	long best_score = 0;
	for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++) {
		struct str text = STR_INIT;
		size_t sample = len < 65536 ? len : 65536;
		(void)decode(&text, bytes, sample, candidates[i]);
		long score = likelihood(text.s, text.len);
		str_free(&text);
		if (i == 0 || score > best_score) {
			best = candidates[i];
			best_score = score;
		}
	}
	return best;
}

static bool has_8bit(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)bytes[i] & 0x80u)
			return true;
	return false;
}

static bool has_escapes(const char *bytes, size_t len)
{
	const char *at = bytes, *end = bytes + len;
	while ((at = memchr(at, 0x1B, (size_t)(end - at)))) {
		enum jis_set set;
		if (escape_at(at, (size_t)(end - at), &set))
			return true;
		at++;
	}
	return false;
}

size_t charset_decode(struct str *out, const char *bytes, size_t len, const char *label, const char **used)
{
	enum coding declared = coding_of(label), coding = declared;
	if (declared == CODING_UTF16BE && len >= 2 && bytes[0] == (char)0xFF && bytes[1] == (char)0xFE)
		coding = CODING_UTF16LE;
	else if (declared == CODING_UTF16BE || declared == CODING_UTF16LE)
		coding = declared;
	else if (has_escapes(bytes, len) &&
		 (declared == CODING_JIS || !has_8bit(bytes, len) || !utf8_valid(bytes, len)))
		coding = CODING_JIS;
	else if (!has_8bit(bytes, len))
		coding = CODING_ASCII;
	else if (declared == CODING_NONE || declared == CODING_ASCII || declared == CODING_LATIN1 ||
		 declared == CODING_JIS)
		coding = guess(bytes, len);

	size_t start = out->len;
	size_t bad = decode(out, bytes, len, coding);
	if (bad > 0 && coding == declared && coding != CODING_JIS) { /* the label does not fit the bytes */
		enum coding other = guess(bytes, len);
		struct str again = STR_INIT;
		size_t other_bad = other == coding ? bad : decode(&again, bytes, len, other);
		if (other_bad < bad) {
			str_cut(out, start);
			str_add(out, again.s, again.len);
			bad = other_bad;
			coding = other;
		}
		str_free(&again);
	}
	if (used)
		*used = codings[coding].shown;
	return bad;
}

/* ---- RFC 2047 ---- */

struct word {
	const char *charset;
	size_t charset_len;
	bool base64;
	const char *text;
	size_t text_len;
	size_t len; /* of the whole encoded word */
};

static bool read_word(struct word *word, const char *at, const char *end)
{
	if (end - at < 8 || at[0] != '=' || at[1] != '?')
		return false;
	const char *charset = at + 2;
	const char *q = memchr(charset, '?', (size_t)(end - charset));
	if (!q || q == charset || q - charset > 40 || end - q < 3 || q[2] != '?' || !strchr("BbQq", q[1]))
		return false;
	const char *text = q + 3;
	const char *stop = text;
	while (stop + 1 < end && !(stop[0] == '?' && stop[1] == '='))
		stop++;
	if (stop + 1 >= end)
		return false;
	const char *star = memchr(charset, '*', (size_t)(q - charset)); /* RFC 2231 section 5: language */
	*word = (struct word){
		.charset = charset,
		.charset_len = (size_t)((star ? star : q) - charset),
		.base64 = q[1] == 'B' || q[1] == 'b',
		.text = text,
		.text_len = (size_t)(stop - text),
		.len = (size_t)(stop + 2 - at),
	};
	return true;
}

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *p = c ? strchr(digits, tolower((unsigned char)c)) : NULL;
	return p ? (int)(p - digits) : -1;
}

static void add_word_bytes(struct str *out, const struct word *word)
{
	if (word->base64) {
		/* Padding is often lost where a long word was cut. */
		struct str padded = STR_INIT;
		for (size_t i = 0; i < word->text_len; i++)
			if (isalnum((unsigned char)word->text[i]) || strchr("+/", word->text[i]))
				str_addc(&padded, word->text[i]);
		if (padded.len % 4 == 1)
			str_cut(&padded, padded.len - 1);
		while (padded.len % 4)
			str_addc(&padded, '=');
		(void)base64_read(out, padded.s, padded.len);
		str_free(&padded);
		return;
	}
	for (size_t i = 0; i < word->text_len; i++) {
		char c = word->text[i];
		if (c == '_') {
			str_addc(out, ' ');
		} else if (c == '=' && i + 2 < word->text_len && hex_digit(word->text[i + 1]) >= 0 &&
			   hex_digit(word->text[i + 2]) >= 0) {
			str_addc(out,
				(char)(hex_digit(word->text[i + 1]) * 16 + hex_digit(word->text[i + 2])));
			i += 2;
		} else {
			str_addc(out, c);
		}
	}
}

static size_t blanks(const char *at, const char *end)
{
	const char *start = at;
	while (at < end && strchr(" \t\r\n", *at) && *at)
		at++;
	return (size_t)(at - start);
}

bool header_decode(struct str *out, const char *bytes, size_t len)
{
	const char *at = bytes, *end = bytes + len;
	size_t start = out->len;
	struct str plain = STR_INIT, run = STR_INIT;
	while (at < end) {
		struct word word;
		if (!read_word(&word, at, end)) {
			if (*at == '\r' || *at == '\n') { /* folding: the white space behind it stays */
				at++;
				continue;
			}
			str_addc(&plain, *at == '\t' ? ' ' : *at);
			at++;
			continue;
		}
		(void)charset_decode(out, plain.s, plain.len, NULL, NULL);
		str_clear(&plain);

		/* Neighbours of one charset are one run of bytes: mailers cut inside a character. */
		const struct word first = word;
		str_clear(&run);
		for (;;) {
			add_word_bytes(&run, &word);
			at += word.len;
			size_t gap = blanks(at, end);
			struct word next;
			if (!read_word(&next, at + gap, end))
				break;
			at += gap;
			if (next.charset_len != first.charset_len ||
				strncasecmp(next.charset, first.charset, first.charset_len) != 0)
				break;
			word = next;
		}
		char label[48] = "";
		memcpy(label, first.charset,
			first.charset_len < sizeof label ? first.charset_len : sizeof label - 1);
		(void)charset_decode(out, run.s, run.len, label, NULL);
	}
	(void)charset_decode(out, plain.s, plain.len, NULL, NULL);
	/* An encoded word can hold line ends, and fields of the writer's behind them. */
	bool hidden = false;
	for (size_t i = start; i < out->len; i++) {
		hidden = hidden || out->s[i] == '\r' || out->s[i] == '\n' || out->s[i] == '\0';
		if ((unsigned char)out->s[i] < ' ' || out->s[i] == 0x7F)
			out->s[i] = ' ';
	}
	str_free(&plain);
	str_free(&run);
	return hidden;
}
