#include "lib/office/office_p.h"

void office_open(struct office *office)
{
	office->cache = NULL;
	office->models = NULL;
	office->told = (struct strlist){0};
	office->told_on = CIVIL_DAY_NONE;
	office->registry_fault = (struct err){0};
}

void office_close(struct office *office)
{
	rules_cache_free(&office->cache);
	models_free(office);
	strlist_free(&office->told);
}

enum rc txn_begin(struct office *office, struct txn *txn, struct err *err)
{
	txn->own = !store_in_transaction(office->store);
	return txn->own ? store_begin(office->store, err) : RC_OK;
}

enum rc txn_end(struct office *office, struct txn *txn, enum rc rc, struct err *err)
{
	if (!txn->own)
		return rc;
	if (rc == RC_OK)
		rc = store_commit(office->store, err);
	if (rc != RC_OK)
		store_rollback(office->store);
	return rc;
}

civil_day office_today(const struct office *office)
{
	return civil_day_of(clock_now(office->clock));
}
