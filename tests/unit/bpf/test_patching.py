"""BPF instructions patched before they are loaded: maps and constants, nothing else."""

import struct

import pytest

from z3trace.bpf.patching import with_constants, with_maps

_MAP = b"\x18\x11\0\0" + struct.pack("<i", 7) + bytes(8)  # r1 = map 7
_LONG = b"\x18\x01\0\0" + struct.pack("<i", 7) + bytes(8)  # r1 = 7 ll
_MOVE = b"\xb7\x02\0\0" + struct.pack("<i", 7)  # r2 = 7
_ADD = b"\x07\x02\0\0" + struct.pack("<i", 7)  # r2 += 7


def test_maps_are_put_in_their_places_and_constants_stay() -> None:
    moved = with_maps(_MAP + _LONG + _MOVE, {7: 3})
    assert moved == _MAP.replace(struct.pack("<i", 7), struct.pack("<i", 3)) + _LONG + _MOVE


def test_a_program_with_an_unknown_map_is_refused() -> None:
    with pytest.raises(ValueError, match="map 7"):
        with_maps(_MAP, {0: 3})


def test_only_what_sets_a_register_to_a_constant_is_given_another() -> None:
    patched = with_constants(_MOVE + _ADD + _MAP + _LONG, {7: -2})
    assert patched == b"\xb7\x02\0\0" + struct.pack("<i", -2) + _ADD + _MAP + _LONG


def test_a_constant_that_is_not_named_stays() -> None:
    assert with_constants(_MOVE, {8: 1}) == _MOVE
