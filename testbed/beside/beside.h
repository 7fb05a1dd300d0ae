/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included before a source file of the kernel that is built into it, to build
 * it as a module beside the kernel's own: whatever there can be only one of is
 * left to that.
 *
 * - Exported functions get names of their own, z3t_ and the kernel's name.
 *   Inside the module they are called what they are called in the source.
 * - A step of CPU hotplug with a number of its own becomes one of those that
 *   are given out.
 * - A driver for zpool is left as it is: of two with one name, zpool gives new
 *   pools to the one that came last.
 * - The functions that the kernel moves pages with stay its own.  The module's
 *   pages are not movable for the kernel, where it finds those functions by the
 *   type of a page and not by the page itself.
 */
#ifndef Z3T_BESIDE_H
#define Z3T_BESIDE_H

#include <linux/cpuhotplug.h>
#include <linux/export.h>
#include <linux/migrate.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#define Z3T_GPL "_gpl"
#else
#define Z3T_GPL "GPL"
#endif

#define Z3T_EXPORT(name, license)                                              \
	extern typeof(name) z3t_##name __attribute__((alias(#name)));          \
	_EXPORT_SYMBOL(z3t_##name, license)
#undef EXPORT_SYMBOL
#undef EXPORT_SYMBOL_GPL
#define EXPORT_SYMBOL(name) Z3T_EXPORT(name, "")
#define EXPORT_SYMBOL_GPL(name) Z3T_EXPORT(name, Z3T_GPL)

static int __maybe_unused z3t_hotplug_step;

#define cpuhp_setup_state(step, name, up, down)                                \
	({                                                                     \
		z3t_hotplug_step = (cpuhp_setup_state)(CPUHP_BP_PREPARE_DYN,   \
						       name, up, down);        \
		min(z3t_hotplug_step, 0);                                      \
	})
#define cpuhp_remove_state(step) (cpuhp_remove_state)(z3t_hotplug_step)

#define set_movable_ops(operations, type) ((void)(operations), 0)
#define SetPageMovableOps(page) ((void)(page))

#endif
