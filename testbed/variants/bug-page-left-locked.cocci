// SPDX-License-Identifier: GPL-2.0-only
// The end of a failed reclaim, without the unlock: the page is back on its lists,
// and whoever wants it next waits for ever.

@@ identifier zhdr, pool; @@
 z3fold_reclaim_page(...)
 {
 <...
 if (list_empty(&zhdr->buddy))
 	add_to_unbuddied(pool, zhdr);
 clear_bit(PAGE_CLAIMED, ...);
-z3fold_page_unlock(zhdr);
 ...>
 }
