/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tables of a timed module: made before the module's own init, read through
 * debugfs, gone after its exit. Included by timed.h, after the macros, so that
 * what these headers inline is timed.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#define Z3TIMED_MAGIC 0x31444d495454335aull
#define Z3TIMED_MOST_CALLS 8192

/* What is read: sums over all CPUs, in this order, then the counts of each
 * call; all numbers are of 64 bits. */
struct z3timed_sums {
	u64 events;
	struct z3timed_counts counts;
};
struct z3timed_figures {
	u64 magic;
	u64 calls;
	u64 ledger[Z3TIMED_LEDGER];
	u64 nesting[Z3TIMED_CLASSES + 1][Z3TIMED_CLASSES];
	u64 buckets[Z3TIMED_METRICS][Z3TIMED_CLASSES][Z3T_BUCKETS];
	struct z3timed_sums sums[];
};

static struct dentry *z3timed_directory;

static u32 z3timed_number_of_calls(void)
{
	return z3timed_place(z3timed_calls_end) / Z3TIMED_STRIDE;
}

static void z3timed_clear_counts(struct z3timed_counts *counts)
{
	memset(counts, 0, sizeof(*counts));
	counts->values[Z3TIMED_WAIT].min = U64_MAX;
	counts->values[Z3TIMED_HOLD].min = U64_MAX;
}

/* All figures begin anew, and calls have the classes that are given. */
static void z3timed_clear(const u8 *classes)
{
	u32 i, calls = z3timed_number_of_calls();
	int n;

	for_each_possible_cpu(n)
	{
		struct z3timed_cpu *cpu = per_cpu(z3timed_cpu, n);

		memset(cpu->ledger, 0, sizeof(cpu->ledger));
		memset(cpu->nesting, 0, sizeof(cpu->nesting));
		memset(cpu->tables->buckets, 0, sizeof(cpu->tables->buckets));
		for (i = 0; i < calls; i++) {
			cpu->hot[i].events = 0;
			cpu->hot[i].column =
				classes ? classes[i] * sizeof(u64) : 0;
			z3timed_clear_counts(&cpu->tables->counts[i]);
		}
	}
}

static void z3timed_sum(u64 *into, const u64 *from, size_t many)
{
	while (many--)
		*into++ += *from++;
}

static void z3timed_sum_counts(struct z3timed_counts *into,
			       const struct z3timed_counts *from)
{
	u32 i;

	into->failures += from->failures;
	for (i = 0; i < Z3TIMED_METRICS; i++) {
		struct z3timed_values *values = &into->values[i];

		values->sum += from->values[i].sum;
		values->count += from->values[i].count;
		values->max = max(values->max, from->values[i].max);
		values->min = min(values->min, from->values[i].min);
	}
}

static void z3timed_sum_cpu(struct z3timed_figures *figures,
			    const struct z3timed_cpu *cpu)
{
	u32 i;

	z3timed_sum(figures->ledger, cpu->ledger, Z3TIMED_LEDGER);
	z3timed_sum(figures->nesting[0], cpu->nesting[0],
		    sizeof(figures->nesting) / sizeof(u64));
	z3timed_sum(figures->buckets[0][0], cpu->tables->buckets[0][0],
		    sizeof(figures->buckets) / sizeof(u64));
	for (i = 0; i < figures->calls; i++) {
		figures->sums[i].events += cpu->hot[i].events;
		z3timed_sum_counts(&figures->sums[i].counts,
				   &cpu->tables->counts[i]);
	}
	figures->ledger[Z3TIMED_OPEN_HOLDS] += READ_ONCE(cpu->top) - cpu->held;
}

static int z3timed_open(struct inode *inode, struct file *file)
{
	u32 i, calls = z3timed_number_of_calls();
	struct z3timed_figures *figures =
		vzalloc(struct_size(figures, sums, calls));
	int n;

	if (!figures)
		return -ENOMEM;
	figures->magic = Z3TIMED_MAGIC;
	figures->calls = calls;
	for (i = 0; i < calls; i++)
		z3timed_clear_counts(&figures->sums[i].counts);
	for_each_possible_cpu(n)
		z3timed_sum_cpu(figures, per_cpu(z3timed_cpu, n));
	for (i = 0; i < ARRAY_SIZE(z3timed_sleepers); i++)
		if (READ_ONCE(z3timed_sleepers[i].task))
			figures->ledger[Z3TIMED_OPEN_HOLDS]++;
	file->private_data = figures;
	return 0;
}

