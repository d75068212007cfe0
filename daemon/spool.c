#include "daemon/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lib/base/civil.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/text.h"

#define SECOND_LOOK_MS 1000 /* a network file system may show yesterday's size */
#define ARCHIVE_NAME_MAX 150 /* bytes; 255 less the time and the endings of results */
#define ENDING_MAX 8 /* bytes of ".csv", ".json" */

struct sight { /* what tells whether it is the same file, unchanged: there may be a hundred thousand */
	dev_t dev;
	ino_t ino;
	off_t size;
	int64_t mtime_ns, ctime_ns;
};

struct spool_entry {
	struct sight sight;
	utc_time quiet_since; /* nothing has changed since */
	int64_t looked_ms; /* first look at which it was as now; -1: none yet */
	bool seen; /* by the scan that runs */
	bool renamed_in; /* the kernel said so: whole */
	bool left; /* left alone until it changes; that was logged */
	bool unread; /* could not be read, as it is now; that was logged */
	bool put_back; /* by us: the kernel will say that it was renamed in, which says nothing about who writes to it */
	char name[];
};

bool spool_name_is_temporary(const char *name)
{
	static const char *const begins[] = {".", "~$"};
	static const char *const ends[] = {".tmp", ".part", ".partial", ".crdownload", ".filepart", "~"};
	for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
		if (str_has_prefix(name, begins[i]))
			return true;
	size_t len = strlen(name);
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		size_t end = strlen(ends[i]);
		if (len >= end && strcasecmp(name + len - end, ends[i]) == 0)
			return true;
	}
	return false;
}

void spool_archive_name(struct str *out, utc_time at, const char *name)
{
	int year, month, day, minute = civil_minute_of(at);
	civil_to_ymd(civil_day_of(at), &year, &month, &day);
	str_printf(out, "%04d%02d%02d-%02d%02d%02d_", year, month, day, minute / 60, minute % 60,
		(int)(at % 60));
	/* A name that is cut keeps its ending: staff open the file by it. */
	size_t start = out->len, len = strlen(name), longest = ARCHIVE_NAME_MAX;
	const char *ending = strrchr(name, '.');
	bool cut = len > longest && ending && strlen(ending) <= ENDING_MAX;
	if (cut)
		longest -= strlen(ending);
	for (size_t at_byte = 0; at_byte < len;) {
		uint32_t c;
		size_t bytes = utf8_next(name + at_byte, len - at_byte, &c);
		if (out->len - start + (bytes ? bytes : 1) > longest) {
			if (!cut)
				break;
			at_byte = len - strlen(ending);
			longest = ARCHIVE_NAME_MAX;
			cut = false;
			continue;
		}
		if (bytes == 0 || c < 0x20 || c == '/' || c == '\\' || (c >= 0x7F && c < 0xA0) ||
			c == 0x2028 || c == 0x2029 || (c >= 0x202A && c <= 0x202E) ||
			(c >= 0x2066 && c <= 0x2069) || c == 0x200E || c == 0x200F || c == 0x061C)
			str_addc(out, '_');
		else
			str_add(out, name + at_byte, bytes);
		at_byte += bytes ? bytes : 1;
	}
}

/* ---- opening ---- */

