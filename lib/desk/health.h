/*
 * health.h - is everything well? One list of checks for `sengenctl health`, the metrics file, alarms, digest and report (F72-F74)
 */
#ifndef SENGEN_HEALTH_H
#define SENGEN_HEALTH_H

#include "lib/desk/tally.h"

enum health_level { HEALTH_GOOD, HEALTH_WARN, HEALTH_BAD };

struct health_item {
	const char *
		name; /* stable: "queue", "fetch", "intake", "clock", "disk-spool", "disk-state", "credential:dkim sa1", "silence:files", "late", "books",
			   * "hold", "restored", "review", "role:sender" … */
	enum health_level level;
	const char *text; /* what is wrong and what to do, in the language of the process */
	int64_t value; /* what was measured (seconds, bytes, days, count: in the name of its metric) */
};
typedef enum rc health_fn(void *ctx, const struct health_item *item, struct err *err);
/* All checks, good ones too, in a fixed order; *worst. A store opened for reading is enough; credentials that this process may not read are left out. */
enum rc health_check(struct office *office, const struct tally *tally, health_fn *fn, void *ctx,
	enum health_level *worst, struct pool *pool, struct err *err);

/* Prometheus' text format (0.0.4) of tally and checks; sengen_… names with HELP and TYPE, no personal data in labels. */
enum rc metrics_print(struct office *office, const struct tally *tally, struct str *out, struct err *err);

#endif
