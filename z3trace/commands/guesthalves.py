"""What verbs have in common that run a half of their own in a guest: a check of one module,
the recording of two."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from z3trace.commands.screen import aside, say
from z3trace.errors import FAILED, GUEST_LOST, GuestLostError, UsageError, Z3traceError
from z3trace.words import amount, plural

if TYPE_CHECKING:
    from z3trace.data.ways import Way
    from z3trace.guest.qemu import Options
    from z3trace.guest.spec import CheckSpec, PairSide, PairSpec
    from z3trace.kernels.build import Module
    from z3trace.kernels.layout import Kernel
    from z3trace.kernels.variant import Variant
    from z3trace.recording.repetitions import Asked
    from z3trace.target.definition import Target
    from z3trace.workloads.choose import Order
    from z3trace.workloads.protocol import Workload

#: A guest under check prints what it finds, and a CPU that hangs for 8 s is told of.
CHECKED = "tp_printk watchdog_thresh=4"


def work_of(order: "Order") -> "Workload":
    """The workload that a guest is to run; UsageError, before anything is built, if there is
    none of its name, or no program to take along."""
    from z3trace.guest import vm

    if order.argv:
        vm.own_program(order.argv)
    return order.made()


def check(
    kernel: "Kernel", spec: "CheckSpec", machine: "Options", file: Path
) -> tuple[str, str, int]:
    """(console, why the guest was lost, its status) after a check of which *file* is the
    evidence; GuestLostError if a lost guest left none, Z3traceError if one that failed did."""
    from z3trace.guest import vm

    say(f"booting {kernel.release}, checking {spec.label}")
    try:
        home = vm.Home(file.parent, (file.name,))
        with aside():
            outcome = vm.run_half(kernel, "check-guest", spec, machine, say, home)
    except GuestLostError as error:
        console = file.parent / vm.CONSOLE
        text = console.read_text(errors="replace") if console.exists() else ""
        if not file.exists() and not file.with_name(file.name + ".part").exists():
            raise
        return text, error.message.splitlines()[0], GUEST_LOST
    if outcome.status and not file.exists():
        raise Z3traceError("the check failed in the guest", "what it said is above")
    return outcome.console, "", outcome.status


def pair(
    kernel: "Kernel",
    spec: "PairSpec",
    machine: "Options",
    directory: Path,
    recordings: Sequence[str],
) -> int:
    """Record both sides of *spec* into *directory*; 0, or the exit code of a guest that
    failed.  Z3traceError if a recording is missing."""
    from z3trace.commands import progress
    from z3trace.guest import vm

    with progress.shown("recording") as look, aside():
        home = vm.Home(directory, tuple(recordings))
        outcome = vm.run_half(kernel, "ab-guest", spec, machine, say, home, look)
    for warning in outcome.warnings:
        say(f"the guest's console: {warning}")
    if outcome.status:
        return outcome.status if outcome.status < 126 else FAILED
    if set(outcome.made) != set(recordings):
        raise Z3traceError("the guest left no whole recordings", "what it said is above")
    return 0


def chosen(
    text: str,
    kernel: "Kernel",
    target: "Target",
    patches: "tuple[Sequence[Path], int, Sequence[str]] | None" = None,
    *,
    boxed: bool,
) -> "Variant | Module":
    """What *text* names: a module's file, or a variant or base with *patches*: (patches, fuzz,
    defines)."""
    from z3trace.kernels import base, given

    how = patches or base.UNPATCHED
    if given.is_module(text):
        if how[0]:
            raise UsageError(f"a patch is for source, and {text} is built", "give its source")
        return given.module(text, kernel, target.module)
    names = {"target": target.name, "module": target.module}
    return base.variant_of(text, kernel, target.source, say, how, boxed=boxed, **names)


def label(each: "Variant | Module", *, boxed: bool) -> str:
    """What reports call it."""
    from z3trace.kernels import build

    return each.variant if isinstance(each, build.Module) else build.label(each.name, boxed=boxed)


def built(each: "Variant | Module", kernel: "Kernel", target: "Target", *, boxed: bool) -> "Module":
    """The module's file of what was chosen, built if it is source."""
    from z3trace.kernels import build

    if isinstance(each, build.Module):
        return each
    return build.build_variant(kernel, target.source, each, say, boxed=boxed)


def counts(target: "Target", asked: "Asked") -> "Mapping[Way, int]":
    """Runs a side of each way; UsageError if a recording has no room for them."""
    from z3trace.recording import repetitions, room

    found = repetitions.of_pair(asked)
    room.require_room(found, len(target.operations), len(target.classes()))
    return found


def sides(
    modules: "Sequence[Module]", timed: Sequence[str], recordings: Sequence[str]
) -> "list[PairSide]":
    """Both sides as the guest is told of them; *timed*: the files of the timed builds."""
    from z3trace.guest.spec import PairSide

    if modules[0].digest == modules[1].digest:
        say("both sides are the same build: what will differ between them is noise")
    return [
        PairSide(label=module.variant, module=str(module.path), timed=path, output=name)
        for module, path, name in zip(modules, timed or ("", ""), recordings, strict=True)
    ]


def say_if_few(target: "Target", runs: int, unit: str = "run") -> None:
    """Before anything runs: whether so few runs (or boots) a side can decide anything."""
    from z3trace.analysis.figures.metrics import questions
    from z3trace.analysis.statistics import family, verdict

    asked = questions(len(target.operations), len(target.classes()) - 1)
    first, _ = family.strictness(asked, asked)
    needed = verdict.fewest_runs(first)
    if runs < needed:
        say(
            f"{amount(runs, unit)} a side {plural(runs, 'is', 'are')} too few to tell any "
            f"difference, however large, if all {asked} primary figures are seen: from {needed} "
            "on one can be told"
        )


def timed(
    kernel: "Kernel", source: str, sides: "Sequence[Variant | Module]", *, boxed: bool
) -> list[str]:
    """The files of the timed builds; none if they cannot be built, and that is said."""
    from z3trace.kernels import build

    variants = [each for each in sides if not isinstance(each, build.Module)]
    try:
        if len(variants) < len(sides):
            raise Z3traceError("a module's file is no source")
        return [
            str(build.build_variant(kernel, source, each, say, boxed=boxed, timed=True).path)
            for each in variants
        ]
    except Z3traceError as error:
        said = error.message.splitlines()[0]
        say(f"no timed build, locks are seen by probes on each class: {said}")
        return []
