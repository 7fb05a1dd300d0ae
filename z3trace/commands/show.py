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
    """Print what a recording holds: latencies, locks, coverage, ledger.

    FILE may be - for standard input.
    """
    from z3trace.analysis.figures.recording import Digest

    recording = Digest.read(file, failed=True)
    if screen.manner.json:
        from z3trace.analysis.report import recordingjson

        screen.answer(recordingjson.summary(recording))
        return DONE
    from z3trace.analysis.report import recording as summary

    screen.result(summary.text(recording, sites=sites), nl=False)
    if histograms:
        from z3trace.analysis.report import histograms as lines

        sides = [(recording.session.label, recording)]
        screen.result("\n" + lines.render(sides, unicode=screen.takes_unicode()), nl=False)
    return DONE
