#include "tests/taken_over.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

struct deed_places deed_places;

#define CHILDS_END 3 /* zygote_serve.h: its socket to the role */

void deed_places_pass(void)
{
	static char number[2][16];
	(void)snprintf(number[0], sizeof number[0], "%d", deed_places.tcp_port);
	(void)snprintf(number[1], sizeof number[1], "%d", deed_places.parent);
	(void)setenv("SENGEN_DEED_SECRET", deed_places.secret, 1);
	(void)setenv("SENGEN_DEED_DIRECTORY", deed_places.directory, 1);
	(void)setenv("SENGEN_DEED_LOCAL", deed_places.local_socket, 1);
	(void)setenv("SENGEN_DEED_ABSTRACT", deed_places.abstract_socket, 1);
	(void)setenv("SENGEN_DEED_PORT", number[0], 1);
	(void)setenv("SENGEN_DEED_PARENT", number[1], 1);
}

static void deed_places_take(void)
{
	if (deed_places.secret || !getenv("SENGEN_DEED_SECRET"))
		return;
	deed_places.secret = getenv("SENGEN_DEED_SECRET");
	deed_places.directory = getenv("SENGEN_DEED_DIRECTORY");
	deed_places.local_socket = getenv("SENGEN_DEED_LOCAL");
	deed_places.abstract_socket = getenv("SENGEN_DEED_ABSTRACT");
	deed_places.tcp_port = atoi(getenv("SENGEN_DEED_PORT"));
	deed_places.parent = atoi(getenv("SENGEN_DEED_PARENT"));
}

static char *place(const char *name)
{
	static char path[4096];
	(void)snprintf(path, sizeof path, "%s/%s", deed_places.directory, name);
	return path;
}

/* ---- files ---- */

static int read_secret(void)
{
	return open(deed_places.secret, O_RDONLY | O_CLOEXEC);
}

static int read_passwd(void)
{
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC);
}

static int read_root(void)
{
	return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int read_memory_of_parent(void)
{
	char path[64];
	(void)snprintf(path, sizeof path, "/proc/%d/mem", deed_places.parent);
	return open(path, O_RDWR | O_CLOEXEC);
}

static int read_environment(void)
{
	return open("/proc/self/environ", O_RDONLY | O_CLOEXEC);
}

static int read_device(void)
{
	return open("/dev/mem", O_RDONLY | O_CLOEXEC);
}

static int write_secret(void)
{
	return open(deed_places.secret, O_WRONLY | O_CLOEXEC);
}

static int create(void)
{
	return open(place("new"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

static int create_unnamed(void)
{
	return open(deed_places.directory, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
}

static int create_in_tmp(void)
{
	return open("/tmp/sengen-must-not-exist", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

static int truncate_secret(void)
{
	return truncate(deed_places.secret, 0);
}

static int remove_secret(void)
{
	return unlink(deed_places.secret);
}

static int rename_secret(void)
{
	return rename(deed_places.secret, place("renamed"));
}

static int link_secret(void)
{
	return link(deed_places.secret, place("linked"));
}

static int make_link(void)
{
	return symlink("/etc/passwd", place("symlink"));
}

static int make_directory(void)
{
	return mkdir(place("directory"), 0700);
}

static int make_fifo(void)
{
	return mknod(place("fifo"), S_IFIFO | 0600, 0);
}

static int by_handle(void)
{
	union {
		struct file_handle handle;
		char room[sizeof(struct file_handle) + 128];
	} handle = {.handle = {.handle_bytes = 128}};
	int mount_id;
	if (name_to_handle_at(AT_FDCWD, deed_places.secret, &handle.handle, &mount_id, 0) != 0)
		return -1;
	return open_by_handle_at(AT_FDCWD, &handle.handle, O_RDONLY);
}

/* ---- sockets ---- */

static int connect_tcp_to(int port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return fd < 0 ? -1 : connect(fd, (const struct sockaddr *)&to, sizeof to);
}

static int connect_tcp(void)
{
	return connect_tcp_to(deed_places.tcp_port);
}

static int connect_udp(void)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(9), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return fd < 0 ? -1 : connect(fd, (const struct sockaddr *)&to, sizeof to);
}

static int connect_local_to(const char *path, bool abstract)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t len = strlen(path);
	memcpy(to.sun_path + abstract, path, len);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return fd < 0 ? -1
		      : connect(fd, (const struct sockaddr *)&to,
				(socklen_t)(offsetof(struct sockaddr_un, sun_path) + abstract + len));
}

static int connect_local(void)
{
	return connect_local_to(deed_places.local_socket, false);
}

static int connect_abstract(void)
{
	return connect_local_to(deed_places.abstract_socket, true);
}

static int open_internet_socket(void)
{
	return socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int open_raw_socket(void)
{
	return socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
}

/* Whichever the kernel has. */
static int open_other_socket(void)
{
	static const int families[] = {
		AF_PACKET, AF_VSOCK, AF_ALG, AF_BLUETOOTH, AF_KEY, AF_RDS, AF_TIPC, AF_XDP, AF_CAN, AF_SMC};
	int fault = EPERM;
	for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
		int fd = socket(families[i], SOCK_RAW | SOCK_CLOEXEC, 0);
		fd = fd < 0 ? socket(families[i], SOCK_SEQPACKET | SOCK_CLOEXEC, 0) : fd;
		if (fd >= 0)
			return fd;
		fault = errno == EPERM || errno == EACCES ? fault : errno;
	}
	errno = fault;
	return fault == EPERM ? -1 : fault; /* the kernel itself was asked */
}

static int open_audit_socket(void)
{
	return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);
}

static int listen_tcp(void)
{
	struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&here, sizeof here) != 0)
		return -1;
	return listen(fd, 1);
}

/* Whatever descriptors it holds besides its own socket and the three of every process: another socket of the zygote's would be one. */
static int use_other_descriptors(void)
{
	for (int fd = CHILDS_END + 1; fd < 1024; fd++)
		if (write(fd, "\0\0\0\011\024\0\0\0\0\0\0\0\1", 13) >= 0 || errno != EBADF)
			return fd;
	errno = EBADF;
	return -1;
}

/* ---- processes ---- */

static int fork_once(void)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	return pid;
}

static int fork_by_number(void)
{
#ifdef SYS_fork
	long pid = syscall(SYS_fork);
#else
	long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
#endif
	if (pid == 0)
		_exit(0);
	return (int)pid;
}

static int vfork_once(void)
{
	pid_t pid = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork) */
	if (pid == 0)
		_exit(0);
	return pid;
}

