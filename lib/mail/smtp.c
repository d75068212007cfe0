#include "lib/mail/smtp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <curl/curl.h>

#include "lib/base/clock.h"
#include "lib/base/secret.h"
#include "lib/mail/peer_certificate.h"
#include "lib/mail/reply.h"

/*
 * How libcurl 7.88 behaves, and what follows:
 * - After any refusal it sends QUIT inside curl_easy_perform() and waits for the answer, and so does curl_easy_cleanup(), for two minutes.
 *   The reading side of the socket is shut down once QUIT is out, so that it finds the end at once.
 * - A 550 at RCPT is CURLE_SEND_ERROR, a refusal after the dot CURLE_WEIRD_SERVER_REPLY: result codes alone say little. The commands it
 *   writes (debug callback) tell the phase, the lines it reads (header callback) the reply.
 * - The connect time-out runs until the login is done. Later phases are timed in the progress callback, which runs at least once a second.
 * - It goes on without login when the server offers none.
 */
#define SOCKETS_MAX 8

struct smtp {
	const struct transport_settings *settings;
	CURL *curl;
	struct secret token; /* of the open connection */
	struct curl_slist *recipient;
	struct str url;
	int open_socket
		[SOCKETS_MAX]; /* of this handle; while a connection is being made there may be two (IPv6 and IPv4) */
	size_t open_count;

	/* the mail in hand */
	const struct parcel *parcel;
	size_t given; /* bytes of it */
	enum smtp_phase phase;
	struct reply reply; /* to the command of that phase */
	bool logged_in;
	int64_t certificate_until; /* of the open connection; 0: not known */
	bool quitting; /* what comes now no longer concerns the mail */
	bool fell_silent;
	int64_t waiting_since;
	curl_off_t uploaded;
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
	smtp->waiting_since = now_ms();
	smtp->quitting = phase == PHASE_QUIT;
	if (smtp->quitting) {
		stop_reading(smtp);
		return;
	}
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
	{"MAIL", PHASE_MAIL},
	{"RCPT", PHASE_RCPT},
	{"DATA", PHASE_DATA},
	{"QUIT", PHASE_QUIT},
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
			enter_phase(smtp, verbs[i].phase);
			return 0;
		}
	}
	smtp->waiting_since = now_ms();
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

static size_t on_reply_line(char *bytes, size_t size, size_t count, void *ctx)
{
	struct smtp *smtp = ctx;
	size_t len = size * count;
	if (smtp->quitting)
		return len;
	reply_add_line(&smtp->reply, bytes, len);
	smtp->waiting_since = now_ms();
	if (smtp->phase == PHASE_AUTH && smtp->reply.complete && smtp->reply.code / 100 == 2)
		smtp->logged_in = true;
	if (smtp->phase == PHASE_MAIL && smtp->settings->tls != TLS_NONE && smtp->certificate_until == 0)
		look_at_certificate(smtp);
	/* The answer to MAIL is the first moment to see that there was no login; nothing has been sent yet. */
	if (smtp->phase == PHASE_MAIL && smtp->settings->auth != AUTH_NONE && !smtp->logged_in)
		return 0;
	return len;
}

static size_t on_want_bytes(char *room, size_t size, size_t count, void *ctx)
{
	struct smtp *smtp = ctx;
	size_t left = smtp->parcel->len - smtp->given;
	size_t len = left < size * count ? left : size * count;
	memcpy(room, smtp->parcel->wire + smtp->given, len);
	smtp->given += len;
	/* From here on libcurl writes the dot by itself. */
	if (smtp->given == smtp->parcel->len && smtp->phase == PHASE_DATA)
		enter_phase(smtp, PHASE_DOT);
	smtp->waiting_since = now_ms();
	return len;
}

static int on_progress(void *ctx, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
	struct smtp *smtp = ctx;
	(void)down_total, (void)down, (void)up_total;
	if (smtp->phase < PHASE_MAIL)
		return 0;
	int64_t now = now_ms();
	if (up != smtp->uploaded) {
		smtp->uploaded = up;
		smtp->waiting_since = now;
	}
	int64_t limit =
		smtp->phase == PHASE_DOT ? smtp->settings->dot_seconds : smtp->settings->reply_seconds;
	smtp->fell_silent = now - smtp->waiting_since >= limit * 1000;
	return smtp->fell_silent;
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
	smtp->logged_in = false;
	smtp->certificate_until = 0;
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

static void set_login(struct smtp *smtp, const char *password)
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
	if (settings->auth != AUTH_XOAUTH2)
		curl_easy_setopt(smtp->curl, CURLOPT_PASSWORD, password ? password : "");
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
	smtp->token = SECRET_INIT;
	smtp->url = STR_INIT;
	bool is_ipv6 = strchr(settings->host, ':') != NULL;
	str_printf(&smtp->url, "%s://%s%s%s:%d/%s", settings->tls == TLS_IMPLICIT ? "smtps" : "smtp",
		is_ipv6 ? "[" : "", settings->host, is_ipv6 ? "]" : "", settings->port,
		settings->helo ? settings->helo : "localhost");

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(smtp->curl = curl_easy_init()))
		die("libcurl can't be set up");
	CURL *curl = smtp->curl;
	curl_easy_setopt(curl, CURLOPT_URL, smtp->url.s);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(curl, CURLOPT_MAXCONNECTS, 1L);
	curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, 16384L); /* it is made anew for each mail */
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)settings->connect_seconds);
	long longest = settings->dot_seconds > settings->reply_seconds ? settings->dot_seconds
								       : settings->reply_seconds;
	curl_easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, longest + 10); /* ours comes first */
	curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L);
	curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, on_debug);
	curl_easy_setopt(curl, CURLOPT_DEBUGDATA, smtp);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_reply_line);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, smtp);
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_want_bytes);
	curl_easy_setopt(curl, CURLOPT_READDATA, smtp);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, smtp);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, smtp);
	curl_easy_setopt(curl, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
	curl_easy_setopt(curl, CURLOPT_CLOSESOCKETDATA, smtp);
	set_tls(smtp);
	set_login(smtp, password);
	return smtp;
}

