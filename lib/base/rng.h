/*
 * rng.h - the one source of randomness
 *
 * Live runs draw from OpenSSL's generator. A simulation or a test seeds a deterministic one (SHA-256 in
 * counter mode), so that the same run gives the same bytes; a seeded source is never used on a live store.
 */
#ifndef SENGEN_RNG_H
#define SENGEN_RNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rng {
	bool is_seeded;
	uint64_t seed;
	uint64_t counter;
};

struct rng rng_system(void);
struct rng rng_seeded(uint64_t seed);
void rng_bytes(struct rng *rng, void *out, size_t len);
uint64_t rng_below(struct rng *rng, uint64_t bound); /* uniform in [0, bound), without modulo bias */

#endif
