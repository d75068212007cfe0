/* What was read in a mail as JSON: of inspect, and of a request in review. */
#include "ctl/ctl.h"
#include "lib/mail/received.h"

static void put_text(json_t *object, const char *name, const char *value)
{
	(void)json_object_set_new(object, name, json_text(value));
}

static json_t *changes_json(const struct sheet *fields)
{
	json_t *list = json_array();
	for (size_t i = 0; i < fields->change_count; i++) {
		json_t *change = json_object();
		put_text(change, "item", fields->change[i].item);
		put_text(change, "old", fields->change[i].old);
		put_text(change, "new", fields->change[i].new_value);
		(void)json_array_append_new(list, change);
	}
	return list;
}

static void put_sheet(json_t *object, const struct reading *reading)
{
	const struct sheet *fields = &reading->fields;
	put_text(object, "declaration_id", fields->declaration_id);
	put_text(object, "user_number", fields->user_number);
	put_text(object, "business_name", fields->business_name);
	put_text(object, "representative", fields->representative);
	put_text(object, "contact", fields->contact);
	put_text(object, "mail", fields->mail);
	put_text(object, "corporate_number", fields->corporate_number);
	put_text(object, "prefecture", fields->prefecture);
	put_text(object, "notice", reading->notice);
	if (reading->kind == REQUEST_STOP) {
		(void)json_object_set_new(object, "stop_on", json_day(fields->stop_on));
		put_text(object, "reason", fields->reason);
	}
	if (reading->kind == REQUEST_CHANGE && fields->change_count)
		(void)json_object_set_new(object, "changes", changes_json(fields));
}

static void put_bounce(json_t *object, const struct bounce *bounce)
{
	json_t *recipients = json_array();
	for (size_t i = 0; i < bounce->recipient_count; i++)
		(void)json_array_append_new(recipients, json_string(bounce->recipient[i]));
	(void)json_object_set_new(object, "recipients", recipients);
	put_text(object, "action", bounce->action);
	(void)json_object_set_new(
		object, "permanent", bounce->permanent_known ? json_boolean(bounce->permanent) : json_null());
	put_text(object, "status", bounce->status);
	put_text(object, "message_id", bounce->message_id);
	put_text(object, "class", bounce_class_name(bounce->class_));
}

static json_t *wishes_json(unsigned wishes)
{
	json_t *list = json_array();
	for (unsigned kind = REQUEST_OTHER; kind <= REQUEST_AUTO_REPLY; kind++)
		if (wishes & (1u << kind))
			(void)json_array_append_new(
				list, json_string(request_kind_name((enum request_kind)kind)));
	return list;
}

json_t *reading_json(const struct reading *reading)
{
	json_t *fields = json_object();
	if (reading->kind == REQUEST_BOUNCE)
		put_bounce(fields, &reading->bounce);
	else if (reading->kind != REQUEST_AUTO_REPLY)
		put_sheet(fields, reading);
	json_t *object = json_object();
	put_text(object, "kind", request_kind_name(reading->kind));
	(void)json_object_set_new(object, "review", json_boolean(reading->review));
	put_text(object, "why", reading->why);
	(void)json_object_set_new(object, "fields", fields);
	if (reading->wishes & (reading->wishes - 1))
		(void)json_object_set_new(object, "also", wishes_json(reading->wishes));
	if (reading->unknown_mail)
		(void)json_object_set_new(object, "unknown_mail", json_true());
	return object;
}
