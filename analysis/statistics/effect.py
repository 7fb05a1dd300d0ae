"""Two groups of runs: centres, ratio, interval and p-value.

Values are compared on the log scale, where a ratio is a difference and the spread of
run-to-run noise is alike on both sides; ``interval`` and ``ranks`` do the work.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.special import stdtrit

from z3trace.analysis.statistics import fieller, interval, permutation, ranks, student
from z3trace.analysis.statistics.ranks import Floats

#: Values whose exchanges are counted or drawn in one comparison, 20 of each metric of ten
#: runs a side; what all metrics of such a number of runs share costs as much as 128 of
#: them.  A second or two.
WORK = 60_000
_NEW_SHAPE = 128


@dataclass(frozen=True)
class Effect:
    """Centres over runs, their ratio, its interval and p-value.

    ``before`` and ``after`` are the typical run of each side, ``ratio`` is that of a
    typical pair of runs (see ``interval``): close to after / before, and equal to it where
    the noise is symmetric.  If a value is 0 all three are of means, and the interval is
    Fieller's.  ``error`` is the standard error of the log ratio, ``resolution`` the part
    of the interval that is due to the width of buckets, both in units of the log ratio.
    ``within``: labels were exchanged within pairs.  ``logs``: of the runs of both sides, one
    dimension each; None where there is no interval of them.
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
    within: bool = False
    logs: tuple[Floats, Floats] | None = field(default=None, repr=False, compare=False)


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
        """Whether exchanges of so many runs a side are counted, which is then spent."""
        runs, shape = before + after, (before, after, paired)
        if runs > permutation.MANY:
            return True  # by a formula anyway
        work = runs if shape in self._shapes else runs * _NEW_SHAPE
        if work > self._left:
            return False
        self._left -= work
        self._shapes.add(shape)
        return True


def _cleaned(sample: Sample) -> tuple[Floats, Floats, bool]:
    """Both sides without what is no number, and whether they are pairs."""
    before, after = (np.asarray(side, dtype=float) for side in (sample.before, sample.after))
    b, a = np.isfinite(before), np.isfinite(after)
    paired = sample.paired and before.size == after.size
    if paired:
        b = a = b & a
    return before[b], after[a], paired


def _of_means(before: Floats, after: Floats, paired: bool, exact: bool) -> list[Effect]:
    """Effects of values among which there are zeros, a row for each metric."""
    b, a = before.mean(axis=1), after.mean(axis=1)
    ratio = a / np.where(b > 0, b, np.nan)
    low = high = p = np.full(b.shape, np.nan)
    if min(before.shape[1], after.shape[1]) >= 2:
        low, high = fieller.interval(before, after, paired=paired)
        p = permutation.p_values(before, after, resampled=exact)
    sizes = before.shape[1], after.shape[1]
    numbers = np.array([b, a, ratio, low, high, p]).T.tolist()
    return [Effect(b, a, r, low, high, p, *sizes) for b, a, r, low, high, p in numbers]


def _errors(before: Floats, after: Floats, low: Floats, high: Floats, *, within: bool) -> Floats:
    """Standard error of each shift, from the width of its interval; where most runs are
    equal and it has none, that of the difference of means."""
    if within:
        freedom, of_means = before.shape[1] - 1, student.standard_error(after - before)
    else:
        freedom, of_means = before.shape[1] + after.shape[1] - 2, student.welch(before, after)[0]
    half = np.where(np.isfinite(high - low), high - low, np.nan) / 2
    return np.where(half == 0, of_means, half / stdtrit(freedom, (1 + interval.LEVEL) / 2))


def _of_logs(before: Floats, after: Floats, paired: bool, exact: bool) -> list[Effect]:
    """Effects of logs of values, a row for each metric."""
    sizes = before.shape[1], after.shape[1]
    p = error = np.full(before.shape[0], np.nan)
    within = ranks.within_pairs(*sizes, paired=paired)
    told = tested = interval.shifts(before, after, paired=paired, exact=exact)
    if min(sizes) >= 2:
        p = ranks.p_values(before, after, paired=paired, exact=exact)
        if paired and not within:  # a change is found by what the test sees
            tested = interval.shifts(before, after, paired=False, exact=exact)
        error = _errors(before, after, tested.low, tested.high, within=within)
    centres = interval.centres(before), interval.centres(after)
    with np.errstate(over="ignore"):
        numbers = np.exp([*centres, told.shift, told.low, told.high])
    rows = np.array([*numbers, p, error]).T.tolist()
    return [
        Effect(b, a, ratio, start, end, p, *sizes, error, within=within, logs=logs)
        for (b, a, ratio, start, end, p, error), logs in zip(
            rows, zip(before, after, strict=True), strict=True
        )
    ]


def _of_one_side(before: Floats, after: Floats) -> list[Effect]:
    """Where the other side has no runs, or neither: its centre is all there is."""
    sizes = before.shape[1], after.shape[1]
    nan = np.nan
    found = np.full((2, before.shape[0]), nan)
    for row, side in enumerate((before, after)):
        if side.shape[1]:
            with np.errstate(divide="ignore", invalid="ignore"):
                typical = np.exp(interval.centres(np.log(side)))
            found[row] = np.where((side > 0).all(axis=1), typical, side.mean(axis=1))
    return [Effect(b, a, nan, nan, nan, nan, *sizes) for b, a in found.T.tolist()]


def _widened(effect: Effect, resolution: float) -> Effect:
    if not resolution:
        return effect
    wide = float(np.exp(resolution))
    return replace(
        effect, low=effect.low / wide, high=effect.high * wide, resolution=float(resolution)
    )


def effects(samples: Sequence[Sample]) -> list[Effect]:
    """Compare each sample; those of one shape are worked on together.

    Zeros make a ratio of typical runs meaningless: such a sample has a ratio of means.
    Above ``WORK`` in all, what is left has intervals and tests by their approximations.
    """
    results: list[Effect | None] = [None] * len(samples)
    groups: dict[tuple[int, int, bool, bool, bool], list[int]] = {}
    cleaned = [_cleaned(sample) for sample in samples]
    work = _Work()
    for i, (b, a, paired) in enumerate(cleaned):
        zeros = bool((b <= 0).any() or (a <= 0).any())
        exact = work.affords(b.size, a.size, paired)
        groups.setdefault((b.size, a.size, paired, exact, zeros), []).append(i)
    for (n_before, n_after, paired, exact, zeros), members in groups.items():
        before, after = (np.array([cleaned[i][side] for i in members]) for side in (0, 1))
        if not n_before or not n_after:
            group = _of_one_side(before, after)
        elif zeros:
            group = _of_means(before, after, paired, exact)
        else:
            group = _of_logs(np.log(before), np.log(after), paired, exact)
        for i, effect in zip(members, group, strict=True):
            results[i] = _widened(effect, samples[i].resolution)
    return [effect for effect in results if effect is not None]


def effect_of(before: Sequence[float], after: Sequence[float], *, paired: bool) -> Effect:
    """Compare one metric."""
    return effects([Sample(before, after, paired)])[0]
