// SPDX-License-Identifier: GPL-2.0-only
// A lock in every size class in the place of one for the pool, as in 6.11 and later.
// What the pool's lock also did, to keep objects where they are while their page is looked
// up, does a reader-writer lock of the pool.

@@ @@
 struct size_class {
+	spinlock_t lock;
 	...
 };

@@ @@
 struct zs_pool {
 	...
-	spinlock_t lock;
+	rwlock_t migrate_lock;
 	...
 };

@@ symbol pool, class, i; @@
 zs_create_pool(...)
 {
 <...
(
-spin_lock_init(&pool->lock);
+rwlock_init(&pool->migrate_lock);
|
 class->index = i;
+spin_lock_init(&class->lock);
)
 ...>
 }

// Where the size class is known all the time, its lock is enough.
@@ identifier f = {zs_malloc, async_free_zspage, __free_zspage, zs_stats_size_show}; @@
 f(...)
 {
 <...
-&pool->lock
+&class->lock
 ...>
 }

@@ identifier f = {zs_page_isolate, zs_page_putback}; symbol zspage; @@
 f(...)
 {
 <...
-&pool->lock
+&zspage_class(pool, zspage)->lock
 ...>
 }

// A page cannot move while it is looked up; then the zspage's own lock holds it.
@@ @@
 zs_map_object(...)
 {
 <...
(
-spin_lock(&pool->lock);
+read_lock(&pool->migrate_lock);
|
-spin_unlock(&pool->lock);
+read_unlock(&pool->migrate_lock);
)
 ...>
 }

@@ expression found; @@
 zs_free(...)
 {
 ...
-spin_lock(&pool->lock);
+read_lock(&pool->migrate_lock);
 ...
 class = found;
+spin_lock(&class->lock);
+read_unlock(&pool->migrate_lock);
 ...
-spin_unlock(&pool->lock);
+spin_unlock(&class->lock);
 ...
 }

// Whoever moves objects keeps all others from looking pages up.
@@ expression found; @@
 zs_page_migrate(...)
 {
 ...
-spin_lock(&pool->lock);
+write_lock(&pool->migrate_lock);
 class = found;
+spin_lock(&class->lock);
 ...
-spin_unlock(&pool->lock);
+write_unlock(&pool->migrate_lock);
+spin_unlock(&class->lock);
 ...
 }

@@ @@
 __zs_compact(...)
 {
 <...
(
-spin_lock(&pool->lock);
+write_lock(&pool->migrate_lock);
+spin_lock(&class->lock);
|
-spin_unlock(&pool->lock);
+spin_unlock(&class->lock);
+write_unlock(&pool->migrate_lock);
|
-spin_is_contended(&pool->lock)
+rwlock_is_contended(&pool->migrate_lock)
)
 ...>
 }
