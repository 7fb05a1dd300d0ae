"""Lock classes as nodes, nesting as arrows with counts: the order in which locks are taken."""

import math
from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from z3trace.analysis import units
from z3trace.analysis.comparing.comparison import Comparison
from z3trace.analysis.plots import palette, style

Edges = Mapping[tuple[str, str], int]
_RADIUS = 0.72
_BEND = 0.16
#: Arrows of a panel: four times as many as eight lock classes can have.
MOST = 256


def nodes(graphs: Mapping[str, Edges]) -> dict[str, tuple[float, float]]:
    """Lock class -> its place on a circle, the same in every picture."""
    names = sorted({name for edges in graphs.values() for pair in edges for name in pair})
    count = max(len(names), 1)
    return {
        name: (
            _RADIUS * math.sin(2 * math.pi * i / count),
            _RADIUS * math.cos(2 * math.pi * i / count),
        )
        for i, name in enumerate(names)
    }


def inverted(edges: Edges) -> set[tuple[str, str]]:
    """Pairs that are asked for in both orders."""
    return {(a, b) for a, b in edges if a != b and (b, a) in edges}


def most_frequent(edges: Edges) -> list[tuple[tuple[str, str], int]]:
    """The ``MOST`` most frequent of them, in their own order."""
    kept = set(sorted(edges, key=lambda pair: -edges[pair])[:MOST])
    return [(pair, count) for pair, count in edges.items() if pair in kept]


def of_comparison(comparison: Comparison) -> Figure:
    """Before and after, side by side; trylocks included, as recordings count them."""
    before, after = comparison.labels
    return draw(
        {
            f"before: {before}": comparison.before.nesting(),
            f"after: {after}": comparison.after.nesting(),
        },
        judged=False,
    )


def draw(graphs: Mapping[str, Edges], *, judged: bool = True) -> Figure:
    """A panel for each of *graphs*: title -> {(held, asked for): count}.

    *judged*: without trylocks, so that two arrows between two classes are an inversion.
    Of more than ``MOST`` arrows the most frequent ones are drawn, and the panel says so.
    """
    every = graphs
    graphs = {title: dict(most_frequent(edges)) for title, edges in every.items()}
    places = nodes(graphs)
    figure, axes = style.panels(len(graphs), width=4.0, height=2.9, columns=len(graphs))
    for axis, (title, edges) in zip(axes, graphs.items(), strict=True):
        axis.set_axis_off()
        axis.set_aspect("equal")
        axis.set_xlim(-1.25, 1.25)
        axis.set_ylim(-0.75, 0.95)
        left_out = len(every[title]) - len(edges)
        more = f", {left_out} arrows left out" if left_out else ""
        axis.set_title(f"{title}{more}", fontsize=9)
        _edges(axis, edges, places, inverted(edges) if judged else set())
        used = {name for pair in edges for name in pair}
        for name, (x, y) in places.items():
            colour = palette.BEFORE if name in used else palette.UNUSED
            axis.text(
                *(x, y, name),
                ha="center",
                va="center",
                zorder=3,
                bbox={"boxstyle": "round,pad=0.4", "facecolor": "white", "edgecolor": colour},
            )
        if not edges:
            axis.text(0, 0, "no lock is taken under another", ha="center", color=palette.GREY)
    tries = "" if judged else ", or tried for"
    figure.suptitle(
        f"Lock order: an arrow from the lock held to the lock asked for{tries}", fontsize=9.5
    )
    return figure


def _on_the_way(start: tuple[float, float], end: tuple[float, float]) -> tuple[float, float]:
    """A point of the arrow, nearer its beginning: the counts of two arrows between the
    same nodes, and of the arrows of a triangle, stay apart."""
    (x, y), (u, v) = start, end
    over = ((x + u) / 2 + _BEND * (v - y), (y + v) / 2 - _BEND * (u - x))
    t = 0.38
    a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t**2
    return a * x + b * over[0] + c * u, a * y + b * over[1] + c * v


def _edges(
    axis: Any,
    edges: Edges,
    places: Mapping[str, tuple[float, float]],
    both: set[tuple[str, str]],
) -> None:
    for (held, acquired), count in sorted(edges.items()):
        (x, y), (u, v) = places[held], places[acquired]
        colour = palette.INVERTED if (held, acquired) in both else palette.GREY
        if held == acquired:
            axis.text(
                x,
                y - 0.24,
                f"itself: {units.count(count)}",
                ha="center",
                fontsize=7.5,
                color=colour,
            )
            continue
        axis.annotate(
            "",
            xy=(u, v),
            xytext=(x, y),
            arrowprops={
                "arrowstyle": "-|>",
                "color": colour,
                "connectionstyle": f"arc3,rad={_BEND}",
                "shrinkA": 24,
                "shrinkB": 24,
            },
        )
        axis.text(
            *_on_the_way((x, y), (u, v)),
            units.count(count),
            ha="center",
            va="center",
            fontsize=7.5,
            color=colour,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
            zorder=4,  # above the arrow
        )
