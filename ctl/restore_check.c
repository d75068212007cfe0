/* restore-check: would this copy do? Looked at, never started */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/progress.h"
#include "lib/base/file.h"
#include "lib/desk/restored.h"

#define LETTERS_TRIED 50
#define PLAN_DAYS 14

struct check {
	struct ctl *ctl;
	const char *path;
	int64_t version; /* of the file */
	char scratch[64]; /* directory of the throw-away copy; "" none was wanted */
	struct store *store; /* the copy */
	json_t *object; /* what is found */
	bool no; /* it would not do as it is */
	int64_t since[EVENT_COUNT]; /* what happened behind the copy */
	json_t *erased; /* applications whose data were erased since */
};

/* A line for people; the JSON has it under its own name. */
#define TELL(check, ...)                                                                                     \
	do {                                                                                                 \
		if (!(check)->ctl->json)                                                                     \
			say(__VA_ARGS__);                                                                    \
	} while (0)

/* ---- opening ---- */

static enum rc copy_bytes(const char *from, const char *to, struct err *err)
{
	char *room = xmalloc(1 << 20);
	int in = open(from, O_RDONLY | O_CLOEXEC),
	    out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	enum rc rc = RC_OK;
	ssize_t got = 0;
	while (rc == RC_OK && in >= 0 && out >= 0 && (got = read(in, room, 1 << 20)) > 0)
		rc = file_write_all(out, room, (size_t)got, err);
	if (rc == RC_OK && (in < 0 || out < 0 || got < 0))
		rc = err_set(
			err, RC_STORE, _("%s could not be copied to %s: %s"), from, to, errno_text(errno));
	if (in >= 0)
		(void)close(in);
	if (out >= 0)
		(void)close(out);
	free(room);
	return rc;
}

/* An older one is upgraded on a copy of its own, to see that it can be. */
static enum rc open_older(struct check *check, struct err *err)
{
	const char *base = getenv("TMPDIR");
	(void)snprintf(check->scratch, sizeof check->scratch, "%s/sengen-restore-XXXXXX",
		base && *base && strlen(base) < 32 ? base : "/var/tmp");
	if (!mkdtemp(check->scratch)) {
		check->scratch[0] = '\0';
		return err_set(err, RC_STORE, _("No room for a copy to upgrade could be made: %s"),
			errno_text(errno));
	}
	const char *path = pool_printf(check->ctl->pool, "%s/register.db", check->scratch);
	const struct store_settings where = {.path = path};
	enum rc rc = copy_bytes(check->path, path, err);
	return rc == RC_OK ? store_open(&check->store, &where, STORE_WRITE, err) : rc;
}

static void remove_scratch(struct check *check)
{
	struct strlist names = {0};
	struct err err;
	if (!*check->scratch)
		return;
	(void)file_list_dir(&names, check->scratch, &err);
	for (size_t i = 0; i < names.count; i++)
		(void)unlink(pool_printf(check->ctl->pool, "%s/%s", check->scratch, names.item[i]));
	(void)rmdir(check->scratch);
	strlist_free(&names);
}

static enum rc open_copy(struct check *check, struct err *err)
{
	struct ctl *ctl = check->ctl;
	struct stat copy, live;
	const struct store_settings where = {.path = check->path};
	int64_t known = 0;
	if (stat(check->path, &copy) == 0 && stat(ctl->settings->store_path, &live) == 0 &&
		copy.st_dev == live.st_dev && copy.st_ino == live.st_ino)
		return err_set(err, RC_USAGE, _("%s is the live register; name a copy of it."), check->path);
	enum rc rc = store_version(check->path, &check->version, &known, err);
	if (rc != RC_OK)
		return rc;
	(void)json_object_set_new(check->object, "version", json_integer(check->version));
	if (check->version > known) {
		check->no = true;
		(void)json_object_set_new(check->object, "needs_newer_release", json_true());
		return err_set(err, RC_REFUSED,
			_("%s is of register version %lld; this release knows versions up to %lld. Install "
			  "the "
			  "release it was written by (or a later one), then check again."),
			check->path, (long long)check->version, (long long)known);
	}
	if (check->version == known) {
		TELL(check, _("register version %lld: this release's own"), (long long)known);
		return store_open(&check->store, &where, STORE_READ, err);
	}
	rc = open_older(check, err);
	if (rc == RC_OK)
		TELL(check, _("register version %lld: upgraded to %lld on a throw-away copy without loss"),
			(long long)check->version, (long long)known);
	return rc;
}

/* ---- is it whole ---- */

