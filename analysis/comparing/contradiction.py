"""Two ways that show the same figure, and do not agree.

Witnesses that disagree are told of and not averaged.  Two of them contradict each other
if the intervals of their ratios have nothing in common and a test of the difference of
the two log ratios (Student's t, by the smaller number of runs), held together by Holm's
method over all pairs of witnesses, says so too: of many pairs some intervals come apart
by chance.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

from z3trace.analysis.figures.run import Key
from z3trace.analysis.statistics.effect import Effect
from z3trace.analysis.statistics.family import holm
from z3trace.analysis.statistics.verdict import SIGNIFICANT


@dataclass(frozen=True)
class Witness:
    """A figure as another way shows it, without that way's cost; *worthy*: whether it has
    the runs and the share of the instrument that a verdict takes."""

    way: str
    effect: Effect
    share: tuple[float, float]
    worthy: bool


@dataclass(frozen=True)
class Contradiction:
    """The way that was chosen, and the one that says something else."""

    key: Key
    way: str
    effect: Effect
    other: Witness


def _apart(one: Effect, other: Effect) -> bool:
    return one.low > other.high or other.low > one.high


def _p(one: Effect, other: Effect) -> float:
    """Two-sided p of a difference of the log ratios beyond what both may be off."""
    error = float(np.hypot(one.error, other.error))
    if not _apart(one, other) or not error > 0:
        return float("nan")
    distance = abs(float(np.log(one.ratio / other.ratio))) - one.resolution - other.resolution
    freedom = min(one.n_before, one.n_after, other.n_before, other.n_after) - 1
    return float(2 * stdtr(freedom, -max(distance, 0.0) / error))


Pair = tuple[Key, str, Effect, Witness]


def find(pairs: Sequence[Pair]) -> list[Contradiction]:
    """Of all (figure, way, effect, witness) those that contradict each other."""
    p_values = [_p(effect, witness.effect) for _, _, effect, witness in pairs]
    # A pair that agrees is a test too: it counts in the family.
    adjusted = holm([1.0 if np.isnan(p) else p for p in p_values])
    return [
        Contradiction(*pair) for pair, p in zip(pairs, adjusted, strict=True) if p < SIGNIFICANT
    ]
