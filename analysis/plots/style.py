"""One look for all plots: colour-blind safe, line styles as well, byte-stable SVG."""

import io
import warnings
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from z3trace.analysis import units
from z3trace.analysis.comparing.comparison import Comparison
from z3trace.analysis.figures import ways
from z3trace.analysis.plots import palette
from z3trace.data import outputs
from z3trace.printable import visible

# A label is text, whatever dollars and backslashes are in it.
mpl.rcParams["text.parse_math"] = False

BEFORE: dict[str, Any] = {"color": palette.BEFORE, "linestyle": "-"}
AFTER: dict[str, Any] = {"color": palette.AFTER, "linestyle": "--"}
_SETTINGS: Any = {
    "svg.hashsalt": "z3trace",
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.6,
    "legend.frameon": False,
    "figure.dpi": 100,
    "savefig.dpi": 160,
}


def panels(
    count: int, width: float = 4.3, height: float = 2.9, columns: int = 2
) -> tuple[Figure, list[Axes]]:
    """A figure of *count* panels, *columns* to a row; what is left over is hidden."""
    rows = -(-count // columns)
    with mpl.rc_context(_SETTINGS):
        figure, grid = plt.subplots(
            rows,
            columns,
            figsize=(width * columns, height * rows + 0.9),
            squeeze=False,
            layout="constrained",
        )
    axes = list(grid.flat)
    for spare in axes[count:]:
        spare.set_visible(False)
    return figure, axes[:count]


#: Characters of a line of text, which must not push all else out of a picture.
WIDEST = 160

#: Decades that have room for three labels each, in the narrowest panel.
_LABELED_DECADES = 2.3


def time_axis(axis: Any) -> None:
    """A log axis of nanoseconds that reads 1 us, 10 us, 100 us; with 2 and 5 between them
    if what is drawn by now leaves room for that."""
    low, high = axis.get_view_interval()
    wide = low > 0 and high / low > 10**_LABELED_DECADES
    axis.set_major_locator(LogLocator(subs=(1,) if wide else (1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))
    axis.set_minor_formatter(NullFormatter())


def _short(value: float) -> str:
    text, unit = units.nanoseconds(value).split(" ") if value > 0 else ("0", "ns")
    return f"{float(text):g} {unit.replace('us', 'µs')}"


def title(figure: Figure, text: str, comparison: Comparison, *metrics: str) -> None:
    """What it shows, and what must be known to read it: kernel, variants, how *metrics*
    were seen, and n."""
    b, a = comparison.before, comparison.after
    before, after = comparison.labels
    environment = b.session.environment
    where = f"{b.session.target}, {environment.kernel}"
    if environment.virtualization != "none":
        where += f", {environment.virtualization}"
    seen = ways.order({b.way(of) for of in b.subjects() if of.metric in metrics} - {""})
    told = [f"{ways.words(way)} n={len(b.of_way(way))}+{len(a.of_way(way))}" for way in seen]
    figure.suptitle(
        f"{text}\n{before} (before) and {after} (after); runs: {', '.join(told)}\n{where}",
        fontsize=9.5,
    )


def _cut(line: str) -> str:
    return f"{line[: WIDEST // 2]}..{line[2 - WIDEST // 2 :]}"


def _drawn(figure: Figure, kind: str, **metadata: str | None) -> bytes:
    """The figure in a format, every text in it made visible."""
    for text in figure.findobj(Text):
        lines = visible(text.get_text(), keep="\n").split("\n")
        text.set_text("\n".join(line if len(line) <= WIDEST else _cut(line) for line in lines))
    with mpl.rc_context(_SETTINGS), io.BytesIO() as buffer, warnings.catch_warnings():
        # Of letters that the font lacks, and of names that leave no room for what is drawn:
        # nothing that a user could mend.
        warnings.simplefilter("ignore", UserWarning)
        figure.savefig(buffer, format=kind, metadata=metadata)
        return buffer.getvalue()


def svg(figure: Any) -> str:
    """The figure as SVG text, the same bytes for the same figure."""
    return _drawn(figure, "svg", Date=None, Creator="z3trace").decode()


def save(figure: Any, path: Path, form: str = "") -> None:
    """Write the figure as *form* or its name says, through a temporary name."""
    png = (form or path.suffix) != ".svg"
    outputs.deliver(path, _drawn(figure, "png", Software="z3trace") if png else svg(figure))


def close(figure: Any) -> None:
    plt.close(figure)
