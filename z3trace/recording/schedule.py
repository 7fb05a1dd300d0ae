"""The order of runs: sides take turns, and every way is spread over the whole session."""

from collections.abc import Mapping
from dataclasses import dataclass

from z3trace.data.ways import Way


@dataclass(frozen=True)
class Step:
    """One run to make: of which side, and in which way.  The steps of all sides that have
    the same *way* and *number* belong together, and get the same seed."""

    side: int
    way: Way
    number: int
    warm_up: bool = False


def schedule(sides: int, counts: Mapping[Way, int], *, warm_up: bool = True) -> list[Step]:
    """*counts* runs in each way for every side, and before them those that *warm up*.

    The runs of a way stand at equal distances from the beginning to the end, each beside
    its counterpart of the other side, and the side that is first changes from one to the
    next: drift falls on sides and ways alike.

    The first run of a module after another one also pays for what it meets first: the
    emulator translates, caches fill.  Ways that load the same build share that, but where
    probes are put into its code it is met anew.  So for each side one run of each build
    without probes warms up, and one with probes, the one with the most.
    """
    ways = [way for way, count in counts.items() if count]
    steps = []
    for way in _warming(ways) if warm_up else []:
        steps += [Step(side, way, counts[way], warm_up=True) for side in range(sides)]
    turns = [
        ((number + 0.5) / counts[way], place if number % 2 == 0 else -place, way, number)
        for place, way in enumerate(ways)
        for number in range(counts[way])
    ]
    for *_, way, number in sorted(turns, key=lambda turn: turn[:2]):
        order = range(sides) if number % 2 == 0 else reversed(range(sides))
        steps += [Step(side, way, number) for side in order]
    return steps


def _warming(ways: list[Way]) -> list[Way]:
    """The first way of each kind that warms up by itself; those with probes first, so that
    what they cover is known early."""
    probed = sorted((way for way in ways if way.probe), key=lambda way: way.probe != "all")
    bare: dict[str, Way] = {}
    for way in ways:
        if not way.probe:
            bare.setdefault(way.build, way)
    return [*probed[:1], *bare.values()]


def boots(count: int) -> list[tuple[int, int]]:
    """(side, number from 0) of *count* boots for each of two sides: before, after, after,
    before, and so on, so that a drift of the machine falls on both alike."""
    order = []
    for number in range(count):
        sides = (0, 1) if number % 2 == 0 else (1, 0)
        order += [(side, number) for side in sides]
    return order
