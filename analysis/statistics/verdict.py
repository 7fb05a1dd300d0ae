"""What may be said of an effect: verdict, smallest change effect, runs that would settle it."""

from collections.abc import Callable
from functools import lru_cache
from typing import Literal

import numpy as np
from scipy.special import ndtri, stdtrit

from z3trace.analysis.statistics import power, ranks
from z3trace.analysis.statistics.effect import Effect
from z3trace.analysis.statistics.interval import LEVEL

Verdict = Literal[
    "better",
    "worse",
    "no difference",
    "inconclusive",
    "too few runs",
    "only before",
    "only after",
    "mostly the instrument",
    "contradicted",
    "not tested",
]

MARGIN = 0.02
#: The adjusted p below which a difference is one: at most so many sessions of equal sides
#: may show a false one.
SIGNIFICANT = 0.05
#: Fewer runs a side have no verdict, whatever a test says; a family takes more, see
#: ``fewest_runs``.
MIN_RUNS = 5
POWER = 0.8
_MOST_RUNS = 10_000
#: Above so many runs of a side, whatever the noise is, the test is as of normal noise.
_NORMAL_FROM = 64


def _with_zeros(effect: Effect, significant: bool, higher_is_better: bool) -> Verdict:
    """Without an interval, the test alone tells more from less; a figure that is 0 in
    every run of both sides does not differ."""
    if effect.before == effect.after == 0:
        return "no difference"
    if np.isfinite(effect.error) or not significant:
        return "inconclusive"
    return "better" if (effect.after > effect.before) == higher_is_better else "worse"


def verdict(effect: Effect, p_adjusted: float, *, higher_is_better: bool) -> Verdict:
    """What may be said: a difference needs an interval clear of 1 and an adjusted p
    below 5 %; none needs the interval within 2 % of 1; at least 5 runs a side, and as many
    as ``decidable`` says for what would be inconclusive."""
    if not effect.n_before or not effect.n_after:
        return "only before" if effect.n_before else "only after"
    if min(effect.n_before, effect.n_after) < MIN_RUNS:
        return "too few runs"
    significant = p_adjusted < SIGNIFICANT
    if not np.isfinite([effect.low, effect.high]).all():
        return _with_zeros(effect, significant, higher_is_better)
    if effect.low >= 1 - MARGIN and effect.high <= 1 + MARGIN:
        return "no difference"
    if (effect.low > 1 or effect.high < 1) and significant:
        return "better" if (effect.ratio > 1) == higher_is_better else "worse"
    return "inconclusive"


def decidable(effect: Effect, tests: float) -> bool:
    """Whether any difference at all can be significant with so many runs, at the strictest
    step of Holm's method over *tests* tests."""
    sizes, limit = (effect.n_before, effect.n_after), SIGNIFICANT / max(tests, 1)
    return bool(ranks.attainable(*sizes, limit, within=effect.within))


@lru_cache(maxsize=256)
def fewest_runs(tests: float) -> int:
    """The least number of runs a side with which a difference can be significant as the
    first of *tests* tests."""
    limit = SIGNIFICANT / max(tests, 1)
    return next(n for n in range(MIN_RUNS, 10_000) if ranks.attainable(n, n, limit, within=False))


def _freedom(n_before: int, n_after: int, *, within: bool) -> float:
    """Degrees of freedom with which Student's t has the power of the rank test.

    A rank test needs more far out, where it has few ranks left: with three quarters of the
    degrees of freedom (of pairs 0.7) its power is 75 to 85 % in simulations of normal
    noise, 7 to 40 runs a side and 1 to 185 tests.  ``make calibrate`` repeats some of them,
    and heavier tails.
    """
    return 0.7 * n_before if within else max(0.75 * (n_before + n_after) - 2, 1)


def _reach(n_before: int, n_after: int, tests: float, *, within: bool) -> float:
    """Standard errors between 0 and a difference that is found with ``POWER``, by the
    strictest step of Holm's method over *tests* tests; infinite if none is.

    As Student's t, at the level that the rank test really has.
    """
    limit = SIGNIFICANT / max(tests, 1)
    level = ranks.attainable(n_before, n_after, limit, within=within)
    if not level:
        return float("inf")
    freedom = _freedom(n_before, n_after, within=within)
    return float(stdtrit(freedom, 1 - level / 2) + stdtrit(freedom, POWER))


def _found_from(effect: Effect, tests: float) -> float:
    """The log ratio that is found with ``POWER``, without the width of buckets; infinite if
    none is."""
    sizes, limit = (effect.n_before, effect.n_after), SIGNIFICANT / max(tests, 1)
    reach = _reach(*sizes, tests, within=effect.within)
    if not np.isfinite(reach):
        return reach
    if effect.logs is None or not effect.error or max(sizes) > _NORMAL_FROM:
        return reach * effect.error
    return power.found_from(*effect.logs, limit, POWER, within=effect.within)


def detectable(effect: Effect, tests: float) -> float:
    """The smallest change, such as 0.04 for 4 %, that this many runs with this spread find
    with a power of 80 %, as one of *tests* tests that are held together by Holm's method
    (``family.strictness``).  Infinite if so few runs find none; NaN if it cannot be told,
    as from less than MIN_RUNS runs, of which no verdict is given."""
    if min(effect.n_before, effect.n_after) < MIN_RUNS or not effect.error >= 0:
        return float("nan")
    return float(np.expm1(_found_from(effect, tests) + effect.resolution))


def _least(enough: Callable[[int], bool], above: int) -> int | None:
    """The smallest number above another that is enough, if every larger one is; None if
    not even the most is."""
    if not enough(_MOST_RUNS):
        return None
    few, many = above, max(_MOST_RUNS, above + 1)
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if enough(middle) else (middle, many)
    return many


def runs_to_settle(effect: Effect, tests: float) -> int | None:
    """About how many runs a side would settle what is inconclusive, if the ratio stays as
    it is: enough to find it, or enough to hold its interval within the margin.  None if
    more than 10 000 or if it cannot be told."""
    now = min(effect.n_before, effect.n_after)
    if not effect.error > 0 or not 0 < effect.ratio < np.inf or now < 2:
        return None
    change = abs(float(np.log(effect.ratio)))
    room = float(np.log1p(MARGIN)) - effect.resolution - change

    here = _reach(effect.n_before, effect.n_after, tests, within=effect.within)
    error = _found_from(effect, tests) / here if np.isfinite(here) else effect.error

    def smaller(n: int) -> float:
        return float(np.sqrt(now / n))

    def finds(n: int) -> bool:
        reach = _reach(n, n, tests, within=effect.within)
        return reach * error * smaller(n) <= change - effect.resolution

    def holds(n: int) -> bool:
        return float(ndtri((1 + LEVEL) / 2)) * effect.error * smaller(n) <= room

    needed = [n for n in (_least(finds, now), _least(holds, now)) if n is not None]
    return min(needed) if needed else None
