"""Wait and hold by lock class, before and after."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from z3trace.analysis.comparing.comparison import Comparison
from z3trace.analysis.figures import costs, histogram, ways
from z3trace.analysis.figures.recording import Digest, subject
from z3trace.analysis.figures.run import Key
from z3trace.analysis.plots import style
from z3trace.printable import visible

#: What a bar spans, what its thick part spans, and its tick.
WHISKER, BOX, MIDDLE = (0.01, 0.99), (0.25, 0.75), 0.5
#: Where no wait at all is drawn, in ns: a log axis has no 0.
_NONE = 10.0


def rows(comparison: Comparison, metric: str) -> list[tuple[str, str, histogram.Floats]]:
    """(lock class, side, [p1, p25, p50, p75, p99] in ns) of every class with values."""
    at = [WHISKER[0], BOX[0], MIDDLE, BOX[1], WHISKER[1]]
    quantiles = []
    for lock in comparison.before.session.locks:
        for side, digest in (("before", comparison.before), ("after", comparison.after)):
            counts = digest.counts(metric, lock.name)
            if counts.any():
                values = histogram.quantiles(counts, at)
                quantiles.append(
                    (lock.name, side, _without_cost(digest, metric, lock.name, values))
                )
    return quantiles


def _without_cost(
    digest: Digest, metric: str, lock: str, values: histogram.Floats
) -> histogram.Floats:
    """Quantiles as a comparison takes them: without a cost that was measured in place."""
    key = Key(metric, "", lock, "p50", "ns")
    way = digest.way(subject(key))
    cost = costs.shown(digest, subject(key), way) if costs.in_place(key, way) else None
    return costs.corrected(digest, key, way, values, cost)[0] if cost else values


def _label(comparison: Comparison, metric: str, lock: str) -> str:
    """A lock class, how it was seen, and how much of its mean is the instrument's."""
    for mean in comparison.select(metric, "mean"):
        if mean.lock == lock:
            return f"{lock}\n{ways.words(mean.way)}, {mean.instrument}"
    return lock


def _bars(axis: Axes, comparison: Comparison, metric: str) -> None:
    names = list(dict.fromkeys(name for name, _, _ in rows(comparison, metric)))
    labelled: set[str] = set()
    sides = dict(zip(("before", "after"), comparison.labels, strict=True))
    for name, side, values in rows(comparison, metric):
        p1, p25, p50, p75, p99 = (max(value, _NONE) for value in values)
        look = style.BEFORE if side == "before" else style.AFTER
        y = names.index(name) + (-0.17 if side == "before" else 0.17)
        label = None if side in labelled else sides[side]
        labelled.add(side)
        axis.plot([p1, p99], [y, y], color=look["color"], linestyle=look["linestyle"], linewidth=1)
        axis.barh(
            y,
            p75 - p25,
            left=p25,
            height=0.26,
            color=look["color"],
            alpha=0.45,
            hatch="" if side == "before" else "//",
            edgecolor=look["color"],
            label=label,
        )
        axis.plot([p50], [y], marker="|", markersize=13, markeredgewidth=2.4, color=look["color"])
    labels = [visible(_label(comparison, metric, name), keep="\n") for name in names]
    axis.set_yticks(range(len(names)), labels)
    axis.invert_yaxis()
    axis.set_xscale("log")
    low, high = axis.get_xlim()
    axis.set_xlim(max(low, _NONE), high)
    style.time_axis(axis.xaxis)
    axis.set_xlabel(f"{metric} (log, from 10 ns); tick: median, box: p25-p75, line: p1-p99")
    axis.set_title(metric, fontsize=9)


def draw(comparison: Comparison) -> Figure:
    """Two panels: from attempt to acquisition, and from acquisition to release."""
    figure, axes = style.panels(2, width=5.6, height=3.4)
    for axis, metric in zip(axes, ("wait", "hold"), strict=True):
        _bars(axis, comparison, metric)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False)
    style.title(figure, "Locks: wait and hold by lock class", comparison, "wait", "hold")
    return figure
