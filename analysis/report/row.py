"""A figure of a comparison in words: every form of report chooses its cells from these."""

import math
from typing import NamedTuple

from z3trace.analysis import units
from z3trace.analysis.comparing.comparison import Metric
from z3trace.analysis.figures import ways

#: One character for a verdict, as benchstat's ``~``.
SYMBOLS = {
    "better": "+",
    "worse": "-",
    "no difference": "=",
    "inconclusive": "~",
    "mostly the instrument": "!",
    "contradicted": "?",
}


class Row(NamedTuple):
    """*change*: ``-30.0 %``; *interval*: of the ratio; *p*: adjusted; *runs*: ``10+10``;
    *sees*: the smallest change that could have been found; *way*: how it was seen;
    *share*: the part of it that is the instrument's own, of the side where it is larger."""

    name: str
    statistic: str
    before: str
    after: str
    change: str
    ratio: str
    interval: str
    verdict: str
    symbol: str
    p: str
    runs: str
    sees: str
    way: str
    share: str


def of(metric: Metric) -> Row:
    """The row of one figure."""
    effect, p = metric.effect, metric.p_adjusted
    return Row(
        name=metric.key.name(statistic=False),
        statistic=metric.statistic,
        before=units.value(effect.before, metric.unit),
        after=units.value(effect.after, metric.unit),
        change=units.change(effect.ratio),
        ratio=units.ratio(effect.ratio),
        interval=units.interval(effect.low, effect.high),
        verdict=metric.verdict,
        symbol=SYMBOLS.get(metric.verdict, " "),
        p="" if math.isnan(p) else f"{p:.3f}",
        runs=f"{effect.n_before}+{effect.n_after}",
        sees=units.detectable(metric.detectable),
        way=ways.words(metric.way) if metric.way else "",
        share=metric.instrument,
    )
