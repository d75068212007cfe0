/*
 * identify.c - which application a mail speaks of
 *
 * What is written in a mail only says whom it means; that the writer may speak for it is proven elsewhere.
 */
#include "lib/office/inbound_p.h"

#include <string.h>

#include "lib/base/text.h"
#include "lib/flow/ident.h"

#define CANDIDATES_MAX 32 /* businesses behind one name or address that are looked at */

static const char *value_of(const struct application *app, enum form_field field)
{
	return app->form.value[field] ? app->form.value[field] : "";
}

/* A name that is not given contradicts nothing. */
static bool name_fits(const struct application *app, const char *name)
{
	return !*name || text_same_key(name, value_of(app, FIELD_BUSINESS_NAME));
}

static bool representative_fits(struct inbound *in, const struct application *app, const char *name)
{
	return !*name || text_same_key(name, pool_printf(in->pool, "%s%s", value_of(app, FIELD_FAMILY_NAME),
						     value_of(app, FIELD_GIVEN_NAME)));
}

static bool number_fits(const struct application *app, const char *number)
{
	return !*number || !*value_of(app, FIELD_CORPORATE_NUMBER) ||
	       strcmp(number, value_of(app, FIELD_CORPORATE_NUMBER)) == 0;
}

static bool prefecture_fits(const struct application *app, const char *prefecture)
{
	return !*prefecture || text_same_key(prefecture, value_of(app, FIELD_PREFECTURE));
}

static enum identified settle(struct inbound *in, const struct application *app, bool fits)
{
	if (!fits)
		return IDENTIFIED_CONFLICT;
	inbound_take_application(in, app);
	return IDENTIFIED_ONE;
}

/* ---- by what is written ---- */

static enum rc by_declaration(struct inbound *in, const struct sheet *fields, enum identified *out)
{
	struct application app;
	enum rc rc = application_by_declaration(
		in->office->store, ident_read_declaration(fields->declaration_id), &app, in->pool, in->err);
	*out = IDENTIFIED_UNKNOWN;
	if (rc == RC_OK)
		*out = settle(in, &app,
			name_fits(&app, fields->business_name) &&
				number_fits(&app, fields->corporate_number));
	return rc == RC_REFUSED ? RC_OK : rc;
}

static enum rc by_corporate_number(struct inbound *in, const struct sheet *fields, enum identified *out)
{
	struct application app;
	int64_t id = 0, declaration_id;
	int star;
	bool same;
	struct form_values form = {.value = {[FIELD_TYPE] = "corporation"}};
	form.value[FIELD_CORPORATE_NUMBER] = fields->corporate_number;
	enum rc rc = application_live(in->office->store, applicant_key(&form, in->pool), NULL, &id,
		&declaration_id, &star, &same, in->err);
	*out = IDENTIFIED_UNKNOWN;
	if (rc != RC_OK || id == 0)
		return rc;
	rc = application_get(in->office->store, id, &app, in->pool, in->err);
	/* A name beside it may be read from a sentence (…営業事務の小林です): number and 都道府県 are what the office asks for. */
	if (rc == RC_OK)
		*out = settle(in, &app, prefecture_fits(&app, fields->prefecture));
	return rc;
}

static enum rc by_identity(struct inbound *in, const struct sheet *fields, enum identified *out)
{
	int64_t id[2];
	int count = 0;
	struct application app;
	enum rc rc = application_by_identity(in->office->store, fields->business_name, fields->representative,
		fields->prefecture, id, 2, &count, in->err);
	*out = count > 1 ? IDENTIFIED_SEVERAL : IDENTIFIED_UNKNOWN;
	if (rc != RC_OK || count != 1)
		return rc;
	rc = application_get(in->office->store, id[0], &app, in->pool, in->err);
	if (rc == RC_OK)
		*out = settle(in, &app, number_fits(&app, fields->corporate_number));
	return rc;
}

/* ---- by who writes, and to what ---- */

