/*
 * program.h - programs of the house that stand apart, so that the libraries they need are loaded by nobody else
 */
#ifndef SENGEN_PROGRAM_H
#define SENGEN_PROGRAM_H

#include "lib/base/err.h"
#include "lib/base/str.h"

/* Where a program lies: beside the running one (a source tree, its tests), then where `make install` puts it. RC_CONFIG. */
enum rc program_find(struct str *out, const char *name, struct err *err);

#endif
