"""The kernel that the tests in guests are about.

It is the distribution's own, if that has the module z3fold as a package: many tests
hold a recording of the packaged module against one that was built, or drive reclaim.
Debian 13's kernel has neither, and 6.1 is fetched there; what is tested on the machine's
own kernel and on others is in ``test_kernels.py``.
"""

from z3trace.errors import Z3traceError
from z3trace.kernels import fetch

WITH_Z3FOLD = "6.1"  # a series


def chosen() -> fetch.Kernel:
    own = fetch.cached(None, print)
    try:
        own.module("z3fold")
    except Z3traceError:
        return fetch.cached(WITH_Z3FOLD, print)
    return own
