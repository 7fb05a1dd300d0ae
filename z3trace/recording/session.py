"""Record whole sessions: the runs of one variant, or of two in turn."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from msgspec import structs

from z3trace.bpf import layout
from z3trace.data import private, runfile
from z3trace.data.model import Run
from z3trace.data.recordable import require_recordable
from z3trace.errors import INTERRUPTED, Z3traceError
from z3trace.probing import calibration
from z3trace.probing.choice import ALL_CPUS, SLOW_PATH_MODES, Choice
from z3trace.recording import lockmode
from z3trace.recording.disturbance import Disturbances
from z3trace.recording.run import Recorder
from z3trace.recording.schedule import Step
from z3trace.recording.sides import Side
from z3trace.target import plan
from z3trace.target.definition import Target
from z3trace.workloads.protocol import Workload


@dataclass(frozen=True)
class Progress:
    """After a run: *done* of *total* runs, and what this one was."""

    done: int
    total: int
    label: str
    run: Run


Report = Callable[[Progress], None]


class _Recording:
    """The runs of one session on their way into the files of its sides."""

    def __init__(
        self, sides: Sequence[Side], work: Workload, steps: Sequence[Step], seed: int
    ) -> None:
        self._sides, self._work, self._steps, self._seed = sides, work, steps, seed
        self._writers: list[runfile.Writer] = []
        self._opened: set[int] = set()
        self._made = 0
        self.disturbances = Disturbances(len(steps))

    def into(self, writers: list[runfile.Writer]) -> None:
        self._writers = writers

    def make(self, report: Report) -> bool:
        """Make all runs; True if one was interrupted."""
        for done, step in enumerate(self._steps, 1):
            while True:
                run = self._run(step)
                self._keep(step.side, run)
                report(Progress(done, len(self._steps), self._sides[step.side].label, run))
                if run.interrupted or run.result.status == INTERRUPTED:
                    return True
                if run.unused != "disturbed":
                    break
        return False

    def _run(self, step: Step) -> Run:
        side, way = self._sides[step.side], step.way
        build = side.timed if way.build else side.build
        assert build is not None  # noqa: S101 - steps of a timed build are made for those only
        build.module.before_run()
        run = build.recorder.run(
            self._work,
            step.number,
            self._made,
            self._seed + step.number,
            probe=way.probe,
            clocked=way.clocked,
        )
        self._made += 1
        run = structs.replace(run, unused="warm-up") if step.warm_up else run
        return self.disturbances.judged(run)

    def _keep(self, number: int, run: Run) -> None:
        side = self._sides[number]
        if number not in self._opened:
            self._writers[number].session(
                side.build.recorder.session(self._work, side.label, side.command, side.calls)
            )
            self._opened.add(number)
        if not side.build.recorder.keep_paths:
            run = structs.replace(run, result=private.result(run.result))
        self._writers[number].run(run)

    def told(self) -> list[str]:
        """What there is to say of the session at its end."""
        late = {name for side in self._sides for name in side.build.recorder.found_late}
        found = [
            f"a call site of lock class {name} was found late: runs of this class before it "
            "have not seen its locks"
            for name in sorted(late)
        ]
        return [text for text in (self.disturbances.told(), *found) if text]

    def finish(self, *, interrupted: bool) -> None:
        for number in self._opened:
            self._writers[number].finish(interrupted=interrupted)


def record(  # noqa: PLR0913 - the parts of one session
    sides: Sequence[Side],
    work: Workload,
    steps: Sequence[Step],
    seed: int,
    report: Report,
    say: Callable[[str], None] = lambda _: None,
) -> bool:
    """Make all runs and write a recording a side; True if it was interrupted.

    Both sides of a pair get the same seed.  A run that the host disturbed is made again,
    see ``disturbance``.  What was recorded before an interrupt or a failure stays in the
    files.  UsageError before the first run if a file cannot be written or cannot hold its
    side's label or command.
    """
    for side in sides:
        require_recordable(side.label, side.command, work.description)
        side.build.recorder.say = say if len(sides) == 1 else _labelled(side.label, say)
    interrupted = False
    recording = _Recording(sides, work, steps, seed)
    with ExitStack() as stack:
        recording.into([stack.enter_context(runfile.Writer(side.output, say)) for side in sides])
        for build in (build for side in sides for build in side.builds()):
            stack.callback(build.module.after_all)
        try:
            interrupted = recording.make(report)
        except KeyboardInterrupt:
            interrupted = True
        recording.finish(interrupted=interrupted)
    for text in recording.told():
        say(text)
    return interrupted


def _labelled(label: str, say: Callable[[str], None]) -> Callable[[str], None]:
    return lambda text: say(f"{label}: {text}")


@dataclass(frozen=True)
class Wanted:
    """What to record, as the command line says it."""

    lock_mode: str = "callsite"
    waits: str = "slow-path"
    calibrate: bool = True
    process: int = 0
    processors: tuple[int, ...] = ()
    operations: tuple[str, ...] = ()
    keep_paths: bool = False
    task_slots: int = layout.TASK_SLOTS
    #: How operations are probed, if it is not to be the cheaper way here.
    method: str = ""

    def choice(self) -> Choice:
        mask = sum(1 << cpu for cpu in set(self.processors)) or ALL_CPUS
        return Choice(
            lock_mode=self.lock_mode,
            slow_paths=self.waits == "slow-path" and self.lock_mode in SLOW_PATH_MODES,
            process=self.process,
            processors=mask,
            only_inside=bool(self.operations),
        )


def recorders(  # noqa: PLR0913 - the parts of one session, and who is told
    definition: Target,
    paths: Sequence[Path | None],
    wanted: Wanted,
    say: Callable[[str], None],
    ready: Callable[[], None] = lambda: None,
    note: Callable[[str], None] | None = None,
) -> list[Recorder]:
    """A recorder for each module file (None: the packaged one), sharing programs and
    calibration.

    *say* is told what is done now, *note* (default: *say*) what stays true of the recording.
    *ready* is called when the programs are compiled and calibrated: it may wait for the
    module, which must be loaded from then on if its structures are known from BTF only.
    """
    from z3trace.bpf.programs import Programs
    from z3trace.probing import slowpath

    note = note or say
    codes = [plan.code_of(definition, path) for path in paths]
    rooms = [plan.room(code) for code, _ in codes]
    say("compiling and loading the probes")
    programs = Programs(
        max(sites for sites, _ in rooms), max(places for _, places in rooms), wanted.task_slots
    )
    choice, measured = slowpath.settled(wanted.choice(), programs, note), None
    if wanted.calibrate:
        say("measuring what the probes cost")
        try:
            measured, cheaper = calibration.measure(programs, choice)
            if wanted.method:
                cheaper = wanted.method == "trampoline"
            choice = replace(choice, trampolines=cheaper)
        except Z3traceError as error:
            note(f"not calibrated: {error.message}; figures stay uncorrected")
    ready()
    plans = [plan.plan_of(definition, *code).only(wanted.operations) for code in codes]
    choice, why = lockmode.settled(choice, measured, plans, note)
    found = [Recorder(programs, each, choice, measured) for each in plans]
    for recorder in found:
        recorder.lock_choice = why
        recorder.keep_paths = wanted.keep_paths
    return found


def remaining(started: float, done: int, total: int) -> float:
    """Seconds that the rest will take if it goes on as so far."""
    return (time.monotonic() - started) / done * (total - done)
