"""What each way to see a lock says of the same locks: the part of ``make bench`` that holds
lock figures against the truth.

A build that times its own locks is the truth; runs with the probes of one class, and runs
with all probes, are made in turn with its runs, in one guest, with one thread and with two.
"""

import json
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from z3trace.analysis.comparing.comparison import compare
from z3trace.analysis.figures import costs
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.figures.run import Key
from z3trace.analysis.figures.ways import Subject
from z3trace.data import runfile
from z3trace.data.model import Recording, Run
from z3trace.kernels import build, fetch, variant, workloads

CLASSES = ("page", "pool")
WORKLOAD = "zpool-bench:threads={},ops=20000,fast_ops=300000,slots=1024,max_size=200,touches=8"
OPERATIONS = 1_000_000
_TIMED, _ALL = "timed", "all"


def record(threads: int, runs: int, directory: Path) -> tuple[Recording, Recording]:
    """Both variants of the page lock, seen in every way."""
    words = ["ab", "--before", "pool-lock", "--after", "page-lock", "--runs", str(runs)]
    for probe in (*CLASSES, _ALL):
        words += ["--probe", probe]
    words += ["--workload", WORKLOAD.format(threads), "-o", str(directory), "--force"]
    subprocess.run([sys.executable, "-m", "z3trace", *words], check=True, stdout=subprocess.DEVNULL)
    before, after = (runfile.read(directory / name) for name in ("before.z3t", "after.z3t"))
    return before, after


def without(recording: Recording, leave_out: Callable[[Run], bool]) -> Digest:
    """The recording as if the runs that *leave_out* says had never been made."""
    kept = [run for run in recording.runs if not leave_out(run)]
    return Digest.of(msgspec.structs.replace(recording, runs=kept))


def _centre(digest: Digest, way: str, metric: str, lock: str, statistic: str) -> float:
    """ns: the typical run's figure in one way, without what the probes add."""
    key = Key(metric, "", lock, statistic, "ns")
    values, _ = digest.rows_of(way)[key]
    cost = costs.shown(digest, Subject(metric, lock), way) if way != _TIMED else None
    if cost is not None:
        values, _ = costs.corrected(digest, key, way, values, cost)
    return statistics.median(values)


def _errors(
    recording: Recording, name: Callable[[str], str], metric: str, lock: str, statistic: str
) -> float:
    """How far the corrected figure of a way is from the truth, as a share of that.

    The runs of the timed build are kept from the digest that corrects: on a module that
    z3trace did not build there are none.
    """
    seen = without(recording, lambda run: run.build == _TIMED)
    truth = _centre(without(recording, lambda _: False), _TIMED, metric, lock, statistic)
    return abs(_centre(seen, name(lock), metric, lock, statistic) / truth - 1)


def _by_class(lock: str) -> str:
    return f"lock:{lock}"


def _by_all(_: str) -> str:
    return _ALL


def errors(pair: tuple[Recording, Recording], suffix: str) -> dict[str, float]:
    """Of both variants the larger error; *suffix* names the number of threads."""
    figures: dict[str, float] = {}
    for lock in CLASSES:
        for statistic in ("mean", "p50"):
            for word, way in (("hold_error", _by_class), ("hold_error_all", _by_all)):
                found = [_errors(side, way, "hold", lock, statistic) for side in pair]
                figures[f"{word}{suffix}.{lock}.{statistic}"] = max(found)
    return figures


def waiting(pool_lock: Recording) -> dict[str, float]:
    """Of the variant whose threads wait for each other; the page lock is the pool's there."""
    return {
        f"wait_error.{lock}.mean": _errors(pool_lock, _by_class, "wait", lock, "mean")
        for lock in CLASSES
    }


def ratios(pair: tuple[Recording, Recording]) -> dict[str, float]:
    """How far the ratio after/before that a comparison reports, without a timed build, is
    from the ratio between the timed builds."""
    blind = compare(*(without(side, lambda run: run.build == _TIMED) for side in pair))
    true = compare(
        *(without(side, lambda run: run.build != _TIMED and run.probed) for side in pair)
    )
    figures: dict[str, float] = {}
    for metric in ("hold", "wait"):
        for lock in CLASSES:
            ours, truth = (
                [m for m in each.select(metric, "mean") if m.lock == lock] for each in (blind, true)
            )
            if ours and truth:
                name = f"{metric}.{lock}"
                figures[f"ratio_error.{name}"] = abs(
                    ours[0].effect.ratio / truth[0].effect.ratio - 1
                )
                figures[f"ratio_timed.{name}"] = truth[0].effect.ratio
                figures[f"ratio_timed_low.{name}"] = truth[0].effect.low
                figures[f"ratio_timed_high.{name}"] = truth[0].effect.high
    return figures


def slowdown(pairs: list[tuple[Recording, Recording]]) -> float:
    """Unprobed throughput over that of the timed build, the median over variants."""

    def rate(recording: Recording, build: str) -> float:
        return statistics.median(
            sum(truth.calls for truth in run.result.operations) / run.result.elapsed
            for run in recording.runs
            if run.counts and not run.probed and not run.clocked and run.build == build
        )

    every = [side for pair in pairs for side in pair]
    return statistics.median(rate(side, "") / rate(side, _TIMED) for side in every)


def counts_exact(directory: Path) -> float:
    """1 if the timed build of the counted variant counts what that counts itself, over a
    million operations on two CPUs with reclaim; 0 if not."""
    kernel = fetch.cached(None, print)
    chosen = variant.load("counted")
    module = build.build_variant(kernel, "mm/z3fold.c", chosen, print, timed=True)
    workloads.build_workload(kernel, print)
    out = directory / "counts.json"
    words = [sys.executable, "-m", "z3trace", "vm", "--share", str(directory), "--"]
    script = [sys.executable, str(Path(__file__).with_name("timed.py")), "counts"]
    subprocess.run([*words, *script, str(module.path), str(out), str(OPERATIONS)], check=True)
    told = json.loads(out.read_bytes())
    same = told["truth"] == told["timed"] and not told["lost"] and told["calls"] >= OPERATIONS
    return float(same)


def measure(directory: Path, runs: int) -> dict[str, float]:
    """All figures of the ways."""
    one = record(1, runs, directory / "ways-1")
    two = record(2, runs, directory / "ways-2")
    return {
        **errors(one, ""),
        **errors(two, "_two"),
        **waiting(two[0]),
        **ratios(two),
        "timed_slowdown": slowdown([one]),
        "timed_slowdown_two": slowdown([two]),
        "timed_counts_exact": counts_exact(directory),
    }
