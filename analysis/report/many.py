"""Several recordings against the first: one table, and JSON."""

import textwrap
from collections.abc import Sequence

from z3trace.analysis import units
from z3trace.analysis.comparing.comparison import Comparison, Metric
from z3trace.analysis.figures.sides import short
from z3trace.analysis.report import headline, jsonreport, row
from z3trace.analysis.report.table import Table
from z3trace.printable import joined


def _by_key(comparison: Comparison) -> dict[object, Metric]:
    return {metric.key: metric for metric in comparison.metrics}


def _cell(metric: Metric | None) -> list[str]:
    if metric is None:
        return ["-", ""]
    r = row.of(metric)
    return [r.change, r.symbol]


def _rows(comparisons: Sequence[Comparison], *, everything: bool) -> list[list[str]]:
    known = [_by_key(comparison) for comparison in comparisons]
    shown: dict[object, Metric] = {}
    for comparison in comparisons:
        for metric in comparison.metrics if everything else comparison.main():
            shown.setdefault(metric.key, metric)
    rows = []
    for key, metric in shown.items():
        figures = [metrics.get(key) for metrics in known]
        shares = [figure.instrument for figure in figures if figure]
        r = row.of(metric)
        rows.append(
            [
                *r[:3],
                *(cell for figure in figures for cell in _cell(figure)),
                *(r.way, max(shares, key=units.share_order)),
            ]
        )
    return rows


def render(comparisons: Sequence[Comparison], *, everything: bool = False) -> str:
    """A column for each recording after the first; ends in a newline."""
    sides = [comparisons[0].before, *(comparison.after for comparison in comparisons)]
    first, *others = short([side.session.label for side in sides])
    header = ["", "", first]
    for label in others:
        header += [label, ""]
    header += ["seen by", "instr."]
    told = [text for each in comparisons for text in headline.contradictions(each)]
    out = [*told, f"against {first}: change of a typical run", ""]
    out += Table(header, _rows(comparisons, everything=everything), 2).aligned()
    tests = comparisons[0].tests
    legend = "+ better, - worse, = no difference, ~ inconclusive, ! mostly the instrument"
    out += ["", f"{legend} ({tests} tests, {comparisons[0].family.primary} of them asked first)"]
    notes = dict.fromkeys(caveat for comparison in comparisons for caveat in comparison.caveats)
    for note in notes:
        out += textwrap.wrap(f"note: {note}", 100, subsequent_indent="  ")
    return joined(out)


def as_json(comparisons: Sequence[Comparison]) -> str:
    """``comparisons`` is a list of what a comparison of two is."""
    return jsonreport.dumps(
        {
            "version": jsonreport.VERSION,
            "comparisons": [jsonreport.as_dict(comparison) for comparison in comparisons],
        }
    )
