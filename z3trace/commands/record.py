"""``z3trace record``: a workload under the probes, into a run file."""

import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from z3trace.commands import livedisplay, options, screen
from z3trace.commands.options import FilterOptions, ProbeOptions
from z3trace.commands.screen import say, wrote
from z3trace.errors import DONE, FAILED, UsageError

if TYPE_CHECKING:
    from z3trace.recording.session import Report


@click.command(context_settings={"ignore_unknown_options": False})
@options.target
@options.output_file(
    "The recording to write, FILE.z3t or FILE.z3t.gz, or - for standard output.", required=True
)
@options.runs(
    10000,
    1,
    "One run has all probes.  With more, so many are made with probes on operations, with those "
    "of each lock class, and without any, in turn, and up to 3 with all probes; with "
    "zpool-bench also runs that time their own operations.  If --probe names probes, so many "
    "with those.",
)
@options.unprobed(10000, "as --runs, if that is more than one")
@options.label
@click.option(
    "--workload",
    "workload_text",
    help="A workload that z3trace brings, such as zpool-bench:threads=2,ops=50000 or "
    "zswap:mb=96,limit=32.",
)
@options.time("--duration", "Run no workload: record what happens during this time, such as 10s.")
@options.module_file
@options.load
@click.option("--reload", is_flag=True, help="Load the target's module anew for every run.")
@options.readable_file(
    "--timed",
    "timed_file",
    help="The timed build of the same module ('kernel build --timed'): runs are made of it "
    "too, for the figures of locks.  Needs --reload.",
)
@options.probes
@options.filters
@click.option(
    "--task-slots",
    type=click.Choice([str(1 << n) for n in range(17)]),
    default="4096",
    show_default=True,
    help="Slots for threads.  Two threads that are in the target at once and share a slot "
    "are a loss, which the ledger counts.",
)
@click.option("--live", is_flag=True, help="Show figures as the recording goes on.")
@options.time("--wait-module", "Wait this long, such as 60s, for the target's module to be loaded.")
@click.option(
    "--stacks",
    is_flag=True,
    help="Refused: call chains would have to be taken inside the lock probes.",
)
@options.own_kernel
@options.force
@click.argument("command_line", nargs=-1, metavar="[-- COMMAND...]", type=click.UNPROCESSED)
def command(
    target_name: str,
    output: Path,
    runs: int,
    unprobed: int | None,
    label: str,
    workload_text: str | None,
    duration: float | None,
    module_file: Path | None,
    load: bool,
    reload: bool,
    timed_file: Path | None,
    probing: ProbeOptions,
    only: FilterOptions,
    task_slots: str,
    live: bool,
    wait_module: float | None,
    stacks: bool,
    kernels: tuple[Path, ...],
    force: bool,
    command_line: tuple[str, ...],
) -> int:
    """Record a target's latency and lock histograms while a workload runs.

    Needs root, on a real host or in a guest; with --kernel a guest is booted for it.  Ctrl-C
    ends the recording and keeps what was recorded.
    """
    from z3trace import paths
    from z3trace.data import recordable, streams
    from z3trace.data.partfile import require_writable
    from z3trace.probing import preflight
    from z3trace.recording import loading, repetitions, room, schedule, session, sides
    from z3trace.target import definition
    from z3trace.workloads import choose

    if kernels:
        _require_below_here(output)
        return _in_guest(kernels, sys.argv[1:])
    _refuse(stacks=stacks, timed=timed_file is not None, reload=reload)
    screen.give(output)
    if not streams.is_standard(output):
        require_writable(output)
        paths.must_be_new(output, force=force)
    patience = wait_module or 0.0
    work = choose.choose(workload_text, duration, command_line)
    label = label or _label(output)
    recordable.require_recordable(label, sys.argv[1:], work.description)
    path = module_file.absolute() if module_file else None
    target = definition.load(target_name).of_file(path)
    asked = probing.asked(target, work, runs=runs, unprobed=unprobed, timed=bool(timed_file))
    counts = repetitions.of_one(asked)
    room.require_room(counts, len(target.operations), len(target.classes()))
    steps = schedule.schedule(1, counts, warm_up=runs > 1)
    preflight.require_traceable()
    for line in preflight.told_of_locks():
        say(line)
    module = loading.target_module(target, path, load=load, reload=reload)
    if not patience:
        module.before_run()
    wanted = options.wanted(probing, only, int(task_slots))
    ready = partial(_when_loaded, target.module, patience, module.before_run)
    timed = timed_file.absolute() if timed_file else None
    failed, events = list[str](), Counter[str]()
    with streams.destination(output, "recording.z3t", say) as file:
        made = sides.sides(
            target,
            [sides.Variant(label, path, module, file, timed)],
            counts.keys(),
            sys.argv[1:],
            lambda paths: session.recorders(target, paths, wanted, say, ready),
        )
        recorder = made[0].build.recorder
        with livedisplay.display() if live else nullcontext() as show:
            recorder.show = show
            if work.open_ended:
                recorder.armed = lambda: say(
                    f"recording {work.description}; Ctrl-C ends and keeps it"
                )
            report = _reporter(failed, events)
            interrupted = session.record(made, work, steps, probing.seed, report, say)
        if not file.exists():
            raise KeyboardInterrupt
    return _told(output, label, failed, events, interrupted=interrupted)


