"""The plain-text report: ASCII, at most 72 columns, fit for a mailing list."""

import textwrap

from z3trace.analysis import units
from z3trace.analysis.compare import Comparison, Metric
from z3trace.analysis.report import lines

from z3trace.columns import table

WIDTH = 72


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode().replace("\t", " ")


def _wrap(text: str, first: str = "", rest: str | None = None) -> list[str]:
    indent = first if rest is None else rest
    return textwrap.wrap(
        _ascii(text),
        WIDTH,
        initial_indent=first,
        subsequent_indent=indent,
        break_long_words=True,
        break_on_hyphens=False,
    ) or [first.rstrip()]


def _table(metrics: list[Metric]) -> list[str]:
    rows = []
    for metric in metrics:
        e = metric.effect
        rows.append(
            [
                f"{lines.name(metric)} {metric.statistic}",
                units.value(e.before, metric.unit),
                units.value(e.after, metric.unit),
                f"{e.ratio:.3f}" if e.ratio == e.ratio else "-",
                units.interval(e.low, e.high),
                lines.symbol(metric),
            ]
        )
    return [
        _ascii(line) for line in table(["", "before", "after", "ratio", "95 % interval", ""], rows)
    ]


def _locks(comparison: Comparison) -> list[str]:
    rows = []
    shares = {m.lock: m for m in comparison.select("contended")}
    rates = {m.lock: m for m in comparison.select("acquisitions")}
    failures = {m.lock: m for m in comparison.select("trylock_failures")}
    for lock in rates:
        row = [lock]
        for source, unit in (
            (rates, "per operation"),
            (shares, "of acquisitions"),
            (failures, "per operation"),
        ):
            metric = source.get(lock)
            row += (
                ["-", "-"]
                if metric is None
                else [
                    units.value(metric.effect.before, unit),
                    units.value(metric.effect.after, unit),
                ]
            )
        rows.append(row)
    header = ["lock", "acquired", "-> after", "contended", "-> after", "failed tries", "-> after"]
    return table(header, rows)


def render(comparison: Comparison) -> str:
    """The report; every line ASCII and at most 72 columns."""
    b, a = comparison.before.session, comparison.after.session
    out = _wrap(f"{b.target}: {a.label} compared with {b.label}")
    out += ["=" * min(len(out[-1]), WIDTH), ""]
    for claim in lines.headline(comparison):
        out += _wrap(claim, "- ", "  ")
    out += ["", "Set-up", "------"]
    for name, value in lines.setup(comparison):
        out += _wrap(value, f"{name + ':':16}", " " * 16)
    out += _wrap(lines.runs(comparison), f"{'runs:':16}", " " * 16)
    out += ["", "Results", "-------"]
    out += _wrap(
        "ratio is after/before of geometric means over runs, with its 95 % bootstrap interval; "
        "+ better, - worse, = no difference (within 2 %), ~ inconclusive. "
        f"{lines.verdicts(comparison)} of {comparison.tests} tests (Holm)."
    )
    out += ["", *_table(lines.main(comparison)), ""]
    out += ["Regressions", "-----------"]
    worse = lines.regressions(comparison)
    out += _table(worse) if worse else ["none found"]
    out += ["", "Locks (per operation; contended: share of acquisitions)"]
    out += ["-" * len(out[-1]), *_locks(comparison), ""]
    for name, before, after in lines.lock_members(comparison):
        out += _wrap(
            before if before == after else f"{before} -> {after}", f"{name + ':':16}", " " * 16
        )
    out += ["", "Caveats", "-------"]
    for caveat in comparison.caveats:
        out += _wrap(caveat, "- ", "  ")
    return "\n".join(line.rstrip() for line in out) + "\n"
