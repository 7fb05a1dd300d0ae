"""Where probes go on this kernel, what it allows, and what they cost.

May import target and all below.
"""
