"""One self-contained HTML file: no network, light and dark, phone and print."""

import math
from dataclasses import dataclass

from markupsafe import Markup

from z3trace.analysis import plots, units
from z3trace.analysis.comparing import attribution
from z3trace.analysis.comparing.comparison import Comparison, Metric
from z3trace.analysis.figures import ways
from z3trace.analysis.figures.costs import disturbed
from z3trace.analysis.figures.recording import Digest
from z3trace.analysis.report import details, folding, headline, pages, row, sensitivity, setup


@dataclass(frozen=True)
class Cell:
    """A table cell: what is read, and what it is sorted by."""

    text: str
    key: float | str


def _row(metric: Metric) -> list[Cell]:
    effect, r = metric.effect, row.of(metric)
    keys = (effect.before, effect.after, effect.ratio, effect.low)
    texts = (r.before, r.after, r.change, r.interval)
    return [
        *(Cell(text, text) for text in (r.name, r.statistic)),
        *(
            Cell(text, key if math.isfinite(key) else 0.0)
            for text, key in zip(texts, keys, strict=True)
        ),
        Cell(r.verdict, r.verdict),
        Cell(r.way, r.way),
        Cell(r.share, units.share_order(r.share)),
    ]


def _sites(digest: Digest) -> list[list[Cell]]:
    rows = []
    for site in digest.session.sites:
        totals = digest.site(site.number)
        seen = totals.acquisitions > 0
        contended, waited, held = map(
            totals.of_acquisitions, (totals.contended, totals.wait_sum, totals.hold_sum)
        )
        source = f"{site.file}:{site.line}" if site.file else f"{site.function}+{site.offset:#x}"
        chain = " > ".join([site.function, *site.inlined])
        rows.append(
            [
                *(Cell(text, text) for text in (source, chain, site.action)),
                Cell(", ".join(sorted(totals.locks)) or "-", ""),
                Cell(str(totals.events) if site.attached else "not seen", float(totals.events)),
                Cell(f"{contended:.2%}" if seen else "-", contended),
                Cell(units.nanoseconds(waited) if seen else "-", waited),
                Cell(units.nanoseconds(held) if seen else "-", held),
            ]
        )
    return rows


def _side(digest: Digest) -> str:
    """A recording, and how its call sites were seen."""
    part = disturbed(digest, digest.kind)
    theirs = "?" if math.isnan(part) else f"{part:.0%}"
    return f"{digest.session.label} ({ways.words(digest.kind)}, {theirs} of it theirs)"


def _environments(comparison: Comparison) -> list[tuple[str, str, str, bool]]:
    """(fact, before, after, whether they differ) of the two environments."""
    pair = [side.session.environment for side in (comparison.before, comparison.after)]
    facts = []
    for name in pair[0].__struct_fields__:
        before, after = (str(getattr(environment, name)) for environment in pair)
        facts.append((name.replace("_", " "), before, after, before != after))
    return facts


def render(comparison: Comparison) -> str:
    """The page; everything from the recordings is escaped by the template engine."""
    sides = [("before", comparison.before), ("after", comparison.after)]
    folded = folding.fold(comparison, primary=True)
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
            headline=headline.claims(comparison),
            verdicts=headline.verdict_counts(comparison),
            main=[_row(m) for m in folded.shown],
            folded=folded.lines,
            everything=[_row(m) for m in comparison.metrics],
            regressions=sensitivity.regressions(comparison),
            locks=setup.lock_members(comparison),
            tables=[table for table in details.of(comparison) if table.rows],
            costs=details.costs(comparison),
            structure=attribution.structure(comparison),
            seen=sensitivity.resolution(comparison),
            environments=_environments(comparison),
            behind=details.behind(comparison),
            setup=[*setup.facts(comparison), ("runs", setup.runs(comparison))],
            sites=[(name, _side(side), _sites(side)) for name, side in sides],
            ledgers=[(name, side.ledger()) for name, side in sides],
            drawings=drawings,
        )
    )
