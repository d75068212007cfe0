/*
 * mask.h - what nobody who looks needs to see whole: user numbers, confirmation tokens, ZIP passwords
 *
 * Applicants quote them, staff copy them into reasons, stored letters hold them. Whatever shows such a text to a person shows it through mask_add(): every command of
 * sengenctl (say(), say_json(), table_print() do it by themselves), the report, a proof, the result of a decision file.
 *
 * User numbers (9 and 9 or 10 digits more, in any width, grouped or not) and tokens (with their checksum) are known by their shape. A password has none, and whoever
 * looks may not read it: the register keeps, for each one that was ever in use, its length and 32 bits of a hash that rolls over the text under a random base. That
 * finds it wherever it stands, and gives away no more than those 32 bits.
 */
#ifndef SENGEN_MASK_H
#define SENGEN_MASK_H

#include "lib/base/rng.h"
#include "lib/base/str.h"

#define MASK_PASSWORDS 16 /* that are known at a time; older ones are forgotten */
#define MASK_PASSWORD_LEAST 6 /* bytes: what is shorter would be found in every other sentence */

struct mask {
	struct mask_password {
		size_t len; /* bytes */
		uint64_t base;
		uint32_t hash;
	} password[MASK_PASSWORDS];
	int count;
};

/* What the register keeps ("14:00f3…:9ac0…" for each, with blanks between); anything else in it is passed over. */
void mask_read(struct mask *mask, const char *kept);
void mask_print(struct str *out, const struct mask *mask);
/* Learns a password. False: it was known, or is too short to be told from words. */
bool mask_learn(struct mask *mask, const char *password, struct rng *rng);

/* Appends the text with what must not be seen masked. mask NULL: no password is known. text NULL is "". */
void mask_add(struct str *out, const struct mask *mask, const char *text);

#endif
