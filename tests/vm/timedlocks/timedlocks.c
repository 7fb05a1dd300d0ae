// SPDX-License-Identifier: GPL-2.0-only
/*
 * Takes locks in known ways: a timed build of this is held against what it
 * counts and measures itself. A scenario's name is written to the parameter
 * "run"; "wrong" counts states of interrupts and preemption that are not as
 * the kernel's own lock functions leave them.
 */
#include <linux/bit_spinlock.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>

#define TIMES 23
#define HOLD_US 200
#define WAIT_US 4000
#define MANY 40

struct own_locks {
	spinlock_t spin;
	raw_spinlock_t raw;
	rwlock_t rw;
	struct mutex mutex;
	struct rw_semaphore sem;
	unsigned long word;
	spinlock_t inner;
	raw_spinlock_t hard;
	spinlock_t soft;
	spinlock_t many[MANY];
};

static struct own_locks locks;
static unsigned int wrong;
module_param(wrong, uint, 0444);
static unsigned long truth_ns;
module_param(truth_ns, ulong, 0444);
static bool fail;
module_param(fail, bool, 0444);

static void expect(bool irqs_off, bool bh_off)
{
	wrong += irqs_disabled() != irqs_off || !!in_softirq() != bh_off;
}

/* The state before, and after all, is this one. */
static void expect_nothing(void)
{
	expect(false, false);
	wrong += preempt_count() != 0;
}

#define EACH(take, release, irqs_off, bh_off)                                  \
	do {                                                                   \
		int n;                                                         \
                                                                               \
		for (n = 0; n < TIMES; n++) {                                  \
			take;                                                  \
			expect(irqs_off, bh_off);                              \
			release;                                               \
			expect_nothing();                                      \
		}                                                              \
	} while (0)

#define MUST(taken)                                                            \
	do {                                                                   \
		if (!(taken))                                                  \
			wrong++;                                               \
	} while (0)

static void forms_spin(struct own_locks *own)
{
	unsigned long flags;

	EACH(spin_lock(&own->spin), spin_unlock(&own->spin), false, false);
	EACH(spin_lock_nested(&own->spin, 1), spin_unlock(&own->spin), false,
	     false);
	EACH(spin_lock_bh(&own->spin), spin_unlock_bh(&own->spin), false, true);
	EACH(spin_lock_irq(&own->spin), spin_unlock_irq(&own->spin), true,
	     false);
	EACH(spin_lock_irqsave(&own->spin, flags),
	     spin_unlock_irqrestore(&own->spin, flags), true, false);
	EACH(spin_lock_irqsave_nested(&own->spin, flags, 1),
	     spin_unlock_irqrestore(&own->spin, flags), true, false);
	EACH(MUST(spin_trylock(&own->spin)), spin_unlock(&own->spin), false,
	     false);
	EACH(MUST(spin_trylock_bh(&own->spin)), spin_unlock_bh(&own->spin),
	     false, true);
	EACH(MUST(spin_trylock_irq(&own->spin)), spin_unlock_irq(&own->spin),
	     true, false);
	EACH(MUST(spin_trylock_irqsave(&own->spin, flags)),
	     spin_unlock_irqrestore(&own->spin, flags), true, false);
}

static void forms_raw(struct own_locks *own)
{
	unsigned long flags;

	EACH(raw_spin_lock(&own->raw), raw_spin_unlock(&own->raw), false,
	     false);
	EACH(raw_spin_lock_bh(&own->raw), raw_spin_unlock_bh(&own->raw), false,
	     true);
	EACH(raw_spin_lock_irq(&own->raw), raw_spin_unlock_irq(&own->raw), true,
	     false);
	EACH(raw_spin_lock_irqsave(&own->raw, flags),
	     raw_spin_unlock_irqrestore(&own->raw, flags), true, false);
	EACH(MUST(raw_spin_trylock(&own->raw)), raw_spin_unlock(&own->raw),
	     false, false);
	EACH(MUST(raw_spin_trylock_irqsave(&own->raw, flags)),
	     raw_spin_unlock_irqrestore(&own->raw, flags), true, false);
}

