"""Which figures a report shows, and one line for each kind of those that it does not.

A figure is shown if it was decided, and says more than its neighbours: a median that got
better as its mean did adds nothing.  What got worse is always shown.
"""

from dataclasses import dataclass

from z3trace.analysis.comparing.comparison import Comparison, Metric
from z3trace.analysis.report import sensitivity
from z3trace.analysis.report.names import names

_DECIDED = ("better", "worse")
#: Verdict -> how the line of its figures begins.
_KINDS = {
    "better": "also better",
    "no difference": "no difference (within 2 %)",
    "inconclusive": "inconclusive",
    "mostly the instrument": "mostly the instrument, no verdict",
    "contradicted": "contradicted by another way, no verdict",
    "too few runs": "too few runs",
    "only before": "only before",
    "only after": "only after",
    "not tested": "no verdict, for events were lost",
}


@dataclass(frozen=True)
class Folded:
    """*shown*: in the order of reports; *lines*: what became of the others, by name."""

    shown: list[Metric]
    lines: list[str]


def _adds_nothing(metric: Metric, primary: dict[tuple[str, str], set[str]]) -> bool:
    """Whether a primary figure of the same says as much."""
    same = primary.get((metric.metric, metric.subject), set())
    return not metric.primary and metric.verdict in same


def fold(comparison: Comparison, *, primary: bool) -> Folded:
    """The main figures; *primary*: the first questions are shown whatever became of them."""
    main = comparison.main()
    said: dict[tuple[str, str], set[str]] = {}
    for metric in main:
        if metric.primary:
            said.setdefault((metric.metric, metric.subject), set()).add(metric.verdict)

    def wanted(metric: Metric) -> bool:
        if not metric.definition.subject or metric.verdict == "worse":
            return True
        if primary and metric.primary and not _nothing(metric):
            return True
        return metric.verdict in _DECIDED and not _adds_nothing(metric, said)

    shown = [metric for metric in main if wanted(metric)]
    rest = [metric for metric in main if not wanted(metric)]
    lines = []
    for verdict, words in _KINDS.items():
        of_kind = [metric for metric in rest if metric.verdict == verdict]
        if of_kind:
            lines.append(f"{words}: {names(of_kind)}")
    open_ones = (sensitivity.fewest(comparison), sensitivity.more_runs(comparison))
    return Folded(shown, [*lines, *filter(None, open_ones)])


def _nothing(metric: Metric) -> bool:
    """Whether nothing happened there at all: 0 on both sides."""
    return metric.effect.before == metric.effect.after == 0
