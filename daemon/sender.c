/*
 * The role sender: outbox → mail server.
 *
 * A step takes the answers that have come, records them and claims the next mails in one transaction, and hands those to transport children,
 * one connection each. There are never more claims than connections; what is claimed is at most one mail a connection.
 */
#include <inttypes.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "daemon/handover.h"
#include "daemon/role.h"
#include "daemon/zygote.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/mailaddr.h"
#include "lib/desk/health.h"
#include "lib/desk/restored.h"
#include "lib/desk/sent_log.h"
#include "lib/mail/dkim.h"
#include "lib/mail/rate.h"
#include "lib/mail/retry.h"

#define LINES_MAX 64 /* most that `connections` can be */
#define IDLE_SECONDS 10 /* then a connection is ended: servers don't like silent guests */
#define ANSWER_MS 10000 /* for a frame that has begun */
#define FLIGHT_GRACE_SECONDS 60
#define GATHER_NS 100000
#define GATHER_TIMES 30 /* 3 ms: what a mail takes on its way through servers near and far is more */
#define HEAP_KEPT                                                                                            \
	(8 * 1024 *                                                                                          \
		1024) /* each letter takes and frees the same buffers: the heap's end is not given back each time */
#define FACT_FAULT "sender.fault"
#define FACT_FAULT_JA "sender.fault_ja"
#define AHEAD_SECONDS 60 /* so long a letter that was made ready stays so: its signature says when */
#define WITHHELD "テスト運用のため送信していません (withheld: test mode)"

enum line_state {
	LINE_FREE,
	LINE_FLYING, /* a mail was handed over and not answered */
	LINE_ANSWERED, /* what became of it is known, and not recorded */
};

struct letter { /* one notice, as it leaves */
	struct str wire;
	struct str fields; /* its DKIM-Signature fields */
	struct str signature, certificates; /* its S/MIME signature, where it was made just now */
};

#define LETTER_INIT ((struct letter){STR_INIT, STR_INIT, STR_INIT, STR_INIT})

struct ahead { /* a letter made ready before its notice is claimed */
	int64_t notice_id; /* 0: none */
	utc_time at;
	uint8_t digest[SHA256_LEN]; /* of the notice then */
	struct letter letter;
};

struct line { /* one transport child */
	enum line_state state;
	int fd; /* -1: no child */
	int mails; /* it has carried */
	int64_t since_ms; /* in this state */
	bool outdated; /* the configuration changed: ends after its mail */
	bool logged; /* its answer stands in the transport's own log: a transaction that is made again writes it once */
	struct pool *pool; /* of the notice */
	struct notice notice;
	struct letter letter;
	struct delivery delivery;
};

struct told { /* an answer that was recorded, for the log */
	int64_t notice_id, application_id;
	const char *template_name;
	enum outcome outcome;
	int code;
	const char *phase; /* static */
};

struct sender {
	struct line line[LINES_MAX];
	struct rate *rate;
	struct sender_health health;
	bool fault_now; /* trouble of ours, seen since the last verdict of the server */
	bool fault_noted; /* the register says so */
	struct delivery fault, noted; /* the last one, and the one that the register tells of */
	int64_t turn; /* which sender of this register this one is */
	struct health_certificate certificate; /* of the mail server, as the register has it */
	bool more; /* fewer were claimed than there are lines, and more may be due */
	struct notice claimed[LINES_MAX];
	int claimed_count;
	struct pool *pool; /* of the claims */
	struct told told[LINES_MAX];
	int told_count;
	struct pool *told_pool;
	struct ahead ahead[LINES_MAX];
	struct str payload;
};

/*
 * A sender that was stopped for long, and lost its lock meanwhile (it lay on another machine, somebody removed it), must write nothing when it goes on: another
 * has recovered its claims. So each start takes the next number, and whoever writes must still have the last one.
 */
#define FACT_TURN "sender.turn"

static enum rc turn_read(struct store *store, int64_t *turn, struct err *err)
{
	struct str value = STR_INIT;
	enum rc rc = fact_get(store, FACT_TURN, &value, err);
	*turn = strtoll(value.s, NULL, 10);
	str_free(&value);
	return rc;
}

static enum rc turn_take(struct role_context *ctx, int64_t *turn, struct err *err)
{
	struct store *store = ctx->office.store;
	char text[24];
	enum rc rc = store_begin(store, err);
	rc = rc ? rc : turn_read(store, turn, err);
	(void)snprintf(text, sizeof text, "%" PRId64, ++*turn);
	rc = rc ? rc : fact_set(store, FACT_TURN, text, err);
	rc = rc ? rc : store_commit(store, err);
	if (rc && store_in_transaction(store))
		store_rollback(store);
	return rc;
}

static enum rc turn_check(struct role_context *ctx, struct err *err)
{
	const struct sender *sender = ctx->state;
	int64_t turn;
	enum rc rc = turn_read(ctx->office.store, &turn, err);
	if (!rc && turn != sender->turn)
		rc = err_set(err, RC_REFUSED,
			"Another sender has taken over this register while this one was stopped: it writes "
			"nothing more. End it.");
	return rc;
}

