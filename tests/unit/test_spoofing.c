/*
 * Mails that claim what they can't prove (T16), one a row of tests/spoofing/matrix.txt: whoever writes, and whatever stands in them, nothing changes that the row does not
 * name, and nobody but its registered address learns anything about a declaration.
 *
 * Each row goes through the code that a mail goes through: its bytes through the reader, what the reader hands over through received_print() and received_load() (a
 * reader that was taken over may alter it in between: column `reader`), that through office_receive(), over a register with three declarations. Then the register is
 * compared with what it was, and every letter that is queued is read.
 *
 * Rows that don't concern a case that is under way are tried a second time with a register that has not the victim's declaration: what is said to others must be
 * the same letters with the same words at the same time.
 */
#include "raw_rig.h"
#include "reading_rig.h"

#include <fcntl.h>
#include <jansson.h>
#include <sqlite3.h>
#include <zip.h>

#include "lib/base/crypt.h"
#include "lib/mail/bounceaddr.h"

#define MATRIX "tests/spoofing/matrix.txt"
#define PARTS "tests/spoofing/parts.txt"
#define FORGER "forger@evil.example.net"
#define VICTIM "info1@example.co.jp"
#define BYSTANDER "tanto@bystander.example.jp"
#define NEW_ADDRESS "new@example.co.jp"
#define ROWS_MIN 150

enum column {
	CASE,
	BEFORE, /* the scene: below */
	TRUST, /* trust_aligned_dkim: on, off, both */
	HEAD, /* part: what our mail server wrote above the mail */
	FROM, /* "-": no such field */
	MORE, /* further header fields */
	TEXT, /* part: from Subject on */
	READER, /* JSON: what a reader that was taken over alters in its report; "-": an honest one */
	KIND, /* what the mail is read as; unread: the report is no report */
	REQUEST, /* what became of it: a state; none: no request; doubted: an open one is for a person now */
	ANSWERS, /* letters that are queued */
	EFFECT, /* all that changed in the register */
	NEVER, /* must not stand in any letter */
	COLUMNS
};

/* ---- the two files ---- */

struct row {
	int line;
	char *cell[COLUMNS];
};

static struct pool *kept; /* what lives as long as the test */
static struct row rows[400];
static size_t row_count;
static struct part {
	const char *name, *text;
} parts[200];
static size_t part_count;

static char *read_whole(const char *path)
{
	struct str text = STR_INIT;
	assert_ok(file_read(&text, path, 4 << 20, &rig_err));
	char *copy = pool_strndup(kept, text.s, text.len);
	str_free(&text);
	return copy;
}

static char *trim(char *text)
{
	text += strspn(text, " \t");
	size_t len = strlen(text);
	while (len > 0 && strchr(" \t\n", text[len - 1]))
		text[--len] = '\0';
	return text;
}

static void read_row(char *line, int number)
{
	struct row *row = &rows[row_count++];
	assert_true(row_count < sizeof rows / sizeof rows[0]);
	row->line = number;
	for (int i = 0; i < COLUMNS; i++) {
		char *cell = strsep(&line, "|");
		if (!cell) {
			fail_msg(MATRIX ":%d: column %d of %d is missing", number, i + 1, COLUMNS);
			return;
		}
		row->cell[i] = trim(cell);
	}
	if (line)
		fail_msg(MATRIX ":%d: more than %d columns", number, COLUMNS);
}

static void read_matrix(void)
{
	char *text = read_whole(MATRIX), *line;
	for (int number = 1; (line = strsep(&text, "\n")); number++)
		if (*line && *line != '#')
			read_row(line, number);
}

/* "[name]", then its lines up to the next one. */
static void read_parts(void)
{
	char *text = read_whole(PARTS), *line;
	struct str part = STR_INIT;
	while ((line = strsep(&text, "\n"))) {
		size_t len = strlen(line);
		if (*line == '#') { /* the line left free above it is no part of anything */
			if (str_has_suffix(part.s, "\n\n"))
				str_cut(&part, part.len - 1);
			continue;
		}
		if (*line == '[' && line[len - 1] == ']') {
			if (part_count)
				parts[part_count - 1].text = pool_strdup(kept, part.s);
			str_clear(&part);
			assert_true(part_count < sizeof parts / sizeof parts[0]);
			parts[part_count++].name = pool_strndup(kept, line + 1, len - 2);
		} else if (part_count) {
			str_printf(&part, "%s\n", line);
		}
	}
	parts[part_count - 1].text = pool_strdup(kept, part.s);
	str_free(&part);
}

