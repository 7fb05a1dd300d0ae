"""The quiet table that ``compare`` prints."""

from z3trace.analysis import units
from z3trace.analysis.compare import Comparison, Metric
from z3trace.analysis.report import lines

from z3trace.columns import table


def _row(metric: Metric) -> list[str]:
    e = metric.effect
    p = f"p={metric.p_adjusted:.3f}" if metric.p_adjusted == metric.p_adjusted else ""
    return [
        lines.name(metric),
        metric.statistic,
        units.value(e.before, metric.unit),
        units.value(e.after, metric.unit),
        units.change(e.ratio),
        units.interval(e.low, e.high),
        metric.verdict,
        p,
        f"n={e.n_before}+{e.n_after}",
    ]


def render(comparison: Comparison, *, everything: bool) -> str:
    """A table and what must be known to read it; ends in a newline."""
    chosen = comparison.metrics if everything else lines.main(comparison)
    header = ["", "", "before", "after", "change", "ratio 95 %", "verdict", "", ""]
    b, a = comparison.before.session, comparison.after.session
    out = [f"before: {b.label}    after: {a.label}    {lines.runs(comparison)}", ""]
    out += table(header, [_row(m) for m in chosen], 2)
    out += ["", f"{lines.verdicts(comparison)} (Holm over {comparison.tests} tests)"]
    out += [f"note: {caveat}" for caveat in comparison.caveats]
    return "\n".join(out) + "\n"
