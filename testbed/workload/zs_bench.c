// SPDX-License-Identifier: GPL-2.0-only
/*
 * zs_bench: drive zsmalloc's exported functions from kernel threads and count
 * the truth; see bench.h.
 *
 * The functions are found when a run begins and are held until its pool is
 * destroyed, so that the module that has them can be replaced between two
 * runs.  Told to go "beside", it drives a copy of zsmalloc whose exported
 * names begin with z3t_.
 *
 * What this kernel's zsmalloc.h declares, the build says: ZS_HAS_READ (else
 * objects are mapped), ZS_READ_TAKES_SIZE, ZS_HAS_SG, ZS_MALLOC_TAKES_NODE.
 */
#include <linux/scatterlist.h>
#include <linux/version.h>
#include <linux/zsmalloc.h>

#define BENCH "zs_bench"

#ifdef ZS_HAS_READ
#define ACCESSES(X)                                                            \
	X(READ_BEGIN, "read-begin")                                            \
	X(READ_END, "read-end") X(WRITE_OBJECT, "write")
#else
#define ACCESSES(X) X(MAP, "map") X(UNMAP, "unmap")
#endif
#ifdef ZS_HAS_SG
#define HAS_SG 1
#define SG_ACCESSES(X)                                                         \
	X(READ_SG_BEGIN, "read-sg-begin") X(READ_SG_END, "read-sg-end")
#else
#define HAS_SG 0
#define SG_ACCESSES(X)
#endif
#define EVERY_OPERATION(X)                                                     \
	X(ALLOC, "alloc")                                                      \
	X(FREE, "free")                                                        \
	ACCESSES(X)                                                            \
	SG_ACCESSES(X)                                                         \
	X(COMPACT, "compact")
#define AS_NUMBER(number, name) number,
#define AS_NAME(number, name) name,

enum operation { EVERY_OPERATION(AS_NUMBER) OPERATIONS };

static const char *const operation_names[OPERATIONS] = {
	EVERY_OPERATION(AS_NAME)};

#define FACTS(X) X(pages_compacted) X(migrated) X(not_migrated)

/* compact, migrate: per mille of the steps; sg: per cent of the checks that
 * read the object where it lies; beside: drive the copy.  drain compacts too,
 * at the beginning and the end. */
#define PARAMETERS(X) X(compact, 0) X(migrate, 0) X(sg, 0) X(beside, 0)

#include "bench.h"
#include "symbols.h"

#define EVERY_FUNCTION(X)                                                      \
	X(zs_create_pool)                                                      \
	X(zs_destroy_pool)                                                     \
	X(zs_malloc)                                                           \
	X(zs_free)                                                             \
	X(zs_compact)                                                          \
	ACCESS_FUNCTIONS(X)                                                    \
	SG_FUNCTIONS(X)
#ifdef ZS_HAS_READ
#define ACCESS_FUNCTIONS(X)                                                    \
	X(zs_obj_read_begin) X(zs_obj_read_end) X(zs_obj_write)
#else
#define ACCESS_FUNCTIONS(X) X(zs_map_object) X(zs_unmap_object)
#endif
#ifdef ZS_HAS_SG
#define SG_FUNCTIONS(X) X(zs_obj_read_sg_begin) X(zs_obj_read_sg_end)
#else
#define SG_FUNCTIONS(X)
#endif
#define AS_POINTER(name) typeof(name) *name;

static struct {
	EVERY_FUNCTION(AS_POINTER)
} zs;
static struct zs_pool *pool;
static bool beside; /* of the pool; the parameter may change after it */

static const char *called(const char *name, char *room, size_t size)
{
	snprintf(room, size, "%s%s", beside ? "z3t_" : "", name);
	return room;
}

