// SPDX-License-Identifier: GPL-2.0-only
// The search on the other CPUs' lists waits for the page it found, with the pool lock
// held; everywhere else the page lock is taken first.

@@ identifier zhdr, pool; @@
-if (!zhdr || !z3fold_page_trylock(zhdr)) {
+if (zhdr)
+	z3fold_page_lock(zhdr);
+if (!zhdr) {
 	spin_unlock(&pool->lock);
 	zhdr = NULL;
 	continue;
 }
