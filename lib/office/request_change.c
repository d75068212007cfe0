/*
 * request_change.c - 登録情報の変更
 *
 * What shall be is reckoned from the form and from what is on file each time it is needed: when somebody is asked, when he has agreed, when a new address has answered.
 * What does not hold any more by then is for a person.
 */
#include "lib/office/inbound_p.h"

#include <inttypes.h>
#include <string.h>

#include "lib/base/text.h"

#define NO_PREFECTURE "所在地の変更ですが、都道府県が書かれていません。"
#define NOT_LIVE "この宣言は、すでに有効ではありません。"
#define STOP_PLANNED "使用中止が予定されている宣言です。"
#define NO_READING "原本の読み取り結果が残っていません。"
#define NOT_SENT                                                                                                                                              \
	"登録アドレスへ確認のメールを送れませんでした（届かないアドレス、送信数の上限など）。別の方法でご本" \
	"人に"                                                                                                                                              \
	"確認してください。"
#define NEW_NOT_SENT "登録アドレスの確認は済みましたが、新しいアドレスへ確認のメールを送れませんでした。"
#define ASKED "登録アドレスへ、変更の確認のメールを送りました"
#define ASKED_NEW "登録アドレスの確認が済み、新しいアドレスへ確認のメールを送りました"
#define LETTER_NOT_SENT "（お知らせのメールは送れませんでした。）"
#define CHANGES_MAX 64 /* rows of a form that are looked at */

/* Only these; anything else makes another applicant, or is a declaration of its own. */
static const bool changeable[FIELD_COUNT] = {
	[FIELD_CONTACT] = true,
	[FIELD_MAIL] = true,
	[FIELD_BUSINESS_NAME] = true,
	[FIELD_FAMILY_NAME] = true,
	[FIELD_GIVEN_NAME] = true,
	[FIELD_POSTAL_CODE] = true,
	[FIELD_PREFECTURE] = true,
	[FIELD_ADDRESS] = true,
	[FIELD_TELEPHONE] = true,
	[FIELD_EMPLOYEES] = true,
	[FIELD_INDUSTRY] = true,
	[FIELD_ASSOCIATION] = true,
	[FIELD_NEWS] = true,
};

static const char *value_of(const struct form_values *form, enum form_field field)
{
	return form->value[field] ? form->value[field] : "";
}

static const char *label_of(const struct inbound *in, enum form_field field)
{
	return fieldmap_label(in->office->settings->fieldmap, field);
}

/* ---- the form ---- */

/* One column of the form as the fields of an application. */
static const char *read_column(struct inbound *in, bool old, struct form_record *record)
{
	const struct sheet *fields = &in->received->reading.fields;
	const char *label[CHANGES_MAX], *value[CHANGES_MAX];
	size_t count = 0;
	if (fields->change_count == 0)
		return "変更する項目が書かれていません。";
	if (fields->change_count > CHANGES_MAX)
		return "変更する項目が多すぎます。";
	for (size_t i = 0; i < fields->change_count; i++) {
		const struct sheet_change *row = &fields->change[i];
		if (!old && !*row->new_value)
			return pool_printf(in->pool, "「%s」の変更後の内容が書かれていません。", row->item);
		label[count] = row->item;
		value[count++] = old ? row->old : row->new_value;
	}
	int unknown = form_record_from(record, in->office->settings->fieldmap, &in->office->settings->limits,
		label, value, count, in->pool);
	if (unknown >= 0)
		return pool_printf(
			in->pool, "変更する項目「%s」が、どの登録項目のことか分かりません。", label[unknown]);
	if (record->damage_count)
		return pool_printf(in->pool, "%s", record->damage[0].message_ja);
	return NULL;
}

/* 東京都 in front of an address belongs to the prefecture. */
static void split_address(struct form_record *record, struct pool *pool)
{
	const char *address = value_of(&record->form, FIELD_ADDRESS);
	const char *prefecture = *address ? sheet_find_prefecture(address) : NULL;
	if (!prefecture || !str_has_prefix(address, prefecture) || *value_of(&record->form, FIELD_PREFECTURE))
		return;
	record->form.value[FIELD_PREFECTURE] = prefecture;
	record->form.value[FIELD_ADDRESS] = text_trim(pool_strdup(pool, address + strlen(prefecture)));
}

