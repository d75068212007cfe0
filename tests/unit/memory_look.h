/*
 * memory_look.h - what stands in a process's memory, and how it is kept (proc(5): smaps, mem)
 */
#ifndef SENGEN_TESTS_MEMORY_LOOK_H
#define SENGEN_TESTS_MEMORY_LOOK_H

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

struct memory_at { /* one mapping */
	uintptr_t from, to;
	bool readable, locked, dont_dump;
	char name[128];
};

typedef bool memory_fn(void *ctx, const struct memory_at *at); /* false: enough */

/* false: the process can't be looked at. */
static inline bool memory_each(pid_t pid, memory_fn *fn, void *ctx)
{
	char path[64], line[512];
	struct memory_at at = {0};
	(void)snprintf(path, sizeof path, "/proc/%d/smaps", (int)pid);
	FILE *file = fopen(path, "r");
	if (!file)
		return false;
	while (fgets(line, sizeof line, file)) {
		uintptr_t from, to;
		char rights[8];
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %7s", &from, &to, rights) == 3) {
			at = (struct memory_at){.from = from, .to = to, .readable = rights[0] == 'r'};
			const char *name = strpbrk(line, "/[");
			(void)snprintf(at.name, sizeof at.name, "%.100s", name ? name : "");
			at.name[strcspn(at.name, "\n")] = '\0';
		} else if (strncmp(line, "VmFlags:", 8) == 0) {
			at.locked = strstr(line, " lo") != NULL;
			at.dont_dump = strstr(line, " dd") != NULL;
			if (!fn(ctx, &at))
				break;
		}
	}
	(void)fclose(file);
	return true;
}

struct memory_find {
	uintptr_t address;
	struct memory_at *out;
	bool found;
};

static inline bool memory_is_it(void *ctx, const struct memory_at *at)
{
	struct memory_find *find = ctx;
	find->found = at->from <= find->address && find->address < at->to;
	if (find->found)
		*find->out = *at;
	return !find->found;
}

static inline bool memory_flags(pid_t pid, uintptr_t address, struct memory_at *out)
{
	struct memory_find find = {.address = address, .out = out};
	return memory_each(pid, memory_is_it, &find) && find.found;
}

struct memory_count {
	int fd;
	const void *bytes;
	size_t len;
	int kept; /* in mappings that are locked and not dumped */
	int loose; /* elsewhere */
	struct memory_at where; /* the last loose one */
	uintptr_t loose_at;
};

static inline bool memory_count_in(void *ctx, const struct memory_at *at)
{
	struct memory_count *count = ctx;
	size_t size = at->to - at->from;
	if (!at->readable || strncmp(at->name, "[v", 2) == 0)
		return true;
	char *copy = malloc(size);
	ssize_t n = copy ? pread(count->fd, copy, size, (off_t)at->from) : -1;
	for (char *hit = copy;
		n > 0 && (hit = memmem(hit, (size_t)(copy + n - hit), count->bytes, count->len)); hit++) {
		if (at->locked && at->dont_dump) {
			count->kept++;
		} else {
			count->loose++;
			count->where = *at;
			count->loose_at = at->from + (uintptr_t)(hit - copy);
		}
	}
	free(copy);
	return true;
}

/* How often the bytes stand in the memory of another process, which should stand still. */
static inline bool memory_search(pid_t pid, const void *bytes, size_t len, struct memory_count *out)
{
	char path[64];
	(void)snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
	*out = (struct memory_count){.fd = open(path, O_RDONLY | O_CLOEXEC), .bytes = bytes, .len = len};
	if (out->fd < 0)
		return false;
	bool good = memory_each(pid, memory_count_in, out);
	(void)close(out->fd);
	return good;
}

#endif
