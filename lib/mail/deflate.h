/*
 * deflate.h - raw deflate (RFC 1951) of texts that are much like one that was learned before
 *
 * zlib has to learn its dictionary anew for each text, or copy 100 KB of what it learned: for a letter of which a hundred bytes are new that is most of the work. Here the
 * model is learned once and never written again. What comes out is for any inflater that has the model as its dictionary: one block with the fixed codes, of which zlib
 * would make as much, because tables of its own do not pay for so little. A text unlike its model is better left to zlib.
 */
#ifndef SENGEN_DEFLATE_H
#define SENGEN_DEFLATE_H

#include "lib/base/str.h"

#define DEFLATE_WINDOW_BITS 14
#define DEFLATE_WINDOW                                                                                       \
	((size_t)1 << DEFLATE_WINDOW_BITS) /* how far back a text is copied from; the longest model */

struct deflate_model;
/* The text is copied. */
struct deflate_model *deflate_model_new(const char *text, size_t len);
void deflate_model_free(struct deflate_model **model);
/* Appends; the same input gives the same bytes. */
void deflate_like(struct str *out, const struct deflate_model *model, const char *bytes, size_t len);

#endif
