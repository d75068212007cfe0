/*
 * bench_wave.c - a survey or an outage comes back: how fast the office deals with a wave of reports and automatic replies
 *
 * bench_wave [DIRECTORY [MAILS [BATCH]]]: registers an application for every other mail (default 5,000 mails), sends the receipts, and takes for each
 * one a report of its return and for the rest an automatic reply, BATCH (default 20) a transaction, as the mailbox role does: kept, its reading kept, acted on.
 * Fetching and reading the bytes is not in the figure.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/office/office.h"

#define RAW_LEN 4000 /* of a usual report with its returned letter */

static struct err err;
static struct office office;
static struct clock office_clock;
static struct rng rng;
static struct secrets secrets;

static void want(enum rc rc)
{
	if (rc != RC_OK)
		die("%s", err.text);
}

static double now_us(void)
{
	struct timespec at;
	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec * 1e6 + (double)at.tv_nsec / 1e3;
}

static const char *file(struct pool *pool, const char *directory, const char *name, const char *text)
{
	const char *path = pool_printf(pool, "%s/%s", directory, name);
	if (text)
		want(file_write(path, text, strlen(text), 0600, &err));
	return path;
}

static void open_office(const char *directory, struct settings **settings, struct pool *pool)
{
	const char *conf = file(pool, directory, "sengend.conf",
		pool_printf(pool,
			"state_directory = \"%s\";\nspool_directory = \"%s\";\nruntime_directory = \"%s\";\n"
			"contact_mail = \"office@sa.example.jp\";\nbounce_mail = \"bounce@sa.example.jp\";\n"
			"receipt_ceiling = 1000000;\n",
			directory, directory, directory));
	const struct store_settings store = {
		.path = file(pool, directory, "wave.db", NULL), .host = "bench", .simulated = true};
	want(settings_load(settings, conf, &err));
	want(secrets_load(&secrets, *settings, false, &err));
	office_clock = clock_virtual(civil_moment(civil_from_ymd(2026, 6, 1), 600));
	rng = rng_seeded(7);
	office = (struct office){
		.settings = *settings, .secrets = &secrets, .clock = &office_clock, .rng = &rng};
	want(store_open(&office.store, &store, STORE_WRITE, &err));
	office_open(&office);
	want(office_load_templates(&office, &err));
}

/* ---- before the wave ---- */

