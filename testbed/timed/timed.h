/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Force-included into a module that is to time its own locks: a *timed* build.
 *
 * Every lock call of the source becomes a macro with a static descriptor: file,
 * line, function, the lock as the source writes it. As the kernel's lock_stat
 * does, a call that takes a lock tries first, and only if that fails reads the
 * clock before it takes the lock by the original function. What is counted is
 * per CPU, and read through debugfs: z3trace/recording/timed.py, which has the
 * layout of the figures too. docs/design.md, "Timed builds", says what is kept
 * where and why.
 *
 * The headers of the locks come first: what they inline is not timed. All
 * other headers of the source meet the macros.
 */
#ifndef Z3TIMED_H
#define Z3TIMED_H

/* As nearly every source has it, before it does: they are the same then. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/bit_spinlock.h>
#include <linux/hash.h>
#include <linux/math64.h>
#include <linux/mutex.h>
#include <linux/percpu-defs.h>
#include <linux/preempt.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <asm/msr.h>
#include <asm/tsc.h>

#define Z3T_HAS_CLZ
#include "histogram.h"

#define Z3TIMED_CLASSES 16
/* Locks that a CPU holds at once in one context. */
#define Z3TIMED_DEPTH 15
/* Sleeping locks held at once, and failed trylocks that may yet succeed; an
 * entry is within so many places of the hash of its task. */
#define Z3TIMED_SLEEPERS_BITS 10
#define Z3TIMED_TRIES_BITS 8
#define Z3TIMED_REACH 16
/* A failed trylock is on the way to its lock if the task tries again before it
 * has made more calls than this. */
#define Z3TIMED_PATIENCE 4
#define Z3TIMED_NONE (~0u)

/* The order of LockKind and of the actions in z3trace/code/timedcalls.py. */
enum z3timed_kind {
	Z3TIMED_SPIN,
	Z3TIMED_READ,
	Z3TIMED_WRITE,
	Z3TIMED_MUTEX,
	Z3TIMED_RWSEM_READ,
	Z3TIMED_RWSEM_WRITE,
	Z3TIMED_BIT,
};
enum z3timed_action {
	Z3TIMED_ACQUIRE,
	Z3TIMED_TRY,
	Z3TIMED_RELEASE,
};
enum z3timed_ledger {
	Z3TIMED_HELD_OVERFLOWS,
	Z3TIMED_UNMATCHED_RELEASES,
	Z3TIMED_SELF_TRIES,
	Z3TIMED_FORGOTTEN_TRIES,
	Z3TIMED_OPEN_HOLDS,
	Z3TIMED_LEDGER,
};
enum z3timed_metric {
	Z3TIMED_WAIT,
	Z3TIMED_HOLD,
	Z3TIMED_METRICS,
};

/* A call is known by where its descriptor lies in the section of all of them.
 * The counts of a CPU have the same stride, so that this place finds them. */
#define Z3TIMED_STRIDE 128

struct z3timed_call {
	const char *file;
	const char *function;
	const char *expression;
	u32 line;
	u8 kind;
	u8 action;
	u8 lock_class;
} __aligned(Z3TIMED_STRIDE);

struct z3timed_counts {
	u64 acquisitions;
	u64 contended;
	u64 failures;
	u64 releases;
	u64 wait_sum;
	u64 wait_max;
	u64 wait_min;
	u64 hold_sum;
	u64 hold_max;
	u64 hold_min;
} __aligned(Z3TIMED_STRIDE);

#define Z3TIMED_COUNTS 10

struct z3timed_held {
	unsigned long lock;
	u64 time;
	/* The first attempt, 0 if the lock was free. */
	u64 since;
	u32 call;
	/* The call that took the newest lock then held. */
	u32 outer;
};

/* The lowest entry is no lock: nothing is held below it. */
struct z3timed_stack {
	u32 depth;
	u32 overflowed;
	struct z3timed_held held[Z3TIMED_DEPTH + 1];
};

struct z3timed_cpu {
	/* Task, softirq, hardirq, NMI: an interrupt may take locks while the
	 * code that it interrupts takes or releases one. */
	struct z3timed_stack stacks[4];
	u64 ledger[Z3TIMED_LEDGER];
	u64 nesting[Z3TIMED_CLASSES][Z3TIMED_CLASSES];
	u64 buckets[Z3TIMED_METRICS][Z3TIMED_CLASSES][Z3T_BUCKETS];
	struct z3timed_counts counts[];
};

