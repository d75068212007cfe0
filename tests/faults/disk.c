#include "tests/faults/disk_p.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "tests/faults/fault_p.h"
#include "tests/faults/real.h"

#define PAGE 4096
#define FILES_MAX 4096
#define PAGES_MAX 65536
#define OPS_MAX 16384
#define BUCKETS 16384
#define NONE UINT32_MAX
#define READY_PAGES 256 /* saved ones that most lives have at one time */

struct disk_file {
	ino_t inode; /* 0: it is no more */
	bool dirty; /* changed since the last fsync */
	off_t safe_size; /* where dirty: as of the last fsync */
	uint32_t first_page; /* saved ones */
	char path[DISK_PATH];
};

struct page { /* as it is on the disk */
	struct disk_file *file;
	off_t number;
	bool lost; /* its fsync failed: a later one does not bring it there */
	uint32_t next, next_of_file;
	char bytes[PAGE];
};

enum op_kind { OP_CREATE, OP_DIRECTORY, OP_LINK, OP_UNLINK, OP_RENAME };

struct op { /* a change of names that is not safe yet */
	enum op_kind kind;
	bool safe;
	mode_t mode;
	int grave; /* what lay under the name before; -1: nothing */
	char from[DISK_PATH], to[DISK_PATH]; /* from: of a rename only */
};

static struct disk {
	char root[128], graves[128];
	dev_t device;
	int last_grave;
	uint64_t last_name;
	uint32_t file_count, op_count, page_count, free_page;
	int refusals; /* of a full disk, still to come */
	bool outside;
	struct disk_file file[FILES_MAX]; /* in the order they were first changed: draws follow it */
	uint32_t file_index[2 * FILES_MAX]; /* by inode */
	uint32_t bucket[BUCKETS];
	struct op op[OPS_MAX];
	struct page page[PAGES_MAX];
} * disk;

/* ---- what lies there ---- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	return ftw->level == 0 ? 0 : __real_remove(path);
}

static void empty_directory(const char *path)
{
	(void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *disk_new(void)
{
	disk = mmap(NULL, sizeof *disk, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE,
		-1, 0);
	if (disk == MAP_FAILED)
		die("no memory for the disk");
	const char *home = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : getenv("TMPDIR");
	char top[112];
	(void)snprintf(top, sizeof top, "%.80s/sengen-faults.XXXXXX", home ? home : "/tmp");
	if (!mkdtemp(top))
		die("no directory could be made: %s", top);
	(void)snprintf(disk->root, sizeof disk->root, "%s/disk", top);
	(void)snprintf(disk->graves, sizeof disk->graves, "%s/graves", top);
	struct stat st;
	if (__real_mkdir(disk->root, 0755) != 0 || __real_mkdir(disk->graves, 0755) != 0 ||
		stat(disk->root, &st) != 0)
		die("no directory could be made below %s", top);
	disk->device = st.st_dev;
	disk_begin();
	return disk->root;
}

static void forget(void)
{
	memset(disk->bucket, 0xFF, sizeof disk->bucket);
	memset(disk->file_index, 0xFF, sizeof disk->file_index);
	disk->file_count = disk->op_count = disk->page_count = 0;
	disk->free_page = NONE;
}

void disk_begin(void)
{
	empty_directory(disk->root);
	empty_directory(disk->graves);
	forget();
	disk->refusals = disk->last_grave = 0;
	disk->last_name = 0;
	disk->outside = false;
}

void disk_free(void)
{
	char top[128];
	disk_begin();
	(void)__real_remove(disk->root);
	(void)__real_remove(disk->graves);
	(void)snprintf(top, sizeof top, "%s", disk->root);
	*strrchr(top, '/') = '\0';
	(void)__real_remove(top);
	(void)munmap(disk, sizeof *disk);
	disk = NULL;
}

uint64_t disk_next_name(void)
{
	return ++disk->last_name;
}

void disk_ready(void)
{
	char *first = (char *)disk + offsetof(struct disk, page) / PAGE * PAGE;
	(void)madvise(first, READY_PAGES * sizeof *disk->page, MADV_POPULATE_WRITE);
}

void disk_outside(bool outside)
{
	disk->outside = outside;
}

bool disk_is_outside(void)
{
	return disk->outside || fault_is_calm();
}

bool disk_holds_path(const char *path)
{
	size_t len = strlen(disk->root);
	return strncmp(path, disk->root, len) == 0 && path[len] == '/';
}

bool disk_holds(const struct stat *st)
{
	return disk && st->st_dev == disk->device;
}

/* Where it stands in the index, or would have to. */
static uint32_t *file_place(ino_t inode)
{
	for (uint32_t i = 0; i < 2 * FILES_MAX; i++) {
		uint32_t *place = &disk->file_index[(inode + i) % (2 * FILES_MAX)];
		if (*place == NONE || disk->file[*place].inode == inode)
			return place;
	}
	die("more files than FILES_MAX");
}

