// SPDX-License-Identifier: GPL-2.0-only
/*
 * zpool_bench: drive a real zpool (z3fold, zsmalloc, zbud) from kernel threads
 * and count the truth.
 *
 * Everything is said and read through debugfs, /sys/kernel/debug/zpool_bench:
 * write the parameters, write 1 to "run" (the write returns when the workload
 * is over), read "result" (JSON), write 1 to "teardown" to free what is left
 * and destroy the pool.  A recording ends between run and teardown, so that
 * the counts of the result are the counts of the recording.
 *
 * zpool's functions are not exported: a kprobe registered and removed gives
 * kallsyms_lookup_name, and that gives the others.
 *
 * With "own_lock", every step takes and releases a lock around nothing too,
 * once in each of the functions zpool_bench_own_*: what probes show of these
 * holds is what they add to any, under this very load.
 */
#include <linux/module.h>
#include <linux/debugfs.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/prandom.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/version.h>
#include <linux/vmalloc.h>
#include <linux/zpool.h>

#include "histogram.h"

#define HAS_RECLAIM (LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0))
#define MAX_THREADS 256
#define MAX_SLOTS 65536
#define MAGIC 0x7a336274u

enum operation { ALLOC, FREE, MAP, UNMAP, RECLAIM, OPERATIONS };

static const char *const operation_names[OPERATIONS] = {"alloc", "free", "map",
							"unmap", "reclaim"};

enum slot_state { EMPTY, BUSY, FULL, EVICTING };

struct slot {
	atomic_t state;
	u32 generation;
	u32 size;
	unsigned long handle;
};

/* The first bytes of every object say whose it is: an eviction is handed a
 * handle that may differ from the one malloc gave. */
struct stamp {
	u32 magic;
	u32 thread;
	u32 slot;
	u32 generation;
};

struct counts {
	u64 calls[OPERATIONS];
	u64 failures[OPERATIONS];
	u64 headless;
	u64 corrupted;
	u64 evictions_accepted;
	u64 evictions_refused;
	u64 evictions_stale;
	u64 empty_reclaims;
	u64 own_locks;
};

struct worker {
	u32 index;
	struct rnd_state random;
	struct slot *slots;
	struct counts counts;
	u64 *histogram; /* OPERATIONS * Z3T_BUCKETS, or none */
	u64 clock_cost;
	u64 finished;
	struct task_struct *task;
	spinlock_t own_lock;
};

static struct {
	char type[32];
	u32 threads;
	u32 ops;
	u32 allocs;
	u32 frees;
	u32 slots;
	u32 min_size;
	u32 max_size;
	u32 headless; /* per cent of the sizes */
	u32 reclaim;  /* per mille of the steps */
	u32 refuse;   /* per cent of the evictions */
	u32 seed;
	u32 verify;
	u32 drain;   /* reclaim the empty pool, at the beginning and the end */
	u32 touches; /* map, check and unmap this often more in every step */
	u32 histogram;
	u32 own_lock;
} parameters = {
	.type = "z3fold",
	.threads = 1,
	.ops = 10000,
	.slots = 256,
	.min_size = 32,
	.max_size = 3000,
	.verify = 1,
	.seed = 1,
};

static DEFINE_MUTEX(bench_lock);
static struct zpool *pool;
static struct worker *workers;
static u32 worker_count;
static u32 slot_count; /* of the run; the parameter may change after it */
static u64 elapsed;
static bool stop_now;
static atomic_t running;
static DECLARE_WAIT_QUEUE_HEAD(all_done);
static bool start_now;
static DECLARE_WAIT_QUEUE_HEAD(start_line);
static struct dentry *directory;

static struct {
#if HAS_RECLAIM
	struct zpool *(*create)(const char *type, const char *name, gfp_t gfp,
				const struct zpool_ops *ops);
	int (*shrink)(struct zpool *pool, unsigned int pages,
		      unsigned int *reclaimed);
#else
	struct zpool *(*create)(const char *type, const char *name, gfp_t gfp);
#endif
	void (*destroy)(struct zpool *pool);
	int (*malloc)(struct zpool *pool, size_t size, gfp_t gfp,
		      unsigned long *handle);
	void (*free)(struct zpool *pool, unsigned long handle);
	void *(*map)(struct zpool *pool, unsigned long handle,
		     enum zpool_mapmode mode);
	void (*unmap)(struct zpool *pool, unsigned long handle);
} zpool;

