#include "lib/flow/transition.h"

#include <stdio.h>

/* Events that are only rows of the history: the state stays. Staff actions make sense while an application lives; */
#define STAFF_ROWS(state)                                                                                    \
	[EVENT_HOLD] = {.next = (state)}, [EVENT_RELEASE] = {.next = (state)},                               \
	[EVENT_APPROVE] = {.next = (state)}, [EVENT_CORRECT] = {.next = (state)},                            \
	[EVENT_RESEND] = {.next = (state)}
/* what becomes of a notice is written down however late it comes: a letter can be at the server when a stop arrives, and the end of
 * an application may have a notice of its own. */
#define NOTICE_ROWS(state)                                                                                   \
	[EVENT_QUEUE] = {.next = (state)}, [EVENT_SENT] = {.next = (state)},                                 \
	[EVENT_DEFERRED] = {.next = (state)}, [EVENT_FAILED] = {.next = (state)},                            \
	[EVENT_UNKNOWN] = {.next = (state)}, [EVENT_CANCEL] = {.next = (state)},                             \
	[EVENT_IN_FLIGHT] = {.next = (state)}, [EVENT_REVIEW] = {.next = (state)},                           \
	[EVENT_VOID_NUMBER] = {.next = (state)},                                                             \
	[EVENT_NEWS] =                                                                                       \
		{.next = (state)}, /* a mail about an application can come in whatever became of it */       \
		[EVENT_REQUEST] = {.next = (state)}, [EVENT_ASKED] = {.next = (state)},                      \
	[EVENT_PROVEN] = {.next = (state)}, [EVENT_REQUEST_REVIEW] = {.next = (state)},                      \
	[EVENT_REQUEST_CLOSED] = {.next = (state)}, [EVENT_BOUNCE] = {.next = (state)},                      \
	[EVENT_ERASE] = {.next = (state)}

/* An end that is taken back: to where it came from, which the caller reads in the history. What was queued for the end is cancelled. */
#define UNDO_TO(state)                                                                                       \
	{                                                                                                    \
		.next = (state), .cancels_queued = true                                                      \
	}

#define ENDS_IN(state)                                                                                       \
	{                                                                                                    \
		.next = (state), .cancels_queued = true, .ends = true                                        \
	}

/*
 * Empty cells are refused. A stop ends every live state, also before the ID: a running step-up ends with the star it would replace.
 * A rejection is possible until the logo, because a logo stage can wait for approval. Events of the office as a whole (a file, the
 * ceiling, a restored store) belong to no application and have no cell.
 */
