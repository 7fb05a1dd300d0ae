"""``z3trace show``: a recording in the terminal."""

from pathlib import Path

import click

from z3trace.commands import screen
from z3trace.errors import DONE


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--histograms", is_flag=True, help="Draw the histograms.")
@click.option("--sites", is_flag=True, help="List every lock call site, reached or not.")
def command(file: Path, histograms: bool, sites: bool) -> int:
    """Print what a recording holds: latencies, locks, coverage, ledger."""
    from z3trace.analysis.figures.recording import Digest
    from z3trace.analysis.report import recording as summary

    recording = Digest.read(file, failed=True)
    click.echo(summary.text(recording, sites=sites), nl=False)
    if histograms:
        from z3trace.analysis.report import histograms as lines

        sides = [(recording.session.label, recording)]
        click.echo("\n" + lines.render(sides, unicode=screen.takes_unicode()), nl=False)
    return DONE
