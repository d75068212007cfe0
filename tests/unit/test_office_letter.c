#include "office_rig.h"

#include <fcntl.h>

#include "lib/base/mailaddr.h"
#include "lib/base/text.h"
#include "lib/flow/ident.h"
#include "lib/mail/bounceaddr.h"
#include "lib/mail/letter.h"

static int count_of(const char *text, const char *needle)
{
	int count = 0;
	for (const char *at = text; (at = strstr(at, needle)) != NULL; at += strlen(needle))
		count++;
	return count;
}

/* ---- what a notice is ---- */

static void test_office_letter__a_notice_is_complete(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	rig_run_days(rig, 8);
	struct application app = rig_app(rig, id);
	struct notice notice = rig_notices(rig, id).item[1];
	struct str wire = STR_INIT;
	rig_letter(rig, notice.id, &wire);
	uint8_t digest[SHA256_LEN];
	sha256(digest, wire.s, wire.len);
	assert_memory_not_equal(digest, notice.digest, SHA256_LEN); /* it is keyed */
	assert_false(notice.digest_plain);
	assert_string_equal(notice.recipient, "info1@example.co.jp");
	assert_string_equal(notice.domain, "example.co.jp");
	assert_int_equal(count_of(wire.s, "\r\nTo: "), 1);
	assert_non_null(strstr(wire.s, "\r\nTo: info1@example.co.jp\r\n"));
	assert_null(strstr(wire.s, "\r\nCc:"));
	assert_non_null(strstr(wire.s, "\r\nAuto-Submitted: auto-generated\r\n"));
	assert_non_null(strstr(wire.s, "\r\nDate: Mon, 08 Jun 2026 09:30:00 +0900\r\n"));
	assert_non_null(strstr(wire.s, pool_printf(rig->pool, "<%s>", notice.message_id)));
	assert_int_equal(bounceaddr_read(notice.bounce_address, rig->settings->bounce_mail,
				 secrets_key(&rig->secrets), SEAL_KEY_LEN),
		notice.id);
	const char *text = rig_text(rig, notice.id);
	assert_true(str_has_prefix(text, "【SECURITY ACTION】自己宣言IDのお知らせ\n"));
	assert_non_null(
		strstr(text, pool_printf(rig->pool, "自己宣言ID：%" PRId64 "\n", app.declaration_id)));
	assert_non_null(strstr(text, "株式会社サンプル1\n見本 花子 様\n"));
	str_free(&wire);
}

/* A number is never drawn twice: one that was drawn before, for whom or void, is drawn again, and the letter shows what was taken. */
static void test_office_letter__numbers_are_drawn_anew_on_collision(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	(void)rig_turn(rig);
	struct rng ahead = rig->rng;
	assert_ok(store_begin(rig->office.store, &rig_err));
	for (int i = 0; i < 3; i++) {
		int64_t number = ident_draw(&ahead, 4, 11);
		assert_ok(number_take(rig->office.store, number, IDENT_DECLARATION, 0, 0, "試験", &rig_err));
		if (i == 0)
			(void)ident_draw(&ahead, 9, 10);
		else
			break;
	}
	assert_ok(store_commit(rig->office.store, &rig_err));
	struct rng first = rig->rng;
	int64_t taken = ident_draw(&first, 4, 11);
	rig_run_until(rig, rig_at(2026, 6, 8, 9, 30));
	struct application app = rig_app(rig, id);
	assert_int_equal(app.state, STATE_ID_ISSUED);
	assert_true(app.declaration_id != taken);
	const char *text = rig_text(rig, rig_notices(rig, id).item[1].id);
	assert_non_null(strstr(text, pool_printf(rig->pool, "%" PRId64, app.declaration_id)));
	rig_assert_whole(rig);
}

/* User number and logo password lie in the register under the credential key only. */
static void test_office_letter__secrets_are_sealed(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, "era = ( { from = \"2017-04-01\"; profile = \"site\"; } );");
	int64_t id = rig_apply(rig, 1);
	rig_decide(rig, id, DECISION_CONFIRM, "");
	(void)rig_turn(rig);
	struct notice notice = rig_notices(rig, id).item[1];
	const char *number = pool_printf(rig->pool, "%" PRId64, rig_app(rig, id).user_number);
	assert_non_null(strstr(rig_text(rig, notice.id), number));
	struct str packed = STR_INIT, dkim = STR_INIT;
	int64_t set;
	assert_ok(outbox_letter(rig->office.store, notice.id, &packed, &set, &dkim, &rig_err));
	assert_null(memmem(packed.s, packed.len, number, strlen(number)));
	str_free(&packed);
	str_free(&dkim);

	/* With another key nothing is opened. */
	struct str wire = STR_INIT;
	rig->secrets.credential.bytes[0] ^= 1;
	assert_int_equal(office_letter(&rig->office, notice.id, &wire, &dkim, &rig_err), RC_CONFIG);
	str_free(&wire);
	str_free(&dkim);
}

