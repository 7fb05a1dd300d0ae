"""The plain-text report: ASCII, at most 72 columns, fit for a mailing list."""

from z3trace.analysis.comparing import attribution
from z3trace.analysis.comparing.comparison import Comparison, Metric
from z3trace.analysis.report import details, folding, headline, row, sensitivity, setup
from z3trace.analysis.report.prose import WIDTH, ascii_only, heading, labelled, shell_command, wrap
from z3trace.analysis.report.table import Table
from z3trace.printable import joined


def _results(metrics: list[Metric]) -> list[str]:
    """A table in which a line in brackets says how the lines below it were seen."""
    cells, seen = [], []
    for r in map(row.of, metrics):
        interval = r.interval if r.interval != "-" else ""
        name = f"{r.name} {r.statistic}"
        cells.append([name, r.before, r.after, r.ratio, interval, r.share, r.symbol])
        seen.append(r.way)
    header = ["", "before", "after", "ratio", "95 %", "instr.", ""]
    first, *lines = _fitted(Table(header, cells))
    out, last = [first], ""
    for line, way in zip(lines, seen, strict=True):
        out += [line] if way == last else [f"({ascii_only(way)})", line]
        last = way
    return out


def _details(comparison: Comparison) -> list[str]:
    """Where a change comes from."""
    out: list[str] = []
    title = ""
    for table in details.of(comparison):
        if table.rows:
            out += (
                _fitted(table)
                if table.title == title
                else [*["" for _ in out[:1]], *heading(table.title), *_fitted(table)]
            )
            title = table.title
    notes = details.costs(comparison) + _members(comparison)
    notes += attribution.structure(comparison, locks=False)
    return out + [line for note in notes for line in wrap(note, "- ", "  ")]


def _members(comparison: Comparison) -> list[str]:
    """Lock classes that are another member after the change."""
    return [
        f"{name} lock: {before} -> {after}"
        for name, before, after in setup.lock_members(comparison)
        if before != after
    ]


def _fitted(table: Table) -> list[str]:
    return [ascii_only(line) for line in table.cut(WIDTH).aligned()]


def _statistics(comparison: Comparison) -> list[str]:
    seen = sensitivity.resolution(comparison)
    return wrap(
        "ratio: a typical run after over one before; instr.: how much of a figure is the "
        "instrument's, above 50 % there is no verdict (!); + better, - worse, = no difference "
        "(within 2 %), ~ inconclusive, ? contradicted. "
        f"{headline.verdict_counts(comparison)} of {comparison.tests} tests; the "
        f"{comparison.family.primary} for throughput, mean and p99 latencies, mean waits and "
        "holds are asked first." + (f" They could have found changes of: {seen}." if seen else "")
    )


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
    out.append("")
    for name, value in setup.brief(comparison):
        out += labelled(name, value)
    folded = folding.fold(comparison, primary=True)
    out += ["", *heading("Results"), *_statistics(comparison), "", *_results(folded.shown), ""]
    for line in folded.lines:
        out += wrap(line, "- ", "  ")
    out += wrap(f"regressions: {sensitivity.regressions(comparison)}", "- ", "  ")
    out += ["", *_details(comparison), ""]
    out += heading("Caveats") if comparison.caveats else []
    for caveat in comparison.caveats:
        out += wrap(caveat, "- ", "  ")
    out += [
        *([""] if comparison.caveats else []),
        *heading("To repeat this"),
        *_commands(comparison),
    ]
    return joined(out)
