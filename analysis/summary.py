"""One recording as text: what ``show`` prints."""

import numpy as np
from z3trace.analysis import units
from z3trace.analysis.frame import merged_counts
from z3trace.analysis.quantiles import quantiles

from z3trace.columns import table
from z3trace.model import Ledger, Recording

_AT = (0.5, 0.9, 0.99, 0.999)
_LEAST = 20  # ns: no correction is better than this


def ledger_sum(recording: Recording) -> dict[str, int | None]:
    """Every entry of the ledger summed over the probed runs; None if unknown in any."""
    total: dict[str, int | None] = dict.fromkeys(Ledger.__struct_fields__, 0)
    for run in recording.probed():
        for name, old in total.items():
            value = getattr(run.ledger, name) if run.ledger else None
            total[name] = None if value is None or old is None else old + value
    return total


def _distribution(recording: Recording, metric: str, name: str) -> list[str]:
    counts = merged_counts(recording, metric, name)
    if not counts.sum():
        return ["0", *["-"] * len(_AT)]
    values = [units.nanoseconds(v) for v in quantiles(counts, _AT)]
    return [units.count(float(counts.sum())), *values]


def _corrected(recording: Recording, metric: str, name: str) -> list[str]:
    """Quantiles without the probes' cost; below what the correction can tell, only that."""
    calibration = recording.session.calibration
    counts = merged_counts(recording, f"corrected_{metric}", name)
    if not calibration or not counts.sum():
        return ["", *["-"] * len(_AT)]
    least = max(calibration.spread, _LEAST)
    return [
        "",
        *(
            f"<{units.nanoseconds(least)}" if value < least else units.nanoseconds(value)
            for value in (float(v) for v in quantiles(counts, _AT))
        ),
    ]


def _operations(recording: Recording) -> list[str]:
    rows = []
    for operation in recording.session.operations:
        if not operation.attached:
            rows.append([operation.name, "not recorded", *["-"] * 6])
            continue
        failures = sum(
            c.failures
            for run in recording.probed()
            for c in run.operations
            if c.operation == operation.name
        )
        found = _distribution(recording, "latency", operation.name)
        rows.append([operation.name, operation.symbol, *found, units.count(failures)])
        if recording.session.calibration and found[0] != "0":
            rows.append(["", "corrected", *_corrected(recording, "latency", operation.name), ""])
    return table(["operation", "symbol", "count", "p50", "p90", "p99", "p99.9", "failed"], rows, 2)


def _locks(recording: Recording) -> list[str]:
    rows = []
    for lock in recording.session.locks:
        found = [c for run in recording.probed() for c in run.locks if c.lock == lock.name]
        acquired = sum(c.acquisitions for c in found)
        if not acquired and not lock.members:
            continue
        contended = sum(c.contended for c in found)
        share = f"{contended / acquired * 100:.2f} %" if acquired else "-"
        failures = units.count(sum(c.trylock_failures for c in found))
        for metric in ("wait", "hold"):
            values = _distribution(recording, metric, lock.name)
            rows.append([lock.name, metric, *values, share, failures])
            share = failures = ""
            if recording.session.calibration and acquired:
                rows.append(["", "corrected", *_corrected(recording, metric, lock.name), "", ""])
    return table(
        ["lock", "", "count", "p50", "p90", "p99", "p99.9", "contended", "failed tries"], rows, 2
    )


def _probes(recording: Recording) -> list[str]:
    """What the probes cost: by calibration, and by the workload's own time."""
    lines = []
    found = recording.session.calibration
    if found:
        parts = [f"{name} {getattr(found, name)} ns" for name in ("jump", "emulated")]
        lines.append(
            f"the probes cost: an operation {found.operation} ns, a lock event as a "
            f"{', as '.join(parts)}; shown of nothing: latency {found.operation_floor} ns, "
            f"wait {found.wait_floor} ns, hold {found.hold_floor} ns; spread {found.spread} ns"
        )
    times = {kind: _operation_time(recording, kind) for kind in ("none", "ops", "locks", "all")}
    if times["none"]:
        base = times.pop("none")
        slower = [f"{kind} {time / base:.2f}" for kind, time in times.items() if time]
        per = units.nanoseconds(base)
        lines.append(f"slowdown of the workload ({per} an operation): {', '.join(slower)}")
    return lines


