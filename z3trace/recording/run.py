"""Run a workload between attach and detach; raw maps -> Run."""

import hashlib
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from msgspec import structs

from z3trace.bpf.programs import Programs, probe_source
from z3trace.data import buckets, private
from z3trace.data.model import (
    SCHEMA,
    Calibration,
    CallSite,
    ModuleInfo,
    Operation,
    Origin,
    Run,
    Session,
    WorkloadResult,
)
from z3trace.data.recordable import encodable
from z3trace.data.timed import Timed, TimedBuild
from z3trace.errors import INTERRUPTED, CannotTraceError
from z3trace.probing import ownlock, siteclasses, unseen
from z3trace.probing.arming import Armed, arm
from z3trace.probing.choice import Choice, costs_of
from z3trace.recording import counters, environment
from z3trace.recording.host import HostClock, between
from z3trace.recording.live import Look, Watch
from z3trace.target.plan import Plan
from z3trace.workloads.protocol import Workload

#: Events whose programs count their runs; a check has more.
_COUNTED = ("lock", "entry_", "return_")
#: Probes that slow the workload so much that it does less.
_SLOW = ("all", "locks")
_OWN_LOCK = "own-lock"
#: Seconds between two looks at a recording that goes on.
LOOK_EVERY = 1.0


@dataclass
class Coverage:
    """What could be attached, and why the rest could not."""

    operations: list[Operation]
    sites: list[CallSite]


