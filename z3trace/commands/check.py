"""``z3trace check``: lock discipline, judged while a workload runs."""

import sys
import tempfile
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from z3trace.commands import bisecting, guesthalves, options, screen
from z3trace.commands.options import GuestOptions, PlacingOptions
from z3trace.commands.screen import say, wrote
from z3trace.errors import (
    DONE,
    FAILED,
    GUEST_LOST,
    NOT_JUDGED,
    VIOLATION,
    UsageError,
)

if TYPE_CHECKING:
    from z3trace.analysis.checks.findings import Nested
    from z3trace.data.checkfile import Check

PACKAGED = "packaged"
EVIDENCE = "check.z3c"


@dataclass(frozen=True)
class _Asked:
    """What to check and how, wherever it is done; limits in seconds."""

    target: str
    label: str
    lock_mode: str
    seed: int
    hold: float
    wait: float
    keep_paths: bool
    #: What this check's file is known by: no other passes for it.
    identity: str


@dataclass(frozen=True)
class _Here:
    """A check on this kernel."""

    workload: str | None
    duration: float | None
    command: tuple[str, ...]
    module_file: Path | None
    load: bool


@dataclass(frozen=True)
class _Guest:
    """A check in a guest that is booted for it."""

    options: GuestOptions
    variant: str | None
    patches: tuple[Path, ...]
    placing: PlacingOptions
    unboxed: bool
    workload: str | None
    command: tuple[str, ...]


@click.command(context_settings={"ignore_unknown_options": False})
@options.target
@click.option(
    "--variant",
    help="Check this variant of the target in a guest: one that 'kernel build' knows, a .toml "
    "or .c file, a tree, TREE@REVISION, a built .ko file, or 'packaged' for the kernel's own "
    "module.",
)
@options.patches("on top of the variant (default: page-lock of z3fold, else stock), in a guest")
@options.unboxed
@click.option(
    "--workload",
    "workload_text",
    help="A workload that z3trace brings.  [default in a guest: the target's; of z3fold "
    "zpool-bench, of zsmalloc zs-bench, with all that they can do to it]",
)
@options.time("--duration", "Run no workload: check what happens during this time, such as 10s.")
@options.module_file
@options.load
@options.lock_mode(*options.LOCK_MODES, "auto", default="hybrid")
@options.seed
@options.time("--long-hold", "Report a lock that is held for longer than this.", "2s")
@options.time("--long-wait", "Report a task that waits for a lock for longer than this.", "2s")
@options.readable_file(
    "--reference",
    help="A check or recording of a good kernel.  A nesting of lock classes that it does not have "
    "breaks the rule new-nesting.",
)
@options.label
@options.keep_paths
@options.guest
@options.output_directory("the reports: check.txt, .json, .html and lock-order.svg")
@options.force
@bisecting.option
@options.command_line
def command(
    target_name: str,
    variant: str | None,
    patches: tuple[Path, ...],
    placing: PlacingOptions,
    unboxed: bool,
    workload_text: str | None,
    duration: float | None,
    module_file: Path | None,
    load: bool,
    lock_mode: str,
    seed: int,
    long_hold: float,
    long_wait: float,
    reference: Path | None,
    label: str,
    keep_paths: bool,
    guest: GuestOptions,
    directory: Path | None,
    force: bool,
    bisect: bool,
    command_line: tuple[str, ...],
) -> int:
    """Judge a target's lock discipline while a workload runs.

    With --variant, --patch or --kernel, a guest is booted and checked; otherwise this kernel
    is checked, as root.  A task must release each lock that it took before the operation
    returns, unless the target's definition says otherwise; it may not sleep while it
    holds a lock; and lock classes must always be taken in the same order.  The report
    gives file and line of each broken rule.  Exit status 3 if a rule was broken, 6 if none
    was but some could not be judged.
    """
    from z3trace import paths
    from z3trace.data import checkfile

    identity = checkfile.new_identity()
    limits = (long_hold, long_wait)
    asked = _Asked(target_name, label, lock_mode, seed, *limits, keep_paths, identity)
    if guest.kernels and not patches:
        variant = variant or PACKAGED
    in_guest = bool(variant or patches)
    if in_guest and (module_file or load):
        raise UsageError(
            "--variant and --patch build a module and load it in a guest: there is no place for "
            f"{'--module' if module_file else '--load'}",
            "leave it out, or give its source with --variant FILE.c; a module of yours is checked "
            "in a guest by 'z3trace vm -- check --module'",
        )
    if in_guest and duration:
        raise UsageError(
            "in a guest nothing runs by itself", "give --workload or -- COMMAND, not --duration"
        )
    known = _nesting(reference) if reference else None
    kept = directory.resolve() if directory else None
    if kept:
        paths.must_be_new(kept / "check.json", force=force)
        _make_room(kept)
    with nullcontext(str(kept)) if kept else tempfile.TemporaryDirectory() as name:
        file = Path(name) / EVIDENCE
        if in_guest:
            work = (workload_text, command_line)
            where = _Guest(guest, variant, patches, placing, unboxed, *work)
            console, lost, status = _check_in_guest(asked, where, file)
        else:
            console, lost, status = "", "", DONE
            here = _Here(workload_text, duration, command_line, module_file, load)
            _check_here(asked, here, file)
        seen = checkfile.read(file, identity)
        return _report(seen, console, lost, status, known, kept, bisect=bisect)


