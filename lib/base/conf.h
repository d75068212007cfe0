/*
 * conf.h - reading configuration by a table (libconfig behind it)
 *
 * A table of keys describes each group: type, range, default, unit. Whatever stands in the file and not in the
 * table is an error, as is a wrong type or a value out of range, each with file and line. Integers are read as
 * 64 bits whatever libconfig 1.5 makes of them; an integer is taken where a float is wanted.
 */
#ifndef SENGEN_CONF_H
#define SENGEN_CONF_H

#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

enum conf_type {
	CONF_BOOL, /* bool */
	CONF_INT, /* int64_t (or size_t where min is not negative), min..max; both 0: any */
	CONF_INT32, /* int, min..max */
	CONF_FLOAT, /* double, min..max */
	CONF_STRING, /* char *, owned; conf_null as fallback: NULL where it is absent */
	CONF_CHOICE, /* int: index into choices */
	CONF_LIST, /* struct strlist: list of strings; fallback: items with commas between, NULL: empty */
	CONF_GROUP, /* a nested group, read by its own table into base + offset; may be absent (defaults) */
	CONF_GROUPS, /* list of groups, may be absent: add() gives the address of a new element to read each into */
	CONF_LINE, /* int: the line the group begins on, for messages of later checks; not a key of the file, needs no fallback */
};

extern const char conf_null[]; /* a fallback: see CONF_STRING */

struct conf_key {
	const char *name;
	enum conf_type type;
	size_t offset; /* in the struct that is filled */
	int64_t min, max; /* CONF_INT; CONF_FLOAT too */
	const char *
		fallback; /* default, as it would stand in the file, "" quoted strings without quotes; NULL: required */
	const char *const *choices; /* CONF_CHOICE; NULL ends */
	const struct conf_key *keys; /* CONF_GROUP, CONF_GROUPS; .name == NULL ends */
	void *(*add)(void *base); /* CONF_GROUPS; base + offset is passed */
	const char *help; /* one English line: meaning and unit; the man page is checked against it */
	/* CONF_STRING and the items of CONF_LIST: NULL when the text is good, else what it must be ("must be a mail address") */
	const char *(*check)(const char *text);
};

/* Reads `path` (or, with path NULL, only defaults) into base by keys. @include "file" is allowed, relative to the file. On failure
 * nothing of this table is left in base, but elements that add() gave stay their owner's. */
enum rc conf_read(const char *path, const struct conf_key *keys, void *base, struct err *err);
/* The same from text; `name` stands for the file in messages. */
enum rc conf_read_text(
	const char *text, const char *name, const struct conf_key *keys, void *base, struct err *err);
/* Frees what conf_read() allocated in base by the same table (strings and lists; groups' elements recursively by
 * CONF_GROUPS are freed by their owner). */
void conf_free(const struct conf_key *keys, void *base);

#endif
