"""Reports of which the truth is known: made-up runs of four kinds.

Half of a run's noise is shared by all its figures, as those of a slow run all are slow.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from z3trace.analysis.statistics import family
from z3trace.analysis.statistics.effect import Effect, Sample, effects
from z3trace.analysis.statistics.ranks import Floats
from z3trace.analysis.statistics.verdict import Verdict, detectable, verdict

SIDE = 10
#: Throughput, mean and p99 of four operations, mean wait and hold of three lock classes;
#: and what else a report of z3fold tests.
PRIMARY, SECONDARY = 15, 42
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Kind:
    """*draw*: logs of runs of one shape.  *paired*: runs come in pairs that drift."""

    draw: Callable[[np.random.Generator, Shape], Floats]
    paired: bool = False


def _log_normal(random: np.random.Generator, shape: Shape) -> Floats:
    return random.normal(0, 0.03, shape)


def _bimodal(random: np.random.Generator, shape: Shape) -> Floats:
    return random.normal(0, 0.005, shape) + 0.06 * (random.random(shape) < 0.4)


def _heavy(random: np.random.Generator, shape: Shape) -> Floats:
    return 0.02 * random.standard_t(2, shape)


KINDS = {
    "log_normal": Kind(_log_normal),
    "paired": Kind(_log_normal, paired=True),
    "bimodal": Kind(_bimodal),
    "heavy_tailed": Kind(_heavy),
}


def runs(kind: Kind, random: np.random.Generator, count: int, side: int) -> Floats:
    """Logs of *count* figures of equal sides, shape (count, 2, side)."""
    shape = (count, 2, side)
    if not kind.paired:
        return kind.draw(random, shape)
    drift = np.cumsum(random.normal(0, 0.03, (count, 1, side)), axis=2)
    return kind.draw(random, shape) + drift


def samples(logs: Floats, kind: Kind) -> list[Sample]:
    return [Sample(list(b), list(a), kind.paired) for b, a in np.exp(logs)]


def reports(kind: Kind, count: int, side: int = SIDE) -> Iterator[Floats]:
    """Logs of the figures of equal sides, shape (PRIMARY + SECONDARY, 2, side) each."""
    random = np.random.default_rng(2)
    for _ in range(count):
        own = runs(kind, random, PRIMARY + SECONDARY, side)
        yield (own + kind.draw(random, (1, 2, side))) / np.sqrt(2)


@dataclass(frozen=True)
class Report:
    """What a comparison says of a report's figures, the primary ones first."""

    effects: list[Effect]
    verdicts: list[Verdict]

    def sees(self, figure: int) -> float:
        strict = family.strictness(PRIMARY, SECONDARY)
        return detectable(self.effects[figure], strict[figure >= PRIMARY])


def report(found: Sequence[Sample]) -> Report:
    """The whole procedure: intervals, tests, both families, verdicts."""
    told = effects(found)
    p_values = [effect.p for effect in told]
    adjusted = family.adjust(p_values[:PRIMARY], p_values[PRIMARY:])
    said = [
        verdict(effect, p, higher_is_better=False)
        for effect, p in zip(told, [*adjusted[0], *adjusted[1]], strict=True)
    ]
    return Report(told, said)


def false_rate(kind: Kind, count: int) -> float:
    """Share of reports of equal sides with any verdict of better or worse."""
    false = (
        bool({"better", "worse"} & set(report(samples(logs, kind)).verdicts))
        for logs in reports(kind, count)
    )
    return float(np.mean(list(false)))


def power(kind: Kind, figure: int, change: float, count: int, side: int = SIDE) -> float:
    """How often a figure that is *change* (log ratio) slower is called worse."""
    found = 0
    for logs in reports(kind, count, side):
        logs[figure, 1] += change
        found += report(samples(logs, kind)).verdicts[figure] == "worse"
    return found / count


def seen(kind: Kind, figure: int, count: int, side: int = SIDE) -> float:
    """The typical smallest change that reports say they see, as a log ratio."""
    told = [report(samples(logs, kind)).sees(figure) for logs in reports(kind, count, side)]
    return float(np.log1p(np.median(told)))


def coverage(kind: Kind, count: int, side: int = SIDE) -> float:
    """How often the interval has the true ratio, of 1.05."""
    true = np.log(1.05)
    logs = runs(kind, np.random.default_rng(4), count, side)
    logs[:, 1] += true
    return float(np.mean([e.low <= np.exp(true) <= e.high for e in effects(samples(logs, kind))]))
