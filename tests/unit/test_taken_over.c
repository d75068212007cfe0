/* A child that was taken over: forked by the real zygote, confined by the real code, then it tries what tests/taken_over.c lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/handover.h"
#include "daemon/mail_handover.h"
#include "daemon/mail_reader.h"
#include "daemon/memfile.h"
#include "daemon/places.h"
#include "daemon/record.h"
#include "daemon/zygote.h"
#include "lib/base/confine.h"
#include "lib/base/file.h"
#include "lib/base/program.h"
#include "tests/taken_over.h"
#include "tests/unit/scratch.h"

static struct str secret, directory, box, local;
static char abstract[64];
static int listener, local_listener, abstract_listener, victim = -1;
static struct zygote zygote = {-1, -1, NULL};
static struct pool *pool;
static const char marker[] = "a register, say";

/* The zygotes are those of which any child can be taken over: the tests' own, not those to be installed. */
enum rc __real_program_find(struct str *out, const char *name, struct err *err);
enum rc __wrap_program_find(struct str *out, const char *name, struct err *err);
enum rc __wrap_program_find(struct str *out, const char *name, struct err *err)
{
	struct str beside = STR_INIT;
	str_printf(&beside, "%s%s", strcmp(name, "sengen-pdf") == 0 ? "" : "../", name);
	enum rc rc = __real_program_find(out, beside.s, err);
	str_free(&beside);
	return rc;
}

static int listen_local(const char *name, bool is_abstract)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	memcpy(at.sun_path + is_abstract, name, strlen(name));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + is_abstract + strlen(name));
	return bind(fd, (const struct sockaddr *)&at, len) == 0 && listen(fd, 64) == 0 ? fd : -1;
}

static int listen_tcp(int *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(fd, (const struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 64) != 0 ||
		getsockname(fd, (struct sockaddr *)&at, &len) != 0)
		return -1;
	*port = ntohs(at.sin_port);
	return fd;
}

static int set_up(void **state)
{
	struct err err = {0};
	(void)signal(SIGPIPE, SIG_IGN);
	secret = directory = box = local = STR_INIT;
	if (scratch_make(state) != 0)
		return -1;
	str_addz(&directory, scratch_path("elsewhere"));
	str_addz(&box, scratch_path("box"));
	str_addz(&local, scratch_path("socket"));
	if (file_mkdirs(directory.s, 0700, &err) != RC_OK || file_mkdirs(box.s, 0700, &err) != RC_OK)
		return -1;
	str_printf(&secret, "%s/register.db", directory.s);
	(void)snprintf(abstract, sizeof abstract, "sengen-test/%ld", (long)getpid());
	listener = listen_tcp(&deed_places.tcp_port);
	local_listener = listen_local(local.s, false);
	abstract_listener = listen_local(abstract, true);
	victim = fork();
	if (victim == 0) /* stands for the role: whatever hits it shows, and hits nobody else */
		for (;;)
			(void)pause();
	deed_places.secret = secret.s;
	deed_places.directory = directory.s;
	deed_places.local_socket = local.s;
	deed_places.abstract_socket = abstract;
	deed_places.parent = victim;
	deed_places_pass();
	pool = pool_new();
	if (listener < 0 || local_listener < 0 || abstract_listener < 0 ||
		zygote_start(&zygote, NULL, &err) != RC_OK)
		return -1;
	return 0;
}

static int tear_down(void **state)
{
	zygote_stop(&zygote);
	(void)kill(victim, SIGKILL);
	(void)waitpid(victim, NULL, 0);
	(void)close(listener);
	(void)close(local_listener);
	(void)close(abstract_listener);
	pool_free(&pool);
	str_free(&secret);
	str_free(&directory);
	str_free(&box);
	str_free(&local);
	return scratch_remove(state);
}

/* ---- how each kind of child is brought to do a deed; what it says goes to `what`, "" where it died ---- */

#define DEAD "died"

