/*
 * sengen-pdf: a list as PDF on A4, from rows on standard input to standard output
 *
 * A program of its own, so that the libraries that draw stay out of the daemon and the command: it has no register, no configuration and no network, reads a regular file
 * and writes to what it was given. A line of input is a letter, then fields with tabs between:
 *     T title    D day, above the list    C heads of the columns    G a group: name, count    R a row
 * T, D and C come first. The input is gone through three times: for the widths of the columns, for the number of pages, and to draw; memory does not grow with it but for
 * a few bytes a page. Characters that no font has are drawn as 〓 and named on standard error.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cairo-pdf.h>

#include "lib/base/confine.h"
#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/base/text.h"
#include "pdf/glyph.h"

/* Points; A4 is 210 × 297 mm. */
#define PAGE_WIDTH 595.28
#define PAGE_HEIGHT 841.89
#define MARGIN_X 40.0
#define MARGIN_TOP 36.0
#define MARGIN_BOTTOM 40.0
#define TITLE_SIZE 13.0
#define HEAD_SIZE 8.5
#define TEXT_SIZE 9.0
#define LINE 12.0
#define PADDING 2.5
#define GAP 8.0 /* between columns */
#define COLUMNS_MAX 32
#define LINES_MAX 12 /* of one cell; a name of 200 characters takes 8 */
#define MEMORY_MAX ((size_t)2 << 30)
#define CPU_SECONDS 600 /* 400,000 rows take some 40 */
#define WALL_SECONDS 3600

enum pass { PASS_WIDTHS, PASS_PAGES, PASS_DRAW };

struct sheet {
	enum pass pass;
	cairo_surface_t *surface;
	cairo_t *cr;
	PangoContext *context;
	struct glyphs *text, *head, *title;
	char *name, *day; /* owned */
	char *label[COLUMNS_MAX]; /* owned */
	int columns;
	double width[COLUMNS_MAX]; /* natural first, then as given */
	int page, pages;
	double y; /* of the next row; 0: no page was begun */
	char *group; /* owned; for the heads of pages */
};

_Noreturn static void refuse(const char *why)
{
	(void)fprintf(stderr, "sengen-pdf: %s\n", why);
	exit(RC_REFUSED);
}

/* ---- text ---- */

static double char_width(struct glyphs *glyphs, uint32_t c)
{
	return glyph_get(glyphs, c)->advance;
}

static double text_width(struct glyphs *glyphs, const char *text)
{
	double width = 0;
	uint32_t c;
	if (!glyphs_simple(text)) {
		PangoLayout *layout = glyphs_layout(glyphs, text);
		int wide;
		pango_layout_get_size(layout, &wide, NULL);
		g_object_unref(layout);
		return (double)wide / PANGO_SCALE;
	}
	size_t len = strlen(text), size;
	for (size_t at = 0; (size = utf8_next(text + at, len - at, &c)) > 0; at += size)
		width += char_width(glyphs, c);
	return width;
}

static bool may_not_begin(uint32_t c)
{
	static const char marks[] =
		"、。，．・：；！？）］｝」』】〉》〕ーぁぃぅぇぉっゃゅょァィゥェォッャュョ々)]}.,";
	struct str one = STR_INIT;
	utf8_add(&one, c);
	bool found = strstr(marks, one.s) != NULL;
	str_free(&one);
	return found;
}

/* How many bytes of a simple text fit on a line: at least one character; a mark that closes stays with what is before it. */
static size_t fitting(struct glyphs *glyphs, const char *text, double room)
{
	size_t len = strlen(text), at = 0, size, before = 0;
	uint32_t c;
	for (double width = 0; (size = utf8_next(text + at, len - at, &c)) > 0; at += size) {
		width += char_width(glyphs, c);
		if (width > room && at > 0)
			return before > 0 && may_not_begin(c) ? before : at;
		before = at;
	}
	return len;
}

static PangoLayout *layout_of(struct glyphs *glyphs, const char *text, double room)
{
	PangoLayout *layout = glyphs_layout(glyphs, text);
	pango_layout_set_width(layout, (int)(room * PANGO_SCALE));
	pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
	return layout;
}

static int line_count(struct glyphs *glyphs, const char *text, double room)
{
	if (!glyphs_simple(text)) {
		PangoLayout *layout = layout_of(glyphs, text, room);
		int count = pango_layout_get_line_count(layout);
		g_object_unref(layout);
		return count < LINES_MAX ? count : LINES_MAX;
	}
	int count = 1;
	for (const char *at = text; count < LINES_MAX; count++) {
		at += fitting(glyphs, at, room);
		if (!*at)
			break;
	}
	return count;
}

