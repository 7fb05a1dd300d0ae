"""The tables behind the verdicts, the same in every form of report.

A new table is a function here, and a place in the forms that show it.
"""

import math

import numpy as np

from z3trace.analysis import units
from z3trace.analysis.comparing import attribution, probeeffect
from z3trace.analysis.comparing.comparison import Comparison
from z3trace.analysis.figures import ways
from z3trace.analysis.figures.metrics import BY_NAME, DISTRIBUTIONS
from z3trace.analysis.report.table import Table
from z3trace.data import buckets

_MOST_SITES = 8


def _pair(before: float, after: float) -> list[str]:
    return [units.nanoseconds(before), units.nanoseconds(after)]


def probe_effect(comparison: Comparison) -> Table:
    """By what factor each kind of probes slows the workload, and what the patch changes
    with them."""
    return Table(
        ["probes", "slower", "->", "before", "after", "change, 95 % interval"],
        [
            [
                ways.words(effect.way),
                *(f"{factor:.2f}" for factor in effect.slowdown),
                *_pair(effect.before, effect.after),
                probeeffect.span(effect),
            ]
            for effect in comparison.probe_effects
        ],
        title="Probe effect (the workload's own time for an operation)",
    )


def parts(comparison: Comparison) -> Table:
    """An operation's mean latency and what it is made of."""
    rows = []
    for operation in attribution.explained(comparison):
        name = operation.operation
        for part in ("latency", "wait", "hold", "rest"):
            before, after = getattr(operation, part)
            rows.append([name, part, *_pair(before, after), units.difference(after - before)])
            name = ""
    return Table(
        ["operation", "part", "before", "after", "change"],
        rows,
        title="Where an operation's time goes (mean, with probes)",
        words=2,
        short="Where an operation's time goes",
    )


def sites(comparison: Comparison) -> Table:
    """Wait and hold by function, ns for each operation of the run, largest change first."""
    return Table(
        ["function: lock class", "wait", "->", "hold", "->", "change"],
        [
            [
                site.where,
                *_pair(site.wait.effect.before, site.wait.effect.after),
                *_pair(site.hold.effect.before, site.hold.effect.after),
                units.difference(site.change()),
            ]
            for site in attribution.sites(comparison)[:_MOST_SITES]
        ],
        title="Call sites (time in locks for each operation, by change)",
        short="Call sites, time for each operation",
    )


def locks(comparison: Comparison) -> Table:
    """Acquisitions and failed trylocks for each operation, and the contended share of
    acquisitions."""
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
        cells = [lock]
        for source, unit in sources:
            metric = source.get(lock)
            effect = metric.effect if metric else None
            values = (effect.before, effect.after) if effect else (math.nan, math.nan)
            cells += [units.value(value, unit) for value in values]
        rows.append(cells)
    return Table(
        ["lock", "acquired", "->", "contended", "->", "failed tries", "->"],
        rows,
        title="Locks (per operation; contended: share of acquisitions)",
        short="Locks, for each operation",
    )


def behind(comparison: Comparison) -> list[Table]:
    """The histograms that the plots are drawn from: the lower edge of each occupied bucket
    in ns, and its count on both sides."""
    sides = (comparison.before, comparison.after)
    series = [(metric, name) for side in sides for metric, name, _ in side.histograms()]
    histograms = []
    for metric, name in dict.fromkeys(series):
        if BY_NAME[metric] not in DISTRIBUTIONS:
            continue
        before, after = (side.counts(metric, name) for side in sides)
        rows = [
            [str(buckets.lower(int(i))), f"{before[i]:.0f}", f"{after[i]:.0f}"]
            for i in np.flatnonzero(before + after)
        ]
        histograms.append(Table(["from", "before", "after"], rows, 0, f"{metric} {name}"))
    return histograms


def of(comparison: Comparison) -> list[Table]:
    """Every table of where a change comes from, in the order of the reports."""
    return [make(comparison) for make in (probe_effect, parts, sites, locks)]
