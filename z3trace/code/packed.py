"""A file that may be packed, as modules are: unpacked in memory, up to a limit."""

import lzma
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from z3trace import paths
from z3trace.errors import InputError

#: Bytes of a module; the largest of a distribution has 30 MB, with debug information more.
LIMIT = 256 << 20
_XZ, _GZIP, _ZSTD = b"\xfd7zXZ\0", b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_MEMORY = 128 << 20  # bytes that unpacking may take: as xz's strongest setting, and some
_STEP = 1 << 20  # bytes that are unpacked at once
#: Packed bytes of zstd that are unpacked at once: a few of them may stand for 128 KiB.
_SMALL_STEP = 1 << 10
_GZIP_HEADER = 16 + zlib.MAX_WBITS  # what zlib is told to expect


def read(path: Path) -> bytes | bytearray:
    """The bytes of a file, unpacked if it is packed with xz, gzip or zstd.

    InputError if they are more than ``LIMIT``, damaged, or no regular file's.
    """
    data = paths.read_bounded(path, LIMIT)
    try:
        if data.startswith(_XZ):
            return _joined(_xz(data), path)
        if data.startswith(_GZIP):
            return _joined(_gzip(data), path)
        if data.startswith(_ZSTD):
            return _joined(_zstd(data), path)
    except (lzma.LZMAError, zlib.error, OSError, EOFError) as error:
        raise InputError(f"{path} is damaged: {error}") from error
    return data


def _xz(data: bytes) -> Iterator[bytes]:
    unpacker = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY)
    yield unpacker.decompress(data, _STEP)
    while not unpacker.eof:
        if unpacker.needs_input:
            raise EOFError("it is cut short")
        yield unpacker.decompress(b"", _STEP)
    _end(unpacker.unused_data)


def _gzip(data: bytes) -> Iterator[bytes]:
    """Of one member: a library that reads many looks at the zeros behind one by one."""
    unpacker = zlib.decompressobj(_GZIP_HEADER)
    for start in range(0, len(data), _STEP):
        rest = data[start : start + _STEP]
        while rest and not unpacker.eof:
            yield unpacker.decompress(rest, _STEP)
            rest = unpacker.unconsumed_tail
        if unpacker.eof:
            _end(unpacker.unused_data)
            _end(data[start + _STEP :])
            return
    while not unpacker.eof:
        part = unpacker.decompress(b"", _STEP)
        if not part:
            raise EOFError("it is cut short")
        yield part


def _zstd(data: bytes) -> Iterator[bytes]:
    import zstandard

    unpacker = zstandard.ZstdDecompressor(max_window_size=_MEMORY).decompressobj()
    try:
        for start in range(0, len(data), _SMALL_STEP):
            yield unpacker.decompress(data[start : start + _SMALL_STEP])
            if unpacker.eof:
                _end(unpacker.unused_data)
                _end(data[start + _SMALL_STEP :])
                return
    except zstandard.ZstdError as error:
        raise EOFError(str(error)) from error
    raise EOFError("it is cut short")


def _end(rest: bytes) -> None:
    if rest.strip(b"\0"):
        raise EOFError("something follows its end")


def _joined(parts: Iterable[bytes], path: Path) -> bytearray:
    unpacked = bytearray()
    for part in parts:
        unpacked += part
        if len(unpacked) > LIMIT:
            raise InputError(f"{path} holds more than {LIMIT >> 20} MiB")
    return unpacked
