#include "lib/base/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1 /* maps terabytes, and looks for leaks by tracing itself */
#else
#define SANITIZED 0
#endif

/* ---- the tables ---- */

enum { /* groups of system calls */
	MEMORY = 1 << 0, /* reading an open file from memory and talking over an open socket */
	SELF = 1 << 1, /* time, signals, waiting, asking about itself */
	READING = 1 << 2, /* files, to read */
	WRITING = 1 << 3,
	LOCAL = 1 << 4, /* sockets of this machine */
	LISTENING = 1 << 5, /* others connect to them */
	NETWORK = 1 << 6,
	WATCHING = 1 << 7, /* directories */
	THREADS = 1 << 8,
	FORKING = 1 << 9,
	PROGRAMS = 1 << 10, /* starting one, and what its start takes */
	CONFINING = 1 << 11, /* itself or the children further */
	MEMFILES =
		1
		<< 13, /* messages on their way; the desk has none, since Landlock lets such a file be started as a program */
	LIBRARIES = 1 << 12, /* mapping code from files: the C library's own for names of users */
};

enum { /* and what kinds have in common */
	A_ROLE = MEMORY | SELF | READING | WRITING | LOCAL | LIBRARIES,
	A_LINE = MEMFILES | MEMORY | SELF | READING | NETWORK | THREADS,
	A_MAILDIR = MEMFILES | MEMORY | SELF | READING | WRITING | WATCHING,
	A_ZYGOTE = MEMORY | SELF | READING | FORKING | CONFINING,
};

static const struct {
	const char *name; /* a role's */
	unsigned groups;
	bool kills; /* what is not in the list */
	bool is_child; /* has no use for root's rights */
	bool is_kept; /* signals and abstract sockets stay inside */
} kinds[CONFINED_COUNT] = {
	[CONFINED_READER] = {NULL, MEMORY, .kills = true, .is_child = true, .is_kept = true},
	[CONFINED_TRANSPORT] = {NULL, A_LINE, .is_kept = true},
	[CONFINED_MAILBOX_LINE] = {NULL, A_LINE, .is_kept = true},
	[CONFINED_MAILDIR] = {NULL, A_MAILDIR, .is_kept = true},
	[CONFINED_SLEEPER] = {NULL, A_ZYGOTE | LIBRARIES | A_LINE | A_MAILDIR | PROGRAMS},
	[CONFINED_ZYGOTE] = {NULL, A_ZYGOTE, .is_child = true, .is_kept = true},
	[CONFINED_ZYGOTE_LINES] = {NULL, A_ZYGOTE | LIBRARIES | A_LINE | A_MAILDIR, .is_kept = true},
	[CONFINED_INTAKE] = {"intake", A_ROLE | WATCHING},
	[CONFINED_MAILBOX] = {"mailbox", A_ROLE | MEMFILES},
	[CONFINED_SCHEDULER] = {"scheduler", A_ROLE},
	[CONFINED_SENDER] = {"sender", A_ROLE},
	[CONFINED_DESK] = {"desk", A_ROLE | FORKING | THREADS | PROGRAMS | CONFINING},
	[CONFINED_CONTROL] = {"control", A_ROLE | LISTENING},
	[CONFINED_TURN] = {"turn",
		A_ROLE | MEMFILES | WATCHING | LISTENING | FORKING | THREADS | PROGRAMS | CONFINING},
	[CONFINED_PDF] = {NULL, MEMORY | SELF | READING | THREADS | LIBRARIES, .is_kept = true},
};

struct call {
	unsigned groups;
	int number;
};

