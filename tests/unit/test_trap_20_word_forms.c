/* T20: Word forms that read as empty. The same B-3 as Word, LibreOffice, Pages and a phone write it: the same fields from each. And archives that swell. */
#include "docx_rig.h"

#include "lib/mail/sheet.h"
#include "lib/mail/zipped.h"

#define ID "41234567890"
#define NAME "株式会社サンプル"
#define TITLE "SECURITY ACTIONロゴマーク使用中止申込書"

/* A content control, as Word makes them; with a lone hint it is not filled in. */
#define SDT(inner)                                                                                           \
	"<w:sdt><w:sdtPr><w:alias w:val=\"x\"/><w:text/></w:sdtPr><w:sdtContent>" inner                      \
	"</w:sdtContent></w:sdt>"
#define TICKED                                                                                               \
	"<w:sdt><w:sdtPr><w14:checkbox><w14:checked "                                                        \
	"w14:val=\"1\"/></w14:checkbox></w:sdtPr><w:sdtContent>" RUN("☒") "</w:sdtContent></w:sdt>"
#define CELL_OF(text) CELL(P(RUN(text)))
/* A legacy form field: its text between the separators, split as Word splits it. */
#define FIELD(a, b)                                                                                          \
	"<w:r><w:fldChar w:fldCharType=\"begin\"><w:ffData><w:name "                                         \
	"w:val=\"t\"/><w:textInput/></w:ffData></w:fldChar></w:r>"                                           \
	"<w:r><w:instrText> FORMTEXT </w:instrText></w:r><w:r><w:fldChar "                                   \
	"w:fldCharType=\"separate\"/></w:r>" RUN(a) RUN(b) "<w:r><w:fldChar w:fldCharType=\"end\"/></w:r>"
#define OLD_TICK                                                                                             \
	"<w:r><w:fldChar w:fldCharType=\"begin\"><w:ffData><w:checkBox><w:default "                          \
	"w:val=\"0\"/><w:checked/></w:checkBox></w:ffData></w:fldChar></w:r>"                                \
	"<w:r><w:instrText> FORMCHECKBOX </w:instrText></w:r><w:r><w:fldChar w:fldCharType=\"end\"/></w:r>"

