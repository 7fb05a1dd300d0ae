"""The processes and threads that a guest is on its host."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_CPU = "CPU "  # how QEMU names a thread that is a CPU, see its option -name debug-threads


def processes(first: int) -> Iterator[int]:
    """A process, its children, and theirs; what ends meanwhile is left out."""
    pending = [first]
    while pending:
        process = pending.pop()
        yield process
        with suppress(OSError, ValueError):
            for children in Path("/proc", str(process)).glob("task/*/children"):
                pending += [int(word) for word in children.read_text().split()]


def tasks(first: int) -> Iterator[Path]:
    """The directories in /proc of all threads of a process and of those that it started."""
    for process in processes(first):
        yield from Path("/proc", str(process)).glob("task/[0-9]*")


def threads(first: int) -> tuple[list[int], list[int]]:
    """(threads that are a guest's CPUs, in their order; all other threads) of the process
    *first* and of those that it started."""
    cpus: list[tuple[int, int]] = []
    others: list[int] = []
    for task in tasks(first):
        with suppress(OSError, ValueError):
            name = (task / "comm").read_text()
            if name.startswith(_CPU):
                number = int(name.removeprefix(_CPU).partition("/")[0])
                cpus.append((number, int(task.name)))
            else:
                others.append(int(task.name))
    return [thread for _, thread in sorted(cpus)], others
