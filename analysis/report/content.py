"""What the reports share: the main lines of a comparison, in reading order."""

from z3trace.analysis import units
from z3trace.analysis.comparing.comparison import Comparison, Metric
from z3trace.analysis.figures.recording import Digest
from z3trace.data.model import Session

MAIN_STATISTICS = ("mean", "p50", "p99")


def main(comparison: Comparison) -> list[Metric]:
    """Throughput, then latency by operation, then wait and hold by lock class."""
    found = comparison.select("throughput") + comparison.select("elapsed")
    for metric in ("latency", "wait", "hold"):
        found += [m for m in comparison.select(metric) if m.statistic in MAIN_STATISTICS]
    return found


def name(metric: Metric) -> str:
    return " ".join(part for part in (metric.metric, metric.subject) if part)


def symbol(metric: Metric) -> str:
    """One character for a verdict, as benchstat's ``~``."""
    return {"better": "+", "worse": "-", "no difference": "=", "inconclusive": "~"}.get(
        metric.verdict, " "
    )


def verdicts(comparison: Comparison) -> str:
    """``12 better, 1 worse, 3 no difference, 20 inconclusive`` over all that is tested."""
    kinds = ("better", "worse", "no difference", "inconclusive")
    counts = {kind: sum(m.verdict == kind for m in comparison.metrics) for kind in kinds}
    return ", ".join(f"{counts[kind]} {kind}" for kind in kinds)


def _claim(what: str, metric: Metric) -> str:
    e = metric.effect
    return (
        f"{what} {units.value(e.before, metric.unit)} -> {units.value(e.after, metric.unit)}, "
        f"ratio {units.ratio(e.ratio)} {units.interval(e.low, e.high)}: {metric.verdict}"
    )


def headline(comparison: Comparison) -> list[str]:
    """One sentence a claim, each with its figure and interval: throughput; latency of each
    operation that has one that differs, the mean before p99 before p50; mean waits."""
    found = [_claim("throughput", metric) for metric in comparison.select("throughput")]
    told = set()
    for statistic in ("mean", "p99", "p50"):
        for metric in comparison.select("latency", statistic):
            if metric.verdict in ("better", "worse") and metric.operation not in told:
                told.add(metric.operation)
                found.append(_claim(f"{statistic} latency of {metric.operation}", metric))
    for metric in comparison.select("wait", "mean"):
        if metric.verdict in ("better", "worse"):
            found.append(_claim(f"mean wait for the {metric.lock} lock", metric))
    return found


def regressions(comparison: Comparison) -> list[Metric]:
    return comparison.regressions()


def setup(comparison: Comparison) -> list[tuple[str, str]]:
    """(name, value) of everything needed to judge and repeat the measurement."""
    session = comparison.before.session
    environment = session.environment
    command = " ".join(session.command)
    return [
        ("kernel", environment.kernel),
        ("machine", f"{environment.cpus} CPUs, {environment.cpu or environment.machine}"),
        ("virtualization", environment.virtualization),
        ("preemption", environment.preemption or "unknown"),
        ("clock", environment.clocksource or "unknown"),
        ("target", session.target),
        ("before", _variant(comparison.before)),
        ("after", _variant(comparison.after)),
        ("workload", session.workload),
        ("lock probes", lock_probes(session)),
        ("tool", session.tool),
        ("command", command),
    ]


def lock_probes(session: Session) -> str:
    """The lock mode, and where waits are seen if that is not the call site."""
    if session.waits == "slow-path" and session.lock_mode != "none":
        return f"{session.lock_mode}, waits in the slow paths of the lock functions"
    return session.lock_mode


def _variant(digest: Digest) -> str:
    module = digest.session.module
    text = digest.session.label
    if module.digest:
        text += f" (built, {module.digest})"
    elif module.source_version:
        text += f" ({module.origin}, srcversion {module.source_version})"
    return text


def runs(comparison: Comparison) -> str:
    b, a = comparison.before, comparison.after
    turn = "interleaved" if comparison.paired else "one after the other"
    ops = [0 if one.kind == "ops" else len(one.with_probe("ops")) for one in (b, a)]
    only = f"{ops[0]} + {ops[1]} with probes on operations only, " if any(ops) else ""
    return (
        f"{len(b.probed())} + {len(a.probed())} probed runs, {only}{len(b.unprobed())} + "
        f"{len(a.unprobed())} without probes, {turn}"
    )


def lock_members(comparison: Comparison) -> list[tuple[str, str, str]]:
    """(lock class, members before, members after)."""
    after = {lock.name: ", ".join(lock.members) for lock in comparison.after.session.locks}
    return [
        (lock.name, ", ".join(lock.members) or "-", after.get(lock.name) or "-")
        for lock in comparison.before.session.locks
        if lock.members or after.get(lock.name)
    ]
