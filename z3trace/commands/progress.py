"""How a long recording in a guest is followed: a bar on a terminal, lines elsewhere."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from z3trace.commands.screen import say
from z3trace.guest.spec import PairProgress


@contextmanager
def shown(path: Path, title: str) -> Iterator[None]:
    """Show what the guest writes to *path* until the block ends."""
    stop = threading.Event()
    show = _bar if sys.stderr.isatty() else _lines
    thread = threading.Thread(target=show, args=(path, title, stop), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=5)


def _state(path: Path) -> PairProgress | None:
    with suppress(OSError, msgspec.MsgspecError):
        return msgspec.json.decode(path.read_bytes(), type=PairProgress)
    return None


def _lines(path: Path, title: str, stop: threading.Event) -> None:
    last, started = -1, 0.0
    while not stop.wait(0.5):
        state = _state(path)
        if state is None:
            continue
        started = started or (time.monotonic() if state.done else 0.0)
        step = max(state.total // 10, 1)
        if state.done != last and (state.done % step == 0 or state.done == state.total):
            each = (time.monotonic() - started) / max(state.done - 1, 1)
            left = each * (state.total - state.done)
            tail = f", about {left:.0f} s left" if 1 < state.done < state.total else ""
            say(f"{title}: {state.done}/{state.total} runs ({state.doing}){tail}")
            last = state.done


def _bar(path: Path, title: str, stop: threading.Event) -> None:
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
        TextColumn("{task.fields[doing]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=None, doing="booting the guest")
        while not stop.wait(0.2):
            state = _state(path)
            if state is not None:
                progress.update(task, completed=state.done, total=state.total, doing=state.doing)