static const char *part_of(const char *name)
{
	for (size_t i = 0; i < part_count; i++)
		if (strcmp(parts[i].name, name) == 0)
			return parts[i].text;
	fail_msg(PARTS " has no [%s]", name);
	return "";
}

/* ---- scenes ---- */

struct scene {
	const char *name;
	bool trust, twin; /* twin: the victim's declaration is another business's */
	struct rig *rig;
	struct clock clock;
	struct rng rng;
	int64_t victim, writer, bystander;
	const char *token, *new_token, *other_token;
	const char *bounce
		[3]; /* bounce addresses: of the victim's ID notice, its first notice, the writer's ID notice */
	const char *confirm_bounce, *confirm_id; /* of the letter that carries {TOKEN} */
	int64_t request; /* the victim's own; 0: none */
	char *before; /* the register */
	struct application app[3];
};

static struct scene scenes[48];
static size_t scene_count;

static const char *value_of(const struct application *app, enum form_field field)
{
	return app->form.value[field] ? app->form.value[field] : "";
}

static struct form_values form_of(struct rig *rig, int n, const char *contact, const char *mail)
{
	struct form_values form = rig_form(rig, n);
	form.value[FIELD_CONTACT] = contact;
	form.value[FIELD_NEWS] = "true";
	form.value[FIELD_TELEPHONE] = pool_printf(rig->pool, "03-1111-000%d", n);
	if (mail)
		form.value[FIELD_MAIL] = form.value[FIELD_MAIL_CONFIRM] = mail;
	return form;
}

/* What the reader makes of a true mail from a registered address; its number. */
static int64_t ask(struct scene *scene, int64_t id, enum request_kind kind, const char **token)
{
	struct rig *rig = scene->rig;
	struct strlist found = {0};
	const char *letter = kind == REQUEST_STOP ? "confirm-stop" : "confirm-change";
	static struct sheet_change address = {
		.item = "担当者メールアドレス", .old = "", .new_value = NEW_ADDRESS};
	struct received mail = inbound_mail(kind, inbound_address(rig, id));
	mail.authres = (struct authres){0};
	mail.reading.fields.declaration_id = inbound_id(rig, id);
	mail.reading.fields.business_name = rig_app(rig, id).form.value[FIELD_BUSINESS_NAME];
	mail.reading.from_form = true;
	if (kind == REQUEST_CHANGE) {
		mail.reading.fields.change = &address;
		mail.reading.fields.change_count = 1;
	}
	int64_t message = inbound_receive(rig, &mail);
	if (inbound_request(rig, message).state != REQUEST_STATE_ASKED)
		fail_msg("%s: %s", scene->name, inbound_outcome(rig, message));
	token_find(&found, inbound_text(rig, letter), 8);
	assert_int_equal(found.count, 1);
	*token = pool_strdup(kept, found.item[0]);
	strlist_free(&found);
	struct inbound_queue queue = inbound_queue(rig);
	for (int i = 0; i < queue.count; i++)
		if (strcmp(queue.item[i].template_name, letter) == 0)
			scene->confirm_id = pool_strdup(kept, queue.item[i].message_id);
	struct rig_notices sent = rig_notices(rig, id);
	scene->confirm_bounce = pool_strdup(kept, sent.item[sent.count - 1].bounce_address);
	(void)rig_send(rig);
	return inbound_request(rig, message).id;
}

static void answer(struct scene *scene, const char *token, const char *letter)
{
	struct rig *rig = scene->rig;
	struct strlist found = {0};
	struct received mail = inbound_mail(REQUEST_OTHER, inbound_address(rig, scene->victim));
	mail.token[0] = token;
	mail.token_count = 1;
	(void)inbound_receive(rig, &mail);
	token_find(&found, inbound_text(rig, letter), 8);
	scene->new_token = found.count ? pool_strdup(kept, found.item[0]) : "none";
	strlist_free(&found);
	(void)rig_send(rig);
}

static void play(struct scene *scene)
{
	const char *name = scene->name;
	scene->token = scene->new_token = scene->other_token = "none";
	scene->confirm_bounce = scene->confirm_id = "none";
	if (strcmp(name, "writer-asked") == 0)
		(void)ask(scene, scene->writer, REQUEST_STOP, &scene->other_token);
	if (scene->twin || strcmp(name, "nothing") == 0 || strcmp(name, "writer-asked") == 0)
		return;
	bool change = strcmp(name, "change-asked") == 0 || strcmp(name, "address-asked") == 0;
	scene->request = ask(scene, scene->victim, change ? REQUEST_CHANGE : REQUEST_STOP, &scene->token);
	if (strcmp(name, "confirmed") == 0)
		answer(scene, scene->token, "stopped");
	else if (strcmp(name, "address-asked") == 0)
		answer(scene, scene->token, "confirm-address");
	else if (strcmp(name, "expired") == 0)
		clock_set(&scene->rig->clock, scene->rig->clock.now + 9 * 86400);
	else if (!change && strcmp(name, "asked") != 0)
		fail_msg("no scene is called %s", name);
}