static void by_form_child(const char *deed, struct str *what)
{
	struct str payload = STR_INIT, file = STR_INIT;
	struct err err = {0};
	enum wire_type type;
	int fd = -1, bytes = -1;
	str_printf(&file, TAKEN_OVER_MARK "%s\n", deed);
	assert_int_equal(memfile_make(&bytes, file.s, file.len, &err), RC_OK);
	assert_int_equal(zygote_child(&zygote, CHILD_FORM, &fd, &err), RC_OK);
	form_limits_pack(&payload, &form_limits_default);
	assert_true(wire_send_fd(fd, WIRE_PARSE, payload.s, payload.len, bytes));
	if (wire_receive(fd, &type, &payload, NULL, 20000) == 1 && type == WIRE_DONE) {
		struct wire_reader reader = wire_reader_of(&payload);
		(void)wire_get_number(&reader);
		const char *text = wire_get_text(&reader, pool);
		str_addz(what, text ? text : "");
	} else {
		str_addz(what, DEAD);
	}
	(void)close(fd);
	(void)close(bytes);
	str_free(&payload);
	str_free(&file);
}

static void by_mail_child(const char *deed, struct str *what)
{
	struct str mail = STR_INIT;
	struct err err = {0};
	struct received received;
	struct received_context context = {.office = "office@example.co.jp"};
	int bytes = -1;
	str_printf(&mail, "Subject: x\r\n\r\n" TAKEN_OVER_MARK "%s\r\n", deed);
	assert_int_equal(memfile_make(&bytes, mail.s, mail.len, &err), RC_OK);
	assert_int_not_equal(mail_reader_read(&zygote, bytes, &context, &received, pool, &err), RC_OK);
	str_addz(what, strstr(err.text, "its reader failed") ? DEAD : err.text);
	(void)close(bytes);
	str_free(&mail);
}

static void by_transport(bool maildir, const char *deed, struct str *what)
{
	static char helo[] = "office.example.co.jp", host[] = "127.0.0.1";
	struct transport_settings settings = {.maildir = maildir,
		.path = box.s,
		.host = host,
		.port = 1, /* not the one where somebody listens */
		.tls = TLS_NONE,
		.helo = helo,
		.connect_seconds = 5,
		.reply_seconds = 5,
		.dot_seconds = 5};
	struct str payload = STR_INIT, mail = STR_INIT;
	struct err err = {0};
	struct delivery delivery;
	enum wire_type type;
	int fd = -1;
	str_printf(&mail, "Subject: x\r\n\r\n" TAKEN_OVER_MARK "%s\r\n", deed);
	const struct parcel parcel = {.name = "notice-1",
		.sender = "bounce@example.co.jp",
		.recipient = "tanto@example.co.jp",
		.wire = mail.s,
		.len = mail.len};
	assert_int_equal(zygote_child(&zygote, CHILD_TRANSPORT, &fd, &err), RC_OK);
	handover_put_server(&payload, &settings);
	assert_true(wire_send(fd, WIRE_SERVER, payload.s, payload.len) && wire_send_secret(fd, NULL));
	str_clear(&payload);
	handover_put_mail(&payload, &parcel, "", 0);
	assert_true(wire_send(fd, WIRE_MAIL, payload.s, payload.len));
	if (wire_receive(fd, &type, &payload, NULL, 20000) == 1 && type == WIRE_DELIVERY &&
		handover_get_delivery(&delivery, &payload))
		str_addz(what, delivery.reply);
	else
		str_addz(what, DEAD);
	(void)close(fd);
	str_free(&payload);
	str_free(&mail);
}

static void by_transport_line(const char *deed, struct str *what)
{
	by_transport(false, deed, what);
}

static void by_transport_maildir(const char *deed, struct str *what)
{
	by_transport(true, deed, what);
}

static void by_mailbox(bool maildir, const char *deed, struct str *what)
{
	static char inbox[] = "INBOX", done[] = "done", review[] = "review", bounce[] = "bounce",
		    host[] = "127.0.0.1", user[] = "office";
	struct mailbox_settings settings = {.maildir = maildir,
		.path = box.s,
		.host = host,
		.port = 1,
		.user = user,
		.inbox = inbox,
		.done = done,
		.review = review,
		.bounce = bounce,
		.connect_seconds = 5,
		.reply_seconds = 5,
		.message_bytes = 100000};
	struct mailline line;
	struct mailbox_list list;
	struct err err = {0};
	struct str after = STR_INIT;
	str_printf(&after, TAKEN_OVER_MARK "%s", deed);
	assert_int_equal(mailline_open(&line, &zygote, &settings, NULL, &err), RC_OK);
	assert_int_not_equal(mailline_list(&line, FOLDER_INBOX, after.s, 10, &list, pool, &err), RC_OK);
	str_addz(what, strstr(err.text, "refused: ") || strcmp(err.text, "worked") == 0 ? err.text : DEAD);
	mailline_close(&line);
	str_free(&after);
}

