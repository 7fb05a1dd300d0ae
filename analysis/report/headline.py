"""What a comparison comes to, in a few sentences."""

from z3trace.analysis import units
from z3trace.analysis.comparing.comparison import Comparison, Metric


def verdict_counts(comparison: Comparison) -> str:
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


def claims(comparison: Comparison) -> list[str]:
    """One sentence a claim, each with its figure and interval: throughput; latency of each
    operation that has one that differs, the mean before p99 before p50; mean waits."""
    sentences = [_claim("throughput", metric) for metric in comparison.select("throughput")]
    told = set()
    for statistic in ("mean", "p99", "p50"):
        for metric in comparison.select("latency", statistic):
            if metric.verdict in ("better", "worse") and metric.operation not in told:
                told.add(metric.operation)
                sentences.append(_claim(f"{statistic} latency of {metric.operation}", metric))
    for metric in comparison.select("wait", "mean"):
        if metric.verdict in ("better", "worse"):
            sentences.append(_claim(f"mean wait for the {metric.lock} lock", metric))
    return sentences
