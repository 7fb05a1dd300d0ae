"""Where a change comes from: parts of an operation's time, call sites, locks, nesting."""

import math
from collections import Counter
from dataclasses import dataclass

from z3trace.analysis.comparing.comparison import Comparison, Metric
from z3trace.analysis.figures import run
from z3trace.analysis.figures.recording import Digest

_PARTS = ("wait", "hold", "rest")
#: A change of a call site below this share of all time in locks is not listed.
_LEAST = 0.01


@dataclass(frozen=True)
class Explained:
    """Mean latency of an operation and its parts, ns a call, (before, after) each.

    ``wait`` is time on the way to a lock, ``hold`` time with a lock held and no wait, as
    probed; ``rest`` is what is left of the latency.
    """

    operation: str
    latency: tuple[float, float]
    wait: tuple[float, float]
    hold: tuple[float, float]
    rest: tuple[float, float]


def explained(comparison: Comparison) -> list[Explained]:
    """One row for each operation whose parts are known on both sides."""
    parts: dict[str, dict[str, tuple[float, float]]] = {}
    for metric in comparison.select("part"):
        pair = (metric.effect.before, metric.effect.after)
        parts.setdefault(metric.operation, {})[metric.statistic] = pair
    explanations = []
    for operation, known in parts.items():
        if set(known) == set(_PARTS) and all(
            math.isfinite(x) for pair in known.values() for x in pair
        ):
            whole = tuple(sum(known[part][side] for part in _PARTS) for side in (0, 1))
            explanations.append(
                Explained(
                    operation, (whole[0], whole[1]), known["wait"], known["hold"], known["rest"]
                )
            )
    return explanations


@dataclass(frozen=True)
class SiteChange:
    """Wait and hold at the lock calls of one function, ns for each operation of the run."""

    where: str
    wait: Metric
    hold: Metric

    def change(self) -> float:
        """By how much the function's time in locks grew, ns an operation."""
        grown = 0.0
        for metric in (self.wait, self.hold):
            b, a = metric.effect.before, metric.effect.after
            grown += (a if math.isfinite(a) else 0.0) - (b if math.isfinite(b) else 0.0)
        return grown


def sites(comparison: Comparison) -> list[SiteChange]:
    """Functions by how much their time in locks changed, the largest change first."""
    pairs: dict[str, dict[str, Metric]] = {}
    for metric in comparison.select("site"):
        pairs.setdefault(metric.lock, {})[metric.statistic] = metric
    changes = [
        SiteChange(where, known["wait"], known["hold"])
        for where, known in pairs.items()
        if set(known) == {"wait", "hold"}
    ]
    changes.sort(key=lambda site: -abs(site.change()))
    most = abs(changes[0].change()) if changes else 0.0
    return [site for site in changes if abs(site.change()) >= _LEAST * most]


def _members(digest: Digest) -> set[str]:
    return {member for lock in digest.session.locks for member in lock.members}


def _calls(digest: Digest) -> Counter[str]:
    return Counter(
        run.base_name(site.function) for site in digest.session.sites if site.action != "release"
    )


def structure(comparison: Comparison, *, locks: bool = True) -> list[str]:
    """What is new or gone after the patch: *locks*, functions that take them, nesting."""
    b, a = comparison.before, comparison.after
    sentences = []
    for word, one, other in (("new", a, b), ("gone", b, a)) if locks else ():
        members = sorted(_members(one) - _members(other))
        if members:
            sentences.append(f"{word} locks: {', '.join(members)}")
    before, after = _calls(b), _calls(a)
    for word, more, less in (("more", after, before), ("fewer", before, after)):
        moved = {name: more[name] - less[name] for name in more if more[name] > less[name]}
        if moved:
            listed = ", ".join(f"{name} {n:+d}" for name, n in sorted(moved.items()))
            listed = listed if word == "more" else listed.replace("+", "-")
            sentences.append(f"{word} lock calls after: {listed}")
    for word, one, other in (("new", a, b), ("gone", b, a)):
        pairs = sorted(set(one.nesting()) - set(other.nesting()))
        if pairs:
            listed = ", ".join(f"{x} > {y} ({one.nesting()[x, y]} times)" for x, y in pairs)
            sentences.append(f"{word} nesting, held > acquired: {listed}")
    return sentences
