"""The report as Markdown, for a forge or a wiki."""

import re
import shlex

from z3trace.analysis.comparing import attribution
from z3trace.analysis.comparing.comparison import Comparison, Metric
from z3trace.analysis.report import details, folding, headline, row, sensitivity, setup
from z3trace.analysis.report.table import Table
from z3trace.printable import joined, visible

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~&$-])")
#: A word of characters that mean nothing in a code span.
_WORD = re.compile(r"[\w.:/@#%&=?+~-]+")
#: What a forge makes a mention, a reference or a link of, however it is escaped.
_LIVE = re.compile(r"@|:/|www\.|#\d|gh-\d|mailto:|xmpp:", re.I)


def escape(text: str) -> str:
    """Text from a recording is data: nothing in it may become markup.

    Forges look for names, references and addresses in what is rendered, where an escape
    is gone; only code they leave alone.
    """
    text = visible(text)
    escaped, end = "", 0
    for word in _WORD.finditer(text):
        if _LIVE.search(word[0]):
            escaped += _SPECIAL.sub(r"\\\1", text[end : word.start()]) + f"`{word[0]}`"
            end = word.end()
    return escaped + _SPECIAL.sub(r"\\\1", text[end:])


def _results(metrics: list[Metric]) -> list[str]:
    out = [
        "| | | before | after | change | ratio (95 %) | verdict | seen by | instrument's |",
        "|---|---|--:|--:|--:|--:|---|---|--:|",
    ]
    for metric in metrics:
        r = row.of(metric)
        ratio = f"{r.ratio} {r.interval}" if metric.effect.ratio == metric.effect.ratio else "-"
        said = f"**{r.verdict}**" if r.verdict in ("better", "worse") else r.verdict
        cells = [escape(r.name), r.statistic, r.before, r.after, r.change, ratio, said]
        out.append("| " + " | ".join([*cells, escape(r.way), escape(r.share)]) + " |")
    return out


def _lines(table: Table) -> list[str]:
    header, *rows = (f"| {' | '.join(map(escape, row))} |" for row in (table.header, *table.rows))
    return [header, "|---" * len(table.header) + "|", *rows]


def _details(comparison: Comparison) -> list[str]:
    """Where a change comes from."""
    out: list[str] = []
    for table in details.of(comparison):
        if table.rows:
            title = f"## {escape(table.short or table.title)}"
            out += [*([] if title in out else [title, ""]), *_lines(table), ""]
    out += _lines(Table(["lock class", "before", "after"], setup.lock_members(comparison)))
    notes = details.costs(comparison) + attribution.structure(comparison)
    return out + ([""] + [f"- {escape(note)}" for note in notes] if notes else [])


def render(comparison: Comparison) -> str:
    """The report; nothing that comes from a recording is markup in it."""
    b, a = comparison.before.session, comparison.after.session
    out = [f"# {escape(b.target)}: {escape(a.label)} compared with {escape(b.label)}", ""]
    out += [f"- {escape(claim)}" for claim in headline.claims(comparison)]
    out += ["", "| | |", "|---|---|"]
    out += [f"| {escape(n)} | {escape(v)} |" for n, v in setup.brief(comparison)]
    folded = folding.fold(comparison, primary=True)
    out += ["", "## Results", "", *_results(folded.shown), ""]
    out += [f"- {escape(line)}" for line in folded.lines]
    out += [f"- regressions: {escape(sensitivity.regressions(comparison))}"]
    counted = headline.verdict_counts(comparison)
    first = comparison.family.primary
    out += ["", f"{counted} of {comparison.tests} tests, {first} of them asked first.", ""]
    seen = sensitivity.resolution(comparison)
    if seen:
        out += [f"Smallest change these runs could have found: {escape(seen)}.", ""]
    out += _details(comparison)
    out += ["", "## Caveats", ""] if comparison.caveats else []
    out += [f"- {escape(caveat)}" for caveat in comparison.caveats]
    out += ["", "## To repeat this", ""]
    given = dict.fromkeys(tuple(side.command) for side in (b, a))
    out += [f"- {escape(shlex.join(command))}" for command in given]
    return joined(out)
