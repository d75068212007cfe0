#include "lib/desk/public_list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/desk/public_p.h"

#define ROWS_IN_ONE 512 /* read from the register at a time */
#define ROUNDS_MAX 3 /* times that everything is written anew because a declaration ended meanwhile */

/* ---- files ---- */

enum rc public_file_open(struct public_file *out, const char *directory, const char *name, struct err *err)
{
	struct str path = STR_INIT;
	path_join(&path, directory, name);
	out->path = str_take(&path);
	path_join(&path, directory, ".");
	str_printf(&path, "%s.tmp", name);
	out->temporary = str_take(&path);
	out->mode = 0644;
	/* Never written through a link: others may be allowed to write to the directory. What is there is of a run that was cut short. */
	(void)unlink(out->temporary);
	int fd = open(out->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	out->file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!out->file)
		return err_set(err, RC_STORE, "%s could not be made: %s.", out->temporary, errno_text(errno));
	return RC_OK;
}

enum rc public_file_close(struct public_file *out, struct err *err)
{
	bool good = fflush(out->file) == 0 && fchmod(fileno(out->file), out->mode) == 0 &&
		    fsync(fileno(out->file)) == 0;
	good = fclose(out->file) == 0 && good;
	out->file = NULL;
	return good ? RC_OK
		    : err_set(err, RC_STORE, "%s could not be written: %s.", out->path, errno_text(errno));
}

enum rc public_file_place(struct public_file *out, struct err *err)
{
	if (rename(out->temporary, out->path) != 0)
		return err_set(
			err, RC_STORE, "%s could not be put in place: %s.", out->path, errno_text(errno));
	free(out->temporary);
	out->temporary = NULL;
	return RC_OK;
}

void public_file_drop(struct public_file *out)
{
	if (out->file)
		(void)fclose(out->file);
	if (out->temporary)
		(void)unlink(out->temporary);
	free(out->temporary);
	free(out->path);
	*out = (struct public_file){0};
}

/* ---- rows ---- */

int64_t public_entry_id(const struct public_entry *entry)
{
	uint64_t id = 0;
	for (size_t i = 0; i < sizeof entry->id; i++)
		id = id << 8 | entry->id[i];
	return (int64_t)id;
}

void public_row_read(const struct public_rows *rows, size_t index, struct public_row *out)
{
	const char *at = rows->map + rows->entry[index].at;
	out->star = *at - '0';
	out->day = ++at;
	for (int i = 0; i < rows->columns->count; i++) {
		at += strlen(at) + 1;
		out->value[i] = at;
	}
}

bool public_on_page(const struct public_rows *rows, const struct public_entry *entry)
{
	return rows->instant_from == CIVIL_DAY_NONE || entry->instant;
}

bool public_in_pdf(const struct public_rows *rows, const struct public_entry *entry)
{
	return rows->instant_from == CIVIL_DAY_NONE || !entry->instant;
}

/* ---- the writer ---- */

enum phase { PHASE_READ, PHASE_CHECK, PHASE_SORT, PHASE_CSV, PHASE_PAGE, PHASE_PDF, PHASE_PLACE, PHASE_DONE };

struct public_writer {
	struct office *office;
	char *directory; /* owned */
	int forms, lock;
	enum phase phase;
	int round;
	struct public_columns columns;
	struct public_rows rows;
	size_t room; /* of rows.entry */
	size_t map_len;
	FILE *file; /* of the rows; unlinked */
	int64_t file_len;
	int64_t after_id;
	utc_time began_at, checked_at;
	int64_t ended_last; /* of those looked at last */
	char data[64]; /* directory of the page's data */
	struct public_csv *csv;
	struct public_page *page;
	struct public_pdf *pdf;
	struct err pdf_fault; /* it is not tried again */
	int64_t all; /* public when it began */
	struct public_written written;
	struct str room_key, room_row;
};

