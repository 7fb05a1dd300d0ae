"""``z3trace ab``: from two variants to a report, in one go."""

import sys
from dataclasses import replace
from pathlib import Path

import click

from z3trace.commands import bisecting, guesthalves, options
from z3trace.commands.options import GuestOptions, PlacingOptions, ProbeOptions
from z3trace.commands.screen import say, wrote
from z3trace.errors import DONE, FAILED, REGRESSION

DEFAULT_WORKLOAD = (
    "zpool-bench:threads=2,ops=60000,fast_ops=500000,slots=1024,max_size=200,touches=8"
)
DEFAULT_RUNS = 40

_BASE = "also a .c file, a kernel tree, or TREE@REVISION by git"
RECORDINGS = ("before.z3t", "after.z3t")


def make_room(directory: Path) -> None:
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


@click.command()
@click.option(
    "--before",
    default="pool-lock",
    show_default=True,
    help=f"Variant without the patch; {_BASE}.",
)
@click.option(
    "--after", default="page-lock", show_default=True, help=f"Variant with the patch; {_BASE}."
)
@options.patches("that turns 'before' into 'after'")
@options.unboxed
@options.target
@click.option("--workload", "workload_text", default=DEFAULT_WORKLOAD, show_default=True)
@options.runs(
    1000,
    DEFAULT_RUNS,
    "Runs a side of each kind without probes: for throughput, for latencies that the workload "
    "times itself, and of the timed builds for locks.  Those with probes are ten times as slow: "
    "there are as many up to 3, up to 10 where verdicts rest on them, and as many as this if "
    "--probe names them.",
)
@options.unprobed(1000, "as --runs", " a side")
@options.probes
@click.option(
    "--timed/--no-timed",
    default=True,
    help="Build both variants a second time, with every lock call timed from inside, and take "
    "the figures of locks from runs of these builds; without them, from runs with probes on "
    "one lock class.",
)
@options.guest
@options.output_directory("recordings, plots and reports", required=True)
@options.force
@bisecting.option
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
    timed: bool,
    guest: GuestOptions,
    directory: Path,
    force: bool,
    bisect: bool,
) -> int:
    """Build two variants, record both in turn in one guest, compare.

    The runs of the two sides alternate, and the module is loaded anew for each run,
    so that drift and memory layout affect both sides alike.  The first ones warm up and
    do not count; one that the host disturbed is made again.  With --patch, the variant
    of --before with the patches applied is the side after.
    """
    from z3trace import paths
    from z3trace.data.recordable import require_recordable
    from z3trace.guest import spec
    from z3trace.kernels import base, build, fetch, variant
    from z3trace.recording import repetitions
    from z3trace.target import definition
    from z3trace.workloads import choose

    # Where a link leads is settled once.
    directory = directory.resolve()
    for name in RECORDINGS:
        paths.must_be_new(directory / name, force=force)
    target = definition.load(target_name)
    work = choose.named(workload_text)
    asked = probing.asked(target, work, runs=runs, unprobed=unprobed, timed=timed)
    repetitions.of_pair(asked)
    kernel = fetch.cached(guest.release, say)
    how = (patches, placing.fuzz, placing.defines)
    variants = [
        base.variant_of(before, kernel, target.source, say, boxed=not unboxed),
        base.variant_of(before, kernel, target.source, say, how, boxed=not unboxed)
        if patches
        else base.variant_of(after, kernel, target.source, say, boxed=not unboxed),
    ]
    for chosen in variants:
        name = build.label(chosen.name, boxed=not unboxed)
        require_recordable(name, sys.argv[1:], workload_text)
    modules = [
        build.build_variant(kernel, target.source, chosen, say, boxed=not unboxed)
        for chosen in variants
    ]
    boxed = not unboxed
    instrumented = guesthalves.timed(kernel, target.source, variants, boxed=boxed) if timed else []
    counts = repetitions.of_pair(replace(asked, timed=bool(instrumented)))
    build.build_workloads(kernel, say)
    pair = spec.PairSpec(
        target=target_name,
        workload=workload_text,
        runs={way.name: count for way, count in counts.items()},
        seed=probing.seed,
        lock_mode=probing.lock_mode,
        waits=probing.waits,
        calibrate=probing.calibrate,
        command=["z3trace", *sys.argv[1:]],
        sides=[
            spec.PairSide(label=module.variant, module=str(module.path), timed=path, output=name)
            for module, path, name in zip(
                modules, instrumented or ("", ""), RECORDINGS, strict=True
            )
        ],
    )
    make_room(directory)
    say(f"booting {kernel.release} with {guest.cpus} CPUs")
    machine = guest.machine(stranger=not variant.ours((before, after), patches), boxed=not unboxed)
    status = guesthalves.pair(kernel, pair, machine, directory, RECORDINGS)
    if status:
        return status
    return _report([directory / name for name in RECORDINGS], directory, bisect=bisect)


def _report(recordings: list[Path], directory: Path, *, bisect: bool) -> int:
    from z3trace.analysis.comparing import loops
    from z3trace.analysis.comparing.comparison import compare
    from z3trace.analysis.figures.recording import Digest
    from z3trace.analysis.report import formats, terminal

    comparison = compare(*(Digest.read(path) for path in recordings))
    click.echo(terminal.render([comparison]))
    written = [*recordings, *formats.write_all(comparison, directory)]
    for path in written:
        wrote(path)
    if not bisect:
        return DONE
    if comparison.regressions() or loops.loops(comparison):
        return REGRESSION
    judged = [m for m in comparison.main() if m.verdict in ("better", "no difference")]
    asked = [m for m in comparison.main() if m.verdict == "inconclusive"]
    return DONE if judged or asked else FAILED
