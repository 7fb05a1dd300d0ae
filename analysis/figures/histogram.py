"""Quantiles and means of log-linear histograms."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from z3trace.data import buckets
from z3trace.data.model import Series

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


class Histogram:
    """A series' occupied buckets as arrays: ``index`` and ``counts``, both shape (n,)."""

    def __init__(self, series: Series) -> None:
        pairs = np.array(series.buckets, dtype=np.int64).reshape(-1, 2)
        if not pairs[:, 1].all():
            pairs = pairs[pairs[:, 1] > 0]
        self.index, self.counts = pairs[:, 0], pairs[:, 1].astype(float)
        self._cumulative = np.cumsum(self.counts)
        self._low, self._high = series.min, series.max

    def cells(self) -> "npt.NDArray[np.float32]":
        """Counts by cell, two to an octave, shape (CELLS,)."""
        cells = np.bincount(self.index // TO_A_CELL, weights=self.counts, minlength=CELLS)
        return cells.astype(np.float32)

    def quantiles(self, at: Sequence[float] | Floats) -> tuple[Floats, Floats]:
        """Quantiles, and how far each may be off as it was read from a bucket.

        Both have the shape of *at*; values in the series' unit, never outside its true
        minimum and maximum.  The second is a difference of logs: nothing where the
        buckets on both sides show the density to be even, an eighth of the bucket's width
        where it slopes from one neighbour to nothing, and up to the whole width where a
        bucket stands alone, for its values may then be anywhere in it (a clock's ticks,
        for one).
        """
        wanted = np.asarray(at, dtype=float)
        if not self.counts.size:
            return np.full(wanted.shape, np.nan), np.zeros(wanted.shape)
        rank = wanted * self._cumulative[-1]
        chosen = np.searchsorted(self._cumulative, rank, side="left")
        chosen = np.minimum(chosen, self.counts.size - 1)
        mass, index = self.counts[chosen], self.index[chosen]
        share = np.minimum(np.maximum((rank - self._cumulative[chosen]) / mass + 1, 0), 1)
        low, high = _LOWER[index], _UPPER[index]
        values = low + share * (_REACH[index] - low)
        values = np.minimum(np.maximum(values, self._low), self._high)
        left, right = self._neighbours(chosen)
        both = left + right
        alone = np.maximum(1 - both / mass, 0) * np.maximum(share, 1 - share)
        off = np.minimum(alone + np.abs(right - left) / np.maximum(8 * both, 1), 1)
        first, last = np.maximum(low, max(self._low, 1)), np.minimum(high, self._high + 1)
        width = np.where(index < buckets.SUB, 0, np.log(np.maximum(last / first, 1)))
        resolution: Floats = width * off
        return values, resolution

    def _neighbours(self, chosen: "npt.NDArray[np.int64]") -> tuple[Floats, Floats]:
        """Counts of the buckets right below and above the chosen ones."""
        here, last = self.index[chosen], self.counts.size - 1
        below, above = np.maximum(chosen - 1, 0), np.minimum(chosen + 1, last)
        left = np.where(self.index[below] == here - 1, self.counts[below], 0.0)
        right = np.where(self.index[above] == here + 1, self.counts[above], 0.0)
        return left, right


def ecdf(counts: Floats) -> tuple[Floats, Floats]:
    """Upper edges of the occupied buckets and the share of values below each."""
    occupied = np.flatnonzero(counts)
    share: Floats = np.cumsum(counts)[occupied] / counts.sum()
    return _UPPER[occupied], share
