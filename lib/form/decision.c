#include "lib/form/decision.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"

#define REASON_CHARS_MAX ((size_t)400)

/* ---- words ---- */

/* The first word of an action is the one shown. Compared by text_key(), a する at the end left out. */
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
	{"保留に", DECISION_HOLD},
	{"hold", DECISION_HOLD},
	{"保留解除", DECISION_RELEASE},
	{"保留の解除", DECISION_RELEASE},
	{"保留を解除", DECISION_RELEASE},
	{"解除", DECISION_RELEASE},
	{"再開", DECISION_RELEASE},
	{"release", DECISION_RELEASE},
	{"却下", DECISION_REJECT},
	{"不許可", DECISION_REJECT},
	{"不承認", DECISION_REJECT},
	{"不可", DECISION_REJECT},
	{"reject", DECISION_REJECT},
	{"確認済み", DECISION_CONFIRM},
	{"確認済", DECISION_CONFIRM},
	{"確認", DECISION_CONFIRM},
	{"confirm", DECISION_CONFIRM},
	{"取下げ", DECISION_WITHDRAW},
	{"取り下げ", DECISION_WITHDRAW},
	{"取りさげ", DECISION_WITHDRAW},
	{"取下", DECISION_WITHDRAW},
	{"申込みの取下げ", DECISION_WITHDRAW},
	{"withdraw", DECISION_WITHDRAW},
	{"使用中止", DECISION_STOP},
	{"中止", DECISION_STOP},
	{"停止", DECISION_STOP},
	{"使用停止", DECISION_STOP},
	{"使用を中止", DECISION_STOP},
	{"stop", DECISION_STOP},
	{"再送", DECISION_RESEND},
	{"再送信", DECISION_RESEND},
	{"再送付", DECISION_RESEND},
	{"resend", DECISION_RESEND},
	{"作り直して送信", DECISION_RESEND_ANEW},
	{"作り直し", DECISION_RESEND_ANEW},
	{"作りなおし", DECISION_RESEND_ANEW},
	{"作り直して再送", DECISION_RESEND_ANEW},
	{"作り直して送る", DECISION_RESEND_ANEW},
	{"作直し", DECISION_RESEND_ANEW},
	{"resendanew", DECISION_RESEND_ANEW},
	{"resend--anew", DECISION_RESEND_ANEW},
	{"訂正", DECISION_CORRECT},
	{"修正", DECISION_CORRECT},
	{"correct", DECISION_CORRECT},
	{"繰上げ", DECISION_MOVE},
	{"繰り上げ", DECISION_MOVE},
	{"繰上", DECISION_MOVE},
	{"前倒し", DECISION_MOVE},
	{"前倒", DECISION_MOVE},
	{"move", DECISION_MOVE},
	{"元に戻す", DECISION_UNDO},
	{"元にもどす", DECISION_UNDO},
	{"もとに戻す", DECISION_UNDO},
	{"処理の取消し", DECISION_UNDO},
	{"処理の取り消し", DECISION_UNDO},
	{"処理を取り消す", DECISION_UNDO},
	{"undo", DECISION_UNDO},
	{"依頼を実行", DECISION_REQUEST_CARRY_OUT},
	{"依頼の実行", DECISION_REQUEST_CARRY_OUT},
	{"依頼実行", DECISION_REQUEST_CARRY_OUT},
	{"実行", DECISION_REQUEST_CARRY_OUT},
	{"carry-out", DECISION_REQUEST_CARRY_OUT},
	{"本人に確認", DECISION_REQUEST_ASK},
	{"依頼を本人に確認", DECISION_REQUEST_ASK},
	{"本人へ確認", DECISION_REQUEST_ASK},
	{"本人確認", DECISION_REQUEST_ASK},
	{"確認メール", DECISION_REQUEST_ASK},
	{"確認メールを送る", DECISION_REQUEST_ASK},
	{"ask", DECISION_REQUEST_ASK},
	{"依頼を終了", DECISION_REQUEST_CLOSE},
	{"依頼の終了", DECISION_REQUEST_CLOSE},
	{"依頼終了", DECISION_REQUEST_CLOSE},
	{"終了", DECISION_REQUEST_CLOSE},
	{"close", DECISION_REQUEST_CLOSE},
};

