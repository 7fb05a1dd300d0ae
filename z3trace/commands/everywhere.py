"""Options that every verb has, with one meaning: how it speaks."""

import re
import sys
from collections.abc import Callable

import click

from z3trace.commands.screen import manner

JSON = "--json"


def _json(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    manner.json = value or manner.json


def _quiet(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    manner.quiet = value


def _verbose(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    manner.verbose = value
    if value or "logging" in sys.modules:
        _log_to_stderr(value)


def _log_to_stderr(wanted: bool) -> None:
    """What z3trace logs, with the seconds since it began, or nothing of it."""
    import logging

    class Line(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            from z3trace.printable import visible

            text = f"[{record.relativeCreated / 1000:8.3f}] {visible(record.getMessage())}"
            click.echo(text, err=True)

    log = logging.getLogger("z3trace")
    log.handlers = [Line()] if wanted else []
    log.propagate = not wanted
    log.setLevel(logging.DEBUG if wanted else logging.NOTSET)


def _flag(names: list[str], callback: Callable[..., None], meaning: str) -> click.Option:
    variable = f"Z3TRACE_{names[-1].strip('-').upper()}"
    return click.Option(
        names, is_flag=True, expose_value=False, callback=callback, envvar=variable, help=meaning
    )


#: Made once: the help of every verb is the same.
COMMON = (
    _flag(
        [JSON],
        _json,
        "Print one JSON document on standard output instead of text, also for an error; "
        "docs/scripts.md has the schemas.",
    ),
    _flag(
        ["-q", "--quiet"],
        _quiet,
        "Say nothing of progress; results and errors are still printed.",
    ),
    _flag(
        ["-v", "--verbose"],
        _verbose,
        "Also say which programs are run, and how long each step takes.",
    ),
)
NAMES = tuple(one.opts[-1].strip("-") for one in COMMON)
#: What is asked for one command line, and never for all of them.
_NEVER = ("force", "unboxed", "help", "version", "bisect")


def name_of(option: click.Option) -> str:
    """What an option is called in the configuration and in the environment."""
    return max(option.opts, key=len).lstrip("-")


def settable(command: click.Command) -> list[click.Option]:
    """The options of a verb that the environment and the configuration can set."""
    return [
        one
        for one in command.params
        if isinstance(one, click.Option) and name_of(one) not in _NEVER
    ]


def added(command: click.Command, *words: str) -> click.Command:
    """*command*, which *words* name, with these options, and with a variable of the
    environment for each of its own; a group's commands have them, the group has not."""
    if isinstance(command, click.Group):
        for name, one in command.commands.items():
            added(one, *words, name)
    elif COMMON[0] not in command.params:
        for option in settable(command):
            name = "_".join(("Z3TRACE", *words, name_of(option)))
            option.envvar = re.sub("[^A-Z0-9]", "_", name.upper())
        command.params.extend(COMMON)
    return command