def _operation_time(recording: Recording, probe: str) -> float:
    """Median over runs of the workload's ns an operation; 0 if it does not count them."""
    times = [
        run.result.elapsed / sum(t.calls for t in run.result.operations)
        for run in recording.with_probe(probe)
        if sum(t.calls for t in run.result.operations)
    ]
    return float(np.median(times)) if times else 0.0


def _sites(recording: Recording) -> list[str]:
    rows = []
    for site in recording.session.sites:
        found = [c for run in recording.probed() for c in run.sites if c.site == site.number]
        events = sum(c.acquisitions + c.trylock_failures + c.releases for c in found)
        waited = sum(c.wait_sum for c in found)
        acquired = sum(c.acquisitions for c in found)
        where = f"{site.file}:{site.line}" if site.file else "-"
        locks = ",".join(sorted({name for c in found for name in c.locks}))
        state = units.count(events) if site.attached else "not seen"
        mean = units.nanoseconds(waited / acquired) if acquired else "-"
        rows.append(
            [f"{site.function}+{site.offset:#x}", where, site.action, locks or "-", state, mean]
        )
    return table(["call site", "source", "action", "locks", "events", "mean wait"], rows, 4)


def _coverage(recording: Recording) -> str:
    session = recording.session
    if session.lock_mode == "none":
        return "locks were not recorded"
    missing = [site for site in session.sites if not site.attached]
    if not missing:
        return f"all {len(session.sites)} lock call sites are seen"
    where = ", ".join(sorted({site.function for site in missing}))
    return (
        f"NOT WHOLE: {len(missing)} of {len(session.sites)} lock call sites are not seen, "
        f"in {where}: {missing[0].reason}"
    )


def _ledger(recording: Recording) -> list[str]:
    total = ledger_sum(recording)
    lost = sum(run.ledger.lost() for run in recording.probed() if run.ledger)
    shown = [
        f"{name.replace('_', ' ')} {'unknown' if value is None else value}"
        for name, value in total.items()
        if value is None or value
    ]
    return [f"ledger: {lost} events lost" + (f" ({', '.join(shown)})" if shown else "")]


def text(recording: Recording, *, sites: bool) -> str:
    """The whole summary, ending in a newline."""
    session, environment = recording.session, recording.session.environment
    probed, unprobed = recording.probed(), recording.unprobed()
    state = "" if recording.complete else "  CUT SHORT: no end line"
    state += "  interrupted" if recording.interrupted else ""
    module = session.module
    origin = f"built, variant {module.variant}" if module.variant else module.origin
    lines = [
        f"{session.label}: {session.target} on {environment.kernel}, {session.created}{state}",
        f"module {module.name} ({origin}); {environment.cpus} CPUs, {environment.cpu}; "
        f"virtualization: {environment.virtualization}",
        f"workload: {session.workload}",
        f"runs: {len(probed)} probed, {len(unprobed)} without probes",
        "",
        *_operations(recording),
        "",
        *_locks(recording),
        "",
        *([*_sites(recording), ""] if sites else []),
        _coverage(recording),
        *_ledger(recording),
        *_probes(recording),
    ]
    speeds = [
        sum(t.calls for t in run.result.operations) / run.result.elapsed * 1e9
        for run in unprobed
        if run.result.operations and run.result.elapsed
    ]
    if speeds:
        speed = units.count(float(np.median(speeds)))
        lines.append(f"throughput without probes: {speed} operations/s (median)")
    return "\n".join(lines) + "\n"