static int clone_3(void)
{
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	} args = {.exit_signal = SIGCHLD};
	long pid = syscall(SYS_clone3, &args, sizeof args);
	if (pid == 0)
		_exit(0);
	return (int)pid;
}

static int new_namespace(void)
{
	long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		_exit(0);
	return (int)pid;
}

static int start_program(void)
{
	return execl("/bin/true", "true", (char *)NULL);
}

static int start_by_loader(void)
{
	return execl("/lib64/ld-linux-x86-64.so.2", "ld.so", "/bin/true", (char *)NULL);
}

static int start_from_memory(void)
{
	static char name[] = "true";
	char *const argument[] = {name, NULL}, *const environment[] = {NULL};
	int from = open("/bin/true", O_RDONLY | O_CLOEXEC), to = memfd_create("program", MFD_CLOEXEC);
	char bytes[4096];
	ssize_t n;
	if (to < 0)
		return -1;
	while (from >= 0 && (n = read(from, bytes, sizeof bytes)) > 0)
		if (write(to, bytes, (size_t)n) != n)
			return -1;
	return fexecve(to, argument, environment);
}

static int start_at(void)
{
	return (int)syscall(SYS_execveat, AT_FDCWD, "/bin/true", NULL, NULL, 0);
}

static int trace_parent(void)
{
	return (int)ptrace(PTRACE_SEIZE, deed_places.parent, NULL, NULL);
}

static int look_into_parent(void)
{
	char byte;
	struct iovec here = {&byte, 1}, there = {&deed_places, 1};
	return (int)process_vm_readv(deed_places.parent, &here, 1, &there, 1, 0);
}

static int write_into_parent(void)
{
	char byte = 1;
	struct iovec here = {&byte, 1}, there = {&deed_places, 1};
	return (int)process_vm_writev(deed_places.parent, &here, 1, &there, 1, 0);
}

static int take_descriptor_of_parent(void)
{
	long process = syscall(SYS_pidfd_open, deed_places.parent, 0);
	return process < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, process, 0, 0);
}

static int kill_parent(void)
{
	return kill(deed_places.parent, SIGCONT); /* which does no harm should it arrive */
}

static int kill_thread_of_parent(void)
{
	return (int)syscall(SYS_tgkill, deed_places.parent, deed_places.parent, SIGCONT);
}