/* Arguments don't matter here; where they do, see `judged`. */
static const struct call calls[] = {
	{MEMORY, SCMP_SYS(read)},
	{MEMORY, SCMP_SYS(write)},
	{MEMORY, SCMP_SYS(sendto)},
	{MEMORY, SCMP_SYS(sendmsg)},
	{MEMORY, SCMP_SYS(recvfrom)},
	{MEMORY, SCMP_SYS(recvmsg)},
	{MEMORY, SCMP_SYS(poll)},
	{MEMORY, SCMP_SYS(ppoll)},
	{MEMORY, SCMP_SYS(close)},
	{MEMORY, SCMP_SYS(munmap)},
	{MEMORY, SCMP_SYS(mremap)},
	{MEMORY, SCMP_SYS(madvise)},
	{MEMORY, SCMP_SYS(brk)},
	{MEMORY, SCMP_SYS(clock_gettime)},
	{MEMORY, SCMP_SYS(futex)}, /* GLib's locks */
	{MEMORY, SCMP_SYS(getrandom)}, /* the salt of hash tables */
	{MEMORY, SCMP_SYS(restart_syscall)},
	{MEMORY, SCMP_SYS(rt_sigreturn)},
	{MEMORY, SCMP_SYS(exit)},
	{MEMORY, SCMP_SYS(exit_group)},
#if SANITIZED
	{MEMORY, SCMP_SYS(sigaltstack)},
	{MEMORY, SCMP_SYS(sched_yield)},
	{SELF, SCMP_SYS(ptrace)},
	{SELF, SCMP_SYS(wait4)},
	{SELF, SCMP_SYS(prctl)},
	{SELF, SCMP_SYS(kill)},
#endif

	{SELF, SCMP_SYS(gettimeofday)},
	{SELF, SCMP_SYS(time)},
	{SELF, SCMP_SYS(clock_getres)},
	{LOCAL, SCMP_SYS(
			clock_adjtime)}, /* asks whether the clock is set by somebody; setting takes a capability */
	{LOCAL, SCMP_SYS(adjtimex)},
	{SELF, SCMP_SYS(clock_nanosleep)},
	{SELF, SCMP_SYS(nanosleep)},
	{SELF, SCMP_SYS(alarm)},
	{SELF, SCMP_SYS(setitimer)},
	{SELF, SCMP_SYS(times)},
	{SELF, SCMP_SYS(select)},
	{SELF, SCMP_SYS(pselect6)},
	{SELF, SCMP_SYS(epoll_create1)},
	{SELF, SCMP_SYS(epoll_ctl)},
	{SELF, SCMP_SYS(epoll_wait)},
	{SELF, SCMP_SYS(epoll_pwait)},
	{SELF, SCMP_SYS(eventfd2)},
	{SELF, SCMP_SYS(signalfd4)},
	{SELF, SCMP_SYS(pipe)},
	{SELF, SCMP_SYS(pipe2)},
	{SELF, SCMP_SYS(dup)},
	{SELF, SCMP_SYS(dup2)},
	{SELF, SCMP_SYS(dup3)},
	{LOCAL, SCMP_SYS(fcntl)},
	{SELF, SCMP_SYS(close_range)},
	{SELF, SCMP_SYS(shutdown)},
	{SELF, SCMP_SYS(getsockopt)},
	{SELF, SCMP_SYS(setsockopt)},
	{SELF, SCMP_SYS(getsockname)},
	{SELF, SCMP_SYS(getpeername)},
	{SELF, SCMP_SYS(sendmmsg)},
	{SELF, SCMP_SYS(recvmmsg)},
	{SELF, SCMP_SYS(rt_sigaction)},
	{SELF, SCMP_SYS(rt_sigprocmask)},
	{SELF, SCMP_SYS(rt_sigpending)},
	{SELF, SCMP_SYS(rt_sigsuspend)},
	{SELF, SCMP_SYS(rt_sigtimedwait)},
	{SELF, SCMP_SYS(sigaltstack)},
	{LOCAL, SCMP_SYS(tgkill)}, /* abort() of a role; a child that calls it dies all the same */
	{SELF, SCMP_SYS(getpid)},
	{SELF, SCMP_SYS(getppid)},
	{SELF, SCMP_SYS(gettid)},
	{SELF, SCMP_SYS(getpgrp)},
	{SELF, SCMP_SYS(getpgid)},
	{SELF, SCMP_SYS(getsid)},
	{SELF, SCMP_SYS(getuid)},
	{SELF, SCMP_SYS(geteuid)},
	{SELF, SCMP_SYS(getgid)},
	{SELF, SCMP_SYS(getegid)},
	{SELF, SCMP_SYS(getresuid)},
	{SELF, SCMP_SYS(getresgid)},
	{SELF, SCMP_SYS(getgroups)},
	{SELF, SCMP_SYS(capget)},
	{SELF, SCMP_SYS(uname)},
	{SELF, SCMP_SYS(sysinfo)},
	{SELF, SCMP_SYS(getrusage)},
	{SELF, SCMP_SYS(getrlimit)},
	{SELF, SCMP_SYS(getpriority)},
	{SELF, SCMP_SYS(sched_yield)},
	{SELF, SCMP_SYS(sched_getaffinity)},
	{SELF, SCMP_SYS(sched_getparam)},
	{SELF, SCMP_SYS(sched_getscheduler)},
	{SELF, SCMP_SYS(getcpu)},
	{SELF, SCMP_SYS(membarrier)},
	{SELF, SCMP_SYS(set_robust_list)},
	{SELF, SCMP_SYS(rseq)},
	{SELF, SCMP_SYS(mincore)},
	{SELF, SCMP_SYS(msync)},
	{SELF, SCMP_SYS(mlock)}, /* secrets */
	{SELF, SCMP_SYS(mlock2)},
	{SELF, SCMP_SYS(munlock)},
	{MEMFILES, SCMP_SYS(memfd_create)},
	{SELF, SCMP_SYS(ftruncate)},

	{READING, SCMP_SYS(newfstatat)},
	{READING, SCMP_SYS(fstat)},
	{READING, SCMP_SYS(stat)},
	{READING, SCMP_SYS(lstat)},
	{READING, SCMP_SYS(statx)},
	{READING, SCMP_SYS(statfs)},
	{READING, SCMP_SYS(fstatfs)},
	{READING, SCMP_SYS(lseek)},
	{READING, SCMP_SYS(pread64)},
	{READING, SCMP_SYS(readv)},
	{READING, SCMP_SYS(preadv)},
	{READING, SCMP_SYS(getdents64)},
	{READING, SCMP_SYS(getdents)},
	{READING, SCMP_SYS(readlink)},
	{READING, SCMP_SYS(readlinkat)},
	{READING, SCMP_SYS(access)},
	{READING, SCMP_SYS(faccessat)},
	{READING, SCMP_SYS(faccessat2)},
	{READING, SCMP_SYS(getcwd)},
	{READING, SCMP_SYS(fadvise64)},
	{READING, SCMP_SYS(readahead)},
	{READING, SCMP_SYS(getxattr)},
	{READING, SCMP_SYS(lgetxattr)},
	{READING, SCMP_SYS(fgetxattr)},
	{READING, SCMP_SYS(listxattr)},
	{READING, SCMP_SYS(flistxattr)},
	{READING, SCMP_SYS(flock)},
	{READING, SCMP_SYS(writev)}, /* standard output */

	{WRITING, SCMP_SYS(openat)},
	{WRITING, SCMP_SYS(open)},
	{WRITING, SCMP_SYS(pwrite64)},
	{WRITING, SCMP_SYS(pwritev)},
	{WRITING, SCMP_SYS(truncate)},
	{WRITING, SCMP_SYS(fallocate)},
	{WRITING, SCMP_SYS(fsync)},
	{WRITING, SCMP_SYS(fdatasync)},
	{WRITING, SCMP_SYS(sync_file_range)},
	{WRITING, SCMP_SYS(syncfs)},
	{WRITING, SCMP_SYS(rename)},
	{WRITING, SCMP_SYS(renameat)},
	{WRITING, SCMP_SYS(renameat2)},
	{WRITING, SCMP_SYS(link)},
	{WRITING, SCMP_SYS(linkat)},
	{WRITING, SCMP_SYS(symlink)},
	{WRITING, SCMP_SYS(symlinkat)},
	{WRITING, SCMP_SYS(unlink)},
	{WRITING, SCMP_SYS(unlinkat)},
	{WRITING, SCMP_SYS(mkdir)},
	{WRITING, SCMP_SYS(mkdirat)},
	{WRITING, SCMP_SYS(rmdir)},
	{WRITING, SCMP_SYS(chmod)},
	{WRITING, SCMP_SYS(fchmod)},
	{WRITING, SCMP_SYS(fchmodat)},
	{WRITING, SCMP_SYS(chown)},
	{WRITING, SCMP_SYS(lchown)},
	{WRITING, SCMP_SYS(fchown)},
	{WRITING, SCMP_SYS(fchownat)},
	{WRITING, SCMP_SYS(utimensat)},
	{WRITING, SCMP_SYS(umask)},
	{WRITING, SCMP_SYS(sendfile)},
	{WRITING, SCMP_SYS(copy_file_range)},

	{LOCAL | NETWORK, SCMP_SYS(connect)},
	{LOCAL | NETWORK, SCMP_SYS(bind)},
	{LISTENING, SCMP_SYS(listen)},
	{LISTENING, SCMP_SYS(accept)},
	{LISTENING, SCMP_SYS(accept4)},

	{WATCHING, SCMP_SYS(inotify_init1)},
	{WATCHING, SCMP_SYS(inotify_add_watch)},
	{WATCHING, SCMP_SYS(inotify_rm_watch)},

	{FORKING, SCMP_SYS(fork)},
	{FORKING, SCMP_SYS(vfork)},
	{FORKING, SCMP_SYS(wait4)},
	{FORKING, SCMP_SYS(waitid)},

	{PROGRAMS, SCMP_SYS(execve)},
	{PROGRAMS, SCMP_SYS(arch_prctl)},
	{PROGRAMS, SCMP_SYS(set_tid_address)},
	{PROGRAMS, SCMP_SYS(kill)}, /* Landlock keeps it to its own children where it can */

	{CONFINING, SCMP_SYS(prctl)},
	{CONFINING, SCMP_SYS(seccomp)},
	{CONFINING, SCMP_SYS(landlock_create_ruleset)},
	{CONFINING, SCMP_SYS(landlock_add_rule)},
	{CONFINING, SCMP_SYS(landlock_restrict_self)},
	{CONFINING, SCMP_SYS(setrlimit)},
	{CONFINING, SCMP_SYS(capset)},
};

