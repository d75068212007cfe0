/*
 * The role's end of every line to a child: the child was taken over and writes what it likes. What is taken from it is text within its limits, and means the same
 * when it is written again.
 */
#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/handover.h"
#include "daemon/mail_handover.h"
#include "daemon/mail_reader.h"
#include "daemon/memfile.h"
#include "daemon/record.h"
#include "lib/base/clock.h"
#include "tests/fuzz/fuzz.h"

static void check_delivery(const struct str *payload)
{
	struct delivery delivery, again;
	if (!handover_get_delivery(&delivery, payload))
		return;
	MUST(outcome_name(delivery.outcome));
	must_be_line(delivery.enhanced);
	must_be_line(delivery.reply);
	must_be_line(delivery.phase);
	MUST(delivery.reply_code >= 0 && delivery.reply_code <= 999);
	struct str out = STR_INIT;
	handover_put_delivery(&out, &delivery);
	MUST(handover_get_delivery(&again, &out));
	MUST(again.outcome == delivery.outcome && strcmp(again.reply, delivery.reply) == 0);
	str_free(&out);
}

static void check_head(const struct str *payload, struct pool *pool)
{
	struct form_head head, again;
	struct wire_reader reader = wire_reader_of(payload);
	if (!form_head_unpack(&head, &reader, &form_limits_default, pool))
		return;
	if (head.charset)
		must_be_text(head.charset);
	MUST(head.header_count <= form_limits_default.columns);
	for (size_t i = 0; i < head.header_count; i++)
		must_be_text(head.header[i]);
	struct str out = STR_INIT;
	form_head_pack(&out, &head);
	reader = wire_reader_of(&out);
	MUST(form_head_unpack(&again, &reader, &form_limits_default, pool));
	MUST(again.header_count == head.header_count && again.format == head.format);
	str_free(&out);
}

static void must_be_value(const char *text)
{
	if (text) {
		must_be_text(text);
		MUST(strlen(text) <= form_limits_default.value_bytes);
	}
}

static void check_record(const struct str *payload, struct pool *pool)
{
	struct form_record record, again;
	struct wire_reader reader = wire_reader_of(payload);
	if (!form_record_unpack(&record, &reader, &form_limits_default, pool))
		return;
	MUST(record.record > 0 && record.line >= 0);
	MUST(record.raw_count <= form_limits_default.columns);
	for (int i = 0; i < FIELD_COUNT; i++)
		must_be_value(record.form.value[i]);
	for (int i = 0; i < DECISION_COLUMNS; i++)
		must_be_value(record.decision[i]);
	for (size_t i = 0; i < record.damage_count; i++)
		must_be_text(record.damage[i].message_ja);
	struct str first = STR_INIT, second = STR_INIT;
	form_record_pack(&first, &record);
	reader = wire_reader_of(&first);
	MUST(form_record_unpack(&again, &reader, &form_limits_default, pool));
	form_record_pack(&second, &again);
	MUST(first.len == second.len && memcmp(first.s, second.s, first.len) == 0);
	str_free(&first);
	str_free(&second);
}

static void check_findings(const struct str *payload, struct pool *pool)
{
	struct findings findings, again;
	const char *detail;
	struct wire_reader reader = wire_reader_of(payload);
	if (!findings_unpack(&findings, &detail, &reader, pool))
		return;
	struct str out = STR_INIT;
	findings_pack(&out, &findings, detail);
	reader = wire_reader_of(&out);
	MUST(findings_unpack(&again, &detail, &reader, pool) && again.count == findings.count);
	str_free(&out);
}

/* What a child reads from its role: it trusts the role, but must not fall. */
static void check_tasks(const struct str *payload, struct pool *pool)
{
	static const enum wire_type types[] = {WIRE_LIST, WIRE_FETCH, WIRE_MOVE, WIRE_WAIT, WIRE_APPEND};
	struct transport_settings server;
	struct mailbox_settings mailbox;
	struct parcel parcel;
	(void)handover_get_server(&server, payload, pool);
	(void)handover_get_mail(&parcel, payload, pool);
	(void)mail_handover_get_mailbox(&mailbox, payload, pool);
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		struct mail_task task;
		if (!mail_handover_get_task(&task, types[i], payload, pool))
			continue;
		struct str out = STR_INIT;
		mail_handover_put_task(&out, types[i], &task);
		MUST(out.len == payload->len && memcmp(out.s, payload->s, out.len) == 0);
		str_free(&out);
	}
}

