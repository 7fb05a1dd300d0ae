/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Waits for locks as the slow paths of the lock functions show them.
 *
 * A lock that is free is taken by one instruction; a task that finds it taken
 * goes to queued_spin_lock_slowpath() and the like.  A probe there sees every
 * wait, of whatever lock, and none of the acquisitions that need no wait: the
 * probe before each lock call is not needed.  The CPU is the same until the
 * lock is acquired, as waiting for a spinlock is not preempted.
 */

/* Locks in pages differ in the upper bits, those in one structure in the lower.
 */
static __always_inline struct z3t_slow_wait *z3t_slow_wait(struct z3t_cpu *cpu,
							   u64 lock)
{
	return &cpu->waits[(lock >> Z3T_PAGE_SHIFT ^ lock >> Z3T_LOCK_SHIFT) &
			   (Z3T_WAITS - 1)];
}

static __always_inline int on_slow_path(u64 *ctx)
{
	struct z3t_cpu *cpu = z3t_this_cpu();
	struct z3t_slow_wait *wait;
	u64 lock = 0;

	/* As in z3t_caller(): a typed pointer cannot be reckoned with. */
	if (!cpu || bpf_probe_read_kernel(&lock, sizeof(lock), ctx))
		return 0;
	wait = z3t_slow_wait(cpu, lock);
	wait->lock = lock;
	wait->task = (u32)bpf_get_current_pid_tgid();
	wait->since = bpf_ktime_get_ns();
	return 0;
}

/* When the task began to wait for the lock that it has acquired *now*: now if
 * it did not wait.  A wait from before its newest event was another one, in
 * code that is not seen. */
static __always_inline u64 z3t_waited_since(struct z3t_cpu *cpu,
					    struct z3t_task *task, u64 lock,
					    u64 now)
{
	struct z3t_slow_wait *wait = z3t_slow_wait(cpu, lock);

	if (wait->lock != lock || wait->task != task->owner - 1)
		return now;
	wait->lock = 0;
	return wait->since >= task->newest ? wait->since : now;
}