/* What people write and mean different things by. */
static const struct {
	const char *word;
	const char *choice_ja;
} ambiguous[] = {
	{"取消", "直前の処理を取り消すときは「元に戻す」、申込者が申込みをやめるときは「取下げ」、宣言をやめ"
		 "るときは「使用中止」"},
	{"送信", "同じ通知をもう一度送るときは「再送」、今の登録内容で作り直すときは「作り直して送信」、次の"
		 "通知を今すぐ送るときは「"
		 "繰上げ」"},
	{"変更", "登録内容を直すときは「訂正」、メールで届いた変更の依頼を行うときは「依頼を実行」（依頼番号"
		 "を入れる）"},
	{"削除",
		"申込みをやめるときは「取下げ」、宣言をやめるときは「使用中止」、値だけを消すときは「訂正」"},
	{"差戻し", "直前の処理を取り消すときは「元に戻す」、申込みを断るときは「却下」、止めておくときは「保"
		   "留」"},
	{"完了", "依頼を行うときは「依頼を実行」、手で済ませて終わりにするときは「依頼を終了」（どちらも依頼"
		 "番号を入れる）"},
};

static const struct {
	const char *written, *word; /* of the table above */
} other_spellings[] = {
	{"取消し", "取消"},
	{"取り消し", "取消"},
	{"取り消す", "取消"},
	{"取消す", "取消"},
	{"申込取消", "取消"},
	{"申込みの取消し", "取消"},
	{"キャンセル", "取消"},
	{"送る", "送信"},
	{"送付", "送信"},
	{"差し戻し", "差戻し"},
	{"差し戻す", "差戻し"},
	{"抹消", "削除"},
	{"対応済み", "完了"},
	{"処理済み", "完了"},
	{"済", "完了"},
	{"済み", "完了"},
};

/* The letters of the profiles as staff call them; the first word of a letter is the one shown. Of what has two names (as the profile is), intake
 * takes the one that the application's profile has. */
static const struct {
	const char *word, *name;
} letters[] = {
	{"受付のご連絡", "receipt"},
	{"受付", "receipt"},
	{"受付の連絡", "receipt"},
	{"自己宣言IDのお知らせ", "id"},
	{"自己宣言ID", "id"},
	{"自己宣言IDの通知", "id"},
	{"id", "id"},
	{"idのお知らせ", "id"},
	{"id通知", "id"},
	{"idの通知", "id"},
	{"ロゴマーク使用許諾のお知らせ", "logo"},
	{"ロゴマーク", "logo"},
	{"ロゴ", "logo"},
	{"ロゴマークのお知らせ", "logo"},
	{"ロゴのお知らせ", "logo"},
	{"ロゴマークの通知", "logo"},
	{"ロゴ通知", "logo"},
	{"ロゴマークのパスワード", "logo"},
	{"パスワード", "logo"},
	{"自己宣言完了のお知らせ", "completion"},
	{"宣言完了のお知らせ", "completion"},
	{"完了", "completion"},
	{"申込受理のご連絡", "acceptance"},
	{"申込受理", "acceptance"},
	{"受理", "acceptance"},
	{"メールアドレス確認のお願い", "confirm"},
	{"アドレス確認", "confirm"},
	{"アドレスの確認", "confirm"},
};

const char *decision_action_ja(enum decision_action action)
{
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (words[i].action == action)
			return words[i].word;
	}
	return "";
}

const char *decision_notice_ja(const char *template_name)
{
	for (size_t i = 0; i < sizeof letters / sizeof *letters; i++) {
		if (strcmp(letters[i].name, template_name) == 0)
			return letters[i].word;
	}
	return template_name;
}

static void word_key(struct str *out, const char *text)
{
	text_key(out, text);
	if (str_has_suffix(out->s, "する"))
		str_cut(out, out->len - strlen("する"));
}

