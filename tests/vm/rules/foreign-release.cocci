// SPDX-License-Identifier: GPL-2.0-only
// A page is handed to its compaction work with the lock held, for the work to release.

@@ identifier zhdr, pool; @@
 queue_work_on(zhdr->cpu, pool->compact_wq, &zhdr->work);
-put_z3fold_header(zhdr);

@@ identifier zhdr; @@
 compact_page_work(...)
 {
 ...
 do_compact_page(zhdr,
-	false
+	true
 );
 }
