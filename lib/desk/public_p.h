/*
 * public_p.h - what the pieces of the public list share
 *
 * public_list.c reads what is public into a file of its own, sorts it by prefecture and name, and has each form written from there.
 */
#ifndef SENGEN_PUBLIC_P_H
#define SENGEN_PUBLIC_P_H

#include <stdio.h>
#include <sys/types.h>

#include "lib/desk/public_list.h"

#define PUBLIC_CSV_FILE "declarations.csv"
#define PUBLIC_PDF_FILE "declarations.pdf"
#define PUBLIC_PAGE_FILE "index.html"
#define PUBLIC_STATE_FILE ".list" /* which data the page shows, as of when */

/* ---- rows ---- */

/* One declaration on the list. Sorted by memcmp() of all of it: prefecture, name, number. */
struct public_entry {
	uint8_t prefecture; /* index into prefecture_name, PREFECTURES: another or none */
	uint8_t name[23]; /* what public_sort_name() makes, cut */
	uint8_t id[8]; /* big-endian */
	int64_t at; /* in the file of rows */
	uint32_t len;
	bool instant; /* applied for under the profile `instant` */
};
int64_t public_entry_id(const struct public_entry *entry);

struct public_row {
	int star;
	const char *day; /* 2026-11-22 */
	const char *value[FIELD_COUNT]; /* in the order of the columns */
};

/* What stands in the list besides star and day. */
struct public_columns {
	enum form_field field[FIELD_COUNT];
	char *label[FIELD_COUNT]; /* owned */
	int count;
	int name, prefecture; /* which columns; -1: not public */
};

/* What all forms are written from. */
struct public_rows {
	const struct public_columns *columns;
	struct public_entry *entry; /* sorted */
	size_t count;
	const char *map; /* the file of rows */
	civil_day made_on;
	civil_day
		instant_from; /* the page shows those of the profile `instant` alone, the PDF the others; CIVIL_DAY_NONE: both show all */
};
void public_row_read(const struct public_rows *rows, size_t index, struct public_row *out);
bool public_on_page(const struct public_rows *rows, const struct public_entry *entry);
bool public_in_pdf(const struct public_rows *rows, const struct public_entry *entry);

/* Everybody may read a list, however closely the process keeps its other files. */
#define PUBLIC_UMASK 022

/* ---- files that are put in place whole (public_list.c) ---- */
struct public_file {
	FILE *file; /* under a temporary name */
	char *temporary, *path; /* owned */
	mode_t mode; /* 0644 unless it is changed before public_file_close() */
};
enum rc public_file_open(struct public_file *out, const char *directory, const char *name, struct err *err);
enum rc public_file_close(
	struct public_file *out, struct err *err); /* synced, still under its temporary name */
enum rc public_file_place(struct public_file *out, struct err *err);
void public_file_drop(struct public_file *out);

/* A writer does some of its work a call, so that whoever calls can do other things between. until_ms: clock_machine_ms(). */

/* ---- public_csv.c ---- */
struct public_csv;
enum rc public_csv_begin(
	struct public_csv **out, const struct public_rows *rows, const char *directory, struct err *err);
enum rc public_csv_step(struct public_csv *csv, int64_t until_ms, bool *done, struct err *err);
void public_csv_digest(const struct public_csv *csv, uint8_t out[SHA256_LEN]);
enum rc public_csv_place(struct public_csv *csv, struct err *err);
void public_csv_drop(struct public_csv **csv);

/* ---- public_pdf.c: the program sengen-pdf ---- */
struct public_pdf;
enum rc public_pdf_begin(
	struct public_pdf **out, const struct public_rows *rows, const char *directory, struct err *err);
enum rc public_pdf_step(struct public_pdf *pdf, int64_t until_ms, bool *done, struct err *err);
enum rc public_pdf_place(struct public_pdf *pdf, struct err *err);
void public_pdf_drop(struct public_pdf **out);

/* ---- public_page.c: the search page ---- */
struct public_page;
/* data: a directory below `directory` that does not exist yet. */
enum rc public_page_begin(struct public_page **out, const struct public_rows *rows, const char *directory,
	const char *data, struct err *err);
enum rc public_page_step(struct public_page *page, int64_t until_ms, bool *done, struct err *err);
/* forms: what stands beside the page (enum public_form), for its links. */
enum rc public_page_place(struct public_page *page, int forms, utc_time made_at, struct err *err);
void public_page_drop(struct public_page **page);

/* 1,234,567 */
void public_add_count(struct str *out, int64_t count);

/* ---- public_strike.c ---- */
/* What the page shows: the file PUBLIC_STATE_FILE beside it. */
struct public_state {
	char data[64]; /* directory; "": there is no page */
	utc_time made_at; /* whatever ended from then on may still be in it */
	int forms; /* enum public_form */
};
enum rc public_state_read(const char *directory, struct public_state *out, struct err *err);
enum rc public_state_write(const char *directory, const struct public_state *state, struct err *err);

/* ---- public_index.c: which rows hold which two characters ---- */
struct public_index;
enum rc public_index_begin(struct public_index **out, const char *directory, size_t rows, struct err *err);
/* key: public_key() of the name. Rows in order, from 0. */
enum rc public_index_add(struct public_index *index, uint32_t row, const char *key, struct err *err);
int public_index_buckets(const struct public_index *index);
/* The script file of one bucket, appended; each bucket once. */
enum rc public_index_bucket(struct public_index *index, int number, struct str *out, struct err *err);
void public_index_drop(struct public_index **index);

/* ---- public_key.c: under what a name is found; search.js does the same ---- */
/* text_key(), and each kind of company as one character of its own (U+E000 and up): nobody looks for 会社 in 株式会社. */
void public_key(struct str *out, const char *name);
#define PUBLIC_FORM_FIRST 0xE000u
#define PUBLIC_START 0xF8FFu /* before the first character of a name */
bool public_is_form(uint32_t c);
/* The kinds of company in the order of their characters; NULL ends. */
const char *const *public_forms(void);
/* The key without the kinds of company in front, so that 株式会社アルファ stands under ア. */
const char *public_sort_name(const char *key);

#endif
