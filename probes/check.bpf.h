/* SPDX-License-Identifier: GPL-2.0-only */
/* The rules of lock discipline, judged at the lock events of a recording. */

static __always_inline void z3t_check_edge(struct z3t_finding *finding,
					   struct z3t_held *outer, u64 class,
					   u32 site)
{
	struct z3t_checker *checker = z3t_checker();
	u64 below = outer->class;
	struct z3t_order *order;

	z3t_bound(below, Z3T_CLASSES);
	z3t_bound(class, Z3T_CLASSES);
	if (!checker)
		return;
	checker->edges[below * Z3T_CLASSES + class]++;
	order = z3t_order_at(below * Z3T_CLASSES + class);
	if (order && !order->inner) {
		order->outer = outer->site + 1;
		order->inner = site + 1;
	}
	/* Of class 0 nothing is known but that it is none of the others. */
	if (!class || !below || class == below)
		return;
	order = z3t_order_at(class * Z3T_CLASSES + below);
	if (!order || !order->inner || finding->rule)
		return;
	finding->rule = Z3T_ORDER_INVERSION;
	finding->site = site + 1;
	finding->other = outer->site + 1;
	finding->class = class;
	finding->other_class = below;
	finding->since = outer->since;
	finding->value = (u64)order->outer << 32 | order->inner;
}

/* Before the task asks for *lock*, which may be for ever. */
static __always_inline void z3t_check_attempt(struct z3t_finding *finding,
					      struct z3t_task *task, u64 now,
					      u64 lock, u32 site, u32 flags)
{
	u32 holding = task->holding;
	u64 class;

	z3t_step(now, lock, site, Z3T_ATTEMPT);
	if (!holding || flags & Z3T_TRY)
		return;
	class = z3t_classify(task, lock, flags & Z3T_RW_MASK);
	finding->lock = lock;
	finding->operation = z3t_operation_of(task);
#pragma clang loop unroll(disable)
	for (u32 i = 0; i < Z3T_HELD; i++) {
		struct z3t_held *held = &task->held[i & (Z3T_HELD - 1)];

		if (i >= holding)
			break;
		if (held->state != Z3T_HOLDING)
			continue;
		if (held->lock != lock) {
			z3t_check_edge(finding, held, class, site);
		} else if (!(held->marks & Z3T_READER) ||
			   (flags & Z3T_RW_MASK) != Z3T_READ) {
			finding->rule = Z3T_DOUBLE_ACQUIRE;
			finding->site = site + 1;
			finding->other = held->site + 1;
			finding->class = class;
			finding->since = held->since;
		}
	}
}

static __always_inline void z3t_check_acquired(struct z3t_task *task,
					       struct z3t_held *held, u32 rw)
{
	struct z3t_owner *owner = z3t_owner_at(held->lock);

	held->marks = rw == Z3T_READ ? Z3T_READER : 0;
	z3t_step(held->since, held->lock, held->site, Z3T_ACQUIRED);
	if (!owner)
		return;
	owner->lock = held->lock;
	owner->since = held->since;
	owner->task = task->owner - 1;
	owner->site = held->site + 1;
}

static __always_inline void z3t_check_failed(struct z3t_task *task, u64 now,
					     u64 lock, u32 site)
{
	z3t_step(now, lock, site, Z3T_TRY_FAILED);
}

static __always_inline void z3t_crossed(void)
{
	struct z3t_checker *checker = z3t_checker();

	if (checker)
		checker->crossed++;
}

/* *held* is the task's own entry, none if it holds no such lock. */
static __always_inline void z3t_check_release(struct z3t_finding *finding,
					      struct z3t_task *task,
					      struct z3t_held *held, u64 now,
					      u64 lock, u32 site, u32 flags)
{
	struct z3t_rulebook *book = z3t_rulebook();
	struct z3t_owner *owner = z3t_owner_at(lock);

	z3t_step(now, lock, site, Z3T_RELEASED);
	if (!owner || !book)
		return;
	finding->lock = lock;
	finding->operation = z3t_operation_of(task);
	if (held) {
		if (owner->lock == lock)
			owner->lock = 0;
		if (held != &task->held[(task->holding - 1) & (Z3T_HELD - 1)])
			z3t_crossed();
		if (now - held->since < book->long_hold)
			return;
		finding->rule = Z3T_LONG_HOLD;
		finding->site = held->site + 1;
		finding->other = site + 1;
		finding->class = held->class;
		finding->since = held->since;
		finding->value = now - held->since;
		return;
	}
	if (owner->lock == lock && owner->task != task->owner - 1) {
		finding->rule = Z3T_FOREIGN_RELEASE;
		finding->other = owner->site;
		finding->other_task = owner->task;
		finding->since = owner->since;
	} else if (task->depth || now >= book->armed + Z3T_SETTLING) {
		finding->rule = Z3T_RELEASE_UNHELD;
	}
	finding->site = site + 1;
	finding->class = z3t_classify(task, lock, flags & Z3T_RW_MASK);
}

/* An operation is about to be left. */
static __always_inline void z3t_check_leave(struct z3t_finding *finding,
					    struct z3t_task *task,
					    struct z3t_frame *frame,
					    u64 operation, int failed)
{
	struct z3t_rulebook *book = z3t_rulebook();
	u32 cpu = bpf_get_smp_processor_id();
	u32 holding = task->holding;
	u32 contract = 0;
	u32 kept = 0;

	z3t_bound(operation, Z3T_OPERATIONS);
	if (!book)
		return;
	if (!failed)
		contract = book->holds[operation];
	if (!holding && !contract)
		return;
	finding->operation = operation + 1;
#pragma clang loop unroll(disable)
	for (u32 i = 0; i < Z3T_HELD; i++) {
		struct z3t_held *held = &task->held[i & (Z3T_HELD - 1)];

		if (i >= holding)
			break;
		if (held->state != Z3T_HOLDING || held->since < frame->start)
			continue;
		if (contract >> (held->class & (Z3T_CLASSES - 1)) & 1) {
			kept |= 1 << (held->class & (Z3T_CLASSES - 1));
			continue;
		}
		if (held->marks & Z3T_RETURNED)
			continue;
		held->marks |= Z3T_RETURNED;
		if (finding->rule) {
			/* The first one is told of, all are counted. */
			z3t_offence(cpu, Z3T_HELD_AT_RETURN, held->site + 1);
			continue;
		}
		finding->rule = Z3T_HELD_AT_RETURN;
		finding->lock = held->lock;
		finding->since = held->since;
		finding->site = held->site + 1;
		finding->class = held->class;
	}
	if (!finding->rule && contract & ~kept)
		finding->rule = Z3T_UNHELD_AT_RETURN;
}
