/*
 * inbound_rig.h - what the tests of received mails share: a mail as its reader hands it over, taken and acted on in one transaction as the
 * mailbox role does it, and what was answered to whom
 *
 * inbound_mail() gives a mail by `from` that asks for `kind`, plainly read (no review), with aligned DKIM, from nowhere but there; a test alters what it is about.
 */
#ifndef SENGEN_INBOUND_RIG_H
#define SENGEN_INBOUND_RIG_H

#include "office_rig.h"
#include "reading_rig.h"

#include "lib/office/inbound_p.h"

static inline struct received inbound_mail(enum request_kind kind, const char *from)
{
	return (struct received){
		.reading = {.kind = kind,
			.why = "",
			.notice = "",
			.wishes = 1u << kind,
			.fields = {.declaration_id = "",
				.declaration_id_written = "",
				.user_number = "",
				.corporate_number = "",
				.business_name = "",
				.representative = "",
				.contact = "",
				.mail = "",
				.prefecture = "",
				.reason = "",
				.address = "",
				.stop_on = CIVIL_DAY_NONE,
				.stop_on_written = "",
				.doubt = ""},
			.bounce = {.action = "", .status = "", .message_id = "", .why = ""}},
		.unreadable = "",
		.from = from,
		.from_name = "",
		.reply_to = "",
		.authres = {.seen = true, .dkim_aligned = true},
		.subject = "お願い",
		.message_id = "mail@example.jp",
		.text = "お願いします。",
		.form_text = "",
		.damage = "",
	};
}

/* The registered address and the ID of an application, in the words of a mail. */
static inline const char *inbound_address(struct rig *rig, int64_t id)
{
	return rig_app(rig, id).form.value[FIELD_MAIL];
}

static inline const char *inbound_id(struct rig *rig, int64_t id)
{
	return pool_printf(rig->pool, "%" PRId64, rig_app(rig, id).declaration_id);
}

/* A mail of such a kind as it came, other bytes each time: what the role reads again by itself is in its header. */
static inline void inbound_raw(struct rig *rig, const struct received *received, struct str *raw)
{
	static int serial;
	const char *at = received ? strrchr(received->from, '@') : NULL;
	str_printf(raw, "Subject: %d\r\n", ++serial);
	if (at && rig->settings->authserv_id)
		str_printf(raw,
			"Authentication-Results: %s; dkim=%s header.d=%s; spf=%s smtp.mailfrom=%s\r\n",
			rig->settings->authserv_id, received->authres.dkim_aligned ? "pass" : "none", at + 1,
			received->authres.spf_aligned ? "pass" : "none", at + 1);
	if (at)
		str_printf(raw, "From: %s\r\n", received->from);
	str_addz(raw, "\r\n");
}

/* Puts it on file. */
static inline struct mail_message inbound_keep(struct rig *rig, const struct received *received)
{
	static int serial;
	struct str raw = STR_INIT;
	inbound_raw(rig, received, &raw);
	struct mail_message message = {.state = MESSAGE_TAKEN,
		.taken_at = rig->clock.now,
		.size = (int64_t)raw.len,
		.uid_validity = 1,
		.uid = pool_printf(rig->pool, "%d", ++serial),
		.filed_uid = ""};
	sha256(message.digest, raw.s, raw.len);
	assert_ok(message_add(rig->office.store, &message, raw.s, raw.len, &rig_err));
	str_free(&raw);
	return message;
}

/* Takes a mail and acts on it; the number of the mail. received NULL: its reader failed. */
static inline int64_t inbound_receive(struct rig *rig, const struct received *received)
{
	assert_ok(store_begin(rig->office.store, &rig_err));
	struct mail_message message = inbound_keep(rig, received);
	if (received) {
		struct str json = STR_INIT;
		received_print(&json, received);
		assert_ok(rig_set_reading(rig->office.store, message.id, json.s, json.len, &rig_err));
		str_free(&json);
	}
	assert_ok(office_receive(&rig->office, &message, received, received ? NULL : "cut off", &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	return message.id;
}

/* The request a mail led to; id 0: none. */
static inline struct request inbound_request(struct rig *rig, int64_t message_id)
{
	struct request request = {0};
	int64_t id = 0;
	assert_ok(request_of_message(rig->office.store, message_id, &id, &rig_err));
	if (id)
		assert_ok(request_get(rig->office.store, id, &request, rig->pool, &rig_err));
	return request;
}

static inline struct mail_message inbound_message(struct rig *rig, int64_t message_id)
{
	struct mail_message message;
	assert_ok(message_get(rig->office.store, message_id, &message, rig->pool, &rig_err));
	return message;
}

/* ---- what waits in the outbox ---- */

struct inbound_queue {
	struct notice item[32];
	int count;
	struct pool *pool;
};

static inline enum rc inbound_take_notice(void *ctx, const struct notice *notice, struct err *err)
{
	struct inbound_queue *queue = ctx;
	(void)err;
	assert_true(queue->count < 32);
	struct notice *copy = &queue->item[queue->count++];
	*copy = *notice;
	copy->template_name = pool_strdup(queue->pool, notice->template_name);
	copy->recipient = pool_strdup(queue->pool, notice->recipient);
	copy->message_id = pool_strdup(queue->pool, notice->message_id);
	return RC_OK;
}

/* Everything that is queued, of all applications and of none. */
static inline struct inbound_queue inbound_queue(struct rig *rig)
{
	struct inbound_queue queue = {.pool = rig->pool};
	assert_ok(outbox_each_in(
		rig->office.store, OUTBOX_QUEUED, 0, 0, inbound_take_notice, &queue, &rig_err));
	return queue;
}

/* "neutral>stranger@example.com id+1>info1@example.co.jp": the same in words; +1 is the first repetition. */
static inline const char *inbound_queued(struct rig *rig)
{
	struct inbound_queue queue = inbound_queue(rig);
	struct str text = STR_INIT;
	for (int i = 0; i < queue.count; i++) {
		const struct notice *notice = &queue.item[i];
		str_printf(&text, "%s%s", i ? " " : "", notice->template_name);
		if (notice->resend_of)
			str_printf(&text, "+%d", notice->resend_no);
		str_printf(&text, ">%s", notice->recipient);
	}
	const char *copy = pool_strdup(rig->pool, text.s);
	str_free(&text);
	return copy;
}

/* The text of the only queued letter of that name. */
static inline const char *inbound_text(struct rig *rig, const char *template_name)
{
	struct inbound_queue queue = inbound_queue(rig);
	const char *text = NULL;
	for (int i = 0; i < queue.count; i++) {
		if (strcmp(queue.item[i].template_name, template_name) != 0)
			continue;
		assert_null(text);
		text = rig_text(rig, queue.item[i].id);
	}
	if (!text)
		fail_msg("no letter %s is queued: %s", template_name, inbound_queued(rig));
	return text;
}

/* The request's state and its note for staff: "done: …". */
static inline const char *inbound_outcome(struct rig *rig, int64_t message_id)
{
	struct request request = inbound_request(rig, message_id);
	assert_true(request.id > 0);
	return pool_printf(rig->pool, "%s: %s", request_state_name(request.state), request.note);
}

#endif
