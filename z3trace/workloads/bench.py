"""The workloads that are kernel modules of ours, driven through debugfs.

What they share is in ``testbed/workload/bench.h``.
"""

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Self

import msgspec

from z3trace.data.model import OperationTruth, WorkloadResult
from z3trace.errors import CannotTraceError, Z3traceError
from z3trace.workloads import modules
from z3trace.workloads.protocol import parse_parameters

_FILES = Path("/sys/kernel/debug")
#: What every one of them can be told, and what it does if it is told nothing.
COMMON = {
    "threads": "1",
    "ops": "10000",
    "allocs": "0",
    "frees": "0",
    "slots": "256",
    "min_size": "32",
    "max_size": "3000",
    "headless": "0",
    "verify": "1",
    "touches": "0",
    "drain": "0",
    "histogram": "0",
    "own_lock": "0",
}


class _BenchOperation(msgspec.Struct):
    calls: int
    failures: int
    buckets: list[tuple[int, int]] = []


class _BenchResult(msgspec.Struct):
    elapsed_ns: int
    #: What is no count of an operation.
    facts: dict[str, int]
    operations: dict[str, _BenchOperation]


class Bench:
    """A kernel module of ours.

    Parameters are those of its debugfs files; ``ops`` is a thread's, and runs
    without probes on locks, which are faster, make ``fast_ops`` if that is given.
    """

    #: As the command line says it; the module has _ for -.
    NAME: ClassVar[str]
    DEFAULTS: ClassVar[dict[str, str]]
    open_ended = False
    own_lock = True

    def __init__(self, parameters: dict[str, str], module: Path | None) -> None:
        self.parameters = parameters
        self.module_file = module
        self._module = self.NAME.replace("-", "_")
        self._directory = _FILES / self._module
        text = ",".join(f"{key}={value}" for key, value in parameters.items())
        self.description = f"{self.NAME}:{text}" if text else self.NAME
        self.command = ["--workload", self.description]

    @classmethod
    def parse(cls, text: str, module: Path | None) -> Self:
        """From ``threads=2,ops=50000``; UsageError for anything it does not know."""
        return cls(parse_parameters(cls.NAME, text, (*cls.DEFAULTS, "fast_ops")), module)

    def _write(self, name: str, value: str) -> None:
        try:
            fd = os.open(self._directory / name, os.O_WRONLY)
        except OSError as error:
            raise CannotTraceError(
                f"cannot drive {self._module}: {error.strerror}",
                "is debugfs mounted, and are you root?",
            ) from error
        try:
            os.write(fd, value.encode())
        finally:
            os.close(fd)

    @property
    def clocks(self) -> bool:
        """Unless its text says whether it does: then all runs are alike."""
        return "histogram" not in self.parameters

    def prepare(
        self, seed: int, *, fast: bool, clocked: bool = False, own_lock: bool = False
    ) -> None:
        if not self._directory.exists():
            if self.module_file is None:
                raise CannotTraceError(
                    f"{self._module} is not loaded",
                    f"'z3trace kernel build --workload {self.NAME}' builds it for a fetched "
                    "kernel; insmod it",
                )
            modules.insert(self.module_file)
        chosen = {**self.DEFAULTS, **self.parameters, **self.here(), "seed": str(seed)}
        if clocked:
            chosen["histogram"] = "1"
        if own_lock:
            chosen["own_lock"] = "1"
        longer = chosen.pop("fast_ops", None)
        if longer and fast:
            chosen["ops"] = longer
        for key, value in chosen.items():
            self._write(key, value)

    def here(self) -> dict[str, str]:
        """Parameters that depend on what is loaded."""
        return {}

    def driven(self) -> str:
        """The module that is driven, if it is one."""
        raise NotImplementedError

    def run(self) -> WorkloadResult:
        try:
            self._write("run", "1")
        except OSError as error:
            raise Z3traceError(
                f"{self.NAME} did not run: {error.strerror}",
                f"is {self.driven()} loaded, are its parameters in range?",
            ) from error
        result = msgspec.json.decode((self._directory / "result").read_bytes(), type=_BenchResult)
        counted = Path("/sys/module", self.driven(), "parameters/counted_locks")
        operations = [
            OperationTruth(operation=name, calls=o.calls, failures=o.failures, buckets=o.buckets)
            for name, o in result.operations.items()
        ]
        corrupted = result.facts["corrupted"]
        return WorkloadResult(
            status=1 if corrupted else 0,
            elapsed=result.elapsed_ns,
            operations=operations,
            facts=_settled_counts(counted) | result.facts,
            output="an object's bytes were not what was written" if corrupted else "",
        )

    def finish(self) -> None:
        with suppress(OSError):
            self._write("teardown", "1")


def _settled_counts(path: Path) -> dict[str, int]:
    """What a target that counts its own locks has counted, when its work items are done;
    {} for any other target."""
    before: bytes | None = None
    while path.exists():
        now = path.read_bytes()
        if now == before:
            return msgspec.json.decode(now, type=dict[str, int])
        before = now
        time.sleep(0.3)
    return {}
