/* review show: one request, with all that somebody needs to decide about it */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "lib/base/mailaddr.h"
#include "lib/base/text.h"
#include "lib/flow/ident.h"

/* How the application was found that is shown beside the mail. */
enum found {
	FOUND_NONE,
	FOUND_REQUEST, /* the request is about it */
	FOUND_ID, /* only the ID in the mail says so */
	FOUND_SENDER, /* only the sender's address says so */
};

struct review {
	struct ctl *ctl;
	struct request request;
	struct mail_message message;
	struct received received;
	bool read; /* received holds what was read */
	struct application app;
	enum found found; /* FOUND_NONE: app is empty */
	bool from_registered;
};

/* ---- what belongs to it ---- */

static const char *key_of(struct ctl *ctl, const char *mail)
{
	struct mailaddr address;
	struct str key = STR_INIT;
	if (mail && mailaddr_read(&address, mail) == MAILADDR_OK)
		mailaddr_key(&key, &address);
	const char *copy = pool_strdup(ctl->pool, key.s);
	str_free(&key);
	return copy;
}

static enum rc find_by_id(struct review *review, struct err *err)
{
	int64_t id =
		review->read ? ident_read_declaration(review->received.reading.fields.declaration_id) : 0;
	if (!id)
		return RC_OK;
	enum rc rc = application_by_declaration(review->ctl->store, id, &review->app, review->ctl->pool, err);
	if (rc == RC_OK)
		review->found = FOUND_ID;
	return rc == RC_REFUSED ? RC_OK : rc;
}

static enum rc find_by_sender(struct review *review, struct err *err)
{
	const char *key = review->read ? key_of(review->ctl, review->received.from) : "";
	int64_t id[2];
	int count = 0;
	enum rc rc = *key ? application_by_mail(review->ctl->store, key, id, 2, &count, err) : RC_OK;
	if (rc != RC_OK || count != 1)
		return rc;
	review->found = FOUND_SENDER;
	return application_get(review->ctl->store, id[0], &review->app, review->ctl->pool, err);
}

static enum rc find_application(struct review *review, struct err *err)
{
	enum rc rc = RC_OK;
	if (review->request.application_id) {
		review->found = FOUND_REQUEST;
		rc = application_get(review->ctl->store, review->request.application_id, &review->app,
			review->ctl->pool, err);
	} else {
		rc = find_by_id(review, err);
		if (rc == RC_OK && review->found == FOUND_NONE)
			rc = find_by_sender(review, err);
	}
	if (rc != RC_OK || review->found == FOUND_NONE)
		return rc;
	const char *registered = key_of(review->ctl, review->app.form.value[FIELD_MAIL]);
	review->from_registered = review->read && *registered &&
				  strcmp(registered, key_of(review->ctl, review->received.from)) == 0;
	return RC_OK;
}

static enum rc review_get(struct review *review, const char *number, struct err *err)
{
	struct ctl *ctl = review->ctl;
	int64_t id;
	enum rc rc = request_number(number, &id, err);
	if (rc != RC_OK)
		return rc;
	rc = request_get(ctl->store, id, &review->request, ctl->pool, err);
	if (rc == RC_REFUSED)
		return err_set(
			err, RC_REFUSED, _("There is no request %lld in the register."), (long long)id);
	rc = rc ? rc : message_get(ctl->store, review->request.message_id, &review->message, ctl->pool, err);
	rc = rc ? rc : received_get(ctl, review->message.id, &review->received, &review->read, err);
	return rc ? rc : find_application(review, err);
}

/* ---- what was read, beside what is on file ---- */

static const char *number_text(struct ctl *ctl, int64_t number)
{
	return number ? pool_printf(ctl->pool, "%" PRId64, number) : "";
}

static const char *form_value(const struct review *review, enum form_field field)
{
	const char *value = review->found == FOUND_NONE ? NULL : review->app.form.value[field];
	return value ? value : "";
}

static const char *representative(const struct review *review)
{
	return pool_printf(review->ctl->pool, "%s%s%s", form_value(review, FIELD_FAMILY_NAME),
		*form_value(review, FIELD_GIVEN_NAME) ? " " : "", form_value(review, FIELD_GIVEN_NAME));
}

static void add_compared(const struct review *review, struct table *table, const char *name, const char *read,
	const char *registered)
{
	if (!*read && !*registered)
		return;
	const char *verdict = "";
	if (*read && *registered)
		verdict = text_same_key(read, registered) ? _("the same") : _("DIFFERS");
	TABLE_ROW(table, name, *read ? masked_text(review->ctl, read) : "-", *registered ? registered : "-",
		verdict);
}

