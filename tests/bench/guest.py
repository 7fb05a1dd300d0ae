"""The part of ``make bench`` that runs in the guest: every sample, interleaved.

Arguments: the file to write, the number of rounds, the program bystander.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from peers import PEERS

from z3trace.bpf.programs import Programs
from z3trace.checking.arming import Limits
from z3trace.checking.checker import Checker
from z3trace.data.model import Run
from z3trace.probing.arming import Armed
from z3trace.recording import loading, session
from z3trace.recording.run import Recorder
from z3trace.target import definition, plan
from z3trace.workloads import choose

#: Long against the time in which an emulator translates code anew that was patched.
WORKLOAD = "zpool-bench:threads=1,ops=200000,max_size=200,slots=1024"
OPERATIONS = ("alloc", "free", "map", "unmap")
#: Ways to record with z3trace: name -> (lock mode, where waits are seen, which probes).
OURS = {
    "ops": ("none", "call-site", "ops"),
    "callsite": ("callsite", "slow-path", "all"),
    "call_site_waits": ("callsite", "call-site", "all"),
    "hybrid": ("hybrid", "slow-path", "all"),
    "function": ("function", "call-site", "all"),
    "check": ("callsite", "slow-path", "all"),
    "empty": ("callsite", "slow-path", "all"),
}
BYSTANDERS = {"file": 4000, "pipe": 4000}
REPEATS = 4
PAIRS = 8
CALLSITE_EVERY = 4


class Bench:
    """All samples: what -> condition -> values."""

    def __init__(self, bystander: str) -> None:
        self._bystander = bystander
        self.samples: dict[str, dict[str, list[float]]] = {}
        self.lost = 0
        self.histograms: dict[str, dict[str, list[list[list[int]]]]] = {}

    def add(self, what: str, condition: str, value: float) -> None:
        self.samples.setdefault(what, {}).setdefault(condition, []).append(value)

    def bystanders(self, condition: str) -> None:
        for kind, rounds in BYSTANDERS.items():
            for number in range(REPEATS + 1):
                out = subprocess.run(
                    [self._bystander, kind, str(rounds)], capture_output=True, text=True, check=True
                ).stdout
                if number:  # the first one warms up
                    self.add(kind, condition, float(out))

    @contextmanager
    def beside(self, condition: str) -> Iterator[None]:
        """Bystanders without probes right before and after those with *condition*: the
        machine's drift is then in both."""
        self.bystanders(f"near.{condition}")
        yield
        self.bystanders(f"near.{condition}")

    def keep(self, condition: str, operation: str, buckets: list[tuple[int, int]]) -> None:
        where = self.histograms.setdefault(condition, {})
        where.setdefault(operation, []).append([list(pair) for pair in buckets])

    def target(self, condition: str, run: Run) -> None:
        calls = sum(t.calls for t in run.result.operations)
        self.add("target", condition, run.result.elapsed / calls)


class Nothing(Recorder):
    """Probes where a recording has them, and lock programs that do nothing: what the
    kernel's way to a program and back costs, whatever the program."""

    def attach(self, probe: str = "all") -> Armed:
        real = self._programs.lock
        self._programs.lock = self._programs.load("empty")
        try:
            return super().attach(probe)
        finally:
            self._programs.lock = real


@contextmanager
def peer(name: str, bench: Bench, functions: list[str]) -> Iterator[None]:
    start = time.monotonic()
    stop = PEERS[name](functions)
    bench.add("attach_seconds", name, time.monotonic() - start)
    try:
        yield
    finally:
        start = time.monotonic()
        stop()
        bench.add("detach_seconds", name, time.monotonic() - start)


def unprobed(recorder: Recorder, bench: Bench, condition: str, number: int) -> None:
    """The workload without our probes."""
    run = recorder.run(choose.named(WORKLOAD), number, 0, number, probe="")
    bench.target(condition, run)


def ours(recorder: Recorder, bench: Bench, condition: str, number: int) -> None:
    start = time.monotonic()
    run = recorder.run(choose.named(WORKLOAD), number, 0, number, probe=OURS[condition][2])
    bench.add("run_seconds", condition, time.monotonic() - start)
    bench.target(condition, run)
    if run.ledger and condition != "empty":
        # Call sites without a probe are coverage, which the recording says; lost is what
        # a probe was hit for and did not count.
        bench.lost += (run.ledger.skipped_programs or 0) + (run.ledger.missed_probes or 0)
    if condition == "empty":  # what it does to others is what the real programs do
        return
    with bench.beside(condition):
        start = time.monotonic()
        armed = recorder.attach(OURS[condition][2])
        bench.add("attach_seconds", condition, time.monotonic() - start)
        try:
            bench.bystanders(condition)
        finally:
            start = time.monotonic()
            armed.close()
            bench.add("detach_seconds", condition, time.monotonic() - start)


