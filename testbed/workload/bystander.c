// SPDX-License-Identifier: GPL-2.0-only
/*
 * A bystander: work that takes many of the kernel's locks and none of the
 * target's. "file N" opens, closes and unlinks a file N times; "pipe N" sends a
 * byte to and fro between two processes N times.  Prints nanoseconds for each
 * round.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static void files(long rounds)
{
	char name[] = "/dev/shm/z3trace-bystander-XXXXXX";
	long i;

	close(mkstemp(name));
	unlink(name);
	for (i = 0; i < rounds; i++) {
		int fd = open(name, O_CREAT | O_RDWR, 0600);

		if (fd < 0)
			exit(1);
		close(fd);
		unlink(name);
	}
}

/* Both processes on one CPU: what is measured is the switch, not how long an
 * idle CPU takes to wake. */
static void pipes(long rounds)
{
	int there[2], back[2];
	cpu_set_t one;
	char byte = 0;
	long i;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	if (sched_setaffinity(0, sizeof(one), &one) || pipe(there) ||
	    pipe(back))
		exit(1);
	if (!fork()) {
		for (i = 0; i < rounds; i++)
			if (read(there[0], &byte, 1) != 1 ||
			    write(back[1], &byte, 1) != 1)
				_exit(1);
		_exit(0);
	}
	for (i = 0; i < rounds; i++)
		if (write(there[1], &byte, 1) != 1 ||
		    read(back[0], &byte, 1) != 1)
			exit(1);
	wait(NULL);
}

int main(int argc, char **argv)
{
	long rounds = argc == 3 ? atol(argv[2]) : 0;
	double start = now();

	if (rounds > 0 && !strcmp(argv[1], "file"))
		files(rounds);
	else if (rounds > 0 && !strcmp(argv[1], "pipe"))
		pipes(rounds);
	else
		return 2;
	printf("%.1f\n", (now() - start) / rounds);
	return 0;
}
