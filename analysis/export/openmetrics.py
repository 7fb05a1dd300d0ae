"""Histograms as OpenMetrics text, for Prometheus."""

from collections.abc import Iterator, Sequence

import numpy as np

from z3trace.analysis.figures import metrics
from z3trace.analysis.figures.histogram import Floats
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.figures.ways import Subject
from z3trace.data import buckets
from z3trace.errors import Z3traceError
from z3trace.printable import visible

_NS = 1e-9


def _escaped(text: str) -> str:
    return visible(text, keep="\n").replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


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


def text(digests: Sequence[Digest]) -> str:
    """Histograms over all runs in OpenMetrics 1.0 text, in seconds; ends in ``# EOF``."""
    out = []
    for metric in metrics.DISTRIBUTIONS:
        name = f"z3trace_{metric.name}_seconds"
        out += [
            f"# TYPE {name} histogram",
            f"# UNIT {name} seconds",
            f"# HELP {name} {metric.meaning}.",
        ]
        written: set[str] = set()
        for digest in digests:
            for recorded, subject, counts in digest.histograms():
                if recorded != metric.name:
                    continue
                session = digest.session
                labels = _labels(
                    target=session.target,
                    variant=session.label,
                    kernel=session.environment.kernel,
                    way=digest.way(Subject(metric.name, subject)),
                    **{metric.subject: subject},
                )
                if labels in written:
                    raise Z3traceError(
                        f"{digest.path} has two histograms of {metric.name} that no label tells "
                        f"apart: {visible(subject)}"
                    )
                written.add(labels)
                out += _histogram(name, labels, counts, digest.total(metric.name, subject))
    return "\n".join([*out, "# EOF"]) + "\n"