def latency_pairs(recorders: dict[str, Recorder], bench: Bench, number: int) -> None:
    """The workload's own histogram right before and after z3trace's, so that the machine's
    drift is in both."""
    for i in range(PAIRS):
        seed = number * PAIRS + i
        for kind in ("own", "ops", "own", "callsite"):
            if kind == "callsite" and i % CALLSITE_EVERY:
                continue
            text = WORKLOAD + (",histogram=1" if kind == "own" else "")
            probe = "" if kind == "own" else OURS[kind][2]
            work = choose.named(text)
            run = recorders["ops" if kind == "own" else kind].run(work, seed, 0, seed, probe=probe)
            for truth in run.result.operations:
                if kind == "own" and truth.operation in OPERATIONS:
                    bench.keep("own", truth.operation, truth.buckets)
            for series in run.series:
                if series.metric in ("latency", "corrected_latency"):
                    bench.keep(f"{kind}.{series.metric}", series.operation, series.buckets)


def conditions(
    recorders: dict[str, Recorder], bench: Bench, functions: list[str]
) -> dict[str, Callable[[int], None]]:
    any_recorder = recorders["ops"]

    def none(number: int) -> None:
        unprobed(any_recorder, bench, "none", number)

    def with_peer(name: str) -> Callable[[int], None]:
        def run(number: int) -> None:
            with bench.beside(name), peer(name, bench, functions):
                unprobed(any_recorder, bench, name, number)
                bench.bystanders(name)

        return run

    found: dict[str, Callable[[int], None]] = {"none": none}
    for name, recorder in recorders.items():
        found[name] = lambda number, r=recorder, n=name: ours(r, bench, n, number)  # type: ignore[misc]
    found["pairs"] = lambda number: latency_pairs(recorders, bench, number)
    found |= {name: with_peer(name) for name in PEERS}
    return found


def all_recorders(target: definition.Target, bench: Bench) -> dict[str, Recorder]:
    """One for each of OURS; those that record share their programs."""
    start = time.monotonic()
    (first,) = session.recorders(target, [None], session.Wanted("hybrid"), lambda _: None)
    bench.add("load_seconds", "z3trace", time.monotonic() - start)
    programs, measured = first.shared()
    sites, places = plan.room(plan.code_of(target, None)[0])
    start = time.monotonic()
    judging = Programs(sites, places, check=True)
    bench.add("load_seconds", "check", time.monotonic() - start)
    found: dict[str, Recorder] = {}
    for name, (mode, waits, _) in OURS.items():
        wanted = session.Wanted(mode, waits).choice()
        choice = replace(wanted, trampolines=first.choice.trampolines)
        if name == "check":
            found[name] = Checker(judging, first.plan, choice, Limits())
        elif name == "empty":
            found[name] = Nothing(programs, first.plan, choice, measured)
        else:
            found[name] = Recorder(programs, first.plan, choice, measured)
    return found


def whole_recording(bench: Bench, directory: Path) -> None:
    """``z3trace record`` as its user starts it: its time and its memory."""
    start = time.monotonic()
    words = ["record", "--load", "-o", str(directory / "whole.z3t"), "--force", "--workload"]
    subprocess.run([sys.executable, "-m", "z3trace", *words, WORKLOAD], check=True)
    bench.add("record_seconds", "z3trace", time.monotonic() - start)
    # Of all children so far: this one and what it ran.
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    bench.add("rss_mb", "z3trace", peak / 1024)


def main() -> None:
    output, rounds, bystander = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    bench = Bench(bystander)
    whole_recording(bench, output.parent)
    target = definition.load("z3fold")
    module = loading.target_module(target, None, load=True, reload=False)
    module.before_run()
    recorders = all_recorders(target, bench)
    found = plan.make(target, None)
    functions = [op.symbol for op in found.operations if op.name in OPERATIONS]
    every = conditions(recorders, bench, functions)
    for number in range(rounds):
        turn = list(every.items())
        for name, condition in turn if number % 2 == 0 else reversed(turn):
            begun = time.monotonic()
            condition(number)
            took = time.monotonic() - begun
            print(f"round {number + 1}/{rounds}: {name}, {took:.1f} s", flush=True)  # noqa: T201
    module.after_all()
    result = {
        "samples": bench.samples,
        "histograms": bench.histograms,
        "lost_events": bench.lost,
        "workload": WORKLOAD,
        "functions": functions,
    }
    output.write_text(json.dumps(result))


if __name__ == "__main__":
    main()