static int64_t mono_ms(void)
{
	const struct clock system = clock_system();
	return clock_mono_ms(&system);
}

static struct retry_policy policy_of(const struct settings *settings)
{
	return (struct retry_policy){
		.first_seconds = settings->retry_first_seconds,
		.last_seconds = settings->retry_last_seconds,
		.lifetime_seconds = settings->lifetime_hours * 3600,
		.fault_seconds = settings->fault_pause_seconds,
	};
}

static struct rate_limits limits_of(const struct settings *settings)
{
	return (struct rate_limits){
		.per_minute = settings->rate_per_minute,
		.per_day = settings->rate_per_day,
		.per_domain = settings->rate_per_domain,
	};
}

static int count_lines(const struct sender *sender, enum line_state state)
{
	int count = 0;
	for (int i = 0; i < LINES_MAX; i++)
		count += sender->line[i].state == state;
	return count;
}

/* ---- lines ---- */

static void enter_state(struct line *line, enum line_state state)
{
	line->state = state;
	line->since_ms = mono_ms();
}

/* The child sends QUIT and ends by itself. */
static void line_close(struct line *line)
{
	if (line->fd >= 0)
		(void)close(line->fd);
	line->fd = -1;
	line->mails = 0;
	line->outdated = false;
}

static enum rc line_open(struct role_context *ctx, struct line *line, struct err *err)
{
	const struct transport_settings *transport = &ctx->settings->transport;
	struct secret password = SECRET_INIT;
	struct str payload = STR_INIT;
	enum rc rc = RC_OK;
	/* A token is read by the child, anew for each connection. */
	bool wants_password =
		!transport->maildir && (transport->auth == AUTH_PLAIN || transport->auth == AUTH_LOGIN);
	if (wants_password)
		rc = secret_read(&password, transport->password_from, err);
	if (rc == RC_OK)
		rc = zygote_child(&ctx->zygote, CHILD_TRANSPORT, &line->fd, err);
	if (rc == RC_OK) {
		handover_put_server(&payload, transport);
		if (!wire_send(line->fd, WIRE_SERVER, payload.s, payload.len) ||
			!wire_send_secret(line->fd, &password)) {
			line_close(line);
			rc = err_set(err, RC_SERVER,
				"The process for a connection to the mail server died at its start.");
		}
	}
	secret_free(&password);
	str_free(&payload);
	return rc;
}

/* What is known now; recorded in the next transaction. by_server: the server or the way to it said so, not the office by itself. */
static void line_answer(struct role_context *ctx, struct line *line, const struct delivery *delivery,
	bool by_server, utc_time now)
{
	struct sender *sender = ctx->state;
	const struct retry_policy policy = policy_of(ctx->settings);
	bool verdict = delivery->outcome <= OUTCOME_PERMANENT;
	line->delivery = *delivery;
	line->delivery.at = now; /* recording it may take more than one try */
	line->mails++;
	enter_state(line, LINE_ANSWERED);
	if (delivery->outcome == OUTCOME_ACCEPTED)
		rate_accepted(sender->rate, now);
	if (verdict && !by_server) {
		/* It says nothing about the server. */
	} else if (health_note(&sender->health, &policy, delivery, now)) {
		sender->fault_now = true;
		sender->fault = *delivery;
	} else if (verdict) {
		sender->fault_now = false;
	}
	/* After trouble of ours the next child reads the password anew. */
	if (line->mails >= ctx->settings->mails_per_connection || line->outdated ||
		delivery->outcome == OUTCOME_FAULT)
		line_close(line);
}

static void line_answer_text(struct role_context *ctx, struct line *line, enum outcome outcome,
	const char *phase, const char *text, utc_time now)
{
	struct delivery delivery = {.outcome = outcome, .phase = phase};
	(void)snprintf(delivery.reply, sizeof delivery.reply, "%.*s", (int)sizeof delivery.reply - 1, text);
	line_answer(ctx, line, &delivery, false, now);
}

/* ---- answers ---- */

/* Longer than a child's own time-outs can make it. */
static int64_t flight_ms(const struct settings *settings)
{
	const struct transport_settings *transport = &settings->transport;
	return 1000 * (2 * (int64_t)transport->connect_seconds + 4 * (int64_t)transport->reply_seconds +
			      transport->dot_seconds + FLIGHT_GRACE_SECONDS);
}

static void take_answer(struct role_context *ctx, struct line *line, utc_time now)
{
	struct sender *sender = ctx->state;
	struct delivery delivery;
	enum wire_type type;
	if (wire_receive_alone(line->fd, &type, &sender->payload, ANSWER_MS) == 1 && type == WIRE_DELIVERY &&
		handover_get_delivery(&delivery, &sender->payload)) {
		line_answer(ctx, line, &delivery, true, now);
		return;
	}
	/* It had the whole mail; whether the server has it, nobody knows. */
	line_close(line);
	line_answer_text(ctx, line, OUTCOME_UNKNOWN, "dot", "the process that held the connection died", now);
}

