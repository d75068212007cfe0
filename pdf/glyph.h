/*
 * glyph.h - characters as glyphs of the fonts that have them, looked up once each
 *
 * Laying out every cell with Pango would take ten times as long as drawing it: nearly all text of a list is characters that stand beside each other without touching.
 * Pango chooses font and glyph for a character once; a text that needs more (combining marks, scripts that join) is told apart by glyphs_simple() and laid out by Pango.
 */
#ifndef SENGEN_GLYPH_H
#define SENGEN_GLYPH_H

#include <pango/pangocairo.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct glyphs; /* of one size */

struct glyph {
	uint32_t c;
	cairo_scaled_font_t *font; /* owned */
	unsigned long index;
	double advance; /* points */
	bool missing; /* no installed font has it: the glyph is that of 〓 */
};

struct glyphs *glyphs_new(PangoContext *context, double points);
void glyphs_free(struct glyphs **glyphs);
const struct glyph *glyph_get(struct glyphs *glyphs, uint32_t c);
/* Each character can be set by itself. */
bool glyphs_simple(const char *text);
/* A layout in the same font, for what is not simple; the caller unrefs it. */
PangoLayout *glyphs_layout(struct glyphs *glyphs, const char *text);
/* "U+E123 U+E124": what was wanted and no font has, at most `limit` of them; how many there are. */
size_t glyphs_missing(const struct glyphs *glyphs, char *out, size_t size, size_t limit);

#endif
