"""What each way of seeing adds to what it shows, measured in place.

The run is the unit: a cost is a mean over runs with its 95 % interval by Student's t.
The calibration on poll(2) is a check, and stands in where nothing was measured in place.
"""

import re
from collections import Counter
from typing import NamedTuple

import numpy as np

from z3trace.analysis import units
from z3trace.analysis.figures import metrics, ways
from z3trace.analysis.figures.histogram import Floats
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.figures.run import Key
from z3trace.analysis.figures.ways import Subject
from z3trace.data import buckets

#: Below so many runs a cost has no interval and is not used.
_FEWEST = 2
_LEVEL = 0.95
#: By how much of the one measured in place the cost by poll(2) may differ, beyond the
#: interval of the one and the spread of the other, before it is told of.
MAY_DIFFER = 0.25
#: How a probe is run, in the name of the class of a lock held around nothing.
_OWN_WORDS = {"jump": "jump", "emulated": "trap", "stepped": "step", "function": "function"}
#: The metrics that an instrument adds its own time to.
_TIMES = ("latency", "wait", "hold")
_THREADS = re.compile(r"\bthreads=(\d{1,4})\b")


class Cost(NamedTuple):
    """ns, with its interval; *source*: in words, where it was measured.

    *typical*: the median of what was added to single values, None if only its mean is
    known.  A mean also has what happened beside the probes, such as interrupts.
    """

    value: float
    low: float
    high: float
    source: str
    runs: int = 0
    typical: float | None = None

    def of(self, statistic: str) -> float:
        """What it is of a mean, or of a quantile, which moves by what is typical."""
        return self.value if statistic == "mean" or self.typical is None else self.typical


def in_place(key: Key, way: str) -> bool:
    """Whether a figure is shown without the cost of its way, which was measured in place."""
    definition = metrics.BY_NAME[key.metric]
    return ways.one_class(way) and definition.subject == "lock" and definition.tested


def _reach(freedom: int) -> float:
    from scipy.special import stdtrit  # most of the time that 'show' would take

    return float(stdtrit(freedom, (1 + _LEVEL) / 2))


def _mean(values: Floats, source: str) -> Cost | None:
    if values.size < _FEWEST:
        return None
    mean = float(values.mean())
    half = _reach(values.size - 1) * float(values.std(ddof=1)) / np.sqrt(values.size)
    return Cost(mean, mean - half, mean + half, source, values.size)


def _difference(with_it: Floats, without: Floats, source: str) -> Cost | None:
    """Of two means; degrees of freedom are those of the smaller group, which is cautious."""
    if min(with_it.size, without.size) < _FEWEST:
        return None
    change = float(with_it.mean() - without.mean())
    error = np.sqrt(sum(group.var(ddof=1) / group.size for group in (with_it, without)))
    half = _reach(min(with_it.size, without.size) - 1) * float(error)
    return Cost(change, change - half, change + half, source, with_it.size)


def threads(digest: Digest) -> int:
    """Threads of the workload, if its name tells; 1 if not."""
    found = _THREADS.search(digest.session.workload)
    return max(int(found[1]), 1) if found else 1


def times(digest: Digest, way: str, *, counted: bool = True) -> Floats:
    """ns an operation of each run of a way, or a run if not *counted*."""
    runs = [run for run in digest.of_way(way) if run.elapsed and (run.calls or not counted)]
    return np.array([run.elapsed / (run.calls if counted else 1) for run in runs])


def own_time(digest: Digest) -> float:
    """ns of a thread that the workload itself takes for an operation, without probes: no
    part of an operation is longer.  NaN if it does not count them."""
    free = times(digest, "none")
    return float(free.mean()) * threads(digest) if free.size else float("nan")


def outside(digest: Digest, way: str, events: float = 1.0) -> Cost | None:
    """ns of a thread that a way adds to the workload's own time for an operation, over the
    pairs of probes that it has in one.

    Clean with one thread only: threads that probes delay wait for each other too.
    """
    many = threads(digest)
    source = "workload's own time" if many == 1 else f"workload's own time, {many} threads"
    free, slow = (times(digest, each) * many / events for each in ("none", way))
    return _difference(slow, free, source)


def inside(digest: Digest, metric: str, lock: str) -> Cost | None:
    """ns that probes on one lock class add to each wait or hold above 0 that they show:
    in runs of a timed build under the same probes what they recorded less what the build
    timed itself; else what they show of a lock that is held around nothing."""
    same = _mean(digest.inside(f"timed+lock:{lock}", metric, lock), "timed build under probes")
    if same is not None or metric != "hold":
        return same
    mean = _mean(_around_nothing(digest, lock, "mean"), "own lock held around nothing")
    typical = _around_nothing(digest, lock, "p50")
    if mean is None or not typical.size:
        return mean
    return mean._replace(typical=float(np.median(typical)))


