/*
 * handover.h - what a sender and its transport children write to each other: the server, mails, and what became of them
 *
 * Payloads of WIRE_SERVER, WIRE_MAIL and WIRE_DELIVERY.
 */
#ifndef SENGEN_HANDOVER_H
#define SENGEN_HANDOVER_H

#include "daemon/wire.h"
#include "lib/mail/transport.h"

/* A WIRE_SECRET comes behind it. */
void handover_put_server(struct str *out, const struct transport_settings *settings);
/* Texts go into the pool. false: not such a payload. */
bool handover_get_server(struct transport_settings *settings, const struct str *payload, struct pool *pool);

/* The mail goes as header fields in front and the rest: they are signed apart. */
void handover_put_mail(struct str *out, const struct parcel *parcel, const char *fields, size_t fields_len);
/* The parcel lives in pool and payload. */
bool handover_get_mail(struct parcel *parcel, const struct str *payload, struct pool *pool);

void handover_put_delivery(struct str *out, const struct delivery *delivery);
bool handover_get_delivery(struct delivery *delivery, const struct str *payload);

#endif
