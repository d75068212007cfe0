/*
 * The sample mails, from their bytes to what the office does about them, with the businesses of the sample register declared: how each ends, who is written to, and
 * what no mail may bring about by itself.
 */
#include "inbound_rig.h"

#include <jansson.h>

#include "lib/form/registry_csv.h"
#include "lib/mail/message.h"

#define SAMPLES "tests/samples"
#define OFFICE "security-action-info@sa.example.jp"

static struct request_rules *rules;

/* ---- the register ---- */

struct declarations {
	struct rig *rig;
	int64_t id[256], declaration_id[256];
	int count;
};
static struct declarations declarations;

/* What the register's CSV does not have is filled in as anybody would. */
static enum rc apply_one(void *ctx, const struct registry_row *row, struct err *err)
{
	struct declarations *all = ctx;
	struct form_values form = rig_form(all->rig, 0);
	(void)err;
	assert_null(row->fault);
	form.value[FIELD_CORPORATE_NUMBER] = NULL;
	for (int field = 0; field < FIELD_COUNT; field++)
		if (row->form.value[field] && *row->form.value[field])
			form.value[field] = pool_strdup(all->rig->pool, row->form.value[field]);
	form.value[FIELD_MAIL_CONFIRM] = form.value[FIELD_MAIL];
	form.value[FIELD_NEWS] = "true";
	form.value[FIELD_KIND] = row->star == 2 ? "new2" : "new1";
	all->declaration_id[all->count] = row->declaration_id;
	all->id[all->count++] = rig_register(all->rig, &form);
	return RC_OK;
}

/* Everybody has the ID that the mails speak of. */
static void give_ids(struct rig *rig)
{
	assert_ok(store_begin(rig->office.store, &rig_err));
	for (int i = 0; i < declarations.count; i++) {
		struct application app = rig_app(rig, declarations.id[i]);
		assert_int_equal(app.state, STATE_LOGO_AUTHORIZED);
		app.declaration_id = declarations.declaration_id[i];
		assert_ok(application_update(rig->office.store, &app, &rig_err));
	}
	assert_ok(store_commit(rig->office.store, &rig_err));
}

static int setup(void **state)
{
	if (rig_setup(state) != 0)
		return -1;
	struct rig *rig = *state;
	message_preload();
	declarations = (struct declarations){.rig = rig};
	rig_configure(rig, "ceiling_minimum = 10000;");
	assert_ok(request_rules_load(&rules, NULL, &rig_err));
	assert_ok(registry_csv_read(
		SAMPLES "/registry.csv", rig->settings->fieldmap, apply_one, &declarations, &rig_err));
	assert_int_equal(declarations.count, 144);
	rig_run_days(rig, 20);
	give_ids(rig);
	return 0;
}

static int teardown(void **state)
{
	request_rules_free(&rules);
	return rig_teardown(state);
}

/* ---- the mails ---- */

struct sample {
	json_t *truth;
	const char *file, *kind;
	bool certain; /* its reading is */
	struct received *received; /* NULL: nothing to read */
	int64_t message;
	struct request request; /* id 0: none */
};

static void read_sample(struct rig *rig, struct sample *sample)
{
	struct str path = STR_INIT, bytes = STR_INIT;
	const struct received_context context = {.rules = rules, .office = OFFICE};
	path_join(&path, SAMPLES, sample->file);
	assert_ok(file_read(&bytes, path.s, (size_t)64 << 20, &rig_err));
	char *kept = pool_alloc(rig->pool, bytes.len + 1); /* NUL bytes and all */
	memcpy(kept, bytes.s, bytes.len);
	sample->received = pool_alloc(rig->pool, sizeof *sample->received);
	if (received_read(sample->received, kept, bytes.len, &context, rig->pool, &rig_err) == RC_OK)
		/* as the office's mail server would say of every sender */
		sample->received->authres = (struct authres){.seen = true, .dkim_aligned = true};
	else
		sample->received = NULL;
	str_free(&path);
	str_free(&bytes);
}

static void each_sample(struct rig *rig, void (*fn)(struct rig *rig, const struct sample *sample))
{
	FILE *file = fopen(SAMPLES "/truth.jsonl", "r");
	char *line = NULL;
	size_t size = 0;
	assert_non_null(file);
	while (getline(&line, &size, file) > 0) {
		struct sample sample = {.truth = json_loads(line, 0, NULL)};
		assert_non_null(sample.truth);
		sample.file = json_string_value(json_object_get(sample.truth, "file"));
		sample.kind = json_string_value(json_object_get(sample.truth, "kind"));
		sample.certain = json_is_true(json_object_get(sample.truth, "auto_ok"));
		read_sample(rig, &sample);
		sample.message = inbound_receive(rig, sample.received);
		sample.request = inbound_request(rig, sample.message);
		fn(rig, &sample);
		json_decref(sample.truth);
		(void)rig_send(rig);
		clock_set(&rig->clock, rig->clock.now + 3601);
	}
	free(line);
	(void)fclose(file);
}

