// SPDX-License-Identifier: GPL-2.0-only
// One lock for all pages of a pool: what z3fold had before the patch under
// review.  The lock that guards pages moves from the page's header into the
// pool; pool->lock, which guards the lists, stays what it is.

@@ @@
 struct z3fold_pool {
 	...
 	spinlock_t stale_lock;
+	spinlock_t page_lock;
 	...
 };

@@ expression pool; @@
 spin_lock_init(&pool->stale_lock);
+spin_lock_init(&pool->page_lock);

@@ struct z3fold_header *zhdr; @@
 spin_lock(
-	&zhdr->page_lock
+	&zhdr->pool->page_lock
 )

@@ struct z3fold_header *zhdr; @@
 spin_trylock(
-	&zhdr->page_lock
+	&zhdr->pool->page_lock
 )

@@ struct z3fold_header *zhdr; @@
 spin_unlock(
-	&zhdr->page_lock
+	&zhdr->pool->page_lock
 )