/* What the sample of a model looks like follows from the settings; letters of the days before come back all the same, and none says a password. */
static void test_office_letter__models_outlive_the_settings(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1), models = 0;
	rig_run_days(rig, 15);
	struct rig_notices before = rig_notices(rig, id);
	struct str wire[3] = {STR_INIT, STR_INIT, STR_INIT}, again = STR_INIT, dkim = STR_INIT;
	assert_int_equal(before.count, 3);
	for (int i = 0; i < 3; i++) {
		struct str packed = STR_INIT, text = STR_INIT;
		int64_t set;
		rig_letter(rig, before.item[i].id, &wire[i]);
		assert_ok(
			outbox_letter(rig->office.store, before.item[i].id, &packed, &set, &dkim, &rig_err));
		int64_t model = letter_packed_model(packed.s, packed.len);
		assert_true(packed.len < 240);
		assert_ok(letter_model_get(rig->office.store, model, &text, &rig_err));
		assert_int_equal(letter_model_id(text.s, text.len), model);
		assert_null(strstr(text.s, "Sample-Zip-77"));
		assert_non_null(strstr(text.s, "SECURITY ACTION事務局"));
		models += model;
		str_free(&packed);
		str_free(&text);
	}
	rig_configure(rig, "office_name = \"見本の事務局\"; from_name = \"見本\";");
	int64_t later = rig_apply(rig, 2);
	rig_restart(rig);
	for (int i = 0; i < 3; i++) {
		str_clear(&again);
		rig_letter(rig, before.item[i].id, &again);
		assert_string_equal(again.s, wire[i].s);
		str_free(&wire[i]);
	}
	assert_non_null(strstr(rig_text(rig, rig_notices(rig, later).item[0].id), "見本の事務局"));

	/* Another text under the same number is no model of these letters. */
	assert_ok(store_begin(rig->office.store, &rig_err));
	struct str packed = STR_INIT;
	int64_t set;
	assert_ok(outbox_letter(rig->office.store, before.item[0].id, &packed, &set, &dkim, &rig_err));
	assert_int_equal(letter_model_keep(rig->office.store, letter_packed_model(packed.s, packed.len),
				 "another", 7, true, &rig_err),
		RC_STORE);
	store_rollback(rig->office.store);
	str_clear(&again);
	assert_int_equal(letter_model_get(rig->office.store, 1, &again, &rig_err), RC_STORE);
	assert_true(models > 0);
	str_free(&packed);
	str_free(&again);
	str_free(&dkim);
}

/* A transaction that made a model and was rolled back leaves none behind; the next letter brings it along. */
static void test_office_letter__a_model_rolled_back(void **state)
{
	struct rig *rig = *state;
	struct form_values form = rig_form(rig, 1);
	int64_t id = 0;
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(office_register(&rig->office, &form, NULL, 0, 1, &id, &rig_review, &rig_err));
	store_rollback(rig->office.store);
	id = rig_apply(rig, 2);
	rig_restart(rig);
	assert_non_null(strstr(rig_text(rig, rig_notices(rig, id).item[0].id), "株式会社サンプル2"));
}

/* A register from before version 5: its digests are the letters' SHA-256, by which a number in a letter could be guessed. They are read as they are, and become keyed. */
static void test_office_letter__digests_of_old_registers(void **state)
{
	struct rig *rig = *state;
	struct store *store = rig->office.store;
	int64_t ids[3];
	bool more = true;
	for (int i = 0; i < 3; i++)
		ids[i] = rig_notices(rig, rig_apply(rig, i + 1)).item[0].id;
	assert_ok(office_key_digests(&rig->office, &more, &rig_err)); /* a new register has none */
	assert_false(more);

	uint8_t keyed[3][SHA256_LEN];
	for (int i = 0; i < 3; i++) {
		struct notice notice;
		struct str wire = STR_INIT;
		assert_ok(outbox_get(store, ids[i], &notice, rig->pool, &rig_err));
		assert_false(notice.digest_plain);
		memcpy(keyed[i], notice.digest, SHA256_LEN);
		rig_letter(rig, ids[i], &wire);
		sha256(notice.digest, wire.s, wire.len);
		assert_memory_not_equal(notice.digest, keyed[i], SHA256_LEN);
		notice.digest_plain = true;
		assert_ok(store_begin(store, &rig_err));
		assert_ok(outbox_digest_set(store, &notice, &rig_err));
		assert_ok(fact_set(store, "outbox.digests", NULL, &rig_err));
		assert_ok(store_commit(store, &rig_err));
		str_clear(&wire);
		rig_letter(rig, ids[i], &wire); /* still readable */
		str_free(&wire);
	}
	/* Neither is taken for the other. */
	struct notice wrong;
	struct str wire = STR_INIT, dkim = STR_INIT;
	assert_ok(outbox_get(store, ids[0], &wrong, rig->pool, &rig_err));
	struct notice right = wrong;
	wrong.digest_plain = false;
	assert_ok(store_begin(store, &rig_err));
	assert_ok(outbox_digest_set(store, &wrong, &rig_err));
	assert_int_equal(office_letter(&rig->office, ids[0], &wire, &dkim, &rig_err), RC_STORE);
	assert_non_null(strstr(rig_err.text, "does not match its digest"));
	memcpy(wrong.digest, keyed[0], SHA256_LEN);
	wrong.digest_plain = true;
	assert_ok(outbox_digest_set(store, &wrong, &rig_err));
	assert_int_equal(office_letter(&rig->office, ids[0], &wire, &dkim, &rig_err), RC_STORE);
	assert_ok(outbox_digest_set(store, &right, &rig_err));
	assert_ok(store_commit(store, &rig_err));

	do {
		assert_ok(office_key_digests(&rig->office, &more, &rig_err));
	} while (more);
	for (int i = 0; i < 3; i++) {
		struct notice notice;
		assert_ok(outbox_get(store, ids[i], &notice, rig->pool, &rig_err));
		assert_false(notice.digest_plain);
		assert_memory_equal(notice.digest, keyed[i], SHA256_LEN);
		str_clear(&wire);
		rig_letter(rig, ids[i], &wire);
	}
	str_free(&wire);
	str_free(&dkim);
}

