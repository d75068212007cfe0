#include "lib/form/decision.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"

static const struct {
	const char *word;
	enum decision_action action;
} words[] = {
	{"許可", DECISION_APPROVE},
	{"承認", DECISION_APPROVE},
	{"可", DECISION_APPROVE},
	{"ok", DECISION_APPROVE},
	{"approve", DECISION_APPROVE},
	{"保留", DECISION_HOLD},
	{"hold", DECISION_HOLD},
	{"保留解除", DECISION_RELEASE},
	{"保留を解除", DECISION_RELEASE},
	{"解除", DECISION_RELEASE},
	{"再開", DECISION_RELEASE},
	{"release", DECISION_RELEASE},
	{"却下", DECISION_REJECT},
	{"不許可", DECISION_REJECT},
	{"不可", DECISION_REJECT},
	{"reject", DECISION_REJECT},
	{"確認済み", DECISION_CONFIRM},
	{"確認済", DECISION_CONFIRM},
	{"確認", DECISION_CONFIRM},
	{"confirm", DECISION_CONFIRM},
	{"取下げ", DECISION_WITHDRAW},
	{"取り下げ", DECISION_WITHDRAW},
	{"取下", DECISION_WITHDRAW},
	{"withdraw", DECISION_WITHDRAW},
};

#define REASON_CHARS_MAX ((size_t)400)

const char *decision_action_ja(enum decision_action action)
{
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (words[i].action == action)
			return words[i].word;
	}
	return "";
}

static bool action_read(enum decision_action *out, const char *text)
{
	struct str key = STR_INIT;
	bool known = false;
	text_key(&key, text);
	if (str_has_suffix(key.s, "する"))
		str_cut(&key, key.len - strlen("する"));
	for (size_t i = 0; !known && i < sizeof words / sizeof *words; i++) {
		known = strcmp(words[i].word, key.s) == 0;
		*out = words[i].action;
	}
	str_free(&key);
	return known;
}

/* A declaration ID has 10 or 11 digits and begins with 4 or 5; an application number is shorter. */
static const char *target_read(struct decision *out, const char *text)
{
	struct str folded = STR_INIT, digits = STR_INIT;
	const char *why = NULL, *begin;
	text_fold(&folded, text);
	begin = folded.s + strcspn(folded.s, "0123456789");
	if (begin > folded.s + strlen("自己宣言ID番号: ") || !text_digits(&digits, begin) ||
		digits.len == 0) {
		why = "申込番号が数字ではありません。申込番号（例: 123）または自己宣言IDを入れてください。";
	} else if (digits.len < 10) {
		out->application_id = strtoll(digits.s, NULL, 10);
		if (out->application_id == 0)
			why = "申込番号0はありません。結果ファイルに書かれた申込番号を入れてください。";
	} else if (digits.len <= 11 && (digits.s[0] == '4' || digits.s[0] == '5')) {
		out->declaration_id = strtoll(digits.s, NULL, 10);
	} else if (digits.len == 10 && digits.s[0] == '9') {
		why = "利用者番号では指定できません。申込番号または自己宣言IDを入れてください。";
	} else {
		why = "申込番号でも自己宣言IDでもない番号です。結果ファイルに書かれた申込番号を入れてください"
		      "。";
	}
	str_free(&folded);
	str_free(&digits);
	return why;
}

static const char *fault_of(struct decision *out, const struct form_record *record, struct pool *pool)
{
	const char *target = record->decision_target, *action = record->decision_action;
	if (record->damage_count > 0)
		return pool_strdup(pool, record->damage[0].message_ja);
	if (!target || !*target)
		return "申込番号がありません。申込番号または自己宣言IDを入れてください。";
	if (!action || !*action)
		return "処理がありません。許可／保留／保留解除／却下／確認済み／取下げのどれかを入れてくださ"
		       "い。";
	const char *why = target_read(out, target);
	if (why)
		return why;
	if (!action_read(&out->action, action))
		return "処理の言葉が分かりません。許可／保留／保留解除／却下／確認済み／取下げのどれかにして"
		       "ください。";
	out->reason = pool_strdup(pool, record->decision_reason ? record->decision_reason : "");
	if (!*out->reason && (out->action == DECISION_HOLD || out->action == DECISION_REJECT))
		return pool_printf(pool, "%sには理由が要ります。理由の列に入れてください。",
			decision_action_ja(out->action));
	if (utf8_chars(out->reason) > REASON_CHARS_MAX)
		return pool_printf(pool, "理由が長すぎます（%zu文字まで）。", REASON_CHARS_MAX);
	return NULL;
}

bool decision_read(
	struct decision *out, const struct form_record *record, const char **why_ja, struct pool *pool)
{
	*out = (struct decision){.reason = ""};
	*why_ja = fault_of(out, record, pool);
	return *why_ja == NULL;
}
