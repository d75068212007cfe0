#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/text.h"

/* Memory that was freed is kept from use a shorter while than usual: most of the time went into fresh pages. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=8:malloc_context_size=8:allocator_release_to_os_interval_ms=-1:"
	       "detect_stack_use_after_return=0";
}

/*
 * Known and bounded: libconfig 1.5 loses the text it was in the middle of when a file ends in a fault (read at the start and at a reload). libetpan loses the section of a
 * BODY[…] that ends in a fault; the session ends with it, so it is once a connection.
 */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so\nleak:mailimap_section_";
}

void fuzz_failed(const char *what, const char *file, int line)
{
	(void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

void must_be_text(const char *text)
{
	MUST(text && utf8_valid(text, strlen(text)));
}

void must_be_line(const char *text)
{
	must_be_text(text);
	for (; *text; text++)
		MUST((unsigned char)*text >= ' ' && *text != 0x7F);
}

static char directory[64];
static pid_t owner; /* a child of ours removes nothing */

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void remove_directory(void)
{
	if (getpid() == owner)
		(void)nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

const char *fuzz_directory(void)
{
	if (!*directory) {
		const char *fast = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
		(void)snprintf(directory, sizeof directory, "%s/sengen-fuzz-XXXXXX", fast);
		MUST(mkdtemp(directory));
		owner = getpid();
		MUST(atexit(remove_directory) == 0);
	}
	return directory;
}

const char *fuzz_file(const char *name, const void *bytes, size_t len)
{
	static struct str path = STR_INIT;
	str_clear(&path);
	str_printf(&path, "%s/%s", fuzz_directory(), name);
	int fd = open(path.s, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	MUST(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
	MUST(close(fd) == 0);
	return path.s;
}