/* ---- what is said to be on file ---- */

static bool same_digits(const char *a, const char *b)
{
	struct str x = STR_INIT, y = STR_INIT;
	bool same = text_digits(&x, a) && text_digits(&y, b) && strcmp(x.s, y.s) == 0;
	str_free(&x);
	str_free(&y);
	return same;
}

static bool same_value(const struct inbound *in, enum form_field field, const char *old, const char *filed)
{
	const char *choice = fieldmap_choice(in->office->settings->fieldmap, field, old);
	if (field == FIELD_POSTAL_CODE || field == FIELD_TELEPHONE)
		return same_digits(old, filed);
	if (field == FIELD_MAIL)
		return strcmp(inbound_mail_key(in, old), inbound_mail_key(in, filed)) == 0;
	return text_same_key(choice ? choice : old, filed);
}

/* 姓 and 名 may have been written as one on one side only. */
static const char *whole_name(struct inbound *in, const struct form_values *form)
{
	return pool_printf(
		in->pool, "%s%s", value_of(form, FIELD_FAMILY_NAME), value_of(form, FIELD_GIVEN_NAME));
}

static const char *old_fault(struct inbound *in)
{
	struct form_record old = {0};
	const char *why_ja = read_column(in, true, &old);
	if (why_ja)
		return why_ja;
	split_address(&old, in->pool);
	for (int i = 0; i < FIELD_COUNT; i++) {
		enum form_field field = (enum form_field)i;
		const char *value = value_of(&old.form, field);
		bool name = field == FIELD_FAMILY_NAME || field == FIELD_GIVEN_NAME;
		if (!*value || field == FIELD_MAIL_CONFIRM)
			continue;
		bool same = name ? text_same_key(whole_name(in, &old.form), whole_name(in, &in->app.form))
				 : same_value(in, field, value, value_of(&in->app.form, field));
		if (!same)
			return pool_printf(
				in->pool, "「%s」の変更前の内容が、登録と違います。", label_of(in, field));
	}
	return NULL;
}

/* ---- what shall be ---- */

static const char *take_new(struct inbound *in, struct form_record *record, struct correction *change)
{
	struct form_record fresh = {0};
	const char *why_ja = read_column(in, false, &fresh);
	if (why_ja)
		return why_ja;
	split_address(&fresh, in->pool);
	if (*value_of(&fresh.form, FIELD_ADDRESS) && !*value_of(&fresh.form, FIELD_PREFECTURE))
		return NO_PREFECTURE;
	for (int i = 0; i < FIELD_COUNT; i++) {
		enum form_field field = (enum form_field)i;
		const char *value = fresh.form.value[field];
		if (!value || (!*value && field != FIELD_GIVEN_NAME) || field == FIELD_MAIL_CONFIRM)
			continue;
		if (!changeable[field])
			return pool_printf(
				in->pool, "「%s」の変更は、職員の判断が必要です。", label_of(in, field));
		record->form.value[field] = value;
		change->changed[field] = true;
	}
	record->representative_whole = fresh.representative_whole;
	if (change->changed[FIELD_MAIL])
		record->form.value[FIELD_MAIL_CONFIRM] = record->form.value[FIELD_MAIL];
	return NULL;
}

static enum rc reckon(struct inbound *in, struct correction *change)
{
	struct form_record record = {.record = 1, .form = in->app.form};
	*change = (struct correction){.text = "", .labels = ""};
	/* An old value that differs from the register is a doubt, which staff settle, or the registered address, which agreed to the new one: the register may be
	 * what is wrong. */
	bool settled = inbound_by_staff(in) || in->request.proof == PROOF_TOKEN;
	const char *old_ja = in->received && !settled ? old_fault(in) : NULL;
	change->why_ja = !in->received                   ? NO_READING
			 : !state_is_live(in->app.state) ? NOT_LIVE
			 : office_stop_pending(&in->app) ? STOP_PLANNED
			 : old_ja                        ? old_ja
							 : take_new(in, &record, change);
	if (change->why_ja)
		return RC_OK;
	return correction_judge(in->office, &in->app, &record, false, change, in->pool, in->err);
}

