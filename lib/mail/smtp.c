#include "lib/mail/smtp.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <curl/curl.h>

#include "lib/base/clock.h"
#include "lib/base/secret.h"
#include "lib/mail/peer_certificate.h"
#include "lib/mail/reply.h"

/*
 * libcurl makes the connection: name, TLS, certificate, greeting, EHLO, login (CURLOPT_CONNECT_ONLY). The mails themselves are said here, over
 * curl_easy_send() and curl_easy_recv(): libcurl waits for the answer to each command, and asks the system twice as often. Where the server offers
 * PIPELINING (RFC 2920), MAIL, RCPT and DATA leave together.
 *
 * How libcurl 7.88 behaves while it connects, and what follows:
 * - Result codes alone say little. The commands it writes (debug callback) tell the phase, the lines it reads (header callback) the reply.
 * - It goes on without login when the server offers none.
 * - A connection made in this way is never used for a second curl_easy_perform(), and ended without QUIT: each has a handle of its own.
 */
#define SOCKETS_MAX 8
#define REPLIES_MAX                                                                                          \
	8192 /* bytes of replies not read yet; a line of a reply is 512 at most (RFC 5321 4.5.3.1.5) */
#define LEAVE_MS 2000 /* for the answers to commands that no longer matter */
#define LOOK_SECONDS 1 /* the time-outs are looked at so often */

struct smtp {
	const struct transport_settings *settings;
	const char *password; /* borrowed */
	CURL *curl; /* of the connection; NULL: none */
	struct secret token; /* of the open connection */
	struct str url;
	int open_socket
		[SOCKETS_MAX]; /* of this handle; while a connection is being made there may be two (IPv6 and IPv4) */
	size_t open_count;

	/* the connection */
	bool is_open; /* the session stands */
	bool logged_in;
	bool secured; /* what comes now comes through TLS */
	bool pipelining, takes_size; /* as the last EHLO was answered */
	int64_t certificate_until; /* 0: not known */
	char replies[REPLIES_MAX];
	size_t replies_len;
	int unanswered; /* commands that were written and not answered */

	/* the mail in hand */
	enum smtp_phase phase;
	struct reply reply; /* to the command of that phase */
	bool fell_silent;
	struct str bytes; /* commands, or the mail as it goes over the line */
};

static int64_t now_ms(void)
{
	struct clock clock = clock_system();
	return clock_mono_ms(&clock);
}

static void stop_reading(const struct smtp *smtp)
{
	for (size_t i = 0; i < smtp->open_count; i++)
		shutdown(smtp->open_socket[i], SHUT_RD);
}

static void enter_phase(struct smtp *smtp, enum smtp_phase phase)
{
	smtp->phase = phase;
	smtp->reply = (struct reply){0};
}

static const struct {
	const char *verb;
	enum smtp_phase phase;
} verbs[] = {
	{"EHLO", PHASE_CONNECT},
	{"HELO", PHASE_CONNECT},
	{"STARTTLS", PHASE_TLS},
	{"AUTH", PHASE_AUTH},
};

/* Commands carry passwords and addresses: looked at, never kept. */
static int on_debug(CURL *curl, curl_infotype type, char *bytes, size_t len, void *ctx)
{
	struct smtp *smtp = ctx;
	(void)curl;
	if (type != CURLINFO_HEADER_OUT)
		return 0;
	/* The lines of a login dialogue are no commands, whatever they look like. */
	bool in_login = smtp->phase == PHASE_AUTH && smtp->reply.code / 100 == 3;
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0] && !in_login; i++) {
		size_t verb_len = strlen(verbs[i].verb);
		if (len > verb_len && memcmp(bytes, verbs[i].verb, verb_len) == 0 &&
			strchr(" \r\n", bytes[verb_len])) {
			smtp->secured = smtp->secured || smtp->phase == PHASE_TLS;
			if (verbs[i].phase == PHASE_CONNECT) /* another EHLO */
				smtp->pipelining = smtp->takes_size = false;
			enter_phase(smtp, verbs[i].phase);
			return 0;
		}
	}
	return 0;
}

