"""The page of a check: self-contained, as the page of a comparison is."""

from markupsafe import Markup

from z3trace.analysis.checks.findings import Report
from z3trace.analysis.report import checkwords, pages


def render(report: Report, drawing: str) -> str:
    """The page; everything that comes from the check is escaped by the template engine,
    and *drawing* is the SVG of the lock order, ours."""
    return (
        pages.environment()
        .get_template("check.html.j2")
        .render(
            report=report,
            words=checkwords,
            command=" ".join(report.command),
            drawing=Markup(drawing[drawing.index("<svg") :]),  # noqa: S704 - escaped by matplotlib
            style=Markup(pages.text("report.css")),  # noqa: S704 - a file of ours
        )
    )
