// SPDX-License-Identifier: GPL-2.0-only
// Reclaim takes the last page of the LRU list for granted.

@@ identifier pool, pos; symbol zhdr, page, lru; iterator name list_for_each_prev; statement s; @@
-if (list_empty(&pool->lru)) {
-	...
-}
+zhdr = page_address(list_last_entry(&pool->lru, struct page, lru));
 list_for_each_prev(pos, &pool->lru) s