/* Takes what has come; waits up to timeout_ms for the first. */
static void take_answers(struct role_context *ctx, int timeout_ms, utc_time now)
{
	struct sender *sender = ctx->state;
	struct pollfd flying[LINES_MAX];
	struct line *line_of[LINES_MAX];
	nfds_t count = 0;
	for (int i = 0; i < LINES_MAX; i++) {
		if (sender->line[i].state != LINE_FLYING)
			continue;
		line_of[count] = &sender->line[i];
		flying[count++] = (struct pollfd){.fd = sender->line[i].fd, .events = POLLIN};
	}
	if (count == 0)
		return;
	int ready = poll(flying, count, timeout_ms);
	int64_t limit = flight_ms(ctx->settings), mono = mono_ms();
	for (nfds_t i = 0; i < count; i++) {
		if (ready > 0 && flying[i].revents) {
			take_answer(ctx, line_of[i], now);
		} else if (mono - line_of[i]->since_ms > limit) {
			line_close(line_of[i]);
			line_answer_text(
				ctx, line_of[i], OUTCOME_UNKNOWN, "dot", "the connection is dead", now);
		}
	}
}

/*
 * Each commit waits twice for the disk, so the first answers wait a little for others, until eight lines of nine are done, for 3 ms at most: a slow one holds nobody back. Looked
 * at now and then, not at each answer: it would wake the role for each.
 */
static void gather_answers(struct role_context *ctx, utc_time now)
{
	const struct sender *sender = ctx->state;
	for (int times = 0; times < GATHER_TIMES; times++) {
		int answered = count_lines(sender, LINE_ANSWERED);
		if (answered == 0 || answered >= 8 * count_lines(sender, LINE_FLYING))
			return;
		const struct timespec pause = {.tv_nsec = GATHER_NS};
		(void)nanosleep(&pause, NULL);
		take_answers(ctx, 0, now);
	}
}

/* ---- trouble of ours, in the register ---- */

static const struct {
	const char *phase, *text, *text_ja;
} fault_sentences[] = {
	{"connect", "The mail server could not be reached", "メールサーバーに接続できません"},
	{"tls", "The connection to the mail server is not safe: certificate, host name or TLS",
		"メールサーバーとの暗号化通信を確認できません（証明書・ホスト名・TLS）"},
	{"auth", "The mail server refused the login; check user, password or token",
		"メールサーバーへのログインに失敗しました（ユーザー名・パスワード・トークンを確認してください"
		"）"},
	{"mail", "The mail server refuses our sender address",
		"メールサーバーが差出人アドレスを拒否しています"},
	{"sign", "Mails can't be signed (S/MIME, DKIM)", "メールに電子署名を付けられません（S/MIME・DKIM）"},
	{"letter", "A mail could not be made ready", "メールを準備できません"},
	{NULL, "The mail server stopped taking mails", "メールサーバーがメールの受け付けを止めています"},
};

static void fault_print(struct str *text, struct str *text_ja, const struct delivery *fault)
{
	size_t i = 0;
	while (fault_sentences[i].phase && strcmp(fault_sentences[i].phase, fault->phase) != 0)
		i++;
	struct str detail = STR_INIT;
	if (fault->reply_code)
		str_printf(&detail, "%d ", fault->reply_code);
	str_addz(&detail, fault->reply);
	str_printf(text, "%s (%s). Mails wait and are tried again by themselves.", fault_sentences[i].text,
		detail.s);
	str_printf(text_ja, "%s（%s）。メールは送信待ちのまま、自動的に再試行します。",
		fault_sentences[i].text_ja, detail.s);
	str_free(&detail);
}

static enum rc note_fault(struct role_context *ctx, struct err *err)
{
	struct sender *sender = ctx->state;
	struct str text = STR_INIT, text_ja = STR_INIT;
	if (sender->fault_now)
		fault_print(&text, &text_ja, &sender->fault);
	enum rc rc = fact_set(ctx->office.store, FACT_FAULT, sender->fault_now ? text.s : NULL, err);
	if (rc == RC_OK)
		rc = fact_set(ctx->office.store, FACT_FAULT_JA, sender->fault_now ? text_ja.s : NULL, err);
	str_free(&text);
	str_free(&text_ja);
	return rc;
}

/* There is one, or none any more, or it is another than the register tells of. */
static bool fault_has_changed(const struct sender *sender)
{
	bool same = sender->fault.reply_code == sender->noted.reply_code &&
		    strcmp(sender->fault.phase, sender->noted.phase) == 0;
	return sender->fault_now != sender->fault_noted || (sender->fault_now && !same);
}

static void log_fault_change(struct sender *sender)
{
	if (!fault_has_changed(sender))
		return;
	if (sender->fault_now)
		log_event(LEVEL_FAULT, "sender.fault", "phase=%s code=%d reason=\"%s\"", sender->fault.phase,
			sender->fault.reply_code, sender->fault.reply);
	else
		log_event(LEVEL_NOTICE, "sender.recovered", "state=sending");
	sender->fault_noted = sender->fault_now;
	sender->noted = sender->fault;
}

/* ---- the transaction: results in, claims out ---- */

