/*
 * smtp.h - one SMTP connection (RFC 5321), made by libcurl and kept open between mails
 *
 * The part of transport.h that talks to a server; transport.c is its only user.
 */
#ifndef SENGEN_SMTP_H
#define SENGEN_SMTP_H

#include "lib/mail/transport.h"

struct smtp;

/* settings and password: borrowed until smtp_free(). */
struct smtp *smtp_new(const struct transport_settings *settings, const char *password);
void smtp_send(struct smtp *smtp, const struct parcel *parcel, struct delivery *out);
void smtp_free(struct smtp **smtp);

#endif
