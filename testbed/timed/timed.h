/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Force-included into a module that is to time its own locks: a *timed* build.
 *
 * Every lock call of the source becomes a macro with a static descriptor: file,
 * line, function, the lock as the source writes it. As the kernel's lock_stat
 * does, a call that takes a lock tries first, and only if that fails reads the
 * clock before it takes the lock by the original function. What is counted is
 * per CPU, and read through debugfs: z3trace/recording/timed.py, which has the
 * layout of the figures too. docs/design.md, "Timed builds", says what is kept
 * where and why.
 *
 * The headers of the locks come first: what they inline is not timed. All
 * other headers of the source meet the macros.
 */
#ifndef Z3TIMED_H
#define Z3TIMED_H

/* As nearly every source has it, before it does: they are the same then. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

/* bit_spinlock.h leaves it to its users to bring cpu_relax(). */
#include <linux/processor.h>

#include <linux/atomic.h>
#include <linux/bit_spinlock.h>
#include <linux/hash.h>
#include <linux/jiffies.h>
#include <linux/math64.h>
#include <linux/mutex.h>
#include <linux/percpu-defs.h>
#include <linux/preempt.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <asm/msr.h>
#include <asm/tsc.h>

#include "counts.h"
#include "tries.h"
#include "sleeping.h"
#include "spinning.h"
#include "forms.h"
#include "macros.h"
#include "tables.h"

#endif