#define NEW_NAMESPACE                                                                                        \
	(CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |           \
		CLONE_NEWCGROUP)
#define SOCKET_KIND 0xf /* the type without its flags */

/* Allowed where an argument is so: (argument & mask) == value. One comparison, or two of different arguments. */
static const struct {
	struct call call;
	struct {
		unsigned argument;
		unsigned long mask, value;
	} is[2]; /* mask 0: none */
} judged[] = {
	/* Memory may be mapped and its protection changed, but never into something that runs. */
	{{MEMORY, SCMP_SYS(mmap)}, {{2, PROT_EXEC, 0}}},
	{{MEMORY, SCMP_SYS(mprotect)}, {{2, PROT_EXEC, 0}}},
	{{LIBRARIES | PROGRAMS, SCMP_SYS(mmap)}, {{2, PROT_EXEC | PROT_WRITE, PROT_EXEC}}},
	{{READING, SCMP_SYS(openat)}, {{2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY}}},
	{{READING, SCMP_SYS(open)}, {{1, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY}}},
	{{LOCAL, SCMP_SYS(socket)}, {{0, ~0UL, AF_UNIX}}},
	{{LOCAL | NETWORK, SCMP_SYS(socketpair)}, {{0, ~0UL, AF_UNIX}}}, /* libcurl wakes itself */
	{{NETWORK, SCMP_SYS(socket)}, {{0, ~0UL, AF_INET}, {1, SOCKET_KIND, SOCK_STREAM}}},
	{{NETWORK, SCMP_SYS(socket)}, {{0, ~0UL, AF_INET}, {1, SOCKET_KIND, SOCK_DGRAM}}},
	{{NETWORK, SCMP_SYS(socket)}, {{0, ~0UL, AF_INET6}, {1, SOCKET_KIND, SOCK_STREAM}}},
	{{NETWORK, SCMP_SYS(socket)}, {{0, ~0UL, AF_INET6}, {1, SOCKET_KIND, SOCK_DGRAM}}},
	/* getaddrinfo() asks which addresses the machine has. */
	{{NETWORK, SCMP_SYS(socket)}, {{0, ~0UL, AF_NETLINK}, {2, ~0UL, NETLINK_ROUTE}}},
	/* libcurl looks names up in a thread. */
	{{THREADS, SCMP_SYS(clone)}, {{0, CLONE_THREAD | NEW_NAMESPACE, CLONE_THREAD}}},
	{{FORKING, SCMP_SYS(clone)}, {{0, CLONE_THREAD | NEW_NAMESPACE, 0}}},
	/* Its own limits; a hard one can't be raised again. */
	{{SELF, SCMP_SYS(prlimit64)}, {{0, ~0UL, 0}}},
	/* Not whom the kernel signals: that would be a way to kill. */
	{{SELF, SCMP_SYS(fcntl)}, {{1, ~0UL, F_GETFD}}},
	{{SELF, SCMP_SYS(fcntl)}, {{1, ~0UL, F_SETFD}}},
	{{SELF, SCMP_SYS(fcntl)}, {{1, ~0UL, F_GETFL}}},
	{{SELF, SCMP_SYS(fcntl)}, {{1, ~0UL, F_SETFL}}},
	{{SELF, SCMP_SYS(fcntl)}, {{1, ~0UL, F_DUPFD}}},
	{{SELF, SCMP_SYS(fcntl)}, {{1, ~0UL, F_DUPFD_CLOEXEC}}},
	{{SELF, SCMP_SYS(fcntl)}, {{1, ~0UL, F_GETLK}}},
	{{SELF, SCMP_SYS(fcntl)}, {{1, ~0UL, F_SETLK}}},
	{{SELF, SCMP_SYS(fcntl)}, {{1, ~0UL, F_SETLKW}}},
	{{SELF, SCMP_SYS(fcntl)}, {{1, ~0UL, F_ADD_SEALS}}},
	{{SELF, SCMP_SYS(fcntl)}, {{1, ~0UL, F_GET_SEALS}}},
	{{SELF, SCMP_SYS(ioctl)}, {{1, ~0UL, TCGETS}}}, /* stdio asks whether it is a terminal */
	{{SELF, SCMP_SYS(ioctl)}, {{1, ~0UL, FIONREAD}}},
	{{SELF, SCMP_SYS(ioctl)}, {{1, ~0UL, FIONBIO}}},
#if SANITIZED
	{{SELF, SCMP_SYS(clone)}, {{0, NEW_NAMESPACE, 0}}},
#endif
};

