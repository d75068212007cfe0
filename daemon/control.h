/*
 * control.h - the control socket: what sengenctl asks the daemon to change
 *
 * runtime_directory/control.sock, newline-delimited JSON. A request is one line:
 *
 *   {"command":"hold","application":12,"reason":"…"}        or "declaration_id":4…, in place of "application"
 *
 *   ping                                       is anybody there
 *   hold reject (reason required), release approve confirm withdraw (reason welcome)
 *   stop                                       Form B-3; "on":"2026-12-31" for a day to come, "reason"
 *   resend                                     "template":"id"; "anew":true with a reason: made anew with today's values
 *   correct                                    "fields":{"telephone":"…"}, keys of register.h, "" clears; "reason"
 *   move                                       "to":"id_issued": the next stage now; "reason"
 *   undo                                       takes the last change of state back; "reason"
 *   pause, resume                              "what":["intake","deciding","sending","reading"]; a pause wants a reason
 *   erase                                      personal data, for good; "mail":3 in place of the application; reason required
 *   purge                                      what is past its time is erased now
 *   release-batch                              "batch":3; "waits_for_second":true in the answer: it takes another person
 *   release-ceiling, release-restored          the answers to the daemon's two questions
 *   record-list                                "rows":12,"digest":"…": a public list that sengenctl publish wrote, for the history
 *   import                                     then a line {"import":{…}} per declaration, then {"end":true}:
 *     declaration_id, user_number, state ("id_issued", "logo_authorized", "stopped"), star, applied_on, id_issued_on,
 *     logo_authorized_on, stopped_on, form {key: value} with the keys of register.h
 *
 * The answer is one line: {"ok":true,"rc":0,"message":"…","message_ja":"…"}, rc as exit codes of the programs; resend adds "notice". An import
 * answers {"row":N,"ok":false,…} for each declaration that was refused, and at the end a line with "imported", "known", "refused".
 *
 * Who may: the kernel tells who the peer is and in which groups. Each command wants a right (control_request.c), which the groups of the settings give
 * (rights.read, work, release, administer); root and the daemon's own user administer. Who has none is not heard at all. A client that sends too long a line is
 * dropped, one that does not read its answers is not read from; none can make another wait.
 */
#ifndef SENGEN_CONTROL_H
#define SENGEN_CONTROL_H

#include <jansson.h>

#include "daemon/role.h"

#define CONTROL_LINE_MAX 65536 /* bytes of one request */
#define CONTROL_IMPORT_BATCH 50 /* declarations in one transaction */

/* The import a client is in the middle of. */
struct control_import {
	bool running;
	int rows; /* lines seen */
	int imported, known, refused;
	json_t *waiting[CONTROL_IMPORT_BATCH]; /* owned */
	int waiting_count;
};

/* Who asks, as the kernel tells. */
struct control_peer {
	uid_t uid;
	char actor[128]; /* "staff:1000(yamada)" */
	enum right right;
};

/* Carries out one request line of the peer; the answer's lines are appended to out. RC_STORE and RC_CONFIG are answers too. */
void control_request(struct role_context *ctx, struct control_import *import, const struct control_peer *peer,
	const char *line, size_t len, struct str *out);
/* Drops what an import has not yet written. */
void control_import_drop(struct control_import *import);

/* For the log, which holds no names: the actor without what stands in brackets, as arguments of %.*s. */
#define ACTOR_UID(actor) (int)strcspn((actor), "("), (actor)

#endif
