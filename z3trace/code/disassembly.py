"""A function's instructions, as far as the placement of probes needs to know them.

What the kernel can do with a probe depends on the instruction under it (x86,
arch/x86/kernel/kprobes): five bytes of instructions that may run elsewhere can be
replaced by a jump; branches are emulated after a breakpoint; anything else is
single-stepped after it, which costs a second trap.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

#: Instructions that end a straight line, by capstone's group numbers.
_JUMP, _CALL, _RET, _INT, _IRET = 1, 2, 3, 4, 5

# Opcodes that the kernel does not copy into a jump-optimised probe.
_NOT_BOOSTABLE = frozenset(
    [
        *(0x62, *range(0x70, 0x80), 0x9A, 0xC0, 0xC1, *range(0xCC, 0xD4), 0xD6),
        *(*range(0xD8, 0xE4), 0xE8, 0xE9, 0xEB, *range(0xF0, 0xF5), 0xF6, 0xF7, 0xFE),
    ]
)
# Of the two-byte opcodes, those that the kernel surely does: cmov, setcc, movzx, imul, nop.
_BOOSTABLE_0F = frozenset([0x1F, *range(0x40, 0x50), *range(0x90, 0xA0), 0xAF, 0xB6, 0xB7])
_BOOSTABLE_0F |= {0xBE, 0xBF}
_WINDOW = 4096  # bytes that are decoded at once
_PREFIXES = frozenset([0x26, 0x36, 0x3E, 0x64, 0x65, 0x66, 0xF0, 0xF2, 0xF3, *range(0x40, 0x50)])


@dataclass(frozen=True)
class Instruction:
    """One instruction; *target* is where a direct branch in the same section goes."""

    address: int
    size: int
    mnemonic: str
    is_call: bool
    is_branch: bool
    target: int | None
    boostable: bool
    written: frozenset[str]
    #: (destination, base register, offset) of a plain move, lea, add or sub; or None.
    moves: tuple[str, str, int] | None

    @property
    def end(self) -> int:
        return self.address + self.size

    @property
    def ends_line(self) -> bool:
        return self.is_call or self.is_branch


def _boostable(code: bytes) -> bool:
    at = 0
    while at < len(code) - 1 and code[at] in _PREFIXES:
        at += 1
    opcode = code[at]
    if opcode == 0x0F:
        return code[at + 1] in _BOOSTABLE_0F
    if opcode == 0xFF:  # inc, dec, push; not the indirect branches
        return (code[at + 1] >> 3) & 7 not in (2, 3, 4, 5)
    return opcode not in _NOT_BOOSTABLE and opcode not in (0x2E, 0x67)


@cache
def _family() -> dict[str, str]:
    """Every register name -> the 64-bit register that it is part of."""
    family = {}
    for letter in "abcd":
        for name in (f"{letter}l", f"{letter}h", f"{letter}x", f"e{letter}x", f"r{letter}x"):
            family[name] = f"r{letter}x"
    for name in ("si", "di", "bp", "sp"):
        for part in (f"{name}l", name, f"e{name}", f"r{name}"):
            family[part] = f"r{name}"
    for number in range(8, 16):
        for suffix in ("", "d", "w", "b"):
            family[f"r{number}{suffix}"] = f"r{number}"
    return family


def _number(text: str) -> int | None:
    """A number as capstone writes it, in hexadecimal only from 10 on; None if it is none."""
    try:
        return int(text, 0)
    except ValueError:
        return None


def _moves(mnemonic: str, operands: list[str]) -> tuple[str, str, int] | None:
    family = _family()
    if len(operands) != 2 or operands[0] not in family or family[operands[0]] != operands[0]:
        return None
    to, source = operands
    if mnemonic == "mov" and source in family and family[source] == source:
        return to, source, 0
    if mnemonic in ("add", "sub"):
        value = _number(source)
        return None if value is None else (to, to, value if mnemonic == "add" else -value)
    if mnemonic == "lea" and source.startswith("[") and source.endswith("]"):
        return _address(to, source[1:-1])
    return None


def _address(to: str, text: str) -> tuple[str, str, int] | None:
    words = text.split()
    if words[0] not in _family() or len(words) not in (1, 3):
        return None
    if len(words) == 1:
        return to, words[0], 0
    value = _number(words[2])
    return None if value is None else (to, words[0], value if words[1] == "+" else -value)


@cache
def _machine() -> Any:
    import capstone

    machine = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    machine.detail = True
    return machine


def _written(instruction: Any) -> frozenset[str]:
    names = {instruction.reg_name(r) for r in instruction.regs_access()[1]}
    return frozenset(_family()[name] for name in names if name in _family())


def _decoded(code: bytes, start: int) -> Iterator[Any]:
    """Capstone's instructions, some at a time: it makes all that it is handed at once."""
    at = 0
    while True:
        step = None
        for step in _machine().disasm(code[at : at + _WINDOW], start + at):
            yield step
        if step is None:
            return
        at = step.address + step.size - start


def instructions(
    code: bytes, start: int, relocated: frozenset[int] = frozenset()
) -> Iterator[Instruction]:
    """Decode *code*, whose first byte is at *start*; stops at what is no instruction.

    *relocated* holds the addresses of words that the linker has still to fill: the
    target of such a branch is not in the code.
    """
    for step in _decoded(code, start):
        groups = set(step.groups)
        is_call = _CALL in groups
        is_branch = bool(groups & {_JUMP, _RET, _INT, _IRET}) and not is_call
        target = None
        address, size = step.address, step.size
        patched = not relocated.isdisjoint(range(address + 1, address + size))
        if (is_call or is_branch) and not patched:
            target = _number(step.op_str)
        yield Instruction(
            address=address,
            size=size,
            mnemonic=step.mnemonic,
            is_call=is_call,
            is_branch=is_branch,
            target=target,
            boostable=_boostable(bytes(step.bytes)),
            written=_written(step),
            moves=_moves(step.mnemonic, step.op_str.split(", ")),
        )
