/* SPDX-License-Identifier: GPL-2.0-only */
/* Entry and return of the target's operations: latency and result. */

/* The first argument of an operation is its pool; lock classes that lie in
 * the pool are told by it, also on behalf of work items that run outside any
 * operation. */
static __always_inline void z3t_note_pool(struct z3t_cpu *cpu,
					  struct z3t_task *task, u64 pool)
{
	struct z3t_config *config;

	if (task->pool == pool)
		return;
	task->pool = pool;
	config = z3t_config();
	if (!config)
		return;
#pragma clang loop unroll(disable)
	for (int i = 0; i < Z3T_POOLS; i++) {
		if (config->pools[i] == pool)
			return;
		if (!config->pools[i]) {
			config->pools[i] = pool;
			return;
		}
	}
	z3t_count(cpu, Z3T_UNKNOWN_POOL);
}

static __always_inline int on_operation_entry(struct pt_regs *ctx)
{
	u64 operation = bpf_get_attach_cookie(ctx) & (Z3T_OPERATIONS - 1);
	struct z3t_cpu *cpu = z3t_this_cpu();
	struct z3t_frame *frame;
	struct z3t_task *task;
	u32 depth;

	if (!cpu)
		return 0;
	cpu->programs[Z3T_RAN_ENTRY]++;
	cpu->operations[operation].entries++;
	task = z3t_this_task(cpu);
	if (!task)
		return 0;
	depth = task->depth;
	if (depth >= Z3T_DEPTH) {
		task->skipped++;
		z3t_count(cpu, Z3T_DEPTH_OVERFLOW);
		return 0;
	}
	if (!depth) {
		task->spin_lock = 0;
		z3t_note_pool(cpu, task, PT_REGS_PARM1(ctx));
	}
	depth++;
	task->depth = depth;
	frame = &task->frames[depth & Z3T_DEPTH];
	frame->operation = operation;
	frame->events = 0;
	frame->wait = 0;
	frame->hold = 0;
	frame->start = bpf_ktime_get_ns();
	return 0;
}

static __always_inline void z3t_count_result(struct z3t_operation *operation,
					     u64 index, u64 result)
{
	struct z3t_config *config;
	u32 rule;

	config = z3t_config();
	if (!config)
		return;
	rule = config->results[index & (Z3T_OPERATIONS - 1)];
	if ((rule == Z3T_FAILS_NONZERO && (u32)result) ||
	    (rule == Z3T_FAILS_ZERO && !result))
		operation->failures++;
}

static __always_inline int on_operation_return(struct pt_regs *ctx)
{
	u64 now = bpf_ktime_get_ns();
	u64 operation = bpf_get_attach_cookie(ctx) & (Z3T_OPERATIONS - 1);
	struct z3t_cpu *cpu = z3t_this_cpu();
	struct z3t_operation *counters;
	struct z3t_frame *frame;
	struct z3t_task *task;
	u32 depth;

	if (!cpu)
		return 0;
	cpu->programs[Z3T_RAN_RETURN]++;
	task = z3t_this_task(cpu);
	if (!task)
		return 0;
	if (task->skipped) {
		task->skipped--;
		return 0;
	}
	depth = task->depth;
	frame = &task->frames[depth & Z3T_DEPTH];
	if (!depth || frame->operation != operation) {
		z3t_count(cpu, Z3T_UNMATCHED_RETURN);
		return 0;
	}
	task->depth = depth - 1;
	counters = &cpu->operations[operation];
	counters->wait += frame->wait;
	counters->hold += frame->hold;
	counters->events += frame->events;
	z3t_count_result(counters, operation, PT_REGS_RC(ctx));
	z3t_record(cpu, operation, now - frame->start);
	return 0;
}
