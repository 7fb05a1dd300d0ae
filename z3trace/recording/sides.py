"""The sides of a session: variants, each with its builds and the file it goes to."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from z3trace.data.timed import TimedBuild
from z3trace.data.ways import Way
from z3trace.recording.loading import BuiltIn, TargetModule
from z3trace.recording.run import Recorder
from z3trace.recording.timed import TimedModule
from z3trace.target.definition import Target


@dataclass
class Build:
    """One build of a side's target: who records it, and how it gets into the kernel."""

    recorder: Recorder
    module: TargetModule | BuiltIn


@dataclass
class Side:
    """One variant: its build, the timed one if runs are made of it, the file it goes to."""

    label: str
    build: Build
    output: Path
    command: list[str]
    timed: Build | None = None
    #: The timed build's lock calls, which the file tells of.
    calls: TimedBuild | None = None

    def builds(self) -> list[Build]:
        return [self.build, *([self.timed] if self.timed else [])]


@dataclass(frozen=True)
class Variant:
    """What a side is made of: its module's file (None: the packaged one), how that gets
    into the kernel, the file of its timed build, and the file to record into."""

    label: str
    path: Path | None
    module: TargetModule | BuiltIn
    output: Path
    timed: Path | None = None


def sides(
    target: Target,
    variants: Sequence[Variant],
    ways: Collection[Way],
    command: list[str],
    recorders: Callable[[list[Path | None]], list[Recorder]],
) -> list[Side]:
    """A side for each variant, for runs in these *ways*; *recorders* makes one for each
    module file that gets probes."""
    paths = [variant.path for variant in variants]
    probed = any(way.build and way.probe for way in ways)
    instrumented = [variant.timed for variant in variants if variant.timed and probed]
    made = recorders([*paths, *instrumented])
    left = iter(made[len(paths) :])
    there = []
    for variant, recorder in zip(variants, made, strict=False):
        build = Build(recorder, variant.module)
        side = Side(variant.label, build, variant.output, command)
        if variant.timed:
            timed = TimedModule(variant.timed, target)
            own = next(left, None) or recorder.without_probes()
            own.timed = timed
            module = TargetModule(target.module, variant.timed, load=True, reload=True)
            side.timed, side.calls = Build(own, module), timed.build
        there.append(side)
    return there
