/*
 * imap_script.h - an IMAP server for tests that says what its rules say, and remembers what it was told
 *
 * One thread on an ephemeral port of 127.0.0.1, one connection after the other. A command is answered by the first rule whose beginning it has; where
 * none fits, by a built-in one (a server with UIDPLUS, MOVE, IDLE and NAMESPACE whose folders exist and are empty), else with OK.
 */
#ifndef SENGEN_TESTS_IMAP_SCRIPT_H
#define SENGEN_TESTS_IMAP_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

enum imap_then {
	IMAP_GO_ON,
	IMAP_CUT, /* closes the connection */
	IMAP_SILENT, /* says nothing more and keeps it */
	IMAP_FLOOD, /* says the answer again and again until the client is gone */
};

struct imap_rule {
	const char *
		on; /* beginning of the command behind its tag; literals stand in it as they came. A line that goes on a command (DONE, an answer to "+") counts by itself */
	const char *answer; /* $T: the tag; lines with their CRLF; NULL: nothing */
	enum imap_then then;
	int times; /* it applies so often, then never again; 0: always */
};

enum imap_tls { IMAP_PLAIN, IMAP_STARTTLS, IMAP_IMPLICIT };
struct imap_script {
	enum imap_tls tls;
	const char *greeting; /* NULL: the usual one */
	enum imap_then after_greeting;
	const struct imap_rule *rules; /* ended by one without `on`; borrowed */
	const char *certificate_host; /* "localhost" */
	bool certificate_expired;
	const char *certificate; /* path to be written */
};

struct imap_server;
struct imap_server *imap_server_start(const struct imap_script *script);
int imap_server_port(const struct imap_server *server);
/* From the next command on. */
void imap_server_change(struct imap_server *server, const struct imap_rule *rules);
size_t imap_server_connections(struct imap_server *server);
/* How many commands have begun like that, in the clear and in all. */
size_t imap_server_heard(struct imap_server *server, const char *beginning);
size_t imap_server_heard_clear(struct imap_server *server, const char *beginning);
void imap_server_stop(struct imap_server **server);

#endif