static void forms_rw(struct own_locks *own)
{
	unsigned long flags;

	EACH(read_lock(&own->rw), read_unlock(&own->rw), false, false);
	EACH(read_lock_bh(&own->rw), read_unlock_bh(&own->rw), false, true);
	EACH(read_lock_irq(&own->rw), read_unlock_irq(&own->rw), true, false);
	EACH(read_lock_irqsave(&own->rw, flags),
	     read_unlock_irqrestore(&own->rw, flags), true, false);
	EACH(MUST(read_trylock(&own->rw)), read_unlock(&own->rw), false, false);
	EACH(write_lock(&own->rw), write_unlock(&own->rw), false, false);
	EACH(write_lock_bh(&own->rw), write_unlock_bh(&own->rw), false, true);
	EACH(write_lock_irq(&own->rw), write_unlock_irq(&own->rw), true, false);
	EACH(write_lock_irqsave(&own->rw, flags),
	     write_unlock_irqrestore(&own->rw, flags), true, false);
	EACH(MUST(write_trylock(&own->rw)), write_unlock(&own->rw), false,
	     false);
	EACH(MUST(write_trylock_irqsave(&own->rw, flags)),
	     write_unlock_irqrestore(&own->rw, flags), true, false);
}

static void forms_sleeping(struct own_locks *own)
{
	EACH(mutex_lock(&own->mutex), mutex_unlock(&own->mutex), false, false);
	EACH(mutex_lock_nested(&own->mutex, 1), mutex_unlock(&own->mutex),
	     false, false);
	EACH(MUST(!mutex_lock_interruptible(&own->mutex)),
	     mutex_unlock(&own->mutex), false, false);
	EACH(MUST(!mutex_lock_killable(&own->mutex)), mutex_unlock(&own->mutex),
	     false, false);
	EACH(MUST(mutex_trylock(&own->mutex)), mutex_unlock(&own->mutex), false,
	     false);
	EACH(down_read(&own->sem), up_read(&own->sem), false, false);
	EACH(MUST(!down_read_interruptible(&own->sem)), up_read(&own->sem),
	     false, false);
	EACH(MUST(!down_read_killable(&own->sem)), up_read(&own->sem), false,
	     false);
	EACH(MUST(down_read_trylock(&own->sem)), up_read(&own->sem), false,
	     false);
	EACH(down_write(&own->sem), up_write(&own->sem), false, false);
	EACH(down_write_nested(&own->sem, 1), up_write(&own->sem), false,
	     false);
	EACH(MUST(!down_write_killable(&own->sem)), up_write(&own->sem), false,
	     false);
	EACH(MUST(down_write_trylock(&own->sem)), up_write(&own->sem), false,
	     false);
}

static void forms_bit(struct own_locks *own)
{
	EACH(bit_spin_lock(3, &own->word), bit_spin_unlock(3, &own->word),
	     false, false);
	EACH(MUST(bit_spin_trylock(4, &own->word)),
	     __bit_spin_unlock(4, &own->word), false, false);
}

static void forms(struct own_locks *own)
{
	forms_spin(own);
	forms_raw(own);
	forms_rw(own);
	forms_sleeping(own);
	forms_bit(own);
}

/* A hold of a write, then one of a read. */
static void downgrade(struct own_locks *own)
{
	EACH(down_write(&own->sem);
	     downgrade_write(&own->sem), up_read(&own->sem), false, false);
}

/* By the clock: udelay() counts on the kernel's first estimate of an emulated
 * one, which is off by a tenth on a busy host. */
static void spend(u64 us)
{
	u64 until = ktime_get_mono_fast_ns() + us * 1000;

	while (ktime_get_mono_fast_ns() < until)
		cpu_relax();
}

#define HOLD(take, release) EACH(take; spend(HOLD_US), release, false, false)

