"""Every file of a check's report: text for a mail, JSON, HTML, a picture of the lock order."""

import json
from collections.abc import Sequence
from pathlib import Path

import msgspec

from z3trace import paths
from z3trace.analysis.checks.findings import Nested, Report
from z3trace.analysis.report import checkmail, ktap

#: What ``write_all`` writes.
FILES = ("check.txt", "check.json", "check.html", "lock-order.svg", "check.ktap")


def as_json(report: Report) -> str:
    """The report as JSON, ``findings.SCHEMA``."""
    return json.dumps(msgspec.to_builtins(report), indent=1, allow_nan=False) + "\n"


def graphs(report: Report) -> dict[str, Sequence[Nested]]:
    """Title -> lock order, for the picture: the reference beside what was found."""
    order: dict[str, Sequence[Nested]] = {report.label: report.order}
    return {"reference": report.reference, **order} if report.reference is not None else order


def _drawing(report: Report) -> str:
    from z3trace.analysis.plots import lockorder, style

    figure = lockorder.draw(
        {
            name: {(edge.held, edge.acquired): edge.count for edge in edges}
            for name, edges in graphs(report).items()
        }
    )
    drawing = style.svg(figure)
    style.close(figure)
    return drawing


def write_all(report: Report, directory: Path) -> list[Path]:
    """Write check.txt, .json, .html, .ktap and lock-order.svg; the paths written."""
    from z3trace.analysis.report import checkhtml

    drawing = _drawing(report)
    texts = (
        checkmail.render(report),
        as_json(report),
        checkhtml.render(report, drawing),
        drawing,
        ktap.document(ktap.of_check(report)),
    )
    contents = dict(zip(FILES, texts, strict=True))
    for name, content in contents.items():
        paths.write_atomic(directory / name, content)
    return [directory / name for name in contents]