void smtp_free(struct smtp **smtp)
{
	struct smtp *old = *smtp;
	if (!old)
		return;
	/* It still sends QUIT, and finds nothing to wait for. */
	stop_reading(old);
	curl_easy_cleanup(old->curl);
	curl_slist_free_all(old->recipient);
	secret_free(&old->token);
	str_free(&old->url);
	free(old);
	*smtp = NULL;
}

/* ---- sending ---- */

/* Nothing to read and no end: as a server that waits for the next mail leaves it. */
static bool line_is_quiet(const struct smtp *smtp)
{
	char byte;
	return smtp->open_count > 0 && recv(smtp->open_socket[0], &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
	       errno == EAGAIN;
}

/* Another token would make libcurl open another connection: it is read when there must be one anyway. */
static enum rc read_token(struct smtp *smtp, struct err *err)
{
	if (smtp->settings->auth != AUTH_XOAUTH2 || line_is_quiet(smtp))
		return RC_OK;
	enum rc rc = secret_read(&smtp->token, smtp->settings->password_from, err);
	if (rc == RC_OK)
		curl_easy_setopt(smtp->curl, CURLOPT_XOAUTH2_BEARER, smtp->token.bytes);
	return rc;
}

static CURLcode perform(struct smtp *smtp, const struct parcel *parcel)
{
	struct curl_slist *before = smtp->recipient;
	smtp->recipient = curl_slist_append(NULL, parcel->recipient);
	if (!smtp->recipient)
		die("out of memory");
	curl_easy_setopt(smtp->curl, CURLOPT_MAIL_RCPT, smtp->recipient);
	curl_slist_free_all(before);
	curl_easy_setopt(smtp->curl, CURLOPT_MAIL_FROM, parcel->sender);
	curl_easy_setopt(smtp->curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)parcel->len);
	smtp->parcel = parcel;
	smtp->given = 0;
	smtp->uploaded = 0;
	smtp->fell_silent = false;
	enter_phase(smtp, PHASE_CONNECT);
	return curl_easy_perform(smtp->curl);
}

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

static void report(struct smtp *smtp, CURLcode result, struct delivery *out)
{
	bool no_login = smtp->phase == PHASE_MAIL && smtp->settings->auth != AUTH_NONE && !smtp->logged_in;
	enum smtp_phase phase = no_login ? PHASE_AUTH : phase_of(smtp, result);
	struct reply none = {0};
	const struct reply *reply = smtp->reply.complete && smtp->phase == phase ? &smtp->reply : &none;
	/* A reply that let the session go on is not why it ended. */
	if (result != CURLE_OK && reply->code && reply->code < 400 &&
		!(phase == PHASE_DOT && reply->code / 100 == 2))
		reply = &none;
	out->phase = smtp_phase_name(phase);
	out->reply_code = reply->code;
	out->line_closed = smtp->open_count == 0;
	out->certificate_until = smtp->certificate_until;
	memcpy(out->enhanced, reply->enhanced, sizeof out->enhanced);
	const char *text = reply->text;
	if (no_login)
		text = "the server offers no login";
	else if (!reply->code && smtp->fell_silent)
		text = "no answer in time";
	else if (!reply->code)
		text = curl_easy_strerror(result);
	reply_print(out->reply, sizeof out->reply, text, smtp->parcel->recipient);
	out->outcome = result == CURLE_OK ? OUTCOME_ACCEPTED
					  : reply_outcome(phase, reply, result != CURLE_SEND_ERROR);
}

void smtp_send(struct smtp *smtp, const struct parcel *parcel, struct delivery *out)
{
	struct err err;
	for (int turn = 0; turn < 2; turn++) {
		*out = (struct delivery){0};
		bool kept = smtp->open_count > 0;
		if (read_token(smtp, &err) != RC_OK) {
			out->outcome = OUTCOME_FAULT;
			out->line_closed = true;
			out->phase = smtp_phase_name(PHASE_AUTH);
			reply_print(out->reply, sizeof out->reply, "the token file can't be read", "");
			return;
		}
		report(smtp, perform(smtp, parcel), out);
		/* libcurl would keep a line that fell silent behind the dot. What the server says at last is about this mail: the next one must not read it. */
		if (smtp->fell_silent) {
			stop_reading(smtp);
			out->line_closed = true;
		}
		/* The server had closed the kept connection, or closes it now: that says nothing about it or the mail. libcurl may have
		 * opened another one by itself, then with the old token. */
		bool was_closed =
			smtp->phase <= PHASE_MAIL && (out->reply_code == 0 || out->reply_code == 421);
		bool old_token = smtp->phase == PHASE_AUTH && smtp->settings->auth == AUTH_XOAUTH2;
		bool was_stale = kept && out->outcome != OUTCOME_ACCEPTED && (was_closed || old_token) &&
				 !smtp->fell_silent;
		if (!was_stale)
			return;
	}
}
