"""A figure of two recordings as it was seen in one way: its runs, and the instrument's part.

Where a way's cost was measured in place it is taken off before anything is compared: a
figure of which half is one constant on both sides hides half of every change.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from z3trace.analysis.figures import costs, metrics, ways
from z3trace.analysis.figures.costs import Cost, in_place
from z3trace.analysis.figures.histogram import Floats
from z3trace.analysis.figures.recording import Digest, subject
from z3trace.analysis.figures.run import Key
from z3trace.analysis.figures.ways import Subject
from z3trace.analysis.statistics.effect import Sample
from z3trace.analysis.statistics.verdict import MIN_RUNS

#: Above this share of the instrument a figure is shown and carries no verdict.
MOST = 0.5
_NOTHING: tuple[Floats, float] = (np.array([]), 0.0)
#: Where an unknown share forbids a verdict: probes on all locks prolong what they show.
_ALL = ("all", "locks")


@dataclass(frozen=True)
class Seen:
    """*share*: the instrument's part of the figure as recorded, (before, after), NaN where
    it is not known; *corrected*: whether the sample is without it."""

    key: Key
    way: str
    sample: Sample
    share: tuple[float, float]
    corrected: bool

    @property
    def worthy(self) -> bool:
        """Whether it may carry a verdict, by the shares of both sides."""
        return all(worthy(self.key, self.way, share) for share in self.share)

    @property
    def runs(self) -> int:
        """Of the side that has fewer."""
        return min(len(self.sample.before), len(self.sample.after))


def paired(before: Digest, after: Digest, way: str) -> bool:
    """Whether the runs of a way were taken in turn: same seeds, and started alternately."""
    if max(before.boots, after.boots) > 1:
        return False
    b, a = before.of_way(way), after.of_way(way)
    if [r.seed for r in b] != [r.seed for r in a] or not b:
        return False
    return all(x.started <= y.started for x, y in zip(b[:-1], a[1:], strict=True)) and all(
        x.started <= y.started for x, y in zip(a[:-1], b[1:], strict=True)
    )


def worthy(key: Key, way: str, share: float) -> bool:
    """Whether a figure may carry a verdict: at most half of it is the instrument's."""
    unknown = way in _ALL and metrics.BY_NAME[key.metric].subject == "lock"
    return not (share > MOST or (unknown and np.isnan(share)))


class Side:
    """What one recording shows in each way, looked up once."""

    def __init__(self, digest: Digest) -> None:
        self.digest = digest
        self._rows: dict[str, dict[Key, tuple[Floats, float]]] = {}
        self._costs: dict[tuple[Subject, str], Cost | None] = {}

    def rows(self, way: str) -> dict[Key, tuple[Floats, float]]:
        if way not in self._rows:
            self._rows[way] = self.digest.rows_of(way)
        return self._rows[way]

    def tested(self) -> list[Key]:
        """The main figures that carry verdicts, each of which has a way."""
        return [
            key
            for way in self.digest.seen_ways
            for key in self.rows(way)
            if way == self.digest.way(subject(key))
            and metrics.BY_NAME[key.metric].tested
            and key.statistic in metrics.MAIN_STATISTICS
        ]

    def taken(self, key: Key) -> tuple[Floats, float, float, bool]:
        """A figure in its own way, as ``seen``."""
        way = self.digest.way(subject(key))
        return self.seen(key, way, correct=in_place(key, way))

    def cost(self, of: Subject, way: str) -> Cost | None:
        if (of, way) not in self._costs:
            self._costs[of, way] = costs.shown(self.digest, of, way)
        return self._costs[of, way]

    def seen(self, key: Key, way: str, *, correct: bool) -> tuple[Floats, float, float, bool]:
        """(values, resolution, share, whether corrected)."""
        values, wide = self.rows(way).get(key, _NOTHING)
        if not values.size:
            return values, wide, float("nan"), False
        cost = self.cost(subject(key), way)
        share = costs.share(self.digest, key, way, float(values.mean()), cost)
        off = 0.0
        placed = correct and cost is not None and cost.value != 0
        if placed and cost is not None:
            values, off = costs.corrected(self.digest, key, way, values, cost)
        return values, wide + off, self._at_least(key, way, share, float(values.mean())), placed

    def _at_least(self, key: Key, way: str, share: float, value: float) -> float:
        """The share, no less than the part of a lock's time by which it is larger than the
        operation that it is a part of."""
        of = subject(key)
        if metrics.BY_NAME[key.metric].subject != "lock" or key.statistic != "mean" or not value:
            return share
        if key.metric not in ("wait", "hold"):
            return share
        part, whole = costs.in_an_operation(self.digest, of, way, value)
        return max(share, 1 - whole / part) if part > whole else share


class Sides:
    """Two recordings, each figure as seen in any way."""

    def __init__(self, before: Digest, after: Digest) -> None:
        self._sides = Side(before), Side(after)
        self._paired: dict[str, bool] = {}

    def paired(self, way: str) -> bool:
        if way not in self._paired:
            before, after = (side.digest for side in self._sides)
            self._paired[way] = paired(before, after, way)
        return self._paired[way]

    @cached_property
    def keys(self) -> dict[Key, str]:
        """Every figure of either side, in the order of reports -> the way it is taken from."""
        found = {
            key: way
            for side in self._sides
            for way in side.digest.seen_ways
            for key in side.rows(way)
            if way == side.digest.way(subject(key))
        }
        order = sorted(found, key=lambda key: metrics.ORDER[key.metric])
        return {key: found[key] for key in order}

    def seen(self, key: Key, way: str, *, correct: bool | None = None) -> Seen:
        """A figure in a way.  It is corrected where its cost was measured in place, or as
        *correct* says."""
        if correct is None:
            correct = in_place(key, way)
        (b, wide_b, share_b, off_b), (a, wide_a, share_a, off_a) = (
            side.seen(key, way, correct=correct) for side in self._sides
        )
        sample = Sample(list(b), list(a), self.paired(way), wide_b + wide_a)
        return Seen(key, way, sample, (share_b, share_a), off_b or off_a)

    def others(self, key: Key, way: str) -> list[Seen]:
        """The figure in every other way that both sides have runs of, without the cost of
        each, best way first."""
        witnesses = [
            self.seen(key, other, correct=other != "timed")
            for other in ways.of(subject(key))
            if other != way
        ]
        return [seen for seen in witnesses if seen.runs]


def enough(seen: Seen) -> bool:
    """Whether it has the runs and the share that a verdict takes."""
    return seen.worthy and seen.runs >= MIN_RUNS
