"""What the probes cost in this very kernel, measured before a recording.

Two of the kernel's own functions that this process can call a known number of times:
``random_poll``, which does next to nothing, shows what is recorded of an operation
that takes no time; ``timerfd_poll`` takes and releases one lock that nobody else
wants.  Both are called through poll(), once for each of its entries.  The real
programs are attached to them the way they are attached to a target.
"""

import ctypes
import os
import select
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from z3trace.bpf import layout
from z3trace.bpf.attachments import Attachments
from z3trace.bpf.programs import Programs
from z3trace.code.callsites import Probe, probes_of
from z3trace.code.function import Method
from z3trace.code.kerneltext import KernelText, kernel_symbols
from z3trace.data.model import Calibration
from z3trace.errors import Z3traceError
from z3trace.probing import locks
from z3trace.probing.arming import Armed, arm
from z3trace.probing.choice import FUNCTION_EVENTS, FUNCTION_MODES, Choice, Costs
from z3trace.probing.trampolines import close
from z3trace.target.definition import OperationRule, Target
from z3trace.target.plan import Plan, plan_of

_ENTRIES = 1000  # of one poll(): what RLIMIT_NOFILE allows everywhere
_BATCHES = 40
_EMPTY, _LOCKED = "random_poll", "timerfd_poll"
_TARGET = Target(
    name="calibration",
    module="kernel",
    operations={
        "empty": OperationRule(functions=[_EMPTY]),
        "locked": OperationRule(functions=[_LOCKED]),
    },
)


class _Entry(ctypes.Structure):
    """struct pollfd."""

    _fields_ = [("fd", ctypes.c_int), ("events", ctypes.c_short), ("revents", ctypes.c_short)]


class _Poll:
    """Calls a file's poll function a thousand times with one system call."""

    def __init__(self, fd: int) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = fd
        self._entries = (_Entry * _ENTRIES)()
        for entry in self._entries:
            entry.fd, entry.events = fd, select.POLLIN

    def once(self) -> float:
        """Nanoseconds for each entry."""
        start = time.perf_counter_ns()
        self._libc.poll(self._entries, _ENTRIES, 0)
        return (time.perf_counter_ns() - start) / _ENTRIES

    def close(self) -> None:
        os.close(self._fd)


@dataclass
class _Text:
    """The kernel's text with probes placed as this measurement wants them."""

    text: KernelText
    methods: Sequence[Method]

    @property
    def probes(self) -> list[Probe]:
        return self._placed(attempts=True)

    @property
    def fewer_probes(self) -> list[Probe]:
        return self._placed(attempts=False)

    def _placed(self, *, attempts: bool) -> list[Probe]:
        return probes_of(
            self.text.sites,
            self.text.decoded,
            share=False,
            methods=self.methods,
            attempts=attempts,
        )

    def __getattr__(self, name: str) -> object:
        return getattr(self.text, name)


@dataclass(frozen=True)
class _Sample:
    """Lower quartiles over batches, in ns."""

    latency: float
    elapsed: float
    wait: float
    hold: float
    spread: float
    hold_spread: float


def _totals(programs: Programs, series: Sequence[int]) -> int:
    return sum(int(cpu.totals[number].sum) for cpu in programs.per_cpu for number in series)


def _sample(programs: Programs, poll: _Poll, operation: int) -> _Sample:
    """Drive one function; what is recorded of it for a call."""
    groups = (
        (operation, layout.disturbed_latency(operation)),
        (layout.wait_series(0),),
        (layout.hold_series(0), layout.disturbed_hold(0)),
    )
    elapsed: list[float] = []
    recorded: list[list[float]] = [[], [], []]
    poll.once()
    for _ in range(_BATCHES):
        before = [_totals(programs, group) for group in groups]
        elapsed.append(poll.once())
        for values, group, start in zip(recorded, groups, before, strict=True):
            values.append((_totals(programs, group) - start) / _ENTRIES)
    low = [_low(values) for values in recorded]
    spreads = [_spread(values) for values in recorded]
    return _Sample(low[0], _low(elapsed), low[1], low[2], spreads[0], spreads[2])


def _spread(values: Sequence[float]) -> float:
    """Half the distance of the quartiles."""
    quarters = statistics.quantiles(values, n=4)
    return (quarters[2] - quarters[0]) / 2


def _low(values: Sequence[float]) -> float:
    """The lower quartile: whatever else the machine does only adds."""
    return statistics.quantiles(values, n=4)[0]


def _counts(probes: Sequence[Probe]) -> dict[Method, int]:
    counts: dict[Method, int] = {"jump": 0, "emulated": 0, "stepped": 0}
    for probe in probes:
        counts[probe.position.method] += 1
    return counts


def _solve(rows: Sequence[tuple[dict[Method, int], float]]) -> dict[Method, float]:
    """The cost of a jump and of an emulated probe from two mixes of them and their sums."""
    (first, a), (second, b) = rows
    determinant = first["jump"] * second["emulated"] - second["jump"] * first["emulated"]
    if not determinant:
        each = a / max(sum(first.values()), 1)
        return {"jump": each, "emulated": each}
    jump = (a * second["emulated"] - b * first["emulated"]) / determinant
    emulated = (first["jump"] * b - second["jump"] * a) / determinant
    if 0 < jump < emulated:
        return {"jump": jump, "emulated": emulated}
    # A trap costs more than a jump: where noise says otherwise, both cost the mean.
    mean = (a + b) / (sum(first.values()) + sum(second.values()))
    return {"jump": mean, "emulated": mean}


