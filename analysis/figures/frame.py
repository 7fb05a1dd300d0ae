"""Recordings -> one tidy pandas table, for export and for a notebook.

A row is one number of one run: ``side, run, seed, way, metric, operation, lock, statistic,
unit, value``.  ``way`` says how it was seen.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from z3trace.analysis.figures.recording import Digest, subject
from z3trace.analysis.figures.ways import Subject

COLUMNS = [
    *("side", "run", "seed", "way", "metric", "operation", "lock", "statistic", "unit", "value")
]


def per_run(digest: Digest, side: str) -> pd.DataFrame:
    """The table of one recording, shape (figures, 10); each figure from the way that
    disturbs it least, see ``ways``."""
    parts = []
    for key, runs, values, _ in digest.rows():
        facts = [digest.runs[i] for i in runs]
        part = {
            "side": side,
            "run": [run.number for run in facts],
            "seed": [run.seed for run in facts],
            **key._asdict(),
            "value": np.asarray(values),
            "way": digest.way(subject(key)),
        }
        parts.append(pd.DataFrame(part, columns=COLUMNS))
    if not parts:
        return pd.DataFrame(columns=COLUMNS)
    return pd.concat(parts, ignore_index=True)


def tidy(digests: Sequence[tuple[str, Digest]]) -> pd.DataFrame:
    """The tables of several recordings under each other."""
    return pd.concat([per_run(digest, side) for side, digest in digests], ignore_index=True)


def labelled(digests: Sequence[Digest]) -> pd.DataFrame:
    """``tidy``, where each recording's side is its label."""
    return tidy([(digest.session.label, digest) for digest in digests])


def histograms(digest: Digest, side: str) -> pd.DataFrame:
    """Merged histograms: ``side, metric, name, lower, upper, count, way``; ``[lower,
    upper)``."""
    from z3trace.data import buckets

    rows = [
        (
            side,
            metric,
            name,
            buckets.lower(int(i)),
            buckets.upper(int(i)),
            int(counts[i]),
            digest.way(Subject(metric, name)),
        )
        for metric, name, counts in digest.histograms()
        for i in np.flatnonzero(counts)
    ]
    return pd.DataFrame(rows, columns=["side", "metric", "name", "lower", "upper", "count", "way"])
