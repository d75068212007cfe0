#include <stdlib.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>

#include "lib/store/store_p.h"

/* ---- small texts ---- */

#define PLAIN 'p'
#define DEFLATED 'd' /* with the dictionary below, raw deflate, after the length as a varint */

/* What usually stands in forms and signatures, most frequent last. It belongs to the format: never change it, add another letter and
 * another dictionary instead. */
static const char dictionary[] =
	"一般社団法人医療法人社会福祉法人特定非営利活動法人合同会社合資会社有限会社組合商工会議所商工会中小企"
	"業団体中央会商店街振興組合"
	"農業林業漁業鉱業建設業製造業電気ガス熱供給水道業情報通信業運輸業郵便業卸売業小売業金融業保険業不動産"
	"業物品賃貸業学術研究専門技術サービス業"
	"宿泊業飲食サービス業生活関連サービス業娯楽業教育学習支援業医療福祉複合サービス事業協同組合"
	"北海道青森県岩手県宮城県秋田県山形県福島県茨城県栃木県群馬県埼玉県千葉県新潟県富山県石川県福井県山梨"
	"県長野県岐阜県静岡県"
	"三重県滋賀県京都府兵庫県奈良県和歌山県鳥取県島根県岡山県広島県山口県徳島県香川県愛媛県高知県福岡県佐"
	"賀県長崎県熊本県大分県宮崎県"
	"鹿児島県沖縄県名古屋市横浜市札幌市福岡市神戸市京都市川崎市さいたま市広島市仙台市神奈川県愛知県大阪府"
	"大阪市東京都中央区千代田区港区新宿区渋谷区"
	"丁目番地号ビル階田中佐藤鈴木高橋伊藤渡辺山本中村小林加藤太郎一郎花子美"
	"DKIM-Signature: v=1; a=ed25519-sha256; a=rsa-sha256; c=relaxed/relaxed; d=; s=; t=; x=; "
	"q=dns/txt;\r\n\th=From:To:Subject:"
	"Date:Message-ID:MIME-Version:Content-Type:Content-Transfer-Encoding:Reply-To:Auto-Submitted; bh=; "
	"b=\r\n\t"
	"softbank.ne.jp ezweb.ne.jp docomo.ne.jp yahoo.co.jp outlook.jp gmail.com example.co.jp info@ .or.jp "
	".ne.jp .co.jp "
	"falsemembersolestepnew2new1subsidybusiness_partnersecurityhttp2025-2026-"
	"truecorporation株式会社";

static void add_varint(struct str *out, size_t number)
{
	for (; number >= 0x80; number >>= 7)
		str_addc(out, (char)(number | 0x80));
	str_addc(out, (char)number);
}

