/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages whose bytes follow from a seed and a number, so that each can be
 * checked wherever it has been meanwhile. */
#ifndef Z3T_PAGES_H
#define Z3T_PAGES_H

#include <stdint.h>
#include <string.h>

#define PAGE 4096

static inline uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Half random, half one byte: a page compresses to about half, so two or three
 * share one of z3fold's. The share differs by page. */
static inline void fill(unsigned char *page, uint64_t number, uint64_t seed)
{
	uint64_t state = (number + 1) * 0x9e3779b97f4a7c15ull ^ seed;
	size_t noise = 256 + next_random(&state) % 2048;
	size_t i;

	for (i = 0; i < noise; i += 8) {
		uint64_t word = next_random(&state);

		memcpy(page + i, &word, sizeof(word));
	}
	memset(page + i, (int)(number & 0xff), PAGE - i);
}

#endif
