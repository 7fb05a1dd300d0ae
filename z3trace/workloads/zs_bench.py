"""The workload ``zs-bench``: a kernel module that drives zsmalloc's exported functions."""

from pathlib import Path
from typing import ClassVar

from z3trace.data import beside
from z3trace.workloads.bench import COMMON, Bench

_COPY = beside.name_of("zsmalloc")
_MODULES = Path("/sys/module")


class ZsBench(Bench):
    """The kernel module ``zs_bench``; of two zsmallocs it drives the copy that was built
    beside the kernel's own."""

    NAME = "zs-bench"
    DEFAULTS: ClassVar = {**COMMON, "compact": "0", "migrate": "0", "sg": "0"}

    def here(self) -> dict[str, str]:
        return {"beside": str(int((_MODULES / _COPY).exists()))}

    def driven(self) -> str:
        return _COPY if (_MODULES / _COPY).exists() else "zsmalloc"