static void copy_file(const char *from, const char *to)
{
	struct str bytes = STR_INIT;
	assert_ok(file_read(&bytes, from, (size_t)64 << 20, &rig_err));
	assert_ok(file_write(to, bytes.s, bytes.len, 0600, &rig_err));
	str_free(&bytes);
}

static const char *beside(const struct rig *rig, const char *suffix)
{
	return pool_printf(kept, "%s%s", rig->store_path, suffix);
}

static void close_register(struct rig *rig)
{
	office_close(&rig->office);
	store_close(&rig->office.store);
}

/* In place: another file would be a restored backup to the store. */
static void write_over(const char *from, const char *to)
{
	struct str bytes = STR_INIT;
	int fd = open(to, O_WRONLY | O_TRUNC);
	assert_true(fd >= 0);
	assert_ok(file_read(&bytes, from, 1 << 20, &rig_err));
	assert_ok(file_write_all(fd, bytes.s, bytes.len, &rig_err));
	assert_int_equal(close(fd), 0);
	str_free(&bytes);
}

/* A register is its file and what its log (-wal) holds beyond it. */
static void copy_register(const struct rig *rig, bool back)
{
	static const char *const files[] = {"", "-wal"};
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		const char *file = beside(rig, files[i]),
			   *saved = beside(rig, pool_printf(kept, ".saved%s", files[i]));
		copy_file(back ? saved : file, back ? file : saved);
	}
	const char *saved = pool_printf(kept, "%s.saved", rig->witness);
	if (back)
		write_over(saved, rig->witness);
	else
		copy_file(rig->witness, saved);
	(void)unlink(beside(rig, "-shm"));
}

static char *dump(const struct rig *rig);

static void set_scene(struct scene *scene)
{
	struct rig *rig;
	assert_int_equal(rig_setup((void **)&rig), 0);
	scene->rig = rig;
	rig_configure(rig, pool_printf(kept, "trust_aligned_dkim = %s;\nanswers_per_hour = 50;",
				   scene->trust ? "true" : "false"));
	struct form_values victim = scene->twin ? form_of(rig, 7, "別件 七郎", "tanto@elsewhere.example.jp")
						: form_of(rig, 1, "例示 一郎", NULL);
	struct form_values writer = form_of(rig, 2, "差出 二郎", NULL);
	struct form_values bystander = form_of(rig, 3, "傍観 三郎", BYSTANDER);
	scene->victim = rig_register(rig, &victim);
	scene->writer = rig_register(rig, &writer);
	scene->bystander = rig_register(rig, &bystander);
	rig_run_days(rig, 8);
	struct rig_notices victims = rig_notices(rig, scene->victim),
			   writers = rig_notices(rig, scene->writer);
	scene->bounce[0] = pool_strdup(kept, victims.item[1].bounce_address);
	scene->bounce[1] = pool_strdup(kept, victims.item[0].bounce_address);
	scene->bounce[2] = pool_strdup(kept, writers.item[1].bounce_address);
	play(scene);
	assert_string_equal(inbound_queued(rig), "");
	scene->app[0] = rig_app(rig, scene->victim);
	scene->app[1] = rig_app(rig, scene->writer);
	scene->app[2] = rig_app(rig, scene->bystander);
	close_register(rig);
	copy_register(rig, false);
	scene->clock = rig->clock;
	scene->rng = rig->rng;
	rig_open_store(rig);
	scene->before = pool_strdup(kept, dump(rig));
}

static struct scene *scene_of(const char *name, bool trust, bool twin)
{
	for (size_t i = 0; i < scene_count; i++)
		if (strcmp(scenes[i].name, name) == 0 && scenes[i].trust == trust && scenes[i].twin == twin)
			return &scenes[i];
	assert_true(scene_count < sizeof scenes / sizeof scenes[0]);
	struct scene *scene = &scenes[scene_count++];
	*scene = (struct scene){.name = name, .trust = trust, .twin = twin};
	set_scene(scene);
	return scene;
}

/* The register, the clock and chance as they were before the mail. */
static void restore_scene(struct scene *scene)
{
	struct rig *rig = scene->rig;
	close_register(rig);
	copy_register(rig, true);
	rig->clock = scene->clock;
	rig->rng = scene->rng;
	rig_open_store(rig);
	assert_ok(office_load_templates(&rig->office, &rig_err));
}

