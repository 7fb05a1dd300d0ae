"""Code that is built into a kernel, built as a module beside it.

The kernel keeps its own, and whoever uses that goes on to.  The module is the same source
under another name, with other names for the functions that it exports (``beside.h``), so a
workload of ours can drive it: before and after a patch of built-in code, without building a
kernel.  Nothing of the kernel's source is kept: what a module cannot have, the header turns
into what it can.
"""

from pathlib import Path

from z3trace import paths
from z3trace.data.beside import name_of
from z3trace.kernels.layout import Kernel

__all__ = ["header", "is_built_in", "name_of"]


def is_built_in(kernel: Kernel, name: str) -> bool:
    """Whether *kernel* lists the module *name* as a part of itself."""
    try:
        lines = (kernel.modules / "modules.builtin").read_text().splitlines()
    except OSError:
        return False
    return name.replace("-", "_") in {Path(line).stem.replace("-", "_") for line in lines}


def header() -> Path:
    """What is included before the source of such a module."""
    return paths.testbed() / "beside/beside.h"
