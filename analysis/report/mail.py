"""The plain-text report: ASCII, at most 72 columns, fit for a mailing list."""

from z3trace.analysis.comparing import attribution
from z3trace.analysis.comparing.comparison import Comparison, Metric
from z3trace.analysis.report import details, headline, row, sensitivity, setup
from z3trace.analysis.report.prose import WIDTH, ascii_only, heading, labelled, shell_command, wrap
from z3trace.analysis.report.table import Table
from z3trace.printable import joined


def _results(metrics: list[Metric]) -> list[str]:
    rows = []
    for r in map(row.of, metrics):
        rows.append([f"{r.name} {r.statistic}", r.before, r.after, r.ratio, r.interval, r.symbol])
    return _fitted(Table(["", "before", "after", "ratio", "95 % interval", ""], rows))


def _details(comparison: Comparison) -> list[str]:
    """Where a change comes from."""
    out: list[str] = []
    for table in details.of(comparison):
        if table.rows:
            out += [*heading(table.title), *_fitted(table), ""]
    for name, before, after in setup.lock_members(comparison):
        out += labelled(name, before if before == after else f"{before} -> {after}")
    for change in attribution.structure(comparison):
        out += wrap(change, "- ", "  ")
    return out


def _fitted(table: Table) -> list[str]:
    return [ascii_only(line) for line in table.cut(WIDTH).aligned()]


def _statistics(comparison: Comparison) -> list[str]:
    out = wrap(
        "ratio is after/before of geometric means over runs, with its 95 % bootstrap interval; "
        "+ better, - worse, = no difference (within 2 %), ~ inconclusive. "
        f"{headline.verdict_counts(comparison)} of {comparison.tests} tests (Holm)."
    )
    seen = sensitivity.resolution(comparison)
    if seen:
        out += wrap(f"Smallest change these runs could have found: {seen}.")
    more = sensitivity.more_runs(comparison)
    if more:
        out += wrap(more[0].upper() + more[1:] + ".")
    return out


def _commands(comparison: Comparison) -> list[str]:
    """The commands as they were given; a word is never cut, so that they can be pasted."""
    sides = (comparison.before.session, comparison.after.session)
    given = dict.fromkeys(tuple(side.command) for side in sides)
    return [line for command in given for line in shell_command(command)]


def render(comparison: Comparison) -> str:
    """The report; every line ASCII and at most 72 columns."""
    b, a = comparison.before.session, comparison.after.session
    out = wrap(f"{b.target}: {a.label} compared with {b.label}")
    out += ["=" * min(len(out[-1]), WIDTH), ""]
    for claim in headline.claims(comparison):
        out += wrap(claim, "- ", "  ")
    out += ["", "Set-up", "------"]
    for name, value in setup.facts(comparison):
        out += labelled(name, value)
    out += labelled("runs", setup.runs(comparison))
    out += ["", "Results", "-------"]
    out += _statistics(comparison)
    out += ["", *_results(comparison.main()), ""]
    out += ["Regressions", "-----------"]
    worse = comparison.regressions()
    out += _results(worse) if worse else ["none found"]
    out += ["", *_details(comparison)]
    out += ["", "Caveats", "-------"]
    for caveat in comparison.caveats:
        out += wrap(caveat, "- ", "  ")
    out += ["", *heading("To repeat this"), *_commands(comparison)]
    return joined(out)
