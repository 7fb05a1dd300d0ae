"""A guest's own time: the time for which its host let it run.

Where others keep the host busy, a guest is slow and not lost.  So its deadline counts no
time for which its threads were ready and had no CPU, and none for which somebody had
stopped them, or z3trace with them.  An idle guest's own time goes on: nobody takes any.
"""

import time
from contextlib import suppress
from typing import NamedTuple

from z3trace.guest.threads import tasks

#: Looking takes a file or two of each thread: so often, in seconds.
_EVERY = 1.0
#: Who looks four times a second and did not for so long (s) was stopped itself; it may
#: wait for a guest's answer for less.
_GAP = 20.0
_DELAY = 1  # word of schedstat, see Documentation/scheduler/sched-stats.rst
_STOPPED = frozenset("Tt")  # states of a thread, see proc(5)


class _Threads(NamedTuple):
    """What the host says of a guest's threads: thread -> ns that it was ready and did not
    run, and whether one of them is stopped."""

    delays: dict[int, int]
    stopped: bool


def _look(process: int) -> _Threads:
    delays, stopped = {}, False
    for task in tasks(process):
        with suppress(OSError, ValueError, IndexError):
            delays[int(task.name)] = int((task / "schedstat").read_text().split()[_DELAY])
        with suppress(OSError, IndexError):
            # The name, in brackets, may hold anything.
            state = (task / "stat").read_text().rpartition(")")[2].split()[0]
            stopped = stopped or state in _STOPPED
    return _Threads(delays, stopped)


class OwnTime:
    """Seconds of its own that a guest has lived since now; *process* is its first one.

    What was taken from it is what was taken from the thread that waited longest: a guest
    whose one CPU waits makes little progress on the others.
    """

    def __init__(self, process: int) -> None:
        self._process = process
        self._began = self._looked = time.monotonic()
        self._delays: dict[int, int] = {}
        self._taken = self._absent = 0.0
        self._stopped: float | None = None

    def __call__(self) -> float:
        now = time.monotonic()
        if now - self._looked >= _EVERY:
            self._account(now)
        return max(now - self._began - self._taken, 0.0)

    def watched(self) -> float:
        """Seconds since the start in which z3trace itself was not stopped."""
        return time.monotonic() - self._began - self._absent

    def was_stopped(self, within: float) -> bool:
        """Whether it, or z3trace, was stopped in the last *within* seconds."""
        return self._stopped is not None and time.monotonic() - self._stopped < within

    def _account(self, now: float) -> None:
        passed, self._looked = now - self._looked, now
        seen = _look(self._process)
        waits = [ns - self._delays.get(thread, 0) for thread, ns in seen.delays.items()]
        self._delays = seen.delays
        self._absent += passed if passed > _GAP else 0
        if seen.stopped or passed > _GAP:
            self._stopped = now
            self._taken += passed
        else:
            # A wait is counted when it is over, and may have begun before the last look.
            self._taken += max(waits, default=0) / 1e9
