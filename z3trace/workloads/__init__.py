"""What runs while the probes are attached: the kernel module zpool_bench, zswap, a command.

May import target and all below.
"""
