/* The messages of an IMAP mailbox: list, fetch, move, wait. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/clock.h"
#include "lib/mail/imap_p.h"

#define LIST_WINDOW 500 /* messages asked for at once */
#define LIST_ENTRY_BYTES 512 /* what their answer may have, each; flags that others change come along */
#define MOVE_WINDOW 200 /* UIDs in one command: some servers take lines of 8,000 bytes only */
#define FETCH_WINDOW 200 /* likewise */
#define FETCH_SPARE_BYTES 1024 /* a message: sizes of servers are sometimes a little wrong */
#define POLL_SECONDS 30 /* between looks at a server without IDLE */
#define LIST_TRIES 3

static void *imap_new(const struct mailbox_settings *settings, const char *password)
{
	struct imap *imap = xcalloc(1, sizeof *imap);
	imap->settings = settings;
	imap->password = password;
	imap->phase = "connect";
	imap->prefix = xstrdup("");
	imap->sent_name = STR_INIT;
	/* Else libetpan keeps large strings in files in /tmp. */
	mmap_string_set_ceil(SIZE_MAX);
	return imap;
}

static void imap_free(void *mailbox)
{
	struct imap *imap = mailbox;
	free(imap->prefix);
	str_free(&imap->sent_name);
	imap_copies_free(&imap->copies);
	free(imap);
}

static enum rc open_session(void *mailbox, struct err *err)
{
	return imap_open(mailbox, err);
}

static bool is_open(const void *mailbox)
{
	return ((const struct imap *)mailbox)->session != NULL;
}

static void close_session(void *mailbox)
{
	imap_close(mailbox);
}

static int64_t certificate_until(const void *mailbox)
{
	const struct imap *imap = mailbox;
	return imap->line ? imap_line_certificate_until(imap->line) : 0;
}

static const char *phase(const void *mailbox)
{
	return ((const struct imap *)mailbox)->phase;
}

/* A refusal that is not about one message: the same sentence, to be tried again later. */
static enum rc as_server(enum rc rc, struct err *err)
{
	if (rc != RC_REFUSED)
		return rc;
	err->rc = RC_SERVER;
	return RC_SERVER;
}

/* RFC 3501, 2.3.1.1: 1 to 4294967295. 0: none. */
static uint32_t uid_number(const char *uid)
{
	char *end;
	if (*uid < '0' || *uid > '9' || strlen(uid) > 10)
		return 0;
	unsigned long number = strtoul(uid, &end, 10);
	return *end || number > UINT32_MAX ? 0 : (uint32_t)number;
}

/* ---- what FETCH brought ---- */

struct fetched {
	uint32_t number, uid, size;
	bool has_size;
	const struct mailimap_msg_att_body_section *body; /* NULL: none came, or NIL */
};

static void read_static_item(struct fetched *out, const struct mailimap_msg_att_static *item)
{
	switch (item->att_type) {
	case MAILIMAP_MSG_ATT_UID:
		out->uid = item->att_data.att_uid;
		break;
	case MAILIMAP_MSG_ATT_RFC822_SIZE:
		out->size = item->att_data.att_rfc822_size;
		out->has_size = true;
		break;
	case MAILIMAP_MSG_ATT_BODY_SECTION:
		out->body = item->att_data.att_body_section;
		break;
	default:
		break;
	}
}

static struct fetched read_fetched(const struct mailimap_msg_att *message)
{
	struct fetched out = {.number = message->att_number};
	for (clistiter *at = clist_begin(message->att_list); at; at = clist_next(at)) {
		const struct mailimap_msg_att_item *item = clist_content(at);
		if (item->att_type == MAILIMAP_MSG_ATT_ITEM_STATIC)
			read_static_item(&out, item->att_data.att_static);
	}
	return out;
}

static clistiter *first_fetched(const struct imap *imap)
{
	clist *list = imap->session->imap_response_info->rsp_fetch_list;
	return list ? clist_begin(list) : NULL;
}

/* The one with that UID, or with UID 0 the one of that number. false: it was not among them. Changed flags, which come along, are none. */
static bool find_fetched(const struct imap *imap, uint32_t uid, uint32_t number, struct fetched *out)
{
	for (clistiter *at = first_fetched(imap); at; at = clist_next(at)) {
		*out = read_fetched(clist_content(at));
		if (uid ? out->uid == uid && (out->has_size || out->body) : out->uid && out->number == number)
			return true;
	}
	return false;
}

