"""Two recordings -> a comparison: every metric with ratio, interval and verdict."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from z3trace.analysis.comparing import mismatch, probeeffect
from z3trace.analysis.comparing.caveats import caveats
from z3trace.analysis.figures import metrics
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.figures.run import Key
from z3trace.analysis.statistics.effect import Effect, Sample, effects
from z3trace.analysis.statistics.family import holm
from z3trace.analysis.statistics.verdict import (
    Verdict,
    detectable,
    runs_to_settle,
    verdict,
)
from z3trace.errors import IncomparableError


@dataclass(frozen=True)
class Metric:
    """One line of a comparison.

    ``detectable`` is the smallest change that this session could have found, such as
    0.04; ``more_runs`` about how many runs a side would settle what is inconclusive.
    """

    key: Key
    effect: Effect
    p_adjusted: float
    verdict: Verdict
    detectable: float
    more_runs: int | None

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


@dataclass(frozen=True)
class Comparison:
    """Everything a report says."""

    before: Digest
    after: Digest
    metrics: list[Metric]
    tests: int
    paired: bool
    probe_effects: list[probeeffect.ProbeEffect]
    caveats: list[str]
    mismatches: list[tuple[str, str, str]]

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


def are_paired(before: Digest, after: Digest) -> bool:
    """Whether the runs were taken in turn: same seeds, and started alternately."""
    b, a = before.probed(), after.probed()
    if [r.seed for r in b] != [r.seed for r in a] or not b:
        return False
    return all(x.started <= y.started for x, y in zip(b[:-1], a[1:], strict=True)) and all(
        x.started <= y.started for x, y in zip(a[:-1], b[1:], strict=True)
    )


def _samples(before: Digest, after: Digest, paired: bool) -> list[tuple[Key, Sample]]:
    """Every figure of either side, in the order of ``metrics.METRICS``."""
    nothing: tuple[np.ndarray[tuple[int], np.dtype[np.float64]], float] = (np.array([]), 0.0)
    sides = [
        {key: (values, spread) for key, _, values, spread in digest.rows()}
        for digest in (before, after)
    ]
    keys = sorted({**sides[0], **sides[1]}, key=lambda key: metrics.ORDER[key.metric])
    samples = []
    for key in keys:
        (b, wide_b), (a, wide_a) = (side.get(key, nothing) for side in sides)
        samples.append((key, Sample(list(b), list(a), paired, wide_b + wide_a)))
    return samples


def _metric(key: Key, effect: Effect, p: float, tests: int, *, refused: bool) -> Metric:
    definition = metrics.BY_NAME[key.metric]
    if refused or not definition.tested:
        return Metric(key, effect, p, "not tested", float("nan"), None)
    said = verdict(effect, p, higher_is_better=definition.higher_is_better)
    more = runs_to_settle(effect, tests) if said == "inconclusive" else None
    return Metric(key, effect, p, said, detectable(effect, tests), more)


def compare_all(
    before: Digest, others: Sequence[Digest], *, allow_mismatch: bool = False
) -> list[Comparison]:
    """Compare each of *others* with *before*; verdicts are adjusted over all of them.

    IncomparableError if two differ in what matters, or if nothing was recorded.
    """
    for digest in (before, *others):
        if not digest.probed():
            raise IncomparableError(f"{digest.path} has no whole probed run")
    if not allow_mismatch:
        for after in others:
            mismatch.check(before, after)
    pairs = [are_paired(before, after) for after in others]
    keyed = [_samples(before, after, p) for after, p in zip(others, pairs, strict=True)]
    families = [effects([sample for _, sample in samples]) for samples in keyed]
    family = [
        effect.p if metrics.BY_NAME[key.metric].tested else float("nan")
        for samples, row in zip(keyed, families, strict=True)
        for (key, _), effect in zip(samples, row, strict=True)
    ]
    adjusted = iter(holm(family))
    tests = int(np.isfinite(family).sum())
    comparisons = []
    for after, paired, samples, row in zip(others, pairs, keyed, families, strict=True):
        refused = mismatch.too_much_lost(before) or mismatch.too_much_lost(after)
        lines = [
            _metric(key, effect, next(adjusted), tests, refused=refused)
            for (key, _), effect in zip(samples, row, strict=True)
        ]
        differences = mismatch.mismatches(before, after)
        probe_effects = probeeffect.of(before, after)
        notes = [*caveats(before, after, paired=paired), *probeeffect.caveats(probe_effects)]
        notes += [f"{name} differs: {x} | {y}" for name, x, y in differences]
        if refused:
            notes.append("too many events were lost: no verdict is given")
        comparisons.append(
            Comparison(before, after, lines, tests, paired, probe_effects, notes, differences)
        )
    return comparisons


def compare(before: Digest, after: Digest, *, allow_mismatch: bool = False) -> Comparison:
    """Compare two recordings; IncomparableError if they differ in what matters."""
    return compare_all(before, [after], allow_mismatch=allow_mismatch)[0]
