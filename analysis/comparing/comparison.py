"""Two recordings -> a comparison: every metric with ratio, interval and verdict."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from z3trace.analysis.comparing import contradiction, instrument, mismatch, probeeffect, seen
from z3trace.analysis.comparing.caveats import caveats
from z3trace.analysis.comparing.contradiction import Contradiction, Witness
from z3trace.analysis.comparing.seen import Seen, Sides
from z3trace.analysis.figures import costs, metrics, ways
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.figures.run import Key
from z3trace.analysis.figures.sides import short, told_apart
from z3trace.analysis.statistics import family
from z3trace.analysis.statistics.effect import Effect, effects
from z3trace.analysis.statistics.verdict import (
    MIN_RUNS,
    Verdict,
    decidable,
    detectable,
    fewest_runs,
    runs_to_settle,
    verdict,
)

#: ns: what the kernel's clock counts in.  Of a mean that is less on both sides, such as
#: the wait for a lock that is as good as always free, no ratio matters to anybody.
_TICK = 1.0
#: Verdicts that more runs may change.
_OPEN = ("inconclusive", "too few runs")


@dataclass(frozen=True)
class Metric:
    """One line of a comparison.

    ``detectable`` is the smallest change that this session could have found, such as
    0.04; ``more_runs`` about how many runs a side would settle what is inconclusive.
    ``way``: how it was seen; ``share``: the part of the figure as recorded that is the
    instrument's own, (before, after), NaN where it is not known; ``corrected``: whether
    ``effect`` is of the figure without that part; ``witnesses``: the same figure in the
    other ways that both sides have.
    """

    key: Key
    effect: Effect
    p_adjusted: float
    verdict: Verdict
    detectable: float
    more_runs: int | None
    way: str = ""
    share: tuple[float, float] = (float("nan"), float("nan"))
    corrected: bool = False
    witnesses: list[Witness] = field(default_factory=list)

    @property
    def definition(self) -> metrics.Definition:
        return metrics.BY_NAME[self.key.metric]

    @property
    def metric(self) -> str:
        return self.key.metric

    @property
    def operation(self) -> str:
        return self.key.operation

    @property
    def lock(self) -> str:
        return self.key.lock

    @property
    def statistic(self) -> str:
        return self.key.statistic

    @property
    def unit(self) -> str:
        return self.key.unit

    def worsening(self) -> float:
        """By how much of what it was this got worse; infinite from 0, below 0 if better."""
        ratio = self.effect.ratio
        if not np.isfinite(ratio) or ratio <= 0:
            return float("inf")
        return 1 - ratio if self.definition.higher_is_better else ratio - 1

    @property
    def subject(self) -> str:
        return self.operation or self.lock

    @property
    def instrument(self) -> str:
        """The instrument's part in words, of the side where it is larger."""
        known = [part for part in self.share if not np.isnan(part)]
        sides = [n for n in (self.effect.n_before, self.effect.n_after) if n]
        most = max(known, default=float("nan")) if len(known) >= len(sides) else float("nan")
        return costs.share_words(self.key, self.way, most)

    @property
    def primary(self) -> bool:
        """Whether it is one of the few questions that are tested first."""
        return self.statistic in self.definition.primary


class Family(NamedTuple):
    """How many tests are held together: the primary ones, and all the others."""

    primary: int
    secondary: int


@dataclass(frozen=True)
class Comparison:
    """Everything a report says."""

    before: Digest
    after: Digest
    metrics: list[Metric]
    family: Family
    paired: bool
    contradictions: list[Contradiction]
    probe_effects: list[probeeffect.ProbeEffect]
    caveats: list[str]
    mismatches: list[tuple[str, str, str]]

    @property
    def labels(self) -> tuple[str, str]:
        """What the two sides are called where there is little room."""
        before, after = short([self.before.session.label, self.after.session.label])
        return before, after

    @property
    def needed_runs(self) -> Family:
        """The least numbers of runs a side with which a difference can be significant as the
        first of the primary figures, and as the first of the others."""
        return Family(*map(fewest_runs, family.strictness(*self.family)))

    @property
    def tests(self) -> int:
        return sum(self.family)

    def main(self) -> list[Metric]:
        """What is shown unless everything is asked for: what is tested, its main statistics."""
        return [
            m
            for m in self.metrics
            if m.definition.tested and m.statistic in metrics.MAIN_STATISTICS
        ]

    def select(self, metric: str, statistic: str | None = None) -> list[Metric]:
        return [m for m in self.metrics if m.metric == metric and statistic in (None, m.statistic)]

    def regressions(self, least: float = 0.0) -> list[Metric]:
        """What got worse, by at least *least* (0.05: by 5 %) of what it was."""
        return [m for m in self.metrics if m.verdict == "worse" and m.worsening() >= least]


