"""The command line: lazy verbs, and the one place where an error becomes an exit code."""

import importlib
import os
import signal
import sys
from types import FrameType

import click

from z3trace.commands.verbs import HIDDEN, VERBS
from z3trace.errors import DONE, FAILED, INTERRUPTED, Z3traceError
from z3trace.printable import visible


class _Verbs(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = VERBS.get(cmd_name) or HIDDEN.get(cmd_name)
        if entry is None:
            return None
        module = importlib.import_module(f"z3trace.commands.{entry[0]}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry[1]) for name, entry in VERBS.items()])


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
def cli() -> None:
    """What did this patch do to the allocator's latency and to its locks?

    Record a kernel before and after a locking patch, compare the recordings, and
    get figures with intervals, plots, and a plain-text table for the review.

    Exit status: 0 done; 1 failed; 2 wrong usage; 3 regression or lock violation;
    4 this machine or kernel cannot do it; 5 the recordings cannot be compared;
    128 the guest was lost.
    """


def _terminate(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _fail(error: Z3traceError) -> int:
    message, hint = (visible(text, keep="\n") for text in (error.message, error.hint))
    click.echo(f"z3trace: {message}", err=True)
    if hint:
        click.echo(f"  {hint}", err=True)
    return error.exit_code


def run(arguments: list[str] | None = None) -> int:
    """Run one command line; the exit code."""
    try:
        result = cli.main(arguments, prog_name="z3trace", standalone_mode=False)
    except Z3traceError as error:
        return _fail(error)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("z3trace: interrupted", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader left: nothing more to say, and nothing to flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as error:
        # A full disk, a file that may not be read: the machine's fault, said as such.
        click.echo(f"z3trace: {' '.join(str(error).split())}", err=True)
        return FAILED
    return result if isinstance(result, int) else DONE


def main() -> None:
    signal.signal(signal.SIGTERM, _terminate)
    # Also where a shell started this in the background, and had it ignore the signal.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(run())
