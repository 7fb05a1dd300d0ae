/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Acquire and release at the target's lock call sites: wait, hold, trylock.
 *
 * A site that takes a lock has two events: before its call (the attempt) and
 * after it (the acquisition, or the result of a trylock).  A site that releases
 * one has one, before its call or tail jump.  A probe stands for the event
 * after one call, for the event before another, or for both.
 *
 * Where waits are seen in the slow paths, the attempt tells the lock's address
 * only, and is left out where the acquisition tells that too.
 *
 * A hold is recorded from the last act of one program to the first of another:
 * what the programs do in between is then in no hold, though the lock is held
 * for it.
 */

/* Of a queued rwlock: a writer has it or waits for it (_QW_WMASK). */
#define Z3T_WRITER_MASK 0x1ff

/* The lock word tells whether the lock is taken at this moment, also for the
 * first waiter of a queued spinlock, which never queues.  A reader is stopped
 * by writers only. */
static __always_inline int z3t_is_taken(u64 lock, u32 rw)
{
	u32 word = 0;

	bpf_probe_read_kernel(&word, sizeof(word), (void *)lock);
	return rw == Z3T_READ ? (word & Z3T_WRITER_MASK) != 0 : word != 0;
}

static __always_inline void z3t_attempt(struct z3t_finding *finding,
					struct z3t_task *task, u64 now,
					u64 lock, u32 site, u32 flags,
					u32 place)
{
	struct z3t_config *config = z3t_config();
	struct z3t_held *held;

	z3t_check_attempt(finding, task, now, lock, site, flags);
	held = z3t_ask(task, lock, site, flags, place);
	if (!held || !config)
		return;
	if (config->slow_paths) {
		held->since = now;
		return;
	}
	if (!(flags & Z3T_TRY))
		held->contended = z3t_is_taken(lock, flags & Z3T_RW_MASK);
	held->since = bpf_ktime_get_ns();
}

/* The entry below is the newest lock that was held already. */
static __always_inline void z3t_note_nesting(struct z3t_cpu *cpu,
					     struct z3t_task *task, u32 class)
{
	u32 below = task->holding - 2;
	struct z3t_held *outer = &task->held[below & (Z3T_HELD - 1)];
	u32 pair = outer->class * Z3T_CLASSES + class;

	if (task->holding >= 2 && outer->state == Z3T_HOLDING &&
	    pair < Z3T_CLASSES * Z3T_CLASSES)
		cpu->nesting[pair]++;
}

/* The entry of a lock that the task has acquired.  If it holds that lock still,
 * by what was seen of it, the release was not: the older hold is forgotten.
 * Readers of a lock may hold it twice. */
static __always_inline struct z3t_held *
z3t_only_hold(struct z3t_task *task, struct z3t_held *held, u32 rw)
{
	struct z3t_held *older;

	if (Z3T_JUDGES || task->holding < 2 || rw == Z3T_READ)
		return held;
	older = z3t_find(task, Z3T_HOLDING, held->lock, 0);
	if (!older)
		return held;
	z3t_count(Z3T_UNSEEN_RELEASE);
	z3t_forget(task, older);
	return older;
}

static __always_inline void z3t_acquired(struct z3t_cpu *cpu,
					 struct z3t_task *task,
					 struct z3t_held *held, u64 class,
					 u32 rw, u64 wait, u64 now)
{
	struct z3t_site *site = z3t_site(cpu, held->site);

	z3t_bound(class, Z3T_CLASSES);
	if (!site)
		return;
	site->acquisitions++;
	site->classes |= 1ULL << class;
	cpu->classes[class].acquisitions++;
	z3t_note_nesting(cpu, task, class);
	if (task->holding == 1)
		task->locked_since = now;
	/* Acquisitions without a wait are those that are in no histogram. */
	if (wait) {
		site->contended += held->contended;
		site->wait_sum += wait;
		if (wait > site->wait_max)
			site->wait_max = wait;
		cpu->classes[class].contended += held->contended;
		z3t_top_frame(task)->wait += wait;
		z3t_record(cpu, Z3T_WAIT(class), wait);
	}
	held->class = class;
	held->state = Z3T_HOLDING;
	held->since = now;
	z3t_check_acquired(task, held, rw);
}

/* Whether a trylock of this lock failed before, and the task has tried since.
 * Where no entry of an operation is seen, which ends such a wait, it must have
 * been at the same call site. */
