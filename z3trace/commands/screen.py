"""The two outputs of a verb: what is said on them, and what standard output can show."""

import os
import shutil
import sys
from pathlib import Path

import click

from z3trace.printable import visible


def say(text: str) -> None:
    """Progress and notices go to stderr, results to stdout.  What they quote of a guest or a
    file is shown, never obeyed."""
    click.echo(visible(text, keep="\n"), err=True)


def wrote(path: Path) -> None:
    """Name a file that was written, relative to here if it is below."""
    text = os.path.relpath(path)
    name = str(path) if text.startswith("..") else text
    click.echo(f"Wrote {visible(name)}")


def is_terminal() -> bool:
    """Whether standard output is one; it may also be closed."""
    return sys.stdout is not None and sys.stdout.isatty()


def width() -> int:
    """Columns of the terminal; 0, for as many as it takes, into a pipe or a file."""
    return shutil.get_terminal_size().columns if is_terminal() else 0


def takes_colour() -> bool:
    """A terminal that is not told otherwise, see no-color.org."""
    return is_terminal() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def takes_unicode() -> bool:
    return "utf" in str(getattr(sys.stdout, "encoding", "")).lower()