/* ---- sets ---- */

static void add_set(struct str *out, const uint32_t *uid, size_t count)
{
	for (size_t i = 0; i < count; i++)
		str_printf(out, "%s%" PRIu32, i ? "," : "", uid[i]);
}

/* A command with a set of UIDs in the middle, and what its answer may bring besides lists of them. */
static enum rc with_set(struct imap *imap, const char *before, const uint32_t *uid, size_t count,
	const char *after, int64_t payload, int64_t literal, struct err *err)
{
	struct str command = STR_INIT;
	str_addz(&command, before);
	add_set(&command, uid, count);
	str_addz(&command, after);
	enum rc rc = imap_command(imap, command.s, payload + (int64_t)count * LIST_ENTRY_BYTES, literal, err);
	str_free(&command);
	return rc;
}

/* ---- listing ---- */

/* What a server claims stays a number that can be reckoned with. */
static uint32_t message_count(const struct imap *imap)
{
	uint32_t count = imap->session->imap_selection_info->sel_exists;
	return count < INT32_MAX ? count : INT32_MAX;
}

/* While only FETCH is asked, the server renumbers nothing (RFC 3501, 7.4.1). *uid 0: that message is gone, which it has not said yet. */
static enum rc uid_at(struct imap *imap, uint32_t number, uint32_t *uid, struct err *err)
{
	struct str command = STR_INIT;
	struct fetched fetched;
	str_printf(&command, "FETCH %" PRIu32 " (UID)", number);
	enum rc rc = as_server(imap_command(imap, command.s, 0, 0, err), err);
	str_free(&command);
	*uid = 0;
	if (rc == RC_OK && find_fetched(imap, 0, number, &fetched))
		*uid = fetched.uid;
	return rc;
}

/* The number of the first message with a UID above `after`; one more than there are: none. *lost: the server must be asked what is gone. */
static enum rc first_behind(struct imap *imap, uint32_t after, uint32_t *first, bool *lost, struct err *err)
{
	uint32_t count = message_count(imap), uid;
	uint32_t low = 0, high = count + 1; /* the UID of `low` is not above, that of `high` is */
	uint32_t probe = 1; /* mostly everything is new, or nothing */
	*lost = false;
	while (after > 0 && high - low > 1) {
		enum rc rc = uid_at(imap, probe, &uid, err);
		*lost = uid == 0;
		if (rc != RC_OK || *lost)
			return rc;
		if (uid > after)
			high = probe;
		else
			low = probe;
		probe = probe == 1 && low == 1 ? count : low + (high - low) / 2;
		if (probe <= low)
			probe = low + 1;
	}
	*first = after > 0 ? high : 1;
	return RC_OK;
}

struct window {
	uint32_t first, last; /* message numbers */
	uint32_t after;
};

static enum rc list_window(struct imap *imap, const struct window *window, struct mailbox_list *out,
	size_t room, struct pool *pool, struct err *err)
{
	struct str command = STR_INIT;
	str_printf(&command, "FETCH %" PRIu32 ":%" PRIu32 " (UID RFC822.SIZE)", window->first, window->last);
	int64_t bytes = (int64_t)(window->last - window->first + 1) * LIST_ENTRY_BYTES;
	enum rc rc = as_server(imap_command(imap, command.s, bytes, 0, err), err);
	str_free(&command);
	for (clistiter *at = rc == RC_OK ? first_fetched(imap) : NULL; at; at = clist_next(at)) {
		struct fetched one = read_fetched(clist_content(at));
		bool wanted = one.uid > window->after && one.has_size && one.number >= window->first &&
			      one.number <= window->last;
		if (wanted && out->count < room)
			out->entry[out->count++] = (struct mailbox_entry){
				.uid = pool_printf(pool, "%" PRIu32, one.uid), .size = one.size};
	}
	return rc;
}

static int by_uid(const void *a, const void *b)
{
	uint32_t x = uid_number(((const struct mailbox_entry *)a)->uid),
		 y = uid_number(((const struct mailbox_entry *)b)->uid);
	return x < y ? -1 : x > y;
}

