"""Write a comparison in every form, each file whole or not at all."""

from collections.abc import Sequence
from pathlib import Path

from z3trace import paths
from z3trace.analysis.comparing.comparison import Comparison
from z3trace.errors import UsageError

SUFFIXES = (".txt", ".md", ".html", ".json")


def check_name(path: Path, *, many: bool = False) -> None:
    """UsageError if there is no report by that name; *many*: of more than two recordings."""
    known = (".txt", ".json") if many else SUFFIXES
    if path.suffix not in known:
        of = " of more than two recordings" if many else ""
        raise UsageError(f"{path}: a report{of} ends in one of {', '.join(known)}")


def terminal(
    comparisons: Sequence[Comparison],
    *,
    everything: bool = False,
    width: int = 0,
    colour: bool = False,
) -> str:
    """The table of one comparison, or of several against one first recording."""
    if len(comparisons) > 1:
        from z3trace.analysis.report import many

        return many.render(comparisons, everything=everything)
    from z3trace.analysis.report import terminal as renderer

    screen = renderer.Screen(width, colour)
    return renderer.render(comparisons[0], everything=everything, screen=screen)


def render(comparison: Comparison, suffix: str) -> str:
    """The text of one report."""
    if suffix == ".json":
        from z3trace.analysis.report import jsonreport

        return jsonreport.render(comparison)
    if suffix == ".md":
        from z3trace.analysis.report import markdown

        return markdown.render(comparison)
    if suffix == ".html":
        from z3trace.analysis.report import html

        return html.render(comparison)
    from z3trace.analysis.report import mail

    return mail.render(comparison)


def write_report(comparisons: Sequence[Comparison], path: Path) -> Path:
    """Write one report of one comparison, or of several against one first recording."""
    check_name(path, many=len(comparisons) > 1)
    if len(comparisons) > 1:
        from z3trace.analysis.report import many

        as_json = path.suffix == ".json"
        text = many.as_json(comparisons) if as_json else many.render(comparisons, everything=False)
    else:
        text = render(comparisons[0], path.suffix)
    paths.write_atomic(path, text)
    return path


def write_plots(comparison: Comparison, directory: Path) -> list[Path]:
    from z3trace.analysis import plots

    return plots.write(comparison, directory)


def write_all(comparison: Comparison, directory: Path) -> list[Path]:
    """Plots and every report into *directory*."""
    written = [write_report([comparison], directory / f"report{suffix}") for suffix in SUFFIXES]
    return written + write_plots(comparison, directory / "plots")