static enum rc record(struct role_context *ctx, const struct line *line, utc_time now, struct err *err)
{
	const struct retry_policy policy = policy_of(ctx->settings);
	struct notice notice = line->notice; /* a transaction that fails is made again from the same */
	retry_settle(&policy, &notice, &line->delivery, now);
	bool left = line->delivery.outcome == OUTCOME_ACCEPTED || line->delivery.outcome == OUTCOME_UNKNOWN;
	const struct letter *letter = &line->letter;
	bool has_fields = left && letter->fields.len > 0;
	enum rc rc = RC_OK;
	if (left && letter->signature.len > 0)
		rc = outbox_signature_set(
			ctx->office.store, notice.id, &letter->signature, &letter->certificates, err);
	return rc ? rc
		  : office_delivered(&ctx->office, &notice, &line->delivery,
			    has_fields ? letter->fields.s : NULL, has_fields ? letter->fields.len : 0, err);
}

static enum rc claim(struct role_context *ctx, int limit, utc_time now, struct err *err)
{
	struct sender *sender = ctx->state;
	sender->claimed_count = 0;
	sender->more = false;
	pool_reset(sender->pool);
	while (sender->claimed_count < limit) {
		int left = limit - sender->claimed_count, count = 0;
		int64_t room = rate_room(
			sender->rate, count_lines(sender, LINE_FLYING) + sender->claimed_count, now);
		int wanted = room < left ? (int)room : left;
		if (wanted == 0)
			break;
		enum rc rc =
			outbox_claim(ctx->office.store, now, wanted, rate_full_domains(sender->rate, now),
				sender->claimed + sender->claimed_count, &count, sender->pool, err);
		if (rc != RC_OK)
			return rc;
		for (int i = 0; i < count; i++)
			rate_leaves(sender->rate, sender->claimed[sender->claimed_count + i].domain, now);
		sender->claimed_count += count;
		if (count < wanted)
			return RC_OK;
	}
	sender->more = sender->claimed_count > 0;
	return RC_OK;
}

static enum rc within_transaction(struct role_context *ctx, int limit, utc_time now, struct err *err)
{
	struct sender *sender = ctx->state;
	enum rc rc = RC_OK;
	for (int i = 0; i < LINES_MAX && rc == RC_OK; i++)
		if (sender->line[i].state == LINE_ANSWERED)
			rc = record(ctx, &sender->line[i], now, err);
	for (int i = 0; i < LINES_MAX && rc == RC_OK; i++)
		if (sender->line[i].state == LINE_ANSWERED)
			rc = health_certificate_note(ctx->office.store, FACT_TRANSPORT_CERTIFICATE,
				&sender->certificate, sender->line[i].delivery.certificate_until, now, err);
	if (rc == RC_OK && fault_has_changed(sender))
		rc = note_fault(ctx, err);
	/* Asked once more: a pause that has come since holds from its own transaction on. */
	bool may = false;
	if (rc == RC_OK && limit > 0)
		rc = office_may_send(&ctx->office, &may, err);
	if (rc == RC_OK && may)
		rc = claim(ctx, limit, now, err);
	return rc;
}

/* Before the register: what it books as sent stands in the log, whatever dies in between. */
static enum rc log_accepted(struct role_context *ctx, struct err *err)
{
	struct sender *sender = ctx->state;
	struct sent_log_line accepted[LINES_MAX];
	int count = 0;
	for (int i = 0; i < LINES_MAX; i++) {
		const struct line *line = &sender->line[i];
		if (line->state == LINE_ANSWERED && line->delivery.outcome == OUTCOME_ACCEPTED &&
			!line->logged)
			accepted[count++] = (struct sent_log_line){.at = line->delivery.at,
				.notice_id = line->notice.id,
				.reply_code = line->delivery.reply_code};
	}
	enum rc rc = count ? sent_log_add(ctx->settings, accepted, count, !ctx->simulating, err) : RC_OK;
	for (int i = 0; i < LINES_MAX && !rc; i++)
		sender->line[i].logged = sender->line[i].state == LINE_ANSWERED;
	return rc;
}

/* The lines are free for their next mails; what is to be said about these is kept. */
static void take_down(struct sender *sender)
{
	sender->told_count = 0;
	pool_reset(sender->told_pool);
	for (int i = 0; i < LINES_MAX; i++) {
		struct line *line = &sender->line[i];
		if (line->state != LINE_ANSWERED)
			continue;
		sender->told[sender->told_count++] = (struct told){.notice_id = line->notice.id,
			.application_id = line->notice.application_id,
			.template_name = pool_strdup(sender->told_pool, line->notice.template_name),
			.outcome = line->delivery.outcome,
			.code = line->delivery.reply_code,
			.phase = line->delivery.phase};
		line->logged = false;
		enter_state(line, LINE_FREE);
	}
}

