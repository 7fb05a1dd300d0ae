/* SPDX-License-Identifier: GPL-2.0-only */
/* The threads of a workload, from their start to the end of a run; see bench.h.
 */
#ifndef Z3T_BENCH_THREADS_H
#define Z3T_BENCH_THREADS_H

#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/overflow.h>
#include <linux/wait.h>

static u64 elapsed;
static bool stop_now;
static atomic_t running;
static DECLARE_WAIT_QUEUE_HEAD(all_done);
static bool start_now;
static DECLARE_WAIT_QUEUE_HEAD(start_line);

static u32 random_size(struct worker *worker)
{
	if (random_below(worker, 100) < parameters.headless) {
		worker->counts.headless++;
		return PAGE_SIZE - random_below(worker, 64);
	}
	return parameters.min_size +
	       random_below(worker,
			    parameters.max_size - parameters.min_size + 1);
}

/* The caller owns the slot, which is empty and marked busy. */
static void fill_slot(struct worker *worker, u32 index)
{
	struct slot *slot = &worker->slots[index];

	slot->size = random_size(worker);
	slot->generation++;
	if (bench_alloc(worker, slot)) {
		atomic_set_release(&slot->state, EMPTY);
		return;
	}
	bench_fill(worker, index);
	atomic_set_release(&slot->state, FULL);
}

static void drain_slot(struct worker *worker, u32 index, bool verify)
{
	struct slot *slot = &worker->slots[index];
	u32 i;

	for (i = 0; i < parameters.touches; i++)
		bench_check(worker, index);
	if (verify)
		bench_check(worker, index);
	bench_free(worker, slot->handle);
	atomic_set_release(&slot->state, EMPTY);
}

static u64 calls_made(const struct worker *worker)
{
	u64 sum = 0;
	int i;

	for (i = 0; i < OPERATIONS; i++)
		sum += worker->counts.calls[i];
	return sum;
}

static void step(struct worker *worker)
{
	u32 index = random_below(worker, slot_count);
	struct slot *slot = &worker->slots[index];

	bench_disturb(worker);
	if (atomic_cmpxchg(&slot->state, EMPTY, BUSY) == EMPTY)
		fill_slot(worker, index);
	else if (atomic_cmpxchg(&slot->state, FULL, BUSY) == FULL)
		drain_slot(worker, index, parameters.verify);
}

static void exact_counts(struct worker *worker)
{
	u32 i;

	for (i = 0; i < parameters.allocs && i < slot_count; i++) {
		atomic_set(&worker->slots[i].state, BUSY);
		fill_slot(worker, i);
	}
	for (i = 0; i < parameters.frees && i < slot_count; i++)
		if (atomic_cmpxchg(&worker->slots[i].state, FULL, BUSY) == FULL)
			drain_slot(worker, i, parameters.verify);
	bench_exact(worker);
}

static void free_all(struct worker *worker)
{
	u32 i;

	for (i = 0; i < slot_count; i++)
		if (atomic_cmpxchg(&worker->slots[i].state, FULL, BUSY) == FULL)
			drain_slot(worker, i, parameters.verify);
}

static int work(void *data)
{
	struct worker *worker = data;
	u32 steps = 0;

	worker->clock_cost = worker->histogram ? clock_cost() : 0;
	wait_event(start_line, READ_ONCE(start_now));
	if (parameters.drain)
		bench_drained(worker);
	if (parameters.allocs || parameters.frees) {
		exact_counts(worker);
	} else {
		while (calls_made(worker) < parameters.ops &&
		       steps < 2 * parameters.ops && !READ_ONCE(stop_now)) {
			step(worker);
			if (parameters.own_lock) {
				bench_own_locks(&worker->own_lock);
				worker->counts.own_locks++;
			}
			if (!(++steps % 64))
				cond_resched();
		}
	}
	if (parameters.drain) {
		free_all(worker);
		bench_drained(worker);
	}
	worker->finished = ktime_get_ns();
	if (atomic_dec_and_test(&running))
		wake_up(&all_done);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(HZ / 50);
	return 0;
}

