// SPDX-License-Identifier: GPL-2.0-only
// One lock for all size classes of a pool in the place of one in each, as in 6.1 to 6.10.

@@ @@
 struct size_class {
 	spinlock_t lock;
+	struct zs_pool *pool;
 	...
 };

@@ @@
 struct zs_pool {
 	...
 	atomic_t compaction_in_progress;
+	spinlock_t class_lock;
 	...
 };

@@ symbol pool, class; @@
 zs_create_pool(...)
 {
 <...
(
 atomic_set(&pool->compaction_in_progress, 0);
+spin_lock_init(&pool->class_lock);
|
 spin_lock_init(&class->lock);
+class->pool = pool;
)
 ...>
 }

@@ struct size_class *class; @@
(
 spin_lock(
-	&class->lock
+	&class->pool->class_lock
 )
|
 spin_unlock(
-	&class->lock
+	&class->pool->class_lock
 )
|
 assert_spin_locked(
-	&class->lock
+	&class->pool->class_lock
 )
)
