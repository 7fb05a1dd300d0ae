"""A target's definition, and what it comes to in the code of a module or a kernel.

May import code and all below.
"""
