// SPDX-License-Identifier: GPL-2.0-only
// After a refused eviction of a HEADLESS page reclaim tries the next page, but only
// the other branch comes by the place that takes the pool lock back.

@@ identifier page, pool; statement s; @@
 if (test_bit(PAGE_HEADLESS, &page->private)) {
 	...
 	spin_unlock(&pool->lock);
 	clear_bit(PAGE_CLAIMED, &page->private);
+	continue;
 } else s
