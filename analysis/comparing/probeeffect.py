"""How the probes change the very thing that is compared.

A probe takes time.  Between critical sections it spreads the threads and hides
contention; inside them it makes more (the probe effect: Gait, A Probe Effect in
Concurrent Programs, Software: Practice and Experience 16, 1986).  The time that the
workload itself takes for an operation needs no probe.  Probes that only add to it leave
the difference of after and before as it is; if they do not, they changed the contention.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from z3trace.analysis import units
from z3trace.analysis.figures.costs import times
from z3trace.analysis.figures.histogram import Floats
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.statistics.interval import centres, shifts


@dataclass(frozen=True)
class ProbeEffect:
    """The workload's own time for an operation in the runs of one way, ns: elapsed time
    over all threads' operations, or of a whole run of a command that counts none.

    ``change`` is after - before, ``low`` and ``high`` its interval, NaN below 2 runs a
    side; ``slowdown`` the factor (before, after), 1 without probes.
    """

    way: str
    before: float
    after: float
    change: float
    low: float
    high: float
    slowdown: tuple[float, float]


def typical(values: Floats) -> float:
    """Of these runs, see ``statistics.interval``."""
    return float(centres(values[None])[0])


def _line(way: str, sides: tuple[Floats, Floats], free: tuple[float, float]) -> ProbeEffect:
    before, after = sides
    found = shifts(before[None], after[None], paired=False)
    change, low, high = (float(x[0]) for x in (found.shift, found.low, found.high))
    if min(before.size, after.size) < 2:
        low = high = float("nan")
    b, a = typical(before), typical(after)
    return ProbeEffect(way, b, a, change, low, high, (b / free[0], a / free[1]))


def of(before: Digest, after: Digest) -> list[ProbeEffect]:
    """A line for each way that both sides have runs of, the unprobed ones first; none if
    a side has no unprobed runs."""
    sides = (before, after)
    counted = all(any(run.calls for run in side.runs) for side in sides)
    effects: list[ProbeEffect] = []
    for way in before.ways:
        b, a = (times(side, way, counted=counted) for side in sides)
        if b.size and a.size:
            free = (effects[0].before, effects[0].after) if effects else (typical(b), typical(a))
            effects.append(_line(way, (b, a), free))
    return effects if len(effects) > 1 and effects[0].way == "none" else []


def span(effect: ProbeEffect) -> str:
    """``-122 ns [-131 ns, -114 ns]``"""
    text, low, high = map(units.difference, (effect.change, effect.low, effect.high))
    known = np.isfinite([effect.low, effect.high]).all()
    return f"{text} [{low}, {high}]" if known else text


def caveats(lines: list[ProbeEffect]) -> Iterator[str]:
    """What is said if probes on operations did more than add their time."""
    for line in lines:
        free = lines[0]
        if line.way == "ops" and (line.low > free.high or line.high < free.low):
            yield (
                f"the probes change the contention: an operation takes the workload "
                f"{span(free)} without probes, {span(line)} with probes on operations; "
                "throughput is what to believe, latency shows another contention"
            )
