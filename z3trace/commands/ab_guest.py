"""``z3trace ab-guest``: both sides of ``ab``, recorded in turn in one guest."""

from pathlib import Path

import click
import msgspec

from z3trace.errors import DONE, FAILED


@click.command(hidden=True)
@click.argument("spec_file", type=click.Path(path_type=Path))
def command(spec_file: Path) -> int:
    """Record two variants of a module in turn, as SPEC_FILE says."""
    from z3trace import paths
    from z3trace.guest.spec import PROGRESS, PairProgress, PairSpec, load
    from z3trace.probing import preflight
    from z3trace.recording import loading, schedule, session
    from z3trace.target import definition
    from z3trace.workloads import choose

    spec = load(spec_file, PairSpec)
    preflight.require_traceable()

    def tell(done: int, total: int, doing: str) -> None:
        state = PairProgress(done=done, total=total, doing=doing)
        paths.write_atomic(Path(PROGRESS), msgspec.json.encode(state))

    target = definition.load(spec.target)
    steps = schedule.schedule(len(spec.sides), spec.runs, spec.unprobed, spec.probes)
    work = choose.named(spec.workload)
    wanted = session.Wanted(lock_mode=spec.lock_mode, waits=spec.waits, calibrate=spec.calibrate)
    files = [Path(side.module) for side in spec.sides]
    recorders = session.recorders(target, files, wanted, lambda doing: tell(0, len(steps), doing))
    sides = []
    for side, path, recorder in zip(spec.sides, files, recorders, strict=True):
        module = loading.TargetModule(target.module, path, load=True, reload=True)
        sides.append(session.Side(side.label, recorder, module, Path(side.output), spec.command))
    failed: list[str] = []

    def report(progress: session.Progress) -> None:
        kind = f"probes: {progress.run.probe or 'none'}"
        tell(progress.done, progress.total, f"{progress.label}, {kind}")
        if progress.run.result.status:
            failed.append(progress.run.result.output)

    tell(0, len(steps), "recording")
    interrupted = session.record(sides, work, steps, spec.seed, report)
    for text in failed[:1]:
        click.echo(f"the workload failed in {len(failed)} runs: {text}", err=True)
    return FAILED if failed or interrupted else DONE