static enum rc check_whole(struct check *check, struct audit *audit, struct err *err)
{
	struct progress progress;
	struct str head = STR_INIT;
	progress_start(&progress, _("Checking the copy"));
	store_progress(check->store, progress_show, &progress);
	enum rc rc = store_check_file(check->store, err);
	rc = rc ? rc : audit_run(check->store, NULL, audit, err);
	progress_end(&progress);
	if (rc == RC_OK && audit->fault)
		rc = err_set(err, RC_STORE, _("The history of the copy does not hold: row %lld: %s"),
			(long long)audit->bad_seq, audit->fault);
	if (rc != RC_OK)
		return rc;
	hex_add(&head, audit->head, sizeof audit->head);
	(void)json_object_set_new(check->object, "rows", json_integer(audit->rows));
	(void)json_object_set_new(check->object, "head", json_text(head.s));
	TELL(check, _("whole: history of %lld rows, head %s"), (long long)audit->rows, head.s);
	str_free(&head);
	return RC_OK;
}

/* ---- how much is missing ---- */

static enum rc count_since(void *ctx, const struct history_row *row, struct err *err)
{
	struct check *check = ctx;
	(void)err;
	if (row->event > 0 && row->event < EVENT_COUNT)
		check->since[row->event]++;
	if (row->event == EVENT_ERASE && row->application_id)
		(void)json_array_append_new(check->erased, json_integer(row->application_id));
	return RC_OK;
}

static void tell_since(struct check *check, int64_t missing)
{
	struct table table = {.columns = 2};
	json_t *since = json_object(), *application;
	size_t i;
	for (int event = 1; event < EVENT_COUNT; event++) {
		if (!check->since[event])
			continue;
		(void)json_object_set_new(
			since, event_name((enum event)event), json_integer(check->since[event]));
		TABLE_ROW(&table, event_text((enum event)event),
			pool_printf(check->ctl->pool, "%" PRId64, check->since[event]));
	}
	(void)json_object_set_new(check->object, "missing", json_integer(missing));
	(void)json_object_set_new(check->object, "since", since);
	(void)json_object_set(check->object, "erased_since", check->erased);
	if (check->ctl->json) {
		strlist_free(&table.cell);
		return;
	}
	say(_("The live register went on for %lld rows; a restore would lose:"), (long long)missing);
	table_print(&table);
	json_array_foreach(check->erased, i, application)
		say(_("Application %lld was erased since; after a restore erase it again."),
			(long long)json_integer_value(application));
}

static enum rc compare_live(struct check *check, const struct audit *copy, struct err *err)
{
	struct ctl *ctl = check->ctl;
	struct store *live = NULL;
	struct err why;
	const struct store_settings where = {.path = ctl->settings->store_path};
	int64_t seen = 0, head = 0;
	uint8_t hash[SHA256_LEN];
	bool same = false;
	if (store_witness(ctl->settings->witness_path, &seen, &why) == RC_OK && seen > 0) {
		(void)json_object_set_new(check->object, "witness", json_integer(seen));
		TELL(check, _("the witness has seen %lld rows, the copy has %lld"), (long long)seen,
			(long long)copy->rows);
	}
	if (store_open(&live, &where, STORE_READ, &why) != RC_OK) {
		(void)json_object_set_new(check->object, "live", json_false());
		TELL(check, _("There is no live register to compare it with: %s"), why.text);
		return RC_OK;
	}
	enum rc rc = history_head(live, &head, hash, err);
	rc = rc ? rc : history_hash(live, copy->rows, hash, &same, err);
	same = rc == RC_OK && same && memcmp(hash, copy->head, sizeof hash) == 0;
	(void)json_object_set_new(check->object, "live", json_true());
	(void)json_object_set_new(check->object, "same_history", json_boolean(same || copy->rows == 0));
	if (rc == RC_OK && !same && copy->rows > 0) {
		check->no = true;
		TELL(check, "! %s",
			_("The copy is no earlier state of the live register: they have different "
			  "histories."));
	} else if (rc == RC_OK && head > copy->rows) {
		rc = history_each(live, 0, copy->rows, count_since, check, err);
		if (rc == RC_OK)
			tell_since(check, head - copy->rows);
	} else if (rc == RC_OK) {
		(void)json_object_set_new(check->object, "missing", json_integer(0));
		TELL(check, "%s", _("Nothing is missing: the copy is as the live register stands."));
	}
	store_close(&live);
	return rc;
}

/* ---- what it would do ---- */