struct disk_file *disk_file(ino_t inode, const char *path)
{
	uint32_t *place = file_place(inode);
	if (*place != NONE)
		return &disk->file[*place];
	if (disk->file_count == FILES_MAX)
		die("more files than FILES_MAX");
	*place = disk->file_count++;
	struct disk_file *file = &disk->file[*place];
	*file = (struct disk_file){.inode = inode, .first_page = NONE};
	(void)snprintf(file->path, sizeof file->path, "%s", path);
	return file;
}

/* ---- bytes ---- */

static uint32_t *bucket_of(const struct disk_file *file, off_t number)
{
	uint64_t hash = ((uint64_t)(file - disk->file) * 1000003u + (uint64_t)number) * 0x9E3779B97F4A7C15u;
	return &disk->bucket[(hash >> 32) % BUCKETS];
}

static struct page *page_find(const struct disk_file *file, off_t number)
{
	for (uint32_t i = *bucket_of(file, number); i != NONE; i = disk->page[i].next)
		if (disk->page[i].file == file && disk->page[i].number == number)
			return &disk->page[i];
	return NULL;
}

static struct page *page_add(struct disk_file *file, off_t number)
{
	uint32_t i = disk->free_page;
	if (i != NONE)
		disk->free_page = disk->page[i].next;
	else if ((i = disk->page_count++) >= PAGES_MAX)
		die("more pages than PAGES_MAX");
	uint32_t *bucket = bucket_of(file, number);
	struct page *page = &disk->page[i];
	page->file = file;
	page->number = number;
	page->lost = false;
	page->next = *bucket;
	page->next_of_file = file->first_page;
	*bucket = file->first_page = i;
	return page;
}

/* Drops the saved pages, but for those whose fsync failed where asked. */
static void pages_drop(struct disk_file *file, bool lost_too)
{
	uint32_t next, kept = NONE;
	for (uint32_t i = file->first_page; i != NONE; i = next) {
		struct page *page = &disk->page[i];
		next = page->next_of_file;
		if (page->lost && !lost_too) {
			page->next_of_file = kept;
			kept = i;
			continue;
		}
		uint32_t *at = bucket_of(file, page->number);
		while (*at != i)
			at = &disk->page[*at].next;
		*at = page->next;
		page->next = disk->free_page;
		disk->free_page = i;
	}
	file->first_page = kept;
}

static void page_save(struct disk_file *file, const struct disk_bytes *bytes, off_t number)
{
	struct page *page = page_find(file, number);
	if (page) {
		page->lost = false; /* dirty again: the next fsync brings it to the disk */
		return;
	}
	page = page_add(file, number);
	off_t at = number * PAGE;
	size_t want = file->safe_size <= at         ? 0
		      : file->safe_size - at < PAGE ? (size_t)(file->safe_size - at)
						    : PAGE;
	memset(page->bytes, 0, PAGE);
	if (want > 0 && bytes->read(bytes->ctx, page->bytes, want, at) < 0)
		die("a page of %s can't be read", file->path);
}

static void begin_change(struct disk_file *file, const struct disk_bytes *bytes)
{
	if (!file->dirty)
		file->safe_size = bytes->size;
	file->dirty = true;
}

void disk_changes(struct disk_file *file, const struct disk_bytes *bytes, off_t at, size_t len)
{
	if (disk_is_outside())
		return;
	begin_change(file, bytes);
	off_t end = at + (off_t)len < file->safe_size ? at + (off_t)len : file->safe_size;
	for (off_t number = at / PAGE; number * PAGE < end; number++)
		page_save(file, bytes, number);
}

void disk_cuts(struct disk_file *file, const struct disk_bytes *bytes, off_t size)
{
	if (disk_is_outside())
		return;
	begin_change(file, bytes);
	off_t end = bytes->size < file->safe_size ? bytes->size : file->safe_size;
	for (off_t number = size / PAGE; number * PAGE < end; number++)
		page_save(file, bytes, number);
}

