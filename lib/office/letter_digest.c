#include "lib/office/office_p.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FACT_KEYED "outbox.digests" /* "keyed": none is plain any more; a number: none up to that notice */
#define KEY_IN_ONE 500

/* A key of its own for this use: what is learned of one never helps with another. */
static void keyed(uint8_t digest[SHA256_LEN], const uint8_t *credential_key)
{
	static const char use[] = "sengen: digest of a notice, 1";
	uint8_t key[SHA256_LEN], plain[SHA256_LEN];
	memcpy(plain, digest, sizeof plain);
	hmac_sha256(key, credential_key, SEAL_KEY_LEN, use, sizeof use - 1);
	hmac_sha256(digest, key, sizeof key, plain, sizeof plain);
	wipe(key, sizeof key);
	wipe(plain, sizeof plain);
}

void letter_digest_make(
	struct notice *notice, const struct secrets *secrets, const uint8_t plain[static SHA256_LEN])
{
	const uint8_t *key = secrets_key(secrets);
	memcpy(notice->digest, plain, SHA256_LEN);
	notice->digest_plain = key == NULL;
	if (key)
		keyed(notice->digest, key);
}

enum rc letter_digest_check(const struct notice *notice, const struct secrets *secrets, const char *wire,
	size_t len, struct err *err)
{
	const uint8_t *key = secrets_key(secrets);
	uint8_t digest[SHA256_LEN];
	if (!key && !notice->digest_plain)
		return RC_OK;
	sha256(digest, wire, len);
	if (!notice->digest_plain)
		keyed(digest, key);
	if (bytes_equal(digest, notice->digest, SHA256_LEN))
		return RC_OK;
	return err_set(err, RC_STORE,
		"the letter of notice %" PRId64
		" does not match its digest; restore the register from a backup",
		notice->id);
}

/* ---- registers of earlier versions ---- */

static enum rc key_some(struct office *office, int64_t after_id, bool *more, struct err *err)
{
	struct notice *notices = xcalloc(KEY_IN_ONE, sizeof *notices);
	struct str at = STR_INIT;
	int count = 0;
	enum rc rc = outbox_plain_digests(office->store, &after_id, KEY_IN_ONE, notices, &count, err);
	for (int i = 0; i < count && rc == RC_OK; i++) {
		keyed(notices[i].digest, secrets_key(office->secrets));
		notices[i].digest_plain = false;
		rc = outbox_digest_set(office->store, &notices[i], err);
	}
	*more = count == KEY_IN_ONE;
	str_printf(&at, "%" PRId64, after_id);
	rc = rc ? rc : fact_set(office->store, FACT_KEYED, *more ? at.s : "keyed", err);
	str_free(&at);
	free(notices);
	return rc;
}

enum rc office_key_digests(struct office *office, bool *more, struct err *err)
{
	struct str at = STR_INIT;
	struct txn txn;
	*more = false;
	enum rc rc = fact_get(office->store, FACT_KEYED, &at, err);
	if (rc == RC_OK && strcmp(at.s, "keyed") != 0 && secrets_key(office->secrets)) {
		rc = txn_begin(office, &txn, err);
		if (rc == RC_OK)
			rc = txn_end(office, &txn, key_some(office, strtoll(at.s, NULL, 10), more, err), err);
	}
	str_free(&at);
	return rc;
}
