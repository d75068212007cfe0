/*
 * places.h - which files and directories a process of the daemon may reach
 *
 * Tables, one line a place: who may reach it and how. A role reads configuration, templates, credentials and the system's own files, and writes only where its work lies; a
 * line reads what resolving names and checking certificates takes, and nothing of the office but its own token; a Maildir's child has its Maildir. Only directories are
 * given to roles, since a file that is replaced by another of its name would be lost to them.
 */
#ifndef SENGEN_PLACES_H
#define SENGEN_PLACES_H

#include "lib/base/confine.h"
#include "lib/settings.h"

/* Of a role; directories it writes to are made where they are missing. */
void places_of_role(struct confine_places *places, enum confined kind, const struct settings *settings);
/* Of a line to a server. ca_file: NULL: the system's. password_from: NULL: none is read. */
void places_of_line(struct confine_places *places, const char *ca_file, const char *password_from);
/* Of a child that has only a Maildir, which is made where it is missing. */
void places_of_maildir(struct confine_places *places, const char *path);

/* Confines the calling role, or all of them (CONFINED_TURN), and says so in the log once. *places: what it may reach from here on. */
enum rc role_confine(
	struct confine_places *places, enum confined kind, const struct settings *settings, struct err *err);

#endif