static bool action_of_key(enum decision_action *out, const char *key)
{
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcmp(words[i].word, key) == 0) {
			*out = words[i].action;
			return true;
		}
	}
	return false;
}

bool decision_action_read(enum decision_action *out, const char *word)
{
	struct str key = STR_INIT;
	word_key(&key, word);
	bool known = action_of_key(out, key.s);
	str_free(&key);
	return known;
}

/* What a word that is no action may have meant; NULL: nobody knows. */
static const char *choice_of_word(const char *text)
{
	struct str key = STR_INIT;
	const char *choice = NULL;
	word_key(&key, text);
	const char *word = key.s;
	for (size_t i = 0; i < sizeof other_spellings / sizeof *other_spellings; i++) {
		if (strcmp(other_spellings[i].written, key.s) == 0)
			word = other_spellings[i].word;
	}
	for (size_t i = 0; i < sizeof ambiguous / sizeof *ambiguous; i++) {
		if (strcmp(ambiguous[i].word, word) == 0)
			choice = ambiguous[i].choice_ja;
	}
	str_free(&key);
	return choice;
}

/* ---- what each action takes ---- */

struct use {
	bool request; /* is about a request, by its 依頼番号 */
	bool reason; /* must be given */
	bool day, notice; /* may, must be given */
};

static const struct use uses[] = {
	[DECISION_APPROVE] = {0},
	[DECISION_HOLD] = {.reason = true},
	[DECISION_RELEASE] = {0},
	[DECISION_REJECT] = {.reason = true},
	[DECISION_CONFIRM] = {0},
	[DECISION_WITHDRAW] = {0},
	[DECISION_STOP] = {.day = true},
	[DECISION_RESEND] = {.notice = true},
	[DECISION_RESEND_ANEW] = {.reason = true, .notice = true},
	[DECISION_CORRECT] = {.reason = true},
	[DECISION_MOVE] = {.reason = true},
	[DECISION_UNDO] = {.reason = true},
	[DECISION_REQUEST_CARRY_OUT] = {.request = true, .day = true},
	[DECISION_REQUEST_ASK] = {.request = true},
	[DECISION_REQUEST_CLOSE] = {.request = true, .reason = true},
};

#define ALL_ACTIONS                                                                                                                                           \
	"許可／保留／保留解除／却下／確認済み／取下げ／使用中止／再送／作り直して送信／訂正／繰上げ／元に戻" \
	"す"
#define REQUEST_ACTIONS "依頼を実行／本人に確認／依頼を終了"

struct reading {
	struct decision *out;
	const struct form_record *record;
	struct pool *pool;
};

/* "" where the file has no such column. */
static const char *cell(const struct reading *r, enum decision_column column)
{
	return r->record->decision[column] ? r->record->decision[column] : "";
}

/* The digits of a number with what may stand before it (No.12, 申込番号 12); false: something else stands there. */
static bool number_read(struct str *digits, const char *text)
{
	struct str folded = STR_INIT;
	text_fold(&folded, text);
	const char *begin = folded.s + strcspn(folded.s, "0123456789");
	bool ok = begin <= folded.s + strlen("自己宣言ID番号: ") && text_digits(digits, begin) &&
		  digits->len > 0;
	str_free(&folded);
	return ok;
}

/* A declaration ID has 10 or 11 digits and begins with 4 or 5; an application number is shorter. */
static const char *declaration_fault(struct decision *out, const struct str *digits)
{
	if (digits->len <= 11 && digits->len >= 10 && (digits->s[0] == '4' || digits->s[0] == '5')) {
		out->declaration_id = strtoll(digits->s, NULL, 10);
		return NULL;
	}
	if (digits->len == 10 && digits->s[0] == '9')
		return "利用者番号では指定できません。申込番号または自己宣言IDを入れてください。";
	return "申込番号でも自己宣言IDでもない番号です。結果ファイルに書かれた申込番号を入れてください。";
}

