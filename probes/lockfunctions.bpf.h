/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lock events seen in the lock functions themselves, for call sites of the
 * target that can carry no probe: trampolines on the entry and the exit of,
 * say, _raw_spin_lock, which the whole kernel calls.  The address that the
 * function returns to tells whose call it is; anybody else's is left as soon as
 * that is known.
 */

#define Z3T_STACK_WORDS 4
/* How far behind a function's first byte its call of a trampoline ends, at
 * most. */
#define Z3T_ENTRY_BYTES 16

/* The place that the traced function returns to, if it is one of the target's,
 * and the function's first argument: as a number, where the context has a
 * pointer whose type the verifier knows and lets nobody reckon with.
 *
 * The arguments that a tracing program is handed lie on the trampoline's stack,
 * with the return addresses a few words above them: first the one into the
 * traced function, just behind its entry, then the one into its caller. */
static __always_inline struct z3t_place *z3t_caller(u64 *ctx, u64 *lock)
{
	u64 function = Z3T_PATCHED(Z3T_PATCH_FUNCTION);
	u64 stack[Z3T_STACK_WORDS + 2];
	struct z3t_place *place;
	int i;

	if (bpf_probe_read_kernel(stack, sizeof(stack), ctx))
		return 0;
	*lock = stack[0];
#pragma clang loop unroll(full)
	for (i = 1; i <= Z3T_STACK_WORDS; i++) {
		if (stack[i] - function <= Z3T_ENTRY_BYTES) {
			place = z3t_place(stack[i + 1]);
			return place && place->caller ? place : 0;
		}
	}
	return 0;
}

/* What every event does: the task's state, none if it is filtered out. */
static __always_inline struct z3t_task *z3t_event(struct z3t_place *place)
{
	struct z3t_config *config = z3t_config();
	struct z3t_task *task = z3t_this_task();

	if (!task || !config || (config->filtered && !task->depth))
		return 0;
	task->events++;
	task->cost += place->cost;
	return task;
}

static __always_inline int on_lock_function_entry(u64 *ctx)
{
	u64 now = bpf_ktime_get_ns();
	u64 lock = 0;
	struct z3t_place *place = z3t_caller(ctx, &lock);
	struct z3t_finding finding = {};
	struct z3t_task *task;
	struct z3t_cpu *cpu;

	if (!place)
		return 0;
	task = z3t_event(place);
	cpu = z3t_this_cpu();
	if (!task || !cpu)
		return 0;
	if (place->caller_flags & Z3T_RELEASE) {
		/* The hold does not hold the cost of this event. */
		task->cost -= place->cost;
		z3t_release(&finding, cpu, task, now, lock, place->caller - 1,
			    place->caller_flags);
		task->cost += place->cost;
	} else {
		z3t_attempt(&finding, task, now, lock, place->caller - 1,
			    place->caller_flags, 0);
	}
	z3t_report(&finding);
	return 0;
}

/* A lock function is left that returns to none of the target's calls: does the
 * task have the lock that it asked for by a jump to such a function? */
static __always_inline int z3t_on_jumped_exit(u64 *ctx, u64 now, u64 lock)
{
	struct z3t_config *config = z3t_config();
	struct z3t_cpu *cpu = z3t_this_cpu();
	struct z3t_task *task;
	struct z3t_held *held;
	u64 result = 1;
	u32 flags;

	if (!config || !config->leaving || !cpu)
		return 0;
	task = z3t_known_task();
	if (!task || !task->holding)
		return 0;
	held = &task->held[(task->holding - 1) & (Z3T_HELD - 1)];
	if (held->state != Z3T_WAITING || !(held->marks & Z3T_LEFT) ||
	    held->lock != lock)
		return 0;
	flags = held->class;
	if (flags & Z3T_TRY)
		z3t_get_func_ret(ctx, &result);
	task->events++;
	if (z3t_over(cpu, task, held, now, flags, 0, result))
		z3t_hold_begins(task, lock, now);
	return 0;
}

static __always_inline int on_lock_function_exit(u64 *ctx)
{
	u64 now = bpf_ktime_get_ns();
	u64 lock = 0;
	struct z3t_place *place = z3t_caller(ctx, &lock);
	struct z3t_held *held;
	struct z3t_task *task;
	struct z3t_cpu *cpu;
	u64 result = 1;

	if (!place)
		return z3t_on_jumped_exit(ctx, now, lock);
	if (place->caller_flags & Z3T_RELEASE)
		return 0;
	if (place->caller_flags & Z3T_TRY)
		z3t_get_func_ret(ctx, &result);
	task = z3t_event(place);
	cpu = z3t_this_cpu();
	if (!task || !cpu)
		return 0;
	held = z3t_attempted(task, place->caller - 1);
	if (!held)
		return 0;
	lock = held->lock;
	if (z3t_over(cpu, task, held, now, place->caller_flags, 0, result))
		z3t_hold_begins(task, lock, now);
	return 0;
}