def probe_digest() -> str:
    """One digest of all BPF sources, so that recordings by different probes differ."""
    digest = hashlib.sha256()
    for path in sorted(probe_source().glob("*.[ch]")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


class Timing(Protocol):
    """A timed build that is in the kernel, see ``timed.TimedModule``."""

    def start(self) -> None: ...
    def read(self) -> Timed: ...


class Recorder:
    """Records runs of one build of a target, which is in the kernel while a run lasts."""

    def __init__(
        self,
        programs: Programs,
        plan: Plan,
        choice: Choice,
        measured: Calibration | None = None,
    ) -> None:
        self._programs = programs
        self.plan = plan
        self._classes = siteclasses.of(plan)
        self._own: Plan | None = None
        self._seen: set[str] = set()
        #: Lock classes of which earlier runs may have left out a call site.
        self.found_late: set[str] = set()
        self.choice = choice
        #: Why its lock mode was chosen, if it was.
        self.lock_choice = ""
        self.calibration = measured
        self.coverage: Coverage | None = None
        self.show: Callable[[Look], None] | None = None
        self.armed: Callable[[], None] = lambda: None
        #: Told what the probes cannot see, before the first workload runs.
        self.say: Callable[[str], None] = lambda _: None
        self._told = False
        #: The timed build that is recorded, which is asked for its figures after each run.
        self.timed: Timing | None = None
        #: Whether what is recorded has the host's paths and all of the kernel's command line.
        self.keep_paths = False
        self.host = HostClock()

    def shared(self) -> tuple[Programs, Calibration | None]:
        """What another recorder on the same kernel can use too."""
        return self._programs, self.calibration

    def without_probes(self) -> "Recorder":
        """A recorder for another build of the same target, where no probes are wanted."""
        other = Recorder(self._programs, self.plan, self.choice, self.calibration)
        other.lock_choice = self.lock_choice
        other.keep_paths = self.keep_paths
        return other

    def _choice(self, probe: str) -> Choice:
        if probe == "ops":
            return replace(self.choice, lock_mode="none")
        kind, _, lock = probe.partition(":")
        return replace(self.choice, operations=kind == "all", lock_class=lock)

    def _attach_own(self, own: Plan) -> Armed:
        """Attach to the workload's own lock, and to nothing of the target."""
        self._programs.clear()
        costs = costs_of(self.calibration)
        return arm(self._programs, own, own.address(), costs, ownlock.choice(self.choice))

    def _own_plan(self, workload: Workload) -> Plan:
        if self._own is None:
            if workload.module_file is None:
                raise CannotTraceError("the workload has no lock of its own to measure probes with")
            self._own = ownlock.plan(workload.module_file, self.choice)
        return self._own

    def attach(self, probe: str = "all") -> Armed:
        """Attach everything; close what is returned to detach."""
        self._programs.clear()
        costs = costs_of(self.calibration)
        choice = self._choice(probe)
        armed = arm(self._programs, self.plan, self.plan.address(), costs, choice, self._classes)
        said = "" if self._told else unseen.loss(armed.sites, choice.lock_mode)
        if said:
            self._told = True
            self.say(said)
        if self.coverage is None or probe == "all":
            self.coverage = Coverage(armed.operations, armed.sites)
        return armed

    def run(  # noqa: PLR0913 - what one run is known by
        self,
        workload: Workload,
        number: int,
        order: int,
        seed: int,
        *,
        probe: str,
        clocked: bool = False,
    ) -> Run:
        """One run with the probes *probe* (empty: none); *clocked*: the workload times its
        operations.  An interrupt ends the workload, and the run is kept as such."""
        own = self._own_plan(workload) if probe == _OWN_LOCK else None
        workload.prepare(seed, fast=probe not in _SLOW, clocked=clocked, own_lock=own is not None)
        armed = self._attach_own(own) if own else self.attach(probe) if probe else None
        self.armed()
        if self.timed:
            self.timed.start()
        before = self._tally(armed)
        started = datetime.now(UTC).isoformat(timespec="milliseconds")
        host, start = self.host.read(), time.monotonic_ns()
        interrupted = False
        try:
            try:
                with self._watched(probe):
                    result = workload.run()
            except KeyboardInterrupt:
                interrupted = True
                result = WorkloadResult(status=INTERRUPTED, elapsed=time.monotonic_ns() - start)
            duration = time.monotonic_ns() - start
            taken = between(host, self.host.read())
            after = self._tally(armed)
        finally:
            if armed is not None:
                armed.close()
        run = Run(
            number=number,
            order=order,
            probed=bool(probe),
            probe=probe,
            build="timed" if self.timed else "",
            clocked=clocked,
            host=taken,
            seed=seed,
            started=started,
            duration=duration,
            result=result,
            interrupted=interrupted and not workload.open_ended,
            timed=self.timed.read() if self.timed else None,
        )
        if probe:
            run = self._read(run, after - before, own or self.plan)
        if probe == "all":
            self.found_late |= self._classes.learn(run.sites) & self._seen
        self._seen.add(probe.partition(":")[2])
        workload.finish()
        return run

    def _watched(self, probe: str) -> AbstractContextManager[object]:
        """Show figures while a probed run lasts, if somebody wants to see them."""
        if self.show is None or not probe:
            return nullcontext()
        return Watch(self._programs, self.plan, self.show, LOOK_EVERY)

    def _tally(self, armed: Armed | None) -> counters.Tally:
        """Hits by the kernel's count, runs of programs by ours."""
        if armed is None:
            return counters.Tally()
        profiles = [
            profile
            for event, profile in armed.attachments.profile().items()
            if event.startswith(_COUNTED)
        ]
        return counters.Tally(
            hits=sum(profile.hits for profile in profiles),
            missed=sum(profile.missed for profile in profiles) + armed.missed(),
            elsewhere=armed.missed_in_functions(),
            ran=counters.programs_run(
                self._programs, trampolines=bool(armed.operation_trampolines)
            ),
        )

    def _read(self, run: Run, tally: counters.Tally, plan: Plan) -> Run:
        sites = counters.sites(self._programs, plan)
        return structs.replace(
            run,
            series=counters.series(self._programs, plan, self.calibration),
            operations=counters.operations(self._programs, plan),
            locks=counters.locks(self._programs, plan),
            # The session tells of the sites of the build under test, and of no other.
            sites=[] if self.timed or plan is not self.plan else sites,
            nesting=counters.nesting(self._programs, plan),
            ledger=counters.ledger(self._programs, tally),
        )

    def module(self) -> ModuleInfo:
        """The target's module as it is loaded now."""
        variant = self.plan.code.variant
        build_id, source_version = self.plan.identity()
        return ModuleInfo(
            name=self.plan.target.module,
            origin="builtin" if self.plan.builtin else "built" if variant else "packaged",
            build_id=build_id,
            source_version=source_version,
            variant=str(variant.get("variant", "")),
            digest=str(variant.get("digest", "")),
        )

    def origin(self, workload: str, label: str, command: list[str]) -> Origin:
        """How what is recorded now comes about; the probes must have been attached once."""
        assert self.coverage is not None  # noqa: S101 - callers attach first
        texts = [encodable(word) for word in (label, workload, *command)]
        told = Origin(
            tool=f"z3trace {tool_version()}",
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            target=self.plan.target.name,
            label=texts[0],
            environment=environment.collect(),
            module=self.module(),
            workload=texts[1],
            command=texts[2:],
            lock_mode=self.choice.lock_mode,
            lock_choice=self.lock_choice,
            probe_digest=probe_digest(),
            operations=self.coverage.operations,
            sites=self.coverage.sites,
        )
        return told if self.keep_paths else private.origin(told)

    def session(
        self,
        workload: Workload,
        label: str,
        command: list[str],
        timed: TimedBuild | None = None,
    ) -> Session:
        """The session line, with what is covered by the widest probes so far."""
        if self.coverage is None:
            self.attach().close()
        return Session(
            **structs.asdict(self.origin(workload.description, label, command)),
            schema=SCHEMA,
            bucket_scheme=buckets.SCHEME,
            waits="slow-path" if self.choice.slow_paths else "call-site",
            locks=self.plan.locks,
            floor=self.calibration.operation_floor if self.calibration else None,
            calibration=self.calibration,
            timed=timed,
        )


def tool_version() -> str:
    from importlib import metadata

    return metadata.version("z3trace")