/* No library makes these calls by itself: a kind that may not make them dies of them. */
static const struct call deadly[] = {
	{PROGRAMS, SCMP_SYS(execve)},
	{0, SCMP_SYS(execveat)},
#if !SANITIZED
	{0, SCMP_SYS(ptrace)},
#endif
	{0, SCMP_SYS(process_vm_readv)},
	{0, SCMP_SYS(process_vm_writev)},
	{0, SCMP_SYS(process_madvise)},
	{0, SCMP_SYS(pidfd_getfd)},
	{0, SCMP_SYS(kcmp)},
	{0, SCMP_SYS(bpf)},
	{0, SCMP_SYS(perf_event_open)},
	{0, SCMP_SYS(userfaultfd)},
	{0, SCMP_SYS(io_uring_setup)},
	{0, SCMP_SYS(io_uring_enter)},
	{0, SCMP_SYS(io_uring_register)},
	{0, SCMP_SYS(add_key)},
	{0, SCMP_SYS(request_key)},
	{0, SCMP_SYS(keyctl)},
	{0, SCMP_SYS(mount)},
	{0, SCMP_SYS(umount2)},
	{0, SCMP_SYS(move_mount)},
	{0, SCMP_SYS(open_tree)},
	{0, SCMP_SYS(fsopen)},
	{0, SCMP_SYS(pivot_root)},
	{0, SCMP_SYS(chroot)},
	{0, SCMP_SYS(unshare)},
	{0, SCMP_SYS(setns)},
	{0, SCMP_SYS(kexec_load)},
	{0, SCMP_SYS(init_module)},
	{0, SCMP_SYS(finit_module)},
	{0, SCMP_SYS(delete_module)},
	{0, SCMP_SYS(reboot)},
	{0, SCMP_SYS(swapon)},
	{0, SCMP_SYS(settimeofday)},
	{0, SCMP_SYS(clock_settime)},
	{0, SCMP_SYS(open_by_handle_at)},
};