/* libcurl has verified it by the time a server is talked to behind TLS; the session is within reach from its callbacks only. */
static void look_at_certificate(struct smtp *smtp)
{
	struct curl_tlssessioninfo *info = NULL;
	if (curl_easy_getinfo(smtp->curl, CURLINFO_TLS_SSL_PTR, &info) != CURLE_OK || !info ||
		info->backend != CURLSSLBACKEND_GNUTLS || !info->internals)
		return;
	smtp->certificate_until = peer_certificate_until(info->internals);
}

/* A line of the answer to EHLO that names an extension (RFC 5321 4.1.1.1). */
static bool offers(const char *line, size_t len, const char *keyword)
{
	size_t keyword_len = strlen(keyword);
	return len >= 4 + keyword_len && strncasecmp(line + 4, keyword, keyword_len) == 0 &&
	       (len == 4 + keyword_len || strchr(" \r\n", line[4 + keyword_len]));
}

static size_t on_reply_line(char *bytes, size_t size, size_t count, void *ctx)
{
	struct smtp *smtp = ctx;
	size_t len = size * count;
	reply_add_line(&smtp->reply, bytes, len);
	if (smtp->phase == PHASE_CONNECT && smtp->reply.code == 250) {
		smtp->pipelining = smtp->pipelining || offers(bytes, len, "PIPELINING");
		smtp->takes_size = smtp->takes_size || offers(bytes, len, "SIZE");
	}
	if (smtp->phase == PHASE_AUTH && smtp->reply.complete && smtp->reply.code / 100 == 2)
		smtp->logged_in = true;
	if (smtp->secured && smtp->certificate_until == 0)
		look_at_certificate(smtp);
	return len;
}

static curl_socket_t on_open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct smtp *smtp = ctx;
	(void)purpose;
	int fd = smtp->open_count < SOCKETS_MAX
			 ? socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol)
			 : -1;
	if (fd < 0)
		return CURL_SOCKET_BAD;
	smtp->open_socket[smtp->open_count++] = fd;
	return fd;
}

static int on_close_socket(void *ctx, curl_socket_t fd)
{
	struct smtp *smtp = ctx;
	for (size_t i = 0; i < smtp->open_count; i++)
		if (smtp->open_socket[i] == fd)
			smtp->open_socket[i--] = smtp->open_socket[--smtp->open_count];
	return close(fd);
}

/* ---- setting up ---- */

static void set_login(struct smtp *smtp)
{
	static const char *const options[] = {
		[AUTH_PLAIN] = "AUTH=PLAIN",
		[AUTH_LOGIN] = "AUTH=LOGIN",
		[AUTH_XOAUTH2] = "AUTH=XOAUTH2",
	};
	const struct transport_settings *settings = smtp->settings;
	if (settings->auth == AUTH_NONE)
		return;
	curl_easy_setopt(smtp->curl, CURLOPT_USERNAME, settings->user ? settings->user : "");
	curl_easy_setopt(smtp->curl, CURLOPT_LOGIN_OPTIONS, options[settings->auth]);
	curl_easy_setopt(smtp->curl, CURLOPT_SASL_IR, 1L);
	if (settings->auth == AUTH_XOAUTH2)
		curl_easy_setopt(smtp->curl, CURLOPT_XOAUTH2_BEARER, smtp->token.bytes);
	else
		curl_easy_setopt(smtp->curl, CURLOPT_PASSWORD, smtp->password ? smtp->password : "");
}