static const char *stop_day(const struct review *review)
{
	const struct sheet *fields = &review->received.reading.fields;
	if (fields->stop_on != CIVIL_DAY_NONE)
		return day_text(review->ctl, fields->stop_on);
	if (fields->at_once)
		return _("immediately");
	return fields->stop_on_written;
}

/* The value on file that a row of a change form speaks of; "" when nobody knows which that is. */
static const char *changed_value(const struct review *review, const char *item)
{
	const struct settings *settings = review->ctl->settings;
	const char *any = "1";
	struct form_record row = {0};
	int field = 0;
	(void)form_record_from(
		&row, settings->fieldmap, &settings->limits, &item, &any, 1, review->ctl->pool);
	while (field < FIELD_COUNT && !row.form.value[field])
		field++;
	if (field == FIELD_FAMILY_NAME || field == FIELD_GIVEN_NAME)
		return representative(review);
	if (field == FIELD_ADDRESS)
		return pool_printf(review->ctl->pool, "%s%s", form_value(review, FIELD_PREFECTURE),
			form_value(review, FIELD_ADDRESS));
	if (field == FIELD_COUNT)
		return "";
	const char *value = form_value(review, (enum form_field)field);
	const char *label = fieldmap_choice_label(settings->fieldmap, (enum form_field)field, value);
	return label ? label : value;
}

/* Whether the old value is the one on file, and what shall be. */
static void add_change(const struct review *review, struct table *table, const struct sheet_change *change)
{
	struct ctl *ctl = review->ctl;
	const char *old = change->old, *registered = changed_value(review, change->item);
	const char *verdict = !*old || review->found == FOUND_NONE ? ""
			      : text_same_key(old, registered)     ? _("the same")
								   : _("DIFFERS");
	TABLE_ROW(table, pool_printf(ctl->pool, _("change: %s"), masked_text(ctl, change->item)),
		pool_printf(ctl->pool, "%s → %s", *old ? masked_text(ctl, old) : "?",
			masked_text(ctl, change->new_value)),
		*registered ? registered : "-", verdict);
}

static void add_fields(const struct review *review, struct table *table)
{
	struct ctl *ctl = review->ctl;
	const struct reading *reading = &review->received.reading;
	const struct sheet *fields = &reading->fields;
	const char *id = *fields->declaration_id ? fields->declaration_id : fields->declaration_id_written;
	add_compared(review, table, _("declaration ID"), id, number_text(ctl, review->app.declaration_id));
	if (*fields->user_number)
		TABLE_ROW(table, _("user number"), masked_text(ctl, fields->user_number),
			masked_user_number(ctl, review->app.user_number), "");
	add_compared(
		review, table, _("business"), fields->business_name, form_value(review, FIELD_BUSINESS_NAME));
	add_compared(review, table, _("representative"), fields->representative, representative(review));
	add_compared(review, table, _("contact"), fields->contact, form_value(review, FIELD_CONTACT));
	add_compared(review, table, _("mail address"), fields->mail, form_value(review, FIELD_MAIL));
	add_compared(review, table, _("corporate number"), fields->corporate_number,
		form_value(review, FIELD_CORPORATE_NUMBER));
	add_compared(
		review, table, _("prefecture"), fields->prefecture, form_value(review, FIELD_PREFECTURE));
	if (reading->kind == REQUEST_STOP || *stop_day(review))
		add_compared(review, table, _("stop on"), stop_day(review), "");
	add_compared(review, table, _("reason"), fields->reason, "");
	add_compared(review, table, _("notice"), reading->notice, "");
	for (size_t i = 0; i < fields->change_count; i++)
		add_change(review, table, &fields->change[i]);
}

static void print_fields(const struct review *review)
{
	struct ctl *ctl = review->ctl;
	const struct sheet *fields = &review->received.reading.fields;
	struct table table = {.columns = 4};
	say("%s", _("== What was read, beside what is on file =="));
	if (!review->read) {
		say("%s", review->message.size > 0 ? _("Nothing could be read. Open the mail in its folder, "
						       "or take it out: add --raw > mail.eml")
						   : _("The mail is empty."));
		return;
	}
	TABLE_ROW(&table, "", _("in the mail"),
		review->found == FOUND_NONE
			? _("on file: no application was found")
			: pool_printf(ctl->pool, _("on file: application %lld"), (long long)review->app.id),
		"");
	add_fields(review, &table);
	table_print(&table);
	if (fields->kind != SHEET_NONE)
		say(_("Read from a form with a certainty of %d%%."), fields->confidence);
	if (*fields->doubt)
		say(_("Uncertain: %s"), masked_text(ctl, fields->doubt));
	if (review->found == FOUND_ID)
		say(_("Application %lld was found by the ID alone; the request is not tied to it."),
			(long long)review->app.id);
	if (review->found == FOUND_SENDER)
		say(_("Application %lld was found by the sender's address alone; the request is not tied to "
		      "it."),
			(long long)review->app.id);
}