enum confined confined_role(const char *name)
{
	enum confined kind = 0;
	while (kind < CONFINED_COUNT && (!kinds[kind].name || strcmp(kinds[kind].name, name) != 0))
		kind++;
	return kind;
}

/* ---- the filter of system calls ---- */

/* Libraries look for converters and time zones they might do without: looking finds nothing. Creating or writing stays deadly. */
static int refuse_reading(scmp_filter_ctx filter)
{
	int rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(newfstatat), 0);
	return rc != 0 ? rc
		       : seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(openat), 1,
				 SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT, O_RDONLY));
}

static int allow_calls(scmp_filter_ctx filter, unsigned groups)
{
	int rc = 0;
	for (size_t i = 0; i < sizeof calls / sizeof *calls && rc == 0; i++)
		if (calls[i].groups & groups)
			rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i].number, 0);
	return rc;
}

static int allow_judged(scmp_filter_ctx filter, unsigned groups)
{
	int rc = 0;
	for (size_t i = 0; i < sizeof judged / sizeof *judged && rc == 0; i++) {
		struct scmp_arg_cmp is[2];
		unsigned count = 0;
		if (!(judged[i].call.groups & groups))
			continue;
		for (; count < 2 && judged[i].is[count].mask; count++)
			is[count] = SCMP_CMP(judged[i].is[count].argument, SCMP_CMP_MASKED_EQ,
				judged[i].is[count].mask, judged[i].is[count].value);
		rc = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, judged[i].call.number, count, is);
	}
	return rc;
}

static int filter_fill(scmp_filter_ctx filter, enum confined kind)
{
	unsigned groups = kinds[kind].groups;
	int rc = allow_calls(filter, groups);
	rc = rc ? rc : allow_judged(filter, groups);
	if (kinds[kind].kills)
		return rc ? rc : refuse_reading(filter);
	/* Its flags can't be looked at; the C library then takes clone(), whose can. */
	rc = rc ? rc : seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	for (size_t i = 0; i < sizeof deadly / sizeof *deadly && rc == 0; i++)
		if (!(deadly[i].groups & groups))
			rc = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, deadly[i].number, 0);
	return rc;
}

/* The filters as the kernel wants them, made once: children inherit them. */
static struct sock_fprog programs[CONFINED_COUNT];

static enum rc filter_fault(int fault, struct err *err)
{
	return err_set(err, RC_CONFIG, "The system call filter of a process could not be made: %s.",
		errno_text(fault));
}

static enum rc filter_read(struct sock_fprog *program, int fd, struct err *err)
{
	static const size_t most = BPF_MAXINSNS * sizeof(struct sock_filter);
	char *bytes = xmalloc(most);
	ssize_t size = read(fd, bytes, most);
	if (size <= 0) {
		free(bytes);
		return filter_fault(size < 0 ? errno : EINVAL, err);
	}
	program->filter = (struct sock_filter *)(void *)bytes;
	program->len = (unsigned short)((size_t)size / sizeof *program->filter);
	return RC_OK;
}

