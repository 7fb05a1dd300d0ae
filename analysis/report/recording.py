"""One recording as text: what ``show`` prints."""

import numpy as np

from z3trace.analysis import units
from z3trace.analysis.comparing import loops
from z3trace.analysis.figures import costs, ways
from z3trace.analysis.figures.histogram import quantiles
from z3trace.analysis.figures.recording import Digest, subject
from z3trace.analysis.figures.run import Key
from z3trace.analysis.figures.ways import Subject
from z3trace.columns import table
from z3trace.printable import joined
from z3trace.words import amount, plural

_AT = (0.5, 0.9, 0.99, 0.999)
#: Lines of a failed workload's last words that are shown.
_MOST_SAID = 5


def _distribution(digest: Digest, metric: str, name: str) -> list[str]:
    counts = digest.counts(metric, name)
    if not counts.sum():
        return ["0", *["-"] * len(_AT)]
    values = [units.nanoseconds(v) for v in quantiles(counts, _AT)]
    return [units.count(float(counts.sum())), *values]


def _operations(digest: Digest) -> list[str]:
    rows = []
    for operation in digest.session.operations:
        if not operation.attached:
            rows.append([operation.name, "not recorded", *["-"] * 6, "", ""])
            continue
        _, _, failures = digest.operation(operation.name)
        cells = _distribution(digest, "latency", operation.name)
        seen = _seen(digest, "latency", operation.name)
        rows.append([operation.name, operation.symbol, *cells, units.count(failures), *seen])
    header = ["operation", "symbol", "count", "p50", "p90", "p99", "p99.9", "failed"]
    return table([*header, "seen by", "instr."], rows, 2)


def _taken(digest: Digest) -> list[str]:
    """How often one call of an operation takes each lock class, over all runs."""
    sums: dict[tuple[str, str], float] = {}
    for each in loops.takings(digest):
        sums[each.operation, each.lock] = sums.get((each.operation, each.lock), 0.0) + each.each
    rows = [[operation, lock, f"{value:.3g}"] for (operation, lock), value in sums.items()]
    return table(["operation", "lock", "taken in a call"], rows, 2) if rows else []


def _locks(digest: Digest) -> list[str]:
    rows = []
    for lock in digest.session.locks:
        acquired, contended, failed_tries, _ = digest.lock(lock.name)
        if not acquired and not lock.members:
            continue
        waited = f"{contended / acquired * 100:.2f} %" if acquired else "-"
        failures = units.count(failed_tries)
        for metric in ("wait", "hold"):
            values = _distribution(digest, metric, lock.name)
            rows.append(
                [lock.name, metric, *values, waited, failures, *_seen(digest, metric, lock.name)]
            )
            less = _without_cost(digest, metric, lock.name)
            rows += [["", "without it", "", *less, "", "", "", ""]] if less else []
            waited = failures = ""
    header = ["lock", "", "count", "p50", "p90", "p99", "p99.9", "contended", "failed tries"]
    return table([*header, "seen by", "instr."], rows, 2)


def _key(metric: str, name: str) -> Key:
    """A median, of an operation or of a lock class."""
    return Key(metric, *((name, "") if metric == "latency" else ("", name)), "p50", "ns")


def _without_cost(digest: Digest, metric: str, name: str) -> list[str]:
    """Quantiles as a comparison takes them, if that is not as they were recorded: without
    what the probes of a lock class add, as it was measured in place."""
    key = _key(metric, name)
    way = digest.way(subject(key))
    cost = costs.shown(digest, subject(key), way) if costs.in_place(key, way) else None
    counts = digest.counts(metric, name)
    if cost is None or not counts.any():
        return []
    less, _ = costs.corrected(digest, key, way, quantiles(counts, _AT), cost)
    return [units.nanoseconds(float(value)) for value in less]


def _seen(digest: Digest, metric: str, name: str) -> list[str]:
    """How a metric was seen, and how much of its median is the instrument's."""
    key = _key(metric, name)
    way, counts = digest.way(subject(key)), digest.counts(metric, name)
    if not counts.any():
        return ["", ""]
    median = float(quantiles(counts, [0.5])[0])
    part = costs.share(digest, key, way, median, costs.shown(digest, subject(key), way))
    return [ways.words(way), costs.share_words(key, way, part)]


def _runs(digest: Digest) -> str:
    """How many runs of each way there are, and how many count in no figure."""
    told = [f"{len(digest.of_way(way))} {ways.words(way)}" for way in digest.ways]
    unused = sum(not run.counts for run in digest.runs)
    return ", ".join(told + ([f"{unused} that do not count"] if unused else []))


def _probes(digest: Digest) -> list[str]:
    """What the probes cost: by calibration, and by the workload's own time."""
    lines = []
    cost = digest.session.calibration
    if cost:
        parts = [f"{name} {getattr(cost, name)} ns" for name in ("jump", "emulated")]
        lines.append(
            f"the probes cost: an operation {cost.operation} ns, a lock event as a "
            f"{', as '.join(parts)}; shown of nothing: latency {cost.operation_floor} ns, "
            f"wait {cost.wait_floor} ns, hold {cost.hold_floor} ns; spread {cost.spread} ns"
        )
    slow = {way: _operation_time(digest, way) for way in digest.ways}
    base = slow.pop("none", 0.0)
    if base:
        slower = [f"{ways.words(way)} {time / base:.2f}" for way, time in slow.items() if time]
        per = units.nanoseconds(base)
        lines.append(f"slowdown of the workload ({per} an operation): {', '.join(slower)}")
    return lines


