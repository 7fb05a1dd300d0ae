/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whose wait it is that a lock's slow path shows.
 *
 * A check must know who asks for what before he gets it, which may be never.
 * Where the attempt has no probe, who gets the lock at once is judged when he
 * has it, and everybody else here: the way back to the target's call is on the
 * stack, a few words up.
 */

#define Z3T_WAY_BACK 16 /* words from the trampoline's arguments on */

static __always_inline u32 z3t_returning_to(u64 address)
{
	struct z3t_config *config = z3t_config();
	struct z3t_place *place;

	if (!config || address - config->text >= Z3T_PLACES)
		return 0;
	place = z3t_place(address);
	return place ? place->returning : 0;
}

static __always_inline int on_slow_attempt(u64 *ctx)
{
	u64 now = bpf_ktime_get_ns();
	struct z3t_finding finding = {};
	u64 stack[Z3T_WAY_BACK];
	struct z3t_task *task;
	u32 returning = 0;
	u32 site;

	if (bpf_probe_read_kernel(stack, sizeof(stack), ctx))
		return 0;
#pragma clang loop unroll(full)
	for (int i = 1; i < Z3T_WAY_BACK; i++)
		if (!returning)
			returning = z3t_returning_to(stack[i]);
	if (!returning)
		return 0;
	task = z3t_this_task();
	site = (returning >> Z3T_RW_BITS) - 1;
	if (!task || z3t_find(task, Z3T_WAITING, 0, site))
		return 0;
	z3t_attempt(&finding, task, now, stack[0], site,
		    returning & Z3T_RW_MASK, 0);
	z3t_report(&finding);
	return 0;
}