enum rc confine_prepare_kind(enum confined kind, struct err *err)
{
	(void)confine_landlock();
	if (programs[kind].len)
		return RC_OK;
	scmp_filter_ctx filter =
		seccomp_init(kinds[kind].kills ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ERRNO(EPERM));
	/* Through a pipe, which holds more than any filter: whoever started the process may have left it no files in memory. */
	int ends[2] = {-1, -1};
	int fault = !filter ? ENOMEM : pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0 ? errno : 0;
	/* A long list is searched as a tree. */
	if (!fault && !kinds[kind].kills)
		(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (!fault)
		fault = -filter_fill(filter, kind);
	if (!fault)
		fault = -seccomp_export_bpf(filter, ends[1]);
	enum rc rc = fault ? filter_fault(fault, err) : filter_read(&programs[kind], ends[0], err);
	if (filter)
		seccomp_release(filter);
	for (int i = 0; i < 2; i++)
		if (ends[i] >= 0)
			(void)close(ends[i]);
	return rc;
}

/* Refused calls are named in the audit log where the kernel has one. */
static bool filter_enter(enum confined kind)
{
	unsigned flags = kinds[kind].kills ? 0 : SECCOMP_FILTER_FLAG_LOG;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &programs[kind]) == 0;
}

/* ---- places ---- */

void confine_allow(struct confine_places *places, const char *path, unsigned access)
{
	if (!path || !*path || str_has_prefix(path, "credential:"))
		return;
	for (size_t i = 0; i < places->count; i++)
		if (strcmp(places->place[i].path, path) == 0) {
			places->place[i].access |= access;
			return;
		}
	places->place = xrealloc(places->place, (places->count + 1) * sizeof *places->place);
	places->place[places->count++] = (struct confine_place){.path = xstrdup(path), .access = access};
}

void confine_allow_beside(struct confine_places *places, const char *file, unsigned access)
{
	if (!file || str_has_prefix(file, "credential:"))
		return;
	const char *slash = strrchr(file, '/');
	char *directory = !slash ? xstrdup(".") : xstrndup(file, slash == file ? 1 : (size_t)(slash - file));
	confine_allow(places, directory, access);
	free(directory);
}

void confine_places_free(struct confine_places *places)
{
	for (size_t i = 0; i < places->count; i++)
		free(places->place[i].path);
	free(places->place);
	*places = (struct confine_places){0};
}

const char *confine_place_lost(const struct confine_places *places)
{
	for (size_t i = 0; i < places->count; i++) {
		const struct confine_place *place = &places->place[i];
		struct stat st;
		if (stat(place->path, &st) != 0)
			continue; /* nothing that could be reached by starting anew */
		if (st.st_ino != place->inode || st.st_dev != place->device)
			return place->path;
	}
	return NULL;
}

static bool is_within(const struct confine_places *places, const char *real, unsigned access)
{
	for (size_t i = 0; i < places->count; i++) {
		char above[PATH_MAX];
		if ((places->place[i].access & access) != access || !realpath(places->place[i].path, above))
			continue;
		size_t len = strlen(above);
		if (strncmp(real, above, len) == 0 && (real[len] == '/' || real[len] == '\0' || len == 1))
			return true;
	}
	return false;
}

const char *confine_place_beyond(const struct confine_places *places, const struct confine_places *wanted)
{
	for (size_t i = 0; i < wanted->count; i++) {
		const struct confine_place *place = &wanted->place[i];
		unsigned access = place->access & CONFINE_WRITE ? CONFINE_WRITE : place->access;
		char real[PATH_MAX];
		if (realpath(place->path, real) && !is_within(places, real, access) &&
			!(access == CONFINE_READ && is_within(places, real, CONFINE_WRITE)))
			return place->path;
	}
	return NULL;
}

/* ---- Landlock ---- */

/* Newer than Debian 12's header, by the kernel's interface (linux/landlock.h of 6.15). */
#define ACCESS_FS_TRUNCATE (UINT64_C(1) << 14)
#define ACCESS_NET_CONNECT_TCP (UINT64_C(1) << 1)
#define ACCESS_NET_BOTH (UINT64_C(3)) /* bind, connect */
#define RULE_NET_PORT 2
#define SCOPE_SIGNALS (UINT64_C(2))
#define SCOPE_BOTH                                                                                           \
	(UINT64_C(3)) /* and abstract sockets: a role tells its supervisor over one that it is ready */
#define PORT_NAMES 53

struct ruleset { /* struct landlock_ruleset_attr */
	uint64_t files, ports, scopes;
};
struct port_rule { /* struct landlock_net_port_attr */
	uint64_t access, port;
};

#define READ_BITS ((uint64_t)(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR))
#define WRITE_BITS                                                                                           \
	((uint64_t)(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                          \
		    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |                           \
		    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |                             \
		    LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER) |                                \
		ACCESS_FS_TRUNCATE)