static void set_tls(struct smtp *smtp)
{
	const struct transport_settings *settings = smtp->settings;
	curl_easy_setopt(smtp->curl, CURLOPT_USE_SSL,
		(long)(settings->tls == TLS_NONE ? CURLUSESSL_NONE : CURLUSESSL_ALL));
	curl_easy_setopt(smtp->curl, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(smtp->curl, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(smtp->curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (settings->ca_file) {
		/* These and no others: libcurl would read every file of /etc/ssl/certs beside them, and trust whom they vouch for. */
		curl_easy_setopt(smtp->curl, CURLOPT_CAPATH, NULL);
		curl_easy_setopt(smtp->curl, CURLOPT_CAINFO, settings->ca_file);
	}
}

struct smtp *smtp_new(const struct transport_settings *settings, const char *password)
{
	struct smtp *smtp = xcalloc(1, sizeof *smtp);
	smtp->settings = settings;
	smtp->password = password;
	smtp->token = SECRET_INIT;
	smtp->url = smtp->bytes = STR_INIT;
	bool is_ipv6 = strchr(settings->host, ':') != NULL;
	str_printf(&smtp->url, "%s://%s%s%s:%d/%s", settings->tls == TLS_IMPLICIT ? "smtps" : "smtp",
		is_ipv6 ? "[" : "", settings->host, is_ipv6 ? "]" : "", settings->port,
		settings->helo ? settings->helo : "localhost");
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		die("libcurl can't be set up");
	return smtp;
}

static void set_up(struct smtp *smtp)
{
	CURL *curl = smtp->curl;
	const struct transport_settings *settings = smtp->settings;
	curl_easy_setopt(curl, CURLOPT_URL, smtp->url.s);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)settings->connect_seconds);
	curl_easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT,
		(long)settings->connect_seconds + 10); /* the one before comes first */
	curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L);
	curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, on_debug);
	curl_easy_setopt(curl, CURLOPT_DEBUGDATA, smtp);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_reply_line);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, smtp);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, smtp);
	curl_easy_setopt(curl, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
	curl_easy_setopt(curl, CURLOPT_CLOSESOCKETDATA, smtp);
	set_tls(smtp);
	set_login(smtp);
}

/* ---- the connection ---- */

static void line_drop(struct smtp *smtp)
{
	stop_reading(smtp); /* libcurl would wait for the end of TLS */
	curl_easy_cleanup(smtp->curl);
	smtp->curl = NULL;
	smtp->is_open = false;
}

/* From here on the system waits, for a second at most: a call for each answer, not two. */
static bool line_block(const struct smtp *smtp)
{
	const struct timeval look = {.tv_sec = LOOK_SECONDS};
	int fd = smtp->open_count == 1 ? smtp->open_socket[0] : -1;
	int flags = fcntl(fd, F_GETFL);
	return flags >= 0 && fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) == 0 &&
	       setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &look, sizeof look) == 0 &&
	       setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &look, sizeof look) == 0;
}

static CURLcode line_open(struct smtp *smtp)
{
	smtp->logged_in = smtp->pipelining = smtp->takes_size = false;
	smtp->secured = smtp->settings->tls == TLS_IMPLICIT;
	smtp->certificate_until = 0;
	smtp->replies_len = 0;
	smtp->unanswered = 0;
	smtp->fell_silent = false;
	enter_phase(smtp, PHASE_CONNECT);
	smtp->curl = curl_easy_init();
	if (!smtp->curl)
		die("libcurl can't be set up");
	set_up(smtp);
	CURLcode result = curl_easy_perform(smtp->curl);
	smtp->is_open = result == CURLE_OK && line_block(smtp);
	return result == CURLE_OK && !smtp->is_open ? CURLE_COULDNT_CONNECT : result;
}

static int64_t deadline_of(const struct smtp *smtp)
{
	const struct transport_settings *settings = smtp->settings;
	int64_t seconds = smtp->phase == PHASE_DOT ? settings->dot_seconds : settings->reply_seconds;
	return now_ms() + 1000 * seconds;
}

/* The system says "again" when a second is over. */
static bool is_late(struct smtp *smtp, int64_t deadline)
{
	smtp->fell_silent = now_ms() >= deadline;
	return smtp->fell_silent;
}

/* false: the last of it has not left. A call that fails has taken nothing, and half a record of TLS says nothing. */
static bool bytes_write(struct smtp *smtp)
{
	int64_t deadline = deadline_of(smtp);
	for (size_t at = 0; at < smtp->bytes.len;) {
		size_t sent = 0;
		CURLcode result = curl_easy_send(smtp->curl, smtp->bytes.s + at, smtp->bytes.len - at, &sent);
		if (result == CURLE_OK && sent > 0) {
			at += sent;
			if (at < smtp->bytes.len)
				deadline = deadline_of(smtp);
		} else if (result != CURLE_AGAIN || is_late(smtp, deadline)) {
			return false;
		}
	}
	return true;
}

