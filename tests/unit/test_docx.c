/* Word files: the text as Word shows it, and files that were made to break a reader */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "docx_rig.h"

/* The cells as "table.row.column+span:text" with | between; a hint's text in brackets. */
static const char *shown(const struct doc *doc, struct pool *pool)
{
	const char *text = "";
	for (size_t i = 0; i < doc->count; i++) {
		const struct doc_cell *c = &doc->cell[i];
		const char *cell = c->placeholder ? pool_printf(pool, "[%s]", c->text) : c->text;
		if (c->table)
			cell = pool_printf(
				pool, "%d.%d.%d+%d:%s", c->table, c->row, c->column, c->span, cell);
		if (*cell)
			text = pool_printf(pool, "%s%s%s", text, *text ? "|" : "", cell);
	}
	return text;
}

static const struct {
	const char *what, *xml, *text;
} rows[] = {
	{"split runs", DOCUMENT(P(RUN("使用") RUN("中") RUN("止"))), "使用中止"},
	{"paragraphs, tabs, breaks",
		DOCUMENT(P(RUN("a") "<w:r><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t></w:r>") P(RUN("d"))),
		"a\tb\nc|d"},
	{"tab stops of a style are no tabs",
		DOCUMENT("<w:p><w:pPr><w:tabs><w:tab w:val=\"left\" w:pos=\"420\"/></w:tabs></w:pPr>" RUN(
			"a") "</w:p>"),
		"a"},
	{"CDATA and entities of XML", DOCUMENT(P("<w:r><w:t><![CDATA[<a&b>]]>&amp;&#x3042;</w:t></w:r>")),
		"<a&b>&あ"},
	{"a table",
		DOCUMENT(TABLE(ROW(CELL(P(RUN("事業者名"))) CELL(P(RUN("見本")) P(RUN("商店"))))
				ROW(CELL(P("")) CELL(P(RUN("x"))))) P(RUN("end"))),
		"1.0.0+1:事業者名|1.0.1+1:見本\n商店|1.1.0+1:|1.1.1+1:x|end"},
	{"merged cells",
		DOCUMENT(TABLE(ROW(CELL("<w:tcPr><w:gridSpan w:val=\"2\"/></w:tcPr>" P(RUN("a"))) CELL(
			"<w:tcPr><w:vMerge w:val=\"restart\"/></w:tcPr>" P(RUN("b")))) ROW(CELL(P(RUN("c")))
				CELL(P(RUN("d"))) CELL("<w:tcPr><w:vMerge/></w:tcPr>" P("")))
				ROW("<w:trPr><w:gridBefore w:val=\"1\"/></w:trPr>" CELL(P(RUN("e")))))),
		"1.0.0+2:a|1.0.2+1:b|1.1.0+1:c|1.1.1+1:d|1.2.1+1:e"},
	{"a table in a cell",
		DOCUMENT(TABLE(ROW(CELL(P(RUN("a")) TABLE(ROW(CELL(P(RUN("b"))) CELL(P(RUN("c"))))) P(""))
				CELL(P(RUN("d")))))),
		"1.0.0+1:a\nb\tc|1.0.1+1:d"},
	{"two tables", DOCUMENT(TABLE(ROW(CELL(P(RUN("a"))))) TABLE(ROW(CELL(P(RUN("b")))))),
		"1.0.0+1:a|2.0.0+1:b"},
	{"a content control",
		DOCUMENT(P(RUN("ID：") "<w:sdt><w:sdtPr><w:alias w:val=\"ID\"/></w:sdtPr><w:sdtContent>" RUN(
			"4933") "</w:sdtContent></w:sdt>")),
		"ID：4933"},
	{"its hint",
		DOCUMENT(TABLE(ROW(CELL(P("<w:sdt><w:sdtPr><w:showingPlcHdr/></w:sdtPr><w:sdtContent>" RUN(
			"ここをクリック") "</w:sdtContent></w:sdt>"))
				CELL("<w:sdt><w:sdtPr/><w:sdtContent>" P(
					RUN("x")) "</w:sdtContent></w:sdt>")))),
		"1.0.0+1:[ここをクリック]|1.0.1+1:x"},
	{"a control around a row and a cell",
		DOCUMENT(TABLE("<w:sdt><w:sdtContent>" ROW(CELL(P(RUN("a"))) "<w:sdt><w:sdtContent>" CELL(
			P(RUN("b"))) "</w:sdtContent></w:sdt>") "</w:sdtContent></w:sdt>")),
		"1.0.0+1:a|1.0.1+1:b"},
	{"checkbox controls",
		DOCUMENT(P("<w:sdt><w:sdtPr><w14:checkbox><w14:checked "
			   "w14:val=\"1\"/></w14:checkbox></w:sdtPr><w:sdtContent>" RUN(
				   "☒") "</w:sdtContent></w:sdt>" RUN("中止") "<w:sdt><w:sdtPr><w14:"
									      "checkbox><w14:checked "
									      "w14:val=\"0\"/></"
									      "w14:checkbox></"
									      "w:sdtPr><w:"
									      "sdtContent>" RUN(
										      "☐") "</"
											   "w:"
											   "sd"
											   "tC"
											   "on"
											   "te"
											   "nt"
											   "><"
											   "/w"
											   ":s"
											   "dt"
											   ">" RUN("継続"))),
		"☑中止☐継続"},
	{"legacy fields",
		DOCUMENT(P("<w:r><w:fldChar w:fldCharType=\"begin\"><w:ffData><w:checkBox><w:default "
			   "w:val=\"0\"/><w:checked/></w:checkBox></w:ffData></w:fldChar></"
			   "w:r><w:r><w:instrText> FORMCHECKBOX "
			   "</w:instrText></w:r><w:r><w:fldChar w:fldCharType=\"end\"/></w:r>" RUN("中止"))
				P("<w:r><w:fldChar "
				  "w:fldCharType=\"begin\"><w:ffData><w:textInput/></w:ffData></w:fldChar></"
				  "w:r><w:r><w:instrText> FORMTEXT </w:instrText></w:r><w:r><w:fldChar "
				  "w:fldCharType=\"separate\"/></w:r>" RUN(
					  "4933") "<w:r><w:fldChar w:fldCharType=\"end\"/></w:r>")
					P("<w:r><w:fldChar "
					  "w:fldCharType=\"begin\"><w:ffData><w:ddList><w:result "
					  "w:val=\"1\"/><w:listEntry w:val=\"東京都\"/><w:listEntry "
					  "w:val=\"大阪府\"/></w:ddList></w:ffData></w:fldChar></w:r>")),
		"☑中止|4933|大阪府"},
	{"ruby",
		DOCUMENT(P("<w:r><w:ruby><w:rubyPr/><w:rt>" RUN("やまだ") "</w:rt><w:rubyBase>" RUN(
			"山田") "</w:rubyBase></w:ruby></w:r>" RUN("太郎"))),
		"山田太郎"},
	{"tracked changes",
		DOCUMENT(P(RUN("a") "<w:del><w:r><w:delText>b</w:delText></w:r></w:del><w:ins>" RUN(
			"c") "</w:ins><w:moveFrom>" RUN("d") "</w:moveFrom><w:moveTo>" RUN("e") "</"
												"w:moveTo>")),
		"ace"},
	{"a deleted row, a deleted cell, a row put in",
		DOCUMENT(TABLE(ROW(CELL(P(RUN("a")))) ROW("<w:trPr><w:del w:id=\"1\"/></w:trPr>" CELL(
			P("<w:del><w:r><w:delText>b</w:delText></w:r></w:del>")))
				ROW("<w:trPr><w:ins w:id=\"2\"/></w:trPr>" CELL(P(RUN("c"))) CELL(
					"<w:tcPr><w:cellDel w:id=\"3\"/></w:tcPr>" P(RUN("d")))))),
		"1.0.0+1:a|1.2.0+1:c"},
	{"a deleted paragraph mark joins",
		DOCUMENT("<w:p><w:pPr><w:rPr><w:del w:id=\"1\"/></w:rPr></w:pPr>" RUN("a") "</w:p>" P(
			RUN("b"))),
		"ab"},
	{"hidden text",
		DOCUMENT(P(RUN("a") "<w:r><w:rPr><w:vanish/></w:rPr><w:t>b</w:t></w:r><w:r><w:rPr><w:vanish "
				    "w:val=\"0\"/></w:rPr><w:t>c</w:t></w:r>")),
		"ac"},
	{"text that was crossed out",
		DOCUMENT(P(RUN("a") "<w:r><w:rPr><w:strike/></w:rPr><w:t>b</w:t></w:r><w:r><w:rPr><w:dstrike "
				    "w:val=\"true\"/></w:rPr><w:t>c</w:t></w:r><w:r><w:rPr><w:strike "
				    "w:val=\"false\"/></w:rPr><w:t>d</w:t></w:r>")),
		"ad"},
	{"signs of a text that was crossed out",
		DOCUMENT(P(RUN("a") "<w:r><w:rPr><w:strike/></w:rPr><w:t>1</w:t><w:noBreakHyphen/><w:tab/>"
				    "<w:br/><w:t>2</w:t></w:r>" RUN("b"))),
		"ab"},
	{"text that was crossed out before its look was changed",
		DOCUMENT(P(RUN(
			"a") "<w:r><w:rPr><w:b/><w:rPrChange w:id=\"1\"><w:rPr><w:strike/><w:vanish/></w:rPr>"
			     "</w:rPrChange></w:rPr><w:t>b</w:t></w:r><w:r><w:rPr><w:rPrChange "
			     "w:id=\"2\"><w:rPr><w:b/></w:rPr></w:rPrChange><w:strike/></w:rPr><w:t>c</w:t></"
			     "w:r>")),
		"ab"},
	{"a hidden paragraph mark hides nothing",
		DOCUMENT("<w:p><w:pPr><w:rPr><w:vanish/></w:rPr></w:pPr>" RUN("a") "</w:p>"), "a"},
	{"symbol fonts",
		DOCUMENT(P("<w:r><w:sym w:font=\"Wingdings\" w:char=\"F0FE\"/></w:r>" RUN(
			"中止") "<w:r><w:sym w:font=\"Wingdings\" w:char=\"F0A8\"/></w:r><w:r><w:sym "
				"w:font=\"Wingdings 2\" w:char=\"F052\"/></w:r>")),
		"☑中止☐☑"},
	{"a text box",
		DOCUMENT(P(RUN("a") "<w:r><w:pict><v:shape><v:textbox><w:txbxContent>" P(
			RUN("b")) "</w:txbxContent></v:textbox></v:shape></w:pict></w:r>")),
		NULL},
	{"one alternative only",
		DOCUMENT(P("<mc:AlternateContent><mc:Choice "
			   "Requires=\"wps\"><w:r><w:t>a</w:t></w:r></mc:Choice><mc:Fallback><w:r><w:t>b</"
			   "w:t></w:r></mc:Fallback></mc:AlternateContent>"
			   "<mc:AlternateContent><mc:Choice "
			   "Requires=\"wps\"><w:r><w:t>c</w:t></w:r></mc:Choice><mc:Fallback><w:r><w:t>d</"
			   "w:t></w:r></mc:Fallback></mc:AlternateContent>")),
		"ac"},
	{"alternatives in an alternative",
		DOCUMENT(P("<mc:AlternateContent><mc:Choice>" RUN("a") "<mc:AlternateContent><mc:Choice>" RUN(
			"b") "</mc:Choice><mc:Fallback>" RUN("c") "</mc:Fallback></mc:AlternateContent></"
								  "mc:Choice><mc:Fallback>" RUN("d") "</"
												     "mc:"
												     "Fallbac"
												     "k></"
												     "mc:"
												     "Alterna"
												     "teConte"
												     "nt>")),
		"ab"},
	{"no more than white space between elements",
		DOCUMENT("\n <w:p>\n <w:r>\n <w:t>a</w:t>\n </w:r>\n</w:p>\n"), "a"},
	{"strict namespace",
		"<w:document xmlns:w=\"http://purl.oclc.org/ooxml/wordprocessingml/main\"><w:body>" P(
			RUN("a")) "</w:body></w:document>",
		"a"},
	{"a namespace with the name of an attribute",
		DOCUMENT(P(RUN("a") "<w:r><w:rPr><w:vanish xmlns:val=\"0\"/></w:rPr><w:t>b</w:t></w:r>")),
		"a"},
	{"another prefix",
		"<x:document xmlns:x=\"" W
		"\"><x:body><x:p><x:r><x:t>a</x:t></x:r></x:p></x:body></x:document>",
		"a"},
	{"no-break hyphen", DOCUMENT(P("<w:r><w:t>03</w:t><w:noBreakHyphen/><w:t>0000</w:t></w:r>")),
		"03-0000"},
	{"an empty document", DOCUMENT(""), ""},
};

