"""The workload that a command line names."""

import platform
from collections.abc import Callable, Iterable
from pathlib import Path

from z3trace import paths
from z3trace.errors import UsageError
from z3trace.workloads.command import Command, Duration
from z3trace.workloads.protocol import Workload
from z3trace.workloads.zpool_bench import ZpoolBench
from z3trace.workloads.zram import Zram
from z3trace.workloads.zs_bench import ZsBench
from z3trace.workloads.zswap import Zswap

#: Name -> how its parameters are read, and what was built for it is found.
NAMED: dict[str, Callable[[str], Workload]] = {
    "zpool-bench": lambda text: ZpoolBench.parse(text, built_module("zpool_bench")),
    "zs-bench": lambda text: ZsBench.parse(text, built_module("zs_bench")),
    "zram": lambda text: Zram.parse(text, built_program("zram_io")),
    "zswap": lambda text: Zswap.parse(text, built_program("zswap_pressure")),
}


def built_module(name: str) -> Path | None:
    """The newest build of a workload's module in the cache, for the running kernel."""
    there = paths.cache() / "modules" / platform.release()
    return _newest(there.glob(f"{name}-*/{name}.ko"))


def built_program(name: str) -> Path | None:
    """The newest build of a workload's program in the cache."""
    return _newest((paths.cache() / "programs").glob(f"{name}-*/{name}"))


def _newest(files: Iterable[Path]) -> Path | None:
    newest = max(files, key=lambda path: path.stat().st_mtime, default=None)
    return None if newest is None else paths.trusted(newest)


def named(text: str) -> Workload:
    """``NAME:parameters`` as a workload of ours; UsageError if there is none of this name."""
    name, _, parameters = text.partition(":")
    if name not in NAMED:
        raise UsageError(f"there is no workload {name!r}", f"there are: {', '.join(NAMED)}")
    return NAMED[name](parameters)


def choose(text: str | None, duration: float | None, command: tuple[str, ...]) -> Workload:
    """The workload that the options name; exactly one of them must be given.  *duration* in
    seconds."""
    if sum((bool(text), duration is not None, bool(command))) != 1:
        raise UsageError("give one of: -- COMMAND, --workload, --duration")
    if duration is not None:
        return Duration(duration)
    if command:
        return Command(command)
    return named(text or "")