/* In order, and each once, whatever the server did. */
static void put_in_order(struct mailbox_list *list)
{
	size_t kept = 0;
	if (list->count == 0)
		return;
	qsort(list->entry, list->count, sizeof *list->entry, by_uid);
	for (size_t i = 1; i < list->count; i++)
		if (by_uid(&list->entry[kept], &list->entry[i]) != 0)
			list->entry[++kept] = list->entry[i];
	list->count = kept + 1;
}

static enum rc list_from(struct imap *imap, uint32_t first, uint32_t after, size_t limit,
	struct mailbox_list *out, struct pool *pool, struct err *err)
{
	uint32_t count = message_count(imap);
	uint32_t there = first > count ? 0 : count - first + 1;
	size_t room = limit < there ? limit : there;
	enum rc rc = RC_OK;
	out->entry = NULL;
	out->count = 0;
	out->more = room < there;
	/* The room grows with what comes, not with what the server says it has. */
	struct mailbox_entry *entry = NULL;
	for (size_t asked = 0; asked < room && rc == RC_OK;) {
		size_t some = room - asked < LIST_WINDOW ? room - asked : LIST_WINDOW;
		struct window window = {first + (uint32_t)asked, first + (uint32_t)(asked + some) - 1, after};
		entry = xrealloc(entry, (out->count + some) * sizeof *entry);
		out->entry = entry;
		rc = list_window(imap, &window, out, out->count + some, pool, err);
		asked += some;
	}
	put_in_order(out);
	out->entry = pool_alloc(pool, (out->count + 1) * sizeof *out->entry);
	if (out->count > 0)
		memcpy(out->entry, entry, out->count * sizeof *entry);
	free(entry);
	return rc;
}

static enum rc imap_list(void *mailbox, enum folder folder, const char *after, size_t limit,
	struct mailbox_list *out, struct pool *pool, struct err *err)
{
	struct imap *imap = mailbox;
	uint32_t behind = after ? uid_number(after) : 0, first = 1;
	bool fresh = imap->selected != folder, lost = true;
	imap_begin(imap, 0);
	enum rc rc = imap_select(imap, folder, err);
	if (rc == RC_OK && folder == FOLDER_INBOX)
		imap->listed_validity = imap->uid_validity;
	for (int turn = 0; turn < LIST_TRIES && rc == RC_OK && lost; turn++) {
		if (turn > 0 || !fresh) /* it may not have told yet what came or went */
			rc = as_server(imap_command(imap, "NOOP", 0, 0, err), err);
		/* A mail that comes from now on is news, even if it is seen below. */
		if (rc == RC_OK && folder == FOLDER_INBOX)
			imap->news = false;
		if (rc == RC_OK)
			rc = first_behind(imap, behind, &first, &lost, err);
	}
	if (rc == RC_OK && lost)
		return err_set(err, RC_SERVER, "The IMAP server %s does not tell the UIDs of its messages.",
			imap->settings->host);
	if (rc == RC_OK)
		rc = list_from(imap, first, behind, limit, out, pool, err);
	if (rc == RC_OK)
		out->uid_validity = imap->session->imap_selection_info->sel_uidvalidity;
	return rc;
}

/* Opens INBOX as it was when it was listed: under another UIDVALIDITY the same UID is another message. */
static enum rc select_listed(struct imap *imap, struct err *err)
{
	enum rc rc = imap_select(imap, FOLDER_INBOX, err);
	if (rc == RC_OK && imap->listed_validity && imap->listed_validity != imap->uid_validity)
		return err_set(err, RC_SERVER,
			"INBOX was made anew on the IMAP server (its UIDVALIDITY changed); it must be listed "
			"again.");
	return rc;
}

/* ---- fetching ---- */

static enum rc gone(struct err *err)
{
	return err_set(err, RC_REFUSED, "The message is not in INBOX any more.");
}

static enum rc too_large(const struct imap *imap, struct err *err)
{
	return err_set(err, RC_REFUSED, "The message is larger than the %lld bytes that are fetched.",
		(long long)imap->settings->message_bytes);
}

static enum rc ask_size(struct imap *imap, uint32_t uid, uint32_t *size, struct err *err)
{
	struct str command = STR_INIT;
	struct fetched fetched;
	str_printf(&command, "UID FETCH %" PRIu32 " (UID RFC822.SIZE)", uid);
	enum rc rc = imap_command(imap, command.s, 0, 0, err);
	str_free(&command);
	if (rc != RC_OK)
		return as_server(rc, err);
	if (!find_fetched(imap, uid, 0, &fetched) || !fetched.has_size)
		return gone(err);
	*size = fetched.size;
	return fetched.size > imap->settings->message_bytes ? too_large(imap, err) : RC_OK;
}

