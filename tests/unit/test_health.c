#include "tests/unit/office_rig.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/file.h>
#include <sys/time.h>

#include "lib/desk/health.h"
#include "tests/certificate.h"

struct seen {
	struct pool *pool;
	struct health_item item[64];
	int count;
	enum health_level worst;
};

static enum rc take(void *ctx, const struct health_item *item, struct err *err)
{
	(void)err;
	struct seen *seen = ctx;
	assert_true(seen->count < 64);
	assert_true(item->text && *item->text);
	seen->item[seen->count++] = (struct health_item){.name = pool_strdup(seen->pool, item->name),
		.level = item->level,
		.text = pool_strdup(seen->pool, item->text),
		.value = item->value};
	return RC_OK;
}

static void look(struct rig *rig, struct seen *seen)
{
	struct tally tally;
	*seen = (struct seen){.pool = rig->pool};
	assert_ok(tally_make(&rig->office, 1, &tally, rig->pool, &rig_err));
	assert_ok(health_check(&rig->office, &tally, take, seen, &seen->worst, rig->pool, &rig_err));
}

static const struct health_item *find(const struct seen *seen, const char *name)
{
	for (int i = 0; i < seen->count; i++)
		if (strcmp(seen->item[i].name, name) == 0)
			return &seen->item[i];
	static const struct health_item missing = {.name = "", .text = "", .value = -1};
	return &missing;
}

static bool was_checked(const struct seen *seen, const char *name)
{
	return *find(seen, name)->name != '\0';
}

static void expect(const struct seen *seen, const char *name, enum health_level level, const char *words)
{
	const struct health_item *item = find(seen, name);
	if (!*item->name)
		fail_msg("%s was not checked", name);
	if (item->level != level || !strstr(item->text, words))
		fail_msg("%s is %s: %s", name, health_level_name(item->level), item->text);
}

