"""``z3trace ab-guest``: both sides of ``ab``, recorded in turn in one guest."""

from pathlib import Path

import click
import msgspec

from z3trace.commands.common import make_workload
from z3trace.errors import DONE, FAILED


@click.command(hidden=True)
@click.argument("spec_file", type=click.Path(path_type=Path))
def command(spec_file: Path) -> int:
    """Record two variants of a module in turn, as SPEC_FILE says."""
    from z3trace import pairspec, paths, plan, preflight, session, target
    from z3trace.bpf import Programs
    from z3trace.recorder import Recorder

    spec = pairspec.load(spec_file)
    preflight.require_traceable()

    def tell(done: int, total: int, doing: str) -> None:
        state = pairspec.PairProgress(done=done, total=total, doing=doing)
        paths.write_atomic(Path(spec.progress), msgspec.json.encode(state))

    definition = target.load(spec.target)
    steps = session.schedule(len(spec.sides), spec.runs, spec.unprobed)
    tell(0, len(steps), "compiling the probes")
    programs = Programs()
    work = make_workload(spec.workload, None, ())
    sides = []
    for side in spec.sides:
        path = Path(side.module)
        module = session.TargetModule(definition.module, path, load=True, reload=True)
        recorder = Recorder(programs, plan.make(definition, path), spec.lock_mode)
        sides.append(session.Side(side.label, recorder, module, Path(side.output), spec.command))
    failed: list[str] = []

    def report(progress: session.Progress) -> None:
        kind = "probed" if progress.run.probed else "unprobed"
        tell(progress.done, progress.total, f"{progress.label}, {kind}")
        if progress.run.result.status:
            failed.append(progress.run.result.output)

    tell(0, len(steps), "recording")
    interrupted = session.record(sides, work, steps, spec.seed, report)
    for text in failed[:1]:
        click.echo(f"the workload failed in {len(failed)} runs: {text}", err=True)
    return FAILED if failed or interrupted else DONE
