/* A Maildir++ that somebody else delivers into. Its bytes are as foreign as a server's: only plain files are opened, and never waited for. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/mail/mailbox_p.h"

#define UID_MAX 240 /* bytes: a name with its flags must stay a file name */
#define POLL_SECONDS 2 /* between looks where inotify is not to be had */

struct maildrop {
	const struct mailbox_settings *settings;
	bool open;
	int inotify; /* -1: none */
	struct timespec seen[2]; /* when new/ and cur/ had last been changed before INBOX was listed */
};

static const char *const parts[2] = {"new", "cur"};

/* ---- names ---- */

/* "Nr.5/停止" is .Nr&AC4-5.&UFxrYg-: the dot divides levels in a Maildir++, the slash in configured names. */
static enum rc folder_path(
	const struct mailbox_settings *settings, enum folder folder, struct str *out, struct err *err)
{
	str_addz(out, settings->path);
	if (folder == FOLDER_INBOX)
		return RC_OK;
	const char *name = mailbox_folder_name(settings, folder);
	struct str encoded = STR_INIT;
	mutf7_add(&encoded, name);
	str_addz(out, "/.");
	bool level_is_empty = true, good = true;
	for (const char *c = encoded.s; *c; c++) {
		if (*c == '/') {
			good &= !level_is_empty;
			str_addc(out, '.');
		} else if (*c == '.') {
			str_addz(out, "&AC4-");
		} else {
			str_addc(out, *c);
		}
		level_is_empty = *c == '/';
	}
	str_free(&encoded);
	if (!good || level_is_empty || strlen(path_base(out->s)) > NAME_MAX)
		return err_set(err, RC_CONFIG, "\"%s\" is no name for a folder of a Maildir.", name);
	return RC_OK;
}

/* A UID comes from the register and goes into a path. */
static bool is_uid(const char *uid)
{
	size_t len = strlen(uid);
	return len > 0 && len <= UID_MAX && uid[0] != '.' && !strchr(uid, '/') && !strchr(uid, ':') &&
	       utf8_valid(uid, len) && !text_has_control(uid);
}

static size_t base_len(const char *name)
{
	return strcspn(name, ":");
}

/* ---- opening ---- */

static void *maildrop_new(const struct mailbox_settings *settings, const char *password)
{
	(void)password;
	struct maildrop *drop = xcalloc(1, sizeof *drop);
	drop->settings = settings;
	drop->inotify = -1;
	return drop;
}

static void maildrop_close(void *mailbox)
{
	struct maildrop *drop = mailbox;
	if (drop->inotify >= 0)
		(void)close(drop->inotify);
	drop->inotify = -1;
	drop->open = false;
}

static bool maildrop_is_open(const void *mailbox)
{
	return ((const struct maildrop *)mailbox)->open;
}

static const char *maildrop_phase(const void *mailbox)
{
	(void)mailbox;
	return "connect";
}

/* Mail arrives by rename or by link. Without inotify the directories are looked at now and then. */
static void watch(struct maildrop *drop)
{
	drop->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	for (size_t i = 0; i < 2 && drop->inotify >= 0; i++) {
		struct str path = STR_INIT;
		path_join(&path, drop->settings->path, parts[i]);
		if (inotify_add_watch(drop->inotify, path.s, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR) < 0) {
			(void)close(drop->inotify);
			drop->inotify = -1;
		}
		str_free(&path);
	}
}

static enum rc maildrop_open(void *mailbox, struct err *err)
{
	struct maildrop *drop = mailbox;
	enum rc rc = RC_OK;
	for (enum folder folder = FOLDER_INBOX; folder < FOLDER_COUNT && rc == RC_OK; folder++) {
		struct str path = STR_INIT;
		if (mailbox_folder_name(drop->settings, folder)) {
			rc = folder_path(drop->settings, folder, &path, err);
			if (rc == RC_OK)
				rc = maildir_make(path.s, folder != FOLDER_INBOX, err);
		}
		str_free(&path);
	}
	if (rc == RC_OK && drop->inotify < 0)
		watch(drop);
	drop->open = rc == RC_OK;
	return rc;
}

/* ---- listing ---- */

