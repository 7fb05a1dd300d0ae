"""Packed files: unpacked whole, or refused with the reason."""

import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

from z3trace.code import packed
from z3trace.errors import InputError

_CONTENT = bytes(range(256)) * 20_000  # more than is unpacked at once
_PACKERS: list[Callable[[bytes], bytes]] = [lzma.compress, gzip.compress]


def _file(directory: Path, content: bytes) -> Path:
    path = directory / "file"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("pack", [*_PACKERS, bytes])
def test_a_file_is_read_whole_however_it_is_packed(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    assert packed.read(_file(tmp_path, pack(_CONTENT))) == _CONTENT


@pytest.mark.parametrize("pack", _PACKERS)
def test_a_damaged_file_is_said(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    whole = pack(_CONTENT)
    middle = len(whole) // 2
    for content in (whole[:-20], whole[:middle], whole[:middle] + b"junk" + whole[middle + 4 :]):
        with pytest.raises(InputError, match="file is damaged"):
            packed.read(_file(tmp_path, content))


def test_what_follows_the_end_is_not_passed_over(tmp_path: Path) -> None:
    assert packed.read(_file(tmp_path, lzma.compress(b"a") + bytes(8))) == b"a"
    with pytest.raises(InputError, match="something follows"):
        packed.read(_file(tmp_path, lzma.compress(b"a") + lzma.compress(b"b")))


def test_another_packing_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="packed with zstd") as raised:
        packed.read(_file(tmp_path, b"\x28\xb5\x2f\xfd" + bytes(100)))
    assert "zstd -d" in raised.value.hint


@pytest.mark.parametrize("pack", _PACKERS)
def test_the_limit_is_the_last_byte_that_may_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: Callable[[bytes], bytes]
) -> None:
    monkeypatch.setattr(packed, "LIMIT", len(_CONTENT))
    assert packed.read(_file(tmp_path, pack(_CONTENT))) == _CONTENT
    with pytest.raises(InputError, match="file holds more than"):
        packed.read(_file(tmp_path, pack(_CONTENT + b"x")))
