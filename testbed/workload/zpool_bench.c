// SPDX-License-Identifier: GPL-2.0-only
/*
 * zpool_bench: drive a real zpool (z3fold, zsmalloc, zbud) from kernel threads
 * and count the truth; see bench.h.
 *
 * zpool's functions are not exported, see symbols.h.
 */
#include <linux/types.h>
#include <linux/version.h>
#include <linux/zpool.h>

#define HAS_RECLAIM (LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0))
#define BENCH "zpool_bench"

enum operation { ALLOC, FREE, MAP, UNMAP, RECLAIM, OPERATIONS };

static const char *const operation_names[OPERATIONS] = {"alloc", "free", "map",
							"unmap", "reclaim"};

#define FACTS(X)                                                               \
	X(evictions_accepted)                                                  \
	X(evictions_refused)                                                   \
	X(evictions_stale)                                                     \
	X(empty_reclaims)

/* reclaim: per mille of the steps; refuse: per cent of the evictions.  drain
 * reclaims the empty pool too, at the beginning and the end. */
#define PARAMETERS(X) X(reclaim, 0) X(refuse, 0)

#include "bench.h"
#include "symbols.h"

static char type[32] = "z3fold";
static struct zpool *pool;

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

static int bench_alloc(struct worker *worker, struct slot *slot)
{
	u64 start = clock_start(worker);
	int ret = zpool.malloc(pool, slot->size, GFP_KERNEL | __GFP_NOWARN,
			       &slot->handle);

	operation_done(worker, ALLOC, start, ret);
	return ret;
}

static void bench_free(struct worker *worker, unsigned long handle)
{
	u64 start = clock_start(worker);

	zpool.free(pool, handle);
	operation_done(worker, FREE, start, false);
}

static void bench_free_uncounted(unsigned long handle)
{
	zpool.free(pool, handle);
}

static void *do_map(struct worker *worker, unsigned long handle,
		    enum zpool_mapmode mode)
{
	u64 start = clock_start(worker);
	void *address = zpool.map(pool, handle, mode);

	operation_done(worker, MAP, start, !address);
	return address;
}

static void do_unmap(struct worker *worker, unsigned long handle)
{
	u64 start = clock_start(worker);

	zpool.unmap(pool, handle);
	operation_done(worker, UNMAP, start, false);
}

static void bench_fill(struct worker *worker, u32 index)
{
	struct slot *slot = &worker->slots[index];
	void *address = do_map(worker, slot->handle, ZPOOL_MM_WO);

	if (!address)
		return;
	write_bytes(worker, index, address);
	do_unmap(worker, slot->handle);
}

static void bench_check(struct worker *worker, u32 index)
{
	struct slot *slot = &worker->slots[index];
	void *address = do_map(worker, slot->handle, ZPOOL_MM_RO);

	if (!address)
		return;
	check_bytes(worker, index, address);
	do_unmap(worker, slot->handle);
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
	bench_free(worker, slot->handle);
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

	operation_done(worker, RECLAIM, start, ret);
	if (ret == -EINVAL)
		worker->counts.empty_reclaims++;
}
#else
static void do_reclaim(struct worker *worker)
{
}
#endif

static void bench_disturb(struct worker *worker)
{
	if (parameters.reclaim &&
	    random_below(worker, 1000) < parameters.reclaim)
		do_reclaim(worker);
}

static void bench_exact(struct worker *worker)
{
	if (parameters.reclaim)
		do_reclaim(worker);
}

static void bench_drained(struct worker *worker)
{
	do_reclaim(worker);
}

static int bench_create(void)
{
#if HAS_RECLAIM
	pool = zpool.create(type, BENCH, GFP_KERNEL, &zpool_callbacks);
#else
	pool = zpool.create(type, BENCH, GFP_KERNEL);
#endif
	return pool ? 0 : -ENODEV;
}

static void bench_destroy(void)
{
	if (pool)
		zpool.destroy(pool);
	pool = NULL;
}

static bool bench_parameters_are_bad(void)
{
	return parameters.refuse > 100 || parameters.reclaim > 1000;
}

#include "bench_threads.h"
#include "bench_files.h"

static ssize_t type_write(struct file *file, const char __user *buffer,
			  size_t size, loff_t *offset)
{
	char text[sizeof(type)] = "";
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
	strscpy(type, text, sizeof(type));
	mutex_unlock(&bench_lock);
	return size;
}

static const struct file_operations type_fops = {
	.owner = THIS_MODULE,
	.write = type_write,
};

static void bench_make_files(struct dentry *there)
{
	debugfs_create_file("type", 0200, there, NULL, &type_fops);
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
	remove_files();
}

module_init(zpool_bench_init);
module_exit(zpool_bench_exit);
MODULE_DESCRIPTION("Seeded zpool workload that counts its own truth");
MODULE_LICENSE("GPL");
