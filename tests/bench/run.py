"""``make bench``: what z3trace and its peers cost, in one guest, interleaved.

Writes build/bench/results.json (a flat ``figures`` object and every raw sample) and
build/bench/costs.png, and prints ratios of medians.
"""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import comparing
import numpy as np
import ways

from z3trace import paths
from z3trace.analysis.figures.histogram import quantiles
from z3trace.data.buckets import BUCKETS
from z3trace.kernels import fetch, workloads

ROOT = Path(__file__).parents[2]
OUT = ROOT / "build/bench"
ROUNDS = 5
WAYS_RUNS = 12
REPEATS = 4  # of a bystander, as in guest.py
OURS = ("ops", "callsite", "call_site_waits", "hybrid", "function", "check", "empty")
PEERS = ("bpftrace", "funclatency", "function_graph")
Samples = dict[str, dict[str, list[float]]]


def _seconds(arguments: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(arguments, check=True, capture_output=True)
    return time.perf_counter() - start


def start_up() -> dict[str, list[float]]:
    found: dict[str, list[float]] = {"click": [], "help": []}
    for _ in range(11):
        found["click"].append(_seconds([sys.executable, "-c", "import click"]))
        found["help"].append(_seconds([sys.executable, "-m", "z3trace", "--help"]))
    return found


def guest(rounds: int) -> dict[str, Any]:
    """Run the guest's part and return what it wrote."""
    bystander = workloads.build_program("bystander", print)
    workloads.build_workload(fetch.cached(None, print), print)
    words = ["python", str(ROOT / "tests/bench/guest.py"), str(OUT / "guest.json"), str(rounds)]
    words[0] = sys.executable
    command = [sys.executable, "-m", "z3trace", "vm", "--share", str(OUT), "--"]
    subprocess.run([*command, *words, str(bystander)], check=True)
    found: dict[str, Any] = json.loads((OUT / "guest.json").read_bytes())
    return found


def _medians(samples: Samples, what: str) -> dict[str, float]:
    return {name: statistics.median(values) for name, values in samples[what].items()}


def _merged(histograms: list[list[list[int]]]) -> "np.ndarray[Any, np.dtype[np.float64]]":
    counts = np.zeros(BUCKETS)
    for histogram in histograms:
        for index, count in histogram:
            counts[index] += count
    return counts


def _quantiles(found: dict[str, Any], condition: str, operation: str, at: float) -> list[float]:
    """Of each histogram, in the order of their making."""
    made = found["histograms"][condition][operation]
    return [float(quantiles(_merged([histogram]), (at,))[0]) for histogram in made]


def latencies(found: dict[str, Any]) -> dict[str, float]:
    """Relative error of corrected and raw latencies against the workload's own, the
    median over pairs that were measured in turn."""
    figures: dict[str, float] = {}
    for operation in ("alloc", "free", "map", "unmap"):
        for at, name in ((0.5, "p50"), (0.99, "p99")):
            own = _quantiles(found, "own", operation, at)
            figures[f"latency_ns.own.{operation}.{name}"] = statistics.median(own)
            for mode, key in (("ops", "latency_error"), ("callsite", "latency_error_all")):
                for metric, word in (("corrected_latency", ""), ("latency", "_raw")):
                    ours = _quantiles(found, f"{mode}.{metric}", operation, at)
                    # Before and after each; those with all locks come less often.
                    beside = [sum(own[i : i + 2]) / 2 for i in range(0, len(own), 2)]
                    beside = beside[:: len(beside) // len(ours)]
                    ratios = [x / y for x, y in zip(ours, beside, strict=True)]
                    error = statistics.median(ratios) - 1
                    figures[f"{key}{word}.{operation}.{name}"] = error if word else abs(error)
    return figures


def _beside(samples: dict[str, list[float]], name: str) -> list[float]:
    """For each round the ratio of medians to what was measured right before and after."""
    near, probed = samples[f"near.{name}"], samples[name]
    return [
        statistics.median(probed[i * REPEATS : (i + 1) * REPEATS])
        / statistics.median(near[2 * i * REPEATS : 2 * (i + 1) * REPEATS])
        for i in range(len(probed) // REPEATS)
    ]


def costs(samples: Samples) -> dict[str, float]:
    target = _medians(samples, "target")
    base = target["none"]
    figures = {"operation_ns.none": base}
    for name in (*OURS, *PEERS):
        figures[f"slowdown.{name}"] = target[name] / base
        figures[f"added_ns.{name}"] = target[name] - base
    peer = target["bpftrace"] - base
    figures["cost_vs_bpftrace.ops"] = (target["ops"] - base) / peer
    figures["cost_vs_bpftrace.all"] = (target["callsite"] - base) / peer
    figures["cost_vs_bpftrace.all_empty"] = (target["empty"] - base) / peer
    figures["check_vs_all"] = target["check"] / target["callsite"]
    figures["check_added_vs_all"] = (target["check"] - base) / (target["callsite"] - base)
    for name in (*OURS[:-1], *PEERS):
        for kind in ("file", "pipe"):
            figures[f"bystander_{kind}.{name}"] = statistics.median(_beside(samples[kind], name))
        figures[f"bystander.{name}"] = max(
            figures[f"bystander_file.{name}"], figures[f"bystander_pipe.{name}"]
        )
    attach, detach = _medians(samples, "attach_seconds"), _medians(samples, "detach_seconds")
    figures |= {f"attach_seconds.{name}": value for name, value in attach.items()}
    figures |= {f"detach_seconds.{name}": value for name, value in detach.items()}
    figures["attach_seconds"] = attach["callsite"]
    return figures


def plot(samples: Samples) -> Path:
    """Every sample of the target's and the bystanders' time, by condition."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    names = ["none", *OURS, *PEERS]
    figure, axes = plt.subplots(1, 3, figsize=(12, 4), sharey=True)
    for axis, what in zip(axes, ("target", "file", "pipe"), strict=True):
        for row, name in enumerate(names):
            if name not in ("none", *samples[what]):
                continue
            if what == "target":
                base = statistics.median(samples[what]["none"])
                values = [value / base for value in samples[what][name]]
            else:
                values = _beside(samples[what], name) if name != "none" else [1.0]
            axis.plot(values, [row] * len(values), "o", color="#0072B2", alpha=0.4, ms=4)
            axis.plot([statistics.median(values)], [row], "|", color="#D55E00", ms=16, mew=2)
        axis.set_title(f"{what}: time, no probes = 1")
        axis.set_xscale("log")
        axis.grid(axis="x", alpha=0.3)
    axes[0].set_yticks(range(len(names)), names)
    axes[0].invert_yaxis()
    figure.tight_layout()
    path = OUT / "costs.png"
    figure.savefig(path, dpi=150)
    return path


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    OUT.mkdir(parents=True, exist_ok=True)
    started = start_up()
    found = guest(rounds)
    samples: Samples = found["samples"]
    figures = {
        "start_up_seconds": statistics.median(started["help"]),
        "start_up_over_click_seconds": statistics.median(started["help"])
        - statistics.median(started["click"]),
        "load_seconds": samples["load_seconds"]["z3trace"][0],
        "record_seconds": samples["record_seconds"]["z3trace"][0],
        "peak_rss_mb": samples["rss_mb"]["z3trace"][0],
        "lost_events": float(found["lost_events"]),
        **costs(samples),
        **latencies(found),
    }
    compared = comparing.measure(OUT / "whole.z3t")
    figures |= {name: statistics.median(values) for name, values in compared.items()}
    figures |= ways.measure(OUT, WAYS_RUNS)
    for name, value in figures.items():
        print(f"{name:40} {value:.4g}")  # noqa: T201
    raw = {**samples, "start_up": started, "compare": compared}
    result = {**found, "figures": figures, "samples": raw}
    paths.write_atomic(OUT / "results.json", json.dumps(result, indent=1))
    print(f"Wrote {OUT / 'results.json'} and {plot(samples)}")  # noqa: T201


if __name__ == "__main__":
    main()
