"""The report as Markdown, for a forge or a wiki."""

import re

from z3trace.analysis import units
from z3trace.analysis.comparing import attribution
from z3trace.analysis.comparing.comparison import Comparison, Metric
from z3trace.analysis.report import content, details

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~-])")


def escape(text: str) -> str:
    """Text from a recording is data: nothing in it may become markup."""
    return _SPECIAL.sub(r"\\\1", text.replace("\n", " ").replace("\r", " "))


def _table(metrics: list[Metric]) -> list[str]:
    out = [
        "| | | before | after | change | ratio (95 %) | verdict |",
        "|---|---|--:|--:|--:|--:|---|",
    ]
    for metric in metrics:
        e = metric.effect
        ratio = f"{units.ratio(e.ratio)} {units.interval(e.low, e.high)}"
        cells = [
            escape(content.name(metric)),
            metric.statistic,
            units.value(e.before, metric.unit),
            units.value(e.after, metric.unit),
            units.change(e.ratio),
            ratio if e.ratio == e.ratio else "-",
            f"**{metric.verdict}**" if metric.verdict in ("better", "worse") else metric.verdict,
        ]
        out.append("| " + " | ".join(cells) + " |")
    return out


def _plain(header: list[str], rows: list[list[str]]) -> list[str]:
    out = ["| " + " | ".join(map(escape, header)) + " |", "|---" * len(header) + "|"]
    return out + ["| " + " | ".join(map(escape, row)) + " |" for row in rows]


def _details(comparison: Comparison) -> list[str]:
    """Where a change comes from."""
    out: list[str] = []
    for title, header, rows in (
        *details.probe_tables(comparison),
        ("Where an operation's time goes", details.PARTS_HEADER, details.parts(comparison)),
        ("Call sites, time for each operation", details.SITES_HEADER, details.sites(comparison)),
        ("Locks, for each operation", details.LOCKS_HEADER, details.locks(comparison)),
    ):
        if rows:
            out += [f"## {title}", "", *_plain(header, rows), ""]
    members = [[name, x, y] for name, x, y in content.lock_members(comparison)]
    out += _plain(["lock class", "before", "after"], members)
    changes = attribution.structure(comparison)
    return out + ([""] + [f"- {escape(change)}" for change in changes] if changes else [])


def render(comparison: Comparison) -> str:
    b, a = comparison.before.session, comparison.after.session
    out = [f"# {escape(b.target)}: {escape(a.label)} compared with {escape(b.label)}", ""]
    out += [f"- {escape(claim)}" for claim in content.headline(comparison)]
    out += ["", "## Results", "", *_table(content.main(comparison)), ""]
    out += [f"{content.verdicts(comparison)} of {comparison.tests} tests (Holm).", ""]
    seen, more = details.resolution(comparison), details.more_runs(comparison)
    if seen:
        out += [f"Smallest change these runs could have found: {escape(seen)}.", ""]
    if more:
        out += [escape(more), ""]
    worse = content.regressions(comparison)
    out += ["## Regressions", "", *(_table(worse) if worse else ["None found."]), ""]
    out += _details(comparison)
    out += ["", "## Set-up", "", "| | |", "|---|---|"]
    out += [f"| {escape(n)} | {escape(v)} |" for n, v in content.setup(comparison)]
    out += [f"| runs | {escape(content.runs(comparison))} |", "", "## Caveats", ""]
    out += [f"- {escape(caveat)}" for caveat in comparison.caveats]
    return "\n".join(out) + "\n"
