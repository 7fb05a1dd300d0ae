"""A verb each: its options, and which rooms do its work.

May import every other room; nothing imports a verb.
"""
