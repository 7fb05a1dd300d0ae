"""The workload that a command line names."""

import os
import platform
import shlex
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import resources
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
    """The module NAME.ko in the cache that was built for the running kernel from this
    z3trace's own sources, which lie beside it: another version may share the cache."""
    there = paths.cache() / "modules" / os.environ.get(paths.KERNEL, platform.release())
    files = sorted(there.glob(f"{name}-*/{name}.ko"), key=lambda path: path.stat().st_mtime)
    return next((paths.trusted(file) for file in reversed(files) if _is_own(file)), None)


def _is_own(module: Path) -> bool:
    """Whether every source beside a module is one of ours, as it is here."""
    ours = (paths.testbed() / "workload", Path(str(resources.files("z3trace.probes"))))
    sources = [path for path in module.parent.iterdir() if path.suffix in (".c", ".h")]
    own = [[where / source.name for where in ours] for source in sources]
    return any(source.suffix == ".c" for source in sources) and all(
        any(_same(source, path) for path in there)
        for source, there in zip(sources, own, strict=True)
    )


def _same(one: Path, other: Path) -> bool:
    with suppress(OSError):
        return one.read_bytes() == other.read_bytes()
    return False


def built_program(name: str) -> Path | None:
    """The program *name* in the cache that was built from this z3trace's own sources."""
    from z3trace.kernels.workloads import program_directory

    built = program_directory(name) / name
    return paths.trusted(built) if built.exists() else None


def named(text: str) -> Workload:
    """``NAME:parameters`` as a workload of ours; UsageError if there is none of this name."""
    name, _, parameters = text.partition(":")
    if name not in NAMED:
        raise UsageError(f"there is no workload {name!r}", f"there are: {', '.join(NAMED)}")
    return NAMED[name](parameters)


@dataclass(frozen=True)
class Order:
    """A workload as a command line orders it: the *text* of one of ours, or else a command."""

    text: str = ""
    argv: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.text or shlex.join(self.argv)

    def made(self) -> Workload:
        """UsageError if there is none of this name."""
        return Command(self.argv) if self.argv else named(self.text)


def order(text: str | None, argv: Sequence[str], default: str = "") -> Order:
    """What *text* names, or the command *argv*, or the *default*; UsageError if both are
    given, or there is nothing."""
    if text and argv:
        raise UsageError("give one of: -- COMMAND, --workload")
    if not (text or argv or default):
        raise UsageError("there is no workload", "give --workload, or -- COMMAND")
    return Order("", tuple(argv)) if argv else Order(text or default)


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