/* Whose holder may sleep, and go on on another CPU. */
struct z3timed_sleeper {
	unsigned long task;
	struct z3timed_held held;
};

struct z3timed_try {
	unsigned long task;
	unsigned long lock;
	u64 since;
	u32 call;
	u32 calls_since;
};

/* One object file: its own assembler puts the ends around all descriptors. */
asm(".pushsection z3timed.calls,\"aw\",@progbits\n"
    ".balign 128\n"
    "z3timed_calls:\n"
    ".subsection 1\n"
    "z3timed_calls_end:\n"
    ".popsection\n");
extern struct z3timed_call z3timed_calls[], z3timed_calls_end[];

/* Of linux/timekeeping.h, which has headers of its own. */
extern u64 ktime_get_mono_fast_ns(void);

static DEFINE_PER_CPU(struct z3timed_cpu *, z3timed_cpu);
static struct z3timed_sleeper z3timed_sleepers[1 << Z3TIMED_SLEEPERS_BITS];
static struct z3timed_try z3timed_tries[1 << Z3TIMED_TRIES_BITS];
/* How many entries of these two are in use. */
static atomic_t z3timed_special;
static bool z3timed_tsc;
static u32 z3timed_scale;

#define Z3TIMED_SHIFT 22

/* The time stamp counter, where the kernel itself trusts it across CPUs. */
static __always_inline u64 z3timed_clock(void)
{
	if (likely(z3timed_tsc))
		return rdtsc_ordered();
	return ktime_get_mono_fast_ns();
}

/* Of two CPUs one may be a little behind the other. */
static __always_inline u64 z3timed_ns(u64 from, u64 to)
{
	s64 ticks = to - from;

	if (unlikely(ticks < 0))
		return 0;
	return mul_u64_u32_shr(ticks, z3timed_scale, Z3TIMED_SHIFT);
}

static __always_inline u32 z3timed_place(const struct z3timed_call *call)
{
	return (unsigned long)call - (unsigned long)z3timed_calls;
}

static __always_inline u32 z3timed_class(u32 place)
{
	return ((struct z3timed_call *)((char *)z3timed_calls + place))
		->lock_class;
}

static __always_inline struct z3timed_counts *
z3timed_counts(struct z3timed_cpu *cpu, u32 place)
{
	return (struct z3timed_counts *)((char *)cpu->counts + place);
}

/* One instruction: an interrupt counts in the same places. */
static __always_inline void z3timed_add(u64 *counter, u64 value)
{
	asm("addq %1, %0" : "+m"(*counter) : "er"(value));
}

static notrace noinline void z3timed_bound(u64 *bound, u64 value, bool upper)
{
	u64 old = READ_ONCE(*bound), seen;

	while (upper ? value > old : value < old) {
		seen = cmpxchg_local(bound, old, value);
		if (seen == old)
			return;
		old = seen;
	}
}

static __always_inline void z3timed_value(u64 *sum, u64 *buckets, u64 value)
{
	/* sum, then the largest, then the smallest: as in z3timed_counts */
	z3timed_add(sum, value);
	if (unlikely(value > sum[1]))
		z3timed_bound(&sum[1], value, true);
	if (unlikely(value < sum[2]))
		z3timed_bound(&sum[2], value, false);
	z3timed_add(&buckets[z3t_bucket(value)], 1);
}

static notrace noinline void z3timed_count_wait(struct z3timed_cpu *cpu,
						const struct z3timed_held *held)
{
	struct z3timed_counts *counts = z3timed_counts(cpu, held->call);

	z3timed_add(&counts->contended, 1);
	z3timed_value(&counts->wait_sum,
		      cpu->buckets[Z3TIMED_WAIT][z3timed_class(held->call)],
		      z3timed_ns(held->since, held->time));
}

/* All that an acquisition left to count, after the release: outside the hold.
 */
