/*
 * disk - a disk that loses power and breaks, as a file system of its own (FUSE), in memory
 *
 * usage: disk MOUNTPOINT. It reads commands from standard input, one a line, and answers each with one line:
 *   mode MODE            strict or journal (below); before anything is written
 *   cut SEED             power is lost: what is there afterwards is what was synced and a random part of what was not. Nothing may have files open.
 *   fail KIND PERCENT    from now on so many of a kind of calls fail: none, enospc (write, create, mkdir, link), eio-write, eio-read, eio-sync, readonly (100: EROFS)
 *   quit
 *
 * What it guarantees after a cut, in both modes: a file has the bytes of its last fsync; each 512-byte sector written since then has, independently of all others, the
 * bytes of any one write since the fsync, or the old ones. An fsync that failed has made nothing durable, and never will: what was written before it is lost at the next
 * cut unless it is written again (what Linux does).
 *   strict    (POSIX, no more) names are on the disk after an fsync of their directory; of the changes since then any subset, a rename as one.
 *   journal   (ext4, xfs, btrfs) changes of names reach the disk in their order, and any fsync takes all before it along; since then any number of the first ones.
 * Mode, owner and times count as written at once: nothing here depends on them.
 */
#define FUSE_USE_VERSION 35
#include <errno.h>
#include <fuse_lowlevel.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define SECTOR 512
#define NAME_BYTES 256

struct bytes {
	char *at;
	size_t len, room;
};

struct change { /* of a file's content */
	size_t at, len; /* at SIZE_MAX: it was cut or made longer to len */
	char *bytes;
};

struct entry {
	char name[NAME_BYTES];
	struct inode *inode;
};

struct entries {
	struct entry *at;
	size_t count, room;
};

struct inode {
	fuse_ino_t number;
	struct stat st;
	unsigned names;
	struct inode *parent; /* of a directory */
	struct bytes live, synced;
	struct change *change; /* since the last fsync */
	size_t changes, changes_room;
	struct entries now, durable; /* of a directory */
};

/* A change of names: one entry set or taken away; of a rename two. */
struct move {
	struct {
		struct inode *directory;
		char name[NAME_BYTES];
		struct inode *inode; /* NULL: taken away */
	} part[2];
	int parts;
};

static struct inode **inodes;
static size_t inode_count;
static struct move *moves; /* that are on the disk of no mode's guarantee yet */
static size_t move_count, move_room;
static bool journal = true; /* the mode */
static struct {
	enum { FAIL_NONE, FAIL_ENOSPC, FAIL_EIO_WRITE, FAIL_EIO_READ, FAIL_EIO_SYNC, FAIL_READONLY } kind;
	int percent;
	long count;
} fail;

static const char *const fail_names[] = {"none", "enospc", "eio-write", "eio-read", "eio-sync", "readonly"};

static void *grown(void *at, size_t size)
{
	void *more = realloc(at, size ? size : 1);
	if (!more)
		abort();
	return more;
}

static uint64_t random_state = 88172645463325252u;

