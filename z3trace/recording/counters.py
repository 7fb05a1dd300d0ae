"""Raw maps of one run -> series, counters and ledger."""

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass

from z3trace.bpf import layout
from z3trace.bpf.programs import Programs
from z3trace.data import buckets
from z3trace.data.buckets import BUCKETS
from z3trace.data.counts import Ledger, LockCounts, Nesting, OperationCounts, Series, SiteCounts
from z3trace.data.model import Calibration
from z3trace.target.plan import Plan

_EVENTS = ("acquisitions", "contended", "trylock_failures", "releases")


@dataclass(frozen=True)
class Tally:
    """Counts held against each other: the difference of two tallies is a run's."""

    hits: int = 0
    missed: int = 0
    ran: int = 0
    elsewhere: int = 0

    def __sub__(self, other: "Tally") -> "Tally":
        pairs = zip(astuple(self), astuple(other), strict=True)
        return Tally(*(after - before for after, before in pairs))


@dataclass(frozen=True)
class _Histogram:
    """One series of the maps, over all CPUs."""

    buckets: dict[int, int]
    sum: int
    min: int
    max: int

    @property
    def count(self) -> int:
        return sum(self.buckets.values())

    def __add__(self, other: "_Histogram") -> "_Histogram":
        merged = dict(self.buckets)
        for index, count in other.buckets.items():
            merged[index] = merged.get(index, 0) + count
        return _Histogram(
            merged, self.sum + other.sum, min(self.min, other.min), max(self.max, other.max)
        )

    def less(self, floor: int) -> "_Histogram":
        """Every value less *floor*, and no less than 0."""
        shifted = buckets.shifted(self.buckets, floor)
        return _Histogram(
            shifted,
            max(self.sum - floor * self.count, 0),
            max(self.min - floor, 0),
            max(self.max - floor, 0),
        )


def _read(programs: Programs, series: int) -> _Histogram:
    sums: dict[int, int] = {}
    view = memoryview(programs.buckets).cast("B").cast("Q")
    for cpu in range(programs.cpus):
        start = (cpu * layout.SERIES + series) * BUCKETS
        for index, count in enumerate(view[start : start + BUCKETS].tolist()):
            if count:
                sums[index] = sums.get(index, 0) + count
    totals = [cpu.totals[series] for cpu in programs.per_cpu]
    return _Histogram(
        sums,
        sum(t.sum for t in totals),
        min(t.min for t in totals),
        max(t.max for t in totals),
    )


def _series(histogram: _Histogram, metric: str, name: str) -> Series | None:
    if not histogram.count:
        return None
    return Series(
        metric=metric,  # type: ignore[arg-type]
        operation=name if metric.endswith("latency") else "",
        lock="" if metric.endswith("latency") else name,
        count=histogram.count,
        sum=histogram.sum,
        min=histogram.min,
        max=histogram.max,
        buckets=sorted(histogram.buckets.items()),
    )


def _corrected(programs: Programs, clean: _Histogram, disturbed: int, floor: int) -> _Histogram:
    return clean.less(floor) + _read(programs, layout.corrected(disturbed))


def _waits(programs: Programs, lock: int) -> _Histogram:
    """Of all acquisitions: those that needed no wait are in no histogram."""
    waits = _read(programs, layout.wait_series(lock))
    acquired = sum(int(cpu.classes[lock].acquisitions) for cpu in programs.per_cpu)
    none = acquired - waits.count
    return waits + _Histogram({0: none}, 0, 0, 0) if none > 0 else waits


def series(programs: Programs, plan: Plan, measured: Calibration | None) -> list[Series]:
    """Latency of every operation, wait and hold of every lock class that was seen."""
    made: list[Series | None] = []
    for op in plan.operations:
        disturbed = layout.disturbed_latency(op.number)
        clean = _read(programs, op.number)
        made.append(_series(clean + _read(programs, disturbed), "latency", op.name))
        if measured:
            whole = _corrected(programs, clean, disturbed, measured.operation_floor)
            made.append(_series(whole, "corrected_latency", op.name))
    for number, lock in enumerate(plan.locks):
        wait = _waits(programs, number)
        made.append(_series(wait, "wait", lock.name))
        disturbed = layout.disturbed_hold(number)
        clean = _read(programs, layout.hold_series(number))
        made.append(_series(clean + _read(programs, disturbed), "hold", lock.name))
        if measured:
            made.append(_series(wait.less(measured.wait_floor), "corrected_wait", lock.name))
            whole = _corrected(programs, clean, disturbed, measured.hold_floor)
            made.append(_series(whole, "corrected_hold", lock.name))
    return [series for series in made if series is not None]


