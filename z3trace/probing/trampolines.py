"""Trampolines are put in place all or none: half of them would count half."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress


def close(descriptors: list[int]) -> None:
    """Close all of *descriptors*, and forget them."""
    while descriptors:
        with suppress(OSError):
            os.close(descriptors.pop())


@contextmanager
def all_or_none() -> Iterator[list[int]]:
    """A list for the descriptors of loaded programs, which are closed if the block fails."""
    descriptors: list[int] = []
    try:
        yield descriptors
    except BaseException:
        close(descriptors)
        raise
