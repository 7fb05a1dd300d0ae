"""One histogram as HdrHistogram's percentile text, for its plotters."""

from collections.abc import Iterator, Sequence

import numpy as np

from z3trace.analysis.figures.histogram import Floats
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.figures.ways import Subject
from z3trace.data import buckets
from z3trace.errors import UsageError


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


def text(digest: Digest, series: str) -> str:
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
    out.append(f"#[Way     = {digest.way(Subject(metric, name))}]")
    return "\n".join(out) + "\n"


def only(digests: Sequence[Digest], series: str) -> str:
    """The text of the one series of the one recording; UsageError if there are more."""
    if len(digests) > 1 or not series:
        raise UsageError(
            "a .hgrm file is of one series of one recording", "name it: --series latency:alloc"
        )
    return text(digests[0], series)