enum rc inbound_take_by_answered(struct inbound *in)
{
	const struct received *received = in->received;
	struct application app;
	struct notice notice;
	for (size_t i = 0; i < received->answers_count && in->app.id == 0; i++) {
		int64_t id = 0;
		enum rc rc = outbox_by_message_id(in->office->store, received->answers[i], &id, in->err);
		if (rc == RC_OK && id)
			rc = outbox_get(in->office->store, id, &notice, in->pool, in->err);
		if (rc == RC_OK && id && notice.application_id)
			rc = application_get(
				in->office->store, notice.application_id, &app, in->pool, in->err);
		else
			id = 0;
		if (rc != RC_OK)
			return rc;
		/* A Message-ID can be guessed: the sender must fit. */
		if (id && *in->from_key &&
			strcmp(inbound_mail_key(in, app.form.value[FIELD_MAIL]), in->from_key) == 0)
			inbound_take_application(in, &app);
	}
	return RC_OK;
}

static enum rc by_answered_notice(struct inbound *in, const struct sheet *fields, enum identified *out)
{
	enum rc rc = inbound_take_by_answered(in);
	if (rc == RC_OK && in->app.id && !name_fits(&in->app, fields->business_name))
		in->app = (struct application){0};
	if (rc == RC_OK && in->app.id)
		*out = IDENTIFIED_ONE;
	return rc;
}

/* A step-up that runs is one with its ★. */
static bool is_among(int64_t wanted, const int64_t *id, int count)
{
	for (int i = 0; wanted && i < count; i++)
		if (id[i] == wanted)
			return true;
	return false;
}

static enum rc by_sender_address(struct inbound *in, const struct sheet *fields, enum identified *out)
{
	int64_t id[CANDIDATES_MAX];
	int count = 0, fitting = 0;
	struct application app, chosen;
	enum rc rc =
		application_by_mail(in->office->store, in->from_key, id, CANDIDATES_MAX, &count, in->err);
	for (int i = 0; rc == RC_OK && i < count; i++) {
		rc = application_get(in->office->store, id[i], &app, in->pool, in->err);
		if (rc != RC_OK || is_among(app.linked_id, id, count) ||
			!name_fits(&app, fields->business_name) ||
			!number_fits(&app, fields->corporate_number) ||
			!representative_fits(in, &app, fields->representative))
			continue;
		if (fitting++ == 0)
			chosen = app;
	}
	if (rc != RC_OK || fitting == 0)
		return rc;
	if (fitting > 1)
		*out = IDENTIFIED_SEVERAL;
	else
		*out = settle(in, &chosen, true);
	return RC_OK;
}

enum rc inbound_take_by_sender(struct inbound *in)
{
	static const struct sheet nothing = {
		.business_name = "", .representative = "", .corporate_number = ""};
	enum identified found;
	return *in->from_key ? by_sender_address(in, &nothing, &found) : RC_OK;
}

enum rc inbound_identify(struct inbound *in, bool by_sender, enum identified *out)
{
	const struct sheet *fields = &in->received->reading.fields;
	enum rc rc = RC_OK;
	enum identified written = IDENTIFIED_NONE;
	*out = in->app.id ? IDENTIFIED_ONE : IDENTIFIED_NONE; /* the one that staff named */
	if (in->app.id)
		return RC_OK;
	if (*fields->declaration_id)
		return by_declaration(in, fields, out);
	if (ident_read_user(fields->declaration_id_written)) {
		*out = IDENTIFIED_USER_NUMBER;
		return RC_OK;
	}
	if (*fields->corporate_number && *fields->prefecture)
		return by_corporate_number(in, fields, out);
	if (*fields->business_name && *fields->representative && *fields->prefecture)
		rc = by_identity(in, fields, &written);
	if (rc != RC_OK || written == IDENTIFIED_ONE || written == IDENTIFIED_CONFLICT) {
		*out = written;
		return rc;
	}
	if (by_sender && *in->from_key) {
		rc = by_answered_notice(in, fields, out);
		if (rc == RC_OK && *out == IDENTIFIED_NONE)
			rc = by_sender_address(in, fields, out);
	}
	if (*out == IDENTIFIED_NONE)
		*out = written;
	if (*out == IDENTIFIED_NONE && *fields->user_number)
		*out = IDENTIFIED_USER_NUMBER;
	return rc;
}
