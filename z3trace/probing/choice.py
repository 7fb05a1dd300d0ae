"""What to record and what that costs: plain data for arming and recording."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from z3trace.code.callsites import Probe
from z3trace.data.model import Calibration

#: How a lock event is seen: by a probe of the target's text, or in the lock function.
Event = Literal["jump", "emulated", "stepped", "function"]
ALL_CPUS = (1 << 64) - 1
#: Lock modes in which waits can be seen in the slow paths; trampolines in the lock
#: functions see the attempt anyhow.  "auto" becomes one of the others, see ``decided``.
SLOW_PATH_MODES = ("callsite", "hybrid", "auto")
#: Lock modes for which calibration measures the lock functions too.
FUNCTION_MODES = ("function", "hybrid", "auto")
#: Events of a lock pair: at its calls, acquisition and release; in the lock functions the
#: attempt too.
CALL_EVENTS, FUNCTION_EVENTS = 2, 3
#: How many lock pairs of everybody else one of the target's is worth where a way is chosen.
OTHERS = 10
RULE = (
    "the lowest sum of what a lock pair costs the target and "
    f"{OTHERS} times what it costs everybody else, and the target's calls if the difference is "
    "within the spread of the measurement"
)


@dataclass(frozen=True)
class Choice:
    """Operations, locks or both, how they are probed, and which operations count.

    *slow_paths*: waits are seen in the slow paths of the lock functions, not from the
    attempt at the call site on.  *lock_class*: only the call sites of this class have
    probes, and only its locks count; empty: all.
    """

    operations: bool = True
    lock_mode: str = "callsite"
    trampolines: bool = True
    slow_paths: bool = False
    process: int = 0
    processors: int = ALL_CPUS
    only_inside: bool = False
    lock_class: str = ""

    @property
    def locks(self) -> bool:
        return self.lock_mode != "none"

    @property
    def filtered(self) -> bool:
        """Whether locks count only inside operations that count."""
        return self.only_inside or bool(self.process) or self.processors != ALL_CPUS


@dataclass(frozen=True)
class Costs:
    """Nanoseconds that probes add, and what they show where nothing happens."""

    operation: int = 0
    operation_floor: int = 0
    hold_floor: int = 0
    event: dict[Event, int] = field(
        default_factory=lambda: {"jump": 0, "emulated": 0, "stepped": 0, "function": 0}
    )


@dataclass(frozen=True)
class Price:
    """What seeing one lock pair in some way adds, in ns, to the target's pairs, and to every
    pair of everybody else."""

    way: str
    target: int
    others: int = 0


def prices(measured: Calibration) -> list[Price]:
    """Of the ways to see locks that were measured."""
    found = [
        Price("at the calls, as jumps", CALL_EVENTS * measured.jump),
        Price("at the calls, as traps", CALL_EVENTS * measured.emulated),
    ]
    if measured.lock_function:
        function = FUNCTION_EVENTS * measured.lock_function
        found.append(Price("in the lock functions", function, measured.bystander))
    return found


def cheapest(
    measured: Calibration, probes: Iterable[Probe] = ()
) -> Literal["callsite", "function"]:
    """The lock mode whose price is the lowest here, by ``RULE``.

    *probes*: those of the target's calls; without them, half are taken to be jumps.
    """
    at_calls, inside = _sums(measured, probes)
    sure = inside + FUNCTION_EVENTS * measured.spread < at_calls
    return "function" if measured.lock_function and sure else "callsite"


def _sums(measured: Calibration, probes: Iterable[Probe]) -> tuple[float, float]:
    """What ``RULE`` adds up to: at the target's calls, and in the lock functions."""
    methods = [probe.position.method for probe in probes] or ["jump", "emulated"]
    event = costs_of(measured).event
    at_calls = CALL_EVENTS * sum(event[method] for method in methods) / len(methods)
    *_, last = prices(measured)
    return at_calls, last.target + OTHERS * last.others


def reason(measured: Calibration | None, probes: Iterable[Probe] = ()) -> str:
    """Why "auto" becomes what it does, in words."""
    if measured is None:
        return "nothing was measured"
    at_calls, inside = _sums(measured, probes)
    text = f"a lock pair costs {at_calls:.0f} ns at the target's calls"
    if not measured.lock_function:
        return f"{text}, and the lock functions cannot be traced here"
    return (
        f"{text}, {inside:.0f} ns in the lock functions ({OTHERS} times what others pay included)"
    )


def decided(wanted: Choice, measured: Calibration | None, probes: Iterable[Probe] = ()) -> Choice:
    """*wanted*, with a way to see locks in the place of "auto": the ``cheapest``, and the
    target's calls where nothing was measured."""
    if wanted.lock_mode != "auto":
        return wanted
    mode = cheapest(measured, probes) if measured else "callsite"
    slow_paths = wanted.slow_paths and mode in SLOW_PATH_MODES
    return replace(wanted, lock_mode=mode, slow_paths=slow_paths)


def costs_of(measured: Calibration | None) -> Costs:
    """What to correct for; nothing without a measurement."""
    if measured is None:
        return Costs()
    return Costs(
        operation=measured.operation,
        operation_floor=measured.operation_floor,
        hold_floor=measured.hold_floor,
        event={
            "jump": measured.jump,
            "emulated": measured.emulated,
            "stepped": measured.stepped,
            "function": measured.lock_function,
        },
    )