static __always_inline void z3timed_count(struct z3timed_cpu *cpu,
					  const struct z3timed_held *held)
{
	u32 lock_class = z3timed_class(held->call);

	z3timed_add(&z3timed_counts(cpu, held->call)->acquisitions, 1);
	if (held->outer != Z3TIMED_NONE)
		z3timed_add(
			&cpu->nesting[z3timed_class(held->outer)][lock_class],
			1);
	if (unlikely(held->since))
		z3timed_count_wait(cpu, held);
}

static __always_inline void z3timed_count_hold(struct z3timed_cpu *cpu,
					       const struct z3timed_held *held,
					       u64 now)
{
	z3timed_value(&z3timed_counts(cpu, held->call)->hold_sum,
		      cpu->buckets[Z3TIMED_HOLD][z3timed_class(held->call)],
		      z3timed_ns(held->time, now));
	z3timed_count(cpu, held);
}

static __always_inline struct z3timed_stack *
z3timed_stack(struct z3timed_cpu *cpu)
{
	unsigned long count = preempt_count();

	if (likely(!(count & (NMI_MASK | HARDIRQ_MASK | SOFTIRQ_OFFSET))))
		return &cpu->stacks[0];
	if (count & NMI_MASK)
		return &cpu->stacks[3];
	return &cpu->stacks[count & HARDIRQ_MASK ? 2 : 1];
}

static __always_inline unsigned long z3timed_task(void)
{
	unsigned long count = preempt_count();

	/* An interrupt is no part of the task that it interrupts. */
	return (unsigned long)current | !!(count & SOFTIRQ_OFFSET) |
	       !!(count & HARDIRQ_MASK) << 1 | !!(count & NMI_MASK) << 2;
}

/* Failed trylocks. */

static __always_inline struct z3timed_try *z3timed_near_try(unsigned long task,
							    u32 i)
{
	u32 at = hash_long(task, Z3TIMED_TRIES_BITS) + i;

	return &z3timed_tries[at % ARRAY_SIZE(z3timed_tries)];
}

static __always_inline struct z3timed_try *z3timed_find_try(unsigned long task)
{
	u32 i;

	for (i = 0; i < Z3TIMED_REACH; i++)
		if (READ_ONCE(z3timed_near_try(task, i)->task) == task)
			return z3timed_near_try(task, i);
	return NULL;
}

static __always_inline struct z3timed_try *z3timed_new_try(unsigned long task)
{
	u32 i;

	for (i = 0; i < Z3TIMED_REACH; i++) {
		struct z3timed_try *
		try
			= z3timed_near_try(task, i);

		if (!READ_ONCE(try->task) && !cmpxchg(&try->task, 0, task)) {
			atomic_inc(&z3timed_special);
			return
			try
				;
		}
	}
	return NULL;
}

static __always_inline void z3timed_drop_try(struct z3timed_try *try)
{
	WRITE_ONCE(try->task, 0);
	atomic_dec(&z3timed_special);
}

static __always_inline bool z3timed_same_attempt(const struct z3timed_try *try,
						 unsigned long lock, u32 call)
{
	return
	try
		->lock == lock && (try->call == call || !try->calls_since);
}

/* When this task's attempt to get the lock began: *since*, or before, if it is
 * a retry. */
static __always_inline u64 z3timed_attempt(unsigned long lock, u32 call,
					   u64 since)
{
	struct z3timed_try *
	try
		= z3timed_find_try(z3timed_task());

	if (!try)
		return since;
	if (z3timed_same_attempt(try, lock, call))
		since =
		try
			->since;
	else if (try->call != call && try->calls_since < Z3TIMED_PATIENCE) {
		try
			->calls_since++;
		return since;
	}
	/* It has the lock, or another by the same call, or has given up. */
	z3timed_drop_try(try);
	return since;
}

static __always_inline bool z3timed_holds(const struct z3timed_stack *stack,
					  unsigned long lock)
{
	u32 i;

	for (i = stack->depth; i; i--)
		if (stack->held[i].lock == lock)
			return true;
	return false;
}

/* Sleeping locks. */

static __always_inline struct z3timed_sleeper *
z3timed_near_sleeper(unsigned long task, u32 i)
{
	u32 at = hash_long(task, Z3TIMED_SLEEPERS_BITS) + i;

	return &z3timed_sleepers[at % ARRAY_SIZE(z3timed_sleepers)];
}

