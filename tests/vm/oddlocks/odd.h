/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ODD_H
#define ODD_H

#include <linux/spinlock.h>

struct odd_pool {
	spinlock_t lock;
	int count;
};

int odd_other(struct odd_pool *pool, int n);
void odd_take(struct odd_pool *pool);
int odd_try(struct odd_pool *pool);
void odd_hide(struct odd_pool *pool);

#endif
