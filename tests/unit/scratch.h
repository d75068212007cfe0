/*
 * scratch.h - a directory of the test's own, gone afterwards
 */
#ifndef SENGEN_TESTS_SCRATCH_H
#define SENGEN_TESTS_SCRATCH_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char scratch[64];

static inline int scratch_make(void **state)
{
	(void)state;
	(void)snprintf(scratch, sizeof scratch, "%s", "/tmp/sengen-test.XXXXXX");
	return mkdtemp(scratch) ? 0 : -1;
}

static inline int scratch_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline int scratch_remove(void **state)
{
	(void)state;
	return nftw(scratch, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Valid until eight more were asked for. */
static inline const char *scratch_path(const char *name)
{
	static char path[8][512];
	static int turn;
	turn = (turn + 1) % 8;
	(void)snprintf(path[turn], sizeof path[turn], "%s/%s", scratch, name);
	return path[turn];
}

#endif
