"""A metric over an archive of sessions, change points marked."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from z3trace.analysis.comparing.trend import Trend
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.figures.sides import short
from z3trace.analysis.plots import style


def draw(trends: Sequence[Trend], digests: Sequence[Digest], path: Path, form: str = "") -> None:
    """One panel a metric, mean of each session over sessions; PNG or SVG as *form* says, such
    as ``.svg``, or the name."""
    shown = [trend for trend in trends if trend.key.statistic == "mean"]
    figure, axes = style.panels(max(len(shown), 1))
    positions = np.arange(len(digests))
    labels = short([digest.session.label for digest in digests])
    for axis, trend in zip(axes, shown, strict=False):
        axis.plot(positions, trend.centres, marker="o", markersize=3.5, **style.BEFORE)
        for change in trend.changes:
            axis.axvline(change.at - 0.5, **style.AFTER)
            axis.annotate(
                change.words,
                (change.at - 0.5, 0.98),
                xycoords=("data", "axes fraction"),
                rotation=90,
                va="top",
                ha="right",
                fontsize=8,
            )
        axis.set_ylim(bottom=0)
        axis.set_xticks(positions, labels, rotation=90, fontsize=7)
        name = trend.key.name(statistic=False)
        axis.set_title(f"{name}, mean [{trend.key.unit}]", fontsize=9)
    session = digests[0].session
    figure.suptitle(
        f"{session.target}, {session.environment.kernel}: {len(digests)} sessions", fontsize=9.5
    )
    style.save(figure, path, form)
    style.close(figure)
