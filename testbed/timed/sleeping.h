/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Locks whose holder may sleep, and wake up on another CPU: a table for all
 * CPUs, by task. Included by timed.h.
 */

#define Z3TIMED_SLEEPERS_BITS 10

struct z3timed_sleeper {
	unsigned long task;
	struct z3timed_held held;
};

static struct z3timed_sleeper z3timed_sleepers[1 << Z3TIMED_SLEEPERS_BITS];
/* Locks that found no room in it and are not released yet. */
static atomic_t z3timed_sleepers_overflowed;

static __always_inline struct z3timed_sleeper *
z3timed_near_sleeper(unsigned long task, u32 i)
{
	u32 at = hash_long(task, Z3TIMED_SLEEPERS_BITS) + i;

	return &z3timed_sleepers[at % ARRAY_SIZE(z3timed_sleepers)];
}

/* The newest hold of *lock* by a task, or of any lock if *lock* is 0. */
static notrace noinline struct z3timed_sleeper *
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

/* The column of the newest lock that this task holds; *top* is what its CPU
 * holds, which is newer than all that it may sleep with. */
static u32 z3timed_outer(const struct z3timed_held *top)
{
	struct z3timed_sleeper *outer;

	if (top->column != Z3TIMED_NOTHING)
		return top->column;
	outer = z3timed_find_sleeper(z3timed_task(), 0);
	return outer ? outer->held.column : Z3TIMED_NOTHING;
}

static struct z3timed_sleeper *z3timed_new_sleeper(unsigned long task)
{
	u32 i;

	for (i = 0; i < Z3TIMED_REACH; i++) {
		struct z3timed_sleeper *one = z3timed_near_sleeper(task, i);

		if (!READ_ONCE(one->task) && !cmpxchg(&one->task, 0, task))
			return one;
	}
	return NULL;
}

static notrace noinline void z3timed_sleeper_acquired(unsigned long lock,
						      struct z3timed_call *call,
						      u64 since)
{
	struct z3timed_held held = {
		.lock = lock,
		.place = z3timed_place(call),
	};
	struct z3timed_sleeper *one;
	struct z3timed_cpu *cpu;
	struct z3timed_hot *hot;

	preempt_disable();
	cpu = this_cpu_read(z3timed_cpu);
	if (cpu == Z3TIMED_NOBODY)
		goto out;
	hot = z3timed_hot(cpu, held.place);
	held.column = hot->column;
	z3timed_count(cpu, hot, z3timed_outer(cpu->top));
	if (z3timed_tables_in_use())
		since = z3timed_attempt(lock, held.place, since);
	held.time = z3timed_clock();
	if (since)
		z3timed_value(cpu, held.place, held.column, Z3TIMED_WAIT,
			      z3timed_ns(held.time - since));
	one = z3timed_new_sleeper(z3timed_task());
	if (one) {
		z3timed_table_grew();
		one->held = held;
	} else {
		atomic_inc(&z3timed_sleepers_overflowed);
		z3timed_add(&cpu->ledger[Z3TIMED_HELD_OVERFLOWS], 1);
	}
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
	z3timed_table_shrank();
	return true;
}

static notrace noinline void
z3timed_sleeper_released(const struct z3timed_held *held,
			 struct z3timed_call *call, u64 now)
{
	struct z3timed_cpu *cpu;

	preempt_disable();
	cpu = this_cpu_read(z3timed_cpu);
	if (cpu == Z3TIMED_NOBODY)
		goto out;
	z3timed_add(&z3timed_hot(cpu, z3timed_place(call))->events, 1);
	if (held)
		z3timed_value(cpu, held->place, held->column, Z3TIMED_HOLD,
			      z3timed_ns(now - held->time - z3timed_floor));
	else if (atomic_add_unless(&z3timed_sleepers_overflowed, -1, 0) == 0)
		z3timed_add(&cpu->ledger[Z3TIMED_UNMATCHED_RELEASES], 1);
out:
	preempt_enable();
}
