"""Quantiles and means of log-linear histograms."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from z3trace.data import buckets
from z3trace.data.counts import Series

Floats = npt.NDArray[np.float64]

#: Coarser than buckets, for pictures: two cells to an octave.
TO_A_CELL = buckets.SUB // 2
CELLS = buckets.BUCKETS // TO_A_CELL

_LOWER = np.array([float(buckets.lower(i)) for i in range(buckets.BUCKETS)])
_UPPER = np.array([float(buckets.upper(i)) for i in range(buckets.BUCKETS)])
#: How far values reach inside their bucket; those of the first one are none, such as the
#: wait for a lock that was free, and not somewhat less than 1 ns.
_REACH = np.concatenate([[0.0], _UPPER[1:]])


def quantiles(counts: Floats, at: Sequence[float] | Floats) -> Floats:
    """Values at the given probabilities, interpolated inside their bucket.

    *counts* has shape (976,); the result has the shape of *at*, in the unit of the
    values; NaN for an empty histogram.  A value is off by at most its bucket's
    width, 1/16 of its lower edge.
    """
    wanted = np.asarray(at, dtype=float)
    total = counts.sum()
    if not total:
        return np.full(wanted.shape, np.nan)
    cumulative = np.cumsum(counts)
    rank = np.clip(wanted, 0, 1) * total
    index = np.searchsorted(cumulative, rank, side="left")
    index = np.minimum(index, np.flatnonzero(counts)[-1])
    before = cumulative[index] - counts[index]
    share = np.where(counts[index] > 0, (rank - before) / np.maximum(counts[index], 1), 0.0)
    values: Floats = _LOWER[index] + np.clip(share, 0, 1) * (_REACH[index] - _LOWER[index])
    return values


class Histograms:
    """Occupied buckets of several series, taken in together; a row each.

    ``index`` and ``counts`` have a pair of arrays, shape (n,), for each series.
    """

    def __init__(self, series: Sequence[Series]) -> None:
        lengths = np.array([len(each.buckets) for each in series], dtype=np.int64)
        numbers = chain.from_iterable(chain.from_iterable(each.buckets for each in series))
        pairs = np.fromiter(numbers, np.int64, 2 * int(lengths.sum())).reshape(-1, 2)
        rows = np.repeat(np.arange(lengths.size), lengths)
        if not pairs[:, 1].all():
            occupied = pairs[:, 1] > 0
            pairs, rows = pairs[occupied], rows[occupied]
            lengths = np.bincount(rows, minlength=lengths.size)
        ends = np.cumsum(lengths)
        counts = pairs[:, 1].astype(float)
        self.index = np.split(pairs[:, 0], ends[:-1])
        self.counts = np.split(counts, ends[:-1])
        columns = np.arange(rows.size) - np.repeat(ends - lengths, lengths)
        shape = (lengths.size, max(lengths.max(initial=0), 1))
        self._index, self._mass = np.zeros(shape, dtype=np.int64), np.zeros(shape)
        self._index[rows, columns], self._mass[rows, columns] = pairs[:, 0], counts
        self._cumulative = np.cumsum(self._mass, axis=1)
        self._lengths = lengths[:, None]
        self._low = np.array([[each.min] for each in series], dtype=float).reshape(-1, 1)
        self._high = np.array([[each.max] for each in series], dtype=float).reshape(-1, 1)

    def cells(self, row: int) -> "npt.NDArray[np.float32]":
        """Counts of one series by cell, two to an octave, shape (CELLS,)."""
        index, counts = self.index[row], self.counts[row]
        cells = np.bincount(index // TO_A_CELL, weights=counts, minlength=CELLS)
        return cells.astype(np.float32)

    def quantiles(self, at: Sequence[float] | Floats) -> tuple[Floats, Floats]:
        """Quantiles, and how far each may be off as it was read from a bucket.

        Both have shape (series, quantiles); values in the series' unit, never outside its
        true minimum and maximum, NaN for an empty one.  The second is a difference of
        logs: nothing where the buckets on both sides show the density to be even, an
        eighth of the bucket's width where it slopes from one neighbour to nothing, and up
        to the whole width where a bucket stands alone, for its values may then be anywhere
        in it (a clock's ticks, for one).
        """
        wanted = np.asarray(at, dtype=float)
        rank = wanted * self._cumulative[:, -1:]
        chosen = (self._cumulative[:, None, :] < rank[:, :, None]).sum(axis=2)
        last = np.maximum(self._lengths - 1, 0)
        chosen = np.minimum(chosen, last)
        mass = self._at(self._mass, chosen)
        index = self._at(self._index, chosen)
        empty = np.broadcast_to(self._lengths == 0, mass.shape)
        mass = np.where(empty, 1, mass)
        reached = self._at(self._cumulative, chosen)
        share = np.minimum(np.maximum((rank - reached) / mass + 1, 0), 1)
        low, high = _LOWER[index], _UPPER[index]
        values = low + share * (_REACH[index] - low)
        values = np.minimum(np.maximum(values, self._low), self._high)
        left = self._neighbour(np.maximum(chosen - 1, 0), index - 1)
        right = self._neighbour(np.minimum(chosen + 1, last), index + 1)
        both = left + right
        alone = np.maximum(1 - both / mass, 0) * np.maximum(share, 1 - share)
        off = np.minimum(alone + np.abs(right - left) / np.maximum(8 * both, 1), 1)
        first = np.maximum(low, np.maximum(self._low, 1))
        width = np.log(np.maximum(np.minimum(high, self._high + 1) / first, 1))
        resolution = np.where(index < buckets.SUB, 0, width) * off
        return np.where(empty, np.nan, values), np.where(empty, 0.0, resolution)

    @staticmethod
    def _at(table: "npt.NDArray[Any]", columns: "npt.NDArray[np.int64]") -> "npt.NDArray[Any]":
        return np.take_along_axis(table, columns, axis=1)

    def _neighbour(
        self, columns: "npt.NDArray[np.int64]", index: "npt.NDArray[np.int64]"
    ) -> Floats:
        """Counts of the buckets *index*, which stand in *columns* if they are occupied."""
        return np.where(self._at(self._index, columns) == index, self._at(self._mass, columns), 0.0)


def ecdf(counts: Floats) -> tuple[Floats, Floats]:
    """Upper edges of the occupied buckets and the share of values below each."""
    occupied = np.flatnonzero(counts)
    share: Floats = np.cumsum(counts)[occupied] / counts.sum()
    return _UPPER[occupied], share
