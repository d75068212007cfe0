#include "lib/base/file.h"
#include "lib/base/text.h"
#include "tests/unit/form_rig.h"

static struct rig rig;

static int open_rig(void **state)
{
	(void)state;
	rig_open(&rig);
	return 0;
}

static int close_rig(void **state)
{
	(void)state;
	rig_close(&rig);
	return 0;
}

static void assert_form(const struct rig_record *record, enum form_field field, const char *value)
{
	const char *got = record->form.value[field];
	if (!value)
		assert_null(got);
	else
		assert_string_equal(got ? got : "(null)", value);
}

/* ---- charsets, separators, line ends ---- */

static void to_utf16(struct str *out, const char *text, bool big)
{
	size_t len = strlen(text);
	uint32_t c;
	for (size_t at = 0, n; (n = utf8_next(text + at, len - at, &c)) != 0; at += n) {
		assert_true(c < 0x10000);
		str_addc(out, (char)(big ? c >> 8 : c & 0xFF));
		str_addc(out, (char)(big ? c & 0xFF : c >> 8));
	}
}

static void encode(struct str *out, const char *text, const char *charset)
{
	size_t bad;
	if (strcmp(charset, "UTF-8") == 0)
		str_addz(out, text);
	else if (strcmp(charset, "UTF-8 BOM") == 0)
		str_printf(out, "\xEF\xBB\xBF%s", text);
	else if (strcmp(charset, "CP932") == 0)
		assert_true(text_to_cp932(out, text, strlen(text), &bad));
	else if (strcmp(charset, "UTF-16LE BOM") == 0)
		str_add(out, "\xFF\xFE", 2);
	else if (strcmp(charset, "UTF-16BE BOM") == 0)
		str_add(out, "\xFE\xFF", 2);
	if (str_has_prefix(charset, "UTF-16"))
		to_utf16(out, text, str_has_prefix(charset, "UTF-16BE"));
}

/* Every charset with every separator and line end gives the same two records. */
static void test_form__csv_in_all_spellings(void **state)
{
	(void)state;
	static const char *const charsets[] = {
		"UTF-8", "UTF-8 BOM", "CP932", "UTF-16LE BOM", "UTF-16BE BOM", "UTF-16LE", "UTF-16BE"};
	static const char *const names[] = {
		"UTF-8", "UTF-8", "CP932", "UTF-16", "UTF-16", "UTF-16", "UTF-16"};
	static const char separators[] = {',', '\t', ';'};
	static const char *const line_ends[] = {"\r\n", "\n", "\r"};
	static const char name[] = "㈱①髙﨑～\"例示\"，商店, Ltd.;\tソ表";
	for (size_t i = 0; i < 7 * 3 * 3; i++) {
		const char *charset = charsets[i / 9], *line_end = line_ends[i % 3];
		char separator = separators[i / 3 % 3];
		struct str text = STR_INIT, bytes = STR_INIT;
		rig_header(&text, &rig, separator, line_end);
		rig_row(&text, separator, line_end, FIELD_BUSINESS_NAME, name, FIELD_ADDRESS,
			"例示市1-2\nビル3F", FIELD_COUNT);
		str_printf(&text, "%s", line_end); /* a blank row */
		rig_row(&text, separator, line_end, FIELD_MAIL, "b@example.co.jp", FIELD_COUNT);
		encode(&bytes, text.s, charset);
		rig_read(&rig, bytes.s, bytes.len);
		assert_int_equal(rig.rc, RC_OK);
		assert_int_equal(rig.count, 2);
		assert_int_equal(rig.head.format, FORM_CSV);
		assert_int_equal(rig.head.separator, separator);
		assert_int_equal(rig.head.bom, strstr(charset, "BOM") != NULL);
		assert_string_equal(rig.head.charset, names[i / 9]);
		assert_form(&rig.record[0], FIELD_BUSINESS_NAME, name);
		assert_form(&rig.record[0], FIELD_ADDRESS, "例示市1-2\nビル3F");
		assert_int_equal(rig.record[0].line, 2);
		assert_string_equal(rig.record[0].damage, "");
		assert_form(&rig.record[1], FIELD_MAIL, "b@example.co.jp");
		assert_int_equal(rig.record[1].line, 5);
		str_free(&text);
		str_free(&bytes);
	}
}

/* ---- what a spreadsheet's file looks like ---- */

static void test_form__csv_rows_that_are_none(void **state)
{
	(void)state;
	struct str text = STR_INIT;
	str_addz(&text, "申込一覧,,,,\r\n出力日：2026/11/20,,\r\n\r\n");
	rig_header(&text, &rig, ',', "\r\n");
	str_addz(&text, ",,,,,,,,,\r\n\"\",\"\"\r\n　,　\r\n");
	rig_row(&text, ',', "\r\n", FIELD_COUNT);
	rig_header(&text, &rig, ',', "\r\n"); /* two files put together */
	rig_row(&text, ',', "\r\n", FIELD_CONTACT, "二人目", FIELD_COUNT);
	str_addz(&text, "以上,,,\r\n合計,2件\r\n\x1A");
	rig_read(&rig, text.s, text.len);
	assert_int_equal(rig.rc, RC_OK);
	assert_int_equal(rig.count, 2);
	assert_int_equal(rig.record[0].line, 8);
	assert_form(&rig.record[1], FIELD_CONTACT, "二人目");
	assert_int_equal(rig.record[1].line, 10);
	str_free(&text);
}

static void test_form__csv_another_header_in_the_middle(void **state)
{
	(void)state;
	rig_readz(&rig, "担当者名,事業者名,都道府県\n見本,一番,東京都\n都道府県,担当者名,事業者名,"
			"メールアドレス\n大阪府,例示,二番,a@example.jp\n");
	assert_int_equal(rig.count, 2);
	assert_form(&rig.record[0], FIELD_PREFECTURE, "東京都");
	assert_form(&rig.record[0], FIELD_MAIL, NULL);
	assert_form(&rig.record[1], FIELD_PREFECTURE, "大阪府");
	assert_form(&rig.record[1], FIELD_BUSINESS_NAME, "二番");
	assert_form(&rig.record[1], FIELD_MAIL, "a@example.jp");
	/* The row goes back under the first header: three columns, and the one it lacked behind them. */
	assert_int_equal(rig.head.header_count, 3);
	assert_int_equal(rig.record[1].raw_count, 4);

	/* A column that nobody reads does not follow: the row would have more cells than the header it goes back under. */
	rig_readz(&rig, "担当者名,事業者名,都道府県\n見本,一番,東京都\n都道府県,担当者名,備考,"
			"事業者名\n大阪府,例示,急ぎ,二番\n");
	assert_int_equal(rig.count, 2);
	assert_form(&rig.record[1], FIELD_BUSINESS_NAME, "二番");
	assert_int_equal(rig.record[1].raw_count, 3);
}

