#include "pdf/glyph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/text.h"

#define FAMILIES "IPAexGothic, VL Gothic, IPAGothic, Noto Sans CJK JP, IPAmjMincho, sans-serif"
#define GETA 0x3013u /* 〓: how print marks a character that it does not have */

struct glyphs {
	PangoContext *context; /* borrowed */
	PangoFontDescription *description;
	struct glyph *slot; /* by hash; c == UINT32_MAX: free */
	size_t size, count;
};

static size_t place_of(const struct glyphs *glyphs, uint32_t c)
{
	size_t at = (size_t)(c * 0x9E3779B1u) & (glyphs->size - 1);
	while (glyphs->slot[at].c != c && glyphs->slot[at].c != UINT32_MAX)
		at = (at + 1) & (glyphs->size - 1);
	return at;
}

static void make_room(struct glyphs *glyphs)
{
	struct glyph *old = glyphs->slot;
	size_t count = glyphs->size;
	glyphs->size = count ? count * 2 : 1024;
	glyphs->slot = xcalloc(glyphs->size, sizeof *glyphs->slot);
	for (size_t i = 0; i < glyphs->size; i++)
		glyphs->slot[i].c = UINT32_MAX;
	for (size_t i = 0; i < count; i++)
		if (old[i].c != UINT32_MAX)
			glyphs->slot[place_of(glyphs, old[i].c)] = old[i];
	free(old);
}

struct glyphs *glyphs_new(PangoContext *context, double points)
{
	struct glyphs *glyphs = xcalloc(1, sizeof *glyphs);
	glyphs->context = context;
	glyphs->description = pango_font_description_from_string(FAMILIES);
	pango_font_description_set_absolute_size(glyphs->description, points * PANGO_SCALE);
	make_room(glyphs);
	return glyphs;
}

void glyphs_free(struct glyphs **glyphs)
{
	if (!*glyphs)
		return;
	pango_font_description_free((*glyphs)->description);
	for (size_t i = 0; i < (*glyphs)->size; i++)
		if ((*glyphs)->slot[i].c != UINT32_MAX)
			cairo_scaled_font_destroy((*glyphs)->slot[i].font);
	free((*glyphs)->slot);
	free(*glyphs);
	*glyphs = NULL;
}

static PangoLayout *plain_layout(struct glyphs *glyphs, const char *text)
{
	PangoLayout *layout = pango_layout_new(glyphs->context);
	pango_layout_set_font_description(layout, glyphs->description);
	pango_layout_set_text(layout, text, -1);
	return layout;
}

/* What Pango would set for one character alone. False: no font has it. */
static bool look_up(struct glyphs *glyphs, uint32_t c, struct glyph *out)
{
	struct str text = STR_INIT;
	utf8_add(&text, c);
	PangoLayout *layout = plain_layout(glyphs, text.s);
	PangoLayoutLine *line = pango_layout_get_line_readonly(layout, 0);
	const PangoLayoutRun *run = line && line->runs ? line->runs->data : NULL;
	const PangoGlyphInfo *info = run ? run->glyphs->glyphs : NULL;
	bool found = run && run->glyphs->num_glyphs == 1 && !(info->glyph & PANGO_GLYPH_UNKNOWN_FLAG);
	if (found) {
		/* Kept beyond the layout: Pango lets go of fonts it has not used for a while. */
		out->font = cairo_scaled_font_reference(
			pango_cairo_font_get_scaled_font(PANGO_CAIRO_FONT(run->item->analysis.font)));
		out->index = info->glyph;
		out->advance = (double)info->geometry.width / PANGO_SCALE;
	}
	g_object_unref(layout);
	str_free(&text);
	return found;
}

const struct glyph *glyph_get(struct glyphs *glyphs, uint32_t c)
{
	size_t at = place_of(glyphs, c);
	if (glyphs->slot[at].c == c)
		return &glyphs->slot[at];
	struct glyph glyph = {.c = c};
	/* What a font has for a private character is not what the writer's machine had. */
	bool private = (c >= 0xE000 && c <= 0xF8FF) || c >= 0xF0000;
	if (private || !look_up(glyphs, c, &glyph)) {
		glyph.missing = true;
		if (!look_up(glyphs, GETA, &glyph) && !look_up(glyphs, '?', &glyph))
			die("no installed font has even a question mark; install fonts-ipaexfont-gothic");
	}
	if (++glyphs->count * 2 > glyphs->size)
		make_room(glyphs);
	at = place_of(glyphs, c);
	glyphs->slot[at] = glyph;
	return &glyphs->slot[at];
}

/* Pango would draw a box with a number in it for what no font has. */
PangoLayout *glyphs_layout(struct glyphs *glyphs, const char *text)
{
	PangoLayout *layout = plain_layout(glyphs, text);
	if (pango_layout_get_unknown_glyphs_count(layout) == 0)
		return layout;
	struct str shown = STR_INIT;
	size_t len = strlen(text), size;
	uint32_t c;
	for (size_t at = 0; (size = utf8_next(text + at, len - at, &c)) > 0; at += size)
		utf8_add(&shown, glyph_get(glyphs, c)->missing ? GETA : c);
	pango_layout_set_text(layout, shown.s, -1);
	str_free(&shown);
	return layout;
}

/* Blocks whose characters are set one by one; marks that combine are left out of them. */
static const uint32_t simple_ranges[][2] = {{0x20, 0x7E}, {0xA0, 0xAC}, {0xAE, 0x2FF}, {0x370, 0x482},
	{0x48A, 0x52F}, {0x1E00, 0x1FFF}, {0x2010, 0x2027}, {0x2030, 0x205E}, {0x2070, 0x20CF},
	{0x2100, 0x2BFF}, {0x2E80, 0x3029}, {0x3030, 0x3098}, {0x309B, 0xA4CF}, {0xAC00, 0xD7A3},
	{0xE000, 0xFAFF}, {0xFE30, 0xFE4F}, {0xFF01, 0xFFEE}, {0x1F000, 0x1F3FA}, {0x1F400, 0x1FAFF},
	{0x20000, 0x3FFFF}, {0xF0000, 0x10FFFF}};

static bool is_simple(uint32_t c)
{
	for (size_t i = 0; i < sizeof simple_ranges / sizeof *simple_ranges; i++)
		if (c <= simple_ranges[i][1])
			return c >= simple_ranges[i][0];
	return false;
}

bool glyphs_simple(const char *text)
{
	size_t len = strlen(text), size;
	uint32_t c;
	for (size_t at = 0; (size = utf8_next(text + at, len - at, &c)) > 0; at += size)
		if (!is_simple(c))
			return false;
	return true;
}

size_t glyphs_missing(const struct glyphs *glyphs, char *out, size_t size, size_t limit)
{
	size_t count = 0, len = 0;
	*out = '\0';
	for (size_t i = 0; i < glyphs->size; i++) {
		const struct glyph *glyph = &glyphs->slot[i];
		if (glyph->c == UINT32_MAX || !glyph->missing)
			continue;
		if (count++ < limit && len < size)
			len += (size_t)snprintf(
				out + len, size - len, "%sU+%04X", len ? " " : "", (unsigned)glyph->c);
	}
	return count;
}
