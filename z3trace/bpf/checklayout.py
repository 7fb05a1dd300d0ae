"""The Python mirror of the structures in ``probes/check.h``, as ``layout`` is of state.h,
and the maps that hold them."""

from collections.abc import Callable
from ctypes import Structure, c_char, c_uint8, c_uint32, c_uint64
from typing import Any

from z3trace.bpf import layout
from z3trace.data import rules

STEPS = 8
OWNERS = 16384
INCIDENTS = 64
CONDITIONS = 16
ORDER = layout.CLASSES * layout.CLASSES


class Step(Structure):
    _fields_ = [("time", c_uint64), ("lock", c_uint64), ("site", c_uint32), ("kind", c_uint32)]


class Trail(Structure):
    _fields_ = [
        ("next", c_uint32),
        ("pad", c_uint32),
        ("stuck", c_uint64),
        ("steps", Step * STEPS),
    ]


class Owner(Structure):
    _fields_ = [("lock", c_uint64), ("since", c_uint64), ("task", c_uint32), ("site", c_uint32)]


class Order(Structure):
    _fields_ = [("outer", c_uint32), ("inner", c_uint32)]


class Offences(Structure):
    _fields_ = [("count", c_uint32), ("told", c_uint32)]


class Finding(Structure):
    _fields_ = [
        ("lock", c_uint64),
        ("since", c_uint64),
        ("value", c_uint64),
        ("rule", c_uint32),
        ("site", c_uint32),
        ("other", c_uint32),
        ("other_task", c_uint32),
        ("lock_class", c_uint32),
        ("other_class", c_uint32),
        ("operation", c_uint32),
        ("pad", c_uint32),
    ]


class Checker(Structure):
    _fields_ = [
        ("edges", c_uint64 * ORDER),
        ("conditions", c_uint64 * CONDITIONS),
        ("crossed", c_uint64),
        ("incidents", c_uint32),
        ("pad", c_uint32),
        ("findings", Finding * 2),
    ]


class Incident(Structure):
    _fields_ = [
        ("time", c_uint64),
        ("lock", c_uint64),
        ("since", c_uint64),
        ("value", c_uint64),
        ("rule", c_uint32),
        ("task", c_uint32),
        ("other_task", c_uint32),
        ("cpu", c_uint32),
        ("site", c_uint32),
        ("other", c_uint32),
        ("lock_class", c_uint32),
        ("other_class", c_uint32),
        ("operation", c_uint32),
        ("next", c_uint32),
        ("name", c_char * 16),
        ("steps", Step * STEPS),
    ]


class Rulebook(Structure):
    _fields_ = [
        ("armed", c_uint64),
        ("long_hold", c_uint64),
        ("stuck", c_uint64),
        ("pages", c_uint64),
        ("memory", c_uint64),
        ("page_lock", c_uint64),
        ("judged", c_uint32),
        ("console", c_uint32),
        ("page_class", c_uint32),
        ("pad", c_uint32),
        ("holds", c_uint8 * layout.OPERATIONS),
    ]


#: Every structure, and its name in C.
STRUCTURES: dict[type[Structure], str] = {
    Step: "z3t_step",
    Trail: "z3t_trail",
    Owner: "z3t_owner",
    Order: "z3t_order",
    Offences: "z3t_offences",
    Finding: "z3t_finding",
    Checker: "z3t_checker",
    Incident: "z3t_incident",
    Rulebook: "z3t_rulebook",
}


class CheckMaps:
    """The maps of a check, mapped into this process; see probes/check.h."""

    def __init__(
        self, mapped: Callable[[str, Any, int], Any], sites: int, task_slots: int, cpus: int
    ) -> None:
        kinds = len(rules.IN_KERNEL)
        self.trails = mapped("trails", Trail, task_slots + cpus)
        self.owners = mapped("owners", Owner, OWNERS)
        self.order = mapped("order", Order, ORDER)
        self.checkers = mapped("checkers", Checker, cpus)
        self.offences = mapped("offences", Offences, kinds * 2 * sites * cpus)
        self.incidents = mapped("incidents", Incident, INCIDENTS * cpus)
        self.rulebook = mapped("rulebook", Rulebook, 1)[0]

    def blocks(self) -> list[Any]:
        """What a new run begins without."""
        return [
            *(self.trails, self.owners, self.order),
            *(self.checkers, self.offences, self.incidents),
        ]
