"""From which change on a test finds it: the very test that is made, on sessions drawn from the
runs that there are (bootstrap; Efron and Tibshirani, An Introduction to the Bootstrap, 1993).

A rank test finds a shift where its interval is clear of 0 (``interval``), so a session has one
number: the change from which on its test finds it.  Of many sessions, drawn with replacement,
the quantile at a power is the change that is found so often.  No kind of noise is taken for
granted: where runs are often far off, or in two modes, those of the draws are too.
"""

import numpy as np

from z3trace.analysis.statistics import interval
from z3trace.analysis.statistics.ranks import Floats

_SEED = 20161115
_DRAWS = 200
#: Differences that are worked on for one figure; with more runs fewer sessions are drawn.
_NUMBERS = 100_000
_FEWEST_DRAWS = 60
#: A draw from few runs knows too little of what is far out: the quantile is higher by this
#: over the number of runs a side.  Held against simulations of four kinds of noise.
_HIGHER = 1.0
#: Of the draws; above it, there is nothing to take a quantile of.
_HIGHEST = 0.95


def _noise(values: Floats) -> Floats:
    """The runs around their centre; what is drawn from them varies less, by (n - 1) / n."""
    around = values - interval.centres(values[None])[0]
    return np.asarray(around * np.sqrt(values.size / (values.size - 1)))


def found_from(before: Floats, after: Floats, level: float, power: float, *, within: bool) -> float:
    """The change that a test at *level* finds with *power*, in the units of *before* and
    *after*, one-dimensional, of at least 2 runs each; infinite if so few runs find none.

    Both sides vary alike, which is what a rank test takes for granted: a draw is from the
    runs of both.  *within* pairs, it is from their changes, of either sign.
    """
    n, m = before.size, after.size
    if within:
        changes = _noise(after - before)
        pool = np.concatenate([changes, -changes])
    else:
        pool = np.concatenate([_noise(before), _noise(after)])
    draws = min(_DRAWS, max(_NUMBERS // (n * m), _FEWEST_DRAWS))
    drawn = np.random.default_rng(_SEED).choice(pool, (draws, n + m))
    first = np.zeros((draws, n)) if within else drawn[:, :n]
    ends = interval.lower_ends(first, drawn[:, n:], level, within=within)
    if ends is None:
        return float("inf")
    return float(np.quantile(-ends, min(power + _HIGHER / min(n, m), _HIGHEST)))
