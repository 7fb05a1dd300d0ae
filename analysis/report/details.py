"""The tables behind the verdicts, the same in every form of report.

A new table is a function here, and a place in the forms that show it.
"""

import math
from collections.abc import Sequence

import numpy as np

from z3trace.analysis import units
from z3trace.analysis.comparing import attribution, instrument, probeeffect
from z3trace.analysis.comparing.comparison import Comparison
from z3trace.analysis.comparing.seen import MOST, worthy
from z3trace.analysis.figures import ways
from z3trace.analysis.figures.costs import Cost, disagree, disturbed, own_time
from z3trace.analysis.figures.metrics import BY_NAME, DISTRIBUTIONS
from z3trace.analysis.figures.recording import subject
from z3trace.analysis.report import row
from z3trace.analysis.report.table import Table
from z3trace.data import buckets

_MOST_SITES = 8
#: What is below this share of an operation's time is not listed.
_LEAST = 0.01


def _pair(before: float, after: float) -> list[str]:
    return [units.nanoseconds(before), units.nanoseconds(after)]


def probe_effect(comparison: Comparison) -> Table:
    """By what factor each way slows the workload, before and after, and what the patch
    changes in it."""
    return Table(
        ["runs with", "slower", "->", "change of an operation, 95 %"],
        [
            [
                ways.words(effect.way),
                *(f"{factor:.2f}" for factor in effect.slowdown),
                probeeffect.span(effect),
            ]
            for effect in comparison.probe_effects
        ],
        title="Probe effect (by the workload's own time for an operation)",
    )


def _short(before: float, after: float) -> str:
    """``9.30 -> 6.54 us``: a unit that both have is said once."""
    one, other = _pair(before, after)
    number, _, unit = one.partition(" ")
    return f"{number if unit == other.partition(' ')[2] else one} -> {other}"


def _witnessed(comparison: Comparison, names: Sequence[str], header: Sequence[str]) -> Table:
    """Mean figures of *names*, a column for each way: before -> after, without the cost of
    the way as far as it is known; ``!``: mostly the instrument."""
    rows = []
    for metric in comparison.metrics:
        of = subject(metric.key)
        if metric.metric not in names or metric.statistic != "mean" or not metric.witnesses:
            continue
        known = {witness.way: (witness.effect, witness.share) for witness in metric.witnesses}
        known[metric.way] = metric.effect, metric.share
        if all(max(effect.before, effect.after) < 1 for effect, _ in known.values()):
            continue
        cells = []
        for way in ways.of(of)[: len(header)]:
            effect, shares = known.get(way, (None, ()))
            mark = "" if all(worthy(metric.key, way, share) for share in shares) else "!"
            pair = _short(effect.before, effect.after) if effect else "-"
            cells.append(pair + mark)
        rows.append([metric.key.name(statistic=False), *cells])
    return Table(["mean", *header], rows, title="The same figure in every way that it was seen")


def witnesses(comparison: Comparison) -> list[Table]:
    """What the same operation and the same lock show, seen in each way."""
    return [
        _witnessed(comparison, ["latency"], ["workload's clock", "operations", "all probes"]),
        _witnessed(comparison, ["wait", "hold"], ["timed build", "its class", "all probes"]),
    ]


def _cost(before: Cost | None, after: Cost | None) -> str:
    told = [units.nanoseconds(cost.value) if cost else "?" for cost in (before, after)]
    return " -> ".join(dict.fromkeys(told))


def costs(comparison: Comparison) -> list[str]:
    """What a pair of probes adds, one sentence for each kind of pair, before -> after."""
    sides = [
        {each.what: each for each in instrument.known(side)}
        for side in (comparison.before, comparison.after)
    ]
    sentences = []
    for what in sides[0].keys() & sides[1].keys():
        b, a = (side[what] for side in sides)
        words = f"a pair of {what} probes takes {_cost(b.outside, a.outside)} of a thread"
        if b.outside and a.outside:
            words += f" ({b.outside.source})"
        if b.inside and a.inside:
            words += f", and adds {_cost(b.inside, a.inside)} to a hold ({b.inside.source})"
        if b.poll and a.poll:
            words += f"; by poll(2) {_cost(b.poll, a.poll)}"
            if any(x.inside and x.poll and disagree(x.inside, x.poll) for x in (b, a)):
                words += ", which is more than a quarter off and not used"
        sentences.append(words)
    return sorted(sentences)


