/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A target that counts its own lock operations: what a recording is held
 * against. counted-locks.cocci puts these in the place of the kernel's
 * functions; the counts are read from
 * /sys/module/<target>/parameters/counted_locks as one JSON object.
 */
#ifndef Z3T_COUNTED_H
#define Z3T_COUNTED_H

#include <linux/atomic.h>
#include <linux/module.h>
#include <linux/spinlock.h>

enum z3t_counted {
	SPIN_ACQUIRED,
	SPIN_TRY_FAILED,
	SPIN_RELEASED,
	READ_ACQUIRED,
	READ_RELEASED,
	WRITE_ACQUIRED,
	WRITE_RELEASED,
	Z3T_COUNTED,
};

static atomic64_t z3t_counts[Z3T_COUNTED];

#define Z3T_COUNTING(name, call, type, what)                                   \
	static __always_inline void counted_##name(type *lock)                 \
	{                                                                      \
		call(lock);                                                    \
		atomic64_inc(&z3t_counts[what]);                               \
	}

Z3T_COUNTING(spin_lock, spin_lock, spinlock_t, SPIN_ACQUIRED)
Z3T_COUNTING(spin_unlock, spin_unlock, spinlock_t, SPIN_RELEASED)
Z3T_COUNTING(read_lock, read_lock, rwlock_t, READ_ACQUIRED)
Z3T_COUNTING(read_unlock, read_unlock, rwlock_t, READ_RELEASED)
Z3T_COUNTING(write_lock, write_lock, rwlock_t, WRITE_ACQUIRED)
Z3T_COUNTING(write_unlock, write_unlock, rwlock_t, WRITE_RELEASED)

static __always_inline int counted_spin_trylock(spinlock_t *lock)
{
	int taken = spin_trylock(lock);

	atomic64_inc(&z3t_counts[taken ? SPIN_ACQUIRED : SPIN_TRY_FAILED]);
	return taken;
}

static int z3t_show_counts(char *buffer, const struct kernel_param *unused)
{
	static const char *const names[Z3T_COUNTED] = {
		"spin_acquired", "spin_try_failed", "spin_released",
		"read_acquired", "read_released",   "write_acquired",
		"write_released"};
	int i, at = 0;

	for (i = 0; i < Z3T_COUNTED; i++)
		at += scnprintf(buffer + at, PAGE_SIZE - at, "%s\"%s\": %lld",
				i ? ", " : "{", names[i],
				atomic64_read(&z3t_counts[i]));
	return at + scnprintf(buffer + at, PAGE_SIZE - at, "}\n");
}

static const struct kernel_param_ops z3t_counts_ops = {.get = z3t_show_counts};
module_param_cb(counted_locks, &z3t_counts_ops, NULL, 0444);

#endif
