"""One recording as JSON: what ``show --json`` prints."""

import math

from msgspec import Struct

from z3trace.analysis.figures.histogram import quantiles
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.figures.ways import Subject
from z3trace.data.model import CallSite

VERSION = 1
_AT = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999}


class Distribution(Struct, frozen=True, kw_only=True):
    """A histogram in short, in ns, and the way that it was seen; null where it is empty."""

    way: str
    count: int
    p50: float | None
    p90: float | None
    p99: float | None
    p999: float | None


class OperationFigures(Struct, frozen=True, kw_only=True):
    """An operation; *latency* is null if it was not recorded."""

    name: str
    symbol: str
    failed: int
    latency: Distribution | None


class LockFigures(Struct, frozen=True, kw_only=True):
    """A lock class: acquisitions, how many were contended, trylocks that failed."""

    name: str
    members: list[str]
    acquired: int
    contended: int
    failed_tries: int
    wait: Distribution
    hold: Distribution


class SiteFigures(CallSite, frozen=True, kw_only=True):
    """A lock call site with what was seen there; sums in ns."""

    locks: list[str]
    acquisitions: int
    contended: int
    trylock_failures: int
    releases: int
    wait_sum: int
    hold_sum: int


class Summary(Struct, frozen=True, kw_only=True):
    """A recording.  *runs*: how many that count there are of each way; *unused*: those that
    do not count; *failed*: those whose workload failed; *unseen_sites*: call sites without a
    probe; *ledger*: what was lost or open, null where the kernel does not tell;
    *throughput*: operations a second of each run without probes."""

    version: int
    label: str
    target: str
    kernel: str
    created: str
    workload: str
    complete: bool
    interrupted: bool
    runs: dict[str, int]
    unused: int
    failed: int
    operations: list[OperationFigures]
    locks: list[LockFigures]
    sites: list[SiteFigures]
    unseen_sites: int
    lost: int
    ledger: dict[str, int | None]
    throughput: list[float]


def _distribution(digest: Digest, metric: str, name: str) -> Distribution:
    counts = digest.counts(metric, name)
    values = map(float, quantiles(counts, tuple(_AT.values()))) if counts.any() else ()
    known = dict(zip(_AT, values, strict=False))
    found = {at: known[at] if math.isfinite(known.get(at, math.nan)) else None for at in _AT}
    return Distribution(way=digest.way(Subject(metric, name)), count=int(counts.sum()), **found)


def _operations(digest: Digest) -> list[OperationFigures]:
    return [
        OperationFigures(
            name=one.name,
            symbol=one.symbol,
            failed=int(digest.operation(one.name)[2]) if one.attached else 0,
            latency=_distribution(digest, "latency", one.name) if one.attached else None,
        )
        for one in digest.session.operations
    ]


def _locks(digest: Digest) -> list[LockFigures]:
    figures = []
    for lock in digest.session.locks:
        acquired, contended, failed_tries, _ = map(int, digest.lock(lock.name))
        figures.append(
            LockFigures(
                name=lock.name,
                members=list(lock.members),
                acquired=acquired,
                contended=contended,
                failed_tries=failed_tries,
                wait=_distribution(digest, "wait", lock.name),
                hold=_distribution(digest, "hold", lock.name),
            )
        )
    return figures


def _sites(digest: Digest) -> list[SiteFigures]:
    made = []
    for site in digest.session.sites:
        totals = digest.site(site.number)
        known = {name: getattr(site, name) for name in site.__struct_fields__}
        counts = {
            name: getattr(totals, name)
            for name in SiteFigures.__struct_fields__
            if name not in known and name != "locks"
        }
        made.append(SiteFigures(**known, **counts, locks=sorted(totals.locks)))
    return made


def summary(digest: Digest) -> Summary:
    """All that ``show`` says, as numbers."""
    session = digest.session
    return Summary(
        version=VERSION,
        label=session.label,
        target=session.target,
        kernel=session.environment.kernel,
        created=session.created,
        workload=session.workload,
        complete=digest.complete,
        interrupted=digest.interrupted,
        runs={way: len(digest.of_way(way)) for way in digest.ways},
        unused=sum(not run.counts for run in digest.runs),
        failed=digest.failures()[0],
        operations=_operations(digest),
        locks=_locks(digest),
        sites=_sites(digest),
        unseen_sites=len(digest.unseen()),
        lost=int(digest.loss()[0]),
        ledger=dict(digest.ledger()),
        throughput=[
            run.calls / run.elapsed * 1e9 for run in digest.unprobed() if run.calls and run.elapsed
        ],
    )
