"""Two recordings -> a comparison: every metric with ratio, interval and verdict."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from z3trace.analysis.comparing import mismatch, probeeffect
from z3trace.analysis.figures import stability
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.figures.run import Key
from z3trace.analysis.statistics.effect import Effect, Sample, effects
from z3trace.analysis.statistics.verdict import (
    MIN_RUNS,
    Verdict,
    detectable,
    holm,
    runs_to_settle,
    verdict,
)
from z3trace.errors import IncomparableError

HIGHER_IS_BETTER = frozenset({"throughput"})
#: Metrics that describe and carry no verdict of their own.
DESCRIPTIVE = frozenset(
    {
        "acquisitions",
        "trylock_failures",
        "contended",
        "corrected_latency",
        "corrected_hold",
        "part",
        "site",
    }
)
_ORDER = [
    "throughput",
    "elapsed",
    "latency",
    "corrected_latency",
    "wait",
    "hold",
    "corrected_hold",
    "contended",
    "acquisitions",
    "trylock_failures",
    "part",
    "site",
]


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
        return 1 - ratio if self.metric in HIGHER_IS_BETTER else ratio - 1

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

    def select(self, metric: str, statistic: str | None = None) -> list[Metric]:
        return [m for m in self.metrics if m.metric == metric and statistic in (None, m.statistic)]

    def regressions(self, least: float = 0.0) -> list[Metric]:
        """What got worse, by at least *least* (0.05: by 5 %) of what it was."""
        return [m for m in self.metrics if m.verdict == "worse" and m.worsening() >= least]


def _coverage_caveat(digest: Digest) -> Iterator[str]:
    session = digest.session
    missing = [site for site in session.sites if not site.attached]
    if not digest.has_locks:
        yield f"{session.label}: locks were not recorded"
    elif missing:
        where = ", ".join(sorted({site.function for site in missing}))
        yield (
            f"{session.label}: {len(missing)} of {len(session.sites)} lock call sites "
            f"could not be probed ({where})"
        )
    for operation in session.operations:
        if not operation.attached:
            what = f"operation {operation.name} was not recorded: {operation.reason}"
            yield f"{session.label}: {what}"


def _caveats(before: Digest, after: Digest, paired: bool) -> Iterator[str]:
    environment = before.session.environment
    if environment.virtualization != "none":
        yield (
            f"measured in a guest, {environment.virtualization}: "
            "times are not those of real hardware; ratios are what counts"
        )
    if before.session.calibration and after.session.calibration:
        yield "what is corrected is without the probes' cost, as calibrated in this session"
    if before.latency_kind == after.latency_kind == "ops" and before.kind != "ops":
        yield (
            "wait and hold include the cost of the probes, on both sides alike; latency is "
            "from runs that probe operations only, throughput from runs without probes"
        )
    else:
        yield (
            "latency, wait and hold include the cost of the probes, on both sides "
            "alike; throughput is from runs without probes"
        )
    for digest in (before, after):
        yield from _coverage_caveat(digest)
        lost, seen = digest.loss()
        label = digest.session.label
        if lost:
            yield f"{label}: {lost} of {lost + seen} events were lost"
        failed = sum(run.status != 0 for run in digest.runs)
        if failed:
            yield f"{label}: the workload failed in {failed} of {len(digest.runs)} runs"
        if not digest.complete:
            yield f"{label}: the recording was cut short"
        yield from stability.notes(digest)
    if not paired:
        yield "the runs of the two sides were not interleaved: drift of the machine is not excluded"
    smallest = min(len(before.probed()), len(after.probed()))
    if smallest < MIN_RUNS:
        yield f"only {smallest} runs a side: no verdicts below {MIN_RUNS}"


def are_paired(before: Digest, after: Digest) -> bool:
    """Whether the runs were taken in turn: same seeds, and started alternately."""
    b, a = before.probed(), after.probed()
    if [r.seed for r in b] != [r.seed for r in a] or not b:
        return False
    return all(x.started <= y.started for x, y in zip(b[:-1], a[1:], strict=True)) and all(
        x.started <= y.started for x, y in zip(a[:-1], b[1:], strict=True)
    )


def _samples(before: Digest, after: Digest, paired: bool) -> list[tuple[Key, Sample]]:
    """Every figure of either side, in the order of ``_ORDER``."""
    nothing: tuple[np.ndarray[tuple[int], np.dtype[np.float64]], float] = (np.array([]), 0.0)
    sides = [
        {key: (values, spread) for key, _, values, spread in digest.rows()}
        for digest in (before, after)
    ]
    keys = sorted({**sides[0], **sides[1]}, key=lambda key: _ORDER.index(key.metric))
    found = []
    for key in keys:
        (b, wide_b), (a, wide_a) = (side.get(key, nothing) for side in sides)
        found.append((key, Sample(list(b), list(a), paired, wide_b + wide_a)))
    return found


def _metric(key: Key, effect: Effect, p: float, tests: int, *, refused: bool) -> Metric:
    if key.metric in DESCRIPTIVE or refused:
        return Metric(key, effect, p, "not tested", float("nan"), None)
    said = verdict(effect, p, higher_is_better=key.metric in HIGHER_IS_BETTER)
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
    samples = [_samples(before, after, p) for after, p in zip(others, pairs, strict=True)]
    found = [effects([sample for _, sample in one]) for one in samples]
    family = [
        effect.p if key.metric not in DESCRIPTIVE else float("nan")
        for one, row in zip(samples, found, strict=True)
        for (key, _), effect in zip(one, row, strict=True)
    ]
    adjusted = iter(holm(family))
    tests = int(np.isfinite(family).sum())
    comparisons = []
    for after, paired, one, row in zip(others, pairs, samples, found, strict=True):
        refused = mismatch.too_much_lost(before) or mismatch.too_much_lost(after)
        metrics = [
            _metric(key, effect, next(adjusted), tests, refused=refused)
            for (key, _), effect in zip(one, row, strict=True)
        ]
        differences = mismatch.mismatches(before, after)
        probe_effects = probeeffect.of(before, after)
        caveats = [*_caveats(before, after, paired), *probeeffect.caveats(probe_effects)]
        caveats += [f"{name} differs: {x} | {y}" for name, x, y in differences]
        if refused:
            caveats.append("too many events were lost: no verdict is given")
        comparisons.append(
            Comparison(before, after, metrics, tests, paired, probe_effects, caveats, differences)
        )
    return comparisons


def compare(before: Digest, after: Digest, *, allow_mismatch: bool = False) -> Comparison:
    """Compare two recordings; IncomparableError if they differ in what matters."""
    return compare_all(before, [after], allow_mismatch=allow_mismatch)[0]
