/* Copies of sent mails: IMAP APPEND (RFC 3501, 6.3.11) through libcurl, which marks them \Seen and keeps its connection between them. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <curl/curl.h>

#include "lib/base/clock.h"
#include "lib/base/secret.h"
#include "lib/mail/imap_p.h"
#include "lib/mail/reply.h"

struct imap_copies {
	const struct mailbox_settings *settings;
	CURL *curl;
	struct secret token; /* of the connection */
	const char *wire; /* the mail in hand */
	size_t len, given;
	curl_off_t uploaded;
	int64_t waiting_since;
	char reply[256]; /* the server's last line */
};

static size_t on_want_bytes(char *room, size_t size, size_t count, void *ctx)
{
	struct imap_copies *copies = ctx;
	size_t left = copies->len - copies->given, len = left < size * count ? left : size * count;
	memcpy(room, copies->wire + copies->given, len);
	copies->given += len;
	copies->waiting_since = clock_machine_ms();
	return len;
}

static size_t on_reply_line(char *bytes, size_t size, size_t count, void *ctx)
{
	struct imap_copies *copies = ctx;
	size_t len = size * count, kept = len < sizeof copies->reply ? len : sizeof copies->reply - 1;
	memcpy(copies->reply, bytes, kept);
	copies->reply[kept] = '\0';
	copies->waiting_since = clock_machine_ms();
	return len;
}

/* Called at least once a second. */
static int on_progress(void *ctx, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
	struct imap_copies *copies = ctx;
	(void)down_total, (void)down, (void)up_total;
	int64_t now = clock_machine_ms();
	if (up != copies->uploaded) {
		copies->uploaded = up;
		copies->waiting_since = now;
	}
	return now - copies->waiting_since >= copies->settings->reply_seconds * (int64_t)1000;
}

static void set_login(struct imap_copies *copies, const char *password)
{
	const struct mailbox_settings *settings = copies->settings;
	CURL *curl = copies->curl;
	curl_easy_setopt(curl, CURLOPT_USERNAME, settings->user ? settings->user : "");
	curl_easy_setopt(curl, CURLOPT_SASL_IR, 1L);
	if (settings->auth == AUTH_XOAUTH2) {
		curl_easy_setopt(curl, CURLOPT_LOGIN_OPTIONS, "AUTH=XOAUTH2");
		return;
	}
	/* By whatever way the server offers: LOGIN alone can't be asked for before libcurl 8. */
	curl_easy_setopt(curl, CURLOPT_PASSWORD, password ? password : "");
}

static void set_url(struct imap_copies *copies, const char *folder)
{
	const struct mailbox_settings *settings = copies->settings;
	struct str url = STR_INIT;
	bool is_ipv6 = strchr(settings->host, ':') != NULL;
	char *escaped = curl_easy_escape(copies->curl, folder, 0);
	if (!escaped)
		die("out of memory");
	str_printf(&url, "%s://%s%s%s:%d/%s", settings->tls == TLS_IMPLICIT ? "imaps" : "imap",
		is_ipv6 ? "[" : "", settings->host, is_ipv6 ? "]" : "", settings->port, escaped);
	curl_easy_setopt(copies->curl, CURLOPT_URL, url.s);
	curl_free(escaped);
	str_free(&url);
}

static struct imap_copies *copies_new(const struct mailbox_settings *settings, const char *password)
{
	struct imap_copies *copies = xcalloc(1, sizeof *copies);
	copies->settings = settings;
	copies->token = SECRET_INIT;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(copies->curl = curl_easy_init()))
		die("libcurl can't be set up");
	CURL *curl = copies->curl;
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "imap,imaps");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)settings->connect_seconds);
	curl_easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT,
		(long)settings->reply_seconds + 10); /* ours comes first */
	curl_easy_setopt(
		curl, CURLOPT_USE_SSL, (long)(settings->tls == TLS_NONE ? CURLUSESSL_NONE : CURLUSESSL_ALL));
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (settings->ca_file) {
		/* These and no others: libcurl would read every file of /etc/ssl/certs beside them, and trust whom they vouch for. */
		curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
		curl_easy_setopt(curl, CURLOPT_CAINFO, settings->ca_file);
	}
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_want_bytes);
	curl_easy_setopt(curl, CURLOPT_READDATA, copies);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_reply_line);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, copies);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_reply_line);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, copies);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, copies);
	set_login(copies, password);
	return copies;
}

void imap_copies_free(struct imap_copies **copies)
{
	if (!*copies)
		return;
	/* It says LOGOUT, and is to find nothing to wait for. */
	curl_socket_t fd = CURL_SOCKET_BAD;
	if (curl_easy_getinfo((*copies)->curl, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK &&
		fd != CURL_SOCKET_BAD)
		(void)shutdown(fd, SHUT_RD);
	curl_easy_cleanup((*copies)->curl);
	secret_free(&(*copies)->token);
	free(*copies);
	*copies = NULL;
}

/* Another token makes libcurl open another connection. */
static enum rc read_token(struct imap_copies *copies, struct err *err)
{
	if (copies->settings->auth != AUTH_XOAUTH2)
		return RC_OK;
	enum rc rc = secret_read(&copies->token, copies->settings->password_from, err);
	if (rc == RC_OK)
		curl_easy_setopt(copies->curl, CURLOPT_XOAUTH2_BEARER, copies->token.bytes);
	return rc;
}

enum rc imap_copies_append(struct imap_copies **copies_of, const struct mailbox_settings *settings,
	const char *password, const char *folder, const char *wire, size_t len, struct err *err)
{
	if (!*copies_of)
		*copies_of = copies_new(settings, password);
	struct imap_copies *copies = *copies_of;
	enum rc rc = read_token(copies, err);
	if (rc != RC_OK)
		return rc;
	copies->wire = wire;
	copies->len = len;
	copies->given = 0;
	copies->uploaded = 0;
	copies->reply[0] = '\0';
	copies->waiting_since = clock_machine_ms();
	set_url(copies, folder);
	curl_easy_setopt(copies->curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)len);
	CURLcode result = curl_easy_perform(copies->curl);
	if (result == CURLE_OK)
		return RC_OK;
	char text[256];
	const char *behind_tag = strchr(copies->reply, ' ');
	reply_print(
		text, sizeof text, behind_tag ? behind_tag + 1 : "", settings->user ? settings->user : "");
	return err_set(err, RC_SERVER,
		"The copy of a sent mail could not be filed on the IMAP server %s: %s%s%s.", settings->host,
		curl_easy_strerror(result), *text ? "; it said: " : "", text);
}
