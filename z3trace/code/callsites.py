"""A target's lock call sites, and where their probes stand."""

import bisect
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from z3trace.code.dwarf import Place
from z3trace.code.function import Function, Method
from z3trace.code.lockfunctions import Action, Kind, LockFunction
from z3trace.code.placement import Call, Position, place

#: Where a function begins: its section, and the offset there.
Start = tuple[str, int]
_CONDITIONAL_SIZE = 6  # bytes: of a jump that is taken on a condition, to any distance


@dataclass(frozen=True)
class Site:
    """A lock call site; *offset* and *after* are in the section, in bytes.

    *tail*: it jumps to the lock function, which returns to the caller of *function*.
    """

    number: int
    section: str
    offset: int
    after: int
    function: str
    function_offset: int
    called: LockFunction
    tail: bool

    @property
    def start(self) -> Start:
        """Where its function begins: a name may stand for two of them."""
        return self.section, self.offset - self.function_offset

    @property
    def conditional(self) -> bool:
        """Whether it jumps there or does not: a probe at it would see both."""
        return self.tail and self.after - self.offset == _CONDITIONAL_SIZE

    @property
    def leaves(self) -> bool:
        """Whether it asks for a lock by a jump: nothing of the target shows that it has it."""
        return self.tail and self.action != "release"

    @property
    def lock_function(self) -> str:
        return self.called.name

    @property
    def action(self) -> Action:
        return self.called.action

    @property
    def kind(self) -> Kind:
        return self.called.kind


@dataclass(frozen=True)
class Probe:
    """A probe of lock call sites: a position in a function of the target."""

    section: str
    function: str
    function_offset: int
    position: Position


class TargetCode(Protocol):
    """Where a target's code is looked up: a module's file, or the kernel's own text."""

    #: What to call it in a message.
    label: str
    #: Name in a kprobe event, with its colon; empty for the kernel itself.

    @property
    def prefix(self) -> str: ...

    @property
    def ambiguous(self) -> Collection[str]:
        """Function names that stand for more than one function: a probe there is defined by
        its address."""
        ...

    @property
    def functions(self) -> Mapping[str, Start]:
        """Where the first function of each name begins."""
        ...

    def starts(self, name: str) -> Sequence[Start]:
        """Where every function of this name begins."""
        ...

    @property
    def sites(self) -> Sequence[Site]: ...
    @property
    def probes(self) -> Sequence[Probe]: ...
    @property
    def fewer_probes(self) -> Sequence[Probe]:
        """Without those that only see an attempt to take a lock."""
        ...

    def alone(self, numbers: Collection[int], *, attempts: bool) -> Sequence[Probe]:
        """Probes of these sites alone, none of which serves two events."""
        ...

    @property
    def decoded(self) -> Mapping[Start, Function]: ...
    @property
    def variant(self) -> Mapping[str, str]: ...
    def source(self, site: Site) -> Place: ...
    def members(self, structure: str) -> Mapping[str, int]: ...


class Functions:
    """Which function of a section an offset lies in, and how far."""

    def __init__(self, functions: Iterable[tuple[str, Start]], ends: Mapping[str, int]) -> None:
        """*functions*: (name, where it begins) of each."""
        self._starts: dict[str, list[tuple[int, str]]] = {}
        self._ends = ends
        for name, (section, offset) in functions:
            self._starts.setdefault(section, []).append((offset, name))
        for pairs in self._starts.values():
            pairs.sort()

    def at(self, section: str, offset: int) -> tuple[str, int, int]:
        """(name, start, end) of the function at *offset*."""
        pairs = self._starts.get(section, [])
        at = bisect.bisect_right(pairs, (offset, "\uffff"))
        start, name = pairs[at - 1] if at else (0, section)
        later = [begin for begin, _ in pairs[at : at + 1]]
        return name, start, min([*later, self._ends.get(section, offset)])


def probes_of(
    sites: Sequence[Site],
    decoded: Mapping[Start, Function],
    *,
    share: bool = True,
    methods: Collection[Method] = ("jump", "emulated", "stepped"),
    attempts: bool = True,
) -> list[Probe]:
    """Positions for all of *sites*; *decoded* has every function that has sites.

    *share* and *methods* as in ``placement.place``; *attempts*: see the attempt to take
    a lock too where the acquisition alone would tell the lock.
    """
    probes: list[Probe] = []
    for start, members in _by_function(sites).items():
        calls = [
            Call(
                number=site.number,
                address=site.offset,
                end=site.after,
                has_after=site.action != "release" and not site.tail,
                needs_result=site.action == "try" and not site.tail,
                needs_before=attempts or site.action == "release" or site.tail,
            )
            for site in members
            if not site.conditional
        ]
        probes += [
            Probe(start[0], members[0].function, position.address - start[1], position)
            for position in place(decoded[start], calls, share=share, methods=methods)
        ]
    return probes


def _by_function(sites: Iterable[Site]) -> dict[Start, list[Site]]:
    grouped: dict[Start, list[Site]] = {}
    for site in sites:
        grouped.setdefault(site.start, []).append(site)
    return grouped


def methods(probes: Iterable[Probe]) -> dict[int, Method]:
    """Site number -> how the probe is run at which a hold begins or ends: the one after
    its call if it takes a lock, else the one before it."""
    known: dict[int, Method] = {}
    for probe in probes:
        position = probe.position
        if position.after is not None:
            known[position.after] = position.method
        if position.before is not None:
            known.setdefault(position.before, position.method)
    return known
