"""``z3trace export``: recordings in other tools' forms."""

from pathlib import Path

import click

from z3trace.commands import options
from z3trace.commands.screen import wrote
from z3trace.errors import DONE


@click.command()
@click.argument("recordings", nargs=-1, required=True, type=click.Path(path_type=Path))
@options.output_file("A file ending in .csv, .parquet, .prom or .hgrm.", required=True)
@click.option("--series", default="", metavar="METRIC:NAME", help="For .hgrm: latency:alloc.")
@options.allow_failed
@options.force
def command(
    recordings: tuple[Path, ...], output: Path, series: str, allow_failed: bool, force: bool
) -> int:
    """Write recordings in another form.

    .csv and .parquet: the tidy table, a line for each number of each run; in .csv an
    apostrophe stands before words that a spreadsheet would compute.  .prom:
    histograms as OpenMetrics text, for Prometheus.  .hgrm: one series as HdrHistogram's
    percentile text.  Recordings with one label get the names of their files beside it.
    """
    from z3trace.analysis import export
    from z3trace.analysis.figures.recording import Digest
    from z3trace.data import outputs

    export.check_name(output)
    outputs.require(output, force=force)
    export.write([Digest.read(path, failed=allow_failed) for path in recordings], output, series)
    wrote(output)
    return DONE
