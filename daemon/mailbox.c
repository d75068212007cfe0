/*
 * The role mailbox: INBOX → requests. The steps a mail goes through stand in inbox.h.
 *
 * A step does pieces of work, those first that are nearest to their end: read what was taken, move what was read, take what is new. Trouble with the
 * line stops only what needs the line; requests whose moment has come are carried out all the same.
 */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/inbox.h"
#include "daemon/zygote.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/desk/health.h"

#define STEP_MS 200 /* then signals and the watchdog get their turn */
#define REQUESTS_PER_STEP 20
#define REVIEW_SECONDS 3600 /* between looks at what staff moved by hand */
#define SHORT_WAIT_MS 5000 /* a line that dies sooner while waiting is no good line */
#define HEAP_KEPT (8 * 1024 * 1024)
#define FACT_FAULT "mailbox.fault"
#define FACT_FAULT_JA "mailbox.fault_ja"

struct trouble { /* of ours: the register and the log say so once */
	char phase[16]; /* "": none */
	char text[512];
	int64_t until_ms; /* not tried before */
};

enum { LINE, ROOM, COPIES, TROUBLES }; /* the first that there is counts */

struct mailbox_role {
	struct inbox inbox;
	struct trouble trouble[TROUBLES];
	char noted[512]; /* what the register says */
	int64_t waiting_since_ms;
	utc_time requests_at; /* when the next request is due */
	utc_time looked_at; /* in turn: the last look at INBOX */
	struct health_certificate certificate; /* of the IMAP server, as the register has it */
	bool paused; /* staff paused reading, or the register waits to be taken over: mails stay where they are */
};

/* ---- trouble, in the register ---- */

static const struct {
	const char *phase, *text, *text_ja;
} fault_sentences[] = {
	{"connect", "The mailbox could not be reached", "メールボックスのサーバーに接続できません"},
	{"tls", "The connection to the mailbox is not safe: certificate, host name or TLS",
		"メールボックスとの暗号化通信を確認できません（証明書・ホスト名・TLS）"},
	{"auth", "The mailbox refused the login; check user, password or token",
		"メールボックスにログインできません（ユーザー名・パスワード・トークンを確認してください）"},
	{"select", "A folder of the mailbox can't be opened or made",
		"メールボックスのフォルダーを開けません"},
	{"move", "Mails can't be moved to their folders", "メールをフォルダーへ移動できません"},
	{"append", "Copies of sent notices can't be filed", "送信した通知の控えを保存できません"},
	{"room", "There is no room for more mails",
		"ディスクの空きが足りないため、新しいメールを取り込めません"},
	{NULL, "The mailbox can't be read", "メールボックスを読み取れません"},
};

static void trouble_print(struct str *text, struct str *text_ja, const struct trouble *trouble)
{
	size_t i = 0;
	while (fault_sentences[i].phase && strcmp(fault_sentences[i].phase, trouble->phase) != 0)
		i++;
	str_printf(text, "%s (%s). Mails stay where they are and are fetched by themselves later.",
		fault_sentences[i].text, trouble->text);
	str_printf(text_ja, "%s（%s）。メールは失われません。自動的に再試行します。",
		fault_sentences[i].text_ja, trouble->text);
}

/* What the register says of it follows what is so. */
static enum rc note_trouble(struct role_context *ctx, struct mailbox_role *role, struct err *err)
{
	static const struct trouble none = {.until_ms = 0};
	const struct trouble *trouble = &none;
	struct str text = STR_INIT, text_ja = STR_INIT;
	enum rc rc = RC_OK;
	for (int i = TROUBLES - 1; i >= 0; i--)
		if (*role->trouble[i].phase)
			trouble = &role->trouble[i];
	if (*trouble->phase)
		trouble_print(&text, &text_ja, trouble);
	if (strcmp(role->noted, trouble->text) != 0) {
		rc = store_begin(ctx->office.store, err);
		rc = rc ? rc : fact_set(ctx->office.store, FACT_FAULT, text.len ? text.s : NULL, err);
		rc = rc ? rc
			: fact_set(ctx->office.store, FACT_FAULT_JA, text_ja.len ? text_ja.s : NULL, err);
		rc = inbox_end(ctx->office.store, rc, err);
		if (!rc && *trouble->phase)
			log_event(LEVEL_FAULT, "mailbox.fault", "phase=%s reason=\"%s\"", trouble->phase,
				trouble->text);
		else if (!rc)
			log_event(LEVEL_NOTICE, "mailbox.recovered", "state=reading");
		if (!rc)
			(void)snprintf(role->noted, sizeof role->noted, "%s", trouble->text);
	}
	str_free(&text);
	str_free(&text_ja);
	return rc;
}

