"""``z3trace ab``: from two variants to a report, in one go."""

import sys
from pathlib import Path

import click

from z3trace.commands import options
from z3trace.commands.options import GuestOptions, PlacingOptions, ProbeOptions
from z3trace.commands.screen import say, wrote
from z3trace.errors import DONE, FAILED, Z3traceError

DEFAULT_WORKLOAD = (
    "zpool-bench:threads=2,ops=60000,fast_ops=500000,slots=1024,max_size=200,touches=8"
)


RECORDINGS = ("before.z3t", "after.z3t")


def _make_room(directory: Path) -> None:
    """What an earlier run left is gone before a guest boots: nothing old can pass for the
    outcome of this run."""
    from z3trace import paths
    from z3trace.analysis import plots
    from z3trace.analysis.report import formats
    from z3trace.data import partfile
    from z3trace.guest import vm

    directory.mkdir(parents=True, exist_ok=True)
    for name in RECORDINGS:
        partfile.set_aside(directory / name, say)
    paths.discard(directory, [*RECORDINGS, *formats.names(), vm.CONSOLE])
    if (directory / "plots").is_dir() and not (directory / "plots").is_symlink():
        paths.discard(directory / "plots", plots.names())


def _kinds(probing: ProbeOptions) -> list[str]:
    """Probes on locks prolong the operations around them: those have runs of their own."""
    return probing.kinds(*(["all"] if probing.lock_mode == "none" else ["all", "ops"]))


@click.command()
@click.option("--before", default="pool-lock", show_default=True, help="Variant without the patch.")
@click.option("--after", default="page-lock", show_default=True, help="Variant with the patch.")
@options.patches("that turns 'before' into 'after'")
@options.unboxed
@options.target
@click.option("--workload", "workload_text", default=DEFAULT_WORKLOAD, show_default=True)
@options.runs(1000, 10, " a side")
@options.unprobed(1000, "twice as many", " a side")
@options.probes
@options.guest
@options.output_directory("recordings, plots and reports", required=True)
@options.force
def command(
    before: str,
    after: str,
    patches: tuple[Path, ...],
    placing: PlacingOptions,
    unboxed: bool,
    target_name: str,
    workload_text: str,
    runs: int,
    unprobed: int | None,
    probing: ProbeOptions,
    guest: GuestOptions,
    directory: Path,
    force: bool,
) -> int:
    """Build two variants, record both in turn in one guest, compare.

    The runs of the two sides alternate, and the module is loaded anew for each run,
    so that drift and memory layout affect both sides alike.  With --patch, the
    variant of --before with the patches applied is the side after.
    """
    from z3trace import paths
    from z3trace.commands import progress
    from z3trace.data.recordable import require_recordable
    from z3trace.guest import spec, vm
    from z3trace.kernels import build, fetch, variant
    from z3trace.target import definition
    from z3trace.workloads import choose

    # Where a link leads is settled once.
    directory = directory.resolve()
    for name in RECORDINGS:
        paths.must_be_new(directory / name, force=force)
    target = definition.load(target_name)
    choose.named(workload_text)
    kernel = fetch.cached(guest.release, say)
    variants = [
        variant.load(before),
        variant.load(before, patches, placing.fuzz, placing.defines)
        if patches
        else variant.load(after),
    ]
    for chosen in variants:
        name = build.label(chosen.name, boxed=not unboxed)
        require_recordable(name, sys.argv[1:], workload_text)
    modules = [
        build.build_variant(kernel, target.source, chosen, say, boxed=not unboxed)
        for chosen in variants
    ]
    build.build_workloads(kernel, say)
    pair = spec.PairSpec(
        target=target_name,
        workload=workload_text,
        runs=runs,
        unprobed=2 * runs if unprobed is None else unprobed,
        seed=probing.seed,
        lock_mode=probing.lock_mode,
        waits=probing.waits,
        probes=_kinds(probing),
        calibrate=probing.calibrate,
        command=["z3trace", *sys.argv[1:]],
        sides=[
            spec.PairSide(label=module.variant, module=str(module.path), output=name)
            for module, name in zip(modules, RECORDINGS, strict=True)
        ],
    )
    _make_room(directory)
    say(f"booting {kernel.release} with {guest.cpus} CPUs")
    with progress.shown("recording") as look:
        home = vm.Home(directory, RECORDINGS)
        machine = guest.machine(
            stranger=not variant.ours((before, after), patches), boxed=not unboxed
        )
        outcome = vm.run_half(kernel, "ab-guest", pair, machine, say, home, look)
    for warning in outcome.warnings:
        say(f"the guest's console: {warning}")
    if outcome.status:
        return outcome.status if outcome.status < 126 else FAILED
    if set(outcome.made) != set(RECORDINGS):
        raise Z3traceError("the guest left no whole recordings", "what it said is above")
    return _report([directory / name for name in RECORDINGS], directory)


def _report(recordings: list[Path], directory: Path) -> int:
    from z3trace.analysis.comparing.comparison import compare
    from z3trace.analysis.figures.recording import Digest
    from z3trace.analysis.report import formats, terminal

    comparison = compare(*(Digest.read(path) for path in recordings))
    click.echo(terminal.render([comparison]))
    written = [*recordings, *formats.write_all(comparison, directory)]
    for path in written:
        wrote(path)
    return DONE
