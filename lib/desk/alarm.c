/*
 * alarm.c - telling of what turned bad, and good again
 *
 * Facts: alarms.bad has a line for each check that is told as bad, "name<TAB>since"; alarms.sent the moments of the mails that count for the ceiling; alarms.held how many changes
 * went into no mail since the last one; alarms.withheld the same since the last digest.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/i18n.h"
#include "lib/base/log.h"
#include "lib/desk/digest.h"

#define FACT_BAD "alarms.bad"
#define FACT_SENT "alarms.sent"
#define FACT_HELD "alarms.held"
#define HOUR 3600

struct known { /* a check that was told as bad */
	char *name; /* owned */
	utc_time since;
	bool seen; /* in this round */
};

struct alarms {
	struct office *office;
	struct pool *pool;
	utc_time now;
	struct known *known;
	size_t known_count;
	int changes, changes_to_mail;
	struct str lines; /* of the mail: what changed */
	struct str open; /* what is bad still */
	bool changed; /* the fact must be written */
};

/* What keeps mails from going out is told by mail once it is over: before, the letter would only wait. */
static bool is_about_sending(const char *name)
{
	static const char *const sending[] = {
		"server", "queue", "outbox", "restored", "pause:sending", "role:sender"};
	for (size_t i = 0; i < sizeof sending / sizeof *sending; i++)
		if (strcmp(sending[i], name) == 0)
			return true;
	return str_has_prefix(name, "credential:transport") || str_has_prefix(name, "credential:dkim");
}

/* ---- facts ---- */

static void add_known(struct alarms *alarms, const char *name, size_t len, utc_time since)
{
	alarms->known = xrealloc(alarms->known, (alarms->known_count + 1) * sizeof *alarms->known);
	alarms->known[alarms->known_count++] = (struct known){.name = xstrndup(name, len), .since = since};
}

static enum rc read_known(struct alarms *alarms, struct err *err)
{
	struct str value = STR_INIT;
	enum rc rc = fact_get(alarms->office->store, FACT_BAD, &value, err);
	for (const char *at = value.s; !rc && *at;) {
		size_t len = strcspn(at, "\n"), name = strcspn(at, "\t\n");
		if (name > 0 && name < len)
			add_known(alarms, at, name, strtoll(at + name + 1, NULL, 10));
		at += len + (at[len] == '\n');
	}
	str_free(&value);
	return rc;
}

static enum rc write_known(struct alarms *alarms, struct err *err)
{
	struct str value = STR_INIT;
	for (size_t i = 0; i < alarms->known_count; i++)
		if (alarms->known[i].name)
			str_printf(
				&value, "%s\t%" PRId64 "\n", alarms->known[i].name, alarms->known[i].since);
	enum rc rc = fact_set(alarms->office->store, FACT_BAD, value.len ? value.s : NULL, err);
	str_free(&value);
	return rc;
}

static enum rc read_number(struct office *office, const char *fact, int64_t *number, struct err *err)
{
	struct str value = STR_INIT;
	enum rc rc = fact_get(office->store, fact, &value, err);
	*number = strtoll(value.s, NULL, 10);
	str_free(&value);
	return rc;
}

static enum rc write_number(struct office *office, const char *fact, int64_t number, struct err *err)
{
	char text[32];
	(void)snprintf(text, sizeof text, "%" PRId64, number);
	return fact_set(office->store, fact, number ? text : NULL, err);
}

/* Mails of this moment and before count no more: an hour ago, or as long as none can go out. Else a server that is down for days would deliver them all at once. */
static utc_time counted_after(const struct alarms *alarms)
{
	static const char *const stopped[] = {"server", "restored", "role:sender"};
	utc_time after = alarms->now - HOUR;
	for (size_t i = 0; i < alarms->known_count; i++)
		for (size_t j = 0; alarms->known[i].name && j < sizeof stopped / sizeof *stopped; j++)
			if (strcmp(alarms->known[i].name, stopped[j]) == 0 && alarms->known[i].since <= after)
				after = alarms->known[i].since - 1;
	return after;
}

