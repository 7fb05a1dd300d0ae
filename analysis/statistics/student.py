"""Student's t of many metrics at once: standard errors of means and of their differences.

Matrices as in ``interval``: a row for each metric, a column for each run.
"""

import numpy as np

from z3trace.analysis.statistics.ranks import Floats


def standard_error(values: Floats) -> Floats:
    """Of the mean of each row."""
    error: Floats = values.std(axis=1, ddof=1) / np.sqrt(values.shape[1])
    return error


def welch(before: Floats, after: Floats) -> tuple[Floats, Floats]:
    """Standard error of a difference of means, and its degrees of freedom (Welch,
    Biometrika 34, 1947)."""
    b, a = standard_error(before) ** 2, standard_error(after) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = (b + a) ** 2 / (b**2 / (before.shape[1] - 1) + a**2 / (after.shape[1] - 1))
    return np.sqrt(b + a), np.where(np.isfinite(freedom), freedom, 1.0)
