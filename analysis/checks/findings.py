"""What a check's report consists of; every report of it is made of these."""

from collections.abc import Sequence
from typing import Any, Literal

from msgspec import Struct, convert

from z3trace.data.model import CallSite

SCHEMA = 1


class Place(Struct, frozen=True, kw_only=True):
    """A call site in words."""

    function: str = ""
    offset: int = 0
    file: str = ""
    line: int = 0
    inlined: list[str] = []
    lock_function: str = ""


class Event(Struct, frozen=True, kw_only=True):
    """A lock event before an incident; *time* in seconds since the probes were in place."""

    time: float
    kind: str
    lock: str
    place: Place


class Instance(Struct, frozen=True, kw_only=True):
    """One incident in full: *time* as in ``Event``, *held* and *waited* in seconds."""

    time: float
    task: int
    task_name: str
    cpu: int
    address: str
    held: float | None = None
    waited: float | None = None
    other_task: int = 0
    events: list[Event] = []


class Violation(Struct, frozen=True, kw_only=True):
    """A rule broken at a call site, *count* times; *other* is the site that belongs to
    it, and *reverse* the sites (held, asked for) of an inversion's other order."""

    rule: str
    lock: str
    operation: str
    function: str
    offset: int
    file: str
    line: int
    count: int
    inlined: list[str] = []
    other_lock: str = ""
    other: Place | None = None
    reverse: list[Place] = []
    instances: list[Instance] = []
    #: The workloads that showed it, if more than one was run.
    workloads: list[str] = []

    @property
    def place(self) -> Place:
        """Where the rule was broken."""
        return convert(self, Place, from_attributes=True)


_FLAT = sorted(set(Place.__struct_fields__) & set(Violation.__struct_fields__))


class Condition(Struct, frozen=True, kw_only=True):
    """How often a path was met; None: it cannot be counted here, and why."""

    name: str
    count: int | None
    reason: str = ""


class Exercised(Struct, frozen=True, kw_only=True):
    """What the workload reached: calls by operation (None: not known, for the kernel was lost
    before any was counted), lock call sites, conditions."""

    seconds: float
    operations: dict[str, int | None]
    sites: int
    reached: int
    percent: float
    unreached: list[Place]
    unseen: list[Place]
    conditions: list[Condition]


class Nested(Struct, frozen=True, kw_only=True):
    """A lock class asked for while another was held."""

    held: str
    acquired: str
    count: int
    held_at: Place | None = None
    acquired_at: Place | None = None


class Hang(Struct, frozen=True, kw_only=True):
    """Why the kernel was lost, and what its console said."""

    reason: str
    trace: list[str]
    #: Seconds from the last count of everything to the last incident; what was reached
    #: in between is not known.
    uncounted: float = 0.0


class Death(Struct, frozen=True, kw_only=True):
    """What killed the kernel and no rule judges: the console's own *words* and *trace*, the
    place in the target, and the last lock events before it that are known."""

    words: str
    place: Place
    trace: list[str] = []
    events: list[Event] = []
    workloads: list[str] = []


class Report(Struct, frozen=True, kw_only=True):
    """All that a check's reports say."""

    schema: int
    tool: str
    target: str
    label: str
    kernel: str
    cpus: int
    module: str
    workload: str
    command: list[str]
    verdict: Literal["violations", "clean", "lost", "incomplete"]
    violations: list[Violation]
    exercised: Exercised
    order: list[Nested]
    reference: list[Nested] | None
    not_judged: dict[str, str]
    lost_events: dict[str, int]
    crossed: int
    workload_status: int | None
    #: Ctrl-C ended the check: it judged up to then.
    interrupted: bool = False
    hang: Hang | None
    deaths: list[Death] = []


class Places:
    """Call sites by number, in words."""

    def __init__(self, sites: Sequence[CallSite]) -> None:
        self._sites = {site.number: site for site in sites}

    def __call__(self, number: int | None) -> Place:
        """The site *number*; an empty place if there is none."""
        site = None if number is None else self._sites.get(number)
        return convert(site, Place, from_attributes=True) if site else Place()

    def some(self, number: int | None) -> Place | None:
        return None if number is None else self(number)


def spread(place: Place) -> dict[str, Any]:
    """A place as the fields of a violation, which has it flat."""
    return {name: getattr(place, name) for name in _FLAT}
