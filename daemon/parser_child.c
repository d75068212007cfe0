/* The child that reads one form file: no network, no file but the one it was given, bounded memory and time. */
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/confine.h"
#include "daemon/record.h"
#include "daemon/zygote.h"

/* A file of 64 MiB in CP932 takes its own size, its decoding, and the reader's working room. */
#define MEMORY_BASE (512u * 1024 * 1024)
#define MEMORY_PER_BYTE 8
#define CPU_SECONDS 120
#define WALL_SECONDS 3600 /* 200,000 records on a slow disk: the child mostly waits for the role */

struct parse {
	int fd;
	struct str frame;
	bool head_sent;
	int records;
	struct str received;
};

static void child_send(struct parse *parse, enum wire_type type)
{
	if (!wire_send(parse->fd, type, parse->frame.s, parse->frame.len))
		_exit(0); /* the role has lost interest */
	str_clear(&parse->frame);
}

static void send_head(struct parse *parse, const struct form_head *head)
{
	form_head_pack(&parse->frame, head);
	child_send(parse, WIRE_HEAD);
	parse->head_sent = true;
}

static enum rc send_record(
	void *ctx, const struct form_head *head, const struct form_record *record, struct err *err)
{
	(void)err;
	struct parse *parse = ctx;
	if (!parse->head_sent)
		send_head(parse, head);
	form_record_pack(&parse->frame, record);
	child_send(parse, WIRE_RECORD);
	if (++parse->records % RECORDS_PER_TURN == 0) {
		enum wire_type type;
		if (wire_receive(parse->fd, &type, &parse->received, NULL, -1) != 1)
			_exit(0);
	}
	return RC_OK;
}

_Noreturn static void finish(struct parse *parse, enum rc rc, const char *text, const char *text_ja)
{
	wire_put_number(&parse->frame, rc);
	wire_put_text(&parse->frame, text);
	wire_put_text(&parse->frame, text_ja);
	child_send(parse, WIRE_DONE);
	_exit(0);
}

_Noreturn void form_child_main(int fd, const struct fieldmap *map)
{
	struct parse parse = {.fd = fd, .frame = STR_INIT, .received = STR_INIT};
	struct form_limits limits;
	enum wire_type type;
	int file;
	if (wire_receive(fd, &type, &parse.received, &file, -1) != 1)
		_exit(0);
	struct wire_reader reader = {parse.received.s, parse.received.s + parse.received.len, false};
	if (type != WIRE_PARSE || file < 0 || !form_limits_unpack(&limits, &reader))
		_exit(RC_USAGE);

	struct err err = {0};
	struct stat st;
	const char *bytes = "";
	if (fstat(file, &st) != 0 || st.st_size < 0)
		finish(&parse, RC_STORE, "The file could not be looked at.", NULL);
	if (st.st_size > 0) {
		bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, file, 0);
		if (bytes == MAP_FAILED)
			finish(&parse, RC_STORE, "The file could not be mapped.", NULL);
	}
	(void)close(file);

	struct confine_limits confine = {.memory_bytes = MEMORY_BASE + MEMORY_PER_BYTE * (size_t)st.st_size,
		.cpu_seconds = CPU_SECONDS,
		.wall_seconds = WALL_SECONDS};
	if (child_confine(&confine, &err))
		finish(&parse, err.rc, err.text, NULL);

	const char *why_ja = NULL;
	enum rc rc = form_read(bytes, (size_t)st.st_size, map, &limits, send_record, &parse, &why_ja, &err);
	finish(&parse, rc, rc ? err.text : NULL, why_ja);
}
