/* SPDX-License-Identifier: GPL-2.0-only */
/* Find this CPU's and this task's state, count, fill histograms. */
#ifndef Z3T_RECORD_H
#define Z3T_RECORD_H

#define barrier_var(v) asm volatile("" : "+r"(v))

/* An index below *size*, a power of two, by an instruction that the compiler
 * cannot see through: what it spills and loads again is bounded for the
 * verifier too. */
#define z3t_bound(v, size) asm volatile("%0 &= %1" : "+r"(v) : "i"((size) - 1))

/* A constant of the instruction stream that user space replaces before it loads
 * the program: one program for each operation, with no lookup of which it is.
 * *magic* is one of the Z3T_PATCH_ numbers. */
#define Z3T_PATCHED(magic)                                                     \
	({                                                                     \
		u64 patched;                                                   \
		asm volatile("%0 = %1" : "=r"(patched) : "i"(magic));          \
		patched;                                                       \
	})

static __always_inline void z3t_count(enum z3t_ledger what)
{
	struct z3t_cpu *cpu = z3t_this_cpu();

	if (cpu)
		cpu->ledger[what]++;
}

/* A time that ends before it began: two threads have met in one task slot, one
 * of them before the other could see it. */
static __always_inline int z3t_is_torn(u64 time)
{
	if ((s64)time >= 0)
		return 0;
	z3t_count(Z3T_SLOT_COLLISION);
	return 1;
}

/* Idle tasks share thread id 0, one on each CPU: they have slots of their own
 * behind the others. */
static __always_inline u32 z3t_slot_of(u32 tid)
{
	return tid ? tid & (Z3T_TASK_SLOTS - 1)
		   : Z3T_TASK_SLOTS + bpf_get_smp_processor_id();
}

static __always_inline u32 z3t_slot(void)
{
	return z3t_slot_of((u32)bpf_get_current_pid_tgid());
}

/* The last events of another task in this slot are not this one's. */
static __always_inline void z3t_new_trail(void)
{
#ifdef Z3T_CHECK
	struct z3t_trail *trail = z3t_trail_at(z3t_slot());

	if (!trail)
		return;
	trail->next = 0;
	trail->stuck = 0;
	for (int i = 0; i < Z3T_STEPS; i++)
		trail->steps[i].time = 0;
#endif
}

static __always_inline struct z3t_task *z3t_new_task(struct z3t_task *task,
						     u32 owner)
{
	if (task->owner && (task->depth || task->holding)) {
		z3t_count(Z3T_SLOT_COLLISION);
		return 0;
	}
	task->depth = 0;
	task->skipped = 0;
	task->muted = 0;
	task->holding = 0;
#pragma clang loop unroll(disable)
	for (int i = 0; i < Z3T_HELD; i++)
		task->held[i].state = Z3T_FREE;
	task->pool = 0;
	task->spin_lock = 0;
	task->owner = owner;
	z3t_new_trail();
	return task;
}

static __always_inline struct z3t_task *z3t_this_task(void)
{
	u32 tid = (u32)bpf_get_current_pid_tgid();
	struct z3t_task *task = z3t_task_at(z3t_slot_of(tid));

	if (!task || task->owner == tid + 1)
		return task;
	return z3t_new_task(task, tid + 1);
}

/* This task's state if it has one; nobody else's slot is taken over. */
static __always_inline struct z3t_task *z3t_known_task(void)
{
	struct z3t_task *task = z3t_task_at(z3t_slot());

	if (!task || task->owner != (u32)bpf_get_current_pid_tgid() + 1)
		return 0;
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
	totals->sum += value;
	if (value < totals->min)
		totals->min = value;
	if (value > totals->max)
		totals->max = value;
}

/* *value* as it was, and without what the probes inside it and around it added:
 * an estimate, which may be too large. */
static __always_inline void z3t_record_disturbed(struct z3t_cpu *cpu,
						 u64 series, u64 value,
						 u64 inside, u64 floor)
{
	u64 cost = inside + floor;

	z3t_record(cpu, series, value);
	z3t_record(cpu, Z3T_CORRECTED(series), value > cost ? value - cost : 0);
}

#endif
