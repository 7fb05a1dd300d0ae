"""Recordings made up for unit and golden tests: small, seeded, valid."""

import random
from pathlib import Path

from msgspec import structs

from z3trace.data import buckets, runfile
from z3trace.data.counts import Ledger, LockCounts, OperationCounts, Series, SiteCounts
from z3trace.data.model import (
    Calibration,
    CallSite,
    Environment,
    LockClass,
    ModuleInfo,
    Operation,
    OperationTruth,
    Recording,
    Run,
    Session,
    WorkloadResult,
)

#: ns that the probes add to the latency of an operation.
FLOOR = 250


def session(label: str = "before", **changes: object) -> Session:
    fields: dict[str, object] = {
        "schema": 3,
        "tool": "z3trace 0",
        "created": "2026-01-01T00:00:00+00:00",
        "target": "z3fold",
        "label": label,
        "environment": Environment(
            kernel="6.1.0-0-amd64", machine="x86_64", cpu="a CPU", cpus=2, clocksource="tsc"
        ),
        "module": ModuleInfo(
            name="z3fold", origin="built", variant=label, digest="0123456789abcdef"
        ),
        "workload": "zpool-bench:threads=2,ops=1000",
        "command": ["z3trace", "record"],
        "bucket_scheme": buckets.SCHEME,
        "lock_mode": "callsite",
        "probe_digest": "0" * 16,
        "calibration": Calibration(
            operation_floor=FLOOR,
            wait_floor=90,
            hold_floor=110,
            operation=600,
            jump=500,
            emulated=1500,
            stepped=0,
            spread=30,
        ),
        "operations": [
            Operation(name="alloc", function="z3fold_alloc", symbol="z3fold_alloc", attached=True)
        ],
        "locks": [
            LockClass(name="other"),
            LockClass(name="page", members=["z3fold_header.page_lock"]),
        ],
        "sites": [
            CallSite(
                number=0,
                function="z3fold_alloc",
                offset=16,
                lock_function="_raw_spin_lock",
                action="acquire",
                kind="spin",
                file="z3fold.c",
                line=100,
                attached=True,
            )
        ],
    }
    return Session(**{**fields, **changes})  # type: ignore[arg-type]


def series(metric: str, name: str, values: list[int]) -> Series:
    counts: dict[int, int] = {}
    for value in values:
        index = buckets.index(value)
        counts[index] = counts.get(index, 0) + 1
    where = {"operation": name} if metric.endswith("latency") else {"lock": name}
    return Series(
        metric=metric,  # type: ignore[arg-type]
        count=len(values),
        sum=sum(values),
        min=min(values),
        max=max(values),
        buckets=sorted(counts.items()),
        **where,
    )


def run(number: int, *, probed: bool, scale: float, seed: int) -> Run:
    """One run whose latencies and waits are log-normal around 1000 ns times *scale*."""
    source = random.Random(seed)
    started = f"2026-01-01T00:{number:02d}:00.000+00:00"
    speed = int(1e9 * scale * source.lognormvariate(0, 0.03))
    result = WorkloadResult(
        elapsed=speed, operations=[OperationTruth(operation="alloc", calls=10000)]
    )
    made = Run(
        number=number,
        order=0,
        probed=probed,
        seed=number,
        started=started,
        duration=1,
        result=result,
    )
    if not probed:
        return made
    run_scale = scale * source.lognormvariate(0, 0.03)
    values = [int(1000 * run_scale * source.lognormvariate(0, 0.5)) for _ in range(2000)]
    return structs.replace(
        made,
        series=[
            series("latency", "alloc", values),
            series("corrected_latency", "alloc", [max(value - FLOOR, 0) for value in values]),
            series("wait", "page", values),
            series("corrected_wait", "page", [max(value - 90, 0) for value in values]),
            series("hold", "page", values),
            series("corrected_hold", "page", [max(value - 110, 0) for value in values]),
        ],
        operations=[
            OperationCounts(
                operation="alloc",
                entries=2000,
                returns=2000,
                failures=0,
                wait=1,
                hold=1,
                lock_events=9,
            )
        ],
        locks=[
            LockCounts(
                lock="page", acquisitions=2000, contended=20, trylock_failures=3, releases=2000
            )
        ],
        sites=[
            SiteCounts(
                site=0,
                locks=["page"],
                acquisitions=2000,
                contended=20,
                trylock_failures=3,
                releases=0,
                wait_sum=sum(values),
                wait_max=max(values),
                hold_sum=sum(values),
                hold_max=max(values),
            )
        ],
        ledger=Ledger(skipped_programs=0, missed_probes=0),
    )


def recording(
    label: str = "before", *, scale: float = 1.0, runs: int = 10, seed: int = 1, **changes: object
) -> Recording:
    made = [run(i, probed=True, scale=scale, seed=seed * 1000 + i) for i in range(runs)]
    made += [run(i, probed=False, scale=scale, seed=seed * 1000 + 500 + i) for i in range(runs)]
    return Recording(
        path=f"{label}.z3t", session=session(label, **changes), runs=made, complete=True
    )


def write(path: Path, made: Recording) -> Path:
    with runfile.Writer(path) as writer:
        writer.session(made.session)
        for one in made.runs:
            writer.run(one)
        writer.finish(interrupted=False)
    return path