static void test_form__csv_columns(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum form_field field;
		const char *value;
	} cases[] = {
		/* any order, unknown columns, other words */
		{"備考,都道府県名,ご担当者様,会社名\nx,東京,見本,例示\n", FIELD_CONTACT, "見本"},
		{"備考,都道府県名,ご担当者様,会社名\nx,東京,見本,例示\n", FIELD_PREFECTURE, "東京"},
		/* the address asked for twice under one name */
		{"担当者名,メールアドレス,メールアドレス,事業者名\n見,a@b.jp,c@b.jp,例\n", FIELD_MAIL,
			"a@b.jp"},
		{"担当者名,メールアドレス,メールアドレス,事業者名\n見,a@b.jp,c@b.jp,例\n", FIELD_MAIL_CONFIRM,
			"c@b.jp"},
		{"担当者名,担当者メールアドレス,メールアドレス,事業者名\n見,a@b.jp,c@b.jp,例\n", FIELD_MAIL,
			"a@b.jp"},
		{"担当者名,担当者メールアドレス,メールアドレス,事業者名\n見,,c@b.jp,例\n", FIELD_MAIL,
			"c@b.jp"},
		/* names in one column, in two, with a title */
		{"事業者名,都道府県,代表者氏名\n例,東京都,見本　陽菜\n", FIELD_FAMILY_NAME, "見本"},
		{"事業者名,都道府県,代表者氏名\n例,東京都,見本　陽菜\n", FIELD_GIVEN_NAME, "陽菜"},
		{"事業者名,都道府県,代表者氏名\n例,東京都,代表取締役 見本 陽菜\n", FIELD_FAMILY_NAME, "見本"},
		{"事業者名,都道府県,代表者氏名\n例,東京都,代表取締役社長見本 陽菜\n", FIELD_FAMILY_NAME,
			"見本"},
		{"事業者名,都道府県,代表者氏名\n例,東京都,代表 太郎\n", FIELD_FAMILY_NAME, "太郎"},
		{"事業者名,都道府県,代表者氏名\n例,東京都,見本陽菜\n", FIELD_FAMILY_NAME, "見本陽菜"},
		{"事業者名,代表者姓,代表者名\n例,見本,陽菜\n", FIELD_GIVEN_NAME, "陽菜"},
		{"事業者名,代表者姓,代表者名\n例,見本,見本 陽菜\n", FIELD_GIVEN_NAME, "陽菜"},
		{"事業者名,代表者姓,代表者名\n例,見本,\n", FIELD_GIVEN_NAME, ""},
		{"事業者名,代表者姓,代表者名\n例,,陽菜\n", FIELD_FAMILY_NAME, ""},
		{"事業者名,代表者姓,代表者名\n例,,見本 陽菜\n", FIELD_FAMILY_NAME, "見本"},
		{"事業者名,都道府県,担当者（姓）,担当者（名）\n例,東京都,見本,陽菜\n", FIELD_CONTACT,
			"見本 陽菜"},
		/* 法人名 and 屋号 side by side: the type tells which counts */
		{"区分,法人／個人事業主,法人名,屋号\nx,個人事業主,なし,例屋\n", FIELD_BUSINESS_NAME, "例屋"},
		{"区分,法人／個人事業主,法人名,屋号\nx,法人,例社,例屋\n", FIELD_BUSINESS_NAME, "例社"},
		{"担当者名,法人名,屋号\nx,,例屋\n", FIELD_BUSINESS_NAME, "例屋"},
		/* an address in parts */
		{"担当者名,市区町村,番地,建物名\nx,例示市,1-2,ビル3F\n", FIELD_ADDRESS, "例示市1-2 ビル3F"},
		{"担当者名,市区町村,番地,建物名\nx,例示市,1-2,\n", FIELD_ADDRESS, "例示市1-2"},
		/* both consents in one column */
		{"担当者名,事業者名,同意事項\nx,例,同意する\n", FIELD_PRIVACY, "同意する"},
		{"担当者名,事業者名,同意事項\nx,例,同意する\n", FIELD_TERMS, "同意する"},
		/* of two wordings for one field the first listed counts, the other fills in */
		{"担当者名,事業者名,タイムスタンプ,お申込日\nx,例,2026/1/1,2026/2/2\n", FIELD_APPLIED_ON,
			"2026/2/2"},
		{"担当者名,事業者名,タイムスタンプ,お申込日\nx,例,2026/1/1,\n", FIELD_APPLIED_ON, "2026/1/1"},
		/* marks of spreadsheets */
		{"担当者名,事業者名,電話番号\nx,例,'0312345678\n", FIELD_TELEPHONE, "0312345678"},
		{"担当者名,事業者名,電話番号\nx,'=例,1\n", FIELD_BUSINESS_NAME, "=例"},
		{"担当者名,事業者名,電話番号\nx,'例',1\n", FIELD_BUSINESS_NAME, "'例'"},
		{"担当者名,事業者名,電話番号\nx,'90s カフェ,1\n", FIELD_BUSINESS_NAME, "'90s カフェ"},
		{"担当者名,事業者名,電話番号\nx,例,\"=\"\"0312345678\"\"\"\n", FIELD_TELEPHONE, "0312345678"},
		{"担当者名,事業者名,電話番号\nx,\"=\"\"a\"\"&b\",1\n", FIELD_BUSINESS_NAME, "=\"a\"&b"},
		{"担当者名,事業者名,法人番号※法人の場合\nx,例,1\n", FIELD_CORPORATE_NUMBER, "1"},
		{"担当者名,事業者名,電話番号\nx, \"例, 社\" ,1\n", FIELD_BUSINESS_NAME, "例, 社"},
		{"担当者名,事業者名,電話番号\nx,　 例　社　,1\n", FIELD_BUSINESS_NAME, "例　社"},
		{"担当者名,事業者名,電話番号\nx,株式会社\"例示\"商店,1\n", FIELD_BUSINESS_NAME,
			"株式会社\"例示\"商店"},
		/* what result files add is passed over */
		{"エラー内容,修正方法,担当者名,事業者名,電話番号\n法人番号: だめ,直す,x,例,1\n",
			FIELD_CONTACT, "x"},
		/* absent and empty are two things */
		{"担当者名,事業者名,電話番号\nx,例,\n", FIELD_TELEPHONE, ""},
		{"担当者名,事業者名,電話番号\nx,例,\n", FIELD_MAIL, NULL},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		rig_readz(&rig, cases[i].text);
		assert_int_equal(rig.rc, RC_OK);
		assert_int_equal(rig.count, 1);
		assert_string_equal(rig.record[0].damage, "");
		assert_form(&rig.record[0], cases[i].field, cases[i].value);
	}
	rig_readz(&rig, "事業者名,都道府県,代表者氏名\n例,東京都,見本陽菜\n例,東京都,見本 陽菜\n");
	assert_true(rig.record[0].whole_name);
	assert_false(rig.record[1].whole_name);
}