/* The newest lock that this task holds in the table (*lock* 0), or *lock*. */
static __always_inline struct z3timed_sleeper *
z3timed_find_sleeper(unsigned long task, unsigned long lock)
{
	struct z3timed_sleeper *found = NULL;
	u32 i;

	for (i = 0; i < Z3TIMED_REACH; i++) {
		struct z3timed_sleeper *one = z3timed_near_sleeper(task, i);

		if (READ_ONCE(one->task) != task ||
		    (lock && one->held.lock != lock))
			continue;
		if (!found || one->held.time > found->held.time)
			found = one;
	}
	return found;
}

static __always_inline u32 z3timed_outer_sleeper(unsigned long task)
{
	struct z3timed_sleeper *outer = z3timed_find_sleeper(task, 0);

	return outer ? outer->held.call : Z3TIMED_NONE;
}

/* Something is in one of the two tables: perhaps of this task. */
static notrace noinline void z3timed_look(struct z3timed_held *held)
{
	held->since = z3timed_attempt(held->lock, held->call, held->since);
	if (held->outer == Z3TIMED_NONE)
		held->outer = z3timed_outer_sleeper(z3timed_task());
}

/* What a spinning lock does: nobody takes the holder off its CPU. */

static notrace noinline void z3timed_overflow(struct z3timed_cpu *cpu,
					      struct z3timed_stack *stack,
					      unsigned long lock, u32 call,
					      u64 since)
{
	struct z3timed_held held = {
		.lock = lock,
		.time = z3timed_clock(),
		.since = since,
		.call = call,
		.outer = stack->held[stack->depth].call,
	};

	stack->overflowed++;
	z3timed_add(&cpu->ledger[Z3TIMED_HELD_OVERFLOWS], 1);
	z3timed_count(cpu, &held);
}

static __always_inline void
z3timed_acquired(unsigned long lock, const struct z3timed_call *call, u64 since)
{
	struct z3timed_cpu *cpu = this_cpu_read(z3timed_cpu);
	struct z3timed_stack *stack;
	struct z3timed_held *held;
	u32 depth;

	if (unlikely(!cpu))
		return;
	stack = z3timed_stack(cpu);
	depth = stack->depth;
	if (unlikely(depth == Z3TIMED_DEPTH)) {
		z3timed_overflow(cpu, stack, lock, z3timed_place(call), since);
		return;
	}
	WRITE_ONCE(stack->depth, depth + 1);
	held = &stack->held[depth + 1];
	held->lock = lock;
	held->since = since;
	held->call = z3timed_place(call);
	held->outer = stack->held[depth].call;
	if (unlikely(atomic_read(&z3timed_special)))
		z3timed_look(held);
	held->time = z3timed_clock();
}

/* The lock is not the newest one, or is none that is known. */
static notrace noinline bool z3timed_take(struct z3timed_cpu *cpu,
					  struct z3timed_stack *stack,
					  unsigned long lock,
					  struct z3timed_held *taken)
{
	u32 i;

	for (i = stack->depth; i; i--)
		if (stack->held[i].lock == lock)
			break;
	if (!i) {
		if (stack->overflowed)
			stack->overflowed--;
		else
			z3timed_add(&cpu->ledger[Z3TIMED_UNMATCHED_RELEASES],
				    1);
		return false;
	}
	*taken = stack->held[i];
	for (; i < stack->depth; i++)
		stack->held[i] = stack->held[i + 1];
	WRITE_ONCE(stack->depth, stack->depth - 1);
	return true;
}

/* Without preemption, for the lock is no longer held. */
static notrace noinline void
z3timed_released(unsigned long lock, const struct z3timed_call *call, u64 now)
{
	struct z3timed_cpu *cpu = this_cpu_read(z3timed_cpu);
	struct z3timed_stack *stack;
	struct z3timed_held *held, taken;

	if (unlikely(!cpu))
		return;
	stack = z3timed_stack(cpu);
	held = &stack->held[stack->depth];
	z3timed_add(&z3timed_counts(cpu, z3timed_place(call))->releases, 1);
	if (likely(held->lock == lock)) {
		/* An interrupt takes this place only for as long as it lasts,
		 * but in its own stack. */
		WRITE_ONCE(stack->depth, stack->depth - 1);
	} else {
		if (!z3timed_take(cpu, stack, lock, &taken))
			return;
		held = &taken;
	}
	z3timed_count_hold(cpu, held, now);
}

