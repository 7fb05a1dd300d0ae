"""What is made of BCC's outcome, with a stand-in for BCC."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import pytest

from z3trace.bpf import compiler, libbpf
from z3trace.bpf.compiled import MapShape
from z3trace.errors import CannotTraceError


def _load(map_fd: int) -> bytes:
    """r1 = map, as BCC leaves it: by a descriptor of its process."""
    return b"\x18\x11\0\0" + map_fd.to_bytes(4, "little") + bytes(8)


class _Bcc:
    """Knows the maps ``cpus`` (descriptor 40) and ``sites`` (50), and one program."""

    made: ClassVar[list["_Bcc"]] = []

    def __init__(self, src_file: bytes, cflags: list[str]) -> None:
        self.source, self.flags, self.cleaned = src_file, cflags, False
        self.made.append(self)

    def __getitem__(self, name: bytes) -> SimpleNamespace:
        return SimpleNamespace(map_fd={b"cpus": 40, b"sites": 50}[name])

    def dump_func(self, name: bytes) -> bytes:
        return {b"z3t_lock": _load(50) + _load(40)}[name]

    def cleanup(self) -> None:
        self.cleaned = True


def test_programs_refer_to_maps_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Descriptors mean nothing to the next process."""
    monkeypatch.setitem(sys.modules, "bcc", SimpleNamespace(BPF=_Bcc))
    monkeypatch.setattr(libbpf, "array_shape", lambda fd: {40: (128, 2), 50: (72, 1024)}[fd])
    made = compiler.compiled("key", Path("/src"), ["-DX=1"], ["lock"], ["cpus", "sites"])
    assert made.key == "key"
    assert made.maps == [MapShape("cpus", 128, 2), MapShape("sites", 72, 1024)]
    assert made.code == {"lock": _load(1) + _load(0)}
    (bcc,) = _Bcc.made
    assert bcc.source == b"/src/z3trace.bpf.c"
    assert {"-I/src", "-DX=1"} <= set(bcc.flags)
    assert bcc.cleaned


def test_a_machine_without_bcc_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bcc", None)
    with pytest.raises(CannotTraceError, match="has no bcc") as raised:
        compiler.compiled("key", Path("/src"), [], [], [])
    assert "python3" in raised.value.hint
