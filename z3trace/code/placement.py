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

from z3trace.code.disassembly import Instruction

#: How the kernel runs a probe: replaced by a jump, a breakpoint with the instruction
#: emulated, or a breakpoint with the instruction single-stepped.
Method = Literal["jump", "emulated", "stepped"]

_COST: dict[Method, int] = {"jump": 1, "emulated": 2, "stepped": 5}
_JUMP_SIZE = 5
_REACH = 8  # instructions that an event may be away from its call
#: The same in bytes, at most: no instruction is longer than 15.
REACH_BYTES = _REACH * 15
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


class Function:
    """The decoded function, with what may jump into it."""

    def __init__(self, code: Iterable[Instruction], targets: Iterable[int]) -> None:
        self.code = list(code)
        self.index = {one.address: i for i, one in enumerate(self.code)}
        self.targets = set(targets) | {one.target for one in self.code if one.target is not None}

    def line_to(self, address: int) -> list[Instruction]:
        """The instructions before and with *address* that all lead to it and nowhere else."""
        at = self.index[address]
        first = at
        while (
            first > 0
            and at - first < _REACH
            and self.code[first].address not in self.targets
            and not self.code[first - 1].ends_line
            and self.code[first - 1].end == self.code[first].address
        ):
            first -= 1
        return self.code[first : at + 1]

    def line_from(self, address: int) -> list[Instruction]:
        """The instructions from *address* on that run in order, to the end of the line or
        the first one that other code jumps to: whoever comes from there ends no call."""
        found: list[Instruction] = []
        at = self.index.get(address, len(self.code))
        while at < len(self.code) and len(found) <= _REACH:
            one = self.code[at]
            if found and one.address != found[-1].end:
                break
            found.append(one)
            if one.ends_line or (len(found) > 1 and one.address in self.targets):
                break
            at += 1
        return found

    def region(self, address: int) -> list[Instruction]:
        """The instructions that a jump at *address* would overwrite."""
        at, found = self.index[address], []
        while at < len(self.code) and self.code[at].address < address + _JUMP_SIZE:
            found.append(self.code[at])
            at += 1
        return found

    def method(self, address: int) -> Method | None:
        """How the kernel would run a probe here; None where it must not stand, because
        the kernel would lay a jump over an address that other code jumps to."""
        region = self.region(address)
        if all(one.boostable for one in region) and region[-1].end >= address + _JUMP_SIZE:
            inside = range(address + 1, region[-1].end)
            return None if any(target in inside for target in self.targets) else "jump"
        return "emulated" if region[0].ends_line else "stepped"


def lock_register(line: Sequence[Instruction]) -> tuple[str, int] | None:
    """Which register, plus what, at the line's start is rdi at its end; None if unknown."""
    register, offset = "rdi", 0
    for one in reversed(line[:-1]):
        if register not in one.written:
            continue
        if one.moves is None or one.moves[0] != register:
            return None
        register, offset = one.moves[1], offset + one.moves[2]
    return register, offset


def _before(function: Function, call: Call) -> dict[int, tuple[str, int]]:
    """Addresses where the event before *call* can be seen -> where its lock is."""
    line = function.line_to(call.address)
    found = {}
    for i, one in enumerate(line):
        register = lock_register(line[i:])
        if register is not None:
            found[one.address] = register
    return found


def kept_lock(function: Function, call: Call) -> tuple[str, int] | None:
    """Which register, plus what, is the lock after *call* as it was before; None if the
    code does not show one, or something jumps to where it ends."""
    if call.end in function.targets:
        return None
    line = function.line_to(call.address)
    for i in reversed(range(len(line))):
        found = lock_register(line[i:])
        if found is None:
            return None
        if found[0] in _KEPT and not any(found[0] in one.written for one in line[i:-1]):
            return found
    return None


def _after(function: Function, call: Call, kept: tuple[str, int] | None) -> list[int]:
    """Addresses where the event after *call* can be seen, its result still in rax and its
    lock in the register *kept*."""
    needed = {"rax"} if call.needs_result else set()
    needed |= {kept[0]} if kept else set()
    found = []
    for one in function.line_from(call.end):
        if kept and one.address in function.targets:
            # Who jumps here would pass for an acquisition, as nothing was asked for.
            break
        found.append(one.address)
        if needed & one.written:
            break
    return found


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

    def _length(self, address: int) -> int:
        return self._function.region(address)[-1].end - address

    def _free(self, address: int, method: Method) -> bool:
        for other, position in self.chosen.items():
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
        for address, position in self.chosen.items():
            if getattr(position, event) == number:
                return address
        return None

    def shared(self, earlier: int, later: int) -> bool:
        """One probe for the end of a call and the beginning of the next, if that is no
        dearer than two."""
        both = self._best(set(self._afters[earlier]) & set(self._befores[later]))
        apart = [self._best(self._afters[earlier]), self._best(self._befores[later])]
        limit = sum(one[0] if one else 2 * _COST["stepped"] for one in apart)
        if both is None or both[0] > limit:
            return False
        _, address, method = both
        register = self._befores[later][address]
        kept = self._kept.get(earlier)
        self.chosen[address] = Position(address, method, earlier, later, *register, kept)
        return True

    def after(self, number: int) -> None:
        found = self._best(self._afters[number])
        if found:
            _, address, method = found
            kept = self._kept.get(number)
            self.chosen[address] = Position(address, method, number, None, kept=kept)

    def before(self, number: int, not_until: int | None = None) -> None:
        """Place the beginning of a call, behind *not_until* if that is given: the end of
        the call before it must be seen first."""
        candidates = [a for a in self._befores[number] if not_until is None or a > not_until]
        found = self._best(candidates)
        if found:
            _, address, method = found
            register = self._befores[number][address]
            self.chosen[address] = Position(address, method, None, number, *register)


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
        call.number: found
        for call in ordered
        if not call.needs_before and (found := kept_lock(function, call))
    }
    chooser, broken = _chosen(function, ordered, kept, share=share, methods=methods)
    if broken & kept.keys():
        # Fewer places tell a lock that was not asked for: those calls keep their attempt.
        kept = {number: found for number, found in kept.items() if number not in broken}
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
    found = {}
    for earlier, later in pairwise(calls):
        common = set(afters.get(earlier.number, ())) & set(befores.get(later.number, ()))
        if common:
            found[later.number] = earlier.number
    return found


def _whole(chooser: _Chooser, broken: Collection[int]) -> list[Position]:
    """What was chosen, without the events of *broken* calls."""
    found = []
    for address in sorted(chooser.chosen):
        one = chooser.chosen[address]
        after = None if one.after in broken else one.after
        before = None if one.before in broken else one.before
        if after is not None or before is not None:
            found.append(replace(one, after=after, before=before))
    return found
