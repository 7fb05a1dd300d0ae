/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All programs in one unit: BCC's compiler start-up costs more than the code.
 * BCC knows maps and programs only in the file it is handed, so both stand
 * here and the headers reach the maps through the functions below.
 */
#include <uapi/linux/ptrace.h>

#include "state.h"

BPF_F_TABLE("array", u32, struct z3t_cpu, cpus, Z3T_CPUS, BPF_F_MMAPABLE);
BPF_F_TABLE("array", u32, struct z3t_site, sites, Z3T_SITES *Z3T_CPUS,
	    BPF_F_MMAPABLE);
BPF_F_TABLE("array", u32, u64, buckets, Z3T_SERIES * Z3T_BUCKETS * Z3T_CPUS,
	    BPF_F_MMAPABLE);
BPF_F_TABLE("array", u32, struct z3t_task, tasks, Z3T_TASK_SLOTS + Z3T_CPUS,
	    BPF_F_MMAPABLE);
BPF_F_TABLE("array", u32, struct z3t_place, places, Z3T_PLACES, BPF_F_MMAPABLE);
BPF_F_TABLE("array", u32, struct z3t_config, config, 1, BPF_F_MMAPABLE);

static __always_inline struct z3t_cpu *z3t_this_cpu(void)
{
	u32 cpu = bpf_get_smp_processor_id();

	return cpus.lookup(&cpu);
}

static __always_inline struct z3t_site *z3t_site(struct z3t_cpu *cpu, u32 site)
{
	u32 index = cpu->number * Z3T_SITES + (site & (Z3T_SITES - 1));

	return sites.lookup(&index);
}

static __always_inline u64 *z3t_bucket_at(struct z3t_cpu *cpu, u32 series,
					  u32 bucket)
{
	u32 index = (cpu->number * Z3T_SERIES + series) * Z3T_BUCKETS + bucket;

	return buckets.lookup(&index);
}

static __always_inline struct z3t_task *z3t_task_at(u32 slot)
{
	return tasks.lookup(&slot);
}

static __always_inline struct z3t_config *z3t_config(void)
{
	u32 zero = 0;

	return config.lookup(&zero);
}

/* What stands at an address of the target's text. */
static __always_inline struct z3t_place *z3t_place(u64 address)
{
	struct z3t_config *known = z3t_config();
	u32 index;

	if (!known)
		return 0;
	index = address - known->text;
	return places.lookup(&index);
}

#ifdef Z3T_CHECK
#include "check.h"

#define Z3T_OFFENCES (Z3T_CHECK_RULES * 2 * Z3T_SITES)

BPF_F_TABLE("array", u32, struct z3t_trail, trails, Z3T_TASK_SLOTS + Z3T_CPUS,
	    BPF_F_MMAPABLE);
BPF_F_TABLE("array", u32, struct z3t_owner, owners, Z3T_OWNERS, BPF_F_MMAPABLE);
BPF_F_TABLE("array", u32, struct z3t_order, order, Z3T_ORDER, BPF_F_MMAPABLE);
BPF_F_TABLE("array", u32, struct z3t_checker, checkers, Z3T_CPUS,
	    BPF_F_MMAPABLE);
BPF_F_TABLE("array", u32, struct z3t_offences, offences, Z3T_OFFENCES *Z3T_CPUS,
	    BPF_F_MMAPABLE);
BPF_F_TABLE("array", u32, struct z3t_incident, incidents,
	    Z3T_INCIDENTS *Z3T_CPUS, BPF_F_MMAPABLE);
BPF_F_TABLE("array", u32, struct z3t_rulebook, rulebook, 1, BPF_F_MMAPABLE);

static __always_inline struct z3t_trail *z3t_trail_at(u32 slot)
{
	return trails.lookup(&slot);
}

/* Knuth's multiplicative hashing: 2^32 by the golden ratio. */
#define Z3T_HASH_FACTOR 2654435761U

static __always_inline struct z3t_owner *z3t_owner_at(u64 lock)
{
	u32 index = (u32)(lock >> Z3T_LOCK_SHIFT) * Z3T_HASH_FACTOR >>
		    (32 - Z3T_OWNER_BITS);

	return owners.lookup(&index);
}

static __always_inline struct z3t_order *z3t_order_at(u32 pair)
{
	return order.lookup(&pair);
}

static __always_inline struct z3t_checker *z3t_checker(void)
{
	u32 cpu = bpf_get_smp_processor_id();

	return checkers.lookup(&cpu);
}

/* *site* is site + 1. */
static __always_inline struct z3t_offences *z3t_offences_at(u32 cpu, u32 rule,
							    u32 site)
{
	u32 index = (cpu * Z3T_CHECK_RULES + rule) * 2 * Z3T_SITES +
		    (site & (2 * Z3T_SITES - 1));

	return offences.lookup(&index);
}

static __always_inline struct z3t_incident *z3t_incident_at(u32 cpu, u32 number)
{
	u32 index = cpu * Z3T_INCIDENTS + number;

	return incidents.lookup(&index);
}

static __always_inline struct z3t_rulebook *z3t_rulebook(void)
{
	u32 zero = 0;

	return rulebook.lookup(&zero);
}
#endif

#include "record.h"
#include "registers.h"
#include "classify.h"
#include "held.h"
#ifdef Z3T_CHECK
#include "incident.bpf.h"
#include "check.bpf.h"
#include "watch.bpf.h"
#else
#include "nocheck.h"
#endif
#include "slowpath.bpf.h"
#include "operations.bpf.h"
#include "locks.bpf.h"
#include "lockfunctions.bpf.h"
#ifdef Z3T_CHECK
#include "slowcheck.bpf.h"
#endif

int z3t_operation_entry(struct pt_regs *ctx)
{
	return on_operation_entry(ctx);
}

int z3t_operation_return(struct pt_regs *ctx)
{
	return on_operation_return(ctx);
}

int z3t_operation_pool(struct pt_regs *ctx)
{
	return on_operation_pool(ctx);
}

int z3t_operation_fentry(u64 *ctx)
{
	return on_operation_fentry(ctx);
}

int z3t_operation_fexit(u64 *ctx)
{
	return on_operation_fexit(ctx);
}

/* The instruction pointer is one past the probed address, for a breakpoint, an
 * optimised jump and ftrace alike. */
int z3t_lock(struct pt_regs *ctx)
{
	return on_lock(ctx);
}

int z3t_lock_fentry(u64 *ctx)
{
	return on_lock_function_entry(ctx);
}

int z3t_lock_fexit(u64 *ctx)
{
	return on_lock_function_exit(ctx);
}

int z3t_slow_path(u64 *ctx)
{
#ifdef Z3T_CHECK
	on_slow_attempt(ctx);
#endif
	return on_slow_path(ctx);
}

/* Does nothing: what the kernel's way to a program and back costs. */
int z3t_empty(void *ctx)
{
	return 0;
}

#ifdef Z3T_CHECK
int z3t_switch(void *ctx)
{
	return on_switch();
}

int z3t_free(struct pt_regs *ctx)
{
	return on_free(ctx);
}

int z3t_tick(void *ctx)
{
	return on_tick();
}

int z3t_condition(struct pt_regs *ctx)
{
	return on_condition(ctx);
}
#endif
