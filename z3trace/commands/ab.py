"""``z3trace ab``: from two variants to a report, in one go."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from z3trace.commands import options
from z3trace.commands.options import GuestOptions, PlacingOptions, ProbeOptions
from z3trace.commands.screen import say, wrote
from z3trace.errors import DONE, FAILED, UsageError, Z3traceError
from z3trace.words import amount, plural

if TYPE_CHECKING:
    from z3trace.kernels.layout import Kernel
    from z3trace.kernels.variant import Variant
    from z3trace.target.definition import Target

DEFAULT_RUNS = 40

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


@click.command()
@click.option(
    "--before",
    help="Variant without the patch.  [default: the target's; of z3fold pool-lock, of zsmalloc "
    "zs-pool-lock, or stock under a patch]",
)
@click.option(
    "--after",
    help="Variant with the patch.  [default: the target's; of z3fold page-lock, of zsmalloc "
    "zs-class-lock]",
)
@options.patches("that turns 'before' into 'after'")
@options.unboxed
@options.target
@click.option(
    "--workload",
    "workload_text",
    help="A workload that z3trace brings.  [default: the target's; of z3fold zpool-bench, of "
    "zsmalloc zs-bench, on few small objects]",
)
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
def command(
    before: str | None,
    after: str | None,
    patches: tuple[Path, ...],
    placing: PlacingOptions,
    unboxed: bool,
    target_name: str,
    workload_text: str | None,
    runs: int,
    unprobed: int | None,
    probing: ProbeOptions,
    timed: bool,
    guest: GuestOptions,
    directory: Path,
    force: bool,
) -> int:
    """Build two variants, record both in turn in one guest, compare.

    The runs of the two sides alternate, and the module is loaded anew for each run,
    so that drift and memory layout affect both sides alike.  The first ones warm up and
    do not count; one that the host disturbed is made again.  With --patch, the variant
    of --before with the patches applied is the side after.
    """
    from z3trace import paths
    from z3trace.commands import progress
    from z3trace.data.recordable import require_recordable
    from z3trace.guest import spec, vm
    from z3trace.kernels import build, fetch, variant, workloads
    from z3trace.recording import repetitions, room
    from z3trace.target import definition
    from z3trace.workloads import choose

    # Where a link leads is settled once.
    directory = directory.resolve()
    for name in RECORDINGS:
        paths.must_be_new(directory / name, force=force)
    target = definition.load(target_name)
    before, after = _names(target, before, after, patched=bool(patches))
    workload_text = workload_text or _workload(target)
    work = choose.named(workload_text)
    asked = probing.asked(target, work, runs=runs, unprobed=unprobed, timed=timed)
    repetitions.of_pair(asked)
    _say_if_few(runs, len(target.operations), len(target.classes()) - 1)
    kernel = fetch.cached(guest.release, say)
    variants = [
        variant.load(before, target=target.name),
        variant.load(before, patches, placing.fuzz, placing.defines, target.name)
        if patches
        else variant.load(after, target=target.name),
    ]
    for chosen in variants:
        name = build.label(chosen.name, boxed=not unboxed)
        require_recordable(name, sys.argv[1:], workload_text)
    modules = [
        build.build_variant(kernel, target.source, chosen, say, boxed=not unboxed)
        for chosen in variants
    ]
    instrumented = _timed(kernel, target.source, variants, boxed=not unboxed) if timed else []
    counts = repetitions.of_pair(replace(asked, timed=bool(instrumented)))
    room.require_room(counts, len(target.operations), len(target.classes()))
    if modules[0].digest == modules[1].digest:
        say("both sides are the same build: what will differ between them is noise")
    workloads.build_workloads(kernel, [workload_text], say)
    pair = spec.PairSpec(
        target=target_name,
        workload=workload_text,
        runs={way.name: count for way, count in counts.items()},
        seed=probing.seed,
        lock_mode=probing.lock_mode,
        waits=probing.waits,
        calibrate=probing.calibrate,
        keep_paths=probing.keep_paths,
        command=["z3trace", *sys.argv[1:]],
        sides=[
            spec.PairSide(label=module.variant, module=str(module.path), timed=path, output=name)
            for module, path, name in zip(
                modules, instrumented or ("", ""), RECORDINGS, strict=True
            )
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


def _say_if_few(runs: int, operations: int, classes: int) -> None:
    """Before anything runs: whether so few runs a side can decide anything at all."""
    from z3trace.analysis.figures.metrics import questions
    from z3trace.analysis.statistics import family, verdict

    asked = questions(operations, classes)
    first, _ = family.strictness(asked, asked)
    needed = verdict.fewest_runs(first)
    if runs < needed:
        say(
            f"{amount(runs, 'run')} a side {plural(runs, 'is', 'are')} too few to tell any "
            f"difference, however large, if all {asked} primary figures are seen: from {needed} "
            "on one can be told"
        )


def _names(
    target: "Target", before: str | None, after: str | None, *, patched: bool
) -> tuple[str, str]:
    """The variants of both sides; UsageError if the target has none of its own."""
    default = target.defaults
    before = before or (default.patched if patched else default.before)
    after = after or default.after
    if not before or not (patched or after):
        raise UsageError(
            f"target {target.name} has no variants to compare",
            "give --before and --after, or --patch",
        )
    return before, after


def _workload(target: "Target") -> str:
    if not target.defaults.compare:
        raise UsageError(f"target {target.name} has no workload of its own", "give --workload")
    return target.defaults.compare


def _timed(kernel: "Kernel", source: str, variants: "list[Variant]", *, boxed: bool) -> list[str]:
    """The files of the timed builds; none if they cannot be built, and that is said."""
    from z3trace.kernels import build

    try:
        return [
            str(build.build_variant(kernel, source, each, say, boxed=boxed, timed=True).path)
            for each in variants
        ]
    except Z3traceError as error:
        said = error.message.splitlines()[0]
        say(f"no timed build, locks are seen by probes on each class: {said}")
        return []


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
