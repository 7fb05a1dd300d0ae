"""BPF instructions with what is known only when they are loaded: maps and constants."""

import struct
from collections.abc import Iterator, Mapping

_SIZE = 8  # bytes of an instruction: opcode, registers, offset (2), constant (4)
_CONSTANT_AT = 4
_LOAD_LONG = 0x18  # BPF_LD | BPF_IMM | BPF_DW, which is two instructions long
_SOURCE_MASK = 0xF0
_SOURCE_MAP = 1 << 4  # BPF_PSEUDO_MAP_FD: the constant is a map
_MOVE_CONSTANT = 0xB7  # BPF_ALU64 | BPF_MOV | BPF_K


def _constants(code: bytes | bytearray) -> Iterator[tuple[int, int, int, int]]:
    """(offset of the constant in *code*, opcode, source "register", constant) of each."""
    for at in range(0, len(code), _SIZE):
        (constant,) = struct.unpack_from("<i", code, at + _CONSTANT_AT)
        yield at + _CONSTANT_AT, code[at], code[at + 1] & _SOURCE_MASK, constant


def with_maps(code: bytes, numbers: Mapping[int, int]) -> bytes:
    """*code* with each map that it refers to as *numbers* has it.

    ValueError if a map is not in *numbers*.
    """
    patched = bytearray(code)
    for at, opcode, source, number in _constants(code):
        if opcode == _LOAD_LONG and source == _SOURCE_MAP:
            if number not in numbers:
                raise ValueError(f"a program refers to map {number}, which nobody knows")
            struct.pack_into("<i", patched, at, numbers[number])
    return bytes(patched)


def with_constants(code: bytes, patches: Mapping[int, int]) -> bytes:
    """*code* with each "register = constant" of *patches* given its new constant."""
    patched = bytearray(code)
    for at, opcode, _, constant in _constants(code):
        if opcode == _MOVE_CONSTANT and constant in patches:
            struct.pack_into("<i", patched, at, patches[constant])
    return bytes(patched)
