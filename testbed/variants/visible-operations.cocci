// SPDX-License-Identifier: GPL-2.0-only
// Keep the operations out of line, so that a probe on z3fold_alloc is a probe
// on z3fold_alloc: the compiler folds each into its only caller otherwise.
// The code inside them is untouched, and so are the lock helpers: those stay
// inline, which keeps one call site for every place that takes a lock.
// The names are listed, for what a regular expression means depends on how spatch was
// built: Debian 12's knows PCRE, Debian 13's only OCaml's own.

@@
attribute name noinline;
identifier f = { z3fold_alloc, z3fold_free, z3fold_map, z3fold_unmap, z3fold_reclaim_page };
type T;
@@
 static
+noinline
 T f(...) { ... }
