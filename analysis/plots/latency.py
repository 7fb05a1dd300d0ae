"""Latency by operation: stepped ECDF, and the percentile curve towards the tail."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter

from z3trace.analysis.comparing.comparison import Comparison
from z3trace.analysis.figures import histogram
from z3trace.analysis.plots import style

_TAIL = [0.0, 0.5, 0.9, 0.99, 0.999, 0.9999]


def operations(comparison: Comparison) -> list[str]:
    """Operations that both sides have values of, in the target's order."""
    return [
        operation.name
        for operation in comparison.before.session.operations
        if all(
            side.counts("latency", operation.name).any()
            for side in (comparison.before, comparison.after)
        )
    ]


def _sides(
    comparison: Comparison, name: str
) -> list[tuple[str, histogram.Floats, dict[str, object]]]:
    return [
        (label, side.counts("latency", name), look)
        for label, side, look in zip(
            comparison.labels,
            (comparison.before, comparison.after),
            (style.BEFORE, style.AFTER),
            strict=True,
        )
    ]


def _span(axes: Axes, counts: list[histogram.Floats]) -> None:
    """From the smallest to the 99.95th percentile: the last few values would push
    everything else to one side."""
    low = min(histogram.quantiles(c, [0.001])[0] for c in counts)
    high = max(histogram.quantiles(c, [0.9995])[0] for c in counts)
    axes.set_xlim(low * 0.8, high * 1.25)


def ecdf(comparison: Comparison) -> Figure:
    """Share of calls that took at most so long, by operation; log time axis."""
    names = operations(comparison)
    figure, axes = style.panels(max(len(names), 1))
    for axis, name in zip(axes, names, strict=False):
        sides = _sides(comparison, name)
        for label, counts, look in sides:
            edges, share = histogram.ecdf(counts)
            axis.step(edges, share, where="post", label=label, **look)  # type: ignore[arg-type]
        axis.set_xscale("log")
        _span(axis, [counts for _, counts, _ in sides])
        style.time_axis(axis.xaxis)
        axis.set_ylim(0, 1)
        axis.set_title(
            f"{name}, {sides[0][1].sum():.0f} and {sides[1][1].sum():.0f} calls", fontsize=9
        )
        axis.set_xlabel("latency (log scale)")
        axis.set_ylabel("share of calls")
        axis.legend(loc="lower right")
    style.title(figure, "Latency: empirical distribution by operation", comparison, "latency")
    return figure


def percentiles(comparison: Comparison) -> Figure:
    """Latency over the percentile, on an axis of 1/(1-p) that opens up the tail."""
    names = operations(comparison)
    figure, axes = style.panels(max(len(names), 1))
    for axis, name in zip(axes, names, strict=False):
        for label, counts, look in _sides(comparison, name):
            most = np.log10(max(counts.sum() / 10, 10))
            x = np.logspace(0, most, 300)
            axis.plot(x, histogram.quantiles(counts, 1 - 1 / x), label=label, **look)  # type: ignore[arg-type]
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.xaxis.set_major_locator(FixedLocator([1 / (1 - p) for p in _TAIL]))
        axis.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{(1 - 1 / x) * 100:g}"))
        axis.xaxis.set_minor_locator(FixedLocator([]))
        style.time_axis(axis.yaxis)
        axis.set_title(name, fontsize=9)
        axis.set_xlabel("percentile (axis: 1/(1-p))")
        axis.set_ylabel("latency (log scale)")
        axis.legend(loc="upper left")
    style.title(figure, "Latency: percentile curve by operation", comparison, "latency")
    return figure
