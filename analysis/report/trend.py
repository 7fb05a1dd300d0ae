"""A trend as text and as JSON."""

import math
from collections.abc import Sequence

from msgspec import Struct, to_builtins

from z3trace.analysis import units
from z3trace.analysis.comparing.trend import FEWEST, Trend
from z3trace.analysis.figures import costs, ways
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.figures.sides import short
from z3trace.analysis.report.jsonreport import dumps
from z3trace.columns import table
from z3trace.printable import joined

VERSION = 2


def _change(first: float, last: float) -> str:
    """From nothing there is no ratio."""
    if first:
        return units.change(last / first)
    return "from 0" if last else units.change(1)


def _changes(trend: Trend, labels: Sequence[str]) -> str:
    return ", ".join(
        f"{change.words} from {labels[change.at]} on (p={change.p_adjusted:.3f})"
        for change in trend.changes
    )


def render(trends: Sequence[Trend], digests: Sequence[Digest]) -> str:
    """A line for each metric: first, last, and the change points; ends in a newline."""
    labels = short([digest.session.label for digest in digests])
    rows = []
    for trend in trends:
        known = [value for value in trend.centres if math.isfinite(value)]
        if not known:
            continue
        first, last = known[0], known[-1]
        rows.append(
            [
                trend.key.name(),
                units.value(first, trend.key.unit),
                units.value(last, trend.key.unit),
                _change(first, last),
                ways.words(trend.way) if trend.way else "",
                costs.share_words(trend.key, trend.way, trend.share),
                _changes(trend, labels),
            ]
        )
    out = [
        f"{len(digests)} sessions, {labels[0]} to {labels[-1]}",
        "",
    ]
    lines = table(["", "first", "last", "change", "seen by", "instr."], [r[:6] for r in rows])
    out += [lines[0] + "  change points"] if any(row[6] for row in rows) else [lines[0]]
    out += [f"{line}  {row[6]}".rstrip() for line, row in zip(lines[1:], rows, strict=True)]
    if len(digests) < FEWEST:
        out += ["", f"change points are looked for in {FEWEST} or more sessions"]
    return joined(out)


class SessionRow(Struct, frozen=True):
    """A recording of the archive."""

    label: str
    created: str
    path: str


class ChangeRow(Struct, frozen=True):
    """A change from the session *at* on; *ratio* is null where it was 0 before."""

    at: int
    ratio: float | None
    p_adjusted: float


class TrendRow(Struct, frozen=True):
    """A figure over time: *centres* has a value for each session, null where it was not
    recorded; *share*: how much of it is the instrument's."""

    metric: str
    operation: str
    lock: str
    statistic: str
    unit: str
    way: str
    share: float | None
    centres: list[float | None]
    change_points: list[ChangeRow]


class TrendReport(Struct, frozen=True):
    """What ``trend --json`` prints."""

    version: int
    sessions: list[SessionRow]
    trends: list[TrendRow]


def finite(value: float) -> float | None:
    """What JSON has a number for."""
    return value if math.isfinite(value) else None


def as_json(trends: Sequence[Trend], digests: Sequence[Digest]) -> str:
    """The ``TrendReport`` as JSON text."""
    report = TrendReport(
        version=VERSION,
        sessions=[
            SessionRow(digest.session.label, digest.session.created, digest.path)
            for digest in digests
        ],
        trends=[
            TrendRow(
                **trend.key._asdict(),
                way=trend.way,
                share=finite(trend.share),
                centres=[finite(float(value)) for value in trend.centres],
                change_points=[
                    ChangeRow(int(c.at), finite(float(c.ratio)), float(c.p_adjusted))
                    for c in trend.changes
                ],
            )
            for trend in trends
        ],
    )
    return dumps(to_builtins(report))
