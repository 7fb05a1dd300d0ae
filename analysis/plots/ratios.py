"""After/before at every quantile, with its 95 % band over runs."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter

from z3trace.analysis.comparing.comparison import Comparison
from z3trace.analysis.figures import histogram
from z3trace.analysis.figures.run import AT
from z3trace.analysis.plots import latency, palette, style
from z3trace.analysis.statistics.effect import Sample, effects

_RATIOS = [0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10]
_TICKS = [0.1, 0.5, 0.9, 0.99, 0.999]


def band(comparison: Comparison, name: str) -> histogram.Floats:
    """(ratio, low, high) at each quantile AT, shape (25, 3)."""
    before, after = comparison.before.curves(name), comparison.after.curves(name)
    samples = [
        Sample(list(before[:, i]), list(after[:, i]), comparison.paired) for i in range(AT.size)
    ]
    return np.array([(e.ratio, e.low, e.high) for e in effects(samples)])


def draw(comparison: Comparison) -> Figure:
    """Below 1 the patch made the operation faster, at that part of its distribution."""
    names = latency.operations(comparison)
    figure, axes = style.panels(max(len(names), 1))
    for axis, name in zip(axes, names, strict=False):
        ratio, low, high = band(comparison, name).T
        x = 1 / (1 - AT)
        axis.axhline(1, color=palette.GREY, linewidth=1)
        axis.fill_between(
            x, low, high, color=style.AFTER["color"], alpha=0.25, linewidth=0, label="95 % interval"
        )
        axis.plot(x, ratio, color=style.AFTER["color"], label="ratio")
        axis.set_xscale("log")
        axis.set_yscale("log", base=2)
        axis.xaxis.set_major_locator(FixedLocator([1 / (1 - p) for p in _TICKS]))
        axis.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{(1 - 1 / v) * 100:g}"))
        axis.xaxis.set_minor_locator(FixedLocator([]))
        axis.yaxis.set_major_locator(FixedLocator(_RATIOS))
        axis.yaxis.set_minor_locator(FixedLocator([]))
        axis.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
        # A band that a wild run blew up is cut at the frame: the line stays readable.
        bottom = max(float(np.nanmin(low)), float(np.nanmin(ratio)) / 2)
        top = min(float(np.nanmax(high)), float(np.nanmax(ratio)) * 2)
        axis.set_ylim(min(0.45, bottom * 0.9), max(1.1, top * 1.1))
        axis.set_title(name, fontsize=9)
        axis.set_xlabel("percentile (axis: 1/(1-p))")
        axis.set_ylabel("after / before")
        axis.legend(loc="best", fontsize=8)
    style.title(
        figure,
        "Ratio of latency quantiles, after / before (below 1: faster)",
        comparison,
        "latency",
    )
    return figure
