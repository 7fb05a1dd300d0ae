"""Time by latency: every run of a session as a column, so that drift and modes show."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from z3trace.analysis.comparing.comparison import Comparison
from z3trace.analysis.figures import histogram
from z3trace.analysis.figures.histogram import Floats
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.plots import latency, style
from z3trace.data import buckets


def shares(digest: Digest, operation: str) -> tuple[Floats, Floats]:
    """(share of a run's calls by cell, shape (cells, runs); edges of the cells in ns,
    shape (cells + 1,)), from the first occupied cell to the last."""
    cells = digest.cells(operation).astype(float)
    occupied = np.flatnonzero(cells.sum(axis=0))
    if not occupied.size:
        return np.zeros((0, 0)), np.zeros(1)
    first, last = int(occupied[0]), int(occupied[-1])
    totals = np.maximum(cells.sum(axis=1, keepdims=True), 1)
    edges = [float(buckets.lower(i * histogram.TO_A_CELL)) for i in range(first, last + 1)]
    edges.append(float(buckets.upper((last + 1) * histogram.TO_A_CELL - 1)))
    return (cells / totals)[:, first : last + 1].T, np.array(edges)


def _draw(axis: Axes, label: str, digest: Digest, name: str) -> None:
    share, edges = shares(digest, name)
    edges = np.maximum(edges, 1)
    runs = np.arange(share.shape[1] + 1) + 0.5
    mesh = axis.pcolormesh(runs, edges, np.sqrt(share), cmap="cividis", vmin=0, rasterized=False)
    mesh.set_edgecolor("face")
    axis.set_yscale("log")
    style.time_axis(axis.yaxis)
    axis.grid(visible=False)
    axis.set_title(f"{name}, {label}", fontsize=9)
    axis.set_xlabel("run, in the order of the session")
    axis.set_ylabel("latency (log scale)")


def draw(comparison: Comparison) -> Figure:
    """Two panels an operation, before and after; brighter: more of the run's calls (the
    square root of their share, so that a tail can be seen)."""
    names = latency.operations(comparison)
    figure, axes = style.panels(max(2 * len(names), 2), height=2.4)
    for i, name in enumerate(names):
        sides = zip(comparison.labels, (comparison.before, comparison.after), strict=True)
        for (label, side), axis in zip(sides, axes[2 * i :], strict=False):
            _draw(axis, label, side, name)
    style.title(figure, "Latency by run (brighter: more calls)", comparison, "latency")
    return figure