def _around_nothing(digest: Digest, lock: str, statistic: str) -> Floats:
    """ns: what probes as those of *lock* show of a hold of nothing, in each run with them;
    empty if there is none."""
    shown = {
        key.lock: values
        for key, (values, _) in digest.rows_of("own-lock").items()
        if (key.metric, key.statistic) == ("hold", statistic)
    }
    alike = _own_classes(digest, lock)
    if not alike and len(shown) == 1:
        alike = dict.fromkeys(shown, 1.0)
    if not alike or not alike.keys() <= shown.keys():
        return np.array([])
    runs = min(shown[name].size for name in alike)
    held = [share * shown[name][:runs] for name, share in alike.items()]
    return np.asarray(np.sum(held, axis=0))


def _own_classes(digest: Digest, lock: str) -> dict[str, float]:
    """The classes of our lock whose pairs of probes are run as those of *lock*, and their
    shares of its holds; empty if that is not known."""
    taken, given = Counter[str](), Counter[str]()
    totals = digest.totals(f"lock:{lock}")
    for site in digest.session.sites:
        if site.method and site.number in totals.sites:
            counts, word = totals.sites[site.number], _OWN_WORDS[site.method]
            taken[word] += counts.acquisitions
            given[word] += counts.releases
    pairs = Counter[str]()
    for first, n in (+taken).items():
        for last, m in (+given).items():
            pairs["-".join(["own", *dict.fromkeys([first, last])])] += n * m
    return {name: n / pairs.total() for name, n in pairs.items()}


def by_poll(digest: Digest, of: Subject, way: str) -> Cost | None:
    """ns that were taken off each value above 0 by the calibration on poll(2), as the
    recorder did it; give or take the calibration's spread."""
    calibration = digest.session.calibration
    totals = digest.totals(way)
    corrected = f"corrected_{of.metric}", of.name
    shown = above_0(digest, of, way) * totals.values(*of)
    if calibration is None or not shown or corrected not in totals.counts:
        return None
    off = (totals.sums[of] - totals.sums[corrected]) / shown
    spread = calibration.spread
    return Cost(off, max(off - spread, 0), off + spread, "poll(2)")


def above_0(digest: Digest, of: Subject, way: str) -> float:
    """The share of values that are not 0: those that the instrument added to."""
    counts = digest.totals(way).counts.get(of)
    total = counts.sum() if counts is not None else 0.0
    return 1 - float(counts[0]) / total if counts is not None and total else 0.0


def _clock(digest: Digest, way: str) -> Cost | None:
    """At most what the two clock reads of a timed build show: the shortest hold of any."""
    totals = digest.totals(way)
    held = [np.flatnonzero(c[1:]) for (m, _), c in totals.counts.items() if m == "hold"]
    shortest = [buckets.lower(int(found[0]) + 1) for found in held if found.size]
    if not shortest:
        return None
    return Cost(min(shortest), 0.0, min(shortest), "clock reads, at most")


def _between(poll: Cost | None, whole: Cost | None, part: float) -> Cost | None:
    """A cost inside that was not measured: no less than poll(2) knows, no more than the
    *whole* pair of probes costs in place, and of that the *part* that calibration finds
    inside."""
    if poll is None or whole is None or part * whole.value <= poll.value:
        return poll
    return Cost(part * whole.value, poll.low, whole.high, whole.source, whole.runs)


def _operation(digest: Digest, of: Subject, way: str) -> Cost | None:
    """What a pair of operation probes adds inside a latency."""
    calibration = digest.session.calibration
    if calibration is None or not calibration.operation:
        return by_poll(digest, of, way)
    part = min(calibration.operation_floor / calibration.operation, 1.0)
    return _between(by_poll(digest, of, way), outside(digest, way), part)


def of_lock(digest: Digest, lock: str) -> Cost | None:
    """What a pair of probes on a lock class takes of the workload, see ``outside``."""
    way = f"lock:{lock}"
    calls = sum(run.calls for run in digest.of_way(way))
    taken = digest.totals(way).locks.get(lock, Counter())["acquisitions"]
    return outside(digest, way, taken / calls) if taken and calls else None


