"""Every format of a comparison's report, one row each, and the files of it.

A new format is a row of ``FORMATS`` and a file with its renderer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from z3trace.analysis import plots
from z3trace.analysis.comparing.comparison import Comparison
from z3trace.analysis.report import jsonreport, ktap, mail, many, markdown
from z3trace.data import outputs, streams
from z3trace.errors import UsageError


def _html(comparison: Comparison) -> str:
    from z3trace.analysis.report import html  # a template engine, which no other form needs

    return html.render(comparison)


@dataclass(frozen=True)
class Format:
    """*one*: the text of a comparison of two recordings; *many*: of several with the same
    first one, if the format has a place for them."""

    one: Callable[[Comparison], str]
    many: Callable[[Sequence[Comparison]], str] | None = None


def _ktap(comparison: Comparison) -> str:
    return ktap.document(ktap.of_comparison(comparison))


#: How a report's name ends -> its format.
FORMATS = {
    ".txt": Format(mail.render, many.render),
    ".md": Format(markdown.render),
    ".html": Format(_html),
    ".json": Format(jsonreport.render, many.as_json),
    ".ktap": Format(_ktap),
}


def names() -> list[str]:
    """What the reports of two recordings are called in their directory."""
    return [f"report{suffix}" for suffix in FORMATS]


def form_of(path: Path, chosen: str | None = None, *, several: bool = False) -> str:
    """The form of a report, a key of ``FORMS``: what the name says, or *chosen* if that is
    standard output.  UsageError if there is none by that name; *several*: of more than two
    recordings."""
    form = outputs.form_of(path, chosen if streams.is_standard(path) else None, ".txt")
    known = [suffix for suffix, form in FORMATS.items() if form.many or not several]
    if form not in known:
        of = " of more than two recordings" if several else ""
        raise UsageError(f"{path}: a report{of} ends in one of {', '.join(known)}")
    return form


def render(comparisons: Sequence[Comparison], suffix: str) -> str:
    """The text of one report."""
    form = FORMATS[suffix]
    if len(comparisons) > 1 and form.many:
        return form.many(comparisons)
    return form.one(comparisons[0])


def write_report(comparisons: Sequence[Comparison], path: Path, form: str | None = None) -> Path:
    """Write one report of one comparison, or of several against one first recording; *form*
    as in ``form_of``."""
    suffix = form_of(path, form, several=len(comparisons) > 1)
    outputs.deliver(path, render(comparisons, suffix))
    return path


def write_all(comparison: Comparison, directory: Path) -> list[Path]:
    """Plots and every report into *directory*, each file whole or not at all."""
    reports = [write_report([comparison], directory / f"report{suffix}") for suffix in FORMATS]
    return reports + plots.write(comparison, directory / "plots")
