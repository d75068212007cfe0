#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/store/store_p.h"

/*
 * One line of fixed length, written in place with one call: "sengen-witness 2 SEQ(20 digits) HASH(64) INODE(20) BIRTH(20)\n". Only the first is synced: after a power
 * cut it may be behind the register, which says nothing; it is never ahead, since a commit is on the disk before it moves. Nor does it say anything where the cut came
 * before the first was on the disk, and left a file whose size is known and whose bytes are all zero.
 *
 * The witness lies in the same directory as the register unless the settings say otherwise, and a backup of the whole directory brings both back, in step with each other.
 * So the line says which file it was written into: by its inode and the moment the file system made it. A file that was unpacked or copied back is another one,
 * and counts as damaged, which means restored. What is not found out this way: a disk or machine that was set back as a whole, and a copy written over the old
 * file in place; against these witness_path can name another disk. Version 1, which had neither, is believed until the next commit.
 */
#define HEADER_1 "sengen-witness 1 "
#define HEADER "sengen-witness 2 "
#define LINE_1_LEN (sizeof HEADER - 1 + 20 + 1 + (size_t)2 * SHA256_LEN + 1)
#define LINE_LEN (LINE_1_LEN + 2 * 21)

struct witness {
	int fd;
	char *path;
};

static enum rc fault(const struct witness *witness, const char *what, struct err *err)
{
	return err_set(err, RC_STORE,
		"the witness %s could not be %s: %s; check the directory's owner, mode and free space",
		witness->path, what, errno_text(errno));
}

enum rc witness_open(struct witness **witness, const char *path, struct err *err)
{
	struct witness *opening = xcalloc(1, sizeof *opening);
	opening->path = xstrdup(path);
	opening->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (opening->fd < 0) {
		enum rc rc = fault(opening, "opened", err);
		witness_close(&opening);
		return rc;
	}
	*witness = opening;
	return RC_OK;
}

void witness_close(struct witness **witness)
{
	if (!*witness)
		return;
	if ((*witness)->fd >= 0)
		(void)close((*witness)->fd);
	free((*witness)->path);
	free(*witness);
	*witness = NULL;
}

static enum rc lock(const struct witness *witness, int how, struct err *err)
{
	while (flock(witness->fd, how) != 0)
		if (errno != EINTR)
			return fault(witness, "locked", err);
	return RC_OK;
}

/* Of the file that is open; what a file system can't tell is 0. */
static void identify(const struct witness *witness, uint64_t *inode, uint64_t *birth)
{
	struct statx st;
	*inode = *birth = 0;
	if (statx(witness->fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &st) != 0)
		return;
	*inode = st.stx_ino;
	if (st.stx_mask & STATX_BTIME)
		*birth = (uint64_t)st.stx_btime.tv_sec * 1000000000u + st.stx_btime.tv_nsec;
}

static bool read_digits(const char *digits, uint64_t *value)
{
	*value = 0;
	for (int i = 0; i < 20; i++) {
		if (digits[i] < '0' || digits[i] > '9')
			return false;
		uint64_t digit = (uint64_t)(digits[i] - '0');
		if (*value > (UINT64_MAX - digit) / 10)
			return false;
		*value = *value * 10 + digit;
	}
	return true;
}

static bool parse(const struct witness *witness, const char *line, size_t len, struct witness_head *head)
{
	const char *digits = line + sizeof HEADER - 1, *hash = digits + 21;
	uint64_t seq, inode, birth, own_inode, own_birth;
	bool first = len == LINE_1_LEN && memcmp(line, HEADER_1, sizeof HEADER_1 - 1) == 0;
	if (!first && (len != LINE_LEN || memcmp(line, HEADER, sizeof HEADER - 1) != 0))
		return false;
	if (line[len - 1] != '\n' || digits[20] != ' ' || !read_digits(digits, &seq) || seq > INT64_MAX)
		return false;
	char hex[2 * SHA256_LEN + 1] = {0};
	memcpy(hex, hash, sizeof hex - 1);
	head->seq = (int64_t)seq;
	if (!hex_read(head->hash, SHA256_LEN, hex))
		return false;
	if (first)
		return true;
	const char *own = hash + sizeof hex - 1;
	identify(witness, &own_inode, &own_birth);
	return own[0] == ' ' && own[21] == ' ' && read_digits(own + 1, &inode) &&
	       read_digits(own + 22, &birth) && inode == own_inode && birth == own_birth;
}

static bool never_written(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (line[i])
			return false;
	return true;
}

static enum rc read_locked(const struct witness *witness, struct witness_head *head, struct err *err)
{
	char line[LINE_LEN + 1];
	ssize_t got = pread(witness->fd, line, sizeof line, 0);
	if (got < 0)
		return fault(witness, "read", err);
	*head = (struct witness_head){0};
	if (!never_written(line, (size_t)got) && !parse(witness, line, (size_t)got, head))
		*head = (struct witness_head){.damaged = true};
	return RC_OK;
}

enum rc witness_read(struct witness *witness, struct witness_head *head, struct err *err)
{
	enum rc rc = lock(witness, LOCK_SH, err);
	if (rc != RC_OK)
		return rc;
	rc = read_locked(witness, head, err);
	(void)flock(witness->fd, LOCK_UN);
	return rc;
}

/* To its end: a line that is half the new one counts as damaged at the next opening, and the office waits. */
static bool write_whole(int fd, const char *bytes, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t put = pwrite(fd, bytes + at, len - at, (off_t)at);
		if (put < 0 && errno != EINTR)
			return false;
		at += put > 0 ? (size_t)put : 0;
	}
	return true;
}

static enum rc write_locked(
	const struct witness *witness, int64_t seq, const uint8_t hash[SHA256_LEN], struct err *err)
{
	struct str line = STR_INIT;
	str_printf(&line, HEADER "%020lld ", (long long)seq);
	hex_add(&line, hash, SHA256_LEN);
	uint64_t inode, birth;
	identify(witness, &inode, &birth);
	str_printf(&line, " %020" PRIu64 " %020" PRIu64 "\n", inode, birth);
	enum rc rc = RC_OK;
	struct stat st;
	bool grows = fstat(witness->fd, &st) != 0 || st.st_size != (off_t)line.len;
	if (!write_whole(witness->fd, line.s, line.len) || ftruncate(witness->fd, (off_t)line.len) != 0 ||
		(grows && fdatasync(witness->fd) != 0))
		rc = fault(witness, "written", err);
	str_free(&line);
	return rc;
}

enum rc witness_advance(
	struct witness *witness, int64_t seq, const uint8_t hash[SHA256_LEN], bool force, struct err *err)
{
	enum rc rc = lock(witness, LOCK_EX, err);
	if (rc != RC_OK)
		return rc;
	struct witness_head head = {0};
	rc = read_locked(witness, &head, err);
	if (rc == RC_OK && (force || (!head.damaged && head.seq < seq)))
		rc = write_locked(witness, seq, hash, err);
	(void)flock(witness->fd, LOCK_UN);
	return rc;
}

enum rc store_witness(const char *path, int64_t *seq, struct err *err)
{
	char *name = xstrdup(path);
	struct witness witness = {.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), .path = name};
	struct witness_head head = {0};
	enum rc rc = RC_OK;
	if (witness.fd >= 0)
		rc = read_locked(&witness, &head, err);
	else if (errno != ENOENT)
		rc = fault(&witness, "opened", err);
	if (witness.fd >= 0)
		(void)close(witness.fd);
	*seq = head.seq;
	free(name);
	return rc;
}
