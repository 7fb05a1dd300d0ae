"""Two groups of runs: ratio, interval, test, verdict.

Values are compared on the log scale, where a ratio is a difference and the spread of
run-to-run noise is alike on both sides; ``resampling`` has the interval and the test.
p-values are held together by Holm's method (Scandinavian Journal of Statistics 6, 1979).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit
from z3trace.analysis import fieller, resampling

Floats = npt.NDArray[np.float64]
Verdict = Literal[
    "better",
    "worse",
    "no difference",
    "inconclusive",
    "too few runs",
    "only before",
    "only after",
    "not tested",
]

MARGIN = 0.02
#: The adjusted p below which a difference is one.  Less than the 5 % of sessions of equal
#: sides that may show a false one: the resampled p-values are themselves uncertain.
SIGNIFICANT = 0.04
MIN_RUNS = 5
POWER = 0.8
_MOST_RUNS = 10_000


@dataclass(frozen=True)
class Effect:
    """Centres over runs, their ratio, its interval and p-value.

    Centres are geometric means; means if a value is 0, and then the interval is Fieller's.
    ``error`` is the standard error of the log ratio, ``resolution`` the part of the
    interval that is due to the width of buckets, both in units of the log ratio.
    """

    before: float
    after: float
    ratio: float
    low: float
    high: float
    p: float
    n_before: int
    n_after: int
    error: float = np.nan
    resolution: float = 0.0


@dataclass(frozen=True)
class Sample:
    """Per-run values of one metric on both sides, any unit, not below 0.

    With *paired*, value i of one side was recorded next to value i of the other.
    *resolution*: how far the ratio may be off as values were read from buckets, as a
    difference of logs.
    """

    before: Sequence[float]
    after: Sequence[float]
    paired: bool = False
    resolution: float = 0.0


def _finite(values: Sequence[float]) -> Floats:
    array = np.asarray(values, dtype=float)
    found: Floats = array[np.isfinite(array)]
    return found


def _mean(values: Floats) -> float:
    return float(values.mean()) if values.size else float("nan")


def _of_means(before: Floats, after: Floats, *, paired: bool) -> Effect:
    b, a = _mean(before), _mean(after)
    ratio = a / b if b > 0 else float("nan")
    enough = min(before.size, after.size) >= 2
    p = float(resampling.p_values(before[None], after[None])[0]) if enough else float("nan")
    low, high = fieller.interval(before, after, paired=paired)
    return Effect(b, a, ratio, low, high, p, before.size, after.size)


def _group(before: Floats, after: Floats, *, paired: bool) -> list[Effect]:
    """Effects of logs of values, a row for each metric."""
    difference = after.mean(axis=1) - before.mean(axis=1)
    if min(before.shape[1], after.shape[1]) < 2:
        low = high = p = error = np.full(difference.shape, np.nan)
    else:
        low, high = resampling.intervals(before, after, paired=paired)
        p = resampling.p_values(before, after, paired=paired)
        error, _ = resampling.errors(before, after, paired=paired)
    with np.errstate(over="ignore"):
        numbers = np.exp([before.mean(axis=1), after.mean(axis=1), difference, low, high])
    found = []
    for i in range(difference.size):
        b, a, ratio, start, end = (float(x) for x in numbers[:, i])
        sizes = before.shape[1], after.shape[1]
        found.append(Effect(b, a, ratio, start, end, float(p[i]), *sizes, float(error[i])))
    return found


def _widened(effect: Effect, resolution: float) -> Effect:
    if not resolution:
        return effect
    wide = float(np.exp(resolution))
    return replace(
        effect, low=effect.low / wide, high=effect.high * wide, resolution=float(resolution)
    )


def effects(samples: Sequence[Sample]) -> list[Effect]:
    """Compare each sample; those of one shape share their resamples.

    Zeros make a ratio of geometric means meaningless: such a sample has a ratio of means.
    """
    found: list[Effect | None] = [None] * len(samples)
    groups: dict[tuple[int, int, bool], list[int]] = {}
    cleaned = [(_finite(one.before), _finite(one.after)) for one in samples]
    for i, (b, a) in enumerate(cleaned):
        paired = samples[i].paired and b.size == a.size
        if not (b.size and a.size) or (b <= 0).any() or (a <= 0).any():
            found[i] = _widened(_of_means(b, a, paired=paired), samples[i].resolution)
        else:
            groups.setdefault((b.size, a.size, paired), []).append(i)
    for (_, _, paired), members in groups.items():
        before = np.log(np.array([cleaned[i][0] for i in members]))
        after = np.log(np.array([cleaned[i][1] for i in members]))
        for i, effect in zip(members, _group(before, after, paired=paired), strict=True):
            found[i] = _widened(effect, samples[i].resolution)
    return [effect for effect in found if effect is not None]


def effect(before: Sequence[float], after: Sequence[float], *, paired: bool) -> Effect:
    """Compare one metric."""
    return effects([Sample(before, after, paired)])[0]


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


def _with_zeros(found: Effect, significant: bool, higher_is_better: bool) -> Verdict:
    """Without an interval, the test alone tells more from less; a figure that is 0 in
    every run of both sides does not differ."""
    if found.before == found.after == 0:
        return "no difference"
    if np.isfinite(found.error) or not significant:
        return "inconclusive"
    return "better" if (found.after > found.before) == higher_is_better else "worse"


def verdict(found: Effect, p_adjusted: float, *, higher_is_better: bool) -> Verdict:
    """What may be said: a difference needs an interval clear of 1 and an adjusted p
    below 4 %; none needs the interval within 2 % of 1; at least 5 runs a side."""
    if not found.n_before or not found.n_after:
        return "only before" if found.n_before else "only after"
    if min(found.n_before, found.n_after) < MIN_RUNS:
        return "too few runs"
    significant = p_adjusted < SIGNIFICANT
    if not np.isfinite([found.low, found.high]).all():
        return _with_zeros(found, significant, higher_is_better)
    if found.low >= 1 - MARGIN and found.high <= 1 + MARGIN:
        return "no difference"
    if (found.low > 1 or found.high < 1) and significant:
        return "better" if (found.ratio > 1) == higher_is_better else "worse"
    return "inconclusive"


def _reach(found: Effect, tests: int) -> float:
    """Standard errors between 0 and a difference that is found with ``POWER``, by the
    strictest step of Holm's method over *tests* tests."""
    freedom = max(min(found.n_before, found.n_after) - 1, 1)
    strict = SIGNIFICANT / max(tests, 1)
    return float(stdtrit(freedom, 1 - strict / 2) + stdtrit(freedom, POWER))