static void test_form__csv_damage(void **state)
{
	(void)state;
	static const struct {
		const char *row, *says;
	} cases[] = {
		{"a@example.jp,見本,例示,東京都,メモ", ""},
		{"a@example.jp,見本,例示,東京都", ""}, /* an unknown column may be left off */
		{"a@example.jp,見本,例示,東京都,メモ,,,", ""}, /* commas of the sheet */
		{"a@example.jp,見本,例示", "列の数が見出しより2少なくなっています"},
		{"a@example.jp,見本,サンプル, Ltd.,東京都,メモ", "列の数が見出しより1多くなっています"},
		{"a@example.jp,見本,サンプル, Ltd.,東京都,", "列の数が見出しより1多くなっています"},
		{"a@example.jp,見本,\"例示,東京都,メモ", "引用符（\"）が閉じていません"},
		{"a@example.jp,見本,\"例示\"商店,東京都,メモ", "引用符（\"）の使い方が崩れています"},
		{"a@example.jp,見本,\x8a\xff例示,東京都,メモ", "読み取れない文字があります"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct str text = STR_INIT;
		str_printf(&text,
			"メールアドレス,担当者名,事業者名,都道府県,備考\nx@example.jp,前,前社,大阪府,\n%"
			"s\n後@x,後,\"後\n社\",沖縄県,z\n",
			cases[i].row);
		rig_read(&rig, text.s, text.len);
		assert_int_equal(rig.rc, RC_OK);
		assert_int_equal(rig.count, 3);
		assert_string_equal(rig.record[0].damage, ""); /* neighbours stand */
		assert_form(&rig.record[0], FIELD_CONTACT, "前");
		assert_string_equal(rig.record[2].damage, "");
		assert_form(&rig.record[2], FIELD_BUSINESS_NAME, "後\n社");
		assert_int_equal(rig.record[2].line, 4);
		if (*cases[i].says)
			assert_non_null(strstr(rig.record[1].damage, cases[i].says));
		else
			assert_string_equal(rig.record[1].damage, "");
		str_free(&text);
	}
}

/* A quote that opens in one row and closes in a later one would swallow what lies between. */
/* Two columns with the same answers and commas of the sheet behind: nothing has moved. */
static void test_form__csv_empty_answer_is_no_shift(void **state)
{
	(void)state;
	rig_readz(&rig, "担当者名,事業者名,個人情報の取り扱いについて,ロゴマーク使用規約\nx,例,,同意する,\n");
	assert_int_equal(rig.count, 1);
	assert_string_equal(rig.record[0].damage, "");
	assert_form(&rig.record[0], FIELD_PRIVACY, "");
	assert_form(&rig.record[0], FIELD_TERMS, "同意する");
}

/* A row of values is no header, else its application would be lost without a word. */
static void test_form__csv_values_are_no_header(void **state)
{
	(void)state;
	rig_readz(&rig, "担当者名:見本\tmail:a@b.jp\t自己宣言ID:\tお申込日:\tアンケート:\n");
	assert_int_equal(rig.rc, RC_REFUSED);
	rig_readz(&rig, "担当者名 例)山田太郎,担当者メールアドレス 例)xxx@xxx.co.jp "
			"【必須】,都道府県\n見本,a@b.jp,東京都\n");
	assert_int_equal(rig.count, 1);
	assert_form(&rig.record[0], FIELD_MAIL, "a@b.jp");
}

static void test_form__csv_stray_quote_costs_one_row(void **state)
{
	(void)state;
	rig_readz(&rig, "担当者名,事業者名,都道府県\n一,\"例,東京都\n二,例,東京都\n三,\"例\",東京都\n");
	assert_int_equal(rig.count, 3);
	assert_non_null(strstr(rig.record[0].damage, "2行目"));
	assert_form(&rig.record[1], FIELD_CONTACT, "二");
	assert_form(&rig.record[2], FIELD_BUSINESS_NAME, "例");
	assert_string_equal(rig.record[0].codes, "damage"); /* no cascade */
}

static void test_form__nul_bytes_are_seen(void **state)
{
	(void)state;
	static const char csv[] = "担当者名,事業者名,都道府県\n見\0本,例,東京都\n\0\0\0\n";
	rig_read(&rig, csv, sizeof csv - 1);
	assert_int_equal(rig.count, 1);
	assert_form(&rig.record[0], FIELD_CONTACT, "見\x01本");
	assert_non_null(strstr(rig.record[0].codes, "injection"));
}

static void test_form__two_columns_that_differ(void **state)
{
	(void)state;
	rig_readz(&rig, "担当者名,事業者名,担当者名,都道府県\n見,例,本,\n見,例,見,\n");
	assert_non_null(strstr(rig.record[0].damage, "同じ項目が二度あり"));
	assert_string_equal(rig.record[1].damage, "");
}

/* ---- JSON ---- */

static void test_form__json_shapes(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t records;
		enum form_field field; /* of the last record */
		const char *value;
	} cases[] = {
		{"{\"担当者名\": \"見本\"}", 1, FIELD_CONTACT, "見本"},
		{"[{\"担当者名\": \"一\"}, {\"担当者名\": \"二\"}]", 2, FIELD_CONTACT, "二"},
		{"{\"件数\": 2, \"records\": [{\"担当者名\": \"一\"}, {\"contact\": \"二\"}]}", 2,
			FIELD_CONTACT, "二"},
		{"{\"data\": {\"applications\": [{\"担当者名\": \"一\"}]}}", 1, FIELD_CONTACT, "一"},
		{"{\"担当者名\": \"一\"}\n{\"担当者名\": \"二\"}\n", 2, FIELD_CONTACT, "二"},
		{"\xEF\xBB\xBF {\"mail\": \"a@b.jp\"}", 1, FIELD_MAIL, "a@b.jp"},
		{"{\"page1\": {\"担当者名\": \"見\"}, \"page2\": {\"代表者\": {\"姓\": \"例\", \"名\": "
		 "\"示\"}}}",
			1, FIELD_GIVEN_NAME, "示"},
		{"{\"answers\": [{\"question\": \"担当者名\", \"answer\": \"見\"}, {\"question\": \"住所\", "
		 "\"answer\": \"市\"}]}",
			1, FIELD_ADDRESS, "市"},
		{"{\"corporate_number\": 2999046046739}", 1, FIELD_CORPORATE_NUMBER, "2999046046739"},
		{"{\"corporate_number\": 2999046046739.0}", 1, FIELD_CORPORATE_NUMBER, "2999046046739"},
		{"{\"corporate_number\": 9.99953E+12}", 1, FIELD_CORPORATE_NUMBER, "9.99953E+12"},
		{"{\"news\": true}", 1, FIELD_NEWS, "true"},
		{"{\"news\": null}", 1, FIELD_NEWS, ""},
		{"{\"employees\": 12}", 1, FIELD_EMPLOYEES, "12"},
		{"{\"survey\": [\"一\", \"二\"]}", 1, FIELD_SURVEY, "一\n二"},
		{"{\"survey\": []}", 1, FIELD_SURVEY, ""},
		{"{\"business_name\": \"a\\u0000b\"}", 1, FIELD_BUSINESS_NAME,
			"a\x01"
			"b"},
		{"{\"担当者名\": \"} ] , {\"}", 1, FIELD_CONTACT, "} ] , {"},
		{"{\"担当者名\": {\"type\": \"text\", \"value\": \"見本\"}}", 1, FIELD_CONTACT, "見本"},
		/* records by name; pages that share a label are none */
		{"{\"A1\": {\"kind\": \"new1\", \"contact\": \"一\"}, \"A2\": {\"kind\": \"new1\", "
		 "\"contact\": \"二\"}}",
			2, FIELD_CONTACT, "二"},
		{"{\"page1\": {\"kind\": \"new1\", \"電話番号\": \"1\"}, \"page2\": {\"電話番号\": \"1\"}}",
			1, FIELD_TELEPHONE, "1"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		rig_readz(&rig, cases[i].text);
		assert_int_equal(rig.rc, RC_OK);
		assert_int_equal(rig.head.format, FORM_JSON);
		assert_int_equal(rig.count, cases[i].records);
		assert_string_equal(rig.record[rig.count - 1].damage, "");
		assert_form(&rig.record[rig.count - 1], cases[i].field, cases[i].value);
	}
}

static void test_form__json_broken_records(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t records, broken; /* index of the broken one */
		const char *says;
	} cases[] = {
		{"[\n{\"担当者名\": \"一\"},\n{\"担当者名\": \"a\" \"b\"},\n{\"担当者名\": \"三\"}]", 3, 1,
			"JSONの書き方が正しくありません（3行目）"},
		{"[\n{\"担当者名\": \"一\"},\n{\"担当", 2, 1, "途中で終わっています（3行目）"},
		{"{\"担当者名\": \"一\"}\n{\"担当者名\": [1,\n{\"担当者名\": \"三\"}\n", 3, 1,
			"途中で終わっています"},
		{"{\"担当者名\": \"一\", \"担当者名\": \"二\"}", 1, 0, "同じ項目名が二度あります"},
		{"[1, {\"担当者名\": \"二\"}, \"x\"]", 0, 0, NULL}, /* no record stands first: not a form */
		{"[{\"担当者名\": \"一\"}, 7]", 2, 1, "申込み一件のまとまり"},
		{"{\"contact\": \"見\", \"担当者名\": \"本\"}", 1, 0, ""},
		{"{\"担当者名\": \"\xff\"}", 1, 0, "読み取れない文字"},
		{"{\"担当者名\": \"\\ud800\"}", 1, 0, "JSONの書き方"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		rig_readz(&rig, cases[i].text);
		assert_int_equal(rig.count, cases[i].records);
		if (!cases[i].says) {
			assert_int_equal(rig.rc, RC_REFUSED);
			continue;
		}
		assert_int_equal(rig.rc, RC_OK);
		if (!strstr(rig.record[cases[i].broken].damage, cases[i].says))
			print_error("%zu: %s\n", i, rig.record[cases[i].broken].damage);
		assert_non_null(strstr(rig.record[cases[i].broken].damage, cases[i].says));
		for (size_t k = 0; k < rig.count; k++)
			assert_true(k == cases[i].broken || !*rig.record[k].damage);
	}
}

/* ---- the confirmation page ---- */

static void page(struct str *out, const char *gap, const char *name)
{
	str_addz(out, "入力内容確認\n\n入力（自己宣言内容）1/2\n\n");
	for (size_t i = 0; i < RIG_FIELDS; i++) {
		if (rig_form[i].field == FIELD_TYPE)
			str_addz(out, "\n入力（事業者情報入力）2/2\n\n");
		str_printf(out, "%s%s%s%s\n", i % 5 ? "" : "【公開】",
			fieldmap_label(rig.map, rig_form[i].field), gap,
			rig_form[i].field == FIELD_BUSINESS_NAME ? name : rig_form[i].value);
	}
	str_addz(out, "\n戻る\n\n登録\n");
}

static void test_form__page_layouts(void **state)
{
	(void)state;
	static const char *const gaps[] = {
		"：", ":", ": ", " ： ", "\t", "\n", "\n\n", "　　", "  ", " = ", "\n　　"};
	for (size_t i = 0; i < sizeof gaps / sizeof *gaps; i++) {
		struct str text = STR_INIT;
		page(&text, gaps[i], "例示：商店");
		page(&text, gaps[i], "二番");
		rig_read(&rig, text.s, text.len);
		assert_int_equal(rig.rc, RC_OK);
		assert_int_equal(rig.head.format, FORM_TEXT);
		assert_int_equal(rig.count, 2);
		assert_form(&rig.record[0], FIELD_BUSINESS_NAME, "例示：商店");
		assert_form(&rig.record[1], FIELD_BUSINESS_NAME, "二番");
		for (size_t k = 0; k < RIG_FIELDS; k++) {
			if (rig_form[k].field != FIELD_BUSINESS_NAME)
				assert_form(&rig.record[0], rig_form[k].field, rig_form[k].value);
		}
		assert_string_equal(rig.record[0].codes, "");
		str_free(&text);
	}
}

static void test_form__page_as_the_guide_shows_it(void **state)
{
	(void)state;
	rig_readz(&rig,
		"入力内容確認\r\n\r\n【公開】宣言の内容（ロゴマークの種類）\r\n\r\n新規に【★一つ星】を申し込"
		"む\r\n\r\n"
		"反社会的勢力排除に関する誓約\r\n\r\nロゴマーク使用希望者は、反社会的勢力に該当せず、…誓約し"
		"た者に限ります。\r\n\r\n誓約する\r\n\r\n"
		"担当者名\r\n\r\n見本陽菜\r\n\r\n法人／個人事業主\r\n\r\n■法人\r\n□個人事業主\r\n\r\n"
		"市区町村・番地\r\n例示市1-2\r\nビル3F\r\n\r\n業種（中分類）\r\n\r\n水道業\r\n 林業\r\n\r\n"
		"メールアドレス\r\n\r\nexample@sample.co."
		"jp\r\n\r\nIPAからの情報送付\r\n\r\n希望しない\r\n\r\n"
		"個人情報の取り扱いについて\r\n同意\r\n備考：なし\r\n戻る\r\n\r\n登録\r\n");
	assert_int_equal(rig.count, 1);
	const struct rig_record *record = &rig.record[0];
	assert_string_equal(record->canonical.value[FIELD_KIND], "new1");
	assert_string_equal(record->canonical.value[FIELD_PLEDGE], "yes");
	assert_string_equal(record->canonical.value[FIELD_TYPE], "corporation");
	assert_string_equal(record->canonical.value[FIELD_ADDRESS], "例示市1-2 ビル3F");
	assert_string_equal(record->canonical.value[FIELD_INDUSTRY], "水道業、林業");
	assert_string_equal(record->canonical.value[FIELD_NEWS], "false");
	assert_string_equal(record->canonical.value[FIELD_PRIVACY], "yes");
	assert_form(record, FIELD_MAIL, "example@sample.co.jp");
}

static void test_form__page_records(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t records;
		enum form_field field; /* of the last record */
		const char *value;
	} cases[] = {
		/* lines part pages, not always applications */
		{"担当者名：一\n----------\n事業者名：例\n都道府県：東京都\n", 1, FIELD_BUSINESS_NAME, "例"},
		{"担当者名：一\n事業者名：例\n都道府県：東京都\n==========\n担当者名：二\n", 2, FIELD_CONTACT,
			"二"},
		{"担当者名：一\n事業者名：例\n都道府県：東京都\n担当者名：二\n", 2, FIELD_CONTACT, "二"},
		/* the address twice under one label */
		{"担当者名：一\n担当者メールアドレス：a@b.jp\n担当者メールアドレス：c@b."
		 "jp\n都道府県：東京都\n",
			1, FIELD_MAIL_CONFIRM, "c@b.jp"},
		/* brackets, bullets, two-column CSV */
		{"【担当者名】一\n【事業者名】例\n【都道府県】東京都\n", 1, FIELD_PREFECTURE, "東京都"},
		{"【担当者名】\n一\n【事業者名】\n例\n【都道府県】\n東京都\n", 1, FIELD_BUSINESS_NAME, "例"},
		{"■担当者名：一\n■事業者名：例\n■都道府県：東京都\n", 1, FIELD_CONTACT, "一"},
		{"担当者名,一\n事業者名,\"例\"\n都道府県,東京都\n", 1, FIELD_CONTACT, "一"},
		{"\"担当者名\",\"一\"\n\"事業者名\",\"例 \"\"x\"\", Ltd.\"\n\"都道府県\",\"東京都\"\n", 1,
			FIELD_BUSINESS_NAME, "例 \"x\", Ltd."},
		{"| 担当者名 | 一 |\n|---|---|\n| 事業者名 | 例 |\n| 都道府県 | |\n", 1, FIELD_BUSINESS_NAME,
			"例"},
		{"│担当者名│一│\n│事業者名│例│\n│都道府県│東京都│\n", 1, FIELD_PREFECTURE, "東京都"},
		{"担当者名 → 一\n事業者名→例\n都道府県→東京都\n", 1, FIELD_BUSINESS_NAME, "例"},
		{"> 担当者名：一\n> 事業者名：例\n> 都道府県：東京都\n", 1, FIELD_BUSINESS_NAME, "例"},
		/* an injected line stays with its value, an unknown label does not */
		{"担当者名：一\n事業者名：例\nBcc: x@example.com\n都道府県：東京都\n", 1, FIELD_BUSINESS_NAME,
			"例\nBcc: x@example.com"},
		{"担当者名：一\n事業者名：例\n所属部署：営業\n都道府県：東京都\n", 1, FIELD_BUSINESS_NAME,
			"例"},
		/* an answer that reads like a label */
		{"担当者名\n一\n都道府県\n東京都\n個人情報の取り扱いについて\n同意\n", 1, FIELD_PRIVACY,
			"同意"},
		{"担当者名\n同意 太郎\n都道府県\n東京都\n事業者名\n例\n", 1, FIELD_CONTACT, "同意 太郎"},
		{"担当者名\n一\n法人／個人事業主\n法人・個人事業主\n事業者名\n例\n", 1, FIELD_TYPE,
			"法人・個人事業主"},
		{"宣言の内容　　★★\n担当者名　　一\n事業者名　　=例\n", 1, FIELD_KIND, "★★"},
		{"宣言の内容　　★★\n担当者名　　一\n事業者名　　=例\n", 1, FIELD_BUSINESS_NAME, "=例"},
		{"担当者名 = 一\n都道府県 = 東京都\n事業者名 = 例\n", 1, FIELD_BUSINESS_NAME, "例"},
		/* a value alone in quotes */
		{"担当者名,一\n都道府県,東京都\n事業者名,\"例 \"\"x\"\", Ltd.\"\n", 1, FIELD_BUSINESS_NAME,
			"例 \"x\", Ltd."},
		{"- \"担当者名\": \"一\",\n  \"都道府県\": \"東京都\",\n  \"事業者名\": \"例\"\n", 1,
			FIELD_CONTACT, "一"},
		/* signatures are no applications */
		{"宣言の内容：★\n担当者名：一\n事業者名：例\n--\n株式会社別\nTEL：03-0000-1\nE-mail: "
		 "a@b.jp\n",
			1, FIELD_BUSINESS_NAME, "例"},
		{"担当者名：一\n事業者名：例\nTEL：1\n━━━━━\n別の人\nTEL：2\n━━━━━\n", 1, FIELD_TELEPHONE,
			"1"},
		/* a bracket within a bracket */
		{"【担当者名】一\n【都道府県】東京都\n【【公開】事業者名】例\n", 1, FIELD_BUSINESS_NAME,
			"例"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		rig_readz(&rig, cases[i].text);
		assert_int_equal(rig.rc, RC_OK);
		assert_int_equal(rig.count, cases[i].records);
		assert_form(&rig.record[rig.count - 1], cases[i].field, cases[i].value);
	}
}

/* ---- decisions ---- */

static void test_form__decision_files(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"申込番号,処理,理由\n12,許可,\n13,保留,書類待ち\n",
		"理由\t申込み番号\t処理\n\t12\t許可\n書類待ち\t13\t保留\n",
		"[{\"申込番号\": 12, \"処理\": \"許可\"}, {\"申込番号\": 13, \"処理\": \"保留\", \"理由\": "
		"\"書類待ち\"}]",
		"申込番号：12\n処理：許可\n\n申込番号：13\n処理：保留\n理由：書類待ち\n",
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		rig_readz(&rig, texts[i]);
		assert_int_equal(rig.rc, RC_OK);
		assert_int_equal(rig.head.content, CONTENT_DECISIONS);
		assert_int_equal(rig.count, 2);
		assert_string_equal(rig.record[0].decision[DECISION_TARGET], "12");
		assert_string_equal(rig.record[0].decision[DECISION_ACTION], "許可");
		assert_string_equal(rig.record[1].decision[DECISION_TARGET], "13");
		assert_string_equal(rig.record[1].decision[DECISION_ACTION], "保留");
		assert_string_equal(rig.record[1].decision[DECISION_REASON], "書類待ち");
	}
	/* A list with names may be one too; columns that staff added to application forms don't make one of them. */
	rig_readz(&rig, "申込番号,担当者名,事業者名,都道府県,メールアドレス,法人番号,処理\n1,見本,例示,"
			"東京都,a@b.jp,,許可\n");
	assert_int_equal(rig.head.content, CONTENT_DECISIONS);
	rig_readz(&rig, "申込番号,処理,宣言の内容,担当者名,事業者名\n1,済,一つ星,見本,例示\n");
	assert_int_equal(rig.head.content, CONTENT_APPLICATIONS);
}