static void put_functions(void)
{
	char room[64];

#define PUT(name)                                                              \
	if (zs.name)                                                           \
		__symbol_put(called(#name, room, sizeof(room)));               \
	zs.name = NULL;
	EVERY_FUNCTION(PUT)
}

static int get_functions(void)
{
	char room[64];

	beside = parameters.beside;
#define GET(name)                                                              \
	zs.name = __symbol_get(called(#name, room, sizeof(room)));             \
	if (!zs.name)                                                          \
		goto missing;
	EVERY_FUNCTION(GET)
	return 0;
missing:
	pr_err("zs_bench: no %s is there to be driven\n", room);
	put_functions();
	return -ENODEV;
}

static int bench_alloc(struct worker *worker, struct slot *slot)
{
	gfp_t gfp = GFP_KERNEL | __GFP_NOWARN | __GFP_HIGHMEM | __GFP_MOVABLE;
	u64 start = clock_start(worker);
#ifdef ZS_MALLOC_TAKES_NODE
	unsigned long handle =
		zs.zs_malloc(pool, slot->size, gfp, NUMA_NO_NODE);
#else
	unsigned long handle = zs.zs_malloc(pool, slot->size, gfp);
#endif
	bool failed = IS_ERR_VALUE(handle);

	operation_done(worker, ALLOC, start, failed);
	slot->handle = handle;
	return failed ? (int)handle : 0;
}

static void bench_free(struct worker *worker, unsigned long handle)
{
	u64 start = clock_start(worker);

	zs.zs_free(pool, handle);
	operation_done(worker, FREE, start, false);
}

static void bench_free_uncounted(unsigned long handle)
{
	zs.zs_free(pool, handle);
}

#ifdef ZS_HAS_READ
static void *begin_read(struct worker *worker, const struct slot *slot)
{
	u64 start = clock_start(worker);
#ifdef ZS_READ_TAKES_SIZE
	void *address = zs.zs_obj_read_begin(pool, slot->handle, slot->size,
					     worker->buffer);
#else
	void *address =
		zs.zs_obj_read_begin(pool, slot->handle, worker->buffer);
#endif

	operation_done(worker, READ_BEGIN, start, !address);
	return address;
}

static void end_read(struct worker *worker, const struct slot *slot,
		     void *address)
{
	u64 start = clock_start(worker);

#ifdef ZS_READ_TAKES_SIZE
	zs.zs_obj_read_end(pool, slot->handle, slot->size, address);
#else
	zs.zs_obj_read_end(pool, slot->handle, address);
#endif
	operation_done(worker, READ_END, start, false);
}

static void bench_fill(struct worker *worker, u32 index)
{
	struct slot *slot = &worker->slots[index];
	u64 start;

	write_bytes(worker, index, worker->buffer);
	start = clock_start(worker);
	zs.zs_obj_write(pool, slot->handle, worker->buffer, slot->size);
	operation_done(worker, WRITE_OBJECT, start, false);
}
#else
static void *do_map(struct worker *worker, const struct slot *slot,
		    enum zs_mapmode mode)
{
	u64 start = clock_start(worker);
	void *address = zs.zs_map_object(pool, slot->handle, mode);

	operation_done(worker, MAP, start, !address);
	return address;
}

static void *begin_read(struct worker *worker, const struct slot *slot)
{
	return do_map(worker, slot, ZS_MM_RO);
}

static void end_read(struct worker *worker, const struct slot *slot,
		     void *address)
{
	u64 start = clock_start(worker);

	zs.zs_unmap_object(pool, slot->handle);
	operation_done(worker, UNMAP, start, false);
}

static void bench_fill(struct worker *worker, u32 index)
{
	struct slot *slot = &worker->slots[index];
	void *address = do_map(worker, slot, ZS_MM_WO);

	if (!address)
		return;
	write_bytes(worker, index, address);
	end_read(worker, slot, address);
}
#endif

#ifdef ZS_HAS_SG
/* The object's pages as the caller of a compression would be handed them. */
static bool check_in_place(struct worker *worker, u32 index)
{
	struct slot *slot = &worker->slots[index];
	struct scatterlist list[2];
	u64 start;

	if (random_below(worker, 100) >= parameters.sg)
		return false;
	start = clock_start(worker);
	zs.zs_obj_read_sg_begin(pool, slot->handle, list, slot->size);
	operation_done(worker, READ_SG_BEGIN, start, false);
	sg_copy_to_buffer(list, sg_nents(list), worker->buffer, slot->size);
	start = clock_start(worker);
	zs.zs_obj_read_sg_end(pool, slot->handle);
	operation_done(worker, READ_SG_END, start, false);
	check_bytes(worker, index, worker->buffer);
	return true;
}
#else
static bool check_in_place(struct worker *worker, u32 index)
{
	return false;
}
#endif

static void bench_check(struct worker *worker, u32 index)
{
	struct slot *slot = &worker->slots[index];
	void *address;

	if (check_in_place(worker, index))
		return;
	address = begin_read(worker, slot);
	if (!address)
		return;
	check_bytes(worker, index, address);
	end_read(worker, slot, address);
}

static void do_compact(struct worker *worker)
{
	u64 start = clock_start(worker);

	worker->counts.pages_compacted += zs.zs_compact(pool);
	operation_done(worker, COMPACT, start, false);
}

#include "zs_migrate.h"

static void bench_disturb(struct worker *worker)
{
	if (parameters.compact &&
	    random_below(worker, 1000) < parameters.compact)
		do_compact(worker);
	if (parameters.migrate &&
	    random_below(worker, 1000) < parameters.migrate)
		do_migrate(worker);
}

static void bench_exact(struct worker *worker)
{
	if (parameters.compact)
		do_compact(worker);
}

static void bench_drained(struct worker *worker)
{
	do_compact(worker);
}

static int bench_create(void)
{
	int ret = get_functions();

	if (!ret && parameters.migrate)
		ret = find_migration();
	if (!ret) {
		pool = zs.zs_create_pool(BENCH);
		ret = pool ? 0 : -ENOMEM;
	}
	if (ret)
		put_functions();
	return ret;
}

static void bench_destroy(void)
{
	if (pool)
		zs.zs_destroy_pool(pool);
	pool = NULL;
	put_functions();
}

static bool bench_parameters_are_bad(void)
{
	return parameters.compact > 1000 || parameters.migrate > 1000 ||
	       parameters.sg > 100 || parameters.beside > 1 ||
	       (parameters.sg && !HAS_SG);
}

static void bench_make_files(struct dentry *there)
{
}

#include "bench_threads.h"
#include "bench_files.h"

static int __init zs_bench_init(void)
{
	make_files();
	return 0;
}

static void __exit zs_bench_exit(void)
{
	remove_files();
}

module_init(zs_bench_init);
module_exit(zs_bench_exit);
MODULE_DESCRIPTION("Seeded zsmalloc workload that counts its own truth");
MODULE_LICENSE("GPL");
