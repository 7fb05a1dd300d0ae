"""Raw maps of one run -> series, counters and ledger."""

from dataclasses import dataclass

from z3trace import layout
from z3trace.bpf import Programs
from z3trace.buckets import BUCKETS
from z3trace.model import Ledger, LockCounts, OperationCounts, Series, SiteCounts
from z3trace.plan import Plan


@dataclass(frozen=True)
class Tally:
    """Counts held against each other: the difference of two tallies is a run's."""

    hits: int = 0
    missed: int = 0
    ran: int = 0

    def __sub__(self, other: "Tally") -> "Tally":
        return Tally(
            self.hits - other.hits,
            self.missed - other.missed,
            self.ran - other.ran,
        )


def _histogram(programs: Programs, series: int) -> list[tuple[int, int]]:
    """(bucket, count) over all CPUs, in rising order, without the empty ones."""
    sums: dict[int, int] = {}
    view = memoryview(programs.buckets).cast("B").cast("Q")
    for cpu in range(programs.cpus):
        start = (cpu * layout.SERIES + series) * BUCKETS
        for index, count in enumerate(view[start : start + BUCKETS].tolist()):
            if count:
                sums[index] = sums.get(index, 0) + count
    return sorted(sums.items())


def _series(programs: Programs, number: int, metric: str, name: str) -> Series | None:
    totals = [cpu.totals[number] for cpu in programs.per_cpu]
    count = sum(t.count for t in totals)
    if not count:
        return None
    return Series(
        metric=metric,  # type: ignore[arg-type]
        operation=name if metric == "latency" else "",
        lock="" if metric == "latency" else name,
        count=count,
        sum=sum(t.sum for t in totals),
        min=min(t.min for t in totals),
        max=max(t.max for t in totals),
        buckets=_histogram(programs, number),
    )


def series(programs: Programs, plan: Plan) -> list[Series]:
    """Latency of every operation, wait and hold of every lock class that was seen."""
    found = [_series(programs, op.number, "latency", op.name) for op in plan.operations]
    for number, lock in enumerate(plan.locks):
        found.append(_series(programs, layout.wait_series(number), "wait", lock.name))
        found.append(_series(programs, layout.hold_series(number), "hold", lock.name))
    return [one for one in found if one is not None]


def operations(programs: Programs, plan: Plan) -> list[OperationCounts]:
    found = []
    for op in plan.operations:
        rows = [cpu.operations[op.number] for cpu in programs.per_cpu]
        found.append(
            OperationCounts(
                operation=op.name,
                entries=sum(row.entries for row in rows),
                returns=sum(cpu.totals[op.number].count for cpu in programs.per_cpu),
                failures=sum(row.failures for row in rows),
                wait=sum(row.wait for row in rows),
                hold=sum(row.hold for row in rows),
                lock_events=sum(row.events for row in rows),
            )
        )
    return found


def locks(programs: Programs, plan: Plan) -> list[LockCounts]:
    found = []
    for number, lock in enumerate(plan.locks):
        rows = [cpu.classes[number] for cpu in programs.per_cpu]
        counts = LockCounts(
            lock=lock.name,
            acquisitions=sum(row.acquisitions for row in rows),
            contended=sum(row.contended for row in rows),
            trylock_failures=sum(row.trylock_failures for row in rows),
            releases=sum(row.releases for row in rows),
        )
        if counts.acquisitions or counts.trylock_failures or lock.members:
            found.append(counts)
    return found


def sites(programs: Programs, plan: Plan) -> list[SiteCounts]:
    """Counters of every call site that was reached."""
    found = []
    for site in plan.sites:
        rows = [programs.sites[cpu * layout.SITES + site.number] for cpu in range(programs.cpus)]
        seen = 0
        for row in rows:
            seen |= row.classes
        counts = SiteCounts(
            site=site.number,
            locks=[lock.name for number, lock in enumerate(plan.locks) if seen >> number & 1],
            acquisitions=sum(row.acquisitions for row in rows),
            contended=sum(row.contended for row in rows),
            trylock_failures=sum(row.trylock_failures for row in rows),
            releases=sum(row.releases for row in rows),
            wait_sum=sum(row.wait_sum for row in rows),
            wait_max=max(row.wait_max for row in rows),
            hold_sum=sum(row.hold_sum for row in rows),
            hold_max=max(row.hold_max for row in rows),
        )
        if counts.acquisitions or counts.trylock_failures or counts.releases:
            found.append(counts)
    return found


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
    )
