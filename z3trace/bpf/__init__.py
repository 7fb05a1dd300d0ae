"""The kernel's BPF interface: programs, maps, probes and types.

May import data and the top files; ``compiler`` alone imports bcc.
"""
