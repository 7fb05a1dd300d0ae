"""Groups of runs: intervals, tests, verdicts.  Numbers in, numbers out.

May import nothing of z3trace.
"""
