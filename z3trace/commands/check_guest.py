"""``z3trace check-guest``: the part of ``check`` that runs in a guest."""

from pathlib import Path

import click

from z3trace.commands.common import make_workload
from z3trace.errors import DONE, FAILED


@click.command(hidden=True)
@click.argument("spec_file", type=click.Path(path_type=Path))
def command(spec_file: Path) -> int:
    """Check one variant of a module, as SPEC_FILE says."""
    from z3trace import checkrun, checkspec, preflight, session, target
    from z3trace.checker import Limits

    spec = checkspec.load(spec_file)
    preflight.require_traceable()
    definition = target.load(spec.target)
    path = Path(spec.module) if spec.module else None
    module = session.target_module(definition, path, load=True, reload=True)
    result = checkrun.check(
        definition,
        module,
        path,
        make_workload(spec.workload, None, ()),
        checkrun.Asked(
            label=spec.label,
            command=spec.command,
            lock_mode=spec.lock_mode,
            seed=spec.seed,
            limits=Limits(hold=spec.hold, wait=spec.wait, console=True),
        ),
        Path(spec.output),
    )
    if result.status:
        click.echo(f"the workload failed: {result.output}", err=True)
    return FAILED if result.status else DONE