class _Pair:
    """One comparison on its way: every figure seen in its own way, and its effect."""

    def __init__(self, before: Digest, after: Digest) -> None:
        self.before, self.after = before, after
        self.sides = Sides(before, after)
        self.lines = [self.sides.seen(key, way) for key, way in self.sides.keys.items()]
        self.effects = effects([line.sample for line in self.lines])
        self.witnesses = self._witnesses()
        self.refused = mismatch.too_much_lost(before) + mismatch.too_much_lost(after)

    def _witnesses(self) -> dict[Key, list[Witness]]:
        """What other ways show of the primary figures."""
        asked = [line for line in self.lines if _primary(line)]
        others = [
            (line.key, other) for line in asked for other in self.sides.others(line.key, line.way)
        ]
        found: dict[Key, list[Witness]] = {}
        told = effects([other.sample for _, other in others])
        for (key, other), effect in zip(others, told, strict=True):
            witness = Witness(other.way, effect, other.share, seen.enough(other))
            found.setdefault(key, []).append(witness)
        return found

    def contradictions(self) -> list[Contradiction]:
        return contradiction.find(
            [
                (line.key, line.way, effect, witness)
                for line, effect in zip(self.lines, self.effects, strict=True)
                if seen.enough(line)
                for witness in self.witnesses.get(line.key, [])
                if witness.worthy
            ]
        )

    def p_values(self, *, primary: bool) -> list[float]:
        """Of every line, NaN of those that are not in the family asked for."""
        return [
            effect.p if _tested(line) and _primary(line) == primary else float("nan")
            for line, effect in zip(self.lines, self.effects, strict=True)
        ]

    def metrics(
        self, adjusted: Sequence[float], strict: tuple[float, float], contradicted: set[Key]
    ) -> list[Metric]:
        """The lines with their verdicts; *strict*: as ``family.strictness``."""
        lines = []
        for line, effect, p in zip(self.lines, self.effects, adjusted, strict=True):
            tests = strict[0] if _primary(line) else strict[1]
            said = self._said(line, effect, p, contradicted)
            if said == "inconclusive" and not decidable(effect, tests):
                said = "too few runs"
            metric = Metric(
                line.key,
                effect,
                p,
                said,
                detectable=float("nan"),
                more_runs=None,
                way=line.way,
                share=line.share,
                corrected=line.corrected,
                witnesses=self.witnesses.get(line.key, []),
            )
            if _tested(line) and said != "not tested":
                more = runs_to_settle(effect, tests) if said in _OPEN else None
                metric = replace(metric, detectable=detectable(effect, tests), more_runs=more)
            lines.append(metric)
        return lines

    def _said(self, line: Seen, effect: Effect, p: float, contradicted: set[Key]) -> Verdict:
        definition = metrics.BY_NAME[line.key.metric]
        if self.refused or not definition.tested:
            return "not tested"
        if line.runs and not line.worthy:
            return "mostly the instrument"
        if line.key in contradicted:
            return "contradicted"
        if line.key.unit == "ns" and max(effect.before, effect.after) < _TICK:
            return "no difference"
        return verdict(effect, p, higher_is_better=definition.higher_is_better)


def _primary(line: Seen) -> bool:
    return line.key.statistic in metrics.BY_NAME[line.key.metric].primary


def _tested(line: Seen) -> bool:
    """Whether it is asked at all: a figure that is mostly the instrument's is not."""
    return metrics.BY_NAME[line.key.metric].tested and line.worthy


def chosen(digests: Sequence[Digest]) -> list[Digest]:
    """The recordings, each figure taken from the best way that all of them have."""
    subjects = dict.fromkeys(subject for digest in digests for subject in digest.subjects())
    choice = ways.choose(
        subjects,
        [digest.runs_of for digest in digests],
        MIN_RUNS,
        lambda way: any(digest.damaged(way) for digest in digests),
    )
    return [digest.by(choice) for digest in digests]


def _adjusted(pairs: Sequence[_Pair]) -> tuple[list[list[float]], Family]:
    """Adjusted p-values of every line of each pair, over all of them as one family."""
    first = [p for pair in pairs for p in pair.p_values(primary=True)]
    second = [p for pair in pairs for p in pair.p_values(primary=False)]
    both = zip(*family.adjust(first, second), strict=True)
    joined = iter([y if np.isnan(x) else x for x, y in both])
    counted = Family(*(int(np.isfinite(values).sum()) for values in (first, second)))
    return [[next(joined) for _ in pair.lines] for pair in pairs], counted


def compare_all(
    before: Digest, others: Sequence[Digest], *, allow_mismatch: bool = False
) -> list[Comparison]:
    """Compare each of *others* with *before*; verdicts are adjusted over all of them.

    IncomparableError if two differ in what matters, or if nothing was recorded.
    """
    for digest in (before, *others):
        digest.require_runs()
    before, *others = chosen(told_apart([before, *others]))
    if not allow_mismatch:
        for after in others:
            mismatch.check(before, after)
    pairs = [_Pair(before, after) for after in others]
    adjusted, counted = _adjusted(pairs)
    strict = family.strictness(*counted)
    return [
        _compared(pair, values, strict, counted)
        for pair, values in zip(pairs, adjusted, strict=True)
    ]


def _compared(
    pair: _Pair, adjusted: Sequence[float], strict: tuple[float, float], counted: Family
) -> Comparison:
    before, after = pair.before, pair.after
    contradictions = pair.contradictions()
    lines = pair.metrics(adjusted, strict, {each.key for each in contradictions})
    probe_effects = probeeffect.of(before, after)
    paired = all(pair.sides.paired(way) for way in {line.way for line in pair.lines})
    differences = mismatch.mismatches(before, after)
    needed = fewest_runs(strict[0]) if counted.primary else MIN_RUNS
    notes = [*caveats(before, after, paired=paired, needed=needed)]
    notes += instrument.notes((before, after), lines)
    if any(line.metric == "latency" and line.way == "ops" for line in lines):
        notes += probeeffect.caveats(probe_effects)
    notes += [f"{name} differs: {x} | {y}" for name, x, y in differences]
    if pair.refused:
        notes.append("too many events were lost: no verdict is given")
    return Comparison(
        *(before, after, lines, counted, paired, contradictions),
        *(probe_effects, notes, differences),
    )


def compare(before: Digest, after: Digest, *, allow_mismatch: bool = False) -> Comparison:
    """Compare two recordings; IncomparableError if they differ in what matters."""
    return compare_all(before, [after], allow_mismatch=allow_mismatch)[0]
