"""One self-contained HTML file: no network, light and dark, phone and print."""

import math
from dataclasses import dataclass

from markupsafe import Markup

from z3trace.analysis import plots, units
from z3trace.analysis.comparing import attribution
from z3trace.analysis.comparing.comparison import Comparison, Metric
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.report import content, details, pages
from z3trace.data import buckets


@dataclass(frozen=True)
class Cell:
    """A table cell: what is read, and what it is sorted by."""

    text: str
    key: float | str


def _row(metric: Metric) -> list[Cell]:
    e = metric.effect

    def number(text: str, value: float) -> Cell:
        return Cell(text, value if math.isfinite(value) else 0.0)

    return [
        Cell(content.name(metric), content.name(metric)),
        Cell(metric.statistic, metric.statistic),
        number(units.value(e.before, metric.unit), e.before),
        number(units.value(e.after, metric.unit), e.after),
        number(units.change(e.ratio), e.ratio),
        Cell(units.interval(e.low, e.high), e.low if e.low == e.low else 0.0),
        Cell(metric.verdict, metric.verdict),
    ]


def _sites(digest: Digest) -> list[list[Cell]]:
    rows = []
    for site in digest.session.sites:
        found = digest.site(site.number)
        acquired = found.acquisitions
        events = acquired + found.trylock_failures + found.releases
        waited = found.wait_sum / acquired if acquired else 0.0
        held = found.hold_sum / acquired if acquired else 0.0
        contended = found.contended / acquired if acquired else 0.0
        source = f"{site.file}:{site.line}" if site.file else f"{site.function}+{site.offset:#x}"
        chain = " > ".join([site.function, *site.inlined])
        rows.append(
            [
                Cell(source, source),
                Cell(chain, chain),
                Cell(site.action, site.action),
                Cell(", ".join(sorted(found.locks)) or "-", ""),
                Cell(str(events) if site.attached else "not seen", float(events)),
                Cell(f"{contended:.2%}" if acquired else "-", contended),
                Cell(units.nanoseconds(waited) if acquired else "-", waited),
                Cell(units.nanoseconds(held) if acquired else "-", held),
            ]
        )
    return rows


def _plain(header: list[str], rows: list[list[str]], words: int = 1) -> dict[str, object]:
    """A table that is read in its order; after *words* columns of words all are numbers."""
    return {"header": header, "rows": rows, "words": words}


def _environments(comparison: Comparison) -> list[tuple[str, str, str, bool]]:
    """(fact, before, after, whether they differ) of the two environments."""
    pair = [side.session.environment for side in (comparison.before, comparison.after)]
    found = []
    for name in pair[0].__struct_fields__:
        before, after = (str(getattr(one, name)) for one in pair)
        found.append((name.replace("_", " "), before, after, before != after))
    return found


def _behind(comparison: Comparison) -> list[tuple[str, str, list[list[str]]]]:
    """(metric, operation or lock, rows) of the histograms that the plots are drawn from:
    the lower edge of each occupied bucket in ns, and its count on both sides."""
    found = []
    sides = (comparison.before, comparison.after)
    names = dict.fromkeys((metric, name) for side in sides for metric, name, _ in side.histograms())
    for metric, name in names:
        counts = [side.counts(metric, name) for side in sides]
        rows = [
            [str(buckets.lower(i)), f"{counts[0][i]:.0f}", f"{counts[1][i]:.0f}"]
            for i in range(buckets.BUCKETS)
            if counts[0][i] or counts[1][i]
        ]
        if metric in ("latency", "wait", "hold"):
            found.append((metric, name, rows))
    return found


def render(comparison: Comparison) -> str:
    """The page; everything from the recordings is escaped by the template engine."""
    sides = [("before", comparison.before), ("after", comparison.after)]
    # The SVG is our own; text in it was escaped by matplotlib.
    drawings = {}
    for name, text in plots.svg(comparison).items():
        drawings[name] = Markup(text[text.index("<svg") :])  # noqa: S704
    return (
        pages.environment()
        .get_template("report.html.j2")
        .render(
            comparison=comparison,
            style=Markup(pages.text("report.css")),  # noqa: S704 - a file of ours
            script=Markup(pages.text("report.js")),  # noqa: S704 - a file of ours
            headline=content.headline(comparison),
            verdicts=content.verdicts(comparison),
            main=[_row(m) for m in content.main(comparison)],
            everything=[_row(m) for m in comparison.metrics],
            regressions=[_row(m) for m in content.regressions(comparison)],
            locks=content.lock_members(comparison),
            effect=_plain(details.EFFECT_HEADER, details.effect(comparison)),
            parts=_plain(details.PARTS_HEADER, details.parts(comparison), 2),
            changed=_plain(details.SITES_HEADER, details.sites(comparison)),
            rates=_plain(details.LOCKS_HEADER, details.locks(comparison)),
            structure=attribution.structure(comparison),
            seen=details.resolution(comparison),
            more=details.more_runs(comparison),
            environments=_environments(comparison),
            behind=_behind(comparison),
            setup=[*content.setup(comparison), ("runs", content.runs(comparison))],
            sites=[(name, side.session.label, _sites(side)) for name, side in sides],
            ledgers=[(name, side.ledger()) for name, side in sides],
            drawings=drawings,
        )
    )
