#include "lib/office/inbound_p.h"

#include <string.h>

static enum rc read_reading(struct inbound *in)
{
	struct str json = STR_INIT;
	struct received *received = pool_alloc(in->pool, sizeof *received);
	enum rc rc = message_reading(in->office->store, in->message->id, &json, in->err);
	if (rc == RC_OK && json.len) {
		rc = received_load(received, json.s, json.len, in->pool, in->err);
		if (rc == RC_OK)
			in->received = received;
		else if (rc == RC_REFUSED) /* written by another version of the program: as good as erased */
			rc = RC_OK;
	}
	str_free(&json);
	return rc;
}

enum rc inbound_open(
	struct inbound *in, struct office *office, int64_t request_id, struct pool *pool, struct err *err)
{
	struct mail_message *message = pool_alloc(pool, sizeof *message);
	struct application app;
	inbound_begin(in, office, pool, err);
	enum rc rc = request_get(office->store, request_id, &in->request, pool, err);
	if (rc == RC_OK)
		rc = message_get(office->store, in->request.message_id, message, pool, err);
	in->message = message;
	if (rc == RC_OK)
		rc = read_reading(in);
	if (rc != RC_OK)
		return rc;
	in->from_key = in->received ? inbound_mail_key(in, in->received->from) : "";
	if (in->request.application_id == 0)
		return RC_OK;
	rc = application_get(office->store, in->request.application_id, &app, pool, err);
	if (rc == RC_OK)
		inbound_take_application(in, &app);
	return rc;
}
