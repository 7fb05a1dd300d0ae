/* SPDX-License-Identifier: GPL-2.0-only */
/* The locks that a task holds or asks for: a short stack, newest on top. */
#ifndef Z3T_HELD_H
#define Z3T_HELD_H

/* The entry of a lock that is asked for; none if there is no room.  *place* has
 * the marks of the place where it is, see Z3T_LEFT. */
static __always_inline struct z3t_held *z3t_ask(struct z3t_task *task, u64 lock,
						u32 site, u32 flags, u32 place)
{
	u32 top = task->holding;
	struct z3t_held *held = &task->held[top & (Z3T_HELD - 1)];

	if (top >= Z3T_HELD) {
		z3t_count(Z3T_HELD_OVERFLOW);
		return 0;
	}
	held->lock = lock;
	held->site = site;
	held->state = Z3T_WAITING;
	held->contended = 0;
	/* No branches: the verifier would follow each to the program's end. */
	held->class = flags;
	held->marks = (place & Z3T_LEAVES) * (Z3T_LEFT / Z3T_LEAVES);
	task->holding = top + 1;
	return held;
}

/* How long the locks held now have been, in this operation: some are held from
 * one operation to the next. */
static __always_inline u64 z3t_span(struct z3t_task *task, u64 now)
{
	u64 start = z3t_top_frame(task)->start;
	u64 since = task->locked_since;

	return now - (task->depth && start > since ? start : since);
}

/* How long this operation has held any lock, while the newest entry waits. */
static __always_inline u64 z3t_locked(struct z3t_task *task, u64 now)
{
	u64 open = task->holding > 1 ? z3t_span(task, now) : 0;

	return z3t_top_frame(task)->hold + open;
}

/* The newest entry in *state* that matches, newest first: nearly always the top
 * one, and only then is there no loop. */
static __always_inline struct z3t_held *z3t_find(struct z3t_task *task,
						 u8 state, u64 lock, u32 site)
{
	u32 at = (task->holding - 1) & (Z3T_HELD - 1);
	struct z3t_held *held = &task->held[at];

#pragma clang loop unroll(disable)
	for (int i = 0; i < Z3T_HELD; i++) {
		if (held->state == state &&
		    (state == Z3T_WAITING ? held->site == site
					  : held->lock == lock))
			return held;
		at = (at - 1) & (Z3T_HELD - 1);
		held = &task->held[at];
	}
	return 0;
}

/* The newest entry takes the released one's place. */
static __always_inline void z3t_forget(struct z3t_task *task,
				       struct z3t_held *held)
{
	u32 top = task->holding - 1;
	struct z3t_held *newest = &task->held[top & (Z3T_HELD - 1)];

	if (held != newest)
		*held = *newest;
	newest->state = Z3T_FREE;
	task->holding = top;
}

#endif