/* After the lines have their next mails: they would wait for it. */
static void tell(struct role_context *ctx)
{
	struct sender *sender = ctx->state;
	bool accepted = false;
	for (int i = 0; i < sender->told_count; i++) {
		const struct told *told = &sender->told[i];
		bool sent = told->outcome == OUTCOME_ACCEPTED;
		accepted = accepted || sent;
		log_event(LEVEL_NOTICE, sent ? "notice.sent" : "notice.not-sent",
			"notice=%" PRId64 " application=%" PRId64 " template=%s outcome=%s code=%d phase=%s",
			told->notice_id, told->application_id, told->template_name,
			outcome_name(told->outcome), told->code, told->phase);
	}
	sender->told_count = 0;
	if (accepted) /* a stage at distance 0 may be due by that */
		role_wake(ctx->settings, "scheduler");
	if (accepted && ctx->settings->mailbox.sent) /* copies wait to be filed */
		role_wake(ctx->settings, "mailbox");
}

/* limit: mails to claim at most. */
static enum rc exchange(struct role_context *ctx, int limit, utc_time now, struct err *err)
{
	struct sender *sender = ctx->state;
	struct store *store = ctx->office.store;
	sender->claimed_count = 0;
	sender->more = false;
	if (count_lines(sender, LINE_ANSWERED) == 0) {
		/* Nothing is written, and no lock taken, while nothing is due. */
		utc_time first = UTC_NEVER;
		if (limit == 0)
			return RC_OK;
		enum rc rc = outbox_next_try(store, INT64_MIN, &first, err);
		if (rc != RC_OK || first > now)
			return rc;
	}
	enum rc rc = log_accepted(ctx, err);
	rc = rc ? rc : store_begin(store, err);
	if (rc != RC_OK)
		return rc;
	rc = turn_check(ctx, err);
	rc = rc ? rc : within_transaction(ctx, limit, now, err);
	if (rc == RC_OK)
		rc = store_commit(store, err);
	if (rc != RC_OK) {
		if (store_in_transaction(store))
			store_rollback(store);
		sender->certificate = (struct health_certificate){0};
		sender->claimed_count = 0;
		return rc;
	}
	take_down(sender);
	log_fault_change(
		sender); /* what the transaction said, not what comes up while mails are handed over */
	return RC_OK;
}

/* ---- handing over ---- */

static void notice_copy(struct line *line, const struct notice *notice)
{
	pool_reset(line->pool);
	line->notice = *notice;
	const char **text[] = {&line->notice.template_name, &line->notice.reply, &line->notice.recipient,
		&line->notice.domain, &line->notice.message_id, &line->notice.bounce_address};
	for (size_t i = 0; i < sizeof text / sizeof text[0]; i++)
		*text[i] = pool_strdup(line->pool, *text[i] ? *text[i] : "");
}

/* Test mode: only the addresses and @domains of `allow` are mailed. */
static bool is_allowed(const struct settings *settings, const char *recipient)
{
	struct mailaddr address, allowed;
	if (settings->allow.count == 0)
		return true;
	if (mailaddr_read(&address, recipient) != MAILADDR_OK)
		return false;
	struct str key = STR_INIT, other = STR_INIT;
	bool found = false;
	mailaddr_key(&key, &address);
	for (size_t i = 0; i < settings->allow.count && !found; i++) {
		const char *entry = settings->allow.item[i];
		str_clear(&other);
		if (entry[0] == '@')
			found = strcasecmp(entry + 1, address.domain) == 0;
		else if (mailaddr_read(&allowed, entry) == MAILADDR_OK) {
			mailaddr_key(&other, &allowed);
			found = strcmp(key.s, other.s) == 0;
		}
	}
	str_free(&key);
	str_free(&other);
	return found;
}

/* With what it was signed with when it was sent before. */
static enum rc read_letter(
	struct role_context *ctx, const struct notice *notice, struct letter *letter, struct err *err)
{
	str_clear(&letter->wire);
	str_clear(&letter->fields);
	str_clear(&letter->signature);
	return office_letter_of(&ctx->office, notice, &letter->wire, &letter->fields, err);
}

static enum rc smime_put(struct role_context *ctx, const struct notice *notice, struct letter *letter,
	utc_time now, struct err *err)
{
	const struct smime_signer *signer = ctx->office.secrets->smime;
	struct str kept = STR_INIT, signed_wire = STR_INIT;
	enum rc rc = outbox_signature(ctx->office.store, notice->id, &kept, &letter->certificates, err);
	bool is_signed = kept.len > 0;
	str_free(&kept);
	if (rc != RC_OK || is_signed)
		return rc;
	str_clear(&letter->certificates);
	smime_certificates(signer, &letter->certificates);
	rc = smime_sign(&letter->signature, signer, letter->wire.s, letter->wire.len, now, err);
	rc = rc ? rc
		: smime_join(&signed_wire, letter->wire.s, letter->wire.len, &letter->signature,
			  &letter->certificates, err);
	if (rc == RC_OK) {
		str_clear(&letter->wire);
		str_add(&letter->wire, signed_wire.s, signed_wire.len);
	}
	str_free(&signed_wire);
	return rc;
}

/* A letter sent before keeps its signatures, or goes without as it went: a second copy is the same bytes. DKIM signs what S/MIME has made. */
static enum rc sign_letter(struct role_context *ctx, const struct notice *notice, struct letter *letter,
	utc_time now, struct err *err)
{
	const struct secrets *secrets = ctx->office.secrets;
	if (letter->fields.len > 0)
		return RC_OK;
	enum rc rc = RC_OK;
	if (secrets->smime)
		rc = smime_put(ctx, notice, letter, now, err);
	else if (ctx->settings->smime.certificate)
		rc = err_set(err, RC_CONFIG, "the S/MIME certificate was not read; restart the daemon");
	if (rc == RC_OK && secrets->dkim_count > 0)
		rc = dkim_sign(&letter->fields, secrets->dkim, secrets->dkim_count, letter->wire.s,
			letter->wire.len, now, err);
	return rc;
}

