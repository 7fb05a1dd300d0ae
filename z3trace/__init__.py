"""What did a locking patch do to an allocator's latency and to its locks?"""
