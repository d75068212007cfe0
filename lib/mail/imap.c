/* The session: connecting, TLS, login, folders (RFC 3501, 2595, 2342; XOAUTH2 as Google and Microsoft describe it). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/clock.h"
#include "lib/base/crypt.h"
#include "lib/base/secret.h"
#include "lib/mail/imap_p.h"
#include "lib/mail/reply.h"

#define LITERAL_BYTES (64 * 1024) /* in answers that bring no message */
#define UNTAGGED_MAX 1000 /* lines before a server says go on */

/* ---- faults ---- */

enum rc imap_lost(struct imap *imap, struct err *err)
{
	static const char *const why[] = {
		[LINE_FINE] = "gave an answer that is not IMAP",
		[LINE_CLOSED] = "closed the connection",
		[LINE_SILENT] = "has fallen silent",
		[LINE_LATE] = "took longer than it may for an answer",
		[LINE_FLOOD] = "sent more than any answer can be",
		[LINE_LITERAL] = "announced more bytes than are allowed",
		[LINE_UNASKED] = "sent an answer that nobody asked for",
		[LINE_TLS] = "broke the rules of TLS",
	};
	imap->last_fault = imap_line_fault(imap->line);
	err_set(err, RC_SERVER, "The IMAP server %s %s; it will be tried again.", imap->settings->host,
		why[imap->last_fault]);
	imap_close(imap);
	return RC_SERVER;
}

/* The server's own words, without addresses and control characters. */
static const char *server_text(const struct imap *imap, char *room, size_t size)
{
	const char *text = imap->session->imap_response;
	reply_print(room, size, text && *text ? text : "no reason given",
		imap->settings->user ? imap->settings->user : "");
	return room;
}

/* Ends a session that stands, with a sentence. */
static enum rc refuse(struct imap *imap, struct err *err, const char *what)
{
	err_set(err, RC_SERVER, "The IMAP server %s %s", imap->settings->host, what);
	imap_close(imap);
	return RC_SERVER;
}

/* ---- commands ---- */

void imap_begin(struct imap *imap, int64_t payload)
{
	imap->deadline_ms =
		clock_machine_ms() + mailbox_request_seconds(imap->settings, payload) * (int64_t)1000;
}

enum rc imap_say_line(struct imap *imap, const char *line, size_t len, struct err *err)
{
	if (mailstream_write(imap->stream, line, len) < 0 || mailstream_write(imap->stream, "\r\n", 2) < 0 ||
		mailstream_flush(imap->stream) < 0)
		return imap_lost(imap, err);
	return RC_OK;
}

enum rc imap_say(struct imap *imap, const char *command, struct err *err)
{
	if (mailimap_send_current_tag(imap->session) != MAILIMAP_NO_ERROR)
		return imap_lost(imap, err);
	return imap_say_line(imap, command, strlen(command), err);
}

/* The answer of which the first line was read. Messages that came and messages that went tell together whether INBOX has grown. */
static enum rc parse_answer(struct imap *imap, struct err *err)
{
	mailimap *session = imap->session;
	struct mailimap_selection_info *info = session->imap_selection_info;
	struct mailimap_response *response;
	char room[256];
	uint32_t before = info ? info->sel_exists : 0;
	if (info)
		info->sel_has_exists = 0;
	int status = mailimap_parse_response(session, &response);
	if (status == MAILIMAP_ERROR_PROTOCOL && imap_line_fault(imap->line) == LINE_FINE) {
		err_set(err, RC_SERVER, "The IMAP server %s does not understand a command: %s.",
			imap->settings->host, server_text(imap, room, sizeof room));
		imap_close(imap);
		return RC_SERVER;
	}
	if (status != MAILIMAP_NO_ERROR || !session->imap_response_info)
		return imap_lost(imap, err);
	int type = response->rsp_resp_done->rsp_data.rsp_tagged->rsp_cond_state->rsp_type;
	mailimap_response_free(response);
	clist *gone = session->imap_response_info->rsp_expunged;
	if (imap->selected == FOLDER_INBOX && info && info->sel_has_exists &&
		(int64_t)info->sel_exists + (gone ? clist_count(gone) : 0) > before)
		imap->news = true;
	if (type == MAILIMAP_RESP_COND_STATE_OK)
		return RC_OK;
	return err_set(err, RC_REFUSED, "The IMAP server %s says: %s.", imap->settings->host,
		server_text(imap, room, sizeof room));
}