static notrace noinline void z3timed_failed(unsigned long lock,
					    const struct z3timed_call *call)
{
	unsigned long task = z3timed_task();
	struct z3timed_cpu *cpu;
	struct z3timed_try *
	try
		;
	u32 place = z3timed_place(call);

	preempt_disable();
	cpu = this_cpu_read(z3timed_cpu);
	if (!cpu)
		goto out;
	if (z3timed_holds(z3timed_stack(cpu), lock) ||
	    z3timed_find_sleeper(task, lock)) {
		z3timed_add(&cpu->ledger[Z3TIMED_SELF_TRIES], 1);
		goto out;
	}
	z3timed_add(&z3timed_counts(cpu, place)->failures, 1);
	try
		= z3timed_find_try(task);
	if (try && z3timed_same_attempt(try, lock, place)) {
		try
			->call = place;
		try
			->calls_since = 0;
		goto out;
	}
	if (!try)
		try
			= z3timed_new_try(task);
	if (!try) {
		z3timed_add(&cpu->ledger[Z3TIMED_FORGOTTEN_TRIES], 1);
		goto out;
	}
	try
		->lock = lock;
	try
		->call = place;
	try
		->calls_since = 0;
	try
		->since = z3timed_clock();
out:
	preempt_enable();
}

/* What a sleeping lock does. */

static notrace noinline void
z3timed_sleeper_acquired(unsigned long lock, const struct z3timed_call *call,
			 u64 since)
{
	unsigned long task = z3timed_task();
	struct z3timed_sleeper *one = NULL;
	struct z3timed_held held = {
		.lock = lock,
		.since = since,
		.call = z3timed_place(call),
	};
	struct z3timed_cpu *cpu;
	u32 i;

	preempt_disable();
	cpu = this_cpu_read(z3timed_cpu);
	if (!cpu)
		goto out;
	held.outer = z3timed_stack(cpu)->held[z3timed_stack(cpu)->depth].call;
	if (atomic_read(&z3timed_special))
		z3timed_look(&held);
	for (i = 0; i < Z3TIMED_REACH; i++) {
		one = z3timed_near_sleeper(task, i);
		if (!READ_ONCE(one->task) && !cmpxchg(&one->task, 0, task))
			break;
	}
	if (i == Z3TIMED_REACH) {
		held.time = z3timed_clock();
		z3timed_add(&cpu->ledger[Z3TIMED_HELD_OVERFLOWS], 1);
		z3timed_count(cpu, &held);
		goto out;
	}
	atomic_inc(&z3timed_special);
	one->held = held;
	one->held.time = z3timed_clock();
out:
	preempt_enable();
}

/* Before the release: after it, the lock may have another holder. */
static notrace noinline bool z3timed_sleeper_take(unsigned long lock,
						  bool exclusive,
						  struct z3timed_held *taken)
{
	struct z3timed_sleeper *one =
		z3timed_find_sleeper(z3timed_task(), lock);
	u32 i;

	/* One task may release what another has taken. */
	for (i = 0; !one && exclusive && i < ARRAY_SIZE(z3timed_sleepers); i++)
		if (READ_ONCE(z3timed_sleepers[i].held.lock) == lock)
			one = &z3timed_sleepers[i];
	if (!one)
		return false;
	*taken = one->held;
	one->held.lock = 0;
	smp_store_release(&one->task, 0);
	atomic_dec(&z3timed_special);
	return true;
}

static notrace noinline void
z3timed_sleeper_released(const struct z3timed_held *held,
			 const struct z3timed_call *call, u64 now)
{
	struct z3timed_cpu *cpu;

	preempt_disable();
	cpu = this_cpu_read(z3timed_cpu);
	if (cpu) {
		z3timed_add(&z3timed_counts(cpu, z3timed_place(call))->releases,
			    1);
		if (held)
			z3timed_count_hold(cpu, held, now);
		else
			z3timed_add(&cpu->ledger[Z3TIMED_UNMATCHED_RELEASES],
				    1);
	}
	preempt_enable();
}

#include "forms.h"
#include "macros.h"
#include "tables.h"

#endif
