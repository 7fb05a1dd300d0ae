"""The page of a check: self-contained, as the page of a comparison is."""

from markupsafe import Markup

from z3trace.analysis.checks.findings import Report
from z3trace.analysis.report import checkreport, pages


def render(report: Report, drawing: str) -> str:
    """The page; everything that comes from the check is escaped by the template engine,
    and *drawing* is the SVG of the lock order, ours."""
    return (
        pages.environment()
        .get_template("check.html.j2")
        .render(
            report=report,
            summary=checkreport.summary(report),
            meaning=checkreport.meaning,
            title=checkreport.title,
            places=checkreport.places,
            circumstances=checkreport.circumstances,
            event=checkreport.event,
            where=checkreport.where,
            command=" ".join(report.command),
            uncounted=checkreport.UNCOUNTED,
            drawing=Markup(drawing[drawing.index("<svg") :]),  # noqa: S704 - escaped by matplotlib
            style=Markup(pages.text("report.css")),  # noqa: S704 - a file of ours
        )
    )
