"""The order of runs and of the probes in them."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One run to make: of which side, and with which probes (empty: none)."""

    side: int
    probe: str
    number: int

    @property
    def probed(self) -> bool:
        return bool(self.probe)


def schedule(sides: int, runs: int, unprobed: int, probes: Sequence[str] = ("all",)) -> list[Step]:
    """*runs* runs with each kind of *probes* and *unprobed* without, for every side.

    Interleaved runs: sides alternate in order (before, after, after, before, …)
    so that drift falls on both alike, and unprobed runs lie between probed ones.

    The first step is probed, so that coverage is known before anything is written.
    """
    steps: list[Step] = []
    done = 0
    for i in range(max(runs, 1)):
        order = list(range(sides)) if i % 2 == 0 else list(reversed(range(sides)))
        if i < runs:
            turn = probes if i % 2 == 0 else tuple(reversed(probes))
            steps += [Step(side, probe, i) for probe in turn for side in order]
        until = unprobed * (i + 1) // max(runs, 1)
        for number in range(done, until):
            turned = reversed(order) if number % 2 == i % 2 else order
            steps += [Step(side, "", number) for side in turned]
        done = until
    return steps
