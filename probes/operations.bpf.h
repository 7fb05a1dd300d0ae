/* SPDX-License-Identifier: GPL-2.0-only */
/* Entry and return of the target's operations: latency and result. */

/* An argument of an operation is its pool; lock classes that lie in
 * the pool are told by it, also on behalf of work items that run outside any
 * operation. */
static __always_inline void z3t_note_pool(struct z3t_task *task, u64 pool)
{
	struct z3t_config *config;

	config = z3t_config();
	if (!pool || !config)
		return;
	task->pool = pool;
#pragma clang loop unroll(disable)
	for (int i = 0; i < Z3T_POOLS; i++) {
		if (config->pools[i] == pool)
			return;
		if (!config->pools[i]) {
			config->pools[i] = pool;
			return;
		}
	}
	z3t_count(Z3T_UNKNOWN_POOL);
}

static __always_inline int z3t_left_out(const struct z3t_config *config)
{
	u32 process = bpf_get_current_pid_tgid() >> 32;
	u32 cpu = bpf_get_smp_processor_id();

	return (config->process && config->process != process) ||
	       !(config->processors >> (cpu & (Z3T_FILTERED_PROCESSORS - 1)) &
		 1);
}

static __always_inline int z3t_enter(u64 operation, u64 pool)
{
	struct z3t_task *task = z3t_this_task();
	struct z3t_config *config;
	struct z3t_frame *frame;
	u32 depth;

	z3t_bound(operation, Z3T_OPERATIONS);
	if (!task)
		return 0;
	task->entries[operation]++;
	depth = task->depth;
	if (!depth) {
		config = z3t_config();
		if (config && config->filtered &&
		    (task->muted || z3t_left_out(config))) {
			task->muted++;
			return 0;
		}
		task->spin_lock = 0;
		if (task->pool != pool)
			z3t_note_pool(task, pool);
	}
	if (depth >= Z3T_DEPTH) {
		task->skipped++;
		z3t_count(Z3T_DEPTH_OVERFLOW);
		return 0;
	}
	depth++;
	task->depth = depth;
	frame = &task->frames[depth & Z3T_DEPTH];
	frame->operation = operation;
	frame->events = task->events;
	frame->cost = task->cost;
	frame->wait = 0;
	frame->hold = 0;
	frame->start = bpf_ktime_get_ns();
	return 0;
}

/* Whether *result* is a failure by the rule of this operation. */
static __always_inline int z3t_failed(u64 rule, u64 result)
{
	return (rule == Z3T_FAILS_NONZERO && (u32)result) ||
	       (rule == Z3T_FAILS_ZERO && !result) ||
	       (rule == Z3T_FAILS_ERROR && result >= (u64)-Z3T_MAX_ERRNO);
}

static __always_inline int z3t_leave(u64 now, u64 operation, int failed)
{
	struct z3t_cpu *cpu = z3t_this_cpu();
	struct z3t_operation *counters;
	struct z3t_finding finding = {};
	struct z3t_frame *frame;
	struct z3t_task *task;
	u64 latency;
	u32 depth;

	z3t_bound(operation, Z3T_OPERATIONS);
	if (!cpu)
		return 0;
	cpu->programs[Z3T_RAN_RETURN]++;
	task = z3t_this_task();
	if (!task)
		return 0;
	if (task->muted) {
		task->muted--;
		return 0;
	}
	if (task->skipped) {
		task->skipped--;
		return 0;
	}
	depth = task->depth;
	frame = &task->frames[depth & Z3T_DEPTH];
	if (!depth || frame->operation != operation) {
		z3t_count(Z3T_UNMATCHED_RETURN);
		return 0;
	}
	z3t_check_leave(&finding, task, frame, operation, failed);
	z3t_report(&finding);
	latency = now - frame->start;
	if (z3t_is_torn(latency)) {
		task->depth = depth - 1;
		return 0;
	}
	counters = &cpu->operations[operation];
	counters->failures += failed;
	if (task->cost == frame->cost) {
		z3t_record(cpu, Z3T_LATENCY(operation), latency);
	} else {
		if ((s64)frame->wait > 0)
			counters->wait += frame->wait;
		/* Below 0 if a lock is held beyond the return. */
		if ((s64)frame->hold > 0)
			counters->hold += frame->hold;
		counters->events += task->events - frame->events;
		z3t_record_disturbed(cpu, Z3T_DISTURBED_LATENCY(operation),
				     latency, task->cost - frame->cost,
				     cpu->floors.operation);
	}
	task->cost += cpu->floors.operation_cost;
	/* Last: from here on another thread may take the slot. */
	task->depth = depth - 1;
	return 0;
}

static __always_inline int on_operation_entry(struct pt_regs *ctx)
{
	u64 pool = z3t_probed_argument(ctx, Z3T_PATCHED(Z3T_PATCH_ARGUMENT));

	return z3t_enter(Z3T_PATCHED(Z3T_PATCH_OPERATION), pool);
}

static __always_inline int on_operation_return(struct pt_regs *ctx)
{
	u64 now = bpf_ktime_get_ns();
	u64 rule = Z3T_PATCHED(Z3T_PATCH_RESULT_RULE);

	return z3t_leave(now, Z3T_PATCHED(Z3T_PATCH_OPERATION),
			 z3t_failed(rule, PT_REGS_RC(ctx)));
}

/* For a recording of locks alone: learn the pools. */
static __always_inline int on_operation_pool(struct pt_regs *ctx)
{
	struct z3t_task *task = z3t_this_task();
	u64 operation = Z3T_PATCHED(Z3T_PATCH_OPERATION);

	z3t_bound(operation, Z3T_OPERATIONS);
	if (!task)
		return 0;
	task->entries[operation]++;
	z3t_note_pool(task, z3t_probed_argument(
				    ctx, Z3T_PATCHED(Z3T_PATCH_ARGUMENT)));
	return 0;
}

/* A helper of the kernel by its number, BPF_FUNC_get_func_ret: BCC's headers
 * may be older than the kernel. */
#define Z3T_HELPER_GET_FUNC_RET 184

static int (*z3t_get_func_ret)(void *ctx,
			       u64 *value) = (void *)Z3T_HELPER_GET_FUNC_RET;

static __always_inline int on_operation_fentry(u64 *ctx)
{
	u64 pool = z3t_traced_argument(ctx, Z3T_PATCHED(Z3T_PATCH_ARGUMENT));

	return z3t_enter(Z3T_PATCHED(Z3T_PATCH_OPERATION), pool);
}

static __always_inline int on_operation_fexit(u64 *ctx)
{
	u64 now = bpf_ktime_get_ns();
	u64 rule = Z3T_PATCHED(Z3T_PATCH_RESULT_RULE);
	u64 result = 0;

	if (rule != Z3T_NO_RESULT)
		z3t_get_func_ret(ctx, &result);
	return z3t_leave(now, Z3T_PATCHED(Z3T_PATCH_OPERATION),
			 rule != Z3T_NO_RESULT && z3t_failed(rule, result));
}