static void trouble_set(
	struct role_context *ctx, struct trouble *trouble, const char *phase, const char *text)
{
	(void)snprintf(trouble->phase, sizeof trouble->phase, "%s", phase);
	(void)snprintf(trouble->text, sizeof trouble->text, "%.*s", (int)sizeof trouble->text - 1, text);
	trouble->until_ms = clock_machine_ms() + 1000 * ctx->settings->fault_pause_seconds;
}

static void trouble_clear(struct trouble *trouble)
{
	*trouble = (struct trouble){.until_ms = 0};
}

static bool trouble_lasts(const struct trouble *trouble)
{
	return *trouble->phase && clock_machine_ms() < trouble->until_ms;
}

static enum rc note_certificate(
	struct role_context *ctx, struct mailbox_role *role, utc_time now, struct err *err)
{
	utc_time until = role->inbox.line.certificate_until;
	if (!health_certificate_is_news(&role->certificate, until, now))
		return RC_OK;
	enum rc rc = store_begin(ctx->office.store, err);
	rc = rc ? rc
		: health_certificate_note(
			  ctx->office.store, FACT_MAILBOX_CERTIFICATE, &role->certificate, until, now, err);
	return inbox_end(ctx->office.store, rc, err);
}

/* ---- the line ---- */

static enum rc line_open(struct role_context *ctx, struct inbox *inbox, struct err *err)
{
	const struct mailbox_settings *settings = &ctx->settings->mailbox;
	struct secret password = SECRET_INIT;
	enum rc rc = RC_OK;
	if (inbox->line.fd >= 0)
		return RC_OK;
	inbox->selected = false;
	inbox->line.phase = "auth";
	/* A token is read by the child, anew for each connection. */
	bool wants_password = !settings->maildir && settings->auth == AUTH_LOGIN;
	if (wants_password && secret_read(&password, settings->password_from, err))
		rc = RC_SERVER; /* an administrator mends it while the role goes on trying */
	if (!rc)
		rc = mailline_open(&inbox->line, &ctx->zygote, settings, &password, err);
	secret_free(&password);
	return rc;
}

/* ---- pieces ---- */

enum piece { PIECE_NONE, PIECE_READ, PIECE_MOVE, PIECE_TAKE, PIECE_REVIEW, PIECE_COPY };

static enum piece next_piece(struct role_context *ctx, const struct mailbox_role *role, utc_time now)
{
	const struct inbox *inbox = &role->inbox;
	if (inbox->unread && !role->paused)
		return PIECE_READ;
	if (ctx->simulating && !ctx->settings->mailbox.maildir)
		return PIECE_NONE; /* a simulation asks no server */
	if (trouble_lasts(&role->trouble[LINE]))
		return PIECE_NONE;
	bool may = !role->paused, room = !*role->trouble[ROOM].phase;
	if (may && room && inbox->looking)
		return PIECE_TAKE;
	if (inbox->reading)
		return PIECE_READ;
	/* UIDs mean something only behind a look at INBOX, and not before it was looked at anew as a whole. */
	if (inbox->moving || (may && inbox->unmoved && inbox->selected && !inbox->mark.anew))
		return PIECE_MOVE;
	if (may && room && (inbox->look || inbox->unmoved || !inbox->selected))
		return PIECE_TAKE;
	if (may && now >= inbox->review_at && inbox->selected)
		return PIECE_REVIEW;
	if (inbox->copies && !trouble_lasts(&role->trouble[COPIES]))
		return PIECE_COPY;
	return PIECE_NONE;
}

static enum rc do_piece(
	struct role_context *ctx, struct mailbox_role *role, enum piece piece, utc_time now, struct err *err)
{
	struct inbox *inbox = &role->inbox;
	enum rc rc = piece == PIECE_READ ? RC_OK : line_open(ctx, inbox, err);
	if (rc)
		return rc;
	switch (piece) {
	case PIECE_READ:
		return inbox->reading ? inbox_read_end(ctx, inbox, err) : inbox_read(ctx, inbox, err);
	case PIECE_MOVE:
		rc = inbox_fetch_later(inbox, err); /* its answers would come first */
		if (!rc && !inbox->moving)
			rc = inbox_move_begin(ctx, inbox, err);
		return rc ? rc : inbox_move_end(ctx, inbox, err);
	case PIECE_TAKE:
		return inbox_take(ctx, inbox, now, err);
	case PIECE_REVIEW:
		rc = inbox_fetch_later(inbox, err);
		rc = rc ? rc : inbox_look_for_moved(ctx, inbox, err);
		if (!rc)
			inbox->review_at = ctx->simulating ? UTC_NEVER : now + REVIEW_SECONDS;
		return rc;
	case PIECE_COPY:
		rc = inbox_fetch_later(inbox, err);
		return rc ? rc : inbox_copy(ctx, inbox, err);
	case PIECE_NONE:
		break;
	}
	return RC_OK;
}

