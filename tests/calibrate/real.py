"""Real runs of one variant against itself, as ``ab`` makes them: both sides are alike.

Every run of a way on one side was made next to one of the other side.  Sides are dealt out
anew: within each such pair by a coin, as ``ab`` itself could have, or over all runs.
Whatever a comparison then calls better or worse is false, by the whole procedure: choice
of ways, correction, share of the instrument, contradictions, both families.
"""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from msgspec import structs

from z3trace.analysis.comparing.comparison import compare
from z3trace.analysis.figures.recording import Digest
from z3trace.data import runfile
from z3trace.data.model import Recording, Run

SIDE = 10
RUNS = 20
Sides = tuple[Recording, Recording]


def record(directory: Path) -> Sides:
    """A session of ``ab`` with the same variant on both sides."""
    paths = [directory / name for name in ("before.z3t", "after.z3t")]
    if not (os.environ.get("KEEP") and all(path.exists() for path in paths)):
        command = [sys.executable, "-m", "z3trace", "ab", "--force", "-o", str(directory)]
        command += ["--before", "page-lock", "--after", "page-lock", "--runs", str(RUNS)]
        command += ["--workload", "zpool-bench:threads=2,ops=10000"]
        subprocess.run(command, check=True)
    before, after = (runfile.read(path) for path in paths)
    return before, after


def pairs(sides: Sides) -> dict[str, list[tuple[Run, Run]]]:
    """Way -> the runs of both sides that stand next to each other."""
    ways: dict[str, tuple[list[Run], list[Run]]] = {}
    for side, recording in enumerate(sides):
        for run in recording.runs:
            if run.counts:
                ways.setdefault(run.way, ([], []))[side].append(run)
    return {way: list(zip(*both, strict=False)) for way, both in ways.items()}


def _in_turn(runs: list[tuple[Run, Run]], random: np.random.Generator) -> list[tuple[Run, Run]]:
    """Who of a pair is before, by a coin; they keep their order and have one seed."""
    dealt = [pair if random.random() < 0.5 else pair[::-1] for pair in runs]
    return [(before, structs.replace(after, seed=before.seed)) for before, after in dealt]


def _shuffled(runs: list[tuple[Run, Run]], random: np.random.Generator) -> list[tuple[Run, Run]]:
    """Any run on either side, at most ``SIDE`` each."""
    every = [run for pair in runs for run in pair]
    order = random.permutation(len(every))[: 2 * min(SIDE, len(runs))]
    chosen = [every[i] for i in order]
    return list(zip(chosen[::2], chosen[1::2], strict=True))


def splits(sides: Sides, count: int, *, in_turn: bool) -> Iterator[Sides]:
    """Both sides dealt out anew *count* times."""
    random = np.random.default_rng(1)
    deal = _in_turn if in_turn else _shuffled
    ways = pairs(sides)
    for _ in range(count):
        dealt = [pair for runs in ways.values() for pair in deal(runs, random)]
        before, after = (
            structs.replace(recording, runs=list(runs))
            for recording, runs in zip(sides, zip(*dealt, strict=True), strict=True)
        )
        yield before, after


def verdicts(before: Recording, after: Recording) -> Counter[str]:
    """How many figures a comparison says what of."""
    comparison = compare(Digest.of(before), Digest.of(after), allow_mismatch=True)
    return Counter(metric.verdict for metric in comparison.metrics)


def false_rates(sides: Sides, count: int, *, in_turn: bool) -> dict[str, float]:
    """Share of comparisons of equal sides that say a thing of any figure: ``false`` is
    better or worse."""
    said = [verdicts(*split) for split in splits(sides, count, in_turn=in_turn)]
    return {
        "false": float(np.mean([bool(one["better"] + one["worse"]) for one in said])),
        "contradicted": float(np.mean([bool(one["contradicted"]) for one in said])),
    }


def of_itself(sides: Sides) -> int:
    """How many figures of a recording differ from themselves."""
    return sum(verdicts(side, side)[said] for side in sides for said in ("better", "worse"))
