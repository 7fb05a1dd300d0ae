"""``z3trace export``: recordings in other tools' forms."""

from pathlib import Path

import click

from z3trace.commands import options, screen
from z3trace.commands.screen import wrote
from z3trace.errors import DONE


@click.command()
@click.argument("recordings", nargs=-1, required=True, type=click.Path(path_type=Path))
@options.output_file(
    "A file ending in .csv, .parquet, .prom or .hgrm, or - with --format.", required=True
)
@options.form("csv", "parquet", "prom", "hgrm", of="the output")
@click.option("--series", default="", metavar="METRIC:NAME", help="For .hgrm: latency:alloc.")
@options.allow_failed
@options.force
def command(
    recordings: tuple[Path, ...],
    output: Path,
    form: str | None,
    series: str,
    allow_failed: bool,
    force: bool,
) -> int:
    """Write recordings in another form.

    .csv and .parquet: the tidy table, a line for each number of each run; in .csv an
    apostrophe stands before words that a spreadsheet would compute.  .prom:
    histograms as OpenMetrics text, for Prometheus.  .hgrm: one series as HdrHistogram's
    percentile text.  One recording may be - for standard input.  Recordings with one label
    get the names of their files beside it.
    """
    from z3trace.analysis import export
    from z3trace.analysis.figures.recording import Digest
    from z3trace.data import outputs
    from z3trace.data.answers import Written

    screen.take(recordings)
    screen.give(output)
    kind = export.form_of(output, form)
    outputs.require(output, force=force)
    digests = [Digest.read(path, failed=allow_failed) for path in recordings]
    export.write(digests, output, series, kind)
    wrote(output)
    screen.answer(Written(files=[str(output)]))
    return DONE
