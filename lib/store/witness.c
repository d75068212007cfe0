#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/store/store_p.h"

/*
 * One line of fixed length, written in place with one call: "sengen-witness 1 SEQ(20 digits) HASH(64)\n". It is not synced: after a power
 * cut it may be behind the register, which says nothing; it is never ahead, since a commit is on the disk before it moves.
 */
#define HEADER "sengen-witness 1 "
#define LINE_LEN (sizeof HEADER - 1 + 20 + 1 + (size_t)2 * SHA256_LEN + 1)

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

static bool parse(const char *line, struct witness_head *head)
{
	const char *digits = line + sizeof HEADER - 1;
	if (memcmp(line, HEADER, sizeof HEADER - 1) != 0 || line[LINE_LEN - 1] != '\n' || digits[20] != ' ')
		return false;
	for (int i = 0; i < 20; i++) {
		int digit = digits[i] - '0';
		if (digit < 0 || digit > 9 || head->seq > (INT64_MAX - digit) / 10)
			return false;
		head->seq = head->seq * 10 + digit;
	}
	char hex[2 * SHA256_LEN + 1] = {0};
	memcpy(hex, digits + 21, sizeof hex - 1);
	return hex_read(head->hash, SHA256_LEN, hex);
}

static enum rc read_locked(const struct witness *witness, struct witness_head *head, struct err *err)
{
	char line[LINE_LEN + 1];
	ssize_t got = pread(witness->fd, line, sizeof line, 0);
	if (got < 0)
		return fault(witness, "read", err);
	*head = (struct witness_head){0};
	if (got == 0)
		return RC_OK;
	if ((size_t)got != LINE_LEN || !parse(line, head))
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

static enum rc write_locked(
	const struct witness *witness, int64_t seq, const uint8_t hash[SHA256_LEN], struct err *err)
{
	struct str line = STR_INIT;
	str_printf(&line, HEADER "%020lld ", (long long)seq);
	hex_add(&line, hash, SHA256_LEN);
	str_addc(&line, '\n');
	enum rc rc = RC_OK;
	if (pwrite(witness->fd, line.s, line.len, 0) != (ssize_t)line.len ||
		ftruncate(witness->fd, (off_t)line.len) != 0)
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
