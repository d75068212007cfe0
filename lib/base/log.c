#include "lib/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "lib/base/crypt.h"
#include "lib/base/str.h"
#include "lib/base/text.h"

static struct {
	char program[64];
	enum log_level level;
	bool journal; /* standard error is the journal's stream */
	log_journal_fn *to_journal; /* NULL: nobody can hand anything to it */
} log_state = {.program = "sengen", .level = LEVEL_NOTICE};

static const struct {
	const char *name;
	int priority;
} levels[] = {
	[LEVEL_BROKEN] = {"broken", LOG_CRIT},
	[LEVEL_FAULT] = {"fault", LOG_ERR},
	[LEVEL_NOTICE] = {"notice", LOG_NOTICE},
	[LEVEL_TRACE] = {"trace", LOG_DEBUG},
};

/* sd_journal(3): JOURNAL_STREAM names device and inode of the stream; a redirected standard error is another one. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat st;
	char own[64];
	if (!stream || fstat(STDERR_FILENO, &st) != 0)
		return false;
	(void)snprintf(
		own, sizeof own, "%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	return strcmp(stream, own) == 0;
}

void log_to_journal(log_journal_fn *fn)
{
	log_state.to_journal = fn;
}

void log_program(const char *program)
{
	(void)snprintf(log_state.program, sizeof log_state.program, "%s", program);
}

void log_open(const char *program, enum log_level level)
{
	log_program(program);
	log_state.level = level;
	log_state.journal = stderr_is_journal();
}

/* 128 bits of a digest, marked as a version 8 UUID. */
void log_message_id(struct str *out, const char *event)
{
	uint8_t digest[SHA256_LEN];
	struct str name = STR_INIT;
	str_printf(&name, "sengen event %s", event);
	sha256(digest, name.s, name.len);
	str_free(&name);
	digest[6] = (uint8_t)((digest[6] & 0x0F) | 0x80);
	digest[8] = (uint8_t)((digest[8] & 0x3F) | 0x80);
	hex_add(out, digest, 16);
}

static bool hand_on(enum log_level level, const char *event, const char *line)
{
	struct str id = STR_INIT;
	if (!log_state.journal || !log_state.to_journal)
		return false;
	log_message_id(&id, event);
	bool taken = log_state.to_journal(&(struct log_entry){.program = log_state.program,
		.event = event,
		.line = line,
		.message_id = id.s,
		.priority = levels[level].priority});
	str_free(&id);
	return taken;
}

void log_event(enum log_level level, const char *event, const char *fields, ...)
{
	if (level > log_state.level)
		return;
	struct str raw = STR_INIT, line = STR_INIT;
	va_list args;
	va_start(args, fields);
	str_vprintf(&raw, fields, args);
	va_end(args);

	str_printf(&line, "%s%s", event, raw.len ? " " : "");
	text_add_printable(&line, raw.s);
	if (!hand_on(level, event, line.s)) {
		/* One write, so that lines of several processes on one terminal or file don't mix. */
		struct str whole = STR_INIT;
		str_printf(&whole, "%s: %s: %s\n", log_state.program, levels[level].name, line.s);
		(void)!write(STDERR_FILENO, whole.s, whole.len);
		str_free(&whole);
	}
	str_free(&raw);
	str_free(&line);
}