/* One line of simple text, with what it says for whoever copies it out of the PDF. */
static void draw_line(
	struct sheet *sheet, struct glyphs *glyphs, const char *text, size_t len, double x, double y)
{
	cairo_glyph_t glyph[512];
	cairo_text_cluster_t cluster[512];
	size_t at = 0, from = 0, size = 0;
	uint32_t c;
	while (at < len) {
		int count = 0;
		cairo_scaled_font_t *font = NULL;
		for (; at < len && count < 512 && (size = utf8_next(text + at, len - at, &c)) > 0;
			at += size) {
			const struct glyph *next = glyph_get(glyphs, c);
			if (font && next->font != font)
				break;
			font = next->font;
			glyph[count] = (cairo_glyph_t){.index = next->index, .x = x, .y = y};
			cluster[count++] = (cairo_text_cluster_t){.num_bytes = (int)size, .num_glyphs = 1};
			x += next->advance;
		}
		if (count == 0)
			return;
		cairo_set_scaled_font(sheet->cr, font);
		cairo_show_text_glyphs(
			sheet->cr, text + from, (int)(at - from), glyph, count, cluster, count, 0);
		from = at;
	}
}

/* Wrapped; y is the baseline of the first line. */
static void draw_text(
	struct sheet *sheet, struct glyphs *glyphs, const char *text, double x, double y, double room)
{
	if (!glyphs_simple(text)) {
		PangoLayout *layout = layout_of(glyphs, text, room);
		pango_layout_set_height(layout, -LINES_MAX);
		pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
		for (int i = 0; i < pango_layout_get_line_count(layout); i++) {
			cairo_move_to(sheet->cr, x, y + LINE * i);
			pango_cairo_show_layout_line(sheet->cr, pango_layout_get_line_readonly(layout, i));
		}
		g_object_unref(layout);
		return;
	}
	for (int i = 0; *text && i < LINES_MAX; i++) {
		size_t len = fitting(glyphs, text, room);
		draw_line(sheet, glyphs, text, len, x, y + LINE * i);
		text += len;
	}
}

/* ---- pages ---- */

static void draw_rule(struct sheet *sheet, double y, double thick, double grey)
{
	cairo_set_source_rgb(sheet->cr, grey, grey, grey);
	cairo_set_line_width(sheet->cr, thick);
	cairo_move_to(sheet->cr, MARGIN_X, y);
	cairo_line_to(sheet->cr, PAGE_WIDTH - MARGIN_X, y);
	cairo_stroke(sheet->cr);
	cairo_set_source_rgb(sheet->cr, 0, 0, 0);
}

static void draw_right(struct sheet *sheet, struct glyphs *glyphs, const char *text, double y)
{
	draw_text(sheet, glyphs, text, PAGE_WIDTH - MARGIN_X - text_width(glyphs, text), y, PAGE_WIDTH);
}

static void draw_page_head(struct sheet *sheet)
{
	char number[64];
	double x = MARGIN_X;
	(void)snprintf(number, sizeof number, "%d / %dページ", sheet->page, sheet->pages);
	draw_text(sheet, sheet->title, sheet->name, MARGIN_X, MARGIN_TOP + TITLE_SIZE, PAGE_WIDTH);
	draw_right(sheet, sheet->head, sheet->day, MARGIN_TOP + TITLE_SIZE);
	draw_rule(sheet, MARGIN_TOP + 19, 1, 0);
	for (int i = 0; i < sheet->columns; i++) {
		draw_text(sheet, sheet->head, sheet->label[i], x, MARGIN_TOP + 31, sheet->width[i]);
		x += sheet->width[i] + GAP;
	}
	draw_rule(sheet, MARGIN_TOP + 36, .5, .4);
	draw_text(sheet, sheet->head, sheet->group ? sheet->group : "", MARGIN_X,
		PAGE_HEIGHT - MARGIN_BOTTOM + 18, PAGE_WIDTH);
	draw_right(sheet, sheet->head, number, PAGE_HEIGHT - MARGIN_BOTTOM + 18);
}

static void begin_page(struct sheet *sheet)
{
	if (sheet->pass == PASS_DRAW && sheet->page > 0)
		cairo_show_page(sheet->cr);
	sheet->page++;
	sheet->y = MARGIN_TOP + 38;
	if (sheet->pass == PASS_DRAW)
		draw_page_head(sheet);
}

static void want_room(struct sheet *sheet, double height)
{
	if (sheet->y == 0 || sheet->y + height > PAGE_HEIGHT - MARGIN_BOTTOM)
		begin_page(sheet);
}

/* ---- lines of the input ---- */

static int split(char *line, char **field, int max)
{
	int count = 0;
	for (char *at; count < max && (at = strsep(&line, "\t"));)
		field[count++] = at;
	return count;
}

