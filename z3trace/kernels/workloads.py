"""Build what the workloads of our own need: kernel modules and programs, ours all of them.

A workload is built when it is asked for: not every kernel has what each of them drives.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from z3trace import paths, tools
from z3trace.errors import UsageError
from z3trace.kernels.build import Module, build_own
from z3trace.kernels.layout import Kernel
from z3trace.kernels.lists import Say

_ZPOOL, _ZSMALLOC = "linux/zpool.h", "linux/zsmalloc.h"
#: What zsmalloc.h says -> what zs_bench.c is told of it.
_INTERFACES = {
    "ZS_HAS_READ": r"\bzs_obj_read_begin\(",
    "ZS_READ_TAKES_SIZE": r"\bzs_obj_read_begin\([^)]*\bsize_t\b",
    "ZS_HAS_SG": r"\bzs_obj_read_sg_begin\(",
    "ZS_MALLOC_TAKES_NODE": r"\bzs_malloc\([^)]*\bint nid\b",
}
_ASKED = r"--workload[=\s]+['\"]?({})(?![\w-])"


def _header(kernel: Kernel, name: str) -> str | None:
    """The text of a header of the kernel; None if it has none."""
    files = kernel.root.glob(f"usr/src/linux-headers-*/include/{name}")
    path = next(iter(sorted(files)), None)
    return path.read_text(errors="replace") if path else None


def zsmalloc_flags(header: str) -> str:
    """What the compiler is told of the functions that *header*, zsmalloc.h, declares."""
    said = [name for name, pattern in _INTERFACES.items() if re.search(pattern, header)]
    return " ".join(f"-D{name}" for name in said)


def _zpool_bench(kernel: Kernel, say: Say) -> Module:
    if _header(kernel, _ZPOOL) is None:
        raise UsageError(
            f"{kernel.release} has no zpool, which zpool-bench drives",
            "kernels from 6.18 on have none: --target zsmalloc --workload zs-bench works there",
        )
    return _module(kernel, "zpool_bench", "", say)


def _zs_bench(kernel: Kernel, say: Say) -> Module:
    header = _header(kernel, _ZSMALLOC)
    if header is None:
        raise UsageError(f"the headers of {kernel.release} have no {_ZSMALLOC}")
    return _module(kernel, "zs_bench", zsmalloc_flags(header), say)


def _module(kernel: Kernel, name: str, flags: str, say: Say) -> Module:
    """Build ``testbed/workload/<name>.c`` for *kernel*."""
    from z3trace.bpf.programs import probe_source

    home = paths.testbed() / "workload"
    files = [home / f"{name}.c", *sorted(home.glob("*.h")), probe_source() / "histogram.h"]
    return build_own(kernel, name, files, flags, say)


def program_directory(name: str) -> Path:
    """Where a program of ``testbed/workload`` is, once it was built from these sources."""
    home = paths.testbed() / "workload"
    sources = (home / f"{name}.c").read_bytes() + (home / "pages.h").read_bytes()
    return paths.cache() / "programs" / f"{name}-{hashlib.sha256(sources).hexdigest()[:16]}"


def build_program(name: str, say: Say) -> Path:
    """Build a user-space program of ``testbed/workload``."""
    source, directory = paths.testbed() / "workload" / f"{name}.c", program_directory(name)
    if not directory.exists():
        say(f"building {name}")
        with paths.new_directory(directory, replace=False) as work:
            tools.run(["gcc", "-O2", "-Wall", "-pthread", "-o", work / name, source])
    return paths.trusted(directory / name)


def _program(name: str, _: Kernel, say: Say) -> Path:
    return build_program(name, say)


_MODULES: dict[str, Callable[[Kernel, Say], Module]] = {
    "zpool-bench": _zpool_bench,
    "zs-bench": _zs_bench,
}
_PROGRAMS = {
    "zswap": partial(_program, "zswap_pressure"),
    "zram": partial(_program, "zram_io"),
}
NAMES = (*_MODULES, *_PROGRAMS)


def build_workload(kernel: Kernel, say: Say, name: str = "zpool-bench") -> Module:
    """Build the module of the workload *name*; UsageError if it has none, or if *kernel* has
    not what it drives."""
    if name not in _MODULES:
        raise UsageError(f"{name!r} is no module", f"there are: {', '.join(_MODULES)}")
    return _MODULES[name](kernel, say)


def asked_for(words: Sequence[str]) -> list[str]:
    """The workloads that a command line, or a script in it, asks for."""
    return re.findall(_ASKED.format("|".join(NAMES)), " ".join(words))


def build_workloads(kernel: Kernel, texts: Iterable[str], say: Say) -> None:
    """Build what the workloads need that *texts* name, such as ``zs-bench:threads=2``; a
    text that names none of ours needs nothing."""
    for name in dict.fromkeys(text.partition(":")[0] for text in texts):
        if name in _MODULES:
            _MODULES[name](kernel, say)
        elif name in _PROGRAMS:
            _PROGRAMS[name](kernel, say)