static const char *target_fault(const struct reading *r)
{
	struct str digits = STR_INIT;
	const char *text = cell(r, DECISION_TARGET), *why = NULL;
	if (!*text)
		return NULL;
	if (!number_read(&digits, text)) {
		why = "申込番号が数字ではありません。申込番号（例: 123）または自己宣言IDを入れてください。";
	} else if (digits.len < 10) {
		r->out->application_id = strtoll(digits.s, NULL, 10);
		if (r->out->application_id == 0)
			why = "申込番号0はありません。結果ファイルに書かれた申込番号を入れてください。";
	} else {
		why = declaration_fault(r->out, &digits);
	}
	str_free(&digits);
	return why;
}

static const char *declaration_column_fault(const struct reading *r)
{
	struct str digits = STR_INIT;
	const char *text = cell(r, DECISION_DECLARATION), *why = NULL;
	int64_t other = r->out->declaration_id;
	if (!*text)
		return NULL;
	if (!number_read(&digits, text))
		why = "自己宣言IDが数字ではありません。10桁か11桁の番号を入れてください。";
	else if (digits.len < 10)
		why = "自己宣言IDは10桁か11桁の番号です。申込番号は「申込番号」の列に入れてください。";
	else
		why = declaration_fault(r->out, &digits);
	if (!why && other && other != r->out->declaration_id)
		why = "申込番号と自己宣言IDの列に、違う番号が入っています。どちらかにしてください。";
	str_free(&digits);
	return why;
}

static const char *request_fault(const struct reading *r)
{
	struct str digits = STR_INIT;
	const char *text = cell(r, DECISION_REQUEST), *why = NULL;
	if (*text && (!number_read(&digits, text) || digits.len > 9 ||
			     (r->out->request_id = strtoll(digits.s, NULL, 10)) == 0))
		why = "依頼番号が正しくありません。要確認の一覧にある依頼番号（例: 12）を入れてください。";
	str_free(&digits);
	return why;
}

static const char *action_fault(const struct reading *r)
{
	const char *word = cell(r, DECISION_ACTION);
	bool request = r->out->request_id != 0;
	if (!*word)
		return request ? "処理がありません。" REQUEST_ACTIONS "のどれかを入れてください。"
			       : "処理がありません。" ALL_ACTIONS "のどれかを入れてください。";
	if (!decision_action_read(&r->out->action, word)) {
		const char *choice = choice_of_word(word);
		return choice ? pool_printf(r->pool, "処理の「%s」は、意味が決まりません。%sにしてください。",
					word, choice)
			      : pool_printf(r->pool, "処理の言葉が分かりません。%sのどれかにしてください。",
					request ? REQUEST_ACTIONS : ALL_ACTIONS);
	}
	bool wants_request = uses[r->out->action].request;
	if (wants_request && !request)
		return pool_printf(r->pool,
			"「%"
			"s」は、メールで届いた依頼についての処理です。「依頼番号」の列に番号を入れてください"
			"。",
			decision_action_ja(r->out->action));
	if (!wants_request && request)
		return pool_printf(r->pool,
			"依頼番号が入っているのに、処理が「%s」です。依頼の処理は" REQUEST_ACTIONS
			"のどれか、申込みの処理なら依頼番号を消してください。",
			decision_action_ja(r->out->action));
	return NULL;
}

static const char *day_fault(const struct reading *r)
{
	static const char *const today[] = {"本日", "今日", "即日", "当日", "すぐ", "直ちに", "today"};
	const char *text = cell(r, DECISION_DAY);
	if (!*text)
		return NULL;
	if (!uses[r->out->action].day)
		return pool_printf(r->pool,
			"「中止日」を入れられるのは使用中止のときだけです（処理は「%"
			"s」）。処理か中止日を直してください。",
			decision_action_ja(r->out->action));
	for (size_t i = 0; i < sizeof today / sizeof *today; i++) {
		if (text_same_key(text, today[i]))
			return NULL;
	}
	r->out->on = civil_day_read(text);
	return r->out->on == CIVIL_DAY_NONE ? "中止日の書き方が正しくありません。2026/12/31 "
					      "のように年から入れてください（空なら今日）。"
					    : NULL;
}

