"""An image becomes an ELF file, however it is packed."""

import bz2
import gzip
import lzma
import shutil
import struct
import subprocess
from collections.abc import Callable

import pytest
import zstandard

from z3trace.kernels import image

ELF = b"\x7fELF" + bytes(range(256)) * 40


def _lzma(data: bytes) -> bytes:
    return lzma.compress(data, format=lzma.FORMAT_ALONE)


def _plain(data: bytes) -> bytes:
    return data


def _lz4(data: bytes) -> bytes:
    # As the kernel's build does: the legacy frame.
    return subprocess.run(["lz4", "-l", "-c"], input=data, capture_output=True, check=True).stdout


def _lzop(data: bytes) -> bytes:
    return subprocess.run(["lzop", "-9"], input=data, capture_output=True, check=True).stdout


PACKED = [gzip.compress, lzma.compress, _lzma, bz2.compress, zstandard.compress, _lz4, _lzop]


def _with_header(payload: bytes, gap: int = 64) -> bytes:
    """A bzImage whose header says where the packed kernel lies."""
    head = bytearray(b"MZ" + b"\0" * 0x3FE)
    head[0x1F1] = 1
    head[0x202:0x206] = b"HdrS"
    head[0x248:0x250] = struct.pack("<II", gap, len(payload))
    return bytes(head) + b"\x90" * gap + payload + b"the decompressor"


@pytest.mark.parametrize("pack", [*PACKED, _plain])
def test_the_elf_image_that_the_header_tells_of(pack: Callable[[bytes], bytes]) -> None:
    # The kernel's build writes the size behind the packed data.
    packed = pack(ELF)
    found = image.unpack(_with_header(packed + struct.pack("<I", len(ELF))))
    assert found is not None
    assert found[: len(ELF)] == ELF


@pytest.mark.parametrize("pack", PACKED)
def test_the_elf_image_inside_an_image_without_a_header(pack: Callable[[bytes], bytes]) -> None:
    assert image.unpack(b"MZ\0 set-up code" + pack(ELF) + b"\0" * 40) == ELF


@pytest.mark.parametrize(
    "false", [b"\x1f\x8b\x08 no gzip", b"\xfd7zXZ\0 no xz", b"BZh no bzip2", b"\x28\xb5\x2f\xfd ?"]
)
@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_what_looks_like_a_packed_kernel_by_chance_is_passed_over(
    false: bytes, pack: Callable[[bytes], bytes]
) -> None:
    assert image.unpack(b"MZ\0" + false + pack(ELF)) == ELF
    assert image.unpack(b"MZ\0" + pack(b"no kernel") + pack(ELF)) == ELF


@pytest.mark.parametrize("pack", PACKED)
def test_a_payload_that_is_no_elf_is_left_packed(pack: Callable[[bytes], bytes]) -> None:
    assert image.unpack(b"MZ\0" + pack(b"something else")) is None


@pytest.mark.parametrize("cut", [b"", b"MZ", _with_header(gzip.compress(ELF))[:0x230]])
def test_an_image_that_is_cut_short_is_left(cut: bytes) -> None:
    assert image.unpack(cut) is None


def test_a_format_without_its_program_is_left_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = _lz4(ELF)
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    assert image.unpack(_with_header(packed)) is None