/* ---- the mail ---- */

static const char *sender_text(const struct review *review)
{
	const struct received *received = &review->received;
	const char *proof = received->authres.dkim_aligned  ? _("its mail server signed it (DKIM)")
			    : received->authres.spf_aligned ? _("it came from its mail server (SPF)")
			    : received->authres.seen        ? _("not proven")
							    : _("not checked");
	const char *registered = review->found == FOUND_NONE ? ""
				 : review->from_registered   ? _("; the registered address")
							     : _("; NOT the registered address");
	return pool_printf(review->ctl->pool, _("%s (sender: %s%s)"),
		*received->from ? received->from : _("no usable sender"), proof, registered);
}

static void print_mail(const struct review *review)
{
	struct ctl *ctl = review->ctl;
	const struct mail_message *message = &review->message;
	const struct received *received = &review->received;
	struct table table = {.columns = 2};
	say("%s", _("== The mail =="));
	TABLE_ROW(&table, _("mail"), number_text(ctl, message->id));
	TABLE_ROW(&table, _("taken"), time_text(ctl, message->taken_at));
	if (review->read) {
		TABLE_ROW(&table, _("from"), sender_text(review));
		if (*received->reply_to)
			TABLE_ROW(&table, _("reply to"), received->reply_to);
		TABLE_ROW(&table, _("subject"), masked_text(ctl, received->subject));
		TABLE_ROW(&table, _("sent"), time_text(ctl, received->date));
	}
	TABLE_ROW(&table, _("size"), pool_printf(ctl->pool, _("%lld bytes"), (long long)message->size));
	if (message->same_as)
		TABLE_ROW(&table, _("the same as mail"), number_text(ctl, message->same_as));
	if (message->moved_away_at)
		TABLE_ROW(&table, _("moved by hand"), time_text(ctl, message->moved_away_at));
	table_print(&table);
	for (size_t i = 0; review->read && i < received->attachment_count; i++) {
		const struct received_attachment *attachment = &received->attachment[i];
		say(_("attachment: %s (%s, %lld bytes)"),
			*attachment->name ? masked_text(ctl, attachment->name) : _("without a name"),
			attachment->kind, (long long)attachment->size);
	}
}

/* Lines that somebody else wrote, told apart from our own. */
static void print_quoted(struct ctl *ctl, const char *title, const char *text)
{
	if (!text || !*text)
		return;
	say("%s", "");
	say("%s", title);
	char *copy = text_trim(pool_strdup(ctl->pool, masked_text(ctl, text)));
	for (char *line = copy, *end; line; line = end) {
		end = strchr(line, '\n');
		if (end)
			*end++ = '\0';
		size_t len = strlen(line);
		if (len > 0 && line[len - 1] == '\r')
			line[len - 1] = '\0';
		say("  | %s", line);
	}
}

/* ---- why, and what can be done ---- */

static void print_why(const struct review *review)
{
	struct ctl *ctl = review->ctl;
	const struct request *request = &review->request;
	struct table table = {.columns = 2};
	TABLE_ROW(&table, _("kind"), request_kind_text(request->kind));
	TABLE_ROW(&table, _("state"), request_state_text(request->state));
	TABLE_ROW(&table, _("received"), time_text(ctl, request->opened_at));
	if (request->closed_at)
		TABLE_ROW(&table, _("settled"), time_text(ctl, request->closed_at));
	if (request->state == REQUEST_STATE_ASKED)
		TABLE_ROW(&table, _("answer until"), time_text(ctl, request->due_at));
	if (request->state == REQUEST_STATE_PLANNED)
		TABLE_ROW(&table, _("carried out on"), time_text(ctl, request->due_at));
	if (request->proof != PROOF_NONE)
		TABLE_ROW(&table, _("proof"), proof_text(request->proof));
	TABLE_ROW(&table, _("decided by"), request->actor);
	TABLE_ROW(&table, _("note"), masked_text(ctl, request->note));
	if (review->read && *review->received.reading.why)
		TABLE_ROW(&table, _("reading"), masked_text(ctl, review->received.reading.why));
	if (review->read && *review->received.unreadable)
		TABLE_ROW(&table, _("can't be read"), review->received.unreadable);
	if (review->read && *review->received.damage)
		TABLE_ROW(&table, _("damage"), review->received.damage);
	table_print(&table);
}