/* What two readings of the clock right after each other are apart: the time of
 * an operation that takes none, taken off every time in the histogram. */
static u64 clock_cost(void)
{
	u64 least = U64_MAX;
	int i;

	for (i = 0; i < 1000; i++) {
		u64 start = ktime_get_ns();

		least = min(least, ktime_get_ns() - start);
	}
	return least;
}

static u64 clock_start(struct worker *worker)
{
	return worker->histogram ? ktime_get_ns() : 0;
}

static void clock_stop(struct worker *worker, enum operation operation,
		       u64 start)
{
	u64 took;

	if (!worker->histogram)
		return;
	took = ktime_get_ns() - start;
	took -= min(took, worker->clock_cost);
	worker->histogram[operation * Z3T_BUCKETS + z3t_bucket(took)]++;
}

static int do_malloc(struct worker *worker, u32 size, unsigned long *handle)
{
	u64 start = clock_start(worker);
	int ret = zpool.malloc(pool, size, GFP_KERNEL | __GFP_NOWARN, handle);

	clock_stop(worker, ALLOC, start);
	worker->counts.calls[ALLOC]++;
	if (ret)
		worker->counts.failures[ALLOC]++;
	return ret;
}

static void do_free(struct worker *worker, unsigned long handle)
{
	u64 start = clock_start(worker);

	zpool.free(pool, handle);
	clock_stop(worker, FREE, start);
	worker->counts.calls[FREE]++;
}

static void *do_map(struct worker *worker, unsigned long handle,
		    enum zpool_mapmode mode)
{
	u64 start = clock_start(worker);
	void *address = zpool.map(pool, handle, mode);

	clock_stop(worker, MAP, start);
	worker->counts.calls[MAP]++;
	if (!address)
		worker->counts.failures[MAP]++;
	return address;
}

static void do_unmap(struct worker *worker, unsigned long handle)
{
	u64 start = clock_start(worker);

	zpool.unmap(pool, handle);
	clock_stop(worker, UNMAP, start);
	worker->counts.calls[UNMAP]++;
}

static u8 pattern(const struct stamp *stamp)
{
	return (u8)(stamp->generation * 31 + stamp->slot * 7 + stamp->thread);
}

static void write_object(struct worker *worker, u32 index)
{
	struct slot *slot = &worker->slots[index];
	struct stamp stamp = {MAGIC, worker->index, index, slot->generation};
	void *address = do_map(worker, slot->handle, ZPOOL_MM_WO);

	if (!address)
		return;
	memcpy(address, &stamp, sizeof(stamp));
	memset(address + sizeof(stamp), pattern(&stamp),
	       slot->size - sizeof(stamp));
	do_unmap(worker, slot->handle);
}

static void check_object(struct worker *worker, u32 index)
{
	struct slot *slot = &worker->slots[index];
	struct stamp stamp = {MAGIC, worker->index, index, slot->generation};
	void *address = do_map(worker, slot->handle, ZPOOL_MM_RO);

	if (!address)
		return;
	if (memcmp(address, &stamp, sizeof(stamp)) ||
	    memchr_inv(address + sizeof(stamp), pattern(&stamp),
		       slot->size - sizeof(stamp)))
		worker->counts.corrupted++;
	do_unmap(worker, slot->handle);
}

static u32 random_below(struct worker *worker, u32 limit)
{
	return limit ? prandom_u32_state(&worker->random) % limit : 0;
}

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
	if (do_malloc(worker, slot->size, &slot->handle)) {
		atomic_set_release(&slot->state, EMPTY);
		return;
	}
	write_object(worker, index);
	atomic_set_release(&slot->state, FULL);
}

static void drain_slot(struct worker *worker, u32 index, bool verify)
{
	struct slot *slot = &worker->slots[index];
	u32 i;

	for (i = 0; i < parameters.touches; i++)
		check_object(worker, index);
	if (verify)
		check_object(worker, index);
	do_free(worker, slot->handle);
	atomic_set_release(&slot->state, EMPTY);
}

#if HAS_RECLAIM
static struct worker *current_worker(void)
{
	u32 i;

	for (i = 0; i < worker_count; i++)
		if (workers[i].task == current)
			return &workers[i];
	return NULL;
}

