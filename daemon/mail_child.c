/* The child that reads one mail: no network, no file but the one it was given, bounded memory and time; it ends with its answer. */
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/memfile.h"
#include "daemon/wire.h"
#include "daemon/zygote_serve.h"
#include "lib/mail/received.h"

static void context_get(struct received_context *context, const struct str *payload, struct pool *pool)
{
	struct wire_reader reader = {payload->s, payload->s + payload->len, false};
	context->office = wire_get_text(&reader, pool);
	context->authserv_id = wire_get_text(&reader, pool);
	for (int64_t left = wire_get_number(&reader); left > 0 && !reader.bad; left--) {
		const char *name = wire_get_text(&reader, pool);
		if (name)
			strlist_add(&context->own_hops, name);
	}
	if (reader.bad)
		_exit(RC_USAGE);
}

_Noreturn static void refuse(int fd, const struct err *err)
{
	struct str answer = STR_INIT;
	wire_put_number(&answer, err->rc);
	wire_put_text(&answer, err->text);
	(void)wire_send(fd, WIRE_DONE, answer.s, answer.len);
	_exit(0);
}

_Noreturn void mail_child_main(int fd, const struct request_rules *rules)
{
	struct received_context context = {.rules = rules};
	struct received *received;
	struct str payload = STR_INIT, answer = STR_INIT;
	struct pool *pool = pool_new();
	struct err err = {0};
	enum wire_type type;
	int file;
	int64_t size;
	if (wire_receive(fd, &type, &payload, &file, -1) != 1)
		_exit(0);
	if (type != WIRE_READ_MAIL || file < 0)
		_exit(RC_USAGE);
	context_get(&context, &payload, pool);
	if (memfile_check(file, (int64_t)message_limits_default.bytes, &size, &err))
		refuse(fd, &err);
	const char *bytes = "";
	if (size > 0) {
		bytes = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, file, 0);
		if (bytes == MAP_FAILED)
			_exit(RC_STORE);
	}
	(void)close(file);
	if (received_confine(&err))
		refuse(fd, &err);

	received = pool_alloc(pool, sizeof *received);
	if (received_read(received, bytes, (size_t)size, &context, pool, &err))
		refuse(fd, &err);
	received_print(&answer, received);
	(void)wire_send(fd, WIRE_RECEIVED, answer.s, answer.len);
	_exit(0);
}
