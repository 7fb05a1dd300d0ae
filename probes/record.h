/* SPDX-License-Identifier: GPL-2.0-only */
/* Find this CPU's and this task's state, count, fill histograms. */
#ifndef Z3T_RECORD_H
#define Z3T_RECORD_H

#define barrier_var(v) asm volatile("" : "+r"(v))

static __always_inline void z3t_count(struct z3t_cpu *cpu, enum z3t_ledger what)
{
	cpu->ledger[what]++;
}

/* Idle tasks share thread id 0, one on each CPU: they have slots of their own
 * behind the others. */
static __always_inline struct z3t_task *z3t_this_task(struct z3t_cpu *cpu)
{
	u32 tid = (u32)bpf_get_current_pid_tgid();
	u32 slot = tid & (Z3T_TASK_SLOTS - 1);
	struct z3t_task *task;

	if (!tid)
		slot = Z3T_TASK_SLOTS + bpf_get_smp_processor_id();
	task = z3t_task_at(slot);
	if (!task || task->owner == tid + 1)
		return task;
	if (task->owner && (task->depth || task->holding)) {
		z3t_count(cpu, Z3T_SLOT_COLLISION);
		return 0;
	}
	task->depth = 0;
	task->skipped = 0;
	task->holding = 0;
#pragma clang loop unroll(disable)
	for (int i = 0; i < Z3T_HELD; i++)
		task->held[i].state = Z3T_FREE;
	task->pool = 0;
	task->spin_lock = 0;
	task->owner = tid + 1;
	return task;
}

static __always_inline void z3t_record(struct z3t_cpu *cpu, u64 series,
				       u64 value)
{
	struct z3t_totals *totals;
	u64 *bucket;

	/* The compiler knows the bound and would drop the check that the
	 * verifier wants to see. */
	barrier_var(series);
	if (series >= Z3T_SERIES)
		return;
	bucket = z3t_bucket_at(cpu, series, z3t_bucket(value));
	if (bucket)
		(*bucket)++;
	totals = &cpu->totals[series];
	totals->count++;
	totals->sum += value;
	if (value < totals->min)
		totals->min = value;
	if (value > totals->max)
		totals->max = value;
}

#endif
