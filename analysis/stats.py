"""Two groups of runs: ratio, interval, test, verdict.

Values are compared on the log scale, where a ratio is a difference and the
spread of run-to-run noise is alike on both sides.  The interval is the
studentized bootstrap over runs (Efron and Tibshirani, An Introduction to the
Bootstrap, 1993, chapter 12.5), over interleaved pairs where there are pairs;
p-values are of the permutation test on the difference of mean logs, held
together by Holm's method (Scandinavian Journal of Statistics 6, 1979).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Verdict = Literal["better", "worse", "no difference", "inconclusive"]

LEVEL = 0.95
MARGIN = 0.02
MIN_RUNS = 5
_RESAMPLES = 4000
_PERMUTATIONS = 20000
_SEED = 20161115


@dataclass(frozen=True)
class Effect:
    """Centres (geometric means over runs), their ratio, its interval and p-value."""

    before: float
    after: float
    ratio: float
    low: float
    high: float
    p: float
    n_before: int
    n_after: int


def _positive(values: Sequence[float] | Floats) -> Floats:
    array = np.asarray(values, dtype=float)
    finite: Floats = array[np.isfinite(array)]
    return finite


def _bootstrap_t(
    difference: float, error: float, draws: Floats, errors: Floats
) -> tuple[float, float]:
    """Interval of a difference from resampled differences and their standard errors."""
    if not error > 0:
        return difference, difference
    usable = errors > 1e-12
    pivots = (draws[usable] - difference) / errors[usable]
    if pivots.size < _RESAMPLES // 2:
        return -np.inf, np.inf
    low, high = np.quantile(pivots, [(1 + LEVEL) / 2, (1 - LEVEL) / 2])
    return difference - low * error, difference - high * error


def _paired(before: Floats, after: Floats, random: np.random.Generator) -> tuple[float, float]:
    change = after - before
    n = change.size
    draws = change[random.integers(0, n, (_RESAMPLES, n))]
    return _bootstrap_t(
        float(change.mean()),
        float(change.std(ddof=1) / np.sqrt(n)),
        draws.mean(axis=1),
        draws.std(axis=1, ddof=1) / np.sqrt(n),
    )


def _independent(before: Floats, after: Floats, random: np.random.Generator) -> tuple[float, float]:
    def moments(values: Floats) -> tuple[Floats, Floats]:
        n = values.size
        draws = values[random.integers(0, n, (_RESAMPLES, n))]
        return draws.mean(axis=1), draws.var(axis=1, ddof=1) / n

    mean_b, var_b = moments(before)
    mean_a, var_a = moments(after)
    error = np.sqrt(before.var(ddof=1) / before.size + after.var(ddof=1) / after.size)
    return _bootstrap_t(
        float(after.mean() - before.mean()), float(error), mean_a - mean_b, np.sqrt(var_a + var_b)
    )


def permutation_p(before: Floats, after: Floats) -> float:
    """Two-sided p of the difference of means under exchange of the labels."""
    pooled = np.concatenate([before, after])
    observed = abs(after.mean() - before.mean())
    random = np.random.default_rng(_SEED)
    shuffled = random.permuted(np.broadcast_to(pooled, (_PERMUTATIONS, pooled.size)), axis=1)
    means_b = shuffled[:, : before.size].mean(axis=1)
    means_a = shuffled[:, before.size :].mean(axis=1)
    extreme = np.abs(means_a - means_b) >= observed * (1 - 1e-12)
    return float((1 + np.count_nonzero(extreme)) / (1 + _PERMUTATIONS))


def effect(before: Sequence[float], after: Sequence[float], *, paired: bool) -> Effect:
    """Compare two groups of per-run values (any unit, 0 allowed).

    With *paired*, value i of one side was recorded next to value i of the other.
    Zeros make a ratio meaningless: it is then NaN, and so is the interval.
    """
    b, a = _positive(before), _positive(after)
    if not b.size or not a.size or (b <= 0).any() or (a <= 0).any():
        centre_b = float(b.mean()) if b.size else np.nan
        centre_a = float(a.mean()) if a.size else np.nan
        return Effect(centre_b, centre_a, np.nan, np.nan, np.nan, np.nan, b.size, a.size)
    log_b, log_a = np.log(b), np.log(a)
    low, high, p = np.nan, np.nan, np.nan
    if b.size >= 2 and a.size >= 2:
        random = np.random.default_rng(_SEED)
        together = paired and b.size == a.size
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            low, high = (_paired if together else _independent)(log_b, log_a, random)
            low, high = float(np.exp(low)), float(np.exp(high))
        p = permutation_p(log_b, log_a)
    centre_b, centre_a = float(np.exp(log_b.mean())), float(np.exp(log_a.mean()))
    return Effect(centre_b, centre_a, centre_a / centre_b, low, high, p, b.size, a.size)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values of a family, in the same order; NaN stays NaN and counts not."""
    array = np.asarray(p_values, dtype=float)
    adjusted = np.full(array.shape, np.nan)
    known = np.flatnonzero(np.isfinite(array))
    order = known[np.argsort(array[known])]
    running = 0.0
    for rank, index in enumerate(order):
        running = max(running, min(1.0, (known.size - rank) * array[index]))
        adjusted[index] = running
    return [float(x) for x in adjusted]


def verdict(found: Effect, p_adjusted: float, *, higher_is_better: bool) -> Verdict:
    """What may be said: a difference needs an interval clear of 1 and an adjusted p
    below 5 %; none needs the interval within 2 % of 1; at least 5 runs a side."""
    enough = min(found.n_before, found.n_after) >= MIN_RUNS
    if not enough or not np.isfinite([found.low, found.high]).all():
        return "inconclusive"
    if found.low >= 1 - MARGIN and found.high <= 1 + MARGIN:
        return "no difference"
    if (found.low > 1 or found.high < 1) and p_adjusted < 1 - LEVEL:
        return "better" if (found.ratio > 1) == higher_is_better else "worse"
    return "inconclusive"
