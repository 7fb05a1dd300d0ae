// SPDX-License-Identifier: GPL-2.0-only
// A task goes to sleep with the lock of the stale list held.

@@ identifier pool; @@
 free_pages_work(...)
 {
 <...
 spin_unlock(&pool->stale_lock);
 cancel_work_sync(...);
 ...
-cond_resched();
 spin_lock(&pool->stale_lock);
+schedule_timeout_uninterruptible(1);
 ...>
 }
