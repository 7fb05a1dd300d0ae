"""Kernels to trace: fetch their packages, build variants of a module for them.

May import code and all below.
"""
