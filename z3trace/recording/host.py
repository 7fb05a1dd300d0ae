"""What the host took from a guest while a run went on."""

import os
from contextlib import suppress
from pathlib import Path

from z3trace.data.model import HostTime

#: Where a guest's init mounts the directory of QEMU's threads, see ``testbed/guest/init.sh``.
THREADS = Path("/run/z3trace-threads")
_STAT = Path("/proc/stat")
_STEAL = 8  # the word of the line "cpu", see proc(5)
_DELAY = 1  # the word of schedstat, see Documentation/scheduler/sched-stats.rst
_LINE = 256  # bytes, more than the kernel writes


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

    def read(self) -> HostTime:
        """All that was taken so far, ns over all CPUs."""
        return HostTime(steal=self._steal(), delay=self._delay())

    def _steal(self) -> int | None:
        with suppress(OSError, ValueError, IndexError):
            ticks = int(self._stat.read_text().split(maxsplit=_STEAL + 1)[_STEAL])
            return ticks * 1_000_000_000 // os.sysconf("SC_CLK_TCK")
        return None

    def _delay(self) -> int | None:
        with suppress(OSError, ValueError, IndexError):
            if self._files:
                return sum(int(os.pread(file, _LINE, 0).split()[_DELAY]) for file in self._files)
        return None


def between(before: HostTime, after: HostTime) -> HostTime:
    """What was taken from *before* to *after*."""
    return HostTime(steal=_less(after.steal, before.steal), delay=_less(after.delay, before.delay))


def _less(after: int | None, before: int | None) -> int | None:
    return None if after is None or before is None else max(after - before, 0)
