/* The child that holds the connection to the mail server, or the Maildir: no store, no key, one mail at a time. */
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/handover.h"
#include "daemon/places.h"
#include "daemon/zygote_serve.h"

#define MEMORY_BYTES                                                                                         \
	((size_t)1024 * 1024 * 1024) /* address space: the libraries alone map 200 MiB, a thread 72 */
#define CPU_SECONDS 600 /* of thousands of mails */

/* It needs resolver, certificates and token file, or its Maildir, and nothing else of the machine. */
static void lose_rights(const struct transport_settings *settings)
{
	struct confine_places places = {0};
	struct err err = {0};
	struct confinement confinement = {.kind = settings->maildir ? CONFINED_MAILDIR : CONFINED_TRANSPORT,
		.places = &places,
		.limits = {.memory_bytes = MEMORY_BYTES, .cpu_seconds = CPU_SECONDS}};
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	if (settings->maildir) {
		places_of_maildir(&places, settings->path);
	} else {
		places_of_line(&places, settings->ca_file,
			settings->auth == AUTH_XOAUTH2 ? settings->password_from : NULL);
		confinement.port = (uint16_t)settings->port;
		confinement.limits.file_bytes = 1; /* none: not in memory either */
	}
	if (confine_self(&confinement, &err))
		_exit(RC_CONFIG);
	confine_places_free(&places);
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
	lose_rights(&settings);

	struct transport *transport = transport_new(&settings, password.len ? password.bytes : NULL);
	struct parcel parcel;
	while (wire_receive_alone(fd, &type, &payload, -1) == 1 && type == WIRE_MAIL &&
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
