/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trylocks that failed: a wait begins with the first one on the way to a lock.
 * Included by timed.h.
 *
 * A retry is known by its task, its lock, and its call; or by its task and its
 * lock if no other call came between. A task that gets another lock by the same
 * call, or makes some calls that are no retry, has given up; and one that does
 * nothing of all this for some time, such as a worker that sleeps: as long as
 * one try is remembered, everybody's acquisitions take the slow way.
 */

#define Z3TIMED_TRIES_BITS 8
/* Other acquisitions on the way to a retry; z3fold looks a page up again, under
 * one lock or two. */
#define Z3TIMED_PATIENCE 4
/* Jiffies after a try in which a retry comes, if one does: 10 ms and more. */
#define Z3TIMED_SOON (HZ / 100 + 1)

struct z3timed_try {
	unsigned long task;
	unsigned long lock;
	u64 since;
	unsigned long tried;
	u32 place;
	u32 calls_since;
};

static struct z3timed_try z3timed_tries[1 << Z3TIMED_TRIES_BITS];
/* When the figures began; a try from before that is no part of a wait. */
static u64 z3timed_begun __read_mostly;

static __always_inline struct z3timed_try *z3timed_near_try(unsigned long task,
							    u32 i)
{
	u32 at = hash_long(task, Z3TIMED_TRIES_BITS) + i;

	return &z3timed_tries[at % ARRAY_SIZE(z3timed_tries)];
}

static struct z3timed_try *z3timed_find_try(unsigned long task)
{
	u32 i;

	for (i = 0; i < Z3TIMED_REACH; i++)
		if (READ_ONCE(z3timed_near_try(task, i)->task) == task)
			return z3timed_near_try(task, i);
	return NULL;
}

static struct z3timed_try *z3timed_new_try(unsigned long task)
{
	u32 i;

	for (i = 0; i < Z3TIMED_REACH; i++) {
		struct z3timed_try *attempt = z3timed_near_try(task, i);

		if (READ_ONCE(attempt->task))
			continue;
		WRITE_ONCE(attempt->tried, jiffies);
		if (!cmpxchg(&attempt->task, 0, task)) {
			z3timed_table_grew();
			return attempt;
		}
	}
	return NULL;
}

/* Whose it was may find it again meanwhile: one of both takes it out. */
static void z3timed_forget(struct z3timed_try *attempt, unsigned long task)
{
	if (cmpxchg(&attempt->task, task, 0) == task)
		z3timed_table_shrank();
}

/* Once in a jiffy, whoever takes the slow way: forget the tries of those who
 * gave up without a word. */
static void z3timed_forget_old(void)
{
	static unsigned long last;
	unsigned long now = jiffies;
	u32 i;

	if (READ_ONCE(last) == now)
		return;
	WRITE_ONCE(last, now);
	for (i = 0; i < ARRAY_SIZE(z3timed_tries); i++) {
		struct z3timed_try *attempt = &z3timed_tries[i];
		unsigned long task = READ_ONCE(attempt->task);

		if (task &&
		    time_after(now, READ_ONCE(attempt->tried) + Z3TIMED_SOON))
			z3timed_forget(attempt, task);
	}
}

static bool z3timed_same_attempt(const struct z3timed_try *attempt,
				 unsigned long lock, u32 place)
{
	return attempt->lock == lock &&
	       (attempt->place == place || !attempt->calls_since) &&
	       attempt->since >= READ_ONCE(z3timed_begun);
}

/* When the attempt began by which this task gets *lock*: *since*, or before if
 * it is a retry. */
static notrace noinline u64 z3timed_attempt(unsigned long lock, u32 place,
					    u64 since)
{
	unsigned long task = z3timed_task();
	struct z3timed_try *attempt = z3timed_find_try(task);

	if (!attempt) {
		z3timed_forget_old();
		return since;
	}
	if (z3timed_same_attempt(attempt, lock, place)) {
		since = attempt->since;
	} else if (attempt->place != place &&
		   attempt->calls_since < Z3TIMED_PATIENCE) {
		attempt->calls_since++;
		return since;
	}
	z3timed_forget(attempt, task);
	return since;
}

/* False if there is no room to remember it. */
static bool z3timed_remember(unsigned long lock, u32 place)
{
	unsigned long task = z3timed_task();
	struct z3timed_try *attempt = z3timed_find_try(task);
	bool retry = attempt && z3timed_same_attempt(attempt, lock, place);

	if (!attempt)
		attempt = z3timed_new_try(task);
	if (!attempt)
		return false;
	WRITE_ONCE(attempt->tried, jiffies);
	attempt->place = place;
	attempt->calls_since = 0;
	if (!retry) {
		attempt->lock = lock;
		attempt->since = z3timed_clock();
	}
	return true;
}
