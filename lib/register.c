#include "lib/register.h"

#include <string.h>

static const char *const field_keys[FIELD_COUNT] = {
#define X(enumerator, key) [enumerator] = (key),
	FORM_FIELDS(X)
#undef X
};

const char *form_field_key(enum form_field field)
{
	return field < FIELD_COUNT ? field_keys[field] : "";
}

enum form_field form_field_by_key(const char *key)
{
	for (int i = 0; i < FIELD_COUNT; i++)
		if (strcmp(field_keys[i], key) == 0)
			return (enum form_field)i;
	return FIELD_COUNT;
}

struct name {
	const char *en, *ja;
};

static const struct name states[STATE_COUNT] = {
	[STATE_NONE] = {"none", "なし"},
	[STATE_UNCONFIRMED] = {"unconfirmed", "メールアドレス未確認"},
	[STATE_RECEIVED] = {"received", "受付済み"},
	[STATE_ID_ISSUED] = {"id_issued", "ID発行済み"},
	[STATE_LOGO_AUTHORIZED] = {"logo_authorized", "ロゴマーク使用許諾済み"},
	[STATE_REJECTED] = {"rejected", "却下"},
	[STATE_WITHDRAWN] = {"withdrawn", "取下げ"},
	[STATE_STOPPED] = {"stopped", "使用中止"},
	[STATE_SUPERSEDED] = {"superseded", "二つ星へ移行済み"},
	[STATE_EXPIRED] = {"expired", "期限切れ"},
};

static const struct name events[] = {
	[EVENT_APPLY] = {"apply", "受付"},
	[EVENT_APPLY_UNCONFIRMED] = {"apply_unconfirmed", "受付（メールアドレス確認待ち）"},
	[EVENT_CONFIRM] = {"confirm", "メールアドレス確認"},
	[EVENT_ISSUE_ID] = {"issue_id", "自己宣言ID発行"},
	[EVENT_AUTHORIZE_LOGO] = {"authorize_logo", "ロゴマーク使用許諾"},
	[EVENT_REJECT] = {"reject", "却下"},
	[EVENT_WITHDRAW] = {"withdraw", "取下げ"},
	[EVENT_STOP] = {"stop", "使用中止"},
	[EVENT_SUPERSEDE] = {"supersede", "二つ星への移行"},
	[EVENT_EXPIRE] = {"expire", "期限切れ"},
	[EVENT_IMPORT_ID] = {"import_id", "引継ぎ（ID発行済み）"},
	[EVENT_IMPORT_LOGO] = {"import_logo", "引継ぎ（ロゴマーク使用許諾済み）"},
	[EVENT_IMPORT_STOPPED] = {"import_stopped", "引継ぎ（使用中止）"},
	[EVENT_HOLD] = {"hold", "保留"},
	[EVENT_RELEASE] = {"release", "保留解除"},
	[EVENT_REVIEW] = {"review", "要確認"},
	[EVENT_APPROVE] = {"approve", "許可"},
	[EVENT_CORRECT] = {"correct", "訂正"},
	[EVENT_QUEUE] = {"queue", "通知作成"},
	[EVENT_SENT] = {"sent", "送信済み"},
	[EVENT_DEFERRED] = {"deferred", "送信延期"},
	[EVENT_FAILED] = {"failed", "送信断念"},
	[EVENT_UNKNOWN] = {"unknown", "送信結果不明"},
	[EVENT_CANCEL] = {"cancel", "送信取消し"},
	[EVENT_RESEND] = {"resend", "再送"},
	[EVENT_REFUSED_ROW] = {"refused_row", "行の不受理"},
	[EVENT_FILE] = {"file", "ファイル受領"},
	[EVENT_CEILING] = {"ceiling", "上限超過の確認"},
	[EVENT_RESTORED] = {"restored", "復元の確認"},
	[EVENT_VOID_NUMBER] = {"void_number", "番号の無効化"},
	[EVENT_NEWS] = {"news", "メールニュースの希望変更"},
	[EVENT_IN_FLIGHT] = {"in_flight", "送信中の中止"},
};

static const struct name outbox_states[] = {
	[OUTBOX_QUEUED] = {"queued", "送信待ち"},
	[OUTBOX_SENDING] = {"sending", "送信中"},
	[OUTBOX_SENT] = {"sent", "送信済み"},
	[OUTBOX_UNKNOWN] = {"unknown", "送信結果不明"},
	[OUTBOX_FAILED] = {"failed", "送信断念"},
	[OUTBOX_CANCELLED] = {"cancelled", "送信取消し"},
};

/* Numbers come from the register; one that a newer version wrote must not end the program. */
static const struct name *name_of(const struct name *names, size_t count, unsigned number)
{
	static const struct name unknown = {"?", "不明"};
	return number < count && names[number].en ? &names[number] : &unknown;
}

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

const char *state_name(enum state state)
{
	return name_of(states, COUNT_OF(states), state)->en;
}

const char *state_name_ja(enum state state)
{
	return name_of(states, COUNT_OF(states), state)->ja;
}

const char *event_name(enum event event)
{
	return name_of(events, COUNT_OF(events), event)->en;
}

const char *event_name_ja(enum event event)
{
	return name_of(events, COUNT_OF(events), event)->ja;
}

const char *outbox_state_name(enum outbox_state state)
{
	return name_of(outbox_states, COUNT_OF(outbox_states), state)->en;
}

const char *outbox_state_name_ja(enum outbox_state state)
{
	return name_of(outbox_states, COUNT_OF(outbox_states), state)->ja;
}

const char *hold_name(enum hold hold)
{
	switch (hold) {
	case HOLD_NONE:
		return "";
	case HOLD_STAFF:
		return "staff";
	case HOLD_REVIEW:
		return "review";
	}
	return "?";
}

bool state_is_live(enum state state)
{
	return state == STATE_UNCONFIRMED || state == STATE_RECEIVED || state == STATE_ID_ISSUED ||
	       state == STATE_LOGO_AUTHORIZED;
}
