#include "tests/faults/peer_p.h"

#include <string.h>

#include "daemon/handover.h"
#include "lib/mail/reply.h"
#include "tests/faults/fault.h"

/* The exchanges of a session, in order; a kept line begins at MAIL. What the child concludes from what happens there is reckoned by the code that does so in
 * service (reply.h); that libcurl tells it the right phase is proven with real lines (test_transport.c). */
static const struct {
	const char *name;
	enum smtp_phase phase;
} steps[] = {
	{"connect", PHASE_CONNECT},
	{"tls", PHASE_TLS},
	{"greeting", PHASE_CONNECT},
	{"EHLO", PHASE_CONNECT},
	{"AUTH", PHASE_AUTH},
	{"MAIL", PHASE_MAIL},
	{"RCPT", PHASE_RCPT},
	{"DATA", PHASE_DATA},
	{"body", PHASE_DATA},
	{"dot", PHASE_DOT},
};
#define STEPS (sizeof steps / sizeof *steps)
#define FIRST_OF_MAIL 5

/* Every class of RFC 5321, 4.2.1, with the replies that servers are known for. */
static const char *const replies[] = {
	"421 4.3.2 Service shutting down\r\n",
	"421 4.7.0 Too many connections\r\n",
	"450 4.2.0 Mailbox busy\r\n",
	"451 4.7.1 Greylisted, try again later\r\n",
	"451 4.3.0 Local error\r\n",
	"452 4.2.2 Mailbox full\r\n",
	"454 4.7.0 Temporary authentication failure\r\n",
	"500 5.5.2 What?\r\n",
	"503 5.5.1 Bad sequence\r\n",
	"530 5.7.0 Authentication required\r\n",
	"535 5.7.8 Bad credentials\r\n",
	"550 5.1.1 User unknown\r\n",
	"550 5.7.1 Relaying denied\r\n",
	"552 5.3.4 Too large\r\n",
	"554 5.7.1 Refused as spam\r\n",
	"199 hm\r\n",
	"251 forwarding\r\n",
	"354 go on\r\n",
	"650 what is this\r\n",
};

static void answer(struct peer_line *line, const struct delivery *delivery)
{
	struct str payload = STR_INIT;
	handover_put_delivery(&payload, delivery);
	if (!wire_send(line->fd, WIRE_DELIVERY, payload.s, payload.len))
		peer_hang_up(line);
	str_free(&payload);
}

static void conclude(struct delivery *out, enum smtp_phase phase, const struct reply *reply, const char *text,
	bool dot_left)
{
	*out = (struct delivery){.outcome = reply_outcome(phase, reply, dot_left),
		.reply_code = reply->code,
		.phase = smtp_phase_name(phase),
		.line_closed = reply->code == 0};
	memcpy(out->enhanced, reply->enhanced, sizeof out->enhanced);
	reply_print(out->reply, sizeof out->reply, reply->code ? reply->text : text, "");
}

/* The server has it now. */
static struct peer_mail *take(const struct parcel *parcel, enum outcome told)
{
	if (peer_world->mail_count == PEER_MAILS_MAX)
		die("the mail server is full");
	struct peer_mail *mail = &peer_world->mail[peer_world->mail_count++];
	const char *id = memmem(parcel->wire, parcel->len, "\r\nMessage-ID: <", 15);
	id = id ? id + 15 : "";
	*mail = (struct peer_mail){.at = fault_time(),
		.told = told,
		.message_id = peer_keep(id, strcspn(id, ">")),
		.sender = peer_keep(parcel->sender, strlen(parcel->sender)),
		.recipient = peer_keep(parcel->recipient, strlen(parcel->recipient)),
		.wire = peer_keep(parcel->wire, parcel->len),
		.len = parcel->len};
	fault_trace("server took mail %zu <%s> for %s, told %s", peer_world->mail_count - 1, mail->message_id,
		mail->recipient, outcome_name(told));
	if (fault_strikes(FAULT_CRASH, "mail is at the server"))
		fault_die(FAULT_CRASH);
	return mail;
}

