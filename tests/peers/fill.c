/*
 * fill.c - a large register of fictitious declarations, made at once
 *
 * fill CONFIG [DECLARATIONS [SEED]]: fills the (still empty) register that CONFIG names with so many applications (default 1,000,000), received over the years
 * since 2020 up to now, each as far as the cadence of profile `form` would have brought it: files, forms, numbers, history, notices with their letters, requests and
 * bounces. The letters are one rendered sample a template, packed once: their sizes are right, their text is the sample's. What is public is opened
 * as the settings say. The same count, seed and day give the same businesses.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/host.h"
#include "lib/base/mailaddr.h"
#include "lib/desk/public_list.h"
#include "lib/flow/ident.h"
#include "lib/form/validate.h"
#include "lib/mail/bounceaddr.h"
#include "lib/mail/bounce.h"
#include "lib/mail/compose.h"
#include "lib/office/office_p.h"
#include "lib/store/store_p.h"
#include "tests/peers/fill_names.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define BATCH_APPLICATIONS 2000 /* a transaction: nobody else waits for the lock */
#define FILE_ROWS 120
#define DAY 86400

struct letter {
	const char *name; /* of the template */
	struct str packed;
	uint8_t digest[SHA256_LEN];
};

struct filling {
	struct office office;
	struct settings *settings;
	struct secrets secrets;
	struct clock clock;
	struct rng rng;
	const struct rules *rules;
	struct letter letter[STAGE_MAX];
	struct pool *pool;
	struct err err;
	uint64_t seed;
	int64_t count, step_distance; /* a step-up follows its ★ by so many applications */
	utc_time now;
	civil_day first_day, last_day;
	double *weight; /* by day from first_day, summed up */
	struct spool_file file; /* the one the next application comes with; id 0: none is open */
	civil_day file_day;
};

static struct filling *filling;

static void want(enum rc rc)
{
	if (rc != RC_OK)
		die("%s", filling->err.text);
}

/* ---- chance that follows from the number ---- */

