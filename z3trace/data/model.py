"""What a recording is: plain typed data, read and written by ``runfile``.

All times are nanoseconds unless a name says otherwise, all counts are of one
run.  Values come from strangers when a file is read: bounds are part of the
types, see ``limits``.
"""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct, field

from z3trace.data import limits
from z3trace.data.counts import Ledger, LockCounts, Nesting, OperationCounts, Series, SiteCounts
from z3trace.data.fields import U64, Buckets, Name, Record, SiteNumber, Text, Word
from z3trace.data.timed import Timed, TimedBuild
from z3trace.data.ways import Way

SCHEMA: Final = 6
#: One line for each schema: what changed.
HISTORY = {
    1: "first: session, run and end lines",
    2: "calibration, how each operation and site is probed, runs with some of the probes, "
    "corrected series",
    3: "which lock class was held when another was acquired; the hold of an operation "
    "counts nested holds once",
    4: "where waits are seen: an acquisition that needed none may have one of 0",
    5: "runs of a timed build, runs with the probes of one lock class, runs whose workload "
    "times its operations; which runs do not count, and what the host took from a run",
    6: "why --locks auto took the lock mode that it did; for how long a guest was not run at all",
}


class Environment(Record, frozen=True, kw_only=True):
    """Facts of machine and kernel, measured where the recording was made."""

    kernel: Name
    kernel_version: Text = ""
    machine: Name = ""
    cpu: Name = ""
    cpus: U64 = 0
    memory_kb: U64 = 0
    virtualization: Name = "none"
    clocksource: Name = ""
    preemption: Name = ""
    command_line: Text = ""
    python: Name = ""
    bcc: Name = ""


class ModuleInfo(Record, frozen=True, kw_only=True):
    """The target's module as it was loaded."""

    name: Name
    origin: Literal["packaged", "built", "builtin"] = "packaged"
    build_id: Name = ""
    source_version: Name = ""
    variant: Name = ""
    digest: Name = ""


class Operation(Record, frozen=True, kw_only=True):
    """An operation of the target: the function asked for and the symbol attached to."""

    name: Word
    function: Name
    symbol: Name = ""
    attached: bool = False
    reason: Text = ""
    method: Literal["", "kprobe", "trampoline"] = ""


class Calibration(Record, frozen=True, kw_only=True):
    """What the probes cost on this kernel, in ns, measured before the recording.

    ``*_floor``: what is recorded where nothing happens; ``operation``: what a pair of
    operation probes adds; ``jump``, ``emulated``, ``stepped``, ``lock_function``: what
    one lock event of that kind adds to what it stands in (0: not measured); ``spread``:
    half the distance of the quartiles of repeated measurements, the larger one of an
    operation's floor and of an operation with a lock; ``uncertainty``: the same of the
    hold's floor; ``bystander``: what probes in the lock functions add to every acquisition
    and release that are not the target's (0: not measured).
    """

    operation_floor: U64
    wait_floor: U64
    hold_floor: U64
    operation: U64
    jump: U64
    emulated: U64
    stepped: U64
    lock_function: U64 = 0
    bystander: U64 = 0
    uncertainty: U64 = 0
    spread: U64
    function: Name = ""


class LockClass(Record, frozen=True, kw_only=True):
    """A lock class and the kernel structure members that belong to it here."""

    name: Word
    members: Annotated[list[Name], Meta(max_length=limits.MEMBERS)] = field(default_factory=list)


class CallSite(Record, frozen=True, kw_only=True):
    """One instruction of the target that calls a lock function."""

    number: SiteNumber
    function: Name
    offset: U64
    lock_function: Name
    action: Literal["acquire", "try", "release"]
    kind: Literal["spin", "read", "write"]
    file: Name = ""
    line: U64 = 0
    inlined: Annotated[list[Name], Meta(max_length=limits.INLINED)] = field(default_factory=list)
    attached: bool = False
    reason: Text = ""
    method: Literal["", "jump", "emulated", "stepped", "function"] = ""


class Origin(Record, frozen=True, kw_only=True):
    """How a recording or a check came about: by whom, when, of what, on which machine."""

    tool: Name
    created: Name
    target: Name
    label: Name
    environment: Environment
    module: ModuleInfo
    workload: Text
    command: Annotated[list[Text], Meta(max_length=limits.COMMAND)]
    lock_mode: Name
    #: Why it is this mode, if --locks auto chose it; else empty.
    lock_choice: Text = ""
    probe_digest: Name
    operations: Annotated[list[Operation], Meta(max_length=limits.OPERATIONS)]
    sites: Annotated[list[CallSite], Meta(max_length=limits.SITES)]