void disk_synced(struct disk_file *file)
{
	pages_drop(file, false);
	file->dirty = false;
}

void disk_sync_failed(struct disk_file *file, const struct disk_bytes *bytes)
{
	/* The size is there, what was appended is not. */
	if (file->dirty) {
		off_t was = file->safe_size;
		for (off_t number = was / PAGE; number * PAGE < bytes->size; number++)
			page_save(file, bytes, number);
	}
	for (uint32_t i = file->first_page; i != NONE; i = disk->page[i].next_of_file)
		disk->page[i].lost = true;
	file->dirty = false;
}

/* ---- names ---- */

static bool below(const char *path, const char *directory)
{
	size_t len = strlen(directory);
	return strncmp(path, directory, len) == 0 && path[len] == '/';
}

static bool is_in(const char *path, const char *directory)
{
	return below(path, directory) && !strchr(path + strlen(directory) + 1, '/');
}

static void replace_prefix(char path[DISK_PATH], const char *from, const char *to)
{
	char fresh[DISK_PATH];
	if (strcmp(path, from) != 0 && !below(path, from))
		return;
	int len = snprintf(fresh, sizeof fresh, "%s%s", to, path + strlen(from));
	if (len < 0 || (size_t)len >= sizeof fresh)
		die("a path is longer than DISK_PATH: %s", path);
	memcpy(path, fresh, (size_t)len + 1);
}

/* What lies at `from` lies at `to` now. */
static void files_follow(const char *from, const char *to)
{
	for (uint32_t i = 0; i < disk->file_count; i++)
		if (disk->file[i].inode)
			replace_prefix(disk->file[i].path, from, to);
}

static bool touches(const struct op *op, const char *path)
{
	return strcmp(op->to, path) == 0 || (op->kind == OP_RENAME && strcmp(op->from, path) == 0);
}

/* What came before on the same names is safe with it. */
static void make_safe(uint32_t i)
{
	struct op *op = &disk->op[i];
	op->safe = true;
	for (uint32_t before = i; before-- > 0;) {
		struct op *other = &disk->op[before];
		if (!other->safe &&
			(touches(other, op->to) || (op->kind == OP_RENAME && touches(other, op->from))))
			make_safe(before);
	}
}

/* Its inode may be given to another file. */
static int remove_for_good(const char *path)
{
	struct stat st;
	if (lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1) {
		uint32_t *place = file_place(st.st_ino);
		if (*place != NONE) {
			pages_drop(&disk->file[*place], true);
			disk->file[*place].inode = 0;
		}
	}
	return __real_remove(path);
}

static void grave_path(char out[DISK_PATH], int grave)
{
	(void)snprintf(out, DISK_PATH, "%s/%d", disk->graves, grave);
}

static void drop_safe(void)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < disk->op_count; i++) {
		struct op *op = &disk->op[i];
		if (op->safe && op->grave >= 0) {
			char grave[DISK_PATH];
			grave_path(grave, op->grave);
			(void)remove_for_good(grave);
		}
		if (!op->safe && kept++ != i)
			disk->op[kept - 1] = *op;
	}
	disk->op_count = kept;
}

/* What somebody else put there, or a sync, makes what came before on that name safe. */
static void name_is_safe(const char *path)
{
	for (uint32_t i = disk->op_count; i-- > 0;)
		if (touches(&disk->op[i], path))
			make_safe(i);
	drop_safe();
}

static struct op *op_add(enum op_kind kind, const char *from, const char *to)
{
	if (disk->op_count == OPS_MAX)
		die("more changes of names than OPS_MAX");
	struct op *op = &disk->op[disk->op_count++];
	*op = (struct op){.kind = kind, .grave = -1};
	(void)snprintf(op->from, sizeof op->from, "%s", from);
	(void)snprintf(op->to, sizeof op->to, "%s", to);
	return op;
}

static void name_added(enum op_kind kind, const char *path)
{
	if (disk_is_outside())
		name_is_safe(path);
	else
		(void)op_add(kind, "", path);
}

void disk_created(const char *path)
{
	name_added(OP_CREATE, path);
}

void disk_made_directory(const char *path)
{
	name_added(OP_DIRECTORY, path);
}

void disk_linked(const char *path)
{
	name_added(OP_LINK, path);
}

