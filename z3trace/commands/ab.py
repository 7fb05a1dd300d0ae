"""``z3trace ab``: from two variants to a report, in one go."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from z3trace.commands import ab_kernels, bisecting, guesthalves, options, screen
from z3trace.commands.options import GuestOptions, PlacingOptions, ProbeOptions
from z3trace.commands.screen import say, wrote
from z3trace.errors import DONE, FAILED, REGRESSION, UsageError

if TYPE_CHECKING:
    from z3trace.target.definition import Target

DEFAULT_RUNS = 40
DEFAULT_BOOTS = 8

_BASE = "also a .c file, a tree, TREE@REVISION by git, or a built .ko file"
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
    boots = ab_kernels.folder(directory)
    if boots.is_dir() and not boots.is_symlink():
        for part in boots.glob("*.z3t.part"):
            partfile.set_aside(part.with_suffix(""), say)
        paths.discard(boots, [vm.CONSOLE, *(path.name for path in boots.glob("*.z3t"))])
    paths.discard(directory, [*RECORDINGS, *formats.names(), vm.CONSOLE])
    if (directory / "plots").is_dir() and not (directory / "plots").is_symlink():
        paths.discard(directory / "plots", plots.names())


@click.command()
@click.option(
    "--before",
    help=f"Variant without the patch; {_BASE}.  [default: the target's; of z3fold pool-lock, of "
    "zsmalloc zs-pool-lock, or stock under a patch]",
)
@click.option(
    "--after",
    help=f"Variant with the patch; {_BASE}.  [default: the target's; of z3fold page-lock, of "
    "zsmalloc zs-class-lock]",
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
@click.option(
    "--boots",
    type=click.IntRange(1, 100),
    default=DEFAULT_BOOTS,
    show_default=True,
    help="With --kernel twice: how often each kernel is booted.  The runs are spread over the "
    "boots, and the boot is the unit of the statistics.",
)
@options.output_directory("recordings, plots and reports", required=True)
@options.force
@bisecting.option
@options.command_line
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
    boots: int,
    directory: Path,
    force: bool,
    bisect: bool,
    command_line: tuple[str, ...],
) -> int:
    """Build two variants, record both in turn in one guest, compare.

    The runs of the two sides alternate, and the module is loaded anew for each run,
    so that drift and memory layout affect both sides alike.  The first ones warm up and
    do not count; one that the host disturbed is made again.  With --patch, the variant
    of --before with the patches applied is the side after.  The workload is one of ours,
    or COMMAND, which runs in the guest.

    With --kernel twice, two whole kernels are compared, the first one before and the second
    one after: both are booted again and again, in turn, and the target is their own.
    """
    from z3trace import paths
    from z3trace.data.recordable import require_recordable
    from z3trace.guest import spec
    from z3trace.kernels import variant, workloads
    from z3trace.recording import repetitions
    from z3trace.target import definition
    from z3trace.workloads import choose

    # Where a link leads is settled once.
    directory = directory.resolve()
    for name in RECORDINGS:
        paths.must_be_new(directory / name, force=force)
    paths.must_be_new(ab_kernels.folder(directory), force=force)
    target = definition.load(target_name)
    if len(guest.kernels) > 1:
        ab_kernels.refuse(guest, before, after, patched=bool(patches), command=command_line)
        order = choose.order(workload_text, (), target.defaults.compare)
        order.made()
        make_room(directory)
        asked_kernels = ab_kernels.Kernels(
            *(target_name, order.text, boots, runs, unprobed, probing, guest, not unboxed)
        )
        status = ab_kernels.record(asked_kernels, directory)
        return status or _report(ab_kernels.recordings(directory, boots), directory, bisect=bisect)
    before, after = _names(target, before, after, patched=bool(patches))
    order = choose.order(workload_text, command_line, target.defaults.compare)
    work = guesthalves.work_of(order)
    asked = probing.asked(target, work, runs=runs, unprobed=unprobed, timed=timed)
    repetitions.of_pair(asked)
    guesthalves.say_if_few(target, runs)
    kernel, boxed = guest.kernel(say), not unboxed
    how = (patches, placing.fuzz, placing.defines)
    chosen = [
        guesthalves.chosen(before, kernel, target, boxed=boxed),
        guesthalves.chosen(before, kernel, target, how, boxed=boxed)
        if patches
        else guesthalves.chosen(after, kernel, target, boxed=boxed),
    ]
    for each in chosen:
        require_recordable(guesthalves.label(each, boxed=boxed), sys.argv[1:], str(order))
    modules = [guesthalves.built(each, kernel, target, boxed=boxed) for each in chosen]
    instrumented = guesthalves.timed(kernel, target.source, chosen, boxed=boxed) if timed else []
    counts = guesthalves.counts(target, replace(asked, timed=bool(instrumented)))
    workloads.build_workloads(kernel, [order.text], say)
    pair = spec.PairSpec(
        target=target_name,
        workload=order.text,
        argv=list(order.argv),
        runs={way.name: count for way, count in counts.items()},
        seed=probing.seed,
        lock_mode=probing.lock_mode,
        waits=probing.waits,
        calibrate=probing.calibrate,
        keep_paths=probing.keep_paths,
        command=["z3trace", *sys.argv[1:]],
        sides=guesthalves.sides(modules, instrumented, RECORDINGS),
    )
    make_room(directory)
    say(f"booting {kernel.release} with {guest.cpus} CPUs")
    machine = guest.machine(stranger=not variant.ours((before, after), patches), boxed=boxed)
    status = guesthalves.pair(kernel, pair, machine, directory, RECORDINGS)
    if status:
        return status
    return _report([[directory / name] for name in RECORDINGS], directory, bisect=bisect)


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


def _report(recordings: list[list[Path]], directory: Path, *, bisect: bool) -> int:
    """*recordings*: of each side, one or one for each boot."""
    from z3trace.analysis.comparing import loops
    from z3trace.analysis.comparing.comparison import compare
    from z3trace.analysis.figures.recording import Digest
    from z3trace.analysis.report import formats, terminal

    comparison = compare(*map(Digest.of_boots, recordings))
    screen.result(terminal.render([comparison]))
    written = [*recordings[0], *recordings[1], *formats.write_all(comparison, directory)]
    for path in written:
        wrote(path)
    screen.answer(formats.render([comparison], ".json"))
    if not bisect:
        return DONE
    if comparison.regressions() or loops.loops(comparison):
        return REGRESSION
    judged = [m for m in comparison.main() if m.verdict in ("better", "no difference")]
    asked = [m for m in comparison.main() if m.verdict == "inconclusive"]
    return DONE if judged or asked else FAILED