static enum rc check_letters(struct check *check, struct err *err)
{
	struct ctl *ctl = check->ctl;
	struct err why = {0};
	int64_t last = 0, tried = 0, opened = 0;
	utc_time at;
	const char *key = pool_printf(ctl->pool, "%s/credential.key", ctl->settings->state_directory);
	/* Reading the secrets would make a new one, which opens nothing. */
	if (!ctl->settings->credential_key_from && access(key, F_OK) != 0) {
		check->no = true;
		TELL(check, _("! The credential key %s is missing; put it back before the register."), key);
		return RC_OK;
	}
	if (!secrets_key(&ctl->secrets) && secrets_load(&ctl->secrets, ctl->settings, false, &why) != RC_OK) {
		(void)json_object_set_new(check->object, "letters_tried", json_integer(0));
		TELL(check, _("Letters were not opened for a try: %s"), why.text);
		return RC_OK;
	}
	enum rc rc = store_copy_of(check->store, &at, &last, err);
	for (int64_t id = last; rc == RC_OK && id > 0 && tried < LETTERS_TRIED && id > last - 1000; id--) {
		struct str wire = STR_INIT, dkim = STR_INIT;
		enum rc got = office_letter(&ctl->office, id, &wire, &dkim, &why);
		tried += got != RC_REFUSED; /* erased */
		opened += got == RC_OK;
		str_wipe(&wire);
		str_wipe(&dkim);
	}
	(void)json_object_set_new(check->object, "letters_tried", json_integer(tried));
	(void)json_object_set_new(check->object, "letters_opened", json_integer(opened));
	TELL(check, _("letters opened with the credential key: %lld of %lld tried"), (long long)opened,
		(long long)tried);
	if (opened < tried) {
		check->no = true;
		TELL(check, _("! Letters can't be opened: %s"), why.text);
	}
	return rc;
}

static enum rc check_sent(struct check *check, struct err *err)
{
	struct restored_sent sent;
	enum rc rc = restored_look(&check->ctl->office, &sent, err);
	if (rc != RC_OK)
		return rc;
	(void)json_object_set_new(check->object, "waiting_but_sent", json_integer(sent.again));
	(void)json_object_set_new(check->object, "sent_and_unknown", json_integer(sent.lost));
	if (sent.again)
		TELL(check,
			_("%lld notices wait in the copy and have been sent since; release --restored books "
			  "them as "
			  "sent"),
			(long long)sent.again);
	if (sent.lost)
		TELL(check,
			_("! %lld notices were made and sent after the copy: those letters may go out once "
			  "more"),
			(long long)sent.lost);
	return RC_OK;
}

static enum rc check_plan(struct check *check, struct err *err)
{
	struct ctl *ctl = check->ctl;
	civil_day from = civil_day_of(clock_now(&ctl->clock));
	int64_t queued[OUTBOX_CANCELLED + 1], all = 0, today = 0;
	int64_t(*count)[STAGE_MAX] = xcalloc(PLAN_DAYS, sizeof *count);
	enum rc rc = outbox_count(check->store, queued, err);
	rc = rc ? rc : office_plan(&ctl->office, from, from + PLAN_DAYS - 1, NULL, NULL, count, err);
	for (int day = 0; rc == RC_OK && day < PLAN_DAYS; day++)
		for (int stage = 0; stage < STAGE_MAX; stage++) {
			all += count[day][stage];
			today += day == 0 ? count[day][stage] : 0;
		}
	free(count);
	if (rc != RC_OK)
		return rc;
	(void)json_object_set_new(check->object, "would_send_queued", json_integer(queued[OUTBOX_QUEUED]));
	(void)json_object_set_new(check->object, "would_send_today", json_integer(today));
	(void)json_object_set_new(check->object, "would_send_14_days", json_integer(all));
	TELL(check,
		_("Once released it would send %lld queued notices at once, %lld that are due today, %lld "
		  "within "
		  "%d days."),
		(long long)queued[OUTBOX_QUEUED], (long long)today, (long long)all, PLAN_DAYS);
	TELL(check, "%s", _("Put back it starts held: nothing is sent before sengenctl release --restored."));
	return RC_OK;
}

enum rc command_restore_check(struct ctl *ctl, struct err *err)
{
	struct check check = {
		.ctl = ctl, .path = ctl->argument[0], .object = json_object(), .erased = json_array()};
	struct audit audit;
	(void)json_object_set_new(check.object, "file", json_text(check.path));
	enum rc rc = open_copy(&check, err);
	rc = rc ? rc : check_whole(&check, &audit, err);
	rc = rc ? rc : compare_live(&check, &audit, err);
	if (rc == RC_OK) {
		ctl->office = (struct office){.store = check.store,
			.settings = ctl->settings,
			.secrets = &ctl->secrets,
			.clock = &ctl->clock,
			.rng = &ctl->rng};
		office_open(&ctl->office);
		rc = check_letters(&check, err);
		rc = rc ? rc : check_sent(&check, err);
		rc = rc ? rc : check_plan(&check, err);
		office_close(&ctl->office);
	}
	(void)json_object_set_new(check.object, "good", json_boolean(rc == RC_OK && !check.no));
	if (ctl->json)
		say_json(json_incref(check.object));
	else if (rc == RC_OK)
		say("%s", check.no ? _("This copy would not do as it is.") : _("This copy would do."));
	store_close(&check.store);
	remove_scratch(&check);
	json_decref(check.object);
	json_decref(check.erased);
	return rc == RC_OK && check.no ? RC_REFUSED : rc;
}
