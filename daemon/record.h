/*
 * record.h - form records as frames between the parser child and intake
 *
 * What a child sends is outside data: reading checks that every text is UTF-8 and within the limits, that counts are, and that nothing is left
 * over. What does not fit makes the child count as dead.
 */
#ifndef SENGEN_RECORD_H
#define SENGEN_RECORD_H

#include "daemon/wire.h"
#include "lib/form/form.h"
#include "lib/form/validate.h"

#define RECORDS_PER_TURN 256 /* then the child waits for WIRE_MORE */

void form_limits_pack(struct str *out, const struct form_limits *limits);
bool form_limits_unpack(struct form_limits *limits, struct wire_reader *reader);

void form_head_pack(struct str *out, const struct form_head *head);
bool form_head_unpack(struct form_head *head, struct wire_reader *reader, const struct form_limits *limits,
	struct pool *pool);

void form_record_pack(struct str *out, const struct form_record *record);
bool form_record_unpack(struct form_record *record, struct wire_reader *reader,
	const struct form_limits *limits, struct pool *pool);

/* Findings of a row and what became of a decision, kept in the register until the result is written. */
void findings_pack(struct str *out, const struct findings *findings, const char *detail_ja);
bool findings_unpack(
	struct findings *findings, const char **detail_ja, struct wire_reader *reader, struct pool *pool);

#endif
