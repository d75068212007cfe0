/*
 * decision.h - staff decisions dropped as a control file: 許可 / 保留 / 却下 / 使用中止 / 再送 / 訂正 …
 *
 * One record a decision. What each 処理 needs besides its target is a table (decision.c); what it has no use for refuses the record, since it shows that something
 * else was meant. Words are taken as people write them; one that may mean two things is refused with the choice.
 */
#ifndef SENGEN_DECISION_H
#define SENGEN_DECISION_H

#include <stdint.h>

#include "lib/base/pool.h"
#include "lib/form/form.h"
#include "lib/register.h"

enum decision_action {
	DECISION_APPROVE, /* 許可 */
	DECISION_HOLD, /* 保留 */
	DECISION_RELEASE, /* 保留解除 */
	DECISION_REJECT, /* 却下 */
	DECISION_CONFIRM, /* 確認済み: the address was confirmed by other means */
	DECISION_WITHDRAW, /* 取下げ */
	DECISION_STOP, /* 使用中止, on the day of 中止日 (empty: today) */
	DECISION_RESEND, /* 再送 of the notice named */
	DECISION_RESEND_ANEW, /* 作り直して送信 */
	DECISION_CORRECT, /* 訂正: 項目 and 新しい値, or the form's own columns */
	DECISION_MOVE, /* 繰上げ: the next stage now */
	DECISION_UNDO, /* 元に戻す */
	DECISION_REQUEST_CARRY_OUT, /* 依頼を実行, by 依頼番号 */
	DECISION_REQUEST_ASK, /* 依頼を本人に確認 */
	DECISION_REQUEST_CLOSE, /* 依頼を終了 */
};

struct decision {
	int64_t application_id; /* 0: by declaration ID, or (依頼) the one the request is about */
	int64_t declaration_id; /* 0: not given; beside an application_id both must mean the same */
	enum decision_action action;
	int64_t request_id; /* of the last three; 0 otherwise */
	civil_day on; /* 中止日; CIVIL_DAY_NONE: today, or as the request has it */
	const char *notice; /* template name of 再送 and 作り直して送信: "id"; "" */
	struct form_values
		changed; /* 訂正: the new values as written; NULL: not changed, "": to be cleared */
	const char
		*reason; /* required for 保留, 却下, 作り直して送信, 訂正, 繰上げ, 元に戻す, 依頼を終了; "" */
};

/* Reads one record of a control file. false: *why_ja says what is wrong and how to mend it (pool). */
bool decision_read(
	struct decision *out, const struct form_record *record, const char **why_ja, struct pool *pool);
/* The word of 処理 alone; false: not known, or ambiguous. */
bool decision_action_read(enum decision_action *out, const char *word);
/* The word that is shown, and read back: 使用中止. */
const char *decision_action_ja(enum decision_action action);
/* What a letter is called in a control file ("id" → 自己宣言IDのお知らせ); a template of the office's own goes by its name. */
const char *decision_notice_ja(const char *template_name);

#endif