static enum rc open_below(int *fd, const char *directory, const char *name, mode_t mode, struct err *err)
{
	struct str path = STR_INIT;
	path_join(&path, directory, name);
	enum rc rc = file_mkdirs(path.s, mode, err);
	if (!rc) {
		*fd = open(path.s, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (*fd < 0)
			rc = err_set(err, RC_STORE, "%s could not be opened: %s.", path.s, errno_text(errno));
	}
	str_free(&path);
	return rc;
}

static void watch_incoming(struct spool *spool)
{
	struct str path = STR_INIT;
	path_join(&path, spool->directory, "incoming");
	spool->events = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (spool->events < 0 ||
		inotify_add_watch(spool->events, path.s,
			IN_MOVED_TO | IN_CLOSE_WRITE | IN_CREATE | IN_ATTRIB | IN_ONLYDIR) < 0) {
		log_event(LEVEL_FAULT, "spool.no-events", "reason=\"%s\" instead=rescan", errno_text(errno));
		if (spool->events >= 0)
			(void)close(spool->events);
		spool->events = -1;
	}
	str_free(&path);
}

enum rc spool_open(struct spool *spool, const char *directory, bool simulating, struct err *err)
{
	*spool = (struct spool){.directory = xstrdup(directory),
		.incoming = -1,
		.work = -1,
		.removing = -1,
		.events = -1,
		.simulating = simulating};
	enum rc rc = open_below(&spool->incoming, directory, "incoming", 0770, err);
	rc = rc ? rc : open_below(&spool->work, directory, "work", 0700, err);
	rc = rc ? rc : open_below(&spool->removing, directory, "work/removing", 0700, err);
	rc = rc ? rc : file_sync_system(directory, err); /* as in role_prepare(): it may lie elsewhere */
	if (!rc && !simulating)
		watch_incoming(spool);
	return rc;
}

static int by_name(const void *a, const void *b)
{
	const struct spool_entry *one = a, *two = b;
	return strcmp(one->name, two->name);
}

static void entry_forget(struct spool *spool, struct spool_entry *entry)
{
	(void)tdelete(entry, &spool->by_name, by_name);
	free(entry);
}

void spool_close(struct spool *spool)
{
	for (size_t i = 0; i < spool->entry_count; i++)
		entry_forget(spool, spool->entry[i]);
	free(spool->entry);
	free(spool->ready);
	int fd[] = {spool->incoming, spool->work, spool->removing, spool->events};
	for (size_t i = 0; i < sizeof fd / sizeof *fd; i++)
		if (fd[i] >= 0)
			(void)close(fd[i]);
	free(spool->directory);
	*spool = (struct spool){.incoming = -1, .work = -1, .removing = -1, .events = -1};
}

/* ---- what is known ---- */

/* A balanced tree: whoever drops the files chooses their names, and could make a table by a hash as slow as a list. */
static struct spool_entry *entry_get(struct spool *spool, const char *name)
{
	size_t len = strlen(name);
	struct spool_entry *entry = xcalloc(1, sizeof *entry + len + 1);
	entry->looked_ms = -1;
	memcpy(entry->name, name, len + 1);
	struct spool_entry *const *found = tsearch(entry, &spool->by_name, by_name);
	if (!found)
		die("out of memory");
	if (*found != entry) {
		free(entry);
		return *found;
	}
	if (spool->entry_count == spool->entry_size) {
		spool->entry_size = spool->entry_size ? spool->entry_size * 2 : 64;
		spool->entry = xrealloc(spool->entry, spool->entry_size * sizeof(struct spool_entry *));
	}
	return spool->entry[spool->entry_count++] = entry;
}

/* Whatever lay there under that name before is gone. */
static void entry_renamed_in(struct spool_entry *entry)
{
	if (entry->put_back) {
		entry->put_back = false;
		return;
	}
	entry->renamed_in = true;
	entry->looked_ms = -1;
}

bool spool_events(struct spool *spool)
{
	_Alignas(struct inotify_event) char buffer[16384];
	bool happened = false;
	for (;;) {
		ssize_t n = spool->events < 0 ? 0 : read(spool->events, buffer, sizeof buffer);
		if (n <= 0)
			return happened;
		happened = true;
		for (char *at = buffer; at < buffer + n;) {
			const struct inotify_event *event = (const struct inotify_event *)(const void *)at;
			at += sizeof *event + event->len;
			if (event->mask & IN_Q_OVERFLOW)
				log_event(LEVEL_NOTICE, "spool.overflow", "instead=rescan");
			else if (event->len && event->mask & IN_MOVED_TO && !(event->mask & IN_ISDIR) &&
				 !spool_name_is_temporary(event->name))
				entry_renamed_in(entry_get(spool, event->name));
		}
	}
}

/* ---- scanning ---- */

static int64_t nanoseconds(const struct timespec *at)
{
	return (int64_t)at->tv_sec * 1000000000 + at->tv_nsec;
}

static struct sight sight_of(const struct stat *st)
{
	return (struct sight){
		st->st_dev, st->st_ino, st->st_size, nanoseconds(&st->st_mtim), nanoseconds(&st->st_ctim)};
}

static bool same_file(const struct sight *a, const struct sight *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size && a->mtime_ns == b->mtime_ns;
}

static const char *kind_of(const struct stat *st)
{
	if (S_ISLNK(st->st_mode))
		return "link";
	if (S_ISDIR(st->st_mode))
		return "directory";
	if (S_ISFIFO(st->st_mode))
		return "fifo";
	if (S_ISSOCK(st->st_mode))
		return "socket";
	if (S_ISREG(st->st_mode))
		return "second-name";
	return "device";
}

/* The later of the two: writing changes both, but a copy may set the modification time back. */
static utc_time last_change(const struct stat *st, utc_time now)
{
	utc_time at = st->st_mtim.tv_sec > st->st_ctim.tv_sec ? st->st_mtim.tv_sec : st->st_ctim.tv_sec;
	return at < now ? at : now; /* a share's clock may be ahead */
}

/* When the file is whole: a moment at or before now means it is. */
static utc_time whole_at(const struct spool *spool, struct spool_entry *entry, const struct stat *st,
	utc_time now, int64_t mono_ms)
{
	const struct sight sight = sight_of(st);
	bool changed = entry->looked_ms < 0 || !same_file(&entry->sight, &sight) ||
		       entry->sight.ctime_ns != sight.ctime_ns;
	if (changed) {
		bool first = entry->looked_ms < 0;
		entry->quiet_since = first ? last_change(st, now) : now;
		entry->looked_ms = mono_ms;
		entry->sight = sight;
		if (!first)
			entry->renamed_in = false; /* somebody writes to it after all */
		entry->left = entry->unread = false;
	}
	if (spool->simulating)
		return st->st_mtim.tv_sec;
	if (entry->quiet_since > now) /* the clock was put back */
		entry->quiet_since = now;
	if (entry->renamed_in && st->st_size > 0)
		return now;
	utc_time quiet = entry->quiet_since + spool->settle_seconds;
	if (spool->settle_seconds > 0 && mono_ms - entry->looked_ms < SECOND_LOOK_MS && quiet <= now)
		return now + 1;
	return quiet;
}

/* A plain file. One of the daemon's own that has another name elsewhere was not dropped: somebody linked it here to have it read out to him. */
static bool is_dropped_file(const struct stat *st)
{
	return S_ISREG(st->st_mode) && !(st->st_nlink > 1 && st->st_uid == geteuid());
}

static void scan_name(
	struct spool *spool, const char *name, utc_time now, int64_t mono_ms, utc_time *look_again)
{
	struct stat st;
	if (spool_name_is_temporary(name) || fstatat(spool->incoming, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return;
	struct spool_entry *entry = entry_get(spool, name);
	entry->seen = true;
	if (!is_dropped_file(&st)) {
		if (!entry->left)
			log_event(LEVEL_NOTICE, "spool.left-alone", "kind=%s inode=%llu", kind_of(&st),
				(unsigned long long)st.st_ino);
		entry->left = true;
		return;
	}
	utc_time at = whole_at(spool, entry, &st, now, mono_ms);
	if (entry->left)
		return;
	if (at <= now)
		spool->ready[spool->ready_count++] = entry;
	else if (at < *look_again)
		*look_again = at;
}

/* Names that are gone are forgotten. */
static void forget_unseen(struct spool *spool)
{
	size_t kept = 0;
	for (size_t i = 0; i < spool->entry_count; i++) {
		if (spool->entry[i]->seen)
			spool->entry[kept++] = spool->entry[i];
		else
			entry_forget(spool, spool->entry[i]);
	}
	spool->entry_count = kept;
}

static int by_age(const void *a, const void *b)
{
	const struct spool_entry *one = *(struct spool_entry *const *)a;
	const struct spool_entry *two = *(struct spool_entry *const *)b;
	int64_t first = one->sight.mtime_ns, second = two->sight.mtime_ns;
	if (first != second)
		return first < second ? -1 : 1;
	return strcmp(one->name, two->name);
}

/* A share that was mounted again, or a folder that was made anew, is another directory under the old name. */
static enum rc follow_incoming(struct spool *spool, const char *path, struct err *err)
{
	struct stat held, there;
	if (fstat(spool->incoming, &held) == 0 && stat(path, &there) == 0 && held.st_dev == there.st_dev &&
		held.st_ino == there.st_ino)
		return RC_OK;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, RC_STORE, "%s could not be opened: %s.", path, errno_text(errno));
	log_event(LEVEL_NOTICE, "spool.reopened", "reason=\"incoming/ is another directory now\"");
	(void)close(spool->incoming);
	spool->incoming = fd;
	if (spool->events >= 0)
		(void)close(spool->events);
	spool->events = -1;
	if (!spool->simulating)
		watch_incoming(spool);
	return RC_OK;
}

enum rc spool_scan(struct spool *spool, utc_time now, int64_t mono_ms, utc_time *look_again, struct err *err)
{
	struct strlist names = {0};
	struct str path = STR_INIT;
	*look_again = UTC_NEVER;
	spool->ready_count = spool->ready_next = 0;
	path_join(&path, spool->directory, "incoming");
	enum rc rc = follow_incoming(spool, path.s, err);
	rc = rc ? rc : file_list_dir(&names, path.s, err);
	str_free(&path);
	if (rc)
		return rc;
	for (size_t i = 0; i < spool->entry_count; i++)
		spool->entry[i]->seen = false;
	spool->ready = xrealloc(spool->ready, (names.count + 1) * sizeof(struct spool_entry *));
	for (size_t i = 0; i < names.count; i++)
		scan_name(spool, names.item[i], now, mono_ms, look_again);
	strlist_free(&names);
	forget_unseen(spool);
	if (spool->ready_count > 1)
		qsort(spool->ready, spool->ready_count, sizeof(struct spool_entry *), by_age);
	return RC_OK;
}

const char *spool_next(struct spool *spool)
{
	return spool->ready_next < spool->ready_count ? spool->ready[spool->ready_next++]->name : NULL;
}

bool spool_next_is_small(const struct spool *spool, int64_t bytes)
{
	return spool->ready_next < spool->ready_count && spool->ready[spool->ready_next]->sight.size <= bytes;
}

size_t spool_waiting(const struct spool *spool)
{
	return spool->ready_count - spool->ready_next;
}

bool spool_oldest(const char *directory, utc_time *at)
{
	struct strlist names = {0};
	struct str path = STR_INIT;
	struct err ignored = {0};
	bool found = false;
	path_join(&path, directory, "incoming");
	if (!file_list_dir(&names, path.s, &ignored)) {
		for (size_t i = 0; i < names.count; i++) {
			struct stat st;
			struct str name = STR_INIT;
			path_join(&name, path.s, names.item[i]);
			if (!spool_name_is_temporary(names.item[i]) && lstat(name.s, &st) == 0 &&
				S_ISREG(st.st_mode) && (!found || st.st_mtim.tv_sec < *at)) {
				*at = st.st_mtim.tv_sec;
				found = true;
			}
			str_free(&name);
		}
	}
	strlist_free(&names);
	str_free(&path);
	return found;
}

void spool_leave(struct spool *spool, const char *name, const char *reason)
{
	struct spool_entry *entry = entry_get(spool, name);
	if (!entry->left)
		log_event(LEVEL_FAULT, "spool.left-alone", "kind=file inode=%llu reason=\"%s\"",
			(unsigned long long)entry->sight.ino, reason);
	entry->left = true;
}

/* ---- taking ---- */

static void taken_from(struct spool_taken *taken, int fd, const struct stat *st)
{
	taken->bytes = STR_INIT;
	taken->size = st->st_size;
	taken->dev = (int64_t)st->st_dev;
	taken->ino = (int64_t)st->st_ino;
	taken->mtime_ns = nanoseconds(&st->st_mtim);
	taken->owner = st->st_uid;
	taken->group = st->st_gid;
	taken->mode = st->st_mode;
	taken->listed = fgetxattr(fd, "system.posix_acl_access", NULL, 0) > 0;
}

/* The name may have become something else since the scan: what was opened is what counts. */
static int open_original(struct spool *spool, const char *name, struct stat *st, enum spool_answer *answer)
{
	*answer = SPOOL_LATER;
	int fd = openat(spool->incoming, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0) {
		if (errno == EACCES || errno == EPERM) {
			*answer = SPOOL_UNREADABLE;
			spool_leave(spool, name, errno_text(errno));
		}
		return -1;
	}
	if (fstat(fd, st) == 0 && is_dropped_file(st))
		return fd;
	(void)close(fd);
	return -1;
}

/* Opened, and can't be read: locked from another machine, or a bad sector. That is told once, and tried again. */
static void note_unread(struct spool *spool, const char *name, const struct spool_taken *taken, int why)
{
	struct spool_entry *entry = entry_get(spool, name);
	if (!entry->unread)
		log_event(LEVEL_FAULT, "spool.unread", "inode=%llu reason=\"%s\"",
			(unsigned long long)taken->ino, errno_text(why));
	entry->unread = true;
}

/* taken->size bytes; whether the file has grown meanwhile is seen by its state afterwards. *unread: errno, where it can't be read; 0: it can. */
static enum rc copy_bytes(
	struct spool *spool, int from, int to, struct spool_taken *taken, int *unread, struct err *err)
{
	static char buffer[128 * 1024];
	struct sha256_stream *digest = sha256_begin();
	size_t size = (size_t)taken->size, copied = 0;
	enum rc rc = RC_OK;
	while (!rc && copied < size) {
		size_t want = size - copied < sizeof buffer ? size - copied : sizeof buffer;
		ssize_t n = read(from, buffer, want);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			*unread = errno;
		if (n <= 0)
			break;
		copied += (size_t)n;
		if (size <= spool->keep_bytes)
			str_add(&taken->bytes, buffer, (size_t)n);
		sha256_add(digest, buffer, (size_t)n);
		rc = file_write_all(to, buffer, (size_t)n, err);
	}
	sha256_end(&digest, taken->digest);
	if (!rc && !*unread && !spool->sync_later && fsync(to) != 0)
		rc = err_set(err, RC_STORE, "The copy of a dropped file could not be written: %s.",
			errno_text(errno));
	return rc;
}

enum rc spool_take(struct spool *spool, const char *name, const char *copy, enum spool_answer *answer,
	struct spool_taken *taken, struct err *err)
{
	struct stat before, after = {0};
	int from = open_original(spool, name, &before, answer);
	if (from < 0)
		return RC_OK;
	taken_from(taken, from, &before);
	if ((uint64_t)before.st_size > spool->file_limit) {
		*answer = SPOOL_TOO_LARGE;
		(void)close(from);
		return RC_OK;
	}
	int to = openat(spool->work, copy, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (to < 0) {
		(void)close(from);
		return err_set(
			err, RC_STORE, "No copy could be made in work/ of the spool: %s.", errno_text(errno));
	}
	int unread = 0;
	enum rc rc = copy_bytes(spool, from, to, taken, &unread, err);
	if (unread) { /* SPOOL_LATER, as open_original() has said */
		note_unread(spool, name, taken, unread);
	} else if (!rc) {
		/* Unchanged from the first byte to the last, or it was no whole file. */
		bool looked = fstat(from, &after) == 0;
		const struct sight first = sight_of(&before), last = sight_of(&after);
		*answer = looked && same_file(&first, &last) ? SPOOL_TAKEN : SPOOL_LATER;
	}
	(void)close(from);
	(void)close(to);
	if (rc || *answer != SPOOL_TAKEN) {
		(void)unlinkat(spool->work, copy, 0);
		str_free(&taken->bytes);
	}
	return rc;
}

static bool is_taken(const struct stat *st, const struct spool_taken *taken)
{
	return (int64_t)st->st_dev == taken->dev && (int64_t)st->st_ino == taken->ino &&
	       st->st_size == taken->size && nanoseconds(&st->st_mtim) == taken->mtime_ns;
}

/* Not every file system of a share knows RENAME_NOREPLACE; a link does not replace anything either. */
static bool move_back(struct spool *spool, int from, const char *name, const char *to)
{
	if (renameat2(from, name, spool->incoming, to, RENAME_NOREPLACE) == 0) {
		if (spool->events >= 0)
			entry_get(spool, to)->put_back = true;
		return true;
	}
	if (errno != EINVAL && errno != ENOSYS)
		return false;
	return linkat(from, name, spool->incoming, to, 0) == 0 && unlinkat(from, name, 0) == 0;
}

/* Back under its name, or where a third file has that already, under one beside it. */
static enum rc put_back(struct spool *spool, int from, const char *name, struct err *err)
{
	if (move_back(spool, from, name, name))
		return RC_OK;
	struct stat st = {0};
	(void)fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW);
	struct str other = STR_INIT;
	str_printf(&other, "%llu-%.200s", (unsigned long long)st.st_ino, name);
	bool moved = move_back(spool, from, name, other.s);
	str_free(&other);
	if (!moved)
		return err_set(
			err, RC_STORE, "A file could not be put back into incoming/: %s.", errno_text(errno));
	return RC_OK;
}

enum rc spool_remove(struct spool *spool, const char *name, const struct spool_taken *taken, struct err *err)
{
	struct stat st;
	int from = spool->removing;
	/* Moved out of reach first, looked at then: a new file can take the name at any moment. */
	if (renameat(spool->incoming, name, spool->removing, name) != 0) {
		if (errno == ENOENT)
			return RC_OK;
		if (errno == EXDEV)
			from = spool->incoming; /* another file system: looking and removing is the best there is */
		else
			return err_set(
				err, RC_REFUSED, "it was taken but can't be removed: %s", errno_text(errno));
	}
	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !is_taken(&st, taken))
		return from == spool->removing ? put_back(spool, from, name, err) : RC_OK;
	if (unlinkat(from, name, 0) != 0)
		return err_set(err, RC_REFUSED, "it was taken but can't be removed: %s", errno_text(errno));
	return spool->sync_later ? RC_OK : spool_sync_removals(spool, err);
}

enum rc spool_sync_copies(struct spool *spool, struct err *err)
{
	return file_sync_system(spool->directory, err);
}

/* Before the register forgets where a file came from: a power cut would bring it back, and it would be taken once more. */
enum rc spool_sync_removals(struct spool *spool, struct err *err)
{
	if ((fsync(spool->removing) != 0 || fsync(spool->incoming) != 0) && errno != EINVAL)
		return err_set(err, RC_REFUSED, "it was removed, but that is not on the disk: %s",
			errno_text(errno));
	return RC_OK;
}

static bool is_kept(const struct strlist *keep, const char *name)
{
	for (size_t i = 0; i < keep->count; i++)
		if (strcmp(keep->item[i], name) == 0)
			return true;
	return strcmp(name, "removing") == 0;
}

enum rc spool_clean(struct spool *spool, const struct strlist *keep, struct err *err)
{
	struct strlist names = {0};
	struct str path = STR_INIT;
	path_join(&path, spool->directory, "work/removing");
	enum rc rc = file_list_dir(&names, path.s, err);
	for (size_t i = 0; i < names.count && !rc; i++)
		rc = put_back(spool, spool->removing, names.item[i], err);
	strlist_free(&names);
	str_clear(&path);
	path_join(&path, spool->directory, "work");
	rc = rc ? rc : file_list_dir(&names, path.s, err);
	for (size_t i = 0; i < names.count && !rc; i++)
		if (!is_kept(keep, names.item[i]))
			(void)unlinkat(spool->work, names.item[i], 0);
	strlist_free(&names);
	str_free(&path);
	return rc;
}