def _one_class(digest: Digest, of: Subject, way: str) -> Cost | None:
    """What a pair of probes on a lock class adds inside what it shows: measured in place,
    else between what poll(2) and the workload's own time tell."""
    placed = inside(digest, of.metric, of.name)
    calibration = digest.session.calibration
    if placed is not None or calibration is None or not calibration.jump:
        return placed
    poll = by_poll(digest, of, way)
    part = min(poll.value / (2 * calibration.jump), 1.0) if poll else 0.0
    return _between(poll, of_lock(digest, of.name), part)


def shown(digest: Digest, of: Subject, way: str) -> Cost | None:
    """What a way adds to each value above 0 of a subject that it shows; None if unknown."""
    if way in ("none", "clocked"):
        return Cost(0.0, 0.0, 0.0, "")
    if way == "timed":
        return _clock(digest, way)
    if ways.one_class(way):
        return _one_class(digest, of, way)
    if way == "ops":
        return _operation(digest, of, way)
    return by_poll(digest, of, way)


def disturbed(digest: Digest, way: str) -> float:
    """The share of an operation's time that came with the probes, by the workload's own
    time for it; if it counts none, by the latencies that probes on operations alone show.
    NaN if neither is known."""
    free, slow = times(digest, "none"), times(digest, way)
    if free.size and slow.size:
        return max(1 - float(free.mean() / slow.mean()), 0.0)
    light, heavy = digest.totals("ops"), digest.totals(way)
    both = [key for key in heavy.counts if key[0] == "latency" and light.values(*key)]
    with_all = sum(heavy.sums[key] for key in both)
    if not with_all:
        return float("nan")
    alone = sum(heavy.values(*key) * light.sums[key] / light.values(*key) for key in both)
    return max(1 - alone / with_all, 0.0)


def share(digest: Digest, key: Key, way: str, recorded: float, cost: Cost | None) -> float:
    """What part of a figure is the instrument's own, 0 to 1; NaN if that is not known.

    *recorded*: the figure as it was seen.  Probes on all locks prolong what they show: of
    theirs it is no less than the part by which they slow an operation.
    """
    of = Subject(key.metric, key.operation or key.lock)
    if way == "none" or (not recorded and key.metric in _TIMES):
        return 0.0
    if key.metric not in _TIMES:
        return float("nan")
    added = float("nan")
    if cost is not None:
        added = cost.of(key.statistic)
        added *= above_0(digest, of, way) if key.statistic == "mean" else 1.0
    part = float(min(max(added / recorded, 0.0), 1.0)) if np.isfinite(added) else added
    if way not in ("all", "locks"):
        return part
    slowed = disturbed(digest, way)
    if key.metric == "latency" and not np.isfinite(slowed):
        return part
    return float(np.maximum(part, slowed)) if np.isfinite(slowed) else float("nan")


def share_words(key: Key, way: str, part: float) -> str:
    """A share in words; none of what is not a time in the target."""
    return units.share(part, at_most=way == "timed") if key.metric in _TIMES else ""


def in_an_operation(digest: Digest, of: Subject, way: str, each: float) -> tuple[float, float]:
    """(ns in an operation that a wait or hold of *each* ns comes to, ns that an operation
    takes of its thread in all): the first cannot be larger.

    By the workload's own count and time; if it has none, one of *each* ns against the
    longest mean latency of an operation.  NaN for what is not known.
    """
    calls = sum(run.calls for run in digest.of_way(way))
    free = own_time(digest)
    taken = digest.totals(way).locks.get(of.name, Counter())["acquisitions"]
    if calls and np.isfinite(free):
        return each * taken / calls, free
    return each, digest.longest_latency


def corrected(
    digest: Digest, key: Key, way: str, values: Floats, cost: Cost
) -> tuple[Floats, float]:
    """Values of a figure without the cost, not below 0, and how far their centre may be
    off by the cost's interval, as a difference of logs."""
    of = Subject(key.metric, key.operation or key.lock)
    times_added = above_0(digest, of, way) if key.statistic == "mean" else 1.0
    less = np.maximum(values - cost.of(key.statistic) * times_added, 0.0)
    centre, half = float(less.mean()), (cost.high - cost.low) / 2 * times_added
    return less, float(np.log1p(half / centre)) if centre > 0 else 0.0


def disagree(placed: Cost, poll: Cost) -> bool:
    """Whether a cost in place and that of poll(2) differ by more than they may: by more
    than a quarter of it beyond the interval of the one and the spread of the other."""
    room = MAY_DIFFER * abs(placed.value)
    return poll.high < placed.low - room or poll.low > placed.high + room
