"""What stands in for a kernel in unit tests: maps in plain memory, probes that are only
noted down, a target's code that is made up."""

import ctypes
import errno
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from z3trace.bpf import layout
from z3trace.bpf.checklayout import CheckMaps
from z3trace.code.callsites import Probe, Site, Start
from z3trace.code.dwarf import Place
from z3trace.code.function import Function, Method
from z3trace.code.lockfunctions import LOCK_FUNCTIONS
from z3trace.code.placement import Position
from z3trace.data import buckets
from z3trace.data.model import Calibration
from z3trace.target.definition import Condition, LockRule, OperationRule, Target
from z3trace.target.plan import Plan, plan_of

CPUS = 2
TEXT = ".text"
TARGET = Target(
    name="my",
    module="mine",
    operations={
        "alloc": OperationRule(functions=["my_alloc"], fails="nonzero", holds=["page"]),
        "free": OperationRule(functions=["my_free"]),
    },
    locks=[
        LockRule(lock_class="page", struct="page", member="lock", where="page"),
        LockRule(lock_class="pool", struct="pool", member="lock", where="pool"),
    ],
    conditions=[
        Condition(name="freed", functions=["my_free"]),
        Condition(name="gone", functions=["my_gone"], test="zero"),
    ],
)


#: Prices at which jumps cost less than the lock functions here, and traps more.
PRICES = Calibration(
    operation_floor=0,
    wait_floor=0,
    hold_floor=0,
    operation=0,
    jump=75,
    emulated=600,
    stepped=1200,
    lock_function=18,
    bystander=13,
    spread=0,
)


class Programs:
    """Maps as the kernel's programs fill them, on two CPUs; programs are numbers."""

    def __init__(self, *, sites: int = 8, places: int = 4096, slots: int = 4) -> None:
        self.cpus, self.site_count, self.place_count = CPUS, sites, places
        self.places = (layout.Place * places)()
        self.config = layout.Config()
        self.per_cpu = (layout.Cpu * CPUS)()
        self.sites = (layout.Site * (sites * CPUS))()
        self.buckets = (ctypes.c_uint64 * (layout.SERIES * buckets.BUCKETS * CPUS))()
        self.tasks = (layout.Task * (slots + CPUS))()
        self.check = CheckMaps(lambda _, block, entries: (block * entries)(), sites, slots, CPUS)
        self.lock = -1
        self.loaded: list[tuple[str, Mapping[int, int], int]] = []
        #: Names of programs that the kernel does not take.
        self.refused: set[str] = set()
        self.opened: list[int] = []
        for cpu in self.per_cpu:
            for totals in cpu.totals:
                totals.min = buckets.U64_MAX

    def load(
        self,
        name: str,
        patches: Mapping[int, int] | None = None,
        *,
        attach: int = 0,
        where: tuple[int, int] = (0, 0),
    ) -> int:
        """A descriptor that is open until somebody closes it, as the real one's."""
        if name in self.refused:
            raise OSError(errno.EINVAL, "the verifier says no")
        self.loaded.append((name, dict(patches or {}), where[0]))
        fd = os.open(os.devnull, os.O_RDONLY)
        if attach:
            self.opened.append(fd)
        else:
            os.close(fd)
        return fd

    def observe(self, cpu: int, series: int, *values: int) -> None:
        """File values into a histogram, as probes/record.h does."""
        start = (cpu * layout.SERIES + series) * buckets.BUCKETS
        totals = self.per_cpu[cpu].totals[series]
        for value in values:
            self.buckets[start + buckets.index(value)] += 1
            totals.sum += value
            totals.min, totals.max = min(totals.min, value), max(totals.max, value)

    def still_open(self) -> list[int]:
        """Descriptors of loaded programs that nobody closed."""
        return [fd for fd in self.opened if _is_open(fd)]


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