static __always_inline int z3t_is_retry(const struct z3t_task *task,
					const struct z3t_held *held)
{
	struct z3t_config *config = z3t_config();

	return task->spin_lock == held->lock &&
	       (Z3T_JUDGES || !config || !config->only ||
		task->spin_site == held->site);
}

/* A failed attempt opens a wait that lasts until this thread gets that lock;
 * a failure elsewhere opens another one. */
static __always_inline void z3t_try_failed(struct z3t_cpu *cpu,
					   struct z3t_task *task,
					   struct z3t_held *held, u64 class)
{
	struct z3t_site *site = z3t_site(cpu, held->site);
	u64 lock = held->lock;

	z3t_bound(class, Z3T_CLASSES);
	if (!site)
		return;
	site->classes |= 1ULL << class;
	if (z3t_find(task, Z3T_HOLDING, lock, 0)) {
		z3t_count(Z3T_SELF_TRY);
		return;
	}
	cpu->classes[class].trylock_failures++;
	site->trylock_failures++;
	if (!z3t_is_retry(task, held)) {
		task->spin_lock = lock;
		task->spin_site = held->site;
		task->spin_since = held->since;
		task->spin_locked = z3t_locked(task, held->since);
		task->spin_waited = z3t_top_frame(task)->wait;
	}
}

/* A pool has the lock of a run's only class at a known offset. */
static __always_inline void z3t_tell_pool(struct z3t_task *task, u64 lock,
					  u32 flags)
{
	struct z3t_config *config = z3t_config();
	u64 pool;

	if (Z3T_JUDGES || !config || !config->told ||
	    !(flags >> Z3T_CLASS_SHIFT))
		return;
	pool = lock - (config->told - 1);
	if (task->pool != pool)
		z3t_note_pool(task, pool);
}

/* The call is over that *held* was asked for by; *result* counts for a trylock
 * only.  Whether it acquired a lock that counts. */
static __always_inline int z3t_over(struct z3t_cpu *cpu, struct z3t_task *task,
				    struct z3t_held *held, u64 now, u32 flags,
				    u32 cost, u32 result)
{
	struct z3t_config *config = z3t_config();
	u32 class = z3t_class_of(task, held->lock, flags);
	u64 overlap;
	u64 since;

	if (z3t_is_other(class)) {
		z3t_forget(task, held);
		return 0;
	}
	z3t_tell_pool(task, held->lock, flags);
	if ((flags & Z3T_TRY) && !result) {
		z3t_check_failed(task, now, held->lock, held->site);
		z3t_try_failed(cpu, task, held, class);
		z3t_forget(task, held);
		return 0;
	}
	held = z3t_only_hold(task, held, flags & Z3T_RW_MASK);
	since = held->since;
	if (config && config->slow_paths) {
		since = flags & Z3T_TRY
				? now
				: z3t_waited_since(cpu, task, held->lock, now);
		held->contended = since != now;
	}
	/* An operation's hold is the span with any lock held, less the waits in
	 * it: wait, hold and the rest are then the whole of its latency.  A
	 * wait by trylock may have begun in an earlier span, and has the waits
	 * for other locks since then in it. */
	overlap = task->holding > 1 ? now - since : 0;
	if (z3t_is_retry(task, held)) {
		since = task->spin_since;
		overlap = z3t_locked(task, now) - task->spin_locked;
		z3t_top_frame(task)->wait = task->spin_waited;
		held->contended = 1;
		task->spin_lock = 0;
	} else if (!Z3T_JUDGES && config && config->only) {
		/* It has given up, and took another lock or from elsewhere. */
		task->spin_lock = 0;
	}
	if (z3t_is_torn(now - since)) {
		z3t_forget(task, held);
		return 0;
	}
	z3t_top_frame(task)->hold -= overlap;
	held->cost = task->cost + cost;
	z3t_acquired(cpu, task, held, class, flags & Z3T_RW_MASK, now - since,
		     now);
	return 1;
}

/* The last act of a program that saw an acquisition: the hold is from here on.
 * It may be over already, for one probe can see an acquisition and a release.
 */
static __always_inline void z3t_hold_begins(struct z3t_task *task, u64 lock,
					    u64 acquired)
{
	struct z3t_held *held = z3t_find(task, Z3T_HOLDING, lock, 0);

	if (held && held->since == acquired)
		held->since = bpf_ktime_get_ns();
}