struct drop_entry {
	char *uid; /* owned */
	int64_t size;
	struct timespec age;
};
struct drop_list {
	struct drop_entry *entry;
	size_t count, room;
};

static int by_uid(const void *a, const void *b)
{
	return strcmp(((const struct drop_entry *)a)->uid, ((const struct drop_entry *)b)->uid);
}

static int by_age(const void *a, const void *b)
{
	const struct timespec *x = &((const struct drop_entry *)a)->age,
			      *y = &((const struct drop_entry *)b)->age;
	if (x->tv_sec != y->tv_sec)
		return x->tv_sec < y->tv_sec ? -1 : 1;
	if (x->tv_nsec != y->tv_nsec)
		return x->tv_nsec < y->tv_nsec ? -1 : 1;
	return by_uid(a, b);
}

static enum rc read_part(struct drop_list *list, const char *path, struct err *err)
{
	struct strlist names = {0};
	enum rc rc = file_list_dir(&names, path, err);
	int dir = rc == RC_OK ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (rc == RC_OK && dir < 0)
		rc = err_set(err, RC_STORE, "%s can't be read: %s.", path, errno_text(errno));
	for (size_t i = 0; i < names.count && rc == RC_OK; i++) {
		struct stat status;
		char *uid = xstrndup(names.item[i], base_len(names.item[i]));
		if (!is_uid(uid) || fstatat(dir, names.item[i], &status, AT_SYMLINK_NOFOLLOW) != 0 ||
			!S_ISREG(status.st_mode)) {
			free(uid);
			continue;
		}
		if (list->count == list->room) {
			list->room = list->room ? 2 * list->room : 64;
			list->entry = xrealloc(list->entry, list->room * sizeof *list->entry);
		}
		list->entry[list->count++] =
			(struct drop_entry){.uid = uid, .size = status.st_size, .age = status.st_mtim};
	}
	if (dir >= 0)
		(void)close(dir);
	strlist_free(&names);
	return rc;
}

/* A mail that went from new/ to cur/ between the two looks is there twice. */
static void drop_doubles(struct drop_list *list)
{
	size_t kept = 0;
	if (list->count == 0)
		return;
	qsort(list->entry, list->count, sizeof *list->entry, by_uid);
	for (size_t i = 1; i < list->count; i++) {
		if (strcmp(list->entry[kept].uid, list->entry[i].uid) == 0)
			free(list->entry[i].uid);
		else
			list->entry[++kept] = list->entry[i];
	}
	list->count = kept + 1;
}

static void note_changes(const struct maildrop *drop, struct timespec changed[2])
{
	for (size_t i = 0; i < 2; i++) {
		struct str path = STR_INIT;
		struct stat status;
		path_join(&path, drop->settings->path, parts[i]);
		changed[i] = stat(path.s, &status) == 0 ? status.st_mtim : (struct timespec){0};
		str_free(&path);
	}
}

static bool take_events(const struct maildrop *drop)
{
	char events[4096];
	bool any = false;
	while (drop->inotify >= 0 && read(drop->inotify, events, sizeof events) > 0)
		any = true;
	return any;
}

static enum rc maildrop_list(void *mailbox, enum folder folder, const char *after, size_t limit,
	struct mailbox_list *out, struct pool *pool, struct err *err)
{
	struct maildrop *drop = mailbox;
	struct drop_list list = {0};
	struct str path = STR_INIT;
	(void)after;
	if (folder == FOLDER_INBOX) { /* what comes from now on is news, even if it is seen below */
		note_changes(drop, drop->seen);
		(void)take_events(drop);
	}
	enum rc rc = folder_path(drop->settings, folder, &path, err);
	size_t folder_len = path.len;
	for (size_t i = 0; i < 2 && rc == RC_OK; i++) {
		str_cut(&path, folder_len);
		str_printf(&path, "/%s", parts[i]);
		rc = read_part(&list, path.s, err);
	}
	drop_doubles(&list);
	if (list.count > 0)
		qsort(list.entry, list.count, sizeof *list.entry, by_age);
	*out = (struct mailbox_list){
		.count = list.count < limit ? list.count : limit, .more = list.count > limit};
	out->entry = pool_alloc(pool, (out->count + 1) * sizeof *out->entry);
	for (size_t i = 0; i < list.count; i++) {
		if (i < out->count)
			out->entry[i] = (struct mailbox_entry){
				.uid = pool_strdup(pool, list.entry[i].uid), .size = list.entry[i].size};
		free(list.entry[i].uid);
	}
	free(list.entry);
	str_free(&path);
	return rc;
}

