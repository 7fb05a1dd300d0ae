"""A kernel to trace: fetch it, build variants of a module for it, boot it."""
