/* SPDX-License-Identifier: GPL-2.0-only */
/* Which lock class an address belongs to. */
#ifndef Z3T_CLASSIFY_H
#define Z3T_CLASSIFY_H

/* Its highest bit is that of no number but 0, without a branch: the verifier
 * follows both ends of each, in every round of every loop.  The compiler must
 * not see what it is. */
static __always_inline u64 z3t_differ(u64 a, u64 b)
{
	u64 value = a ^ b;
	u64 negative = 0 - value;

	asm volatile("" : "+r"(negative));
	return value | negative;
}

/* 1 if *address* is that of a pool: of the task's own, or of one met before. */
static __always_inline u64 z3t_is_pool(const struct z3t_config *config,
				       u64 pool, u64 address)
{
	return ~(z3t_differ(address, pool) &
		 z3t_differ(address, config->pools[0]) &
		 z3t_differ(address, config->pools[1]) &
		 z3t_differ(address, config->pools[2]) &
		 z3t_differ(address, config->pools[3])) >>
	       63;
}

/* 1 or 0 in the lowest bit, and anything above it.  *pointed*: what a rule for
 * objects takes for the address of the pool. */
static __always_inline u64 z3t_rule_fits(const struct z3t_config *config,
					 const struct z3t_rule *rule, u64 pool,
					 u64 lock, u64 pointed, u32 is_rw)
{
	u64 base = lock - rule->offset;
	u64 how = rule->how;
	u64 in_page;

	base ^= (base ^ pointed) & (0 - (how >> Z3T_BY_POINTER & 1));
	/* Below 0 if it is 0. */
	in_page = ((base & (Z3T_PAGE_SIZE - 1)) - 1) >> 63;
	return (how >> Z3T_BY_KIND |
		(how >> Z3T_BY_POOL & z3t_is_pool(config, pool, base)) |
		(how >> Z3T_BY_PAGE & in_page)) &
	       how >> is_rw;
}

static __always_inline u32 z3t_classify(struct z3t_task *task, u64 lock, u32 rw)
{
	struct z3t_config *config = z3t_config();
	/* A reader or a writer: one of the two bits of enum z3t_rw. */
	u32 is_rw = (rw | rw >> 1) & 1;
	u64 pointed;

	if (!config)
		return 0;
	/* Not known to the verifier either way: so it follows one way only. */
	pointed = config->nothing;
	if (config->has_object)
		bpf_probe_read_kernel(&pointed, sizeof(pointed),
				      (void *)(lock + config->pointer));
	/* 0 stands for pools that there are not; 1 is the address of nothing.
	 */
	pointed |= ~z3t_differ(pointed, 0) >> 63;
#pragma clang loop unroll(disable)
	for (int i = 0; i < Z3T_RULES; i++) {
		struct z3t_rule *rule = &config->rules[i];

		if (!rule->how)
			return 0;
		if (z3t_rule_fits(config, rule, task->pool, lock, pointed,
				  is_rw) &
		    1)
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
