/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rules of lock discipline, judged at the lock events of a recording.
 *
 * Nothing is judged before all probes are in place: a lock that was taken
 * before would look as if it had not been.
 */

/* What was found at one event; reported at its end, so that the report is in
 * each program once. */
struct z3t_finding {
	u64 lock;
	u64 since;
	u64 value;
	u32 rule;
	u32 site;
	u32 other;
	u32 other_task;
	u32 class;
	u32 other_class;
	u32 operation;
};

#define Z3T_JUDGES 1
#define Z3T_SETTLING 1000000000ULL /* ns until old locks are released */
/* On the console: where a line says which it is, and a step that is not there.
 */
#define Z3T_PART 9
#define Z3T_LONG_AGO 0xfffffffffffULL

static long (*z3t_trace_vprintk)(const char *format, u32 size, const void *data,
				 u32 length) = (void *)177;

static __always_inline void z3t_offence(u32 cpu, u32 rule, u32 site)
{
	struct z3t_offences *offences = z3t_offences_at(cpu, rule, site);

	if (offences)
		offences->count++;
}

/* Three lines on the console, which a guest's host reads while the guest hangs:
 * the incident, and the steps before it in two halves.  All have ten words. */
static __always_inline void z3t_print(const struct z3t_incident *incident)
{
	char format[] = "z3t-check0 %llx %llx %llx %llx %llx %llx %llx %llx "
			"%llx %llx\n";
	u64 words[10];

	words[0] = (u64)incident->rule << 32 | incident->cpu;
	words[1] = incident->time;
	words[2] = incident->lock;
	words[3] = incident->since;
	words[4] = incident->value;
	words[5] = (u64)incident->task << 32 | incident->other_task;
	words[6] = (u64)incident->site << 32 | incident->other;
	words[7] = (u64)incident->class << 32 | incident->other_class << 16 |
		   incident->operation;
	words[8] = *(u64 *)incident->name;
	words[9] = *(u64 *)(incident->name + 8);
	z3t_trace_vprintk(format, sizeof(format), words, sizeof(words));
	for (int i = 0; i < Z3T_STEPS; i++)
		words[2 + i] = incident->steps[i].lock;
	words[0] = (u64)incident->cpu << 32 | incident->next;
	format[Z3T_PART]++;
	z3t_trace_vprintk(format, sizeof(format), words, sizeof(words));
	for (int i = 0; i < Z3T_STEPS; i++) {
		const struct z3t_step *step = &incident->steps[i];
		u64 ago = incident->time - step->time;

		if (ago >> 44 || !step->time)
			ago = Z3T_LONG_AGO;
		words[2 + i] = ago << 20 | (step->site & 0x3ffff) << 2 |
			       (step->kind & 3);
	}
	format[Z3T_PART]++;
	z3t_trace_vprintk(format, sizeof(format), words, sizeof(words));
}

static __always_inline void z3t_fill(struct z3t_incident *incident,
				     const struct z3t_finding *found)
{
	struct z3t_trail *trail = z3t_trail_at(z3t_slot());

	incident->time = bpf_ktime_get_ns();
	incident->lock = found->lock;
	incident->since = found->since;
	incident->value = found->value;
	incident->rule = found->rule;
	incident->task = (u32)bpf_get_current_pid_tgid();
	incident->other_task = found->other_task;
	incident->cpu = bpf_get_smp_processor_id();
	incident->site = found->site;
	incident->other = found->other;
	incident->class = found->class;
	incident->other_class = found->other_class;
	incident->operation = found->operation;
	bpf_get_current_comm(incident->name, sizeof(incident->name));
	if (!trail)
		return;
	incident->next = trail->next;
	for (int i = 0; i < Z3T_STEPS; i++)
		incident->steps[i] = trail->steps[i];
}

static __always_inline void z3t_report(const struct z3t_finding *found)
{
	struct z3t_rulebook *book = z3t_rulebook();
	struct z3t_checker *checker = z3t_checker();
	u32 cpu = bpf_get_smp_processor_id();
	struct z3t_incident *incident;
	struct z3t_offences *offences;

	if (!found->rule || !book || !checker || !book->armed ||
	    !(book->judged >> found->rule & 1))
		return;
	offences = z3t_offences_at(cpu, found->rule, found->site);
	if (!offences)
		return;
	offences->count++;
	if (offences->told >= Z3T_IN_FULL ||
	    checker->incidents >= Z3T_INCIDENTS)
		return;
	offences->told++;
	incident = z3t_incident_at(cpu, checker->incidents);
	if (!incident)
		return;
	z3t_fill(incident, found);
	checker->incidents++;
	if (book->console)
		z3t_print(incident);
}

/* One probe can end one call and begin another: of two findings the second is
 * counted only. */
static __always_inline void z3t_report_one(const struct z3t_finding *first,
					   const struct z3t_finding *second)
{
	if (first->rule && second->rule)
		z3t_offence(bpf_get_smp_processor_id(), second->rule,
			    second->site);
	z3t_report(first->rule ? first : second);
}

