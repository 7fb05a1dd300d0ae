"""A session, its runs, and the figures that the kernel's maps hold after each.

May import workloads, probing and all below.
"""