/* The moments of the mails that count as text; *count of them. */
static enum rc read_sent(struct alarms *alarms, struct str *sent, int64_t *count, struct err *err)
{
	struct str value = STR_INIT;
	utc_time after = counted_after(alarms);
	enum rc rc = fact_get(alarms->office->store, FACT_SENT, &value, err);
	*count = 0;
	for (char *at = value.s; !rc && *at;) {
		char *end;
		utc_time moment = strtoll(at, &end, 10);
		if (end == at)
			break;
		/* One of a time to come was written by a clock that was wrong. */
		if (moment > after && moment <= alarms->now) {
			str_printf(sent, "%" PRId64 " ", moment);
			++*count;
		}
		at = end + (*end == ' ');
	}
	str_free(&value);
	return rc;
}

/* ---- what changed ---- */

static struct known *find_known(struct alarms *alarms, const char *name)
{
	for (size_t i = 0; i < alarms->known_count; i++)
		if (alarms->known[i].name && strcmp(alarms->known[i].name, name) == 0)
			return &alarms->known[i];
	return NULL;
}

static void add_line(struct str *out, const char *mark, const struct health_item *item, utc_time since)
{
	str_printf(out, "%s%s：%s", mark, item->name, item->text);
	if (since) {
		str_addz(out, "（");
		civil_time_print(out, since);
		str_addz(out, " から）");
	}
	str_addc(out, '\n');
}

static void turned_bad(struct alarms *alarms, const struct health_item *item)
{
	bool mail = !is_about_sending(item->name);
	log_event(LEVEL_FAULT, "alarm.bad", "check=\"%s\" value=%" PRId64, item->name, item->value);
	add_known(alarms, item->name, strlen(item->name), alarms->now);
	alarms->known[alarms->known_count - 1].seen = true;
	alarms->changed = true;
	alarms->changes++;
	alarms->changes_to_mail += mail;
	if (mail)
		add_line(&alarms->lines, "【異常】", item, 0);
}

static void turned_good(struct alarms *alarms, struct known *known, const struct health_item *item)
{
	log_event(LEVEL_NOTICE, "alarm.good", "check=\"%s\" lasted=%" PRId64, item->name,
		alarms->now - known->since);
	add_line(&alarms->lines, "【復旧】", item, known->since);
	alarms->changed = true;
	alarms->changes++;
	alarms->changes_to_mail++;
	free(known->name);
	known->name = NULL;
}

static enum rc take_item(void *ctx, const struct health_item *item, struct err *err)
{
	struct alarms *alarms = ctx;
	struct known *known = find_known(alarms, item->name);
	(void)err;
	if (known)
		known->seen = true;
	if (item->level == HEALTH_BAD && !known)
		turned_bad(alarms, item);
	else if (item->level == HEALTH_GOOD && known)
		turned_good(alarms, known, item);
	else if (known)
		add_line(&alarms->open, "・", item, known->since);
	return RC_OK;
}

/* A check that is not made any more (a key taken out of the configuration) is nobody's trouble. */
static void forget_unseen(struct alarms *alarms)
{
	for (size_t i = 0; i < alarms->known_count; i++) {
		struct known *known = &alarms->known[i];
		if (known->seen || !known->name)
			continue;
		free(known->name);
		known->name = NULL;
		alarms->changed = true;
	}
}

/* ---- the mail ---- */

static void write_text(struct alarms *alarms, int64_t held, struct str *subject, struct str *text)
{
	const struct settings *settings = alarms->office->settings;
	bool bad = strstr(alarms->lines.s, "【異常】") != NULL || alarms->open.len > 0;
	str_printf(subject, "【%s】%s", settings->office_name, bad ? "異常のお知らせ" : "復旧のお知らせ");
	str_addz(text, "sengen（申込みの受付と通知の送信）からのお知らせです。\n\n");
	if (alarms->lines.len > 0)
		str_printf(text, "%s\n", alarms->lines.s);
	if (alarms->open.len > 0)
		str_printf(text, "続いている異常：\n%s\n", alarms->open.s);
	if (held > 0)
		str_printf(text,
			"1時間に送る通数の上限（%" PRId64
			"通。送信が止まっている間は全部でこの通数）を超えたため、この前に%" PRId64
			"件の変化をメールにしませんでした。すべて、システムの記録（ジャーナル）に残っています"
			"。\n\n",
			settings->alarms_per_hour, held);
	str_addz(text, "いまの状況を確かめるには： sengenctl health\nこのメールは自動送信です。\n");
}