enum rc imap_hear(struct imap *imap, struct err *err)
{
	if (!mailimap_read_line(imap->session))
		return imap_lost(imap, err);
	return parse_answer(imap, err);
}

void imap_note_line(struct imap *imap, const char *line)
{
	struct mailimap_selection_info *info = imap->session->imap_selection_info;
	char *what;
	if (!info || strncmp(line, "* ", 2) != 0)
		return;
	unsigned long number = strtoul(line + 2, &what, 10);
	if (what == line + 2 || number > UINT32_MAX)
		return;
	if (strncasecmp(what, " EXISTS", 7) == 0) {
		imap->news |= number > info->sel_exists && imap->selected == FOLDER_INBOX;
		info->sel_exists = (uint32_t)number;
	} else if (strncasecmp(what, " EXPUNGE", 8) == 0 && info->sel_exists > 0) {
		info->sel_exists--;
	}
}

enum rc imap_await_go(struct imap *imap, bool *go, struct err *err)
{
	*go = false;
	for (int i = 0; i < UNTAGGED_MAX; i++) {
		const char *line = mailimap_read_line(imap->session);
		if (!line)
			return imap_lost(imap, err);
		if (*line == '+') {
			*go = true;
			return RC_OK;
		}
		if (*line != '*')
			return parse_answer(imap, err);
		imap_note_line(imap, line);
	}
	return refuse(imap, err, "does not come to the point.");
}

static void allow(struct imap *imap, int64_t bytes, int64_t literal)
{
	imap_line_allow(imap->line, imap->deadline_ms, imap->settings->reply_seconds, bytes, literal);
}

enum rc imap_command(struct imap *imap, const char *command, int64_t bytes, int64_t literal, struct err *err)
{
	allow(imap, bytes + ANSWER_BYTES, literal > LITERAL_BYTES ? literal : LITERAL_BYTES);
	enum rc rc = imap_say(imap, command, err);
	return rc ? rc : imap_hear(imap, err);
}

static enum rc ask(struct imap *imap, const char *command, struct err *err)
{
	return imap_command(imap, command, 0, 0, err);
}

bool imap_can(const struct imap *imap, const char *capability)
{
	const struct mailimap_connection_info *info = imap->session->imap_connection_info;
	/* libetpan falls over a list without a single word. */
	return info && info->imap_capability && info->imap_capability->cap_list &&
	       mailimap_has_extension(imap->session, capability) != 0;
}

/* What it said before TLS, or before the login, counts for nothing (RFC 2595, 2.2; RFC 3501, 6.2). */
static enum rc ask_capabilities(struct imap *imap, struct err *err)
{
	struct mailimap_connection_info *info = imap->session->imap_connection_info;
	if (info && info->imap_capability) {
		mailimap_capability_data_free(info->imap_capability);
		info->imap_capability = NULL;
	}
	enum rc rc = ask(imap, "CAPABILITY", err);
	if (rc == RC_OK && !imap_can(imap, "IMAP4rev1"))
		return refuse(imap, err, "is none for IMAP4rev1.");
	return rc == RC_REFUSED ? refuse(imap, err, "does not say what it can do.") : rc;
}

/* ---- connecting ---- */

static enum rc begin_tls(struct imap *imap, struct err *err)
{
	imap->phase = "tls";
	enum rc rc = imap_line_tls(imap->line, imap->settings->host, imap->settings->ca_file, err);
	if (rc != RC_OK)
		imap_close(imap);
	return rc;
}

/* Read by hand: what a greeting offers is asked anew anyway, and mailimap_connect() loses memory at a BYE. */
static enum rc greet(struct imap *imap, bool *logged_in, struct err *err)
{
	char room[256];
	imap->stream = imap_line_stream(imap->line);
	mailimap *session = imap->session = mailimap_new(0, NULL);
	if (!session || !(session->imap_connection_info = mailimap_connection_info_new()))
		die("out of memory");
	session->imap_stream = imap->stream;
	const char *line = mailimap_read_line(session);
	if (!line)
		return imap_lost(imap, err);
	*logged_in = strncasecmp(line, "* PREAUTH", 9) == 0;
	if (*logged_in || strncasecmp(line, "* OK", 4) == 0)
		return RC_OK;
	reply_print(
		room, sizeof room, strncasecmp(line, "* BYE ", 6) == 0 ? line + 6 : "that is no IMAP", "");
	err_set(err, RC_SERVER, "The IMAP server %s takes no connection: %s.", imap->settings->host, room);
	imap_close(imap);
	return RC_SERVER;
}

