"""A recording in other tools' forms: CSV, Parquet, OpenMetrics, HdrHistogram's text."""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from z3trace import paths
from z3trace.analysis.figures.histogram import Floats
from z3trace.analysis.figures.recording import Digest
from z3trace.data import buckets
from z3trace.errors import UsageError, Z3traceError

SUFFIXES = (".csv", ".parquet", ".prom", ".hgrm")
_NS = 1e-9
_METRICS = {
    "latency": ("operation", "Latency of the target's operations"),
    "wait": ("lock", "Time from the attempt on a lock to its acquisition"),
    "hold": ("lock", "Time from a lock's acquisition to its release"),
}


def tidy_csv(digests: Sequence[Digest]) -> str:
    """The tidy frame, a line for each number of each run; ``side`` is the label."""
    from z3trace.analysis.figures import frame

    text = frame.tidy([(one.session.label, one) for one in digests]).to_csv(index=False)
    return str(text)


def parquet(digests: Sequence[Digest]) -> bytes:
    """The tidy frame as Parquet."""
    from z3trace.analysis.figures import frame

    table = frame.tidy([(one.session.label, one) for one in digests])
    buffer = io.BytesIO()
    try:
        table.to_parquet(buffer, index=False)
    except ImportError as error:
        raise Z3traceError(
            "Parquet needs pyarrow", "pip install pyarrow; or export .csv"
        ) from error
    return buffer.getvalue()


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _labels(**values: str) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in values.items())


def _histogram(name: str, labels: str, counts: Floats, total: float) -> Iterator[str]:
    """``le`` includes its bound: it is the last whole nanosecond of a bucket."""
    cumulative = 0
    for index in np.flatnonzero(counts):
        cumulative += int(counts[index])
        bound = (buckets.upper(int(index)) - 1) * _NS
        yield f'{name}_bucket{{{labels},le="{bound:.9g}"}} {cumulative}'
    yield f'{name}_bucket{{{labels},le="+Inf"}} {cumulative}'
    yield f"{name}_count{{{labels}}} {cumulative}"
    yield f"{name}_sum{{{labels}}} {total * _NS:.9g}"


def openmetrics(digests: Sequence[Digest]) -> str:
    """Histograms over all runs in OpenMetrics 1.0 text, in seconds; ends in ``# EOF``."""
    out = []
    for metric, (kind, what) in _METRICS.items():
        name = f"z3trace_{metric}_seconds"
        out += [f"# TYPE {name} histogram", f"# UNIT {name} seconds", f"# HELP {name} {what}."]
        for one in digests:
            for found, subject, counts in one.histograms():
                if found != metric:
                    continue
                session = one.session
                labels = _labels(
                    target=session.target,
                    variant=session.label,
                    kernel=session.environment.kernel,
                    **{kind: subject},
                )
                out += _histogram(name, labels, counts, one.total(metric, subject))
    return "\n".join([*out, "# EOF"]) + "\n"


def _percentile_rows(counts: Floats) -> Iterator[str]:
    """Five steps to each halving of what is left above, as HdrHistogram prints them."""
    total = int(counts.sum())
    halvings = int(np.ceil(np.log2(total))) + 1
    steps = (1 - 0.5**half * (1 - step / 10) for half in range(halvings) for step in range(5))
    cumulative = np.cumsum(counts)
    for share in steps:
        index = int(np.searchsorted(cumulative, max(share * total, 0.5), side="left"))
        if cumulative[index] >= total:
            break
        value = f"{buckets.upper(index) - 1:12.3f} {share:2.12f} {int(cumulative[index]):10d}"
        yield f"{value} {1 / (1 - share):14.2f}"
    last = int(np.flatnonzero(counts)[-1])
    yield f"{buckets.upper(last) - 1:12.3f} {1.0:2.12f} {total:10d}"


def hgrm(digest: Digest, series: str) -> str:
    """One series (``latency:alloc``) as HdrHistogram's percentile text, values in ns."""
    metric, _, name = series.partition(":")
    counts = digest.counts(metric, name)
    total = counts.sum()
    if not total:
        known = ", ".join(f"{m}:{n}" for m, n, _ in digest.histograms())
        raise UsageError(f"{digest.path} has no series {series!r}", f"it has: {known}")
    mean = digest.total(metric, name) / total
    occupied = np.flatnonzero(counts)
    middles = np.array([(buckets.lower(int(i)) + buckets.upper(int(i))) / 2 for i in occupied])
    spread = float(np.sqrt(np.average((middles - mean) ** 2, weights=counts[occupied])))
    out = ["       Value     Percentile TotalCount 1/(1-Percentile)", "", *_percentile_rows(counts)]
    most = buckets.upper(int(occupied[-1])) - 1
    out.append(f"#[Mean    = {mean:12.3f}, StdDeviation   = {spread:12.3f}]")
    out.append(f"#[Max     = {most:12.3f}, Total count    = {int(total):12d}]")
    out.append(
        f"#[Buckets = {buckets.BUCKETS // buckets.SUB:12d}, SubBuckets     = {buckets.SUB:12d}]"
    )
    return "\n".join(out) + "\n"


def check_name(path: Path) -> None:
    if path.suffix not in SUFFIXES:
        raise UsageError(f"{path}: an export ends in one of {', '.join(SUFFIXES)}")


def write(digests: Sequence[Digest], path: Path, series: str) -> None:
    """Write *digests* in the form that the name asks for, whole or not at all."""
    check_name(path)
    if path.suffix == ".csv":
        paths.write_atomic(path, tidy_csv(digests))
    elif path.suffix == ".parquet":
        paths.write_atomic(path, parquet(digests))
    elif path.suffix == ".prom":
        paths.write_atomic(path, openmetrics(digests))
    elif len(digests) > 1 or not series:
        raise UsageError(
            "a .hgrm file is of one series of one recording", "name it: --series latency:alloc"
        )
    else:
        paths.write_atomic(path, hgrm(digests[0], series))