class Attachments:
    """Notes what is attached, in order; refuses *refusing*: place or event -> errno."""

    def __init__(self, refusing: Mapping[str, int] | None = None) -> None:
        self.refusing = dict(refusing or {})
        self.log: list[tuple[object, ...]] = []
        self.closed = False

    def define(self, event: str, place: str, *, on_return: bool = False) -> None:
        for name in (event, place):
            if name in self.refusing:
                raise OSError(self.refusing[name], os.strerror(self.refusing[name]))
        self.log.append(("define", event, place, on_return))

    def enable(self, event: str, program: int) -> None:
        if any(entry[:2] == ("define", event) for entry in self.log):
            self.log.append(("enable", event))

    def trace(self, program: int, attach: int) -> None:
        if "trace" in self.refusing:
            raise OSError(self.refusing["trace"], "no trampoline")
        self.log.append(("trace", attach))

    def trace_switches(self, program: int) -> None:
        self.log.append(("switches",))

    def tick(self, program: int, every: int, cpus: Sequence[int]) -> None:
        self.log.append(("tick", every))

    def wait_for_jumps(self, addresses: Sequence[int]) -> None:
        self.log.append(("jumps", *addresses))

    def close(self) -> None:
        self.closed = True


@dataclass
class Types:
    """A kernel's BTF: functions by name, and how many arguments each has."""

    known: Mapping[str, int] = field(default_factory=dict)
    fd: int = -1
    closed: bool = False

    def function(self, name: str) -> int | None:
        return list(self.known).index(name) + 1 if name in self.known else None

    def arguments(self, name: str) -> int | None:
        return self.known.get(name)

    def close(self) -> None:
        self.closed = True


@dataclass
class Code:
    """The code of a target, as a module's file would show it."""

    functions: Mapping[str, tuple[str, int]] = field(
        default_factory=lambda: {"my_alloc": (TEXT, 0), "my_free": (TEXT, 512)}
    )
    sites: Sequence[Site] = ()
    probes: Sequence[Probe] = ()
    fewer_probes: Sequence[Probe] = ()
    ambiguous: set[str] = field(default_factory=set)
    decoded: Mapping[Start, Function] = field(default_factory=dict)
    variant: Mapping[str, str] = field(default_factory=dict)
    label: str = "mine.ko"
    prefix: str = "mine:"

    #: Further functions that have a name of ``functions``.
    further: Mapping[str, tuple[str, int]] = field(default_factory=dict)

    def starts(self, name: str) -> list[Start]:
        return [places[name] for places in (self.functions, self.further) if name in places]

    def alone(self, numbers: Collection[int], *, attempts: bool) -> Sequence[Probe]:
        """Those of ``probes``, or of ``fewer_probes``, that see one of *numbers*."""
        some = self.probes if attempts else self.fewer_probes
        return [p for p in some if {p.position.after, p.position.before} & set(numbers)]

    def source(self, site: Site) -> Place:
        return Place("mm/mine.c", 100 + site.number, ("spin_lock", site.function))

    def members(self, structure: str) -> Mapping[str, int]:
        return {"page": {"lock": 16}, "pool": {"lock": 8}}.get(structure, {})


def site(
    number: int,
    lock_function: str = "_raw_spin_lock",
    *,
    function: str = "my_alloc",
    tail: bool = False,
) -> Site:
    """A call site at 16 bytes times its number, five bytes long."""
    offset = 16 * number
    called = LOCK_FUNCTIONS[lock_function]
    return Site(number, TEXT, offset, offset + 5, function, offset, called, tail)


def probe(
    address: int,
    *,
    after: int | None = None,
    before: int | None = None,
    method: Method = "jump",
    kept: tuple[str, int] | None = None,
    function: str = "my_alloc",
) -> Probe:
    position = Position(address, method, after, before, register="rbx", offset=24, kept=kept)
    return Probe(TEXT, function, address, position)


def priced_plan(method: Method) -> Plan:
    """A plan of one call site, of which the probe is of one *method*."""
    return plan(Code(sites=[site(0)], fewer_probes=[probe(5, after=0, method=method)]))


def plan(code: Code | None = None, target: Target = TARGET) -> Plan:
    """The plan of *target*, as if it were built in: addresses are offsets."""
    return plan_of(target, code or Code(), builtin=True)


def address(section: str, offset: int) -> int:
    """Where the target would be loaded."""
    assert section == TEXT
    return 0xFFFFFFFFC0000000 + offset


def any_fake(fake: Any) -> Any:
    """A fake where the real thing's type is asked for."""
    return fake
