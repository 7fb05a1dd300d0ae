"""The interval of a ratio of means, for values among which there are zeros.

Fieller, Some Problems in Interval Estimation, Journal of the Royal Statistical Society B
16 (1954): all ratios r for which mean(after) - r mean(before) does not differ from 0 by
Student's t.  No logs, so a run in which nobody waited does no harm.
"""

import numpy as np
from scipy.special import stdtrit

from z3trace.analysis.statistics.interval import LEVEL, Floats

_NONE = (float("nan"), float("nan"))


def _covariance(before: Floats, after: Floats) -> float:
    return float(np.cov(before, after, ddof=1)[0, 1]) / before.size


def interval(before: Floats, after: Floats, *, paired: bool) -> tuple[float, float]:
    """Ends of the interval of mean(after) / mean(before), values not below 0, any unit.

    NaN below 2 runs a side, and where the mean of *before* is not clear of 0: then any
    ratio is possible.  *paired*: value i of one side belongs to value i of the other.
    Unpaired, the degrees of freedom are those of the smaller side, which is cautious.
    """
    smaller = min(before.size, after.size)
    if smaller < 2:
        return _NONE
    b, a = float(before.mean()), float(after.mean())
    var_b, var_a = (float(one.var(ddof=1)) / one.size for one in (before, after))
    both = _covariance(before, after) if paired else 0.0
    reach = float(stdtrit(smaller - 1, (1 + LEVEL) / 2))
    clear = b * b - reach**2 * var_b
    if clear <= 0:
        return _NONE
    # The roots in r of (a - r b)^2 = reach^2 (var_a - 2 r both + r^2 var_b).
    middle = a * b - reach**2 * both
    inside = middle**2 - clear * (a * a - reach**2 * var_a)
    half = float(np.sqrt(max(inside, 0.0)))
    return max((middle - half) / clear, 0.0), (middle + half) / clear