/* Runs inside zpool_shrink, in the thread of the worker that called it. */
static int evict(struct zpool *from, unsigned long handle)
{
	struct worker *worker = current_worker();
	struct slot *slot;
	struct stamp stamp;
	void *address;

	if (!worker)
		return -EINVAL;
	address = do_map(worker, handle, ZPOOL_MM_RO);
	if (!address)
		return -EINVAL;
	memcpy(&stamp, address, sizeof(stamp));
	do_unmap(worker, handle);
	if (stamp.magic != MAGIC || stamp.thread >= worker_count ||
	    stamp.slot >= slot_count)
		goto stale;
	if (random_below(worker, 100) < parameters.refuse) {
		worker->counts.evictions_refused++;
		return -EAGAIN;
	}
	slot = &workers[stamp.thread].slots[stamp.slot];
	if (atomic_cmpxchg(&slot->state, FULL, EVICTING) != FULL)
		goto stale;
	if (slot->generation != stamp.generation) {
		atomic_set_release(&slot->state, FULL);
		goto stale;
	}
	do_free(worker, slot->handle);
	atomic_set_release(&slot->state, EMPTY);
	worker->counts.evictions_accepted++;
	return 0;
stale:
	worker->counts.evictions_stale++;
	return -EAGAIN;
}

static const struct zpool_ops zpool_callbacks = {.evict = evict};

static void do_reclaim(struct worker *worker)
{
	unsigned int reclaimed = 0;
	u64 start = clock_start(worker);
	int ret = zpool.shrink(pool, 1, &reclaimed);

	clock_stop(worker, RECLAIM, start);
	worker->counts.calls[RECLAIM]++;
	if (ret)
		worker->counts.failures[RECLAIM]++;
	if (ret == -EINVAL)
		worker->counts.empty_reclaims++;
}
#else
static void do_reclaim(struct worker *worker)
{
}
#endif

/* What lies next to a call decides how a probe of it is run.  Five bytes that
 * may be moved: as a jump.  A branch, or the call itself: emulated after a
 * trap. */
#define ROOM_FOR_A_JUMP asm volatile("movl $0, %%ecx" ::: "ecx")
#define BRANCH asm volatile("jmp 1f\n1:")
/* The lock's address is in a register that calls preserve, as it mostly is. */
#define FROM_ANOTHER_REGISTER asm volatile("" ::: "rdi")
/* The release is a call, not a jump at the function's end. */
#define AND_RETURN asm volatile("")

static noinline __noclone void zpool_bench_own_jump(spinlock_t *lock)
{
	FROM_ANOTHER_REGISTER;
	spin_lock(lock);
	ROOM_FOR_A_JUMP;
	ROOM_FOR_A_JUMP;
	spin_unlock(lock);
	AND_RETURN;
}

static noinline __noclone void zpool_bench_own_trap(spinlock_t *lock)
{
	FROM_ANOTHER_REGISTER;
	spin_lock(lock);
	BRANCH;
	spin_unlock(lock);
	AND_RETURN;
}

static noinline __noclone void zpool_bench_own_jump_trap(spinlock_t *lock)
{
	FROM_ANOTHER_REGISTER;
	spin_lock(lock);
	ROOM_FOR_A_JUMP;
	BRANCH;
	spin_unlock(lock);
	AND_RETURN;
}

static noinline __noclone void zpool_bench_own_trap_jump(spinlock_t *lock)
{
	FROM_ANOTHER_REGISTER;
	spin_lock(lock);
	BRANCH;
	ROOM_FOR_A_JUMP;
	spin_unlock(lock);
	AND_RETURN;
}

static void own_locks(struct worker *worker)
{
	zpool_bench_own_jump(&worker->own_lock);
	zpool_bench_own_trap(&worker->own_lock);
	zpool_bench_own_jump_trap(&worker->own_lock);
	zpool_bench_own_trap_jump(&worker->own_lock);
	worker->counts.own_locks++;
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

	if (parameters.reclaim &&
	    random_below(worker, 1000) < parameters.reclaim)
		do_reclaim(worker);
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
	if (parameters.reclaim)
		do_reclaim(worker);
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
		do_reclaim(worker);
	if (parameters.allocs || parameters.frees) {
		exact_counts(worker);
	} else {
		while (calls_made(worker) < parameters.ops &&
		       steps < 2 * parameters.ops && !READ_ONCE(stop_now)) {
			step(worker);
			if (parameters.own_lock)
				own_locks(worker);
			if (!(++steps % 64))
				cond_resched();
		}
	}
	if (parameters.drain) {
		free_all(worker);
		do_reclaim(worker);
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
				zpool.free(pool, workers[i].slots[j].handle);
		vfree(workers[i].slots);
		vfree(workers[i].histogram);
	}
	kfree(workers);
	workers = NULL;
	worker_count = 0;
	if (pool)
		zpool.destroy(pool);
	pool = NULL;
}

