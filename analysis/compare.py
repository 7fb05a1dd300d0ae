"""Two recordings -> a comparison: every metric with ratio, interval and verdict."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd
from z3trace.analysis import frame, stats

from z3trace.errors import IncomparableError
from z3trace.model import Recording

KEY = ["metric", "operation", "lock", "statistic", "unit"]
HIGHER_IS_BETTER = frozenset({"throughput"})
#: Metrics that describe the locks and carry no verdict of their own.
DESCRIPTIVE = frozenset({"acquisitions", "trylock_failures", "contended", "corrected_latency"})
_ORDER = [
    "throughput",
    "elapsed",
    "latency",
    "corrected_latency",
    "wait",
    "hold",
    "contended",
    "acquisitions",
    "trylock_failures",
]
_LOSS_LIMIT = 0.001


@dataclass(frozen=True)
class Metric:
    """One line of a comparison; *before* and *after* are geometric means over runs."""

    metric: str
    operation: str
    lock: str
    statistic: str
    unit: str
    effect: stats.Effect
    p_adjusted: float
    verdict: str

    @property
    def subject(self) -> str:
        return self.operation or self.lock


@dataclass(frozen=True)
class Comparison:
    """Everything a report says."""

    before: Recording
    after: Recording
    metrics: list[Metric]
    paired: bool
    caveats: list[str]
    mismatches: list[tuple[str, str, str]]

    def select(self, metric: str, statistic: str | None = None) -> list[Metric]:
        return [m for m in self.metrics if m.metric == metric and statistic in (None, m.statistic)]

    def family(self) -> int:
        """How many tests the verdicts are adjusted for."""
        return sum(m.metric not in DESCRIPTIVE for m in self.metrics)


def mismatches(before: Recording, after: Recording) -> list[tuple[str, str, str]]:
    """(what, before, after) of every difference that forbids a comparison."""
    b, a = before.session, after.session
    pairs = [
        ("target", b.target, a.target),
        ("kernel", b.environment.kernel, a.environment.kernel),
        ("machine", b.environment.machine, a.environment.machine),
        ("CPU", b.environment.cpu, a.environment.cpu),
        ("CPUs", b.environment.cpus, a.environment.cpus),
        ("virtualization", b.environment.virtualization, a.environment.virtualization),
        ("clock source", b.environment.clocksource, a.environment.clocksource),
        ("workload", b.workload, a.workload),
        ("probes", b.probe_digest, a.probe_digest),
        ("lock probes", b.lock_mode, a.lock_mode),
        ("bucket scheme", b.bucket_scheme, a.bucket_scheme),
    ]
    return [(name, str(x), str(y)) for name, x, y in pairs if x != y]


def _lost(recording: Recording) -> tuple[int, int]:
    """(events lost, events seen) over the probed runs."""
    lost = seen = 0
    for run in recording.probed():
        lost += run.ledger.lost() if run.ledger else 0
        seen += sum(c.returns for c in run.operations) + sum(c.releases for c in run.locks)
    return lost, seen


def _coverage_caveat(recording: Recording) -> Iterator[str]:
    session = recording.session
    missing = [site for site in session.sites if not site.attached]
    if session.lock_mode == "none":
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


def _caveats(before: Recording, after: Recording, paired: bool) -> Iterator[str]:
    environment = before.session.environment
    if environment.virtualization != "none":
        yield (
            f"measured in a guest, {environment.virtualization}: "
            "times are not those of real hardware; ratios are what counts"
        )
    if before.session.calibration and after.session.calibration:
        yield "corrected latency is without the probes' cost, as calibrated in this session"
    yield (
        "latency, wait and hold include the cost of the probes, on both sides "
        "alike; throughput is from runs without probes"
    )
    for recording in (before, after):
        yield from _coverage_caveat(recording)
        lost, seen = _lost(recording)
        if lost:
            yield f"{recording.session.label}: {lost} of {lost + seen} events were lost"
        failed = sum(run.result.status != 0 for run in recording.runs)
        if failed:
            where = f"in {failed} of {len(recording.runs)} runs"
            yield f"{recording.session.label}: the workload failed {where}"
        if not recording.complete:
            yield f"{recording.session.label}: the recording was cut short"
    if not paired:
        yield "the runs of the two sides were not interleaved: drift of the machine is not excluded"
    smallest = min(len(before.probed()), len(after.probed()))
    if smallest < stats.MIN_RUNS:
        yield f"only {smallest} runs a side: no verdicts below {stats.MIN_RUNS}"


def _check_loss(recording: Recording) -> None:
    lost, seen = _lost(recording)
    if lost > _LOSS_LIMIT * max(seen, 1):
        raise IncomparableError(
            f"{recording.path}: {lost} of {lost + seen} events were lost, more than "
            f"{_LOSS_LIMIT:.1%}: no verdict can be given",
            "record again with a lighter load; --allow-mismatch compares all the same",
        )


def _are_paired(before: Recording, after: Recording) -> bool:
    """Whether the runs were taken in turn: same seeds, and started alternately."""
    b, a = before.probed(), after.probed()
    if [r.seed for r in b] != [r.seed for r in a] or not b:
        return False
    return all(x.started <= y.started for x, y in zip(b[:-1], a[1:], strict=True)) and all(
        x.started <= y.started for x, y in zip(a[:-1], b[1:], strict=True)
    )


def _metrics(table: pd.DataFrame, paired: bool) -> list[Metric]:
    found: list[tuple[tuple[str, str, str, str, str], stats.Effect]] = []
    for key, group in table.groupby(KEY, sort=False):
        sides = {side: rows.sort_values("run")["value"] for side, rows in group.groupby("side")}
        before, after = (
            sides.get("before", pd.Series(dtype=float)),
            sides.get("after", pd.Series(dtype=float)),
        )
        names = (str(key[0]), str(key[1]), str(key[2]), str(key[3]), str(key[4]))
        found.append((names, stats.effect(list(before), list(after), paired=paired)))
    tested = [key[0] not in DESCRIPTIVE for key, _ in found]
    adjusted = stats.holm(
        [e.p if t else float("nan") for (_, e), t in zip(found, tested, strict=True)]
    )
    metrics = []
    for (key, effect), is_tested, p in zip(found, tested, adjusted, strict=True):
        said = (
            stats.verdict(effect, p, higher_is_better=key[0] in HIGHER_IS_BETTER)
            if is_tested
            else "not tested"
        )
        metrics.append(Metric(*key, effect, p, said))
    return sorted(
        metrics, key=lambda m: _ORDER.index(m.metric) if m.metric in _ORDER else len(_ORDER)
    )


def compare(before: Recording, after: Recording, *, allow_mismatch: bool = False) -> Comparison:
    """Compare two recordings; IncomparableError if they differ in what matters."""
    differences = mismatches(before, after)
    if differences and not allow_mismatch:
        lines = [f"  {name}: {x} | {y}" for name, x, y in differences]
        raise IncomparableError(
            "the recordings cannot be compared, they differ in:\n" + "\n".join(lines),
            "--allow-mismatch compares all the same and says so in the report",
        )
    for recording in (before, after):
        if not recording.probed():
            raise IncomparableError(f"{recording.path} has no whole probed run")
        if not allow_mismatch:
            _check_loss(recording)
    paired = _are_paired(before, after)
    table = frame.tidy([("before", before), ("after", after)])
    caveats = list(_caveats(before, after, paired))
    caveats += [f"{name} differs: {x} | {y}" for name, x, y in differences]
    return Comparison(before, after, _metrics(table, paired), paired, caveats, differences)
