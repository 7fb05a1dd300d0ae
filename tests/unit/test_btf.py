"""BTF of a module, whose strings go on where those of vmlinux end."""

import struct

import pytest

from z3trace import btf
from z3trace.errors import InputError


def _blob(types: bytes, strings: bytes) -> bytes:
    return (
        struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(types), len(types), len(strings))
        + types
        + strings
    )


def test_members_of_a_split_structure() -> None:
    base = _blob(b"", b"\0lock\0")
    strings = b"\0pool\0name\0"
    name = len(b"\0lock\0") + 1
    integer = struct.pack("<IIII", 0, 1 << 24, 8, 64)
    members = struct.pack("<III", name + 5, 1, 0) + struct.pack("<III", 1, 1, 64)
    split = _blob(integer + struct.pack("<III", name, 4 << 24 | 2, 16) + members, strings)
    assert btf.structs("x", base, split) == {"pool": {"name": 0, "lock": 8}}


def test_what_is_not_btf_is_refused() -> None:
    with pytest.raises(InputError, match="not BTF"):
        btf.structs("x", b"\0" * 64, b"\0" * 64)
