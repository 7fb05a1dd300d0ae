// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shapes of code that a probe of lock calls can get wrong: two functions of one
 * name, a clone of a function, jumps to lock functions, and (with ODD_HIDDEN) a
 * release that nothing can see.
 *
 * Write "both 1000" and the like to the parameter run; scenarios are below.
 */

#include <linux/delay.h>
#include <linux/module.h>
#include <linux/string.h>

#include "odd.h"

#define LONGEST 15 /* of a scenario's name */

static struct odd_pool pool;

/* The same name is in second.c. */
static noinline __noclone int work(struct odd_pool *pool, int n)
{
	int count;

	spin_lock(&pool->lock);
	count = pool->count += n;
	spin_unlock(&pool->lock);
	return count;
}

/* Becomes a clone without its second argument, which is always the same. */
static noinline int cloned(struct odd_pool *pool, int unused, int n)
{
	spin_lock(&pool->lock);
	pool->count -= n;
	spin_unlock(&pool->lock);
	return pool->count;
}

static void give(struct odd_pool *pool)
{
	pool->count++;
	spin_unlock(&pool->lock);
}

/* One call of the first work() and two of the second. */
static int both(int n)
{
	return work(&pool, n) + odd_other(&pool, n) + odd_other(&pool, n) +
	       cloned(&pool, 3, n);
}

static int jump(int n)
{
	odd_take(&pool);
	give(&pool);
	if (!odd_try(&pool))
		return -EBUSY;
	/* Not held by us for what follows: the try fails. */
	if (odd_try(&pool))
		return -EINVAL;
	give(&pool);
	return n;
}

#ifdef ODD_HIDDEN
static int hidden(int n)
{
	spin_lock(&pool.lock);
	pool.count += n;
	odd_hide(&pool);
	if (n % 8 == 0)
		usleep_range(10, 20);
	return n;
}
#endif

static int run_set(const char *text, const struct kernel_param *param)
{
	char name[LONGEST + 1];
	int (*scenario)(int) = NULL;
	int times;

	if (sscanf(text, "%15s %d", name, &times) != 2)
		return -EINVAL;
	if (!strcmp(name, "both"))
		scenario = both;
	if (!strcmp(name, "jump"))
		scenario = jump;
#ifdef ODD_HIDDEN
	if (!strcmp(name, "hidden"))
		scenario = hidden;
#endif
	if (!scenario)
		return -EINVAL;
	for (int i = 0; i < times; i++) {
		int result = scenario(i);

		if (!strcmp(name, "jump") && result < 0)
			return result;
	}
	return 0;
}

static const struct kernel_param_ops run_ops = {.set = run_set};
module_param_cb(run, &run_ops, NULL, 0200);

static int __init odd_init(void)
{
	spin_lock_init(&pool.lock);
	return 0;
}

static void __exit odd_exit(void)
{
}

module_init(odd_init);
module_exit(odd_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("lock calls of odd shapes, for tests");
