"""What several verbs share: saying what happens, and making a workload from options."""

import os
import platform
from collections.abc import Iterable
from pathlib import Path

import click

from z3trace import paths
from z3trace.errors import UsageError
from z3trace.workloads.workload import Command, Duration, Workload, ZpoolBench, seconds
from z3trace.workloads.zswap import Zswap


def say(text: str) -> None:
    """Progress and notices go to stderr, results to stdout."""
    click.echo(text, err=True)


def wrote(path: Path) -> None:
    """Name a file that was written, relative to here if it is below."""
    text = os.path.relpath(path)
    click.echo(f"Wrote {path if text.startswith('..') else text}")


def built_workload() -> Path | None:
    """The newest zpool_bench.ko in the cache for the running kernel."""
    there = paths.cache() / "modules" / platform.release()
    return _newest(there.glob("zpool_bench-*/zpool_bench.ko"))


def built_pressure() -> Path | None:
    """The newest zswap_pressure in the cache."""
    return _newest((paths.cache() / "programs").glob("zswap_pressure-*/zswap_pressure"))


def _newest(found: Iterable[Path]) -> Path | None:
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def make_workload(text: str | None, duration: str | None, command: tuple[str, ...]) -> Workload:
    """The workload that the options name; exactly one of them must be given."""
    if sum(bool(x) for x in (text, duration, command)) != 1:
        raise UsageError("give one of: -- COMMAND, --workload, --duration")
    if duration:
        return Duration(seconds(duration))
    if command:
        return Command(command)
    name, _, parameters = (text or "").partition(":")
    if name == "zpool-bench":
        return ZpoolBench.parse(parameters, built_workload())
    if name == "zswap":
        return Zswap.parse(parameters, built_pressure())
    raise UsageError(f"there is no workload {name!r}", "there are: zpool-bench, zswap")
