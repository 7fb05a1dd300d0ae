"""What runs while the probes are attached: zpool_bench, a command, or just time.

A workload is prepared, run, and finished; the recording spans the run alone.
"""

import os
import re
import signal
import subprocess
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Protocol

import msgspec

from z3trace.data.model import OperationTruth, WorkloadResult
from z3trace.errors import CannotTraceError, UsageError, Z3traceError

_BENCH = Path("/sys/kernel/debug/zpool_bench")
_OUTPUT_LIMIT = 4000


class Workload(Protocol):
    """One execution is prepare, run, finish; *description* goes into the recording.

    A *fast* run has no probes on locks.
    """

    description: str
    command: list[str]
    open_ended: bool  # an interrupt is its natural end

    def prepare(self, seed: int, *, fast: bool) -> None: ...
    def run(self) -> WorkloadResult: ...
    def finish(self) -> None: ...


class _BenchOperation(msgspec.Struct):
    calls: int
    failures: int
    buckets: list[tuple[int, int]] = []


class _BenchResult(msgspec.Struct):
    elapsed_ns: int
    corrupted: int
    operations: dict[str, _BenchOperation]
    headless: int
    empty_reclaims: int
    evictions_accepted: int
    evictions_refused: int
    evictions_stale: int


def parse_parameters(workload: str, text: str, known: Collection[str]) -> dict[str, str]:
    """``a=1,b=2`` as a dictionary: numbers, or for ``type`` a word.

    UsageError for a name that is not *known* or a value that is neither.
    """
    parameters: dict[str, str] = {}
    for part in filter(None, text.split(",")):
        key, _, value = part.partition("=")
        if key not in known:
            raise UsageError(f"{workload} has no parameter {key!r}", f"it has: {', '.join(known)}")
        pattern = r"[a-z0-9]{1,31}" if key == "type" else r"[0-9]{1,10}"
        if not re.fullmatch(pattern, value):
            raise UsageError(f"{workload}: {key}={value!r} is not valid")
        parameters[key] = value
    return parameters


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

    PARAMETERS = (
        "type",
        "threads",
        "ops",
        "allocs",
        "frees",
        "slots",
        "min_size",
        "max_size",
        "headless",
        "reclaim",
        "refuse",
        "verify",
        "touches",
        "drain",
        "histogram",
        "fast_ops",
    )
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
    }
    open_ended = False

    def __init__(self, parameters: dict[str, str], module: Path | None) -> None:
        self.parameters = parameters
        self._module = module
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

    def prepare(self, seed: int, *, fast: bool) -> None:
        if not _BENCH.exists():
            if self._module is None:
                raise CannotTraceError(
                    "zpool_bench is not loaded",
                    "'z3trace kernel build --workload' builds it for a fetched kernel; insmod it",
                )
            insert(self._module)
        chosen = {**self.DEFAULTS, **self.parameters, "seed": str(seed)}
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
            name: getattr(result, name)
            for name in (
                "headless",
                "corrupted",
                "empty_reclaims",
                "evictions_accepted",
                "evictions_refused",
                "evictions_stale",
            )
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


class Command:
    """A program, run to its end; its last output is kept."""

    open_ended = False

    def __init__(self, argv: Sequence[str]) -> None:
        import shlex

        self.command = list(argv)
        self.description = shlex.join(argv)

    def prepare(self, seed: int, *, fast: bool) -> None:
        os.environ["Z3TRACE_SEED"] = str(seed)

    def run(self) -> WorkloadResult:
        start = time.monotonic_ns()
        try:
            process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        except OSError as error:
            raise UsageError(f"cannot run {self.command[0]}: {error.strerror}") from error
        try:
            output, _ = process.communicate()
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()
            raise
        text = output.decode(errors="replace")[-_OUTPUT_LIMIT:]
        return WorkloadResult(
            status=process.returncode, elapsed=time.monotonic_ns() - start, output=text
        )

    def finish(self) -> None:
        return


class Duration:
    """Nothing of its own: record whatever happens for some seconds."""

    open_ended = True

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.description = f"whatever runs, for {seconds:g} s"
        self.command = ["--duration", f"{seconds:g}s"]

    def prepare(self, seed: int, *, fast: bool) -> None:
        return

    def run(self) -> WorkloadResult:
        start = time.monotonic_ns()
        time.sleep(self.seconds)
        return WorkloadResult(elapsed=time.monotonic_ns() - start)

    def finish(self) -> None:
        return


def seconds(text: str) -> float:
    """``10``, ``10s``, ``1.5m`` or ``500ms`` in seconds; UsageError otherwise."""
    match = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)(ms|s|m|h)?", text)
    if not match:
        raise UsageError(f"{text!r} is not a duration", "such as 10s, 500ms or 2m")
    return float(match[1]) * {"ms": 0.001, "s": 1, None: 1, "m": 60, "h": 3600}[match[2]]


def insert(path: Path, *parameters: str) -> None:
    """Load a module file; what it needs from the running kernel is loaded first."""
    from z3trace import tools

    tools.run(["insmod", path, *parameters], doing=f"loading {path.name}")


def remove(name: str) -> None:
    """Unload a module if it is loaded."""
    from z3trace import tools

    if (Path("/sys/module") / name).exists():
        tools.run(["rmmod", name], doing=f"unloading {name}")
