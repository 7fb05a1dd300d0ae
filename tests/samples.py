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
from z3trace.data.timed import Timed, TimedBuild, TimedCall, TimedCallCounts, TimedLedger

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


#: ns that a pair of probes on one lock class adds to what it shows, and a timed build's clock.
INSIDE, CLOCK = 300, 20
#: By how much each way slows an operation of the workload, and prolongs what is held.
SLOWER = {"none": 1.0, "clocked": 1.05, "timed": 1.1, "ops": 1.6, "lock:page": 2.5, "all": 20.0}
#: The ways that ``seen`` makes runs of unless it is told.
WAYS = ("none", "clocked", "timed", "ops", "lock:page", "timed+lock:page", "own-lock", "all")


_BUILD = TimedBuild(
    calls=[
        TimedCall(
            number=0,
            file="z3fold.c",
            line=100,
            function="z3fold_alloc",
            expression="&zhdr->page_lock",
            lock="page",
            action="acquire",
            kind="spin",
        )
    ]
)


def _values(source: random.Random, around: float, count: int = 1000) -> list[int]:
    return [int(around * source.lognormvariate(0, 0.5)) for _ in range(count)]


def _locks(lock: str, count: int) -> list[LockCounts]:
    return [
        LockCounts(
            lock=lock, acquisitions=count, contended=count // 10, trylock_failures=0, releases=count
        )
    ]


def run_seen(way: str, number: int, *, scale: float, lock_scale: float, seed: int) -> Run:
    """One run of a way.  The truth in it: an operation takes its thread 1000 ns times
    *scale* (two threads), of it a latency of 800 ns; it takes the page lock once, holds it
    for 400 ns times *lock_scale*, and waits 300 ns in one of ten acquisitions."""
    source = random.Random(f"{way} {seed} {number}")
    noise = source.lognormvariate(0, 0.02)
    slower = SLOWER.get(way, 2.5)
    prolonged = slower if way == "all" else 1.0
    each = 1000 * scale * noise * slower
    latencies = _values(source, 700 * scale * noise)
    holds = [max(value, 50) for value in _values(source, 400 * lock_scale * noise * prolonged)]
    waits = [
        0 if i % 10 else value
        for i, value in enumerate(_values(source, 300 * lock_scale * noise * prolonged))
    ]
    truth = OperationTruth(operation="alloc", calls=1000)
    fields: dict[str, object] = {}
    if way == "clocked":
        truth = structs.replace(truth, buckets=series("latency", "alloc", latencies).buckets)
        fields["clocked"] = True
    if way.startswith("timed"):
        fields |= {"build": "timed", "timed": _timed(waits, holds)}
    if way not in ("none", "clocked", "timed"):
        fields |= _probed(way.removeprefix("timed+"), latencies, waits, holds)
    return Run(
        number=number,
        order=number,
        probed="probe" in fields,
        seed=number,
        started=f"2026-01-01T00:{number:02d}:00.000+00:00",
        duration=1,
        result=WorkloadResult(elapsed=int(each * 1000 / 2), operations=[truth]),
        **fields,  # type: ignore[arg-type]
    )


def _timed(waits: list[int], holds: list[int]) -> Timed:
    return Timed(
        every=1,
        series=[
            series("wait", "page", [value and value + CLOCK for value in waits]),
            series("hold", "page", [value + CLOCK for value in holds]),
        ],
        locks=_locks("page", len(holds)),
        calls=[
            TimedCallCounts(
                call=0,
                holds=len(holds),
                acquisitions=len(holds),
                contended=len(holds) // 10,
                trylock_failures=0,
                releases=0,
                wait_sum=sum(value and value + CLOCK for value in waits),
                wait_max=max(waits) + CLOCK,
                hold_sum=sum(holds) + CLOCK * len(holds),
                hold_max=max(holds) + CLOCK,
            )
        ],
        nesting=[],
        ledger=TimedLedger(),
    )


def _probed(
    probe: str, latencies: list[int], waits: list[int], holds: list[int]
) -> dict[str, object]:
    """What probes see: 300 ns more in each hold and each wait that there was, and FLOOR in
    a latency."""
    fields: dict[str, object] = {
        "probe": probe,
        "ledger": Ledger(skipped_programs=0, missed_probes=0),
    }
    seen_series: list[Series] = []
    if probe in ("ops", "all"):
        shown = [value + FLOOR for value in latencies]
        seen_series += [series("latency", "alloc", shown)]
        seen_series += [series("corrected_latency", "alloc", latencies)]
        fields["operations"] = [
            OperationCounts(
                operation="alloc",
                entries=1000,
                returns=1000,
                failures=0,
                wait=0,
                hold=0,
                lock_events=2,
            )
        ]
    if probe == "own-lock":
        seen_series.append(series("hold", "own", [INSIDE + i % 5 for i in range(1000)]))
        fields["locks"] = _locks("own", 1000)
    elif probe != "ops":
        for metric, values in (("wait", waits), ("hold", holds)):
            shown = [value and value + INSIDE for value in values]
            seen_series.append(series(metric, "page", shown))
            # What poll(2) knows of it is too little.
            by_poll = [max(value - 110, 0) for value in shown]
            seen_series.append(series(f"corrected_{metric}", "page", by_poll))
        fields["locks"] = _locks("page", 1000)
    return fields | {"series": seen_series}


def seen(
    label: str = "before",
    *,
    scale: float = 1.0,
    lock_scale: float | None = None,
    runs: int = 10,
    seed: int = 1,
    ways: tuple[str, ...] = WAYS,
    **changes: object,
) -> Recording:
    """A recording of schema 5 with *runs* runs of each way, whose truth is known."""
    held = scale if lock_scale is None else lock_scale
    made = [
        run_seen(way, number, scale=scale, lock_scale=held, seed=seed)
        for number in range(runs)
        for way in ways
    ]
    made = [structs.replace(one, number=i, order=i) for i, one in enumerate(made)]
    return Recording(
        path=f"{label}.z3t",
        session=session(label, **{"schema": 5, "timed": _BUILD, **changes}),
        runs=made,
        complete=True,
    )
