"""A kernel to trace when you have none: workloads, variants, a guest."""