static void set_fact(struct rig *rig, const char *name, const char *value)
{
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(fact_set(rig->office.store, name, value, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
}

/* ---- a quiet office ---- */

static void test_health__all_is_good(void **state)
{
	struct rig *rig = *state;
	struct seen seen;
	look(rig, &seen);
	for (int i = 0; i < seen.count; i++)
		if (seen.item[i].level != HEALTH_GOOD)
			fail_msg("%s: %s", seen.item[i].name, seen.item[i].text);
	assert_int_equal(seen.worst, HEALTH_GOOD);
	expect(&seen, "queue", HEALTH_GOOD, "empty");
	expect(&seen, "clock", HEALTH_GOOD, "goes forward");
	/* The virtual clock knows nothing of this machine. */
	assert_false(was_checked(&seen, "disk-spool"));
	assert_false(was_checked(&seen, "role:sender"));
}

static void test_health__same_order_each_time(void **state)
{
	struct rig *rig = *state;
	struct seen first, second;
	look(rig, &first);
	set_fact(rig, "sender.fault", "the mail server refused the login");
	look(rig, &second);
	assert_int_equal(first.count, second.count);
	for (int i = 0; i < first.count; i++)
		assert_string_equal(first.item[i].name, second.item[i].name);
}

/* ---- facts that roles leave ---- */

static void test_health__faults_of_roles(void **state)
{
	struct rig *rig = *state;
	static const struct {
		const char *fact, *text, *check;
	} cases[] = {
		{"sender.fault", "The mail server refused the login (535).", "server"},
		{"mailbox.fault", "The mailbox refused the login.", "fetch"},
		{"intake.paused", "disk: /var/spool/sengen has 3 MiB left", "intake"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct seen seen;
		set_fact(rig, cases[i].fact, cases[i].text);
		look(rig, &seen);
		expect(&seen, cases[i].check, HEALTH_BAD, cases[i].text);
		assert_int_equal(seen.worst, HEALTH_BAD);
		set_fact(rig, cases[i].fact, NULL);
	}
}

static void test_health__queue_grows_old(void **state)
{
	struct rig *rig = *state;
	struct seen seen;
	(void)rig_apply(rig, 1);
	look(rig, &seen);
	expect(&seen, "queue", HEALTH_GOOD, "");
	clock_set(&rig->clock, rig->clock.now + 2 * 3600);
	look(rig, &seen);
	expect(&seen, "queue", HEALTH_WARN, "2 hours");
	assert_int_equal(find(&seen, "queue")->value, 2 * 3600);
	clock_set(&rig->clock, rig->clock.now + 5 * 3600);
	look(rig, &seen);
	expect(&seen, "queue", HEALTH_BAD, "sengenctl status");
	/* It was sent. */
	assert_int_equal(rig_send(rig), 1);
	look(rig, &seen);
	expect(&seen, "queue", HEALTH_GOOD, "empty");
}

/* Waiting for a person is told under its own name, and does not make the queue bad. */
static void test_health__paused(void **state)
{
	struct rig *rig = *state;
	struct seen seen;
	(void)rig_apply(rig, 1);
	set_fact(rig, "pause.sending", "1");
	clock_set(&rig->clock, rig->clock.now + 20 * 3600);
	look(rig, &seen);
	expect(&seen, "pause:sending", HEALTH_WARN, "sengenctl resume sending");
	expect(&seen, "pause:intake", HEALTH_GOOD, "");
	expect(&seen, "queue", HEALTH_WARN, "");
}

static void test_health__outbox_near_its_bound(void **state)
{
	struct rig *rig = *state;
	struct seen seen;
	rig_configure(rig, "outbox_bound = 5;");
	for (int n = 1; n <= 3; n++)
		(void)rig_apply(rig, n);
	look(rig, &seen);
	expect(&seen, "outbox", HEALTH_GOOD, "3 notices");
	(void)rig_apply(rig, 4);
	look(rig, &seen);
	expect(&seen, "outbox", HEALTH_WARN, "4 notices");
	(void)rig_apply(rig, 5);
	(void)rig_apply(rig, 6);
	look(rig, &seen);
	expect(&seen, "outbox", HEALTH_BAD, "6 notices");
}

static void test_health__late_and_overdue(void **state)
{
	struct rig *rig = *state;
	struct seen seen;
	int64_t id = rig_apply(rig, 1);
	(void)rig_send(rig);
	rig_decide(rig, id, DECISION_HOLD, "見本");
	look(rig, &seen);
	expect(&seen, "late", HEALTH_GOOD, "no notice");
	struct application app = rig_app(rig, id);
	clock_set(&rig->clock, app.latest_at - 86400);
	look(rig, &seen);
	expect(&seen, "late", HEALTH_WARN, "1 notices will miss");
	clock_set(&rig->clock, app.latest_at + 86400);
	look(rig, &seen);
	expect(&seen, "late", HEALTH_BAD, "past their latest day");
}

static void test_health__review_grows_old(void **state)
{
	struct rig *rig = *state;
	struct seen seen;
	struct form_values form = rig_form(rig, 1);
	form.value[FIELD_APPLIED_ON] = "2026-04-01"; /* too far back: a person looks */
	int64_t id = rig_register(rig, &form);
	assert_int_equal(rig_app(rig, id).hold, HOLD_REVIEW);
	look(rig, &seen);
	expect(&seen, "review", HEALTH_GOOD, "1 cases");
	clock_set(&rig->clock, rig->clock.now + 4 * 86400);
	look(rig, &seen);
	expect(&seen, "review", HEALTH_WARN, "4 days");
	clock_set(&rig->clock, rig->clock.now + 11 * 86400);
	look(rig, &seen);
	expect(&seen, "review", HEALTH_BAD, "15 days");
}

static void test_health__clock_set_back(void **state)
{
	struct rig *rig = *state;
	struct seen seen;
	(void)rig_apply(rig, 1);
	clock_set(&rig->clock, rig->clock.now - 2);
	look(rig, &seen);
	expect(&seen, "clock", HEALTH_GOOD, "");
	clock_set(&rig->clock, rig->clock.now - 7200);
	look(rig, &seen);
	expect(&seen, "clock", HEALTH_BAD, "set back");
	assert_int_equal(find(&seen, "clock")->value, 7202);
}

/* A register whose witness has seen more. */
static void test_health__restored(void **state)
{
	struct rig *rig = *state;
	struct seen seen;
	(void)rig_apply(rig, 1);
	rig->store_settings.host = "host-b";
	rig_restart(rig);
	look(rig, &seen);
	expect(&seen, "restored", HEALTH_BAD, "release --restored");
}

static void keep_books(struct rig *rig, int64_t differences)
{
	struct balance balance = {.at = rig->clock.now, .differences = differences, .head_seq = 1};
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(books_keep(&rig->office, &balance, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
}

static void test_health__books(void **state)
{
	struct rig *rig = *state;
	struct seen seen;
	keep_books(rig, 3);
	look(rig, &seen);
	expect(&seen, "books", HEALTH_BAD, "3 differences");
	keep_books(rig, 0);
	look(rig, &seen);
	expect(&seen, "books", HEALTH_GOOD, "balance");
	clock_set(&rig->clock, rig->clock.now + 3 * 86400);
	look(rig, &seen);
	expect(&seen, "books", HEALTH_WARN, "sengen-desk");
}

/* A file each office day for eight weeks, then none for two. */
static void test_health__silence(void **state)
{
	struct rig *rig = *state;
	struct seen seen;
	look(rig, &seen);
	expect(&seen, "silence:files", HEALTH_GOOD, "too little");
	for (int day = 0; day < 56; day++) {
		if (calendar_is_open(&rig->settings->calendar, rig->clock.now)) {
			const struct history_row row = {.at = rig->clock.now,
				.event = EVENT_FILE,
				.ref = day + 1,
				.actor = "daemon",
				.note = ""};
			assert_ok(store_begin(rig->office.store, &rig_err));
			assert_ok(history_add(rig->office.store, &row, &rig_err));
			assert_ok(store_commit(rig->office.store, &rig_err));
		}
		clock_set(&rig->clock, rig->clock.now + 86400);
	}
	look(rig, &seen);
	expect(&seen, "silence:files", HEALTH_GOOD, "as usual");
	clock_set(&rig->clock, rig->clock.now + 14 * 86400);
	look(rig, &seen);
	expect(&seen, "silence:files", HEALTH_BAD, "form files: nothing for");
	assert_in_range(find(&seen, "silence:files")->value, 8, 11);
}

/* ---- the machine ---- */

static int lock_role(struct rig *rig, const char *role)
{
	struct str path = STR_INIT;
	health_lock_path(&path, rig->settings, role);
	int fd = open(path.s, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	str_free(&path);
	return fd;
}

static void age_lock(int fd, int seconds)
{
	struct timeval now, both[2];
	assert_int_equal(gettimeofday(&now, NULL), 0);
	both[0] = both[1] = (struct timeval){.tv_sec = now.tv_sec - seconds};
	assert_int_equal(futimes(fd, both), 0);
}

static void test_health__roles_by_their_locks(void **state)
{
	struct rig *rig = *state;
	struct seen seen;
	rig->clock = clock_system();
	look(rig, &seen);
	expect(&seen, "role:sender", HEALTH_BAD, "never run");
	int sender = lock_role(rig, "sender"), intake = lock_role(rig, "intake");
	look(rig, &seen);
	expect(&seen, "role:sender", HEALTH_GOOD, "runs");
	age_lock(sender, 3600);
	look(rig, &seen);
	expect(&seen, "role:sender", HEALTH_BAD, "no sign of life");
	/* It ended a moment ago while others run: it is being started anew. */
	age_lock(sender, 5);
	(void)close(sender);
	look(rig, &seen);
	expect(&seen, "role:sender", HEALTH_WARN, "has not run");
	sender = lock_role(rig, "sender");
	age_lock(sender, 600);
	(void)close(sender);
	look(rig, &seen);
	expect(&seen, "role:sender", HEALTH_BAD, "systemctl status sengen-sender");
	/* No service at all: runs from cron are enough. */
	(void)close(intake);
	look(rig, &seen);
	expect(&seen, "role:sender", HEALTH_GOOD, "--once");
	sender = lock_role(rig, "sender");
	age_lock(sender, 2 * 3600);
	(void)close(sender);
	look(rig, &seen);
	expect(&seen, "role:sender", HEALTH_BAD, "2 hours");
}

static void test_health__disk_is_short(void **state)
{
	struct rig *rig = *state;
	struct seen seen;
	rig->clock = clock_system();
	rig_configure(rig, "disk_floor_mib = 0;");
	look(rig, &seen);
	expect(&seen, "disk-spool", HEALTH_GOOD, "MiB");
	assert_true(find(&seen, "disk-state")->value > 0);
	struct str text = STR_INIT;
	str_printf(&text, "disk_floor_mib = %lld;", (long long)file_free_mib(rig->dir) / 2);
	rig_configure(rig, text.s);
	look(rig, &seen);
	expect(&seen, "disk-spool", HEALTH_WARN, "Make room");
	str_clear(&text);
	str_printf(&text, "disk_floor_mib = %lld;", (long long)file_free_mib(rig->dir) * 2);
	rig_configure(rig, text.s);
	look(rig, &seen);
	expect(&seen, "disk-state", HEALTH_BAD, "Make room");
	str_free(&text);
}

static void test_health__mailbox_not_read(void **state)
{
	struct rig *rig = *state;
	struct seen seen;
	char text[32];
	rig->clock = clock_system();
	look(rig, &seen);
	expect(&seen, "fetch", HEALTH_WARN, "never");
	(void)snprintf(text, sizeof text, "%" PRId64, clock_now(&rig->clock) - 60);
	set_fact(rig, "mailbox.fetched_at", text);
	look(rig, &seen);
	expect(&seen, "fetch", HEALTH_GOOD, "");
	(void)snprintf(text, sizeof text, "%" PRId64, clock_now(&rig->clock) - 1800);
	set_fact(rig, "mailbox.fetched_at", text);
	look(rig, &seen);
	expect(&seen, "fetch", HEALTH_WARN, "30 minutes");
	(void)snprintf(text, sizeof text, "%" PRId64, clock_now(&rig->clock) - 7200);
	set_fact(rig, "mailbox.fetched_at", text);
	look(rig, &seen);
	expect(&seen, "fetch", HEALTH_BAD, "2 hours");
	/* Staff who paused reading know. */
	struct tally tally;
	assert_ok(tally_make(&rig->office, 1, &tally, rig->pool, &rig_err));
	tally.holds.paused[PAUSE_READING] = true;
	seen = (struct seen){.pool = rig->pool};
	assert_ok(health_check(&rig->office, &tally, take, &seen, &seen.worst, rig->pool, &rig_err));
	expect(&seen, "fetch", HEALTH_GOOD, "");
	expect(&seen, "pause:reading", HEALTH_WARN, "sengenctl resume reading");
}

/* ---- credentials ---- */

/* Appends a self-signed certificate that runs out `days` after the moment of the office. */
static void add_certificate(struct rig *rig, struct str *pem, int days)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes;
	assert_non_null(key);
	assert_non_null(certificate);
	assert_non_null(ASN1_TIME_set(X509_getm_notBefore(certificate), rig->clock.now - 86400));
	assert_non_null(ASN1_TIME_set(X509_getm_notAfter(certificate), rig->clock.now + 86400L * days));
	assert_int_equal(X509_set_pubkey(certificate, key), 1);
	assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509(bio, certificate), 1);
	long len = BIO_get_mem_data(bio, &bytes);
	str_add(pem, bytes, (size_t)len);
	BIO_free(bio);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

static void configure_server(struct rig *rig, const char *ca_file)
{
	struct str text = STR_INIT;
	str_printf(&text,
		"transport : { maildir = false; host = \"mail.example.jp\"; ca_file = \"%s\"; };\n"
		"credential_warn_days = 30;\n",
		ca_file);
	rig_configure(rig, text.s);
	str_free(&text);
}

static void test_health__certificate_runs_out(void **state)
{
	struct rig *rig = *state;
	static const struct {
		int days[2]; /* two certificates in one file: the longer one counts; 0: none */
		enum health_level level;
		const char *words;
	} cases[] = {
		{{90, 0}, HEALTH_GOOD, "good until"},
		{{10, 0}, HEALTH_WARN, "runs out at"},
		{{6, 0}, HEALTH_BAD, "runs out at"},
		{{-3, 0}, HEALTH_BAD, "ran out at"},
		{{-3, 90}, HEALTH_GOOD, "good until"},
		{{90, -3}, HEALTH_GOOD, "good until"},
		{{0, 0}, HEALTH_BAD, "no certificate"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct seen seen;
		struct str pem = STR_INIT, path = STR_INIT;
		str_addz(&pem, "# the office's authority\n");
		for (int n = 0; n < 2; n++)
			if (cases[i].days[n])
				add_certificate(rig, &pem, cases[i].days[n]);
		rig_write(rig, "ca.pem", pem.s);
		path_join(&path, rig->dir, "ca.pem");
		configure_server(rig, path.s);
		look(rig, &seen);
		expect(&seen, "credential:transport ca_file", cases[i].level, cases[i].words);
		if (i == 1)
			assert_in_range(
				find(&seen, "credential:transport ca_file")->value, 9 * 86400, 10 * 86400);
		str_free(&pem);
		str_free(&path);
	}
}

static void test_health__ca_file_is_missing(void **state)
{
	struct rig *rig = *state;
	struct seen seen;
	configure_server(rig, "/nonexistent/ca.pem");
	look(rig, &seen);
	expect(&seen, "credential:transport ca_file", HEALTH_BAD, "/nonexistent/ca.pem");
}

static void test_health__server_certificates(void **state)
{
	struct rig *rig = *state;
	static const struct {
		int days;
		enum health_level level;
		const char *words;
	} cases[] = {
		{60, HEALTH_GOOD, "is good until"},
		{29, HEALTH_WARN, "must renew it before"},
		{6, HEALTH_BAD, "must renew it before"},
		{-1, HEALTH_BAD, "connections are refused"},
	};
	struct seen seen;
	rig_configure(rig, "transport : { maildir = false; host = \"mail.example.jp\"; };"
			   "mailbox : { maildir = false; host = \"mail.example.jp\"; user = \"u\"; "
			   "password_from = \"key\"; };");
	look(rig, &seen);
	assert_false(was_checked(&seen, "credential:transport server")); /* nobody has connected yet */
	assert_false(was_checked(&seen, "credential:mailbox server"));
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct health_certificate noted = {0};
		utc_time until = rig->clock.now + 86400L * cases[i].days;
		struct store *store = rig->office.store;
		assert_ok(store_begin(store, &rig_err));
		assert_ok(health_certificate_note(
			store, FACT_TRANSPORT_CERTIFICATE, &noted, until, rig->clock.now, &rig_err));
		assert_false(health_certificate_is_news(&noted, until, rig->clock.now + 86399));
		assert_true(health_certificate_is_news(&noted, until, rig->clock.now + 86400));
		assert_true(health_certificate_is_news(&noted, until + 1, rig->clock.now));
		assert_false(health_certificate_is_news(&noted, 0, rig->clock.now));
		noted = (struct health_certificate){0};
		assert_ok(health_certificate_note(
			store, FACT_MAILBOX_CERTIFICATE, &noted, until, rig->clock.now, &rig_err));
		assert_ok(store_commit(store, &rig_err));
		look(rig, &seen);
		expect(&seen, "credential:transport server", cases[i].level, cases[i].words);
		expect(&seen, "credential:mailbox server", cases[i].level, cases[i].words);
		assert_int_equal(find(&seen, "credential:mailbox server")->value, 86400L * cases[i].days);
	}
}

static void test_health__smime_certificate(void **state)
{
	struct rig *rig = *state;
	static const struct {
		int from, until, chain_until; /* days */
		enum health_level level;
		const char *words;
	} cases[] = {
		{-1, 90, 0, HEALTH_GOOD, "are good until"},
		{-1, 20, 0, HEALTH_WARN, "and then no mail is sent"},
		{-1, 90, 20, HEALTH_WARN, "and then no mail is sent"},
		{-1, 90, 5, HEALTH_BAD, "and then no mail is sent"},
		{-9, -1, 0, HEALTH_BAD, "ran out at"},
		{2, 90, 0, HEALTH_BAD, "not valid yet"},
	};
	struct seen seen;
	look(rig, &seen);
	assert_false(was_checked(&seen, "credential:smime"));
	rig_configure(rig, "smime = { certificate = \"smime.pem\"; chain = \"smime-chain.pem\"; key_from = "
			   "\"credential:smime\"; };");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		certificate_mail(rig->dir,
			&(struct mail_certificate){.mail = rig->settings->from_mail,
				.from = rig->clock.now + 86400LL * cases[i].from,
				.until = rig->clock.now + 86400LL * cases[i].until,
				.chain_until = cases[i].chain_until
						       ? rig->clock.now + 86400LL * cases[i].chain_until
						       : 0});
		look(rig, &seen);
		expect(&seen, "credential:smime", cases[i].level, cases[i].words);
	}
	certificate_mail(rig->dir, &(struct mail_certificate){.mail = "other@example.jp",
					   .from = rig->clock.now - 1,
					   .until = rig->clock.now + 86400 * 90});
	look(rig, &seen);
	expect(&seen, "credential:smime", HEALTH_BAD, "must be among the addresses");
	rig_write(rig, "smime.pem", "none");
	look(rig, &seen);
	expect(&seen, "credential:smime", HEALTH_BAD, "not one in PEM");
}

static void test_health__dkim_key(void **state)
{
	struct rig *rig = *state;
	struct seen seen;
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes;
	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
	long len = BIO_get_mem_data(bio, &bytes);
	char *pem = xstrndup(bytes, (size_t)len);
	rig_write(rig, "dkim.pem", pem);
	rig_configure(rig,
		"dkim = ( { domain = \"sa.example.jp\"; selector = \"sa1\"; key_from = \"dkim.pem\"; },"
		" { domain = \"sa.example.jp\"; selector = \"sa2\"; key_from = \"credential:dkim\"; } );");
	look(rig, &seen);
	expect(&seen, "credential:dkim sa1", HEALTH_GOOD, "ed25519-sha256");
	/* What only the sender's unit is given is left out here. */
	assert_false(was_checked(&seen, "credential:dkim sa2"));
	rig_write(rig, "dkim.pem", "-----BEGIN PRIVATE KEY-----\nxx\n-----END PRIVATE KEY-----\n");
	look(rig, &seen);
	expect(&seen, "credential:dkim sa1", HEALTH_BAD, "");
	free(pem);
	BIO_free(bio);
	EVP_PKEY_free(key);
}

/* ---- metrics ---- */

static int64_t metric(const char *text, const char *name)
{
	struct str line = STR_INIT;
	str_printf(&line, "\n%s ", name);
	const char *at = strstr(text, line.s);
	if (!at)
		fail_msg("%s is not in the metrics", name);
	int64_t value = strtoll(at + line.len, NULL, 10);
	str_free(&line);
	return value;
}

static void test_metrics__values(void **state)
{
	struct rig *rig = *state;
	struct str out = STR_INIT;
	struct tally tally;
	for (int n = 1; n <= 3; n++)
		(void)rig_apply(rig, n);
	assert_int_equal(rig_send(rig), 3);
	set_fact(rig, "sender.fault", "The mail server refused the login for office@example.jp.");
	assert_ok(tally_make(&rig->office, 1, &tally, rig->pool, &rig_err));
	assert_ok(metrics_print(&rig->office, &tally, &out, &rig_err));
	assert_int_equal(metric(out.s, "sengen_applications_total"), 3);
	assert_int_equal(metric(out.s, "sengen_notices_sent_total"), 3);
	assert_int_equal(metric(out.s, "sengen_declarations{state=\"received\"}"), 3);
	assert_int_equal(metric(out.s, "sengen_health{check=\"server\"}"), HEALTH_BAD);
	assert_int_equal(metric(out.s, "sengen_health_worst"), HEALTH_BAD);
	assert_int_equal(metric(out.s, "sengen_last_sent_timestamp_seconds"), rig->clock.now);
	assert_null(strstr(out.s, "example"));
	assert_null(strstr(out.s, "サンプル"));
	str_free(&out);
}

/* A label of a key that the configuration names stays one label. */
static void test_metrics__labels_are_escaped(void **state)
{
	struct rig *rig = *state;
	struct str out = STR_INIT;
	struct tally tally;
	rig_write(rig, "dkim.pem", "no key\n");
	rig_configure(rig, "dkim = ( { domain = \"sa.example.jp\"; selector = \"a\\\\b\"; key_from = "
			   "\"dkim.pem\"; } );");
	assert_ok(tally_make(&rig->office, 1, &tally, rig->pool, &rig_err));
	assert_ok(metrics_print(&rig->office, &tally, &out, &rig_err));
	assert_non_null(strstr(out.s, "sengen_health{check=\"credential:dkim a\\\\b\"} 2\n"));
	str_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_health__all_is_good, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_health__same_order_each_time, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_health__faults_of_roles, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_health__queue_grows_old, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_health__paused, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_health__outbox_near_its_bound, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_health__late_and_overdue, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_health__review_grows_old, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_health__clock_set_back, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_health__silence, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_health__books, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_health__restored, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_health__roles_by_their_locks, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_health__disk_is_short, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_health__mailbox_not_read, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_health__certificate_runs_out, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_health__ca_file_is_missing, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_health__server_certificates, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_health__smime_certificate, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_health__dkim_key, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_metrics__values, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_metrics__labels_are_escaped, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