static int signal_by_owner(void)
{
	int fault = fcntl(CHILDS_END, F_SETOWN, deed_places.parent);
	return fault;
}

static int limit_parent(void)
{
	struct rlimit none = {.rlim_cur = 8192, .rlim_max = 8192};
	return prlimit(deed_places.parent, RLIMIT_NOFILE, &none, NULL);
}

static int raise_own_limit(void)
{
	struct rlimit much = {RLIM_INFINITY, RLIM_INFINITY};
	return setrlimit(RLIMIT_CORE, &much);
}

/* ---- memory ---- */

static int map_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
			       MAP_FAILED
		       ? -1
		       : 0;
}

static int turn_into_code(void)
{
	void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return at == MAP_FAILED ? -1 : mprotect(at, 4096, PROT_READ | PROT_EXEC);
}

static int map_code_of_file(void)
{
	int fd = memfd_create("code", MFD_CLOEXEC);
	if (fd < 0 || write(fd, "\xc3", 1) != 1)
		return -1;
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED ? -1 : 0;
}

/* ---- the kernel ---- */

static int io_ring(void)
{
	char params[256] = {0};
	return (int)syscall(SYS_io_uring_setup, 4, params);
}

static int bpf_map(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
	return (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof attr);
}

static int user_faults(void)
{
	return (int)syscall(SYS_userfaultfd, O_CLOEXEC);
}

static int watch_events(void)
{
	char attr[128] = {0};
	return (int)syscall(SYS_perf_event_open, attr, 0, -1, -1, 0UL);
}

static int use_keys(void)
{
	return (int)syscall(SYS_keyctl, 0 /* KEYCTL_GET_KEYRING_ID */, -3, 1);
}

static int add_key(void)
{
	return (int)syscall(SYS_add_key, "user", "sengen-test", "x", (size_t)1, -2);
}

static int mount_something(void)
{
	return mount("none", deed_places.directory, "tmpfs", 0, "");
}

static int unshare_something(void)
{
	return unshare(CLONE_NEWUSER);
}

static int change_root(void)
{
	return chroot(deed_places.directory);
}

static int become_root(void)
{
	return setuid(0);
}

static int take_capabilities(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct all[2] = {{~0u, ~0u, ~0u}, {~0u, ~0u, ~0u}};
	return (int)syscall(SYS_capset, &head, all);
}

static int become_dumpable(void)
{
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static int take_back_no_new_privs(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0);
}

static int take_back_filter(void)
{
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_DISABLED, NULL);
}

static int push_input(void)
{
	return ioctl(STDERR_FILENO, TIOCSTI, "x");
}

/* ---- lies to the role: they "work", and it is the role that must not mind ---- */

/* false: the role has hung up. */
static bool say(const void *bytes, size_t len)
{
	return write(CHILDS_END, bytes, len) == (ssize_t)len;
}

static int lie_of_4_gib(void)
{
	static const char zeroes[65536];
	bool heard = say("\xff\xff\xff\xff\016", 5);
	while (heard)
		heard = say(zeroes, sizeof zeroes);
	return 0;
}

static int lie_without_end(void)
{
	while (say("\0\0\0\x01\x02", 5)) { /* empty frames of the head */
	}
	return 0;
}

static int lie_records_without_end(void)
{
	while (say("\0\0\0\x01\x03", 5)) {
	}
	return 0;
}

static int lie_nonsense(void)
{
	static const char nonsense[] = "\0\0\0\x10\x0e{\"kind\":\"stop\"\0\0\0\x02\x0c\xff\0\0\0\x02\x04\x7f";
	return say(nonsense, sizeof nonsense - 1) ? 0 : -1;
}

static int lie_half(void)
{
	_exit(say("\0\0\x10\0\x0e half of it", 16));
}

static int lie_silence(void)
{
	while (poll(NULL, 0, 1000) == 0) {
	}
	return 0;
}

/* "What is wrong is the office's configuration, not this file." */
static int lie_configuration(void)
{
	_exit(say("\0\0\0\x16\x04\0\0\0\0\0\0\0\x03\0\0\0\x01x\0\0\0\x04zzzz", 26));
}

static int lie_descriptor(void)
{
	char control[CMSG_SPACE(sizeof(int))] = {0};
	int own = CHILDS_END;
	char head[] = "\0\0\0\x02\x0ex";
	struct iovec part = {head, 6};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&message);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof own);
	memcpy(CMSG_DATA(cmsg), &own, sizeof own);
	for (int i = 0; i < 100; i++)
		if (sendmsg(CHILDS_END, &message, MSG_NOSIGNAL) < 0)
			break;
	_exit(0);
}