/* ---- the register in words ---- */

static int add_line(void *ctx, int count, char **value, char **name)
{
	struct str *out = ctx;
	(void)name;
	for (int i = 0; i < count; i++)
		str_printf(out, "%s%s", i ? " " : "", value[i] ? value[i] : "-");
	str_addc(out, '\n');
	return 0;
}

/* One application, score or suppressed address a line; who is meant comes first. */
static char *dump(const struct rig *rig)
{
	static const char sql[] =
		"SELECT 'application', a.id, a.state, a.hold, hex(a.mail), a.stage, a.due_at, a.stopped_on, "
		"a.declaration_id,"
		" a.user_number, a.linked_id, a.approved, hex(p.form), p.hold_reason FROM application a"
		" JOIN application_payload p ON p.application_id = a.id ORDER BY a.id;"
		"SELECT 'score', hex(mail), score, hard FROM address_score ORDER BY mail;"
		"SELECT 'suppressed', hex(mail), kind FROM suppression ORDER BY mail, kind;"
		"SELECT 'number', number, application_id FROM number ORDER BY number;"
		"SELECT 'history', count(*) FROM history WHERE application_id = 3;"
		"SELECT 'letters', id, state FROM outbox WHERE state <> 1 ORDER BY id;";
	sqlite3 *db;
	struct str out = STR_INIT;
	assert_int_equal(sqlite3_open(rig->store_path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, add_line, &out, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	char *text = pool_strdup(rig->pool, out.s);
	str_free(&out);
	return text;
}

static const char *whose(const struct scene *scene, const char *mail)
{
	static const char *const names[] = {"victim", "writer", "bystander"};
	for (int i = 0; i < 3; i++)
		if (strcmp(value_of(&scene->app[i], FIELD_MAIL), mail) == 0)
			return names[i];
	return strcmp(mail, FORGER) == 0 ? "forger" : strcmp(mail, NEW_ADDRESS) == 0 ? "new" : mail;
}

static bool has_score(const struct scene *scene, const char *mail, bool *suppressed)
{
	struct address_score score = {0};
	bool on = false;
	*suppressed = false;
	assert_ok(address_score_get(scene->rig->office.store, mail, &score, &rig_err));
	for (int kind = SUPPRESS_NEWS; kind <= SUPPRESS_DEAD; kind++) {
		assert_ok(suppression_has(
			scene->rig->office.store, mail, (enum suppression)kind, &on, &rig_err));
		*suppressed = *suppressed || on;
	}
	return score.score || score.hard;
}

/* "victim:stopped writer:score": what differs; "none". */
static const char *effect_of(const struct scene *scene)
{
	static const char *const names[] = {"victim", "writer", "bystander"};
	struct rig *rig = scene->rig;
	struct str out = STR_INIT;
	for (int i = 0; i < 3; i++) {
		const struct application *was = &scene->app[i];
		struct application is = rig_app(rig, was->id);
		bool suppressed, form = false;
		for (int k = 0; k < FIELD_COUNT; k++)
			form = form || (k != FIELD_MAIL && k != FIELD_MAIL_CONFIRM && k != FIELD_NEWS &&
					       strcmp(value_of(&is, k), value_of(was, k)) != 0);
		if (is.state != was->state)
			str_printf(&out, " %s:%s", names[i], state_name(is.state));
		if (is.hold != was->hold)
			str_printf(&out, " %s:%s", names[i], is.hold ? "held" : "released");
		if (strcmp(value_of(&is, FIELD_MAIL), value_of(was, FIELD_MAIL)) != 0)
			str_printf(&out, " %s:mail", names[i]);
		if (strcmp(value_of(&is, FIELD_NEWS), value_of(was, FIELD_NEWS)) != 0)
			str_printf(&out, " %s:news", names[i]);
		if (form)
			str_printf(&out, " %s:form", names[i]);
		if (has_score(scene, value_of(was, FIELD_MAIL), &suppressed))
			str_printf(&out, " %s:score", names[i]);
		if (suppressed)
			str_printf(&out, " %s:suppressed", names[i]);
	}
	bool same = strcmp(dump(rig), scene->before) == 0;
	const char *text = out.len ? pool_strdup(rig->pool, out.s + 1) : same ? "none" : "something else";
	str_free(&out);
	return text;
}

/* ---- the mail ---- */

/* A Word file of the lines of a part; "a|b|c" is the row of a table. */
static void docx_add(struct str *out, const char *text)
{
	struct str xml = STR_INIT, bytes = STR_INIT;
	bool table = false;
	char *lines = pool_strdup(kept, text), *line;
	str_addz(&xml, "<?xml version=\"1.0\"?><w:document "
		       "xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body>");
	while ((line = strsep(&lines, "\n"))) {
		bool row = strchr(line, '|') != NULL;
		if (row != table)
			str_addz(&xml, row ? "<w:tbl>" : "</w:tbl>");
		table = row;
		str_addz(&xml, row ? "<w:tr>" : "");
		for (char *cell; (cell = strsep(&line, "|"));)
			str_printf(&xml, "%s<w:p><w:r><w:t>%s</w:t></w:r></w:p>%s", row ? "<w:tc>" : "", cell,
				row ? "</w:tc>" : "");
		str_addz(&xml, row ? "</w:tr>" : "");
	}
	str_addz(&xml, "</w:body></w:document>");
	zip_error_t error;
	zip_error_init(&error);
	zip_source_t *target = zip_source_buffer_create(NULL, 0, 0, &error);
	zip_source_keep(target);
	zip_t *zip = zip_open_from_source(target, ZIP_TRUNCATE, &error);
	static const char types[] = "<Types/>";
	assert_true(zip_file_add(zip, "[Content_Types].xml",
			    zip_source_buffer(zip, types, sizeof types - 1, 0), 0) >= 0);
	assert_true(
		zip_file_add(zip, "word/document.xml", zip_source_buffer(zip, xml.s, xml.len, 0), 0) >= 0);
	assert_int_equal(zip_close(zip), 0);
	zip_source_open(target);
	zip_source_seek(target, 0, SEEK_END);
	str_grow(&bytes, (size_t)zip_source_tell(target));
	zip_source_seek(target, 0, SEEK_SET);
	bytes.len = (size_t)zip_source_read(target, bytes.s, bytes.size - 1);
	zip_source_close(target);
	zip_source_free(target);
	zip_error_fini(&error);
	base64_add(out, bytes.s, bytes.len);
	str_free(&bytes);
	str_free(&xml);
}

static const char *altered(const char *address)
{
	char *copy = pool_strdup(kept, address), *last = strchr(copy, '@') - 1;
	*last = *last == 'a' ? 'b' : 'a';
	return copy;
}

/* {names} are filled in, \n and \xHH of the table are meant. */
static void fill(struct str *out, const struct scene *scene, const char *text)
{
	struct rig *rig = scene->rig;
	const struct application *victim = &scene_of(scene->name, scene->trust, false)->app[0];
	const struct raw_value values[] = {
		{"{VICTIM}", value_of(victim, FIELD_MAIL)},
		{"{WRITER}", value_of(&scene->app[1], FIELD_MAIL)},
		{"{BYSTANDER}", BYSTANDER},
		{"{FORGER}", FORGER},
		{"{OFFICE}", OFFICE},
		{"{ID}", pool_printf(rig->pool, "%" PRId64, victim->declaration_id)},
		{"{NEXT_ID}", pool_printf(rig->pool, "%" PRId64, victim->declaration_id + 1)},
		{"{USER}", pool_printf(rig->pool, "%" PRId64, victim->user_number)},
		{"{WRITER_ID}", pool_printf(rig->pool, "%" PRId64, scene->app[1].declaration_id)},
		{"{WRITER_NAME}", value_of(&scene->app[1], FIELD_BUSINESS_NAME)},
		{"{NAME}", value_of(victim, FIELD_BUSINESS_NAME)},
		{"{NUMBER}", value_of(victim, FIELD_CORPORATE_NUMBER)},
		{"{TOKEN}", scene->token},
		{"{NEW_TOKEN}", scene->new_token},
		{"{OTHER_TOKEN}", scene->other_token},
		{"{CONFIRM_ID}", scene->confirm_id},
		{"{CONFIRM_BOUNCE}", scene->confirm_bounce},
		{"{BOUNCE}", scene->bounce[0]},
		{"{EARLIER_BOUNCE}", scene->bounce[1]},
		{"{OTHER_BOUNCE}", scene->bounce[2]},
		{"{ALTERED}", altered(scene->bounce[0])},
		{0},
	};
	for (const char *at = text; *at;) {
		const struct raw_value *value = values;
		uint8_t byte;
		while (value->name && !str_has_prefix(at, value->name))
			value++;
		const char *end = strchr(at, '}');
		if (value->name) {
			str_addz(out, value->value);
			at += strlen(value->name);
		} else if (str_has_prefix(at, "{docx ")) {
			struct str lines = STR_INIT;
			fill(&lines, scene, part_of(pool_strndup(rig->pool, at + 6, (size_t)(end - at - 6))));
			docx_add(out, lines.s);
			str_free(&lines);
			at = end + 1;
		} else if (str_has_prefix(at, "{part ")) {
			fill(out, scene, part_of(pool_strndup(rig->pool, at + 6, (size_t)(end - at - 6))));
			if (out->len && out->s[out->len - 1] == '\n' && end[1] == '\n')
				str_cut(out, out->len - 1);
			at = end + 1;
		} else if (str_has_prefix(at, "\\n")) {
			str_addc(out, '\n');
			at += 2;
		} else if (str_has_prefix(at, "\\x")) {
			assert_true(hex_read(&byte, 1, pool_strndup(rig->pool, at + 2, 2)));
			str_addc(out, (char)byte);
			at += 4;
		} else {
			str_addc(out, *at++);
		}
	}
}

static void write_mail(struct str *out, const struct scene *scene, const struct row *row)
{
	struct str text = STR_INIT;
	const char *from = row->cell[FROM], *more = row->cell[MORE];
	fill(&text, scene, part_of(row->cell[HEAD]));
	if (strcmp(from, "-") != 0) {
		str_addz(&text, "From: ");
		fill(&text, scene, from);
		str_addc(&text, '\n');
	}
	if (strcmp(more, "-") != 0) {
		fill(&text, scene, more);
		str_addc(&text, '\n');
	}
	if (!strcasestr(more, "To: "))
		str_addz(&text, "To: " OFFICE "\n");
	str_addz(&text, "Message-ID: <1@evil.example.net>\nDate: Mon, 08 Jun 2026 10:00:00 +0900\n");
	fill(&text, scene, part_of(row->cell[TEXT]));
	for (size_t i = 0; i < text.len; i++) {
		if (text.s[i] == '\n' && (i == 0 || text.s[i - 1] != '\r'))
			str_addc(out, '\r');
		str_addc(out, text.s[i]);
	}
	str_free(&text);
}

static void alter_reading(struct str *json, const struct scene *scene, const char *cell)
{
	struct str text = STR_INIT;
	fill(&text, scene, cell);
	json_t *object = json_loadb(json->s, json->len, 0, NULL), *change = json_loads(text.s, 0, NULL);
	if (!change)
		fail_msg("no JSON: %s", text.s);
	assert_int_equal(json_object_update_recursive(object, change), 0);
	char *altered_text = json_dumps(object, JSON_COMPACT);
	str_clear(json);
	str_addz(json, altered_text);
	free(altered_text);
	json_decref(object);
	json_decref(change);
	str_free(&text);
}

struct outcome_of { /* one mail that was acted on */
	const char *kind, *request, *answers, *effect, *note;
	int64_t message;
};

/* Takes the mail as the mailbox role does; *kind: what it was read as. */
static int64_t take(struct scene *scene, const struct row *row, const char **kind)
{
	struct rig *rig = scene->rig;
	struct str raw = STR_INIT, json = STR_INIT;
	struct received honest, received;
	write_mail(&raw, scene, row);
	const struct received_context context = {.rules = raw_rules,
		.office = rig->settings->contact_mail,
		.authserv_id = rig->settings->authserv_id,
		.own_hops = rig->settings->own_hops};
	assert_ok(received_read(&honest, raw.s, raw.len, &context, rig->pool, &rig_err));
	received_print(&json, &honest);
	if (strcmp(row->cell[READER], "-") != 0)
		alter_reading(&json, scene, row->cell[READER]);
	struct err refused = {0};
	bool good = received_load(&received, json.s, json.len, rig->pool, &refused) == RC_OK;
	*kind = good ? request_kind_name(received.reading.kind) : "unread";
	struct mail_message message = {.state = MESSAGE_TAKEN,
		.taken_at = rig->clock.now,
		.size = (int64_t)raw.len,
		.uid_validity = 1,
		.uid = "999999",
		.filed_uid = ""};
	sha256(message.digest, raw.s, raw.len);
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(message_add(rig->office.store, &message, raw.s, raw.len, &rig_err));
	if (good)
		assert_ok(rig_set_reading(rig->office.store, message.id, json.s, json.len, &rig_err));
	assert_ok(office_receive(
		&rig->office, &message, good ? &received : NULL, good ? NULL : refused.text, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	str_free(&raw);
	str_free(&json);
	return message.id;
}

/* ---- what came of it ---- */

/* All that a letter says: header, text, and the letter that a resend repeats; where its number stands as such (X-, Message-ID) too. */
static const char *letter_text(struct rig *rig, int64_t notice_id)
{
	struct str wire = STR_INIT, text = STR_INIT;
	struct message *m = pool_alloc(rig->pool, sizeof *m);
	rig_letter(rig, notice_id, &wire);
	assert_ok(message_read(m, wire.s, wire.len, &message_limits_default, rig->pool, &rig_err));
	for (size_t i = 0; i < m->header_count; i++)
		str_printf(&text, "%s: %s\n", m->header[i].name, m->header[i].value);
	for (size_t i = 0; i < m->part_count; i++)
		str_printf(&text, "%s\n%.*s\n", m->part[i].text ? m->part[i].text : "", (int)m->part[i].len,
			m->part[i].bytes);
	const char *copy = pool_strdup(rig->pool, text.s);
	str_free(&wire);
	str_free(&text);
	return copy;
}

static const char *answers_of(const struct scene *scene)
{
	struct inbound_queue queue = inbound_queue(scene->rig);
	struct str text = STR_INIT;
	for (int i = 0; i < queue.count; i++) {
		const struct notice *notice = &queue.item[i];
		str_printf(&text, "%s%s", i ? " " : "", notice->template_name);
		if (notice->resend_of)
			str_printf(&text, "+%d", notice->resend_no);
		str_printf(&text, ">%s", whose(scene, notice->recipient));
	}
	const char *copy = text.len ? pool_strdup(scene->rig->pool, text.s) : "none";
	str_free(&text);
	return copy;
}

static const char *request_of(const struct scene *scene, int64_t message)
{
	struct rig *rig = scene->rig;
	struct request own = {0}, request = inbound_request(rig, message);
	if (scene->request)
		assert_ok(request_get(rig->office.store, scene->request, &own, rig->pool, &rig_err));
	if (!request.id)
		return own.state == REQUEST_STATE_REVIEW ? "doubted" : "none";
	bool review = request.state == REQUEST_STATE_REVIEW;
	assert_int_equal(inbound_message(rig, message).review, review);
	if (own.state == REQUEST_STATE_REVIEW)
		return "doubted";
	return request_state_name(request.state);
}

static struct outcome_of act(struct scene *scene, const struct row *row)
{
	struct outcome_of out = {0};
	restore_scene(scene);
	out.message = take(scene, row, &out.kind);
	out.request = request_of(scene, out.message);
	out.answers = answers_of(scene);
	out.effect = effect_of(scene);
	out.note = inbound_request(scene->rig, out.message).note;
	return out;
}

/* ---- checks of a row ---- */

static int failures;

static void complain(const struct row *row, const struct scene *scene, const char *what, const char *text)
{
	failures++;
	print_error("%s:%d: %s (trust %s%s): %s: %s\n", MATRIX, row->line, row->cell[CASE],
		scene->trust ? "on" : "off", scene->twin ? ", without the victim" : "", what,
		text ? text : "");
}

/* Every letter goes to an address of its application, or says nothing of any; and to whom it goes, nobody else's is told. */
static void check_letters(const struct row *row, struct scene *scene)
{
	struct rig *rig = scene->rig;
	struct inbound_queue queue = inbound_queue(rig);
	for (int i = 0; i < queue.count; i++) {
		const struct notice *notice = &queue.item[i];
		const char *text = letter_text(rig, notice->id);
		const char *to = whose(scene, notice->recipient);
		bool registered = strcmp(to, "victim") == 0 || strcmp(to, "writer") == 0 ||
				  strcmp(to, "bystander") == 0;
		if (!registered && strcmp(to, "new") != 0 && notice->application_id)
			complain(row, scene, "a letter of a case to an address that is not registered", to);
		if (strcmp(row->cell[NEVER], "-") != 0 && strstr(text, row->cell[NEVER]))
			complain(row, scene, "a letter says", row->cell[NEVER]);
		for (int k = 0; k < 3; k++) {
			const struct application *app = &scene->app[k];
			/* Who wrote the mail may be repeated what he said of himself. */
			if (k == 1 && strstr(row->cell[FROM], "{WRITER}"))
				continue;
			if (strcmp(value_of(app, FIELD_MAIL), notice->recipient) == 0 ||
				(k == 0 && strcmp(to, "new") == 0))
				continue;
			const char *secrets[] = {pool_printf(rig->pool, "%" PRId64, app->declaration_id),
				pool_printf(rig->pool, "%" PRId64, app->user_number),
				value_of(app, FIELD_BUSINESS_NAME), value_of(app, FIELD_MAIL),
				value_of(app, FIELD_CORPORATE_NUMBER), value_of(app, FIELD_CONTACT),
				value_of(app, FIELD_TELEPHONE), scene->token};
			for (size_t s = 0; s < sizeof secrets / sizeof secrets[0]; s++)
				if (strcmp(secrets[s], "none") != 0 && strstr(text, secrets[s]))
					complain(row, scene, "a letter to somebody else says", secrets[s]);
		}
	}
}

static void compare(const struct row *row, const struct scene *scene, const struct outcome_of *out)
{
	const char *got[] = {out->kind, out->request, out->answers, out->effect};
	static const enum column column[] = {KIND, REQUEST, ANSWERS, EFFECT};
	static const char *const names[] = {"read as", "request", "answers", "effect"};
	for (size_t i = 0; i < sizeof got / sizeof got[0]; i++)
		if (strcmp(got[i], row->cell[column[i]]) != 0)
			complain(row, scene, names[i],
				pool_printf(scene->rig->pool, "%s, not %s (%s)", got[i], row->cell[column[i]],
					out->note ? out->note : ""));
}

/* What is said to those who are not registered for the case, word for word, and when it may go. */
static const char *heard_by_others(struct scene *scene)
{
	struct rig *rig = scene->rig;
	struct inbound_queue queue = inbound_queue(rig);
	struct str text = STR_INIT;
	for (int i = 0; i < queue.count; i++)
		if (!queue.item[i].application_id && strcmp(queue.item[i].recipient, VICTIM) != 0)
			str_printf(&text, "%s at %" PRId64 "\n%s\n", queue.item[i].recipient,
				(int64_t)queue.item[i].next_try_at, rig_text(rig, queue.item[i].id));
	const char *copy = pool_strdup(rig->pool, text.s);
	str_free(&text);
	return copy;
}

static void check_twin(const struct row *row, struct scene *scene)
{
	const char *heard = heard_by_others(scene);
	struct scene *twin = scene_of(row->cell[BEFORE], scene->trust, true);
	struct outcome_of out = act(twin, row);
	(void)out;
	if (strcmp(heard, heard_by_others(twin)) != 0)
		complain(row, twin, "others hear something else", heard_by_others(twin));
	check_letters(row, twin);
}

/* The cadence goes on as if nothing had come. */
static void check_cadence(const struct row *row, struct scene *scene)
{
	struct rig *rig = scene->rig;
	if (scene->app[0].state != STATE_ID_ISSUED)
		return;
	rig_run_until(rig, scene->app[0].due_at + 7200);
	if (rig_app(rig, scene->victim).state != STATE_LOGO_AUTHORIZED)
		complain(row, scene, "the next notice did not go out", rig_outbox(rig, scene->victim));
	rig_assert_whole(rig);
}

static void try_row(const struct row *row, bool trust)
{
	struct scene *scene = scene_of(row->cell[BEFORE], trust, false);
	struct outcome_of out = act(scene, row);
	compare(row, scene, &out);
	check_letters(row, scene);
	if (strcmp(row->cell[BEFORE], "nothing") == 0 && !trust)
		check_twin(row, scene);
	if (strcmp(row->cell[EFFECT], "none") == 0 && trust)
		check_cadence(row, scene);
}

/* ---- the table ---- */

static int begin(void **state)
{
	kept = pool_new();
	read_matrix();
	read_parts();
	return raw_begin(state);
}

static int end(void **state)
{
	for (size_t i = 0; i < scene_count; i++) {
		void *rig = scenes[i].rig;
		(void)rig_teardown(&rig);
	}
	pool_free(&kept);
	return raw_end(state);
}

static void test_spoofing__every_row(void **state)
{
	(void)state;
	const char *only = getenv("SPOOFING_ROW");
	for (size_t i = 0; i < row_count; i++) {
		const struct row *row = &rows[i];
		const char *trust = row->cell[TRUST];
		if (only && !strstr(row->cell[CASE], only))
			continue;
		if (strcmp(trust, "off") != 0)
			try_row(row, true);
		if (strcmp(trust, "on") != 0)
			try_row(row, false);
	}
	if (failures)
		fail_msg("%d differences", failures);
}

/* A table that lost its rows, or that knows only refusals, would prove nothing. */
static void test_spoofing__the_table_is_whole(void **state)
{
	(void)state;
	size_t effects = 0;
	assert_true(row_count >= ROWS_MIN);
	for (size_t i = 0; i < row_count; i++) {
		effects += strcmp(rows[i].cell[EFFECT], "none") != 0;
		for (size_t k = 0; k < i; k++)
			if (strcmp(rows[i].cell[CASE], rows[k].cell[CASE]) == 0)
				fail_msg(MATRIX ":%d: the case stands in line %d, too", rows[i].line,
					rows[k].line);
	}
	assert_true(effects >= 10);
	print_message("%zu rows, %zu of them with an effect\n", row_count, effects);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spoofing__the_table_is_whole),
		cmocka_unit_test(test_spoofing__every_row),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
