/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Move a page of an object as the kernel's memory compaction does, but on
 * request: zsmalloc's own functions for it, one page at a time.
 *
 * The page's lock keeps the page in its chain.  So whoever has it, and finds
 * the object in the page still, may move the page.
 */
#ifndef Z3T_ZS_MIGRATE_H
#define Z3T_ZS_MIGRATE_H

#include <linux/migrate.h>
#include <linux/migrate_mode.h>
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/pagemap.h>

static struct {
	bool (*isolate)(struct page *page, isolate_mode_t mode);
	int (*migrate)(struct page *to, struct page *from,
		       enum migrate_mode mode);
	void (*putback)(struct page *page);
} movable;

static void *find_movable(lookup_t lookup, const char *name)
{
	static const char *const modules[] = {
		"zsmalloc_beside:", "zsmalloc:", ""};
	char room[64];
	void *found;
	int i;

	for (i = beside ? 0 : 1; i < (beside ? 1 : ARRAY_SIZE(modules)); i++) {
		snprintf(room, sizeof(room), "%s%s", modules[i], name);
		found = (void *)lookup(room);
		if (found)
			return found;
	}
	pr_err("zs_bench: no %s is there, so nothing can be migrated\n", name);
	return NULL;
}

static int find_migration(void)
{
	lookup_t lookup = find_lookup();

	if (!lookup)
		return -ENOENT;
	movable.isolate = find_movable(lookup, "zs_page_isolate");
	movable.migrate = find_movable(lookup, "zs_page_migrate");
	movable.putback = find_movable(lookup, "zs_page_putback");
	return movable.isolate && movable.migrate && movable.putback ? 0
								     : -ENOENT;
}

static bool is_of_zsmalloc(struct page *page)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	return PageZsmalloc(page);
#else
	return __PageMovable(page);
#endif
}

/* The page that the object lies in, with a reference; none if it lies in two,
 * for then what is read is a copy. */
static struct page *page_of(struct worker *worker, const struct slot *slot)
{
	struct page *page = NULL;
	void *address = begin_read(worker, slot);

	if (!address)
		return NULL;
	if (virt_addr_valid(address))
		page = virt_to_page(address);
	if (page && (!is_of_zsmalloc(page) || !get_page_unless_zero(page)))
		page = NULL;
	end_read(worker, slot, address);
	return page;
}

static bool is_still_in(struct worker *worker, const struct slot *slot,
			struct page *page)
{
	struct page *now = page_of(worker, slot);

	if (now)
		put_page(now);
	return now == page;
}

/* *page* is locked, and stays so. */
static bool move(struct page *page)
{
	struct page *to = alloc_page(GFP_KERNEL | __GFP_HIGHMEM);
	bool moved = false;

	if (!to)
		return false;
	lock_page(to);
	if (movable.isolate(page, ISOLATE_UNEVICTABLE)) {
		moved = !movable.migrate(to, page, MIGRATE_SYNC);
		if (!moved)
			movable.putback(page);
	}
	unlock_page(to);
	/* The chain has a reference of its own. */
	put_page(to);
	return moved;
}

static void do_migrate(struct worker *worker)
{
	struct slot *slot = &worker->slots[random_below(worker, slot_count)];
	bool moved = false;
	struct page *page;

	if (atomic_cmpxchg(&slot->state, FULL, BUSY) != FULL)
		return;
	page = page_of(worker, slot);
	if (page && trylock_page(page)) {
		if (is_still_in(worker, slot, page))
			moved = move(page);
		unlock_page(page);
	}
	if (page)
		put_page(page);
	worker->counts.migrated += moved;
	worker->counts.not_migrated += !moved;
	atomic_set_release(&slot->state, FULL);
}

#endif
