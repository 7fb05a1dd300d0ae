"""``z3trace trend``: an archive of sessions over time."""

from pathlib import Path

import click

from z3trace.commands import options
from z3trace.commands.screen import wrote
from z3trace.errors import DONE, UsageError


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--plot", type=click.Path(path_type=Path, dir_okay=False), help="A plot to write, .png or .svg."
)
@click.option(
    "--allow-mismatch",
    is_flag=True,
    help="Take recordings even if kernel, workload or the like differ.",
)
@options.force
def command(
    directory: Path, as_json: bool, plot: Path | None, allow_mismatch: bool, force: bool
) -> int:
    """Show the recordings in DIRECTORY from the oldest to the newest, for example one
    for each commit, and mark where a figure changed."""
    from z3trace.analysis.comparing import trend
    from z3trace.analysis.figures.recording import Digest
    from z3trace.analysis.report import trend as report
    from z3trace.data import outputs

    if plot:
        if plot.suffix not in (".png", ".svg"):
            raise UsageError(f"{plot}: a plot ends in .png or .svg")
        outputs.require(plot, force=force)
    files = sorted([*directory.glob("*.z3t"), *directory.glob("*.z3t.gz")])
    if len(files) < 2:
        raise UsageError(f"{directory} has {len(files)} recordings", "a trend takes two or more")
    digests = sorted((Digest.read(path) for path in files), key=lambda one: one.session.created)
    found = trend.trends(digests, allow_mismatch=allow_mismatch)
    render = report.as_json if as_json else report.render
    click.echo(render(found, digests), nl=False)
    if plot:
        from z3trace.analysis.plots import trendplot

        trendplot.draw(found, digests, plot)
        wrote(plot)
    return DONE
