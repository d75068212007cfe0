/*
 * spool.h - the drop folder: which files are whole, and taking one exactly once
 *
 * Layout below the spool directory: incoming/ (anybody of the office may write), work/ (ours alone), accepted/YYYY/MM and rejected/YYYY/MM.
 * incoming/ is hostile ground: names may be anything, links and FIFOs may lie there, owners may still write. Nothing is followed,
 * nothing that could block is opened, nothing is read past the limit; what is no regular file is left alone, with one log line.
 *
 * A file is whole when it came by rename (the kernel says so), or when nothing about it has changed for settle_seconds. It is taken by
 * copying it into work/, since its owner could still write to a renamed one; the original goes only when the register knows the copy.
 */
#ifndef SENGEN_SPOOL_H
#define SENGEN_SPOOL_H

#include "lib/base/clock.h"
#include "lib/base/crypt.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

/* ~$…, .~lock…, hidden, *.tmp, *.part, *.crdownload: another program is not done with it, or it is none for us. */
bool spool_name_is_temporary(const char *name);

struct spool_entry; /* what is known about one name in incoming/ */

struct spool {
	char *directory; /* owned */
	int incoming, work, removing; /* directories; close with spool_close() */
	int events; /* inotify; -1: the file system gives none, rescanning alone finds files */
	int64_t settle_seconds;
	size_t file_limit; /* bytes */
	bool simulating; /* a file is there, and whole, from its modification time on */

	struct spool_entry **entry; /* owned */
	void *by_name; /* the same, as tsearch() keeps them */
	size_t entry_count, entry_size;
	struct spool_entry **ready; /* whole files, oldest first; of the last scan */
	size_t ready_count, ready_next;

	size_t keep_bytes; /* a file of no more is given whole, too: spool_taken.bytes */
	bool sync_later; /* spool_take() and spool_remove() leave syncing to the caller: see spool_sync_copies() */
	char month[2][24]; /* "rejected/2026/11", "accepted/2026/11": made and synced */
};

#define SPOOL_MANY                                                                                           \
	4 /* files from which on syncing the whole file system once is less work than syncing each */

/* Makes the directories where they are missing; group and setgid bit come from the spool directory itself (tmpfiles.d). */
enum rc spool_open(struct spool *spool, const char *directory, bool simulating, struct err *err);
void spool_close(struct spool *spool);

/* Reads waiting events; true: something happened and a scan is worth while (an overflow of events too). */
bool spool_events(struct spool *spool);
/* Looks at every name. *look_again: when a file that is not whole yet may be (UTC_NEVER: none waits). mono_ms: clock_mono_ms(). */
enum rc spool_scan(struct spool *spool, utc_time now, int64_t mono_ms, utc_time *look_again, struct err *err);
/* The next whole file of the last scan; NULL: none is left. */
const char *spool_next(struct spool *spool);
/* Whether there is one, of at most so many bytes. */
bool spool_next_is_small(const struct spool *spool, int64_t bytes);
/* Number of whole files of the last scan that were not given yet. */
size_t spool_waiting(const struct spool *spool);

struct spool_taken {
	uint8_t digest[SHA256_LEN];
	int64_t size;
	int64_t dev, ino, mtime_ns; /* of the original */
	unsigned owner, group; /* IDs */
	unsigned mode; /* who may write to it, as stat(2) has it */
	struct str bytes; /* all of it, where it is small (spool.keep_bytes); owned by whoever had it taken */
	bool listed; /* others too stand in an access list (acl(5)); what they may at most is the group's bits of mode */
};
enum spool_answer {
	SPOOL_TAKEN, /* a synced copy lies in work/ under `copy` */
	SPOOL_LATER, /* gone, changing, not a file any more, or opened and not to be read now */
	SPOOL_TOO_LARGE, /* over the limit: nothing was copied; taken has all but the digest */
	SPOOL_UNREADABLE, /* may not be read: left alone */
};
/* Copies and digests. RC_STORE: our disk. */
enum rc spool_take(struct spool *spool, const char *name, const char *copy, enum spool_answer *answer,
	struct spool_taken *taken, struct err *err);
/* Removes the original if it is still the very file that was taken; a newer one under its name stays. RC_REFUSED: we may not. */
enum rc spool_remove(struct spool *spool, const char *name, const struct spool_taken *taken, struct err *err);
/* With sync_later: the copies made since, and the removals. */
enum rc spool_sync_copies(struct spool *spool, struct err *err);
enum rc spool_sync_removals(
	struct spool *spool, struct err *err); /* RC_REFUSED: a power cut may bring them back */
/* Leaves a file alone until it changes; logs why, once. */
void spool_leave(struct spool *spool, const char *name, const char *reason);
/* At the start: clears work/ of what a crash left there (all but the names in `keep`), and puts originals whose removal was cut short
 * back into incoming/, where they are recognised. */
enum rc spool_clean(struct spool *spool, const struct strlist *keep, struct err *err);

/* The modification time of the oldest file a simulation would take; false: there is none. */
bool spool_oldest(const char *directory, utc_time *at);

/* "20261122-093000_申込.csv": time in the office's zone, the name made harmless (control characters, slashes, broken UTF-8 → _) and cut to a length
 * that leaves room for endings; its own ending stays. */
void spool_archive_name(struct str *out, utc_time at, const char *name);

#endif
