"""Quantiles and means of log-linear histograms."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from z3trace import buckets
from z3trace.model import Series

Floats = npt.NDArray[np.float64]

_LOWER = np.array([float(buckets.lower(i)) for i in range(buckets.BUCKETS)])
_UPPER = np.array([float(buckets.upper(i)) for i in range(buckets.BUCKETS)])


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
    found: Floats = _LOWER[index] + np.clip(share, 0, 1) * (_UPPER[index] - _LOWER[index])
    return found


def of_series(series: Series, at: Sequence[float] | Floats) -> tuple[Floats, Floats]:
    """Quantiles of a series, and how far each may be off as it was read from a bucket.

    Both have the shape of *at*; values in the series' unit, never outside its true
    minimum and maximum.  The second is a difference of logs: nothing where the buckets on
    both sides show the density to be even, an eighth of the bucket's width where it
    slopes from one neighbour to nothing, and up to the whole width where a bucket stands
    alone, for its values may then be anywhere in it (a clock's ticks, for one).
    """
    pairs = np.asarray(series.buckets, dtype=np.int64).reshape(-1, 2)
    index, counts = pairs[:, 0], pairs[:, 1].astype(float)
    occupied = counts > 0
    index, counts = index[occupied], counts[occupied]
    wanted = np.asarray(at, dtype=float)
    if not counts.size:
        return np.full(wanted.shape, np.nan), np.zeros(wanted.shape)
    cumulative = np.cumsum(counts)
    rank = np.clip(wanted, 0, 1) * cumulative[-1]
    chosen = np.minimum(np.searchsorted(cumulative, rank, side="left"), counts.size - 1)
    mass = counts[chosen]
    share = np.clip((rank - (cumulative[chosen] - mass)) / mass, 0, 1)
    low, high = _LOWER[index[chosen]], _UPPER[index[chosen]]
    values = np.clip(low + share * (high - low), series.min, series.max)
    left, right = _neighbours(index, counts, chosen)
    alone = np.clip(1 - (left + right) / mass, 0, 1) * np.maximum(share, 1 - share)
    slope = np.abs(right - left) / np.maximum(8 * (left + right), 1)
    exact = index[chosen] < buckets.SUB
    width = np.log(np.minimum(high, series.max + 1)) - np.log(np.maximum(low, max(series.min, 1)))
    resolution = np.where(exact, 0, np.maximum(width, 0) * np.minimum(alone + slope, 1))
    return values, resolution


def _neighbours(
    index: "npt.NDArray[np.int64]", counts: Floats, chosen: "npt.NDArray[np.int64]"
) -> tuple[Floats, Floats]:
    """Counts of the buckets below and above the chosen ones."""
    padded = np.concatenate([[0.0], counts, [0.0]])
    places = np.concatenate([[-2], index, [-2]])
    here = index[chosen]
    left = np.where(places[chosen] == here - 1, padded[chosen], 0.0)
    right = np.where(places[chosen + 2] == here + 1, padded[chosen + 2], 0.0)
    return left, right


def ecdf(counts: Floats) -> tuple[Floats, Floats]:
    """Upper edges of the occupied buckets and the share of values below each."""
    occupied = np.flatnonzero(counts)
    share: Floats = np.cumsum(counts)[occupied] / counts.sum()
    return _UPPER[occupied], share