def detectable(found: Effect, tests: int) -> float:
    """The smallest change, such as 0.04 for 4 %, that this many runs with this spread find
    with a power of 80 %; NaN if it cannot be told, as from less than MIN_RUNS runs, of
    which no verdict is given.  By Student's t."""
    if min(found.n_before, found.n_after) < MIN_RUNS:
        return float("nan")
    if not found.error > 0:
        return found.resolution if found.error == 0 else float("nan")
    return float(np.expm1(_reach(found, tests) * found.error + found.resolution))


def runs_to_settle(found: Effect, tests: int) -> int | None:
    """About how many runs a side would settle what is inconclusive, if the ratio stays as
    it is: enough to find it, or enough to hold its interval within the margin.  None if
    more than 10 000 or if it cannot be told."""
    n = min(found.n_before, found.n_after)
    if not found.error > 0 or not np.isfinite(found.ratio) or n < 2:
        return None
    change = abs(float(np.log(found.ratio)))
    room = float(np.log1p(MARGIN)) - found.resolution - change
    needed = [
        (reach * found.error / distance) ** 2 * n
        for reach, distance in (
            (_reach(found, tests), change - found.resolution),
            (1.96, room),
        )
        if distance > 0
    ]
    if not needed or min(needed) > _MOST_RUNS:
        return None
    return max(int(np.ceil(min(needed))), n + 1)
