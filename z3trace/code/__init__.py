"""Machine code: functions, lock calls, source lines, and where a probe may stand.

May import bpf and all below.
"""
