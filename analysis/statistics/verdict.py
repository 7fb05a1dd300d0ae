"""What may be said of an effect: verdict, smallest change effect, runs that would settle it."""

from typing import Literal

import numpy as np
from scipy.special import stdtrit

from z3trace.analysis.statistics.effect import Effect

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
#: The adjusted p below which a difference is one.  Less than the 5 % of sessions of equal
#: sides that may show a false one: the resampled p-values are themselves uncertain.
SIGNIFICANT = 0.04
MIN_RUNS = 5
POWER = 0.8
_MOST_RUNS = 10_000


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
    below 4 %; none needs the interval within 2 % of 1; at least 5 runs a side."""
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


def _reach(effect: Effect, tests: float) -> float:
    """Standard errors between 0 and a difference that is found with ``POWER``, by the
    strictest step of Holm's method over *tests* tests."""
    freedom = max(min(effect.n_before, effect.n_after) - 1, 1)
    strict = SIGNIFICANT / max(tests, 1)
    return float(stdtrit(freedom, 1 - strict / 2) + stdtrit(freedom, POWER))


def detectable(effect: Effect, tests: float) -> float:
    """The smallest change, such as 0.04 for 4 %, that this many runs with this spread find
    with a power of 80 %; NaN if it cannot be told, as from less than MIN_RUNS runs, of
    which no verdict is given.  By Student's t."""
    if min(effect.n_before, effect.n_after) < MIN_RUNS:
        return float("nan")
    if not effect.error > 0:
        return effect.resolution if effect.error == 0 else float("nan")
    return float(np.expm1(_reach(effect, tests) * effect.error + effect.resolution))


def runs_to_settle(effect: Effect, tests: float) -> int | None:
    """About how many runs a side would settle what is inconclusive, if the ratio stays as
    it is: enough to find it, or enough to hold its interval within the margin.  None if
    more than 10 000 or if it cannot be told."""
    n = min(effect.n_before, effect.n_after)
    if not effect.error > 0 or not np.isfinite(effect.ratio) or n < 2:
        return None
    change = abs(float(np.log(effect.ratio)))
    room = float(np.log1p(MARGIN)) - effect.resolution - change
    needed = [
        (reach * effect.error / distance) ** 2 * n
        for reach, distance in (
            (_reach(effect, tests), change - effect.resolution),
            (1.96, room),
        )
        if distance > 0
    ]
    if not needed or min(needed) > _MOST_RUNS:
        return None
    return max(int(np.ceil(min(needed))), n + 1)
