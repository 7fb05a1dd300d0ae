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

/*
 * Each section of code ends at an even address.  Since Linux 6.4 a module's
 * code is a mapping of its own, and nothing lies behind it.  When a probe is
 * registered in the last function the kernel decodes that function up to the
 * end of the page (can_optimize): zeros, which are instructions of two bytes.
 * If one byte is left over, it reads behind the page and crashes.  What is in
 * the last subsection is put to the end of its section.
 */
#define Z3T_EVEN_END(section)                                                  \
	asm(".pushsection " section ", 8192, \"ax\", @progbits\n\t"            \
	    ".balign 16, 0x90\n\t"                                             \
	    ".popsection")
Z3T_EVEN_END(".text");
Z3T_EVEN_END(".text.unlikely");
Z3T_EVEN_END(".exit.text");
