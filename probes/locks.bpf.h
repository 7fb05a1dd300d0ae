/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Acquire and release at the target's lock call sites: wait, hold, trylock.
 *
 * A site that takes a lock has two probes: on the call instruction (the
 * attempt; the lock is the first argument) and on the instruction after it
 * (the acquisition, or the result of a trylock).  A site that releases one has
 * a single probe on its call or tail jump.
 */

static __always_inline u32 z3t_classify(struct z3t_task *task, u64 lock, u32 rw)
{
	struct z3t_config *config;

	config = z3t_config();
	if (!config)
		return 0;
#pragma clang loop unroll(disable)
	for (int i = 0; i < Z3T_RULES; i++) {
		struct z3t_rule *rule = &config->rules[i];
		u32 kind = rule->kind;
		u64 base = lock - rule->offset;

		if (kind == Z3T_RULE_NONE)
			return 0;
		if (kind == Z3T_RULE_RWLOCK) {
			if (rw != Z3T_SPIN)
				return rule->class;
		} else if (kind == Z3T_RULE_PAGE) {
			if (!(base & 4095))
				return rule->class;
		} else if (base == task->pool || base == config->pools[0] ||
			   base == config->pools[1] ||
			   base == config->pools[2] ||
			   base == config->pools[3]) {
			return rule->class;
		}
	}
	return 0;
}

static __always_inline struct z3t_frame *z3t_top_frame(struct z3t_task *task)
{
	return &task->frames[task->depth & Z3T_DEPTH];
}

static __always_inline int z3t_attempt(struct pt_regs *ctx, int is_try,
				       enum z3t_program program)
{
	struct z3t_place *place = z3t_place(ctx);
	struct z3t_cpu *cpu = z3t_this_cpu();
	struct z3t_task *task;
	struct z3t_held *held;
	u32 word = 0;
	u32 top;

	if (!cpu || !place)
		return 0;
	cpu->programs[program]++;
	task = z3t_this_task(cpu);
	if (!task)
		return 0;
	top = task->holding;
	if (top >= Z3T_HELD) {
		z3t_count(cpu, Z3T_HELD_OVERFLOW);
		return 0;
	}
	z3t_top_frame(task)->events++;
	held = &task->held[top & (Z3T_HELD - 1)];
	held->lock = PT_REGS_PARM1(ctx);
	held->site = place->call - 1;
	held->state = Z3T_WAITING;
	held->contended = 0;
	/* The lock word tells whether the lock is taken at this moment, also
	 * for the first waiter of a queued spinlock, which never queues.  A
	 * reader is stopped by writers only: the low nine bits. */
	if (!is_try) {
		bpf_probe_read_kernel(&word, sizeof(word), (void *)held->lock);
		if (place->call_rw == Z3T_READ)
			word &= 0x1ff;
		held->contended = word != 0;
	}
	task->holding = top + 1;
	held->since = bpf_ktime_get_ns();
	return 0;
}

static __always_inline int on_lock_attempt(struct pt_regs *ctx)
{
	return z3t_attempt(ctx, 0, Z3T_RAN_ATTEMPT);
}

static __always_inline int on_trylock_attempt(struct pt_regs *ctx)
{
	return z3t_attempt(ctx, 1, Z3T_RAN_TRYLOCK_ATTEMPT);
}

static __always_inline void z3t_acquired(struct z3t_cpu *cpu,
					 struct z3t_task *task,
					 struct z3t_held *held, u32 rw,
					 u64 wait, u64 now)
{
	u64 class = z3t_classify(task, held->lock, rw);
	struct z3t_site *site = z3t_site(cpu, held->site);

	barrier_var(class);
	if (class >= Z3T_CLASSES || !site)
		return;
	site->acquisitions++;
	site->contended += held->contended;
	site->wait_sum += wait;
	if (wait > site->wait_max)
		site->wait_max = wait;
	site->classes |= 1ULL << class;
	cpu->classes[class].acquisitions++;
	cpu->classes[class].contended += held->contended;
	z3t_top_frame(task)->wait += wait;
	z3t_record(cpu, Z3T_WAIT(class), wait);
	held->class = class;
	held->state = Z3T_HOLDING;
	held->since = now;
}

/* The newest entry in *state* that matches, newest first: nearly always the top
 * one, and only then is there no loop. */
static __always_inline struct z3t_held *z3t_find(struct z3t_task *task,
						 u8 state, u64 lock, u32 site)
{
	u32 at = (task->holding - 1) & (Z3T_HELD - 1);
	struct z3t_held *held = &task->held[at];

#pragma clang loop unroll(disable)
	for (int i = 0; i < Z3T_HELD; i++) {
		if (held->state == state &&
		    (state == Z3T_WAITING ? held->site == site
					  : held->lock == lock))
			return held;
		at = (at - 1) & (Z3T_HELD - 1);
		held = &task->held[at];
	}
	return 0;
}