class Session(Origin, frozen=True, kw_only=True, tag_field="type", tag="session"):
    """The first line of a run file: everything that holds for all its runs."""

    schema: Literal[1, 2, 3, 4, 5, 6]
    bucket_scheme: Name
    #: Where waits are seen; empty in files before schema 4: from the attempt at the call
    #: site on.
    waits: Literal["", "call-site", "slow-path"] = ""
    locks: Annotated[list[LockClass], Meta(max_length=limits.CLASSES)]
    floor: U64 | None = None
    calibration: Calibration | None = None
    #: The build of the target that times its own locks, if runs were made with one.
    timed: TimedBuild | None = None


class OperationTruth(Record, frozen=True, kw_only=True):
    """What the workload itself counted for one operation."""

    operation: Word
    calls: U64
    failures: U64 = 0
    buckets: Buckets = field(default_factory=list)


class WorkloadResult(Record, frozen=True, kw_only=True):
    """How the workload ended, and its own truth if it knows one."""

    status: int = 0
    elapsed: U64 = 0
    operations: Annotated[list[OperationTruth], Meta(max_length=limits.OPERATIONS)] = field(
        default_factory=list
    )
    facts: Annotated[dict[Word, U64], Meta(max_length=limits.FACTS)] = field(default_factory=dict)
    output: Text = ""


#: The probes of a run: none, those on operations, on all locks, both, on a lock that the
#: workload itself takes and releases around nothing, or on the locks of one class.
Probe = Annotated[str, Meta(pattern=r"^(|ops|locks|all|own-lock|lock:[a-z][a-z0-9_-]{0,31})\Z")]


class HostTime(Record, frozen=True, kw_only=True):
    """What the host took from a run, ns over all CPUs: time in which a CPU of the guest
    was ready and did not run.  *steal*: as the guest's kernel counts it; *delay*: as the
    host's scheduler counts it for the threads that are the guest's CPUs (run delay in
    /proc/PID/task/TID/schedstat).  *paused*: time in which it neither ran, nor was ready to,
    nor idled, because the machine was suspended or its threads were stopped.  None where it
    is not known."""

    steal: U64 | None = None
    delay: U64 | None = None
    paused: U64 | None = None


class Run(Record, frozen=True, kw_only=True, tag_field="type", tag="run"):
    """One workload execution; without probes it has a result and nothing else."""

    number: U64
    order: U64
    probed: bool
    #: Which probes a probed run had; empty in files of schema 1, which had all.
    probe: Probe = ""
    #: Which build of the target was loaded: the one under test, or its timed build.
    build: Literal["", "timed"] = ""
    #: Whether the workload timed its own operations.
    clocked: bool = False
    #: Why the run counts in no figure; a disturbed one was made again.
    unused: Literal["", "warm-up", "disturbed"] = ""
    host: HostTime | None = None
    seed: U64
    started: Name
    duration: U64
    result: WorkloadResult
    interrupted: bool = False
    series: Annotated[list[Series], Meta(max_length=limits.SERIES)] = field(default_factory=list)
    operations: Annotated[list[OperationCounts], Meta(max_length=limits.OPERATIONS)] = field(
        default_factory=list
    )
    locks: Annotated[list[LockCounts], Meta(max_length=limits.CLASSES)] = field(
        default_factory=list
    )
    sites: Annotated[list[SiteCounts], Meta(max_length=limits.SITES)] = field(default_factory=list)
    nesting: Annotated[list[Nesting], Meta(max_length=limits.CLASSES**2)] = field(
        default_factory=list
    )
    ledger: Ledger | None = None
    timed: Timed | None = None

    @property
    def way(self) -> str:
        """How figures of this run were seen, see ``ways``."""
        probe = (self.probe or "all") if self.probed else ""
        return Way(self.build, self.clocked, probe).name

    @property
    def counts(self) -> bool:
        """Whether figures may be taken from it."""
        return not self.interrupted and not self.unused


class End(Record, frozen=True, kw_only=True, tag_field="type", tag="end"):
    """The last line: a file without it was cut short."""

    runs: U64
    interrupted: bool = False


class Recording(Struct, frozen=True, kw_only=True):
    """A whole file in memory."""

    path: str
    session: Session
    runs: list[Run]
    complete: bool
    interrupted: bool = False

    def probed(self) -> list[Run]:
        """The runs that figures come from: with all probes, or with the only kind there is."""
        runs = [run for run in self.runs if run.probed and run.counts]
        whole = [run for run in runs if run.probe in ("", "all")]
        return whole or [run for run in runs if run.probe == runs[0].probe]
