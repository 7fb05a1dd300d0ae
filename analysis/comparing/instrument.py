"""What must be said of the instrument itself: how much of a figure it is, and whether what
is known of its cost holds together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from z3trace.analysis import units
from z3trace.analysis.figures import costs, ways
from z3trace.analysis.figures.costs import Cost
from z3trace.analysis.figures.recording import Digest, subject
from z3trace.analysis.figures.ways import Subject

if TYPE_CHECKING:
    from z3trace.analysis.comparing.comparison import Metric


@dataclass(frozen=True)
class Known:
    """What a pair of probes costs, ns: *inside* what it shows, and *outside*, which the
    workload pays; *poll*: inside by the calibration on poll(2).  None: not known."""

    what: str
    inside: Cost | None
    poll: Cost | None
    outside: Cost | None


def known(digest: Digest) -> list[Known]:
    """The costs of the probes on operations and on each lock class that has runs of its
    own."""
    told = []
    if digest.of_way("ops"):
        told.append(Known("operation", None, None, costs.outside(digest, "ops")))
    for way in digest.ways:
        if not ways.one_class(way):
            continue
        lock = way.removeprefix("lock:")
        outside = costs.of_lock(digest, lock)
        placed = costs.inside(digest, "hold", lock)
        told.append(Known(lock, placed, costs.by_poll(digest, Subject("hold", lock), way), outside))
    return told


def _larger(digest: Digest, metric: "Metric", value: float) -> str:
    """Of a lock's time that is larger than the operation it is part of; else nothing."""
    part, whole = costs.in_an_operation(digest, subject(metric.key), metric.way, value)
    if not part > whole:
        return ""
    return (
        f"{metric.key.name(statistic=False)} {units.nanoseconds(part)} of "
        f"{units.nanoseconds(whole)} ({digest.session.label})"
    )


def _poll(digest: Digest, lock: str) -> str:
    """Of a cost that poll(2) knows otherwise than it was measured in place; else nothing."""
    way = f"lock:{lock}"
    placed = costs.inside(digest, "hold", lock)
    poll = costs.by_poll(digest, Subject("hold", lock), way)
    if placed is None or poll is None or not costs.disagree(placed, poll):
        return ""
    return (
        f"{lock} {units.nanoseconds(placed.value)} in place and "
        f"{units.nanoseconds(poll.value)} by poll(2) ({digest.session.label})"
    )


def notes(sides: Sequence[Digest], metrics: "Sequence[Metric]") -> Iterator[str]:
    """One sentence for each kind of thing, over all lock classes and both sides."""
    means = [m for m in metrics if m.metric in ("wait", "hold") and m.statistic == "mean"]
    told = [
        text
        for metric in means
        for side, value in zip(sides, (metric.effect.before, metric.effect.after), strict=True)
        if (text := _larger(side, metric, value))
    ]
    if told:
        yield (
            "longer for each operation than an operation takes of its thread, so at least in "
            f"part the instrument's or another thread's: {'; '.join(told)}"
        )
    locks = [m.lock for m in means if m.metric == "hold" and ways.one_class(m.way)]
    differ = [text for lock in locks for side in sides if (text := _poll(side, lock))]
    if differ:
        yield (
            "what a pair of lock probes adds to a hold, measured in place, is more than a "
            f"quarter off what it adds to poll(2), the first is used: {'; '.join(differ)}"
        )
