"""``z3trace target``: list the shipped targets, draft a definition for another module."""

from pathlib import Path

import click

from z3trace.commands import options, screen
from z3trace.commands.screen import say, wrote
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


@command.command("init", cls=options.WithCommand)
@click.argument("module_name", metavar="MODULE")
@options.module_file
@click.option("--workload", "workload_text", help="A workload that z3trace brings.")
@options.time("--duration", "Run no workload: measure what happens during this time, such as 10s.")
@options.output_file("Write it here.")
@options.force
def init(
    module_name: str,
    module_file: Path | None,
    workload_text: str | None,
    duration: float | None,
    output: Path | None,
    force: bool,
    command_line: tuple[str, ...],
) -> int:
    """Draft a target definition for MODULE, which must be loaded.

    The draft is made from the module's symbols, BTF and lock calls.  With a COMMAND, or
    --workload or --duration, it is measured which functions are hot, and those that take most
    time become the operations; the workload runs once for every eight functions.  The draft
    is printed, or written to a file with -o.  Record with --target FILE.toml.
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
    used = None
    if workload_text or duration is not None or command_line:
        from z3trace.probing import preflight
        from z3trace.recording import hot
        from z3trace.workloads import choose

        preflight.require_traceable()
        work = choose.choose(workload_text, duration, command_line)
        measured = hot.measure(file.name, draft.functions(file), work, say)
        used = {name: (use.calls, use.time) for name, use in measured.items()}
    text = draft.draft(file, used)
    if output is None:
        screen.result(text, nl=False)
    else:
        outputs.deliver(output, text)
        wrote(output)
    screen.answer(Draft(definition=text, file=str(output) if output else None))
    return DONE
