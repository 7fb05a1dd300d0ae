"""What verbs have in common that run a half of their own in a guest: a check of one module,
the recording of two."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from z3trace.commands.screen import say
from z3trace.errors import FAILED, GUEST_LOST, GuestLostError, Z3traceError

if TYPE_CHECKING:
    from z3trace.guest.qemu import Options
    from z3trace.guest.spec import CheckSpec, PairSpec
    from z3trace.kernels.layout import Kernel
    from z3trace.kernels.variant import Variant

#: A guest under check prints what it finds, and a CPU that hangs for 8 s is told of.
CHECKED = "tp_printk watchdog_thresh=4"


def check(
    kernel: "Kernel", spec: "CheckSpec", machine: "Options", file: Path
) -> tuple[str, str, int]:
    """(console, why the guest was lost, its status) after a check of which *file* is the
    evidence; GuestLostError if a lost guest left none, Z3traceError if one that failed did."""
    from z3trace.guest import vm

    say(f"booting {kernel.release}, checking {spec.label}")
    try:
        home = vm.Home(file.parent, (file.name,))
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

    with progress.shown("recording") as look:
        home = vm.Home(directory, tuple(recordings))
        outcome = vm.run_half(kernel, "ab-guest", spec, machine, say, home, look)
    for warning in outcome.warnings:
        say(f"the guest's console: {warning}")
    if outcome.status:
        return outcome.status if outcome.status < 126 else FAILED
    if set(outcome.made) != set(recordings):
        raise Z3traceError("the guest left no whole recordings", "what it said is above")
    return 0


def timed(kernel: "Kernel", source: str, variants: "list[Variant]", *, boxed: bool) -> list[str]:
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
