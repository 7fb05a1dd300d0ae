"""Every metric there is, one row each: what it is and what may be said of it.

A new metric is a row here and in ``figures.ways``, which says from which runs it is taken,
and a function in ``figures.run`` that yields its figures.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Definition:
    """What a metric is, in one row.

    *meaning*: in the words of an export's help.  *subject*: what a figure of it is of, an
    operation and a lock class being both; a whole run has none.  *tested*: whether it
    carries a verdict; one that does not describes.  *primary*: the statistics that are
    tested first, apart from the rest.  *compared*: whether its figures are compared at all,
    or only its histogram is kept.
    """

    name: str
    meaning: str
    subject: Literal["", "operation", "lock", "both"] = ""
    higher_is_better: bool = False
    tested: bool = False
    primary: tuple[str, ...] = ()
    compared: bool = True


#: In the order of every report.
METRICS = (
    Definition(
        "throughput",
        "Operations a second of the workload",
        higher_is_better=True,
        tested=True,
        primary=("mean",),
    ),
    Definition("elapsed", "Time of a whole run of the workload", tested=True, primary=("mean",)),
    Definition(
        "latency",
        "Latency of the target's operations",
        "operation",
        tested=True,
        primary=("mean", "p99"),
    ),
    # What poll(2) knows of the probes' cost: kept as histograms, beside which the cost that
    # was measured in place is a figure of its own, see ``costs``.
    Definition("corrected_latency", "Latency without poll(2)'s cost", "operation", compared=False),
    Definition(
        "wait",
        "Time from the attempt on a lock to its acquisition",
        "lock",
        tested=True,
        primary=("mean",),
    ),
    Definition("corrected_wait", "Wait without poll(2)'s cost", "lock", compared=False),
    Definition(
        "hold",
        "Time from a lock's acquisition to its release",
        "lock",
        tested=True,
        primary=("mean",),
    ),
    Definition("corrected_hold", "Hold without poll(2)'s cost", "lock", compared=False),
    Definition("contended", "Share of acquisitions that did not succeed at once", "lock"),
    Definition("acquisitions", "Acquisitions for each operation", "lock"),
    Definition("taken", "Acquisitions of a lock class in one call of an operation", "both"),
    Definition("trylock_failures", "Failed trylocks for each operation", "lock"),
    Definition("part", "Wait, hold and rest of an operation's mean latency", "operation"),
    Definition("site", "Wait and hold at a function's lock calls, for each operation", "lock"),
)
BY_NAME = {metric.name: metric for metric in METRICS}
#: Name -> its place in the order of every report.
ORDER = {metric.name: place for place, metric in enumerate(METRICS)}
#: What reports and trends show of a metric unless everything is asked for.
MAIN_STATISTICS = ("mean", "p50", "p99")
#: The metrics whose histograms are shown and exported: those as recorded.
DISTRIBUTIONS = tuple(metric for metric in METRICS if metric.tested and metric.subject)


def questions(operations: int, locks: int) -> int:
    """How many figures of so many operations and lock classes are tested first: the speed
    of the workload is one, by its throughput or by the time that it takes."""
    times = {"operation": operations, "lock": locks}
    return 1 + sum(times[m.subject] * len(m.primary) for m in METRICS if m.subject and m.tested)
