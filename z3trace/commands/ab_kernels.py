"""``z3trace ab`` of two whole kernels: booted in turn, a recording for each boot."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from z3trace.commands import guesthalves
from z3trace.commands.options import GuestOptions, ProbeOptions
from z3trace.commands.screen import say
from z3trace.errors import UsageError
from z3trace.words import amount

if TYPE_CHECKING:
    from z3trace.data.ways import Way
    from z3trace.guest.spec import PairSpec
    from z3trace.kernels.layout import Kernel
    from z3trace.target.definition import Target

SIDES = ("before", "after")
_FOLDER = "boots"


@dataclass(frozen=True)
class Kernels:
    """Two kernels to compare: how often each is booted, and what runs there."""

    target_name: str
    workload: str
    boots: int
    #: A side, over all its boots.
    runs: int
    unprobed: int | None
    probing: ProbeOptions
    guest: GuestOptions
    boxed: bool


def refuse(
    guest: GuestOptions,
    before: str | None,
    after: str | None,
    *,
    patched: bool,
    command: tuple[str, ...] = (),
) -> None:
    """UsageError for what two kernels as they are have no place for."""
    if len(guest.kernels) > len(SIDES):
        raise UsageError("--kernel is given more than twice", "before and after are compared")
    if command:
        raise UsageError("two kernels run no COMMAND", "name one of z3trace's own by --workload")
    if before or after or patched:
        raise UsageError(
            "two kernels are compared as they are: there is no place for a variant or a patch",
            "'kernel make TREE --patch FILE' builds a kernel with a patch",
        )


def folder(directory: Path) -> Path:
    """Where the recordings of the boots go."""
    return directory / _FOLDER


def recordings(directory: Path, boots: int) -> list[list[Path]]:
    """Of both sides, in the order of their boots."""
    return [
        [folder(directory) / f"{side}-{number + 1:02}.z3t" for number in range(boots)]
        for side in SIDES
    ]


def record(asked: Kernels, directory: Path) -> int:
    """Boot both kernels in turn and record each boot below *directory*; 0, or the exit code
    of a guest that failed: what the boots before it recorded stays."""
    from z3trace.kernels import workloads
    from z3trace.recording import schedule
    from z3trace.target import definition

    target = definition.load(asked.target_name)
    guesthalves.say_if_few(target, asked.boots, "boot")
    kernels = asked.guest.own_kernels(say)
    if kernels[0].own == kernels[1].own:
        say("both sides are the same kernel: what will differ between them is noise")
    counts = _counts(asked, target)
    for kernel in kernels:
        workloads.build_workloads(kernel, [asked.workload], say)
    files = recordings(directory, asked.boots)
    folder(directory).mkdir(parents=True, exist_ok=True)
    order, method = schedule.boots(asked.boots), ""
    for done, (side, number) in enumerate(order, 1):
        kernel, file = kernels[side], files[side][number]
        say(f"boot {done}/{len(order)}: {SIDES[side]}, {kernel.called}")
        spec = _spec(asked, counts, kernel, file, number, method)
        machine = asked.guest.machine(boxed=asked.boxed)
        status = guesthalves.pair(kernel, spec, machine, file.parent, (file.name,))
        if status:
            return status
        method = method or _method(file)
    return 0


def _counts(asked: Kernels, target: "Target") -> "Mapping[Way, int]":
    """Runs of each way in one boot."""
    from z3trace.workloads import choose

    per_boot = -(-asked.runs // asked.boots)
    unprobed = None if asked.unprobed is None else -(-asked.unprobed // asked.boots)
    wanted = asked.probing.asked(
        *(target, choose.named(asked.workload)),
        runs=per_boot,
        unprobed=unprobed,
        timed=False,
    )
    counts = guesthalves.counts(target, wanted)
    say(f"{amount(asked.boots, 'boot')} a side, each with {per_boot} runs of a kind")
    return counts


def _spec(
    asked: Kernels,
    counts: "Mapping[Way, int]",
    kernel: "Kernel",
    file: Path,
    number: int,
    method: str,
) -> "PairSpec":
    """What the guest of one boot does; both sides have the same seeds."""
    from z3trace.guest.spec import PairSide, PairSpec

    probing = asked.probing
    return PairSpec(
        target=asked.target_name,
        workload=asked.workload,
        runs={way.name: count for way, count in counts.items()},
        seed=probing.seed + number * max(counts.values()),
        lock_mode=probing.lock_mode,
        waits=probing.waits,
        calibrate=probing.calibrate,
        keep_paths=probing.keep_paths,
        command=["z3trace", *sys.argv[1:]],
        sides=[PairSide(label=kernel.called, module="", timed="", output=file.name)],
        method=method,
    )


def _method(file: Path) -> str:
    """How the first boot probed operations: the others are to do the same."""
    from z3trace.data import runfile

    operations = runfile.Stream(file).session.operations
    return next((each.method for each in operations if each.method), "")
