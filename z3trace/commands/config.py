"""``z3trace config``: what is set by file and environment."""

from pathlib import Path

import click

from z3trace.commands import configuration, manual, options, screen
from z3trace.commands.screen import wrote
from z3trace.errors import DONE, UsageError


@click.command()
@click.option(
    "--init",
    "init",
    is_flag=True,
    help="Write a file with every option and its meaning as a comment.",
)
@options.force
def command(init: bool, force: bool) -> int:
    """Print what is set for verbs by the configuration file and the environment.

    The file is $XDG_CONFIG_HOME/z3trace/config.toml; Z3TRACE_CONFIG names another one.  It
    has a table for each verb: below [record], runs = 10 is --runs 10; [kernel.fetch] is of
    'kernel fetch'.  Above all tables, quiet, verbose and json are of every verb.  Options on
    the command line count first, then the environment (Z3TRACE_RECORD_RUNS=10), then the
    file.
    """
    from z3trace.data import answers, outputs

    file = configuration.path()
    if init:
        if file is None:
            raise UsageError(f"{configuration.VARIABLE} is empty: there is no file to write")
        outputs.require(file, force=force)
        outputs.deliver(file, configuration.sample(manual.root()))
        wrote(file)
        screen.answer(answers.Written(files=[str(file)]))
        return DONE
    found = list(configuration.settings(manual.root()))
    there = file is not None and file.exists()
    screen.result(_state(file, there=there))
    for verb, option, value, where in found:
        screen.result(f"{verb} --{option} {value}  (from {where})")
    screen.answer(
        answers.Configuration(
            file=str(file) if file else None,
            exists=there,
            settings=[answers.Setting(*one) for one in found],
        )
    )
    return DONE


def _state(file: Path | None, *, there: bool) -> str:
    if file is None:
        return f"no file: {configuration.VARIABLE} is empty"
    return str(file) if there else f"{file} is not there; 'z3trace config --init' writes one"
