"""The quiet table that ``compare`` prints."""

from collections.abc import Sequence
from dataclasses import dataclass

from z3trace.analysis.comparing.comparison import Comparison, Metric
from z3trace.analysis.report import folding, headline, many, row, setup
from z3trace.analysis.report.table import Table
from z3trace.printable import joined
from z3trace.words import amount

_HEADER = [
    *("", "", "before", "after", "change", "ratio 95 %", "verdict"),
    *("seen by", "instr.", "p", "n", "sees"),
]
#: Columns that are left out where there is no room, the first first.  How a figure was
#: seen, and how much of it is the instrument's, is never left out.
_SPARE = (11, 10, 9, 5)
_GREEN, _RED, _PLAIN = "\x1b[32m", "\x1b[31m", "\x1b[0m"


@dataclass(frozen=True)
class Screen:
    """What it is printed to: columns (0: as many as it takes), and colour or none."""

    width: int = 0
    colour: bool = False


SCREEN = Screen()


def _cells(metric: Metric) -> list[str]:
    r = row.of(metric)
    return [
        *(r.name, r.statistic, r.before, r.after, r.change),
        *(r.interval, r.verdict, r.way, r.share, r.p, r.runs, r.sees),
    ]


def _fitted(rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """The table, without as many of the spare columns as it takes to fit *width*."""
    whole = Table(_HEADER, rows, 2)
    for dropped in range(len(_SPARE) + 1):
        lines = whole.without(_SPARE[:dropped]).aligned()
        if not width or max(map(len, lines)) <= width:
            break
    return lines


def _coloured(line: str, verdict: str) -> str:
    colour = {"better": _GREEN, "worse": _RED}.get(verdict)
    return f"{colour}{line}{_PLAIN}" if colour else line


def _two(comparison: Comparison, *, everything: bool, screen: Screen) -> str:
    """What was decided, what was not in a line for each kind, and what must be known to
    read it; or every figure."""
    folded = folding.fold(comparison, primary=False)
    shown = comparison.metrics if everything else folded.shown
    before, after = comparison.labels
    header, *body = _fitted([_cells(m) for m in shown], screen.width)
    above = [f"before: {before}    after: {after}    {setup.runs(comparison)}", ""]
    above[:0] = headline.contradictions(comparison)
    if screen.colour:
        body = [_coloured(line, m.verdict) for line, m in zip(body, shown, strict=True)]
    first = comparison.family.primary
    counted = headline.verdict_counts(comparison)
    tests = amount(comparison.tests, "test")
    told = f"{counted} of {tests}, {first} of them asked first; {len(shown)} of "
    told += f"{amount(len(comparison.metrics), 'figure')} shown"
    out = ["", told]
    out += [] if everything else folded.lines
    out += [f"note: {caveat}" for caveat in comparison.caveats]
    return joined([*above, header]) + "".join(f"{line}\n" for line in body) + joined(out)


def render(
    comparisons: Sequence[Comparison], *, everything: bool = False, screen: Screen = SCREEN
) -> str:
    """The table of one comparison, or of several with one first recording; ends in a
    newline."""
    if len(comparisons) > 1:
        return many.render(comparisons, everything=everything)
    return _two(comparisons[0], everything=everything, screen=screen)
