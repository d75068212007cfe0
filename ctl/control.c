/* What goes to the daemon's control socket; daemon/control.h has the other side of it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/progress.h"
#include "lib/base/file.h"
#include "lib/base/local.h"
#include "lib/base/text.h"
#include "lib/form/registry_csv.h"

#define ANSWER_SECONDS 60

struct line {
	int fd;
	struct str in; /* of the daemon, not yet read as lines */
};

static enum rc control_open(const struct ctl *ctl, struct line *line, struct err *err)
{
	struct str path = STR_INIT;
	*line = (struct line){.fd = -1, .in = STR_INIT};
	path_join(&path, ctl->settings->runtime_directory, "control.sock");
	enum rc rc = local_connect(&line->fd, path.s, err);
	if (rc == RC_REFUSED)
		rc = err_set(err, RC_REFUSED,
			_("sengend does not answer at %s; start it (systemctl start sengen.target)."),
			path.s);
	else if (rc == RC_CONFIG)
		rc = err_set(err, RC_REFUSED,
			_("You may not talk to sengend at %s: be root, or in the group %s (rights.read)."),
			path.s, ctl->settings->rights.read);
	str_free(&path);
	return rc;
}

static void control_close(struct line *line)
{
	if (line->fd >= 0)
		(void)close(line->fd);
	str_free(&line->in);
}

static enum rc gone(struct err *err)
{
	return err_set(err, RC_STORE, "%s",
		_("The daemon ended the connection; look at its journal, then ask again."));
}

