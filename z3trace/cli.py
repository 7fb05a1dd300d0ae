"""The command line: lazy verbs, and the one place where an error becomes an exit code."""

import errno
import importlib
import io
import os
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import click

from z3trace.commands import bisecting, configuration, everywhere, screen
from z3trace.commands.verbs import HIDDEN, VERBS
from z3trace.errors import DONE, FAILED, INTERRUPTED, STATUSES, Z3traceError
from z3trace.printable import visible

#: Set in the environment, it shows the traceback of a bug.
DEBUG = "Z3TRACE_DEBUG"
_MOST_SAID = 300  # characters of an exception's own words


class _Verbs(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = VERBS.get(cmd_name) or HIDDEN.get(cmd_name)
        if entry is None:
            return None
        module = importlib.import_module(f"z3trace.commands.{entry[0]}")
        command: click.Command = module.command
        return everywhere.added(command, cmd_name) if cmd_name in VERBS else command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry[1]) for name, entry in VERBS.items()])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Exit status"):
            plain = [(str(code), text.replace("`", "")) for code, text in STATUSES.items()]
            formatter.write_dl(plain)


def _version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        from importlib import metadata

        click.echo(f"z3trace {metadata.version('z3trace')}")
        ctx.exit()


@click.command(
    cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]}, no_args_is_help=True
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Print the version and exit.",
)
@click.pass_context
def cli(ctx: click.Context) -> None:
    """What did this patch do to the allocator's latency and to its locks?

    Record a kernel before and after a locking patch, compare the recordings, and
    get figures with intervals, plots, and a plain-text table for the review.
    """
    verb = ctx.invoked_subcommand
    if verb and verb in _CONFIGURED and isinstance(ctx.command, click.Group):
        command = ctx.command.get_command(ctx, verb)
        ctx.default_map = {verb: configuration.defaults(verb, command)} if command else None


#: Verbs that have options in the configuration file; 'config' must work when it is bad.
_CONFIGURED = frozenset(VERBS) - {"config", "completion"}


def _terminate(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _told(status: int, error: str, hint: str = "") -> int:
    """*status*, after the error is said, and is the JSON document if one was asked for."""
    message, hint = (visible(text, keep="\n") for text in (error, hint))
    click.echo(f"z3trace: {message}", err=True)
    if hint:
        click.echo(f"  {hint}", err=True)
    _answered(status, message, hint)
    return status


def _answered(status: int, error: str, hint: str = "") -> None:
    if screen.manner.json and not screen.manner.answered:
        from z3trace.data.answers import Failure

        with suppress(OSError):  # nobody reads it any more
            screen.answer(Failure(error=error, hint=hint, status=status))
            sys.stdout.flush()


def _fail(error: Z3traceError) -> int:
    return _told(error.exit_code, error.message, error.hint)


def _os_error(error: OSError) -> str:
    """What the machine refused, and of what: never a bare number."""
    said = error.strerror or " ".join(str(error).split()) or type(error).__name__
    name = error.filename
    if isinstance(name, bytes):
        name = os.fsdecode(name)
    return visible(f"{name}: {said}" if name else said)


def _bug(error: Exception) -> int:
    """What nobody thought of is one line too, with the place for whoever mends it."""
    if os.environ.get(DEBUG):
        traceback.print_exception(error)
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    said = " ".join(str(error).split())[:_MOST_SAID]
    return _told(
        FAILED,
        f"a bug of z3trace: {type(error).__name__}{place}: {said}",
        f"{DEBUG}=1 shows the whole traceback; please report it",
    )


def _leave_quietly() -> None:
    """The reader of standard output is gone: nothing is flushed to it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _flushed(code: int) -> int:
    """*code*, when all that was printed has reached whoever reads it."""
    if sys.stdout is not None:
        sys.stdout.flush()
    return code


def _refused(error: OSError) -> int:
    """A full disk, a file that may not be read: the machine's fault, said as such."""
    if error.errno in (errno.EPIPE, errno.ENOSPC, errno.EIO):
        _leave_quietly()
    return FAILED if isinstance(error, BrokenPipeError) else _told(FAILED, _os_error(error))


def _interrupted() -> int:
    return _told(INTERRUPTED, "interrupted")


def _wrong_usage(error: click.ClickException) -> int:
    error.show()
    _answered(error.exit_code, " ".join(visible(error.format_message()).split()))
    return error.exit_code


#: What may end a command line, and what is said of it; the first that fits.
_ENDS: tuple[tuple[type[BaseException], Callable[[Any], int]], ...] = (
    (Z3traceError, _fail),
    (click.ClickException, _wrong_usage),
    (click.Abort, lambda _: _interrupted()),
    (KeyboardInterrupt, lambda _: _interrupted()),
    (OSError, _refused),
    (Exception, _bug),
)


def run(arguments: list[str] | None = None) -> int:
    """Run one command line; the exit code.  No exception leaves it."""
    words = sys.argv[1:] if arguments is None else arguments
    screen.begin(json=bisecting.given(words, everywhere.JSON))
    status = _run(words)
    return bisecting.code(status) if bisecting.asked(words) else status


def _run(arguments: list[str]) -> int:
    try:
        result = cli.main(arguments, prog_name="z3trace", standalone_mode=False)
        status = result if isinstance(result, int) else DONE
        if status:
            _answered(status, "it failed", "standard error says why")
        return _flushed(status)
    except (Exception, KeyboardInterrupt) as error:
        return next(say(error) for kind, say in _ENDS if isinstance(error, kind))


def _any_character() -> None:
    """A character that the terminal's encoding does not have is shown by its number."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def main() -> None:
    _any_character()
    signal.signal(signal.SIGTERM, _terminate)
    # Also where a shell started this in the background, and had it ignore the signal.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(run())