/* ---- the table ---- */

const struct deed deeds[] = {
	{"read-secret", read_secret, 0},
	{"read-passwd", read_passwd, TAKEN_ROLE},
	{"read-root", read_root, 0},
	{"read-memory-of-parent", read_memory_of_parent, 0},
	{"read-environment", read_environment, 0},
	{"read-device", read_device, 0},
	{"write-secret", write_secret, 0},
	{"create", create, 0},
	{"create-unnamed", create_unnamed, 0},
	{"create-in-tmp", create_in_tmp, 0},
	{"truncate", truncate_secret, 0},
	{"remove", remove_secret, 0},
	{"rename", rename_secret, 0},
	{"link", link_secret, 0},
	{"symlink", make_link, 0},
	{"mkdir", make_directory, 0},
	{"fifo", make_fifo, 0},
	{"open-by-handle", by_handle, 0},

	{"connect-tcp", connect_tcp, 0}, /* before Landlock 4 a line may: see the test */
	{"connect-udp", connect_udp, TAKEN_LINE}, /* names */
	{"connect-local", connect_local, TAKEN_ROLE},
	{"connect-abstract", connect_abstract, TAKEN_ROLE},
	{"internet-socket", open_internet_socket, TAKEN_LINE},
	{"raw-socket", open_raw_socket, 0},
	{"other-socket", open_other_socket, 0},
	{"audit-socket", open_audit_socket, 0},
	{"listen", listen_tcp, 0},
	{"other-descriptors", use_other_descriptors, 0},

	{"fork", fork_once, TAKEN_DESK},
	{"fork-by-number", fork_by_number, TAKEN_DESK},
	{"vfork", vfork_once, TAKEN_DESK},
	{"clone3", clone_3, 0},
	{"new-namespace", new_namespace, 0},
	{"exec", start_program, 0},
	{"exec-loader", start_by_loader, TAKEN_DESK} /* the loader is what starts sengen-pdf */,
	{"exec-memory", start_from_memory, 0},
	{"exec-at", start_at, 0},
	{"ptrace", trace_parent, 0},
	{"process-read", look_into_parent, 0},
	{"process-write", write_into_parent, 0},
	{"pidfd-getfd", take_descriptor_of_parent, 0},
	{"kill", kill_parent, 0},
	{"tgkill", kill_thread_of_parent, 0},
	{"signal-by-owner", signal_by_owner, TAKEN_ROLE},
	{"limit-parent", limit_parent, 0},
	{"raise-limit", raise_own_limit, 0},

	{"map-code", map_code, 0},
	{"turn-into-code", turn_into_code, 0},
	{"map-code-of-file", map_code_of_file,
		TAKEN_PDF | TAKEN_ROLE}, /* it was started under the desk's filter; fonts' libraries */

	{"io-uring", io_ring, 0},
	{"bpf", bpf_map, 0},
	{"userfaultfd", user_faults, 0},
	{"perf", watch_events, 0},
	{"keyctl", use_keys, 0},
	{"add-key", add_key, 0},
	{"mount", mount_something, 0},
	{"unshare", unshare_something, 0},
	{"chroot", change_root, 0},
	{"setuid", become_root, 0},
	{"capset", take_capabilities, 0},
	{"dumpable", become_dumpable, TAKEN_DESK},
	{"no-new-privs", take_back_no_new_privs, 0},
	{"seccomp-off", take_back_filter, 0},
	{"terminal-input", push_input, 0},

	{"lie-4-gib", lie_of_4_gib, ~0u},
	{"lie-endless", lie_without_end, ~0u},
	{"lie-endless-records", lie_records_without_end, ~0u},
	{"lie-nonsense", lie_nonsense, ~0u},
	{"lie-half", lie_half, ~0u},
	{"lie-silence", lie_silence, ~0u},
	{"lie-configuration", lie_configuration, ~0u},
	{"lie-descriptor", lie_descriptor, ~0u},
};
const size_t deed_count = sizeof deeds / sizeof *deeds;

