"""Recordings that are made to cost: the worst of each kind, shown and compared.

Each is small on the disk (2 MB at most, packed) and well formed; ``z3trace show`` and
``z3trace compare`` must end with a result or with one of our errors, within 5 seconds of
the processor and 500 MB.  ``hostile.py`` tries all and prints the worst.
"""

import gzip
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

import msgspec
from samples import recording, write

from z3trace.analysis.figures import bounds
from z3trace.data.counts import Nesting, OperationCounts, Series, SiteCounts
from z3trace.data.model import (
    CallSite,
    End,
    LockClass,
    Operation,
    OperationTruth,
    Run,
    Session,
    WorkloadResult,
)

LIMIT_SECONDS = 5
LIMIT_MB = 500
#: On the disk.
LARGEST = 2 << 20
_SITES = 8192
_CLASSES = [f"l{i}" for i in range(16)]
_OPERATIONS = [f"o{i}" for i in range(16)]
_EMPTY = recording("hostile", runs=1).runs[0]
_SESSION = recording("hostile").session
_EVERY_BUCKET = [(i, 9) for i in range(976)]
_ONE_BUCKET = [(100, 9)]
Lines = Iterator[Session | Run]


def _session(**changes: object) -> Session:
    fields: dict[str, object] = {
        "operations": [
            Operation(name=name, function=name, symbol=name, attached=True) for name in _OPERATIONS
        ],
        "locks": [LockClass(name=name, members=[name]) for name in _CLASSES],
    }
    return msgspec.structs.replace(_SESSION, **{**fields, **changes})


def _run(number: int, **changes: object) -> Run:
    fields: dict[str, object] = {
        "number": number,
        "seed": number,
        **{name: [] for name in ("series", "operations", "locks", "sites", "nesting")},
        "result": WorkloadResult(),
        "ledger": None,
        "started": "",
    }
    return msgspec.structs.replace(_EMPTY, **{**fields, **changes})


def _series(metric: str, name: str, buckets: list[tuple[int, int]]) -> Series:
    count = sum(n for _, n in buckets)
    where = {"operation": name} if metric.endswith("latency") else {"lock": name}
    made = Series(
        metric="hold", count=count, sum=count, min=0, max=1 << 60, buckets=buckets, **where
    )
    return msgspec.structs.replace(made, metric=metric)


def _all_series(buckets: list[tuple[int, int]]) -> list[Series]:
    return [
        *(
            _series(m, name, buckets)
            for m in ("latency", "corrected_latency")
            for name in _OPERATIONS
        ),
        *(
            _series(m, name, buckets)
            for m in ("wait", "hold", "corrected_wait", "corrected_hold")
            for name in _CLASSES
        ),
    ]


def _counts(site: int, locks: list[str], total: int = 9) -> SiteCounts:
    return SiteCounts(
        site=site,
        locks=locks,
        acquisitions=total,
        wait_sum=total,
        hold_sum=total,
        **dict.fromkeys(("contended", "trylock_failures", "releases", "wait_max", "hold_max"), 0),
    )


def _operations(count: int = 9) -> list[OperationCounts]:
    return [
        OperationCounts(
            operation=name,
            returns=count,
            **dict.fromkeys(("entries", "failures", "wait", "hold", "lock_events"), count),
        )
        for name in _OPERATIONS
    ]


def _call_sites(**changes: object) -> list[CallSite]:
    first = _SESSION.sites[0]
    return [
        msgspec.structs.replace(first, number=i, function=f"f{i}", **changes) for i in range(_SITES)
    ]


def every_name_its_own() -> Lines:
    """Each histogram of each run has a name of its own: a sum of 8 kB for each."""
    yield _session()
    for run in range(1000):
        yield _run(run, series=[_series("hold", f"n{run}.{i}", _ONE_BUCKET) for i in range(96)])


