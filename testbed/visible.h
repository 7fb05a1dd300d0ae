/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Force-included into modules built here, after the kernel's compiler headers.
 *
 * The kernel's "inline" implies notrace, so a function that is declared inline
 * but compiled out of line (as __z3fold_alloc is) can carry no kprobe, and
 * neither can the lock call sites in it.  Without notrace the generated code
 * is the same and every call site can be seen.
 */
#undef inline
#define inline inline __gnu_inline __inline_maybe_unused