static const struct transition transitions[STATE_COUNT][EVENT_COUNT] =
	{
		[STATE_NONE] =
			{
				[EVENT_APPLY] = {.next = STATE_RECEIVED},
				[EVENT_APPLY_UNCONFIRMED] = {.next = STATE_UNCONFIRMED},
				[EVENT_IMPORT_ID] = {.next = STATE_ID_ISSUED},
				[EVENT_IMPORT_LOGO] = {.next = STATE_LOGO_AUTHORIZED},
				[EVENT_IMPORT_STOPPED] = {.next = STATE_STOPPED, .ends = true},
			},
		[STATE_UNCONFIRMED] =
			{
				[EVENT_CONFIRM] = {.next = STATE_RECEIVED},
				[EVENT_REJECT] = ENDS_IN(STATE_REJECTED),
				[EVENT_WITHDRAW] = ENDS_IN(STATE_WITHDRAWN),
				[EVENT_STOP] = ENDS_IN(STATE_STOPPED),
				[EVENT_EXPIRE] = ENDS_IN(STATE_EXPIRED),
				STAFF_ROWS(STATE_UNCONFIRMED),
				NOTICE_ROWS(STATE_UNCONFIRMED),
			},
		[STATE_RECEIVED] =
			{
				[EVENT_ISSUE_ID] = {.next = STATE_ID_ISSUED, .issues_numbers = true},
				[EVENT_REJECT] = ENDS_IN(STATE_REJECTED),
				[EVENT_WITHDRAW] = ENDS_IN(STATE_WITHDRAWN),
				[EVENT_STOP] = ENDS_IN(STATE_STOPPED),
				STAFF_ROWS(STATE_RECEIVED),
				NOTICE_ROWS(STATE_RECEIVED),
			},
		[STATE_ID_ISSUED] =
			{
				[EVENT_AUTHORIZE_LOGO] = {.next = STATE_LOGO_AUTHORIZED},
				[EVENT_REJECT] = ENDS_IN(STATE_REJECTED),
				[EVENT_STOP] = ENDS_IN(STATE_STOPPED),
				[EVENT_SUPERSEDE] = ENDS_IN(STATE_SUPERSEDED),
				[EVENT_UNDO_TO_RECEIVED] = UNDO_TO(STATE_RECEIVED),
				STAFF_ROWS(STATE_ID_ISSUED),
				NOTICE_ROWS(STATE_ID_ISSUED),
			},
		[STATE_LOGO_AUTHORIZED] =
			{
				[EVENT_STOP] = ENDS_IN(STATE_STOPPED),
				[EVENT_SUPERSEDE] = ENDS_IN(STATE_SUPERSEDED),
				[EVENT_UNDO_TO_ID] = UNDO_TO(STATE_ID_ISSUED),
				STAFF_ROWS(STATE_LOGO_AUTHORIZED),
				NOTICE_ROWS(STATE_LOGO_AUTHORIZED),
			},
		[STATE_REJECTED] =
			{
				[EVENT_UNDO_TO_UNCONFIRMED] = UNDO_TO(STATE_UNCONFIRMED),
				[EVENT_UNDO_TO_RECEIVED] = UNDO_TO(STATE_RECEIVED),
				[EVENT_UNDO_TO_ID] = UNDO_TO(STATE_ID_ISSUED),
				NOTICE_ROWS(STATE_REJECTED),
			},
		[STATE_WITHDRAWN] =
			{
				[EVENT_UNDO_TO_UNCONFIRMED] = UNDO_TO(STATE_UNCONFIRMED),
				[EVENT_UNDO_TO_RECEIVED] = UNDO_TO(STATE_RECEIVED),
				NOTICE_ROWS(STATE_WITHDRAWN),
			},
		[STATE_STOPPED] =
			{
				[EVENT_UNDO_TO_UNCONFIRMED] = UNDO_TO(STATE_UNCONFIRMED),
				[EVENT_UNDO_TO_RECEIVED] = UNDO_TO(STATE_RECEIVED),
				[EVENT_UNDO_TO_ID] = UNDO_TO(STATE_ID_ISSUED),
				[EVENT_UNDO_TO_LOGO] = UNDO_TO(STATE_LOGO_AUTHORIZED),
				NOTICE_ROWS(STATE_STOPPED),
			},
		[STATE_SUPERSEDED] = {NOTICE_ROWS(STATE_SUPERSEDED)},
		[STATE_EXPIRED] =
			{
				[EVENT_UNDO_TO_UNCONFIRMED] = UNDO_TO(STATE_UNCONFIRMED),
				NOTICE_ROWS(STATE_EXPIRED),
			},
};

/* What can't be done, to stand behind 「却下」の申込みは. Empty: an event that no person asks for. */
static const char *const refusals_ja[EVENT_COUNT] = {
	[EVENT_CONFIRM] = "確認済みにできません",
	[EVENT_ISSUE_ID] = "自己宣言IDを発行できません",
	[EVENT_AUTHORIZE_LOGO] = "ロゴマークの使用を許諾できません",
	[EVENT_REJECT] = "却下できません",
	[EVENT_WITHDRAW] = "取下げできません",
	[EVENT_STOP] = "使用中止にできません",
	[EVENT_SUPERSEDE] = "二つ星に切り替えられません",
	[EVENT_EXPIRE] = "期限切れにできません",
	[EVENT_HOLD] = "保留にできません",
	[EVENT_RELEASE] = "保留を解除できません",
	[EVENT_APPROVE] = "許可できません",
	[EVENT_CORRECT] = "訂正できません",
	[EVENT_RESEND] = "通知を再送できません",
	[EVENT_UNDO_TO_UNCONFIRMED] = "元に戻せません",
	[EVENT_UNDO_TO_RECEIVED] = "元に戻せません",
	[EVENT_UNDO_TO_ID] = "元に戻せません",
	[EVENT_UNDO_TO_LOGO] = "元に戻せません",
};

static bool in_table(enum state state, enum event event)
{
	return (int)state >= 0 && state < STATE_COUNT && (int)event >= 0 && event < EVENT_COUNT;
}

struct transition transition_get(enum state state, enum event event)
{
	if (!in_table(state, event))
		return (struct transition){.next = STATE_NONE};
	return transitions[state][event];
}

const char *transition_refusal_ja(enum state state, enum event event)
{
	static char text[256];

	if (!in_table(state, event) || state == STATE_NONE)
		return "その申込みはまだ登録されていません。";
	snprintf(text, sizeof(text), "「%s」の申込みは%s。", state_name_ja(state),
		refusals_ja[event] ? refusals_ja[event] : "この処理ができません");
	return text;
}