static void test_form__decision_columns(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"自己宣言ID,処理,中止日,通知,依頼番号,理由\n46837431276,中止,2026/12/31,ID,7,見本\n",
		"{\"自己宣言ID\": 46837431276, \"処理\": \"中止\", \"中止日\": \"2026/12/31\", \"通知\": "
		"\"ID\", "
		"\"依頼番号\": 7, \"理由\": \"見本\"}",
		"自己宣言ID：46837431276\n処理：中止\n中止日：2026/12/"
		"31\n通知：ID\n依頼番号：7\n理由：見本\n",
	};
	static const struct {
		enum decision_column column;
		const char *value;
	} cells[] = {
		{DECISION_DECLARATION, "46837431276"},
		{DECISION_ACTION, "中止"},
		{DECISION_DAY, "2026/12/31"},
		{DECISION_NOTICE, "ID"},
		{DECISION_REQUEST, "7"},
		{DECISION_REASON, "見本"},
		{DECISION_TARGET, NULL},
		{DECISION_FIELD, NULL},
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		rig_readz(&rig, texts[i]);
		assert_int_equal(rig.rc, RC_OK);
		assert_int_equal(rig.head.content, CONTENT_DECISIONS);
		assert_int_equal(rig.count, 1);
		assert_string_equal(rig.record[0].damage, "");
		for (size_t k = 0; k < sizeof cells / sizeof *cells; k++) {
			const char *got = rig.record[0].decision[cells[k].column];
			if (!cells[k].value)
				assert_null(got);
			else
				assert_string_equal(got, cells[k].value);
		}
		for (int field = 0; field < FIELD_COUNT; field++)
			assert_null(rig.record[0].form.value[field]);
	}
}

