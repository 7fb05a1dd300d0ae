// SPDX-License-Identifier: GPL-2.0-only
/*
 * zram_io: write pages to a block device, past the page cache, read them back
 * and check every byte.  Each thread has a part of the device of its own.
 *
 * Usage: zram_io DEVICE PAGES THREADS PASSES DISCARDS SEED [COMPACT]
 * In each pass every page is written, in an order that the seed gives, and
 * read; then DISCARDS of each 100 are discarded.  COMPACT is a file that 1 is
 * written to between writing and reading.  Prints "written N read N discarded
 * N"; exits with 1 if a page came back other than it was written.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "pages.h"

#define MAX_THREADS 64

struct part {
	pthread_t thread;
	int device;
	uint64_t first, pages, step, passes, discards, seed;
	uint64_t written, read, discarded;
	const char *compact;
	int status;
};

static int fail(struct part *part, const char *what, uint64_t page)
{
	fprintf(stderr, "zram_io: %s of page %llu: %s\n", what,
		(unsigned long long)page, strerror(errno));
	part->status = 2;
	return 0;
}

/* Every page once, for *step* has no factor in common with their number. */
static uint64_t page_at(const struct part *part, uint64_t i)
{
	return part->first + i * part->step % part->pages;
}

static int write_all(struct part *part, unsigned char *buffer, uint64_t pass)
{
	uint64_t i;

	for (i = 0; i < part->pages; i++) {
		uint64_t page = page_at(part, i);

		fill(buffer, page, part->seed + pass);
		if (pwrite(part->device, buffer, PAGE, page * PAGE) != PAGE)
			return fail(part, "write", page);
		part->written++;
	}
	return 1;
}

static int read_all(struct part *part, unsigned char *buffer, uint64_t pass)
{
	unsigned char expected[PAGE];
	uint64_t i;

	for (i = 0; i < part->pages; i++) {
		uint64_t page = page_at(part, i);

		if (pread(part->device, buffer, PAGE, page * PAGE) != PAGE)
			return fail(part, "read", page);
		part->read++;
		fill(expected, page, part->seed + pass);
		if (memcmp(buffer, expected, PAGE)) {
			fprintf(stderr, "zram_io: page %llu is damaged\n",
				(unsigned long long)page);
			part->status = 1;
			return 0;
		}
	}
	return 1;
}

static int discard_some(struct part *part)
{
	uint64_t i;

	for (i = 0; i < part->pages; i++) {
		uint64_t page = page_at(part, i);
		uint64_t range[2] = {page * PAGE, PAGE};

		if (i % 100 >= part->discards)
			continue;
		if (ioctl(part->device, BLKDISCARD, range))
			return fail(part, "discard", page);
		part->discarded++;
	}
	return 1;
}

static int compact(struct part *part)
{
	int fd;

	if (!part->compact || part->first)
		return 1;
	fd = open(part->compact, O_WRONLY);
	if (fd < 0 || write(fd, "1", 1) != 1)
		return fail(part, "compaction", 0);
	close(fd);
	return 1;
}

static void *work(void *data)
{
	struct part *part = data;
	unsigned char *buffer;
	uint64_t pass;

	if (posix_memalign((void **)&buffer, PAGE, PAGE)) {
		part->status = 2;
		return NULL;
	}
	for (pass = 0; pass < part->passes; pass++)
		if (!write_all(part, buffer, pass) || !compact(part) ||
		    !read_all(part, buffer, pass) || !discard_some(part))
			break;
	free(buffer);
	return NULL;
}

static uint64_t common_factor(uint64_t a, uint64_t b)
{
	return b ? common_factor(b, a % b) : a;
}

int main(int argc, char **argv)
{
	static struct part parts[MAX_THREADS];
	uint64_t written = 0, was_read = 0, discarded = 0;
	unsigned long pages, threads, i;
	int device, status = 0;
	uint64_t random;

	if (argc != 7 && argc != 8)
		return 2;
	pages = strtoul(argv[2], NULL, 10);
	threads = strtoul(argv[3], NULL, 10);
	random = strtoull(argv[6], NULL, 10) + 0x9e3779b97f4a7c15ull;
	if (!threads || threads > MAX_THREADS || pages < threads)
		return 2;
	device = open(argv[1], O_RDWR | O_DIRECT);
	if (device < 0) {
		perror("zram_io: open");
		return 2;
	}
	for (i = 0; i < threads; i++) {
		struct part *part = &parts[i];

		part->device = device;
		part->pages = pages / threads;
		part->first = i * part->pages;
		part->passes = strtoul(argv[4], NULL, 10);
		part->discards = strtoul(argv[5], NULL, 10);
		part->seed = strtoull(argv[6], NULL, 10);
		part->compact = argc == 8 ? argv[7] : NULL;
		do
			part->step = 1 + next_random(&random) % part->pages;
		while (common_factor(part->step, part->pages) != 1);
		if (pthread_create(&part->thread, NULL, work, part))
			return 2;
	}
	for (i = 0; i < threads; i++) {
		pthread_join(parts[i].thread, NULL);
		written += parts[i].written;
		was_read += parts[i].read;
		discarded += parts[i].discarded;
		status = parts[i].status > status ? parts[i].status : status;
	}
	printf("written %llu read %llu discarded %llu\n",
	       (unsigned long long)written, (unsigned long long)was_read,
	       (unsigned long long)discarded);
	return status;
}
