// SPDX-License-Identifier: GPL-2.0-only
// A page that is given up stays locked until the work that frees it unlocks it.

@@ identifier zhdr, locked; @@
 __release_z3fold_page(...)
 {
 ...
-if (locked)
-	z3fold_page_unlock(zhdr);
 ...
 }

@@ identifier zhdr, page; @@
 cancel_work_sync(&zhdr->work);
+z3fold_page_unlock(zhdr);
 free_z3fold_page(page, false);
