"""Two groups of runs: centres, ratio, interval and p-value.

Values are compared on the log scale, where a ratio is a difference and the spread of
run-to-run noise is alike on both sides; ``interval`` and ``permutation`` do the work.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from z3trace.analysis.statistics import fieller, interval, permutation
from z3trace.analysis.statistics.interval import Floats

#: Values that are resampled in one comparison, 20 of each metric of ten runs a side; what
#: all metrics of such a number of runs share costs as much as 128 of them.  About a second.
WORK = 60_000
_NEW_SHAPE = 128


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


class _Work:
    """What is left of ``WORK``."""

    def __init__(self) -> None:
        self._left = WORK
        self._shapes: set[tuple[int, int, bool]] = set()

    def affords(self, before: int, after: int, paired: bool) -> bool:
        """Whether a metric of so many runs a side is resampled, which is then spent."""
        runs, shape = before + after, (before, after, paired)
        if runs > interval.MANY:
            return True  # Student's t for them anyway
        work = runs if shape in self._shapes else runs * _NEW_SHAPE
        if work > self._left:
            return False
        self._left -= work
        self._shapes.add(shape)
        return True


def _finite(values: Sequence[float]) -> Floats:
    array = np.asarray(values, dtype=float)
    finite: Floats = array[np.isfinite(array)]
    return finite


def _means(values: Floats) -> Floats:
    """Of each row; NaN where there are no runs."""
    rows, runs = values.shape
    return np.asarray(values.mean(axis=1)) if runs else np.full(rows, np.nan)


def _of_means(before: Floats, after: Floats, paired: bool, resampled: bool) -> list[Effect]:
    """Effects of values among which there are zeros, a row for each metric."""
    b, a = _means(before), _means(after)
    ratio = a / np.where(b > 0, b, np.nan)
    low = high = p = np.full(b.shape, np.nan)
    if min(before.shape[1], after.shape[1]) >= 2:
        low, high = fieller.interval(before, after, paired=paired)
        p = permutation.p_values(before, after, resampled=resampled)
    sizes = before.shape[1], after.shape[1]
    numbers = np.array([b, a, ratio, low, high, p]).T.tolist()
    return [Effect(b, a, r, low, high, p, *sizes) for b, a, r, low, high, p in numbers]


def _of_logs(before: Floats, after: Floats, paired: bool, resampled: bool) -> list[Effect]:
    """Effects of logs of values, a row for each metric."""
    difference = after.mean(axis=1) - before.mean(axis=1)
    if min(before.shape[1], after.shape[1]) < 2:
        low = high = p = error = np.full(difference.shape, np.nan)
    else:
        low, high = interval.intervals(before, after, paired=paired, resampled=resampled)
        p = permutation.p_values(before, after, paired=paired, resampled=resampled)
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
    Above ``WORK`` in all, what is left has intervals and tests by Student's t.
    """
    results: list[Effect | None] = [None] * len(samples)
    groups: dict[tuple[int, int, bool, bool, bool], list[int]] = {}
    cleaned = [(_finite(sample.before), _finite(sample.after)) for sample in samples]
    work = _Work()
    for i, (b, a) in enumerate(cleaned):
        paired = samples[i].paired and b.size == a.size
        zeros = not (b.size and a.size) or bool((b <= 0).any() or (a <= 0).any())
        resampled = work.affords(b.size, a.size, paired)
        groups.setdefault((b.size, a.size, paired, resampled, zeros), []).append(i)
    for (_, _, paired, resampled, zeros), members in groups.items():
        before, after = (np.array([cleaned[i][side] for i in members]) for side in (0, 1))
        if zeros:
            group = _of_means(before, after, paired, resampled)
        else:
            group = _of_logs(np.log(before), np.log(after), paired, resampled)
        for i, effect in zip(members, group, strict=True):
            results[i] = _widened(effect, samples[i].resolution)
    return [effect for effect in results if effect is not None]


def effect_of(before: Sequence[float], after: Sequence[float], *, paired: bool) -> Effect:
    """Compare one metric."""
    return effects([Sample(before, after, paired)])[0]