// clang-format off
static const struct {
	const char *program, *xml;
} forms[] = {
	{"Word, content controls",
		DOCUMENT(P(RUN("（様式B-3）")) P(RUN(TITLE)) TABLE(
			ROW(CELL_OF("自己宣言ID") CELL(P(SDT(RUN("4123") RUN("4567890"))))) ROW(
				CELL_OF("事業者名") CELL(SDT(P(RUN(
					"株式会社") "<w:proofErr w:type=\"spellStart\"/>" RUN("サンプル")))))
				ROW(CELL_OF("代表者名") CELL(P(SDT(RUN("見本　太郎")))))
					ROW(CELL_OF("中止するロゴマーク") CELL(P(TICKED RUN("★一つ星")))) ROW(
						CELL_OF("使用を中止する理由") CELL(P(RUN("廃業のため"))))))},
	{"Word, old form fields, merged cells",
		DOCUMENT(P(RUN("様式B-3")) P(RUN(TITLE)) TABLE(
			ROW("<w:tc><w:tcPr><w:gridSpan w:val=\"2\"/></w:tcPr>" P(
				RUN("自己宣言ID")) "</w:tc>" CELL(P(FIELD("41234", "567890"))))
				ROW("<w:tc><w:tcPr><w:vMerge w:val=\"restart\"/></w:tcPr>" P(
					RUN("申込者")) "</w:tc>" CELL_OF("事業者名")
						CELL(P(FIELD("株式会社",
							"サンプル")))) ROW("<w:tc><w:tcPr><w:vMerge/></"
									   "w:tcPr>" P("") "</w:tc>" CELL_OF("代表者名")
										   CELL(P(FIELD("見本　",
											   "太郎"))))
					ROW("<w:tc><w:tcPr><w:gridSpan w:val=\"2\"/></w:tcPr>" P(
						RUN("中止するロゴマーク")) "</w:tc>" CELL(P(OLD_TICK
							RUN("★一つ星"))))
						ROW("<w:tc><w:tcPr><w:gridSpan w:val=\"2\"/></w:tcPr>" P(RUN(
							"使用を中止する理由")) "</w:tc>" CELL(P(RUN("廃業のた"
												    "め"))))))},
	{"LibreOffice", DOCUMENT(P("<w:r><w:rPr></w:rPr><w:t>（様式B-3）</w:t></w:r>") P(RUN(TITLE)) TABLE(
				"<w:tblPr/><w:tblGrid/>" ROW(
					"<w:trPr/>" CELL("<w:tcPr/>" P("<w:pPr/>" RUN("自己宣言ID"))) CELL(
						"<w:tcPr/>" P("<w:pPr/>" RUN(ID)))) ROW(CELL_OF("事業者名")
						CELL_OF(NAME)) ROW(CELL_OF("代表者名") CELL_OF("見本　太郎"))
					ROW(CELL_OF("中止するロゴマーク") CELL_OF("☑★一つ星　□★★二つ星"))
						ROW(CELL_OF("使用を中止する理由") CELL_OF("廃業のため"))))},
	{"Pages", /* cells with a paragraph for each line, ticks of a symbol font, the title in a text box with a fallback */
		DOCUMENT(P(
			"<w:r><mc:AlternateContent><mc:Choice "
			"Requires=\"wps\"><w:drawing><wps:txbx><w:txbxContent>" P(RUN(
				"様式B-3　" TITLE)) "</w:txbxContent></wps:txbx></w:drawing></"
						    "mc:Choice><mc:Fallback><w:pict><v:textbox><w:"
						    "txbxContent>" P(RUN("様式B-3　" TITLE)) "</"
											     "w:txbxContent><"
											     "/v:textbox></"
											     "w:pict></"
											     "mc:Fallback></"
											     "mc:"
											     "AlternateConten"
											     "t></w:r>")
				TABLE(ROW(CELL(P(RUN("自己宣言")) P(RUN("ID"))) CELL(P(RUN(ID)) P(""))) ROW(
					CELL(P(RUN("事業者名"))) CELL(P(RUN(NAME)))) ROW(CELL_OF("代表者名")
						CELL_OF("見本　太郎")) ROW(CELL_OF("中止するロゴマーク")
						CELL(P("<w:r><w:sym w:font=\"Wingdings\" "
						       "w:char=\"F0FE\"/></w:r>" RUN("★一つ星"))))
						ROW(CELL_OF("使用を中止する理由") CELL_OF("廃業のため"))))},
	{"a phone", /* an app that makes no tables: labels and values in paragraphs, broken by tabs and line breaks */
		DOCUMENT(P(RUN("様式B-3")) P(RUN(TITLE)) P(RUN("自己宣言ID：") RUN("４１２３４５６７８９０"))
				P(RUN("事業者名：") "<w:r><w:tab/></w:r>" RUN(NAME))
					P(RUN("代表者名：見本　太郎"))
						P(RUN("中止するロゴマーク：■★一つ星　□★★二つ星"))
							P(RUN("使用を中止する理由：廃業のため")))},
};
// clang-format on

static void test_trap_20__the_same_form_from_every_program(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		struct pool *pool = pool_new();
		struct doc doc;
		struct sheet sheet;
		struct err err = {0};
		if (read_xml(&doc, forms[i].xml, pool, &err) != RC_OK)
			fail_msg("%s: %s", forms[i].program, err.text);
		sheet_read_doc(&sheet, &doc, pool);
		if (sheet.kind != SHEET_STOP || sheet.blank || strcmp(sheet.declaration_id, ID) != 0 ||
			strcmp(sheet.business_name, NAME) != 0 || !strstr(sheet.representative, "太郎") ||
			!strstr(sheet.reason, "廃業"))
			fail_msg(
				"%s: kind %d%s, ID \"%s\", name \"%s\", representative \"%s\", reason \"%s\"",
				forms[i].program, sheet.kind, sheet.blank ? " (blank)" : "",
				sheet.declaration_id, sheet.business_name, sheet.representative,
				sheet.reason);
		/* A tick is text. */
		bool ticked = false;
		for (size_t c = 0; c < doc.count; c++)
			ticked = ticked || strstr(doc.cell[c].text, "☑") || strstr(doc.cell[c].text, "■");
		if (!ticked)
			fail_msg("%s: the tick is lost", forms[i].program);
		pool_free(&pool);
	}
}

