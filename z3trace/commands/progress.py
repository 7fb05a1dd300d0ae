"""How a long recording in a guest is followed: a bar on a terminal, lines elsewhere.

What the guest tells is data: bounded, typed, and shown as plain text.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from z3trace.commands.screen import manner, say
from z3trace.guest import share
from z3trace.guest.spec import PROGRESS, PairProgress
from z3trace.printable import visible

_LIMIT = 4096  # bytes; a guest's progress is a line
Look = Callable[[Path], None]


@contextmanager
def shown(title: str) -> Iterator[Look]:
    """What to call with a guest's directory, again and again, while it records."""
    if manner.quiet or not sys.stderr.isatty():
        yield _Lines(title)
        return
    with _bar(title) as look:
        yield look


def _state(run: Path) -> PairProgress | None:
    with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        state = msgspec.json.decode(share.read(run / PROGRESS, _LIMIT) or b"", type=PairProgress)
        return msgspec.structs.replace(state, doing=visible(state.doing))
    return None


class _Lines:
    """A line for each tenth of the runs."""

    def __init__(self, title: str) -> None:
        self._title, self._last, self._started = title, -1, 0.0

    def __call__(self, run: Path) -> None:
        state = _state(run)
        if state is None:
            return
        self._started = self._started or (time.monotonic() if state.done else 0.0)
        step = max(state.total // 10, 1)
        if state.done != self._last and (state.done % step == 0 or state.done == state.total):
            each = (time.monotonic() - self._started) / max(state.done - 1, 1)
            left = each * (state.total - state.done)
            tail = f", about {left:.0f} s left" if 1 < state.done < state.total else ""
            say(f"{self._title}: {state.done}/{state.total} runs ({state.doing}){tail}")
            self._last = state.done


@contextmanager
def _bar(title: str) -> Iterator[Look]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[doing]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=None, doing="booting the guest")

        def look(run: Path) -> None:
            state = _state(run)
            if state is not None:
                progress.update(task, completed=state.done, total=state.total, doing=state.doing)

        yield look
