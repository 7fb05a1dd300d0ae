"""The part of ``make bench`` that holds timed builds against the truth, in a guest.

``timed.py counts MODULE OUT OPS``: the counted z3fold, built timed, counts every lock
operation twice; OPS operations on two CPUs, with reclaim and refused evictions.

``timed.py slowdown PLAIN TIMED OUT PAIRS WORKLOAD``: throughput of the one build over that of
the other, in turn.
"""

import json
import math
import statistics
import sys
from pathlib import Path

from z3trace.data.model import WorkloadResult
from z3trace.data.timed import Timed, TimedBuild
from z3trace.recording.timed import TimedModule
from z3trace.target import definition
from z3trace.workloads import choose, modules
from z3trace.workloads.protocol import Workload

TARGET = "z3fold"
RECLAIMING = "zpool-bench:threads=2,ops={ops},headless=5,reclaim=5,refuse=20"
#: Kinds of calls by the names of testbed/counted.h.
EVENTS = {"acquired": "acquisitions", "released": "releases", "try_failed": "trylock_failures"}


def work(text: str) -> Workload:
    return choose.named(text)


def run(workload: Workload, seed: int) -> WorkloadResult:
    workload.prepare(seed, fast=True)
    result = workload.run()
    workload.finish()
    return result


def by_kind(build: TimedBuild, timed: Timed) -> dict[str, int]:
    """Events of the spin and rw locks, as testbed/counted.h counts them: a trylock on one's
    own lock fails too."""
    found: dict[str, int] = {"spin_try_failed": timed.ledger.self_tries}
    for call, counts in zip(build.calls, timed.calls, strict=True):
        for name, event in EVENTS.items():
            key = f"{call.kind}_{name}"
            if key.startswith("spin") or name != "try_failed":
                found[key] = found.get(key, 0) + getattr(counts, event)
    return found


def counts(path: Path, out: Path, ops: int) -> None:
    timed = TimedModule(path, definition.load(TARGET))
    modules.insert(path)
    truth_at = Path(f"/sys/module/{TARGET}/parameters/counted_locks")
    before = json.loads(truth_at.read_bytes())
    timed.start()
    result = run(work(RECLAIMING.format(ops=ops // 2)), 1)
    got = timed.read()
    truth = {
        name: count - before[name] for name, count in json.loads(truth_at.read_bytes()).items()
    }
    found = {
        "calls": sum(one.calls for one in result.operations),
        "truth": truth,
        "timed": by_kind(timed.build, got),
        "lost": got.ledger.lost(),
    }
    out.write_text(json.dumps(found))


def speed(path: Path, text: str, seed: int, *, timed: bool) -> float:
    """Operations a second."""
    modules.insert(path)
    if timed:
        TimedModule(path, definition.load(TARGET)).start()
    result = run(work(text), seed)
    modules.remove(TARGET)
    return sum(one.calls for one in result.operations) / result.elapsed * 1e9


def slowdown(plain: Path, timed: Path, out: Path, pairs: int, text: str) -> None:
    builds = {"plain": plain, "timed": timed}
    speeds: dict[str, list[float]] = {name: [] for name in builds}
    for number in range(-1, pairs):
        for name in list(builds)[:: 1 if number % 2 else -1]:
            found = speed(builds[name], text, number + 1, timed=name == "timed")
            if number >= 0:  # the first pair warms up
                speeds[name].append(found)
    ratios = [math.log(a / b) for a, b in zip(speeds["plain"], speeds["timed"], strict=True)]
    found = {"slowdown": math.exp(statistics.fmean(ratios)), "speeds": speeds, "workload": text}
    out.write_text(json.dumps(found))


if __name__ == "__main__":
    if sys.argv[1] == "counts":
        counts(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
    else:
        slowdown(*(Path(word) for word in sys.argv[2:5]), int(sys.argv[5]), sys.argv[6])