def few_names_for_each_kind() -> Lines:
    """As many names as a reader may let pass, in each metric and each kind of runs."""
    names = [f"n{i}" for i in range(90)]
    metrics = ("latency", "corrected_latency", "wait", "hold", "corrected_wait", "corrected_hold")
    yield _session()
    for run in range(300):
        kind = ("all", "ops", "locks")[run % 3]
        metric = metrics[run // 3 % 6]
        series = [_series(metric, name, _ONE_BUCKET) for name in names]
        yield _run(run, probe=kind, series=series)


def small_histograms() -> Lines:
    """As many as fit, of one bucket."""
    yield _session()
    series = _all_series(_ONE_BUCKET)
    for run in range(10_000):
        yield _run(run, series=series)


def full_histograms() -> Lines:
    """Every bucket of every histogram."""
    yield _session()
    series = _all_series(_EVERY_BUCKET)
    for run in range(120):
        yield _run(run, series=series)


def many_runs() -> Lines:
    """As many runs as a recording may have, of one histogram each."""
    yield _session()
    for run in range(40_000):
        yield _run(run, series=[_series("latency", "o0", _ONE_BUCKET)])


def runs_without_anything() -> Lines:
    """As many runs as a recording may have, without probes, in their own words."""
    yield _session()
    result = WorkloadResult(elapsed=1, operations=[OperationTruth(operation="o0", calls=1)])
    for run in range(40_000):
        yield _run(run, probed=False, result=result)


def every_call_site() -> Lines:
    """The most call sites that there can be, each with all locks, in every run."""
    yield _session(sites=_call_sites())
    sites = [_counts(i, _CLASSES) for i in range(_SITES)]
    for run in range(40):
        yield _run(run, operations=_operations(), sites=sites)


def locks_of_call_sites_that_change() -> Lines:
    """Each run has each call site with other locks: each is a metric of its own."""
    yield _session(sites=_call_sites())
    for run in range(40):
        sites = [
            _counts(i, [name for bit, name in enumerate(_CLASSES) if run + 1 >> bit & 1])
            for i in range(_SITES)
        ]
        yield _run(run, operations=_operations(), sites=sites)


def as_many_metrics_as_there_may_be() -> Lines:
    """Call sites with one lock in one run and another in the next."""
    yield _session(sites=_call_sites())
    for run in range(60):
        sites = [_counts(i, [f"l{run % 2}"]) for i in range(1700 if run % 2 else _SITES)]
        yield _run(run, operations=_operations(), sites=sites)


def metrics_of_every_number_of_runs() -> Lines:
    """No two call sites are in the same number of runs: nothing of the resampling is shared."""
    yield _session(sites=_call_sites())
    for run in range(100):
        sites = [_counts(i, ["l0"]) for i in range(2000) if i % 100 >= run]
        yield _run(run, operations=_operations(), sites=sites)


def metrics_with_a_zero() -> Lines:
    """A run without a wait in each: nothing is worked on together."""
    yield _session(sites=_call_sites())
    for run in range(60):
        sites = [_counts(i, ["l0"], 9 if run else 1) for i in range(4000)]
        first = [msgspec.structs.replace(site, wait_sum=0, hold_sum=0) for site in sites]
        yield _run(run, operations=_operations(), sites=sites if run else first)


def long_texts() -> Lines:
    """Every text as long as it may be, at every call site too."""
    text, name = "long, " * 10_000, "n" * 250
    sites = _call_sites(file=name, reason="why " * 40, attached=False, inlined=[name] * 3)
    yield _session(
        sites=sites[:2000],
        workload=text,
        command=[text] * 4,
        label=name,
        target=name,
        locks=[LockClass(name=name[:-2] + f"{i:02d}", members=[name] * 16) for i in range(16)],
    )
    for run in range(5):
        yield _run(run, series=_all_series(_ONE_BUCKET), started=name)


def every_pair_nested() -> Lines:
    """Each class under each, in every run."""
    yield _session()
    pairs = [Nesting(held=a, acquired=b, count=9) for a in _CLASSES for b in _CLASSES]
    for run in range(4000):
        yield _run(run, nesting=pairs)


def large_numbers() -> Lines:
    """Counts whose sums are beyond what a machine's numbers hold."""
    yield _session()
    most = (1 << 63) - 1
    series = [
        msgspec.structs.replace(each, count=most, sum=most, max=most, buckets=[(975, most)])
        for each in _all_series(_ONE_BUCKET)
    ]
    for run in range(30):
        yield _run(
            run, series=series, operations=_operations(most), sites=[_counts(0, ["l0"], most)]
        )


FAMILY: list[Callable[[], Lines]] = [
    every_name_its_own,
    few_names_for_each_kind,
    small_histograms,
    full_histograms,
    many_runs,
    runs_without_anything,
    every_call_site,
    locks_of_call_sites_that_change,
    as_many_metrics_as_there_may_be,
    metrics_of_every_number_of_runs,
    metrics_with_a_zero,
    long_texts,
    every_pair_nested,
    large_numbers,
]


def made(lines: Lines, path: Path, *, within: bool = False) -> Path:
    """*lines* packed into *path*, as many as fit into ``LARGEST``, or *within* the bounds of
    what is taken in: the most that is not refused for it."""
    runs = spent = 0
    with path.open("wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as file:
        for line in lines:
            spent += bounds.cost(line) if isinstance(line, Run) else 0
            if within and spent > bounds.FREE + raw.tell() // bounds.BYTES:
                break
            file.write(msgspec.json.encode(line) + b"\n")
            runs += isinstance(line, Run)
            file.flush()
            if raw.tell() > LARGEST * 9 // 10:
                break
        file.write(msgspec.json.encode(End(runs=runs)) + b"\n")
    return path


class Cost(NamedTuple):
    """Of one command: seconds of the processor, megabytes at the most, exit code, error."""

    seconds: float
    megabytes: float
    status: int
    error: str


#: Runs the command and tells its memory last, on standard error.
_MEASURED = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); from memory import peak_mb\n"
    "from z3trace.cli import run; status = run(sys.argv[1:])\n"
    "print(f'\\npeak {peak_mb():.1f}', file=sys.stderr); sys.exit(status)"
)


