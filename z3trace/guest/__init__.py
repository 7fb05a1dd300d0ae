"""A machine to boot and to talk to: QEMU, its console, what it shares with the host.

May import kernels and all below.
"""