static void holds(struct own_locks *own)
{
	HOLD(spin_lock(&own->spin), spin_unlock(&own->spin));
	HOLD(raw_spin_lock(&own->raw), raw_spin_unlock(&own->raw));
	HOLD(read_lock(&own->rw), read_unlock(&own->rw));
	HOLD(mutex_lock(&own->mutex), mutex_unlock(&own->mutex));
	HOLD(down_read(&own->sem), up_read(&own->sem));
	HOLD(bit_spin_lock(3, &own->word), bit_spin_unlock(3, &own->word));
}

/* Two locks, and the first one is released first. */
static void hand_over_hand(struct own_locks *own)
{
	int n;

	for (n = 0; n < TIMES; n++) {
		spin_lock(&own->spin);
		spin_lock(&own->inner);
		spin_unlock(&own->spin);
		spend(HOLD_US);
		spin_unlock(&own->inner);
	}
}

/* A reader takes its lock again, and a task another one in its mutex. */
static void nested(struct own_locks *own)
{
	int n;

	for (n = 0; n < TIMES; n++) {
		read_lock(&own->rw);
		read_lock(&own->rw);
		read_unlock(&own->rw);
		read_unlock(&own->rw);
		mutex_lock(&own->mutex);
		down_read(&own->sem);
		spin_lock(&own->spin);
		spin_unlock(&own->spin);
		up_read(&own->sem);
		mutex_unlock(&own->mutex);
	}
}

/* A trylock on what the task itself holds is a check, and no failure. */
static void self_tries(struct own_locks *own)
{
	int n;

	for (n = 0; n < TIMES; n++) {
		spin_lock(&own->spin);
		wrong += spin_trylock(&own->spin);
		spin_unlock(&own->spin);
		mutex_lock(&own->mutex);
		wrong += mutex_trylock(&own->mutex);
		mutex_unlock(&own->mutex);
	}
}

static void hard_interrupt(struct irq_work *unused)
{
	wrong += !in_hardirq();
	raw_spin_lock(&locks.hard);
	wrong += raw_spin_trylock(&locks.hard);
	raw_spin_unlock(&locks.hard);
}

static DEFINE_IRQ_WORK(work, hard_interrupt);

static void soft_interrupt(struct tasklet_struct *unused)
{
	wrong += !in_serving_softirq();
	spin_lock(&locks.soft);
	irq_work_queue(&work);
	spin_unlock(&locks.soft);
}

static DECLARE_TASKLET(tasklet, soft_interrupt);

/* An interrupt in a hold, and one in a softirq in a hold. */
static void interrupts(struct own_locks *own)
{
	int n;

	for (n = 0; n < TIMES; n++) {
		spin_lock(&own->spin);
		irq_work_queue(&work);
		local_bh_disable();
		tasklet_schedule(&tasklet);
		local_bh_enable();
		spin_unlock(&own->spin);
		irq_work_sync(&work);
		tasklet_unlock_wait(&tasklet);
	}
}

/* A mutex that goes with its holder to another CPU. */
static void migration(struct own_locks *own)
{
	int n;

	for (n = 0; n < TIMES; n++) {
		set_cpus_allowed_ptr(current, cpumask_of(0));
		mutex_lock(&own->mutex);
		down_read(&own->sem);
		set_cpus_allowed_ptr(current, cpumask_of(1));
		wrong += raw_smp_processor_id() != 1;
		mutex_unlock(&own->mutex);
		up_read(&own->sem);
	}
	set_cpus_allowed_ptr(current, cpu_possible_mask);
}

/* More locks at once than are kept. */
static void overflow(struct own_locks *own)
{
	int i;

	preempt_disable();
	for (i = 0; i < MANY; i++)
		spin_lock(&own->many[i]);
	for (i = 0; i < MANY; i++)
		spin_unlock(&own->many[i]);
	preempt_enable();
}

/* A release without an acquisition that is known: the kernel's own function
 * takes the lock. */
static void unmatched(struct own_locks *own)
{
	int n;

	for (n = 0; n < TIMES; n++) {
		(_raw_spin_lock)(&own->raw);
		raw_spin_unlock(&own->raw);
	}
}