static void by_mailbox_line(const char *deed, struct str *what)
{
	by_mailbox(false, deed, what);
}

static void by_mailbox_maildir(const char *deed, struct str *what)
{
	by_mailbox(true, deed, what);
}

static const struct {
	const char *name;
	unsigned who;
	void (*attempt)(const char *deed, struct str *what);
} kinds[] = {
	{"form child", TAKEN_READER, by_form_child},
	{"mail child", TAKEN_READER, by_mail_child},
	{"transport child", TAKEN_LINE, by_transport_line},
	{"transport child, Maildir", TAKEN_MAILDIR, by_transport_maildir},
	{"mailbox child", TAKEN_LINE, by_mailbox_line},
	{"mailbox child, Maildir", TAKEN_MAILDIR, by_mailbox_maildir},
};

/* ---- what the kernel here can't keep from whom ---- */

/* What a sanitizer takes, which looks for leaks with a process of its own. */
static bool is_sanitizers(const char *deed)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	static const char *const of_it[] = {
		"fork", "dumpable", "read-environment", "ptrace", "kill", "raise-limit"};
	for (size_t i = 0; i < sizeof of_it / sizeof *of_it; i++)
		if (strcmp(of_it[i], deed) == 0)
			return true;
#else
	(void)deed;
#endif
	return false;
}

static bool is_out_of_reach(const char *deed, unsigned who)
{
	if (is_sanitizers(deed))
		return false;
	static const struct {
		const char *deed;
		unsigned who;
		int landlock; /* from this version on it is kept */
	} late[] = {
		{"connect-tcp", TAKEN_LINE, 4},
		{"read-secret", TAKEN_LINE, 1},
		{"read-passwd", TAKEN_LINE, 1},
		{"read-root", TAKEN_LINE, 1},
		{"read-environment", TAKEN_LINE, 1},
		{"read-device", TAKEN_LINE, 1},
	};
	if (who == TAKEN_MAILDIR && confine_landlock() < 2)
		return false; /* its files are not kept from others of the same owner there */
	for (size_t i = 0; i < sizeof late / sizeof *late; i++)
		if (strcmp(late[i].deed, deed) == 0 && (late[i].who & who))
			return confine_landlock() >= late[i].landlock;
	return true;
}

static void test_taken_over__every_deed_fails(void **state)
{
	(void)state;
	struct err err = {0};
	struct str what = STR_INIT, bytes = STR_INIT;
	int failed = 0, tried = 0;
	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
		int killed = 0, refused = 0;
		for (size_t i = 0; i < deed_count; i++) {
			if ((deeds[i].may & kinds[k].who) || !is_out_of_reach(deeds[i].name, kinds[k].who))
				continue;
			assert_int_equal(file_write(secret.s, marker, strlen(marker), 0600, &err), RC_OK);
			str_clear(&what);
			kinds[k].attempt(deeds[i].name, &what);
			tried++;
			killed += strcmp(what.s, DEAD) == 0;
			refused += str_has_prefix(what.s, "refused: ");
			if (strcmp(what.s, DEAD) != 0 && !str_has_prefix(what.s, "refused: ")) {
				print_error("%s: %s: \"%s\"\n", kinds[k].name, deeds[i].name, what.s);
				failed++;
			}
			/* Whatever it said. */
			str_clear(&bytes);
			assert_int_equal(file_read(&bytes, secret.s, 100, &err), RC_OK);
			assert_string_equal(bytes.s, marker);
		}
		print_message("figure: %s: %d deeds, %d killed, %d refused\n", kinds[k].name,
			killed + refused, killed, refused);
	}
	struct strlist names = {0};
	assert_int_equal(file_list_dir(&names, directory.s, &err), RC_OK);
	assert_int_equal(names.count, 1); /* nothing new beside the secret */
	strlist_free(&names);
	assert_int_equal(access("/tmp/sengen-must-not-exist", F_OK), -1);
	assert_int_equal(waitpid(victim, NULL, WNOHANG), 0);
	assert_int_equal(failed, 0);
	assert_true(tried > 250);
	str_free(&what);
	str_free(&bytes);
}