bool taken_over_by(const char *bytes, size_t len, char *what, size_t size)
{
	const char *at = bytes ? memmem(bytes, len, TAKEN_OVER_MARK, strlen(TAKEN_OVER_MARK)) : NULL;
	if (!at)
		return false;
	deed_places_take();
	at += strlen(TAKEN_OVER_MARK);
	size_t left = len - (size_t)(at - bytes);
	for (size_t i = 0; i < deed_count; i++) {
		size_t name = strlen(deeds[i].name);
		if (left < name || memcmp(at, deeds[i].name, name) != 0 || (left > name && at[name] > ' '))
			continue;
		int got = deeds[i].does();
		if (got < 0)
			(void)snprintf(what, size, "refused: %d", errno);
		else
			(void)snprintf(what, size, "worked");
		return true;
	}
	return false;
}

/* ---- in place of the child's own work ---- */

#include "lib/form/form.h"
#include "lib/mail/mailbox.h"
#include "lib/mail/received.h"
#include "lib/mail/transport.h"

enum rc __real_form_read(const char *bytes, size_t len, const struct fieldmap *map,
	const struct form_limits *limits, form_record_fn *fn, void *ctx, const char **why_ja,
	struct err *err);
enum rc __wrap_form_read(const char *bytes, size_t len, const struct fieldmap *map,
	const struct form_limits *limits, form_record_fn *fn, void *ctx, const char **why_ja,
	struct err *err);
enum rc __wrap_form_read(const char *bytes, size_t len, const struct fieldmap *map,
	const struct form_limits *limits, form_record_fn *fn, void *ctx, const char **why_ja, struct err *err)
{
	char what[64];
	if (taken_over_by(bytes, len, what, sizeof what))
		return err_set(err, RC_REFUSED, "%s", what);
	return __real_form_read(bytes, len, map, limits, fn, ctx, why_ja, err);
}

enum rc __real_received_read(struct received *out, const char *bytes, size_t len,
	const struct received_context *context, struct pool *pool, struct err *err);
enum rc __wrap_received_read(struct received *out, const char *bytes, size_t len,
	const struct received_context *context, struct pool *pool, struct err *err);
enum rc __wrap_received_read(struct received *out, const char *bytes, size_t len,
	const struct received_context *context, struct pool *pool, struct err *err)
{
	char what[64];
	if (taken_over_by(bytes, len, what, sizeof what))
		return err_set(err, RC_REFUSED, "%s", what);
	return __real_received_read(out, bytes, len, context, pool, err);
}

void __real_transport_send(struct transport *transport, const struct parcel *parcel, struct delivery *out);
void __wrap_transport_send(struct transport *transport, const struct parcel *parcel, struct delivery *out);
void __wrap_transport_send(struct transport *transport, const struct parcel *parcel, struct delivery *out)
{
	*out = (struct delivery){.outcome = OUTCOME_TEMPORARY, .phase = "connect"};
	if (!taken_over_by(parcel->wire, parcel->len, out->reply, sizeof out->reply))
		__real_transport_send(transport, parcel, out);
}

enum rc __real_mailbox_list(struct mailbox *mailbox, enum folder folder, const char *after, size_t limit,
	struct mailbox_list *out, struct pool *pool, struct err *err);
enum rc __wrap_mailbox_list(struct mailbox *mailbox, enum folder folder, const char *after, size_t limit,
	struct mailbox_list *out, struct pool *pool, struct err *err);
enum rc __wrap_mailbox_list(struct mailbox *mailbox, enum folder folder, const char *after, size_t limit,
	struct mailbox_list *out, struct pool *pool, struct err *err)
{
	char what[64];
	if (after && taken_over_by(after, strlen(after), what, sizeof what))
		return err_set(err, RC_SERVER, "%s", what);
	return __real_mailbox_list(mailbox, folder, after, limit, out, pool, err);
}

enum rc __real_mailbox_fetch(struct mailbox *mailbox, const char *uid, struct str *raw, struct err *err);
enum rc __wrap_mailbox_fetch(struct mailbox *mailbox, const char *uid, struct str *raw, struct err *err);
enum rc __wrap_mailbox_fetch(struct mailbox *mailbox, const char *uid, struct str *raw, struct err *err)
{
	char what[64];
	enum rc rc = __real_mailbox_fetch(mailbox, uid, raw, err);
	static const char line[] = "X-Line: " TAKEN_OVER_MARK;
	const char *at = rc ? NULL : memmem(raw->s, raw->len, line, sizeof line - 1);
	if (at && taken_over_by(at, raw->len - (size_t)(at - raw->s), what, sizeof what))
		return err_set(err, RC_SERVER, "%s", what);
	return rc;
}
