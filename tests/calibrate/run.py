"""``make calibrate``: do the verdicts hold what they promise?

A/A: real runs of one variant, split at random into two halves of ten, and simulated
ones; any verdict of better or worse is false.  Power: a true change of 10 % with a
run-to-run deviation of 3 %.  Coverage: how often the 95 % interval has the true ratio.
Writes build/calibration/results.json; KEEP=1 uses the runs recorded before.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from z3trace import paths
from z3trace.analysis.figures import metrics
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.statistics.effect import Sample, effects
from z3trace.analysis.statistics.family import holm
from z3trace.analysis.statistics.ranks import Floats
from z3trace.analysis.statistics.verdict import Verdict, verdict
from z3trace.kernels import build, fetch
from z3trace.kernels import variant as variants

ROOT = Path(__file__).parents[2]
OUT = ROOT / "build/calibration"
RUNS = 64
SPLITS = 1000
SIDE = 10
TESTS = 50
SIMULATED = 1000
Draw = Callable[[np.random.Generator, tuple[int, ...]], Floats]


def _log_normal(random: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    return random.normal(0, 0.03, shape)


def _bimodal(random: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    return random.normal(0, 0.005, shape) + 0.06 * (random.random(shape) < 0.4)


def _heavy(random: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    return 0.02 * random.standard_t(2, shape)


DISTRIBUTIONS: dict[str, Draw] = {
    "log_normal": _log_normal,
    "bimodal": _bimodal,
    "heavy_tailed": _heavy,
}


def record() -> Digest:
    """At least 60 real runs of one variant, with and without probes in turn."""
    path = OUT / "aa.z3t"
    if not (os.environ.get("KEEP") and path.exists()):
        kernel = fetch.cached(None, print)
        variant = variants.load("page-lock")
        module = build.build_variant(kernel, "mm/z3fold.c", variant, print).path
        command = [sys.executable, "-m", "z3trace", "vm", "--share", str(OUT)]
        command += ["--deadline", "40m", "--", "record", "--load", "--module", str(module)]
        command += ["--runs", str(RUNS), "--unprobed", str(RUNS), "--force", "-o", str(path)]
        command += ["--workload", "zpool-bench:threads=2,ops=10000"]
        subprocess.run(command, check=True)
    return Digest.read(path)


def verdicts(samples: Sequence[Sample]) -> list[Verdict]:
    """What a comparison would say of a family."""
    found = effects(samples)
    adjusted = holm([effect.p for effect in found])
    return [
        verdict(effect, p, higher_is_better=False)
        for effect, p in zip(found, adjusted, strict=True)
    ]


def false_verdict(samples: Sequence[Sample]) -> bool:
    return bool({"better", "worse"} & set(verdicts(samples)))


def real_splits(recorded: Digest) -> Iterator[list[Sample]]:
    """Halves of ten runs each, drawn anew from all runs of each kind."""
    random = np.random.default_rng(1)
    rows = [
        (values, resolution)
        for key, _, values, resolution in recorded.rows()
        if metrics.BY_NAME[key.metric].tested
    ]
    sizes = {values.size for values, _ in rows}
    for _ in range(SPLITS):
        chosen = {size: random.permutation(size)[: 2 * SIDE] for size in sizes}
        yield [
            Sample(
                list(values[chosen[values.size][:SIDE]]),
                list(values[chosen[values.size][SIDE:]]),
                False,
                2 * resolution,
            )
            for values, resolution in rows
        ]


def simulated(draw: Draw) -> Iterator[list[Sample]]:
    random = np.random.default_rng(2)
    for _ in range(SIMULATED):
        logs = draw(random, (TESTS, 2 * SIDE))
        yield [Sample(list(x[:SIDE]), list(x[SIDE:])) for x in np.exp(logs)]


def power() -> float:
    """One metric of fifty is 10 % slower; how often it is called worse."""
    random = np.random.default_rng(3)
    found = 0
    for _ in range(SIMULATED):
        logs = random.normal(0, 0.03, (TESTS, 2 * SIDE))
        logs[0, SIDE:] += np.log(1.1)
        samples = [Sample(list(x[:SIDE]), list(x[SIDE:])) for x in np.exp(logs)]
        found += verdicts(samples)[0] == "worse"
    return found / SIMULATED


def coverage(draw: Draw, *, paired: bool) -> float:
    """How often the interval has the true ratio, of 10 000 comparisons of ten and ten."""
    random = np.random.default_rng(4)
    true = float(np.log(1.05))
    logs = draw(random, (10_000, 2 * SIDE))
    samples = [Sample(list(x[:SIDE]), list(x[SIDE:] * np.exp(true)), paired) for x in np.exp(logs)]
    inside = [e.low <= np.exp(true) <= e.high for e in effects(samples)]
    return float(np.mean(inside))


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    figures: dict[str, float] = {}
    started = time.monotonic()
    recorded = record()
    figures["real_runs"] = len(recorded.probed())
    figures["recording_seconds"] = time.monotonic() - started
    rates = {"real": float(np.mean([false_verdict(s) for s in real_splits(recorded)]))}
    for name, draw in DISTRIBUTIONS.items():
        rates[name] = float(np.mean([false_verdict(s) for s in simulated(draw)]))
        figures[f"ci_coverage.{name}"] = coverage(draw, paired=False)
    figures |= {f"aa_false_rate.{name}": rate for name, rate in rates.items()}
    figures["ci_coverage.paired"] = coverage(_log_normal, paired=True)
    figures["aa_false_rate"] = max(rates.values())
    figures["power_10_percent"] = power()
    figures["ci_coverage"] = figures["ci_coverage.log_normal"]
    figures["seconds"] = time.monotonic() - started
    path = OUT / "results.json"
    paths.write_atomic(path, json.dumps({"figures": figures}, indent=1) + "\n")
    for name, value in figures.items():
        print(f"{name:28} {value:.4g}")  # noqa: T201
    print(f"Wrote {path}")  # noqa: T201


if __name__ == "__main__":
    main()