static const char *effect_of_carrying_out(const struct review *review)
{
	switch (review->request.kind) {
	case REQUEST_STOP:
		return pool_printf(review->ctl->pool,
			_("ends the declaration (%s), cancels what is queued, and tells the registered "
			  "address"),
			review->request.stop_on == CIVIL_DAY_NONE
				? _("immediately")
				: day_text(review->ctl, review->request.stop_on));
	case REQUEST_CHANGE:
		return _("writes the new values into the register and tells the registered address; a new "
			 "address is told as well, not asked: make sure of it first, or let ask do it");
	case REQUEST_RESEND:
		return _("sends the notice once more, to the registered address alone");
	case REQUEST_NEWS_UNSUBSCRIBE:
		return _("takes the application's address off the mail news; notices go on");
	case REQUEST_ID_ENQUIRY:
		return _("sends the declaration ID to the registered address alone");
	case REQUEST_OTHER:
	case REQUEST_BOUNCE:
	case REQUEST_AUTO_REPLY:
	case REQUEST_KINDS:
		break;
	}
	return NULL;
}

struct possible {
	const char *action, *effect; /* effect NULL: not possible */
};
#define POSSIBLE_COUNT 3

static void possible_actions(const struct review *review, struct possible out[POSSIBLE_COUNT])
{
	const struct request *request = &review->request;
	bool waits = request->state == REQUEST_STATE_REVIEW || request->state == REQUEST_STATE_ASKED;
	bool asks = request->kind == REQUEST_STOP || request->kind == REQUEST_CHANGE;
	out[0] = (struct possible){"carry-out", waits ? effect_of_carrying_out(review) : NULL};
	out[1] = (struct possible){"ask",
		waits && asks
			? _("sends the registered address a mail to confirm it; done when the answer comes")
			: NULL};
	out[2] = (struct possible){
		"close", waits ? _("ends the request; nothing is changed, nothing is sent") : NULL};
}

static void print_actions(const struct review *review)
{
	struct possible possible[POSSIBLE_COUNT];
	const struct request *request = &review->request;
	possible_actions(review, possible);
	say("%s", "");
	say("%s", _("== What can be done =="));
	bool any = false;
	for (size_t i = 0; i < POSSIBLE_COUNT; i++) {
		if (!possible[i].effect)
			continue;
		any = true;
		bool close = strcmp(possible[i].action, "close") == 0;
		const char *about = "";
		if (!close && !request->application_id && review->found == FOUND_NONE)
			about = _(" --application APPLICATION");
		else if (!close && !request->application_id)
			about = pool_printf(review->ctl->pool, " --application %" PRId64, review->app.id);
		say("sengenctl review resolve %lld %s%s%s", (long long)request->id, possible[i].action, about,
			close ? _(" --reason TEXT") : "");
		say("    %s", possible[i].effect);
	}
	if (!any)
		say("%s", _("Nothing: the request is settled, or goes on by itself."));
	else if (!possible[0].effect)
		say("%s", _("If something is to be done: do it by hand (sengenctl stop, resend, hold …), "
			    "then close "
			    "the request."));
	if (request->application_id)
		say(_("More about the application: sengenctl show %lld"), (long long)request->application_id);
}

static void print_review(const struct review *review)
{
	struct ctl *ctl = review->ctl;
	say(_("Request %lld"), (long long)review->request.id);
	print_why(review);
	say("%s", "");
	print_mail(review);
	if (review->read) {
		print_quoted(ctl, _("== What the sender wrote (without quoted history) =="),
			review->received.text);
		print_quoted(
			ctl, _("== What could be read in the attachments =="), review->received.form_text);
	}
	say("%s", "");
	print_fields(review);
	print_actions(review);
}

/* ---- as JSON ---- */

static json_t *masked_json(struct ctl *ctl, const char *text)
{
	return json_text(masked_text(ctl, text));
}

/* Every text in it, masked. */
static void mask_all(struct ctl *ctl, json_t *value)
{
	const char *key;
	json_t *member;
	size_t i;
	if (json_is_string(value))
		(void)json_string_set(value, masked_text(ctl, json_string_value(value)));
	json_object_foreach(value, key, member) mask_all(ctl, member);
	json_array_foreach(value, i, member) mask_all(ctl, member);
}

