/*
 * health.h - is everything well? One list of checks for `sengenctl health`, the metrics file, alarms, digest and report (F72-F74)
 */
#ifndef SENGEN_HEALTH_H
#define SENGEN_HEALTH_H

#include "lib/desk/tally.h"

enum health_level { HEALTH_GOOD, HEALTH_WARN, HEALTH_BAD };

struct health_item {
	const char *
		name; /* stable, sengen-health(7) lists them: "queue", "role:sender", "credential:dkim sa1" … */
	enum health_level level;
	const char
		*text; /* what is so, and what to do where it is not good; in the language of the process */
	int64_t value; /* what was measured: seconds, bytes or a count, as metrics.c names it */
};
const char *health_level_name(enum health_level level); /* "good", "warn", "bad" */
typedef enum rc health_fn(void *ctx, const struct health_item *item, struct err *err);
/* All checks, good ones too, in a fixed order; *worst. A store opened for reading is enough; credentials that this process may not read are left out, and on a virtual
 * clock whatever belongs to the machine (roles, disks, its clock). Looks at files and the register; asks no server. */
enum rc health_check(struct office *office, const struct tally *tally, health_fn *fn, void *ctx,
	enum health_level *worst, struct pool *pool, struct err *err);

/* Prometheus' text format (0.0.4) of tally and checks; sengen_… names with HELP and TYPE, no personal data in labels. */
enum rc metrics_print(struct office *office, const struct tally *tally, struct str *out, struct err *err);

/* When a server's certificate runs out, as the children saw it at their last connections: kept as a fact, written when it changed or a day has passed. Within the caller's
 * transaction. noted: the caller's, zeros at first. */
#define FACT_TRANSPORT_CERTIFICATE "transport.certificate"
#define FACT_MAILBOX_CERTIFICATE "mailbox.certificate"
struct health_certificate {
	utc_time until, seen_at;
};
bool health_certificate_is_news(const struct health_certificate *noted, utc_time until, utc_time now);
enum rc health_certificate_note(struct store *store, const char *fact, struct health_certificate *noted,
	utc_time until, utc_time now, struct err *err);

/* The lock beside the register that a role holds while it runs; its time of change is the role's last sign of life. */
void health_lock_path(struct str *out, const struct settings *settings, const char *role);
#define HEALTH_SIGN_SECONDS 15 /* between two signs of life */

#endif
