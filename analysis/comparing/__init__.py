"""Recordings held against each other: two, several, or an archive over time.

May import figures and statistics.
"""
