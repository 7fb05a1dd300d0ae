"""What runs while the probes are attached: kernel modules of ours, zram, zswap, a command.

May import target and all below.
"""
