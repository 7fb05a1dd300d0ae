"""The Python mirror of the structures in ``probes/state.h``.

The kernel writes these, user space maps them; a test compares every size and
offset with what the C compiler makes of the header.
"""

from ctypes import Structure, c_int32, c_uint8, c_uint16, c_uint32, c_uint64

OPERATIONS = 8
CLASSES = 8
CLEAN = OPERATIONS + 2 * CLASSES
WITHIN = OPERATIONS + CLASSES
SERIES = CLEAN + 2 * WITHIN
SITES = 512
MOST_SITES = 8192
DEPTH = 7
HELD = 16
WAITS = 16
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
    "unseen_releases",
    "self_tries",
    "unknown_pools",
)

#: Kinds of programs in the order of their counters.
PROGRAMS = ("return", "lock")

#: Constants that stand in the programs for what a loaded one is patched with: of an
#: operation its number, the rule by which its result is a failure, and which of its
#: arguments is the pool; of a lock function its address; of a condition its number, its
#: test, the value that it is held against, and the argument that is read.
PATCH_OPERATION = 0x7A330001
PATCH_RESULT_RULE = 0x7A330002
PATCH_FUNCTION = 0x7A330003
PATCH_ARGUMENT = 0x7A330004
PATCH_CONDITION = 0x7A330005
PATCH_TEST = 0x7A330006
PATCH_VALUE = 0x7A330007
PATCH_OFFSET = 0x7A330008
#: Arguments come in six registers; this number stands for none of them.
NO_ARGUMENT = 6

SPIN, READ, WRITE = range(3)
#: How a rule judges a lock, a bit each.
FOR_SPIN, FOR_RW, BY_KIND, BY_PAGE, BY_POOL, BY_POINTER = range(6)
RULE_NONE = 0
RULE_PAGE = 1 << FOR_SPIN | 1 << BY_PAGE
RULE_POOL = 1 << FOR_SPIN | 1 << FOR_RW | 1 << BY_POOL
RULE_RWLOCK = 1 << FOR_RW | 1 << BY_KIND
RULE_SPINLOCK = 1 << FOR_SPIN | 1 << BY_KIND
RULE_OBJECT = 1 << FOR_SPIN | 1 << BY_POOL | 1 << BY_POINTER
NO_RESULT, FAILS_NONZERO, FAILS_ZERO, FAILS_ERROR = range(4)
FREE, WAITING, HOLDING = range(3)
TRY, RELEASE = 4, 8
#: Above them in a place: the number of the lock class + 1, or 0 if its address tells it.
CLASS_SHIFT = 4
#: Of a place: its acquisition has no event before its call; its attempt is a jump.
KEPT, LEAVES = 1, 2
#: Below a site in a place: whether its lock is SPIN, READ or WRITE.
RW_BITS = 2


def wait_series(lock_class: int) -> int:
    return OPERATIONS + lock_class


def hold_series(lock_class: int) -> int:
    return OPERATIONS + CLASSES + lock_class


def disturbed_latency(operation: int) -> int:
    return CLEAN + operation


def disturbed_hold(lock_class: int) -> int:
    return CLEAN + OPERATIONS + lock_class


def corrected(disturbed: int) -> int:
    return disturbed + WITHIN


class Rule(Structure):
    _fields_ = [
        ("how", c_uint32),
        ("offset", c_uint32),
        ("lock_class", c_uint32),
        ("pad", c_uint32),
    ]


class Place(Structure):
    _fields_ = [
        ("after", c_uint16),
        ("call", c_uint16),
        ("caller", c_uint16),
        ("after_flags", c_uint8),
        ("call_flags", c_uint8),
        ("caller_flags", c_uint8),
        ("reg", c_uint8),
        ("cost", c_uint16),
        ("offset", c_int32),
        ("kept_offset", c_int32),
        ("kept_reg", c_uint8),
        ("marks", c_uint8),
        ("returning", c_uint16),
    ]


class Config(Structure):
    _fields_ = [
        ("text", c_uint64),
        ("rules", Rule * RULES),
        ("pools", c_uint64 * POOLS),
        ("filtered", c_uint32),
        ("process", c_uint32),
        ("processors", c_uint64),
        ("slow_paths", c_uint32),
        ("only", c_uint32),
        ("told", c_uint32),
        ("leaving", c_uint32),
        ("has_object", c_uint32),
        ("pad", c_uint32),
        ("pointer", c_uint64),
        ("nothing", c_uint64),
    ]


class Totals(Structure):
    _fields_ = [(name, c_uint64) for name in ("sum", "min", "max")]


class Operation(Structure):
    _fields_ = [(name, c_uint64) for name in ("failures", "wait", "hold", "events")]


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


class Floors(Structure):
    _fields_ = [(name, c_uint64) for name in ("operation", "operation_cost", "hold")]


class SlowWait(Structure):
    _fields_ = [("lock", c_uint64), ("since", c_uint64), ("task", c_uint32), ("pad", c_uint32)]


class Cpu(Structure):
    _fields_ = [
        ("floors", Floors),
        ("ledger", c_uint64 * len(LEDGER)),
        ("operations", Operation * OPERATIONS),
        ("classes", LockClass * CLASSES),
        ("totals", Totals * SERIES),
        ("programs", c_uint64 * len(PROGRAMS)),
        ("nesting", c_uint64 * (CLASSES * CLASSES)),
        ("number", c_uint32),
        ("pad", c_uint32),
        ("waits", SlowWait * WAITS),
    ]


class Frame(Structure):
    _fields_ = [
        ("start", c_uint64),
        ("wait", c_uint64),
        ("hold", c_uint64),
        ("cost", c_uint64),
        ("operation", c_uint32),
        ("events", c_uint32),
    ]


class Held(Structure):
    _fields_ = [
        ("lock", c_uint64),
        ("since", c_uint64),
        ("cost", c_uint64),
        ("site", c_uint32),
        ("state", c_uint8),
        ("lock_class", c_uint8),
        ("contended", c_uint8),
        ("marks", c_uint8),
    ]


class Task(Structure):
    _fields_ = [
        ("owner", c_uint32),
        ("depth", c_uint32),
        ("skipped", c_uint32),
        ("muted", c_uint32),
        ("holding", c_uint32),
        ("events", c_uint32),
        ("cost", c_uint64),
        ("pool", c_uint64),
        ("spin_lock", c_uint64),
        ("spin_since", c_uint64),
        ("locked_since", c_uint64),
        ("spin_locked", c_uint64),
        ("spin_waited", c_uint64),
        ("newest", c_uint64),
        ("spin_site", c_uint32),
        ("pad", c_uint32),
        ("entries", c_uint32 * OPERATIONS),
        ("frames", Frame * (DEPTH + 1)),
        ("held", Held * HELD),
    ]


#: Every structure, and its name in C.
STRUCTURES: dict[type[Structure], str] = {
    Rule: "z3t_rule",
    Place: "z3t_place",
    Config: "z3t_config",
    Totals: "z3t_totals",
    Operation: "z3t_operation",
    LockClass: "z3t_class",
    Site: "z3t_site",
    Floors: "z3t_floors",
    SlowWait: "z3t_slow_wait",
    Cpu: "z3t_cpu",
    Frame: "z3t_frame",
    Held: "z3t_held",
    Task: "z3t_task",
}