/* Out of sight, but there to be found again. Returns its number, -1: there is nothing. */
static int bury(const char *path)
{
	char grave[DISK_PATH];
	grave_path(grave, disk->last_grave + 1);
	if (__real_rename(path, grave) != 0)
		return -1;
	files_follow(path, grave);
	return ++disk->last_grave;
}

int disk_unlink(const char *path)
{
	struct stat st;
	if (lstat(path, &st) != 0)
		return -1;
	if (disk_is_outside() || S_ISDIR(st.st_mode)) {
		/* An empty directory that comes back is no loss. */
		name_is_safe(path);
		return remove_for_good(path);
	}
	int grave = bury(path);
	if (grave < 0)
		return -1;
	op_add(OP_UNLINK, "", path)->grave = grave;
	return 0;
}

int disk_rename(const char *from, const char *to)
{
	struct stat st, there;
	if (lstat(from, &st) != 0)
		return -1;
	bool replaces = lstat(to, &there) == 0;
	if (replaces && there.st_ino == st.st_ino)
		return __real_rename(from, to); /* two names of one file: nothing happens */
	int grave = -1;
	if (disk_is_outside()) {
		name_is_safe(from);
		name_is_safe(to);
	} else if (replaces && !S_ISDIR(there.st_mode)) {
		grave = bury(to);
	}
	if (__real_rename(from, to) != 0)
		return -1;
	files_follow(from, to);
	if (S_ISDIR(st.st_mode))
		for (uint32_t i = 0; i < disk->op_count; i++) {
			replace_prefix(disk->op[i].from, from, to);
			replace_prefix(disk->op[i].to, from, to);
		}
	if (!disk_is_outside())
		op_add(OP_RENAME, from, to)->grave = grave;
	return 0;
}

void disk_directory_synced(const char *path)
{
	for (uint32_t i = disk->op_count; i-- > 0;) {
		const struct op *op = &disk->op[i];
		if (!op->safe && (is_in(op->to, path) || (op->kind == OP_RENAME && is_in(op->from, path))))
			make_safe(i);
	}
	drop_safe();
}

void disk_all_synced(void)
{
	for (uint32_t i = 0; i < disk->file_count; i++)
		if (disk->file[i].inode)
			disk_synced(&disk->file[i]);
	for (uint32_t i = 0; i < disk->op_count; i++)
		disk->op[i].safe = true;
	drop_safe();
}

/* ---- the cut ---- */

/* How much of what is not safe is gone: all, none, or each piece by itself. */
enum loss { LOSS_ALL, LOSS_NONE, LOSS_SOME };

static bool is_lost(enum loss loss)
{
	return loss == LOSS_ALL || (loss == LOSS_SOME && fault_draw(2) == 0);
}