static void choose_columns(struct public_writer *writer)
{
	const struct settings *settings = writer->office->settings;
	struct public_columns *columns = &writer->columns;
	columns->name = columns->prefecture = -1;
	for (size_t i = 0; i < settings->public_fields.count && columns->count < FIELD_COUNT; i++) {
		enum form_field field = form_field_by_key(settings->public_fields.item[i]);
		if (field == FIELD_BUSINESS_NAME)
			columns->name = columns->count;
		if (field == FIELD_PREFECTURE)
			columns->prefecture = columns->count;
		columns->label[columns->count] = xstrdup(fieldmap_label(settings->fieldmap, field));
		columns->field[columns->count++] = field;
	}
}

/* From which day on `instant` is in force without a break until today. */
static civil_day instant_from(const struct settings *settings, civil_day today)
{
	civil_day from = CIVIL_DAY_NONE;
	for (size_t i = 0; i < settings->profiles.era_count; i++) {
		const struct profile_from *era = &settings->profiles.era[i];
		if (era->from > today)
			break;
		bool instant = strcmp(era->profile->name, "instant") == 0;
		from = !instant ? CIVIL_DAY_NONE : from == CIVIL_DAY_NONE ? era->from : from;
	}
	return from;
}

/* What root wrote there its owner could neither replace nor strike names from. */
static enum rc refuse_root(const char *directory, struct err *err)
{
	struct stat st;
	if (geteuid() != 0 || stat(directory, &st) != 0 || st.st_uid == 0)
		return RC_OK;
	return err_set(err, RC_REFUSED,
		"%s belongs to another user, who could not write the lists anew; write them as that user "
		"(sudo "
		"-u sengen).",
		directory);
}

