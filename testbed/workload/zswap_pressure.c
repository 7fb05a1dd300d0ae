// SPDX-License-Identifier: GPL-2.0-only
/*
 * zswap_pressure: touch more memory than a memory cgroup allows, so that pages
 * go out through zswap and come back, and check every byte.
 *
 * Usage: zswap_pressure MIB PASSES SEED
 * Prints "pages N" (pages written or read); exits with 1 if a page came back
 * other than it was written.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096

static uint64_t state;

static uint64_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Half random, half one byte: a page compresses to about half, so two or three
 * share one of z3fold's. The share differs by page. */
static void fill(unsigned char *page, uint64_t number, uint64_t seed)
{
	size_t noise, i;

	state = (number + 1) * 0x9e3779b97f4a7c15ull ^ seed;
	noise = 256 + next_random() % 2048;
	for (i = 0; i < noise; i += 8) {
		uint64_t word = next_random();

		memcpy(page + i, &word, sizeof(word));
	}
	memset(page + i, (int)(number & 0xff), PAGE - i);
}

int main(int argc, char **argv)
{
	unsigned long pages, passes, pass, i, touched = 0;
	unsigned char expected[PAGE];
	unsigned char *memory;
	uint64_t seed;

	if (argc != 4)
		return 2;
	pages = strtoul(argv[1], NULL, 10) * 256;
	passes = strtoul(argv[2], NULL, 10);
	seed = strtoull(argv[3], NULL, 10);
	memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED) {
		perror("zswap_pressure: mmap");
		return 2;
	}
	for (i = 0; i < pages; i++, touched++)
		fill(memory + i * PAGE, i, seed);
	for (pass = 0; pass < passes; pass++) {
		for (i = 0; i < pages; i++, touched++) {
			fill(expected, i, seed);
			if (memcmp(memory + i * PAGE, expected, PAGE)) {
				fprintf(stderr,
					"zswap_pressure: page %lu is damaged\n",
					i);
				return 1;
			}
		}
	}
	printf("pages %lu\n", touched);
	return 0;
}
