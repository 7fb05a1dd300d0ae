"""``z3trace completion``: completion for shells, and manual pages."""

import os
from pathlib import Path

import click

from z3trace.commands import manual, screen
from z3trace.commands.screen import wrote
from z3trace.errors import DONE, UsageError


@click.command()
@click.argument("shell", required=False, type=click.Choice(list(manual.PLACES)))
@click.option(
    "--install",
    is_flag=True,
    help="Write completion for bash, zsh and fish, and the manual pages, below PREFIX/share.",
)
@click.option(
    "--prefix",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where to install.  [default: ~/.local; of root /usr/local]",
)
def command(shell: str | None, install: bool, prefix: Path | None) -> int:
    """Print the completion of SHELL, or install completion and manual pages.

    A package and a wheel bring both with them; this is for what was installed otherwise, or
    where a shell does not look.  zsh looks in the directories of its fpath.
    """
    from importlib import metadata

    from z3trace import paths
    from z3trace.data.answers import Script, Written

    if install == bool(shell):
        raise UsageError("give a shell, or --install")
    if shell:
        script = manual.completions(manual.root())[shell]
        screen.result(script, nl=False)
        screen.answer(Script(shell=shell, script=script))
        return DONE
    default = Path("/usr/local" if os.geteuid() == 0 else "~/.local").expanduser()
    written = []
    for name, text in manual.files(manual.root(), metadata.version("z3trace")).items():
        path = (prefix or default) / "share" / name
        paths.write_atomic(path, text)
        wrote(path)
        written.append(str(path))
    screen.answer(Written(files=written))
    return DONE
