"""Many tests held together: the few questions that are asked first, and all the others.

The primary tests are held together by Holm's method (Scandinavian Journal of Statistics 6,
1979) at ``SHARE`` of the significance level, the secondary ones at the rest of it.  A
family in which every test is significant hands its share on to the other one.  The chance
of any false difference among all of them stays at the level, however they depend on each
other: a graph of two nodes as in Bretz, Maurer, Brannath and Posch, A Graphical Approach
to Sequentially Rejective Multiple Test Procedures, Statistics in Medicine 28 (2009); the
question comes from Dmitrienko, Offen and Westfall, Gatekeeping Strategies for Clinical
Trials, Statistics in Medicine 22 (2003).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

#: The part of the significance level that the primary tests have for themselves.
SHARE = 0.8


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values of a family, in the same order; NaN stays NaN and counts not."""
    array = np.asarray(p_values, dtype=float)
    adjusted = np.full(array.shape, np.nan)
    known = np.flatnonzero(np.isfinite(array))
    order = known[np.argsort(array[known])]
    running = 0.0
    for rank, index in enumerate(order):
        running = max(running, min(1.0, (known.size - rank) * array[index]))
        adjusted[index] = running
    return [float(x) for x in adjusted]


def _largest(adjusted: npt.NDArray[np.float64]) -> float:
    """At which level every test of a family is significant; at any, if there are none."""
    known = adjusted[np.isfinite(adjusted)]
    return float(known.max()) if known.size else 0.0


def adjust(primary: Sequence[float], secondary: Sequence[float]) -> tuple[list[float], list[float]]:
    """Adjusted p-values of both families, each in its order, between 0 and 1: a test is
    significant at a level if its adjusted p is below that.  NaN stays NaN and counts not.
    """
    alone = np.array(holm(primary)), np.array(holm(secondary))
    shared = [
        np.minimum(adjusted / share, 1.0)
        for adjusted, share in zip(alone, (SHARE, 1 - SHARE), strict=True)
    ]
    first, second = (
        np.minimum(shared[own], np.maximum(alone[own], _largest(shared[other])))
        for own, other in ((0, 1), (1, 0))
    )
    return [float(x) for x in first], [float(x) for x in second]


def strictness(primary: int, secondary: int) -> tuple[float, float]:
    """How many tests, held together by Holm's method alone, would be as strict as the
    first step of either family of so many tests."""
    if not primary or not secondary:
        return float(primary), float(secondary)
    return primary / SHARE, secondary / (1 - SHARE)
