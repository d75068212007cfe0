/* The child that reads one form file: no network, no file but the one it was given, bounded memory and time. */
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/confine.h"
#include "daemon/record.h"
#include "daemon/zygote_serve.h"

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
	void *map; /* of the file; NULL: its bytes came in the frame */
	size_t map_len;
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
		/* What was read would stay: memory as large as the file. What is read next comes from the kernel's cache. */
		if (parse->map)
			(void)madvise(parse->map, parse->map_len, MADV_DONTNEED);
		if (wire_receive(parse->fd, &type, &parse->received, NULL, -1) != 1)
			_exit(0);
	}
	return RC_OK;
}

static void answer(struct parse *parse, enum rc rc, const char *text, const char *text_ja)
{
	str_clear(&parse->frame);
	wire_put_number(&parse->frame, rc);
	wire_put_text(&parse->frame, text);
	wire_put_text(&parse->frame, text_ja);
	child_send(parse, WIRE_DONE);
}

_Noreturn static void finish(struct parse *parse, enum rc rc, const char *text)
{
	answer(parse, rc, text, NULL);
	_exit(0);
}

static void confine(struct parse *parse, size_t bytes)
{
	struct err err = {0};
	const struct confine_limits limits = {.memory_bytes = MEMORY_BASE + MEMORY_PER_BYTE * bytes,
		.cpu_seconds = CPU_SECONDS,
		.wall_seconds = WALL_SECONDS};
	if (child_confine(&limits, &err))
		finish(parse, err.rc, err.text);
}

static void read_form(struct parse *parse, const char *bytes, size_t len, const struct fieldmap *map,
	const struct form_limits *limits)
{
	struct err err = {0};
	const char *why_ja = NULL;
	parse->head_sent = false;
	parse->records = 0;
	enum rc rc = form_read(bytes, len, map, limits, send_record, parse, &why_ja, &err);
	answer(parse, rc, rc ? err.text : NULL, why_ja);
}

_Noreturn static void read_file(
	struct parse *parse, int file, const struct fieldmap *map, const struct form_limits *limits)
{
	struct stat st;
	if (fstat(file, &st) != 0 || st.st_size < 0)
		finish(parse, RC_STORE, "The file could not be looked at.");
	parse->map_len = (size_t)st.st_size;
	if (parse->map_len > 0) {
		parse->map = mmap(NULL, parse->map_len, PROT_READ, MAP_PRIVATE, file, 0);
		if (parse->map == MAP_FAILED)
			finish(parse, RC_STORE, "The file could not be mapped.");
	}
	(void)close(file);
	confine(parse, parse->map_len);
	read_form(parse, parse->map ? parse->map : "", parse->map_len, map, limits);
	_exit(0);
}

/* One file that comes as a descriptor; or small ones whose bytes stand in the frames, until no more come. */
_Noreturn void form_child_main(int fd, const struct fieldmap *map)
{
	struct parse parse = {.fd = fd, .frame = STR_INIT, .received = STR_INIT};
	struct str small = STR_INIT;
	bool confined = false;
	for (;;) {
		struct form_limits limits;
		enum wire_type type;
		int file = -1;
		if (wire_receive(fd, &type, &parse.received, &file, -1) != 1)
			_exit(0);
		struct wire_reader reader = wire_reader_of(&parse.received);
		size_t len = 0;
		const char *bytes = file < 0 ? wire_get_bytes(&reader, &len) : NULL;
		if (type != WIRE_PARSE || reader.bad || !form_limits_unpack(&limits, &reader) ||
			(confined && file >= 0))
			_exit(RC_USAGE);
		if (file >= 0)
			read_file(&parse, file, map, &limits);
		if (!confined)
			confine(&parse, WIRE_FRAME_MAX);
		confined = true;
		str_clear(&small); /* what is received meanwhile takes the frame's place */
		str_add(&small, bytes, len);
		read_form(&parse, small.s, len, map, &limits);
	}
}
