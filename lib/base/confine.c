#include "lib/base/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/str.h"

/* All that reading an open file from memory and talking over an open socket takes. Nothing here opens, connects or starts anything. */
static const int allowed[] = {
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(sendto),
	SCMP_SYS(sendmsg),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(close),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(brk),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(futex), /* GLib's locks */
	SCMP_SYS(getrandom), /* the salt of hash tables */
	SCMP_SYS(restart_syscall),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
#if defined(__SANITIZE_ADDRESS__)
	SCMP_SYS(sigaltstack), /* the sanitizer's own */
	SCMP_SYS(sched_yield),
	SCMP_SYS(futex),
#endif
};

/* Memory may be mapped and its protection changed, but never into something that runs. */
static const int allowed_without_exec[] = {SCMP_SYS(mmap), SCMP_SYS(mprotect)};

/* Libraries look for converters and time zones they might do without: looking finds nothing. Creating or writing stays deadly. */
static int filter_refuse_reading(scmp_filter_ctx filter)
{
	int rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(newfstatat), 0);
	return rc != 0 ? rc
		       : seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(openat), 1,
				 SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT, O_RDONLY));
}

static int filter_fill(scmp_filter_ctx filter)
{
	int refused = filter_refuse_reading(filter);
	if (refused != 0)
		return refused;
	for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
		int rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
		if (rc != 0)
			return rc;
	}
	for (size_t i = 0; i < sizeof allowed_without_exec / sizeof *allowed_without_exec; i++) {
		int rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed_without_exec[i], 1,
			SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* The filter as the kernel wants it, made once: children inherit it. */
static struct sock_fprog program;

static enum rc filter_fault(int fault, struct err *err)
{
	return err_set(err, RC_CONFIG, "The system call filter of children could not be made: %s.",
		errno_text(fault));
}

static enum rc filter_read(int fd, struct err *err)
{
	off_t size = lseek(fd, 0, SEEK_END);
	if (size <= 0)
		return filter_fault(errno, err);
	program.filter = xmalloc((size_t)size);
	program.len = (unsigned short)((size_t)size / sizeof *program.filter);
	if (pread(fd, program.filter, (size_t)size, 0) != size)
		return filter_fault(errno, err);
	return RC_OK;
}

enum rc confine_prepare(struct err *err)
{
	(void)confine_has_landlock();
	if (program.len)
		return RC_OK;
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int fd = memfd_create("filter", MFD_CLOEXEC);
	int fault = !filter ? ENOMEM : fd < 0 ? errno : -filter_fill(filter);
	if (!fault)
		fault = -seccomp_export_bpf(filter, fd);
	enum rc rc = fault ? filter_fault(fault, err) : filter_read(fd, err);
	if (filter)
		seccomp_release(filter);
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

/* ---- Landlock ---- */

/* How many rights to files the kernel of each version of the interface knows, as bits from the lowest (linux/landlock.h). */
static int landlock_rights(void)
{
	static const int rights[] = {0, 13, 14, 15, 15, 16};
	static const int newest = sizeof rights / sizeof *rights - 1;
	static int version = -2;
	if (version == -2)
		version = (int)syscall(
			SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_CREATE_RULESET_VERSION);
	return rights[version < 0 ? 0 : version > newest ? newest : version];
}

bool confine_has_landlock(void)
{
	return landlock_rights() > 0;
}

bool confine_files(void)
{
	/* All rights that the kernel knows, and no rule that grants one. */
	const struct landlock_ruleset_attr all = {
		.handled_access_fs = (UINT64_C(1) << landlock_rights()) - 1};
	if (!all.handled_access_fs || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return false;
	int ruleset =
		(int)syscall(SYS_landlock_create_ruleset, &all, sizeof all.handled_access_fs, (uint32_t)0);
	bool done = ruleset >= 0 && syscall(SYS_landlock_restrict_self, ruleset, (uint32_t)0) == 0;
	if (ruleset >= 0)
		(void)close(ruleset);
	return done;
}

static enum rc limit_set(int resource, rlim_t soft, struct err *err)
{
	if (setrlimit((__rlimit_resource_t)resource, &(struct rlimit){soft, soft}) == 0)
		return RC_OK;
	return err_set(err, RC_CONFIG, "A limit of a child could not be set: %s.", errno_text(errno));
}

/* Address sanitizer maps terabytes of shadow memory. */
#if defined(__SANITIZE_ADDRESS__)
#define LIMITS_MEMORY 0
#else
#define LIMITS_MEMORY 1
#endif

enum rc child_confine(const struct confine_limits *limits, struct err *err)
{
	enum rc rc = confine_prepare(err);
	if (!rc && LIMITS_MEMORY)
		rc = limit_set(RLIMIT_AS, limits->memory_bytes, err);
	rc = rc ? rc : limit_set(RLIMIT_CPU, limits->cpu_seconds, err);
	(void)confine_files(); /* needs a descriptor, so before there can be none */
	rc = rc ? rc : limit_set(RLIMIT_FSIZE, 0, err);
	rc = rc ? rc : limit_set(RLIMIT_CORE, 0, err);
	/* Not 0: poll() refuses more entries than that. Descriptor 0 is in use, so no other can be made. */
	rc = rc ? rc : limit_set(RLIMIT_NOFILE, 1, err);
	if (rc)
		return rc;
	(void)alarm(limits->wall_seconds);

	if (prctl(PR_SET_DUMPABLE, 0) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		return err_set(
			err, RC_CONFIG, "A child could not give up its rights: %s.", errno_text(errno));
	return RC_OK;
}