/* ---- asking ---- */

static enum rc ask(struct inbound *in, const struct correction *change)
{
	struct answer_values values = {.changes = change->text};
	int64_t other = 0;
	bool sent = false;
	enum rc rc = inbound_find_open(in, &other);
	if (rc == RC_OK && other)
		return inbound_review(
			in, pool_printf(in->pool,
				    "同じ宣言の変更について、確認の返信を待っている依頼（依頼番号%" PRId64
				    "）があります。",
				    other));
	if (rc == RC_OK)
		rc = inbound_ask(in, TOKEN_REQUEST, ANSWER_CONFIRM_CHANGE, &values, NULL, &sent);
	if (rc != RC_OK)
		return rc;
	return sent ? inbound_wait_for_reply(in, ASKED) : inbound_review(in, NOT_SENT);
}

enum rc inbound_ask_change(struct inbound *in)
{
	struct correction change;
	enum rc rc = reckon(in, &change);
	if (rc != RC_OK)
		return rc;
	return change.why_ja ? inbound_review(in, change.why_ja) : ask(in, &change);
}

enum rc inbound_change(struct inbound *in)
{
	enum identified found;
	const char *why_ja;
	bool handled = false, trusted = false;
	enum rc rc = inbound_identify_by_form(in, &found, &why_ja);
	if (rc != RC_OK)
		return rc;
	if (found != IDENTIFIED_ONE)
		return inbound_not_proven_identity(in, found);
	rc = why_ja ? inbound_review(in, why_ja) : inbound_by_policy(in, &handled);
	if (rc != RC_OK || why_ja || handled)
		return rc;
	rc = inbound_is_trusted(in, &trusted);
	if (rc != RC_OK)
		return rc;
	if (!trusted)
		return inbound_ask_change(in);
	in->request.proof = PROOF_DKIM;
	return inbound_carry_out_change(in);
}

/* ---- carried out ---- */

/* An address nobody has answered from may be mistyped, or somebody else's. Only after the registered one has agreed is it written to. */
static enum rc ask_new_address(struct inbound *in, const struct correction *change)
{
	bool sent = false;
	enum rc rc = inbound_ask(in, TOKEN_NEW_ADDRESS, ANSWER_CONFIRM_ADDRESS, NULL,
		value_of(&change->form, FIELD_MAIL), &sent);
	if (rc != RC_OK)
		return rc;
	return sent ? inbound_wait_for_reply(in, ASKED_NEW) : inbound_review(in, NEW_NOT_SENT);
}

/* Who loses the contact is told as well: he would notice a change that he never agreed to. */
static enum rc carry_out(struct inbound *in, const struct correction *change)
{
	struct answer_values values = {.changes = change->text};
	bool told_old = true, told = false;
	enum rc rc = RC_OK;
	if (change->new_address)
		rc = inbound_answer(in, ANSWER_CHANGED, &values, NULL, &told_old, NULL);
	if (rc == RC_OK)
		rc = correction_write(in->office, &in->app, change, in->actor,
			pool_printf(in->pool, "依頼番号%" PRId64 "：%s", in->request.id, change->labels),
			in->pool, in->err);
	if (rc == RC_OK)
		inbound_take_application(in, &in->app);
	if (rc == RC_OK)
		rc = inbound_answer(in, ANSWER_CHANGED, &values, NULL, &told, NULL);
	if (rc != RC_OK)
		return rc;
	return inbound_close(in, REQUEST_STATE_DONE, in->request.proof,
		pool_printf(in->pool, "%sを変更しました。%s", change->labels,
			told && told_old ? "" : LETTER_NOT_SENT));
}

enum rc inbound_carry_out_change(struct inbound *in)
{
	struct correction change;
	enum rc rc = inbound_enter(in);
	if (rc == RC_OK)
		rc = reckon(in, &change);
	if (rc != RC_OK)
		return rc;
	if (change.why_ja)
		return inbound_review(in, change.why_ja);
	bool answered = in->address_proven || in->request.proof == PROOF_STAFF;
	return change.new_address && !answered ? ask_new_address(in, &change) : carry_out(in, &change);
}
