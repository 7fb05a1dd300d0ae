/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a check keeps beside a recording: the rules' findings, and what is
 * needed to make them.  Compiled in with Z3T_CHECK only.
 *
 * trails:    the last lock events of a task, by its slot.
 * owners:    who holds a lock, by a hash of its address: the newest of two that
 *            meet in one entry is known.
 * order:     the first time that a lock class was asked for under another.
 * checkers:  one value for a CPU: counters.
 * offences:  how often a rule was broken at a call site, for a CPU, and how
 *            often that was told of.
 * incidents: the first of each in full, Z3T_INCIDENTS for a CPU.
 * rulebook:  written by user space before the probes are attached.
 *
 * z3trace/bpf/checklayout.py holds the same structures in Python.
 */
#ifndef Z3T_CHECK_H
#define Z3T_CHECK_H

#include "state.h"

#define Z3T_STEPS 8 /* lock events of a task that are remembered */
#define Z3T_OWNER_BITS 14
#define Z3T_OWNERS (1 << Z3T_OWNER_BITS)
#define Z3T_INCIDENTS 64 /* in full, on a CPU */
#define Z3T_IN_FULL 2	 /* of one rule at one call site, on a CPU */
#define Z3T_CONDITIONS 16
#define Z3T_ORDER (Z3T_CLASSES * Z3T_CLASSES)

enum z3t_check_rule {
	Z3T_NO_OFFENCE,
	Z3T_HELD_AT_RETURN,
	Z3T_UNHELD_AT_RETURN, /* the operation's contract is to hold it */
	Z3T_RELEASE_UNHELD,
	Z3T_FOREIGN_RELEASE,
	Z3T_DOUBLE_ACQUIRE,
	Z3T_ORDER_INVERSION,
	Z3T_LONG_HOLD,
	Z3T_SLEEP_IN_ATOMIC,
	Z3T_FREE_WHILE_HELD,
	Z3T_STUCK_WAIT,
	Z3T_CONDITION_MET, /* no offence: for the first time */
	Z3T_CHECK_RULES,
};

enum z3t_step_kind { Z3T_ATTEMPT, Z3T_ACQUIRED, Z3T_TRY_FAILED, Z3T_RELEASED };

/* In z3t_held.marks. */
#define Z3T_READER 1
#define Z3T_RETURNED 2 /* its hold over a return is reported */
#define Z3T_SLEPT 4

struct z3t_step {
	u64 time;
	u64 lock;
	u32 site;
	u32 kind;
};

struct z3t_trail {
	u32 next;
	u32 pad;
	u64 stuck; /* the beginning of the wait that is reported */
	struct z3t_step steps[Z3T_STEPS];
};

struct z3t_owner {
	u64 lock;
	u64 since;
	u32 task;
	u32 site;
};

/* Sites are site + 1: 0 is none. */
struct z3t_order {
	u32 outer;
	u32 inner;
};

/* One return can leave locks of one site held more often than is ever told. */
struct z3t_offences {
	u32 count;
	u32 told;
};

/* What was found at one event; reported at its end, so that the report is in
 * each program once. */
struct z3t_finding {
	u64 lock;
	u64 since;
	u64 value;
	u32 rule;
	u32 site;
	u32 other;
	u32 other_task;
	u32 class;
	u32 other_class;
	u32 operation;
	u32 pad;
};

struct z3t_checker {
	/* Lock classes asked for, by [class held][class asked for]; without
	 * trylocks, which wait for nobody. */
	u64 edges[Z3T_ORDER];
	u64 conditions[Z3T_CONDITIONS];
	u64 crossed; /* releases of another lock than the newest held */
	u32 incidents;
	u32 pad;
	/* Of the end of a call, and of the begin of another.  Not on the stack
	 * of the program: what lies there the verifier tells apart, and follows
	 * the second part once for each way through the first. */
	struct z3t_finding findings[2];
};

/* The rule says what *value* is: ns, or of an inversion the two sites of the
 * other order, as in struct z3t_order; of a condition *site* is its number + 1.
 * Else *site* is where the offence was, or, of a lock that was held, where that
 * was acquired; *other* is the call site that belongs to it.  Both + 1. */
struct z3t_incident {
	u64 time;
	u64 lock;
	u64 since;
	u64 value;
	u32 rule;
	u32 task;
	u32 other_task;
	u32 cpu;
	u32 site;
	u32 other;
	u32 class;
	u32 other_class;
	u32 operation; /* + 1 */
	u32 next;      /* step that is the oldest */
	char name[16];
	struct z3t_step steps[Z3T_STEPS];
};

struct z3t_rulebook {
	u64 armed;	/* when the probes were in place, 0: not yet */
	u64 long_hold;	/* ns */
	u64 stuck;	/* ns */
	u64 pages;	/* address of the first struct page */
	u64 memory;	/* address of the memory that it stands for */
	u64 page_lock;	/* offset of the lock in a page, 0: there is none */
	u32 judged;	/* rules, a bit each */
	u32 console;	/* print incidents too */
	u32 page_class; /* of the lock in a page */
	u32 pad;
	/* Lock classes, a bit each, that an operation that succeeds holds when
	 * it returns. */
	u8 holds[Z3T_OPERATIONS];
};

#endif