#define FILE_BITS                                                                                            \
	((uint64_t)(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |                             \
		    LANDLOCK_ACCESS_FS_READ_FILE) |                                                          \
		ACCESS_FS_TRUNCATE)

enum { LANDLOCK_MOVES = 2, LANDLOCK_PORTS = 4, LANDLOCK_SCOPES = 6 }; /* versions of the interface */

int confine_landlock(void)
{
	static int version = -1;
	if (version < 0) {
		version = (int)syscall(
			SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_CREATE_RULESET_VERSION);
		version = version < 0 ? 0 : version;
	}
	return version;
}

bool confine_has_landlock(void)
{
	return confine_landlock() > 0;
}

bool confine_keeps_writers(void)
{
	return confine_landlock() >= LANDLOCK_MOVES;
}

/* All rights to files that this version knows, as bits from the lowest. */
static uint64_t rights_known(void)
{
	static const int bits[] = {0, 13, 14, 15, 15, 16};
	static const int newest = sizeof bits / sizeof *bits - 1;
	int version = confine_landlock();
	return (UINT64_C(1) << bits[version > newest ? newest : version]) - 1;
}

void confine_print(struct str *out)
{
	int version = confine_landlock();
	if (version == 0) {
		str_addz(out, "seccomp, no landlock");
		return;
	}
	str_printf(out, "seccomp, landlock %d", version);
	if (version < LANDLOCK_MOVES)
		str_addz(out, ": readers only");
	else if (version < LANDLOCK_PORTS)
		str_addz(out, ": no ports, no scopes");
	else if (version < LANDLOCK_SCOPES)
		str_addz(out, ": no scopes");
}

static uint64_t rights_of(unsigned access)
{
	uint64_t rights = READ_BITS;
	rights |= access & CONFINE_WRITE ? WRITE_BITS : 0;
	rights |= access & CONFINE_EXECUTE ? (uint64_t)LANDLOCK_ACCESS_FS_EXECUTE : 0;
	return rights;
}

static bool allow_place(int ruleset, struct confine_place *place)
{
	int fd = open(place->path, O_PATH | O_CLOEXEC);
	struct stat st;
	if (fd < 0)
		return true; /* nothing is there */
	bool done = fstat(fd, &st) == 0;
	if (done) {
		struct landlock_path_beneath_attr rule = {
			.allowed_access = rights_of(place->access) & rights_known(), .parent_fd = fd};
		if (!S_ISDIR(st.st_mode))
			rule.allowed_access &= FILE_BITS;
		place->device = st.st_dev;
		place->inode = st.st_ino;
		done = ruleset < 0 || syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
					      &rule, (uint32_t)0) == 0;
	}
	(void)close(fd);
	return done;
}

static bool allow_port(int ruleset, uint16_t port)
{
	const struct port_rule rule = {ACCESS_NET_CONNECT_TCP, port};
	return syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, (uint32_t)0) == 0;
}

/* Moving between directories is the one right that any ruleset takes, also from those who are forked later, unless it is granted. */
static bool allow_moves(int ruleset)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = LANDLOCK_ACCESS_FS_REFER, .parent_fd = open("/", O_PATH | O_CLOEXEC)};
	bool done = rule.parent_fd >= 0 && syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
						   &rule, (uint32_t)0) == 0;
	if (rule.parent_fd >= 0)
		(void)close(rule.parent_fd);
	return done;
}

static int ruleset_make(const struct ruleset *attr)
{
	int version = confine_landlock();
	size_t size = version < LANDLOCK_PORTS    ? offsetof(struct ruleset, ports)
		      : version < LANDLOCK_SCOPES ? offsetof(struct ruleset, scopes)
						  : sizeof *attr;
	return (int)syscall(SYS_landlock_create_ruleset, attr, size, (uint32_t)0);
}

static bool landlock_enter(const struct confinement *confinement)
{
	if (confinement->kind == CONFINED_SLEEPER)
		return true; /* the program reaches its libraries, and then keeps itself inside */
	unsigned groups = kinds[confinement->kind].groups;
	bool writes = (groups & WRITING) != 0;
	struct confine_places none = {0}, *places = confinement->places ? confinement->places : &none;
	struct ruleset attr = {.files = rights_known(),
		.ports = ACCESS_NET_BOTH,
		.scopes = kinds[confinement->kind].is_kept ? SCOPE_BOTH : SCOPE_SIGNALS};
	/* Its children choose their places and ports themselves, when they know their server. */
	if (confinement->kind == CONFINED_ZYGOTE_LINES) {
		attr.files = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_REFER;
		attr.ports = 0;
	}
	bool done = true;
	int ruleset = -1;
	if (confine_landlock() >= (writes ? LANDLOCK_MOVES : 1)) {
		ruleset = ruleset_make(&attr);
		done = ruleset >= 0;
	}
	for (size_t i = 0; i < places->count && done; i++)
		done = allow_place(ruleset, &places->place[i]);
	if (confinement->kind == CONFINED_ZYGOTE_LINES && ruleset >= 0)
		done = done && allow_moves(ruleset);
	if (done && confinement->port && confine_landlock() >= LANDLOCK_PORTS)
		done = allow_port(ruleset, confinement->port) && allow_port(ruleset, PORT_NAMES);
	done = done && (ruleset < 0 || syscall(SYS_landlock_restrict_self, ruleset, (uint32_t)0) == 0);
	if (ruleset >= 0)
		(void)close(ruleset);
	return done;
}

