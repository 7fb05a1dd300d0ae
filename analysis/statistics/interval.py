"""What lies between two groups of runs: the shift and its interval, for many metrics at once.

The shift is the median of all differences between a run after and a run before; of pairs,
the median of the means of every two changes (Hodges and Lehmann, Annals of Mathematical
Statistics 34, 1963).  One run far off, or runs in two modes, hardly move it.  The interval
has every shift that the rank test of ``ranks`` would not reject, at the level nearest to
``LEVEL`` that so many runs have (Lehmann, Nonparametrics, 1975, sections 2.5 and 4.4): it
covers a true shift that often whatever the distribution of the runs is.

Every function takes matrices with a row for each metric and a column for each run.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from z3trace.analysis.statistics import ranks
from z3trace.analysis.statistics.ranks import Floats

LEVEL = 0.95
#: Nothing is called an interval of 95 % that covers less often than this.
_LEAST_LEVEL = 0.93
#: Below so many pairs no interval within pairs has that level.
FEWEST_PAIRS = 5
#: A group of more runs is taken by so many of its quantiles: the shift between two thousand
#: runs is that between these to far more digits than it has.
_MOST = 300
_NUMBERS = 2_000_000  # differences that are worked on together: bounds the memory


def _thinned(values: Floats) -> Floats:
    if values.shape[1] <= _MOST:
        return values
    return np.asarray(np.quantile(values, (np.arange(_MOST) + 0.5) / _MOST, axis=1).T)


def _walsh(values: Floats) -> Floats:
    """Means of every two columns of each row, of one with itself too."""
    first, second = np.triu_indices(values.shape[1])
    means: Floats = (values[:, first] + values[:, second]) / 2
    return means


def _differences(before: Floats, after: Floats) -> Floats:
    all_pairs: Floats = after[:, :, None] - before[:, None, :]
    return all_pairs.reshape(after.shape[0], -1)


def _parts(rows: int, each: int) -> Iterator[slice]:
    step = max(_NUMBERS // max(each, 1), 1)
    return (slice(start, start + step) for start in range(0, rows, step))


def centres(values: Floats) -> Floats:
    """The typical run of each row: the median of the means of every two runs.

    NaN where there are no runs.
    """
    thin = _thinned(values)
    runs = thin.shape[1]
    found = np.full(thin.shape[0], np.nan)
    for part in _parts(thin.shape[0], runs * runs) if runs else ():
        found[part] = np.median(_walsh(thin[part]), axis=1)
    return found


def _place(n_before: int, n_after: int, numbers: int, *, within: bool, exact: bool) -> int | None:
    """Which of so many sorted differences is the lower end; None if none is low enough."""
    if exact:
        null = ranks.null_of_pairs(n_before) if within else ranks.null_of(n_before, n_after)
        levels = 1 - 2 * np.cumsum(null)[: (null.size + 1) // 2]
        best = int(np.argmin(np.abs(levels - LEVEL)))
        return best if levels[best] >= _LEAST_LEVEL else None
    return _about(n_before, n_after, numbers, 1 - LEVEL, within=within)


def _about(n: int, m: int, numbers: int, level: float, *, within: bool) -> int | None:
    """The place of the lower end at a two-sided level, by the normal approximation."""
    if within:
        spread = np.sqrt((2 * n + 1) / (6 * n * (n + 1)))
    else:
        spread = np.sqrt((n + m + 1) / (12 * n * m))
    share = 0.5 - float(ndtri(1 - level / 2) * spread)
    return max(round(share * numbers - 0.5), 0) if share > 0 else None


def lower_ends(before: Floats, after: Floats, level: float, *, within: bool) -> Floats | None:
    """The lower end of the interval of the shift of each row that belongs to a test at a
    two-sided *level*: the test finds no shift below it.  None if so few runs have none."""
    sizes = before.shape[1], after.shape[1]
    differences = _walsh(after - before) if within else _differences(before, after)
    numbers = differences.shape[1]
    if ranks.counted(*sizes, within=within):
        place = int((ranks.levels(*sizes, within=within) < level).sum()) - 1
    else:
        about = _about(*sizes, numbers, level, within=within)
        place = -1 if about is None else about
    if place < 0:
        return None
    return np.asarray(np.partition(differences, place, axis=1)[:, place])


class Shifts(NamedTuple):
    """Of each row: the shift, and the ends of its interval."""

    shift: Floats
    low: Floats
    high: Floats


def shifts(before: Floats, after: Floats, *, paired: bool, exact: bool = True) -> Shifts:
    """The shift from *before* to *after* of each row, and the ends of its interval.

    *before* has shape (rows, n_before), *after* (rows, n_after), in units in which a
    difference is meant; at least 1 run a side.  With *paired*, columns belong together,
    which counts from ``FEWEST_PAIRS`` on.  Ends are infinite where runs are too few, below
    4 a side.  Above ``ranks.EXACT`` runs, or if not *exact*, by the normal approximation.
    """
    sizes = before.shape[1], after.shape[1]
    within = paired and sizes[0] >= FEWEST_PAIRS
    exact = exact and (sizes[0] if within else sum(sizes)) <= ranks.EXACT
    sides = (_thinned(after - before),) if within else (_thinned(before), _thinned(after))
    columns = sides[0].shape[1], sides[-1].shape[1]
    numbers = columns[0] * (columns[0] + 1) // 2 if within else columns[0] * columns[1]
    place = _place(*sizes, numbers, within=within, exact=exact)
    rows = before.shape[0]
    shift, low, high = np.empty(rows), np.full(rows, -np.inf), np.full(rows, np.inf)
    for part in _parts(rows, columns[0] * columns[1]):
        chosen = [side[part] for side in sides]
        found = np.sort(_walsh(*chosen) if within else _differences(*chosen), axis=1)
        shift[part] = (found[:, (numbers - 1) // 2] + found[:, numbers // 2]) / 2
        if place is not None:
            low[part], high[part] = found[:, place], found[:, numbers - 1 - place]
    return Shifts(shift, low, high)
