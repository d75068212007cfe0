/* masks.c - by what ZIP passwords are known to whoever may not read them (mask.h) */
#include "lib/office/office_p.h"

#define FACT_PASSWORDS "mask.passwords"

enum rc office_masks(struct office *office, struct mask *out, struct err *err)
{
	struct str kept = STR_INIT;
	enum rc rc = fact_get(office->store, FACT_PASSWORDS, &kept, err);
	mask_read(out, kept.s);
	str_free(&kept);
	return rc;
}

enum rc masks_known(struct office *office, bool *all, struct err *err)
{
	struct mask mask;
	enum rc rc = office_masks(office, &mask, err);
	*all = rc == RC_OK;
	for (size_t i = 0; *all && i < office->secrets->logo_count; i++)
		*all = !mask_learn(&mask, office->secrets->logo[i].password.bytes, office->rng);
	return rc;
}

enum rc masks_keep(struct office *office, struct err *err)
{
	struct mask mask;
	bool learnt = false;
	struct str kept = STR_INIT;
	enum rc rc = office_masks(office, &mask, err);
	for (size_t i = 0; rc == RC_OK && i < office->secrets->logo_count; i++)
		learnt |= mask_learn(&mask, office->secrets->logo[i].password.bytes, office->rng);
	mask_print(&kept, &mask);
	if (rc == RC_OK && learnt)
		rc = fact_set(office->store, FACT_PASSWORDS, kept.s, err);
	str_free(&kept);
	return rc;
}
