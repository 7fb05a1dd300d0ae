/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the programs keep in the kernel, shared by operations and locks.
 *
 * cpus:   one value for a CPU, written by that CPU only: totals and ledger.
 * sites:  Z3T_SITES values for a CPU: counters of the lock call sites.
 * buckets: Z3T_SERIES * Z3T_BUCKETS values for a CPU: the histograms.
 * tasks:  one value for a task, found by its thread id, so that a thread that
 *         is preempted or migrated between entry and return, or between
 *         attempt and acquisition, still finds its own state.  An interrupt
 *         runs as the task it interrupted and is gone before that task goes
 *         on, so its frames nest like calls.
 * places: which call site an address of the target's text belongs to.
 * config: written by user space before the probes are attached.
 *
 * Sites and buckets are maps of their own because BCC's compiler spends
 * seconds on a map whose values are large.
 *
 * All maps are plain arrays that user space maps into its memory: reading them
 * takes no bpf() call, which would make the kernel skip our programs on that
 * CPU.  The kernel rounds the size of a value up to eight bytes.
 * z3trace/bpf/layout.py holds the same structures in Python; the tests compare
 * sizes and offsets.
 */
#ifndef Z3T_STATE_H
#define Z3T_STATE_H

#include "histogram.h"

/* Whether lock discipline is judged: by a check, not by a recording. */
#ifdef Z3T_CHECK
#define Z3T_JUDGES 1
#else
#define Z3T_JUDGES 0
#endif

#define Z3T_OPERATIONS 8
#define Z3T_CLASSES 8
/* Series of histograms.  Latency and hold of what no probe stood in are one of
 * each; what probes stood in is recorded as it was, and once more without what
 * they added.  Nothing else is known about a value of the first kind than its
 * floor, so that the common case of a recording without locks costs one. */
#define Z3T_LATENCY(operation) (operation)
#define Z3T_WAIT(class) (Z3T_OPERATIONS + (class))
#define Z3T_HOLD(class) (Z3T_OPERATIONS + Z3T_CLASSES + (class))
#define Z3T_CLEAN (Z3T_OPERATIONS + 2 * Z3T_CLASSES)
#define Z3T_WITHIN (Z3T_OPERATIONS + Z3T_CLASSES)
/* Of a disturbed latency or hold: as it was, and corrected. */
#define Z3T_DISTURBED_LATENCY(operation) (Z3T_CLEAN + (operation))
#define Z3T_DISTURBED_HOLD(class) (Z3T_CLEAN + Z3T_OPERATIONS + (class))
#define Z3T_CORRECTED(disturbed) ((disturbed) + Z3T_WITHIN)
#define Z3T_SERIES (Z3T_CLEAN + 2 * Z3T_WITHIN)
#ifndef Z3T_SITES
#define Z3T_SITES 512 /* lock call sites, a power of two */
#endif
#define Z3T_DEPTH 7
#define Z3T_HELD 16
#ifndef Z3T_TASK_SLOTS
#define Z3T_TASK_SLOTS 4096 /* a power of two */
#endif
#define Z3T_RULES 8
#define Z3T_POOLS 4
#ifndef Z3T_PLACES
#define Z3T_PLACES (1 << 18) /* bytes of the target's text */
#endif

/* Constants in the programs that user space replaces before it loads one, see
 * Z3T_PATCHED().  Of an operation: its number, an enum z3t_result_rule, and
 * which argument is its pool.  Of a lock function: its address.  Of a
 * condition: its number, an enum z3t_test, what it is held against, and which
 * argument is read. */
#define Z3T_PATCH_OPERATION 0x7a330001
#define Z3T_PATCH_RESULT_RULE 0x7a330002
#define Z3T_PATCH_FUNCTION 0x7a330003
#define Z3T_PATCH_ARGUMENT 0x7a330004
#define Z3T_PATCH_CONDITION 0x7a330005
#define Z3T_PATCH_TEST 0x7a330006
#define Z3T_PATCH_VALUE 0x7a330007
#define Z3T_PATCH_OFFSET 0x7a330008
#define Z3T_NO_ARGUMENT 6 /* in place of the number of one of the six */

#define Z3T_PAGE_SHIFT 12
#define Z3T_LOCK_SHIFT 2 /* lower bits of a lock's address are 0 */
#define Z3T_PAGE_SIZE (1ULL << Z3T_PAGE_SHIFT)
#define Z3T_MAX_ERRNO 4095 /* a pointer above its negative is an error */
#define Z3T_FILTERED_PROCESSORS 64 /* that a filter tells apart */