/* A socket pair; everything the child will ever say lies in it, a descriptor at its head where the first byte is odd. Returns the role's end. */
static int child_says(const uint8_t *data, size_t size, int *child)
{
	int pair[2], room = 1 << 20, file = -1;
	struct err err;
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	(void)setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
	MUST(fcntl(pair[1], F_SETFL, O_NONBLOCK) == 0);
	if (size > 5 && data[4] & 0x80) {
		MUST(memfile_make(&file, "From: a@example.jp\n\nabc", data[4] & 1 ? 23 : 10, &err) == RC_OK);
		union {
			struct cmsghdr align;
			char bytes[CMSG_SPACE(sizeof(int))];
		} control = {0};
		char head[5];
		memcpy(head, data, sizeof head);
		head[4] &= 0x1F;
		struct iovec part = {head, sizeof head};
		struct msghdr message = {.msg_iov = &part,
			.msg_iovlen = 1,
			.msg_control = control.bytes,
			.msg_controllen = sizeof control.bytes};
		struct cmsghdr *cmsg = CMSG_FIRSTHDR(&message);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof file);
		memcpy(CMSG_DATA(cmsg), &file, sizeof file);
		MUST(sendmsg(pair[1], &message, MSG_NOSIGNAL) == sizeof head);
		(void)close(file);
		data += sizeof head;
		size -= sizeof head;
	}
	(void)!send(pair[1], data, size, MSG_NOSIGNAL);
	(void)shutdown(pair[1], SHUT_WR);
	*child = pair[1];
	return pair[0];
}

static void check_uid(const char *uid)
{
	must_be_line(uid);
	MUST(strlen(uid) <= 255);
}

static void use_line(struct mailline *line, int use, struct pool *pool)
{
	static const char *const uids[] = {"7", "8"};
	struct mailbox_list list;
	const char *moved[2];
	struct err err = {0};
	int64_t size;
	int file;
	bool over, news;
	switch (use) {
	case 0:
		if (mailline_list(line, FOLDER_INBOX, "3", 16, &list, pool, &err) != RC_OK)
			break;
		MUST(list.count <= 16 && list.uid_validity >= 0);
		for (size_t i = 0; i < list.count; i++) {
			check_uid(list.entry[i].uid);
			MUST(list.entry[i].size >= 0);
		}
		break;
	case 1:
		if (mailline_fetch(line, "7", &file, &size, &err) == RC_OK) {
			MUST(file >= 0 && size >= 0 && size <= line->message_bytes);
			MUST(close(file) == 0);
		}
		break;
	case 2:
		if (mailline_move(line, uids, 2, FOLDER_DONE, moved, pool, &err) == RC_OK)
			for (size_t i = 0; i < 2; i++)
				if (moved[i])
					check_uid(moved[i]);
		break;
	case 3:
		(void)mailline_append(line, "name", "mail", 4, &err);
		break;
	case 4:
		(void)mailline_wait(line, 1, &err);
		break;
	default:
		(void)mailline_news(line, &over, &news, &err);
	}
	must_be_text(err.text);
	must_be_line(line->phase);
}

static int open_descriptors(void)
{
	int fd = dup(0);
	MUST(fd >= 0);
	(void)close(fd);
	return fd;
}

/* The first byte of the rest tells what the role asks for, four times. */
static void check_mailbox_child(const uint8_t *data, size_t size, struct pool *pool)
{
	if (size == 0)
		return;
	int before = open_descriptors(), child;
	struct mailline line = {.fd = child_says(data + 1, size - 1, &child),
		.phase = "connect",
		.message_bytes = 20,
		.answer_ms = 50};
	for (int i = 0; i < 4; i++)
		use_line(&line, (data[0] >> i) % 6, pool);
	mailline_close(&line);
	(void)close(child);
	MUST(open_descriptors() == before);
}

static void check_mail_child(const uint8_t *data, size_t size, struct pool *pool)
{
	int before = open_descriptors(), child;
	struct mail_reading reading = {child_says(data, size, &child), clock_machine_ms() + 50};
	struct received received;
	struct err err = {0};
	if (mail_reader_finish(&reading, &received, pool, &err) != RC_OK)
		must_be_line(err.text);
	(void)close(child);
	MUST(open_descriptors() == before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct pool *pool = pool_new();
	struct str payload = STR_INIT;
	str_add(&payload, data + 1, size - 1);
	switch (data[0]) {
	case 'd':
		check_delivery(&payload);
		break;
	case 'h':
		check_head(&payload, pool);
		break;
	case 'r':
		check_record(&payload, pool);
		break;
	case 'f':
		check_findings(&payload, pool);
		break;
	case 't':
		check_tasks(&payload, pool);
		break;
	case 'm':
		check_mailbox_child(data + 1, size - 1, pool);
		break;
	default:
		check_mail_child(data + 1, size - 1, pool);
	}
	str_free(&payload);
	pool_free(&pool);
	return 0;
}
