/* SPDX-License-Identifier: GPL-2.0-only */
/* What a check sees apart from lock events: the scheduler, freed memory, the
 * tick, and the target's conditions. */

/* A held lock that *mark* does not stand at yet, or that lies in *page*. */
static __always_inline struct z3t_held *z3t_held_now(struct z3t_task *task,
						     u32 mark, u64 page)
{
	u32 holding = task->holding;

#pragma clang loop unroll(disable)
	for (u32 i = 0; i < Z3T_HELD; i++) {
		struct z3t_held *held = &task->held[i & (Z3T_HELD - 1)];

		if (i >= holding)
			break;
		if (held->state == Z3T_HOLDING && !(held->marks & mark) &&
		    (!page || (held->lock & ~(Z3T_PAGE_SIZE - 1)) == page))
			return held;
	}
	return 0;
}

static __always_inline void z3t_finding_of_held(struct z3t_finding *finding,
						struct z3t_task *task,
						struct z3t_held *held, u32 rule)
{
	finding->rule = rule;
	finding->lock = held->lock;
	finding->since = held->since;
	finding->site = held->site + 1;
	finding->class = held->class;
	finding->operation = z3t_operation_of(task);
}

/* The scheduler takes the CPU from the current task. */
static __always_inline int on_switch(void)
{
	struct z3t_task *task = z3t_known_task();
	struct z3t_finding finding = {};
	struct z3t_held *held;

	if (!task || !task->holding)
		return 0;
	held = z3t_held_now(task, Z3T_SLEPT, 0);
	if (!held)
		return 0;
	held->marks |= Z3T_SLEPT;
	z3t_finding_of_held(&finding, task, held, Z3T_SLEEP_IN_ATOMIC);
	z3t_report(&finding);
	return 0;
}

#define Z3T_STRUCT_PAGE_SHIFT 6 /* user space has seen that it is 64 bytes */

/* Memory goes back to the kernel: whose lock lies in it? */
static __always_inline int on_free(struct pt_regs *ctx)
{
	struct z3t_rulebook *book = z3t_rulebook();
	struct z3t_task *task = z3t_known_task();
	struct z3t_finding finding = {};
	struct z3t_owner *owner;
	struct z3t_held *held = 0;
	u64 page;

	if (!book || !book->pages)
		return 0;
	page = book->memory + ((PT_REGS_PARM1(ctx) - book->pages)
			       << (Z3T_PAGE_SHIFT - Z3T_STRUCT_PAGE_SHIFT));
	if (task && task->holding)
		held = z3t_held_now(task, 0, page);
	if (held) {
		z3t_finding_of_held(&finding, task, held, Z3T_FREE_WHILE_HELD);
	} else if (book->page_lock) {
		owner = z3t_owner_at(page + book->page_lock);
		if (!owner || owner->lock != page + book->page_lock)
			return 0;
		finding.rule = Z3T_FREE_WHILE_HELD;
		finding.lock = owner->lock;
		finding.since = owner->since;
		finding.site = owner->site;
		finding.other_task = owner->task;
		finding.class = book->page_class;
	}
	z3t_report(&finding);
	return 0;
}

/* A few times a second on every CPU: does the task that runs there wait for a
 * lock since long, and who has it? */
static __always_inline int on_tick(void)
{
	struct z3t_rulebook *book = z3t_rulebook();
	struct z3t_trail *trail = z3t_trail_at(z3t_slot());
	struct z3t_task *task = z3t_known_task();
	struct z3t_finding finding = {};
	u64 now = bpf_ktime_get_ns();
	struct z3t_owner *owner;
	struct z3t_held *held;

	if (!book || !trail || !task)
		return 0;
	held = &task->held[(task->holding - 1) & (Z3T_HELD - 1)];
	if (task->holding && held->state == Z3T_WAITING &&
	    task->spin_lock != held->lock) {
		finding.lock = held->lock;
		finding.since = held->since;
		finding.site = held->site + 1;
	} else if (task->spin_lock && task->depth) {
		/* The newest event is a failed attempt on it, or the next. */
		u32 newest = (trail->next - 1) & (Z3T_STEPS - 1);

		finding.lock = task->spin_lock;
		finding.since = task->spin_since;
		finding.site = trail->steps[newest].site + 1;
	}
	if (!finding.lock || now - finding.since < book->stuck ||
	    trail->stuck == finding.since)
		return 0;
	trail->stuck = finding.since;
	finding.rule = Z3T_STUCK_WAIT;
	finding.class = z3t_classify(task, finding.lock, Z3T_SPIN);
	finding.operation = z3t_operation_of(task);
	finding.value = now - finding.since;
	owner = z3t_owner_at(finding.lock);
	if (owner && owner->lock == finding.lock) {
		finding.other = owner->site;
		finding.other_task = owner->task;
	}
	z3t_report(&finding);
	return 0;
}

enum z3t_test {
	Z3T_CALLED,
	Z3T_HAS_BITS,
	Z3T_LIST_EMPTY,
	Z3T_NONZERO,
	Z3T_ZERO
};

/* A condition that the target declares: counted, never judged. */
static __always_inline int on_condition(struct pt_regs *ctx)
{
	u64 number = Z3T_PATCHED(Z3T_PATCH_CONDITION);
	u64 test = Z3T_PATCHED(Z3T_PATCH_TEST);
	u64 value = Z3T_PATCHED(Z3T_PATCH_VALUE);
	u64 argument =
		z3t_probed_argument(ctx, Z3T_PATCHED(Z3T_PATCH_ARGUMENT));
	struct z3t_checker *checker = z3t_checker();
	struct z3t_finding finding = {};
	/* One more than a member's offset; 0: the argument itself. */
	u64 offset = Z3T_PATCHED(Z3T_PATCH_OFFSET);
	u64 result = PT_REGS_RC(ctx);
	u64 member = argument + offset - 1;
	u64 first = argument;

	z3t_bound(number, Z3T_CONDITIONS);
	if (!checker)
		return 0;
	if (offset &&
	    bpf_probe_read_kernel(&first, sizeof(first), (void *)member))
		return 0;
	if (test == Z3T_HAS_BITS && !(first & value))
		return 0;
	if (test == Z3T_LIST_EMPTY && first != member)
		return 0;
	if ((test == Z3T_NONZERO && !(u32)result) ||
	    (test == Z3T_ZERO && (u32)result))
		return 0;
	if (checker->conditions[number]++)
		return 0;
	finding.rule = Z3T_CONDITION_MET;
	finding.site = number + 1;
	z3t_report(&finding);
	return 0;
}