static void cut_file(struct disk_file *file, enum loss loss)
{
	struct stat st;
	int fd = __real_open(file->path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return; /* its last name is gone for good */
	if (fstat(fd, &st) != 0 || st.st_ino != file->inode)
		die("%s is another file than the journal says", file->path);
	off_t size = st.st_size;
	bool old_size = file->dirty && is_lost(loss);
	if (old_size && loss == LOSS_SOME && size > file->safe_size && fault_draw(2))
		size = file->safe_size + (off_t)fault_draw((uint64_t)(size - file->safe_size));
	else if (old_size)
		size = file->safe_size;
	static const char zeros[PAGE];
	/* What was appended and has its place in the file, but not its bytes. */
	for (off_t at = file->safe_size; file->dirty && at < size; at = (at / PAGE + 1) * PAGE) {
		off_t end = (at / PAGE + 1) * PAGE < size ? (at / PAGE + 1) * PAGE : size;
		if (is_lost(loss) && __real_pwrite(fd, zeros, (size_t)(end - at), at) < 0)
			die("%s can't be written", file->path);
	}
	for (uint32_t i = file->first_page; i != NONE; i = disk->page[i].next_of_file) {
		const struct page *page = &disk->page[i];
		off_t at = page->number * PAGE;
		off_t safe = file->dirty && file->safe_size - at < PAGE ? file->safe_size - at : PAGE;
		if (at >= size || safe <= 0)
			continue;
		if (at + safe > size)
			safe = size - at;
		bool cut_off = at + safe > st.st_size;
		if ((cut_off || is_lost(loss)) && __real_pwrite(fd, page->bytes, (size_t)safe, at) < 0)
			die("%s can't be written", file->path);
	}
	if (size != st.st_size && __real_ftruncate(fd, size) != 0)
		die("%s can't be cut", file->path);
	if (file->first_page != NONE || file->dirty)
		fault_trace("cut %s: %lld of %lld bytes", file->path + strlen(disk->root), (long long)size,
			(long long)st.st_size);
	(void)close(fd);
}

static void undo(const struct op *op)
{
	char grave[DISK_PATH];
	struct stat st;
	grave_path(grave, op->grave);
	switch (op->kind) {
	case OP_CREATE:
	case OP_LINK:
		(void)__real_remove(op->to);
		break;
	case OP_DIRECTORY:
		empty_directory(op->to);
		(void)__real_remove(op->to);
		break;
	case OP_UNLINK:
		(void)__real_rename(grave, op->to);
		break;
	case OP_RENAME:
		(void)__real_rename(op->to, op->from);
		if (lstat(op->from, &st) == 0 && S_ISDIR(st.st_mode))
			for (uint32_t i = 0; i < disk->op_count; i++) {
				replace_prefix(disk->op[i].from, op->to, op->from);
				replace_prefix(disk->op[i].to, op->to, op->from);
			}
		if (op->grave >= 0)
			(void)__real_rename(grave, op->to);
		break;
	}
	fault_trace("undone: %d %s %s", (int)op->kind, op->from[0] ? op->from + strlen(disk->root) : "",
		op->to + strlen(disk->root));
}

static int drop_shared_memory(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	size_t len = strlen(path);
	if (type == FTW_F && len > 4 && strcmp(path + len - 4, "-shm") == 0)
		(void)__real_remove(path);
	return 0;
}

void disk_cut(void)
{
	enum loss loss = (enum loss)fault_draw(3);
	static const char *const names[] = {"everything", "nothing", "some"};
	fault_trace("power cut: %s is lost of %u changes of names", names[loss], disk->op_count);
	for (uint32_t i = 0; i < disk->file_count; i++)
		if (disk->file[i].inode)
			cut_file(&disk->file[i], loss);
	for (uint32_t i = disk->op_count; i-- > 0;)
		if (!disk->op[i].safe && !is_lost(loss))
			make_safe(i);
	for (uint32_t i = disk->op_count; i-- > 0;)
		if (!disk->op[i].safe)
			undo(&disk->op[i]);
	(void)nftw(disk->root, drop_shared_memory, 16, FTW_PHYS);
	empty_directory(disk->graves);
	forget();
}

void disk_keep(void)
{
	/* A full disk may have been emptied meanwhile. */
	disk->refusals = 0;
}

/* ---- faults ---- */

void disk_where(char out[64], const char *what, const char *path)
{
	size_t len = (size_t)snprintf(out, 64, "%s ", what);
	const char *at = path + (disk_holds_path(path) ? strlen(disk->root) + 1 : 0);
	for (bool digits = false; *at && len < 63; at++) {
		bool digit = *at >= '0' && *at <= '9';
		if (!digit || !digits)
			out[len++] = digit ? 'N' : *at;
		digits = digit;
	}
	out[len] = '\0';
}

static bool is_full(const char *where)
{
	if (fault_is_calm())
		return false;
	if (disk->refusals > 0) {
		disk->refusals--;
		return true;
	}
	if (!fault_strikes(FAULT_NO_SPACE, where))
		return false;
	disk->refusals = (int)fault_draw(fault_draw(2) ? 4 : 60);
	return true;
}

int disk_step(const char *what, const char *path, size_t *len)
{
	char where[64];
	if (disk_is_outside())
		return 0;
	disk_where(where, what, path);
	fault_step(where);
	if (is_full(where))
		return ENOSPC;
	if (fault_strikes(FAULT_IO_ERROR, where))
		return EIO;
	if (len && *len > 1 && fault_strikes(FAULT_SHORT_WRITE, where))
		*len = 1 + fault_draw(*len - 1);
	return 0;
}

int disk_read_step(const char *path)
{
	char where[64];
	if (disk_is_outside())
		return 0;
	disk_where(where, "read", path);
	return fault_strikes(FAULT_IO_ERROR, where) ? EIO : 0;
}

int disk_sync_step(const char *path)
{
	char where[64];
	if (disk_is_outside())
		return 0;
	disk_where(where, "fsync", path);
	fault_step(where);
	return fault_strikes(FAULT_SYNC_ERROR, where) ? EIO : 0;
}
