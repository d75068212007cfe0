#include "daemon/mail_reader.h"

#include <string.h>
#include <unistd.h>

#include "daemon/wire.h"
#include "daemon/zygote.h"
#include "lib/base/clock.h"

#define SENTENCE_MAX 400

enum rc mail_reader_start(struct mail_reading *reading, const struct zygote *zygote, int memfd,
	const struct received_context *context, struct err *err)
{
	*reading = (struct mail_reading){.fd = -1};
	enum rc rc = zygote_child(zygote, CHILD_MAIL, &reading->fd, err);
	if (rc)
		return rc;
	reading->deadline = clock_machine_ms() + RECEIVED_WALL_SECONDS * 1000;
	struct str payload = STR_INIT;
	wire_put_text(&payload, context->office);
	wire_put_text(&payload, context->authserv_id);
	wire_put_number(&payload, (int64_t)context->own_hops.count);
	for (size_t i = 0; i < context->own_hops.count; i++)
		wire_put_text(&payload, context->own_hops.item[i]);
	/* A child that could not be made shows when its answer is waited for. */
	(void)wire_send_fd(reading->fd, WIRE_READ_MAIL, payload.s, payload.len, memfd);
	str_free(&payload);
	return RC_OK;
}

/* Why a mail is not read, in the child's own words where they are such as it writes. */
static enum rc refused(const struct str *payload, struct pool *pool, struct err *err)
{
	struct wire_reader reader = {payload->s, payload->s + payload->len, false};
	(void)wire_get_number(&reader);
	const char *text = wire_get_text(&reader, pool);
	bool sentence = text && *text && strlen(text) <= SENTENCE_MAX;
	for (const char *at = text; sentence && *at; at++)
		sentence = *at >= ' ' && *at <= '~';
	return err_set(err, RC_REFUSED, "%s", sentence ? text : "The mail could not be read.");
}

static enum rc answer_take(const struct mail_reading *reading, struct received *out, struct str *payload,
	struct pool *pool, struct err *err)
{
	int64_t left = reading->deadline - clock_machine_ms();
	enum wire_type type;
	int got = wire_receive_most(
		reading->fd, &type, payload, NULL, left > 0 ? (int)left : 0, RECEIVED_JSON_MAX);
	if (got == 1 && type == WIRE_RECEIVED)
		return received_load(out, payload->s, payload->len, pool, err);
	if (got == 1 && type == WIRE_DONE)
		return refused(payload, pool, err);
	if (got == 1)
		return err_set(
			err, RC_REFUSED, "The mail could not be read: its reader said what it must not.");
	if (clock_machine_ms() >= reading->deadline)
		return err_set(err, RC_REFUSED, "The mail could not be read: it took too much time.");
	return err_set(err, RC_REFUSED,
		"The mail could not be read: its reader failed, or took more memory or time than one mail "
		"may.");
}

enum rc mail_reader_finish(
	struct mail_reading *reading, struct received *out, struct pool *pool, struct err *err)
{
	struct str payload = STR_INIT;
	*out = (struct received){0};
	enum rc rc = answer_take(reading, out, &payload, pool, err);
	str_free(&payload);
	mail_reader_drop(reading);
	return rc;
}

void mail_reader_drop(struct mail_reading *reading)
{
	if (reading->fd >= 0)
		(void)close(reading->fd);
	reading->fd = -1;
}

enum rc mail_reader_read(const struct zygote *zygote, int memfd, const struct received_context *context,
	struct received *out, struct pool *pool, struct err *err)
{
	struct mail_reading reading;
	enum rc rc = mail_reader_start(&reading, zygote, memfd, context, err);
	return rc ? rc : mail_reader_finish(&reading, out, pool, err);
}
