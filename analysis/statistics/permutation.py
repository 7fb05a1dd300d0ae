"""Tests of means among which there are zeros, by exchange of the labels of runs.

Matrices as in ``interval``: a row for each metric, a column for each run.

Exchange of labels (Good, Permutation Tests, 2000), all exchanges where they are few.
Above ``MANY`` runs in all Welch's t stands in for it.
"""

from functools import lru_cache
from itertools import combinations
from math import comb

import numpy as np
from scipy.special import stdtr

from z3trace.analysis.statistics.ranks import Floats
from z3trace.analysis.statistics.student import welch

PERMUTATIONS = 20000
MANY = 200
SEED = 20161115
#: Rows of metrics that are worked on together: bounds the memory.
_AT_ONCE = 16


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


def p_values(before: Floats, after: Floats, *, resampled: bool = True) -> Floats:
    """Two-sided p of each row's difference of means under exchange of the labels.

    Not *resampled*, they are Welch's.
    """
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
    for start in range(0, observed.size, _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        exchanged = np.abs(pooled[part] @ weights)
        limit = observed[part, None] * (1 - 1e-9) - 1e-15
        as_far[part] = (exchanged >= limit).sum(axis=1)
    total = weights.shape[1]
    if exact:
        return np.asarray(as_far / total, dtype=float)
    return np.asarray((as_far + 1) / (total + 1), dtype=float)