static enum rc imap_fetch(void *mailbox, const char *uid, struct str *raw, struct err *err)
{
	struct imap *imap = mailbox;
	uint32_t number = uid_number(uid), size = 0;
	struct str command = STR_INIT;
	struct fetched fetched;
	if (number == 0)
		return gone(err);
	imap_begin(imap, 0);
	enum rc rc = select_listed(imap, err);
	if (rc == RC_OK)
		rc = ask_size(imap, number, &size, err);
	if (rc != RC_OK)
		return rc;
	imap_begin(imap, size);
	str_printf(&command, "UID FETCH %" PRIu32 " (UID BODY.PEEK[])", number);
	/* Sizes of servers are sometimes a little wrong: what counts is the limit. */
	int64_t limit = imap->settings->message_bytes;
	rc = imap_command(imap, command.s, limit, limit, err);
	str_free(&command);
	if (rc == RC_SERVER && !imap->session && imap->last_fault == LINE_LITERAL)
		return too_large(imap, err); /* whatever size it told before */
	if (rc != RC_OK) /* a NO is about this message: the next one can be had */
		return rc;
	if (!find_fetched(imap, number, 0, &fetched))
		return gone(err);
	if (!fetched.body || !fetched.body->sec_body_part)
		return err_set(err, RC_REFUSED, "The IMAP server gives no bytes for the message.");
	if ((int64_t)fetched.body->sec_length > limit)
		return too_large(imap, err);
	str_add(raw, fetched.body->sec_body_part, fetched.body->sec_length);
	return RC_OK;
}

/* One that is as it should be goes on; the others are asked for one by one, which tells what is the matter with them. */
static enum rc hand_on(const struct imap *imap, const uint32_t *uid, size_t count, mailbox_message_fn *fn,
	void *ctx, struct err *err)
{
	enum rc rc = RC_OK;
	size_t expected = 0; /* servers mostly answer in the order of the UIDs */
	for (clistiter *at = first_fetched(imap); at && rc == RC_OK; at = clist_next(at)) {
		struct fetched fetched = read_fetched(clist_content(at));
		if (!fetched.uid || !fetched.body || !fetched.body->sec_body_part ||
			(int64_t)fetched.body->sec_length > imap->settings->message_bytes)
			continue;
		for (size_t turn = 0; turn < count; turn++) {
			size_t place = (expected + turn) % count;
			if (uid[place] != fetched.uid)
				continue;
			expected = place + 1;
			rc = fn(ctx, place, fetched.body->sec_body_part, fetched.body->sec_length, err);
			break;
		}
	}
	return rc;
}

static enum rc imap_fetch_some(void *mailbox, const char *const *uid, size_t count, int64_t payload,
	mailbox_message_fn *fn, void *ctx, struct err *err)
{
	struct imap *imap = mailbox;
	uint32_t number[FETCH_WINDOW];
	int64_t spare = payload / 8 + (int64_t)count * FETCH_SPARE_BYTES;
	imap_begin(imap, payload);
	enum rc rc = select_listed(imap, err);
	if (count > FETCH_WINDOW)
		count = FETCH_WINDOW;
	for (size_t i = 0; i < count; i++)
		if ((number[i] = uid_number(uid[i])) == 0)
			return rc; /* that is no UID */
	if (rc == RC_OK)
		rc = with_set(imap, "UID FETCH ", number, count, " (UID BODY.PEEK[])", payload + spare,
			imap->settings->message_bytes, err);
	return rc == RC_OK ? hand_on(imap, number, count, fn, ctx, err) : rc == RC_REFUSED ? RC_OK : rc;
}

/* ---- moving ---- */

struct batch { /* of messages that are moved in one command */
	const uint32_t *uid; /* in INBOX */
	const char **moved; /* where their UIDs over there go */
	size_t count;
};

static bool was_found(const struct imap *imap, uint32_t uid)
{
	clist *found = imap->session->imap_response_info->rsp_search_result;
	for (clistiter *at = found ? clist_begin(found) : NULL; at; at = clist_next(at))
		if (*(const uint32_t *)clist_content(at) == uid)
			return true;
	return false;
}

