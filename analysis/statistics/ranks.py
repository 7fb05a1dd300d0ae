"""Rank tests of many metrics at once: is one group of runs shifted against the other?

The sum of ranks of the runs after (Wilcoxon, Biometrics Bulletin 1, 1945; Mann and
Whitney, 1947), and within pairs the sum of ranks of the changes for the worse.  The p-value
counts all exchanges of labels, with equal values by their mean rank; above ``EXACT`` runs
the normal approximation stands in for it, which is cautious far out.

Matrices as in ``interval``: a row for each metric, a column for each run.
"""

from functools import lru_cache
from math import comb

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

#: Runs in all, or pairs, up to which every exchange is counted.
EXACT = 40
#: From so many pairs on labels are exchanged within pairs only.  2^10 exchanges of ten
#: pairs cannot have a p-value that is small enough for a family of fifty tests.
ENOUGH_PAIRS = 16


def _sums(weights: tuple[int, ...], chosen: int) -> Floats:
    """Probability of each sum of *chosen* of *weights*, drawn without replacement."""
    most = sum(sorted(weights)[-chosen:]) if chosen else 0
    ways = np.zeros((chosen + 1, most + 1))
    ways[0, 0] = 1
    for i, weight in enumerate(weights):
        used = min(i + 1, chosen)
        ways[1 : used + 1, weight:] += ways[:used, : most + 1 - weight].copy()
    found: Floats = ways[chosen] / comb(len(weights), chosen)
    return found


def _signed(weights: tuple[int, ...]) -> Floats:
    """Probability of each sum of weights of which each counts or not, as a coin says."""
    chance = np.zeros(sum(weights) + 1)
    chance[0] = 1
    for weight in weights:
        chance[weight:] += chance[: chance.size - weight].copy()
        chance /= 2
    return chance


@lru_cache(maxsize=256)
def null_of(n_before: int, n_after: int) -> Floats:
    """Probability of 0, 1, ... of all differences being below 0, if there is no shift."""
    fewer = min(n_before, n_after)
    return _sums(tuple(range(1, n_before + n_after + 1)), fewer)[fewer * (fewer + 1) // 2 :]


@lru_cache(maxsize=256)
def null_of_pairs(pairs: int) -> Floats:
    """The same of all means of two changes."""
    return _signed(tuple(range(1, pairs + 1)))


def _twice_the_ranks(values: Floats) -> Integers:
    """Mean ranks times two, whole numbers."""
    ordered = np.sort(values)
    left, right = (np.searchsorted(ordered, values, side) for side in ("left", "right"))
    return np.asarray(left + right + 1, dtype=np.int64)


def _two_sided(null: Floats, observed: float, middle: float) -> float:
    """How likely a sum is as far from the middle, either way."""
    far = np.abs(np.arange(null.size) - middle) >= abs(observed - middle) - 1e-9
    return min(float(null[far].sum()), 1.0)


def _normal(observed: float, middle: float, variance: float) -> float:
    """The same of doubled ranks, whose sums are 2 apart."""
    if variance <= 0:
        return 1.0
    distance = max(abs(observed - middle) - 1, 0.0)
    return float(2 * ndtr(-distance / np.sqrt(variance)))


def _p_of_groups(pooled: Floats, n_before: int, *, exact: bool) -> float:
    doubled = _twice_the_ranks(pooled)
    n, n_after = pooled.size, pooled.size - n_before
    observed, middle = float(doubled[n_before:].sum()), n_after * (n + 1.0)
    if not exact or n > EXACT:
        variance = n_before * n_after / (n - 1) * float(doubled.var())
        return _normal(observed, middle, variance)
    ordered = np.sort(doubled)
    if (np.diff(ordered) == 2).all():
        u = (observed - n_after * (n_after + 1)) / 2
        return _two_sided(null_of(n_before, n_after), u, n_before * n_after / 2)
    return _two_sided(_sums(tuple(ordered.tolist()), n_after), observed, middle)


def _p_of_pairs(change: Floats, *, exact: bool) -> float:
    moved = change[change != 0]
    doubled = _twice_the_ranks(np.abs(moved))
    observed, middle = float(doubled[moved > 0].sum()), float(doubled.sum()) / 2
    if not exact or moved.size > EXACT:
        return _normal(observed, middle, float((doubled**2).sum()) / 4)
    return _two_sided(_signed(tuple(doubled.tolist())), observed, middle)


def within_pairs(n_before: int, n_after: int, *, paired: bool) -> bool:
    """Whether a test of so many runs exchanges labels within pairs only."""
    return paired and n_before == n_after >= ENOUGH_PAIRS


def p_values(before: Floats, after: Floats, *, paired: bool = False, exact: bool = True) -> Floats:
    """Two-sided p of each row under exchange of the labels, at least 1 run a side.

    Below ``ENOUGH_PAIRS`` labels are exchanged across pairs too: that is right under the
    hypothesis, and at worst cautious where pairs drift together.
    """
    if within_pairs(before.shape[1], after.shape[1], paired=paired):
        return np.array([_p_of_pairs(row, exact=exact) for row in after - before])
    pooled = np.concatenate([before, after], axis=1)
    return np.array([_p_of_groups(row, before.shape[1], exact=exact) for row in pooled])


def counted(n_before: int, n_after: int, *, within: bool) -> bool:
    """Whether every exchange of so many runs is counted."""
    return (n_before if within else n_before + n_after) <= EXACT


def levels(n_before: int, n_after: int, *, within: bool) -> Floats:
    """Every p that so many runs can have, *within* pairs or across, the least first."""
    null = null_of_pairs(n_before) if within else null_of(n_before, n_after)
    found: Floats = 2 * np.cumsum(null[: (null.size + 1) // 2])
    return found


@lru_cache(maxsize=4096)
def attainable(n_before: int, n_after: int, limit: float, *, within: bool) -> float:
    """The largest p below *limit* that so many runs can have, *within* pairs or across; 0
    if they can have none.  Runs that are not counted can have any."""
    if not counted(n_before, n_after, within=within):
        return limit
    all_there_are = levels(n_before, n_after, within=within)
    below = all_there_are[all_there_are < limit]
    return float(below[-1]) if below.size else 0.0