/* 訂正 by 項目 and 新しい値, and by the form's own columns: an empty cell changes nothing, a word clears. */
static void test_form__corrections(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum form_field field;
		const char *value; /* NULL: nothing is changed */
		const char *damage; /* NULL: none */
	} cases[] = {
		{"申込番号,処理,項目,新しい値\n1,訂正,担当者名,見本 花子\n", FIELD_CONTACT, "見本 花子",
			NULL},
		{"申込番号,処理,項目,新しい値\n1,修正,電話,03-0000-0000\n", FIELD_TELEPHONE, "03-0000-0000",
			NULL},
		{"申込番号：1\n処理：訂正\n項目：担当者名\n新しい値：見本 花子\n", FIELD_CONTACT, "見本 花子",
			NULL},
		{"申込番号\n1\n処理\n訂正\n項目\n担当者名\n新しい値\n見本 花子\n", FIELD_CONTACT, "見本 花子",
			NULL},
		{"{\"申込番号\":1,\"処理\":\"訂正\",\"項目\":\"担当者名\",\"新しい値\":\"見本 花子\"}",
			FIELD_CONTACT, "見本 花子", NULL},
		{"{\"申込番号\":1,\"処理\":\"訂正\",\"電話番号\":\"03-0000-0000\"}", FIELD_TELEPHONE,
			"03-0000-0000", NULL},
		{"申込番号,処理,担当者名,電話番号\n1,訂正,,03-0000-0000\n", FIELD_TELEPHONE, "03-0000-0000",
			NULL},
		{"申込番号,処理,担当者名,電話番号\n1,訂正,,03-0000-0000\n", FIELD_CONTACT, NULL, NULL},
		{"申込番号,処理,代表者名\n1,訂正,見本 太郎\n", FIELD_GIVEN_NAME, "太郎", NULL},
		{"申込番号,処理,項目,新しい値\n1,訂正,所属団体,空欄にする\n", FIELD_ASSOCIATION, "", NULL},
		{"申込番号,処理,項目,新しい値\n1,許可,,\n", FIELD_CONTACT, NULL, NULL},
		{"申込番号,処理,事業者名\n1,許可,株式会社サンプル\n", FIELD_BUSINESS_NAME, NULL, NULL},
		{"申込番号,処理,項目,新しい値\n1,訂正,担当者名,\n", FIELD_CONTACT, NULL, "空欄にする"},
		{"申込番号,処理,項目,新しい値\n1,訂正,,見本\n", FIELD_CONTACT, NULL, "「項目」がありません"},
		{"申込番号,処理,項目,新しい値\n1,訂正,好きな色,赤\n", FIELD_CONTACT, NULL,
			"申込書の項目ではありません"},
		{"申込番号,処理,項目,新しい値\n1,訂正,自己宣言ID,41234567890\n", FIELD_DECLARATION_ID, NULL,
			"自己宣言IDは訂正できません"},
		{"申込番号,処理,項目,新しい値\n1,訂正,建物名,見本ビル\n", FIELD_CONTACT, NULL,
			"住所の一部だけ"},
		{"申込番号,処理,担当者（姓）\n1,訂正,見本\n", FIELD_ADDRESS, NULL, "一方だけ"},
		{"申込番号,処理,代表者名\n1,訂正,見本太郎\n", FIELD_CONTACT, NULL, "姓と名の境"},
		{"申込番号,処理,項目,新しい値,担当者名\n1,訂正,担当者名,見本,例示\n", FIELD_ADDRESS, NULL,
			"どちらか"},
		{"申込番号,処理,項目,新しい値,項目,新しい値\n1,訂正,担当者名,見本,電話番号,03-0000-0000\n",
			FIELD_ADDRESS, NULL, "列が二つあり"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		rig_readz(&rig, cases[i].text);
		if (rig.rc || rig.count != 1 || (*rig.record[0].damage != '\0') != (cases[i].damage != NULL))
			print_error("%zu: %s %s\n", i, cases[i].text, rig.count ? rig.record[0].damage : "");
		assert_int_equal(rig.rc, RC_OK);
		assert_int_equal(rig.count, 1);
		assert_int_equal(rig.head.content, CONTENT_DECISIONS);
		if (cases[i].damage) {
			assert_non_null(strstr(rig.record[0].damage, cases[i].damage));
			continue;
		}
		assert_string_equal(rig.record[0].damage, "");
		const char *got = rig.record[0].form.value[cases[i].field];
		if (!cases[i].value)
			assert_null(got);
		else
			assert_string_equal(got, cases[i].value);
	}
}

