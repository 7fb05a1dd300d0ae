"""What the host took from a guest while a run went on."""

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from z3trace.data.model import HostTime

#: Where a guest's init mounts the directory of QEMU's threads, see ``testbed/guest/init.sh``.
THREADS = Path("/run/z3trace-threads")
_STAT = Path("/proc/stat")
_IDLE, _STEAL = slice(4, 6), 8  # words of the line "cpu", see proc(5)
_RAN, _DELAY = 0, 1  # words of schedstat, see Documentation/scheduler/sched-stats.rst
_LEAST_SUSPENSION = 1_000_000  # ns: the two clocks are read one after the other
_LINE = 256  # bytes, more than the kernel writes


@dataclass(frozen=True)
class Look:
    """All clocks at one moment, ns: *steal*, *delay* (both as in ``HostTime``), *ran* and
    *idle* over all CPUs, *idle* as the guest's kernel counts it; *clock*, which goes on while
    nothing runs; *awake*, which stands still while the machine is suspended."""

    clock: int
    awake: int
    cpus: int = 0
    steal: int | None = None
    delay: int | None = None
    ran: int | None = None
    idle: int | None = None


class HostClock:
    """Counts up while a CPU of this machine is ready and does not run.

    In a guest of ours the host's own count is read, through the guest's 9p: the files are
    opened once, for every look costs a fifth of what opening them does.
    """

    def __init__(self, threads: Path = THREADS, stat: Path = _STAT) -> None:
        self._stat = stat
        self._files = []
        with suppress(OSError):
            for thread in sorted(threads.iterdir()):
                if (thread / "comm").read_text().startswith("CPU "):
                    self._files.append(os.open(thread / "schedstat", os.O_RDONLY | os.O_CLOEXEC))

    def close(self) -> None:
        while self._files:
            os.close(self._files.pop())

    def read(self) -> Look:
        """What all clocks show now."""
        words = self._words()
        rows = self._rows()
        return Look(
            clock=time.clock_gettime_ns(time.CLOCK_BOOTTIME),
            awake=time.monotonic_ns(),
            cpus=len(self._files),
            steal=None if words is None else _nanoseconds(words[_STEAL]),
            delay=None if rows is None else sum(row[_DELAY] for row in rows),
            ran=None if rows is None else sum(row[_RAN] for row in rows),
            idle=None if words is None else _nanoseconds(sum(words[_IDLE])),
        )

    def _words(self) -> list[int] | None:
        """The line "cpu" of /proc/stat, in ticks; the name counts as 0."""
        with suppress(OSError, ValueError, IndexError):
            words = [0, *map(int, self._stat.read_text().splitlines()[0].split()[1:])]
            return words if len(words) > _STEAL else None
        return None

    def _rows(self) -> list[list[int]] | None:
        """The words of each CPU's schedstat."""
        with suppress(OSError, ValueError):
            rows = [list(map(int, os.pread(file, _LINE, 0).split())) for file in self._files]
            return rows if rows and all(len(row) > _DELAY for row in rows) else None
        return None


def _nanoseconds(ticks: int) -> int:
    return ticks * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def between(before: Look, after: Look) -> HostTime:
    """What was taken from *before* to *after*."""
    return HostTime(
        steal=_less(after.steal, before.steal),
        delay=_less(after.delay, before.delay),
        paused=_paused(before, after),
    )


def _paused(before: Look, after: Look) -> int | None:
    """For how long CPUs neither ran, nor were ready to, nor idled: somebody had stopped them.

    On a machine that is no guest of ours only a suspension is seen.  None where there is
    nothing to see it by.
    """
    passed = after.clock - before.clock
    suspended = passed - (after.awake - before.awake)
    if suspended < _LEAST_SUSPENSION:
        suspended = 0
    parts = [_less(getattr(after, of), getattr(before, of)) for of in ("ran", "delay", "idle")]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return suspended * (os.cpu_count() or 1) or None
    return max(passed * after.cpus - sum(known), suspended * after.cpus, 0)


def _less(after: int | None, before: int | None) -> int | None:
    return None if after is None or before is None else max(after - before, 0)
