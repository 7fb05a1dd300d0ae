"""``z3trace compare``: recordings against the first of them."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from z3trace.commands import options, screen
from z3trace.commands.screen import wrote
from z3trace.errors import DONE, INCOMPARABLE, REGRESSION, UsageError

if TYPE_CHECKING:
    from z3trace.analysis.comparing.comparison import Comparison

_GATE = "--fail-on-regression"


class _Gated(click.Command):
    """``--fail-on-regression`` takes a number if one follows, and no file by mistake."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        given = []
        for i, word in enumerate(args):
            following = args[i + 1] if i + 1 < len(args) else ""
            number = options.is_number(following)
            given.append(f"{_GATE}=0" if word == _GATE and not number else word)
        return super().parse_args(ctx, given)


@click.command(cls=_Gated)
@click.argument(
    "recordings",
    nargs=-1,
    required=True,
    metavar="BEFORE AFTER...",
    type=click.Path(path_type=Path),
)
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
    help="A report to write: .txt, .md, .html, .json or .ktap, or -; may be repeated.",
)
@options.form("txt", "md", "html", "json", "ktap", of="a report")
@click.option(
    "--all", "everything", is_flag=True, help="Show every statistic, not only the main ones."
)
@click.option("--histograms", is_flag=True, help="Draw the histograms in the terminal.")
@click.option(
    "--allow-mismatch",
    is_flag=True,
    help="Compare recordings even if kernel, workload or the like differ.",
)
@click.option(
    _GATE,
    "gate",
    type=options.Percent(),
    metavar="[PERCENT]",
    help="Exit with status 3 if a figure got worse, by at least PERCENT if that is given; with "
    "5 if that cannot be judged.",
)
@options.allow_failed
@options.force
def command(
    recordings: tuple[Path, ...],
    plots: Path | None,
    reports: tuple[Path, ...],
    form: str | None,
    everything: bool,
    histograms: bool,
    allow_mismatch: bool,
    gate: float | None,
    allow_failed: bool,
    force: bool,
) -> int:
    """Compare one or more recordings with the first one: figures, verdicts, plots, reports.

    One recording may be - for standard input, and one report - for standard output.
    """
    from z3trace.analysis import plots as drawing
    from z3trace.analysis.comparing.comparison import compare_all
    from z3trace.analysis.figures.recording import Digest
    from z3trace.analysis.figures.sides import told_apart
    from z3trace.analysis.report import formats
    from z3trace.data import outputs

    if len(recordings) < 2:
        raise UsageError("one recording cannot be compared", "name two or more; 'show' prints one")
    screen.take(recordings)
    screen.give(*reports)
    for path in reports:
        formats.form_of(path, form, several=len(recordings) > 2)
        outputs.require(path, force=force)
    if plots and len(recordings) > 2:
        raise UsageError("plots are of two recordings", "compare each with the first")
    digests = told_apart([Digest.read(path, failed=allow_failed) for path in recordings])
    found = compare_all(digests[0], digests[1:], allow_mismatch=allow_mismatch)
    screen.result(_shown(found, everything=everything), nl=False)
    if histograms:
        from z3trace.analysis.report import histograms as lines

        sides = [(one.session.label, one) for one in digests]
        screen.result("\n" + lines.render(sides, unicode=screen.takes_unicode()), nl=False)
    for path in [
        *(drawing.write(found[0], plots) if plots else []),
        *(formats.write_report(found, path, form) for path in reports),
    ]:
        wrote(path)
    screen.answer(formats.render(found, ".json"))
    return DONE if gate is None else _judged(found, gate)


def _judged(found: "list[Comparison]", percent: float) -> int:
    """What the gate comes to, said and as an exit status."""
    from z3trace.analysis.comparing.gate import judge

    outcome = judge(found, percent / 100)
    for heading, told, tell in (
        ("regression", outcome.regressions, screen.complain),
        ("cannot be judged", outcome.unjudged, screen.complain),
        ("note", outcome.notes, screen.say),
    ):
        for text in told:
            tell(f"gate: {heading}: {text}")
    if outcome.regressions:
        return REGRESSION
    if outcome.unjudged:
        return INCOMPARABLE
    screen.say(f"gate: no figure got worse by {percent:g} % or more")
    return DONE


def _shown(found: "list[Comparison]", *, everything: bool) -> str:
    from z3trace.analysis.report import terminal

    printed = terminal.Screen(screen.width(), screen.takes_colour())
    return terminal.render(found, everything=everything, screen=printed)