def _told(
    output: Path, label: str, failed: list[str], events: Counter[str], *, interrupted: bool
) -> int:
    """Say what came of it; the exit code."""
    from z3trace.data.answers import Recorded

    lost, every = events["lost"], events["lost"] + events["seen"]
    wrote(output)
    if lost:
        say(f"{lost} events were lost, {lost / every:.1%} of all")
    if interrupted:
        say("interrupted: what was recorded is kept")
    screen.answer(
        Recorded(
            file=str(output),
            label=label,
            runs=events["runs"],
            failed=len(failed),
            events=every,
            lost=lost,
            interrupted=interrupted,
        )
    )
    if failed and not interrupted:
        screen.complain(f"z3trace: {failed[0].rstrip()}")
        return FAILED
    return DONE


def _label(output: Path) -> str:
    """What a recording without a label is called."""
    from z3trace.data import recordable, streams

    return "recording" if streams.is_standard(output) else recordable.label_of(output)


def _require_below_here(output: Path) -> None:
    """UsageError for a recording that would lie in the guest alone, and end with it."""
    from z3trace.data import streams

    if not streams.is_standard(output) and not output.resolve().is_relative_to(Path.cwd()):
        raise UsageError(
            f"{output} is not below the current directory",
            "with --kernel a guest writes it, and nothing else of a guest is kept",
        )


def _in_guest(kernels: tuple[Path, ...], words: list[str]) -> int:
    """The same recording in a guest of the kernel that --kernel names, as 'vm' makes one."""
    from z3trace.commands import vm

    named = [word for kernel in kernels for word in ("--kernel", str(kernel))]
    arguments = [*named, "--", *_without_kernel(words)]
    return int(vm.command.main(arguments, standalone_mode=False) or DONE)


def _without_kernel(words: list[str]) -> list[str]:
    """A command line without its option --kernel; what follows ``--`` is a workload's."""
    kept, skip = list[str](), False
    for at, word in enumerate(words):
        if word == "--":
            return [*kept, *words[at:]]
        if not skip and word != "--kernel" and not word.startswith("--kernel="):
            kept.append(word)
        skip = word == "--kernel" and not skip
    return kept


def _refuse(*, stacks: bool, timed: bool, reload: bool) -> None:
    """UsageError for options that cannot be had, or not together."""
    if stacks:
        raise UsageError(
            "call chains of lock events are not recorded: a stack map inside a lock probe "
            "takes locks itself, and may wait for the one that is probed",
            "'show --sites' names the call sites that waited, with their inline chains",
        )
    if timed and not reload:
        raise UsageError("--timed needs --reload: two builds of one module take turns")


def _reporter(failed: list[str], events: Counter[str]) -> "Report":
    """What says how each run went; what failed workloads said goes into *failed*, how many
    events were lost and seen, and runs were made, into *events*."""
    from z3trace.recording import session
    from z3trace.workloads.output import LEFT_BEHIND

    started = time.monotonic()

    def report(progress: session.Progress) -> None:
        run = progress.run
        left = session.remaining(started, progress.done, progress.total)
        say(
            f"run {progress.done}/{progress.total} ({run.way}): {run.duration / 1e9:.2f} s"
            + (", disturbed by the host, made again" if run.unused == "disturbed" else "")
            + (f", about {left:.0f} s left" if progress.done < progress.total else "")
        )
        events["runs"] += 1
        if run.ledger and run.counts:
            events["lost"] += run.ledger.lost()
            events["seen"] += sum(counts.returns for counts in run.operations)
            events["seen"] += sum(counts.releases for counts in run.locks)
        if LEFT_BEHIND in run.result.output:
            say(LEFT_BEHIND)
        if run.result.status:
            failed.append(
                f"the workload ended with status {run.result.status}\n{run.result.output}"
            )

    return report


def _when_loaded(name: str, patience: float, before_run: Callable[[], None]) -> None:
    """Wait for the module if asked to, and load it if that is wanted."""
    from z3trace.recording import loading

    if patience:
        say(f"waiting for module {name}")
        loading.wait_for(name, patience)
    before_run()