/* notice_id 0: one that is free. */
static struct ahead *find_ahead(struct sender *sender, int64_t notice_id)
{
	for (int i = 0; i < LINES_MAX; i++)
		if (sender->ahead[i].notice_id == notice_id)
			return &sender->ahead[i];
	return NULL;
}

/* The bytes of a letter stay while its notice waits, and only this process claims it: what was made ready is what would be made now. */
static bool take_ahead(
	struct sender *sender, const struct notice *notice, struct letter *letter, utc_time now)
{
	struct ahead *ahead = find_ahead(sender, notice->id);
	if (!ahead)
		return false;
	const struct letter old = *letter;
	*letter = ahead->letter;
	ahead->letter = old;
	ahead->notice_id = 0;
	return ahead->at <= now && now - ahead->at < AHEAD_SECONDS &&
	       memcmp(ahead->digest, notice->digest, SHA256_LEN) == 0;
}

/* A damaged letter is one notice's trouble and ends with its life-time in review; a missing key or a certificate that ran out is everybody's. */
static bool make_ready(struct role_context *ctx, struct line *line, utc_time now)
{
	struct err err = {0};
	const char *phase = "letter";
	if (take_ahead(ctx->state, &line->notice, &line->letter, now))
		return true;
	enum rc rc = read_letter(ctx, &line->notice, &line->letter, &err);
	if (rc == RC_OK) {
		phase = "sign";
		rc = sign_letter(ctx, &line->notice, &line->letter, now, &err);
	}
	if (rc == RC_OK)
		return true;
	bool ours = rc == RC_CONFIG;
	if (!ours)
		log_event(LEVEL_FAULT, "notice.unreadable", "notice=%" PRId64 " reason=\"%s\"",
			line->notice.id, err.text);
	line_answer_text(ctx, line, ours ? OUTCOME_FAULT : OUTCOME_TEMPORARY, phase, err.text, now);
	return false;
}

/* Stages go on as if it had been sent; the reply says that it was not. */
static void withhold(struct role_context *ctx, struct line *line, struct parcel *parcel, utc_time now)
{
	struct str path = STR_INIT, whole = STR_INIT;
	struct err err;
	path_join(&path, ctx->settings->state_directory, "withheld");
	str_add(&whole, line->letter.fields.s, line->letter.fields.len);
	str_add(&whole, line->letter.wire.s, line->letter.wire.len);
	parcel->wire = whole.s;
	parcel->len = whole.len;
	struct delivery delivery = {
		.outcome = OUTCOME_ACCEPTED, .reply_code = 250, .phase = "dot", .reply = WITHHELD};
	if (maildir_deliver(path.s, parcel, &err) == RC_OK)
		line_answer(ctx, line, &delivery, false, now);
	else
		line_answer_text(ctx, line, OUTCOME_FAULT, "letter", err.text, now);
	str_free(&path);
	str_free(&whole);
}

static void hand_over(struct role_context *ctx, struct line *line, const struct notice *notice, utc_time now)
{
	struct sender *sender = ctx->state;
	struct err err = {0};
	char name[48];
	notice_copy(line, notice);
	/* A Maildir takes a name once. The number alone would be met again by a register begun anew or restored, and its letter be lost. */
	(void)snprintf(name, sizeof name, "notice-%010" PRId64 "-%02x%02x%02x%02x", notice->id,
		notice->digest[0], notice->digest[1], notice->digest[2], notice->digest[3]);
	struct parcel parcel = {
		.name = name, .sender = line->notice.bounce_address, .recipient = line->notice.recipient};
	if (!make_ready(ctx, line, now))
		return;
	parcel.wire = line->letter.wire.s;
	parcel.len = line->letter.wire.len;
	if (!is_allowed(ctx->settings, line->notice.recipient)) {
		withhold(ctx, line, &parcel, now);
		return;
	}
	if (line->fd < 0 && line_open(ctx, line, &err) != RC_OK) {
		line_answer_text(ctx, line, OUTCOME_FAULT, "letter", err.text, now);
		return;
	}
	str_clear(&sender->payload);
	handover_put_mail(&sender->payload, &parcel, line->letter.fields.s, line->letter.fields.len);
	enter_state(line, LINE_FLYING);
	if (!wire_send(line->fd, WIRE_MAIL, sender->payload.s, sender->payload.len)) {
		line_close(line); /* a child that did not get all of it sends none of it */
		line_answer_text(ctx, line, OUTCOME_NOT_SENT, "connect",
			"the process for the connection had died", now);
	}
}

