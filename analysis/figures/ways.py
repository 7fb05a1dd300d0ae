"""From which ways figures are taken: for each metric the ways that can show it, the one
that disturbs it least first.

A *way* is how a figure was seen (``Run.way``): without probes, by the workload's own
clock, by a timed build, by probes on operations, on the locks of one class, on all.  A
figure comes from one way, the same on all sides of a comparison; the others stay in the
digest as witnesses.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

#: Stands for the lock class that a figure is of.
_CLASS = "{lock}"
_UNPROBED = ("none",)
_LATENCY = ("clocked", "ops", "all")
_LOCK = ("timed", f"lock:{_CLASS}", "all", "locks")
_PROBED_LATENCY, _PROBED_LOCK = _LATENCY[1:], _LOCK[1:]
#: The only ways that see which operation a lock event belongs to.
_WHOLE = ("all",)

#: Metric -> ways, the best first.
FROM = {
    "throughput": _UNPROBED,
    "elapsed": _UNPROBED,
    "latency": _LATENCY,
    "corrected_latency": _PROBED_LATENCY,
    "wait": _LOCK,
    "corrected_wait": _PROBED_LOCK,
    "hold": _LOCK,
    "corrected_hold": _PROBED_LOCK,
    "contended": _LOCK,
    "acquisitions": _LOCK,
    "taken": _WHOLE,
    "trylock_failures": _LOCK,
    "part": _WHOLE,
    "site": ("timed", "all"),
}

#: Way -> in words; what is probed of it for the table of the probe effect.
_WORDS = {
    "none": "no probes",
    "clocked": "workload's clock",
    "timed": "timed build",
    "ops": "operation probes",
    "own-lock": "probes on own lock",
    "locks": "all lock probes",
    "all": "all probes",
}


class Subject(NamedTuple):
    """A metric, and the operation or lock class that figures of it are of."""

    metric: str
    name: str


#: Which way the figures of a subject are taken from.
Choice = dict[Subject, str]


def of(subject: Subject) -> list[str]:
    """The ways that can show a subject, the best first."""
    return [way.replace(_CLASS, subject.name) for way in FROM[subject.metric]]


def words(way: str) -> str:
    """A way as a report calls it: ``probes on page`` for ``lock:page``."""
    if way in _WORDS:
        return _WORDS[way]
    if way.startswith("lock:"):
        return f"{way.removeprefix('lock:')} probes"
    first, _, rest = way.partition("+")
    return f"{words(first)} + {words(rest)}" if rest else way


def one_class(way: str) -> bool:
    """Whether it is probes on the locks of one class, and nothing else."""
    return way.startswith("lock:")


def order(known: Iterable[str]) -> list[str]:
    """Ways in the order of a report: the least disturbed first, those of a class by name."""
    places = list(_WORDS)

    def place(way: str) -> tuple[int, int, str]:
        whole = 2 * places.index(way) if way in places else 2 * places.index("ops") + 1
        return way.count("+"), whole, way

    return sorted(known, key=place)


def choose(
    subjects: Iterable[Subject],
    sides: Sequence[Callable[[Subject, str], int]],
    enough: int,
    damaged: Callable[[str], bool] = lambda _: False,
) -> Choice:
    """For each subject the best way that every side has *enough* runs of.

    *sides*: how many runs a side has with figures of a subject, seen in a way.  Where no
    way has enough, the best that all sides have, then the best that any has.  A way in
    which too much was lost (*damaged*) is taken only where all sides have no other.
    """
    choice: Choice = {}
    for subject in subjects:
        best: tuple[tuple[int, ...], str] | None = None
        for rank, way in enumerate(of(subject)):
            runs = [side(subject, way) for side in sides]
            if not any(runs):
                continue
            score = (
                int(all(runs)),
                int(not damaged(way)),
                int(min(runs) >= enough),
                sum(map(bool, runs)),
                sum(n >= enough for n in runs),
                -rank,
            )
            if best is None or score > best[0]:
                best = score, way
        if best:
            choice[subject] = best[1]
    return choice
