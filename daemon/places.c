#include "daemon/places.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/program.h"
#include "lib/desk/report.h"

#define OF(kind) (1u << (kind))
#define ALL (~0u)

enum { /* who; all roles in one process are each of them */
	DESK = 1 << CONFINED_DESK | 1 << CONFINED_TURN,
	INTAKE = 1 << CONFINED_INTAKE | 1 << CONFINED_TURN,
	SENDER = 1 << CONFINED_SENDER | 1 << CONFINED_TURN,
	MAILBOX = 1 << CONFINED_MAILBOX | 1 << CONFINED_TURN,
};

/* ---- the tables ---- */

/* The same on every machine. */
static const struct {
	const char *path;
	unsigned who;
	unsigned access;
} of_system[] = {
	{"/etc", ALL,
		CONFINE_READ}, /* users and groups, zone, machine-id; all of it are files that are replaced */
	{"/usr", ALL, CONFINE_READ}, /* zones, converters, locales, libraries that names of users take */
	{"/lib", ALL, CONFINE_READ},
	{"/lib64", ALL, CONFINE_READ},
	{"/var/lib/sss", ALL, CONFINE_READ}, /* users of a directory service */
	{"/dev/null", ALL, CONFINE_WRITE},
	{"/dev/urandom", ALL, CONFINE_READ},
#if defined(__SANITIZE_ADDRESS__)
	{"/proc", ALL, CONFINE_READ},
#endif
	{"/var/cache/fontconfig", DESK, CONFINE_READ}, /* sengen-pdf, which it starts */
	{"/lib64/ld-linux-x86-64.so.2", DESK, CONFINE_EXECUTE},
	{"/lib/ld-linux-aarch64.so.1", DESK, CONFINE_EXECUTE},
	{"/lib/ld-linux-armhf.so.3", DESK, CONFINE_EXECUTE},
	{"/lib/ld-linux-riscv64-lp64d.so.1", DESK, CONFINE_EXECUTE},
};

/* As the settings name them. */
static const struct {
	size_t offset; /* of a char * in struct settings */
	unsigned who;
	unsigned access;
	bool is_file; /* its directory counts */
} of_settings[] = {
	{offsetof(struct settings, path), ALL, CONFINE_READ, true},
	{offsetof(struct settings, template_directory), ALL, CONFINE_READ, false},
	{offsetof(struct settings, calendar_overrides), ALL, CONFINE_READ, true},
	{offsetof(struct settings, form_fields), ALL, CONFINE_READ, true},
	{offsetof(struct settings, wording), ALL, CONFINE_READ, true},
	{offsetof(struct settings, credential_key_from), ALL, CONFINE_READ, true},
	{offsetof(struct settings, state_directory), ALL, CONFINE_WRITE, false},
	{offsetof(struct settings, store_path), ALL, CONFINE_WRITE, true},
	{offsetof(struct settings, witness_path), ALL, CONFINE_WRITE, true},
	{offsetof(struct settings, runtime_directory), ALL, CONFINE_WRITE, false},
	{offsetof(struct settings, spool_directory), INTAKE | DESK, CONFINE_WRITE, false},
	{offsetof(struct settings, report_directory), DESK, CONFINE_WRITE, false},
	{offsetof(struct settings, public_directory), DESK, CONFINE_WRITE, false},
	{offsetof(struct settings, metrics_file), DESK, CONFINE_WRITE, true},
	/* The desk watches whether they run out. */
	{offsetof(struct settings, transport.ca_file), DESK, CONFINE_READ, true},
	{offsetof(struct settings, mailbox.ca_file), DESK, CONFINE_READ, true},
	{offsetof(struct settings, smime.certificate), SENDER | DESK, CONFINE_READ, true},
	{offsetof(struct settings, smime.chain), SENDER | DESK, CONFINE_READ, true},
	{offsetof(struct settings, smime.key_from), SENDER, CONFINE_READ, true},
	{offsetof(struct settings, transport.password_from), SENDER, CONFINE_READ, true},
	{offsetof(struct settings, mailbox.password_from), MAILBOX, CONFINE_READ, true},
};

/* Beside the running program: what comes along with it where it was not installed below /usr. */
static const char *const of_program[] = {"", "/../share", "/../config", "/../templates", "/../../share"};

static const char *const of_line[] = {
	"/etc/resolv.conf",
	"/etc/hosts",
	"/etc/host.conf",
	"/etc/nsswitch.conf",
	"/etc/gai.conf",
	"/etc/services",
	"/etc/protocols",
	"/etc/localtime",
	"/etc/ssl",
	"/etc/gnutls",
	"/etc/pki/tls/certs",
	"/etc/ca-certificates",
	"/etc/pkcs11",
	"/etc/crypto-policies",
	"/run/systemd/resolve",
	"/run/resolvconf",
	"/run/NetworkManager",
	"/run/connman",
	"/usr/share/ca-certificates",
	"/usr/local/share/ca-certificates",
	"/usr/share/p11-kit",
	"/usr/share/zoneinfo",
	"/usr/lib",
	"/lib",
	"/lib64",
	"/dev/null",
	"/dev/urandom",
};

