"""The Python mirror of the structures in ``probes/state.h``.

The kernel writes these, user space maps them; a test compares every size and
offset with what the C compiler makes of the header.
"""

import ctypes
from ctypes import Structure, c_uint8, c_uint16, c_uint32, c_uint64

OPERATIONS = 8
CLASSES = 8
SERIES = OPERATIONS + 2 * CLASSES
SITES = 512
DEPTH = 7
HELD = 8
TASK_SLOTS = 4096
RULES = 8
POOLS = 4
PLACES = 1 << 18
LEDGER = (
    "unmatched_returns",
    "depth_overflows",
    "joins",
    "unmatched_releases",
    "held_overflows",
    "slot_collisions",
    "self_tries",
    "unknown_pools",
)

#: Program names in the order of their counters.
PROGRAMS = (
    "operation_entry",
    "operation_return",
    "lock_attempt",
    "trylock_attempt",
    "lock_acquired",
    "trylock_result",
    "lock_release",
)

SPIN, READ, WRITE = range(3)
RULE_NONE, RULE_PAGE, RULE_POOL, RULE_RWLOCK = range(4)
NO_RESULT, FAILS_NONZERO, FAILS_ZERO = range(3)
FREE, WAITING, HOLDING = range(3)


def wait_series(lock_class: int) -> int:
    return OPERATIONS + lock_class


def hold_series(lock_class: int) -> int:
    return OPERATIONS + CLASSES + lock_class


class Rule(Structure):
    _fields_ = [
        ("kind", c_uint32),
        ("offset", c_uint32),
        ("lock_class", c_uint32),
        ("pad", c_uint32),
    ]


class Place(Structure):
    _fields_ = [
        ("call", c_uint16),
        ("after", c_uint16),
        ("call_rw", c_uint8),
        ("after_rw", c_uint8),
        ("pad", c_uint16),
    ]


class Config(Structure):
    _fields_ = [
        ("text", c_uint64),
        ("rules", Rule * RULES),
        ("results", c_uint32 * OPERATIONS),
        ("pools", c_uint64 * POOLS),
    ]


class Totals(Structure):
    _fields_ = [(name, c_uint64) for name in ("count", "sum", "min", "max")]


class Operation(Structure):
    _fields_ = [(name, c_uint64) for name in ("entries", "failures", "wait", "hold", "events")]


class LockClass(Structure):
    _fields_ = [
        (name, c_uint64) for name in ("acquisitions", "contended", "trylock_failures", "releases")
    ]


class Site(Structure):
    _fields_ = [
        (name, c_uint64)
        for name in (
            "acquisitions",
            "contended",
            "trylock_failures",
            "releases",
            "wait_sum",
            "wait_max",
            "hold_sum",
            "hold_max",
            "classes",
        )
    ]


class Cpu(Structure):
    _fields_ = [
        ("ledger", c_uint64 * len(LEDGER)),
        ("operations", Operation * OPERATIONS),
        ("classes", LockClass * CLASSES),
        ("totals", Totals * SERIES),
        ("programs", c_uint64 * len(PROGRAMS)),
        ("number", c_uint32),
        ("pad", c_uint32),
    ]


class Frame(Structure):
    _fields_ = [
        ("start", c_uint64),
        ("wait", c_uint64),
        ("hold", c_uint64),
        ("operation", c_uint32),
        ("events", c_uint32),
    ]


class Held(Structure):
    _fields_ = [
        ("lock", c_uint64),
        ("since", c_uint64),
        ("site", c_uint32),
        ("state", c_uint8),
        ("lock_class", c_uint8),
        ("contended", c_uint8),
        ("pad", c_uint8),
    ]


class Task(Structure):
    _fields_ = [
        ("owner", c_uint32),
        ("depth", c_uint32),
        ("skipped", c_uint32),
        ("holding", c_uint32),
        ("pool", c_uint64),
        ("spin_lock", c_uint64),
        ("spin_since", c_uint64),
        ("frames", Frame * (DEPTH + 1)),
        ("held", Held * HELD),
    ]


def sizes() -> dict[str, int]:
    """Name and size in bytes of every structure, for the test against C."""
    kinds = (Rule, Place, Config, Totals, Operation, LockClass, Site, Cpu, Frame, Held, Task)
    return {kind.__name__: ctypes.sizeof(kind) for kind in kinds}
