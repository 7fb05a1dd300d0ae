"""Two groups of runs: centres, ratio, interval and p-value.

Values are compared on the log scale, where a ratio is a difference and the spread of
run-to-run noise is alike on both sides; ``interval`` and ``permutation`` do the work.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from z3trace.analysis.statistics import fieller, interval, permutation
from z3trace.analysis.statistics.interval import Floats


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
    finite: Floats = array[np.isfinite(array)]
    return finite


def _mean(values: Floats) -> float:
    return float(values.mean()) if values.size else float("nan")


def _of_means(before: Floats, after: Floats, *, paired: bool) -> Effect:
    b, a = _mean(before), _mean(after)
    ratio = a / b if b > 0 else float("nan")
    enough = min(before.size, after.size) >= 2
    p = float(permutation.p_values(before[None], after[None])[0]) if enough else float("nan")
    low, high = fieller.interval(before, after, paired=paired)
    return Effect(b, a, ratio, low, high, p, before.size, after.size)


def _group(before: Floats, after: Floats, *, paired: bool) -> list[Effect]:
    """Effects of logs of values, a row for each metric."""
    difference = after.mean(axis=1) - before.mean(axis=1)
    if min(before.shape[1], after.shape[1]) < 2:
        low = high = p = error = np.full(difference.shape, np.nan)
    else:
        low, high = interval.intervals(before, after, paired=paired)
        p = permutation.p_values(before, after, paired=paired)
        error, _ = interval.errors(before, after, paired=paired)
    with np.errstate(over="ignore"):
        numbers = np.exp([before.mean(axis=1), after.mean(axis=1), difference, low, high])
    group = []
    for i in range(difference.size):
        b, a, ratio, start, end = (float(x) for x in numbers[:, i])
        sizes = before.shape[1], after.shape[1]
        group.append(Effect(b, a, ratio, start, end, float(p[i]), *sizes, float(error[i])))
    return group


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
    results: list[Effect | None] = [None] * len(samples)
    groups: dict[tuple[int, int, bool], list[int]] = {}
    cleaned = [(_finite(one.before), _finite(one.after)) for one in samples]
    for i, (b, a) in enumerate(cleaned):
        paired = samples[i].paired and b.size == a.size
        if not (b.size and a.size) or (b <= 0).any() or (a <= 0).any():
            results[i] = _widened(_of_means(b, a, paired=paired), samples[i].resolution)
        else:
            groups.setdefault((b.size, a.size, paired), []).append(i)
    for (_, _, paired), members in groups.items():
        before = np.log(np.array([cleaned[i][0] for i in members]))
        after = np.log(np.array([cleaned[i][1] for i in members]))
        for i, effect in zip(members, _group(before, after, paired=paired), strict=True):
            results[i] = _widened(effect, samples[i].resolution)
    return [effect for effect in results if effect is not None]


def effect_of(before: Sequence[float], after: Sequence[float], *, paired: bool) -> Effect:
    """Compare one metric."""
    return effects([Sample(before, after, paired)])[0]
