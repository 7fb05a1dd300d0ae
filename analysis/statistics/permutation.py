"""Tests of many metrics at once, by exchange of the labels of runs.

Matrices as in ``interval``: a row for each metric, a column for each run.

Exchange of labels (Good, Permutation Tests, 2000), all exchanges where they are few.
Above ``interval.MANY`` runs in all Welch's t stands in for it.
"""

from functools import lru_cache
from itertools import combinations
from math import comb

import numpy as np
from scipy.special import stdtr

from z3trace.analysis.statistics.interval import AT_ONCE, MANY, SEED, Floats, welch

PERMUTATIONS = 20000
ENOUGH_PAIRS = 12


@lru_cache(maxsize=2)  # 32 MB each for 200 runs
def _exchanges(n_before: int, n_after: int) -> tuple[Floats, bool]:
    """Weights whose product with pooled values is a difference of means, shape
    (n, exchanges), and whether these are all exchanges there are."""
    n = n_before + n_after
    exact = comb(n, n_before) <= PERMUTATIONS
    if exact:
        chosen = np.array(list(combinations(range(n), n_before)))
    else:
        random = np.random.default_rng(SEED)
        order = np.argsort(random.random((PERMUTATIONS, n)), axis=1)
        chosen = order[:, :n_before]
    weights = np.full((chosen.shape[0], n), 1 / n_after)
    np.put_along_axis(weights, chosen, -1 / n_before, axis=1)
    transposed: Floats = weights.T.copy()
    return transposed, exact


def _within_pairs(change: Floats) -> Floats:
    """Two-sided p of each row's mean under exchange of the two of every pair."""
    random = np.random.default_rng(SEED)
    n = change.shape[1]
    signs = (random.integers(0, 2, (n, PERMUTATIONS)) * 2.0 - 1) / n
    observed = np.abs(change.mean(axis=1))
    as_far = [
        np.sum(np.abs(row @ signs) >= x * (1 - 1e-9))
        for row, x in zip(change, observed, strict=True)
    ]
    return (np.array(as_far, dtype=float) + 1) / (PERMUTATIONS + 1)


def p_values(
    before: Floats, after: Floats, *, paired: bool = False, resampled: bool = True
) -> Floats:
    """Two-sided p of each row's difference of means under exchange of the labels.

    Labels are exchanged within pairs if there are ``ENOUGH_PAIRS``.  Below that across
    pairs too: that is right under the hypothesis, at worst cautious where pairs drift
    together, and has a p-value small enough for a family, which 2^10 exchanges within
    ten pairs would not have.  Not *resampled*, they are Welch's.
    """
    if resampled and paired and ENOUGH_PAIRS <= before.shape[1] <= MANY // 2:
        return _within_pairs(after - before)
    n_before, n_after = before.shape[1], after.shape[1]
    observed = np.abs(after.mean(axis=1) - before.mean(axis=1))
    if not resampled or n_before + n_after > MANY:
        error, freedom = welch(before, after)
        with np.errstate(divide="ignore", invalid="ignore"):
            score = np.where(error > 0, observed / error, np.where(observed > 0, np.inf, 0))
        return np.asarray(2 * stdtr(freedom, -score), dtype=float)
    weights, exact = _exchanges(n_before, n_after)
    pooled = np.concatenate([before, after], axis=1)
    pooled = pooled - pooled.mean(axis=1, keepdims=True)
    as_far: Floats = np.empty_like(observed)
    for start in range(0, observed.size, AT_ONCE):
        part = slice(start, start + AT_ONCE)
        exchanged = np.abs(pooled[part] @ weights)
        limit = observed[part, None] * (1 - 1e-9) - 1e-15
        as_far[part] = (exchanged >= limit).sum(axis=1)
    total = weights.shape[1]
    if exact:
        return np.asarray(as_far / total, dtype=float)
    return np.asarray((as_far + 1) / (total + 1), dtype=float)
