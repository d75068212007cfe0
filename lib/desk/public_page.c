/*
 * public_page.c - the search page: index.html and a directory of script files
 *
 * A page opened from file:// cannot fetch(), so all data come as scripts that search.js adds to the page when it wants them: meta.js (what the list is), gone.js (rows
 * that ended since), i/N.js (a bucket of the index), r/M/N.js (a block of rows). Rows are numbered in the order of the list, so that a prefecture is a range of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/embed.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/desk/html.h"
#include "lib/desk/public_p.h"

#define BLOCK 128 /* rows in a file */
#define BLOCKS_IN_DIRECTORY 256
#define ROWS_A_LOOK 256

struct public_page {
	const struct public_rows *rows;
	char *directory, *data, *path; /* owned; path: both */
	struct public_index *index;
	struct public_file ids; /* the application of each row, for strikes */
	size_t at; /* in rows->entry */
	uint32_t row; /* on the page */
	int bucket;
	uint32_t first[PREFECTURES + 2]; /* row of each prefecture; behind the last */
	struct str block, key;
	int64_t bytes;
	int files;
};

/* ---- small files ---- */

static enum rc write_file(struct public_page *page, const char *name, const struct str *text, struct err *err)
{
	struct str path = STR_INIT;
	path_join(&path, page->path, name);
	int fd = open(path.s, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	enum rc rc = RC_OK;
	if (fd < 0)
		rc = err_set(err, RC_STORE, "%s could not be made: %s.", path.s, errno_text(errno));
	else
		rc = file_write_all(fd, text->s, text->len, err);
	if (fd >= 0 && close(fd) != 0 && rc == RC_OK)
		rc = err_set(err, RC_STORE, "%s could not be written: %s.", path.s, errno_text(errno));
	page->bytes += (int64_t)text->len;
	page->files++;
	str_free(&path);
	return rc;
}

static enum rc make_directory(struct public_page *page, const char *name, struct err *err)
{
	struct str path = STR_INIT;
	path_join(&path, page->path, name);
	enum rc rc = file_mkdirs(path.s, 0755, err);
	str_free(&path);
	return rc;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	(void)remove(path);
	return 0;
}

static void remove_tree(const char *path)
{
	(void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

enum rc public_page_begin(struct public_page **out, const struct public_rows *rows, const char *directory,
	const char *data, struct err *err)
{
	struct public_page *page = xcalloc(1, sizeof *page);
	struct str path = STR_INIT;
	*out = page;
	page->rows = rows;
	page->block = page->key = STR_INIT;
	page->directory = xstrdup(directory);
	page->data = xstrdup(data);
	path_join(&path, directory, data);
	page->path = str_take(&path);
	enum rc rc = make_directory(page, "i", err);
	if (rc == RC_OK)
		rc = public_index_begin(&page->index, directory, rows->count, err);
	if (rc == RC_OK)
		rc = public_file_open(&page->ids, page->path, ".ids", err);
	page->ids.mode = 0600; /* not for the public, who may read everything else here */
	return rc;
}

void public_page_drop(struct public_page **page)
{
	if (!*page)
		return;
	public_index_drop(&(*page)->index);
	public_file_drop(&(*page)->ids);
	if ((*page)->path)
		remove_tree((*page)->path);
	free((*page)->path);
	free((*page)->directory);
	free((*page)->data);
	str_free(&(*page)->block);
	str_free(&(*page)->key);
	free(*page);
	*page = NULL;
}

/* ---- rows ---- */

static enum rc put_block(struct public_page *page, struct err *err)
{
	uint32_t block = (page->row - 1) / BLOCK;
	char name[48];
	enum rc rc = RC_OK;
	(void)snprintf(name, sizeof name, "r/%u", block / BLOCKS_IN_DIRECTORY);
	if (block % BLOCKS_IN_DIRECTORY == 0)
		rc = make_directory(page, name, err);
	(void)snprintf(name, sizeof name, "r/%u/%u.js", block / BLOCKS_IN_DIRECTORY, block);
	str_addz(&page->block, "]);\n");
	if (rc == RC_OK)
		rc = write_file(page, name, &page->block, err);
	str_clear(&page->block);
	return rc;
}

static enum rc put_row(struct public_page *page, const struct public_entry *entry, size_t at, struct err *err)
{
	const struct public_columns *columns = page->rows->columns;
	struct public_row row;
	int64_t id = public_entry_id(entry);
	enum rc rc = RC_OK;
	public_row_read(page->rows, at, &row);
	if (page->block.len == 0)
		str_printf(&page->block, "sengen.rows(%u,[", page->row / BLOCK);
	else
		str_addc(&page->block, ',');
	str_printf(&page->block, "\n[%d,\"%s\"", row.star, row.day);
	for (int i = 0; i < columns->count; i++) {
		str_addc(&page->block, ',');
		html_script_string(&page->block, row.value[i]);
	}
	str_addc(&page->block, ']');
	if (columns->name >= 0) {
		str_clear(&page->key);
		public_key(&page->key, row.value[columns->name]);
		rc = public_index_add(page->index, page->row, page->key.s, err);
	}
	if (rc == RC_OK && fwrite(&id, sizeof id, 1, page->ids.file) != 1)
		rc = err_set(
			err, RC_STORE, "%s could not be written: %s.", page->ids.path, errno_text(errno));
	page->row++;
	return rc == RC_OK && page->row % BLOCK == 0 ? put_block(page, err) : rc;
}

static enum rc put_rows(struct public_page *page, int64_t until_ms, struct err *err)
{
	enum rc rc = RC_OK;
	for (int looked = 0; rc == RC_OK && page->at < page->rows->count; page->at++) {
		if (++looked % ROWS_A_LOOK == 0 && clock_machine_ms() >= until_ms)
			return RC_OK;
		const struct public_entry *entry = &page->rows->entry[page->at];
		if (!public_on_page(page->rows, entry))
			continue;
		page->first[entry->prefecture + 1]++;
		rc = put_row(page, entry, page->at, err);
	}
	if (rc == RC_OK && page->row % BLOCK != 0)
		rc = put_block(page, err);
	/* Counts become places: the rows lie sorted by prefecture. */
	for (int i = 0; i <= PREFECTURES; i++)
		page->first[i + 1] += page->first[i];
	return rc;
}

static enum rc put_buckets(struct public_page *page, int64_t until_ms, struct err *err)
{
	enum rc rc = RC_OK;
	do { /* one at least, however late it is */
		char name[32];
		str_clear(&page->block);
		rc = public_index_bucket(page->index, page->bucket, &page->block, err);
		(void)snprintf(name, sizeof name, "i/%d.js", page->bucket++);
		if (rc == RC_OK)
			rc = write_file(page, name, &page->block, err);
	} while (rc == RC_OK && page->bucket < public_index_buckets(page->index) &&
		 clock_machine_ms() < until_ms);
	return rc;
}

/* ---- what the list is ---- */

static void add_meta(struct public_page *page, struct str *out)
{
	const struct public_columns *columns = page->rows->columns;
	const char *const *forms = public_forms();
	str_printf(out,
		"sengen.meta({rows:%u,block:%d,directory:%d,buckets:%d,name:%d,prefecture:%d,labels:[",
		page->row, BLOCK, BLOCKS_IN_DIRECTORY, public_index_buckets(page->index), columns->name,
		columns->prefecture);
	for (int i = 0; i < columns->count; i++) {
		str_addz(out, i ? "," : "");
		html_script_string(out, columns->label[i]);
	}
	str_addz(out, "],\nprefectures:[");
	for (int i = 0; i < PREFECTURES; i++) {
		str_addz(out, i ? "," : "");
		html_script_string(out, prefecture_name[i]);
	}
	str_addz(out, "],\nfirst:[");
	for (int i = 0; i <= PREFECTURES + 1; i++)
		str_printf(out, "%s%u", i ? "," : "", page->first[i]);
	str_addz(out, "],\nglyphs:");
	html_script_string(out, text_glyph_pairs);
	str_addz(out, ",\nshort:[");
	for (size_t i = 0; i < text_company_form_count; i++) {
		str_addz(out, i ? ",[" : "[");
		html_script_string(out, text_company_forms[i][0]);
		str_addc(out, ',');
		html_script_string(out, text_company_forms[i][1]);
		str_addc(out, ']');
	}
	str_addz(out, "],\nforms:[");
	for (size_t i = 0; forms[i]; i++) {
		str_addz(out, i ? "," : "");
		html_script_string(out, forms[i]);
	}
	str_addz(out, "]});\n");
}

static enum rc put_rest(struct public_page *page, struct err *err)
{
	struct str text = STR_INIT;
	add_meta(page, &text);
	enum rc rc = write_file(page, "meta.js", &text, err);
	str_clear(&text);
	str_addz(&text, embedded_search);
	if (rc == RC_OK)
		rc = write_file(page, "search.js", &text, err);
	str_clear(&text);
	str_addz(&text, "sengen.gone([]);\n");
	if (rc == RC_OK)
		rc = write_file(page, "gone.js", &text, err);
	str_free(&text);
	if (rc == RC_OK)
		rc = public_file_close(&page->ids, err);
	return rc == RC_OK ? public_file_place(&page->ids, err) : rc;
}

enum rc public_page_step(struct public_page *page, int64_t until_ms, bool *done, struct err *err)
{
	*done = false;
	if (page->at < page->rows->count || (page->rows->count == 0 && page->bucket == 0)) {
		enum rc rc = put_rows(page, until_ms, err);
		if (rc != RC_OK || page->at < page->rows->count)
			return rc;
	}
	enum rc rc = put_buckets(page, until_ms, err);
	if (rc != RC_OK || page->bucket < public_index_buckets(page->index))
		return rc;
	*done = true;
	return put_rest(page, err);
}

/* ---- index.html ---- */

static void add_links(struct str *out, int forms)
{
	str_addz(out, "<ul>\n");
	if (forms & PUBLIC_CSV)
		str_addz(
			out, "<li><a href=\"" PUBLIC_CSV_FILE "\" download>宣言事業者一覧（CSV）</a></li>\n");
	if (forms & PUBLIC_PDF)
		str_addz(out, "<li><a href=\"" PUBLIC_PDF_FILE "\">宣言事業者一覧（PDF）</a></li>\n");
	str_addz(out, "</ul>\n");
}

static void add_older(struct str *out, civil_day from, int forms)
{
	str_addz(out, "<p class=\"box\">");
	civil_day_print_ja(out, from);
	str_addz(out, "より前に申し込んだ事業者は、この検索には出ません。");
	if (forms & PUBLIC_PDF)
		str_addz(out, "<a href=\"" PUBLIC_PDF_FILE "\">宣言事業者一覧（PDF）</a>をご覧ください。");
	str_addz(out, "</p>\n");
}

static void add_form(struct str *out, const struct public_columns *columns)
{
	str_addz(out, "<form id=\"search\" role=\"search\" hidden>\n");
	if (columns->name >= 0) {
		str_addz(out, "<div><label for=\"name\">");
		html_text(out, columns->label[columns->name]);
		str_addz(out, "</label>\n<input id=\"name\" type=\"search\" maxlength=\"200\" "
			      "autocomplete=\"off\" aria-describedby=\"hint\"></div>\n");
	}
	if (columns->prefecture >= 0) {
		str_addz(out, "<div><label for=\"prefecture\">都道府県</label>\n<select id=\"prefecture\">"
			      "<option value=\"\">すべて</option>");
		for (int i = 0; i < PREFECTURES; i++)
			str_printf(out, "<option value=\"%d\">%s</option>", i, prefecture_name[i]);
		str_addz(out, "</select></div>\n");
	}
	str_addz(out, "<button type=\"submit\">検索</button>\n");
	if (columns->name >= 0)
		str_addz(out, "<p id=\"hint\" "
			      "class=\"quiet\">名前の一部（2文字以上）で探せます。1文字なら、その字で始"
			      "まる名前を探します。間をあけると、すべての語を含む名前を探します。全角と半角、"
			      "（株）と"
			      "株式会社、髙と高のような違いは、どちらでもかまいません。</p>\n");
	str_addz(out, "</form>\n");
}

void public_add_count(struct str *out, int64_t count)
{
	if (count >= 1000) {
		public_add_count(out, count / 1000);
		str_printf(out, ",%03d", (int)(count % 1000));
	} else {
		str_printf(out, "%d", (int)count);
	}
}

static void add_body(struct str *out, const struct public_page *page, int forms)
{
	str_addz(out, "<p>");
	civil_day_print_ja(out, page->rows->made_on);
	str_addz(out, "現在　");
	public_add_count(out, page->row);
	str_addz(out, "件</p>\n");
	if (page->rows->instant_from != CIVIL_DAY_NONE)
		add_older(out, page->rows->instant_from, forms);
	str_addz(out, "<noscript><p class=\"box warn\">この画面で検索するにはJavaScriptが要ります。"
		      "使えないときは、下の一覧のファイルの中で探してください。</p></noscript>\n");
	add_form(out, page->rows->columns);
	str_addz(out, "<p id=\"status\" role=\"status\"></p>\n<div id=\"results\" tabindex=\"-1\"></div>\n"
		      "<nav id=\"paging\" aria-label=\"検索結果のページ\" hidden>"
		      "<button type=\"button\" id=\"back\">前のページ</button> <span id=\"place\"></span> "
		      "<button type=\"button\" id=\"on\">次のページ</button></nav>\n");
	if (forms & (PUBLIC_CSV | PUBLIC_PDF)) {
		html_section_begin(out, "files", "一覧のファイル");
		add_links(out, forms);
		html_section_end(out);
	}
}

static enum rc switch_page(struct public_page *page, int forms, struct err *err)
{
	struct str text = STR_INIT, scripts = STR_INIT, path = STR_INIT;
	static const char *const files[] = {"search", "meta", "gone"};
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		str_printf(&scripts, "<script src=\"%s/%s.js\"></script>\n", page->data, files[i]);
	struct html_page head = {.title = "SECURITY ACTION 宣言事業者一覧",
		.lang = "ja",
		.style = embedded_list,
		.script_files = scripts.s};
	html_begin(&text, &head);
	add_body(&text, page, forms);
	html_end(
		&text, &head, "自己宣言の内容は事業者自身によるもので、認定や保証を示すものではありません。");
	path_join(&path, page->directory, PUBLIC_PAGE_FILE);
	enum rc rc = file_write(path.s, text.s, text.len, 0644, err);
	str_free(&text);
	str_free(&scripts);
	str_free(&path);
	return rc;
}

/* data-NUMBER-NUMBER, as public_list.c names them; the directory may hold other people's files too. */
static bool is_data_name(const char *name)
{
	static const char head[] = "data-", digits[] = "0123456789";
	if (!str_has_prefix(name, head))
		return false;
	name += strlen(head);
	size_t first = strspn(name, digits);
	if (first == 0 || name[first] != '-')
		return false;
	name += first + 1;
	size_t second = strspn(name, digits);
	return second > 0 && name[second] == '\0';
}

/* The data that the page shows and those it showed before stay: a page may be open. */
static void remove_old(struct public_page *page, const char *before)
{
	struct strlist names = {0};
	struct err err = {0};
	if (file_list_dir(&names, page->directory, &err) != RC_OK)
		return;
	for (size_t i = 0; i < names.count; i++) {
		struct str path = STR_INIT;
		path_join(&path, page->directory, names.item[i]);
		if (is_data_name(names.item[i]) && strcmp(names.item[i], page->data) != 0 &&
			strcmp(names.item[i], before) != 0)
			remove_tree(path.s);
		str_free(&path);
	}
	strlist_free(&names);
}

enum rc public_page_place(struct public_page *page, int forms, utc_time made_at, struct err *err)
{
	struct public_state before, now = {.made_at = made_at, .forms = forms};
	enum rc rc = RC_OK;
	struct err damaged;
	/* What can't be read is what this mends. */
	if (public_state_read(page->directory, &before, &damaged) != RC_OK)
		before = (struct public_state){0};
	/* Thousands of small files at once, instead of one by one. */
	int fd = open(page->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (rc == RC_OK && (fd < 0 || syncfs(fd) != 0))
		rc = err_set(err, RC_STORE, "%s could not be written: %s.", page->path, errno_text(errno));
	if (fd >= 0)
		(void)close(fd);
	(void)snprintf(now.data, sizeof now.data, "%s", page->data);
	if (rc == RC_OK)
		rc = switch_page(page, forms, err);
	if (rc == RC_OK)
		rc = public_state_write(page->directory, &now, err);
	if (rc == RC_OK) {
		remove_old(page, before.data);
		free(page->path);
		page->path = NULL; /* in place: not to be taken away any more */
	}
	return rc;
}