static void apply(int n, struct pool *pool)
{
	struct form_values form = {.value = {
					   [FIELD_KIND] = "new1",
					   [FIELD_PURPOSE] = "security",
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
	int64_t id;
	bool review;
	form.value[FIELD_CORPORATE_NUMBER] =
		pool_printf(pool, "%013lld", 1000000000000 + (long long)n * 7919);
	form.value[FIELD_BUSINESS_NAME] = pool_printf(pool, "株式会社サンプル%d", n);
	form.value[FIELD_MAIL] = pool_printf(pool, "info@s%d.example.co.jp", n);
	form.value[FIELD_MAIL_CONFIRM] = form.value[FIELD_MAIL];
	want(office_register(&office, &form, NULL, 0, n, &id, &review, &err));
}

static void send_all(struct pool *pool)
{
	struct notice notice[50];
	struct delivery delivery = {.outcome = OUTCOME_ACCEPTED, .phase = "dot", .reply_code = 250};
	for (int count = 1; count > 0;) {
		want(store_begin(office.store, &err));
		want(outbox_claim(office.store, office_clock.now, 50, NULL, notice, &count, pool, &err));
		for (int i = 0; i < count; i++)
			want(office_delivered(&office, &notice[i], &delivery, "", 0, &err));
		want(store_commit(office.store, &err));
		pool_reset(pool);
	}
}

/* ---- the wave ---- */

static struct received mail_of(enum request_kind kind)
{
	struct received mail = {.reading = {.kind = kind,
					.why = "a figure",
					.notice = "",
					.fields = {.stop_on = CIVIL_DAY_NONE}},
		.unreadable = "",
		.from = "",
		.from_name = "",
		.reply_to = "",
		.automatic = true,
		.subject = "",
		.message_id = "",
		.text = "",
		.form_text = "",
		.damage = ""};
	const char **field[] = {&mail.reading.fields.declaration_id,
		&mail.reading.fields.declaration_id_written, &mail.reading.fields.user_number,
		&mail.reading.fields.corporate_number, &mail.reading.fields.business_name,
		&mail.reading.fields.representative, &mail.reading.fields.contact, &mail.reading.fields.mail,
		&mail.reading.fields.prefecture, &mail.reading.fields.reason, &mail.reading.fields.address,
		&mail.reading.fields.stop_on_written, &mail.reading.fields.doubt, &mail.reading.bounce.action,
		&mail.reading.bounce.status, &mail.reading.bounce.message_id, &mail.reading.bounce.why};
	for (size_t i = 0; i < sizeof field / sizeof *field; i++)
		*field[i] = "";
	return mail;
}

static struct received report(int64_t notice_id, const char **recipient, struct pool *pool)
{
	struct received mail = mail_of(REQUEST_BOUNCE);
	struct notice notice;
	want(outbox_get(office.store, notice_id, &notice, pool, &err));
	*recipient = notice.recipient;
	mail.null_sender = true;
	mail.from = "mailer-daemon@mx.example.co.jp";
	mail.subject = "Undelivered Mail Returned to Sender";
	mail.delivered_to[0] = notice.bounce_address;
	mail.delivered_to_count = 1;
	mail.reading.bounce = (struct bounce){.is_bounce = true,
		.recipient = recipient,
		.recipient_count = 1,
		.action = "failed",
		.status = "5.1.1",
		.message_id = notice.message_id,
		.class_ = BOUNCE_HARD,
		.permanent = true,
		.permanent_known = true,
		.why = "rule unknown-recipient"};
	return mail;
}

static struct received automatic(int n, struct pool *pool)
{
	struct received mail = mail_of(REQUEST_AUTO_REPLY);
	mail.from = pool_printf(pool, "info@s%d.example.co.jp", n);
	mail.subject = "自動返信：お問い合わせありがとうございます";
	mail.text = "このメールは自動で返信しています。担当者より改めてご連絡いたします。";
	return mail;
}

static void take(int n, struct pool *pool)
{
	const char *recipient;
	char raw[RAW_LEN];
	struct str json = STR_INIT;
	struct mail_message message = {.state = MESSAGE_TAKEN,
		.taken_at = office_clock.now,
		.size = sizeof raw,
		.uid_validity = 1,
		.uid = pool_printf(pool, "%d", n),
		.filed_uid = ""};
	struct received mail = n % 2 ? automatic(n, pool) : report(n / 2, &recipient, pool);
	memset(raw, 'x', sizeof raw);
	(void)snprintf(raw, sizeof raw, "Subject: %d\r\n", n);
	sha256(message.digest, raw, sizeof raw);
	want(message_add(office.store, &message, raw, sizeof raw, &err));
	received_print(&json, &mail);
	want(message_set_reading(office.store, message.id, json.s, json.len, &err));
	want(office_receive(&office, &message, &mail, NULL, &err));
	str_free(&json);
}

static void wave(int mails, int batch, struct pool *pool)
{
	double start = now_us(), slowest = 0;
	for (int at = 2; at < mails + 2; at += batch) {
		double began = now_us();
		want(store_begin(office.store, &err));
		for (int n = at; n < at + batch && n < mails + 2; n++) {
			take(n, pool);
			pool_reset(pool);
		}
		want(store_commit(office.store, &err));
		began = now_us() - began;
		slowest = began > slowest ? began : slowest;
	}
	(void)printf("wave: %.0f mails/s in transactions of %d, the slowest %.1f ms\n",
		mails / (now_us() - start) * 1e6, batch, slowest / 1e3);
}

int main(int argc, char **argv)
{
	char made[] = "/tmp/sengen-wave-XXXXXX";
	const char *directory = argc > 1 ? argv[1] : mkdtemp(made);
	int mails = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 5000;
	int batch = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 20;
	struct pool *pool = pool_new();
	struct settings *settings = NULL;
	if (!directory || mails < 1 || batch < 1)
		die("usage: bench_wave [DIRECTORY [MAILS [BATCH]]]");
	log_open("bench_wave", LEVEL_FAULT);
	open_office(directory, &settings, pool);
	for (int at = 1; at <= mails / 2 + 1; at += 100) {
		want(store_begin(office.store, &err));
		for (int n = at; n < at + 100 && n <= mails / 2 + 1; n++)
			apply(n, pool);
		want(store_commit(office.store, &err));
		pool_reset(pool);
	}
	send_all(pool);
	wave(mails, batch, pool);
	office_close(&office);
	store_close(&office.store);
	if (argc < 2) {
		static const char *const names[] = {
			"wave.db", "wave.db-wal", "wave.db-shm", "sengend.conf", "credential.key"};
		for (size_t i = 0; i < sizeof names / sizeof *names; i++)
			(void)unlink(pool_printf(pool, "%s/%s", directory, names[i]));
		(void)rmdir(directory);
	}
	settings_free(&settings);
	secrets_free(&secrets);
	pool_free(&pool);
	return 0;
}