static bool read_varint(const unsigned char **at, const unsigned char *end, size_t *number)
{
	*number = 0;
	for (unsigned shift = 0; shift < 35 && *at < end; shift += 7) {
		unsigned char byte = *(*at)++;
		*number |= (size_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return true;
	}
	return false;
}

static void check_zlib(int code)
{
	if (code == Z_MEM_ERROR)
		die("out of memory (zlib)");
	if (code != Z_OK)
		die("zlib refused its own settings (%d)", code);
}

/* Where more than this is packed, as a mail with its attachments, thoroughness would keep the write lock for long and gain next to nothing. */
#define THOROUGH_MAX ((size_t)32 << 10)

void text_pack(struct str *out, const void *bytes, size_t len)
{
	z_stream z = {0};
	check_zlib(deflateInit2(&z, len <= THOROUGH_MAX ? 9 : 1, Z_DEFLATED, -13, 6, Z_DEFAULT_STRATEGY));
	check_zlib(deflateSetDictionary(&z, (const Bytef *)dictionary, sizeof dictionary - 1));
	size_t bound = deflateBound(&z, (uLong)len);
	char *room = xmalloc(bound);
	z.next_in = bytes;
	z.avail_in = (uInt)len;
	z.next_out = (Bytef *)room;
	z.avail_out = (uInt)bound;
	int code = deflate(&z, Z_FINISH);
	if (code != Z_STREAM_END)
		die("zlib could not deflate %zu bytes (%d)", len, code);
	size_t packed = bound - z.avail_out;
	(void)deflateEnd(&z);

	if (packed < len) {
		str_addc(out, DEFLATED);
		add_varint(out, len);
		str_add(out, room, packed);
	} else {
		str_addc(out, PLAIN);
		str_add(out, bytes, len);
	}
	free(room);
}

static bool inflate_text(struct str *out, const unsigned char *at, const unsigned char *end)
{
	size_t len;
	if (!read_varint(&at, end, &len) || len > TEXT_PACK_MAX)
		return false;
	z_stream z = {0};
	check_zlib(inflateInit2(&z, -13));
	check_zlib(inflateSetDictionary(&z, (const Bytef *)dictionary, sizeof dictionary - 1));
	str_grow(out, len);
	z.next_in = at;
	z.avail_in = (uInt)(end - at);
	z.next_out = (Bytef *)(out->s + out->len);
	z.avail_out = (uInt)len;
	int code = inflate(&z, Z_FINISH);
	bool whole = code == Z_STREAM_END && z.avail_out == 0;
	(void)inflateEnd(&z);
	if (whole) {
		out->len += len;
		out->s[out->len] = '\0';
	}
	return whole;
}

bool text_unpack(struct str *out, const void *packed, size_t len)
{
	if (!packed || len == 0)
		return false;
	const unsigned char *at = packed, *end = at + len;
	char format = (char)*at++;
	if (format == DEFLATED)
		return inflate_text(out, at, end);
	if (format == PLAIN)
		str_add(out, at, (size_t)(end - at));
	return format == PLAIN;
}

/* ---- forms ---- */

/* In the order of their numbers: 0 for a field that is not there, else length + 1 and the value; absent ones at the end are left out. */
static void form_lay_out(const struct store *store, struct str *out, const struct form_values *form)
{
	size_t end = out->len;
	for (int i = 0; i < store->field_count; i++) {
		enum form_field field = store->field_of[i];
		const char *value = field == FIELD_COUNT ? NULL : form->value[field];
		if (!value) {
			str_addc(out, 0);
			continue;
		}
		size_t len = strlen(value);
		add_varint(out, len + 1);
		str_add(out, value, len);
		end = out->len;
	}
	str_cut(out, end);
}

void form_pack(const struct store *store, struct str *out, const struct form_values *form)
{
	struct str plain = STR_INIT;
	form_lay_out(store, &plain, form);
	text_pack(out, plain.s, plain.len);
	str_free(&plain);
}

bool form_unpack(
	const struct store *store, struct form_values *out, const void *packed, size_t len, struct pool *pool)
{
	*out = (struct form_values){0};
	struct str plain = STR_INIT;
	bool good = text_unpack(&plain, packed, len);
	const unsigned char *at = (const unsigned char *)plain.s, *end = at + plain.len;
	for (int i = 0; good && at < end; i++) {
		size_t size;
		good = i < store->field_count && read_varint(&at, end, &size) &&
		       size <= (size_t)(end - at) + 1;
		if (!good || size == 0)
			continue;
		if (store->field_of[i] != FIELD_COUNT)
			out->value[store->field_of[i]] = pool_strndup(pool, (const char *)at, size - 1);
		at += size - 1;
	}
	str_free(&plain);
	return good;
}

bool form_digest(uint8_t out[SHA256_LEN], const uint8_t salt[SALT_LEN], const void *packed, size_t len)
{
	struct str plain = STR_INIT;
	str_add(&plain, salt, SALT_LEN);
	bool good = text_unpack(&plain, packed, len);
	sha256(out, plain.s, plain.len);
	str_wipe(&plain);
	return good;
}
