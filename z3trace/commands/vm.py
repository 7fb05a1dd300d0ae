"""``z3trace vm``: a command in a guest of a chosen kernel."""

import sys
from pathlib import Path

import click

from z3trace.commands import options, screen
from z3trace.commands.options import GuestOptions
from z3trace.commands.screen import say


@click.command(context_settings={"ignore_unknown_options": False})
@options.guest
@click.option("--append", default="", help="Text to add to the guest kernel's command line.")
@click.option(
    "--share",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=Path(),
    help="Directory where the guest starts, and where what it writes is kept.  [default: this one]",
)
@click.option(
    "--disk",
    "disks",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A file that the guest sees as a disk; may be repeated.",
)
@click.option("--console", is_flag=True, help="Print the guest's console at the end.")
@click.argument(
    "command_line", nargs=-1, required=True, metavar="-- COMMAND...", type=click.UNPROCESSED
)
def command(
    guest: GuestOptions,
    append: str,
    share: Path,
    disks: tuple[Path, ...],
    console: bool,
    command_line: tuple[str, ...],
) -> int:
    """Run COMMAND in a guest: a z3trace verb, or any program of the host.

    The guest sees the host's files and may write anywhere, but only what it writes
    below --share is kept.  The exit status is COMMAND's.  With --json, what COMMAND prints
    goes to standard error.
    """
    from z3trace.commands.verbs import HIDDEN, VERBS
    from z3trace.data.answers import GuestEnd
    from z3trace.guest import vm
    from z3trace.kernels import workloads

    words = list(command_line)
    if words[0] in VERBS or words[0] in HIDDEN:
        words = [sys.executable, "-m", "z3trace", *words]
    machine = guest.machine(
        append=append, share=share, disks=tuple(disk.absolute() for disk in disks)
    )
    kernel = guest.kernel(say)
    workloads.build_workloads(kernel, workloads.asked_for(words), say)
    with screen.aside():
        outcome = vm.run(kernel, words, machine, say)
    if console:
        say(outcome.console.rstrip())
    for warning in outcome.warnings:
        say(f"the guest's console: {warning}")
    screen.answer(
        GuestEnd(
            release=kernel.release,
            status=outcome.status,
            boot_seconds=outcome.boot_seconds,
            warnings=list(outcome.warnings),
            console=outcome.console if console else None,
        )
    )
    return outcome.status