/* The entry of the attempt at *site*, whose call is over. */
static __always_inline struct z3t_held *z3t_attempted(struct z3t_task *task,
						      u32 site)
{
	struct z3t_held *held = z3t_find(task, Z3T_WAITING, 0, site);

	if (!held)
		z3t_count(Z3T_JOINED);
	return held;
}

static __always_inline void z3t_release(struct z3t_finding *finding,
					struct z3t_cpu *cpu,
					struct z3t_task *task, u64 now,
					u64 lock, u32 number, u32 flags)
{
	struct z3t_held *held = z3t_find(task, Z3T_HOLDING, lock, 0);
	struct z3t_site *site = z3t_site(cpu, number);
	u64 class;
	u64 hold;

	class = held ? held->class : z3t_class_of(task, lock, flags);
	if (!held && z3t_is_other(class))
		return;
	z3t_bound(class, Z3T_CLASSES);
	if (site) {
		site->releases++;
		site->classes |= 1ULL << class;
	}
	z3t_check_release(finding, task, held, now, lock, number, flags);
	if (!held) {
		z3t_count(Z3T_UNMATCHED_RELEASE);
		return;
	}
	site = z3t_site(cpu, held->site);
	if (!site)
		return;
	hold = now - held->since;
	if (z3t_is_torn(hold)) {
		z3t_forget(task, held);
		return;
	}
	site->hold_sum += hold;
	if (hold > site->hold_max)
		site->hold_max = hold;
	cpu->classes[class].releases++;
	if (task->cost == held->cost)
		z3t_record(cpu, Z3T_HOLD(class), hold);
	else
		z3t_record_disturbed(cpu, Z3T_DISTURBED_HOLD(class), hold,
				     task->cost - held->cost, cpu->floors.hold);
	z3t_forget(task, held);
	if (!task->holding)
		z3t_top_frame(task)->hold += z3t_span(task, now);
}

/* The end of a call: the entry of its lock, made now if its attempt has no
 * event. */
static __always_inline struct z3t_held *
z3t_ended(struct z3t_finding *finding, struct pt_regs *ctx,
	  const struct z3t_place *place, struct z3t_task *task, u64 now)
{
	u32 site = place->after - 1;
	struct z3t_held *held;
	u64 lock;

	if (!(place->marks & Z3T_KEPT))
		return z3t_attempted(task, site);
	/* The slow path made the entry if there was a wait. */
	held = Z3T_JUDGES ? z3t_find(task, Z3T_WAITING, 0, site) : 0;
	if (held)
		return held;
	lock = z3t_register(ctx, place->kept_reg) + place->kept_offset;
	z3t_check_attempt(finding, task, now, lock, site, place->after_flags);
	held = z3t_ask(task, lock, site, place->after_flags, 0);
	if (held)
		held->since = now;
	return held;
}

static __always_inline int on_lock(struct pt_regs *ctx)
{
	u64 now = bpf_ktime_get_ns();
	struct z3t_place *place = z3t_place(PT_REGS_IP(ctx) - 1);
	struct z3t_cpu *cpu = z3t_this_cpu();
	struct z3t_config *config = z3t_config();
	struct z3t_finding *ended = z3t_new_finding(0);
	struct z3t_finding *finding = z3t_new_finding(1);
	struct z3t_held *held;
	struct z3t_task *task;
	u64 acquired = 0;

	if (!cpu || !place || !config || (Z3T_JUDGES && !(ended && finding)))
		return 0;
	cpu->programs[Z3T_RAN_LOCK]++;
	task = z3t_this_task();
	if (!task || (config->filtered && !task->depth))
		return 0;
	task->events++;
	if (place->after) {
		held = z3t_ended(ended, ctx, place, task, now);
		if (held) {
			acquired = held->lock;
			if (!z3t_over(cpu, task, held, now, place->after_flags,
				      place->cost, PT_REGS_RC(ctx)))
				acquired = 0;
		}
	}
	if (place->call) {
		u64 lock = z3t_register(ctx, place->reg) + place->offset;

		if (place->call_flags & Z3T_RELEASE)
			z3t_release(finding, cpu, task, now, lock,
				    place->call - 1, place->call_flags);
		else
			z3t_attempt(finding, task, now, lock, place->call - 1,
				    place->call_flags, place->marks);
	}
	z3t_report_one(ended, finding);
	task->cost += place->cost;
	task->newest = now;
	if (acquired)
		z3t_hold_begins(task, acquired, now);
	return 0;
}
