/* SPDX-License-Identifier: GPL-2.0-only */
/* The files of a workload in debugfs; see bench.h. */
#ifndef Z3T_BENCH_FILES_H
#define Z3T_BENCH_FILES_H

#include <linux/debugfs.h>
#include <linux/uaccess.h>

static DEFINE_MUTEX(bench_lock);
static struct dentry *directory;

static ssize_t run_write(struct file *file, const char __user *buffer,
			 size_t size, loff_t *offset)
{
	int ret;

	mutex_lock(&bench_lock);
	ret = run_workload();
	mutex_unlock(&bench_lock);
	return ret ? ret : size;
}

static ssize_t teardown_write(struct file *file, const char __user *buffer,
			      size_t size, loff_t *offset)
{
	mutex_lock(&bench_lock);
	free_workers();
	mutex_unlock(&bench_lock);
	return size;
}

static u64 total(size_t field)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < worker_count; i++)
		sum += *(u64 *)((char *)&workers[i].counts + field);
	return sum;
}

#define TOTAL(field) total(offsetof(struct counts, field))

static void show_histogram(struct seq_file *out, int operation)
{
	const char *comma = "";
	u32 bucket, i;

	seq_puts(out, ", \"buckets\": [");
	for (bucket = 0; bucket < Z3T_BUCKETS; bucket++) {
		u64 count = 0;

		for (i = 0; i < worker_count; i++)
			count += workers[i].histogram[operation * Z3T_BUCKETS +
						      bucket];
		if (!count)
			continue;
		seq_printf(out, "%s[%u, %llu]", comma, bucket, count);
		comma = ", ";
	}
	seq_puts(out, "]");
}

#define SHOW_FACT(name)                                                        \
	seq_printf(out, "%s\"" #name "\": %llu", comma, TOTAL(name));          \
	comma = ", ";

static int result_show(struct seq_file *out, void *unused)
{
	const char *comma = "";
	int i;

	mutex_lock(&bench_lock);
	seq_printf(out, "{\"elapsed_ns\": %llu, \"facts\": {", elapsed);
	EVERY_FACT(SHOW_FACT)
	seq_puts(out, "}, \"operations\": {");
	for (i = 0; i < OPERATIONS; i++) {
		seq_printf(out,
			   "%s\"%s\": {\"calls\": %llu, \"failures\": %llu",
			   i ? ", " : "", operation_names[i], TOTAL(calls[i]),
			   TOTAL(failures[i]));
		if (worker_count && workers[0].histogram)
			show_histogram(out, i);
		seq_puts(out, "}");
	}
	seq_puts(out, "}}\n");
	mutex_unlock(&bench_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(result);

static const struct file_operations run_fops = {
	.owner = THIS_MODULE,
	.write = run_write,
};

static const struct file_operations teardown_fops = {
	.owner = THIS_MODULE,
	.write = teardown_write,
};

#define MAKE_FILE(name, value)                                                 \
	debugfs_create_u32(#name, 0600, directory, &parameters.name);

static void make_files(void)
{
	directory = debugfs_create_dir(BENCH, NULL);
	debugfs_create_file("run", 0200, directory, NULL, &run_fops);
	debugfs_create_file("teardown", 0200, directory, NULL, &teardown_fops);
	debugfs_create_file("result", 0400, directory, NULL, &result_fops);
	EVERY_PARAMETER(MAKE_FILE)
	bench_make_files(directory);
}

static void remove_files(void)
{
	debugfs_remove_recursive(directory);
	free_workers();
}

#endif
