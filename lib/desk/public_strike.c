/*
 * public_strike.c - those that ended leave the search page at once
 *
 * gone.js lists the rows whose application is not public any more; a page that is loaded from now on leaves them out. It is made from all that ended since the page was
 * written, so that doing it twice changes nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/desk/public_p.h"

#define STATE_MAX 4096

/* ---- which data the page shows ---- */

/* "DIRECTORY MOMENT FORMS"; the directory may be empty. */
static bool state_parse(const char *text, struct public_state *out)
{
	size_t len = strcspn(text, " ");
	char *end;
	if (len >= sizeof out->data || text[len] != ' ')
		return false;
	memcpy(out->data, text, len);
	out->made_at = strtoll(text + len, &end, 10);
	if (*end != ' ')
		return false;
	out->forms = (int)strtol(end, &end, 10);
	return *end == '\n' && !strchr(out->data, '/') && out->data[0] != '.';
}

static enum rc state_damaged(const char *path, struct err *err)
{
	return err_set(err, RC_STORE, "%s is damaged; write the public list anew (sengenctl publish).", path);
}

enum rc public_state_read(const char *directory, struct public_state *out, struct err *err)
{
	struct str path = STR_INIT, text = STR_INIT;
	*out = (struct public_state){0};
	path_join(&path, directory, PUBLIC_STATE_FILE);
	enum rc rc = access(path.s, F_OK) == 0 ? file_read(&text, path.s, STATE_MAX, err) : RC_OK;
	if (text.len > 0 && !state_parse(text.s, out))
		rc = state_damaged(path.s, err);
	str_free(&path);
	str_free(&text);
	return rc;
}

enum rc public_state_write(const char *directory, const struct public_state *state, struct err *err)
{
	struct str path = STR_INIT, text = STR_INIT;
	path_join(&path, directory, PUBLIC_STATE_FILE);
	str_printf(&text, "%s %" PRId64 " %d\n", state->data, state->made_at, state->forms);
	enum rc rc = file_write(path.s, text.s, text.len, 0644, err);
	str_free(&path);
	str_free(&text);
	return rc;
}

/* ---- gone.js ---- */

struct strike {
	struct store *store;
	int64_t *id; /* owned; not public any more */
	size_t count, room;
	bool any; /* something ended or was changed */
};

static enum rc take_ended(void *ctx, const struct published *published, struct err *err)
{
	struct strike *strike = ctx;
	bool now;
	strike->any = true;
	enum rc rc = published_has(strike->store, published->application_id, &now, err);
	if (rc != RC_OK || now)
		return rc;
	if (strike->count == strike->room) {
		strike->room = strike->room ? strike->room * 2 : 64;
		strike->id = xrealloc(strike->id, strike->room * sizeof *strike->id);
	}
	strike->id[strike->count++] = published->application_id;
	return RC_OK;
}

static int by_number(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

/* The rows of those applications, as numbers with commas between. */
static enum rc find_rows(struct strike *strike, const char *data, struct str *out, struct err *err)
{
	struct str path = STR_INIT;
	int64_t id[1024];
	int64_t row = 0;
	ssize_t got;
	path_join(&path, data, ".ids");
	int fd = open(path.s, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		(void)err_set(err, RC_STORE, "%s could not be read: %s.", path.s, errno_text(errno));
		str_free(&path);
		return err->rc;
	}
	qsort(strike->id, strike->count, sizeof *strike->id, by_number);
	while ((got = read(fd, id, sizeof id)) > 0)
		for (size_t i = 0; i < (size_t)got / sizeof *id; i++, row++)
			if (bsearch(&id[i], strike->id, strike->count, sizeof *id, by_number))
				str_printf(out, "%s%" PRId64, out->len ? "," : "", row);
	(void)close(fd);
	str_free(&path);
	return got == 0 ? RC_OK : err_set(err, RC_STORE, "The rows of the public list could not be read.");
}

static enum rc write_gone(struct strike *strike, const char *data, struct err *err)
{
	struct str rows = STR_INIT, path = STR_INIT, text = STR_INIT, old = STR_INIT;
	path_join(&path, data, "gone.js");
	enum rc rc = find_rows(strike, data, &rows, err);
	str_printf(&text, "sengen.gone([%s]);\n", rows.s);
	if (rc == RC_OK)
		rc = file_read(&old, path.s, (size_t)64 << 20, err);
	if (rc == RC_OK && strcmp(old.s, text.s) != 0) {
		rc = file_write(path.s, text.s, text.len, 0644, err);
		log_event(LEVEL_NOTICE, "public.strike", "applications=%zu", strike->count);
	}
	str_free(&rows);
	str_free(&path);
	str_free(&text);
	str_free(&old);
	return rc;
}

enum rc public_list_strike(struct office *office, const char *directory, bool *ended, struct err *err)
{
	struct public_state state;
	struct strike strike = {.store = office->store};
	if (ended)
		*ended = false;
	enum rc rc = public_state_read(directory, &state, err);
	if (rc != RC_OK || !*state.data)
		return rc;
	/* Written by a clock that was ahead: what ends before that day would not be seen to. */
	if (state.made_at > clock_now(office->clock))
		return state_damaged(PUBLIC_STATE_FILE, err);
	mode_t mask = umask(PUBLIC_UMASK);
	rc = published_ended(office->store, state.made_at, take_ended, &strike, err);
	if (rc == RC_OK && strike.count > 0) {
		struct str data = STR_INIT;
		path_join(&data, directory, state.data);
		rc = write_gone(&strike, data.s, err);
		str_free(&data);
	}
	(void)umask(mask);
	if (ended)
		*ended = strike.any;
	free(strike.id);
	return rc;
}
