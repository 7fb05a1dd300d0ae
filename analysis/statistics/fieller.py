"""The interval of a ratio of means, for values among which there are zeros.

Fieller, Some Problems in Interval Estimation, Journal of the Royal Statistical Society B
16 (1954): all ratios r for which mean(after) - r mean(before) does not differ from 0 by
Student's t.  No logs, so a run in which nobody waited does no harm.
"""

import numpy as np
from scipy.special import stdtrit

from z3trace.analysis.statistics.interval import LEVEL
from z3trace.analysis.statistics.ranks import Floats


def interval(before: Floats, after: Floats, *, paired: bool) -> tuple[Floats, Floats]:
    """Ends of the interval of mean(after) / mean(before) of each row, values not below 0.

    *before* has shape (rows, n_before), *after* (rows, n_after), any unit, at least 2 runs
    a side.  NaN where the mean of *before* is not clear of 0: then any ratio is possible.
    *paired*: column i of one side belongs to column i of the other.  Unpaired, the degrees
    of freedom are those of the smaller side, which is cautious.
    """
    smaller = min(before.shape[1], after.shape[1])
    b, a = before.mean(axis=1), after.mean(axis=1)
    var_b, var_a = (side.var(axis=1, ddof=1) / side.shape[1] for side in (before, after))
    both = np.zeros_like(b)
    if paired:
        products = (before - b[:, None]) * (after - a[:, None])
        both = products.sum(axis=1) / (smaller - 1) / smaller
    reach = float(stdtrit(smaller - 1, (1 + LEVEL) / 2))
    clear = b * b - reach**2 * var_b
    known = np.where(clear > 0, clear, np.nan)
    # The roots in r of (a - r b)^2 = reach^2 (var_a - 2 r both + r^2 var_b).
    middle = a * b - reach**2 * both
    inside = middle**2 - known * (a * a - reach**2 * var_a)
    half = np.sqrt(np.maximum(inside, 0.0))
    return np.maximum((middle - half) / known, 0.0), (middle + half) / known