/* ---- a role ---- */

static void add_program(struct confine_places *places, bool starts_pdf)
{
	char self[PATH_MAX];
	struct str path = STR_INIT;
	struct err unheard = {0};
	ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
	self[len > 0 ? len : 0] = '\0';
	char *slash = strrchr(self, '/');
	if (slash)
		*slash = '\0';
	for (size_t i = 0; slash && i < sizeof of_program / sizeof *of_program; i++) {
		str_clear(&path);
		str_printf(&path, "%s%s", self, of_program[i]);
		confine_allow(places, path.s, CONFINE_READ);
	}
	str_clear(&path);
	/* Its directory, which holds our own programs only: an update puts another file there. */
	if (starts_pdf && program_find(&path, "sengen-pdf", &unheard) == RC_OK)
		confine_allow_beside(places, path.s, CONFINE_EXECUTE);
	str_free(&path);
}

static void add_system(struct confine_places *places, unsigned who)
{
	const char *const named[] = {getenv("CREDENTIALS_DIRECTORY"), getenv("TZDIR")};
	for (size_t i = 0; i < sizeof of_system / sizeof *of_system; i++)
		if (of_system[i].who & who)
			confine_allow(places, of_system[i].path, of_system[i].access);
	for (size_t i = 0; i < sizeof named / sizeof *named; i++)
		confine_allow(places, named[i], CONFINE_READ);
}

/* Where it can't be made, whoever wants to write there says so. */
static void make_directory(const char *path)
{
	struct err unheard = {0};
	if (access(path, F_OK) != 0)
		(void)file_mkdirs(path, 0755, &unheard);
}

static void add_settings(struct confine_places *places, unsigned who, const struct settings *settings)
{
	for (size_t i = 0; i < sizeof of_settings / sizeof *of_settings; i++) {
		const char *path;
		memcpy(&path, (const char *)settings + of_settings[i].offset, sizeof path);
		if (!(of_settings[i].who & who) || !path)
			continue;
		if (of_settings[i].is_file) {
			confine_allow_beside(places, path, of_settings[i].access);
			continue;
		}
		if (of_settings[i].access == CONFINE_WRITE)
			make_directory(path);
		confine_allow(places, path, of_settings[i].access);
	}
	for (size_t i = 0; i < settings->profile_files.count; i++)
		confine_allow_beside(places, settings->profile_files.item[i], CONFINE_READ);
	for (size_t i = 0; i < settings->logo_count; i++)
		confine_allow_beside(places, settings->logo[i].password_from, CONFINE_READ);
	for (size_t i = 0; i < settings->dkim_count && (who & (SENDER | DESK)); i++)
		confine_allow_beside(places, settings->dkim[i].key_from, CONFINE_READ);
}

void places_of_role(struct confine_places *places, enum confined kind, const struct settings *settings)
{
	unsigned who = OF(kind);
	add_settings(places, who, settings);
	add_system(places, who);
	add_program(places, (who & DESK) != 0);
}

/* ---- children ---- */

void places_of_line(struct confine_places *places, const char *ca_file, const char *password_from)
{
	for (size_t i = 0; i < sizeof of_line / sizeof *of_line; i++)
		confine_allow(places, of_line[i], CONFINE_READ);
	/* The files, not their directories, where the register might lie: after trouble with the line a fresh child finds those of that day. */
	confine_allow(places, ca_file, CONFINE_READ);
	if (password_from && str_has_prefix(password_from, "credential:"))
		confine_allow(places, getenv("CREDENTIALS_DIRECTORY"), CONFINE_READ);
	else
		confine_allow(places, password_from, CONFINE_READ);
}

void places_of_maildir(struct confine_places *places, const char *path)
{
	make_directory(path);
	confine_allow(places, path, CONFINE_WRITE);
}

/* ---- giving up ---- */

static void note_reach(const struct confinement *confinement)
{
	struct str reach = STR_INIT;
	confine_print(&reach);
	if (!confine_has_landlock())
		log_event(LEVEL_NOTICE, "confine.no_landlock", "confined_by=\"%s\"", reach.s);
	else if (confine_landlock() < CONFINE_LANDLOCK_WHOLE)
		log_event(LEVEL_NOTICE, "confine.less", "confined_by=\"%s\"", reach.s);
	else
		log_event(LEVEL_TRACE, "confine.done", "confined_by=\"%s\" places=%zu", reach.s,
			confinement->places->count);
	str_free(&reach);
}

enum rc role_confine(
	struct confine_places *places, enum confined kind, const struct settings *settings, struct err *err)
{
	const struct confinement confinement = {.kind = kind, .places = places};
	places_of_role(places, kind, settings);
	enum rc rc = confine_self(&confinement, err);
	if (rc == RC_OK)
		note_reach(&confinement);
	return rc;
}
