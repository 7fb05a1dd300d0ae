"""One check: the probes, the workload, and a file that has every finding at once."""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import structs

from z3trace.bpf.programs import Programs
from z3trace.checking.arming import Limits
from z3trace.checking.checker import Checker
from z3trace.data import checkfile, private
from z3trace.data.model import Calibration, WorkloadResult
from z3trace.data.recordable import require_recordable
from z3trace.errors import INTERRUPTED, Z3traceError
from z3trace.probing import calibration, slowpath
from z3trace.probing.choice import Choice
from z3trace.recording import lockmode
from z3trace.recording.loading import BuiltIn, TargetModule
from z3trace.recording.session import Wanted
from z3trace.target import plan
from z3trace.target.definition import Target
from z3trace.workloads.protocol import Workload

#: Seconds between two looks at the kernel's findings; looks from one count of everything
#: to the next, and at the beginning, where a broken kernel breaks.
_LOOK = 0.05
_PROGRESS = 20
_PROGRESS_FIRST = 4


@dataclass(frozen=True)
class Asked:
    """What to check, as the command line says it."""

    label: str
    command: list[str]
    lock_mode: str
    seed: int
    limits: Limits
    keep_paths: bool = False
    #: Goes into the file, so that who reads it can tell that it is of this check.
    identity: str = field(default_factory=checkfile.new_identity)


class _Evidence(threading.Thread):
    """Writes what the kernel finds while the workload runs."""

    def __init__(self, checker: Checker, writer: checkfile.Writer) -> None:
        super().__init__(daemon=True)
        self._checker, self._writer = checker, writer
        self._header: checkfile.Header | None = None
        self._over = threading.Event()
        self._error: Exception | None = None

    def begin(self, header: checkfile.Header) -> None:
        self._header = header
        self._writer.write(header)
        self._writer.write(self._checker.findings.progress())
        self.start()

    def run(self) -> None:
        looks = 0
        try:
            while not self._over.wait(_LOOK):
                self._look()
                looks += 1
                often = _PROGRESS_FIRST if looks < 2 * _PROGRESS else _PROGRESS
                if looks % often == 0:
                    self._writer.write(self._checker.findings.progress())
        except Exception as error:
            self._error = error

    def _look(self) -> None:
        if self._header:
            for incident in self._checker.findings.new_incidents(self._header):
                self._writer.write(incident)

    def end(self) -> None:
        """The last findings and counts; the probes are gone by now."""
        self._over.set()
        if self._header is None:
            return
        self.join()
        if self._error:
            raise self._error
        self._look()
        self._writer.write(self._checker.findings.progress())


def check(  # noqa: PLR0913 - the parts of one check
    definition: Target,
    module: TargetModule | BuiltIn,
    path: Path | None,
    work: Workload,
    asked: Asked,
    output: Path,
    say: Callable[[str], None] = lambda _: None,
) -> WorkloadResult:
    """Run *work* under the rules and write *output*; how the workload ended.

    An interrupt ends the check and keeps what was found.  UsageError before anything runs
    if *output* cannot be written, or would not hold what is asked.
    """
    require_recordable(asked.label, asked.command, work.description)
    writer = checkfile.Writer(output, say)
    code = plan.code_of(definition, path)
    sites, places = plan.room(code[0])
    programs = Programs(sites, places, check=True)
    module.before_run()
    try:
        # What is judged is the same either way: nobody needs to be told.
        wanted = Wanted(asked.lock_mode).choice()
        choice = slowpath.settled(wanted, programs, lambda _: None)
        made = plan.plan_of(definition, *code)
        choice, why = lockmode.settled(choice, _measured(programs, choice), [made], say)
        checker = Checker(programs, made, choice, asked.limits)
        checker.lock_choice = why
        checker.keep_paths = asked.keep_paths
        evidence = _Evidence(checker, writer)
        checker.armed = lambda: evidence.begin(
            structs.replace(
                checker.header(work.description, asked.label, asked.command),
                identity=asked.identity,
            )
        )
        try:
            run = checker.run(work, 0, 0, asked.seed, probe="all")
        finally:
            evidence.end()
        assert run.ledger is not None  # noqa: S101 - a probed run has one
        interrupted = run.interrupted or run.result.status == INTERRUPTED
        result = run.result if asked.keep_paths else private.result(run.result)
        writer.write(checkfile.End(ledger=run.ledger, result=result, interrupted=interrupted))
        writer.finish()
    finally:
        module.after_all()
    return run.result


def _measured(programs: Programs, choice: Choice) -> Calibration | None:
    """What the probes cost here, if that is to decide; None also where it cannot be measured."""
    if choice.lock_mode != "auto":
        return None
    with suppress(Z3traceError):
        return calibration.measure(programs, choice)[0]
    return None