/* Another thread, on CPU 1, holds all locks while this one, on CPU 0, tries. */
static struct completion held, asked;
static void (*hold_all)(bool take);
static unsigned int hold_us;
/* How often this one has begun to ask. */
static unsigned int begun;

static int holder(void *unused)
{
	int n;

	for (n = 0; n < TIMES; n++) {
		hold_all(true);
		complete(&held);
		if (hold_us) {
			while (READ_ONCE(begun) <= n)
				cpu_relax();
			mdelay(hold_us / 1000);
		} else {
			wait_for_completion(&asked);
		}
		hold_all(false);
		if (hold_us)
			wait_for_completion(&asked);
	}
	return 0;
}

/* *ask* while the other one holds, for TIMES times; its own time is the truth.
 */
static void against(void (*hold)(bool), unsigned int us,
		    void (*ask)(struct own_locks *))
{
	struct task_struct *other;
	u64 start;
	int n;

	init_completion(&held);
	init_completion(&asked);
	hold_all = hold;
	hold_us = us;
	truth_ns = 0;
	begun = 0;
	set_cpus_allowed_ptr(current, cpumask_of(0));
	other = kthread_create(holder, NULL, "timedlocks");
	if (IS_ERR(other)) {
		wrong++;
		return;
	}
	kthread_bind(other, 1);
	get_task_struct(other);
	wake_up_process(other);
	for (n = 0; n < TIMES; n++) {
		wait_for_completion(&held);
		WRITE_ONCE(begun, n + 1);
		start = ktime_get_ns();
		ask(&locks);
		truth_ns += ktime_get_ns() - start;
		complete(&asked);
	}
	kthread_stop(other);
	put_task_struct(other);
	set_cpus_allowed_ptr(current, cpu_possible_mask);
}

static void hold_sleeping(bool take)
{
	if (take) {
		mutex_lock(&locks.mutex);
		down_write(&locks.sem);
	} else {
		up_write(&locks.sem);
		mutex_unlock(&locks.mutex);
	}
}

/* While the holder spins on a completion it may sleep: not with spinlocks. */
static void hold_spin(bool take)
{
	if (take)
		spin_lock(&locks.spin);
	else
		spin_unlock(&locks.spin);
}

static void hold_write(bool take)
{
	if (take)
		write_lock(&locks.rw);
	else
		write_unlock(&locks.rw);
}

static void hold_bit(bool take)
{
	if (take)
		bit_spin_lock(3, &locks.word);
	else
		bit_spin_unlock(3, &locks.word);
}

static void fail_sleeping(struct own_locks *own)
{
	allow_signal(SIGUSR1);
	send_sig(SIGUSR1, current, 1);
	wrong += mutex_trylock(&own->mutex);
	wrong += down_read_trylock(&own->sem);
	wrong += down_write_trylock(&own->sem);
	wrong += mutex_lock_interruptible(&own->mutex) != -EINTR;
	flush_signals(current);
}

static void fail_spin(struct own_locks *own)
{
	unsigned long flags;

	wrong += spin_trylock(&own->spin);
	expect_nothing();
	wrong += spin_trylock_bh(&own->spin);
	expect_nothing();
	wrong += spin_trylock_irq(&own->spin);
	expect_nothing();
	wrong += spin_trylock_irqsave(&own->spin, flags);
	expect_nothing();
}

static void wait_spin(struct own_locks *own)
{
	spin_lock(&own->spin);
	spin_unlock(&own->spin);
}

static void wait_irqsave(struct own_locks *own)
{
	unsigned long flags;

	spin_lock_irqsave(&own->spin, flags);
	expect(true, false);
	spin_unlock_irqrestore(&own->spin, flags);
	expect_nothing();
}

static void wait_read(struct own_locks *own)
{
	read_lock_bh(&own->rw);
	expect(false, true);
	read_unlock_bh(&own->rw);
	expect_nothing();
}

