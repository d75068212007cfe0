/*
 * embed.h - data files that are built in, so that the programs work without an installation
 *
 * Each is NUL-terminated text, made by the Makefile from the file in config/, or beside the code that uses it.
 */
#ifndef SENGEN_EMBED_H
#define SENGEN_EMBED_H

extern const char embedded_bounce_rules[];
extern const char embedded_form_fields[];
extern const char embedded_wording[];
extern const char embedded_sheet_labels[];
extern const char embedded_request_rules[];
extern const char embedded_house[]; /* lib/desk/house.css */
extern const char embedded_age[]; /* lib/desk/age.js */

extern const char embedded_search[]; /* lib/desk/search.js */
extern const char embedded_list[]; /* lib/desk/list.css */

#endif
