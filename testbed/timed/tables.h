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
struct z3timed_figures {
	u64 magic;
	u64 calls;
	u64 ledger[Z3TIMED_LEDGER];
	u64 nesting[Z3TIMED_CLASSES][Z3TIMED_CLASSES];
	u64 buckets[Z3TIMED_METRICS][Z3TIMED_CLASSES][Z3T_BUCKETS];
	u64 counts[][Z3TIMED_COUNTS];
};

static struct dentry *z3timed_directory;

static u32 z3timed_number_of_calls(void)
{
	return z3timed_place(z3timed_calls_end) / Z3TIMED_STRIDE;
}

static void z3timed_clear(void)
{
	u32 i, calls = z3timed_number_of_calls();
	int n;

	for_each_possible_cpu(n)
	{
		struct z3timed_cpu *cpu = per_cpu(z3timed_cpu, n);

		memset(cpu->ledger, 0, sizeof(cpu->ledger));
		memset(cpu->nesting, 0, sizeof(cpu->nesting));
		memset(cpu->buckets, 0, sizeof(cpu->buckets));
		memset(cpu->counts, 0, calls * sizeof(cpu->counts[0]));
		for (i = 0; i < calls; i++)
			cpu->counts[i].wait_min = cpu->counts[i].hold_min =
				U64_MAX;
	}
}

static void z3timed_sum(u64 *into, const u64 *from, size_t many)
{
	while (many--)
		*into++ += *from++;
}

static void z3timed_sum_counts(u64 *into, const struct z3timed_counts *from)
{
	u64 sums[Z3TIMED_COUNTS];

	memcpy(sums, into, sizeof(sums));
	z3timed_sum(into, &from->acquisitions, Z3TIMED_COUNTS);
	into[5] = max(sums[5], from->wait_max);
	into[6] = min(sums[6], from->wait_min);
	into[8] = max(sums[8], from->hold_max);
	into[9] = min(sums[9], from->hold_min);
}

/* A lock that is still held was acquired, and not counted yet. */
static void z3timed_sum_open(struct z3timed_figures *figures,
			     const struct z3timed_held *held)
{
	u64 *counts = figures->counts[held->call / Z3TIMED_STRIDE];
	u32 lock_class = z3timed_class(held->call);

	figures->ledger[Z3TIMED_OPEN_HOLDS]++;
	counts[0]++;
	if (held->outer != Z3TIMED_NONE)
		figures->nesting[z3timed_class(held->outer)][lock_class]++;
	if (held->since) {
		u64 wait = z3timed_ns(held->since, held->time);

		counts[1]++;
		counts[4] += wait;
		counts[5] = max(counts[5], wait);
		counts[6] = min(counts[6], wait);
		figures->buckets[Z3TIMED_WAIT][lock_class][z3t_bucket(wait)]++;
	}
}

static void z3timed_sum_cpu(struct z3timed_figures *figures,
			    const struct z3timed_cpu *cpu)
{
	u32 i, depth;

	z3timed_sum(figures->ledger, cpu->ledger, Z3TIMED_LEDGER);
	z3timed_sum(figures->nesting[0], cpu->nesting[0],
		    sizeof(cpu->nesting) / sizeof(u64));
	z3timed_sum(figures->buckets[0][0], cpu->buckets[0][0],
		    sizeof(cpu->buckets) / sizeof(u64));
	for (i = 0; i < figures->calls; i++)
		z3timed_sum_counts(figures->counts[i], &cpu->counts[i]);
	for (i = 0; i < ARRAY_SIZE(cpu->stacks); i++)
		for (depth = READ_ONCE(cpu->stacks[i].depth); depth; depth--)
			z3timed_sum_open(figures, &cpu->stacks[i].held[depth]);
}

static int z3timed_open(struct inode *inode, struct file *file)
{
	u32 i, calls = z3timed_number_of_calls();
	struct z3timed_figures *figures =
		vzalloc(struct_size(figures, counts, calls));
	int n;

	if (!figures)
		return -ENOMEM;
	figures->magic = Z3TIMED_MAGIC;
	figures->calls = calls;
	for (i = 0; i < calls; i++)
		figures->counts[i][6] = figures->counts[i][9] = U64_MAX;
	for_each_possible_cpu(n)
		z3timed_sum_cpu(figures, per_cpu(z3timed_cpu, n));
	for (i = 0; i < ARRAY_SIZE(z3timed_sleepers); i++)
		if (READ_ONCE(z3timed_sleepers[i].task))
			z3timed_sum_open(figures, &z3timed_sleepers[i].held);
	file->private_data = figures;
	return 0;
}

static ssize_t z3timed_read(struct file *file, char __user *buffer, size_t size,
			    loff_t *offset)
{
	struct z3timed_figures *figures = file->private_data;

	return simple_read_from_buffer(
		buffer, size, offset, figures,
		struct_size(figures, counts, figures->calls));
}

static int z3timed_close(struct inode *inode, struct file *file)
{
	vfree(file->private_data);
	return 0;
}

/* The class of each call, a byte each, behind one byte for the whole; all
 * figures begin anew. */
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
	for (i = 0; i <= calls; i++)
		if (classes[i] >= Z3TIMED_CLASSES)
			break;
	if (i <= calls) {
		kfree(classes);
		return -EINVAL;
	}
	for (i = 0; i < calls; i++)
		z3timed_calls[i].lock_class = classes[i + 1];
	kfree(classes);
	z3timed_clear();
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
		kvfree(per_cpu(z3timed_cpu, n));
		per_cpu(z3timed_cpu, n) = NULL;
	}
}

static int z3timed_begin_cpu(int n, u32 calls)
{
	struct z3timed_cpu *cpu = kvzalloc_node(struct_size(cpu, counts, calls),
						GFP_KERNEL, cpu_to_node(n));
	u32 i;

	if (!cpu)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(cpu->stacks); i++)
		cpu->stacks[i].held[0].call = Z3TIMED_NONE;
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
	for_each_possible_cpu(n)
	{
		if (z3timed_begin_cpu(n, calls)) {
			z3timed_end();
			return -ENOMEM;
		}
	}
	z3timed_clear();
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