static int parameters_are_bad(void)
{
	return !parameters.threads || parameters.threads > MAX_THREADS ||
	       !parameters.slots || parameters.slots > MAX_SLOTS ||
	       parameters.ops > 1000000000 ||
	       parameters.min_size < sizeof(struct stamp) ||
	       parameters.max_size < parameters.min_size ||
	       parameters.max_size > PAGE_SIZE || parameters.headless > 100 ||
	       parameters.refuse > 100 || parameters.reclaim > 1000 ||
	       parameters.touches > 1000 ||
	       parameters.allocs > parameters.slots ||
	       parameters.frees > parameters.slots;
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
		if (!workers[i].slots)
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
			kthread_create(work, &workers[i], "zpool_bench/%u", i);

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
#if HAS_RECLAIM
	pool = zpool.create(parameters.type, "zpool_bench", GFP_KERNEL,
			    &zpool_callbacks);
#else
	pool = zpool.create(parameters.type, "zpool_bench", GFP_KERNEL);
#endif
	if (!pool)
		return -ENODEV;
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

static ssize_t run_write(struct file *file, const char __user *buffer,
			 size_t size, loff_t *offset)
{
	int ret;

	mutex_lock(&bench_lock);
	ret = run_workload();
	mutex_unlock(&bench_lock);
	return ret ? ret : size;
}

static ssize_t teardown_write(struct file *file, const char __user *buffer,
			      size_t size, loff_t *offset)
{
	mutex_lock(&bench_lock);
	free_workers();
	mutex_unlock(&bench_lock);
	return size;
}

static u64 total(size_t field)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < worker_count; i++)
		sum += *(u64 *)((char *)&workers[i].counts + field);
	return sum;
}

#define TOTAL(field) total(offsetof(struct counts, field))

static void show_histogram(struct seq_file *out, int operation)
{
	const char *comma = "";
	u32 bucket, i;

	seq_puts(out, ", \"buckets\": [");
	for (bucket = 0; bucket < Z3T_BUCKETS; bucket++) {
		u64 count = 0;

		for (i = 0; i < worker_count; i++)
			count += workers[i].histogram[operation * Z3T_BUCKETS +
						      bucket];
		if (!count)
			continue;
		seq_printf(out, "%s[%u, %llu]", comma, bucket, count);
		comma = ", ";
	}
	seq_puts(out, "]");
}