/* ---- how each ends ---- */

struct tally {
	int done, answered, asked, review, none;
};
static struct tally tally;

static void end_of(struct rig *rig, const struct sample *sample)
{
	struct mail_message message = inbound_message(rig, sample->message);
	assert_int_equal(message.state, MESSAGE_READ);
	assert_true(message.folder == FOLDER_DONE || message.folder == FOLDER_REVIEW ||
		    message.folder == FOLDER_BOUNCE);
	enum request_state state = sample->request.id ? sample->request.state : 0;
	tally.done += state == REQUEST_STATE_DONE;
	tally.answered += state == REQUEST_STATE_ANSWERED;
	tally.asked += state == REQUEST_STATE_ASKED;
	tally.review += state == REQUEST_STATE_REVIEW;
	tally.none += state == 0;
	bool for_anybody = strcmp(sample->kind, "resend-request") == 0 ||
			   strcmp(sample->kind, "id-enquiry") == 0 ||
			   strcmp(sample->kind, "news-unsubscribe") == 0;
	bool heavy = strcmp(sample->kind, "stop-request") == 0 || strcmp(sample->kind, "change-request") == 0;
	/* What is certain goes on by itself; only what nobody on file sent needs no more than the fixed answer. */
	if (sample->certain && for_anybody && state != REQUEST_STATE_DONE && state != REQUEST_STATE_ANSWERED)
		fail_msg("%s: %s", sample->file, inbound_outcome(rig, sample->message));
	/* What a person must look at does not. */
	if (!sample->certain && for_anybody && state != REQUEST_STATE_REVIEW)
		fail_msg("%s: %s", sample->file, inbound_outcome(rig, sample->message));
	/* A stop or change is never done at once. */
	if (heavy && state != REQUEST_STATE_ASKED && state != REQUEST_STATE_REVIEW)
		fail_msg("%s: %s", sample->file, inbound_outcome(rig, sample->message));
	if (heavy && !sample->certain && state != REQUEST_STATE_REVIEW)
		fail_msg("%s: %s", sample->file, inbound_outcome(rig, sample->message));
}

/* ---- who is written to ---- */

static bool is_fixed_text(const char *name)
{
	return strcmp(name, "neutral") == 0 || strcmp(name, "readable-form") == 0;
}

/* To the registered address of the application it is about; to the sender only the fixed texts. */
static void letters_of(struct rig *rig, const struct sample *sample)
{
	struct inbound_queue queue = inbound_queue(rig);
	for (int i = 0; i < queue.count; i++) {
		const struct notice *notice = &queue.item[i];
		bool registered =
			notice->application_id &&
			strcasecmp(notice->recipient, inbound_address(rig, notice->application_id)) == 0;
		bool sender = sample->received &&
			      strcasecmp(notice->recipient, sample->received->from) == 0 &&
			      is_fixed_text(notice->template_name);
		if (!registered && !sender)
			fail_msg("%s: %s", sample->file, inbound_queued(rig));
	}
	assert_true(queue.count <= 3);
}

/* ---- what no mail may bring about ---- */

/* Nobody's declaration ends, nobody's data change, but for the news of the address that asked. */
static void assert_unchanged(struct rig *rig, const struct application *before)
{
	int left = 0;
	for (int i = 0; i < declarations.count; i++) {
		struct application after = rig_app(rig, declarations.id[i]);
		assert_int_equal(after.state, before[i].state);
		assert_int_equal(after.declaration_id, before[i].declaration_id);
		assert_true(after.user_number == before[i].user_number);
		assert_int_equal(after.stopped_on, before[i].stopped_on);
		for (int field = 0; field < FIELD_COUNT; field++) {
			const char *a = after.form.value[field], *b = before[i].form.value[field];
			bool same = strcmp(a ? a : "", b ? b : "") == 0;
			left += field == FIELD_NEWS && !same;
			if (field != FIELD_NEWS && !same)
				fail_msg("application %" PRId64 ": %s", after.id,
					form_field_key((enum form_field)field));
		}
	}
	assert_int_equal(left, 6);
}

/* ---- all of it in one pass: it takes its time ---- */

static void look_at(struct rig *rig, const struct sample *sample)
{
	end_of(rig, sample);
	letters_of(rig, sample);
}

static void test_inbound_samples__what_becomes_of_them(void **state)
{
	struct rig *rig = *state;
	struct application before[256];
	for (int i = 0; i < declarations.count; i++)
		before[i] = rig_app(rig, declarations.id[i]);
	tally = (struct tally){0};
	each_sample(rig, look_at);
	printf("done %d, answered %d, asked %d, review %d, no request %d\n", tally.done, tally.answered,
		tally.asked, tally.review, tally.none);
	/* Resends, IDs and the news are done, stops wait for their answer; an enquiry about a business that is not on file is answered. */
	assert_true(tally.done >= 25);
	assert_true(tally.asked >= 25);
	assert_true(tally.answered >= 1);
	assert_unchanged(rig, before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_inbound_samples__what_becomes_of_them, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