/* Without a key such a notice can't be kept: an administrator must act, and no case is blamed. */
static void test_office_letter__no_key_stops_the_run(void **state)
{
	struct rig *rig = *state;
	struct step_result step;
	rig_configure(rig, "era = ( { from = \"2017-04-01\"; profile = \"site\"; } );");
	int64_t id = rig_apply(rig, 1);
	rig_decide(rig, id, DECISION_CONFIRM, "");
	rig->secrets.credential.len = 0;
	assert_int_equal(office_run_due(&rig->office, 50, &step, &rig_err), RC_CONFIG);
	assert_int_equal(rig_app(rig, id).hold, HOLD_NONE);
	assert_int_equal(rig_app(rig, id).state, STATE_RECEIVED);
	rig->secrets.credential.len = SEAL_KEY_LEN;
	(void)rig_turn(rig);
	assert_int_equal(rig_app(rig, id).state, STATE_ID_ISSUED);
	rig_assert_whole(rig);
}

/* ---- what must not go out ---- */

/* T14: CR, LF, NUL, U+2028 and placeholder text in every field, past the validation: never a second header, a second recipient or an
 * expanded value; what can't be written waits for a person. */
static void test_office_letter__injection_in_every_field(void **state)
{
	struct rig *rig = *state;
	static const char *const evil[] = {"x\r\nBcc: victim@example.net", "x\nSubject: y", "x\xE2\x80\xA8y",
		"{{user_number}}", "{{declaration_id}}{{#if two_star}}", "x\x01y", "<script>",
		"\xEF\xBF\xBD"};
	int n = 0;
	for (size_t i = 0; i < sizeof evil / sizeof evil[0]; i++) {
		for (int field = 0; field < FIELD_COUNT; field++) {
			if (field == FIELD_KIND || field == FIELD_TYPE || field == FIELD_APPLIED_ON)
				continue;
			struct form_values form = rig_form(rig, ++n);
			form.value[field] = pool_printf(rig->pool, "%s%d", evil[i], n);
			int64_t id = rig_register(rig, &form);
			struct rig_notices all = rig_notices(rig, id);
			if (rig_app(rig, id).hold == HOLD_REVIEW) {
				assert_int_equal(all.count, 0);
				assert_true(*rig_app(rig, id).hold_reason != '\0');
				continue;
			}
			assert_int_equal(all.count, 1);
			struct str wire = STR_INIT;
			rig_letter(rig, all.item[0].id, &wire);
			char *end = strstr(wire.s, "\r\n\r\n");
			const char *text = rig_text(rig, all.item[0].id);
			assert_null(strstr(text, "victim@example.net"));
			*end = '\0';
			assert_int_equal(count_of(wire.s, "\r\nTo: "), 1);
			assert_int_equal(count_of(wire.s, "\r\nSubject: "), 1);
			assert_null(strstr(wire.s, "victim"));
			str_free(&wire);
		}
		pool_reset(rig->pool);
	}
	rig_assert_whole(rig);
}

/* N22: another's number or address in the text parks the letter, and nothing is lost. */
static void test_office_letter__foreign_number_is_parked(void **state)
{
	struct rig *rig = *state;
	static const char *const foreign[] = {
		"41234567890のこと", "someone@example.net宛て", "7010705000725係"};
	for (int i = 0; i < 3; i++) {
		struct form_values form = rig_form(rig, i);
		form.value[FIELD_CONTACT] = foreign[i];
		int64_t id = rig_register(rig, &form);
		struct application app = rig_app(rig, id);
		assert_int_equal(app.hold, HOLD_REVIEW);
		assert_non_null(strstr(app.hold_reason, "ほかの申込み"));
		assert_int_equal(app.state, STATE_RECEIVED);
		rig_run_days(rig, 1);
		assert_string_equal(rig_outbox(rig, id), "");
	}
	rig_assert_whole(rig);
}

