/* The child that holds the connection to the mail server, or the Maildir: no store, no key, one mail at a time. */
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "daemon/handover.h"
#include "daemon/zygote.h"

/* It needs resolver, certificates and token file, so it may read; it gains nothing, and writes no file unless that is its task. */
static void lose_rights(bool writes_files)
{
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || setrlimit(RLIMIT_CORE, &(struct rlimit){0}) != 0 ||
		(!writes_files && setrlimit(RLIMIT_FSIZE, &(struct rlimit){0}) != 0))
		_exit(1);
}

/* A mail takes and frees the same buffers again and again: the heap's end is not given back and fetched each time. */
#define HEAP_KEPT (4 * 1024 * 1024)

_Noreturn void transport_child_main(int fd)
{
	(void)mallopt(M_TRIM_THRESHOLD, HEAP_KEPT);
	struct str payload = STR_INIT, answer = STR_INIT;
	struct pool *server_pool = pool_new(), *pool = pool_new();
	struct transport_settings settings;
	struct secret password = SECRET_INIT;
	enum wire_type type;
	if (wire_receive(fd, &type, &payload, NULL, -1) != 1 || type != WIRE_SERVER ||
		!handover_get_server(&settings, &payload, server_pool) || !wire_receive_secret(fd, &password))
		_exit(1);
	lose_rights(settings.maildir);

	struct transport *transport = transport_new(&settings, password.len ? password.bytes : NULL);
	struct parcel parcel;
	while (wire_receive(fd, &type, &payload, NULL, -1) == 1 && type == WIRE_MAIL &&
		handover_get_mail(&parcel, &payload, pool)) {
		struct delivery delivery;
		transport_send(transport, &parcel, &delivery);
		str_clear(&answer);
		handover_put_delivery(&answer, &delivery);
		if (!wire_send(fd, WIRE_DELIVERY, answer.s, answer.len))
			break;
		pool_reset(pool);
	}
	transport_free(&transport);
	secret_free(&password);
	_exit(0);
}
