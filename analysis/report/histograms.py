"""Histograms as a line of text: two cells to an octave, on one axis for both sides."""

from collections.abc import Sequence

import numpy as np

from z3trace.analysis import units
from z3trace.analysis.figures.histogram import TO_A_CELL, Floats
from z3trace.analysis.figures.metrics import BY_NAME, DISTRIBUTIONS
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.figures.sides import short
from z3trace.data import buckets
from z3trace.printable import joined

_BLOCKS = " \u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"
_ASCII = " .:-=+*%@"


def _cells(counts: Floats) -> Floats:
    """Counts by cell, shape (122,)."""
    cells: Floats = counts.reshape(-1, TO_A_CELL).sum(axis=1)
    return cells


def _line(cells: Floats, marks: str) -> str:
    top = cells.max()
    if not top:
        return ""
    steps = np.ceil(cells / top * (len(marks) - 1)).astype(int)
    return "".join(marks[step] for step in steps)


def render(sides: Sequence[tuple[str, Digest]], *, unicode: bool) -> str:
    """Latency by operation, wait and hold by lock class; ends in a newline."""
    marks = _BLOCKS if unicode else _ASCII
    names = dict.fromkeys(
        (metric, name)
        for _, digest in sides
        for metric, name, _ in digest.histograms()
        if BY_NAME[metric] in DISTRIBUTIONS
    )
    labels = short([label for label, _ in sides])
    width = max(map(len, labels), default=0)
    out = []
    for metric, name in names:
        cells = [_cells(digest.counts(metric, name)) for _, digest in sides]
        occupied = np.flatnonzero(np.sum(cells, axis=0))
        if not occupied.size:
            continue
        first, last = int(occupied[0]), int(occupied[-1])
        low = units.nanoseconds(buckets.lower(first * TO_A_CELL))
        high = units.nanoseconds(buckets.upper((last + 1) * TO_A_CELL - 1))
        out.append(f"{metric} {name}, {low} to {high}, log scale")
        for label, counts in zip(labels, cells, strict=True):
            out.append(f"  {label:{width}} |{_line(counts[first : last + 1], marks)}|")
    return joined(out)