def _make_room(directory: Path) -> None:
    """What an earlier check left is gone before this one begins: a guest that fails must
    not be judged by the check before."""
    from z3trace import paths
    from z3trace.analysis.report import checkformats
    from z3trace.data import partfile
    from z3trace.guest import vm

    directory.mkdir(parents=True, exist_ok=True)
    partfile.set_aside(directory / EVIDENCE, say)
    paths.discard(directory, [EVIDENCE, *checkformats.FILES, vm.CONSOLE])


def _check_here(asked: _Asked, here: _Here, file: Path) -> None:
    from z3trace.checking import run as checks
    from z3trace.checking.arming import Limits
    from z3trace.probing import preflight
    from z3trace.recording import loading
    from z3trace.target import definition
    from z3trace.workloads import choose

    work = choose.choose(here.workload, here.duration, here.command)
    target = definition.load(asked.target)
    preflight.require_traceable()
    for line in preflight.told_of_locks():
        say(line)
    path = here.module_file.absolute() if here.module_file else None
    target = target.of_file(path)
    module = loading.target_module(target, path, load=here.load, reload=False)
    say(f"checking {work.description}")
    checks.check(
        target,
        module,
        path,
        work,
        checks.Asked(
            label=asked.label or asked.target,
            command=["z3trace", *sys.argv[1:]],
            lock_mode=asked.lock_mode,
            seed=asked.seed,
            limits=Limits(hold=asked.hold, wait=asked.wait),
            keep_paths=asked.keep_paths,
            identity=asked.identity,
        ),
        file,
        say,
    )


def _check_in_guest(asked: _Asked, where: _Guest, file: Path) -> tuple[str, str, int]:
    """(console, why the guest was lost, its status) after a check in a guest."""
    from z3trace.data.recordable import require_recordable
    from z3trace.guest.spec import CheckSpec
    from z3trace.kernels import build, variant, workloads
    from z3trace.target import definition
    from z3trace.workloads import choose

    target = definition.load(asked.target)
    order = choose.order(where.workload, where.command, target.defaults.check)
    guesthalves.work_of(order)
    kernel = where.options.kernel(say)
    module, label = "", asked.label or PACKAGED
    if where.variant != PACKAGED or where.patches:
        how = (where.patches, where.placing.fuzz, where.placing.defines)
        name, boxed = where.variant or target.defaults.base, not where.unboxed
        chosen = guesthalves.chosen(name, kernel, target, how, boxed=boxed)
        label = build.label(asked.label, boxed=boxed) if asked.label else ""
        label = label or guesthalves.label(chosen, boxed=boxed)
        require_recordable(label, sys.argv[1:], str(order))
        module = str(guesthalves.built(chosen, kernel, target, boxed=boxed).path)
    workloads.build_workloads(kernel, [order.text], say)
    spec = CheckSpec(
        target=asked.target,
        label=label,
        module=module,
        workload=order.text,
        argv=list(order.argv),
        lock_mode=asked.lock_mode,
        seed=asked.seed,
        hold=asked.hold,
        wait=asked.wait,
        keep_paths=asked.keep_paths,
        command=["z3trace", *sys.argv[1:]],
        output=file.name,
        identity=asked.identity,
    )
    names = [where.variant] if where.variant and where.variant != PACKAGED else []
    machine = where.options.machine(
        append=guesthalves.CHECKED,
        stranger=not variant.ours(names, where.patches),
        boxed=not where.unboxed,
    )
    return guesthalves.check(kernel, spec, machine, file)


def _nesting(reference: Path) -> "list[Nested]":
    """Read before anything runs: it may lie where this check writes."""
    from z3trace.analysis.checks.reference import nesting_of

    return nesting_of(reference)


def _report(
    check: "Check",
    console: str,
    lost: str,
    status: int,
    known: "list[Nested] | None",
    kept: Path | None,
    *,
    bisect: bool,
) -> int:
    """Print and write the reports; *status*: how the guest's half ended, DONE without one;
    *bisect*: whether a kernel that died is as bad as a broken rule."""
    from z3trace.analysis.checks import judgement
    from z3trace.analysis.report import checkformats, checkmail

    report = judgement.report(check, console, lost, known)
    screen.result(checkmail.render(report))
    for path in checkformats.write_all(report, kept) if kept else []:
        wrote(path)
    screen.answer(checkformats.as_json(report))
    if report.violations or (bisect and report.deaths):
        return VIOLATION
    if lost:
        return GUEST_LOST
    failed = (status or report.workload_status) and not report.interrupted
    if check.end is None or report.lost_events or failed:
        return FAILED
    return NOT_JUDGED if report.verdict == "incomplete" else DONE