/* The words of decisions are common ones: in an application they mean nothing. */
static void test_form__decision_words_in_applications(void **state)
{
	(void)state;
	rig_readz(&rig, "項目,内容\n担当者名,見本\n事業者名,例示\n都道府県,東京都\n通知,希望する\n");
	assert_int_equal(rig.head.content, CONTENT_APPLICATIONS);
	assert_int_equal(rig.count, 1);
	assert_string_equal(rig.record[0].form.value[FIELD_CONTACT], "見本");
	rig_readz(&rig,
		"{\"担当者名\":\"見本\",\"事業者名\":\"例示\",\"欄\":[{\"項目\":\"好きな色\",\"値\":\"赤\"},"
		"{\"項目\":\"趣味\",\"値\":\"囲碁\"}]}");
	assert_int_equal(rig.head.content, CONTENT_APPLICATIONS);
	assert_string_equal(rig.record[0].damage, "");
	rig_readz(&rig, "項目,新しい値,中止日\n担当者名,見本,\n");
	assert_int_equal(rig.rc, RC_REFUSED);
	/* A broken first row does not make decisions into applications. */
	rig_readz(&rig, "申込番号,処理,理由\n1,却下,\"a,b\n2,許可,\n");
	assert_int_equal(rig.head.content, CONTENT_DECISIONS);
	assert_int_equal(rig.count, 2);
	assert_true(rig.record[0].damage[0] != '\0');
	assert_string_equal(rig.record[1].decision[DECISION_ACTION], "許可");
	rig_readz(&rig, "[{\"申込番号\":1,\"処理\":\"許可\",,},{\"申込番号\":2,\"処理\":\"許可\"}]");
	assert_int_equal(rig.head.content, CONTENT_DECISIONS);
	assert_int_equal(rig.count, 2);
	assert_true(rig.record[0].damage[0] != '\0');
	assert_string_equal(rig.record[1].decision[DECISION_ACTION], "許可");
	rig_readz(&rig, "申込番号：1\n処理：許可\n理由：\x82\n\n申込番号：2\n処理：許可\n");
	assert_int_equal(rig.head.content, CONTENT_DECISIONS);
}