def _operation_time(digest: Digest, way: str) -> float:
    """Median over runs of the workload's ns an operation; 0 if it does not count them."""
    times = costs.times(digest, way)
    return float(np.median(times)) if times.size else 0.0


def _sites(digest: Digest) -> list[str]:
    rows = []
    for site in digest.session.sites:
        totals = digest.site(site.number)
        where = f"{site.file}:{site.line}" if site.file else "-"
        locks = ",".join(sorted(totals.locks))
        state = units.count(totals.events) if site.attached else "not seen"
        mean = totals.of_acquisitions(totals.wait_sum)
        waited = units.nanoseconds(mean) if totals.acquisitions else "-"
        rows.append(
            [f"{site.function}+{site.offset:#x}", where, site.action, locks or "-", state, waited]
        )
    part = units.share(costs.disturbed(digest, digest.kind))
    return [
        f"call sites by {ways.words(digest.kind)}, {part} of their time the probes' own",
        *table(["call site", "source", "action", "locks", "events", "mean wait"], rows, 4),
    ]


def _coverage(digest: Digest) -> str:
    session = digest.session
    if not digest.has_locks:
        return "locks were not recorded"
    unseen = digest.unseen()
    chosen = f"; --locks auto took {session.lock_mode}: {session.lock_choice}"
    sites = amount(len(session.sites), "lock call site")
    if not unseen and session.lock_choice:
        return f"all {sites} are seen{chosen}"
    if not unseen:
        return f"all {sites} are seen" if len(session.sites) != 1 else f"{sites}, and it is seen"
    return (
        f"NOT WHOLE: {len(unseen)} of {sites} {plural(len(unseen), 'is', 'are')} not seen, "
        f"in {digest.unseen_functions()}: {unseen[0].reason}"
    )


def _failures(digest: Digest) -> list[str]:
    """That the workload failed, and that there is nothing in the recording."""
    failed, every = digest.failures()
    lines = []
    if failed:
        counted = " (figures of these are shown here, and count in no comparison)"
        lines.append(f"THE WORKLOAD FAILED in {failed} of {amount(every, 'run')}{counted}")
        lines += [f"  it said: {line}" for line in digest.said.strip().splitlines()[-_MOST_SAID:]]
    if not every:
        lines.append("NOTHING WAS RECORDED: there is no whole run")
    elif not any(counts.any() for _, _, counts in digest.histograms()):
        probed = any(run.way not in ("none", "clocked") for run in digest.runs)
        why = "the target's functions were not called" if probed else "no run had probes"
        lines.append(f"NOTHING WAS RECORDED of operations and locks: {why}")
    return lines


def _instants(digest: Digest) -> list[str]:
    """Locks with holds of no time: no lock is held so briefly."""
    known = [
        (name, counts)
        for metric, name, counts in digest.histograms()
        if metric == "hold" and digest.way(Subject(metric, name)) != "timed"
    ]
    told = [
        f"{name} {units.share(float(counts[0] / counts.sum()))}"
        for name, counts in known
        if counts[0]
    ]
    if not told:
        return []
    return [
        "a hold of 0 ns is one probe that saw both the acquisition and the release: "
        f"{', '.join(told)} of the holds"
    ]


def _ledger(digest: Digest) -> list[str]:
    total = digest.ledger()
    lost, _ = digest.loss()
    shown = [
        f"{name.replace('_', ' ')} {'unknown' if value is None else value}"
        for name, value in total.items()
        if value is None or value
    ]
    return [f"ledger: {amount(lost, 'event')} lost" + (f" ({', '.join(shown)})" if shown else "")]


def text(digest: Digest, *, sites: bool) -> str:
    """The whole summary, ending in a newline."""
    session, environment = digest.session, digest.session.environment
    unprobed = digest.unprobed()
    state = "" if digest.complete else "  CUT SHORT: no end line"
    state += "  interrupted" if digest.interrupted else ""
    module = session.module
    origin = f"built, variant {module.variant}" if module.variant else module.origin
    lines = [
        f"{session.label}: {session.target} on {environment.kernel}, {session.created}{state}",
        f"module {module.name} ({origin}); {environment.cpus} CPUs, {environment.cpu}; "
        f"virtualization: {environment.virtualization}",
        f"workload: {session.workload}",
        f"runs: {_runs(digest)}",
        *_failures(digest),
        "",
        *_operations(digest),
        "",
        *_locks(digest),
        "",
        *([*taken, ""] if (taken := _taken(digest)) else []),
        *([*_sites(digest), ""] if sites else []),
        _coverage(digest),
        *_instants(digest),
        *_ledger(digest),
        *_probes(digest),
    ]
    speeds = [run.calls / run.elapsed * 1e9 for run in unprobed if run.calls and run.elapsed]
    if speeds:
        speed = units.count(float(np.median(speeds)))
        lines.append(f"throughput without probes: {speed} operations/s (median)")
    return joined(lines)