static void take_group(struct sheet *sheet, char **field, int count)
{
	struct str text = STR_INIT, link = STR_INIT;
	str_printf(&text, "%s　%s件", field[0], count > 1 ? field[1] : "0");
	free(sheet->group);
	sheet->group = str_take(&text);
	if (sheet->pass == PASS_WIDTHS)
		return;
	want_room(sheet, 3 * LINE + 6 * PADDING); /* not alone at the end of a page */
	if (sheet->pass == PASS_DRAW) {
		str_printf(&link, "page=%d pos=[%.1f %.1f]", sheet->page, MARGIN_X, sheet->y);
		(void)cairo_pdf_surface_add_outline(
			sheet->surface, CAIRO_PDF_OUTLINE_ROOT, field[0], link.s, 0);
		cairo_set_source_rgb(sheet->cr, .91, .93, .95);
		cairo_rectangle(sheet->cr, MARGIN_X, sheet->y + 2, PAGE_WIDTH - 2 * MARGIN_X, LINE + 3);
		cairo_fill(sheet->cr);
		cairo_set_source_rgb(sheet->cr, 0, 0, 0);
		draw_text(sheet, sheet->text, sheet->group, MARGIN_X + 4, sheet->y + LINE + 1, PAGE_WIDTH);
	}
	sheet->y += LINE + 2 * PADDING;
	str_free(&link);
}

static void take_row(struct sheet *sheet, char **field, int count)
{
	int lines = 1;
	double x = MARGIN_X;
	for (int i = 0; i < count && i < sheet->columns; i++) {
		if (sheet->pass == PASS_WIDTHS) {
			double width = text_width(sheet->text, field[i]);
			sheet->width[i] = width > sheet->width[i] ? width : sheet->width[i];
			continue;
		}
		int here = line_count(sheet->text, field[i], sheet->width[i]);
		lines = here > lines ? here : lines;
	}
	if (sheet->pass == PASS_WIDTHS)
		return;
	double height = lines * LINE + PADDING;
	want_room(sheet, height);
	for (int i = 0; sheet->pass == PASS_DRAW && i < count && i < sheet->columns; i++) {
		draw_text(sheet, sheet->text, field[i], x, sheet->y + LINE - 1.5, sheet->width[i]);
		x += sheet->width[i] + GAP;
	}
	sheet->y += height;
	if (sheet->pass == PASS_DRAW)
		draw_rule(sheet, sheet->y, .25, .75);
}

static void take_columns(struct sheet *sheet, char **field, int count)
{
	if (sheet->pass != PASS_WIDTHS)
		return;
	sheet->columns = count;
	for (int i = 0; i < count; i++) {
		sheet->label[i] = xstrdup(field[i]);
		sheet->width[i] = text_width(sheet->head, field[i]);
	}
}

static void take_line(struct sheet *sheet, char *line)
{
	char *field[COLUMNS_MAX], kind = *line;
	if (!kind || line[1] != '\t')
		refuse("a line of the input is none of a list");
	int count = split(line + 2, field, COLUMNS_MAX);
	switch (kind) {
	case 'T':
	case 'D': {
		char **text = kind == 'T' ? &sheet->name : &sheet->day;
		free(*text);
		*text = xstrdup(field[0]);
		break;
	}
	case 'C':
		take_columns(sheet, field, count);
		break;
	case 'G':
		take_group(sheet, field, count);
		break;
	case 'R':
		take_row(sheet, field, count);
		break;
	default:
		refuse("a line of the input is none of a list");
	}
}

static void go_through(struct sheet *sheet, enum pass pass)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	sheet->pass = pass;
	sheet->page = 0;
	sheet->y = 0;
	free(sheet->group);
	sheet->group = NULL;
	if (fseeko(stdin, 0, SEEK_SET) != 0)
		refuse("the input is no file that can be read again");
	while ((len = getline(&line, &size, stdin)) > 0) {
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		take_line(sheet, line);
	}
	if (ferror(stdin))
		die("the input could not be read: %s", errno_text(errno));
	free(line);
	if (sheet->page == 0 && pass != PASS_WIDTHS)
		begin_page(sheet);
}

