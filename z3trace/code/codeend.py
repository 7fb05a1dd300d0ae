"""The end of a module's code, which the kernel reads beyond when a probe is put before it.

To see whether a probe can be a jump, the kernel decodes the function that it is in, from
its first byte up to the next symbol (can_optimize in arch/x86/kernel/kprobes/opt.c).  The
last function of a module has no next symbol: it is decoded up to the end of the page.
What lies there is zeros, instructions of two bytes.  If one byte is left over, its second
half is looked for behind the page.  Until Linux 6.3 a module's data lies there; since
then its code is a mapping of its own, nothing lies there, and the kernel crashes.
"""

import os
import re
from collections.abc import Mapping
from typing import Protocol

from z3trace.errors import CannotTraceError

_PAGE = 4096
_SINCE = (6, 4)


class Code(Protocol):
    """What is asked of a module's file."""

    @property
    def code_sizes(self) -> Mapping[str, int]: ...
    @property
    def functions(self) -> Mapping[str, tuple[str, int]]: ...


class Loaded(Protocol):
    """What is asked of a loaded module."""

    def address(self, section: str, offset: int) -> int: ...


def deadly(code: Code, loaded: Loaded, release: str | None = None) -> str:
    """The function of a loaded module in which no probe may be put on this kernel; empty
    if there is none."""
    numbers = re.findall(r"\d+", release or os.uname().release)
    if tuple(map(int, numbers[:2])) < _SINCE:
        return ""
    bases = {}
    for section in code.code_sizes:
        try:
            bases[section] = loaded.address(section, 0)
        except CannotTraceError:
            continue  # Not kept when the module was loaded.
    end = max((base + code.code_sizes[name] for name, base in bases.items()), default=0)
    if -end % _PAGE % 2 == 0:
        return ""
    starts = [
        (bases[section] + offset, function)
        for function, (section, offset) in code.functions.items()
        if section in bases
    ]
    return max(starts, default=(0, ""))[1]
