"""A function's code as a whole: its straight lines, what jumps into it, and how the
kernel would run a probe at each of its instructions."""

from collections.abc import Iterable, Sequence
from typing import Literal

from z3trace.code.disassembly import Instruction

#: How the kernel runs a probe: replaced by a jump, a breakpoint with the instruction
#: emulated, or a breakpoint with the instruction single-stepped.
Method = Literal["jump", "emulated", "stepped"]

_JUMP_SIZE = 5
_REACH = 8  # instructions that an event may be away from its call
#: The same in bytes, at most: no instruction is longer than 15.
REACH_BYTES = _REACH * 15


class Function:
    """The decoded function, with what may jump into it."""

    def __init__(self, code: Iterable[Instruction], targets: Iterable[int]) -> None:
        self.code = list(code)
        self.index = {step.address: i for i, step in enumerate(self.code)}
        self.targets = {*targets, *(step.target for step in self.code if step.target is not None)}

    def line_to(self, address: int) -> list[Instruction]:
        """The instructions before and with *address* that all lead to it and nowhere else;
        none if no instruction begins there."""
        at = self.index.get(address)
        if at is None:
            return []
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
        line: list[Instruction] = []
        at = self.index.get(address, len(self.code))
        while at < len(self.code) and len(line) <= _REACH:
            step = self.code[at]
            if line and step.address != line[-1].end:
                break
            line.append(step)
            if step.ends_line or (len(line) > 1 and step.address in self.targets):
                break
            at += 1
        return line

    def region(self, address: int) -> list[Instruction]:
        """The instructions that a jump at *address* would overwrite."""
        at, region = self.index[address], []
        while at < len(self.code) and self.code[at].address < address + _JUMP_SIZE:
            region.append(self.code[at])
            at += 1
        return region

    def method(self, address: int) -> Method | None:
        """How the kernel would run a probe here; None where it must not stand, because
        the kernel would lay a jump over an address that other code jumps to."""
        region = self.region(address)
        if all(step.boostable for step in region) and region[-1].end >= address + _JUMP_SIZE:
            inside = range(address + 1, region[-1].end)
            return None if any(target in inside for target in self.targets) else "jump"
        return "emulated" if region[0].ends_line else "stepped"


def lock_register(line: Sequence[Instruction]) -> tuple[str, int] | None:
    """Which register, plus what, at the line's start is rdi at its end; None if unknown."""
    register, offset = "rdi", 0
    for step in reversed(line[:-1]):
        if register not in step.written:
            continue
        if step.moves is None or step.moves[0] != register:
            return None
        register, offset = step.moves[1], offset + step.moves[2]
    return register, offset
