"""``z3trace trend``: an archive of sessions over time."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from z3trace.commands import options, screen
from z3trace.commands.screen import wrote
from z3trace.errors import DONE, FAILED, InputError, UsageError
from z3trace.words import amount

if TYPE_CHECKING:
    from z3trace.analysis.figures.recording import Digest


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A plot to write: .png or .svg, or -.",
)
@options.form("png", "svg", of="the plot")
@click.option(
    "--allow-mismatch",
    is_flag=True,
    help="Take recordings even if kernel, workload or the like differ.",
)
@options.allow_failed
@options.force
def command(
    directory: Path,
    plot: Path | None,
    form: str | None,
    allow_mismatch: bool,
    allow_failed: bool,
    force: bool,
) -> int:
    """Show the recordings in DIRECTORY from the oldest to the newest, for example one
    for each commit, and mark where a figure changed.

    A file that cannot be read is named and left out, and the exit status is 1."""
    from z3trace.analysis.comparing import trend
    from z3trace.analysis.figures.sides import told_apart
    from z3trace.analysis.report import trend as report
    from z3trace.data import outputs

    screen.give(plot)
    suffix = outputs.form_of(plot, form) if plot else ""
    if plot:
        if suffix not in (".png", ".svg"):
            raise UsageError(f"{plot}: a plot ends in .png or .svg")
        outputs.require(plot, force=force)
    files = sorted([*directory.glob("*.z3t"), *directory.glob("*.z3t.gz")])
    read = _read(files, failed=allow_failed)
    if len(read) < 2:
        of = f" of {amount(len(files), 'file')}" if len(files) > len(read) else ""
        raise UsageError(
            f"{directory} has {amount(len(read), 'recording')} that can be read{of}",
            "a trend takes two or more",
        )
    digests = told_apart(sorted(read, key=lambda one: one.session.created))
    found = trend.trends(digests, allow_mismatch=allow_mismatch)
    screen.result(report.render(found, digests), nl=False)
    if plot:
        from z3trace.analysis.plots import trendplot

        trendplot.draw(found, digests, plot, suffix)
        wrote(plot)
    screen.answer(report.as_json(found, digests))
    return DONE if len(read) == len(files) else FAILED


def _read(files: "list[Path]", *, failed: bool) -> "list[Digest]":
    """Those that can be read; the others are named."""
    from z3trace.analysis.figures.recording import Digest

    read = []
    for path in files:
        try:
            read.append(Digest.read(path, failed=failed))
        except InputError as error:
            screen.complain(f"left out: {error}")
    return read
