#include "lib/base/rng.h"

#include <openssl/rand.h>
#include <string.h>

#include "lib/base/crypt.h"
#include "lib/base/err.h"

struct rng rng_system(void)
{
	return (struct rng){0};
}

struct rng rng_seeded(uint64_t seed)
{
	return (struct rng){.is_seeded = true, .seed = seed};
}

static void put_number(uint8_t out[8], uint64_t number)
{
	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)(number >> (56 - 8 * i));
}

void rng_bytes(struct rng *rng, void *out, size_t len)
{
	uint8_t *at = out;
	if (!rng->is_seeded) {
		while (len > 0) {
			int piece = len < 65536 ? (int)len : 65536;
			if (RAND_bytes(at, piece) != 1)
				die("the system gave no random bytes");
			at += piece;
			len -= (size_t)piece;
		}
		return;
	}
	while (len > 0) {
		uint8_t input[16], block[SHA256_LEN];
		put_number(input, rng->seed);
		put_number(input + 8, rng->counter++);
		sha256(block, input, sizeof input);
		size_t piece = len < sizeof block ? len : sizeof block;
		memcpy(at, block, piece);
		at += piece;
		len -= piece;
	}
}

uint64_t rng_below(struct rng *rng, uint64_t bound)
{
	if (bound < 2)
		return 0;
	/* Draws below `uneven` would favour small results: 2^64 is no multiple of bound. */
	uint64_t uneven = (0 - bound) % bound;
	for (;;) {
		uint64_t draw;
		rng_bytes(rng, &draw, sizeof draw);
		if (draw >= uneven)
			return draw % bound;
	}
}
