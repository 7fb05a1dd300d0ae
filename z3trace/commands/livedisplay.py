"""How ``record --live`` shows figures: a table on a terminal, plain lines elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from z3trace.commands.screen import say

if TYPE_CHECKING:
    from z3trace.recording.live import Look


def _time(ns: float) -> str:
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if ns >= size:
            return f"{ns / size:.3g} {unit}"
    return f"{ns:.0f} ns"


def _line(look: "Look") -> str:
    operations = ", ".join(
        f"{row.name} {row.rate:.0f}/s p50 {_time(row.p50)} p99 {_time(row.p99)}"
        for row in look.rows
        if row.rate
    )
    locks = ", ".join(
        f"{name} {share:.1%} contended" for name, rate, share in look.contended if rate
    )
    parts = [part for part in (operations or "no operation", locks) if part]
    return f"{look.elapsed:.0f} s: {'; '.join(parts)}; looking took {look.cost:.1%} of a CPU"


def _table(look: "Look") -> object:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    operations = Table("operation", "per second", "p50", "p99")
    for row in look.rows:
        operations.add_row(row.name, f"{row.rate:.0f}", _time(row.p50), _time(row.p99))
    locks = Table("lock", "acquired per second", "contended")
    for name, rate, share in look.contended:
        locks.add_row(name, f"{rate:.0f}", f"{share:.1%}")
    note = Text(f"{look.elapsed:.0f} s; looking took {look.cost:.1%} of a CPU")
    return Group(operations, locks, note)


@contextmanager
def display() -> Iterator[Callable[["Look"], None]]:
    """What to call with each look."""
    if not sys.stderr.isatty():
        yield lambda look: say(_line(look))
        return
    from rich.console import Console
    from rich.live import Live

    with Live(console=Console(stderr=True), transient=True) as live:
        yield lambda look: live.update(_table(look))  # type: ignore[arg-type]
