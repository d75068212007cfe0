/*
 * reading_rig.h - what a reader made of a mail, as the mailbox puts it into the register
 */
#ifndef SENGEN_TESTS_READING_RIG_H
#define SENGEN_TESTS_READING_RIG_H

#include "lib/store/store.h"

static inline enum rc rig_set_reading(
	struct store *store, int64_t id, const void *json, size_t len, struct err *err)
{
	struct str packed = STR_INIT;
	enum rc rc = message_pack(&packed, json, len, err);
	rc = rc ? rc : message_set_reading(store, id, &packed, err);
	str_free(&packed);
	return rc;
}

#endif
