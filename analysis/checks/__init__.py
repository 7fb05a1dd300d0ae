"""What a check found: violations, what was exercised, the order of locks.

May import z3trace.data.
"""
