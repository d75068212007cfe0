#include "lib/base/text.h"

#include <endian.h>
#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <uninorm.h>
#include <uniwidth.h>

#include "lib/base/err.h"

/* ---- UTF-8 ---- */

size_t utf8_next(const char *bytes, size_t len, uint32_t *c)
{
	const unsigned char *b = (const unsigned char *)bytes;
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	if (len == 0)
		return 0;
	if (b[0] < 0x80) {
		*c = b[0];
		return 1;
	}
	size_t size = b[0] >= 0xF0 ? 4 : b[0] >= 0xE0 ? 3 : 2;
	if (b[0] < 0xC2 || b[0] > 0xF4 || len < size)
		return 0;
	uint32_t value = b[0] & (0xFFu >> (size + 1));
	for (size_t i = 1; i < size; i++) {
		if ((b[i] & 0xC0) != 0x80)
			return 0;
		value = value << 6 | (b[i] & 0x3F);
	}
	if (value < least[size] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
		return 0;
	*c = value;
	return size;
}

/* U+3000 to 30FF and 4E00 to 9FBF, but for U+3040, 3097 and 3098, which are no characters; as their three bytes. */
static bool is_usual_three(uint32_t three)
{
	if ((three & 0xF0C0C0) != 0xE08080)
		return false;
	return (three >= 0xE4B880 && three <= 0xE9BEBF) ||
	       (three >= 0xE38080 && three <= 0xE383BF && three != 0xE38180 && three != 0xE38297 &&
		       three != 0xE38298);
}

static uint32_t three_at(const unsigned char *b, size_t left)
{
	uint32_t four;
	if (left < sizeof four)
		return left < 3 ? 0 : (uint32_t)b[0] << 16 | (uint32_t)b[1] << 8 | b[2];
	memcpy(&four, b, sizeof four);
	return be32toh(four) >> 8;
}

size_t utf8_usual(const char *bytes, size_t len, bool numbers)
{
	const unsigned char *b = (const unsigned char *)bytes;
	size_t at = 0;
	while (at < len) {
		unsigned char c = b[at];
		if (c >= ' ' && c <= '~' && (numbers || (c != '+' && (c < '0' || c > ':'))))
			at++;
		else if (c >= 0xE3 && is_usual_three(three_at(b + at, len - at)))
			at += 3;
		else
			break;
	}
	return at;
}

bool utf8_valid(const char *bytes, size_t len)
{
	uint32_t c;
	while (len > 0) {
		size_t usual = utf8_usual(bytes, len, true);
		bytes += usual;
		len -= usual;
		if (len == 0)
			break;
		size_t size = utf8_next(bytes, len, &c);
		if (size == 0)
			return false;
		bytes += size;
		len -= size;
	}
	return true;
}

void utf8_add(struct str *out, uint32_t c)
{
	if (c < 0x80) {
		str_addc(out, (char)c);
		return;
	}
	if (c < 0x800) {
		str_addc(out, (char)(0xC0 | c >> 6));
	} else {
		if (c < 0x10000) {
			str_addc(out, (char)(0xE0 | c >> 12));
		} else {
			str_addc(out, (char)(0xF0 | c >> 18));
			str_addc(out, (char)(0x80 | (c >> 12 & 0x3F)));
		}
		str_addc(out, (char)(0x80 | (c >> 6 & 0x3F)));
	}
	str_addc(out, (char)(0x80 | (c & 0x3F)));
}

size_t utf8_chars(const char *text)
{
	size_t count = 0;
	for (; *text; text++)
		count += ((unsigned char)*text & 0xC0) != 0x80;
	return count;
}

/* ---- CP932 ---- */

static iconv_t cp932_reader, cp932_writer;
static bool converters_open;

void text_preload(void)
{
	if (converters_open)
		return;
	cp932_reader = iconv_open("UTF-8", "CP932");
	cp932_writer = iconv_open("CP932", "UTF-8");
	const iconv_t failed = (iconv_t)-1; /* iconv_open(3) */ // NOLINT(performance-no-int-to-ptr)
	if (cp932_reader == failed || cp932_writer == failed)
		die("the system has no converter for CP932; install glibc's gconv modules (libc-bin, libc6)");
	converters_open = true;
}

/* The bytes of `in` that could be converted are; *used says how many. */
static bool convert(iconv_t converter, struct str *out, const char *in, size_t len, size_t *used)
{
	char *from; /* iconv(3) takes no const, but writes nothing there */
	memcpy(&from, &in, sizeof from);
	size_t left = len;
	(void)iconv(converter, NULL, NULL, NULL, NULL);
	while (left > 0) {
		str_grow(out, left * 2 + 16);
		char *to = out->s + out->len;
		size_t room = out->size - out->len - 1;
		size_t before = room;
		size_t result = iconv(converter, &from, &left, &to, &room);
		out->len += before - room;
		out->s[out->len] = '\0';
		if (result == (size_t)-1 && errno != E2BIG)
			break;
	}
	*used = len - left;
	return left == 0;
}

bool text_from_cp932(struct str *out, const char *bytes, size_t len, size_t *bad_offset)
{
	text_preload();
	return convert(cp932_reader, out, bytes, len, bad_offset);
}

/* Characters that other systems use where Windows' table has another code point for the same glyph. */
static uint32_t cp932_counterpart(uint32_t c)
{
	static const uint32_t table[][2] = {
		{0x00A2, 0xFFE0}, /* ¢ */
		{0x00A3, 0xFFE1}, /* £ */
		{0x00A5, 0xFFE5}, /* ¥ */
		{0x00AC, 0xFFE2}, /* ¬ */
		{0x2014, 0x2015}, /* — ― */
		{0x2016, 0x2225}, /* ‖ ∥ */
		{0x203E, 0xFFE3}, /* ‾ ￣ */
		{0x2212, 0xFF0D}, /* − － */
		{0x301C, 0xFF5E}, /* 〜 ～ */
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (table[i][0] == c)
			return table[i][1];
	return c;
}

bool text_to_cp932(struct str *out, const char *text, size_t len, size_t *bad_offset)
{
	text_preload();
	/* One character at a time where it is not ASCII, so that the offset is that of the original. */
	for (size_t at = 0; at < len;) {
		uint32_t c;
		size_t used, size = utf8_next(text + at, len - at, &c);
		if (size == 1) {
			str_addc(out, text[at]);
		} else {
			struct str one = STR_INIT;
			if (size > 0)
				utf8_add(&one, cp932_counterpart(c));
			bool fits = size > 0 && convert(cp932_writer, out, one.s, one.len, &used);
			str_free(&one);
			if (!fits) {
				*bad_offset = at;
				return false;
			}
		}
		at += size;
	}
	return true;
}

/* ---- folding ---- */

static bool is_ascii(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text >= 0x80)
			return false;
	return true;
}

static bool is_kana(uint32_t c)
{
	return (c >= 0x3041 && c <= 0x3096) || (c >= 0x30A1 && c <= 0x30FE);
}

static bool is_kanji(uint32_t c)
{
	return c >= 0x4E00 && c <= 0x9FFF;
}

/* Characters that NFKC leaves alone and that compose with none of their kind: what most names consist of. Kana only where no mark of voice or digraph stands among them. */
static bool is_normal(const char *text, size_t len)
{
	for (size_t at = 0; at < len;) {
		uint32_t c;
		size_t size = utf8_next(text + at, len - at, &c);
		if (size == 0 || !(c < 0x80 || is_kanji(c) || is_kana(c) || (c >= 0x3001 && c <= 0x3006)))
			return false;
		at += size;
	}
	return true;
}

void text_nfkc(struct str *out, const char *text)
{
	size_t len = strlen(text), folded_len = 0;
	if (is_ascii(text) || is_normal(text, len) || !utf8_valid(text, len)) {
		str_add(out, text, len);
		return;
	}
	uint8_t *folded = u8_normalize(UNINORM_NFKC, (const uint8_t *)text, len, NULL, &folded_len);
	if (!folded)
		die("out of memory (normalising %zu bytes)", len);
	str_add(out, folded, folded_len);
	free(folded);
}

static bool is_space(uint32_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 || c == 0xA0 || c == 0x1680 ||
	       (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
	       c == 0x3000;
}

/* Takes no room and shows nothing: zero-width characters, BOM, soft hyphen, variation selectors. */
static bool is_invisible(uint32_t c)
{
	return c == 0xAD || (c >= 0x200B && c <= 0x200D) || c == 0x2060 || c == 0xFEFF ||
	       (c >= 0xFE00 && c <= 0xFE0F) || (c >= 0xE0100 && c <= 0xE01EF);
}

/* Marks of direction, which copying from other programs brings along. */
static bool is_bidi(uint32_t c)
{
	return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) ||
	       (c >= 0x2066 && c <= 0x2069);
}

static bool is_hyphen(uint32_t c)
{
	return (c >= 0x2010 && c <= 0x2015) || c == 0x2043 || c == 0x2212 || c == 0x2500 || c == 0x2501;
}

static bool is_wave(uint32_t c)
{
	return c == 0x301C || c == 0x223C || c == 0x2053;
}

/* One character at `at`; a byte that is no UTF-8 stands for itself, with *c above Unicode. */
static size_t char_at(const struct str *text, size_t at, uint32_t *c)
{
	size_t size = utf8_next(text->s + at, text->len - at, c);
	if (size > 0)
		return size;
	*c = UINT32_MAX;
	return 1;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

void text_fold(struct str *out, const char *text)
{
	struct str plain = STR_INIT;
	size_t start = out->len;
	bool blank = false;
	text_nfkc(&plain, text);
	for (size_t at = 0; at < plain.len;) {
		uint32_t c;
		size_t size = char_at(&plain, at, &c);
		if (is_space(c)) {
			blank = out->len > start;
			at += size;
			continue;
		}
		if (blank)
			str_addc(out, ' ');
		blank = false;
		/* ー is a letter in words and a slip of the key between digits. */
		bool slip = c == 0x30FC && out->len > start && is_digit(out->s[out->len - 1]) &&
			    is_digit(plain.s[at + size]);
		if (is_hyphen(c) || slip)
			str_addc(out, '-');
		else if (is_wave(c))
			str_addc(out, '~');
		else
			str_add(out, plain.s + at, size);
		at += size;
	}
	str_free(&plain);
}

/* ---- comparison keys ---- */

/* Pairs: an old or variant glyph, the usual one. In code point order of the first; those that NFKC folds are not here. */
const char text_glyph_pairs[] = "亞亜佛仏來来假仮傳伝價価冨富凜凛劍剣卽即吳呉國国圓円埜野堯尭增増壯壮壽寿學"
				"学實実寬寛嶋島嶌島廣広彌弥德徳惠恵應応戶戸敎教"
				"晉晋曻昇曾曽會会栁柳桒桑桺柳條条榮栄槇槙橫横檜桧櫻桜淵渕淸清澁渋澤沢濟済濱"
				"浜濵浜瀧滝瀨瀬燈灯獨独眞真禮礼穗穂緖緒縣県總総"
				"繩縄與与舘館莊荘萬万藏蔵藝芸豐豊賴頼轉転遙遥邉辺邊辺郞郎鐵鉄關関靑青靜静顯"
				"顕髙高鷗鴎黑黒齊斉齋斎齡齢龍竜﨑崎𠮷吉𣘺橋";

struct glyph_pair {
	uint32_t from, to;
};

static int by_from(const void *a, const void *b)
{
	uint32_t x = ((const struct glyph_pair *)a)->from, y = ((const struct glyph_pair *)b)->from;
	return x < y ? -1 : x > y;
}

static uint32_t usual_glyph(uint32_t c)
{
	static struct glyph_pair pairs[128];
	static size_t count;
	if (count == 0) {
		size_t len = strlen(text_glyph_pairs);
		for (size_t at = 0; at < len; count++) {
			at += utf8_next(text_glyph_pairs + at, len - at, &pairs[count].from);
			at += utf8_next(text_glyph_pairs + at, len - at, &pairs[count].to);
		}
	}
	if (c < pairs[0].from)
		return c;
	struct glyph_pair wanted = {.from = c};
	const struct glyph_pair *found = bsearch(&wanted, pairs, count, sizeof *pairs, by_from);
	return found ? found->to : c;
}

/* Written short or with words between; compared after text_fold() without blanks. Longer spellings first. */
const char *const text_company_forms[][2] = {
	{"(株)", "株式会社"},
	{"〔株〕", "株式会社"},
	{"[株]", "株式会社"},
	{"(有)", "有限会社"},
	{"(同)", "合同会社"},
	{"(資)", "合資会社"},
	{"(名)", "合名会社"},
	{"(一社)", "一般社団法人"},
	{"(一財)", "一般財団法人"},
	{"(公社)", "公益社団法人"},
	{"(公財)", "公益財団法人"},
	{"(特非)", "特定非営利活動法人"},
	{"npo法人", "特定非営利活動法人"},
	{"(社福)", "社会福祉法人"},
	{"(福)", "社会福祉法人"},
	{"(医社)", "医療法人社団"},
	{"(医財)", "医療法人財団"},
	{"(医)", "医療法人"},
	{"(学)", "学校法人"},
	{"(宗)", "宗教法人"},
	{"(農)", "農事組合法人"},
	{"(弁)", "弁護士法人"},
	{"(税)", "税理士法人"},
};

const size_t text_company_form_count = sizeof text_company_forms / sizeof *text_company_forms;
/* Their first bytes. */
#define COMPANY_FORM_BEGINNINGS "([n\xe3"

static void company_forms_write_out(struct str *out, const struct str *text)
{
	for (size_t at = 0; at < text->len;) {
		size_t i = 0, count = text_company_form_count;
		size_t plain = strcspn(text->s + at, COMPANY_FORM_BEGINNINGS);
		str_add(out, text->s + at, plain);
		at += plain;
		while (i < count && !str_has_prefix(text->s + at, text_company_forms[i][0]))
			i++;
		if (i < count) {
			str_addz(out, text_company_forms[i][1]);
			at += strlen(text_company_forms[i][0]);
		} else if (at < text->len) {
			str_addc(out, text->s[at++]);
		}
	}
}

void text_key(struct str *out, const char *text)
{
	struct str folded = STR_INIT, bare = STR_INIT;
	text_fold(&folded, text);
	for (size_t at = 0; at < folded.len;) {
		uint32_t c;
		size_t size = char_at(&folded, at, &c);
		if (c == UINT32_MAX)
			str_add(&bare, folded.s + at, size);
		else if (is_kana(c)) /* stands for itself */
			str_add(&bare, folded.s + at, size);
		else if (!is_space(c) && !is_invisible(c))
			utf8_add(&bare, usual_glyph(is_kanji(c) ? c : uc_tolower(c)));
		at += size;
	}
	company_forms_write_out(out, &bare);
	str_free(&folded);
	str_free(&bare);
}

bool text_same_key(const char *a, const char *b)
{
	if (strcmp(a, b) == 0)
		return true;
	struct str x = STR_INIT, y = STR_INIT;
	text_key(&x, a);
	text_key(&y, b);
	bool same = strcmp(x.s, y.s) == 0;
	str_free(&x);
	str_free(&y);
	return same;
}

char *text_trim(char *text)
{
	size_t len = strlen(text), begin = 0, end = 0;
	uint32_t c;
	for (size_t at = 0; at < len;) {
		size_t size = utf8_next(text + at, len - at, &c);
		bool space = size > 0 && (is_space(c) || c == 0xFEFF);
		at += size > 0 ? size : 1;
		if (!space)
			end = at;
		else if (end == 0)
			begin = at;
	}
	if (end == 0)
		begin = 0;
	memmove(text, text + begin, end - begin);
	text[end - begin] = '\0';
	return text;
}

bool text_digits(struct str *out, const char *text)
{
	struct str folded = STR_INIT;
	size_t start = out->len;
	bool only = true;
	text_fold(&folded, text);
	for (const char *p = folded.s; *p && only; p++) {
		uint32_t c;
		size_t size = char_at(&folded, (size_t)(p - folded.s), &c);
		if (is_digit(*p))
			str_addc(out, *p);
		else
			only = *p == ' ' || *p == '-' || is_invisible(c) || is_bidi(c);
		p += size - 1;
	}
	str_free(&folded);
	if (!only)
		str_cut(out, start);
	return only;
}

/* ---- what must not stand in a name or header ---- */

bool text_is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029 || is_bidi(c) ||
	       c == 0xFFF9 || c == 0xFFFA || c == 0xFFFB;
}

bool text_has_control(const char *text)
{
	size_t len = strlen(text);
	uint32_t c;
	for (size_t at = 0; at < len;) {
		at += utf8_usual(text + at, len - at, true);
		if (at == len)
			break;
		size_t size = utf8_next(text + at, len - at, &c);
		if (size == 0 || text_is_control(c))
			return true;
		at += size;
	}
	return false;
}

static bool is_label_char(char c)
{
	return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || (unsigned char)c >= 0x80;
}

/* "example.jp/…" with a top-level name of two letters or more before the slash. */
static bool is_domain_before(const char *begin, const char *slash)
{
	const char *p = slash;
	while (p > begin && p[-1] >= 'a' && p[-1] <= 'z')
		p--;
	return slash - p >= 2 && p - begin >= 2 && p[-1] == '.' && is_label_char(p[-2]);
}

bool text_has_url(const char *text)
{
	struct str plain = STR_INIT, lower = STR_INIT;
	text_nfkc(&plain, text);
	for (size_t at = 0; at < plain.len; at++) {
		char c = plain.s[at];
		str_addc(&lower, c >= 'A' && c <= 'Z' ? (char)(c + 32) : c);
	}
	bool found = strstr(lower.s, "://") || strstr(lower.s, "www.");
	for (const char *slash = strchr(lower.s, '/'); slash && !found; slash = strchr(slash + 1, '/'))
		found = is_domain_before(lower.s, slash);
	str_free(&plain);
	str_free(&lower);
	return found;
}

/* ---- terminals ---- */

void text_add_printable(struct str *out, const char *text)
{
	size_t len = strlen(text);
	for (size_t at = 0; at < len;) {
		uint32_t c;
		size_t size = utf8_next(text + at, len - at, &c);
		if (size == 0) {
			str_printf(out, "\\x%02x", (unsigned char)text[at]);
			at++;
			continue;
		}
		if (c == '\n')
			str_addz(out, "\\n");
		else if (c == '\t')
			str_addz(out, "\\t");
		else if (text_is_control(c))
			str_printf(out, c < 0x100 ? "\\x%02x" : "\\u%04x", c);
		else
			str_add(out, text + at, size);
		at += size;
	}
}

size_t text_columns(const char *text)
{
	size_t len = strlen(text), columns = 0;
	for (size_t at = 0; at < len;) {
		uint32_t c;
		size_t size = utf8_next(text + at, len - at, &c);
		int width = size > 0 ? uc_width(c, "UTF-8") : 1;
		columns += width > 0 ? (size_t)width : 0;
		at += size > 0 ? size : 1;
	}
	return columns;
}