/* Walks two sets of UIDs side by side (RFC 4315, 3: they stand in the same order). */
struct set_walk {
	clistiter *item;
	uint32_t next;
	bool inside;
};

static bool set_next(struct set_walk *walk, uint32_t *uid)
{
	if (!walk->item)
		return false;
	const struct mailimap_set_item *item = clist_content(walk->item);
	if (!walk->inside)
		walk->next = item->set_first;
	walk->inside = true;
	*uid = walk->next++;
	if (*uid == item->set_last || *uid == UINT32_MAX) {
		walk->item = clist_next(walk->item);
		walk->inside = false;
	}
	return true;
}

static const struct mailimap_uidplus_resp_code_copy *find_copyuid(const struct imap *imap)
{
	clist *list = imap->session->imap_response_info->rsp_extension_list;
	for (clistiter *at = list ? clist_begin(list) : NULL; at; at = clist_next(at)) {
		const struct mailimap_extension_data *data = clist_content(at);
		if (data->ext_extension == &mailimap_extension_uidplus &&
			data->ext_type == MAILIMAP_UIDPLUS_RESP_CODE_COPY)
			return data->ext_data;
	}
	return NULL;
}

static void read_copyuid(const struct imap *imap, const struct batch *batch, struct pool *pool)
{
	const struct mailimap_uidplus_resp_code_copy *copy = find_copyuid(imap);
	uint32_t from, to;
	if (!copy || !copy->uid_source_set || !copy->uid_dest_set)
		return;
	struct set_walk source = {.item = clist_begin(copy->uid_source_set->set_list)},
			target = {.item = clist_begin(copy->uid_dest_set->set_list)};
	/* No longer than what was sent: a set can be made to have four thousand million numbers. */
	for (size_t step = 0; step < batch->count && set_next(&source, &from) && set_next(&target, &to);
		step++)
		for (size_t i = 0; i < batch->count; i++)
			if (batch->uid[i] == from)
				batch->moved[i] = pool_printf(pool, "%" PRIu32, to);
}

static enum rc store_deleted(
	struct imap *imap, const uint32_t *uid, size_t count, const char *change, struct err *err)
{
	enum rc rc = RC_OK;
	for (size_t i = 0; i < count && rc == RC_OK; i += MOVE_WINDOW)
		rc = with_set(imap, "UID STORE ", uid + i, count - i < MOVE_WINDOW ? count - i : MOVE_WINDOW,
			change, 0, 0, err);
	return as_server(rc, err);
}

/* The UIDs of what others have flagged as deleted; to be freed. */
static enum rc find_deleted(struct imap *imap, uint32_t **uid, size_t *count, struct err *err)
{
	*uid = NULL;
	*count = 0;
	enum rc rc = as_server(imap_command(imap, "UID SEARCH DELETED", ANSWER_BYTES, 0, err), err);
	clist *found = rc == RC_OK ? imap->session->imap_response_info->rsp_search_result : NULL;
	if (!found)
		return rc;
	*uid = xcalloc((size_t)clist_count(found) + 1, sizeof **uid);
	for (clistiter *at = clist_begin(found); at; at = clist_next(at))
		(*uid)[(*count)++] = *(const uint32_t *)clist_content(at);
	return rc;
}

/* Without UIDPLUS a server expunges whatever is flagged: others' flags are taken off for that moment (RFC 4549, 4.2.4 advises it). What remains is a
 * risk: a mail that somebody flags between two of these commands goes for good, and when the line dies between them, others' mails are left without
 * their flag. */
static enum rc expunge_plainly(struct imap *imap, const struct batch *batch, struct err *err)
{
	uint32_t *other;
	size_t count;
	enum rc rc = find_deleted(imap, &other, &count, err);
	if (rc == RC_OK)
		rc = store_deleted(imap, other, count, " -FLAGS.SILENT (\\Deleted)", err);
	if (rc == RC_OK)
		rc = store_deleted(imap, batch->uid, batch->count, " +FLAGS.SILENT (\\Deleted)", err);
	if (rc == RC_OK)
		rc = as_server(imap_command(imap, "EXPUNGE", ANSWER_BYTES, 0, err), err);
	if (rc == RC_OK)
		rc = store_deleted(imap, other, count, " +FLAGS.SILENT (\\Deleted)", err);
	free(other);
	return rc;
}

