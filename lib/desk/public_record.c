#include "lib/desk/public_list.h"

#include <string.h>

enum rc public_list_record(
	struct office *office, const struct public_written *written, const char *actor, struct err *err)
{
	struct publication publication = {.at = clock_now(office->clock), .rows = written->rows};
	memcpy(publication.digest, written->digest, sizeof publication.digest);
	enum rc rc = store_begin(office->store, err);
	if (rc != RC_OK)
		return rc;
	rc = publication_add(office->store, &publication, err);
	struct history_row row = {.at = publication.at,
		.event = EVENT_PUBLISH,
		.ref = publication.id,
		.number = publication.rows,
		.actor = actor,
		.note = ""};
	if (rc == RC_OK)
		rc = history_add(office->store, &row, err);
	if (rc == RC_OK)
		return store_commit(office->store, err);
	store_rollback(office->store);
	return rc;
}
