/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a timed module keeps for each CPU, its clock, and how it counts.
 * Included by timed.h.
 */

#define Z3T_HAS_CLZ
#include "histogram.h"

#define Z3TIMED_CLASSES 16
/* Locks that a CPU holds at once. */
#define Z3TIMED_DEPTH 31
/* An entry of a hash table is within so many places of its task's. */
#define Z3TIMED_REACH 16

/* The order of LockKind and of the actions in z3trace/code/timedcalls.py. */
enum z3timed_kind {
	Z3TIMED_SPIN,
	Z3TIMED_READ,
	Z3TIMED_WRITE,
	Z3TIMED_MUTEX,
	Z3TIMED_RWSEM_READ,
	Z3TIMED_RWSEM_WRITE,
	Z3TIMED_BIT,
};
enum z3timed_action {
	Z3TIMED_ACQUIRE,
	Z3TIMED_TRY,
	Z3TIMED_RELEASE,
};
enum z3timed_ledger {
	Z3TIMED_HELD_OVERFLOWS,
	Z3TIMED_UNMATCHED_RELEASES,
	Z3TIMED_SELF_TRIES,
	Z3TIMED_FORGOTTEN_TRIES,
	Z3TIMED_OPEN_HOLDS,
	Z3TIMED_LEDGER,
};
enum z3timed_metric {
	Z3TIMED_WAIT,
	Z3TIMED_HOLD,
	Z3TIMED_METRICS,
};

struct z3timed_call {
	const char *file;
	const char *function;
	const char *expression;
	u32 line;
	u8 kind;
	u8 action;
} __aligned(32);

/* What every event of a call meets, in as few pages as can be: acquisitions, or
 * releases of a call that releases; and the class, told before the workload, as
 * the offset of its column. */
struct z3timed_hot {
	u64 events;
	u32 column;
	u32 unused;
};

/* A call is known by where its descriptor lies among all of them; half of that
 * is where its counts lie. */
#define Z3TIMED_STRIDE sizeof(struct z3timed_call)
#define Z3TIMED_HOT (Z3TIMED_STRIDE / sizeof(struct z3timed_hot))

struct z3timed_values {
	u64 sum;
	u64 max;
	u64 min;
	u64 count;
};

struct z3timed_counts {
	u64 failures;
	struct z3timed_values values[Z3TIMED_METRICS];
};

/* Rows of the table of nested locks are the classes that are held; in the last
 * one, none is. */
#define Z3TIMED_NOTHING (Z3TIMED_CLASSES * sizeof(u64))

struct z3timed_held {
	unsigned long lock;
	/* 0 if the hold is not timed, or 1 if an interrupt has such a lock. */
	u64 time;
	u32 place;
	u32 column;
	u64 level;
};

/* Aligned, so that an address tells how deep it is in the stack. */
#define Z3TIMED_STACK (sizeof(struct z3timed_held) * (Z3TIMED_DEPTH + 1))
#define Z3TIMED_FULL (sizeof(struct z3timed_held) * Z3TIMED_DEPTH)

struct z3timed_cpu {
	/* The lowest entry is no lock: nothing is held below it. An interrupt,
	 * which may take locks while the code that it interrupts takes or
	 * releases one, puts another such entry below its own. */
	struct z3timed_held held[Z3TIMED_DEPTH + 1];
	struct z3timed_held *top;
	/* Acquisitions until the next one whose hold is timed, at random: a
	 * fixed step could be that of a loop in the workload. */
	u32 turns;
	u32 random;
	u64 overflowed;
	struct z3timed_tables *tables;
	u64 ledger[Z3TIMED_LEDGER];
	u64 nesting[Z3TIMED_CLASSES + 1][Z3TIMED_CLASSES];
	struct z3timed_hot hot[];
} __aligned(Z3TIMED_STACK);

/* Beside it, for what is not met at every event. */
struct z3timed_tables {
	u64 buckets[Z3TIMED_METRICS][Z3TIMED_CLASSES][Z3T_BUCKETS];
	struct z3timed_counts counts[];
};

/* One object file: its own assembler puts the ends around all descriptors. */
asm(".pushsection z3timed.calls,\"aw\",@progbits\n"
    ".balign 32\n"
    "z3timed_calls:\n"
    ".subsection 1\n"
    "z3timed_calls_end:\n"
    ".popsection\n");
extern struct z3timed_call z3timed_calls[], z3timed_calls_end[];

/* Before the tables are made, and after they are gone: a stack that is full,
 * and of which every lock is unknown. */
static struct {
	struct z3timed_held held[Z3TIMED_DEPTH + 1];
	struct z3timed_held *top;
} __aligned(Z3TIMED_STACK) z3timed_nobody = {
	.top = &z3timed_nobody.held[Z3TIMED_DEPTH],
};
#define Z3TIMED_NOBODY ((struct z3timed_cpu *)&z3timed_nobody)