/* The hint of a control that nobody filled in is no answer. */
static void test_trap_20__hints_are_no_answers(void **state)
{
	(void)state;
	struct pool *pool = pool_new();
	struct doc doc;
	struct sheet sheet;
	struct err err = {0};
	// clang-format off
	assert_int_equal(read_xml(&doc,
				 DOCUMENT(P(RUN("様式B-3")) P(RUN(TITLE)) TABLE(ROW(CELL_OF("自己宣言ID")
						 CELL("<w:sdt><w:sdtPr><w:showingPlcHdr/><w:text/></"
						      "w:sdtPr><w:sdtContent>" P(
							      RUN("クリックまたはタップしてテキストを入力して"
								  "ください。")) "</w:sdtContent></w:sdt>"))
						 ROW(CELL_OF("事業者名") CELL(P(""))))),
				 pool, &err),
		RC_OK);
	// clang-format on
	sheet_read_doc(&sheet, &doc, pool);
	assert_string_equal(sheet.declaration_id, "");
	assert_string_equal(sheet.business_name, "");
	pool_free(&pool);
}

static const char laughs[] =
	"<?xml version=\"1.0\"?><!DOCTYPE w:document [<!ENTITY a \"ha\"><!ENTITY b "
	"\"&a;&a;&a;&a;&a;&a;&a;&a;\">"
	"<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;\">]><w:document "
	"xmlns:w=\"" W "\"><w:body><w:p><w:r><w:t>&d;</w:t></w:r></w:p></w:body></w:document>";
static const char outside[] =
	"<?xml version=\"1.0\"?><!DOCTYPE w:document [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><w:document "
	"xmlns:w=\"" W "\"><w:body><w:p><w:r><w:t>&e;</w:t></w:r></w:p></w:body></w:document>";

static void test_trap_20__bombs_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *unit;
		size_t times;
	} swelling[] = {
		{"", (size_t)64 << 20}, /* zeros */
		{"<w:p>", 100000}, /* depth */
		{"<w:tbl><w:tr><w:tc>", 100000},
	};
	struct pool *pool = pool_new();
	struct doc doc;
	struct err err = {0};
	assert_int_equal(read_xml(&doc, laughs, pool, &err), RC_REFUSED);
	assert_non_null(strstr(err.text, "entities"));
	assert_int_equal(read_xml(&doc, outside, pool, &err), RC_REFUSED);
	assert_non_null(strstr(err.text, "entities"));
	for (size_t i = 0; i < sizeof swelling / sizeof *swelling; i++) {
		struct str xml = STR_INIT;
		str_addz(&xml, "<?xml version=\"1.0\"?><w:document xmlns:w=\"" W "\"><w:body>");
		if (*swelling[i].unit)
			for (size_t n = 0; n < swelling[i].times; n++)
				str_addz(&xml, swelling[i].unit);
		else
			for (size_t n = 0; n < swelling[i].times; n++)
				str_addc(&xml, ' ');
		const struct entry entry = {"word/document.xml", xml.s, xml.len};
		assert_int_equal(read_entries(&doc, &entry, 1, pool, &err), RC_REFUSED);
		str_free(&xml);
	}
	/* The same inside a ZIP: several megabytes of nothing, 64 times over. */
	struct str zeros = STR_INIT, zip = STR_INIT;
	struct entry many[60];
	char names[60][16];
	struct zipped zipped;
	for (size_t n = 0; n < (size_t)2 << 20; n++)
		str_addc(&zeros, ' ');
	for (size_t i = 0; i < 60; i++) {
		(void)snprintf(names[i], sizeof names[i], "%zu.docx", i);
		many[i] = (struct entry){names[i], zeros.s, zeros.len};
	}
	zip_build(&zip, many, 60, NULL);
	assert_true(zip.len < (size_t)1 << 20);
	assert_int_equal(zipped_word_file(&zipped, zip.s, zip.len, pool, &err), RC_REFUSED);
	assert_non_null(strstr(err.text, "too large"));
	str_free(&zeros);
	str_free(&zip);
	pool_free(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trap_20__the_same_form_from_every_program),
		cmocka_unit_test(test_trap_20__hints_are_no_answers),
		cmocka_unit_test(test_trap_20__bombs_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
