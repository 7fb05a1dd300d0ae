"""The quiet table that ``compare`` prints."""

from collections.abc import Sequence
from dataclasses import dataclass

from z3trace.analysis import units
from z3trace.analysis.comparing.comparison import Comparison, Metric
from z3trace.analysis.report import content, details
from z3trace.columns import table

_HEADER = ["", "", "before", "after", "change", "ratio 95 %", "verdict", "p", "n", "sees"]
#: Columns that are left out where there is no room, the first first.
_SPARE = (9, 8, 7, 5)
_GREEN, _RED, _PLAIN = "\x1b[32m", "\x1b[31m", "\x1b[0m"


@dataclass(frozen=True)
class Screen:
    """What it is printed to: columns (0: as many as it takes), and colour or none."""

    width: int = 0
    colour: bool = False


def _row(metric: Metric) -> list[str]:
    e = metric.effect
    p = f"{metric.p_adjusted:.3f}" if metric.p_adjusted == metric.p_adjusted else ""
    return [
        content.name(metric),
        metric.statistic,
        units.value(e.before, metric.unit),
        units.value(e.after, metric.unit),
        units.change(e.ratio),
        units.interval(e.low, e.high),
        metric.verdict,
        p,
        f"{e.n_before}+{e.n_after}",
        units.detectable(metric.detectable),
    ]


def _fitted(rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """The table, without as many of the spare columns as it takes to fit *width*."""
    dropped: set[int] = set()
    for column in (None, *_SPARE):
        if column is not None:
            dropped.add(column)
        kept = [i for i in range(len(_HEADER)) if i not in dropped]
        shown = table([_HEADER[i] for i in kept], [[row[i] for i in kept] for row in rows], 2)
        if not width or max(map(len, shown)) <= width:
            break
    return shown


def _coloured(line: str, verdict: str) -> str:
    colour = {"better": _GREEN, "worse": _RED}.get(verdict)
    return f"{colour}{line}{_PLAIN}" if colour else line


def render(comparison: Comparison, *, everything: bool, screen: Screen) -> str:
    """A table and what must be known to read it; ends in a newline."""
    chosen = comparison.metrics if everything else content.main(comparison)
    b, a = comparison.before.session, comparison.after.session
    out = [f"before: {b.label}    after: {a.label}    {content.runs(comparison)}", ""]
    header, *body = _fitted([_row(m) for m in chosen], screen.width)
    out.append(header)
    for line, metric in zip(body, chosen, strict=True):
        out.append(_coloured(line, metric.verdict) if screen.colour else line)
    out += ["", f"{content.verdicts(comparison)} (Holm over {comparison.tests} tests)"]
    more = details.more_runs(comparison)
    out += [more] if more else []
    out += [f"note: {caveat}" for caveat in comparison.caveats]
    return "\n".join(out) + "\n"
