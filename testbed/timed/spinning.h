/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Locks whose holder stays on its CPU: a stack for each CPU. Included by
 * timed.h.
 */

static notrace noinline void
z3timed_time_hold(struct z3timed_cpu *cpu, struct z3timed_held *held, u32 place)
{
	u32 random = cpu->random;

	/* Marsaglia, Xorshift RNGs, Journal of Statistical Software 8, 2003. */
	random ^= random << 13;
	random ^= random >> 17;
	random ^= random << 5;
	cpu->random = random;
	cpu->turns = 1 + (u32)((u64)random * z3timed_spread >> 32);
	held->place = place;
	/* Last of all, as it is first at the release: what is between them is
	 * the source's. */
	held->time = z3timed_clock();
}

static struct z3timed_held *
z3timed_push(struct z3timed_cpu *cpu, unsigned long lock, u32 column, u32 level)
{
	struct z3timed_held *held = cpu->top;
	bool first = held->level < level;

	if (held + first >= &cpu->held[Z3TIMED_DEPTH])
		return NULL;
	WRITE_ONCE(cpu->top, held + first + 1);
	if (first) {
		held++;
		held->lock = 0;
		held->column = Z3TIMED_NOTHING;
		held->level = level;
	}
	held++;
	held->lock = lock;
	held->column = column;
	held->level = level;
	return held;
}

/* What is seldom: a wait, an interrupt, a lock that the task may sleep with, no
 * room. */
static notrace noinline void z3timed_acquired_slowly(unsigned long lock,
						     struct z3timed_call *call,
						     u64 since)
{
	struct z3timed_cpu *cpu = this_cpu_read(z3timed_cpu);
	u32 place = z3timed_place(call), level = z3timed_level();
	struct z3timed_held *held;
	struct z3timed_hot *hot;

	if (cpu == Z3TIMED_NOBODY)
		return;
	hot = z3timed_hot(cpu, place);
	z3timed_count(cpu, hot,
		      cpu->top->level < level ? Z3TIMED_NOTHING
					      : z3timed_outer(cpu->top));
	if (z3timed_tables_in_use())
		since = z3timed_attempt(lock, place, since);
	if (since)
		z3timed_value(cpu, place, hot->column, Z3TIMED_WAIT,
			      z3timed_ns(z3timed_clock() - since));
	held = z3timed_push(cpu, lock, hot->column, level);
	if (!held) {
		cpu->overflowed++;
		z3timed_add(&cpu->ledger[Z3TIMED_HELD_OVERFLOWS], 1);
		return;
	}
	held->time = !!level;
	if (!--cpu->turns)
		z3timed_time_hold(cpu, held, place);
}

/* Inlined, for this is what the source pays at every lock that is free: one
 * branch for all that is seldom, and one for whose turn it is. */
static __always_inline void z3timed_acquired(unsigned long lock,
					     struct z3timed_call *call)
{
	struct z3timed_cpu *cpu = this_cpu_read(z3timed_cpu);
	struct z3timed_hot *hot = z3timed_hot(cpu, z3timed_place(call));
	struct z3timed_held *top = cpu->top;
	int seldom = (preempt_count() & Z3TIMED_INTERRUPT) << 4 |
		     ((unsigned long)top & (Z3TIMED_STACK - 1));

	if (unlikely(seldom >= atomic_read(&z3timed_limit))) {
		z3timed_acquired_slowly(lock, call, 0);
		return;
	}
	/* An interrupt finds this place taken. */
	WRITE_ONCE(cpu->top, top + 1);
	top[1].lock = lock;
	top[1].column = hot->column;
	z3timed_count(cpu, hot, top->column);
	if (unlikely(!--cpu->turns))
		z3timed_time_hold(cpu, top + 1, z3timed_place(call));
}

/* A hold that ends; without ticks if it is not timed. */
struct z3timed_popped {
	u64 ticks;
	u32 place;
	u32 column;
};

/* The hold is timed, or its lock is not the newest one, or not known. If it is
 * timed, nobody else runs here until z3timed_released. */
static notrace noinline struct z3timed_popped
z3timed_pop_slowly(unsigned long lock, struct z3timed_call *call)
{
	struct z3timed_cpu *cpu = this_cpu_read(z3timed_cpu);
	struct z3timed_popped popped = {};
	struct z3timed_held *held = cpu->top;
	u64 time;

	if (cpu == Z3TIMED_NOBODY)
		return popped;
	z3timed_add(&z3timed_hot(cpu, z3timed_place(call))->events, 1);
	while (held->lock && held->lock != lock)
		held--;
	if (!held->lock) {
		if (cpu->overflowed)
			cpu->overflowed--;
		else
			z3timed_add(&cpu->ledger[Z3TIMED_UNMATCHED_RELEASES],
				    1);
		return popped;
	}
	time = held->time;
	popped.place = held->place;
	popped.column = held->column;
	for (; held < cpu->top; held++)
		*held = held[1];
	held->time = held->level = 0;
	/* The last lock of an interrupt leaves nothing behind. */
	for (held--; held != cpu->held && !held->lock; held--)
		held->level = 0;
	WRITE_ONCE(cpu->top, held);
	if (time > 1) {
		preempt_disable();
		popped.ticks = max(z3timed_clock() - time, 1ull);
	}
	return popped;
}

/* Before the release, to add little to the hold. */
static __always_inline struct z3timed_popped
z3timed_pop(unsigned long lock, struct z3timed_call *call)
{
	struct z3timed_cpu *cpu = this_cpu_read(z3timed_cpu);
	struct z3timed_held *top = cpu->top;

	if (unlikely((top->lock ^ lock) | top->time))
		return z3timed_pop_slowly(lock, call);
	z3timed_add(&z3timed_hot(cpu, z3timed_place(call))->events, 1);
	WRITE_ONCE(cpu->top, top - 1);
	return (struct z3timed_popped){};
}

/* After the release, so that this is no part of the hold. */
static notrace noinline void z3timed_released(struct z3timed_popped popped)
{
	z3timed_value(this_cpu_read(z3timed_cpu), popped.place, popped.column,
		      Z3TIMED_HOLD, z3timed_ns(popped.ticks - z3timed_floor));
	preempt_enable();
}

static bool z3timed_holds(const struct z3timed_cpu *cpu, unsigned long lock)
{
	const struct z3timed_held *held = cpu->top;

	while (held->lock && held->lock != lock)
		held--;
	return held->lock && cpu->top->level == z3timed_level();
}

/* A trylock of the source, of a lock of any kind. */
static notrace noinline void z3timed_failed(unsigned long lock,
					    struct z3timed_call *call)
{
	struct z3timed_cpu *cpu;
	u32 place = z3timed_place(call);

	preempt_disable();
	cpu = this_cpu_read(z3timed_cpu);
	if (cpu == Z3TIMED_NOBODY)
		goto out;
	if (z3timed_holds(cpu, lock) ||
	    z3timed_find_sleeper(z3timed_task(), lock)) {
		z3timed_add(&cpu->ledger[Z3TIMED_SELF_TRIES], 1);
		goto out;
	}
	z3timed_add(&z3timed_counts(cpu, place)->failures, 1);
	if (!z3timed_remember(lock, place))
		z3timed_add(&cpu->ledger[Z3TIMED_FORGOTTEN_TRIES], 1);
out:
	preempt_enable();
}
