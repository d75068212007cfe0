/*
 * office_rig.h - what the tests of the office share: an office of their own on a virtual clock, and a mail server that takes everything
 *
 * The office opens on Monday 2026-06-01, 10:00 in Tokyo. rig_run_until() lets days pass as the roles would: what is due is queued, what
 * is queued is claimed and delivered. All persons and businesses are fictitious.
 */
#ifndef SENGEN_OFFICE_RIG_H
#define SENGEN_OFFICE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/mail/reread.h"
#include "lib/office/office.h"

#define assert_ok(call)                                                                                      \
	do {                                                                                                 \
		if ((call) != RC_OK)                                                                         \
			fail_msg("%s: %s", #call, rig_err.text);                                             \
	} while (0)

static struct err rig_err;
static bool rig_review; /* of the last registration */

struct rig {
	char dir[64], conf[128], store_path[160], witness[160];
	struct settings *settings;
	struct secrets secrets;
	struct clock clock;
	struct rng rng;
	struct store_settings store_settings;
	struct office office;
	struct pool *pool;
	/* how the mail server answers; NULL: 250 */
	enum outcome (*answer)(const struct notice *notice);
	int delivered; /* mails it took */
};

static inline int rig_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline utc_time rig_at(int year, int month, int day, int hour, int minute)
{
	return civil_moment(civil_from_ymd(year, month, day), hour * 60 + minute);
}

static inline civil_day rig_today(const struct rig *rig)
{
	return civil_day_of(rig->clock.now);
}

static inline void rig_write(const struct rig *rig, const char *name, const char *text)
{
	struct str path = STR_INIT;
	path_join(&path, rig->dir, name);
	assert_ok(file_write(path.s, text, strlen(text), 0600, &rig_err));
	str_free(&path);
}

static inline void rig_open_store(struct rig *rig)
{
	assert_ok(store_open(&rig->office.store, &rig->store_settings, STORE_WRITE, &rig_err));
	office_open(&rig->office);
}

static inline void rig_load_settings(struct rig *rig, const char *more)
{
	struct str text = STR_INIT;
	str_printf(&text,
		"state_directory = \"%s\";\nspool_directory = \"%s\";\nruntime_directory = \"%s\";\n"
		"contact_mail = \"security-action-info@sa.example.jp\";\n"
		"bounce_mail = \"bounce@sa.example.jp\";\nunknown_pause_seconds = 3600;\n"
		"credential_key_from = \"key\";\n"
		"logo = ( { star = 1; url = \"https://www.ipa.go.jp/files/star1.zip\"; password_from = "
		"\"logo\"; },"
		" { star = 2; url = \"https://www.ipa.go.jp/files/star2.zip\"; password_from = \"logo\"; } "
		");\n%s\n%s\n",
		rig->dir, rig->dir, rig->dir,
		strstr(more, "authserv_id") ? "" : "authserv_id = \"mx.sa.example.jp\";", more);
	rig_write(rig, "sengend.conf", text.s);
	str_free(&text);
	settings_free(&rig->settings);
	secrets_free(&rig->secrets);
	assert_ok(settings_load(&rig->settings, rig->conf, &rig_err));
	assert_ok(secrets_load(&rig->secrets, rig->settings, false, &rig_err));
	rig->office.settings = rig->settings;
	rig->office.secrets = &rig->secrets;
}

/* Configures anew (further keys) and reads the templates, as a reload does. */
static inline void rig_configure(struct rig *rig, const char *more)
{
	rig_load_settings(rig, more);
	assert_ok(office_load_templates(&rig->office, &rig_err));
}

static inline int rig_setup(void **state)
{
	struct rig *rig = xcalloc(1, sizeof *rig);
	*state = rig;
	(void)snprintf(rig->dir, sizeof rig->dir, "/tmp/sengen-office-XXXXXX");
	if (!mkdtemp(rig->dir))
		return -1;
	(void)snprintf(rig->conf, sizeof rig->conf, "%s/sengend.conf", rig->dir);
	(void)snprintf(rig->store_path, sizeof rig->store_path, "%s/register.db", rig->dir);
	(void)snprintf(rig->witness, sizeof rig->witness, "%s/witness", rig->dir);
	rig_write(rig, "key", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n");
	rig_write(rig, "logo", "Sample-Zip-77\n");
	rig->pool = pool_new();
	rig->rng = rng_seeded(7);
	rig->store_settings = (struct store_settings){
		.path = rig->store_path, .witness = rig->witness, .host = "host-a", .simulated = true};
	rig->office = (struct office){.clock = &rig->clock, .rng = &rig->rng};
	rig_load_settings(rig, "");
	rig->clock = clock_virtual(rig_at(2026, 6, 1, 10, 0));
	rig_open_store(rig);
	assert_ok(office_load_templates(&rig->office, &rig_err));
	return 0;
}

static inline int rig_teardown(void **state)
{
	struct rig *rig = *state;
	office_close(&rig->office);
	store_close(&rig->office.store);
	settings_free(&rig->settings);
	secrets_free(&rig->secrets);
	pool_free(&rig->pool);
	(void)nftw(rig->dir, rig_remove, 8, FTW_DEPTH | FTW_PHYS);
	free(rig);
	return 0;
}

/* The process dies and starts again. */
static inline void rig_restart(struct rig *rig)
{
	office_close(&rig->office);
	store_close(&rig->office.store);
	rig_open_store(rig);
	assert_ok(office_load_templates(&rig->office, &rig_err));
}

/* ---- applications ---- */

/* 法人番号 number n, with its check digit. */
static inline const char *rig_corporate_number(struct pool *pool, int n)
{
	char base[16];
	int sum = 0;
	(void)snprintf(base, sizeof base, "%012d", 10000000 + n);
	for (int i = 0; i < 12; i++)
		sum += (base[11 - i] - '0') * (i % 2 == 0 ? 1 : 2);
	return pool_printf(pool, "%d%s", 9 - sum % 9, base);
}

/* A valid ★ form of business n. */
static inline struct form_values rig_form(struct rig *rig, int n)
{
	struct form_values form = {.value = {
					   [FIELD_KIND] = "new1",
					   [FIELD_PURPOSE] = "自社の経営層・従業員の意識を高めるため",
					   [FIELD_PLEDGE] = "true",
					   [FIELD_CONTACT] = "見本 花子",
					   [FIELD_TYPE] = "corporation",
					   [FIELD_FAMILY_NAME] = "見本",
					   [FIELD_GIVEN_NAME] = "太郎",
					   [FIELD_PREFECTURE] = "東京都",
					   [FIELD_ADDRESS] = "見本区例示町1-2-3",
					   [FIELD_NEWS] = "false",
					   [FIELD_PRIVACY] = "true",
					   [FIELD_TERMS] = "true",
				   }};
	form.value[FIELD_CORPORATE_NUMBER] = rig_corporate_number(rig->pool, n);
	form.value[FIELD_BUSINESS_NAME] = pool_printf(rig->pool, "株式会社サンプル%d", n);
	form.value[FIELD_MAIL] = pool_printf(rig->pool, "info%d@example.co.jp", n);
	form.value[FIELD_MAIL_CONFIRM] = form.value[FIELD_MAIL];
	return form;
}

static inline int64_t rig_register(struct rig *rig, const struct form_values *form)
{
	int64_t id = 0;
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(office_register(&rig->office, form, NULL, 0, 1, &id, &rig_review, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	assert_true(id > 0);
	return id;
}

static inline int64_t rig_apply(struct rig *rig, int n)
{
	struct form_values form = rig_form(rig, n);
	return rig_register(rig, &form);
}

static inline struct application rig_app(struct rig *rig, int64_t id)
{
	struct application app;
	assert_ok(application_get(rig->office.store, id, &app, rig->pool, &rig_err));
	return app;
}

static inline void rig_decide(struct rig *rig, int64_t id, enum decision_action action, const char *reason)
{
	const char *why_ja = NULL;
	assert_ok(
		office_decide(&rig->office, id, action, reason, "staff:1000", &why_ja, rig->pool, &rig_err));
}

/* ---- time and mail ---- */

static inline struct delivery rig_answer(struct rig *rig, const struct notice *notice)
{
	struct delivery delivery = {
		.outcome = rig->answer ? rig->answer(notice) : OUTCOME_ACCEPTED, .phase = "dot"};
	switch (delivery.outcome) {
	case OUTCOME_ACCEPTED:
		delivery.reply_code = 250;
		(void)snprintf(delivery.reply, sizeof delivery.reply, "2.0.0 Ok: queued");
		break;
	case OUTCOME_TEMPORARY:
		delivery.reply_code = 451;
		(void)snprintf(delivery.reply, sizeof delivery.reply, "4.7.1 Greylisted");
		break;
	case OUTCOME_PERMANENT:
		delivery.reply_code = 550;
		(void)snprintf(delivery.reply, sizeof delivery.reply, "5.1.1 User unknown");
		break;
	case OUTCOME_UNKNOWN:
	case OUTCOME_NOT_SENT:
	case OUTCOME_FAULT:
		break;
	}
	return delivery;
}

/* Claims and delivers everything that may go now, as the sender does. Returns how many were claimed. */
static inline int rig_send(struct rig *rig)
{
	int claimed = 0;
	bool may;
	assert_ok(office_may_send(&rig->office, &may, &rig_err));
	for (int count = 1; may && count > 0;) {
		struct notice notice[4];
		struct pool *pool = pool_new();
		assert_ok(store_begin(rig->office.store, &rig_err));
		assert_ok(outbox_claim(
			rig->office.store, rig->clock.now, 4, NULL, notice, &count, pool, &rig_err));
		assert_ok(store_commit(rig->office.store, &rig_err));
		for (int i = 0; i < count; i++) {
			struct delivery delivery = rig_answer(rig, &notice[i]);
			rig->delivered += delivery.outcome == OUTCOME_ACCEPTED;
			notice[i].attempts += delivery.outcome == OUTCOME_TEMPORARY;
			if (delivery.outcome == OUTCOME_TEMPORARY || delivery.outcome >= OUTCOME_NOT_SENT)
				notice[i].next_try_at = rig->clock.now + 300;
			assert_ok(store_begin(rig->office.store, &rig_err));
			assert_ok(office_delivered(&rig->office, &notice[i], &delivery, "", 0, &rig_err));
			assert_ok(store_commit(rig->office.store, &rig_err));
		}
		claimed += count;
		pool_free(&pool);
	}
	return claimed;
}

/* One turn of scheduler and sender, until nothing more happens at this moment; when the next thing will. */
static inline utc_time rig_turn(struct rig *rig)
{
	struct step_result step;
	utc_time next_try;
	int sent;
	do {
		assert_ok(office_run_due(&rig->office, 50, &step, &rig_err));
		sent = rig_send(rig);
	} while (sent > 0 || step.next_at <= rig->clock.now);
	assert_ok(outbox_next_try(rig->office.store, rig->clock.now, &next_try, &rig_err));
	return next_try < step.next_at ? next_try : step.next_at;
}

static inline void rig_run_until(struct rig *rig, utc_time until)
{
	for (;;) {
		utc_time next = rig_turn(rig);
		if (next > until)
			break;
		assert_true(next > rig->clock.now);
		clock_set(&rig->clock, next);
	}
	clock_set(&rig->clock, until);
	(void)rig_turn(rig);
}

static inline void rig_run_days(struct rig *rig, int days)
{
	rig_run_until(rig, civil_moment(rig_today(rig) + days, civil_minute_of(rig->clock.now)));
}

/* ---- looking ---- */

struct rig_notices {
	struct notice item[16];
	int count;
	struct pool *pool;
};

static inline enum rc rig_take_notice(void *ctx, const struct notice *notice, struct err *err)
{
	struct rig_notices *all = ctx;
	(void)err;
	assert_true(all->count < 16);
	struct notice *copy = &all->item[all->count++];
	*copy = *notice;
	copy->template_name = pool_strdup(all->pool, notice->template_name);
	copy->recipient = pool_strdup(all->pool, notice->recipient);
	copy->domain = pool_strdup(all->pool, notice->domain);
	copy->message_id = pool_strdup(all->pool, notice->message_id);
	copy->bounce_address = pool_strdup(all->pool, notice->bounce_address);
	copy->reply = pool_strdup(all->pool, notice->reply);
	return RC_OK;
}

static inline struct rig_notices rig_notices(struct rig *rig, int64_t id)
{
	struct rig_notices all = {.pool = rig->pool};
	assert_ok(outbox_each(rig->office.store, id, rig_take_notice, &all, &rig_err));
	return all;
}

/* "receipt/sent id/queued": what the outbox has for an application. */
static inline const char *rig_outbox(struct rig *rig, int64_t id)
{
	struct rig_notices all = rig_notices(rig, id);
	struct str text = STR_INIT;
	for (int i = 0; i < all.count; i++)
		str_printf(&text, "%s%s/%s", i ? " " : "", all.item[i].template_name,
			outbox_state_name(all.item[i].state));
	const char *copy = pool_strdup(rig->pool, text.s);
	str_free(&text);
	return copy;
}

struct rig_events {
	struct str text;
	enum event only;
	int count;
};

static inline enum rc rig_take_event(void *ctx, const struct history_row *row, struct err *err)
{
	struct rig_events *events = ctx;
	(void)err;
	events->count += row->event == events->only;
	str_printf(&events->text, "%s%s", events->text.len ? " " : "", event_name(row->event));
	return RC_OK;
}

/* The names of an application's history rows in order. */
static inline const char *rig_history(struct rig *rig, int64_t id)
{
	struct rig_events events = {.text = STR_INIT};
	assert_ok(history_each(rig->office.store, id, 0, rig_take_event, &events, &rig_err));
	const char *copy = pool_strdup(rig->pool, events.text.s);
	str_free(&events.text);
	return copy;
}

static inline int rig_count_events(struct rig *rig, int64_t id, enum event event)
{
	struct rig_events events = {.text = STR_INIT, .only = event};
	assert_ok(history_each(rig->office.store, id, 0, rig_take_event, &events, &rig_err));
	str_free(&events.text);
	return events.count;
}

static inline void rig_letter(struct rig *rig, int64_t notice_id, struct str *wire)
{
	struct str dkim = STR_INIT;
	assert_ok(office_letter(&rig->office, notice_id, wire, &dkim, &rig_err));
	str_free(&dkim);
}

/* Subject, newline, body of a letter. */
static inline const char *rig_text(struct rig *rig, int64_t notice_id)
{
	struct str wire = STR_INIT, subject = STR_INIT, body = STR_INIT;
	rig_letter(rig, notice_id, &wire);
	assert_ok(reread(&subject, &body, wire.s, wire.len, &rig_err));
	const char *text = pool_printf(rig->pool, "%s\n%s", subject.s, body.s);
	str_free(&wire);
	str_free(&subject);
	str_free(&body);
	return text;
}

static inline void rig_assert_whole(struct rig *rig)
{
	struct audit audit;
	struct books books;
	assert_ok(audit_run(rig->office.store, NULL, &audit, &rig_err));
	if (audit.bad_seq)
		fail_msg("history row %" PRId64 ": %s", audit.bad_seq, audit.fault);
	assert_ok(store_books(rig->office.store, &books, &rig_err));
	assert_int_equal(books.orphan_notices, 0);
	assert_int_equal(books.orphan_numbers, 0);
}

#endif