/* ---- one mail ---- */

/* Where a mail lies now: "new/UID" or "cur/UID:2,FLAGS" below dir, appended to out. Others may change its flags at any time. */
static bool find(const char *dir, const char *uid, struct str *out)
{
	static const char *const usual[] = {"new/%s", "cur/%s", "cur/%s:2,", "cur/%s:2,S"};
	struct stat status;
	size_t start = out->len;
	for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
		const char *after = strstr(usual[i], "%s");
		str_cut(out, start);
		str_printf(out, "%s/%.*s%s%s", dir, (int)(after - usual[i]), usual[i], uid, after + 2);
		if (lstat(out->s, &status) == 0)
			return true;
	}
	struct str path = STR_INIT;
	struct strlist names = {0};
	struct err unheard;
	bool found = false;
	path_join(&path, dir, "cur");
	str_cut(out, start);
	if (file_list_dir(&names, path.s, &unheard) == RC_OK)
		for (size_t i = 0; i < names.count && !found; i++) {
			found = base_len(names.item[i]) == strlen(uid) &&
				strncmp(names.item[i], uid, strlen(uid)) == 0;
			if (found)
				path_join(out, path.s, names.item[i]);
		}
	strlist_free(&names);
	str_free(&path);
	return found;
}

static enum rc maildrop_fetch(void *mailbox, const char *uid, struct str *raw, struct err *err)
{
	struct maildrop *drop = mailbox;
	struct str path = STR_INIT;
	enum rc rc = RC_REFUSED;
	/* It may be renamed between being found and being opened. */
	for (int turn = 0; turn < 3 && rc == RC_REFUSED; turn++) {
		str_clear(&path);
		if (!is_uid(uid) || !find(drop->settings->path, uid, &path)) {
			rc = err_set(err, RC_REFUSED, "The message is not in the Maildir any more.");
			break;
		}
		rc = file_read(raw, path.s, (size_t)drop->settings->message_bytes, err);
		if (rc == RC_REFUSED && access(path.s, F_OK) == 0)
			break; /* too large, or no plain file */
	}
	str_free(&path);
	return rc;
}

static enum rc maildrop_fetch_some(void *mailbox, const char *const *uid, size_t count, int64_t payload,
	mailbox_message_fn *fn, void *ctx, struct err *err)
{
	struct str raw = STR_INIT;
	struct err unheard;
	enum rc rc = RC_OK;
	(void)payload; /* each file has its own limit */
	for (size_t i = 0; i < count && rc == RC_OK; i++) {
		str_clear(&raw);
		if (maildrop_fetch(mailbox, uid[i], &raw, &unheard) == RC_OK)
			rc = fn(ctx, i, raw.s, raw.len, err);
	}
	str_free(&raw);
	return rc;
}

/* Renames without ever replacing another mail: one of the same name gets a number behind it. *moved: its name there, NULL where it was gone. */
static enum rc move_one(const char *from, const char *to, const char *uid, const char **moved,
	struct pool *pool, struct err *err)
{
	struct str source = STR_INIT, target = STR_INIT, flags = STR_INIT;
	enum rc rc = RC_OK;
	*moved = NULL;
	for (int number = 0, again = 0;;) {
		str_clear(&source);
		str_clear(&target);
		str_clear(&flags);
		if (!is_uid(uid) || !find(from, uid, &source))
			break;
		/* As on a server: what nobody has looked at yet stays unseen. */
		const char *info = strstr(path_base(source.s), ":2,");
		str_addz(&flags, info ? info + 3 : "");
		const char *name = number ? pool_printf(pool, "%s_%d", uid, number) : uid;
		str_printf(&target, "%s/cur/%s:2,%s", to, name, flags.s);
		struct str there = STR_INIT;
		bool taken = find(to, name, &there);
		str_free(&there);
		if (!taken && renameat2(AT_FDCWD, source.s, AT_FDCWD, target.s, RENAME_NOREPLACE) == 0) {
			*moved = pool_strdup(pool, name);
			break;
		}
		if ((taken || errno == EEXIST) && ++number < 1000)
			continue;
		if (!taken && errno == ENOENT && ++again < 3)
			continue; /* its flags were changed meanwhile */
		rc = err_set(err, RC_STORE, "A mail can't be moved to %s: %s.", to, errno_text(errno));
		break;
	}
	str_free(&source);
	str_free(&target);
	str_free(&flags);
	return rc;
}