def cost(*words: str | Path) -> Cost:
    """What ``z3trace`` with *words* costs."""
    tests = Path(__file__).parents[1]
    command = [sys.executable, "-c", _MEASURED, str(tests), *map(str, words)]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        error, _, peak = said.read().decode(errors="replace").rpartition("\npeak ")
    megabytes = float(peak) if error or process.returncode == 0 else float("inf")
    return Cost(usage.ru_utime + usage.ru_stime, megabytes, process.returncode, error)


def commands(path: Path, good: Path) -> dict[str, list[str | Path]]:
    """The ways in which a stranger's recording is used."""
    return {
        "show": ["show", "--sites", path],
        "compare": ["compare", "--all", "--allow-mismatch", good, path],
        "compare with itself": ["compare", "--allow-mismatch", path, path],
    }


def fits(spent: Cost) -> bool:
    """Within the limits, and not by a crash."""
    within = spent.seconds <= LIMIT_SECONDS and spent.megabytes <= LIMIT_MB
    return within and spent.status in (0, 1, 3, 5) and "Traceback" not in spent.error


def main(names: list[str]) -> int:
    """Every recording of the family, or those of *names*; 0 if each stays within the limits."""
    worst, failed = Cost(0, 0, 0, ""), 0
    with tempfile.TemporaryDirectory() as directory:
        good = write(Path(directory) / "good.z3t", recording("good"))
        for family in FAMILY:
            if names and family.__name__ not in names:
                continue
            sizes = set()
            for within in (False, True):
                path = made(family(), Path(directory) / "x.z3t.gz", within=within)
                if path.stat().st_size in sizes:
                    continue  # all of it is within
                sizes.add(path.stat().st_size)
                for way, words in commands(path, good).items():
                    spent = cost(*words)
                    failed += not fits(spent)
                    size = f"{path.stat().st_size >> 10} kB"
                    said = "" if fits(spent) else "FAILED "
                    told = (spent.error.splitlines() or [""])[0].replace(str(path), "it")[:90]
                    said += f"{family.__name__}, {size}, {way}: {spent.seconds:.2f} s, "
                    print(f"{said}{spent.megabytes:.0f} MB, exit {spent.status} {told}")  # noqa: T201
                    highest = (max(pair) for pair in zip(worst[:2], spent[:2], strict=True))
                    worst = Cost(*highest, 0, "")
    print(f"worst: {worst.seconds:.2f} s, {worst.megabytes:.0f} MB")  # noqa: T201
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
