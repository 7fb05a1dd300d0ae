"""What the reports tell beyond the verdicts: where a change comes from, and what these
runs could have seen."""

import math

from z3trace.analysis import units
from z3trace.analysis.comparing import attribution, probeeffect
from z3trace.analysis.comparing.comparison import Comparison, Metric
from z3trace.analysis.report import content

_MOST_SITES = 8

EFFECT_TITLE = "Probe effect (the workload's own time for an operation)"
EFFECT_HEADER = ["probes", "slower", "->", "before", "after", "change, 95 % interval"]
CORRECTED_TITLE = "Without the probes' cost (corrected, not tested)"
CORRECTED_HEADER = ["", "before", "after", "ratio", "95 % interval"]
PARTS_HEADER = ["operation", "part", "before", "after", "change"]
SITES_HEADER = ["function: lock class", "wait", "->", "hold", "->", "change"]
LOCKS_HEADER = ["lock", "acquired", "->", "contended", "->", "failed tries", "->"]


def _pair(before: float, after: float) -> list[str]:
    return [units.nanoseconds(before), units.nanoseconds(after)]


def effect(comparison: Comparison) -> list[list[str]]:
    """Rows under EFFECT_HEADER: by what factor each kind of probes slows the workload, and
    what the patch changes with them."""
    return [
        [
            probeeffect.PROBED[one.probe],
            *(f"{factor:.2f}" for factor in one.slowdown),
            *_pair(one.before, one.after),
            probeeffect.span(one),
        ]
        for one in comparison.probe_effects
    ]


def corrected(comparison: Comparison) -> list[list[str]]:
    """Rows under CORRECTED_HEADER.  No ratio of a figure that is as good as 0."""
    sides = (comparison.before, comparison.after)
    rows = []
    found = comparison.select("corrected_latency") + comparison.select("corrected_hold")
    for metric in found:
        if metric.statistic not in content.MAIN_STATISTICS:
            continue
        e = metric.effect
        known = all(
            value >= side.least_corrected
            for value, side in zip((e.before, e.after), sides, strict=True)
        )
        rows.append(
            [
                f"{content.name(metric).removeprefix('corrected_')} {metric.statistic}",
                units.corrected(e.before, sides[0].least_corrected),
                units.corrected(e.after, sides[1].least_corrected),
                units.ratio(e.ratio) if known else "-",
                units.interval(e.low, e.high) if known else "-",
            ]
        )
    return rows


def probe_tables(comparison: Comparison) -> list[tuple[str, list[str], list[list[str]]]]:
    """(title, header, rows) of what is told of the probes themselves."""
    return [
        (EFFECT_TITLE, EFFECT_HEADER, effect(comparison)),
        (CORRECTED_TITLE, CORRECTED_HEADER, corrected(comparison)),
    ]


def parts(comparison: Comparison) -> list[list[str]]:
    """Rows under PARTS_HEADER: an operation's mean latency and what it is made of."""
    rows = []
    for one in attribution.explained(comparison):
        name = one.operation
        for part in ("latency", "wait", "hold", "rest"):
            before, after = getattr(one, part)
            rows.append([name, part, *_pair(before, after), units.difference(after - before)])
            name = ""
    return rows


def sites(comparison: Comparison) -> list[list[str]]:
    """Rows under SITES_HEADER: ns for each operation of the run, largest change first."""
    return [
        [
            one.where,
            *_pair(one.wait.effect.before, one.wait.effect.after),
            *_pair(one.hold.effect.before, one.hold.effect.after),
            units.difference(one.change()),
        ]
        for one in attribution.sites(comparison)[:_MOST_SITES]
    ]


def locks(comparison: Comparison) -> list[list[str]]:
    """Rows under LOCKS_HEADER: acquisitions and failed trylocks for each operation, and
    the contended share of acquisitions."""
    sources = [
        ({m.lock: m for m in comparison.select(metric)}, unit)
        for metric, unit in (
            ("acquisitions", "per operation"),
            ("contended", "of acquisitions"),
            ("trylock_failures", "per operation"),
        )
    ]
    rows = []
    for lock in sources[0][0]:
        row = [lock]
        for source, unit in sources:
            metric = source.get(lock)
            effect = metric.effect if metric else None
            values = (effect.before, effect.after) if effect else (math.nan, math.nan)
            row += [units.value(value, unit) for value in values]
        rows.append(row)
    return rows


def _range(metrics: list[Metric]) -> str:
    changes = [m.detectable for m in metrics if math.isfinite(m.detectable)]
    if not changes:
        return ""
    low, high = (units.detectable(change) for change in (min(changes), max(changes)))
    return low if low == high else f"{low} to {high}"


def resolution(comparison: Comparison) -> str:
    """The smallest changes that these runs could have found, by metric; may be empty."""
    found = []
    for name in ("throughput", "elapsed", "latency", "wait", "hold"):
        shown = [m for m in comparison.select(name) if m.statistic in content.MAIN_STATISTICS]
        span = _range(shown)
        if span:
            found.append(f"{name} {span}")
    return ", ".join(found)


def more_runs(comparison: Comparison) -> str:
    """How many runs a side would settle what is inconclusive; may be empty."""
    open_ones = [m for m in content.main(comparison) if m.verdict == "inconclusive"]
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
        f"{len(open_ones)} inconclusive lines above"
    )
