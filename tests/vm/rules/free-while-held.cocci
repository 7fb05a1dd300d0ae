// SPDX-License-Identifier: GPL-2.0-only
// A page is given back under its own lock, which is then released in free memory.

@@ identifier zhdr, page; @@
 cancel_work_sync(&zhdr->work);
+z3fold_page_lock(zhdr);
 free_z3fold_page(page, false);
+z3fold_page_unlock(zhdr);
