"""The plain-text report: ASCII, at most 72 columns, fit for a mailing list."""

from z3trace.analysis import units
from z3trace.analysis.comparing import attribution
from z3trace.analysis.comparing.comparison import Comparison, Metric
from z3trace.analysis.report import content, details
from z3trace.analysis.report.prose import WIDTH, ascii_only, heading, shell_command, wrap
from z3trace.columns import table


def _table(metrics: list[Metric]) -> list[str]:
    rows = []
    for metric in metrics:
        e = metric.effect
        rows.append(
            [
                f"{content.name(metric)} {metric.statistic}",
                units.value(e.before, metric.unit),
                units.value(e.after, metric.unit),
                units.ratio(e.ratio),
                units.interval(e.low, e.high),
                content.symbol(metric),
            ]
        )
    return [
        ascii_only(line)
        for line in table(["", "before", "after", "ratio", "95 % interval", ""], rows)
    ]


def _details(comparison: Comparison) -> list[str]:
    """Where a change comes from."""
    out: list[str] = []
    for title, header, rows in details.probe_tables(comparison):
        if rows:
            out += [*heading(title), *table(header, rows), ""]
    parts = details.parts(comparison)
    if parts:
        out += heading("Where an operation's time goes (mean, with probes)")
        out += [*table(details.PARTS_HEADER, parts, 2), ""]
    sites = details.sites(comparison)
    if sites:
        out += heading("Call sites (time in locks for each operation, by change)")
        out += [*_fitted(details.SITES_HEADER, sites), ""]
    out += heading("Locks (per operation; contended: share of acquisitions)")
    out += [*table(details.LOCKS_HEADER, details.locks(comparison)), ""]
    for name, before, after in content.lock_members(comparison):
        out += wrap(
            before if before == after else f"{before} -> {after}", f"{name + ':':16}", " " * 16
        )
    for change in attribution.structure(comparison):
        out += wrap(change, "- ", "  ")
    return out


def _fitted(header: list[str], rows: list[list[str]]) -> list[str]:
    """A table whose first column is cut so that it fits the width."""
    rest = max(map(len, table(["", *header[1:]], [["", *row[1:]] for row in rows])))
    room = WIDTH - rest
    cut = [[row[0] if len(row[0]) <= room else row[0][: room - 2] + "..", *row[1:]] for row in rows]
    return table([header[0][:room], *header[1:]], cut)


def _statistics(comparison: Comparison) -> list[str]:
    out = wrap(
        "ratio is after/before of geometric means over runs, with its 95 % bootstrap interval; "
        "+ better, - worse, = no difference (within 2 %), ~ inconclusive. "
        f"{content.verdicts(comparison)} of {comparison.tests} tests (Holm)."
    )
    seen = details.resolution(comparison)
    if seen:
        out += wrap(f"Smallest change these runs could have found: {seen}.")
    more = details.more_runs(comparison)
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
    for claim in content.headline(comparison):
        out += wrap(claim, "- ", "  ")
    out += ["", "Set-up", "------"]
    for name, value in content.setup(comparison):
        out += wrap(value, f"{name + ':':16}", " " * 16)
    out += wrap(content.runs(comparison), f"{'runs:':16}", " " * 16)
    out += ["", "Results", "-------"]
    out += _statistics(comparison)
    out += ["", *_table(content.main(comparison)), ""]
    out += ["Regressions", "-----------"]
    worse = content.regressions(comparison)
    out += _table(worse) if worse else ["none found"]
    out += ["", *_details(comparison)]
    out += ["", "Caveats", "-------"]
    for caveat in comparison.caveats:
        out += wrap(caveat, "- ", "  ")
    out += ["", *heading("To repeat this"), *_commands(comparison)]
    return "\n".join(line.rstrip() for line in out) + "\n"