/* SplitMix64 (Steele, Lea, Flood 2014): every (number, question) has its own answer. */
static uint64_t chance(int64_t number, unsigned question)
{
	uint64_t z = filling->seed + (uint64_t)number * 0x9e3779b97f4a7c15u + question * 0xd1b54a32d192ed03u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static int64_t pick(int64_t number, unsigned question, size_t bound)
{
	return (int64_t)(chance(number, question) % bound);
}
#define PICK(number, question, array) (array)[pick((number), (question), COUNT(array))]

enum question {
	ASK_FATE = 1,
	ASK_FATE_DAY,
	ASK_STEP,
	ASK_STAR,
	ASK_TYPE,
	ASK_FORM,
	ASK_STEM,
	ASK_SECOND,
	ASK_TRADE,
	ASK_FAMILY,
	ASK_GIVEN,
	ASK_CONTACT,
	ASK_PLACE,
	ASK_TOWN,
	ASK_STREET,
	ASK_TELEPHONE,
	ASK_MAIL,
	ASK_SIZE,
	ASK_HOLD,
	ASK_BOUNCE,
	ASK_REQUEST,
};

/* ---- who ---- */

static const char *corporate_number(int64_t number)
{
	char digits[24];
	int sum = 0;
	(void)snprintf(digits, sizeof digits, "0%012" PRId64, (number * 734287) % 1000000000000);
	for (int n = 1; n <= 12; n++) /* number.c has the weights and their source */
		sum += (digits[13 - n] - '0') * (n % 2 ? 1 : 2);
	digits[0] = (char)('9' - sum % 9);
	return pool_strdup(filling->pool, digits);
}

static const char *business_name(int64_t number, bool corporation)
{
	size_t form = 0;
	int64_t at = pick(number, ASK_FORM, 100);
	const char *stem = PICK(number, ASK_STEM, fill_stem), *second = PICK(number, ASK_SECOND, fill_second),
		   *trade = PICK(number, ASK_TRADE, fill_trade);
	if (!corporation)
		return pool_printf(filling->pool, "%s%s", PICK(number, ASK_FAMILY, fill_family), trade);
	while (form + 1 < COUNT(fill_form) && at >= fill_form[form].share)
		at -= fill_form[form++].share;
	return pool_printf(filling->pool, "%s%s%s%s%s", fill_form[form].front, stem, second, trade,
		fill_form[form].back);
}

static void fill_address(struct form_values *form, int64_t number)
{
	int64_t all = 0, place = 0;
	for (size_t i = 0; i < COUNT(fill_place); i++)
		all += fill_place[i].share;
	int64_t at = pick(number, ASK_PLACE, (size_t)all);
	while (at >= fill_place[place].share)
		at -= fill_place[place++].share;
	uint64_t street = chance(number, ASK_STREET), line = chance(number, ASK_TELEPHONE);
	const char *area = fill_place[place].area_code;
	form->value[FIELD_PREFECTURE] = fill_place[place].prefecture;
	form->value[FIELD_ADDRESS] = pool_printf(filling->pool, "%s%d-%d-%d%s",
		fill_place[place].town[pick(number, ASK_TOWN, 3)], (int)(street % 9 + 1),
		(int)(street / 9 % 30 + 1), (int)(street / 270 % 20 + 1),
		street / 5400 % 3
			? ""
			: pool_printf(filling->pool, " サンプルビル%d階", (int)(street / 16200 % 9 + 1)));
	form->value[FIELD_POSTAL_CODE] =
		pool_printf(filling->pool, "%s%04d", fill_place[place].postal, (int)(street >> 40) % 10000);
	form->value[FIELD_TELEPHONE] = pool_printf(filling->pool, "%s%0*" PRIu64, area,
		(int)(10 - strlen(area)), line % (strlen(area) == 2 ? 100000000 : 10000000));
}

static const char *mail_of(int64_t number)
{
	static const char *const local[] = {"info", "soumu", "office", "contact", "somu-bu"};
	/* Nearly a third have their mailbox with one of a few providers. */
	static const char *const provider[] = {"mail.example.jp", "post.example.ne.jp", "web.example.com"};
	if (pick(number, ASK_MAIL, 10) < 3)
		return pool_printf(filling->pool, "%s%" PRId64 "@%s", PICK(number, ASK_MAIL + 50, local),
			number, PICK(number, ASK_MAIL + 51, provider));
	return pool_printf(
		filling->pool, "%s@s%" PRId64 ".example.co.jp", PICK(number, ASK_MAIL + 50, local), number);
}

static void fill_form_of(struct form_values *form, int64_t number, civil_day applied_on)
{
	static const char *const sizes[] = {"1", "2-5", "6-20", "21-50", "51-100", "101-300", "301-"};
	bool corporation = pick(number, ASK_TYPE, 100) < 78;
	struct pool *pool = filling->pool;
	struct str day = STR_INIT;
	civil_day_print(&day, applied_on);
	*form = (struct form_values){
		.value = {
			[FIELD_PURPOSE] = "security,subsidy",
			[FIELD_PLEDGE] = "true",
			[FIELD_TYPE] = corporation ? "corporation" : "sole",
			[FIELD_CORPORATE_NUMBER] = corporation ? corporate_number(number) : NULL,
			[FIELD_BUSINESS_NAME] = business_name(number, corporation),
			[FIELD_FAMILY_NAME] = PICK(number, ASK_FAMILY, fill_family),
			[FIELD_GIVEN_NAME] = PICK(number, ASK_GIVEN, fill_given),
			[FIELD_CONTACT] = pool_printf(pool, "%s %s", PICK(number, ASK_CONTACT, fill_family),
				PICK(number, ASK_CONTACT + 50, fill_given)),
			[FIELD_MAIL] = mail_of(number),
			[FIELD_EMPLOYEES] = PICK(number, ASK_SIZE, sizes),
			[FIELD_INDUSTRY] =
				pool_printf(pool, "%02d", (int)pick(number, ASK_SIZE + 50, 90) + 1),
			[FIELD_NEWS] = pick(number, ASK_SIZE + 51, 3) ? "true" : "false",
			[FIELD_PRIVACY] = "true",
			[FIELD_TERMS] = "true",
			[FIELD_APPLIED_ON] = pool_strdup(pool, day.s),
		}};
	form->value[FIELD_MAIL_CONFIRM] = form->value[FIELD_MAIL];
	fill_address(form, number);
	str_free(&day);
}

/* ---- when ---- */

/* Days before a subsidy's deadline bring several times as many, Sundays few. */
static void weigh_days(void)
{
	int days = filling->last_day - filling->first_day + 1;
	double sum = 0;
	filling->weight = xcalloc((size_t)days, sizeof *filling->weight);
	for (int i = 0; i < days; i++) {
		int weekday = civil_weekday(filling->first_day + i);
		double weight = weekday == 0 || weekday == 6 ? 1 : 8;
		weight *= 1 + (double)i / days; /* the scheme grows */
		if (i % 91 > 84)
			weight *= 3;
		sum += weight;
		filling->weight[i] = sum;
	}
	for (int i = 0; i < days; i++)
		filling->weight[i] /= sum;
}

/* Applications are numbered as they come in. */
static utc_time received_at(int64_t number)
{
	double part = ((double)number - 0.5) / (double)filling->count;
	int low = 0, high = filling->last_day - filling->first_day;
	while (low < high) {
		int middle = (low + high) / 2;
		if (filling->weight[middle] < part)
			low = middle + 1;
		else
			high = middle;
	}
	double before = low ? filling->weight[low - 1] : 0;
	double within = (part - before) / (filling->weight[low] - before);
	utc_time at = civil_moment(filling->first_day + low, 8 * 60) + (utc_time)(within * 12 * 3600);
	return at < filling->now ? at : filling->now - 60;
}

/* ---- what becomes of it ---- */

enum fate { FATE_LIVES, FATE_STOPS, FATE_REJECTED, FATE_WITHDRAWN };

/* The last weeks: where the cadence still works. */
static bool is_recent(int64_t number)
{
	return received_at(number) > filling->now - 40 * DAY;
}

static bool is_step_up(int64_t number);

static enum fate fate_of(int64_t number)
{
	int64_t at = pick(number, ASK_FATE, 1000);
	if (is_step_up(number) || is_step_up(number + filling->step_distance))
		return FATE_LIVES;
	return at < 8 ? FATE_REJECTED : at < 20 ? FATE_WITHDRAWN : at < 110 ? FATE_STOPS : FATE_LIVES;
}

/* A ★ of long ago that comes back for ★★. */
static bool is_step_up(int64_t number)
{
	int64_t star = number - filling->step_distance;
	if (number > filling->count || star < 1 || chance(number, ASK_STEP) % 20 != 0)
		return false;
	return pick(star, ASK_STAR, 100) < 70 && (star <= filling->step_distance || !is_step_up(star)) &&
	       pick(star, ASK_FATE, 1000) >= 110;
}

/* ---- rows ---- */

static void note(const struct application *app, utc_time at, enum event event, enum state from, enum state to,
	int64_t ref, int64_t number, const char *actor, const char *text)
{
	const struct history_row row = {.at = at,
		.application_id = app ? app->id : 0,
		.event = event,
		.from = from,
		.to = to,
		.ref = ref,
		.number = number,
		.actor = actor,
		.note = text};
	want(history_add(filling->office.store, &row, &filling->err));
}

static void close_file(void)
{
	struct spool_file *file = &filling->file;
	if (!file->id)
		return;
	file->state = FILE_DONE;
	file->source_ino = 0;
	want(file_update(filling->office.store, file, &filling->err));
	*file = (struct spool_file){0};
}

/* Some rows of each file were refused. */
static void refuse_rows(utc_time at)
{
	struct spool_file *file = &filling->file;
	for (int64_t left = pick(file->id, ASK_REQUEST, 4); left > 0; left--) {
		file->rows_done++;
		file->refused++;
		note(NULL, at, EVENT_REFUSED_ROW, STATE_NONE, STATE_NONE, file->id, file->rows_done, "intake",
			"");
	}
}

static void open_file(utc_time at)
{
	struct spool_file *file = &filling->file;
	civil_day day = civil_day_of(at);
	if (file->id && (filling->file_day != day || file->rows_done >= FILE_ROWS))
		close_file();
	if (file->id)
		return;
	int year, month, dom;
	char name[64], archive[96];
	civil_to_ymd(day, &year, &month, &dom);
	(void)snprintf(name, sizeof name, "申込み_%04d%02d%02d_%02d%02d.csv", year, month, dom,
		civil_minute_of(at) / 60, civil_minute_of(at) % 60);
	(void)snprintf(archive, sizeof archive, "accepted/%04d/%02d/%s", year, month, name);
	*file = (struct spool_file){.name = pool_strdup(filling->pool, name),
		.size = 40000,
		.taken_at = at,
		.source_dev = 1,
		.source_ino = 1,
		.owner = "jimu",
		.state = FILE_TAKEN,
		.archive = pool_strdup(filling->pool, archive)};
	uint8_t seed[8] = {0};
	for (int i = 0; i < 8; i++)
		seed[i] = (uint8_t)((uint64_t)at >> (8 * i));
	sha256(file->digest, seed, sizeof seed);
	filling->file_day = day;
	want(file_add(filling->office.store, file, &filling->err));
	note(NULL, at, EVENT_FILE, STATE_NONE, STATE_NONE, file->id, 0, "intake", "jimu");
	refuse_rows(at);
}

/* A notice as it stands at the end: sent at `at`, or still queued. */
static void send(struct application *app, int stage, utc_time at, const char *actor)
{
	const struct letter *letter = &filling->letter[stage];
	struct pool *pool = filling->pool;
	struct str text = STR_INIT;
	int64_t id;
	want(outbox_next_id(filling->office.store, &id, &filling->err));
	message_id_make(&text, app->id, letter->name, 0, filling->settings->message_id_domain);
	const char *message_id = pool_strdup(pool, text.s);
	str_clear(&text);
	want(bounceaddr_make(&text, filling->settings->bounce_mail, id, secrets_key(&filling->secrets),
		SEAL_KEY_LEN, &filling->err));
	utc_time taken = at + 20 + pick(app->id, ASK_MAIL + 60, 200);
	bool sent = taken <= filling->now;
	const char *mail = app->form.value[FIELD_MAIL];
	struct notice notice = {.application_id = app->id,
		.template_name = letter->name,
		.stage = stage,
		.state = sent ? OUTBOX_SENT : OUTBOX_QUEUED,
		.queued_at = at,
		.next_try_at = sent ? UTC_NEVER : at,
		.accepted_at = sent ? taken : 0,
		.first_try_at = sent ? taken : 0,
		.reply_code = sent ? 250 : 0,
		.reply =
			sent ? pool_printf(pool, "2.0.0 Ok: queued as 4%09" PRIX64, (uint64_t)id * 7919) : "",
		.recipient = mail,
		.domain = strchr(mail, '@') + 1,
		.message_id = message_id,
		.bounce_address = text.s};
	memcpy(notice.digest, letter->digest, SHA256_LEN);
	want(outbox_add(filling->office.store, &notice, filling->rules->id, letter->packed.s,
		letter->packed.len, &filling->err));
	note(app, at, EVENT_QUEUE, app->state, app->state, notice.id, stage, actor, "");
	if (sent)
		note(app, taken, EVENT_SENT, app->state, app->state, notice.id, 250, "daemon", "");
	app->previous_sent_at = sent ? taken : 0;
	str_free(&text);
}

static const char mail_text[] =
	"Received: from mail.example.co.jp by mx.example.jp; %s\r\nFrom: %s\r\nTo: "
	"office@example.jp\r\nSubject: "
	"=?UTF-8?B?5L2/55So5Lit5q2i44Gu44GU6YCj57Wh?=\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; "
	"charset=UTF-8\r\n\r\n自己宣言の使用を中止します。自己宣言ID %" PRId64 "\r\n";

static int64_t add_mail(const struct application *app, utc_time at, enum request_kind kind, bool review)
{
	struct str raw = STR_INIT, date = STR_INIT;
	civil_rfc5322_print(&date, at);
	str_printf(&raw, mail_text, date.s, app->form.value[FIELD_MAIL], app->declaration_id);
	struct mail_message message = {.state = MESSAGE_FILED,
		.taken_at = at,
		.size = (int64_t)raw.len,
		.uid_validity = 1,
		.kind = kind,
		.review = review,
		.filed_uid = ""};
	message.uid = pool_printf(filling->pool, "%" PRId64 ".%d", app->id, (int)kind);
	sha256(message.digest, raw.s, raw.len);
	want(message_add(filling->office.store, &message, raw.s, raw.len, &filling->err));
	message.state = MESSAGE_FILED;
	message.folder = review ? FOLDER_REVIEW : kind == REQUEST_BOUNCE ? FOLDER_BOUNCE : FOLDER_DONE;
	want(message_update(filling->office.store, &message, &filling->err));
	str_free(&raw);
	str_free(&date);
	return message.id;
}

static void add_bounce(const struct application *app)
{
	utc_time at = app->previous_sent_at + 90;
	int64_t message = add_mail(app, at, REQUEST_BOUNCE, false), notice;
	struct mailaddr address;
	struct str key = STR_INIT;
	want(outbox_first(filling->office.store, app->id, filling->letter[0].name, &notice, &filling->err));
	if (mailaddr_read(&address, app->form.value[FIELD_MAIL]) == MAILADDR_OK)
		mailaddr_key(&key, &address);
	const struct bounce_row row = {.message_id = message,
		.notice_id = notice,
		.class_ = chance(app->id, ASK_BOUNCE + 50) % 3 ? BOUNCE_SOFT : BOUNCE_HARD,
		.by_address = true,
		.mail_key = key.s,
		.at = at};
	want(bounce_add(filling->office.store, &row, &filling->err));
	note(app, at, EVENT_BOUNCE, app->state, app->state, notice, row.class_, "daemon", "");
	str_free(&key);
}

/* A mail asks for the stop; `at` 0: it waits in 要確認. */
static void add_stop_request(struct application *app, utc_time came, utc_time at)
{
	int64_t message = add_mail(app, came, REQUEST_STOP, at == 0);
	struct request request = {.message_id = message,
		.kind = REQUEST_STOP,
		.state = at ? REQUEST_STATE_DONE : REQUEST_STATE_REVIEW,
		.application_id = app->id,
		.opened_at = came,
		.closed_at = at,
		.proof = at ? PROOF_STAFF : PROOF_NONE,
		.stop_on = CIVIL_DAY_NONE,
		.due_at = UTC_NEVER,
		.actor = at ? "staff:1000" : "daemon",
		.note = "事業者名が登録と違います。"};
	want(request_add(filling->office.store, &request, &filling->err));
	note(app, came, EVENT_REQUEST, app->state, app->state, request.id, REQUEST_STOP, "daemon", "");
	note(app, came, EVENT_REQUEST_REVIEW, app->state, app->state, request.id, 0, "daemon", request.note);
	if (!at)
		return;
	note(app, at, EVENT_STOP, STATE_LOGO_AUTHORIZED, STATE_STOPPED, request.id, 0, "staff:1000",
		"書面を確認しました。");
	note(app, at, EVENT_REQUEST_CLOSED, STATE_STOPPED, STATE_STOPPED, request.id, REQUEST_STATE_DONE,
		"staff:1000", "");
}

/* ---- a life ---- */

/* Everything as the end has it is known before the first row is written: the register is written once. */
struct life {
	struct application app;
	utc_time stage_at[STAGE_MAX]; /* when the notices went into the outbox; 0: not yet */
	utc_time end_at;
	enum event end; /* 0: it lives */
	enum hold hold;
};

static void enter_stage(struct life *life, int stage, utc_time at)
{
	static const enum state states[] = {STATE_RECEIVED, STATE_ID_ISSUED, STATE_LOGO_AUTHORIZED};
	struct application *app = &life->app;
	life->stage_at[stage] = at;
	app->state = states[stage];
	app->stage = stage + 1 < filling->rules->profile.stage_count ? stage + 1 : STAGE_NONE;
	app->previous_sent_at = at + 20;
	if (app->state == STATE_ID_ISSUED)
		app->id_issued_on = civil_day_of(at);
	if (app->state == STATE_LOGO_AUTHORIZED)
		app->logo_authorized_on = civil_day_of(at);
}

static void run_cadence(struct life *life, int64_t number)
{
	struct application *app = &life->app;
	struct due due = {.at = UTC_NEVER, .latest = UTC_NEVER};
	enter_stage(life, 0, app->received_at);
	while (app->stage != STAGE_NONE) {
		due = cadence_due(app, &filling->rules->profile, &filling->settings->calendar);
		utc_time at = due.at + pick(number, ASK_FATE_DAY + (unsigned)app->stage, 3600);
		if (at > filling->now || (life->end && at >= life->end_at))
			break;
		enter_stage(life, app->stage, at);
		due = (struct due){.at = UTC_NEVER, .latest = UTC_NEVER};
	}
	app->due_at = due.at;
	app->latest_at = due.latest;
}

static void choose_end(struct life *life, int64_t number)
{
	struct application *app = &life->app;
	enum fate fate = fate_of(number);
	utc_time days = DAY * (2 + pick(number, ASK_FATE_DAY, 3));
	if (fate == FATE_LIVES)
		return;
	if (fate == FATE_STOPS)
		days = DAY * (40 + pick(number, ASK_FATE_DAY, 900));
	life->end = fate == FATE_STOPS ? EVENT_STOP : fate == FATE_REJECTED ? EVENT_REJECT : EVENT_WITHDRAW;
	life->end_at = app->received_at + days;
	if (life->end_at >= filling->now)
		life->end = 0;
}

static void end_life(struct life *life)
{
	struct application *app = &life->app;
	app->state = transition_get(app->state, life->end).next;
	app->due_at = app->latest_at = UTC_NEVER;
	if (life->end == EVENT_STOP)
		app->stopped_on = civil_day_of(life->end_at);
}

/* Few, and only where the clock still runs. */
static void choose_hold(struct life *life, int64_t number)
{
	struct application *app = &life->app;
	int64_t at = pick(number, ASK_HOLD, 1000);
	if (!is_recent(number) || app->stage == STAGE_NONE || life->end)
		return;
	life->hold = at < 4 ? HOLD_STAFF : at < 14 ? HOLD_REVIEW : HOLD_NONE;
	if (life->hold == HOLD_NONE)
		return;
	app->hold = life->hold;
	app->hold_reason = life->hold == HOLD_STAFF ? "法人番号を電話で確認中"
						    : "1つの連絡先で6事業者以上の申込みがあります。";
	app->due_at = UTC_NEVER;
}

static void give_numbers(struct application *app, int64_t number)
{
	if (app->stage == 1)
		return;
	/* Odd and no multiple of five: every number comes once. */
	app->declaration_id = 40000000000 + number * 6180339887 % 10000000000;
	app->user_number = 9000000000 + number * 618033989 % 1000000000;
}

static void write_application(struct life *life)
{
	struct application *app = &life->app;
	struct mailaddr address;
	struct str mail_key = STR_INIT;
	uint8_t digest[SHA256_LEN];
	if (mailaddr_read(&address, app->form.value[FIELD_MAIL]) == MAILADDR_OK)
		mailaddr_key(&mail_key, &address);
	form_row_digest(digest, &app->form);
	want(application_add(filling->office.store, app, applicant_key(&app->form, filling->pool), mail_key.s,
		digest, &filling->err));
	if (app->declaration_id && !app->linked_id) { /* a step-up bears those of its ★ */
		want(number_take(filling->office.store, app->declaration_id, IDENT_DECLARATION, app->id,
			life->stage_at[1], NULL, &filling->err));
		want(number_take(filling->office.store, app->user_number, IDENT_USER, app->id,
			life->stage_at[1], NULL, &filling->err));
	}
	str_free(&mail_key);
}

/* It leaves the public list with the values it had. */
static void close_public(const struct application *app, utc_time at)
{
	struct str values = STR_INIT;
	public_values_pack(filling->settings, app, &values);
	want(published_close(filling->office.store, app->id, at, values.s, &filling->err));
	str_free(&values);
}

static void supersede(const struct application *app, utc_time at)
{
	struct application star;
	want(application_get(filling->office.store, app->linked_id, &star, filling->pool, &filling->err));
	close_public(&star, at);
	star.state = STATE_SUPERSEDED;
	want(application_update(filling->office.store, &star, &filling->err));
	note(&star, at, EVENT_SUPERSEDE, STATE_LOGO_AUTHORIZED, STATE_SUPERSEDED, app->id, 0, "daemon", "");
}

static void write_end(struct life *life, enum state from)
{
	struct application *app = &life->app;
	app->state = from;
	if (life->end == EVENT_STOP && from == STATE_LOGO_AUTHORIZED && pick(app->id, ASK_REQUEST, 5) == 0) {
		add_stop_request(app, life->end_at - DAY, life->end_at);
	} else {
		note(app, life->end_at, life->end, from, transition_get(from, life->end).next, 0, 0,
			"staff:1000", life->end == EVENT_STOP ? "様式B-3" : "申込者の希望");
	}
	app->state = transition_get(from, life->end).next;
	if (from == STATE_LOGO_AUTHORIZED)
		close_public(app, life->end_at);
}

static void write_life(struct life *life, enum state last)
{
	static const enum event events[] = {EVENT_APPLY, EVENT_ISSUE_ID, EVENT_AUTHORIZE_LOGO};
	static const enum state states[] = {
		STATE_NONE, STATE_RECEIVED, STATE_ID_ISSUED, STATE_LOGO_AUTHORIZED};
	struct application *app = &life->app;
	for (int stage = 0; stage < 3 && life->stage_at[stage]; stage++) {
		const char *actor = stage == 0 ? "intake" : "daemon";
		app->state = states[stage + 1];
		note(app, life->stage_at[stage], events[stage], states[stage], app->state,
			stage == 0 ? app->file_id : 0, stage == 0 ? app->row : 0, actor, "");
		send(app, stage, life->stage_at[stage], actor);
		if (stage == 0 && pick(app->id, ASK_BOUNCE, 200) == 0 && app->previous_sent_at)
			add_bounce(app);
		if (stage == 2 && app->linked_id)
			supersede(app, life->stage_at[stage]);
		if (stage == 2)
			want(published_open(
				filling->office.store, app->id, life->stage_at[stage], &filling->err));
	}
	app->state = last;
	if (life->hold != HOLD_NONE)
		note(app, app->received_at + 3600, life->hold == HOLD_STAFF ? EVENT_HOLD : EVENT_REVIEW,
			app->state, app->state, 0, 0, life->hold == HOLD_STAFF ? "staff:1000" : "daemon",
			app->hold_reason);
	if (life->end)
		write_end(life, last);
	else if (is_recent(app->id) && last == STATE_LOGO_AUTHORIZED && pick(app->id, ASK_REQUEST, 60) == 0)
		add_stop_request(app, filling->now - pick(app->id, ASK_REQUEST + 50, 5 * DAY), 0);
}

static void fill_one(int64_t number)
{
	int64_t business = is_step_up(number) ? number - filling->step_distance : number;
	utc_time at = received_at(number);
	struct form_values form;
	fill_form_of(&form, business, civil_day_of(at));
	bool two = business != number || pick(number, ASK_STAR, 100) >= 70;
	form.value[FIELD_KIND] = business != number ? "step" : two ? "new2" : "new1";
	open_file(at);
	struct life life = {.app = office_blank(&form, filling->file.id, ++filling->file.rows_done, at)};
	struct application *app = &life.app;
	filling->file.accepted++;
	app->applied_on = app->clock_start = civil_day_of(at);
	app->profile = filling->rules->profile.name;
	app->template_set = filling->rules->id;
	app->linked_id = business != number ? business : 0;
	choose_end(&life, number);
	run_cadence(&life, number);
	give_numbers(app, business);
	if (app->linked_id)
		app->form.value[FIELD_DECLARATION_ID] = pool_printf(
			filling->pool, "%" PRId64, 40000000000 + business * 6180339887 % 10000000000);
	choose_hold(&life, number);
	enum state last = app->state;
	if (life.end)
		end_life(&life);
	write_application(&life);
	if (app->id != number)
		die("application %" PRId64 " was given the number %" PRId64 ": the register was not empty",
			number, app->id);
	write_life(&life, last);
}

/* ---- all of them ---- */

/* The letters of one sample, packed as the office packs them. */
static void make_letters(void)
{
	const struct profile *profile = &filling->rules->profile;
	struct form_values form;
	fill_form_of(&form, 1, civil_day_of(filling->now));
	form.value[FIELD_KIND] = "new1";
	struct application app = office_blank(&form, 0, 1, filling->now);
	app.id = 1;
	app.clock_start = civil_day_of(filling->now);
	app.id_issued_on = app.logo_authorized_on = app.clock_start;
	app.declaration_id = 40000000017;
	app.user_number = 9000000017;
	want(store_begin(filling->office.store, &filling->err));
	for (int i = 0; i < profile->stage_count; i++) {
		const struct draft_order order = {.app = &app,
			.rules = filling->rules,
			.template_name = profile->stage[i].template_name,
			.stage = i};
		struct draft draft;
		want(draft_make(&filling->office, &order, &draft, &filling->err));
		filling->letter[i] =
			(struct letter){.name = profile->stage[i].template_name, .packed = STR_INIT};
		str_add(&filling->letter[i].packed, draft.packed.s, draft.packed.len);
		memcpy(filling->letter[i].digest, draft.notice.digest, SHA256_LEN);
		draft_free(&draft);
	}
	want(store_commit(filling->office.store, &filling->err)); /* what they are packed against */
}

static void open_all(const char *config)
{
	struct str host = STR_INIT;
	want(settings_load(&filling->settings, config, &filling->err));
	want(secrets_load(&filling->secrets, filling->settings, false, &filling->err));
	host_identity(&host);
	const struct store_settings where = {.path = filling->settings->store_path,
		.witness = filling->settings->witness_path,
		.host = host.s};
	filling->office = (struct office){.settings = filling->settings,
		.secrets = &filling->secrets,
		.clock = &filling->clock,
		.rng = &filling->rng};
	want(store_open(&filling->office.store, &where, STORE_WRITE, &filling->err));
	/* What is cut short here is made anew. */
	want(sql_exec(filling->office.store, "PRAGMA synchronous = OFF; PRAGMA cache_size = -400000",
		&filling->err));
	office_open(&filling->office);
	want(office_load_templates(&filling->office, &filling->err));
	want(rules_current(&filling->office, "form", &filling->rules, &filling->err));
	str_free(&host);
}

static void fill_all(void)
{
	for (int64_t at = 1; at <= filling->count; at += BATCH_APPLICATIONS) {
		want(store_begin(filling->office.store, &filling->err));
		for (int64_t i = at; i < at + BATCH_APPLICATIONS && i <= filling->count; i++)
			fill_one(i);
		close_file();
		want(store_commit(filling->office.store, &filling->err));
		pool_reset(filling->pool);
		if ((at - 1) % 50000 == 0 && at > 1)
			(void)fprintf(stderr, "%" PRId64 "\n", at - 1);
	}
}

/* What the roles would have reckoned by now: the public list's rule, and the days. */
static void settle(void)
{
	bool more = true;
	want(store_begin(filling->office.store, &filling->err));
	want(fact_set(filling->office.store, FACT_PUBLIC_FROM, "logo", &filling->err));
	want(store_commit(filling->office.store, &filling->err));
	while (more) {
		want(store_begin(filling->office.store, &filling->err));
		want(daily_update(filling->office.store, 100000, &more, &filling->err));
		want(store_commit(filling->office.store, &filling->err));
	}
}

int main(int argc, char **argv)
{
	struct filling all = {.clock = clock_system(), .rng = rng_system(), .pool = pool_new()};
	if (argc < 2 || argc > 4) {
		(void)fprintf(stderr, "usage: fill CONFIG [DECLARATIONS [SEED]]\n");
		return RC_USAGE;
	}
	filling = &all;
	all.count = argc > 2 ? strtoll(argv[2], NULL, 10) : 1000000;
	all.seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
	all.step_distance = all.count / 3 + 1;
	all.now = clock_now(&all.clock);
	open_all(argv[1]);
	all.first_day = civil_from_ymd(2020, 4, 1);
	all.last_day = civil_day_of(all.now);
	weigh_days();
	make_letters();
	fill_all();
	settle();
	printf("%" PRId64 " applications in %s\n", all.count, all.settings->store_path);
	for (int i = 0; i < STAGE_MAX; i++)
		str_free(&all.letter[i].packed);
	free(all.weight);
	office_close(&all.office);
	store_close(&all.office.store);
	secrets_free(&all.secrets);
	settings_free(&all.settings);
	pool_free(&all.pool);
	return RC_OK;
}
