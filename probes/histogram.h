/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Log-linear buckets: 16 to an octave, [lo, hi), all of u64.
 *
 * Values below 16 have a bucket each; above, an octave [2^k, 2^(k+1)) is cut
 * into 16 equal parts, so a bucket is never wider than 1/16 of its lower edge.
 * z3trace/data/buckets.py holds the same formula in Python and the tests
 * compare the two on every edge; this header compiles for BPF and for the host
 * alike.
 */
#ifndef Z3T_HISTOGRAM_H
#define Z3T_HISTOGRAM_H

#define Z3T_SUB_BITS 4
#define Z3T_SUB (1 << Z3T_SUB_BITS)
#define Z3T_BUCKETS ((64 - Z3T_SUB_BITS + 1) * Z3T_SUB)

/* BPF has no count-leading-zeros instruction: six comparisons find the
 * highest set bit, cheaper than a loop that the verifier must unroll. Who has
 * one says so with Z3T_HAS_CLZ. */
static inline __attribute__((always_inline)) unsigned int
z3t_bucket(unsigned long long value)
{
	unsigned long long v = value;
	unsigned int top = 0;

	if (value < Z3T_SUB)
		return (unsigned int)value;
#ifdef Z3T_HAS_CLZ
	top = 63 - (unsigned int)__builtin_clzll(v);
#else
	if (v >> 32) {
		v >>= 32;
		top += 32;
	}
	if (v >> 16) {
		v >>= 16;
		top += 16;
	}
	if (v >> 8) {
		v >>= 8;
		top += 8;
	}
	if (v >> 4) {
		v >>= 4;
		top += 4;
	}
	if (v >> 2) {
		v >>= 2;
		top += 2;
	}
	if (v >> 1)
		top += 1;
#endif
	return (top - Z3T_SUB_BITS + 1) * Z3T_SUB +
	       (unsigned int)((value >> (top - Z3T_SUB_BITS)) & (Z3T_SUB - 1));
}

#endif
