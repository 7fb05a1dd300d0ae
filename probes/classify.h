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
static __always_inline u64 z3t_is_pool(const struct z3t_config *config,
				       u64 pool, u64 address)
{
	u64 other = z3t_is_set(address ^ pool) &
		    z3t_is_set(address ^ config->pools[0]) &
		    z3t_is_set(address ^ config->pools[1]) &
		    z3t_is_set(address ^ config->pools[2]) &
		    z3t_is_set(address ^ config->pools[3]);

	return z3t_is_set(address) & (other ^ 1);
}

/* Sets of enum z3t_rule_kind, a bit each: for spinlocks, for reader-writer
 * locks, and how an address is judged. */
#define Z3T_KIND(kind) (1 << Z3T_RULE_##kind)
#define Z3T_FOR_SPIN                                                           \
	(Z3T_KIND(PAGE) | Z3T_KIND(POOL) | Z3T_KIND(SPINLOCK) |                \
	 Z3T_KIND(OBJECT))
#define Z3T_FOR_RW (Z3T_KIND(POOL) | Z3T_KIND(RWLOCK))
#define Z3T_BY_POOL (Z3T_KIND(POOL) | Z3T_KIND(OBJECT))
#define Z3T_BY_KIND (Z3T_KIND(RWLOCK) | Z3T_KIND(SPINLOCK))

/* 1 or 0.  *kinds*: those that this lock can be of; *pointed*: what a rule for
 * objects takes for the address of the pool. */
static __always_inline u64 z3t_rule_fits(const struct z3t_config *config,
					 const struct z3t_rule *rule, u64 pool,
					 u64 lock, u64 pointed, u64 kinds)
{
	u64 bit = 1ULL << (rule->kind & 7);
	u64 is_object = z3t_is_set(bit & Z3T_KIND(OBJECT));
	u64 base = lock - rule->offset;
	u64 fits;

	base ^= (base ^ pointed) & (0 - is_object);
	fits = z3t_is_set(bit & Z3T_BY_KIND);
	fits |= z3t_is_set(bit & Z3T_BY_POOL) & z3t_is_pool(config, pool, base);
	fits |= z3t_is_set(bit & Z3T_KIND(PAGE)) &
		(z3t_is_set(base & (Z3T_PAGE_SIZE - 1)) ^ 1);
	return fits & z3t_is_set(bit & kinds);
}

static __always_inline u32 z3t_classify(struct z3t_task *task, u64 lock, u32 rw)
{
	u64 kinds = Z3T_FOR_RW ^
		    ((Z3T_FOR_SPIN ^ Z3T_FOR_RW) & (z3t_is_set(rw) - 1));
	struct z3t_config *config = z3t_config();
	u64 pointed;

	if (!config)
		return 0;
	/* Not known to the verifier either way: so it follows one way only. */
	pointed = config->nothing;
	if (config->has_object)
		bpf_probe_read_kernel(&pointed, sizeof(pointed),
				      (void *)(lock + config->pointer));
#pragma clang loop unroll(disable)
	for (int i = 0; i < Z3T_RULES; i++) {
		struct z3t_rule *rule = &config->rules[i];

		if (rule->kind == Z3T_RULE_NONE)
			return 0;
		if (z3t_rule_fits(config, rule, task->pool, lock, pointed,
				  kinds))
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
