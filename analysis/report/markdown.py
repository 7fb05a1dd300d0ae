"""The report as Markdown, for a forge or a wiki."""

import re

from z3trace.analysis import units
from z3trace.analysis.compare import Comparison, Metric
from z3trace.analysis.report import lines

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
        ratio = f"{e.ratio:.3f} {units.interval(e.low, e.high)}" if e.ratio == e.ratio else "-"
        cells = [
            escape(lines.name(metric)),
            metric.statistic,
            units.value(e.before, metric.unit),
            units.value(e.after, metric.unit),
            units.change(e.ratio),
            ratio,
            f"**{metric.verdict}**" if metric.verdict in ("better", "worse") else metric.verdict,
        ]
        out.append("| " + " | ".join(cells) + " |")
    return out


def render(comparison: Comparison) -> str:
    b, a = comparison.before.session, comparison.after.session
    out = [f"# {escape(b.target)}: {escape(a.label)} compared with {escape(b.label)}", ""]
    out += [f"- {escape(claim)}" for claim in lines.headline(comparison)]
    out += ["", "## Results", "", *_table(lines.main(comparison)), ""]
    out += [f"{lines.verdicts(comparison)} of {comparison.tests} tests (Holm).", ""]
    worse = lines.regressions(comparison)
    out += ["## Regressions", "", *(_table(worse) if worse else ["None found."]), ""]
    out += ["## Locks", "", "| lock class | before | after |", "|---|---|---|"]
    out += [
        f"| {escape(n)} | {escape(x)} | {escape(y)} |" for n, x, y in lines.lock_members(comparison)
    ]
    out += ["", "## Set-up", "", "| | |", "|---|---|"]
    out += [f"| {escape(n)} | {escape(v)} |" for n, v in lines.setup(comparison)]
    out += [f"| runs | {escape(lines.runs(comparison))} |", "", "## Caveats", ""]
    out += [f"- {escape(caveat)}" for caveat in comparison.caveats]
    return "\n".join(out) + "\n"