static enum rc lock_directory(struct public_writer *writer, struct err *err)
{
	struct str path = STR_INIT;
	path_join(&path, writer->directory, ".lock");
	writer->lock = open(path.s, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	str_free(&path);
	if (writer->lock < 0)
		return err_set(err, RC_STORE, "No files can be made in %s: %s.", writer->directory,
			errno_text(errno));
	if (flock(writer->lock, LOCK_EX | LOCK_NB) != 0)
		return err_set(err, RC_REFUSED,
			"Another process is writing the public list in %s; try again when it is done.",
			writer->directory);
	return RC_OK;
}

static enum rc open_rows(struct public_writer *writer, struct err *err)
{
	struct str path = STR_INIT;
	path_join(&path, writer->directory, ".rows.XXXXXX");
	int fd = mkostemp(path.s, O_CLOEXEC);
	if (fd >= 0) {
		(void)unlink(path.s);
		writer->file = fdopen(fd, "w+");
	}
	str_free(&path);
	return writer->file ? RC_OK
			    : err_set(err, RC_STORE, "No temporary file could be made in %s: %s.",
				      writer->directory, errno_text(errno));
}

static enum rc want_settled(struct office *office, struct err *err)
{
	bool settled;
	enum rc rc = office_public_settled(office, &settled, err);
	if (rc == RC_OK && !settled)
		rc = err_set(err, RC_REFUSED,
			"What is public is being reckoned for the first time, or by a new public_from; start "
			"sengend and "
			"try again when its role desk is done.");
	return rc;
}

enum rc public_writer_open(
	struct public_writer **out, struct office *office, const char *directory, int forms, struct err *err)
{
	struct public_writer *writer = xcalloc(1, sizeof *writer);
	*out = writer;
	writer->office = office;
	writer->directory = xstrdup(directory);
	writer->forms = forms;
	writer->lock = -1;
	writer->room_key = writer->room_row = STR_INIT;
	writer->began_at = writer->checked_at = clock_now(office->clock);
	writer->rows = (struct public_rows){.columns = &writer->columns,
		.map = "",
		.made_on = civil_day_of(writer->began_at),
		.instant_from = instant_from(office->settings, civil_day_of(writer->began_at))};
	choose_columns(writer);
	mode_t mask = umask(PUBLIC_UMASK);
	enum rc rc = want_settled(office, err);
	if (rc == RC_OK)
		rc = file_mkdirs(directory, 0755, err);
	if (rc == RC_OK)
		rc = refuse_root(directory, err);
	if (rc == RC_OK)
		rc = lock_directory(writer, err);
	if (rc == RC_OK)
		rc = open_rows(writer, err);
	if (rc == RC_OK)
		rc = published_count(office->store, &writer->all, err);
	(void)umask(mask);
	if (rc != RC_OK)
		public_writer_close(out);
	return rc;
}

static void unmap(struct public_writer *writer)
{
	if (writer->map_len > 0) {
		void *map;
		memcpy(&map, &writer->rows.map, sizeof map);
		(void)munmap(map, writer->map_len);
	}
	writer->rows.map = "";
	writer->map_len = 0;
}

void public_writer_close(struct public_writer **out)
{
	struct public_writer *writer = *out;
	if (!writer)
		return;
	public_csv_drop(&writer->csv);
	public_page_drop(&writer->page);
	public_pdf_drop(&writer->pdf);
	unmap(writer);
	if (writer->file)
		(void)fclose(writer->file);
	if (writer->lock >= 0)
		(void)close(writer->lock);
	for (int i = 0; i < writer->columns.count; i++)
		free(writer->columns.label[i]);
	str_free(&writer->room_key);
	str_free(&writer->room_row);
	free(writer->rows.entry);
	free(writer->directory);
	free(writer);
	*out = NULL;
}

/* ---- reading ---- */

static uint8_t prefecture_index(const char *name)
{
	uint8_t i = 0;
	while (i < PREFECTURES && strcmp(prefecture_name[i], name) != 0)
		i++;
	return i;
}

static void sort_key(struct public_writer *writer, const struct application *app, struct public_entry *entry)
{
	const struct public_columns *columns = &writer->columns;
	const char *name = columns->name >= 0 ? app->form.value[FIELD_BUSINESS_NAME] : NULL;
	const char *prefecture = columns->prefecture >= 0 ? app->form.value[FIELD_PREFECTURE] : NULL;
	uint64_t id = (uint64_t)app->id;
	str_clear(&writer->room_key);
	public_key(&writer->room_key, name ? name : "");
	const char *key = public_sort_name(writer->room_key.s);
	size_t len = strlen(key);
	*entry = (struct public_entry){.prefecture = prefecture_index(prefecture ? prefecture : "")};
	memcpy(entry->name, key, len < sizeof entry->name ? len : sizeof entry->name);
	for (size_t i = sizeof entry->id; i-- > 0; id >>= 8)
		entry->id[i] = (uint8_t)id;
}

/* The public values of a row, one after the other; nothing else of the application goes further than here. */
static enum rc write_row(struct public_writer *writer, const struct application *app,
	struct public_entry *entry, struct err *err)
{
	struct str *row = &writer->room_row;
	sort_key(writer, app, entry);
	entry->instant = app->profile && strcmp(app->profile, "instant") == 0;
	str_clear(row);
	str_addc(row, (char)('0' + app->star));
	civil_day_print(row, office_declared_on(app));
	str_addc(row, '\0');
	for (int i = 0; i < writer->columns.count; i++) {
		str_addz(row, public_value(writer->office->settings, app, writer->columns.field[i]));
		str_addc(row, '\0');
	}
	entry->at = writer->file_len;
	entry->len = (uint32_t)row->len;
	writer->file_len += (int64_t)row->len;
	if (fwrite(row->s, 1, row->len, writer->file) != row->len)
		return err_set(err, RC_STORE, "The rows of the public list could not be kept in %s: %s.",
			writer->directory, errno_text(errno));
	return RC_OK;
}

static enum rc take_row(void *ctx, const struct application *app, utc_time since, struct err *err)
{
	struct public_writer *writer = ctx;
	(void)since;
	if (writer->rows.count == writer->room) {
		writer->room = writer->room ? writer->room * 2 : ROWS_IN_ONE;
		writer->rows.entry = xrealloc(writer->rows.entry, writer->room * sizeof *writer->rows.entry);
	}
	writer->after_id = app->id;
	return write_row(writer, app, &writer->rows.entry[writer->rows.count++], err);
}

static enum rc read_some(struct public_writer *writer, bool *done, struct err *err)
{
	size_t before = writer->rows.count;
	enum rc rc =
		published_some(writer->office->store, writer->after_id, ROWS_IN_ONE, take_row, writer, err);
	*done = writer->rows.count - before < ROWS_IN_ONE;
	return rc;
}

/* ---- what ended meanwhile ---- */

struct ended {
	int64_t *id; /* owned */
	size_t count, room;
};

static enum rc take_ended(void *ctx, const struct published *published, struct err *err)
{
	struct ended *ended = ctx;
	(void)err;
	if (ended->count == ended->room) {
		ended->room = ended->room ? ended->room * 2 : 64;
		ended->id = xrealloc(ended->id, ended->room * sizeof *ended->id);
	}
	ended->id[ended->count++] = published->application_id;
	return RC_OK;
}

static int by_number(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

/* Its values of today; *gone where it is not public any more. */
static enum rc read_anew(
	struct public_writer *writer, struct public_entry *entry, bool *gone, struct err *err)
{
	struct store *store = writer->office->store;
	struct pool *pool = pool_new();
	struct application app;
	bool now = false;
	enum rc rc = published_has(store, public_entry_id(entry), &now, err);
	*gone = !now;
	if (rc == RC_OK && now)
		rc = application_get(store, public_entry_id(entry), &app, pool, err);
	if (rc == RC_OK && now)
		rc = write_row(writer, &app, entry, err);
	pool_free(&pool);
	return rc;
}

/* *changed: some row of the list is not what it was. */
static enum rc leave_out_ended(struct public_writer *writer, bool *changed, struct err *err)
{
	struct ended ended = {0};
	utc_time now = clock_now(writer->office->clock);
	*changed = false;
	enum rc rc = published_ended(writer->office->store, writer->checked_at, take_ended, &ended, err);
	if (ended.count > 1)
		qsort(ended.id, ended.count, sizeof *ended.id, by_number);
	size_t kept = 0;
	for (size_t i = 0; rc == RC_OK && ended.count > 0 && i < writer->rows.count; i++) {
		struct public_entry *entry = &writer->rows.entry[i];
		int64_t id = public_entry_id(entry);
		bool gone = false;
		if (bsearch(&id, ended.id, ended.count, sizeof id, by_number)) {
			rc = read_anew(writer, entry, &gone, err);
			*changed = true;
		}
		if (!gone)
			writer->rows.entry[kept++] = *entry;
	}
	if (rc == RC_OK && ended.count > 0)
		writer->rows.count = kept;
	writer->checked_at = now;
	free(ended.id);
	return rc;
}

static int by_key(const void *a, const void *b)
{
	return memcmp(a, b, offsetof(struct public_entry, at));
}

static enum rc sort_rows(struct public_writer *writer, struct err *err)
{
	unmap(writer);
	if (fflush(writer->file) != 0)
		return err_set(err, RC_STORE, "The rows of the public list could not be kept in %s: %s.",
			writer->directory, errno_text(errno));
	if (writer->file_len > 0) {
		void *map =
			mmap(NULL, (size_t)writer->file_len, PROT_READ, MAP_SHARED, fileno(writer->file), 0);
		if (map == MAP_FAILED)
			return err_set(err, RC_STORE,
				"The rows of the public list could not be read back: %s.", errno_text(errno));
		writer->rows.map = map;
		writer->map_len = (size_t)writer->file_len;
	}
	if (writer->rows.count > 1)
		qsort(writer->rows.entry, writer->rows.count, sizeof *writer->rows.entry, by_key);
	return RC_OK;
}

/* ---- the forms ---- */

/* A directory that is not there yet: the page may show one of the same second. */
static void name_data(struct public_writer *writer)
{
	struct str path = STR_INIT;
	int number = writer->round;
	do {
		(void)snprintf(writer->data, sizeof writer->data, "data-%lld-%d", (long long)writer->began_at,
			number++);
		str_clear(&path);
		path_join(&path, writer->directory, writer->data);
	} while (access(path.s, F_OK) == 0);
	str_free(&path);
}

static enum rc begin_page(struct public_writer *writer, struct err *err)
{
	name_data(writer);
	return public_page_begin(&writer->page, &writer->rows, writer->directory, writer->data, err);
}

static enum rc write_csv(struct public_writer *writer, int64_t until_ms, bool *done, struct err *err)
{
	enum rc rc =
		writer->csv ? RC_OK : public_csv_begin(&writer->csv, &writer->rows, writer->directory, err);
	if (rc == RC_OK)
		rc = public_csv_step(writer->csv, until_ms, done, err);
	return rc;
}

static enum rc write_page(struct public_writer *writer, int64_t until_ms, bool *done, struct err *err)
{
	enum rc rc = writer->page ? RC_OK : begin_page(writer, err);
	return rc == RC_OK ? public_page_step(writer->page, until_ms, done, err) : rc;
}

/* The other forms do not wait for one that can't be had. */
static void write_pdf(struct public_writer *writer, int64_t until_ms, bool *done)
{
	struct err *err = &writer->pdf_fault;
	enum rc rc =
		writer->pdf ? RC_OK : public_pdf_begin(&writer->pdf, &writer->rows, writer->directory, err);
	if (rc == RC_OK)
		rc = public_pdf_step(writer->pdf, until_ms, done, err);
	if (rc == RC_OK)
		return;
	public_pdf_drop(&writer->pdf);
	writer->forms &= ~PUBLIC_PDF;
	*done = true;
}

/* What has been written is as of a moment that has passed: it is put in place when nothing ended since, or written once more. */
static enum rc place(struct public_writer *writer, struct err *err)
{
	bool changed = false;
	utc_time as_of = writer->checked_at; /* what is written */
	enum rc rc = leave_out_ended(writer, &changed, err);
	if (rc == RC_OK && changed && ++writer->round < ROUNDS_MAX) {
		public_csv_drop(&writer->csv);
		public_page_drop(&writer->page);
		public_pdf_drop(&writer->pdf);
		writer->phase = PHASE_SORT;
		return RC_OK;
	}
	/* What ended since is struck from the page below. */
	if (!changed)
		as_of = writer->checked_at;
	writer->written.rows = (int64_t)writer->rows.count;
	if (rc == RC_OK && writer->csv) {
		public_csv_digest(writer->csv, writer->written.digest);
		rc = public_csv_place(writer->csv, err);
	}
	if (rc == RC_OK && writer->pdf)
		rc = public_pdf_place(writer->pdf, err);
	if (rc == RC_OK && writer->page)
		rc = public_page_place(writer->page, writer->forms, as_of, err);
	if (rc == RC_OK)
		rc = file_sync_dir(writer->directory, err);
	/* Nobody waits for the CSV and PDF of what ended within the last rounds longer than until the next list. */
	if (rc == RC_OK && writer->page)
		rc = public_list_strike(writer->office, writer->directory, NULL, err);
	writer->phase = PHASE_DONE;
	return rc;
}

static enum rc step_phase(struct public_writer *writer, int64_t until_ms, struct err *err)
{
	bool done = true, changed;
	enum rc rc = RC_OK;
	switch (writer->phase) {
	case PHASE_READ:
		rc = read_some(writer, &done, err);
		break;
	case PHASE_CHECK:
		rc = leave_out_ended(writer, &changed, err);
		break;
	case PHASE_SORT:
		rc = sort_rows(writer, err);
		break;
	case PHASE_CSV:
		if (writer->forms & PUBLIC_CSV)
			rc = write_csv(writer, until_ms, &done, err);
		break;
	case PHASE_PAGE:
		if (writer->forms & PUBLIC_HTML)
			rc = write_page(writer, until_ms, &done, err);
		break;
	case PHASE_PDF:
		if (writer->forms & PUBLIC_PDF)
			write_pdf(writer, until_ms, &done);
		break;
	case PHASE_PLACE:
		return place(writer, err);
	case PHASE_DONE:
		return RC_OK;
	}
	if (rc == RC_OK && done)
		writer->phase++;
	return rc;
}

enum rc public_writer_step(
	struct public_writer *writer, int milliseconds, struct public_progress *progress, struct err *err)
{
	int64_t until = clock_machine_ms() + milliseconds;
	mode_t mask = umask(PUBLIC_UMASK);
	enum rc rc = RC_OK;
	do
		rc = step_phase(writer, until, err);
	while (rc == RC_OK && writer->phase != PHASE_DONE && clock_machine_ms() < until);
	(void)umask(mask);
	*progress = (struct public_progress){.finished = writer->phase == PHASE_DONE,
		.done = (int64_t)writer->rows.count,
		.all = writer->all,
		.written = writer->written,
		.pdf_fault = writer->pdf_fault};
	return rc;
}