/* Waits for the answer to the command of that phase. false: the line died or fell silent; the reply is not complete then. */
static bool reply_read(struct smtp *smtp, enum smtp_phase phase, int64_t deadline)
{
	enter_phase(smtp, phase);
	for (;;) {
		const char *end;
		while ((end = memchr(smtp->replies, '\n', smtp->replies_len))) {
			size_t len = (size_t)(end - smtp->replies) + 1;
			reply_add_line(&smtp->reply, smtp->replies, len);
			smtp->replies_len -= len;
			memmove(smtp->replies, smtp->replies + len, smtp->replies_len);
			if (smtp->reply.complete) {
				smtp->unanswered--;
				return true;
			}
		}
		size_t got = 0;
		CURLcode result = curl_easy_recv(smtp->curl, smtp->replies + smtp->replies_len,
			sizeof smtp->replies - smtp->replies_len, &got);
		if (result == CURLE_AGAIN) {
			if (is_late(smtp, deadline))
				return false;
			continue;
		}
		/* A line that never ends finds no room, and comes back as one that was closed. */
		if (result != CURLE_OK || got == 0)
			return false;
		smtp->replies_len += got;
	}
}

/* QUIT without waiting for its answer, where the server would not take it for a line of a mail. */
static void line_leave(struct smtp *smtp)
{
	bool listens = smtp->is_open && !smtp->fell_silent;
	int64_t deadline = now_ms() + LEAVE_MS;
	while (listens && smtp->unanswered > 0)
		listens = reply_read(smtp, PHASE_QUIT, deadline) && smtp->reply.code / 100 != 3;
	if (listens) {
		str_clear(&smtp->bytes);
		str_addz(&smtp->bytes, "QUIT\r\n");
		enter_phase(smtp, PHASE_QUIT);
		(void)bytes_write(smtp);
	}
	if (smtp->curl)
		line_drop(smtp);
}

void smtp_free(struct smtp **smtp)
{
	struct smtp *old = *smtp;
	if (!old)
		return;
	line_leave(old);
	secret_free(&old->token);
	str_free(&old->url);
	str_wipe(&old->bytes);
	free(old);
	*smtp = NULL;
}

/* ---- a mail ---- */

static const struct {
	enum smtp_phase phase;
	int wanted; /* class of the reply that lets the session go on */
} steps[] = {{PHASE_MAIL, 2}, {PHASE_RCPT, 2}, {PHASE_DATA, 3}};

#define STEP_COUNT (sizeof steps / sizeof steps[0])

static void command_print(struct smtp *smtp, enum smtp_phase phase, const struct parcel *parcel)
{
	struct str *out = &smtp->bytes;
	if (phase == PHASE_MAIL) {
		str_printf(out, "MAIL FROM:<%s>", parcel->sender);
		if (smtp->takes_size)
			str_printf(out, " SIZE=%zu", parcel->len);
		str_addz(out, "\r\n");
	} else if (phase == PHASE_RCPT) {
		str_printf(out, "RCPT TO:<%s>\r\n", parcel->recipient);
	} else {
		str_addz(out, "DATA\r\n");
	}
	smtp->unanswered++;
}

/* Until the server waits for the mail. */
static bool envelope_send(struct smtp *smtp, const struct parcel *parcel)
{
	for (size_t i = 0; i < STEP_COUNT; i++) {
		if (i == 0 || !smtp->pipelining) {
			size_t until = smtp->pipelining ? STEP_COUNT : i + 1;
			enter_phase(smtp, steps[i].phase);
			str_clear(&smtp->bytes);
			for (size_t j = i; j < until; j++)
				command_print(smtp, steps[j].phase, parcel);
			if (!bytes_write(smtp))
				return false;
		}
		if (!reply_read(smtp, steps[i].phase, deadline_of(smtp)) ||
			smtp->reply.code / 100 != steps[i].wanted)
			return false;
	}
	return true;
}

/* The mail as it goes over the line: a dot at the beginning of a line is doubled, a dot alone ends it (RFC 5321 4.5.2). */
static void mail_print(struct str *out, const char *wire, size_t len)
{
	static const char stuffed[] = "\r\n.";
	const char *end = wire + len, *found;
	str_clear(out);
	str_grow(out, len + 16);
	if (len > 0 && wire[0] == '.')
		str_addc(out, '.');
	while ((found = memmem(wire, (size_t)(end - wire), stuffed, strlen(stuffed)))) {
		str_add(out, wire, (size_t)(found - wire) + strlen(stuffed));
		str_addc(out, '.');
		wire = found + strlen(stuffed);
	}
	str_add(out, wire, (size_t)(end - wire));
	str_addz(out, str_has_suffix(out->s, "\r\n") ? ".\r\n" : "\r\n.\r\n");
}

