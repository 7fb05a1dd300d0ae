"""The workload ``zswap``: real memory pressure through zswap on a target's pool.

A memory cgroup, a RAM disk as swap device, zswap switched to the pool type (where it has
more than one), and a program that touches more memory than the cgroup allows and checks
every byte.
What is changed in the kernel's settings is put back by ``finish``.
"""

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from z3trace import tools
from z3trace.data.model import WorkloadResult
from z3trace.errors import CannotTraceError
from z3trace.workloads.program import Program

_PARAMETERS = Path("/sys/module/zswap/parameters")
_STATISTICS = Path("/sys/kernel/debug/zswap")
_CGROUP = Path("/sys/fs/cgroup/z3trace")
_DISK = Path("/dev/ram0")
_SAID = re.compile(r"pages (\d+)")
#: What zswap keeps its pages in where it cannot be told, from 6.18 on.
_ONLY = "zsmalloc"


class Zswap(Program):
    """Parameters: ``mb`` touched, ``limit`` of the cgroup in MB, ``passes`` over it, ``type``."""

    NAME = "zswap"
    BUILT = "zswap_pressure"
    DEFAULTS: ClassVar[dict[str, str]] = {
        "mb": "96",
        "limit": "32",
        "passes": "2",
        "type": "z3fold",
    }
    BOUNDS: ClassVar[dict[str, tuple[int, int]]] = {
        "mb": (1, 4096),
        "limit": (1, 4096),
        "passes": (1, 1000),
    }

    def __init__(self, parameters: dict[str, str], program: Path | None) -> None:
        super().__init__(parameters, program)
        self._before: dict[str, str] = {}

    def _set(self, name: str, value: str) -> None:
        path = _PARAMETERS / name
        try:
            self._before.setdefault(name, path.read_text().strip())
            path.write_text(value)
        except OSError as error:
            raise CannotTraceError(
                f"cannot set zswap's {name} to {value}: {error.strerror}"
            ) from error

    def make_ready(self) -> None:
        if not _PARAMETERS.exists():
            raise CannotTraceError("this kernel has no zswap")
        wanted = self.given.get("type", _ONLY)
        if wanted != _ONLY and not (_PARAMETERS / "zpool").exists():
            raise CannotTraceError(
                f"zswap of this kernel has no pool type {wanted}: it has {_ONLY} only",
                "leave type out, and give --target zsmalloc",
            )
        size = 2 * int(self.parameters["mb"]) * 1024
        if not _DISK.exists():
            tools.run(
                ["modprobe", "brd", "rd_nr=1", f"rd_size={size}"], doing="making a swap device"
            )
        tools.run(["mkswap", _DISK], doing="making a swap device")
        tools.run(["swapon", _DISK], doing="switching swap on")
        self._choose_pool()
        self._set("enabled", "Y")
        with suppress(OSError):
            (_CGROUP.parent / "cgroup.subtree_control").write_text("+memory")
        try:
            _CGROUP.mkdir(exist_ok=True)
            (_CGROUP / "memory.max").write_text(f"{self.parameters['limit']}M")
        except OSError as error:
            raise CannotTraceError(f"cannot make a memory cgroup: {error.strerror}") from error

    def _choose_pool(self) -> None:
        """Where zswap has one type of pool only, there is nothing to choose."""
        if (_PARAMETERS / "zpool").exists():
            self._set("zpool", self.parameters["type"])

    def run(self) -> WorkloadResult:
        def enter() -> None:
            (_CGROUP / "cgroup.procs").write_text(str(os.getpid()))

        arguments = [*(self.parameters[name] for name in ("mb", "passes")), str(self._seed)]
        return self.execute(arguments, enter)

    def facts(self, said: str) -> dict[str, int]:
        facts = {}
        for path in sorted(_STATISTICS.glob("*")):
            with suppress(OSError, ValueError):
                facts[f"zswap_{path.name}"] = int(path.read_text())
        if match := _SAID.search(said):
            facts["pages_touched"] = int(match[1])
        return facts

    def finish(self) -> None:
        for name, value in self._before.items():
            with suppress(OSError):
                (_PARAMETERS / name).write_text(value)
        self._before = {}
        with suppress(Exception):
            tools.run(["swapoff", _DISK])
        with suppress(OSError):
            _CGROUP.rmdir()