static enum rc remove_copied(struct imap *imap, const struct batch *batch, struct err *err)
{
	if (!imap_can(imap, "UIDPLUS"))
		return expunge_plainly(imap, batch, err);
	enum rc rc = store_deleted(imap, batch->uid, batch->count, " +FLAGS.SILENT (\\Deleted)", err);
	return rc ? rc
		  : as_server(with_set(imap, "UID EXPUNGE ", batch->uid, batch->count, "", 0, 0, err), err);
}

/* A line that dies between COPY and EXPUNGE leaves a second copy there when the whole is done again: the price of a server without MOVE. */
static enum rc move_batch(
	struct imap *imap, const struct batch *batch, enum folder to, struct pool *pool, struct err *err)
{
	bool can_move = imap_can(imap, "MOVE");
	struct str target = STR_INIT, name = STR_INIT;
	imap_folder_name(imap, to, &name);
	str_addc(&target, ' ');
	imap_add_quoted(&target, name.s);
	const char *verb = can_move ? "UID MOVE " : "UID COPY ";
	enum rc rc = with_set(imap, verb, batch->uid, batch->count, target.s, 0, 0, err);
	if (rc == RC_REFUSED && imap->session->imap_response_info->rsp_trycreate) {
		rc = imap_make_folder(imap, to, err); /* somebody removed it */
		if (rc == RC_OK)
			rc = with_set(imap, verb, batch->uid, batch->count, target.s, 0, 0, err);
	}
	str_free(&target);
	str_free(&name);
	rc = as_server(rc, err);
	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < batch->count; i++)
		batch->moved[i] = "";
	read_copyuid(imap, batch, pool);
	return can_move ? RC_OK : remove_copied(imap, batch, err);
}

/* Only what is still there is moved: some servers refuse the whole set otherwise, and it tells what was gone. */
static enum rc move_present(
	struct imap *imap, const struct batch *asked, enum folder to, struct pool *pool, struct err *err)
{
	uint32_t uid[MOVE_WINDOW];
	size_t place[MOVE_WINDOW] = {0};
	const char *moved[MOVE_WINDOW] = {0};
	struct batch batch = {.uid = uid, .moved = moved};
	enum rc rc =
		as_server(with_set(imap, "UID SEARCH UID ", asked->uid, asked->count, "", 0, 0, err), err);
	for (size_t i = 0; i < asked->count && rc == RC_OK; i++)
		if (was_found(imap, asked->uid[i])) {
			place[batch.count] = i;
			uid[batch.count++] = asked->uid[i];
		}
	if (rc == RC_OK && batch.count > 0)
		rc = move_batch(imap, &batch, to, pool, err);
	for (size_t i = 0; i < batch.count; i++)
		asked->moved[place[i]] = moved[i];
	return rc;
}

static enum rc imap_move(void *mailbox, const char *const *uid, size_t count, enum folder to,
	const char **moved_uid, struct pool *pool, struct err *err)
{
	struct imap *imap = mailbox;
	uint32_t number[MOVE_WINDOW];
	const char *moved[MOVE_WINDOW];
	size_t place[MOVE_WINDOW];
	imap_begin(imap, 0);
	enum rc rc = select_listed(imap, err);
	for (size_t i = 0; i < count && rc == RC_OK;) {
		struct batch batch = {.uid = number, .moved = moved};
		for (; i < count && batch.count < MOVE_WINDOW; i++) {
			moved_uid[i] = NULL;
			place[batch.count] = i;
			number[batch.count] = uid_number(uid[i]);
			batch.count += number[batch.count] != 0;
		}
		for (size_t j = 0; j < batch.count; j++)
			moved[j] = NULL;
		imap_begin(imap, 0);
		if (batch.count > 0)
			rc = move_present(imap, &batch, to, pool, err);
		for (size_t j = 0; j < batch.count; j++)
			moved_uid[place[j]] = moved[j];
	}
	return rc;
}

/* ---- waiting ---- */

static void allow_reply(struct imap *imap)
{
	imap_begin(imap, 0);
	imap_line_allow(
		imap->line, imap->deadline_ms, imap->settings->reply_seconds, ANSWER_BYTES, ANSWER_BYTES);
}