static ssize_t z3timed_read(struct file *file, char __user *buffer, size_t size,
			    loff_t *offset)
{
	struct z3timed_figures *figures = file->private_data;

	return simple_read_from_buffer(
		buffer, size, offset, figures,
		struct_size(figures, sums, figures->calls));
}

static int z3timed_close(struct inode *inode, struct file *file)
{
	vfree(file->private_data);
	return 0;
}

/* The mean number of acquisitions to a timed hold, then the class of each call,
 * a byte each; all figures begin anew. */
static ssize_t z3timed_start(struct file *file, const char __user *buffer,
			     size_t size, loff_t *offset)
{
	u32 i, calls = z3timed_number_of_calls();
	u8 *classes;

	if (size != calls + 1)
		return -EINVAL;
	classes = memdup_user(buffer, size);
	if (IS_ERR(classes))
		return PTR_ERR(classes);
	for (i = 1; i <= calls; i++)
		if (classes[i] >= Z3TIMED_CLASSES)
			break;
	if (i <= calls || !classes[0]) {
		kfree(classes);
		return -EINVAL;
	}
	z3timed_spread = 2 * classes[0] - 1;
	z3timed_clear(classes + 1);
	WRITE_ONCE(z3timed_begun, z3timed_clock());
	kfree(classes);
	return size;
}

static const struct file_operations z3timed_figures_fops = {
	.owner = THIS_MODULE,
	.open = z3timed_open,
	.read = z3timed_read,
	.release = z3timed_close,
};

static const struct file_operations z3timed_classes_fops = {
	.owner = THIS_MODULE,
	.write = z3timed_start,
};

static void z3timed_end(void)
{
	int n;

	debugfs_remove_recursive(z3timed_directory);
	for_each_possible_cpu(n)
	{
		struct z3timed_cpu *cpu = per_cpu(z3timed_cpu, n);

		if (cpu == Z3TIMED_NOBODY)
			continue;
		per_cpu(z3timed_cpu, n) = Z3TIMED_NOBODY;
		vfree(cpu->tables);
		vfree(cpu);
	}
}

static int z3timed_begin_cpu(int n, u32 calls)
{
	struct z3timed_cpu *cpu =
		vzalloc_node(struct_size(cpu, hot, calls), cpu_to_node(n));

	if (!cpu)
		return -ENOMEM;
	cpu->tables = vzalloc_node(struct_size(cpu->tables, counts, calls),
				   cpu_to_node(n));
	if (!cpu->tables) {
		vfree(cpu);
		return -ENOMEM;
	}
	cpu->top = cpu->held;
	cpu->held[0].column = Z3TIMED_NOTHING;
	cpu->turns = 1;
	cpu->random = n + 1;
	per_cpu(z3timed_cpu, n) = cpu;
	return 0;
}

/* Its name tells the host that the module has tables. */
static noinline int __init __maybe_unused z3timed_begin(void)
{
	u32 calls = z3timed_number_of_calls();
	int n;

	if (calls > Z3TIMED_MOST_CALLS)
		return -E2BIG;
	z3timed_tsc = !check_tsc_unstable() && tsc_khz > 1000;
	z3timed_scale = z3timed_tsc
				? div_u64(1000000ull << Z3TIMED_SHIFT, tsc_khz)
				: 1 << Z3TIMED_SHIFT;
	z3timed_measure_floor();
	for_each_possible_cpu(n)
	{
		if (z3timed_begin_cpu(n, calls)) {
			z3timed_end();
			return -ENOMEM;
		}
	}
	z3timed_clear(NULL);
	z3timed_directory = debugfs_create_dir("z3timed-" KBUILD_MODNAME, NULL);
	debugfs_create_file("figures", 0400, z3timed_directory, NULL,
			    &z3timed_figures_fops);
	debugfs_create_file("classes", 0200, z3timed_directory, NULL,
			    &z3timed_classes_fops);
	return 0;
}

#undef module_init
#define module_init(initfn)                                                    \
	int __init init_module(void)                                           \
	{                                                                      \
		int ret = z3timed_begin();                                     \
                                                                               \
		if (ret)                                                       \
			return ret;                                            \
		ret = initfn();                                                \
		if (ret < 0)                                                   \
			z3timed_end();                                         \
		return ret;                                                    \
	}                                                                      \
	___ADDRESSABLE(init_module, __initdata);

#undef module_exit
#define module_exit(exitfn)                                                    \
	void __exit cleanup_module(void)                                       \
	{                                                                      \
		exitfn();                                                      \
		z3timed_end();                                                 \
	}                                                                      \
	___ADDRESSABLE(cleanup_module, __exitdata);
