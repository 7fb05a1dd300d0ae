/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses of functions that the kernel does not export: a kprobe that is
 * registered and removed gives kallsyms_lookup_name, and that gives the
 * others. */
#ifndef Z3T_SYMBOLS_H
#define Z3T_SYMBOLS_H

#include <linux/kprobes.h>

typedef unsigned long (*lookup_t)(const char *name);

static lookup_t find_lookup(void)
{
	struct kprobe probe = {.symbol_name = "kallsyms_lookup_name"};
	lookup_t lookup;

	if (register_kprobe(&probe))
		return NULL;
	lookup = (lookup_t)probe.addr;
	unregister_kprobe(&probe);
	return lookup;
}

#endif