bool confine_files(void)
{
	const struct confinement reader = {.kind = CONFINED_READER};
	return confine_has_landlock() && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       landlock_enter(&reader);
}

/* ---- limits and privileges ---- */

static bool limit_set(int resource, rlim_t limit)
{
	struct rlimit old;
	if (getrlimit((__rlimit_resource_t)resource, &old) == 0 && old.rlim_max < limit)
		limit = old.rlim_max;
	return setrlimit((__rlimit_resource_t)resource, &(struct rlimit){limit, limit}) == 0;
}

static enum rc limits_enter(const struct confine_limits *limits, struct err *err)
{
	bool done = limit_set(RLIMIT_CORE, 0);
	if (limits->memory_bytes && !SANITIZED)
		done = done && limit_set(RLIMIT_AS, limits->memory_bytes);
	if (limits->cpu_seconds)
		done = done && limit_set(RLIMIT_CPU, limits->cpu_seconds);
	if (limits->file_bytes || limits->no_files)
		done = done && limit_set(RLIMIT_FSIZE, limits->file_bytes);
	/* Not 0: poll() refuses more entries than that. Descriptor 0 is in use, so no other can be made. */
	if (limits->no_files)
		done = done && limit_set(RLIMIT_NOFILE, 1);
	if (!done)
		return err_set(
			err, RC_CONFIG, "A limit of a process could not be set: %s.", errno_text(errno));
	if (limits->wall_seconds)
		(void)alarm(limits->wall_seconds);
	return RC_OK;
}

/* Root's rights that a role may need: into files that belong to others. */
static const unsigned kept_of_root[] = {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER,
	CAP_FSETID, CAP_IPC_LOCK /* secrets stay in memory */};

/* Of others there is nothing to lose: without root all sets are empty, or soon are by no_new_privs. */
static void capabilities_drop(bool is_child)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct have[2] = {{0}}, keep[2] = {{0}};
	if (!is_child)
		for (size_t i = 0; i < sizeof kept_of_root / sizeof *kept_of_root; i++)
			keep[0].permitted |= 1u << kept_of_root[i];
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	for (unsigned capability = 0; capability <= CAP_LAST_CAP; capability++)
		if (capability >= 32 || !(keep[0].permitted & 1u << capability))
			(void)prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
	if (syscall(SYS_capget, &head, have) != 0)
		return;
	keep[0].permitted &= geteuid() == 0 ? have[0].permitted : 0;
	keep[0].effective = keep[0].permitted;
	(void)syscall(SYS_capset, &head, keep);
}

/* What stays given up in those who are forked later. */
static bool rights_drop(const struct confinement *confinement)
{
	/* By this process or the one it was forked from: it has no capability and reaches no file. */
	static bool has_none;
	bool is_child = kinds[confinement->kind].is_child;
	if (is_child && has_none && !confinement->places)
		return true;
	capabilities_drop(is_child);
	bool done =
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && (SANITIZED || prctl(PR_SET_DUMPABLE, 0) == 0);
	/* Files need a descriptor, so before there can be none. */
	done = done && landlock_enter(confinement);
	has_none = done && is_child && !confinement->places;
	return done;
}

enum rc confine_self(const struct confinement *confinement, struct err *err)
{
	enum rc rc = confine_prepare_kind(confinement->kind, err);
	if (rc)
		return rc;
	bool done = rights_drop(confinement);
	if (done) {
		rc = limits_enter(&confinement->limits, err);
		done = rc || filter_enter(confinement->kind);
	}
	if (!done)
		rc = err_set(
			err, RC_CONFIG, "A process could not give up its rights: %s.", errno_text(errno));
	return rc;
}

enum rc confine_prepare(struct err *err)
{
	return confine_prepare_kind(CONFINED_READER, err);
}

enum rc child_confine(const struct confine_limits *limits, struct err *err)
{
	struct confinement reader = {.kind = CONFINED_READER, .limits = *limits};
	reader.limits.no_files = true;
	return confine_self(&reader, err);
}