/* The house keeps going when one letter can't be made: its neighbours in the same run get theirs. */
static void test_office_letter__one_bad_case_leaves_the_others(void **state)
{
	struct rig *rig = *state;
	int64_t id[5];
	for (int i = 0; i < 5; i++)
		id[i] = rig_apply(rig, i);
	(void)rig_turn(rig);
	struct application app = rig_app(rig, id[2]);
	app.form.value[FIELD_MAIL] = "not an address";
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(application_update_form(rig->office.store, &app, "c:x", "x", &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	rig_run_days(rig, 8);
	for (int i = 0; i < 5; i++)
		assert_string_equal(rig_outbox(rig, id[i]), i == 2 ? "receipt/sent" : "receipt/sent id/sent");
	app = rig_app(rig, id[2]);
	assert_int_equal(app.hold, HOLD_REVIEW);
	assert_int_equal(app.state, STATE_RECEIVED);
	assert_int_equal(app.declaration_id, 0);
	rig_assert_whole(rig);
}

/* A form of business n as its file has it. */
static struct form_values as_written(struct rig *rig, int n)
{
	struct form_values form = rig_form(rig, n);
	form.value[FIELD_KIND] = "新規に【★一つ星】を申し込む";
	form.value[FIELD_TYPE] = "法人";
	form.value[FIELD_PLEDGE] = "誓約する";
	form.value[FIELD_PRIVACY] = form.value[FIELD_TERMS] = "同意する";
	form.value[FIELD_NEWS] = "希望しない";
	form.value[FIELD_PURPOSE] = "その他";
	form.value[FIELD_INDUSTRY] = "農業";
	return form;
}

/* T15: many rows to one address: beyond the limit they wait for a person, whoever sent them. */
static void test_office_letter__many_rows_to_one_address(void **state)
{
	struct rig *rig = *state;
	int sent = 0, review = 0;
	for (int i = 0; i < 12; i++) {
		struct form_values form = as_written(rig, i), out;
		form.value[FIELD_MAIL] = form.value[FIELD_MAIL_CONFIRM] = "target@example.co.jp";
		struct form_record record = {.record = i + 1, .form = form};
		struct findings findings = {0};
		struct registry registry = office_registry(&rig->office);
		struct validate_rules rules = office_rules(&rig->office, rig->clock.now);
		int64_t id;
		assert_ok(store_begin(rig->office.store, &rig_err));
		validate(&out, &findings, &record, rig->settings->fieldmap, &rules, &registry, rig->pool);
		for (size_t f = 0; f < findings.count; f++)
			if (findings.item[f].severity == SEVERITY_REFUSE)
				fail_msg("%s", findings.item[f].message_ja);
		assert_ok(
			office_register(&rig->office, &out, &findings, 0, i + 1, &id, &rig_review, &rig_err));
		assert_ok(store_commit(rig->office.store, &rig_err));
		review += rig_app(rig, id).hold == HOLD_REVIEW;
		sent += rig_notices(rig, id).count;
	}
	assert_int_equal(sent, (int)rig->settings->proxy_max);
	assert_int_equal(review, 12 - (int)rig->settings->proxy_max);
}

/* ---- refused forms ---- */

static void refuse_within(struct rig *rig, const struct form_values *form)
{
	struct form_values out;
	struct form_record record = {.record = 1, .form = *form};
	struct findings findings = {0};
	struct registry registry = office_registry(&rig->office);
	struct validate_rules rules = office_rules(&rig->office, rig->clock.now);
	validate(&out, &findings, &record, rig->settings->fieldmap, &rules, &registry, rig->pool);
	assert_true(findings_refuse(&findings));
	assert_ok(office_answer_refused(&rig->office, &out, &findings, &rig_err));
}

static void refuse(struct rig *rig, const struct form_values *form)
{
	assert_ok(store_begin(rig->office.store, &rig_err));
	refuse_within(rig, form);
	assert_ok(store_commit(rig->office.store, &rig_err));
}

static enum rc take_refused(void *ctx, const struct notice *notice, struct err *err)
{
	int64_t *id = ctx;
	(void)err;
	if (strcmp(notice->template_name, "refused") == 0)
		*id = notice->id;
	return RC_OK;
}

/* Letters about forms that were never registered have no number of an application to tell them apart. */
static enum rc take_message_id(void *ctx, const struct notice *notice, struct err *err)
{
	struct strlist *seen = ctx;
	(void)err;
	if (strcmp(notice->template_name, "refused") == 0) {
		assert_false(strlist_has(seen, notice->message_id));
		strlist_add(seen, notice->message_id);
	}
	return RC_OK;
}

/* Who was refused is told what to mend only where the office wants it; the answer repeats no value and reveals no ID. */
/* The disk was full: what was not written was not told either, and is told when the row is read again. */
static void test_office_letter__refused_are_told_after_a_rollback(void **state)
{
	struct rig *rig = *state;
	struct form_values wrong = as_written(rig, 6);
	rig_configure(rig, "notify_refused = true;");
	wrong.value[FIELD_CORPORATE_NUMBER] = "1234567890123";
	size_t told = rig->office.told.count;
	assert_ok(store_begin(rig->office.store, &rig_err));
	refuse_within(rig, &wrong);
	store_rollback(rig->office.store);
	office_untell(&rig->office, told);
	refuse(rig, &wrong);
	refuse(rig, &wrong);
	(void)rig_turn(rig);
	assert_int_equal(rig->delivered, 1);
}

static void test_office_letter__refused_are_told_only_where_wanted(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1), notice_id = 0;
	rig_run_days(rig, 20);
	const char *declaration = pool_printf(rig->pool, "%" PRId64, rig_app(rig, id).declaration_id);
	int before = rig->delivered;
	struct form_values duplicate = as_written(rig, 1);
	duplicate.value[FIELD_MAIL] = duplicate.value[FIELD_MAIL_CONFIRM] = "stranger@example.co.jp";
	refuse(rig, &duplicate);
	(void)rig_turn(rig);
	assert_int_equal(rig->delivered, before);

	rig_configure(rig, "notify_refused = true;");
	for (int i = 0; i < 3; i++) /* one a day and address */
		refuse(rig, &duplicate);
	struct form_values no_address = as_written(rig, 5), wrong = as_written(rig, 6),
			   evil = as_written(rig, 7);
	no_address.value[FIELD_MAIL_CONFIRM] = "other@example.co.jp";
	refuse(rig, &no_address);
	evil.value[FIELD_CONTACT] = "今すぐ http://example.net/win をクリック";
	evil.value[FIELD_PREFECTURE] = "不明";
	refuse(rig, &evil);
	wrong.value[FIELD_CORPORATE_NUMBER] = "1234567890123";
	refuse(rig, &wrong);
	assert_ok(outbox_each_in(rig->office.store, OUTBOX_QUEUED, 0, 0, take_refused, &notice_id, &rig_err));
	const char *text = rig_text(rig, notice_id);
	assert_non_null(strstr(text, "法人番号"));
	assert_null(strstr(text, "1234567890123"));
	struct strlist seen = {0};
	assert_ok(outbox_each_in(rig->office.store, OUTBOX_QUEUED, 0, 0, take_message_id, &seen, &rig_err));
	assert_int_equal(seen.count, 2);
	strlist_free(&seen);
	(void)rig_turn(rig);
	assert_int_equal(rig->delivered, before + 2);

	notice_id = 0;
	assert_ok(outbox_each_in(rig->office.store, OUTBOX_SENT, 0, 4, take_refused, &notice_id, &rig_err));
	text = rig_text(rig, notice_id);
	assert_null(strstr(text, declaration));
	char *lines = xstrdup(text), *rest = lines;
	for (char *line; (line = strsep(&rest, "\n"));) /* as narrow as the notices are */
		assert_in_range(text_columns(line), 0, 72);
	free(lines);
	rig_run_days(rig, 1);
	refuse(rig, &duplicate);
	(void)rig_turn(rig);
	assert_int_equal(rig->delivered, before + 3);
	rig_assert_whole(rig);
}

/* ---- what the server says ---- */

static enum outcome all_unknown(const struct notice *notice)
{
	(void)notice;
	return OUTCOME_UNKNOWN;
}

/* T2: sent once more after a pause, with the same Message-ID, then given to staff; never repeated blindly. */
static void test_office_letter__unknown_twice_goes_to_staff(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	rig->answer = all_unknown;
	assert_int_equal(rig_send(rig), 1);
	struct notice once = rig_notices(rig, id).item[0];
	assert_int_equal(once.state, OUTBOX_UNKNOWN);
	assert_true(once.next_try_at == rig->clock.now + 3600);
	assert_int_equal(rig_app(rig, id).hold, HOLD_NONE);
	clock_set(&rig->clock, rig->clock.now + 3599);
	assert_int_equal(rig_send(rig), 0);
	clock_set(&rig->clock, rig->clock.now + 1);
	assert_int_equal(rig_send(rig), 1);
	struct notice twice = rig_notices(rig, id).item[0];
	assert_int_equal(twice.state, OUTBOX_UNKNOWN);
	assert_string_equal(twice.message_id, once.message_id);
	assert_int_equal(rig_app(rig, id).hold, HOLD_REVIEW);
	rig_run_days(rig, 30);
	assert_string_equal(rig_outbox(rig, id), "receipt/unknown");
	assert_int_equal(rig_count_events(rig, id, EVENT_UNKNOWN), 2);

	/* Staff look into the server's log and let it go on. */
	rig->answer = NULL;
	rig_decide(rig, id, DECISION_APPROVE, "サーバーの記録で到達を確認");
	rig_run_days(rig, 30);
	assert_string_equal(rig_outbox(rig, id), "receipt/unknown id/sent logo/sent");
	rig_assert_whole(rig);
}

static void test_office_letter__unknown_once_goes_on(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	rig->answer = all_unknown;
	(void)rig_send(rig);
	rig->answer = NULL;
	rig_run_days(rig, 30);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/sent logo/sent");
	assert_int_equal(rig_app(rig, id).hold, HOLD_NONE);
}

static enum outcome hindrance;

static enum outcome all_hindered(const struct notice *notice)
{
	(void)notice;
	return hindrance;
}

/* Whatever hinders its repeat: what may have arrived once never counts as unsent again. */
static void test_office_letter__unknown_stays_so_until_it_is_known(void **state)
{
	struct rig *rig = *state;
	static const enum outcome each[] = {OUTCOME_FAULT, OUTCOME_TEMPORARY, OUTCOME_NOT_SENT};
	for (int i = 0; i < 3; i++) {
		int64_t id = rig_apply(rig, i + 1);
		rig->answer = all_unknown;
		assert_int_equal(rig_send(rig), 1);
		clock_set(&rig->clock, rig->clock.now + 3600);
		hindrance = each[i];
		rig->answer = all_hindered;
		assert_int_equal(rig_send(rig), 1);
		assert_string_equal(rig_outbox(rig, id), "receipt/unknown");
		clock_set(&rig->clock, rig->clock.now + 3600);
		rig->answer = NULL;
		assert_int_equal(rig_send(rig), 1);
		assert_string_equal(rig_outbox(rig, id), "receipt/sent");
	}
	rig_assert_whole(rig);
}

static enum outcome second_is_refused(const struct notice *notice)
{
	return strcmp(notice->recipient, "info2@example.co.jp") == 0 ? OUTCOME_PERMANENT : OUTCOME_ACCEPTED;
}

/* T4: one bad address stops neither its neighbours nor the bookkeeping; its next stage waits until a person has mended it. */
static void test_office_letter__given_up_goes_to_review(void **state)
{
	struct rig *rig = *state;
	int64_t one = rig_apply(rig, 1), bad = rig_apply(rig, 2), three = rig_apply(rig, 3);
	rig->answer = second_is_refused;
	rig_run_days(rig, 30);
	assert_string_equal(rig_outbox(rig, one), "receipt/sent id/sent logo/sent");
	assert_string_equal(rig_outbox(rig, three), "receipt/sent id/sent logo/sent");
	assert_string_equal(rig_outbox(rig, bad), "receipt/failed");
	assert_int_equal(rig_app(rig, bad).hold, HOLD_REVIEW);

	struct application app = rig_app(rig, bad);
	app.form.value[FIELD_MAIL] = "mended@example.co.jp";
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(application_update_form(rig->office.store, &app, applicant_key(&app.form, rig->pool),
		"mended@example.co.jp", &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	rig_decide(rig, bad, DECISION_APPROVE, "アドレスを訂正");
	(void)rig_turn(rig);
	struct rig_notices all = rig_notices(rig, bad);
	assert_string_equal(all.item[1].recipient, "mended@example.co.jp");
	assert_int_equal(all.item[1].state, OUTBOX_SENT);
	assert_string_not_equal(all.item[1].message_id, all.item[0].message_id);
	rig_run_days(rig, 30);
	assert_string_equal(rig_outbox(rig, bad), "receipt/failed receipt/sent id/sent logo/sent");
	rig_assert_whole(rig);
}

static enum outcome always_refused(const struct notice *notice)
{
	(void)notice;
	return OUTCOME_PERMANENT;
}

/* Staff resent a letter of which nobody knew whether it arrived; then its own second try was refused. */
static void test_office_letter__given_up_after_a_resend(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1), notice_id;
	const char *why_ja = NULL;
	rig->answer = all_unknown;
	assert_int_equal(rig_send(rig), 1);
	assert_ok(office_resend(
		&rig->office, id, "receipt", "staff:1000", &notice_id, &why_ja, rig->pool, &rig_err));
	rig->answer = NULL;
	assert_int_equal(rig_send(rig), 1);
	rig->answer = always_refused;
	clock_set(&rig->clock, rig->clock.now + 3600);
	assert_int_equal(rig_send(rig), 1);
	assert_int_equal(rig_app(rig, id).hold, HOLD_REVIEW);
	rig->answer = NULL;
	rig_decide(rig, id, DECISION_APPROVE, "アドレスを確認");
	rig_run_days(rig, 30);
	assert_string_equal(
		rig_outbox(rig, id), "receipt/failed receipt/sent receipt/sent id/sent logo/sent");

	/* What is resent now is the letter that arrived, made anew after the refusal: not the first, and not the resend. */
	assert_ok(office_resend(
		&rig->office, id, "receipt", "staff:1000", &notice_id, &why_ja, rig->pool, &rig_err));
	struct rig_notices all = rig_notices(rig, id);
	assert_int_equal(all.item[5].id, notice_id);
	assert_int_equal(all.item[5].resend_of, all.item[2].id);
	rig_assert_whole(rig);
}

/* Given up while staff held it: the release finds it, and does not let it wait for ever. */
static void test_office_letter__given_up_while_held(void **state)
{
	struct rig *rig = *state;
	struct notice notice;
	struct delivery delivery = {.outcome = OUTCOME_PERMANENT, .reply_code = 550};
	int count;
	int64_t id = rig_apply(rig, 1);
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(outbox_claim(
		rig->office.store, rig->clock.now, 1, NULL, &notice, &count, rig->pool, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	rig_decide(rig, id, DECISION_HOLD, "確認中");
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(office_delivered(&rig->office, &notice, &delivery, NULL, 0, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	assert_int_equal(rig_app(rig, id).hold, HOLD_STAFF);
	rig_decide(rig, id, DECISION_RELEASE, "");
	assert_int_equal(rig_app(rig, id).hold, HOLD_REVIEW);
}

static enum outcome fault(const struct notice *notice)
{
	(void)notice;
	return OUTCOME_FAULT;
}

/* Trouble on our side never counts against a recipient, and leaves no trace in his history. */
static void test_office_letter__our_fault_counts_against_nobody(void **state)
{
	struct rig *rig = *state;
	struct notice notice;
	int count;
	int64_t id = rig_apply(rig, 1);
	rig->answer = fault;
	for (int i = 0; i < 20; i++) {
		assert_ok(store_begin(rig->office.store, &rig_err));
		assert_ok(outbox_claim(
			rig->office.store, rig->clock.now, 1, NULL, &notice, &count, rig->pool, &rig_err));
		struct delivery delivery = rig_answer(rig, &notice);
		assert_ok(office_delivered(&rig->office, &notice, &delivery, NULL, 0, &rig_err));
		assert_ok(store_commit(rig->office.store, &rig_err));
	}
	assert_string_equal(rig_outbox(rig, id), "receipt/queued");
	assert_string_equal(rig_history(rig, id), "apply queue");
	assert_int_equal(rig_notices(rig, id).item[0].attempts, 0);
}

/* ---- 再送 ---- */

static int64_t resend(struct rig *rig, int64_t id, const char *name)
{
	int64_t notice_id;
	const char *why_ja = NULL;
	assert_ok(office_resend(
		&rig->office, id, name, "staff:1000", &notice_id, &why_ja, rig->pool, &rig_err));
	return notice_id;
}

/* Subject and body to the letter, one line in front, the first mail attached byte for byte, to today's registered address. */
static void test_office_letter__resend_repeats_to_the_letter(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	rig_run_days(rig, 30);
	struct notice first = rig_notices(rig, id).item[1];
	static const char signature[] =
		"DKIM-Signature: v=1; a=rsa-sha256; d=sa.example.jp; s=s1;\r\n\tb=abc\r\n";
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(outbox_update(rig->office.store, &first, signature, strlen(signature), &rig_err));
	/* Since then everything that could change has changed. */
	struct application app = rig_app(rig, id);
	app.form.value[FIELD_MAIL] = "new@example.co.jp";
	app.form.value[FIELD_BUSINESS_NAME] = "株式会社改名";
	assert_ok(application_update_form(
		rig->office.store, &app, applicant_key(&app.form, rig->pool), "new@example.co.jp", &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	rig_configure(rig, "charset = \"iso-2022-jp\"; office_name = \"別の事務局\";");

	struct notice again;
	struct str wire = STR_INIT, first_wire = STR_INIT;
	int64_t notice_id = resend(rig, id, "id");
	assert_ok(outbox_get(rig->office.store, notice_id, &again, rig->pool, &rig_err));
	assert_string_equal(again.recipient, "new@example.co.jp");
	assert_int_equal(again.resend_of, first.id);
	assert_string_not_equal(again.message_id, first.message_id);
	assert_string_not_equal(again.bounce_address, first.bounce_address);

	rig_letter(rig, first.id, &first_wire);
	rig_letter(rig, notice_id, &wire);
	struct str whole = STR_INIT;
	str_printf(&whole, "\r\n\r\n%s%s", signature, first_wire.s);
	const char *attached = strstr(wire.s, whole.s);
	assert_non_null(attached);
	assert_non_null(strstr(wire.s, "Content-Type: message/rfc822"));

	/* The text part, cut out by hand. */
	const char *boundary = strstr(wire.s, "boundary=\"");
	assert_non_null(boundary);
	struct str mark = STR_INIT, subject = STR_INIT, body = STR_INIT, part = STR_INIT;
	str_add(&mark, "--", 2);
	str_add(&mark, boundary + 10, strcspn(boundary + 10, "\""));
	const char *begin = strstr(boundary + 10, mark.s) + mark.len + 2;
	const char *end = strstr(begin, mark.s);
	const char *head_subject = strstr(wire.s, "\r\nSubject:");
	const char *subject_end = strstr(head_subject + 2, "\r\nDate:");
	str_add(&part, head_subject + 2, (size_t)(subject_end - head_subject));
	str_add(&part, begin, (size_t)(end - begin));
	assert_ok(reread(&subject, &body, part.s, part.len, &rig_err));
	const char *want = rig_text(rig, first.id);
	assert_true(str_has_prefix(
		body.s, "【再送】このメールは、2026年6月8日(月)にお送りしたメールの再送です。\n\n"));
	const char *rest = strstr(body.s, "\n\n") + 2;
	struct str got = STR_INIT;
	str_printf(&got, "%s\n%s", subject.s, rest);
	while (got.len && got.s[got.len - 1] == '\n')
		str_cut(&got, got.len - 1);
	size_t want_len = strlen(want);
	while (want_len && want[want_len - 1] == '\n')
		want_len--;
	assert_int_equal(got.len, want_len);
	assert_memory_equal(got.s, want, want_len);

	rig_run_days(rig, 1);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/sent logo/sent id/sent");
	int64_t third = resend(rig, id, "id");
	assert_ok(outbox_get(rig->office.store, third, &again, rig->pool, &rig_err));
	assert_int_equal(again.resend_no, 2);
	assert_int_equal(again.resend_of, first.id);
	str_free(&mark);
	str_free(&subject);
	str_free(&body);
	str_free(&part);
	str_free(&got);
	str_free(&whole);
	str_free(&wire);
	str_free(&first_wire);
	rig_assert_whole(rig);
}

static void test_office_letter__resend_is_refused(void **state)
{
	struct rig *rig = *state;
	int64_t fresh = rig_apply(rig, 1), held = rig_apply(rig, 2), stopped = rig_apply(rig, 3);
	const char *why_ja;
	rig_run_days(rig, 8);
	rig_decide(rig, held, DECISION_HOLD, "確認中");
	assert_ok(office_stop(
		&rig->office, stopped, CIVIL_DAY_NONE, "", "staff:1000", &why_ja, rig->pool, &rig_err));
	const struct {
		int64_t id;
		const char *name;
	} cases[] = {{fresh, "logo"}, {fresh, "no-such"}, {held, "id"}, {stopped, "id"}, {99, "id"}};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		int64_t notice_id;
		why_ja = NULL;
		assert_int_equal(office_resend(&rig->office, cases[i].id, cases[i].name, "staff:1000",
					 &notice_id, &why_ja, rig->pool, &rig_err),
			RC_REFUSED);
		assert_non_null(why_ja);
		assert_int_equal(notice_id, 0);
	}
}

/* Asked for twice, it goes once: what waits is the answer to both. */
static void test_office_letter__resend_waits_for_the_one_before(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1), notice_id;
	const char *why_ja = NULL;
	rig_run_days(rig, 8);
	(void)resend(rig, id, "id");
	(void)resend(rig, id, "receipt");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(office_resend(&rig->office, id, "id", "staff:1000", &notice_id, &why_ja,
					 rig->pool, &rig_err),
			RC_REFUSED);
		assert_non_null(strstr(why_ja, "送信待ち"));
		assert_int_equal(notice_id, 0);
	}
	assert_int_equal(rig_send(rig), 2);
	(void)resend(rig, id, "id");
	assert_int_equal(rig_send(rig), 1);
}

/* A resend that fails is for a person; it moves no stage. */
static void test_office_letter__resend_moves_no_stage(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	rig_run_days(rig, 8);
	utc_time due = rig_app(rig, id).due_at;
	clock_set(&rig->clock, rig->clock.now + 2 * 86400);
	(void)resend(rig, id, "id");
	(void)rig_turn(rig);
	assert_true(rig_app(rig, id).due_at == due);
	(void)resend(rig, id, "receipt");
	rig->answer = always_refused;
	(void)rig_turn(rig);
	assert_int_equal(rig_app(rig, id).hold, HOLD_REVIEW);
	rig->answer = NULL;
	rig_decide(rig, id, DECISION_APPROVE, "");
	assert_true(rig_app(rig, id).due_at == due);
	rig_run_days(rig, 30);
	assert_int_equal(rig_app(rig, id).state, STATE_LOGO_AUTHORIZED);
	rig_assert_whole(rig);
}

/* Read back to the letter whatever the charset, with characters ISO-2022-JP knows and does not. */
static void test_office_letter__reads_back_in_both_charsets(void **state)
{
	struct rig *rig = *state;
	static const char *const charset[] = {"utf-8", "iso-2022-jp"};
	static const char *const names[] = {"見本 花子", "髙﨑 ①", "〜−‖¢£¬ 〒", "ｱｲｳ"};
	int n = 0;
	for (int c = 0; c < 2; c++) {
		rig_configure(rig, pool_printf(rig->pool, "charset = \"%s\";", charset[c]));
		for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
			struct form_values form = rig_form(rig, ++n);
			form.value[FIELD_CONTACT] = names[i];
			int64_t id = rig_register(rig, &form);
			struct str wire = STR_INIT;
			const char *text = rig_text(rig, rig_notices(rig, id).item[0].id);
			rig_letter(rig, rig_notices(rig, id).item[0].id, &wire);
			assert_non_null(strstr(text, pool_printf(rig->pool, "%s 様", names[i])));
			assert_non_null(strstr(text, "【SECURITY ACTION】自己宣言お申込み受付のお知らせ\n"));
			bool jis = strstr(wire.s, "charset=ISO-2022-JP") != NULL;
			assert_int_equal(jis, c == 1 && (i == 0 || i == 2));
			str_free(&wire);
		}
	}
}

/* ---- preview ---- */

static void test_office_letter__preview(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	(void)rig_turn(rig);
	static const struct {
		bool sample;
		const char *profile, *name, *subject, *holds;
	} cases[] = {
		{false, NULL, NULL, "【SECURITY ACTION】自己宣言IDのお知らせ", "49999999999"},
		{false, NULL, "receipt", "【SECURITY ACTION】自己宣言お申込み受付のお知らせ",
			"株式会社サンプル1"},
		{false, NULL, "logo", "【SECURITY ACTION】ロゴマーク使用許諾のお知らせ", "Sample-Zip-77"},
		{true, "site", "completion", "【SECURITY ACTION】一つ星：自己宣言完了のお知らせ",
			"9123456789"},
		{true, NULL, "id", "【SECURITY ACTION】自己宣言IDのお知らせ", "株式会社サンプル"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct rendered out = {.subject = STR_INIT, .headers = STR_INIT, .body = STR_INIT};
		struct str raw = STR_INIT;
		assert_ok(office_preview(&rig->office, cases[i].sample ? 0 : id, cases[i].profile,
			cases[i].name, &out, &raw, &rig_err));
		assert_string_equal(out.subject.s, cases[i].subject);
		assert_non_null(strstr(out.body.s, cases[i].holds));
		assert_non_null(strstr(raw.s, "\r\nTo: "));
		rendered_free(&out);
		str_free(&raw);
	}
	/* Looking changes nothing. */
	assert_string_equal(rig_outbox(rig, id), "receipt/sent");
	assert_int_equal(rig_app(rig, id).declaration_id, 0);
	struct rendered out = {.subject = STR_INIT, .headers = STR_INIT, .body = STR_INIT};
	assert_int_equal(office_preview(&rig->office, 0, "nothing", "id", &out, NULL, &rig_err), RC_REFUSED);
	assert_int_equal(office_preview(&rig->office, id, NULL, "nothing", &out, NULL, &rig_err), RC_REFUSED);
	rendered_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_office_letter__a_notice_is_complete, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office_letter__numbers_are_drawn_anew_on_collision, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office_letter__secrets_are_sealed, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office_letter__digests_of_old_registers, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office_letter__no_key_stops_the_run, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office_letter__injection_in_every_field, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office_letter__foreign_number_is_parked, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office_letter__one_bad_case_leaves_the_others, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office_letter__many_rows_to_one_address, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office_letter__refused_are_told_after_a_rollback, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office_letter__refused_are_told_only_where_wanted, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office_letter__unknown_twice_goes_to_staff, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office_letter__unknown_once_goes_on, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office_letter__unknown_stays_so_until_it_is_known, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office_letter__given_up_goes_to_review, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office_letter__given_up_after_a_resend, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office_letter__given_up_while_held, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office_letter__our_fault_counts_against_nobody, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office_letter__resend_repeats_to_the_letter, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office_letter__resend_is_refused, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office_letter__resend_waits_for_the_one_before, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office_letter__resend_moves_no_stage, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office_letter__reads_back_in_both_charsets, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office_letter__models_outlive_the_settings, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office_letter__a_model_rolled_back, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_office_letter__preview, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
