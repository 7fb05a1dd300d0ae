// SPDX-License-Identifier: GPL-2.0-only
/* See first.c. */

#include "odd.h"

static noinline __noclone int work(struct odd_pool *pool, int n)
{
	int count;

	spin_lock(&pool->lock);
	count = pool->count ^= n;
	spin_unlock(&pool->lock);
	return count;
}

noinline int odd_other(struct odd_pool *pool, int n)
{
	return work(pool, n);
}

/* The compiler makes jumps of these calls. */
noinline void odd_take(struct odd_pool *pool)
{
	spin_lock(&pool->lock);
}

noinline int odd_try(struct odd_pool *pool)
{
	return spin_trylock(&pool->lock);
}

#ifdef ODD_HIDDEN
/* No probe may stand here, and the jump's lock function returns elsewhere. */
noinline notrace void odd_hide(struct odd_pool *pool)
{
	spin_unlock(&pool->lock);
}
#endif