static json_t *mail_json(const struct review *review)
{
	struct ctl *ctl = review->ctl;
	const struct mail_message *message = &review->message;
	const struct received *received = &review->received;
	json_t *object = json_pack("{s:I, s:o, s:I, s:o, s:o, s:b}", "message", (json_int_t)message->id,
		"taken_at", json_time(message->taken_at), "size", (json_int_t)message->size, "same_as",
		json_number(message->same_as), "moved_away_at", json_time(message->moved_away_at), "read",
		review->read);
	if (!review->read)
		return object;
	json_t *attachments = json_array();
	for (size_t i = 0; i < received->attachment_count; i++)
		(void)json_array_append_new(attachments,
			json_pack("{s:o, s:o, s:I}", "name", masked_json(ctl, received->attachment[i].name),
				"kind", json_text(received->attachment[i].kind), "size",
				(json_int_t)received->attachment[i].size));
	const struct {
		const char *key;
		json_t *value;
	} members[] = {
		{"from", json_text(received->from)},
		{"from_name", masked_json(ctl, received->from_name)},
		{"reply_to", json_text(received->reply_to)},
		{"subject", masked_json(ctl, received->subject)},
		{"date", json_time(received->date)},
		{"message_id", json_text(received->message_id)},
		{"dkim_aligned", json_boolean(received->authres.dkim_aligned)},
		{"spf_aligned", json_boolean(received->authres.spf_aligned)},
		{"from_registered",
			review->found == FOUND_NONE ? json_null() : json_boolean(review->from_registered)},
		{"text", masked_json(ctl, received->text)},
		{"form_text", masked_json(ctl, received->form_text)},
		{"unreadable", json_text(received->unreadable)},
		{"damage", json_text(received->damage)},
		{"attachments", attachments},
	};
	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		(void)json_object_set_new(object, members[i].key, members[i].value);
	return object;
}

static json_t *review_reading_json(const struct review *review)
{
	const struct sheet *fields = &review->received.reading.fields;
	if (!review->read)
		return json_null();
	json_t *object = reading_json(&review->received.reading);
	(void)json_object_set_new(object, "confidence",
		fields->kind == SHEET_NONE ? json_null() : json_integer(fields->confidence));
	(void)json_object_set_new(object, "doubt", json_text(fields->doubt));
	mask_all(review->ctl, object);
	return object;
}

static json_t *review_application_json(const struct review *review)
{
	static const char *const found_by[] = {
		[FOUND_NONE] = "", [FOUND_REQUEST] = "request", [FOUND_ID] = "id", [FOUND_SENDER] = "sender"};
	if (review->found == FOUND_NONE)
		return json_null();
	json_t *object = application_json(review->ctl, &review->app);
	(void)json_object_set_new(object, "form", form_json(&review->app.form));
	(void)json_object_set_new(object, "found_by", json_string(found_by[review->found]));
	return object;
}

static void review_say_json(const struct review *review)
{
	struct possible possible[POSSIBLE_COUNT];
	possible_actions(review, possible);
	json_t *actions = json_array(), *object = request_json(review->ctl, &review->request);
	for (size_t i = 0; i < POSSIBLE_COUNT; i++)
		if (possible[i].effect)
			(void)json_array_append_new(actions, json_string(possible[i].action));
	(void)json_object_set_new(object, "mail", mail_json(review));
	(void)json_object_set_new(object, "reading", review_reading_json(review));
	(void)json_object_set_new(object, "beside", review_application_json(review));
	(void)json_object_set_new(object, "actions", actions);
	say_json(object);
}

/* ---- the command ---- */

static enum rc print_raw(const struct review *review, struct err *err)
{
	struct str raw = STR_INIT;
	if (isatty(STDOUT_FILENO))
		return err_set(err, RC_USAGE, "%s",
			_("A mail as it came can do harm to a terminal; write it to a file: add > mail.eml"));
	enum rc rc = message_raw(review->ctl->store, review->message.id, &raw, err);
	if (rc == RC_OK && raw.len == 0 && review->message.size > 0)
		rc = err_set(err, RC_REFUSED, "%s",
			_("The mail is not kept here: it was too large to be fetched, or erased. It may lie "
			  "in its folder."));
	if (rc == RC_OK && fwrite(raw.s, 1, raw.len, stdout) != raw.len)
		rc = err_set(err, RC_STORE, "%s", _("The output could not be written."));
	str_free(&raw);
	return rc;
}

enum rc command_review_show(struct ctl *ctl, struct err *err)
{
	struct review review = {.ctl = ctl};
	enum rc rc = review_get(&review, ctl->argument[0], err);
	if (rc != RC_OK)
		return rc;
	if (option_of(ctl, "raw"))
		return print_raw(&review, err);
	if (ctl->json)
		review_say_json(&review);
	else
		print_review(&review);
	return RC_OK;
}
