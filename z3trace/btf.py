"""Member offsets of a loaded module's structures, from BTF.

The format of BTF is that of the kernel's Documentation/bpf/btf.rst: a header,
types, strings; a module's BTF is split, its string offsets go on where those of
vmlinux end.
"""

import struct as pack
from collections.abc import Iterator
from pathlib import Path

from z3trace.errors import InputError

_BTF = Path("/sys/kernel/btf")
_MAGIC = 0xEB9F
# kind -> bytes behind the 12-byte type record, fixed and for each member
_TAIL = {
    1: (4, 0),
    3: (12, 0),
    4: (0, 12),
    5: (0, 12),
    6: (0, 8),
    13: (0, 8),
    14: (4, 0),
    15: (0, 12),
    17: (4, 0),
    19: (0, 12),
}
_STRUCT = 4


def _header(data: bytes) -> tuple[int, int, int, int]:
    magic, _, _, size, type_at, type_len, str_at, str_len = pack.unpack_from("<HBBIIIII", data)
    if magic != _MAGIC:
        raise InputError("not BTF")
    return size + type_at, type_len, size + str_at, str_len


def _structs(data: bytes) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """(name offset, [(member name offset, bit offset)]) of every structure."""
    at, length, _, _ = _header(data)
    end = at + length
    while at + 12 <= end:
        name, info, _ = pack.unpack_from("<III", data, at)
        kind, count, flag = info >> 24 & 31, info & 0xFFFF, info >> 31
        at += 12
        if kind == _STRUCT:
            members = [pack.unpack_from("<III", data, at + 12 * i) for i in range(count)]
            mask = 0xFFFFFF if flag else 0xFFFFFFFF
            yield name, [(member, bits & mask) for member, _, bits in members]
        fixed, each = _TAIL.get(kind, (0, 0))
        at += fixed + each * count


def structs(
    module: str, base: bytes | None = None, split: bytes | None = None
) -> dict[str, dict[str, int]]:
    """Structure -> member -> offset in bytes, of a loaded module; {} without BTF."""
    try:
        base = (_BTF / "vmlinux").read_bytes() if base is None else base
        split = (_BTF / module).read_bytes() if split is None else split
    except OSError:
        return {}
    _, _, base_at, base_len = _header(base)
    _, _, split_at, _ = _header(split)

    def string(offset: int) -> str:
        where, start = (
            (base, base_at + offset) if offset < base_len else (split, split_at + offset - base_len)
        )
        return where[start : where.index(b"\0", start)].decode(errors="replace")

    return {
        string(name): {string(member): bits // 8 for member, bits in members}
        for name, members in _structs(split)
    }
