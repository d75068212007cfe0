/*
 * text_search.c - the key under which staff find what they half remember
 *
 * text_key() says which names are the same, and digests of it are on file: it must stay as it is. Who searches forgives more: how a name sounds, which of several glyphs
 * it is written with, dots between its parts.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"

/* Pairs: a glyph, the one it counts as; in code point order of the first. Those that text_key() folds are not here. 斎 and 斉 are two names, but not to the ear. */
static const char glyph_pairs[] =
	"兒児兩両冲沖决決况況准準凉涼減减凢凡刅刃剱剣劔剣勳勲勵励匇匆區区卋世參参吞呑啞唖嚴厳圖図團団埓埒壤壌"
	"壹壱壺壷夘卯奧奥奬奨姬姫姸妍娛娯孃嬢寉鶴寢寝寳宝寶宝将將專専對対尙尚屬属峩峨峯峰嵜崎嶽岳巌岩巖岩巢巣"
	"帶帯幷并廐厩廳庁彈弾彥彦從従恆恒悳徳愼慎戰戦拂払拔抜擇択擔担據拠擧挙攝摂數数斎斉斷断旣既昻昂曆暦曉暁"
	"曵曳杦杉槗橋樂楽樓楼樣様檢検權権欝鬱步歩歷歴殼殻毆殴每毎氣気沒没泒派涉渉淨浄渴渇溫温滿満潛潜瀦潴灣湾"
	"煕熙燒焼爐炉爲為犧犠狀状狹狭獻献珎珍瑤瑶甁瓶甞嘗產産畫画當当疊畳瘦痩發発皋皐盜盗盡尽砺礪碕崎礦鉱祕秘"
	"祿禄禪禅禰祢禱祷稱称稻稲穰穣竊窃竝並筝箏籠篭籤籖粹粋絕絶絲糸經経綠緑緣縁縱縦繪絵繫繋繼継續続纖繊罐缶"
	"翆翠聲声聽聴肅粛脫脱腦脳膽胆臺台舊旧舍舎舖舗舩船莖茎萠萌蔣蒋蕚萼薗園薰薫藥薬藪薮蘂蕊虛虚號号蟲虫蠅蝿"
	"蠟蝋蠶蚕衞衛裝装覺覚觀観觸触諫諌謠謡證証譽誉讀読變変讓譲讚讃豎竪豫予豬猪貳弐賣売賤賎贊賛踐践軀躯輕軽"
	"辨弁辭辞辯弁遞逓遲遅邨村鄕郷鄰隣醉酔醫医醬醤釋釈釡釜釼剣鉃鉄銕鉄鋪舗錄録錢銭鍊錬鎔熔鎭鎮鐮鎌鑄鋳鑛鉱"
	"閒間陷陥隨随險険隱隠雙双雜雑霸覇靈霊靍鶴靏鶴頰頬頴穎顏顔顚顛飜翻飮飲餘余餠餅驗験驛駅髓髄體体髮髪鬪闘"
	"鬭闘鰺鯵鳧鳬鴈雁鵄鴟鶯鴬鷄鶏鹼鹸鹽塩麥麦麴麹麵麺黃黄默黙點点齒歯龜亀﨏迫";

#define PAIRS (sizeof glyph_pairs / 6 + 8)

struct glyph_pair {
	uint32_t from, to;
};

static int by_from(const void *a, const void *b)
{
	uint32_t x = ((const struct glyph_pair *)a)->from, y = ((const struct glyph_pair *)b)->from;
	return x < y ? -1 : x > y;
}

static uint32_t one_glyph(uint32_t c)
{
	static struct glyph_pair pairs[PAIRS];
	static size_t count;
	if (count == 0) {
		size_t len = strlen(glyph_pairs);
		for (size_t at = 0; at < len && count < PAIRS; count++) {
			at += utf8_next(glyph_pairs + at, len - at, &pairs[count].from);
			at += utf8_next(glyph_pairs + at, len - at, &pairs[count].to);
		}
		qsort(pairs, count, sizeof *pairs, by_from);
	}
	struct glyph_pair wanted = {.from = c};
	const struct glyph_pair *found = bsearch(&wanted, pairs, count, sizeof *pairs, by_from);
	return found ? found->to : c;
}

/* ---- how it sounds ---- */

#define KATAKANA_VU 0x30F4
#define KATAKANA_BU 0x30D6

static bool is_katakana(uint32_t c)
{
	return c >= 0x30A1 && c <= 0x30FA;
}

/* One kana for all that sound alike or are taken for one another: hiragana, small ones, ヂ ヅ ヰ ヱ ヲ. */
static uint32_t one_kana(uint32_t c)
{
	static const struct glyph_pair alike[] = {{0x30A1, 0x30A2}, {0x30A3, 0x30A4}, {0x30A5, 0x30A6},
		{0x30A7, 0x30A8}, {0x30A9, 0x30AA}, {0x30C2, 0x30B8}, {0x30C3, 0x30C4}, {0x30C5, 0x30BA},
		{0x30E3, 0x30E4}, {0x30E5, 0x30E6}, {0x30E7, 0x30E8}, {0x30EE, 0x30EF}, {0x30F0, 0x30A4},
		{0x30F1, 0x30A8}, {0x30F2, 0x30AA}, {0x30F5, 0x30AB}, {0x30F6, 0x30B1}};
	if (c >= 0x3041 && c <= 0x3096)
		c += 0x60;
	for (size_t i = 0; i < sizeof alike / sizeof *alike; i++)
		if (alike[i].from == c)
			return alike[i].to;
	return c;
}

/* ヴァ, ヴィ, ヴェ, ヴォ are バ, ビ, ベ, ボ, and ヴ alone is ブ; 0: no vowel that ヴ goes on with. */
static uint32_t after_vu(uint32_t vowel)
{
	static const struct glyph_pair sounds[] = {
		{0x30A2, 0x30D0}, {0x30A4, 0x30D3}, {0x30A8, 0x30D9}, {0x30AA, 0x30DC}};
	for (size_t i = 0; i < sizeof sounds / sizeof *sounds; i++)
		if (sounds[i].from == vowel)
			return sounds[i].to;
	return 0;
}

/* Dots, commas and quotes: パナ・ソニック, K.K., 's. Control characters part the entries of the index and are dropped with them. */
static bool is_left_out(uint32_t c)
{
	return c < 0x20 || c == '.' || c == ',' || c == '\'' || c == '"' || c == 0x30FB || c == 0x3001 ||
	       c == 0x3002 || c == 0x2018 || c == 0x2019 || c == 0x201C || c == 0x201D;
}

void text_search_key(struct str *out, const char *text)
{
	struct str key = STR_INIT;
	text_key(&key, text);
	uint32_t last = 0;
	size_t last_at = out->len;
	for (size_t at = 0; at < key.len;) {
		uint32_t c;
		size_t size = utf8_next(key.s + at, key.len - at, &c);
		at += size ? size : 1;
		if (size == 0 || is_left_out(c))
			continue;
		/* ー, and what is typed for it; 佐佐木 is 佐々木. */
		if ((c == 0x30FC || c == '-' || c == '~') && is_katakana(last))
			continue;
		c = c == 0x3005 && last ? last : one_kana(one_glyph(c));
		uint32_t joined = last == KATAKANA_VU ? after_vu(c) : 0;
		if (joined) {
			str_cut(out, last_at);
			c = joined;
		}
		last_at = out->len;
		utf8_add(out, c == KATAKANA_VU ? KATAKANA_BU : c);
		last = c;
	}
	str_free(&key);
}