def time(comparison: Comparison) -> Table:
    """Time in each lock for an operation beside the workload's own time for one, ns of a
    thread, by the ways that disturb least; what is below 1 % of it is left out, and what is
    mostly the instrument's."""
    taken = {m.lock: m.effect for m in comparison.select("acquisitions")}
    whole = [own_time(side) for side in (comparison.before, comparison.after)]
    rows = []
    if all(map(math.isfinite, whole)):
        change = units.difference(whole[1] - whole[0])
        rows.append(["an operation", *_pair(*whole), change, ways.words("none"), ""])
    for metric in comparison.select("wait", "mean") + comparison.select("hold", "mean"):
        often = taken.get(metric.lock)
        if often is None or not all(worthy(metric.key, metric.way, x) for x in metric.share):
            continue
        pair = [metric.effect.before * often.before, metric.effect.after * often.after]
        if not max(pair) >= _LEAST * np.nanmax([*whole, 0]):
            continue
        r = row.of(metric)
        change = units.difference(pair[1] - pair[0])
        rows.append([r.name, *_pair(*pair), change, r.way, r.share])
    return Table(
        ["", "before", "after", "change", "seen by", "instr."],
        rows if len(rows) > 1 else [],
        title="Where the time goes (of a thread, for each operation)",
        short="Where the time goes, for each operation",
    )


def parts(comparison: Comparison) -> Table:
    """An operation's mean latency and what it is made of; none if most of it is the
    probes' own time."""
    rows = []
    if _all_probes(comparison) <= MOST:
        for operation in attribution.explained(comparison):
            name = operation.operation
            for part in ("latency", "wait", "hold", "rest"):
                before, after = getattr(operation, part)
                rows.append([name, part, *_pair(before, after), units.difference(after - before)])
                name = ""
    return Table(
        ["operation", "part", "before", "after", "change"],
        rows,
        title=f"Parts of a latency (all probes, {_all_probes(comparison):.0%} of it theirs)",
        words=2,
        short="Parts of an operation's latency, with all probes",
    )


def _all_probes(comparison: Comparison) -> float:
    """The share of an operation's time that is the probes' own where all of them are."""
    sides = (comparison.before, comparison.after)
    return max(disturbed(side, "all") for side in sides)


def sites(comparison: Comparison) -> Table:
    """Wait and hold by function, ns for each operation of the run, largest change first;
    none if most of it is the probes' own time."""
    changes = attribution.sites(comparison)
    way = changes[0].hold.way if changes else ""
    share = _all_probes(comparison) if way == "all" else 0.0
    told = ways.words(way) + (f", {share:.0%} of it theirs" if way == "all" else "")
    rows = [
        [
            site.where,
            *_pair(site.wait.effect.before, site.wait.effect.after),
            *_pair(site.hold.effect.before, site.hold.effect.after),
            units.difference(site.change()),
        ]
        for site in changes[:_MOST_SITES]
    ]
    return Table(
        ["function: lock class", "wait", "->", "hold", "->", "change"],
        rows if share <= MOST else [],
        title=f"Call sites (time for each operation; {told})",
        short=f"Call sites, time for each operation ({told})",
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
    seen = ways.order({m.way for m in sources[0][0].values()})
    told = ", ".join(ways.words(way) for way in seen)
    table = Table(
        ["lock", "acquired", "->", "contended", "->", "failed tries", "->"],
        rows,
        title=f"Locks (for each operation; {told})",
        short=f"Locks, for each operation ({told})",
    )
    return table if any(row[-2:] != ["0", "0"] for row in rows) else table.without({5, 6})


def taken(comparison: Comparison) -> Table:
    """How often one call of an operation takes each lock class."""
    rows = []
    for metric in comparison.select("taken"):
        effect = metric.effect
        pair = [units.value(value, metric.unit) for value in (effect.before, effect.after)]
        interval = units.interval(effect.low, effect.high)
        changed = pair[0] != pair[1]
        told = [units.ratio(effect.ratio), interval] if changed else ["", ""]
        rows.append([f"{metric.operation}: {metric.lock}", *pair, *told])
    return Table(
        ["operation: lock", "before", "after", "ratio", "95 %"],
        rows,
        title="Acquisitions in one call of an operation (all probes)",
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
    return [
        *(make(comparison) for make in (time, sites, parts, taken, locks)),
        *witnesses(comparison),
        probe_effect(comparison),
    ]