static void hand_over_all(struct role_context *ctx, utc_time now)
{
	struct sender *sender = ctx->state;
	struct err err;
	int line = 0;
	if (sender->claimed_count == 0)
		return;
	(void)store_look(ctx->office.store, &err); /* letters can be read one by one, too */
	for (int i = 0; i < sender->claimed_count; i++) {
		while (sender->line[line].state != LINE_FREE)
			line++;
		hand_over(ctx, &sender->line[line], &sender->claimed[i], now);
	}
	store_looked(ctx->office.store);
	sender->claimed_count = 0;
}

/* ---- the next letters, while the mail server takes these ---- */

static void forget_ahead(struct sender *sender, const struct notice *notices, int count)
{
	for (int i = 0; i < LINES_MAX; i++) {
		bool wanted = false;
		for (int j = 0; j < count && !wanted; j++)
			wanted = sender->ahead[i].notice_id == notices[j].id;
		if (!wanted)
			sender->ahead[i].notice_id = 0;
	}
}

/* How many could be claimed once all lines are free. */
static int room_ahead(struct role_context *ctx, utc_time now)
{
	struct sender *sender = ctx->state;
	int most = (int)ctx->settings->connections;
	if (!sender->more || sender->health.faults > 0)
		return 0;
	int64_t room = rate_room(sender->rate, count_lines(sender, LINE_FLYING), now);
	return room < most ? (int)room : most;
}

/* The claim decides what leaves; whatever goes wrong here is met again there, and told. */
static void work_ahead(struct role_context *ctx, utc_time now)
{
	struct sender *sender = ctx->state;
	struct store *store = ctx->office.store;
	struct err ignored;
	int count = 0, limit = room_ahead(ctx, now);
	if (limit == 0)
		return;
	pool_reset(sender->pool);
	(void)store_look(store, &ignored);
	if (outbox_waiting(store, now, limit, rate_full_domains(sender->rate, now), sender->claimed, &count,
		    sender->pool, &ignored) != RC_OK)
		count = 0;
	forget_ahead(sender, sender->claimed, count);
	for (int i = 0; i < count; i++) {
		const struct notice *notice = &sender->claimed[i];
		if (find_ahead(sender, notice->id))
			continue;
		struct ahead *ahead = find_ahead(sender, 0);
		enum rc rc = read_letter(ctx, notice, &ahead->letter, &ignored);
		rc = rc ? rc : sign_letter(ctx, notice, &ahead->letter, now, &ignored);
		if (rc)
			continue;
		ahead->notice_id = notice->id;
		ahead->at = now;
		memcpy(ahead->digest, notice->digest, SHA256_LEN);
	}
	store_looked(store);
}

/* ---- the step ---- */

static int free_lines(const struct role_context *ctx)
{
	const struct sender *sender = ctx->state;
	int busy = count_lines(sender, LINE_FLYING);
	return ctx->settings->connections > busy ? (int)ctx->settings->connections - busy : 0;
}

static void close_idle(struct role_context *ctx)
{
	struct sender *sender = ctx->state;
	int64_t mono = mono_ms();
	for (int i = 0; i < LINES_MAX; i++) {
		struct line *line = &sender->line[i];
		if (line->state == LINE_FREE && line->fd >= 0 && mono - line->since_ms >= IDLE_SECONDS * 1000)
			line_close(line);
	}
}

static bool has_open_line(const struct sender *sender)
{
	for (int i = 0; i < LINES_MAX; i++)
		if (sender->line[i].fd >= 0)
			return true;
	return false;
}

static enum rc when_next(struct role_context *ctx, bool may, utc_time now, utc_time *next, struct err *err)
{
	struct sender *sender = ctx->state;
	int flying = count_lines(sender, LINE_FLYING);
	*next = has_open_line(sender) && !ctx->in_turn ? now + IDLE_SECONDS : UTC_NEVER;
	if (count_lines(sender, LINE_ANSWERED) > 0)
		*next = now;
	if (!may || free_lines(ctx) == 0)
		return RC_OK;
	if (health_room(&sender->health, 1, now) == 0) {
		if (sender->health.pause_until < *next)
			*next = sender->health.pause_until;
		return RC_OK;
	}
	utc_time at = rate_next(sender->rate, flying, now);
	if (at < *next)
		*next = at;
	if (rate_room(sender->rate, flying, now) == 0)
		return RC_OK;
	/* During a probe the answer decides. */
	if (sender->more && sender->health.faults == 0)
		*next = now;
	enum rc rc = outbox_next_try(ctx->office.store, now, &at, err);
	if (rc == RC_OK && at < *next)
		*next = at;
	return rc;
}

static enum rc sender_step(struct role_context *ctx, utc_time now, utc_time *next, struct err *err)
{
	struct sender *sender = ctx->state;
	bool may = false;
	do {
		/* In turn all of them are waited for, and recorded in the order of their claims: a simulation repeats bit for bit. */
		do {
			take_answers(ctx, ctx->in_turn ? 1000 : 0, now);
		} while (ctx->in_turn && count_lines(sender, LINE_FLYING) > 0);
		if (!ctx->in_turn)
			gather_answers(ctx, now);
		enum rc rc = office_may_send(&ctx->office, &may, err);
		if (rc == RC_OK)
			rc = exchange(
				ctx, may ? health_room(&sender->health, free_lines(ctx), now) : 0, now, err);
		if (rc != RC_OK)
			return rc;
		hand_over_all(ctx, now);
		tell(ctx);
		work_ahead(ctx, now);
	} while (ctx->in_turn && count_lines(sender, LINE_FREE) < LINES_MAX);
	if (!ctx->in_turn)
		close_idle(ctx);
	return when_next(ctx, may, now, next, err);
}