def entered(programs: Programs) -> list[int]:
    """Entries of each operation, from all task slots."""
    view = memoryview(programs.tasks).cast("B").cast("I")
    stride = ctypes.sizeof(layout.Task) // 4
    start = layout.Task.entries.offset // 4
    return [sum(view[start + op :: stride].tolist()) for op in range(layout.OPERATIONS)]


def returns(programs: Programs, operation: int) -> int:
    """Completed operations: every one is in one histogram of latencies."""
    disturbed = layout.disturbed_latency(operation)
    return _read(programs, operation).count + _read(programs, disturbed).count


def programs_run(programs: Programs, *, trampolines: bool) -> int:
    """How often the programs on kprobes ran; those on trampolines are not counted."""
    returned = sum(int(cpu.programs[0]) for cpu in programs.per_cpu)
    locked = sum(int(cpu.programs[1]) for cpu in programs.per_cpu)
    return locked + (0 if trampolines else returned + sum(entered(programs)))


def _sums(rows: Sequence[ctypes.Structure], names: Sequence[str]) -> dict[str, int]:
    """Counters of the same name, over all CPUs."""
    return {name: sum(getattr(row, name) for row in rows) for name in names}


def operations(programs: Programs, plan: Plan) -> list[OperationCounts]:
    """Counters of every operation, those that were not called included."""
    entries = entered(programs)
    counted = []
    for op in plan.operations:
        rows = [cpu.operations[op.number] for cpu in programs.per_cpu]
        counted.append(
            OperationCounts(
                operation=op.name,
                entries=entries[op.number],
                returns=returns(programs, op.number),
                lock_events=sum(row.events for row in rows),
                **_sums(rows, ("failures", "wait", "hold")),
            )
        )
    return counted


def locks(programs: Programs, plan: Plan) -> list[LockCounts]:
    """Counters of every lock class that the target's definition or a lock event names."""
    counted = []
    for number, lock in enumerate(plan.locks):
        rows = [cpu.classes[number] for cpu in programs.per_cpu]
        counts = LockCounts(lock=lock.name, **_sums(rows, _EVENTS))
        if counts.acquisitions or counts.trylock_failures or lock.members:
            counted.append(counts)
    return counted


def class_pairs(classes: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """(number in a matrix of the maps, class held, class acquired) of all pairs."""
    for outer, held in enumerate(classes):
        for inner, acquired in enumerate(classes):
            yield outer * layout.CLASSES + inner, held, acquired


def nesting(programs: Programs, plan: Plan) -> list[Nesting]:
    """Pairs of lock classes of which one was held when the other was acquired."""
    counted = []
    for pair, held, acquired in class_pairs([lock.name for lock in plan.locks]):
        count = sum(int(cpu.nesting[pair]) for cpu in programs.per_cpu)
        if count:
            counted.append(Nesting(held=held, acquired=acquired, count=count))
    return counted


def sites(programs: Programs, plan: Plan) -> list[SiteCounts]:
    """Counters of every call site that was reached."""
    counted = []
    for site in plan.sites:
        count = programs.site_count
        rows = [programs.sites[cpu * count + site.number] for cpu in range(programs.cpus)]
        classes = 0
        for row in rows:
            classes |= row.classes
        counts = SiteCounts(
            site=site.number,
            locks=[lock.name for number, lock in enumerate(plan.locks) if classes >> number & 1],
            wait_max=max(row.wait_max for row in rows),
            hold_max=max(row.hold_max for row in rows),
            **_sums(rows, (*_EVENTS, "wait_sum", "hold_sum")),
        )
        if counts.acquisitions or counts.trylock_failures or counts.releases:
            counted.append(counts)
    return counted


def ledger(programs: Programs, tally: Tally) -> Ledger:
    """What was missed; *tally* spans the run."""
    counted = dict.fromkeys(layout.LEDGER, 0)
    for cpu in programs.per_cpu:
        for name, value in zip(layout.LEDGER, cpu.ledger, strict=True):
            counted[name] += value
    open_operations = open_holds = 0
    for task in programs.tasks:
        open_operations += task.depth
        open_holds += task.holding
    return Ledger(
        **counted,
        open_operations=open_operations,
        open_holds=open_holds,
        skipped_programs=max(tally.hits - tally.ran, 0),
        missed_probes=tally.missed,
        lock_function_misses=tally.elsewhere,
    )