static enum rc send_all(struct alarms *alarms, int64_t held, int *queued, struct err *err)
{
	const struct settings *settings = alarms->office->settings;
	const struct strlist *to = settings->alarm_mail.count ? &settings->alarm_mail : &settings->desk_mail;
	struct str subject = STR_INIT, text = STR_INIT;
	int64_t id;
	enum rc rc = RC_OK;
	write_text(alarms, held, &subject, &text);
	for (size_t i = 0; i < to->count && !rc; i++, ++*queued)
		rc = office_desk_mail(
			alarms->office, NOTICE_ALARM, to->item[i], subject.s, text.s, NULL, &id, err);
	str_free(&subject);
	str_free(&text);
	return rc;
}

/* Sends what is to be told, or counts it where the hour is full; what was counted goes along as soon as there is room. */
static enum rc tell(struct alarms *alarms, int *queued, struct err *err)
{
	struct office *office = alarms->office;
	const struct settings *settings = office->settings;
	struct str sent = STR_INIT;
	int64_t count = 0, held = 0, withheld = 0;
	enum rc rc = read_sent(alarms, &sent, &count, err);
	rc = rc ? rc : read_number(office, FACT_HELD, &held, err);
	rc = rc ? rc : read_number(office, FACT_ALARMS_WITHHELD, &withheld, err);
	bool wanted = alarms->changes_to_mail > 0 || held > 0;
	bool anybody = settings->alarm_mail.count + settings->desk_mail.count > 0;
	if (!rc && wanted && anybody && count < settings->alarms_per_hour) {
		rc = send_all(alarms, held, queued, err);
		str_printf(&sent, "%" PRId64, alarms->now);
		rc = rc ? rc : fact_set(office->store, FACT_SENT, sent.s, err);
		rc = rc ? rc : write_number(office, FACT_HELD, 0, err);
	} else if (!rc && anybody && alarms->changes_to_mail > 0) {
		rc = write_number(office, FACT_HELD, held + alarms->changes_to_mail, err);
		rc = rc ? rc
			: write_number(office, FACT_ALARMS_WITHHELD, withheld + alarms->changes_to_mail, err);
	}
	str_free(&sent);
	return rc;
}

static enum rc work(struct alarms *alarms, int *queued, struct err *err)
{
	struct store *store = alarms->office->store;
	enum rc rc = store_begin(store, err);
	if (rc)
		return rc;
	rc = alarms->changed ? write_known(alarms, err) : RC_OK;
	rc = rc ? rc : tell(alarms, queued, err);
	rc = rc ? rc : store_commit(store, err);
	if (rc && store_in_transaction(store))
		store_rollback(store);
	return rc;
}

enum rc alarms_send(struct office *office, const struct tally *tally, int *queued, struct err *err)
{
	struct alarms alarms = {.office = office,
		.pool = pool_new(),
		.now = clock_now(office->clock),
		.lines = STR_INIT,
		.open = STR_INIT};
	struct i18n_staff staff;
	enum health_level worst;
	int64_t held = 0;
	*queued = 0;
	i18n_staff_begin(&staff);
	enum rc rc = read_known(&alarms, err);
	rc = rc ? rc : health_check(office, tally, take_item, &alarms, &worst, alarms.pool, err);
	i18n_staff_end(&staff);
	if (!rc)
		forget_unseen(&alarms);
	rc = rc ? rc : read_number(office, FACT_HELD, &held, err);
	/* Nothing is written, and no lock taken, while nothing changes. */
	if (!rc && (alarms.changed || held > 0))
		rc = work(&alarms, queued, err);
	if (rc)
		*queued = 0;
	for (size_t i = 0; i < alarms.known_count; i++)
		free(alarms.known[i].name);
	free(alarms.known);
	str_free(&alarms.lines);
	str_free(&alarms.open);
	pool_free(&alarms.pool);
	return rc;
}
