"""What a comparison comes to, in a few sentences."""

from pathlib import Path

from z3trace.analysis import units
from z3trace.analysis.comparing import loops
from z3trace.analysis.comparing.comparison import Comparison, Metric
from z3trace.analysis.comparing.contradiction import Contradiction
from z3trace.analysis.figures import ways
from z3trace.analysis.figures.run import Key
from z3trace.analysis.statistics.effect import Effect
from z3trace.data.model import CallSite

#: Locks that got better are told of at the head of a report; tables have the others.
_MOST_LOCKS = 4


def verdict_counts(comparison: Comparison) -> str:
    """``12 better, 1 worse, 3 no difference, 20 inconclusive`` over all that is tested."""
    kinds = ("better", "worse", "no difference", "inconclusive")
    counts = {kind: sum(m.verdict == kind for m in comparison.metrics) for kind in kinds}
    return ", ".join(f"{counts[kind]} {kind}" for kind in kinds)


def _what(key: Key) -> str:
    """``mean wait for the page lock``, ``p99 latency of alloc``, ``throughput``."""
    if key.metric == "wait":
        return f"{key.statistic} wait for the {key.lock} lock"
    if key.metric == "hold":
        return f"{key.statistic} hold of the {key.lock} lock"
    if key.metric == "latency":
        return f"{key.statistic} latency of {key.operation}"
    return key.metric


def _ratio(effect: Effect) -> str:
    return f"ratio {units.ratio(effect.ratio)} {units.interval(effect.low, effect.high)}"


def claim(metric: Metric) -> str:
    """One figure with its change, interval and verdict."""
    e = metric.effect
    seen = ""
    if metric.definition.subject == "lock":
        seen = f" ({ways.words(metric.way)}, {metric.instrument} the instrument's)"
    return (
        f"{_what(metric.key)} {units.value(e.before, metric.unit)} -> "
        f"{units.value(e.after, metric.unit)}, {_ratio(e)}: {metric.verdict}{seen}"
    )


def _contradiction(found: Contradiction) -> str:
    other = found.other
    return (
        f"CONTRADICTION: {_what(found.key)}: {_ratio(found.effect)} by "
        f"{ways.words(found.way)}, {_ratio(other.effect)} by {ways.words(other.way)}: no verdict"
    )


def contradictions(comparison: Comparison) -> list[str]:
    """One sentence for each figure that two ways show differently."""
    return [_contradiction(found) for found in comparison.contradictions]


def place(site: CallSite) -> str:
    """``file:line`` of a lock call, or its function where that is not known."""
    return f"{Path(site.file).name}:{site.line}" if site.file else site.function


def loop(found: loops.Loop) -> str:
    """A lock call that moved into a loop, in one sentence."""
    new = found.after
    once = found.before is not None and f"{found.before:.3g}" == "1"
    before = "not" if found.before is None else "once" if once else f"{found.before:.3g} times"
    return (
        f"LOOP: {new.operation} takes the {new.lock} lock {new.each:.3g} times a call at "
        f"{place(new.site)}, {before} before (all probes)"
    )


def claims(comparison: Comparison) -> list[str]:
    """Contradictions first, if there are any, and lock calls that moved into a loop.  Then
    one sentence a claim, each with its figure and interval: throughput; latency of each
    operation that has one that differs, the mean before p99 before p50; the mean waits and
    holds that count."""
    sentences = contradictions(comparison)
    sentences += [loop(found) for found in loops.loops(comparison)]
    sentences += [claim(metric) for metric in comparison.select("throughput")]
    told = set()
    for statistic in ("mean", "p99", "p50"):
        for metric in comparison.select("latency", statistic):
            if metric.verdict in ("better", "worse") and metric.operation not in told:
                told.add(metric.operation)
                sentences.append(claim(metric))
    return sentences + [claim(metric) for metric in _lock_claims(comparison)]


def _lock_claims(comparison: Comparison) -> list[Metric]:
    """Mean waits and holds that differ: what got worse, and what got better by most of an
    operation's time."""
    taken = {m.lock: m.effect for m in comparison.select("acquisitions")}

    def change(metric: Metric) -> float:
        often, effect = taken.get(metric.lock), metric.effect
        if often is None:
            return 0.0
        return abs(effect.after * often.after - effect.before * often.before)

    means = comparison.select("wait", "mean") + comparison.select("hold", "mean")
    better = sorted((m for m in means if m.verdict == "better"), key=change, reverse=True)
    told = better[:_MOST_LOCKS]
    return [m for m in means if m.verdict == "worse" or m in told]
