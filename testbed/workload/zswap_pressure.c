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
#include <sys/mman.h>

#include "pages.h"

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
