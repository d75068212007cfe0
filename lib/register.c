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
	[EVENT_REQUEST] = {"request", "依頼メールの受信"},
	[EVENT_ASKED] = {"asked", "本人確認メールの作成"},
	[EVENT_PROVEN] = {"proven", "本人確認"},
	[EVENT_REQUEST_REVIEW] = {"request_review", "依頼の要確認"},
	[EVENT_REQUEST_CLOSED] = {"request_closed", "依頼の終了"},
	[EVENT_BOUNCE] = {"bounce", "不達通知の受信"},
	[EVENT_PAUSE] = {"pause", "一時停止"},
	[EVENT_RESUME] = {"resume", "再開"},
	[EVENT_BATCH] = {"batch", "一括送信の確認"},
	[EVENT_ERASE] = {"erase", "個人情報の消去"},
	[EVENT_PURGE] = {"purge", "保存期間満了による消去"},
	[EVENT_PUBLISH] = {"publish", "一覧の公表"},
	[EVENT_DESK_MAIL] = {"desk_mail", "事務局あてのメール"},
	[EVENT_UNDO_TO_UNCONFIRMED] = {"undo_to_unconfirmed", "元に戻す（メールアドレス未確認へ）"},
	[EVENT_UNDO_TO_RECEIVED] = {"undo_to_received", "元に戻す（受付済みへ）"},
	[EVENT_UNDO_TO_ID] = {"undo_to_id", "元に戻す（ID発行済みへ）"},
	[EVENT_UNDO_TO_LOGO] = {"undo_to_logo", "元に戻す（ロゴマーク使用許諾済みへ）"},
};

static const struct name outbox_states[] = {
	[OUTBOX_QUEUED] = {"queued", "送信待ち"},
	[OUTBOX_SENDING] = {"sending", "送信中"},
	[OUTBOX_SENT] = {"sent", "送信済み"},
	[OUTBOX_UNKNOWN] = {"unknown", "送信結果不明"},
	[OUTBOX_FAILED] = {"failed", "送信断念"},
	[OUTBOX_CANCELLED] = {"cancelled", "送信取消し"},
};

static const struct name request_kinds[REQUEST_KINDS] = {
	[REQUEST_OTHER] = {"other", "その他"},
	[REQUEST_STOP] = {"stop-request", "使用中止の依頼"},
	[REQUEST_RESEND] = {"resend-request", "再送の依頼"},
	[REQUEST_CHANGE] = {"change-request", "登録内容変更の依頼"},
	[REQUEST_NEWS_UNSUBSCRIBE] = {"news-unsubscribe", "メールニュース配信停止の依頼"},
	[REQUEST_ID_ENQUIRY] = {"id-enquiry", "自己宣言IDの照会"},
	[REQUEST_BOUNCE] = {"bounce", "不達通知"},
	[REQUEST_AUTO_REPLY] = {"auto-reply", "自動応答"},
};

static const struct name request_states[REQUEST_STATE_COUNT] = {
	[REQUEST_STATE_REVIEW] = {"review", "要確認"},
	[REQUEST_STATE_ASKED] = {"asked", "本人確認中"},
	[REQUEST_STATE_PLANNED] = {"planned", "中止日待ち"},
	[REQUEST_STATE_DONE] = {"done", "処理済み"},
	[REQUEST_STATE_ANSWERED] = {"answered", "回答済み"},
	[REQUEST_STATE_DECLINED] = {"declined", "処理せず終了"},
};

static const struct name proofs[] = {
	[PROOF_NONE] = {"none", "なし"},
	[PROOF_TOKEN] = {"token", "登録アドレスからの確認の返信"},
	[PROOF_STAFF] = {"staff", "職員の判断"},
	[PROOF_DKIM] = {"dkim", "登録アドレスのDKIM署名"},
	[PROOF_SENDER] = {"sender", "差出人アドレスの一致"},
	[PROOF_NOT_NEEDED] = {"not-needed", "不要（登録アドレスにのみ送信）"},
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

const char *request_kind_name(enum request_kind kind)
{
	return name_of(request_kinds, COUNT_OF(request_kinds), kind)->en;
}

const char *request_kind_name_ja(enum request_kind kind)
{
	return name_of(request_kinds, COUNT_OF(request_kinds), kind)->ja;
}

const char *request_state_name(enum request_state state)
{
	return name_of(request_states, COUNT_OF(request_states), state)->en;
}

const char *request_state_name_ja(enum request_state state)
{
	return name_of(request_states, COUNT_OF(request_states), state)->ja;
}

const char *proof_name(enum proof proof)
{
	return name_of(proofs, COUNT_OF(proofs), proof)->en;
}

const char *proof_name_ja(enum proof proof)
{
	return name_of(proofs, COUNT_OF(proofs), proof)->ja;
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

static const struct name pauses[PAUSE_COUNT] = {
	[PAUSE_INTAKE] = {"intake", "受付"},
	[PAUSE_DECIDING] = {"deciding", "段階の進行"},
	[PAUSE_SENDING] = {"sending", "送信"},
	[PAUSE_READING] = {"reading", "メールの受信"},
};

const char *pause_name(enum pause pause)
{
	return name_of(pauses, COUNT_OF(pauses), pause)->en;
}

const char *pause_name_ja(enum pause pause)
{
	return name_of(pauses, COUNT_OF(pauses), pause)->ja;
}

static const struct name rights[] = {
	[RIGHT_NONE] = {"none", "なし"},
	[RIGHT_READ] = {"read", "閲覧"},
	[RIGHT_WORK] = {"work", "処理"},
	[RIGHT_RELEASE] = {"release", "送信の許可"},
	[RIGHT_ADMINISTER] = {"administer", "管理"},
};

const char *right_name(enum right right)
{
	return name_of(rights, COUNT_OF(rights), right)->en;
}

const char *right_name_ja(enum right right)
{
	return name_of(rights, COUNT_OF(rights), right)->ja;
}

static const struct name batch_reasons[] = {
	[BATCH_TEMPLATES] = {"templates", "新しい文面の最初の送信"},
	[BATCH_RECEIPTS] = {"receipts", "1日の上限を超える受付の通知"},
	[BATCH_STAGES] = {"stages", "予定を大きく超える通知"},
};

const char *batch_reason_name(enum batch_reason reason)
{
	return name_of(batch_reasons, COUNT_OF(batch_reasons), reason)->en;
}

const char *batch_reason_name_ja(enum batch_reason reason)
{
	return name_of(batch_reasons, COUNT_OF(batch_reasons), reason)->ja;
}

const char *const prefecture_name[PREFECTURES] = {"北海道", "青森県", "岩手県", "宮城県", "秋田県", "山形県",
	"福島県", "茨城県", "栃木県", "群馬県", "埼玉県", "千葉県", "東京都", "神奈川県", "新潟県", "富山県",
	"石川県", "福井県", "山梨県", "長野県", "岐阜県", "静岡県", "愛知県", "三重県", "滋賀県", "京都府",
	"大阪府", "兵庫県", "奈良県", "和歌山県", "鳥取県", "島根県", "岡山県", "広島県", "山口県", "徳島県",
	"香川県", "愛媛県", "高知県", "福岡県", "佐賀県", "長崎県", "熊本県", "大分県", "宮崎県", "鹿児島県",
	"沖縄県"};
