/*
 * decision.h - staff decisions dropped as a control file: 許可 / 保留 / 却下 / 確認済み …
 */
#ifndef SENGEN_DECISION_H
#define SENGEN_DECISION_H

#include <stdint.h>

#include "lib/base/pool.h"
#include "lib/form/form.h"

enum decision_action {
	DECISION_APPROVE, /* 許可 */
	DECISION_HOLD, /* 保留 */
	DECISION_RELEASE, /* 保留解除 */
	DECISION_REJECT, /* 却下 */
	DECISION_CONFIRM, /* 確認済み: the address was confirmed by other means */
	DECISION_WITHDRAW, /* 取下げ */
};

struct decision {
	int64_t application_id; /* 0: by declaration ID */
	int64_t declaration_id;
	enum decision_action action;
	const char *reason; /* required for 保留 and 却下 */
};

/* Reads one record of a control file. false: *why_ja says what is wrong and how to mend it (pool). */
bool decision_read(
	struct decision *out, const struct form_record *record, const char **why_ja, struct pool *pool);
const char *decision_action_ja(enum decision_action action);

#endif
