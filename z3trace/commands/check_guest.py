"""``z3trace check-guest``: the part of ``check`` that runs in a guest."""

from pathlib import Path

import click

from z3trace.errors import DONE, FAILED


@click.command(hidden=True)
@click.argument("spec_file", type=click.Path(path_type=Path))
def command(spec_file: Path) -> int:
    """Check one variant of a module, as SPEC_FILE says."""
    from z3trace.checking import run as checks
    from z3trace.checking.arming import Limits
    from z3trace.commands.screen import say
    from z3trace.guest.spec import CheckSpec, load
    from z3trace.probing import preflight
    from z3trace.recording import loading
    from z3trace.target import definition
    from z3trace.workloads import choose

    spec = load(spec_file, CheckSpec)
    preflight.require_traceable()
    path = Path(spec.module) if spec.module else None
    target = definition.load(spec.target).of_file(path)
    result = checks.check(
        target,
        loading.target_module(target, path, load=True, reload=True),
        path,
        choose.Order(spec.workload, tuple(spec.argv)).made(),
        checks.Asked(
            label=spec.label,
            command=spec.command,
            lock_mode=spec.lock_mode,
            seed=spec.seed,
            limits=Limits(hold=spec.hold, wait=spec.wait, console=True),
            keep_paths=spec.keep_paths,
            identity=spec.identity,
        ),
        Path(spec.output),
        say,
    )
    if result.status:
        click.echo(f"the workload failed: {result.output}", err=True)
    return FAILED if result.status else DONE
