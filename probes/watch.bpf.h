/* SPDX-License-Identifier: GPL-2.0-only */
/* What a check sees apart from lock events: the scheduler, freed memory, the
 * tick, and the target's conditions. */

/* This task's state if it has one; nobody else's slot is taken over. */
static __always_inline struct z3t_task *z3t_known_task(void)
{
	struct z3t_task *task = z3t_task_at(z3t_slot());

	if (!task || task->owner != (u32)bpf_get_current_pid_tgid() + 1)
		return 0;
	return task;
}

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
		    (!page || (held->lock & ~4095ULL) == page))
			return held;
	}
	return 0;
}

static __always_inline void z3t_found_held(struct z3t_finding *found,
					   struct z3t_task *task,
					   struct z3t_held *held, u32 rule)
{
	found->rule = rule;
	found->lock = held->lock;
	found->since = held->since;
	found->site = held->site + 1;
	found->class = held->class;
	found->operation = z3t_operation_of(task);
}

/* The scheduler takes the CPU from the current task. */
static __always_inline int on_switch(void)
{
	struct z3t_task *task = z3t_known_task();
	struct z3t_finding found = {};
	struct z3t_held *held;

	if (!task || !task->holding)
		return 0;
	held = z3t_held_now(task, Z3T_SLEPT, 0);
	if (!held)
		return 0;
	held->marks |= Z3T_SLEPT;
	z3t_found_held(&found, task, held, Z3T_SLEEP_IN_ATOMIC);
	z3t_report(&found);
	return 0;
}

/* Memory goes back to the kernel: whose lock lies in it? */
static __always_inline int on_free(struct pt_regs *ctx)
{
	struct z3t_rulebook *book = z3t_rulebook();
	struct z3t_task *task = z3t_known_task();
	struct z3t_finding found = {};
	struct z3t_owner *owner;
	struct z3t_held *held = 0;
	u64 page;

	if (!book || !book->pages)
		return 0;
	/* A struct page is 64 bytes, a page 4096. */
	page = book->memory + ((PT_REGS_PARM1(ctx) - book->pages) << 6);
	if (task && task->holding)
		held = z3t_held_now(task, 0, page);
	if (held) {
		z3t_found_held(&found, task, held, Z3T_FREE_WHILE_HELD);
	} else if (book->page_lock) {
		owner = z3t_owner_at(page + book->page_lock);
		if (!owner || owner->lock != page + book->page_lock)
			return 0;
		found.rule = Z3T_FREE_WHILE_HELD;
		found.lock = owner->lock;
		found.since = owner->since;
		found.site = owner->site;
		found.other_task = owner->task;
		found.class = book->page_class;
	}
	z3t_report(&found);
	return 0;
}

/* A few times a second on every CPU: does the task that runs there wait for a
 * lock since long, and who has it? */
static __always_inline int on_tick(void)
{
	struct z3t_rulebook *book = z3t_rulebook();
	struct z3t_trail *trail = z3t_trail_at(z3t_slot());
	struct z3t_task *task = z3t_known_task();
	struct z3t_finding found = {};
	u64 now = bpf_ktime_get_ns();
	struct z3t_owner *owner;
	struct z3t_held *held;

	if (!book || !trail || !task)
		return 0;
	held = &task->held[(task->holding - 1) & (Z3T_HELD - 1)];
	if (task->holding && held->state == Z3T_WAITING &&
	    task->spin_lock != held->lock) {
		found.lock = held->lock;
		found.since = held->since;
		found.site = held->site + 1;
	} else if (task->spin_lock && task->depth) {
		/* The newest event is a failed attempt on it, or the next. */
		u32 newest = (trail->next - 1) & (Z3T_STEPS - 1);

		found.lock = task->spin_lock;
		found.since = task->spin_since;
		found.site = trail->steps[newest].site + 1;
	}
	if (!found.lock || now - found.since < book->stuck ||
	    trail->stuck == found.since)
		return 0;
	trail->stuck = found.since;
	found.rule = Z3T_STUCK_WAIT;
	found.class = z3t_classify(task, found.lock, Z3T_SPIN);
	found.operation = z3t_operation_of(task);
	found.value = now - found.since;
	owner = z3t_owner_at(found.lock);
	if (owner && owner->lock == found.lock) {
		found.other = owner->site;
		found.other_task = owner->task;
	}
	z3t_report(&found);
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
	u64 number = Z3T_PATCHED(Z3T_THIS_OPERATION);
	u64 test = Z3T_PATCHED(Z3T_THIS_RESULT);
	u64 value = Z3T_PATCHED(Z3T_THIS_FUNCTION);
	u64 argument = z3t_probed_argument(ctx, Z3T_PATCHED(Z3T_THIS_POOL));
	struct z3t_checker *checker = z3t_checker();
	struct z3t_finding found = {};
	u64 result = PT_REGS_RC(ctx);
	u64 first = 0;

	z3t_bound(number, Z3T_CONDITIONS);
	if (!checker)
		return 0;
	if (test == Z3T_HAS_BITS && !(argument & value))
		return 0;
	if (test == Z3T_LIST_EMPTY &&
	    (bpf_probe_read_kernel(&first, sizeof(first),
				   (void *)argument + value) ||
	     first != argument + value))
		return 0;
	if ((test == Z3T_NONZERO && !(u32)result) ||
	    (test == Z3T_ZERO && (u32)result))
		return 0;
	if (checker->conditions[number]++)
		return 0;
	found.rule = Z3T_CONDITION_MET;
	found.site = number + 1;
	z3t_report(&found);
	return 0;
}