static int result_show(struct seq_file *out, void *unused)
{
	int i;

	mutex_lock(&bench_lock);
	seq_printf(out, "{\"type\": \"%s\", \"threads\": %u, \"seed\": %u, ",
		   parameters.type, worker_count, parameters.seed);
	seq_printf(out, "\"elapsed_ns\": %llu, \"headless\": %llu, ", elapsed,
		   TOTAL(headless));
	seq_printf(out, "\"corrupted\": %llu, \"empty_reclaims\": %llu, ",
		   TOTAL(corrupted), TOTAL(empty_reclaims));
	seq_printf(out, "\"evictions_accepted\": %llu, ",
		   TOTAL(evictions_accepted));
	seq_printf(out, "\"evictions_refused\": %llu, ",
		   TOTAL(evictions_refused));
	seq_printf(out, "\"evictions_stale\": %llu, ", TOTAL(evictions_stale));
	seq_printf(out, "\"own_locks\": %llu, ", TOTAL(own_locks));
	seq_puts(out, "\"operations\": {");
	for (i = 0; i < OPERATIONS; i++) {
		seq_printf(out,
			   "%s\"%s\": {\"calls\": %llu, \"failures\": %llu",
			   i ? ", " : "", operation_names[i], TOTAL(calls[i]),
			   TOTAL(failures[i]));
		if (worker_count && workers[0].histogram)
			show_histogram(out, i);
		seq_puts(out, "}");
	}
	seq_puts(out, "}}\n");
	mutex_unlock(&bench_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(result);

static ssize_t type_write(struct file *file, const char __user *buffer,
			  size_t size, loff_t *offset)
{
	char text[sizeof(parameters.type)] = "";
	char *c;

	if (!size || size >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, buffer, size))
		return -EFAULT;
	strim(text);
	for (c = text; *c; c++)
		if (!isalnum(*c))
			return -EINVAL;
	mutex_lock(&bench_lock);
	strscpy(parameters.type, text, sizeof(parameters.type));
	mutex_unlock(&bench_lock);
	return size;
}

static const struct file_operations type_fops = {
	.owner = THIS_MODULE,
	.write = type_write,
};

static const struct file_operations run_fops = {
	.owner = THIS_MODULE,
	.write = run_write,
};

static const struct file_operations teardown_fops = {
	.owner = THIS_MODULE,
	.write = teardown_write,
};

typedef unsigned long (*lookup_t)(const char *name);

static lookup_t find_lookup(void)
{
	struct kprobe probe = {.symbol_name = "kallsyms_lookup_name"};
	lookup_t lookup;

	if (register_kprobe(&probe))
		return NULL;
	lookup = (lookup_t)probe.addr;
	unregister_kprobe(&probe);
	return lookup;
}

static int find_zpool(void)
{
	lookup_t lookup = find_lookup();

	if (!lookup)
		return -ENOENT;
	zpool.create = (void *)lookup("zpool_create_pool");
	zpool.destroy = (void *)lookup("zpool_destroy_pool");
	zpool.malloc = (void *)lookup("zpool_malloc");
	zpool.free = (void *)lookup("zpool_free");
	zpool.map = (void *)lookup("zpool_map_handle");
	zpool.unmap = (void *)lookup("zpool_unmap_handle");
#if HAS_RECLAIM
	zpool.shrink = (void *)lookup("zpool_shrink");
	if (!zpool.shrink)
		return -ENOENT;
#endif
	if (!zpool.create || !zpool.destroy || !zpool.malloc || !zpool.free ||
	    !zpool.map || !zpool.unmap)
		return -ENOENT;
	return 0;
}

static void make_files(void)
{
	directory = debugfs_create_dir("zpool_bench", NULL);
	debugfs_create_file("type", 0200, directory, NULL, &type_fops);
	debugfs_create_file("run", 0200, directory, NULL, &run_fops);
	debugfs_create_file("teardown", 0200, directory, NULL, &teardown_fops);
	debugfs_create_file("result", 0400, directory, NULL, &result_fops);
	debugfs_create_u32("threads", 0600, directory, &parameters.threads);
	debugfs_create_u32("ops", 0600, directory, &parameters.ops);
	debugfs_create_u32("allocs", 0600, directory, &parameters.allocs);
	debugfs_create_u32("frees", 0600, directory, &parameters.frees);
	debugfs_create_u32("slots", 0600, directory, &parameters.slots);
	debugfs_create_u32("min_size", 0600, directory, &parameters.min_size);
	debugfs_create_u32("max_size", 0600, directory, &parameters.max_size);
	debugfs_create_u32("headless", 0600, directory, &parameters.headless);
	debugfs_create_u32("reclaim", 0600, directory, &parameters.reclaim);
	debugfs_create_u32("refuse", 0600, directory, &parameters.refuse);
	debugfs_create_u32("seed", 0600, directory, &parameters.seed);
	debugfs_create_u32("verify", 0600, directory, &parameters.verify);
	debugfs_create_u32("touches", 0600, directory, &parameters.touches);
	debugfs_create_u32("drain", 0600, directory, &parameters.drain);
	debugfs_create_u32("histogram", 0600, directory, &parameters.histogram);
	debugfs_create_u32("own_lock", 0600, directory, &parameters.own_lock);
}

static int __init zpool_bench_init(void)
{
	int ret = find_zpool();

	if (ret) {
		pr_err("zpool_bench: this kernel has no zpool to drive\n");
		return ret;
	}
	make_files();
	return 0;
}

static void __exit zpool_bench_exit(void)
{
	debugfs_remove_recursive(directory);
	free_workers();
}

module_init(zpool_bench_init);
module_exit(zpool_bench_exit);
MODULE_DESCRIPTION("Seeded zpool workload that counts its own truth");
MODULE_LICENSE("GPL");