static enum rc start_tls(struct imap *imap, bool logged_in, struct err *err)
{
	imap->phase = "tls";
	/* STARTTLS is not allowed after PREAUTH (RFC 3501, 6.2.1): it would leave the session in the clear. */
	if (logged_in)
		return refuse(imap, err,
			"calls the session logged in before TLS has begun; nothing was said to it.");
	enum rc rc = ask_capabilities(imap, err);
	if (rc == RC_OK && !imap_can(imap, "STARTTLS"))
		return refuse(imap, err, "offers no STARTTLS; no password was sent.");
	if (rc == RC_OK)
		rc = ask(imap, "STARTTLS", err);
	if (rc == RC_REFUSED)
		return refuse(imap, err, "refuses STARTTLS; no password was sent.");
	if (rc != RC_OK)
		return rc;
	/* Whatever stands behind that answer came in the clear, perhaps from somebody else, and would be read as if TLS had protected it. */
	if (imap->stream->read_buffer_len > 0)
		return refuse(imap, err,
			"sent something in the clear behind its answer to STARTTLS; no password was sent.");
	return begin_tls(imap, err);
}

static enum rc connect_line(struct imap *imap, bool *logged_in, struct err *err)
{
	const struct mailbox_settings *settings = imap->settings;
	imap->phase = "connect";
	enum rc rc = imap_line_connect(&imap->line, settings->host, settings->port, imap->deadline_ms, err);
	if (rc != RC_OK)
		return rc;
	allow(imap, ANSWER_BYTES, LITERAL_BYTES);
	if (settings->tls == TLS_IMPLICIT)
		rc = begin_tls(imap, err);
	if (rc == RC_OK)
		rc = greet(imap, logged_in, err);
	if (rc == RC_OK && settings->tls == TLS_STARTTLS)
		rc = start_tls(imap, *logged_in, err);
	return rc;
}

void imap_add_quoted(struct str *out, const char *text)
{
	str_addc(out, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			str_addc(out, '\\');
		str_addc(out, *text);
	}
	str_addc(out, '"');
}