static bool mail_send(struct smtp *smtp, const struct parcel *parcel)
{
	if (!envelope_send(smtp, parcel))
		return false;
	enter_phase(smtp, PHASE_DATA);
	mail_print(&smtp->bytes, parcel->wire, parcel->len);
	if (!bytes_write(smtp))
		return false;
	smtp->unanswered++;
	enter_phase(smtp, PHASE_DOT);
	return reply_read(smtp, PHASE_DOT, deadline_of(smtp)) && smtp->reply.code / 100 == 2;
}

/* ---- what became of it ---- */

/* Some results name the phase better than the last command. */
static enum smtp_phase phase_of(const struct smtp *smtp, CURLcode result)
{
	switch (result) {
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_USE_SSL_FAILED:
		return PHASE_TLS;
	case CURLE_LOGIN_DENIED:
		return PHASE_AUTH;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
		return PHASE_CONNECT;
	default:
		return smtp->phase;
	}
}

static void report(struct smtp *smtp, CURLcode connected, const struct parcel *parcel, struct delivery *out)
{
	bool no_login = smtp->is_open && smtp->settings->auth != AUTH_NONE && !smtp->logged_in;
	enum smtp_phase phase = no_login ? PHASE_AUTH : phase_of(smtp, connected);
	struct reply none = {0};
	const struct reply *reply =
		smtp->reply.complete && smtp->phase == phase && !no_login ? &smtp->reply : &none;
	/* A reply that let the session go on is not why it ended. */
	if (reply->code < 400 && !(phase == PHASE_DOT && reply->code / 100 == 2))
		reply = &none;
	out->phase = smtp_phase_name(phase);
	out->reply_code = reply->code;
	out->certificate_until = smtp->certificate_until;
	memcpy(out->enhanced, reply->enhanced, sizeof out->enhanced);
	const char *text = reply->text;
	if (no_login)
		text = "the server offers no login";
	else if (!reply->code && smtp->fell_silent)
		text = "no answer in time";
	else if (!reply->code)
		text = smtp->is_open ? "the connection broke" : curl_easy_strerror(connected);
	reply_print(out->reply, sizeof out->reply, text, parcel->recipient);
	out->outcome = reply_outcome(phase, reply, phase == PHASE_DOT);
}

/* Another connection: with the token as it is now. false: there is none. */
static bool line_ready(struct smtp *smtp, const struct parcel *parcel, struct delivery *out)
{
	struct err err;
	if (smtp->is_open)
		return true;
	if (smtp->settings->auth == AUTH_XOAUTH2 &&
		secret_read(&smtp->token, smtp->settings->password_from, &err) != RC_OK) {
		out->outcome = OUTCOME_FAULT;
		out->phase = smtp_phase_name(PHASE_AUTH);
		reply_print(out->reply, sizeof out->reply, "the token file can't be read", "");
		return false;
	}
	CURLcode result = line_open(smtp);
	bool wants_login = smtp->settings->auth != AUTH_NONE && !smtp->logged_in;
	if (smtp->is_open && !wants_login)
		return true;
	report(smtp, result, parcel, out);
	return false;
}

void smtp_send(struct smtp *smtp, const struct parcel *parcel, struct delivery *out)
{
	for (int turn = 0; turn < 2; turn++) {
		*out = (struct delivery){0};
		bool kept = smtp->is_open, sent = false;
		smtp->fell_silent = false;
		if (line_ready(smtp, parcel, out)) {
			sent = mail_send(smtp, parcel);
			report(smtp, CURLE_OK, parcel, out);
		}
		/* The server had closed the kept connection, or closes it now: that says nothing about it or the mail. */
		bool was_stale = kept && !sent && !smtp->fell_silent && smtp->phase <= PHASE_MAIL &&
				 (out->reply_code == 0 || out->reply_code == 421);
		/* What the server says beyond its answer, or too late, is not about the next mail, which must not read it. */
		out->line_closed = !sent || smtp->replies_len > 0;
		if (out->line_closed)
			line_leave(smtp);
		if (!was_stale)
			return;
	}
}
