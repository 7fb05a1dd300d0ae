"""Figures by name, as a sentence lists them."""

from collections.abc import Iterable

from z3trace.analysis.comparing.comparison import Metric


def names(metrics: Iterable[Metric]) -> str:
    """Figures by name, what is common said once: ``latency alloc mean p50, free p99``."""
    statistics: dict[tuple[str, str], list[str]] = {}
    for metric in metrics:
        of = (metric.metric, metric.subject)
        statistics.setdefault(of, []).append(metric.statistic)
    parts, last = [], ""
    for (name, subject), listed in statistics.items():
        words = [subject, *listed] if name == last else [name, subject, *listed]
        parts.append(" ".join(filter(None, words)))
        last = name
    return ", ".join(parts)
