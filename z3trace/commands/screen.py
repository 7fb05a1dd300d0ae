"""The two outputs of a verb: what is said on them, in which form, and what standard output
can show."""

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from z3trace.errors import UsageError
from z3trace.printable import visible

if TYPE_CHECKING:
    import msgspec


@dataclass
class Manner:
    """How this command line is to speak.  *given*: a file goes to standard output;
    *answered*: its JSON document was printed."""

    json: bool = False
    quiet: bool = False
    verbose: bool = False
    given: bool = False
    answered: bool = False


#: Of the command line that runs now; ``begin`` makes it anew.
manner = Manner()


def begin(*, json: bool) -> None:
    """A command line begins; *json*: it asks for JSON, whatever else is wrong with it."""
    manner.__dict__.update(vars(Manner(json=json)))


def give(*outputs: Path | None) -> None:
    """Before the work: whether one of the outputs is standard output, which then has nothing
    else.  UsageError if two are, or if JSON is to be there."""
    from z3trace.data import streams

    streams.require_once(outputs, "standard output")
    manner.given = any(map(streams.is_standard, outputs))
    if manner.given and manner.json:
        raise UsageError("--json and an output named - both want standard output")


def take(inputs: Iterable[Path | None]) -> None:
    """Before the work: UsageError if two inputs are standard input."""
    from z3trace.data import streams

    streams.require_once(inputs, "standard input")


def say(text: str) -> None:
    """Progress and notices go to stderr, results to stdout.  What they quote of a guest or a
    file is shown, never obeyed."""
    if not manner.quiet:
        complain(text)


def complain(text: str) -> None:
    """Why the exit status is not 0: on standard error, also where nothing else is said."""
    click.echo(visible(text, keep="\n"), err=True)


def result(text: str, *, nl: bool = True) -> None:
    """What a verb is asked for, as text: on standard output, unless something else is there."""
    if not (manner.json or manner.given):
        click.echo(text, nl=nl)


def answer(document: "msgspec.Struct | str") -> None:
    """What a verb is asked for, as JSON, if it is to be JSON: a struct, or JSON text."""
    if not manner.json:
        return
    manner.answered = True
    if isinstance(document, str):
        click.echo(document, nl=not document.endswith("\n"))
        return
    from msgspec import json

    click.echo(json.format(json.encode(document), indent=1).decode())


@contextmanager
def aside() -> Iterator[None]:
    """What is printed within, by programs too, keeps away from a JSON document: it goes to
    standard error."""
    if not manner.json:
        yield
        return
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def wrote(path: Path) -> None:
    """Name a file that was written, relative to here if it is below."""
    from z3trace.data import streams

    if streams.is_standard(path):
        return
    text = os.path.relpath(path)
    name = str(path) if text.startswith("..") else text
    if manner.json or manner.given:
        say(f"Wrote {name}")
    elif not manner.quiet:
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