/* A template of the office's own: letters of ASCII, digits, hyphens. */
static bool is_template_name(const char *text)
{
	return *text && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_") == strlen(text);
}

static const char *notice_fault(const struct reading *r)
{
	const char *text = cell(r, DECISION_NOTICE);
	if (!uses[r->out->action].notice)
		return *text ? pool_printf(r->pool,
				       "「通知」を入れられるのは再送と作り直して送信のときだけです（処理は「%"
				       "s」）。処理か通知を直し"
				       "てください。",
				       decision_action_ja(r->out->action))
			     : NULL;
	if (!*text)
		return "どの通知か分かりません。「通知」の列に、受付／自己宣言ID／ロゴマークのどれかを入れて"
		       "ください。";
	struct str key = STR_INIT;
	text_key(&key, text);
	for (size_t i = 0; i < sizeof letters / sizeof *letters; i++) {
		if (text_same_key(letters[i].word, text) || strcmp(letters[i].name, key.s) == 0)
			r->out->notice = letters[i].name;
	}
	if (!*r->out->notice && is_template_name(key.s))
		r->out->notice = pool_strdup(r->pool, key.s);
	str_free(&key);
	return *r->out->notice
		       ? NULL
		       : "通知の言葉が分かりません。受付／自己宣言ID／ロゴマークのどれかにしてください。";
}

static const char *correction_fault(const struct reading *r)
{
	if (r->out->action != DECISION_CORRECT)
		return *cell(r, DECISION_FIELD) || *cell(r, DECISION_VALUE)
			       ? pool_printf(r->pool,
					 "「項目」「新しい値」を入れられるのは訂正のときだけです（処理は「%"
					 "s」）。訂正なら処理を「訂正」"
					 "に、そうでなければこの二つを空にしてください。",
					 decision_action_ja(r->out->action))
			       : NULL;
	r->out->changed = r->record->form;
	for (int i = 0; i < FIELD_COUNT; i++) {
		if (r->out->changed.value[i])
			return NULL;
	}
	return "何を訂正するか分かりません。「項目」に申込書の項目名、「新しい値」に正しい値を入れてください"
	       "。";
}

static const char *reason_fault(const struct reading *r)
{
	r->out->reason = pool_strdup(r->pool, cell(r, DECISION_REASON));
	if (!*r->out->reason && uses[r->out->action].reason)
		return pool_printf(r->pool, "%sには理由が要ります。理由の列に入れてください。",
			decision_action_ja(r->out->action));
	if (utf8_chars(r->out->reason) > REASON_CHARS_MAX)
		return pool_printf(r->pool, "理由が長すぎます（%zu文字まで）。", REASON_CHARS_MAX);
	return NULL;
}

static const char *damage_fault(const struct reading *r)
{
	return r->record->damage_count > 0 ? pool_strdup(r->pool, r->record->damage[0].message_ja) : NULL;
}

static const char *nothing_fault(const struct reading *r)
{
	const struct decision *out = r->out;
	return out->application_id || out->declaration_id || out->request_id
		       ? NULL
		       : "申込番号がありません。申込番号または自己宣言IDを入れてください（メールの依頼なら依"
			 "頼番号）。";
}

bool decision_read(
	struct decision *out, const struct form_record *record, const char **why_ja, struct pool *pool)
{
	/* In this order: what is wrong with the row, whom it is about, what to do, and what that takes. */
	static const char *(*const faults[])(const struct reading *) = {damage_fault, target_fault,
		declaration_column_fault, request_fault, nothing_fault, action_fault, day_fault, notice_fault,
		correction_fault, reason_fault};
	const struct reading r = {out, record, pool};
	*out = (struct decision){.reason = "", .notice = "", .on = CIVIL_DAY_NONE};
	*why_ja = NULL;
	for (size_t i = 0; !*why_ja && i < sizeof faults / sizeof *faults; i++)
		*why_ja = faults[i](&r);
	return *why_ja == NULL;
}