/* Writes what it can of out and reads whatever has come; waits for one of both. */
static enum rc control_turn(struct line *line, struct str *out, size_t *sent, struct err *err)
{
	bool writing = *sent < out->len;
	struct pollfd poll_fd = {.fd = line->fd, .events = (short)(POLLIN | (writing ? POLLOUT : 0))};
	int ready = poll(&poll_fd, 1, ANSWER_SECONDS * 1000);
	if (ready < 0 && errno == EINTR)
		return RC_OK;
	if (ready <= 0)
		return err_set(
			err, RC_STORE, _("The daemon has not answered for %d seconds."), ANSWER_SECONDS);
	if (poll_fd.revents & (POLLIN | POLLHUP)) {
		str_grow(&line->in, 65536);
		ssize_t n = recv(line->fd, line->in.s + line->in.len, 65536, MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			return gone(err);
		if (n > 0) {
			line->in.len += (size_t)n;
			line->in.s[line->in.len] = '\0';
		}
	}
	if (writing && poll_fd.revents & POLLOUT) {
		ssize_t n = send(line->fd, out->s + *sent, out->len - *sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return gone(err);
		*sent += n > 0 ? (size_t)n : 0;
	}
	return RC_OK;
}

static enum rc control_send(struct line *line, json_t *object, struct err *err)
{
	struct str out = STR_INIT;
	size_t sent = 0;
	char *text = json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER);
	if (text)
		str_addz(&out, text);
	else
		die("a request could not be written as JSON");
	str_addc(&out, '\n');
	free(text);
	json_decref(object);
	enum rc rc = RC_OK;
	while (rc == RC_OK && sent < out.len)
		rc = control_turn(line, &out, &sent, err);
	str_free(&out);
	return rc;
}

/* The next line that is there already; NULL: none yet. */
static json_t *control_next(struct line *line)
{
	char *end = memchr(line->in.s, '\n', line->in.len);
	if (!end)
		return NULL;
	size_t len = (size_t)(end - line->in.s) + 1;
	json_t *answer = json_loadb(line->in.s, len, 0, NULL);
	memmove(line->in.s, line->in.s + len, line->in.len - len);
	str_cut(&line->in, line->in.len - len);
	return answer ? answer : json_object();
}

static enum rc control_receive(struct line *line, json_t **answer, struct err *err)
{
	struct str nothing = STR_INIT;
	size_t sent = 0;
	enum rc rc = RC_OK;
	while (rc == RC_OK && !(*answer = control_next(line)))
		rc = control_turn(line, &nothing, &sent, err);
	return rc;
}

static const char *message_of(const json_t *answer)
{
	const char *ja = json_string_value(json_object_get(answer, "message_ja"));
	const char *en = json_string_value(json_object_get(answer, "message"));
	if (i18n_japanese() && ja && *ja)
		return ja;
	return en ? en : "";
}

/* Shows an answer and turns it into our exit code. Takes it. */
static enum rc conclude(const struct ctl *ctl, json_t *answer, struct err *err)
{
	enum rc rc = (enum rc)json_integer_value(json_object_get(answer, "rc"));
	if (rc == RC_OK && !json_is_true(json_object_get(answer, "ok")))
		rc = RC_REFUSED;
	if (rc != RC_OK && !ctl->json)
		(void)err_set(err, rc, "%s", message_of(answer));
	else if (!ctl->json)
		say("%s", message_of(answer));
	if (ctl->json)
		say_json(answer);
	else
		json_decref(answer);
	return rc;
}

enum rc control_ask(struct ctl *ctl, json_t *request, struct err *err)
{
	struct line line;
	json_t *answer = NULL;
	enum rc rc = control_open(ctl, &line, err);
	if (rc != RC_OK) {
		json_decref(request);
		return rc;
	}
	rc = control_send(&line, request, err);
	if (rc == RC_OK)
		rc = control_receive(&line, &answer, err);
	if (rc == RC_OK)
		rc = conclude(ctl, answer, err);
	control_close(&line);
	return rc;
}

/* {"command":NAME,"application":12} or with "declaration_id"; reason from --reason or the argument behind. */
enum rc application_request(struct ctl *ctl, const char *name, json_t **request, struct err *err)
{
	int64_t id, declaration_id;
	enum rc rc = target_read(ctl->argument[0], &id, &declaration_id, err);
	if (rc != RC_OK)
		return rc;
	*request = json_pack("{s:s, s:I}", "command", name, id ? "application" : "declaration_id",
		(json_int_t)(id ? id : declaration_id));
	return RC_OK;
}

static enum rc add_reason(struct ctl *ctl, json_t *request, struct err *err)
{
	const char *reason = option_of(ctl, "reason");
	if (!reason && ctl->argument_count > 1)
		reason = ctl->argument[1];
	if (reason && json_object_set_new(request, "reason", json_string(reason)) != 0)
		return err_set(err, RC_USAGE, "%s", _("The reason must be UTF-8 text."));
	return RC_OK;
}

enum rc reason_add(struct ctl *ctl, json_t *request, bool required, struct err *err)
{
	const char *reason = option_of(ctl, "reason");
	if (required && !(reason && *reason))
		return err_set(err, RC_USAGE, _("Say why: --reason \"...\"; it stands in the history."));
	if (reason && json_object_set_new(request, "reason", json_string(reason)) != 0)
		return err_set(err, RC_USAGE, "%s", _("The reason must be UTF-8 text."));
	return RC_OK;
}

enum rc command_decide(struct ctl *ctl, struct err *err)
{
	json_t *request = NULL;
	enum rc rc = application_request(ctl, ctl->command->name, &request, err);
	rc = rc ? rc : add_reason(ctl, request, err);
	if (rc != RC_OK) {
		json_decref(request);
		return rc;
	}
	return control_ask(ctl, request, err);
}

enum rc command_stop(struct ctl *ctl, struct err *err)
{
	json_t *request = NULL;
	civil_day on;
	enum rc rc = option_day(ctl, "on", CIVIL_DAY_NONE, &on, err);
	rc = rc ? rc : application_request(ctl, "stop", &request, err);
	rc = rc ? rc : add_reason(ctl, request, err);
	if (rc != RC_OK) {
		json_decref(request);
		return rc;
	}
	if (on != CIVIL_DAY_NONE)
		(void)json_object_set_new(request, "on", json_day(on));
	return control_ask(ctl, request, err);
}

enum rc command_release(struct ctl *ctl, struct err *err)
{
	bool ceiling = option_of(ctl, "ceiling"), restored = option_of(ctl, "restored");
	bool batch = option_of(ctl, "batch");
	if (batch + ceiling + restored + (ctl->argument_count > 0) != 1)
		return err_set(err, RC_USAGE, "%s",
			_("Name an application, or give --batch, --ceiling or --restored, one of them."));
	if (batch) {
		int64_t number;
		enum rc rc = option_number(ctl, "batch", 1, INT32_MAX, 0, &number, err);
		return rc ? rc
			  : control_ask(ctl,
				    json_pack("{s:s, s:I}", "command", "release-batch", "batch",
					    (json_int_t)number),
				    err);
	}
	if (ceiling || restored)
		return control_ask(ctl,
			json_pack("{s:s}", "command", ceiling ? "release-ceiling" : "release-restored"), err);
	return command_decide(ctl, err);
}

enum rc command_resend(struct ctl *ctl, struct err *err)
{
	json_t *request = NULL;
	enum rc rc = application_request(ctl, "resend", &request, err);
	if (rc != RC_OK)
		return rc;
	if (json_object_set_new(request, "template", json_string(ctl->argument[1])) != 0) {
		json_decref(request);
		return err_set(err, RC_USAGE, _("There is no notice \"%s\"."), ctl->argument[1]);
	}
	bool anew = option_of(ctl, "anew");
	if (!anew && option_of(ctl, "reason"))
		rc = err_set(err, RC_USAGE, "%s",
			_("A reason goes with --anew: the first letter again needs none."));
	if (rc == RC_OK && anew) {
		(void)json_object_set_new(request, "anew", json_true());
		rc = reason_add(ctl, request, true, err);
	}
	if (rc != RC_OK) {
		json_decref(request);
		return rc;
	}
	return control_ask(ctl, request, err);
}

/* {"command":"resolve","request":3,"action":"carry-out"} and, where they are given, "application" or "declaration_id", "on", "reason". */
static enum rc resolve_request(struct ctl *ctl, json_t **request, struct err *err)
{
	const char *application = option_of(ctl, "application");
	int64_t number, id = 0, declaration_id = 0;
	civil_day on;
	enum rc rc = request_number(ctl->argument[0], &number, err);
	rc = rc ? rc : option_day(ctl, "on", CIVIL_DAY_NONE, &on, err);
	if (rc == RC_OK && application)
		rc = target_read(application, &id, &declaration_id, err);
	if (rc != RC_OK)
		return rc;
	*request = json_pack("{s:s, s:I}", "command", "resolve", "request", (json_int_t)number);
	if (json_object_set_new(*request, "action", json_string(ctl->argument[1])) != 0)
		return err_set(err, RC_USAGE, "%s", _("ACTION is carry-out, ask or close."));
	if (application)
		(void)json_object_set_new(*request, id ? "application" : "declaration_id",
			json_integer(id ? id : declaration_id));
	if (on != CIVIL_DAY_NONE)
		(void)json_object_set_new(*request, "on", json_day(on));
	const char *reason = option_of(ctl, "reason");
	if (reason && json_object_set_new(*request, "reason", json_string(reason)) != 0)
		return err_set(err, RC_USAGE, "%s", _("The reason must be UTF-8 text."));
	return RC_OK;
}

enum rc command_review_resolve(struct ctl *ctl, struct err *err)
{
	json_t *request = NULL;
	enum rc rc = resolve_request(ctl, &request, err);
	if (rc != RC_OK) {
		json_decref(request);
		return rc;
	}
	return control_ask(ctl, request, err);
}

/* ---- import ---- */

struct import {
	struct ctl *ctl;
	struct line *line;
	int sent; /* rows handed to the daemon */
	int unread; /* rows that could not be read here */
	int *row_of; /* of each row sent: its record in the file */
	struct progress progress;
	int64_t lines; /* of the file: how far it is */
};

static void set_day(json_t *object, const char *key, civil_day day)
{
	if (day != CIVIL_DAY_NONE)
		(void)json_object_set_new(object, key, json_day(day));
}

static json_t *import_row_json(const struct registry_row *row)
{
	json_t *form = json_object();
	for (int i = 0; i < FIELD_COUNT; i++)
		if (row->form.value[i] && *row->form.value[i])
			(void)json_object_set_new(
				form, form_field_key((enum form_field)i), json_text(row->form.value[i]));
	json_t *object = json_pack("{s:I, s:s, s:i, s:o}", "declaration_id", (json_int_t)row->declaration_id,
		"state", state_name(row->state), "star", row->star, "form", form);
	if (row->user_number)
		(void)json_object_set_new(object, "user_number", json_integer(row->user_number));
	set_day(object, "applied_on", row->applied_on);
	set_day(object, "id_issued_on", row->id_issued_on);
	set_day(object, "logo_authorized_on", row->logo_authorized_on);
	set_day(object, "stopped_on", row->stopped_on);
	return json_pack("{s:o}", "import", object);
}

/* A row has a line at least. 0: it can't be told (a pipe), or read, which the import itself will say. */
static int64_t count_lines(const char *path)
{
	char buffer[65536];
	int64_t lines = 0;
	ssize_t n;
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		while ((n = read(fd, buffer, sizeof buffer)) > 0)
			for (ssize_t i = 0; i < n; i++)
				lines += buffer[i] == '\n';
	if (fd >= 0)
		(void)close(fd);
	return lines;
}

static void row_refused(struct import *import, int record, const char *message)
{
	progress_clear(&import->progress);
	if (import->ctl->json)
		say_json(json_pack("{s:i, s:b, s:o}", "row", record, "ok", 0, "message", json_text(message)));
	else
		say(_("row %d: %s"), record, message);
}

/* Answers about single rows that have come meanwhile; the last answer of all is left for the end. */
static void report_rows(struct import *import, json_t **last)
{
	json_t *answer;
	while (!*last && (answer = control_next(import->line))) {
		json_int_t row = json_integer_value(json_object_get(answer, "row"));
		if (row < 1 || row > import->sent) {
			*last = answer;
			return;
		}
		row_refused(import, import->row_of[row - 1], message_of(answer));
		json_decref(answer);
	}
}

static enum rc import_row(void *ctx, const struct registry_row *row, struct err *err)
{
	struct import *import = ctx;
	if (row->fault) {
		import->unread++;
		row_refused(import, row->record, row->fault);
		return RC_OK;
	}
	if (import->sent % 1024 == 0)
		import->row_of =
			xrealloc(import->row_of, ((size_t)import->sent + 1024) * sizeof *import->row_of);
	import->row_of[import->sent++] = row->record;
	progress_show(&import->progress, import->sent, import->lines);
	enum rc rc = control_send(import->line, import_row_json(row), err);
	if (rc != RC_OK)
		return rc;
	json_t *last = NULL;
	report_rows(import, &last);
	if (last)
		return conclude(import->ctl, last, err) ? err->rc : gone(err);
	return RC_OK;
}

static enum rc import_run(struct import *import, const char *path, struct err *err)
{
	json_t *last = NULL;
	enum rc rc = control_send(import->line, json_pack("{s:s}", "command", "import"), err);
	rc = rc ? rc : registry_csv_read(path, import->ctl->settings->fieldmap, import_row, import, err);
	rc = rc ? rc : control_send(import->line, json_pack("{s:b}", "end", 1), err);
	while (rc == RC_OK && !last) {
		report_rows(import, &last);
		if (!last) {
			json_t *answer = NULL;
			rc = control_receive(import->line, &answer, err);
			json_int_t row = json_integer_value(json_object_get(answer, "row"));
			if (rc == RC_OK && row >= 1 && row <= import->sent) {
				row_refused(import, import->row_of[row - 1], message_of(answer));
				json_decref(answer);
			} else {
				last = answer;
			}
		}
	}
	progress_end(&import->progress);
	if (rc != RC_OK)
		return rc;
	json_int_t refused = json_integer_value(json_object_get(last, "refused")) + import->unread;
	if (import->unread) {
		(void)json_object_set_new(last, "ok", json_false());
		(void)json_object_set_new(last, "rc", json_integer(RC_REFUSED));
		(void)json_object_set_new(last, "message",
			json_string("Some rows could not be read; the others were taken over."));
		(void)json_object_set_new(last, "message_ja",
			json_string("読めない行がありました。ほかの行は取り込みました。"));
	}
	if (!import->ctl->json)
		say(_("taken over: %lld, already there: %lld, refused: %lld"),
			(long long)json_integer_value(json_object_get(last, "imported")),
			(long long)json_integer_value(json_object_get(last, "known")), (long long)refused);
	else
		(void)json_object_set_new(last, "refused", json_integer(refused));
	return conclude(import->ctl, last, err);
}

enum rc command_import(struct ctl *ctl, struct err *err)
{
	struct line line;
	struct import import = {.ctl = ctl, .line = &line, .lines = count_lines(ctl->argument[0])};
	enum rc rc = control_open(ctl, &line, err);
	progress_start(&import.progress, _("Taking over"));
	if (rc == RC_OK)
		rc = import_run(&import, ctl->argument[0], err);
	progress_end(&import.progress);
	free(import.row_of);
	control_close(&line);
	return rc;
}
