"""What to record and what that costs: plain data for arming and recording."""

from dataclasses import dataclass, field
from typing import Literal

from z3trace.data.model import Calibration

#: How a lock event is seen: by a probe of the target's text, or in the lock function.
Event = Literal["jump", "emulated", "stepped", "function"]
ALL_CPUS = (1 << 64) - 1
#: Lock modes in which waits can be seen in the slow paths; trampolines in the lock
#: functions see the attempt anyhow.
SLOW_PATH_MODES = ("callsite", "hybrid")


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
