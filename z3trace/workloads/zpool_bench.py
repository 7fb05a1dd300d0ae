"""The workload ``zpool-bench``: a kernel module that drives an allocator through zpool."""

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

import msgspec

from z3trace.data.model import OperationTruth, WorkloadResult
from z3trace.errors import CannotTraceError, Z3traceError
from z3trace.workloads import modules
from z3trace.workloads.protocol import parse_parameters

_BENCH = Path("/sys/kernel/debug/zpool_bench")
#: Of the module's result, what is no count of an operation.
_FACTS = (
    "own_locks",
    "headless",
    "corrupted",
    "empty_reclaims",
    "evictions_accepted",
    "evictions_refused",
    "evictions_stale",
)


class _BenchOperation(msgspec.Struct):
    calls: int
    failures: int
    buckets: list[tuple[int, int]] = []


class _BenchResult(msgspec.Struct):
    elapsed_ns: int
    corrupted: int
    operations: dict[str, _BenchOperation]
    headless: int
    own_locks: int
    empty_reclaims: int
    evictions_accepted: int
    evictions_refused: int
    evictions_stale: int


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


class ZpoolBench:
    """The kernel module ``zpool_bench``, driven through debugfs.

    Parameters are those of its debugfs files; ``ops`` is a thread's, and runs
    without probes on locks, which are faster, make ``fast_ops`` if that is given.
    """

    DEFAULTS: ClassVar[dict[str, str]] = {
        "type": "z3fold",
        "threads": "1",
        "ops": "10000",
        "allocs": "0",
        "frees": "0",
        "slots": "256",
        "min_size": "32",
        "max_size": "3000",
        "headless": "0",
        "reclaim": "0",
        "refuse": "0",
        "verify": "1",
        "touches": "0",
        "drain": "0",
        "histogram": "0",
        "own_lock": "0",
    }
    #: What a workload's text may set.
    PARAMETERS: ClassVar = (*DEFAULTS, "fast_ops")
    open_ended = False
    own_lock = True

    def __init__(self, parameters: dict[str, str], module: Path | None) -> None:
        self.parameters = parameters
        self.module_file = module
        self.description = "zpool-bench" + "".join(
            f"{':' if i == 0 else ','}{key}={value}"
            for i, (key, value) in enumerate(parameters.items())
        )
        self.command = ["--workload", self.description]

    @classmethod
    def parse(cls, text: str, module: Path | None) -> "ZpoolBench":
        """From ``threads=2,ops=50000``; UsageError for anything it does not know."""
        parameters = parse_parameters("zpool-bench", text, cls.PARAMETERS)
        return cls(parameters, module)

    def _write(self, name: str, value: str) -> None:
        try:
            fd = os.open(_BENCH / name, os.O_WRONLY)
        except OSError as error:
            raise CannotTraceError(
                f"cannot drive zpool_bench: {error.strerror}",
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
        if not _BENCH.exists():
            if self.module_file is None:
                raise CannotTraceError(
                    "zpool_bench is not loaded",
                    "'z3trace kernel build --workload' builds it for a fetched kernel; insmod it",
                )
            modules.insert(self.module_file)
        chosen = {**self.DEFAULTS, **self.parameters, "seed": str(seed)}
        if clocked:
            chosen["histogram"] = "1"
        if own_lock:
            chosen["own_lock"] = "1"
        longer = chosen.pop("fast_ops", None)
        if longer and fast:
            chosen["ops"] = longer
        for key, value in chosen.items():
            self._write(key, value)

    def run(self) -> WorkloadResult:
        try:
            self._write("run", "1")
        except OSError as error:
            kind = self.parameters.get("type", self.DEFAULTS["type"])
            raise Z3traceError(
                f"zpool-bench did not run: {error.strerror}",
                f"is {kind} loaded, are its parameters in range?",
            ) from error
        result = msgspec.json.decode((_BENCH / "result").read_bytes(), type=_BenchResult)
        kind = self.parameters.get("type", self.DEFAULTS["type"])
        facts = _settled_counts(Path(f"/sys/module/{kind}/parameters/counted_locks")) | {
            name: getattr(result, name) for name in _FACTS
        }
        operations = [
            OperationTruth(operation=name, calls=o.calls, failures=o.failures, buckets=o.buckets)
            for name, o in result.operations.items()
        ]
        return WorkloadResult(
            status=1 if result.corrupted else 0,
            elapsed=result.elapsed_ns,
            operations=operations,
            facts=facts,
            output="an object's bytes were not what was written" if result.corrupted else "",
        )

    def finish(self) -> None:
        with suppress(OSError):
            self._write("teardown", "1")
