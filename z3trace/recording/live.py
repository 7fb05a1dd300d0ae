"""Figures while a recording goes on: read from the maps, without a system call."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from z3trace.bpf.programs import Programs
from z3trace.data.buckets import lower, upper
from z3trace.data.counts import Series
from z3trace.recording import counters
from z3trace.target.plan import Plan


@dataclass(frozen=True)
class Row:
    """One operation since the last look: operations a second, and quantiles in ns."""

    name: str
    rate: float
    p50: float
    p99: float


@dataclass(frozen=True)
class Look:
    """What changed since the last look; *cost* is the share of a CPU that looking took."""

    elapsed: float
    rows: Sequence[Row]
    contended: Sequence[tuple[str, float, float]]
    cost: float


def _quantile(counts: dict[int, int], at: float) -> float:
    """The value below which a share *at* of all lie, in ns; evenly spread in a bucket."""
    wanted, below = at * sum(counts.values()), 0
    for bucket, count in sorted(counts.items()):
        if below + count >= wanted:
            low, high = lower(bucket), upper(bucket)
            return low + (high - low) * (wanted - below) / count
        below += count
    return 0.0


class Watch:
    """Looks at the maps in a thread of its own until it is closed."""

    def __init__(
        self, programs: Programs, plan: Plan, show: Callable[[Look], None], every: float
    ) -> None:
        self._programs, self._plan, self._show, self._every = programs, plan, show, every
        self._stop = threading.Event()
        self._latencies: dict[str, dict[int, int]] = {}
        self._locks: dict[str, tuple[int, int]] = {}
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Watch":
        self._begin = self._last = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._every):
            self._show(self.look())

    def look(self) -> Look:
        """The figures since the last call."""
        now, busy = time.monotonic(), time.thread_time()
        passed = max(now - self._last, 1e-9)
        rows = [
            self._row(series, passed)
            for series in counters.series(self._programs, self._plan, None)
            if series.metric == "latency"
        ]
        contended = []
        for counts in counters.locks(self._programs, self._plan):
            acquired, waited = self._locks.get(counts.lock, (0, 0))
            self._locks[counts.lock] = (counts.acquisitions, counts.contended)
            new = counts.acquisitions - acquired
            share = (counts.contended - waited) / new if new else 0.0
            contended.append((counts.lock, new / passed, share))
        self._last = now
        cost = (time.thread_time() - busy) / passed
        return Look(now - self._begin, rows, contended, cost)

    def _row(self, series: Series, passed: float) -> Row:
        before = self._latencies.get(series.operation, {})
        counts = dict(series.buckets)
        self._latencies[series.operation] = counts
        new = {b: n - before.get(b, 0) for b, n in counts.items() if n > before.get(b, 0)}
        rate = sum(new.values()) / passed
        return Row(series.operation, rate, _quantile(new, 0.5), _quantile(new, 0.99))
