/* SPDX-License-Identifier: GPL-2.0-only */
/* Which lock class an address belongs to. */
#ifndef Z3T_CLASSIFY_H
#define Z3T_CLASSIFY_H

/* 1 if *value* is not 0, else 0, without a branch: the verifier follows both
 * ends of each, in every round of every loop.  The compiler must not see what
 * it is. */
static __always_inline u64 z3t_is_set(u64 value)
{
	u64 negative = 0 - value;

	asm volatile("" : "+r"(negative));
	return (value | negative) >> 63;
}

/* Whether *address* is that of a pool: of the task's own, or of one met before.
 * 0 is none. */
static __always_inline int z3t_is_pool(const struct z3t_config *config,
				       u64 pool, u64 address)
{
	u64 other = z3t_is_set(address ^ pool) &
		    z3t_is_set(address ^ config->pools[0]) &
		    z3t_is_set(address ^ config->pools[1]) &
		    z3t_is_set(address ^ config->pools[2]) &
		    z3t_is_set(address ^ config->pools[3]);

	return z3t_is_set(address) & (other ^ 1);
}

static __always_inline int z3t_rule_fits(const struct z3t_config *config,
					 const struct z3t_rule *rule, u64 pool,
					 u64 lock, u32 rw)
{
	u64 base = lock - rule->offset;

	if (rule->kind == Z3T_RULE_RWLOCK)
		return rw != Z3T_SPIN;
	if (rule->kind == Z3T_RULE_SPINLOCK)
		return rw == Z3T_SPIN;
	if (rule->kind == Z3T_RULE_PAGE)
		return rw == Z3T_SPIN && !(base & (Z3T_PAGE_SIZE - 1));
	/* What a lock of this kind is in points to its pool; what another one
	 * is in has something else there, or nothing. */
	if (rule->kind == Z3T_RULE_OBJECT && rw == Z3T_SPIN)
		bpf_probe_read_kernel(&base, sizeof(base),
				      (void *)(base + rule->pointer));
	return z3t_is_pool(config, pool, base);
}

static __always_inline u32 z3t_classify(struct z3t_task *task, u64 lock, u32 rw)
{
	struct z3t_config *config = z3t_config();

	if (!config)
		return 0;
#pragma clang loop unroll(disable)
	for (int i = 0; i < Z3T_RULES; i++) {
		struct z3t_rule *rule = &config->rules[i];

		if (rule->kind == Z3T_RULE_NONE)
			return 0;
		if (z3t_rule_fits(config, rule, task->pool, lock, rw))
			return rule->class;
	}
	return 0;
}

/* By the place of its call if that tells, with the *flags* of a place. */
static __always_inline u32 z3t_class_of(struct z3t_task *task, u64 lock,
					u32 flags)
{
	u32 known = flags >> Z3T_CLASS_SHIFT;

	return known ? known - 1
		     : z3t_classify(task, lock, flags & Z3T_RW_MASK);
}

/* Whether a run with the probes of another class alone met this lock: at a call
 * site of which was not known before whose locks it takes. */
static __always_inline int z3t_is_other(u32 class)
{
	struct z3t_config *config = z3t_config();

	return config && config->only && config->only != class + 1;
}

static __always_inline struct z3t_frame *z3t_top_frame(struct z3t_task *task)
{
	return &task->frames[task->depth & Z3T_DEPTH];
}

#endif