/* ---- files that are none, limits ---- */

#define BYTES(text) text, sizeof(text) - 1

static void test_form__files_that_are_no_forms(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t len;
		const char *says;
	} cases[] = {
		{BYTES(""), "空です"},
		{BYTES("\xEF\xBB\xBF\r\n \r\n"), "空です"},
		{BYTES("PK\x03\x04rest"), "Excelブック"},
		{BYTES("\xD0\xCF\x11\xE0rest"), "古い形式のExcel"},
		{BYTES("%PDF-1.7"), "PDF"},
		{BYTES("<html><body>"), "HTML"},
		{BYTES("\xEF\xBB\xBF<!doctype html>"), "HTML"},
		{BYTES("\xFF\xD8\xFF\xE0"), "画像"},
		{BYTES("Received: from x"), "メール"},
		{BYTES("今日はいい天気です。\n明日も。\n"), "見出しの行"},
		{BYTES("a,b,c\n1,2,3\n"), "見出しの行"},
		{BYTES("担当者名,事業者名\nx,y\n"), "見出しの行"},
		{BYTES("[]"), "一件も"},
		{BYTES("["), "途中で"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		rig_read(&rig, cases[i].bytes, cases[i].len);
		assert_int_equal(rig.rc, RC_REFUSED);
		assert_int_equal(rig.count, 0);
		assert_non_null(rig.why_ja);
		if (!strstr(rig.why_ja, cases[i].says))
			print_error("%zu: %s\n", i, rig.why_ja);
		assert_non_null(strstr(rig.why_ja, cases[i].says));
		assert_true(rig.err.text[0] != '\0');
	}
}

static enum rc stop_at_two(
	void *ctx, const struct form_head *head, const struct form_record *record, struct err *err)
{
	(void)head;
	*(int *)ctx = record->record;
	return record->record == 2 ? err_set(err, RC_STORE, "The disk is full.") : RC_OK;
}

static void test_form__limits(void **state)
{
	(void)state;
	struct form_limits limits = {.file_bytes = 1000, .records = 2, .value_bytes = 20, .columns = 5};
	const char *why = NULL;
	struct err err = {0};
	int seen = 0;
	static const char three[] = "担当者名,事業者名,都道府県\n一,例,東京都\n二,例,東京都\n三,例,東京都\n";
	static const char wide[] = "担当者名,事業者名,都道府県,a,b,c\n一,例,東京都,,,\n";

	rig.count = 0;
	assert_int_equal(form_read(three, sizeof three - 1, rig.map, &limits, rig_record, &rig, &why, &err),
		RC_REFUSED);
	assert_int_equal(rig.count, 2);
	assert_non_null(strstr(why, "件数が多すぎます"));
	assert_int_equal(
		form_read(wide, sizeof wide - 1, rig.map, &limits, rig_record, &rig, &why, &err), RC_REFUSED);
	assert_non_null(strstr(why, "列が多すぎます"));
	limits.file_bytes = 10;
	assert_int_equal(form_read(three, sizeof three - 1, rig.map, &limits, rig_record, &rig, &why, &err),
		RC_REFUSED);
	assert_non_null(strstr(why, "大きすぎます"));

	limits.file_bytes = 1000;
	rig.count = 0;
	static const char longer[] = "担当者名,事業者名,都道府県\nあいうえおかきくけこ,例,東京都\n";
	assert_int_equal(
		form_read(longer, sizeof longer - 1, rig.map, &limits, rig_record, &rig, &why, &err), RC_OK);
	assert_non_null(strstr(rig.record[0].damage, "長すぎます"));
	assert_form(&rig.record[0], FIELD_CONTACT, "あいうえおか"); /* cut between characters */

	/* Parts of which each is short enough, and together they are not. */
	rig.count = 0;
	static const char parts[] =
		"担当者（姓）,担当者（名）,事業者名,都道府県\nあいうえ,おかきく,例,東京都\n";
	assert_int_equal(
		form_read(parts, sizeof parts - 1, rig.map, &limits, rig_record, &rig, &why, &err), RC_OK);
	assert_non_null(strstr(rig.record[0].damage, "長すぎます"));
	assert_form(&rig.record[0], FIELD_CONTACT, "あいうえ おか");

	/* Whoever takes the records can end the reading. */
	assert_int_equal(
		form_read(three, sizeof three - 1, rig.map, NULL, stop_at_two, &seen, &why, &err), RC_STORE);
	assert_int_equal(seen, 2);
	assert_null(why);
}

