"""The figures of one histogram, one run, one recording.

May import z3trace.data.
"""
