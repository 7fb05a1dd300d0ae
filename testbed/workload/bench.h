/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the workloads in the kernel share: threads that allocate, fill, check
 * and free objects of seeded sizes, and count what they do.
 *
 * Everything is said and read through debugfs, /sys/kernel/debug/BENCH: write
 * the parameters, write 1 to "run" (the write returns when the workload is
 * over), read "result" (JSON), write 1 to "teardown" to free what is left and
 * destroy the pool.  A recording ends between run and teardown, so that the
 * counts of the result are the counts of the recording.
 *
 * A workload is this header, between its own definitions:
 *
 * before: BENCH (its name), enum operation with OPERATIONS last and their
 *         operation_names, FACTS(X) (what it counts besides), PARAMETERS(X)
 *         (what it can be told besides; a name and its default);
 * after:  the functions bench_*() that are declared at the end of this file,
 *         then bench_threads.h and bench_files.h.
 */
#ifndef Z3T_BENCH_H
#define Z3T_BENCH_H

#include <linux/atomic.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "histogram.h"
#include "own_lock.h"

#define MAX_THREADS 256
#define MAX_SLOTS 65536
#define MAGIC 0x7a336274u

enum slot_state { EMPTY, BUSY, FULL, EVICTING };

struct slot {
	atomic_t state;
	u32 generation;
	u32 size;
	unsigned long handle;
};

/* The first bytes of every object say whose it is. */
struct stamp {
	u32 magic;
	u32 thread;
	u32 slot;
	u32 generation;
};

#define EVERY_FACT(X) X(own_locks) X(headless) X(corrupted) FACTS(X)
#define AS_FIELD(name) u64 name;

struct counts {
	u64 calls[OPERATIONS];
	u64 failures[OPERATIONS];
	EVERY_FACT(AS_FIELD)
};

struct worker {
	u32 index;
	struct rnd_state random;
	struct slot *slots;
	struct counts counts;
	u64 *histogram; /* OPERATIONS * Z3T_BUCKETS, or none */
	void *buffer;	/* a page of its own */
	u64 clock_cost;
	u64 finished;
	struct task_struct *task;
	spinlock_t own_lock;
};

/* threads, and of each: operations, or exactly so many allocs and frees; slots
 * for objects, of which headless per cent are about a page large; verify:
 * check each object before it is freed; touches: and this often more; drain:
 * free all at the end; histogram: time each operation; own_lock: see
 * own_lock.h. */
#define EVERY_PARAMETER(X)                                                     \
	X(threads, 1)                                                          \
	X(ops, 10000)                                                          \
	X(allocs, 0)                                                           \
	X(frees, 0)                                                            \
	X(slots, 256)                                                          \
	X(min_size, 32)                                                        \
	X(max_size, 3000)                                                      \
	X(headless, 0)                                                         \
	X(seed, 1)                                                             \
	X(verify, 1)                                                           \
	X(touches, 0)                                                          \
	X(drain, 0)                                                            \
	X(histogram, 0)                                                        \
	X(own_lock, 0)                                                         \
	PARAMETERS(X)

#define AS_PARAMETER(name, value) u32 name;
#define AS_DEFAULT(name, value) .name = value,

static struct {
	EVERY_PARAMETER(AS_PARAMETER)
} parameters = {EVERY_PARAMETER(AS_DEFAULT)};

static struct worker *workers;
static u32 worker_count;
static u32 slot_count; /* of the run; the parameter may change after it */

/* What a workload must have.  A slot is the caller's: nobody else uses it. */
static int bench_create(void);
static void bench_destroy(void);
static int bench_alloc(struct worker *worker, struct slot *slot);
static void bench_free(struct worker *worker, unsigned long handle);
/* Free what is left after the run: it does not count. */
static void bench_free_uncounted(unsigned long handle);
static void bench_fill(struct worker *worker, u32 index);
static void bench_check(struct worker *worker, u32 index);
/* In every step, where everything is drained, and after exact counts. */
static void bench_disturb(struct worker *worker);
static void bench_drained(struct worker *worker);
static void bench_exact(struct worker *worker);
static bool bench_parameters_are_bad(void);
static void bench_make_files(struct dentry *directory);

/* What two readings of the clock right after each other are apart: the time of
 * an operation that takes none, taken off every time in the histogram. */
static u64 clock_cost(void)
{
	u64 least = U64_MAX;
	int i;

	for (i = 0; i < 1000; i++) {
		u64 start = ktime_get_ns();

		least = min(least, ktime_get_ns() - start);
	}
	return least;
}

static u64 clock_start(struct worker *worker)
{
	return worker->histogram ? ktime_get_ns() : 0;
}

/* The end of an operation, which is counted. */
static void operation_done(struct worker *worker, enum operation operation,
			   u64 start, bool failed)
{
	u64 took = worker->histogram ? ktime_get_ns() - start : 0;

	worker->counts.calls[operation]++;
	worker->counts.failures[operation] += failed;
	if (!worker->histogram)
		return;
	took -= min(took, worker->clock_cost);
	worker->histogram[operation * Z3T_BUCKETS + z3t_bucket(took)]++;
}

static struct stamp stamp_of(const struct worker *worker, u32 index)
{
	return (struct stamp){MAGIC, worker->index, index,
			      worker->slots[index].generation};
}

static u8 pattern(const struct stamp *stamp)
{
	return (u8)(stamp->generation * 31 + stamp->slot * 7 + stamp->thread);
}

static void write_bytes(const struct worker *worker, u32 index, void *address)
{
	struct stamp stamp = stamp_of(worker, index);

	memcpy(address, &stamp, sizeof(stamp));
	memset(address + sizeof(stamp), pattern(&stamp),
	       worker->slots[index].size - sizeof(stamp));
}

static void check_bytes(struct worker *worker, u32 index, const void *address)
{
	struct stamp stamp = stamp_of(worker, index);

	if (memcmp(address, &stamp, sizeof(stamp)) ||
	    memchr_inv(address + sizeof(stamp), pattern(&stamp),
		       worker->slots[index].size - sizeof(stamp)))
		worker->counts.corrupted++;
}

static u32 random_below(struct worker *worker, u32 limit)
{
	return limit ? prandom_u32_state(&worker->random) % limit : 0;
}

#endif
