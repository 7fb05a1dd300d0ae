// SPDX-License-Identifier: GPL-2.0-only
// Compaction takes the page lock also for a caller that holds it.

@@ identifier zhdr, locked; @@
-if (locked)
-	WARN_ON(z3fold_page_trylock(zhdr));
-else
 	z3fold_page_lock(zhdr);