/* The line dies, or falls silent, at a step: before, in or after its exchange. Only what comes after the final dot has arrived leaves the mail there. */
static void lose(struct peer_line *line, const struct parcel *parcel, bool silent)
{
	static const char *const moments[] = {"before", "in", "after"};
	size_t first = line->served ? FIRST_OF_MAIL : 0, step = first + fault_draw(STEPS - first);
	size_t moment = fault_draw(3);
	bool hangs = silent && fault_draw(4) == 0, dies = !silent && fault_draw(4) == 0;
	bool taken = step == STEPS - 1 && moment == 2;
	fault_trace("smtp: %s %s %s%s", silent ? "silence" : "cut", moments[moment], steps[step].name,
		hangs  ? ", and the child hangs"
		: dies ? ", and the child dies"
		       : "");
	if (taken)
		(void)take(parcel, OUTCOME_UNKNOWN);
	if (hangs) {
		line->mute = true;
		return;
	}
	if (dies) {
		peer_hang_up(line);
		return;
	}
	/* Of the dot libcurl sometimes knows that it did not leave. */
	bool dot_left = taken || moment == 1 || fault_draw(2) == 0;
	struct delivery delivery;
	conclude(&delivery, steps[step].phase, &(struct reply){0},
		silent ? "no answer in time" : "the line was cut", dot_left);
	line->served = 0;
	answer(line, &delivery);
}

static void refuse(struct peer_line *line)
{
	size_t first = line->served ? FIRST_OF_MAIL : 2, step = first + fault_draw(STEPS - first);
	const char *text = replies[fault_draw(sizeof replies / sizeof *replies)];
	struct reply reply = {0};
	struct delivery delivery;
	if (strcmp(steps[step].name, "body") == 0)
		step++; /* nothing is answered there */
	reply_add_line(&reply, text, strlen(text));
	fault_trace("smtp: %s at %s", text, steps[step].name);
	/* As libcurl tells it: a reply that lets the session go on is no reason why it ended. */
	if (reply.code < 400)
		reply = (struct reply){0};
	conclude(&delivery, steps[step].phase, &reply, "Weird server reply", true);
	if (reply.code == 421)
		line->served = 0;
	answer(line, &delivery);
}

void peer_serve_mail(struct peer_line *line, enum wire_type type, const struct str *payload)
{
	struct parcel parcel;
	struct pool *pool = pool_new();
	if (!line->known) {
		line->known = type == WIRE_SERVER &&
			      handover_get_server(&line->server, payload, line->pool) &&
			      peer_hear_secret(line);
		if (!line->known)
			fault_broken("a transport child was not told its server");
	} else if (type != WIRE_MAIL || !handover_get_mail(&parcel, payload, pool)) {
		fault_broken("a transport child was given what is no mail");
	} else if (fault_strikes(FAULT_LINE, "smtp")) {
		lose(line, &parcel, false);
	} else if (fault_strikes(FAULT_SILENCE, "smtp")) {
		lose(line, &parcel, true);
	} else if (fault_strikes(FAULT_REPLY, "smtp")) {
		refuse(line);
	} else {
		struct reply reply = {0};
		struct delivery delivery;
		reply_add_line(&reply, "250 2.0.0 Ok: queued\r\n", 22);
		conclude(&delivery, PHASE_DOT, &reply, "", true);
		(void)take(&parcel, OUTCOME_ACCEPTED);
		line->served++;
		answer(line, &delivery);
	}
	pool_free(&pool);
}

void peer_settle(void)
{
	peer_world->mail_settled = peer_world->mail_count;
}

size_t peer_mail_count(void)
{
	return peer_world->mail_count;
}

const struct peer_mail *peer_mail_at(size_t i)
{
	return &peer_world->mail[i];
}
