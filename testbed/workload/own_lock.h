/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A lock that is taken and released around nothing, once in each of the
 * functions bench_own_*: what probes show of these holds is what they add to
 * any, under this very load.
 */
#ifndef Z3T_OWN_LOCK_H
#define Z3T_OWN_LOCK_H

#include <linux/spinlock.h>

/* What lies next to a call decides how a probe of it is run.  Five bytes that
 * may be moved: as a jump.  A branch, or the call itself: emulated after a
 * trap. */
#define ROOM_FOR_A_JUMP asm volatile("movl $0, %%ecx" ::: "ecx")
#define BRANCH asm volatile("jmp 1f\n1:")
/* The lock's address is in a register that calls preserve, as it mostly is. */
#define FROM_ANOTHER_REGISTER asm volatile("" ::: "rdi")
/* The release is a call, not a jump at the function's end. */
#define AND_RETURN asm volatile("")

static noinline __noclone void bench_own_jump(spinlock_t *lock)
{
	FROM_ANOTHER_REGISTER;
	spin_lock(lock);
	ROOM_FOR_A_JUMP;
	ROOM_FOR_A_JUMP;
	spin_unlock(lock);
	AND_RETURN;
}

static noinline __noclone void bench_own_trap(spinlock_t *lock)
{
	FROM_ANOTHER_REGISTER;
	spin_lock(lock);
	BRANCH;
	spin_unlock(lock);
	AND_RETURN;
}

static noinline __noclone void bench_own_jump_trap(spinlock_t *lock)
{
	FROM_ANOTHER_REGISTER;
	spin_lock(lock);
	ROOM_FOR_A_JUMP;
	BRANCH;
	spin_unlock(lock);
	AND_RETURN;
}

static noinline __noclone void bench_own_trap_jump(spinlock_t *lock)
{
	FROM_ANOTHER_REGISTER;
	spin_lock(lock);
	BRANCH;
	ROOM_FOR_A_JUMP;
	spin_unlock(lock);
	AND_RETURN;
}

static void bench_own_locks(spinlock_t *lock)
{
	bench_own_jump(lock);
	bench_own_trap(lock);
	bench_own_jump_trap(lock);
	bench_own_trap_jump(lock);
}

#endif
