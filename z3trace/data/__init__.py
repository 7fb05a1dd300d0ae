"""What is written and read: recordings, checks, buckets.  All that analysis needs.

May import the top files only.
"""
