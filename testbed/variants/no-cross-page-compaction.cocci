// SPDX-License-Identifier: GPL-2.0-only
// Compaction that moves an object into another page takes a second page's lock
// while it holds the first one's.  With one lock for all pages it would wait
// for itself, so it has to go from both sides of the comparison.

@@ expression e, zhdr; statement s; @@
-if (e && compact_single_buddy(zhdr)) s

@@ @@
-static struct z3fold_header *compact_single_buddy(struct z3fold_header *zhdr)
-{ ... }
