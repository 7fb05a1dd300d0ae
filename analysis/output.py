"""Write a comparison in every form, each file whole or not at all."""

from pathlib import Path

from z3trace.analysis.compare import Comparison

from z3trace import paths
from z3trace.errors import UsageError

SUFFIXES = (".txt", ".md", ".html", ".json")


def check_name(path: Path) -> None:
    if path.suffix not in SUFFIXES:
        raise UsageError(f"{path}: a report ends in one of {', '.join(SUFFIXES)}")


def terminal(comparison: Comparison, *, everything: bool = False) -> str:
    from z3trace.analysis.report import terminal as renderer

    return renderer.render(comparison, everything=everything)


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


def write_report(comparison: Comparison, path: Path) -> Path:
    check_name(path)
    paths.write_atomic(path, render(comparison, path.suffix))
    return path


def write_plots(comparison: Comparison, directory: Path) -> list[Path]:
    from z3trace.analysis import plots

    return plots.write(comparison, directory)


def write_all(comparison: Comparison, directory: Path) -> list[Path]:
    """Plots and every report into *directory*."""
    written = [write_report(comparison, directory / f"report{suffix}") for suffix in SUFFIXES]
    return written + write_plots(comparison, directory / "plots")
