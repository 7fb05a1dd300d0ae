"""``make calibrate``: do the verdicts hold what they promise?

A/A: real runs of one variant against itself, and simulated reports of equal sides; any
verdict of better or worse is false.  Power: a true change of 10 % with a run-to-run
deviation of 3 %, and the change that a report says it *sees*.  Coverage: how often the
95 % interval has the true ratio.  Writes build/calibration/results.json; KEEP=1 uses the
runs recorded before.
"""

import json
import time
from pathlib import Path

import numpy as np
import real
import simulated
from simulated import KINDS, PRIMARY, SIDE, Kind

from z3trace import paths

ROOT = Path(__file__).parents[2]
OUT = ROOT / "build/calibration"
SPLITS = 250
REPORTS = 2000
INTERVALS = 20_000
FIRST = {"primary": 0, "secondary": PRIMARY}


def real_figures() -> dict[str, float]:
    """What is said of a variant against itself."""
    sides = real.record(OUT / "aa")
    figures = {f"runs.{way}": float(2 * len(runs)) for way, runs in real.pairs(sides).items()}
    for name, in_turn in (("real_in_turn", True), ("real_shuffled", False)):
        rates = real.false_rates(sides, SPLITS, in_turn=in_turn)
        figures[f"aa_false_rate.{name}"] = rates["false"]
        figures[f"aa_contradicted_rate.{name}"] = rates["contradicted"]
    figures["differs_from_itself"] = real.of_itself(sides)
    return figures


def power_figures() -> dict[str, float]:
    """Of a change of 10 %, and of the change that is said to be seen, in either family."""
    figures = {}
    for name, figure in FIRST.items():
        tenth = float(np.log(1.1))
        figures[f"power_10_percent.{name}"] = simulated.power(
            KINDS["log_normal"], figure, tenth, REPORTS
        )
        for kind in KINDS:
            for side in (SIDE, 2 * SIDE):
                change = simulated.seen(KINDS[kind], figure, 300, side)
                found = simulated.power(KINDS[kind], figure, change, 600, side)
                figures[f"power_at_sees.{name}.{kind}.{side}"] = found
    figures["power_10_percent"] = figures["power_10_percent.primary"]
    return figures


def coverage_figures() -> dict[str, float]:
    """Of the interval, for each kind of runs; and where one side varies three times as
    much, which no test of a shift is made for."""
    figures = {}
    for name, kind in KINDS.items():
        figures[f"ci_coverage.{name}"] = simulated.coverage(kind, INTERVALS)
        for side in (5, 2 * SIDE, 10 * SIDE):
            figures[f"ci_coverage.{name}.{side}"] = simulated.coverage(kind, 4000, side)
    unequal = Kind(lambda random, shape: random.normal(0, np.array([[0.03], [0.09]]), shape))
    figures["ci_coverage.unequal_spread"] = simulated.coverage(unequal, INTERVALS)
    return figures


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    figures = {
        f"aa_false_rate.{name}": simulated.false_rate(kind, REPORTS) for name, kind in KINDS.items()
    }
    figures |= power_figures() | coverage_figures()
    figures["simulation_seconds"] = time.monotonic() - started
    figures |= real_figures()
    rates = [value for name, value in figures.items() if name.startswith("aa_false_rate.")]
    figures["aa_false_rate"] = max(rates)
    covered = [figures[f"ci_coverage.{name}"] for name in KINDS]
    figures |= {"ci_coverage.least": min(covered), "ci_coverage.most": max(covered)}
    figures["seconds"] = time.monotonic() - started
    path = OUT / "results.json"
    paths.write_atomic(path, json.dumps({"figures": figures}, indent=1) + "\n")
    for name, value in figures.items():
        print(f"{name:44} {value:.4g}")  # noqa: T201
    print(f"Wrote {path}")  # noqa: T201


if __name__ == "__main__":
    main()