static void test_docx__text_as_word_shows_it(void **state)
{
	(void)state;
	int wrong = 0;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct pool *pool = pool_new();
		struct doc doc;
		struct err err = {0};
		if (read_xml(&doc, rows[i].xml, pool, &err) != RC_OK)
			fail_msg("%s: %s", rows[i].what, err.text);
		const char *text = shown(&doc, pool);
		bool good = rows[i].text ? strcmp(text, rows[i].text) == 0
					 : strchr(text, 'a') && strchr(text, 'b');
		if (!good) {
			print_error("%s: '%s'\n", rows[i].what, text);
			wrong++;
		}
		pool_free(&pool);
	}
	assert_int_equal(wrong, 0);
}

static void test_docx__main_part_by_relationship(void **state)
{
	(void)state;
#define RELATIONSHIPS(type, target, more)                                                                    \
	"<Relationships "                                                                                    \
	"xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"r\" "     \
	"Type=\"" type "\" Target=\"" target "\"" more "/></Relationships>"
#define OFFICE "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
	static const struct {
		const char *rels, *part;
	} cases[] = {
		{RELATIONSHIPS(OFFICE, "word/document2.xml", ""), "word/document2.xml"},
		{RELATIONSHIPS(OFFICE, "/word/document2.xml", ""), "word/document2.xml"},
		{RELATIONSHIPS(OFFICE, "./doc.xml", ""), "doc.xml"},
		{RELATIONSHIPS(OFFICE, "http://example.jp/x", " TargetMode=\"External\""),
			"word/document.xml"},
		{RELATIONSHIPS("http://example.jp/other", "x.xml", ""), "word/document.xml"},
		{"broken <", "word/document.xml"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pool *pool = pool_new();
		struct doc doc;
		struct err err = {0};
		const struct entry entries[] = {
			{"_rels/.rels", cases[i].rels, 0}, {cases[i].part, DOCUMENT(P(RUN("found"))), 0}};
		if (read_entries(&doc, entries, 2, pool, &err) != RC_OK)
			fail_msg("row %zu: %s", i, err.text);
		assert_string_equal(shown(&doc, pool), "found");
		pool_free(&pool);
	}
}

static void test_docx__refusals_say_why(void **state)
{
	(void)state;
	struct str deep = STR_INIT, many = STR_INIT;
	str_addz(&deep, "<w:document xmlns:w=\"" W "\">");
	for (int i = 0; i < 2000; i++)
		str_addz(&deep, "<w:p>");
	str_addz(&many, "<w:document xmlns:w=\"" W "\"><w:body>");
	for (int i = 0; i < 30000; i++)
		str_addz(&many, "<w:p/>");
	str_addz(&many, "</w:body></w:document>");
	static const char bomb[] =
		"<!DOCTYPE d [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c "
		"\"&b;&b;&b;&b;&b;&b;\">]>"
		"<w:document xmlns:w=\"" W "\"><w:p><w:r><w:t>&c;</w:t></w:r></w:p></w:document>";
	static const char outside[] =
		"<!DOCTYPE d [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><w:document xmlns:w=\"" W
		"\"><w:p><w:r><w:t>&a;</w:t></w:r></w:p></w:document>";
	const struct {
		const char *xml, *why;
	} cases[] = {
		{"", "damaged"},
		{"<w:document xmlns:w=\"" W "\"><w:p>", "damaged"},
		{"<a:b/>", "not a document"},
		{"<w:document xmlns:w=\"" W "\"><w:p></w:r></w:document>", "damaged"},
		{"\xff\xfe\xfd", "damaged"},
		{bomb, "entities"},
		{outside, "entities"},
		{deep.s, "nesting"},
		{many.s, "more text"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pool *pool = pool_new();
		struct doc doc;
		struct err err = {0};
		enum rc rc = read_xml(&doc, cases[i].xml, pool, &err);
		if (rc != RC_REFUSED || !strstr(err.text, cases[i].why))
			fail_msg("row %zu: %d '%s'", i, rc, err.text);
		pool_free(&pool);
	}
	str_free(&deep);
	str_free(&many);
}

static void test_docx__zip_bombs_and_wrong_packages(void **state)
{
	(void)state;
	struct pool *pool = pool_new();
	struct doc doc;
	struct err err = {0};
	struct str bytes = STR_INIT;

	/* 40 MiB of blanks expand from some 40 KiB */
	struct str large = STR_INIT;
	str_addz(&large, "<w:document xmlns:w=\"" W "\">");
	str_grow(&large, (size_t)40 << 20);
	memset(large.s + large.len, ' ', (size_t)40 << 20);
	large.len += (size_t)40 << 20;
	struct entry entry = {"word/document.xml", large.s, large.len};
	assert_int_equal(read_entries(&doc, &entry, 1, pool, &err), RC_REFUSED);
	assert_non_null(strstr(err.text, "grows beyond"));
	str_free(&large);

	assert_int_equal(
		read_entries(&doc, &(struct entry){"word/other.xml", "x", 0}, 1, pool, &err), RC_REFUSED);
	assert_non_null(strstr(err.text, "no part word/document.xml"));

	zip_build(&bytes, &(struct entry){"word/document.xml", DOCUMENT(P(RUN("x"))), 0}, 1, "password");
	assert_int_equal(docx_read(&doc, bytes.s, bytes.len, pool, &err), RC_REFUSED);
	assert_non_null(strstr(err.text, "encrypted"));

	struct entry *crowd = xcalloc(4100, sizeof *crowd);
	for (int i = 0; i < 4100; i++)
		crowd[i] = (struct entry){pool_printf(pool, "f%d", i), "x", 0};
	assert_int_equal(read_entries(&doc, crowd, 4100, pool, &err), RC_REFUSED);
	assert_non_null(strstr(err.text, "more than"));
	free(crowd);

	assert_int_equal(docx_read(&doc, "no zip", 6, pool, &err), RC_REFUSED);
	assert_int_equal(docx_read(&doc, "", 0, pool, &err), RC_REFUSED);
	str_free(&bytes);
	pool_free(&pool);
}

static void test_docx__text_boxes_nested(void **state)
{
	(void)state;
	struct str xml = STR_INIT;
	str_addz(&xml, "<w:document xmlns:w=\"" W "\"><w:body>");
	for (int i = 0; i < 30; i++)
		str_printf(&xml, "<w:p><w:r><w:t>t%d</w:t></w:r><w:r><w:pict><w:txbxContent>", i);
	str_addz(&xml, P(RUN("bottom")));
	for (int i = 0; i < 30; i++)
		str_addz(&xml, "</w:txbxContent></w:pict></w:r></w:p>");
	str_addz(&xml, P(RUN("after")) "</w:body></w:document>");
	struct pool *pool = pool_new();
	struct doc doc;
	struct err err = {0};
	assert_int_equal(read_xml(&doc, xml.s, pool, &err), RC_OK);
	const char *text = shown(&doc, pool);
	assert_non_null(strstr(text, "t0"));
	assert_non_null(strstr(text, "after"));
	assert_null(strstr(text, "bottom"));
	assert_non_null(strstr(doc.damage, "nested"));
	pool_free(&pool);
	str_free(&xml);
}

/* Elements where none may stand: ends without beginnings can't be, beginnings in the wrong place can. */
static void test_docx__elements_in_wrong_places(void **state)
{
	(void)state;
	static const char *const cases[] = {
		DOCUMENT("<w:tc><w:p/></w:tc>"),
		DOCUMENT("<w:tr><w:tc>" P(RUN("a")) "</w:tc></w:tr>"),
		DOCUMENT("<w:sdtContent>" RUN("a") "</w:sdtContent><w:sdtPr><w:showingPlcHdr/></w:sdtPr>"),
		DOCUMENT("<w:txbxContent><w:tbl><w:tr></w:tr></w:tbl></w:txbxContent>"),
		DOCUMENT(TABLE("<w:txbxContent>" TABLE(ROW(CELL(P(RUN("a"))))) "</w:txbxContent>")),
		DOCUMENT(TABLE(ROW("<w:trPr><w:del/></w:trPr>" CELL(TABLE(ROW(CELL(P(RUN("a"))))))))
				P(RUN("b"))),
		DOCUMENT("<w:t>a</w:t><w:gridSpan w:val=\"-5\"/><w:gridSpan w:val=\"99999999999\"/>"),
		DOCUMENT(TABLE(ROW(CELL("<w:tcPr><w:gridSpan w:val=\"-5\"/></w:tcPr>" P(RUN("a")))
				CELL("<w:tcPr><w:gridSpan w:val=\"99999\"/></w:tcPr>" P(RUN("b")))))),
		DOCUMENT("<mc:Fallback>" P(RUN("a")) "</mc:Fallback><mc:Choice/><mc:AlternateContent/>"),
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pool *pool = pool_new();
		struct doc doc;
		struct err err = {0};
		assert_int_equal(read_xml(&doc, cases[i], pool, &err), RC_OK);
		for (size_t k = 0; k < doc.count; k++) {
			assert_true(doc.cell[k].span >= 1 && doc.cell[k].span <= 200);
			assert_true(doc.cell[k].column >= 0 && doc.cell[k].table >= 0);
			assert_non_null(doc.cell[k].text);
		}
		pool_free(&pool);
	}
}

/* Cut anywhere, or with any byte turned: text or a refusal. */
static void test_docx__damaged_anywhere(void **state)
{
	(void)state;
	struct str bytes = STR_INIT;
	zip_build(&bytes,
		&(struct entry){
			"word/document.xml", DOCUMENT(TABLE(ROW(CELL(P(RUN("a"))) CELL(P(RUN("b")))))), 0},
		1, NULL);
	for (size_t i = 0; i < bytes.len * 2; i++) {
		struct pool *pool = pool_new();
		struct doc doc;
		struct err err = {0};
		size_t len = i < bytes.len ? i : bytes.len;
		char *copy = xmalloc(len + 1);
		memcpy(copy, bytes.s, len);
		if (i >= bytes.len)
			copy[i - bytes.len] = (char)(copy[i - bytes.len] ^ 0xFF);
		enum rc rc = docx_read(&doc, copy, len, pool, &err);
		assert_true(rc == RC_OK || (rc == RC_REFUSED && *err.text));
		free(copy);
		pool_free(&pool);
	}
	str_free(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_docx__text_as_word_shows_it),
		cmocka_unit_test(test_docx__main_part_by_relationship),
		cmocka_unit_test(test_docx__refusals_say_why),
		cmocka_unit_test(test_docx__zip_bombs_and_wrong_packages),
		cmocka_unit_test(test_docx__text_boxes_nested),
		cmocka_unit_test(test_docx__elements_in_wrong_places),
		cmocka_unit_test(test_docx__damaged_anywhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
