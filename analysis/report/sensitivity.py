"""What these runs could have seen, and how many would settle what they left open."""

import math

from z3trace.analysis import units
from z3trace.analysis.comparing.comparison import Comparison, Metric
from z3trace.analysis.report.names import names
from z3trace.words import amount


def _range(metrics: list[Metric]) -> str:
    changes = [m.detectable for m in metrics if math.isfinite(m.detectable)]
    if not changes:
        return "none" if any(math.isinf(m.detectable) for m in metrics) else ""
    low, high = (units.detectable(change) for change in (min(changes), max(changes)))
    return low if low == high else f"{low} to {high}"


def resolution(comparison: Comparison) -> str:
    """The smallest changes of the primary figures that these runs could have found, by
    metric; may be empty."""
    spans: dict[str, list[Metric]] = {}
    for metric in (m for m in comparison.main() if m.primary):
        spans.setdefault(metric.metric, []).append(metric)
    told = {name: _range(metrics) for name, metrics in spans.items()}
    return ", ".join(f"{name} {span}" for name, span in told.items() if span)


def regressions(comparison: Comparison) -> str:
    """What got worse, by name; that nothing did is said only as far as it was looked for."""
    worse = names(comparison.regressions())
    if worse:
        return worse
    asked = [m for m in comparison.main() if m.primary]
    blind = [m for m in asked if m.verdict == "too few runs"]
    if not blind:
        return "none found"
    if len(blind) < len(asked):
        return f"none found, too few runs to look at {names(blind)}"
    return "not looked for, the runs are too few"


def fewest(comparison: Comparison) -> str:
    """How many runs a side a verdict takes, if any figure has too few; may be empty."""
    few = [m for m in comparison.main() if m.verdict == "too few runs"]
    needed, tests = comparison.needed_runs, comparison.family
    told = []
    if any(m.primary for m in few):
        told.append(f"{needed.primary} among {amount(tests.primary, 'primary test')}")
    if not all(m.primary for m in few):
        told.append(f"{needed.secondary} among {tests.secondary} others")
    least = "the least runs a side with which a difference can be significant"
    return f"{least}: {', '.join(told)}" if told else ""


def more_runs(comparison: Comparison) -> str:
    """How many runs a side would settle what is inconclusive; may be empty."""
    open_ones = [m for m in comparison.main() if m.verdict == "inconclusive"]
    if not open_ones:
        return ""
    known = sorted(m.more_runs for m in open_ones if m.more_runs)
    if not known:
        return f"{len(open_ones)} are inconclusive; no number of runs within reason settles them"
    # As many as settle half of them: the last few always lie just beside the margin.
    half = known[(len(known) - 1) // 2]
    settled = sum(n <= half for n in known)
    return (
        f"about {half} runs a side would likely settle {settled} of the "
        f"{len(open_ones)} inconclusive"
    )
