#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "lib/base/clock.h"
#include "lib/base/confine.h"
#include "lib/base/file.h"
#include "lib/base/heap.h"
#include "lib/base/text.h"
#include "lib/form/registry_csv.h"
#include "lib/mail/received.h"

/*
 * Each mail is read in a child of its own, which can do nothing but read memory and answer: a mail that was made to do harm costs its own
 * reading, no more. The mail is in memory before the child is made. The answer is one letter, and a reading as JSON or a sentence.
 */
enum { ANSWER_READ = 'R', ANSWER_REFUSED = 'N' };

/* ---- the declarations on file ---- */

struct declaration {
	char *id, *business_name, *mail, *corporate_number, *representative, *prefecture; /* names as keys */
};

struct inspect {
	struct ctl *ctl;
	struct request_rules *rules;
	struct request_registry ask;
	struct declaration *declaration;
	size_t count;
	bool refused; /* a file could not be read */
};

static char *key_of(const char *text)
{
	struct str key = STR_INIT;
	text_key(&key, text ? text : "");
	return str_take(&key);
}

static enum rc declaration_add(void *ctx, const struct registry_row *row, struct err *err)
{
	(void)err;
	struct inspect *inspect = ctx;
	if (row->fault || !row->declaration_id)
		return RC_OK;
	if (inspect->count % 256 == 0)
		inspect->declaration =
			xrealloc(inspect->declaration, (inspect->count + 256) * sizeof *inspect->declaration);
	const char *const *value = row->form.value;
	struct str name = STR_INIT, id = STR_INIT;
	str_printf(&id, "%lld", (long long)row->declaration_id);
	str_printf(&name, "%s%s", value[FIELD_FAMILY_NAME] ? value[FIELD_FAMILY_NAME] : "",
		value[FIELD_GIVEN_NAME] ? value[FIELD_GIVEN_NAME] : "");
	inspect->declaration[inspect->count++] = (struct declaration){.id = str_take(&id),
		.business_name = xstrdup(value[FIELD_BUSINESS_NAME] ? value[FIELD_BUSINESS_NAME] : ""),
		.mail = xstrdup(value[FIELD_MAIL] ? value[FIELD_MAIL] : ""),
		.corporate_number =
			xstrdup(value[FIELD_CORPORATE_NUMBER] ? value[FIELD_CORPORATE_NUMBER] : ""),
		.representative = key_of(name.s),
		.prefecture = xstrdup(value[FIELD_PREFECTURE] ? value[FIELD_PREFECTURE] : "")};
	str_free(&name);
	return RC_OK;
}

static bool ask_declaration(void *ctx, const char *id, const char **business_name, const char **mail)
{
	const struct inspect *inspect = ctx;
	for (size_t i = 0; i < inspect->count; i++)
		if (strcmp(inspect->declaration[i].id, id) == 0) {
			*business_name = inspect->declaration[i].business_name;
			*mail = inspect->declaration[i].mail;
			return true;
		}
	return false;
}

static bool ask_sender(void *ctx, const char *mail)
{
	const struct inspect *inspect = ctx;
	for (size_t i = 0; i < inspect->count; i++)
		if (strcasecmp(inspect->declaration[i].mail, mail) == 0)
			return true;
	return false;
}

static int ask_identify(void *ctx, const struct sheet *fields)
{
	const struct inspect *inspect = ctx;
	char *name = key_of(fields->business_name), *representative = key_of(fields->representative);
	int matches = 0;
	for (size_t i = 0; i < inspect->count; i++) {
		const struct declaration *d = &inspect->declaration[i];
		char *own = key_of(d->business_name);
		bool same = strcmp(d->prefecture, fields->prefecture) == 0 &&
			    (*fields->corporate_number
					    ? strcmp(d->corporate_number, fields->corporate_number) == 0
					    : strcmp(own, name) == 0 &&
						      strcmp(d->representative, representative) == 0);
		matches += same;
		free(own);
	}
	free(name);
	free(representative);
	return matches;
}

static enum rc registry_read(struct inspect *inspect, const char *path, struct err *err)
{
	struct fieldmap *map = NULL;
	enum rc rc = fieldmap_load(&map, NULL, err);
	rc = rc ? rc : registry_csv_read(path, map, declaration_add, inspect, err);
	fieldmap_free(&map);
	inspect->ask = (struct request_registry){inspect, ask_declaration, ask_sender, ask_identify};
	return rc;
}

static void inspect_free(struct inspect *inspect)
{
	for (size_t i = 0; i < inspect->count; i++) {
		struct declaration *d = &inspect->declaration[i];
		char *const texts[] = {d->id, d->business_name, d->mail, d->corporate_number,
			d->representative, d->prefecture};
		for (size_t t = 0; t < sizeof texts / sizeof *texts; t++)
			free(texts[t]);
	}
	free(inspect->declaration);
	request_rules_free(&inspect->rules);
}

/* ---- the answer ---- */

static json_t *unread_json(const char *why)
{
	return json_pack(
		"{s:s, s:b, s:o, s:{}}", "kind", "other", "review", 1, "why", json_text(why), "fields");
}

/* ---- the child ---- */

static void mail_read(const struct inspect *inspect, const struct str *bytes, struct str *answer)
{
	struct received_context context = {.rules = inspect->rules,
		.office = option_of(inspect->ctl, "office"),
		.registry = inspect->ask.ctx ? &inspect->ask : NULL};
	struct received received;
	struct err err = {0};
	bool read =
		received_read(&received, bytes->s, bytes->len, &context, inspect->ctl->pool, &err) == RC_OK;
	str_addc(answer, read ? ANSWER_READ : ANSWER_REFUSED);
	if (read)
		received_print(answer, &received);
	else
		str_addz(answer, err.text);
}

