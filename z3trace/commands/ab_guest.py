"""``z3trace ab-guest``: both sides of ``ab``, recorded in turn in one guest."""

from pathlib import Path

import click
import msgspec

from z3trace.errors import DONE, FAILED
from z3trace.words import amount


@click.command(hidden=True)
@click.argument("spec_file", type=click.Path(path_type=Path))
def command(spec_file: Path) -> int:
    """Record two variants of a module in turn, or the kernel's own, as SPEC_FILE says."""
    from z3trace import paths
    from z3trace.commands.screen import say
    from z3trace.data.ways import Way
    from z3trace.guest.spec import PROGRESS, PairProgress, PairSpec, load
    from z3trace.probing import preflight
    from z3trace.recording import loading, schedule, session, sides
    from z3trace.target import definition
    from z3trace.workloads import choose

    spec = load(spec_file, PairSpec)
    preflight.require_traceable()

    def tell(done: int, total: int, doing: str) -> None:
        state = PairProgress(done=done, total=total, doing=doing)
        paths.write_atomic(Path(PROGRESS), msgspec.json.encode(state))

    files = [Path(side.module) if side.module else None for side in spec.sides]
    target = definition.load(spec.target).of_file(files[0])
    counts = {Way.named(name): count for name, count in spec.runs.items()}
    steps = schedule.schedule(len(spec.sides), counts, warm_up=max(counts.values()) > 1)
    work = choose.Order(spec.workload, tuple(spec.argv)).made()
    wanted = session.Wanted(
        lock_mode=spec.lock_mode,
        waits=spec.waits,
        calibrate=spec.calibrate,
        keep_paths=spec.keep_paths,
        method=spec.method,
    )
    variants = [
        sides.Variant(
            side.label,
            file,
            loading.target_module(target, file, load=True, reload=True),
            Path(side.output),
            Path(side.timed) if side.timed else None,
        )
        for side, file in zip(spec.sides, files, strict=True)
    ]
    pair = sides.sides(
        target,
        variants,
        counts.keys(),
        spec.command,
        lambda paths: session.recorders(
            target, paths, wanted, lambda doing: tell(0, len(steps), doing), note=say
        ),
    )
    failed: list[str] = []

    def report(progress: session.Progress) -> None:
        tell(progress.done, progress.total, f"{progress.label}, {progress.run.way}")
        if progress.run.result.status:
            failed.append(progress.run.result.output)

    tell(0, len(steps), "recording")
    interrupted = session.record(pair, work, steps, spec.seed, report, say)
    for text in failed[:1]:
        click.echo(f"the workload failed in {amount(len(failed), 'run')}: {text}", err=True)
    return FAILED if failed or interrupted else DONE
