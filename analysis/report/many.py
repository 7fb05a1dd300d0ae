"""Several recordings against the first: one table, and JSON."""

import json
import textwrap
from collections.abc import Sequence

from z3trace.analysis import units
from z3trace.analysis.comparing.comparison import Comparison, Metric
from z3trace.analysis.report import content, jsonreport
from z3trace.columns import table


def _by_key(comparison: Comparison) -> dict[object, Metric]:
    return {metric.key: metric for metric in comparison.metrics}


def _cell(metric: Metric | None) -> list[str]:
    if metric is None:
        return ["-", ""]
    return [units.change(metric.effect.ratio), content.symbol(metric)]


def _rows(comparisons: Sequence[Comparison], *, everything: bool) -> list[list[str]]:
    known = [_by_key(one) for one in comparisons]
    shown: dict[object, Metric] = {}
    for one in comparisons:
        for metric in one.metrics if everything else content.main(one):
            shown.setdefault(metric.key, metric)
    return [
        [
            content.name(metric),
            metric.statistic,
            units.value(metric.effect.before, metric.unit),
            *(cell for one in known for cell in _cell(one.get(key))),
        ]
        for key, metric in shown.items()
    ]


def render(comparisons: Sequence[Comparison], *, everything: bool) -> str:
    """A column for each recording after the first; ends in a newline."""
    first = comparisons[0].before.session.label
    header = ["", "", first]
    for one in comparisons:
        header += [one.after.session.label, ""]
    out = [f"against {first}: change of geometric means over runs", ""]
    out += table(header, _rows(comparisons, everything=everything), 2)
    tests = comparisons[0].tests
    out += ["", f"+ better, - worse, = no difference, ~ inconclusive (Holm over {tests} tests)"]
    notes = dict.fromkeys(caveat for one in comparisons for caveat in one.caveats)
    for note in notes:
        out += textwrap.wrap(f"note: {note}", 100, subsequent_indent="  ")
    return "\n".join(line.rstrip() for line in out) + "\n"


def as_json(comparisons: Sequence[Comparison]) -> str:
    """``comparisons`` is a list of what a comparison of two is."""
    found = {
        "version": jsonreport.VERSION,
        "comparisons": [jsonreport.as_dict(one) for one in comparisons],
    }
    return json.dumps(found, indent=1, allow_nan=False) + "\n"
