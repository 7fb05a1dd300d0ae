"""Judge lock discipline while a workload runs: arm the rules, keep what they find.

May import recording and all below; reports of a check are made in analysis.
"""