static void free_workers(void)
{
	u32 i, j;

	for (i = 0; workers && i < worker_count; i++) {
		for (j = 0; workers[i].slots && j < slot_count; j++)
			if (atomic_read(&workers[i].slots[j].state) == FULL)
				bench_free_uncounted(
					workers[i].slots[j].handle);
		vfree(workers[i].slots);
		vfree(workers[i].histogram);
		free_page((unsigned long)workers[i].buffer);
	}
	kfree(workers);
	workers = NULL;
	worker_count = 0;
	bench_destroy();
}

static bool parameters_are_bad(void)
{
	return !parameters.threads || parameters.threads > MAX_THREADS ||
	       !parameters.slots || parameters.slots > MAX_SLOTS ||
	       parameters.ops > 1000000000 ||
	       parameters.min_size < sizeof(struct stamp) ||
	       parameters.max_size < parameters.min_size ||
	       parameters.max_size > PAGE_SIZE || parameters.headless > 100 ||
	       parameters.touches > 1000 ||
	       parameters.allocs > parameters.slots ||
	       parameters.frees > parameters.slots ||
	       bench_parameters_are_bad();
}

static int make_workers(void)
{
	size_t buckets = array3_size(OPERATIONS, Z3T_BUCKETS, sizeof(u64));
	u32 i;

	workers = kcalloc(parameters.threads, sizeof(*workers), GFP_KERNEL);
	if (!workers)
		return -ENOMEM;
	worker_count = parameters.threads;
	slot_count = parameters.slots;
	for (i = 0; i < worker_count; i++) {
		workers[i].index = i;
		spin_lock_init(&workers[i].own_lock);
		prandom_seed_state(&workers[i].random,
				   ((u64)parameters.seed << 20) + i + 1);
		workers[i].slots =
			vzalloc(array_size(slot_count, sizeof(struct slot)));
		workers[i].buffer = (void *)__get_free_page(GFP_KERNEL);
		if (!workers[i].slots || !workers[i].buffer)
			return -ENOMEM;
		if (!parameters.histogram)
			continue;
		workers[i].histogram = vzalloc(buckets);
		if (!workers[i].histogram)
			return -ENOMEM;
	}
	return 0;
}

static int start_threads(void)
{
	u32 i, cpu = cpumask_first(cpu_online_mask);

	start_now = false;
	for (i = 0; i < worker_count; i++) {
		struct task_struct *task =
			kthread_create(work, &workers[i], BENCH "/%u", i);

		if (IS_ERR(task))
			return PTR_ERR(task);
		get_task_struct(task);
		workers[i].task = task;
		kthread_bind(task, cpu);
		atomic_inc(&running);
		wake_up_process(task);
		cpu = cpumask_next(cpu, cpu_online_mask);
		if (cpu >= nr_cpu_ids)
			cpu = cpumask_first(cpu_online_mask);
	}
	return 0;
}

static void stop_threads(void)
{
	u32 i;

	for (i = 0; i < worker_count; i++) {
		if (!workers[i].task)
			continue;
		kthread_stop(workers[i].task);
		put_task_struct(workers[i].task);
		workers[i].task = NULL;
	}
}

static int run_workload(void)
{
	u64 start, end = 0;
	u32 i;
	int ret;

	if (parameters_are_bad())
		return -EINVAL;
	free_workers();
	ret = bench_create();
	if (ret)
		return ret;
	atomic_set(&running, 0);
	ret = make_workers();
	if (!ret)
		ret = start_threads();
	start = ktime_get_ns();
	WRITE_ONCE(stop_now, ret != 0);
	WRITE_ONCE(start_now, true);
	wake_up_all(&start_line);
	if (wait_event_interruptible(all_done, !atomic_read(&running))) {
		WRITE_ONCE(stop_now, true);
		wait_event(all_done, !atomic_read(&running));
	}
	stop_threads();
	if (ret) {
		free_workers();
		return ret;
	}
	for (i = 0; i < worker_count; i++)
		end = max(end, workers[i].finished);
	elapsed = end - start;
	return 0;
}

#endif