/* The newest entry takes the released one's place. */
static __always_inline void z3t_forget(struct z3t_task *task,
				       struct z3t_held *held)
{
	u32 top = task->holding - 1;
	struct z3t_held *newest = &task->held[top & (Z3T_HELD - 1)];

	if (held != newest)
		*held = *newest;
	newest->state = Z3T_FREE;
	task->holding = top;
}

static __always_inline int on_lock_acquired(struct pt_regs *ctx)
{
	u64 now = bpf_ktime_get_ns();
	struct z3t_place *place = z3t_place(ctx);
	struct z3t_cpu *cpu = z3t_this_cpu();
	struct z3t_task *task;
	struct z3t_held *held;

	if (!cpu || !place)
		return 0;
	cpu->programs[Z3T_RAN_ACQUIRED]++;
	task = z3t_this_task(cpu);
	if (!task)
		return 0;
	z3t_top_frame(task)->events++;
	held = z3t_find(task, Z3T_WAITING, 0, place->after - 1);
	if (!held) {
		z3t_count(cpu, Z3T_JOINED);
		return 0;
	}
	z3t_acquired(cpu, task, held, place->after_rw, now - held->since, now);
	return 0;
}

/* A failed attempt opens a wait that lasts until this thread gets that lock;
 * a failure elsewhere opens another one. */
static __always_inline void z3t_try_failed(struct z3t_cpu *cpu,
					   struct z3t_task *task,
					   struct z3t_held *held, u32 rw)
{
	u64 lock = held->lock;
	struct z3t_site *site;
	u64 class;

	if (z3t_find(task, Z3T_HOLDING, lock, 0)) {
		z3t_count(cpu, Z3T_SELF_TRY);
		return;
	}
	class = z3t_classify(task, lock, rw);
	barrier_var(class);
	site = z3t_site(cpu, held->site);
	if (class >= Z3T_CLASSES || !site)
		return;
	cpu->classes[class].trylock_failures++;
	site->trylock_failures++;
	site->classes |= 1ULL << class;
	if (task->spin_lock != lock) {
		task->spin_lock = lock;
		task->spin_since = held->since;
	}
}

static __always_inline int on_trylock_result(struct pt_regs *ctx)
{
	u64 now = bpf_ktime_get_ns();
	struct z3t_place *place = z3t_place(ctx);
	struct z3t_cpu *cpu = z3t_this_cpu();
	struct z3t_task *task;
	struct z3t_held *held;
	u64 since;

	if (!cpu || !place)
		return 0;
	cpu->programs[Z3T_RAN_TRYLOCK_RESULT]++;
	task = z3t_this_task(cpu);
	if (!task)
		return 0;
	z3t_top_frame(task)->events++;
	held = z3t_find(task, Z3T_WAITING, 0, place->after - 1);
	if (!held) {
		z3t_count(cpu, Z3T_JOINED);
		return 0;
	}
	if (!(u32)PT_REGS_RC(ctx)) {
		z3t_try_failed(cpu, task, held, place->after_rw);
		z3t_forget(task, held);
		return 0;
	}
	since = held->since;
	if (task->spin_lock == held->lock) {
		since = task->spin_since;
		held->contended = 1;
		task->spin_lock = 0;
	}
	z3t_acquired(cpu, task, held, place->after_rw, now - since, now);
	return 0;
}

static __always_inline int on_lock_release(struct pt_regs *ctx)
{
	u64 now = bpf_ktime_get_ns();
	struct z3t_place *place = z3t_place(ctx);
	struct z3t_cpu *cpu = z3t_this_cpu();
	struct z3t_task *task;
	struct z3t_held *held;
	struct z3t_site *site;
	u64 class;
	u64 hold;

	if (!cpu || !place)
		return 0;
	cpu->programs[Z3T_RAN_RELEASE]++;
	task = z3t_this_task(cpu);
	if (!task)
		return 0;
	z3t_top_frame(task)->events++;
	site = z3t_site(cpu, place->call - 1);
	if (site)
		site->releases++;
	held = z3t_find(task, Z3T_HOLDING, PT_REGS_PARM1(ctx), 0);
	if (!held) {
		z3t_count(cpu, Z3T_UNMATCHED_RELEASE);
		return 0;
	}
	site = z3t_site(cpu, held->site);
	class = held->class;
	barrier_var(class);
	if (class >= Z3T_CLASSES || !site)
		return 0;
	hold = now - held->since;
	site->hold_sum += hold;
	if (hold > site->hold_max)
		site->hold_max = hold;
	cpu->classes[class].releases++;
	z3t_top_frame(task)->hold += hold;
	z3t_record(cpu, Z3T_HOLD(class), hold);
	z3t_forget(task, held);
	return 0;
}
