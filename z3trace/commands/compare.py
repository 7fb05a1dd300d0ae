"""``z3trace compare``: before against after."""

from pathlib import Path

import click

from z3trace.commands.common import wrote
from z3trace.errors import DONE, REGRESSION


@click.command()
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option(
    "--plots",
    type=click.Path(path_type=Path, file_okay=False),
    help="Directory for PNG and SVG plots.",
)
@click.option(
    "--report",
    "reports",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="A report to write: .txt, .md, .html or .json; may be repeated.",
)
@click.option("--all", "everything", is_flag=True, help="Show every statistic, not the main ones.")
@click.option(
    "--allow-mismatch", is_flag=True, help="Compare recordings that differ in what matters."
)
@click.option("--fail-on-regression", is_flag=True, help="Exit with 3 if anything got worse.")
@click.option("--force", is_flag=True, help="Overwrite reports.")
def command(
    before: Path,
    after: Path,
    plots: Path | None,
    reports: tuple[Path, ...],
    everything: bool,
    allow_mismatch: bool,
    fail_on_regression: bool,
    force: bool,
) -> int:
    """Compare two recordings: figures, verdicts, plots, reports."""
    from z3trace import paths
    from z3trace.analysis import compare, digest, output

    for path in reports:
        output.check_name(path)
        paths.must_be_new(path, force=force)
    comparison = compare.compare(
        digest.read(before), digest.read(after), allow_mismatch=allow_mismatch
    )
    click.echo(output.terminal(comparison, everything=everything), nl=False)
    for path in [
        *(output.write_plots(comparison, plots) if plots else []),
        *(output.write_report(comparison, path) for path in reports),
    ]:
        wrote(path)
    worse = any(metric.verdict == "worse" for metric in comparison.metrics)
    return REGRESSION if fail_on_regression and worse else DONE