/* Until something was said that matters, the time is over or the role wants something else. */
static enum rc listen_idly(struct imap *imap, int wake_fd, int64_t until, bool *woken, struct err *err)
{
	*woken = false;
	while (!imap->news) {
		int ready =
			imap->stream->read_buffer_len > 0 ? 1 : imap_line_wait(imap->line, wake_fd, until);
		*woken = ready == 2;
		if (ready != 1)
			return RC_OK;
		allow_reply(imap); /* a line that has begun ends soon */
		const char *line = mailimap_read_line(imap->session);
		if (!line || strncasecmp(line, "* BYE", 5) == 0)
			return imap_lost(imap, err);
		imap_note_line(imap, line);
	}
	return RC_OK;
}

/* One IDLE (RFC 2177). That DONE is answered proves that the line was alive: a firewall that forgot it says nothing. */
static enum rc idle(struct imap *imap, int wake_fd, int64_t until, bool *woken, struct err *err)
{
	bool go;
	allow_reply(imap);
	enum rc rc = imap_say(imap, "IDLE", err);
	if (rc == RC_OK)
		rc = imap_await_go(imap, &go, err);
	if (rc == RC_OK && !go)
		return err_set(err, RC_SERVER, "The IMAP server %s ends IDLE at once.", imap->settings->host);
	if (rc == RC_OK)
		rc = listen_idly(imap, wake_fd, until, woken, err);
	if (rc != RC_OK)
		return as_server(rc, err);
	allow_reply(imap);
	rc = imap_say_line(imap, "DONE", 4, err);
	return as_server(rc ? rc : imap_hear(imap, err), err);
}

/* A server without IDLE is asked now and then. */
static enum rc poll_once(struct imap *imap, int wake_fd, int64_t until, bool *woken, struct err *err)
{
	imap_begin(imap, 0);
	enum rc rc = as_server(imap_command(imap, "NOOP", 0, 0, err), err);
	if (rc != RC_OK || imap->news)
		return rc;
	*woken = imap_line_wait(imap->line, wake_fd, until) == 2;
	return RC_OK;
}

static enum rc imap_wait(void *mailbox, int seconds, int wake_fd, bool *news, struct err *err)
{
	struct imap *imap = mailbox;
	int64_t end = clock_machine_ms() + (int64_t)seconds * 1000;
	bool woken = false;
	imap_begin(imap, 0);
	enum rc rc = imap_select(imap, FOLDER_INBOX, err);
	while (rc == RC_OK && !imap->news && !woken) {
		bool can_idle = imap_can(imap, "IDLE");
		int64_t now = clock_machine_ms();
		int64_t until =
			now + (can_idle ? imap->settings->idle_seconds : POLL_SECONDS) * (int64_t)1000;
		if (now >= end)
			break;
		until = until < end ? until : end;
		rc = can_idle ? idle(imap, wake_fd, until, &woken, err)
			      : poll_once(imap, wake_fd, until, &woken, err);
	}
	*news = rc == RC_OK && imap->news;
	if (*news)
		imap->news = false;
	return as_server(rc, err);
}

/* ---- copies ---- */

static enum rc imap_append(void *mailbox, const char *name, const char *wire, size_t len, struct err *err)
{
	struct imap *imap = mailbox;
	(void)name;
	/* The server's name of the folder, and the folder itself, come from a session; libcurl then has one of its own. */
	if (imap->sent_name.len == 0) {
		bool kept = imap->session != NULL;
		enum rc rc = kept ? RC_OK : imap_open(imap, err);
		if (rc != RC_OK)
			return rc;
		imap_folder_name(imap, FOLDER_SENT, &imap->sent_name);
		if (!kept)
			imap_close(imap);
	}
	return imap_copies_append(
		&imap->copies, imap->settings, imap->password, imap->sent_name.s, wire, len, err);
}

const struct mailbox_kind mailbox_imap = {
	.new = imap_new,
	.open = open_session,
	.is_open = is_open,
	.close = close_session,
	.free = imap_free,
	.list = imap_list,
	.fetch = imap_fetch,
	.fetch_some = imap_fetch_some,
	.move = imap_move,
	.wait = imap_wait,
	.append = imap_append,
	.certificate_until = certificate_until,
	.phase = phase,
};
