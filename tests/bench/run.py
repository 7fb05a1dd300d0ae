"""``make bench``: what z3trace costs, as ratios of medians, interleaved.

Start-up on the host; slowdown of the workload in a guest, without probes, with
operations only, and with operations and all lock call sites.  Writes every raw
sample and a flat ``figures`` object to build/bench/results.json.
"""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from z3trace import paths, runfile

ROOT = Path(__file__).parents[2]
OUT = ROOT / "build/bench"
WORKLOAD = "zpool-bench:threads=1,ops=30000,max_size=200,slots=1024"
ROUNDS = 3


def _seconds(arguments: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(arguments, check=True, capture_output=True)
    return time.perf_counter() - start


def start_up(samples: dict[str, list[float]]) -> None:
    for _ in range(11):
        samples.setdefault("click", []).append(_seconds([sys.executable, "-c", "import click"]))
        help_ = [sys.executable, "-m", "z3trace", "--help"]
        samples.setdefault("help", []).append(_seconds(help_))


def guest(samples: dict[str, list[float]]) -> None:
    z3trace = f"{sys.executable} -m z3trace record --load --force --runs 3 --unprobed 3"
    lines = [
        f"{z3trace} --locks {mode} --workload {WORKLOAD} -o {mode}-{i}.z3t"
        for i in range(ROUNDS)
        for mode in ("none", "callsite")
    ]
    command = [sys.executable, "-m", "z3trace", "vm", "--share", str(OUT), "--"]
    subprocess.run([*command, "sh", "-ec", "\n".join(lines)], check=True)
    for i in range(ROUNDS):
        for mode, name in (("none", "ops"), ("callsite", "all")):
            recording = runfile.read(OUT / f"{mode}-{i}.z3t")
            for run in recording.runs:
                calls = sum(t.calls for t in run.result.operations)
                kind = name if run.probed else "unprobed"
                samples.setdefault(kind, []).append(run.result.elapsed / calls)
            # Call sites that cannot be probed are coverage, said by the recording;
            # lost is what a probe was hit for and did not count.
            for run in recording.probed():
                if run.ledger:
                    lost = (run.ledger.skipped_programs or 0) + (run.ledger.missed_probes or 0)
                    samples.setdefault("lost", []).append(lost)


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    samples: dict[str, list[float]] = {}
    start_up(samples)
    guest(samples)
    middle = {name: statistics.median(values) for name, values in samples.items()}
    figures = {
        "start_up_seconds": middle["help"],
        "start_up_over_click_seconds": middle["help"] - middle["click"],
        "operation_ns.unprobed": middle["unprobed"],
        "slowdown.ops": middle["ops"] / middle["unprobed"],
        "slowdown.all": middle["all"] / middle["unprobed"],
        "lost_events": sum(samples["lost"]),
    }
    for name, value in figures.items():
        print(f"{name:32} {value:.4g}")  # noqa: T201
    result = {"figures": figures, "samples": samples, "workload": WORKLOAD}
    paths.write_atomic(OUT / "results.json", json.dumps(result, indent=1))
    print(f"Wrote {OUT / 'results.json'}")  # noqa: T201


if __name__ == "__main__":
    main()
