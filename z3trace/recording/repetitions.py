"""How many runs a session makes in each way."""

from collections.abc import Sequence
from dataclasses import dataclass

from z3trace.data import ways
from z3trace.data.ways import Way
from z3trace.errors import UsageError

#: Runs with probes cost ten times as much as others.  So many are made in a way that
#: carries verdicts where no cheaper one does, and so many in one that shows what only it
#: can see (coverage, nesting, what an operation's time is made of).
MOST_JUDGED = 10
MOST_SHOWN = 3
#: Values of --probe that are no lock class.
KINDS = ("ops", "locks", "all")
EACH = "each"
_TIMED = "timed+"


@dataclass(frozen=True)
class Asked:
    """What the command line asks for, and what there is to ask for.

    *runs*, *unprobed*: as the options say; *probes*: ways that are named, or none;
    *classes*: the target's; *locks*: whether locks are seen at all; *sees_classes*: whether
    those of one class can be probed alone; *timed*: there is a timed build; *clocks*: the
    workload can time its operations; *own_lock*: it can take a lock of its own.
    """

    runs: int
    unprobed: int | None = None
    probes: Sequence[Way] = ()
    classes: Sequence[str] = ()
    locks: bool = True
    sees_classes: bool = True
    timed: bool = False
    clocks: bool = False
    own_lock: bool = False


def named(names: Sequence[str], classes: Sequence[str], *, locks: bool = True) -> list[Way]:
    """The ways that --probe names, each once.

    UsageError for a word that is neither a kind of probes nor one of the lock *classes*, or
    that asks for probes on locks where there are no *locks* to see.
    """
    found: list[Way] = []
    for name in names:
        build: ways.Build = "timed" if name.startswith(_TIMED) else ""
        word = name.removeprefix(_TIMED)
        if word in classes or word == EACH:
            found += [ways.of_class(lock, build) for lock in classes if word in (lock, EACH)]
        elif word in KINDS:
            found.append(Way(build=build, probe=word))
        else:
            raise UsageError(
                f"--probe {name}: this target has no lock class {word}; it has "
                f"{', '.join(classes) or 'none'}",
                f"or one of: {', '.join((*KINDS, EACH))}",
            )
        if not locks and word not in ("ops", "all"):
            raise UsageError(f"--probe {name} needs probes on locks, and --locks none has none")
    return list(dict.fromkeys(found))


def of_pair(asked: Asked) -> dict[Way, int]:
    """Runs a side of ``ab``: many in the cheap ways, which carry the verdicts, and few with
    probes, unless those are named."""
    return _some(_cheap(asked) | (_named(asked) or _probed(asked, MOST_JUDGED)))


def of_one(asked: Asked) -> dict[Way, int]:
    """Runs of ``record``: a single one has all probes, more take turns in every way."""
    if asked.runs > 1:
        return _some(_cheap(asked) | (_named(asked) or _probed(asked, asked.runs)))
    cheap = {ways.NONE: asked.unprobed or 0, ways.TIMED: int(asked.timed)}
    return _some(cheap | (_named(asked) or {ways.ALL if asked.locks else ways.OPS: 1}))


def _some(counts: dict[Way, int]) -> dict[Way, int]:
    return {way: count for way, count in counts.items() if count}


def _cheap(asked: Asked) -> dict[Way, int]:
    return {
        ways.NONE: asked.runs if asked.unprobed is None else asked.unprobed,
        ways.CLOCKED: asked.runs if asked.clocks else 0,
        ways.TIMED: asked.runs if asked.timed else 0,
    }


def _named(asked: Asked) -> dict[Way, int]:
    if not asked.timed and any(way.build for way in asked.probes):
        raise UsageError("--probe timed+... needs a timed build, and there is none")
    counts = dict.fromkeys(asked.probes, asked.runs)
    one_class = any(way.probe.startswith("lock:") for way in asked.probes)
    own = asked.runs if one_class and asked.own_lock else 0
    return _some(counts | {ways.OWN_LOCK: own})


def _probed(asked: Asked, most_judged: int) -> dict[Way, int]:
    """Runs with probes, if none are named: what no cheaper way tells is judged by them."""
    judged, shown = min(asked.runs, most_judged), min(asked.runs, MOST_SHOWN)
    counts = {ways.OPS: shown if asked.clocks else judged}
    if not asked.locks:
        return counts
    if asked.timed:
        return counts | {ways.ALL: shown}
    if not (asked.sees_classes and asked.classes):
        return counts | {ways.ALL: judged}
    # What is taken off every hold of a class is to be known as well as the hold.
    counts |= {ways.ALL: shown, ways.OWN_LOCK: judged if asked.own_lock else 0}
    return counts | {ways.of_class(lock): judged for lock in asked.classes}