/* ---- start and end ---- */

static enum rc sender_start(struct role_context *ctx, struct err *err)
{
	struct sender *sender = xcalloc(1, sizeof *sender);
	const struct rate_limits limits = limits_of(ctx->settings);
	utc_time now = clock_now(ctx->office.clock);
	(void)mallopt(M_TRIM_THRESHOLD, HEAP_KEPT);
	ctx->state = sender;
	sender->rate = rate_new(&limits);
	sender->pool = pool_new();
	sender->told_pool = pool_new();
	sender->payload = STR_INIT;
	for (int i = 0; i < LINES_MAX; i++) {
		sender->line[i].fd = -1;
		sender->line[i].letter = sender->ahead[i].letter = LETTER_INIT;
		sender->line[i].pool = pool_new();
	}
	int64_t minute = 0, today = 0;
	int unknown = 0, sent = 0;
	struct str fault = STR_INIT;
	utc_time midnight = civil_moment(civil_day_of(now), 0);
	enum rc rc = turn_take(ctx, &sender->turn, err);
	if (rc == RC_OK)
		rc = claims_settle(&ctx->office, &sent, err);
	if (rc == RC_OK)
		rc = office_recover_sending(&ctx->office, &unknown, err);
	if (rc == RC_OK)
		rc = outbox_sent_since(ctx->office.store, now - 60, NULL, &minute, err);
	if (rc == RC_OK)
		rc = outbox_sent_since(ctx->office.store, midnight, NULL, &today, err);
	if (rc == RC_OK)
		rc = fact_get(ctx->office.store, FACT_FAULT, &fault, err);
	rate_restore(sender->rate, minute, today, now);
	sender->fault_noted = fault.len > 0; /* the first verdict of the server takes it back */
	sender->fault_now = sender->fault_noted;
	sender->fault = sender->noted =
		(struct delivery){.phase = ""}; /* what it was is in the register alone */
	if (unknown + sent > 0)
		log_event(LEVEL_NOTICE, "sender.recovered-claims", "sent=%d unknown=%d", sent, unknown);
	str_free(&fault);
	return rc;
}

static void letter_free(struct letter *letter)
{
	str_wipe(&letter->wire);
	str_free(&letter->fields);
	str_free(&letter->signature);
	str_free(&letter->certificates);
}

static void sender_stop(struct role_context *ctx, int64_t deadline_ms)
{
	struct sender *sender = ctx->state;
	struct err err = {0};
	if (!sender)
		return;
	int64_t left;
	while (count_lines(sender, LINE_FLYING) > 0 && (left = deadline_ms - mono_ms()) > 0)
		take_answers(ctx, left < 1000 ? (int)left : 1000, clock_now(ctx->office.clock));
	if (exchange(ctx, 0, clock_now(ctx->office.clock), &err) != RC_OK)
		log_event(LEVEL_FAULT, "sender.unrecorded", "answers=%d reason=\"%s\"",
			count_lines(sender, LINE_ANSWERED), err.text);
	tell(ctx);
	/* What is in flight still is `sending` in the register: unknown at the next start. */
	for (int i = 0; i < LINES_MAX; i++) {
		line_close(&sender->line[i]);
		letter_free(&sender->line[i].letter);
		letter_free(&sender->ahead[i].letter);
		pool_free(&sender->line[i].pool);
	}
	rate_free(&sender->rate);
	pool_free(&sender->pool);
	pool_free(&sender->told_pool);
	str_wipe(&sender->payload);
	free(sender);
	ctx->state = NULL;
}

static void sender_reload(struct role_context *ctx)
{
	struct sender *sender = ctx->state;
	const struct rate_limits limits = limits_of(ctx->settings);
	rate_change(sender->rate, &limits);
	forget_ahead(sender, NULL, 0); /* the keys may be others */
	for (int i = 0; i < LINES_MAX; i++) {
		if (sender->line[i].state == LINE_FLYING)
			sender->line[i].outdated = true;
		else
			line_close(&sender->line[i]);
	}
}

static int sender_watch(struct role_context *ctx, int *fd, int max)
{
	struct sender *sender = ctx->state;
	int count = 0;
	for (int i = 0; i < LINES_MAX && count < max; i++)
		if (sender->line[i].state == LINE_FLYING)
			fd[count++] = sender->line[i].fd;
	return count;
}

const struct role role_sender = {
	.name = "sender",
	.wants_dkim = true,
	.writes = true,
	.keeps_kib = 2048, /* a queued notice is read once: more is filled by what is not looked at again */
	.children = CHILD_BIT(CHILD_TRANSPORT),
	.start = sender_start,
	.step = sender_step,
	.stop = sender_stop,
	.reload = sender_reload,
	.watch = sender_watch,
};