/* Trouble of the line becomes a pause; all other is the role's. */
static enum rc settle(
	struct role_context *ctx, struct mailbox_role *role, enum piece piece, enum rc rc, struct err *err)
{
	struct inbox *inbox = &role->inbox;
	if (rc == RC_OK) {
		if (piece == PIECE_COPY)
			trouble_clear(&role->trouble[COPIES]);
		else if (piece != PIECE_READ)
			trouble_clear(&role->trouble[LINE]);
		return RC_OK;
	}
	if (rc != RC_SERVER)
		return rc;
	if (piece == PIECE_COPY) {
		trouble_set(ctx, &role->trouble[COPIES], "append", err->text);
		return RC_OK;
	}
	trouble_set(ctx, &role->trouble[LINE], inbox->line.phase, err->text);
	inbox->look = true;
	/* A fresh child reads the password anew. */
	inbox_let_go(inbox);
	return RC_OK;
}

/* ---- waiting ---- */

static enum rc hear_news(struct role_context *ctx, struct mailbox_role *role, struct err *err)
{
	struct inbox *inbox = &role->inbox;
	bool over = false, news = false;
	if (inbox->line.fd < 0 || (!inbox->line.waiting && !inbox->line.news))
		return RC_OK;
	enum rc rc = mailline_news(&inbox->line, &over, &news, err);
	if (over || news || rc)
		inbox->look = true; /* without news too: the look is the proof that the line is alive */
	if (rc != RC_SERVER)
		return rc;
	/* Servers end connections that wait; a new one is made at once. */
	inbox->selected = false;
	if (clock_machine_ms() - role->waiting_since_ms < SHORT_WAIT_MS)
		return settle(ctx, role, PIECE_TAKE, rc, err);
	return RC_OK;
}

static enum rc wait_for_news(struct role_context *ctx, struct mailbox_role *role, struct err *err)
{
	struct inbox *inbox = &role->inbox;
	/* News that can't be taken now would be told again at once. */
	if (ctx->in_turn || inbox->line.fd < 0 || !inbox->selected || inbox->line.waiting || inbox->look)
		return RC_OK;
	role->waiting_since_ms = clock_machine_ms();
	enum rc rc = mailline_wait(&inbox->line, (int)ctx->settings->mailbox_poll_seconds, err);
	return rc ? settle(ctx, role, PIECE_TAKE, rc, err) : RC_OK;
}

/* In turn nobody waits for news: INBOX is looked at again as where a server tells of none. */
static void look_in_turn(struct role_context *ctx, struct mailbox_role *role, utc_time now)
{
	if (!ctx->in_turn || ctx->simulating ||
		(now >= role->looked_at && now - role->looked_at < ctx->settings->mailbox_poll_seconds))
		return;
	role->inbox.look = true;
	role->looked_at = now;
}

static void look_for_room(struct role_context *ctx, struct mailbox_role *role)
{
	int64_t mib = file_free_mib(ctx->settings->state_directory), floor = ctx->settings->disk_floor_mib;
	char text[128];
	(void)snprintf(text, sizeof text, "fewer than %" PRId64 " MiB are left", floor);
	if (mib < floor)
		trouble_set(ctx, &role->trouble[ROOM], "room", text);
	else
		trouble_clear(&role->trouble[ROOM]);
}

/* ---- the step ---- */

static enum rc run_requests(struct role_context *ctx, struct mailbox_role *role, struct err *err)
{
	struct step_result result = {.next_at = UTC_NEVER};
	enum rc rc = office_run_requests(&ctx->office, REQUESTS_PER_STEP, &result, err);
	if (rc)
		return rc;
	if (result.done > 0) {
		role_wake(ctx->settings, "sender");
		role_wake(ctx->settings, "scheduler");
	}
	role->requests_at = result.next_at;
	return RC_OK;
}

static enum rc find_copies(struct role_context *ctx, struct mailbox_role *role, struct err *err)
{
	int64_t notice_id = 0;
	enum rc rc = RC_OK;
	if (ctx->settings->mailbox.sent)
		rc = copy_next(ctx->office.store, 0, &notice_id, err);
	role->inbox.copies = notice_id != 0;
	return rc;
}

