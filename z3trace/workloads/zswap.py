"""The workload ``zswap``: real memory pressure through zswap on a target's pool.

A memory cgroup, a RAM disk as swap device, zswap switched to the pool type (where it has
more than one), and a program that touches more memory than the cgroup allows and checks
every byte.
What is changed in the kernel's settings is put back by ``finish``.
"""

import os
import re
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from z3trace import tools
from z3trace.data.model import WorkloadResult
from z3trace.errors import CannotTraceError
from z3trace.workloads.output import OUTPUT_LIMIT
from z3trace.workloads.protocol import parse_parameters

_PARAMETERS = Path("/sys/module/zswap/parameters")
_STATISTICS = Path("/sys/kernel/debug/zswap")
_CGROUP = Path("/sys/fs/cgroup/z3trace")
_DISK = Path("/dev/ram0")
#: What zswap keeps its pages in where it cannot be told, from 6.18 on.
_ONLY = "zsmalloc"


class Zswap:
    """Parameters: ``mb`` touched, ``limit`` of the cgroup in MB, ``passes`` over it, ``type``."""

    DEFAULTS: ClassVar[dict[str, str]] = {
        "mb": "96",
        "limit": "32",
        "passes": "2",
        "type": "z3fold",
    }
    open_ended = False
    clocks = False
    own_lock = False
    module_file = None

    def __init__(self, parameters: dict[str, str], program: Path | None) -> None:
        self.parameters = {**self.DEFAULTS, **parameters}
        self._type = parameters.get("type", "")
        self._program = program
        self._before: dict[str, str] = {}
        self._seed = 1
        text = ",".join(f"{key}={value}" for key, value in parameters.items())
        self.description = f"zswap:{text}" if text else "zswap"
        self.command = ["--workload", self.description]

    @classmethod
    def parse(cls, text: str, program: Path | None) -> "Zswap":
        """From ``mb=96,limit=32``; UsageError for anything it does not know."""
        return cls(parse_parameters("zswap", text, cls.DEFAULTS), program)

    def _set(self, name: str, value: str) -> None:
        path = _PARAMETERS / name
        try:
            self._before.setdefault(name, path.read_text().strip())
            path.write_text(value)
        except OSError as error:
            raise CannotTraceError(
                f"cannot set zswap's {name} to {value}: {error.strerror}"
            ) from error

    def prepare(
        self, seed: int, *, fast: bool, clocked: bool = False, own_lock: bool = False
    ) -> None:
        del fast
        self._seed = seed
        if self._program is None:
            raise CannotTraceError("zswap_pressure is not built", "'z3trace vm' builds it")
        if not _PARAMETERS.exists():
            raise CannotTraceError("this kernel has no zswap")
        if self._type and not (_PARAMETERS / "zpool").exists() and self._type != _ONLY:
            raise CannotTraceError(
                f"zswap of this kernel has no pool type {self._type}: it has {_ONLY} only",
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

    def _statistics(self) -> dict[str, int]:
        found = {}
        for path in sorted(_STATISTICS.glob("*")):
            with suppress(OSError, ValueError):
                found[f"zswap_{path.name}"] = int(path.read_text())
        return found

    def run(self) -> WorkloadResult:
        start = time.monotonic_ns()
        arguments = [
            str(self._program),
            self.parameters["mb"],
            self.parameters["passes"],
            str(self._seed),
        ]

        def enter() -> None:
            (_CGROUP / "cgroup.procs").write_text(str(os.getpid()))

        process = subprocess.run(
            arguments,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            preexec_fn=enter,
            check=False,
        )
        elapsed = time.monotonic_ns() - start
        facts = self._statistics()
        match = re.search(r"pages (\d+)", process.stdout)
        if match:
            facts["pages_touched"] = int(match[1])
        return WorkloadResult(
            status=process.returncode,
            elapsed=elapsed,
            facts=facts,
            output=(process.stdout + process.stderr)[-OUTPUT_LIMIT:],
        )

    def finish(self) -> None:
        for name, value in self._before.items():
            with suppress(OSError):
                (_PARAMETERS / name).write_text(value)
        self._before = {}
        with suppress(Exception):
            tools.run(["swapoff", _DISK])
        with suppress(OSError):
            _CGROUP.rmdir()