/* The ledger: everything that was not counted as it should have been. */
enum z3t_ledger {
	Z3T_UNMATCHED_RETURN, /* a return whose entry was not seen */
	Z3T_DEPTH_OVERFLOW,   /* operations nested deeper than Z3T_DEPTH */
	Z3T_JOINED, /* the instruction after a call, reached by a jump */
	Z3T_UNMATCHED_RELEASE, /* a release whose acquisition was not seen */
	Z3T_HELD_OVERFLOW,     /* more than Z3T_HELD locks held at once */
	Z3T_SLOT_COLLISION,    /* two live threads in one task slot */
	Z3T_UNSEEN_RELEASE,    /* a lock acquired that the thread still held */
	Z3T_SELF_TRY,	       /* trylock on a lock the thread holds: a check */
	Z3T_UNKNOWN_POOL,      /* more pools than Z3T_POOLS */
	Z3T_LEDGER,
};

/* One count for each kind of program, to hold against the kernel's count of
 * hits: the difference is how often the kernel skipped it.  Entries are counted
 * by task, see below. */
enum z3t_program {
	Z3T_RAN_RETURN,
	Z3T_RAN_LOCK,
	Z3T_PROGRAMS,
};

enum z3t_rw { Z3T_SPIN, Z3T_READ, Z3T_WRITE };

/* In the order of REGISTERS in z3trace/code/placement.py. */
enum z3t_register {
	Z3T_AX,
	Z3T_BX,
	Z3T_CX,
	Z3T_DX,
	Z3T_SI,
	Z3T_DI,
	Z3T_BP,
	Z3T_SP,
	Z3T_R8,
	Z3T_R9,
	Z3T_R10,
	Z3T_R11,
	Z3T_R12,
	Z3T_R13,
	Z3T_R14,
	Z3T_R15,
};

/* How a rule judges a lock, a bit each. */
enum z3t_rule_bit {
	Z3T_FOR_SPIN,	/* it is for spinlocks */
	Z3T_FOR_RW,	/* and for reader-writer locks */
	Z3T_BY_KIND,	/* any of them */
	Z3T_BY_PAGE,	/* its address modulo the page size is the offset */
	Z3T_BY_POOL,	/* its address minus a pool's is the offset */
	Z3T_BY_POINTER, /* not its address, but what is around it points there
			 */
};

enum z3t_result_rule {
	Z3T_NO_RESULT,
	Z3T_FAILS_NONZERO,
	Z3T_FAILS_ZERO,
	Z3T_FAILS_ERROR
};

struct z3t_rule {
	u32 how; /* enum z3t_rule_bit; 0: the end of the rules */
	u32 offset;
	u32 class;
	u32 pad;
};

/* How a site takes or gives a lock: enum z3t_rw, and these. */
#define Z3T_RW_BITS 2
#define Z3T_RW_MASK ((1 << Z3T_RW_BITS) - 1)
#define Z3T_TRY 4
#define Z3T_RELEASE 8
/* Above them: the lock class + 1, or 0 if the lock's address tells it. */
#define Z3T_CLASS_SHIFT 4

/* Of a place: *after* has no event before its call; *call* is a jump, whose
 * lock function returns elsewhere. */
#define Z3T_KEPT 1
#define Z3T_LEAVES 2

/* What an address of the target's text stands for.  A probe there is the end of
 * the call *after* and the beginning of the call *call*; a lock function that
 * returns there was called by *caller*.  All are site + 1, 0 is none.  The lock
 * of *call* is at the value of a register plus an offset, and so is that of
 * *after* where its call has no event before it.  *cost* is what one such event
 * adds to an operation that it stands in, in ns. */
struct z3t_place {
	u16 after;
	u16 call;
	u16 caller;
	u8 after_flags;
	u8 call_flags;
	u8 caller_flags;
	u8 reg; /* enum z3t_register */
	u16 cost;
	s32 offset;
	/* Of *after*, if there is no event before its call. */
	s32 kept_offset;
	u8 kept_reg;
	u8 marks; /* Z3T_KEPT, Z3T_LEAVES */
	/* Of the site whose call returns here, if it takes a lock: site + 1,
	 * shifted by Z3T_RW_BITS, and its enum z3t_rw. */
	u16 returning;
};

