// SPDX-License-Identifier: GPL-2.0-only
// Keep the operations out of line, so that a probe on z3fold_alloc is a probe
// on z3fold_alloc: the compiler folds each into its only caller otherwise.
// The code inside them is untouched, and so are the lock helpers: those stay
// inline, which keeps one call site for every place that takes a lock.

@@
attribute name noinline;
identifier f =~ "^z3fold_(alloc|free|map|unmap|reclaim_page)$";
type T;
@@
 static
+noinline
 T f(...) { ... }
