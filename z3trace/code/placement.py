"""Where in a function the probes of its lock call sites stand.

A site has an event before its call (an attempt or a release) and, if it takes a
lock, one after it (the acquisition).  Along a straight line of a few instructions
nothing else happens, so the probe may stand on any of them; which one decides what
it costs (``disassembly``), and one probe may serve the event after one call and
the event before the next.

Where the lock's address is still in a register after the call, the event before it
may be left out: waits are then seen in the slow paths of the lock functions.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from z3trace.code.function import Function, Method, lock_register

_COST: dict[Method, int] = {"jump": 1, "emulated": 2, "stepped": 5}
_COVERED = 20  # bytes: more than a jump and the rest of the instruction under its end
#: Registers that a call leaves as they were (System V ABI, x86-64).
_KEPT = frozenset(["rbx", "rbp", "r12", "r13", "r14", "r15"])
REGISTERS = (
    *("rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp"),
    *("r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"),
)


@dataclass(frozen=True)
class Call:
    """A lock call in the code: *end* is the address after it; both ends of a tail jump
    are the same event.

    *needs_before*: the event before it must be seen, even if its lock is known after it.
    """

    number: int
    address: int
    end: int
    has_after: bool
    needs_result: bool
    needs_before: bool = True


@dataclass(frozen=True)
class Position:
    """A probe at *address*: it ends the call *after* and begins the call *before*.

    The lock of *before* is the value of *register* plus *offset* at this address; that of
    *after* is the value of *kept*, a register and an offset, if its call has no event
    before it.
    """

    address: int
    method: Method
    after: int | None
    before: int | None
    register: str = "rdi"
    offset: int = 0
    kept: tuple[str, int] | None = None


def _before(function: Function, call: Call) -> dict[int, tuple[str, int]]:
    """Addresses where the event before *call* can be seen -> where its lock is."""
    line = function.line_to(call.address)
    registers = {}
    for i, step in enumerate(line):
        register = lock_register(line[i:])
        if register is not None:
            registers[step.address] = register
    return registers


def kept_lock(function: Function, call: Call) -> tuple[str, int] | None:
    """Which register, plus what, is the lock after *call* as it was before; None if the
    code does not show one, or something jumps to where it ends."""
    if call.end in function.targets:
        return None
    line = function.line_to(call.address)
    for i in reversed(range(len(line))):
        lock = lock_register(line[i:])
        if lock is None:
            return None
        if lock[0] in _KEPT and not any(lock[0] in step.written for step in line[i:-1]):
            return lock
    return None


def _after(function: Function, call: Call, kept: tuple[str, int] | None) -> list[int]:
    """Addresses where the event after *call* can be seen, its result still in rax and its
    lock in the register *kept*."""
    needed = {"rax"} if call.needs_result else set()
    needed |= {kept[0]} if kept else set()
    addresses = []
    for step in function.line_from(call.end):
        if kept and step.address in function.targets:
            # Who jumps here would pass for an acquisition, as nothing was asked for.
            break
        addresses.append(step.address)
        if needed & step.written:
            break
    return addresses


class _Chooser:
    """Chooses positions one by one; a jump must not cover another probe."""

    def __init__(
        self,
        function: Function,
        afters: Mapping[int, list[int]],
        befores: Mapping[int, dict[int, tuple[str, int]]],
        kept: Mapping[int, tuple[str, int]],
    ) -> None:
        self._function = function
        self._afters, self._befores, self._kept = afters, befores, kept
        self.chosen: dict[int, Position] = {}
        self._addresses: dict[tuple[str, int], int] = {}

    def _length(self, address: int) -> int:
        return self._function.region(address)[-1].end - address

    def _free(self, address: int, method: Method) -> bool:
        for other in range(address - _COVERED, address + _COVERED):
            position = self.chosen.get(other)
            if position is None:
                continue
            if position.method == "jump" and other <= address < other + self._length(other):
                return False
            if method == "jump" and address <= other < address + self._length(address):
                return False
        return True

    def _best(self, candidates: Iterable[int]) -> tuple[int, int, Method] | None:
        """(cost, address, method) of the cheapest place that is free."""
        ranked = []
        for address in candidates:
            method = self._function.method(address)
            if method is not None and self._free(address, method):
                ranked.append((_COST[method], address, method))
        return min(ranked) if ranked else None

    def where(self, event: Literal["after", "before"], number: int) -> int | None:
        """The address chosen for an event."""
        address = self._addresses.get((event, number))
        if address is None or getattr(self.chosen[address], event) != number:
            return None
        return address

    def _choose(self, position: Position) -> None:
        self.chosen[position.address] = position
        if position.after is not None:
            self._addresses["after", position.after] = position.address
        if position.before is not None:
            self._addresses["before", position.before] = position.address

    def shared(self, earlier: int, later: int) -> bool:
        """One probe for the end of a call and the beginning of the next, if that is no
        dearer than two."""
        both = self._best(set(self._afters[earlier]) & set(self._befores[later]))
        apart = [self._best(self._afters[earlier]), self._best(self._befores[later])]
        limit = sum(best[0] if best else 2 * _COST["stepped"] for best in apart)
        if both is None or both[0] > limit:
            return False
        _, address, method = both
        register = self._befores[later][address]
        kept = self._kept.get(earlier)
        self._choose(Position(address, method, earlier, later, *register, kept))
        return True

    def after(self, number: int) -> None:
        best = self._best(self._afters[number])
        if best:
            _, address, method = best
            kept = self._kept.get(number)
            self._choose(Position(address, method, number, None, kept=kept))

    def before(self, number: int, not_until: int | None = None) -> None:
        """Place the beginning of a call, behind *not_until* if that is given: the end of
        the call before it must be seen first."""
        candidates = [a for a in self._befores[number] if not_until is None or a > not_until]
        best = self._best(candidates)
        if best:
            _, address, method = best
            register = self._befores[number][address]
            self._choose(Position(address, method, None, number, *register))


def place(
    function: Function,
    calls: Sequence[Call],
    *,
    share: bool = True,
    methods: Collection[Method] = ("jump", "emulated", "stepped"),
) -> list[Position]:
    """Positions for all events of *calls*, cheapest first choice; in order of address.

    *share*: one probe may serve two events.  *methods*: what may be chosen before a call.
    A call that no position serves is missing from the result, with both its events.
    """
    ordered = sorted(calls, key=lambda call: call.address)
    kept = {
        call.number: lock
        for call in ordered
        if not call.needs_before and (lock := kept_lock(function, call))
    }
    chooser, broken = _chosen(function, ordered, kept, share=share, methods=methods)
    if broken & kept.keys():
        # Fewer places tell a lock that was not asked for: those calls keep their attempt.
        kept = {number: lock for number, lock in kept.items() if number not in broken}
        chooser, broken = _chosen(function, ordered, kept, share=share, methods=methods)
    return _whole(chooser, broken)


def _chosen(
    function: Function,
    ordered: Sequence[Call],
    kept: Mapping[int, tuple[str, int]],
    *,
    share: bool,
    methods: Collection[Method],
) -> tuple[_Chooser, set[int]]:
    """Positions for *ordered* calls, those in *kept* without an event before; and the calls
    of which one event found no place."""
    afters = {
        call.number: _after(function, call, kept.get(call.number))
        for call in ordered
        if call.has_after
    }
    befores = {
        call.number: {
            address: register
            for address, register in _before(function, call).items()
            if function.method(address) in methods
        }
        for call in ordered
        if call.number not in kept
    }
    chooser = _Chooser(function, afters, befores, kept)
    follows = _followers(ordered, afters, befores)
    for number in befores:
        earlier = follows.get(number)
        if earlier is None:
            chooser.before(number)
        elif not (share and chooser.shared(earlier, number)):
            chooser.after(earlier)
            chooser.before(number, not_until=chooser.where("after", earlier))
    for number in afters:
        if chooser.where("after", number) is None:
            chooser.after(number)
    broken = {number for number in befores if chooser.where("before", number) is None}
    broken |= {number for number in afters if chooser.where("after", number) is None}
    return chooser, broken


def _followers(
    calls: Sequence[Call],
    afters: dict[int, list[int]],
    befores: dict[int, dict[int, tuple[str, int]]],
) -> dict[int, int]:
    """Call -> the call before it on the same straight line whose end it can see."""
    follows = {}
    for earlier, later in pairwise(calls):
        common = set(afters.get(earlier.number, ())) & set(befores.get(later.number, ()))
        if common:
            follows[later.number] = earlier.number
    return follows


def _whole(chooser: _Chooser, broken: Collection[int]) -> list[Position]:
    """What was chosen, without the events of *broken* calls."""
    positions = []
    for _, position in sorted(chooser.chosen.items()):
        after = None if position.after in broken else position.after
        before = None if position.before in broken else position.before
        if after is not None or before is not None:
            positions.append(replace(position, after=after, before=before))
    return positions