struct z3t_config {
	u64 text; /* address of the first place */
	struct z3t_rule rules[Z3T_RULES];
	u64 pools[Z3T_POOLS];
	/* Filters: only operations of this process (0: all), begun on one of
	 * these CPUs (all bits: all), and locks only inside such operations. */
	u32 filtered;
	u32 process;
	u64 processors;
	/* Waits are seen in the slow paths of the lock functions, where whoever
	 * does not get a lock at once has to go; else from the attempt on. */
	u32 slow_paths;
	/* Lock class + 1: no other counts, and their locks are not followed.
	 * 0: all count. */
	u32 only;
	/* Offset + 1 of the locks of class *only* in a pool: a lock whose class
	 * is known by its place then tells where a pool is.  0: it does not. */
	u32 told;
	/* Whether there are calls that leave the target (Z3T_LEAVES). */
	u32 leaving;
	/* Of Z3T_BY_POINTER: from a lock to what points to its pool, if there
	 * is such a rule. */
	u32 has_object;
	u32 pad;
	u64 pointer;
	u64 nothing; /* 0, which the verifier does not know */
};

struct z3t_totals {
	u64 sum;
	u64 min;
	u64 max;
};

struct z3t_operation {
	u64 failures;
	u64 wait;   /* ns of lock wait inside completed operations */
	u64 hold;   /* ns with a lock held and no wait, likewise */
	u64 events; /* lock probes that fired inside completed operations */
};

struct z3t_class {
	u64 acquisitions;
	u64 contended;
	u64 trylock_failures;
	u64 releases;
};

struct z3t_site {
	u64 acquisitions;
	u64 contended;
	u64 trylock_failures;
	u64 releases;
	u64 wait_sum;
	u64 wait_max;
	u64 hold_sum;
	u64 hold_max;
	u64 classes; /* bit c: this site was seen with lock class c */
};

/* In ns: what is recorded where nothing happens, and what a pair of operation
 * probes adds to an operation around it. */
struct z3t_floors {
	u64 operation;
	u64 operation_cost;
	u64 hold;
};

/* A wait for a lock in its slow path, from its beginning on.  Interrupts wait
 * too while the interrupted code does: there is room for some at once. */
#define Z3T_WAITS 16

struct z3t_slow_wait {
	u64 lock;
	u64 since;
	u32 task;
	u32 pad;
};

struct z3t_cpu {
	struct z3t_floors floors;
	u64 ledger[Z3T_LEDGER];
	struct z3t_operation operations[Z3T_OPERATIONS];
	struct z3t_class classes[Z3T_CLASSES];
	struct z3t_totals totals[Z3T_SERIES];
	u64 programs[Z3T_PROGRAMS];
	/* Acquisitions by [class of the newest lock held then][own class]. */
	u64 nesting[Z3T_CLASSES * Z3T_CLASSES];
	u32 number;
	u32 pad;
	struct z3t_slow_wait waits[Z3T_WAITS];
};

struct z3t_frame {
	u64 start;
	u64 wait;
	u64 hold;
	u64 cost; /* the task's at the entry */
	u32 operation;
	u32 events; /* the task's at the entry */
};

enum z3t_held_state { Z3T_FREE, Z3T_WAITING, Z3T_HOLDING };

/* In z3t_held.marks, beside those of check.h: it was asked for by a jump to the
 * lock function, whose exit alone shows that it was acquired.  Until then
 * z3t_held.class has the flags of the call site. */
#define Z3T_LEFT 128

struct z3t_held {
	u64 lock;
	u64 since;
	u64 cost; /* the task's when it began */
	u32 site;
	u8 state;
	u8 class;
	u8 contended;
	u8 marks; /* Z3T_LEFT, and a check's, see check.h */
};

struct z3t_task {
	u32 owner; /* thread id + 1; 0 is nobody */
	u32 depth;
	u32 skipped; /* operations entered beyond Z3T_DEPTH */
	u32 muted;   /* operations entered that a filter leaves out */
	u32 holding;
	u32 events; /* lock probes so far */
	u64 cost;   /* ns that probes have added so far */
	u64 pool;
	u64 spin_lock; /* address whose trylock fails in a loop */
	u64 spin_since;
	u64 locked_since; /* when the first lock held now was acquired */
	u64 spin_locked;  /* z3t_locked() when the trylock failed first */
	u64 spin_waited;  /* the operation's wait at that time */
	u64 newest;	  /* when its newest lock event was */
	u32 spin_site;	  /* whose trylock it was */
	u32 pad;
	u32 entries[Z3T_OPERATIONS]; /* of all tasks that ever had this slot */
	/* frames[depth]; frames[0] collects what happens outside operations */
	struct z3t_frame frames[Z3T_DEPTH + 1];
	struct z3t_held held[Z3T_HELD];
};

#endif