static void wait_bit(struct own_locks *own)
{
	bit_spin_lock(3, &own->word);
	bit_spin_unlock(3, &own->word);
}

static void wait_mutex(struct own_locks *own)
{
	mutex_lock(&own->mutex);
	mutex_unlock(&own->mutex);
}

static void hold_mutex(bool take)
{
	if (take)
		mutex_lock(&locks.mutex);
	else
		mutex_unlock(&locks.mutex);
}

/* Tries until it has the lock, with another lock between, as z3fold does. */
static void retry(struct own_locks *own)
{
	bool taken;

	do {
		spin_lock(&own->inner);
		taken = spin_trylock(&own->spin);
		spin_unlock(&own->inner);
		if (!taken)
			udelay(10);
	} while (!taken);
	spin_unlock(&own->spin);
}

static void try_then_take(struct own_locks *own)
{
	if (!spin_trylock(&own->spin))
		spin_lock(&own->spin);
	spin_unlock(&own->spin);
}

/* Tries once, does something else, and comes back much later: no wait. */
static void give_up(struct own_locks *own)
{
	int n;

	wrong += spin_trylock(&own->spin);
	for (n = 0; n < 8; n++) {
		spin_lock(&own->inner);
		spin_unlock(&own->inner);
	}
	mdelay(2 * WAIT_US / 1000);
	while (spin_is_locked(&own->spin))
		cpu_relax();
	spin_lock(&own->spin);
	spin_unlock(&own->spin);
}

static const struct {
	const char *name;
	void (*alone)(struct own_locks *own);
	void (*hold)(bool take);
	unsigned int us;
} scenarios[] = {
	{"forms", forms},
	{"downgrade", downgrade},
	{"holds", holds},
	{"hand_over_hand", hand_over_hand},
	{"nested", nested},
	{"self_tries", self_tries},
	{"interrupts", interrupts},
	{"migration", migration},
	{"overflow", overflow},
	{"unmatched", unmatched},
	{"fail_sleeping", fail_sleeping, hold_sleeping},
	{"fail_spin", fail_spin, hold_spin, WAIT_US},
	{"wait_spin", wait_spin, hold_spin, WAIT_US},
	{"wait_irqsave", wait_irqsave, hold_spin, WAIT_US},
	{"wait_read", wait_read, hold_write, WAIT_US},
	{"wait_bit", wait_bit, hold_bit, WAIT_US},
	{"wait_mutex", wait_mutex, hold_mutex, WAIT_US},
	{"retry", retry, hold_spin, WAIT_US},
	{"try_then_take", try_then_take, hold_spin, WAIT_US},
	{"give_up", give_up, hold_spin, WAIT_US},
};

static int run(const char *name, const struct kernel_param *unused)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(scenarios); i++) {
		if (!sysfs_streq(name, scenarios[i].name))
			continue;
		wrong = 0;
		if (scenarios[i].hold)
			against(scenarios[i].hold, scenarios[i].us,
				scenarios[i].alone);
		else
			scenarios[i].alone(&locks);
		return 0;
	}
	return -EINVAL;
}

static const struct kernel_param_ops run_ops = {.set = run};
module_param_cb(run, &run_ops, NULL, 0200);

static int __init timedlocks_init(void)
{
	int i;

	spin_lock_init(&locks.spin);
	raw_spin_lock_init(&locks.raw);
	rwlock_init(&locks.rw);
	mutex_init(&locks.mutex);
	init_rwsem(&locks.sem);
	spin_lock_init(&locks.inner);
	raw_spin_lock_init(&locks.hard);
	spin_lock_init(&locks.soft);
	for (i = 0; i < MANY; i++)
		spin_lock_init(&locks.many[i]);
	return fail ? -ENODEV : 0;
}

static void __exit timedlocks_exit(void)
{
	tasklet_kill(&tasklet);
}

module_init(timedlocks_init);
module_exit(timedlocks_exit);
MODULE_DESCRIPTION("Takes locks in known ways");
MODULE_LICENSE("GPL");
