#include "lib/base/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
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

#include "lib/base/confine_kinds.h"

/* ---- the filter of system calls ---- */

/* Refused calls are named in the audit log where the kernel has one. */
static bool filter_enter(enum confined kind)
{
	const struct confined_filter *filter = &confined_filters[kind];
	const struct sock_fprog program = {
		.len = filter->len, .filter = (struct sock_filter *)(uintptr_t)filter->filter};
	unsigned flags = confined_kinds[kind].kills ? 0 : SECCOMP_FILTER_FLAG_LOG;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program) == 0;
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
	unsigned groups = confined_kinds[confinement->kind].groups;
	bool writes = (groups & WRITING) != 0;
	struct confine_places none = {0}, *places = confinement->places ? confinement->places : &none;
	struct ruleset attr = {.files = rights_known(),
		.ports = ACCESS_NET_BOTH,
		.scopes = confined_kinds[confinement->kind].is_kept ? SCOPE_BOTH : SCOPE_SIGNALS};
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
	bool is_child = confined_kinds[confinement->kind].is_child;
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
	enum rc rc = RC_OK;
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

void confine_prepare(void)
{
	(void)confine_landlock();
}

enum rc child_confine(const struct confine_limits *limits, struct err *err)
{
	struct confinement reader = {.kind = CONFINED_READER, .limits = *limits};
	reader.limits.no_files = true;
	return confine_self(&reader, err);
}