static DEFINE_PER_CPU(struct z3timed_cpu *, z3timed_cpu) = Z3TIMED_NOBODY;
/* How deep a stack may be for an acquisition that is counted in the fast way:
 * negative while there is any entry in the tables of failed trylocks and of
 * sleeping locks. */
static atomic_t z3timed_limit = ATOMIC_INIT(Z3TIMED_FULL);
static bool z3timed_tsc __read_mostly;
static u32 z3timed_scale __read_mostly;
/* Twice the mean number of turns, less one. */
static u32 z3timed_spread __read_mostly = 1;

#define Z3TIMED_SHIFT 22

/* Of linux/timekeeping.h, which has headers of its own. */
extern u64 ktime_get_mono_fast_ns(void);

/* The time stamp counter, where the kernel itself trusts it across CPUs. */
static __always_inline u64 z3timed_clock(void)
{
	if (likely(z3timed_tsc))
		return rdtsc_ordered();
	return ktime_get_mono_fast_ns();
}

/* When a task began to wait; not inlined, for that is seldom. */
static notrace noinline u64 z3timed_since(void)
{
	return z3timed_clock();
}

/* What two readings of the clock right after each other are apart, in ticks: a
 * hold of nothing would be as long. It is taken off every hold. */
static u64 z3timed_floor __read_mostly;

static void __init __maybe_unused z3timed_measure_floor(void)
{
	u64 least = U64_MAX;
	int i;

	for (i = 0; i < 1000; i++) {
		u64 start = z3timed_clock();

		least = min(least, z3timed_clock() - start);
	}
	z3timed_floor = least;
}

/* Of two CPUs one may be a little behind the other. */
static u64 z3timed_ns(s64 ticks)
{
	if (unlikely(ticks < 0))
		return 0;
	return mul_u64_u32_shr(ticks, z3timed_scale, Z3TIMED_SHIFT);
}

static __always_inline u32 z3timed_place(struct z3timed_call *call)
{
	return (unsigned long)call - (unsigned long)z3timed_calls;
}

static __always_inline struct z3timed_hot *z3timed_hot(struct z3timed_cpu *cpu,
						       u32 place)
{
	return (struct z3timed_hot *)((char *)cpu->hot + place / Z3TIMED_HOT);
}

static struct z3timed_counts *z3timed_counts(struct z3timed_cpu *cpu, u32 place)
{
	return &cpu->tables->counts[place / Z3TIMED_STRIDE];
}

/* One instruction: an interrupt counts in the same places. */
static __always_inline void z3timed_add(u64 *counter, u64 value)
{
	asm("addq %1, %0" : "+m"(*counter) : "er"(value));
}

static __always_inline void z3timed_count(struct z3timed_cpu *cpu,
					  struct z3timed_hot *hot, u32 outer)
{
	char *row = (char *)cpu->nesting + outer * Z3TIMED_CLASSES;

	z3timed_add((u64 *)(row + hot->column), 1);
	z3timed_add(&hot->events, 1);
}

static notrace noinline void z3timed_bound(u64 *bound, u64 value, bool upper)
{
	u64 old = READ_ONCE(*bound), seen;

	while (upper ? value > old : value < old) {
		seen = cmpxchg_local(bound, old, value);
		if (seen == old)
			return;
		old = seen;
	}
}

/* Count a wait or a hold, of the call that acquired. */
static notrace noinline void z3timed_value(struct z3timed_cpu *cpu, u32 place,
					   u32 column,
					   enum z3timed_metric metric,
					   u64 value)
{
	struct z3timed_values *values =
		&z3timed_counts(cpu, place)->values[metric];
	u64 *buckets = cpu->tables->buckets[metric][column / sizeof(u64)];

	z3timed_add(&values->sum, value);
	z3timed_add(&values->count, 1);
	if (unlikely(value > values->max))
		z3timed_bound(&values->max, value, true);
	if (unlikely(value < values->min))
		z3timed_bound(&values->min, value, false);
	z3timed_add(&buckets[z3t_bucket(value)], 1);
}

#define Z3TIMED_INTERRUPT (NMI_MASK | HARDIRQ_MASK | SOFTIRQ_OFFSET)

/* Of what runs: a task, a softirq, an interrupt, an NMI. */
static __always_inline u32 z3timed_level(void)
{
	unsigned long count = preempt_count();

	if (count & NMI_MASK)
		return 3;
	return count & HARDIRQ_MASK ? 2 : !!(count & SOFTIRQ_OFFSET);
}

/* Who takes locks: an interrupt is no part of the task that it interrupts. */
static __always_inline unsigned long z3timed_task(void)
{
	return (unsigned long)current | z3timed_level();
}

static __always_inline void z3timed_table_grew(void)
{
	atomic_sub(Z3TIMED_FULL, &z3timed_limit);
}

static __always_inline void z3timed_table_shrank(void)
{
	atomic_add(Z3TIMED_FULL, &z3timed_limit);
}

static __always_inline bool z3timed_tables_in_use(void)
{
	return atomic_read(&z3timed_limit) < (int)Z3TIMED_FULL;
}