_Noreturn static void child_main(const struct inspect *inspect, const struct str *bytes, int fd)
{
	struct str answer = STR_INIT;
	struct err err = {0};
	if (dup2(fd, STDOUT_FILENO) < 0 || close_range(STDERR_FILENO + 1, ~0U, 0) != 0 ||
		received_confine(&err))
		_exit(RC_CONFIG);
	mail_read(inspect, bytes, &answer);
	_exit(file_write_all(STDOUT_FILENO, answer.s, answer.len, &err));
}

/* ---- the parent ---- */

/* What the child says, until it ends or its time is over. */
static void answer_read(struct str *out, int fd)
{
	int64_t until = clock_machine_ms() + RECEIVED_WALL_SECONDS * 1000;
	for (;;) {
		int64_t left = until - clock_machine_ms();
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		if (left <= 0 || out->len > RECEIVED_JSON_MAX + 1 || poll(&ready, 1, (int)left) <= 0)
			return;
		char piece[16384];
		ssize_t n = read(fd, piece, sizeof piece);
		if (n <= 0)
			return;
		str_add(out, piece, (size_t)n);
	}
}

static json_t *ended_json(int status)
{
	const char *why = "The mail could not be read: its reader failed.";
	if (WIFSIGNALED(status) &&
		(WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGALRM))
		why = "The mail could not be read: it took too much time.";
	else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		why = "The mail could not be read: its reader did what it must not.";
	return unread_json(why);
}

static json_t *answer_json(const struct str *answer, int status, struct pool *pool)
{
	struct received received;
	struct err err = {0};
	if (answer->len == 0)
		return ended_json(status);
	if (answer->s[0] == ANSWER_REFUSED)
		return unread_json(answer->s + 1);
	if (received_load(&received, answer->s + 1, answer->len - 1, pool, &err))
		return unread_json(err.text);
	return reading_json(&received.reading);
}

/* One file on its way: its child reads while the file before it is printed and the next one is fetched. */
struct begun {
	const char *path;
	pid_t pid; /* 0: there is no child */
	int fd;
	struct err fault; /* why there is none */
};

#define AT_A_TIME 2

static enum rc child_begin(
	const struct inspect *inspect, const struct str *bytes, struct begun *begun, struct err *err)
{
	int pair[2];
	if (pipe2(pair, O_CLOEXEC) != 0)
		return err_set(err, RC_STORE, "No pipe could be made: %s.", errno_text(errno));
	(void)fflush(stdout);
	pid_t pid = _Fork(); /* of one thread, and no library that must know of it */
	if (pid == 0)
		child_main(inspect, bytes, pair[1]);
	(void)close(pair[1]);
	if (pid < 0) {
		(void)close(pair[0]);
		return err_set(err, RC_STORE, "No process could be started: %s.", errno_text(errno));
	}
	begun->pid = pid;
	begun->fd = pair[0];
	return RC_OK;
}

static json_t *child_end(const struct inspect *inspect, struct begun *begun)
{
	struct str answer = STR_INIT;
	int status = 0;
	answer_read(&answer, begun->fd);
	(void)kill(begun->pid, SIGKILL);
	while (waitpid(begun->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	(void)close(begun->fd);
	begun->pid = 0;
	json_t *object = answer_json(&answer, status, inspect->ctl->pool);
	str_free(&answer);
	return object;
}

static enum rc file_begin(
	const struct inspect *inspect, const char *path, struct begun *begun, struct err *err)
{
	struct str bytes = STR_INIT;
	enum rc rc = RC_OK;
	*begun = (struct begun){.path = path, .fd = -1};
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		(void)err_set(&begun->fault, RC_REFUSED, _("It could not be opened: %s."), errno_text(errno));
	else
		(void)file_read_fd(&bytes, fd, message_limits_default.bytes, &begun->fault);
	if (fd >= 0)
		(void)close(fd);
	if (!begun->fault.rc)
		rc = child_begin(inspect, &bytes, begun, err);
	str_free(&bytes);
	return rc;
}

static void file_end(struct inspect *inspect, struct begun *begun)
{
	json_t *object = begun->pid > 0 ? child_end(inspect, begun) : unread_json(begun->fault.text);
	inspect->refused |= begun->fault.rc != RC_OK;
	json_t *line = json_pack("{s:o}", "file", json_text(begun->path));
	(void)json_object_update(line, object);
	json_decref(object);
	say_json(line);
	pool_reset(inspect->ctl->pool);
}

static enum rc files_inspect(struct inspect *inspect, struct err *err)
{
	struct begun begun[AT_A_TIME];
	int count = inspect->ctl->argument_count, started = 0, done = 0;
	enum rc rc = RC_OK;
	while (done < (rc ? started : count)) {
		while (rc == RC_OK && started < count && started < done + AT_A_TIME) {
			rc = file_begin(
				inspect, inspect->ctl->argument[started], &begun[started % AT_A_TIME], err);
			started += rc == RC_OK;
		}
		if (done < started)
			file_end(inspect, &begun[done++ % AT_A_TIME]);
	}
	return rc;
}

enum rc command_inspect(struct ctl *ctl, struct err *err)
{
	struct inspect inspect = {.ctl = ctl};
	const char *registry = option_of(ctl, "registry");
	enum rc rc = received_prepare(&inspect.rules, err);
	if (rc == RC_OK && registry)
		rc = registry_read(&inspect, registry, err);
	heap_settle();
	rc = rc ? rc : files_inspect(&inspect, err);
	if (rc == RC_OK && inspect.refused)
		rc = RC_REFUSED;
	inspect_free(&inspect);
	return rc;
}
