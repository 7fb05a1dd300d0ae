"""``z3trace target``: list the shipped targets, draft a definition for another module."""

from pathlib import Path

import click

from z3trace.commands import options, screen
from z3trace.commands.screen import wrote
from z3trace.errors import DONE


@click.group()
def command() -> None:
    """Target definitions: which operations and locks of a module are recorded."""


@command.command("list")
def list_targets() -> int:
    """List the shipped targets."""
    from z3trace.data import answers
    from z3trace.target import definition

    found = [definition.load(name) for name in definition.shipped()]
    for target in found:
        screen.result(f"{target.name}: {', '.join(target.operations)}")
    screen.answer(
        answers.Targets(
            targets=[
                answers.KnownTarget(
                    name=one.name,
                    module=one.module,
                    operations=list(one.operations),
                    locks=list(one.classes()[1:]),
                )
                for one in found
            ]
        )
    )
    return DONE


@command.command("init")
@click.argument("module_name", metavar="MODULE")
@options.module_file
@options.output_file("Write it here.")
@options.force
def init(module_name: str, module_file: Path | None, output: Path | None, force: bool) -> int:
    """Draft a target definition for MODULE, which must be loaded.

    The draft is made from the module's symbols, BTF and lock calls.  It is printed, or
    written to a file with -o.  Record with --target FILE.toml.
    """
    from z3trace.code import loaded, module
    from z3trace.data import outputs, streams
    from z3trace.data.answers import Draft
    from z3trace.target import draft

    if streams.is_standard(output):
        output = None
    if output:
        outputs.require(output, force=force)
    file = module.ModuleFile(module_file or loaded.packaged_file(module_name))
    text = draft.draft(file)
    if output is None:
        screen.result(text, nl=False)
    else:
        outputs.deliver(output, text)
        wrote(output)
    screen.answer(Draft(definition=text, file=str(output) if output else None))
    return DONE