static __always_inline u32 z3t_operation_of(struct z3t_task *task)
{
	return task->depth ? z3t_top_frame(task)->operation + 1 : 0;
}

static __always_inline void z3t_step(u64 time, u64 lock, u32 site, u32 kind)
{
	struct z3t_trail *trail = z3t_trail_at(z3t_slot());
	struct z3t_step *step;

	if (!trail)
		return;
	step = &trail->steps[trail->next & (Z3T_STEPS - 1)];
	trail->next++;
	step->time = time;
	step->lock = lock;
	step->site = site;
	step->kind = kind;
}

static __always_inline void z3t_check_edge(struct z3t_finding *found,
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
	if (!order || !order->inner || found->rule)
		return;
	found->rule = Z3T_ORDER_INVERSION;
	found->site = site + 1;
	found->other = outer->site + 1;
	found->class = class;
	found->other_class = below;
	found->since = outer->since;
	found->value = (u64)order->outer << 32 | order->inner;
}

/* Before the task asks for *lock*, which may be for ever. */
static __always_inline void z3t_check_attempt(struct z3t_finding *found,
					      struct z3t_task *task, u64 now,
					      u64 lock, u32 site, u32 flags)
{
	u32 holding = task->holding;
	u64 class;

	z3t_step(now, lock, site, Z3T_ATTEMPT);
	if (!holding || flags & Z3T_TRY)
		return;
	class = z3t_classify(task, lock, flags & Z3T_RW_MASK);
	found->lock = lock;
	found->operation = z3t_operation_of(task);
#pragma clang loop unroll(disable)
	for (u32 i = 0; i < Z3T_HELD; i++) {
		struct z3t_held *held = &task->held[i & (Z3T_HELD - 1)];

		if (i >= holding)
			break;
		if (held->state != Z3T_HOLDING)
			continue;
		if (held->lock != lock) {
			z3t_check_edge(found, held, class, site);
		} else if (!(held->marks & Z3T_READER) ||
			   (flags & Z3T_RW_MASK) != Z3T_READ) {
			found->rule = Z3T_DOUBLE_ACQUIRE;
			found->site = site + 1;
			found->other = held->site + 1;
			found->class = class;
			found->since = held->since;
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
static __always_inline void z3t_check_release(struct z3t_finding *found,
					      struct z3t_task *task,
					      struct z3t_held *held, u64 now,
					      u64 lock, u32 site, u32 flags)
{
	struct z3t_rulebook *book = z3t_rulebook();
	struct z3t_owner *owner = z3t_owner_at(lock);

	z3t_step(now, lock, site, Z3T_RELEASED);
	if (!owner || !book)
		return;
	found->lock = lock;
	found->operation = z3t_operation_of(task);
	if (held) {
		if (owner->lock == lock)
			owner->lock = 0;
		if (held != &task->held[(task->holding - 1) & (Z3T_HELD - 1)])
			z3t_crossed();
		if (now - held->since < book->long_hold)
			return;
		found->rule = Z3T_LONG_HOLD;
		found->site = held->site + 1;
		found->other = site + 1;
		found->class = held->class;
		found->since = held->since;
		found->value = now - held->since;
		return;
	}
	if (owner->lock == lock && owner->task != task->owner - 1) {
		found->rule = Z3T_FOREIGN_RELEASE;
		found->other = owner->site;
		found->other_task = owner->task;
		found->since = owner->since;
	} else if (task->depth || now >= book->armed + Z3T_SETTLING) {
		found->rule = Z3T_RELEASE_UNHELD;
	}
	found->site = site + 1;
	found->class = z3t_classify(task, lock, flags & Z3T_RW_MASK);
}

/* An operation is about to be left. */
static __always_inline void z3t_check_leave(struct z3t_finding *found,
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
	found->operation = operation + 1;
#pragma clang loop unroll(disable)
	for (u32 i = 0; i < Z3T_HELD; i++) {
		struct z3t_held *held = &task->held[i & (Z3T_HELD - 1)];

		if (i >= holding)
			break;
		if (held->state != Z3T_HOLDING || held->since < frame->start)
			continue;
		if (contract >> (held->class & 7) & 1) {
			kept |= 1 << (held->class & 7);
			continue;
		}
		if (held->marks & Z3T_RETURNED)
			continue;
		held->marks |= Z3T_RETURNED;
		if (found->rule) {
			/* The first one is told of, all are counted. */
			z3t_offence(cpu, Z3T_HELD_AT_RETURN, held->site + 1);
			continue;
		}
		found->rule = Z3T_HELD_AT_RETURN;
		found->lock = held->lock;
		found->since = held->since;
		found->site = held->site + 1;
		found->class = held->class;
	}
	if (!found->rule && contract & ~kept)
		found->rule = Z3T_UNHELD_AT_RETURN;
}

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