/* ---- roles: they hold the register, so they get no network and reach nothing that their task does not need ---- */

static void write_settings(struct settings **settings)
{
	static const char text[] =
		"spool_directory = \"../office/spool\";\nstate_directory = \"../office/state\";\n"
		"runtime_directory = \"../office/run\";\npublic_directory = \"../office/public\";\n"
		"contact_mail = \"office@example.co.jp\";\n";
	struct str path = STR_INIT;
	struct err err = {0};
	str_addz(&path, scratch_path("etc/sengend.conf"));
	assert_int_equal(file_mkdirs(scratch_path("etc"), 0700, &err), RC_OK);
	assert_int_equal(file_write(path.s, text, strlen(text), 0600, &err), RC_OK);
	if (settings_load(settings, path.s, &err) != RC_OK)
		fail_msg("%s", err.text);
	str_free(&path);
}

/* 0: refused, 1: it worked, a signal: 256 and it. */
static int as_role(enum confined kind, const struct settings *settings, int (*does)(void))
{
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		struct confine_places places = {0};
		struct err err = {0};
		if (role_confine(&places, kind, settings, &err) != RC_OK)
			_exit(2);
		_exit(does() < 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 256 + WTERMSIG(status) : WEXITSTATUS(status);
}

static const enum confined role_kinds[] = {CONFINED_INTAKE, CONFINED_MAILBOX, CONFINED_SCHEDULER,
	CONFINED_SENDER, CONFINED_DESK, CONFINED_CONTROL, CONFINED_TURN};

static bool is_kept_from_roles(const char *deed)
{
	static const char *const by_scope[] = {"kill", "tgkill"};
	bool scoped = false;
	if (is_sanitizers(deed))
		return false;
	for (size_t i = 0; i < sizeof by_scope / sizeof *by_scope; i++)
		scoped |= strcmp(by_scope[i], deed) == 0;
	return confine_landlock() >= (scoped ? 6 : 2);
}

static void test_taken_over__roles_have_no_network_and_keep_to_their_places(void **state)
{
	(void)state;
	struct settings *settings;
	struct err err = {0};
	int tried = 0;
	write_settings(&settings);
	for (size_t k = 0; k < sizeof role_kinds / sizeof *role_kinds; k++) {
		bool starts = role_kinds[k] == CONFINED_DESK || role_kinds[k] == CONFINED_TURN;
		unsigned may = TAKEN_ROLE | (starts ? TAKEN_DESK : 0);
		for (size_t i = 0; i < deed_count; i++) {
			if ((deeds[i].may & may) || str_has_prefix(deeds[i].name, "lie-") ||
				strcmp(deeds[i].name, "other-descriptors") == 0 ||
				!is_kept_from_roles(deeds[i].name))
				continue;
			assert_int_equal(file_write(secret.s, marker, strlen(marker), 0600, &err), RC_OK);
			int got = as_role(role_kinds[k], settings, deeds[i].does);
			if (got != 0 && got != 256 + SIGSYS)
				fail_msg("role kind %d: %s: %d", role_kinds[k], deeds[i].name, got);
			tried++;
		}
	}
	assert_true(confine_landlock() < 2 || tried > 300);
	settings_free(&settings);
}

/* sengen-pdf, with the places it takes. */
static void test_taken_over__what_draws_has_nothing_but_fonts(void **state)
{
	(void)state;
	struct err err = {0};
	for (size_t i = 0; i < deed_count; i++) {
		if ((deeds[i].may & TAKEN_PDF) || !is_kept_from_roles(deeds[i].name) ||
			strcmp(deeds[i].name, "other-descriptors") == 0)
			continue;
		assert_int_equal(file_write(secret.s, marker, strlen(marker), 0600, &err), RC_OK);
		int status;
		pid_t pid = fork();
		if (pid == 0) {
			struct confine_places places = {0};
			const struct confinement confinement = {.kind = CONFINED_PDF, .places = &places};
			confine_allow(&places, "/usr", CONFINE_READ);
			if (confine_self(&confinement, &err) != RC_OK)
				_exit(2);
			_exit(deeds[i].does() < 0 ? 0 : 1);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (status != 0 && !(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS))
			fail_msg("%s: %x", deeds[i].name, (unsigned)status);
	}
}

static char *own_path;
static int make_own(void)
{
	return open(own_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

#if !defined(__SANITIZE_ADDRESS__) /* which would trace a process that may not be traced */
static int start_pdf(void)
{
	struct str program = STR_INIT;
	struct err err = {0};
	int status = 0;
	if (program_find(&program, "sengen-pdf", &err) != RC_OK)
		return -1;
	pid_t pid = fork();
	if (pid == 0) {
		/* An empty input: refused by what it says, so it ran. */
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);
		(void)dup2(null, 0);
		(void)dup2(null, 2);
		(void)execl(program.s, "sengen-pdf", (char *)NULL);
		_exit(9);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == RC_REFUSED ? 0
													 : -1;
}
#endif

/* Who may write where, and start what. */
static void test_taken_over__roles_can_do_their_task(void **state)
{
	(void)state;
	static const struct {
		const char *where;
		unsigned who; /* bits of enum confined; 0: all */
	} writes[] = {
		{"state", 0},
		{"run", 0},
		{"spool", 1u << CONFINED_INTAKE | 1u << CONFINED_DESK | 1u << CONFINED_TURN},
		{"public", 1u << CONFINED_DESK | 1u << CONFINED_TURN},
	};
	struct settings *settings;
	struct str path = STR_INIT;
	write_settings(&settings);
	for (size_t k = 0; k < sizeof role_kinds / sizeof *role_kinds; k++) {
		enum confined kind = role_kinds[k];
		for (size_t i = 0; i < sizeof writes / sizeof *writes && confine_landlock() >= 2; i++) {
			bool may = !writes[i].who || (writes[i].who & 1u << kind);
			str_clear(&path);
			str_printf(&path, "%s/%s/%d", scratch_path("office"), writes[i].where, (int)kind);
			own_path = path.s;
			if (as_role(kind, settings, make_own) != may)
				fail_msg("role kind %d writes into %s", (int)kind, writes[i].where);
		}
#if !defined(__SANITIZE_ADDRESS__)
		bool starts = kind == CONFINED_DESK || kind == CONFINED_TURN;
		assert_int_equal(as_role(kind, settings, start_pdf) == 1, starts);
#endif
	}
	str_free(&path);
	settings_free(&settings);
}

/* A directory that was replaced is out of reach, and the role is told so. */
static void test_taken_over__a_place_that_was_replaced_is_noticed(void **state)
{
	(void)state;
	struct confine_places places = {0};
	struct err err = {0};
	struct str path = STR_INIT, away = STR_INIT;
	str_addz(&path, scratch_path("place"));
	str_addz(&away, scratch_path("away"));
	assert_int_equal(file_mkdirs(path.s, 0700, &err), RC_OK);
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		const struct confinement confinement = {.kind = CONFINED_SCHEDULER, .places = &places};
		confine_allow(&places, scratch_path(""), CONFINE_WRITE);
		confine_allow(&places, path.s, CONFINE_WRITE);
		bool good = confine_self(&confinement, &err) == RC_OK && !confine_place_lost(&places) &&
			    rename(path.s, away.s) == 0 &&
			    !confine_place_lost(&places) && /* nothing there yet */
			    mkdir(path.s, 0700) == 0 && confine_place_lost(&places) &&
			    strcmp(confine_place_lost(&places), path.s) == 0;
		_exit(good ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	str_free(&path);
	str_free(&away);
}

/* Without being confined they work: a deed that nobody could do would prove nothing. */
static void test_taken_over__the_deeds_are_real(void **state)
{
	(void)state;
	static const char *const real[] = {"read-passwd", "read-root", "create", "connect-tcp", "connect-udp",
		"connect-local", "connect-abstract", "internet-socket", "fork", "fork-by-number", "vfork",
		"kill", "tgkill", "signal-by-owner", "map-code", "turn-into-code", "map-code-of-file",
		"listen", "dumpable", "mkdir", "symlink", "fifo", "read-secret", "write-secret", "rename"};
	for (size_t i = 0; i < sizeof real / sizeof *real; i++) {
		struct err err = {0};
		struct str mark = STR_INIT;
		char what[64] = "";
		int pair[2], status;
		assert_int_equal(file_write(secret.s, marker, strlen(marker), 0600, &err), RC_OK);
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		str_printf(&mark, TAKEN_OVER_MARK "%s", real[i]);
		pid_t pid = fork();
		if (pid == 0) {
			(void)dup2(pair[1], 3);
			_exit(taken_over_by(mark.s, mark.len, what, sizeof what) &&
						strcmp(what, "worked") == 0
					? 0
					: 1);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (status != 0)
			fail_msg("%s does not work outside either", real[i]);
		(void)close(pair[0]);
		(void)close(pair[1]);
		str_free(&mark);
	}
}

/* A lie costs the child its mail or its line; the next one is served. */
static void test_taken_over__lies_cost_the_liar(void **state)
{
	(void)state;
	static const char *const lies[] = {
		"lie-4-gib", "lie-endless", "lie-nonsense", "lie-half", "lie-silence", "lie-descriptor"};
	struct err err = {0};
	struct str what = STR_INIT;
	int before = dup(0);
	(void)close(before);
	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		str_clear(&what);
		by_mail_child(lies[i], &what);
		assert_string_not_equal(what.s, "worked");
		str_clear(&what);
		if (strcmp(lies[i], "lie-silence") != 0)
			by_mailbox_maildir(lies[i], &what);
	}
	/* A mail that is none of theirs, behind all of them. */
	static const char mail[] = "From: a@example.co.jp\r\nSubject: x\r\n\r\nhello\r\n";
	struct received received;
	struct received_context context = {.office = "office@example.co.jp"};
	int bytes = -1;
	assert_int_equal(memfile_make(&bytes, mail, sizeof mail - 1, &err), RC_OK);
	assert_int_equal(mail_reader_read(&zygote, bytes, &context, &received, pool, &err), RC_OK);
	assert_string_equal(received.from, "a@example.co.jp");
	(void)close(bytes);
	/* No descriptor that was sent stayed. */
	int after = dup(0);
	(void)close(after);
	assert_int_equal(after, before);
	str_free(&what);
}

/* A zygote makes the children of its role and no others, whoever asks. */
static void test_taken_over__a_zygote_makes_its_own_children_only(void **state)
{
	(void)state;
	static const enum child_kind others[] = {
		CHILD_TRANSPORT, CHILD_MAIL, CHILD_MAILBOX, (enum child_kind)9};
	struct err err = {0};
	struct zygote intake;
	assert_int_equal(zygote_start_for(&intake, CHILD_BIT(CHILD_FORM), NULL, &err), RC_OK);
	assert_int_equal(intake.line, -1); /* it has no program for lines at all */
	intake.line = intake.reader;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		int fd = -1;
		char byte;
		assert_int_equal(zygote_child(&intake, others[i], &fd, &err), RC_OK);
		assert_int_equal(read(fd, &byte, 1), 0); /* nobody is there */
		(void)close(fd);
	}
	intake.line = -1;
	zygote_stop(&intake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken_over__every_deed_fails),
		cmocka_unit_test(test_taken_over__roles_have_no_network_and_keep_to_their_places),
		cmocka_unit_test(test_taken_over__what_draws_has_nothing_but_fonts),
		cmocka_unit_test(test_taken_over__roles_can_do_their_task),
		cmocka_unit_test(test_taken_over__a_place_that_was_replaced_is_noticed),
		cmocka_unit_test(test_taken_over__the_deeds_are_real),
		cmocka_unit_test(test_taken_over__lies_cost_the_liar),
		cmocka_unit_test(test_taken_over__a_zygote_makes_its_own_children_only),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
