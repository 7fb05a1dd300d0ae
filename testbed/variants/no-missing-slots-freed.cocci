// SPDX-License-Identifier: GPL-2.0-only
// The last object of a page may be freed between the choice of the page by reclaim
// and its end: the page's handles are gone then, and reclaim, which looked at them
// without the page lock, frees nothing (a crash) or what was freed already.

@@ identifier zhdr, pool; @@
-struct z3fold_buddy_slots *slots = zhdr->slots;
+struct z3fold_buddy_slots *slots;
 z3fold_page_lock(zhdr);
+slots = zhdr->slots;
 if (kref_put(&zhdr->refcount, release_z3fold_page_locked)) {
-	kmem_cache_free(pool->c_handle, slots);
+	if (slots)
+		kmem_cache_free(pool->c_handle, slots);
 	return 0;
 }