/* Columns get what their longest text wants; where that is more than there is, the widest give way. */
static void share_width(struct sheet *sheet)
{
	double room = PAGE_WIDTH - 2 * MARGIN_X - GAP * (sheet->columns - 1), sum = 0;
	for (int i = 0; i < sheet->columns; i++)
		sum += sheet->width[i] += 1;
	while (sum > room) {
		int widest = 0;
		double second = room / (2 * (double)sheet->columns);
		for (int i = 1; i < sheet->columns; i++)
			widest = sheet->width[i] > sheet->width[widest] ? i : widest;
		for (int i = 0; i < sheet->columns; i++)
			if (i != widest && sheet->width[i] > second && sheet->width[i] < sheet->width[widest])
				second = sheet->width[i];
		double give = sum - room, most = sheet->width[widest] - second;
		give = most > 1 && most < give ? most : give;
		give = most <= 1 && give > 10 ? 10 : give;
		sheet->width[widest] -= give;
		sum -= give;
	}
	if (sheet->columns > 0)
		sheet->width[0] += room - sum;
}

/* ---- the program ---- */

static cairo_status_t put(void *ctx, const unsigned char *bytes, unsigned len)
{
	(void)ctx;
	return fwrite(bytes, 1, len, stdout) == len ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

#ifdef __SANITIZE_ADDRESS__
/* Fontconfig keeps its configuration until the end. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libfontconfig\nleak:libpango";
}
#endif

/* Fonts and what is known of them; no file is written, nothing is connected to or started. */
static const char *const readable[] = {"/etc/fonts", "/usr", "/lib", "/lib64", "/var/cache/fontconfig",
	"/etc/ld.so.cache", "/etc/localtime", "/dev/null", "/dev/urandom",
#ifdef __SANITIZE_ADDRESS__
	"/proc"
#endif
};

static void confine(void)
{
	struct err err = {0};
	struct confine_places places = {0};
	const struct confinement confinement = {.kind = CONFINED_PDF,
		.places = &places,
		.limits = {.memory_bytes = MEMORY_MAX,
			.cpu_seconds = CPU_SECONDS,
			.wall_seconds = WALL_SECONDS}};
	(void)close_range(3, ~0u, 0);
	for (size_t i = 0; i < sizeof readable / sizeof *readable; i++)
		confine_allow(&places, readable[i], CONFINE_READ);
	if (confine_self(&confinement, &err))
		die("%s", err.text);
	confine_places_free(&places);
}

static void open_sheet(struct sheet *sheet)
{
	cairo_font_options_t *options = cairo_font_options_create();
	cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
	cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
	sheet->surface = cairo_pdf_surface_create_for_stream(put, NULL, PAGE_WIDTH, PAGE_HEIGHT);
	sheet->cr = cairo_create(sheet->surface);
	sheet->context = pango_cairo_create_context(sheet->cr);
	pango_cairo_context_set_resolution(sheet->context, 72);
	pango_cairo_context_set_font_options(sheet->context, options);
	pango_context_set_language(sheet->context, pango_language_from_string("ja"));
	cairo_font_options_destroy(options);
	sheet->text = glyphs_new(sheet->context, TEXT_SIZE);
	sheet->head = glyphs_new(sheet->context, HEAD_SIZE);
	sheet->title = glyphs_new(sheet->context, TITLE_SIZE);
}

static void close_sheet(struct sheet *sheet)
{
	char missing[1024];
	cairo_pdf_surface_set_metadata(
		sheet->surface, CAIRO_PDF_METADATA_TITLE, sheet->name ? sheet->name : "");
	cairo_destroy(sheet->cr);
	cairo_surface_finish(sheet->surface);
	cairo_status_t status = cairo_surface_status(sheet->surface);
	if (status != CAIRO_STATUS_SUCCESS || fflush(stdout) != 0)
		die("the PDF could not be written: %s",
			status != CAIRO_STATUS_SUCCESS ? cairo_status_to_string(status) : errno_text(errno));
	size_t count = glyphs_missing(sheet->text, missing, sizeof missing, 20);
	if (count > 0)
		(void)fprintf(stderr, "missing %zu %s\n", count, missing);
	(void)fprintf(stderr, "pages %d\n", sheet->page);
	cairo_surface_destroy(sheet->surface);
	glyphs_free(&sheet->text);
	glyphs_free(&sheet->head);
	glyphs_free(&sheet->title);
	g_object_unref(sheet->context);
	for (int i = 0; i < sheet->columns; i++)
		free(sheet->label[i]);
	free(sheet->name);
	free(sheet->day);
	free(sheet->group);
}

int main(void)
{
	struct sheet sheet = {0};
	confine();
	open_sheet(&sheet);
	go_through(&sheet, PASS_WIDTHS);
	if (!sheet.name || !sheet.day || sheet.columns == 0)
		refuse("the input is no list: it has no title (T), no day (D) or no columns (C)");
	share_width(&sheet);
	go_through(&sheet, PASS_PAGES);
	sheet.pages = sheet.page;
	go_through(&sheet, PASS_DRAW);
	close_sheet(&sheet);
	return 0;
}