/* An array within a form is part of it; a wrapper has no answers of its own. */
static void test_form__json_with_attachments(void **state)
{
	(void)state;
	static const char *const files[] = {
		"{\"担当者名\":\"見本\",\"添付ファイル\":[{\"name\":\"a.pdf\",\"size\":1}],\"事業者名\":"
		"\"例\","
		"\"都道府県\":\"東京都\"}",
		/* as json_encode() of PHP writes them */
		"{\"\\u62c5\\u5f53\\u8005\\u540d\":\"見本\",\"files\":[{\"name\":\"a.pdf\"}],"
		"\"\\u4e8b\\u696d\\u8005\\u540d\":\"例\",\"\\u90fd\\u9053\\u5e9c\\u770c\":\"東京都\"}",
		"{\"form\":{\"id\":7},\"担当者名\":3,\"records\":[{\"担当者名\":\"見本\",\"事業者名\":\"例\"}"
		"]}",
	};
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		const char *why = NULL;
		struct err err = {0};
		rig.count = 0;
		assert_int_equal(
			form_read(files[i], strlen(files[i]), rig.map, NULL, rig_record, &rig, &why, &err),
			RC_OK);
		assert_int_equal(rig.count, 1);
		assert_form(&rig.record[0], FIELD_CONTACT, "見本");
		assert_form(&rig.record[0], FIELD_BUSINESS_NAME, "例");
	}
}

/* Cut anywhere, a file is read or refused, never worse. */
static void test_form__cut_anywhere(void **state)
{
	(void)state;
	static const char *const files[] = {"001.csv", "003.txt", "010.json", "011.csv"};
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		struct str path = STR_INIT, bytes = STR_INIT;
		struct err err = {0};
		str_printf(&path, "tests/samples/forms/%s", files[i]);
		assert_int_equal(file_read(&bytes, path.s, 1 << 20, &err), RC_OK);
		for (size_t len = 0; len < bytes.len; len += 7) {
			char *copy = xmalloc(len + 1); /* of just that size, for the sanitizer */
			memcpy(copy, bytes.s, len);
			rig_read(&rig, copy, len);
			assert_true(rig.rc == RC_OK || (rig.rc == RC_REFUSED && rig.why_ja));
			free(copy);
		}
		str_free(&path);
		str_free(&bytes);
	}
}

/* Labels and values of another form: put together as a form file's are; a label nobody knows is named. */
static void test_form__record_from_pairs(void **state)
{
	static const char *const label[] = {
		"代表者名", "ＴＥＬ", "所在地", "番地", "メールアドレス", "法人番号"};
	static const char *const value[] = {"代表取締役 見本 太郎", " 03-0000-0000 ", "見本市例示", "1-2-3",
		"taro@example.co.jp", "7010705000725"};
	static const char *const unknown[] = {"電話番号", "好きな色"}, *const some[] = {"03", "赤"};
	static const char *const ignored[] = {"エラー内容"}, *const whole[] = {"代表者"},
				 *const name[] = {"見本太郎"};
	struct form_record record;
	struct fieldmap *map = NULL;
	struct err err = {0};
	struct pool *pool = pool_new();
	(void)state;
	assert_int_equal(fieldmap_load(&map, NULL, &err), RC_OK);
	assert_int_equal(form_record_from(&record, map, &form_limits_default, label, value, 6, pool), -1);
	assert_string_equal(record.form.value[FIELD_FAMILY_NAME], "見本");
	assert_string_equal(record.form.value[FIELD_GIVEN_NAME], "太郎");
	assert_string_equal(record.form.value[FIELD_TELEPHONE], "03-0000-0000");
	assert_string_equal(record.form.value[FIELD_ADDRESS], "見本市例示1-2-3");
	assert_string_equal(record.form.value[FIELD_MAIL], "taro@example.co.jp");
	assert_string_equal(record.form.value[FIELD_CORPORATE_NUMBER], "7010705000725");
	assert_null(record.form.value[FIELD_CONTACT]);
	assert_false(record.representative_whole);
	assert_int_equal(form_record_from(&record, map, &form_limits_default, unknown, some, 2, pool), 1);
	assert_int_equal(form_record_from(&record, map, &form_limits_default, ignored, some, 1, pool), 0);
	assert_int_equal(form_record_from(&record, map, &form_limits_default, whole, name, 1, pool), -1);
	assert_true(record.representative_whole);
	pool_free(&pool);
	fieldmap_free(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form__csv_in_all_spellings),
		cmocka_unit_test(test_form__csv_rows_that_are_none),
		cmocka_unit_test(test_form__csv_another_header_in_the_middle),
		cmocka_unit_test(test_form__csv_columns),
		cmocka_unit_test(test_form__csv_damage),
		cmocka_unit_test(test_form__csv_empty_answer_is_no_shift),
		cmocka_unit_test(test_form__csv_values_are_no_header),
		cmocka_unit_test(test_form__csv_stray_quote_costs_one_row),
		cmocka_unit_test(test_form__nul_bytes_are_seen),
		cmocka_unit_test(test_form__two_columns_that_differ),
		cmocka_unit_test(test_form__json_shapes),
		cmocka_unit_test(test_form__json_broken_records),
		cmocka_unit_test(test_form__page_layouts),
		cmocka_unit_test(test_form__page_as_the_guide_shows_it),
		cmocka_unit_test(test_form__page_records),
		cmocka_unit_test(test_form__decision_files),
		cmocka_unit_test(test_form__decision_columns),
		cmocka_unit_test(test_form__corrections),
		cmocka_unit_test(test_form__decision_words_in_applications),
		cmocka_unit_test(test_form__files_that_are_no_forms),
		cmocka_unit_test(test_form__limits),
		cmocka_unit_test(test_form__json_with_attachments),
		cmocka_unit_test(test_form__cut_anywhere),
		cmocka_unit_test(test_form__record_from_pairs),
	};
	return cmocka_run_group_tests(tests, open_rig, close_rig);
}