def _armed(programs: Programs, plan: Plan, choice: Choice) -> Armed:
    programs.clear()
    return arm(programs, plan, plan.address(), Costs(), choice)


def _measured(
    programs: Programs, plan: Plan, choice: Choice, drive: Callable[[], tuple[_Sample, ...]]
) -> tuple[_Sample, ...]:
    armed = _armed(programs, plan, choice)
    try:
        return drive()
    finally:
        armed.close()


def measure(programs: Programs, wanted: Choice) -> tuple[Calibration, bool]:
    """Measure what the probes that *wanted* needs cost, and whether trampolines, if it
    allows them, are the cheaper way to operations.

    Takes a few seconds.  Z3traceError where the kernel does not allow it.
    """
    text = KernelText([_EMPTY, _LOCKED], kernel_symbols())
    if len(text.functions) < 2 or len(text.sites) < 2:
        raise Z3traceError("this kernel lacks the functions to calibrate on")
    libc = ctypes.CDLL(None, use_errno=True)
    empty = _Poll(os.open("/dev/random", os.O_RDONLY))
    locked = _Poll(libc.timerfd_create(time.CLOCK_MONOTONIC, os.O_CLOEXEC))
    affinity = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(affinity)})
    try:
        return _Measurement(programs, text, empty, locked).measure(wanted)
    finally:
        os.sched_setaffinity(0, affinity)
        empty.close()
        locked.close()


@dataclass
class _Measurement:
    """The probes of one kernel on the functions *empty* and *locked*."""

    programs: Programs
    text: KernelText
    empty: _Poll
    locked: _Poll

    def _plan(self, *methods: Method) -> Plan:
        return plan_of(_TARGET, _Text(self.text, methods), builtin=True)  # type: ignore[arg-type]

    def _of_lock(self, plan: Plan, choice: Choice) -> _Sample:
        (sample,) = _measured(
            self.programs, plan, choice, lambda: (_sample(self.programs, self.locked, 1),)
        )
        return sample

    def measure(self, wanted: Choice) -> tuple[Calibration, bool]:
        """See ``measure``."""
        base = _low([self.empty.once() for _ in range(_BATCHES)])
        floor, alone, trampolines = self._operations(trampolines=wanted.trampolines)
        rows, samples = self._call_sites(wanted, alone, trampolines=trampolines)
        cost = _solve(rows)
        function = bystander = 0.0
        if wanted.lock_mode in FUNCTION_MODES:
            inside = Choice(lock_mode="function", trampolines=trampolines)
            sample = self._of_lock(self._plan("emulated"), inside)
            function = max(sample.latency - alone.latency, 0) / FUNCTION_EVENTS
            bystander = self._bystander()
        measured = Calibration(
            operation_floor=round(floor.latency),
            wait_floor=round(samples[0].wait),
            hold_floor=round(samples[0].hold),
            operation=round(max(floor.elapsed - base, 0)),
            jump=round(cost["jump"]),
            emulated=round(cost["emulated"]),
            # A stepped instruction takes a second trap.
            stepped=round(2 * cost["emulated"]),
            lock_function=round(function),
            bystander=round(bystander),
            uncertainty=round(samples[0].hold_spread),
            spread=round(max(floor.spread, samples[0].spread)),
            function=f"{_EMPTY}, {_LOCKED}",
        )
        return measured, trampolines

    def _operations(self, *, trampolines: bool) -> tuple[_Sample, _Sample, bool]:
        """(empty, with a lock that no probe sees, whether by trampolines): the cheaper way."""

        def drive() -> tuple[_Sample, ...]:
            return _sample(self.programs, self.empty, 0), _sample(self.programs, self.locked, 1)

        plan, found = self._plan("jump", "emulated"), []
        for way in [True, False] if trampolines else [False]:
            only = Choice(lock_mode="none", trampolines=way)
            floor, alone = _measured(self.programs, plan, only, drive)
            found.append((floor.elapsed, not way, floor, alone))
        _, by_kprobe, floor, alone = min(found, key=lambda one: one[:2])
        return floor, alone, not by_kprobe

    def _call_sites(
        self, wanted: Choice, alone: _Sample, *, trampolines: bool
    ) -> tuple[list[tuple[dict[Method, int], float]], list[_Sample]]:
        """Of two mixes of probes at the lock's calls: what they are, and what they add to an
        operation; and the samples."""
        rows, samples = [], []
        every = Choice(trampolines=trampolines, slow_paths=wanted.slow_paths)
        mixes: tuple[tuple[Method, ...], ...] = (("jump", "emulated"), ("emulated",))
        for methods in mixes:
            plan = self._plan(*methods)
            probes = plan.code.fewer_probes if wanted.slow_paths else plan.code.probes
            samples.append(self._of_lock(plan, every))
            rows.append((_counts(probes), samples[-1].latency - alone.latency))
        return rows, samples

    def _bystander(self) -> float:
        """What trampolines in the lock functions add to a lock pair that is nobody's."""
        base = _low([self.locked.once() for _ in range(_BATCHES)])
        attachments, descriptors = Attachments(), list[int]()
        try:
            plan = self._plan("emulated")
            covered = locks.cover(attachments, plan, plan.address(), Choice(lock_mode="function"))
            # No return address is below the kernel's text.
            self.programs.config.text = 0
            descriptors = locks.trace_functions(attachments, self.programs, covered)
            self.locked.once()
            return max(_low([self.locked.once() for _ in range(_BATCHES)]) - base, 0)
        finally:
            attachments.close()
            close(descriptors)
