"""What several verbs share: saying what happens, and making a workload from options."""

import os
import platform
from pathlib import Path

import click

from z3trace import paths
from z3trace.errors import UsageError
from z3trace.workload import Command, Duration, Workload, ZpoolBench, seconds


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
    built = [path for path in there.glob("zpool_bench-*/zpool_bench.ko") if path.is_file()]
    return max(built, key=lambda path: path.stat().st_mtime) if built else None


def make_workload(text: str | None, duration: str | None, command: tuple[str, ...]) -> Workload:
    """The workload that the options name; exactly one of them must be given."""
    if sum(bool(x) for x in (text, duration, command)) != 1:
        raise UsageError("give one of: -- COMMAND, --workload, --duration")
    if duration:
        return Duration(seconds(duration))
    if command:
        return Command(command)
    name, _, parameters = (text or "").partition(":")
    if name != "zpool-bench":
        raise UsageError(f"there is no workload {name!r}", "there is: zpool-bench")
    return ZpoolBench.parse(parameters, built_workload())
