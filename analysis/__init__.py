"""From recordings to statements: tidy tables, statistics, plots and reports.

Runs anywhere, as anyone; never touches the kernel side of z3trace.
"""
