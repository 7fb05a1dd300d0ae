"""Packed files: unpacked whole, or refused with the reason."""

import gzip
import lzma
import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from z3trace.code import packed
from z3trace.errors import InputError

_CONTENT = bytes(range(256)) * 20_000  # more than is unpacked at once


def _zstd(data: bytes) -> bytes:
    # As zstd's program does; without a checksum some damage cannot be told.
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


_PACKERS: list[Callable[[bytes], bytes]] = [lzma.compress, gzip.compress, _zstd]


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


@pytest.mark.parametrize("pack", _PACKERS)
def test_what_follows_the_end_is_not_passed_over(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    assert packed.read(_file(tmp_path, pack(b"a") + bytes(8))) == b"a"
    for rest in (pack(b"b"), pack(b""), bytes(3 << 20) + b"b"):
        with pytest.raises(InputError, match="something follows"):
            packed.read(_file(tmp_path, pack(b"a") + rest))


@pytest.mark.parametrize("pack", _PACKERS)
def test_what_does_not_shrink_is_read_whole(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    """More bytes than are unpacked at once, before and after."""
    content = random.Random(1).randbytes(3 << 20)
    assert packed.read(_file(tmp_path, pack(content))) == content


@pytest.mark.parametrize("pack", _PACKERS)
def test_a_long_hole_behind_the_end_takes_no_time(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    path = _file(tmp_path, pack(b"a"))
    os.truncate(path, packed.LIMIT)
    start = time.process_time()
    assert packed.read(path) == b"a"
    assert time.process_time() - start < 2


def test_empty_members_are_not_counted_out(tmp_path: Path) -> None:
    path = _file(tmp_path, gzip.compress(b"") * 2_000_000)
    start = time.process_time()
    with pytest.raises(InputError, match="something follows"):
        packed.read(path)
    assert time.process_time() - start < 2


@pytest.mark.parametrize("pack", _PACKERS)
def test_the_limit_is_the_last_byte_that_may_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: Callable[[bytes], bytes]
) -> None:
    monkeypatch.setattr(packed, "LIMIT", len(_CONTENT))
    assert packed.read(_file(tmp_path, pack(_CONTENT))) == _CONTENT
    with pytest.raises(InputError, match="file holds more than"):
        packed.read(_file(tmp_path, pack(_CONTENT + b"x")))