static void when_next(
	struct role_context *ctx, const struct mailbox_role *role, bool more, utc_time now, utc_time *next)
{
	const struct inbox *inbox = &role->inbox;
	utc_time at = role->requests_at;
	int64_t mono = clock_machine_ms();
	for (int i = 0; i < TROUBLES; i++) {
		const struct trouble *trouble = &role->trouble[i];
		utc_time again = now + 1 + (trouble->until_ms - mono) / 1000;
		if (trouble_lasts(trouble) && again < at)
			at = again;
	}
	if (ctx->simulating && inbox->next_arrival < at)
		at = inbox->next_arrival;
	if (!ctx->in_turn && !role->paused && inbox->review_at > now && inbox->review_at < at)
		at = inbox->review_at;
	*next = more ? now : at;
}

static enum rc mailbox_step(struct role_context *ctx, utc_time now, utc_time *next, struct err *err)
{
	struct mailbox_role *role = ctx->state;
	int64_t until = clock_machine_ms() + STEP_MS;
	enum piece piece = PIECE_NONE;
	enum rc rc = hear_news(ctx, role, err);
	if (ctx->simulating && now >= role->inbox.next_arrival)
		role->inbox.look = true;
	look_in_turn(ctx, role, now);
	look_for_room(ctx, role);
	bool may = false;
	rc = rc ? rc : office_may_read(&ctx->office, &may, err);
	role->paused = !may;
	if (role->paused)
		inbox_read_forget(&role->inbox);
	rc = rc ? rc : find_copies(ctx, role, err);
	while (!rc && (piece = next_piece(ctx, role, now)) != PIECE_NONE && clock_machine_ms() < until) {
		rc = do_piece(ctx, role, piece, now, err);
		rc = settle(ctx, role, piece, rc, err);
	}
	rc = rc ? rc : run_requests(ctx, role, err);
	rc = rc ? rc : note_trouble(ctx, role, err);
	rc = rc ? rc : note_certificate(ctx, role, now, err);
	if (!rc && piece == PIECE_NONE)
		rc = wait_for_news(ctx, role, err);
	if (rc)
		return rc;
	when_next(ctx, role, piece != PIECE_NONE, now, next);
	/* Run once, the exit status is how a fault is told. */
	if (ctx->in_turn && piece == PIECE_NONE && *role->trouble[LINE].phase)
		return err_set(err, RC_SERVER, "%s", role->noted);
	return RC_OK;
}

/* ---- start and end ---- */

static enum rc mailbox_start(struct role_context *ctx, struct err *err)
{
	struct mailbox_role *role = xcalloc(1, sizeof *role);
	struct str fault = STR_INIT;
	ctx->state = role;
	(void)mallopt(M_TRIM_THRESHOLD, HEAP_KEPT);
	role->requests_at = UTC_NEVER;
	role->inbox = (struct inbox){.line = {.fd = -1, .phase = "connect"},
		.look = true,
		.unread = true,
		.unmoved = true,
		.batch = 1, /* so that the first one left is the one that did it */
		.next_arrival = UTC_NEVER};
	enum rc rc = inbox_mark_load(ctx, &role->inbox, err);
	rc = rc ? rc : fact_get(ctx->office.store, FACT_FAULT, &fault, err);
	/* Taken back by the first look that goes well. */
	(void)snprintf(role->noted, sizeof role->noted, "%.*s", (int)sizeof role->noted - 1, fault.s);
	str_free(&fault);
	return rc;
}

static void mailbox_stop(struct role_context *ctx, int64_t deadline_ms)
{
	(void)deadline_ms; /* nothing is in flight: what was fetched is in the register */
	struct mailbox_role *role = ctx->state;
	if (!role)
		return;
	inbox_let_go(&role->inbox);
	free(role);
	ctx->state = NULL;
}

static void mailbox_reload(struct role_context *ctx)
{
	struct mailbox_role *role = ctx->state;
	inbox_let_go(&role->inbox);
	role->inbox.look = true;
	for (int i = 0; i < TROUBLES; i++)
		role->trouble[i].until_ms = 0;
}

static int mailbox_watch(struct role_context *ctx, int *fd, int max)
{
	const struct mailbox_role *role = ctx->state;
	if (max < 1 || role->inbox.line.fd < 0 || !role->inbox.line.waiting)
		return 0;
	fd[0] = role->inbox.line.fd;
	return 1;
}

const struct role role_mailbox = {
	.name = "mailbox",
	.writes = true,
	.children = CHILD_BIT(CHILD_MAIL) | CHILD_BIT(CHILD_MAILBOX),
	.start = mailbox_start,
	.step = mailbox_step,
	.stop = mailbox_stop,
	.reload = mailbox_reload,
	.watch = mailbox_watch,
};
