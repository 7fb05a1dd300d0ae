"""Quantiles and means of log-linear histograms."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from z3trace import buckets
from z3trace.model import Series

Floats = npt.NDArray[np.float64]

_LOWER = np.array([float(buckets.lower(i)) for i in range(buckets.BUCKETS)])
_UPPER = np.array([float(buckets.upper(i)) for i in range(buckets.BUCKETS)])


def dense(series: Series) -> Floats:
    """Counts of all buckets, shape (976,)."""
    counts = np.zeros(buckets.BUCKETS)
    for index, count in series.buckets:
        counts[index] = count
    return counts


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


def bounded(series: Series, at: Sequence[float] | Floats) -> Floats:
    """Quantiles of a series, never outside its true minimum and maximum."""
    found: Floats = np.clip(quantiles(dense(series), at), series.min, series.max)
    return found


def ecdf(counts: Floats) -> tuple[Floats, Floats]:
    """Upper edges of the occupied buckets and the share of values below each."""
    occupied = np.flatnonzero(counts)
    share: Floats = np.cumsum(counts)[occupied] / counts.sum()
    return _UPPER[occupied], share
