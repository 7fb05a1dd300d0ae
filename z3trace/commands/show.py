"""``z3trace show``: a recording in the terminal."""

from pathlib import Path

import click

from z3trace.errors import DONE


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--sites", is_flag=True, help="List every lock call site, reached or not.")
def command(file: Path, sites: bool) -> int:
    """Print what a recording holds: latencies, locks, coverage, ledger."""
    from z3trace.analysis import digest, summary

    click.echo(summary.text(digest.read(file), sites=sites), nl=False)
    return DONE
