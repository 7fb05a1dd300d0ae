// SPDX-License-Identifier: GPL-2.0-only
// A page whose last object was freed may still wait for its compaction work when
// reclaim comes upon it.  Reclaim finds nothing to evict, keeps the page, and
// lists it by its number of free chunks: one more than there are lists, so that
// the kernel as packaged writes behind them.  A workload with reclaim needs this
// out of the way, on both sides of a comparison.

@@ identifier pool, zhdr; @@
 static inline void add_to_unbuddied(struct z3fold_pool *pool, struct z3fold_header *zhdr)
 {
+	if (!zhdr->first_chunks && !zhdr->middle_chunks && !zhdr->last_chunks)
+		return;
 	...
 }
