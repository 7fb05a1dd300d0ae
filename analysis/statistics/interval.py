"""Intervals of many metrics at once, by resampling runs.

Every function takes matrices with a row for each metric and a column for each run, so
that a whole family shares its resamples: that is what makes a comparison of fifty
metrics, or a thousand of them, take no longer than one.

Studentized bootstrap (Efron and Tibshirani, An Introduction to the Bootstrap, 1993,
section 12.5).  Above ``MANY`` runs in all it equals Student's t for unequal variances
(Welch, Biometrika 34, 1947) to more digits than it has, and that is used.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

Floats = npt.NDArray[np.float64]

LEVEL = 0.95
RESAMPLES = 4000
MANY = 200
SEED = 20161115
#: Rows of metrics that are resampled together: bounds the memory.
AT_ONCE = 16


@lru_cache(maxsize=8)
def _weights(n: int, turn: int) -> Floats:
    """How often each of *n* runs is in each resample, shape (n, RESAMPLES), over n."""
    random = np.random.default_rng(SEED + turn)
    counts = random.multinomial(n, np.full(n, 1 / n), RESAMPLES)
    weights: Floats = (counts / n).T.copy()
    return weights


def _resampled(values: Floats, turn: int) -> tuple[Floats, Floats]:
    """Means and variances of means of the resamples of each row, shape (rows, RESAMPLES)."""
    n = values.shape[1]
    weights = _weights(n, turn)
    means = values @ weights
    variances = (values**2 @ weights - means**2) / (n - 1)
    return means, np.maximum(variances, 0)


def standard_error(values: Floats) -> Floats:
    """Of the mean of each row."""
    error: Floats = values.std(axis=1, ddof=1) / np.sqrt(values.shape[1])
    return error


def welch(before: Floats, after: Floats) -> tuple[Floats, Floats]:
    """Standard error of a difference of means, and its degrees of freedom."""
    b, a = standard_error(before) ** 2, standard_error(after) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = (b + a) ** 2 / (b**2 / (before.shape[1] - 1) + a**2 / (after.shape[1] - 1))
    return np.sqrt(b + a), np.where(np.isfinite(freedom), freedom, 1.0)


def errors(before: Floats, after: Floats, *, paired: bool) -> tuple[Floats, Floats]:
    """Standard error of the difference of means of each row, and degrees of freedom."""
    if paired:
        change = after - before
        return standard_error(change), np.full(change.shape[0], change.shape[1] - 1.0)
    return welch(before, after)


def _pivots(before: Floats, after: Floats, *, paired: bool) -> Floats:
    """(resampled - observed) / resampled error, NaN where the error is nothing."""
    if paired:
        change = after - before
        centre = change.mean(axis=1, keepdims=True)
        means, variances = _resampled(change - centre, 0)
    else:
        means_b, var_b = _resampled(before - before.mean(axis=1, keepdims=True), 0)
        means_a, var_a = _resampled(after - after.mean(axis=1, keepdims=True), 1)
        means, variances = means_a - means_b, var_b + var_a
    error = np.sqrt(variances)
    with np.errstate(divide="ignore", invalid="ignore"):
        pivots: Floats = np.where(error > 1e-12, means / error, np.nan)
    return pivots


def intervals(
    before: Floats, after: Floats, *, paired: bool, resampled: bool = True
) -> tuple[Floats, Floats]:
    """Lower and upper end of the interval of each row's difference of means.

    *before* has shape (rows, n_before), *after* (rows, n_after), in units in which a
    difference is meant; at least 2 runs a side.  With *paired*, columns belong together
    and are resampled together.  Ends are infinite if the resamples say nothing.  Not
    *resampled*, they are Student's.
    """
    difference = after.mean(axis=1) - before.mean(axis=1)
    error, freedom = errors(before, after, paired=paired)
    if not resampled or before.shape[1] + after.shape[1] > MANY:
        reach = stdtrit(freedom, (1 + LEVEL) / 2) * error
        return difference - reach, difference + reach
    low, high = np.empty_like(difference), np.empty_like(difference)
    for start in range(0, difference.size, AT_ONCE):
        part = slice(start, start + AT_ONCE)
        pivots = _pivots(before[part], after[part], paired=paired)
        few = np.isfinite(pivots).sum(axis=1) < RESAMPLES // 2
        pivots[few] = 0
        ends = np.nanquantile(pivots, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=1)
        ends[:, few] = [[-np.inf], [np.inf]]
        with np.errstate(invalid="ignore"):
            low[part] = difference[part] - ends[1] * error[part]
            high[part] = difference[part] - ends[0] * error[part]
    exact = ~(error > 1e-12)
    return np.where(exact, difference, low), np.where(exact, difference, high)