static bool fits_quotes(const char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

/* ---- login: secrets go from their place straight to the stream ---- */

static enum rc put(struct imap *imap, const char *bytes, size_t len, struct err *err)
{
	return mailstream_write(imap->stream, bytes, len) < 0 ? imap_lost(imap, err) : RC_OK;
}

static enum rc put_quoted(struct imap *imap, const char *text, struct err *err)
{
	enum rc rc = put(imap, "\"", 1, err);
	for (; *text && rc == RC_OK; text++) {
		if (*text == '"' || *text == '\\')
			rc = put(imap, "\\", 1, err);
		rc = rc ? rc : put(imap, text, 1, err);
	}
	return rc ? rc : put(imap, "\"", 1, err);
}

/* The server has to ask for it (RFC 3501, 4.3). */
static enum rc put_literal(struct imap *imap, const char *text, bool *go, struct err *err)
{
	char head[32];
	int len = snprintf(head, sizeof head, "{%zu}", strlen(text));
	enum rc rc = imap_say_line(imap, head, (size_t)len, err);
	rc = rc ? rc : imap_await_go(imap, go, err);
	return rc || !*go ? rc : put(imap, text, strlen(text), err);
}

/* Quoted strings are ASCII; anything else goes as a literal. */
static enum rc log_in_plainly(struct imap *imap, struct err *err)
{
	const char *const words[] = {
		imap->settings->user ? imap->settings->user : "", imap->password ? imap->password : ""};
	bool go = true;
	if (mailimap_send_current_tag(imap->session) != MAILIMAP_NO_ERROR)
		return imap_lost(imap, err);
	enum rc rc = put(imap, "LOGIN", 5, err);
	for (size_t i = 0; i < 2 && rc == RC_OK && go; i++) {
		rc = put(imap, " ", 1, err);
		if (rc == RC_OK && fits_quotes(words[i]))
			rc = put_quoted(imap, words[i], err);
		else if (rc == RC_OK)
			rc = put_literal(imap, words[i], &go, err);
	}
	if (rc == RC_OK && go)
		rc = imap_say_line(imap, "", 0, err);
	return rc == RC_OK && go ? imap_hear(imap, err) : rc;
}

/* Read anew each time: something else refreshes it. */
static enum rc read_bearer(struct imap *imap, struct secret *out, struct err *err)
{
	static const char form[] = "user=%s\001auth=Bearer %s\001\001";
	struct secret token = SECRET_INIT, plain = SECRET_INIT;
	const char *user = imap->settings->user ? imap->settings->user : "";
	enum rc rc = secret_read(&token, imap->settings->password_from, err);
	if (rc == RC_OK) {
		size_t len = sizeof form + strlen(user) + token.len;
		if (len > SECRET_MAX / 2)
			rc = err_set(err, RC_CONFIG, "The token in %s is too long.",
				imap->settings->password_from);
		else {
			/* The room is zeroed, and the text shorter: it ends with NUL. */
			(void)snprintf(secret_room(&plain, len), len, form, user, token.bytes);
			size_t plain_len = strlen(plain.bytes);
			base64_write(secret_room(out, BASE64_LEN(plain_len)), plain.bytes, plain_len);
		}
	}
	if (rc != RC_OK)
		imap_close(imap);
	secret_free(&token);
	secret_free(&plain);
	return rc;
}

/* A refusal comes as one more challenge, which is to be answered with an empty line before the server says NO. */
static enum rc log_in_with_token(struct imap *imap, struct err *err)
{
	static const char command[] = "AUTHENTICATE XOAUTH2";
	struct secret bearer = SECRET_INIT;
	bool said = imap_can(imap, "SASL-IR"), go = true;
	enum rc rc = read_bearer(imap, &bearer, err);
	if (rc == RC_OK && mailimap_send_current_tag(imap->session) != MAILIMAP_NO_ERROR)
		rc = imap_lost(imap, err);
	rc = rc ? rc : put(imap, command, sizeof command - 1, err);
	if (rc == RC_OK && said)
		rc = put(imap, " ", 1, err);
	rc = rc ? rc : imap_say_line(imap, bearer.bytes, said ? bearer.len : 0, err);
	for (int turn = 0; turn < 3 && rc == RC_OK && go; turn++) {
		rc = imap_await_go(imap, &go, err);
		if (rc == RC_OK && go)
			rc = imap_say_line(imap, bearer.bytes, said ? 0 : bearer.len, err);
		said = true;
	}
	if (rc == RC_OK && go)
		rc = refuse(imap, err, "asks for more than a token.");
	secret_free(&bearer);
	return rc;
}

static enum rc log_in(struct imap *imap, struct err *err)
{
	imap->phase = "auth";
	bool with_token = imap->settings->auth == AUTH_XOAUTH2;
	enum rc rc = ask_capabilities(imap, err);
	if (rc == RC_OK && !with_token && imap_can(imap, "LOGINDISABLED"))
		return refuse(imap, err, "allows no LOGIN; no password was sent.");
	if (rc == RC_OK && with_token && !mailimap_has_authentication(imap->session, "XOAUTH2"))
		return refuse(imap, err, "offers no XOAUTH2; no token was sent.");
	if (rc != RC_OK)
		return rc;
	allow(imap, ANSWER_BYTES, LITERAL_BYTES);
	rc = with_token ? log_in_with_token(imap, err) : log_in_plainly(imap, err);
	if (rc == RC_REFUSED) {
		err_prefix(err, "The login was refused; check \"user\" and what \"password_from\" names");
		err->rc = RC_SERVER;
		imap_close(imap);
		return RC_SERVER;
	}
	return rc;
}

/* ---- folders ---- */

static const struct mailimap_namespace_info *find_namespace(const struct imap *imap)
{
	clist *list = imap->session->imap_response_info->rsp_extension_list;
	for (clistiter *at = list ? clist_begin(list) : NULL; at; at = clist_next(at)) {
		const struct mailimap_extension_data *data = clist_content(at);
		if (data->ext_extension != &mailimap_extension_namespace)
			continue;
		const struct mailimap_namespace_data *spaces = data->ext_data;
		clistiter *first =
			spaces && spaces->ns_personal ? clist_begin(spaces->ns_personal->ns_data_list) : NULL;
		return first ? clist_content(first) : NULL;
	}
	return NULL;
}

/* The personal namespace (RFC 2342). A server that does not tell has none. */
static enum rc ask_namespace(struct imap *imap, struct err *err)
{
	enum rc rc = ask(imap, "NAMESPACE", err);
	const struct mailimap_namespace_info *info = rc == RC_OK ? find_namespace(imap) : NULL;
	if (info && info->ns_prefix && fits_quotes(info->ns_prefix)) {
		imap->delimiter = info->ns_delimiter;
		free(imap->prefix);
		imap->prefix = xstrdup(info->ns_prefix);
	}
	return rc == RC_REFUSED ? RC_OK : rc;
}

/* How folders are named there; LIST with two empty names tells the delimiter alone (RFC 3501, 6.3.8). */
static enum rc ask_naming(struct imap *imap, struct err *err)
{
	enum rc rc = RC_OK;
	free(imap->prefix);
	imap->prefix = xstrdup("");
	imap->delimiter = 0;
	if (imap_can(imap, "NAMESPACE"))
		rc = ask_namespace(imap, err);
	if (rc != RC_OK || imap->delimiter)
		return rc;
	rc = ask(imap, "LIST \"\" \"\"", err);
	if (rc != RC_OK)
		return rc == RC_REFUSED ? refuse(imap, err, "does not tell its folders.") : rc;
	clist *found = imap->session->imap_response_info->rsp_mailbox_list;
	const struct mailimap_mailbox_list *root =
		found && clist_begin(found) ? clist_content(clist_begin(found)) : NULL;
	imap->delimiter = root ? root->mb_delimiter : 0;
	return RC_OK;
}

void imap_folder_name(const struct imap *imap, enum folder folder, struct str *out)
{
	const char *name = mailbox_folder_name(imap->settings, folder);
	struct str encoded = STR_INIT;
	size_t start = out->len;
	mutf7_add(&encoded, name);
	if (strcasecmp(name, "INBOX") == 0) {
		str_addz(out, "INBOX");
	} else {
		if (!str_has_prefix(encoded.s, imap->prefix))
			str_addz(out, imap->prefix);
		str_add(out, encoded.s, encoded.len);
	}
	/* Configured names divide levels with a slash. */
	for (size_t i = start; i < out->len && imap->delimiter; i++)
		if (out->s[i] == '/')
			out->s[i] = imap->delimiter;
	str_free(&encoded);
}

static void add_folder(const struct imap *imap, enum folder folder, struct str *out)
{
	struct str name = STR_INIT;
	imap_folder_name(imap, folder, &name);
	imap_add_quoted(out, name.s);
	str_free(&name);
}

enum rc imap_make_folder(struct imap *imap, enum folder folder, struct err *err)
{
	struct str command = STR_INIT;
	struct err unheard;
	str_addz(&command, "CREATE ");
	add_folder(imap, folder, &command);
	enum rc rc = ask(imap, command.s, err);
	if (rc == RC_REFUSED) {
		err_prefix(
			err, "The folder \"%s\" can't be made", mailbox_folder_name(imap->settings, folder));
		err->rc = RC_SERVER;
		rc = RC_SERVER;
	}
	/* So that mail programs show it; a server that knows no subscriptions is none the worse. */
	str_clear(&command);
	str_addz(&command, "SUBSCRIBE ");
	add_folder(imap, folder, &command);
	if (rc == RC_OK && ask(imap, command.s, &unheard) == RC_SERVER) {
		*err = unheard;
		rc = RC_SERVER;
	}
	str_free(&command);
	return rc;
}

static enum rc find_folder(struct imap *imap, enum folder folder, bool *there, struct err *err)
{
	struct str command = STR_INIT;
	str_addz(&command, "LIST \"\" ");
	add_folder(imap, folder, &command);
	enum rc rc = ask(imap, command.s, err);
	str_free(&command);
	clist *found = rc == RC_OK ? imap->session->imap_response_info->rsp_mailbox_list : NULL;
	*there = found && clist_count(found) > 0;
	return rc == RC_REFUSED ? refuse(imap, err, "does not tell its folders.") : rc;
}

static enum rc make_missing_folders(struct imap *imap, struct err *err)
{
	enum rc rc = RC_OK;
	for (enum folder folder = FOLDER_DONE; folder < FOLDER_COUNT && rc == RC_OK; folder++) {
		bool there = true;
		if (mailbox_folder_name(imap->settings, folder))
			rc = find_folder(imap, folder, &there, err);
		if (rc == RC_OK && !there)
			rc = imap_make_folder(imap, folder, err);
	}
	if (rc != RC_OK)
		imap_close(imap);
	return rc;
}

/* What was not known when INBOX was last looked at is news, even if its count is the same. */
static enum rc note_inbox(struct imap *imap, struct err *err)
{
	const struct mailimap_selection_info *info = imap->session->imap_selection_info;
	if (info->sel_uidvalidity == 0)
		return refuse(imap, err, "gives INBOX no UIDVALIDITY: its messages can't be told apart.");
	if (info->sel_perm == MAILIMAP_MAILBOX_READONLY)
		return refuse(imap, err, "lets INBOX only be read: nothing could be filed away.");
	if (info->sel_uidvalidity != imap->uid_validity || info->sel_uidnext != imap->uid_next ||
		info->sel_uidnext == 0)
		imap->news = true;
	imap->uid_validity = info->sel_uidvalidity;
	imap->uid_next = info->sel_uidnext;
	return RC_OK;
}

enum rc imap_select(struct imap *imap, enum folder folder, struct err *err)
{
	mailimap *session = imap->session;
	struct str command = STR_INIT;
	if (imap->selected == folder)
		return RC_OK;
	imap->selected = 0;
	if (session->imap_selection_info)
		mailimap_selection_info_free(session->imap_selection_info);
	session->imap_selection_info = mailimap_selection_info_new();
	if (!session->imap_selection_info)
		die("out of memory");
	str_addz(&command, folder == FOLDER_INBOX ? "SELECT " : "EXAMINE ");
	add_folder(imap, folder, &command);
	enum rc rc = ask(imap, command.s, err);
	str_free(&command);
	if (rc == RC_REFUSED) {
		err_prefix(err, "The folder \"%s\" can't be opened",
			mailbox_folder_name(imap->settings, folder));
		err->rc = RC_SERVER;
		return RC_SERVER;
	}
	if (rc == RC_OK && folder == FOLDER_INBOX)
		rc = note_inbox(imap, err);
	if (rc == RC_OK)
		imap->selected = folder;
	return rc;
}

/* ---- the whole ---- */

enum rc imap_open(struct imap *imap, struct err *err)
{
	bool logged_in = false;
	imap->deadline_ms = clock_machine_ms() + imap->settings->connect_seconds * (int64_t)1000;
	enum rc rc = connect_line(imap, &logged_in, err);
	if (rc == RC_OK && !logged_in)
		rc = log_in(imap, err);
	imap->phase = rc == RC_OK ? "select" : imap->phase;
	if (rc == RC_OK)
		rc = ask_capabilities(imap, err);
	if (rc == RC_OK)
		rc = ask_naming(imap, err);
	if (rc == RC_OK)
		rc = make_missing_folders(imap, err);
	if (rc == RC_OK)
		rc = imap_select(imap, FOLDER_INBOX, err);
	if (rc != RC_OK)
		imap_close(imap);
	return rc;
}

/* LOGOUT is said, its answer not waited for. */
void imap_close(struct imap *imap)
{
	if (imap->session && imap->line && imap_line_fault(imap->line) == LINE_FINE) {
		imap_line_allow(imap->line, clock_machine_ms() + 1000, 1, 0, 0);
		if (mailimap_send_current_tag(imap->session) == MAILIMAP_NO_ERROR &&
			mailstream_write(imap->stream, "LOGOUT\r\n", 8) > 0)
			(void)mailstream_flush(imap->stream);
		imap_line_goodbye(imap->line);
	}
	if (imap->stream)
		(void)mailstream_close(imap->stream);
	imap->stream = NULL;
	if (imap->session) {
		imap->session->imap_stream = NULL; /* else mailimap_free() would say LOGOUT and wait */
		mailimap_free(imap->session);
	}
	imap->session = NULL;
	imap->selected = 0;
	imap_line_free(&imap->line);
}