static uint64_t draw(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static bool chance(int percent)
{
	return (int)(draw() >> 33) % 100 < percent;
}

static bool fails(int kind)
{
	if ((int)fail.kind != kind || !chance(fail.percent))
		return false;
	fail.count++;
	return true;
}

/* The errno a change of names or content meets first; 0: none. */
static int refusal(void)
{
	return fails(FAIL_READONLY) ? EROFS : fails(FAIL_ENOSPC) ? ENOSPC : 0;
}

/* ---- bytes, names ---- */

static void bytes_resize(struct bytes *bytes, size_t len)
{
	if (len > bytes->room) {
		bytes->room = len * 2;
		bytes->at = grown(bytes->at, bytes->room);
	}
	if (len > bytes->len)
		memset(bytes->at + bytes->len, 0, len - bytes->len);
	bytes->len = len;
}

static void bytes_put(struct bytes *bytes, size_t at, const char *from, size_t len)
{
	if (at + len > bytes->len)
		bytes_resize(bytes, at + len);
	if (len)
		memcpy(bytes->at + at, from, len);
}

static struct entry *entries_find(const struct entries *entries, const char *name)
{
	for (size_t i = 0; i < entries->count; i++)
		if (strcmp(entries->at[i].name, name) == 0)
			return &entries->at[i];
	return NULL;
}

static void entries_set(struct entries *entries, const char *name, struct inode *inode)
{
	struct entry *entry = entries_find(entries, name);
	if (!inode) {
		if (entry)
			*entry = entries->at[--entries->count];
		return;
	}
	if (!entry) {
		if (entries->count == entries->room) {
			entries->room = entries->room * 2 + 8;
			entries->at = grown(entries->at, entries->room * sizeof *entries->at);
		}
		entry = &entries->at[entries->count++];
		(void)snprintf(entry->name, sizeof entry->name, "%s", name);
	}
	entry->inode = inode;
}

static struct inode *inode_of(fuse_ino_t number)
{
	return inodes[number - 1];
}

static struct inode *inode_new(mode_t mode, uid_t uid, gid_t gid)
{
	struct inode *inode = calloc(1, sizeof *inode);
	if (!inode)
		abort();
	inodes = grown(inodes, (inode_count + 1) * sizeof *inodes);
	inodes[inode_count++] = inode;
	inode->number = inode_count;
	inode->st = (struct stat){
		.st_ino = inode->number, .st_mode = mode, .st_uid = uid, .st_gid = gid, .st_blksize = 4096};
	(void)clock_gettime(CLOCK_REALTIME, &inode->st.st_mtim);
	inode->st.st_atim = inode->st.st_ctim = inode->st.st_mtim;
	return inode;
}

static struct stat *inode_stat(struct inode *inode)
{
	inode->st.st_size = (off_t)inode->live.len;
	inode->st.st_blocks = (blkcnt_t)((inode->live.len + 511) / 512);
	inode->st.st_nlink = S_ISDIR(inode->st.st_mode) ? 2 : inode->names;
	return &inode->st;
}

static void touch(struct inode *inode)
{
	(void)clock_gettime(CLOCK_REALTIME, &inode->st.st_mtim);
	inode->st.st_ctim = inode->st.st_mtim;
}

/* ---- what is pending ---- */

static void content_changed(struct inode *inode, size_t at, const char *bytes, size_t len)
{
	if (inode->changes == inode->changes_room) {
		inode->changes_room = inode->changes_room * 2 + 16;
		inode->change = grown(inode->change, inode->changes_room * sizeof *inode->change);
	}
	struct change *change = &inode->change[inode->changes++];
	*change = (struct change){.at = at, .len = len};
	if (at == SIZE_MAX) {
		bytes_resize(&inode->live, len);
	} else {
		change->bytes = grown(NULL, len);
		memcpy(change->bytes, bytes, len);
		bytes_put(&inode->live, at, bytes, len);
	}
	touch(inode);
}

static void changes_forget(struct inode *inode)
{
	for (size_t i = 0; i < inode->changes; i++)
		free(inode->change[i].bytes);
	inode->changes = 0;
}

static void content_sync(struct inode *inode)
{
	for (size_t i = 0; i < inode->changes; i++) {
		const struct change *change = &inode->change[i];
		if (change->at == SIZE_MAX)
			bytes_resize(&inode->synced, change->len);
		else
			bytes_put(&inode->synced, change->at, change->bytes, change->len);
	}
	changes_forget(inode);
}

/* The live names follow at once. */
static void name_set(struct move *move, struct inode *directory, const char *name, struct inode *inode)
{
	struct entry *old = entries_find(&directory->now, name);
	if (old)
		old->inode->names--;
	if (inode)
		inode->names++;
	entries_set(&directory->now, name, inode);
	move->part[move->parts].directory = directory;
	(void)snprintf(move->part[move->parts].name, NAME_BYTES, "%s", name);
	move->part[move->parts++].inode = inode;
	touch(directory);
}

static struct move *move_new(void)
{
	if (move_count == move_room) {
		move_room = move_room * 2 + 64;
		moves = grown(moves, move_room * sizeof *moves);
	}
	moves[move_count].parts = 0;
	return &moves[move_count++];
}

static void move_make_durable(const struct move *move)
{
	for (int i = 0; i < move->parts; i++)
		entries_set(&move->part[i].directory->durable, move->part[i].name, move->part[i].inode);
}

/* directory NULL: all of them. */
static void names_sync(const struct inode *directory)
{
	size_t kept = 0;
	for (size_t i = 0; i < move_count; i++) {
		bool its = !directory;
		for (int part = 0; part < moves[i].parts; part++)
			its = its || moves[i].part[part].directory == directory;
		if (its)
			move_make_durable(&moves[i]);
		else
			moves[kept++] = moves[i];
	}
	move_count = kept;
}

/* ---- the cut ---- */

static void content_cut(struct inode *inode)
{
	static const int usual[] = {0, 50, 100};
	int percent = chance(50) ? usual[draw() % 3] : (int)(draw() % 101);
	for (size_t i = 0; i < inode->changes; i++) {
		const struct change *change = &inode->change[i];
		if (change->at == SIZE_MAX) {
			if (chance(percent))
				bytes_resize(&inode->synced, change->len);
			continue;
		}
		for (size_t at = 0; at < change->len;) {
			size_t len = SECTOR - (change->at + at) % SECTOR;
			if (len > change->len - at)
				len = change->len - at;
			if (chance(percent))
				bytes_put(&inode->synced, change->at + at, change->bytes + at, len);
			at += len;
		}
	}
	changes_forget(inode);
	inode->live.len = 0;
	bytes_put(&inode->live, 0, inode->synced.at, inode->synced.len);
}

static void names_cut(void)
{
	size_t first = move_count ? draw() % (move_count + 1) : 0;
	int percent = (int)(draw() % 101);
	for (size_t i = 0; i < move_count; i++)
		if (journal ? i < first : chance(percent))
			move_make_durable(&moves[i]);
	move_count = 0;
	for (size_t i = 0; i < inode_count; i++)
		inodes[i]->names = 0;
	for (size_t i = 0; i < inode_count; i++) {
		struct inode *inode = inodes[i];
		inode->now.count = 0;
		for (size_t at = 0; at < inode->durable.count; at++) {
			entries_set(&inode->now, inode->durable.at[at].name, inode->durable.at[at].inode);
			inode->durable.at[at].inode->names++;
		}
	}
}

static void power_cut(void)
{
	size_t pending = 0, names = move_count;
	for (size_t i = 0; i < inode_count; i++) {
		pending += inodes[i]->changes;
		content_cut(inodes[i]);
	}
	names_cut();
	printf("cut: %zu writes and %zu changes of names were not synced\n", pending, names);
}

/* ---- what the kernel asks ---- */

static void reply_entry(fuse_req_t request, struct inode *inode)
{
	struct fuse_entry_param entry = {.ino = inode->number, .attr = *inode_stat(inode)};
	(void)fuse_reply_entry(request, &entry);
}

static void do_lookup(fuse_req_t request, fuse_ino_t parent, const char *name)
{
	struct entry *entry = entries_find(&inode_of(parent)->now, name);
	if (entry)
		reply_entry(request, entry->inode);
	else
		(void)fuse_reply_err(request, ENOENT);
}

static void do_getattr(fuse_req_t request, fuse_ino_t number, struct fuse_file_info *info)
{
	(void)info;
	(void)fuse_reply_attr(request, inode_stat(inode_of(number)), 0);
}

static void do_setattr(
	fuse_req_t request, fuse_ino_t number, struct stat *st, int what, struct fuse_file_info *info)
{
	(void)info;
	struct inode *inode = inode_of(number);
	int fault = fails(FAIL_READONLY) ? EROFS : 0;
	if (!fault && (what & FUSE_SET_ATTR_SIZE) && fails(FAIL_EIO_WRITE))
		fault = EIO;
	if (fault) {
		(void)fuse_reply_err(request, fault);
		return;
	}
	if (what & FUSE_SET_ATTR_MODE)
		inode->st.st_mode = (inode->st.st_mode & S_IFMT) | (st->st_mode & 07777);
	if (what & FUSE_SET_ATTR_UID)
		inode->st.st_uid = st->st_uid;
	if (what & FUSE_SET_ATTR_GID)
		inode->st.st_gid = st->st_gid;
	if (what & FUSE_SET_ATTR_SIZE)
		content_changed(inode, SIZE_MAX, NULL, (size_t)st->st_size);
	struct timespec now;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (what & FUSE_SET_ATTR_ATIME)
		inode->st.st_atim = what & FUSE_SET_ATTR_ATIME_NOW ? now : st->st_atim;
	if (what & FUSE_SET_ATTR_MTIME)
		inode->st.st_mtim = what & FUSE_SET_ATTR_MTIME_NOW ? now : st->st_mtim;
	inode->st.st_ctim = now;
	(void)fuse_reply_attr(request, inode_stat(inode), 0);
}

/* NULL: the request was answered. */
static struct inode *make(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode)
{
	struct inode *directory = inode_of(parent);
	int fault = refusal();
	if (!fault && strlen(name) >= NAME_BYTES)
		fault = ENAMETOOLONG;
	if (!fault && entries_find(&directory->now, name))
		fault = EEXIST;
	if (fault) {
		(void)fuse_reply_err(request, fault);
		return NULL;
	}
	const struct fuse_ctx *caller = fuse_req_ctx(request);
	struct inode *inode = inode_new(mode, caller->uid, caller->gid);
	inode->parent = directory;
	name_set(move_new(), directory, name, inode);
	return inode;
}

static void do_mknod(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode, dev_t device)
{
	(void)device;
	struct inode *inode = make(request, parent, name, mode);
	if (inode)
		reply_entry(request, inode);
}

static void do_mkdir(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode)
{
	do_mknod(request, parent, name, mode | S_IFDIR, 0);
}

static void do_create(
	fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *info)
{
	struct inode *inode = make(request, parent, name, mode);
	if (!inode)
		return;
	struct fuse_entry_param entry = {.ino = inode->number, .attr = *inode_stat(inode)};
	(void)fuse_reply_create(request, &entry, info);
}

static void remove_name(fuse_req_t request, fuse_ino_t parent, const char *name, bool is_directory)
{
	struct inode *directory = inode_of(parent);
	struct entry *entry = entries_find(&directory->now, name);
	int fault = !entry                                    ? ENOENT
		    : fails(FAIL_READONLY)                    ? EROFS
		    : is_directory && entry->inode->now.count ? ENOTEMPTY
							      : 0;
	if (!fault)
		name_set(move_new(), directory, name, NULL);
	(void)fuse_reply_err(request, fault);
}

static void do_unlink(fuse_req_t request, fuse_ino_t parent, const char *name)
{
	remove_name(request, parent, name, false);
}

static void do_rmdir(fuse_req_t request, fuse_ino_t parent, const char *name)
{
	remove_name(request, parent, name, true);
}

static void do_rename(fuse_req_t request, fuse_ino_t parent, const char *name, fuse_ino_t to,
	const char *to_name, unsigned flags)
{
	struct inode *from = inode_of(parent), *into = inode_of(to);
	struct entry *entry = entries_find(&from->now, name), *there = entries_find(&into->now, to_name);
	int fault = !entry ? ENOENT : fails(FAIL_READONLY) ? EROFS : 0;
	if (!fault && (flags & ~1u))
		fault = EINVAL;
	if (!fault && (flags & 1u) && there) /* RENAME_NOREPLACE */
		fault = EEXIST;
	if (!fault && there && there->inode->now.count)
		fault = ENOTEMPTY;
	if (!fault && !(there && there->inode == entry->inode)) {
		struct inode *inode = entry->inode;
		struct move *move = move_new();
		name_set(move, from, name, NULL);
		name_set(move, into, to_name, inode);
		inode->parent = into;
	}
	(void)fuse_reply_err(request, fault);
}

static void do_link(fuse_req_t request, fuse_ino_t number, fuse_ino_t parent, const char *name)
{
	struct inode *directory = inode_of(parent), *inode = inode_of(number);
	int fault = refusal();
	if (!fault && entries_find(&directory->now, name))
		fault = EEXIST;
	if (fault) {
		(void)fuse_reply_err(request, fault);
		return;
	}
	name_set(move_new(), directory, name, inode);
	reply_entry(request, inode);
}

static void do_open(fuse_req_t request, fuse_ino_t number, struct fuse_file_info *info)
{
	(void)number;
	if ((info->flags & O_ACCMODE) != O_RDONLY && fails(FAIL_READONLY))
		(void)fuse_reply_err(request, EROFS);
	else
		(void)fuse_reply_open(request, info);
}

static void do_read(fuse_req_t request, fuse_ino_t number, size_t size, off_t at, struct fuse_file_info *info)
{
	(void)info;
	const struct bytes *live = &inode_of(number)->live;
	if (fails(FAIL_EIO_READ)) {
		(void)fuse_reply_err(request, EIO);
		return;
	}
	size_t from = (size_t)at < live->len ? (size_t)at : live->len;
	(void)fuse_reply_buf(
		request, live->at ? live->at + from : "", size < live->len - from ? size : live->len - from);
}

static void do_write(fuse_req_t request, fuse_ino_t number, const char *bytes, size_t size, off_t at,
	struct fuse_file_info *info)
{
	int fault = refusal();
	if (!fault && fails(FAIL_EIO_WRITE))
		fault = EIO;
	if (fault) {
		/* A full disk often takes the first part. Not of mapped memory, whose writes nobody hears of. */
		size_t part = fault == ENOSPC && !info->writepage ? size / 2 : 0;
		if (part) {
			content_changed(inode_of(number), (size_t)at, bytes, part);
			(void)fuse_reply_write(request, part);
		} else {
			(void)fuse_reply_err(request, fault);
		}
		return;
	}
	content_changed(inode_of(number), (size_t)at, bytes, size);
	(void)fuse_reply_write(request, size);
}

static void do_fsync(fuse_req_t request, fuse_ino_t number, int data_only, struct fuse_file_info *info)
{
	(void)data_only;
	(void)info;
	struct inode *inode = inode_of(number);
	if (fails(FAIL_EIO_SYNC)) {
		changes_forget(inode);
		(void)fuse_reply_err(request, EIO);
		return;
	}
	content_sync(inode);
	if (journal)
		names_sync(NULL);
	(void)fuse_reply_err(request, 0);
}

static void do_fsyncdir(fuse_req_t request, fuse_ino_t number, int data_only, struct fuse_file_info *info)
{
	(void)data_only;
	(void)info;
	if (fails(FAIL_EIO_SYNC)) {
		(void)fuse_reply_err(request, EIO);
		return;
	}
	names_sync(journal ? NULL : inode_of(number));
	(void)fuse_reply_err(request, 0);
}

static void do_readdir(
	fuse_req_t request, fuse_ino_t number, size_t size, off_t at, struct fuse_file_info *info)
{
	(void)info;
	struct inode *directory = inode_of(number);
	char *buffer = grown(NULL, size);
	size_t used = 0;
	for (size_t i = (size_t)at; i < directory->now.count + 2; i++) {
		struct inode *inode = i == 0   ? directory
				      : i == 1 ? (directory->parent ? directory->parent : directory)
					       : directory->now.at[i - 2].inode;
		const char *name = i == 0 ? "." : i == 1 ? ".." : directory->now.at[i - 2].name;
		size_t took = fuse_add_direntry(
			request, buffer + used, size - used, name, &inode->st, (off_t)i + 1);
		if (took > size - used)
			break;
		used += took;
	}
	(void)fuse_reply_buf(request, buffer, used);
	free(buffer);
}

static void do_statfs(fuse_req_t request, fuse_ino_t number)
{
	(void)number;
	const struct statvfs fs = {.f_bsize = 4096,
		.f_frsize = 4096,
		.f_blocks = 1 << 20,
		.f_bfree = 1 << 19,
		.f_bavail = 1 << 19,
		.f_files = 1 << 20,
		.f_ffree = 1 << 19,
		.f_namemax = NAME_BYTES - 1};
	(void)fuse_reply_statfs(request, &fs);
}

static const struct fuse_lowlevel_ops operations = {
	.lookup = do_lookup,
	.getattr = do_getattr,
	.setattr = do_setattr,
	.mknod = do_mknod,
	.mkdir = do_mkdir,
	.create = do_create,
	.unlink = do_unlink,
	.rmdir = do_rmdir,
	.rename = do_rename,
	.link = do_link,
	.open = do_open,
	.read = do_read,
	.write = do_write,
	.fsync = do_fsync,
	.fsyncdir = do_fsyncdir,
	.readdir = do_readdir,
	.statfs = do_statfs,
};

/* ---- commands ---- */

/* False: quit. */
static bool obey(const char *line)
{
	char word[32] = "";
	unsigned long long number = 0;
	if (sscanf(line, "mode %31s", word) == 1) {
		journal = strcmp(word, "journal") == 0;
		printf("mode %s\n", journal ? "journal" : "strict");
	} else if (sscanf(line, "cut %llu", &number) == 1) {
		random_state = number * 2654435761u + 88172645463325252u;
		power_cut();
	} else if (sscanf(line, "fail %31s %llu", word, &number) == 2) {
		printf("failed %ld\n", fail.count);
		for (size_t i = 0; i < sizeof fail_names / sizeof *fail_names; i++)
			if (strcmp(word, fail_names[i]) == 0)
				fail.kind = (int)i;
		fail.percent = (int)number;
		fail.count = 0;
	} else {
		return strncmp(line, "quit", 4) != 0;
	}
	return true;
}

int main(int argc, char **argv)
{
	char *const words[] = {argv[0], (char[]){"-oallow_other"}};
	struct fuse_args arguments = FUSE_ARGS_INIT(2, (char **)(uintptr_t)words);
	(void)inode_new(S_IFDIR | 0755, 0, 0);
	struct fuse_session *session =
		argc == 2 ? fuse_session_new(&arguments, &operations, sizeof operations, NULL) : NULL;
	if (!session || fuse_session_mount(session, argv[1]) != 0)
		return 1;
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	puts("mounted");
	struct fuse_buf buffer = {0};
	char line[128];
	bool going = true;
	while (going && !fuse_session_exited(session)) {
		struct pollfd fd[] = {{.fd = fuse_session_fd(session), .events = POLLIN},
			{.fd = STDIN_FILENO, .events = POLLIN}};
		if (poll(fd, 2, -1) < 0 && errno != EINTR)
			break;
		/* What the kernel still has to say comes first. */
		if (fd[0].revents) {
			int got = fuse_session_receive_buf(session, &buffer);
			if (got <= 0 && got != -EINTR && got != -EAGAIN)
				break;
			if (got > 0)
				fuse_session_process_buf(session, &buffer);
		} else if (fd[1].revents) {
			ssize_t got = read(STDIN_FILENO, line, sizeof line - 1);
			line[got > 0 ? got : 0] = '\0';
			going = got > 0 && obey(line);
		}
	}
	fuse_session_unmount(session);
	fuse_session_destroy(session);
	free(buffer.mem);
	return 0;
}
