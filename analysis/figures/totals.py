"""Sums over the runs of a recording that were seen in one way."""

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from z3trace.analysis.figures.histogram import Floats
from z3trace.analysis.figures.parts import Part
from z3trace.analysis.figures.run import Measured
from z3trace.data.buckets import BUCKETS
from z3trace.data.counts import SiteCounts
from z3trace.data.fields import Record
from z3trace.data.model import CallSite

_Key = TypeVar("_Key")


@dataclass
class SiteTotals:
    """Counters of one call site over runs, by the names of ``SiteCounts``; times in ns."""

    acquisitions: int = 0
    contended: int = 0
    trylock_failures: int = 0
    releases: int = 0
    wait_sum: int = 0
    hold_sum: int = 0
    locks: set[str] = field(default_factory=set)

    def add(self, counts: SiteCounts) -> None:
        for name in _SITE_SUMS:
            setattr(self, name, getattr(self, name) + getattr(counts, name))
        self.locks.update(counts.locks)

    @property
    def events(self) -> int:
        """Lock events that were seen at the site."""
        return self.acquisitions + self.trylock_failures + self.releases

    def of_acquisitions(self, total: float) -> float:
        """*total* for each acquisition; 0 where there was none."""
        return total / self.acquisitions if self.acquisitions else 0.0


_SITE_SUMS = tuple(name for name in SiteTotals.__dataclass_fields__ if name != "locks")


@dataclass
class Totals:
    """Sums over the parts of runs that were seen in one way.

    ``counts`` and ``sums``: (metric, operation or lock class) -> bucket counts, shape
    (976,), and the sum of all values.  ``curves`` and ``cells``: operation -> the rows of
    all runs behind each other.  ``operations`` and ``locks``: name -> counters by the names of
    ``OperationCounts`` and ``LockCounts``.
    """

    counts: dict[tuple[str, str], Floats] = field(default_factory=dict)
    sums: Counter[tuple[str, str]] = field(default_factory=Counter)
    curves: "dict[str, array[float]]" = field(default_factory=dict)
    cells: "dict[str, array[float]]" = field(default_factory=dict)
    sites: dict[int, SiteTotals] = field(default_factory=dict)
    operations: dict[str, Counter[str]] = field(default_factory=dict)
    locks: dict[str, Counter[str]] = field(default_factory=dict)
    nesting: Counter[tuple[str, str]] = field(default_factory=Counter)
    ledger: dict[str, int | None] = field(default_factory=dict)

    def add(self, part: Part, measured: Sequence[Measured], known: Mapping[int, CallSite]) -> None:
        """Take a part and its measured series in; of call sites those that are *known*."""
        for each in measured:
            series = each.series
            name = series.operation or series.lock
            total = self.counts.setdefault((series.metric, name), np.zeros(BUCKETS))
            total[each.occupied] += each.counts
            self.sums[series.metric, name] += series.sum
            if each.curve is not None and each.cells is not None:
                self.curves.setdefault(name, array("d")).frombytes(each.curve.tobytes())
                self.cells.setdefault(name, array("f")).frombytes(each.cells.tobytes())
        for site in part.sites:
            if site.site not in known:
                continue
            self.sites.setdefault(site.site, SiteTotals()).add(site)
        for operation in part.operations:
            _add(self.operations, operation.operation, operation)
        for lock in part.locks:
            _add(self.locks, lock.lock, lock)
        for pair in part.nesting:
            self.nesting[pair.held, pair.acquired] += pair.count
        for name, value in part.ledger.items():
            old = self.ledger.get(name, 0)
            self.ledger[name] = None if value is None or old is None else old + value

    def values(self, metric: str, name: str) -> int:
        """How many values a series has."""
        counts = self.counts.get((metric, name))
        return 0 if counts is None else int(counts.sum())


def _add(into: dict[_Key, Counter[str]], key: _Key, record: Record) -> None:
    """Add every counter of *record* to the sums of *key*."""
    total = into.setdefault(key, Counter())
    for name in record.__struct_fields__:
        value = getattr(record, name)
        if isinstance(value, int):
            total[name] += value