static enum rc sync_part(const char *dir, const char *part, struct err *err)
{
	struct str path = STR_INIT;
	path_join(&path, dir, part);
	enum rc rc = file_sync_dir(path.s, err);
	str_free(&path);
	return rc;
}

static enum rc maildrop_move(void *mailbox, const char *const *uid, size_t count, enum folder to,
	const char **moved_uid, struct pool *pool, struct err *err)
{
	struct maildrop *drop = mailbox;
	const char *from = drop->settings->path;
	struct str target = STR_INIT;
	enum rc rc = folder_path(drop->settings, to, &target, err);
	if (rc == RC_OK)
		rc = maildir_make(target.s, true, err);
	for (size_t i = 0; i < count && rc == RC_OK; i++)
		rc = move_one(from, target.s, uid[i], &moved_uid[i], pool, err);
	/* The new name is on disk before the old one is gone from it. */
	if (rc == RC_OK)
		rc = sync_part(target.s, "cur", err);
	for (size_t i = 0; i < 2 && rc == RC_OK; i++)
		rc = sync_part(from, parts[i], err);
	str_free(&target);
	return rc;
}

static enum rc maildrop_append(void *mailbox, const char *name, const char *wire, size_t len, struct err *err)
{
	struct maildrop *drop = mailbox;
	struct str path = STR_INIT, there = STR_INIT;
	if (!is_uid(name))
		return err_set(err, RC_USAGE, "\"%s\" is no name for a file in a Maildir.", name);
	enum rc rc = folder_path(drop->settings, FOLDER_SENT, &path, err);
	if (rc == RC_OK)
		rc = maildir_make(path.s, true, err);
	if (rc == RC_OK && !find(path.s, name, &there))
		rc = maildir_file(path.s, name, wire, len, err);
	str_free(&path);
	str_free(&there);
	return rc;
}

/* ---- waiting ---- */

static bool has_changed(const struct maildrop *drop)
{
	struct timespec now[2];
	note_changes(drop, now);
	return memcmp(now, drop->seen, sizeof now) != 0;
}

static enum rc maildrop_wait(void *mailbox, int seconds, int wake_fd, bool *news, struct err *err)
{
	struct maildrop *drop = mailbox;
	int64_t end = clock_machine_ms() + (int64_t)seconds * 1000;
	(void)err;
	for (;;) {
		/* The times also tell what came over the network, where inotify sees nothing. */
		*news = take_events(drop) || has_changed(drop);
		int64_t left = end - clock_machine_ms();
		if (*news || left <= 0)
			return RC_OK;
		struct pollfd wake[] = {
			{.fd = wake_fd, .events = POLLIN}, {.fd = drop->inotify, .events = POLLIN}};
		int64_t pause = drop->inotify >= 0 ? 60 * 1000 : POLL_SECONDS * 1000;
		(void)poll(wake, 2, (int)(left < pause ? left : pause));
		if (wake[0].revents)
			return RC_OK;
	}
}

const struct mailbox_kind mailbox_maildir = {
	.new = maildrop_new,
	.open = maildrop_open,
	.is_open = maildrop_is_open,
	.close = maildrop_close,
	.free = free,
	.list = maildrop_list,
	.fetch = maildrop_fetch,
	.fetch_some = maildrop_fetch_some,
	.move = maildrop_move,
	.wait = maildrop_wait,
	.append = maildrop_append,
	.phase = maildrop_phase,
};
