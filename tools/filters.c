/*
 * filters.c - the filters of system calls, as C for the kernel
 *
 * Writes confined_filters[] (lib/base/confine_kinds.h) to standard output: of each kind of process the calls of its groups, as libseccomp makes a
 * program for the kernel of them. They are the same at each start of the same build, so they are made with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/confine_kinds.h"

/* ---- the tables ---- */

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
	unsigned groups = confined_kinds[kind].groups;
	int rc = allow_calls(filter, groups);
	rc = rc ? rc : allow_judged(filter, groups);
	if (confined_kinds[kind].kills)
		return rc ? rc : refuse_reading(filter);
	/* Its flags can't be looked at; the C library then takes clone(), whose can. */
	rc = rc ? rc : seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	for (size_t i = 0; i < sizeof deadly / sizeof *deadly && rc == 0; i++)
		if (!(deadly[i].groups & groups))
			rc = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, deadly[i].number, 0);
	return rc;
}

/* The kernel's form of it, by way of a file that is gone with the process. Returns an error number. */
static int filter_export(scmp_filter_ctx filter, struct sock_filter *program, size_t *len)
{
	FILE *file = tmpfile();
	if (!file)
		return errno;
	int fault = -seccomp_export_bpf(filter, fileno(file));
	ssize_t size = fault ? 0 : pread(fileno(file), program, BPF_MAXINSNS * sizeof *program, 0);
	if (!fault && size <= 0)
		fault = EIO;
	*len = fault ? 0 : (size_t)size / sizeof *program;
	(void)fclose(file);
	return fault;
}

static int filter_make(enum confined kind, struct sock_filter *program, size_t *len)
{
	scmp_filter_ctx filter =
		seccomp_init(confined_kinds[kind].kills ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ERRNO(EPERM));
	if (!filter)
		return ENOMEM;
	/* A long list is searched as a tree. */
	if (!confined_kinds[kind].kills)
		(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	int fault = -filter_fill(filter, kind);
	fault = fault ? fault : filter_export(filter, program, len);
	seccomp_release(filter);
	return fault;
}

int main(void)
{
	static struct sock_filter program[BPF_MAXINSNS];
	size_t len[CONFINED_COUNT] = {0};
	/* What the kernel can that it is built on says nothing about the one it will run on: killing a process came with 4.14. */
	(void)seccomp_api_set(3);
	(void)puts("#include \"lib/base/confine_kinds.h\"\n");
	for (int kind = 0; kind < CONFINED_COUNT; kind++) {
		int fault = filter_make((enum confined)kind, program, &len[kind]);
		if (fault) {
			(void)fprintf(stderr, "filters: the filter %d could not be made: %s\n", kind,
				strerror(fault));
			return 1;
		}
		(void)printf("static const struct sock_filter filter_%d[] = {\n", kind);
		for (size_t i = 0; i < len[kind]; i++)
			(void)printf("\t{%u, %u, %u, %uu},\n", program[i].code, program[i].jt, program[i].jf,
				program[i].k);
		(void)puts("};");
	}
	(void)puts("const struct confined_filter confined_filters[CONFINED_COUNT] = {");
	for (int kind = 0; kind < CONFINED_COUNT; kind++)
		(void)printf("\t{%zu, filter_%d},\n", len[kind], kind);
	(void)puts("};");
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
