"""What a user hands over as a patch, as bytes of a text: a file of any name, packed or not, or
what comes on standard input."""

import bz2
import lzma
import os
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from z3trace import paths
from z3trace.errors import InputError, UsageError
from z3trace.printable import visible

STDIN = Path("-")
LIMIT = 4 << 20  # bytes, packed and unpacked
_LONGEST_NAME = 100  # characters that are shown

#: What came from descriptors: number, device, inode.
_RECEIVED: dict[tuple[int, int, int], bytes] = {}
_DESCRIPTOR = re.compile(r"/dev/(?:stdin|fd/([0-9]{1,4}))")
#: Endings that say how a patch is kept, and nothing about it.
_ENDINGS = (
    ".gz",
    ".bz2",
    ".xz",
    ".zst",
    ".patch",
    ".diff",
    ".mbox",
    ".mbx",
    ".eml",
    ".txt",
    ".cocci",
)
_UNPACKING = 64 << 20  # bytes of memory
#: Bytes of a file packed with zstd that are unpacked at once: some 32 KiB come of each.
_ZSTD_STEP = 64
#: What holds files of its own, by its mark and where that stands.
_ARCHIVES = (("zip", b"PK\x03\x04", 0), ("7z", b"7z\xbc\xaf\x27\x1c", 0), ("tar", b"ustar", 257))
#: The longer ones first: that of UTF-32 begins with that of UTF-16.
_MARKS = (
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
)


class _Zstd:
    """zstd with the interface that the unpackers of Python have."""

    def __init__(self) -> None:
        import zstandard

        self._error = zstandard.ZstdError
        self._unpacker = zstandard.ZstdDecompressor(max_window_size=_UNPACKING).decompressobj()
        self.eof, self.unused_data = False, b""

    def decompress(self, data: bytes, room: int) -> bytes:
        made = bytearray()
        for start in range(0, len(data), _ZSTD_STEP):
            try:
                made += self._unpacker.decompress(data[start : start + _ZSTD_STEP])
            except self._error as error:
                raise EOFError(str(error)) from error
            if self._unpacker.eof:
                self.eof = True
                self.unused_data = self._unpacker.unused_data + data[start + _ZSTD_STEP :]
                break
            if len(made) >= room:
                break
        return bytes(made[:room])


#: What a packed file begins with -> what unpacks it; all with one interface.
_PACKED: dict[bytes, Callable[[], Any]] = {
    b"\x1f\x8b": lambda: zlib.decompressobj(wbits=31),
    b"BZh": bz2.BZ2Decompressor,
    b"\xfd7zXZ\0": lambda: lzma.LZMADecompressor(memlimit=_UNPACKING),
    b"\x28\xb5\x2f\xfd": _Zstd,
}


def shown(path: Path) -> str:
    """The last part of a patch's name, as messages say it."""
    if path == STDIN or path == Path("/dev/stdin"):
        return "stdin"
    if _DESCRIPTOR.fullmatch(str(path)):
        return "pipe"
    name = visible(os.fsencode(path.name).decode(errors="replace"))
    return name if len(name) <= _LONGEST_NAME else f"{name[:60]}...{name[-30:]}"


def stem(path: Path) -> str:
    """The same without its endings, as labels say it."""
    name = shown(path)
    while True:
        base, dot, ending = name.rpartition(".")
        if not base or dot + ending.lower() not in _ENDINGS:
            return name
        name = base


def is_semantic(path: Path) -> bool:
    """Whether the name says that the patch is one for Coccinelle."""
    endings = path.name.lower().rsplit(".", 2)[1:]
    return "cocci" in endings[-1:] or ("cocci" in endings and f".{endings[-1]}" in _ENDINGS)


def read(path: Path) -> bytes:
    """The text in a file or on standard input, in UTF-8 if it says its encoding by a mark.

    UsageError if it is not there; InputError if it cannot be read, or is too large.  A link
    is followed: the user named it.
    """
    descriptor = _DESCRIPTOR.fullmatch(str(path))
    if path == STDIN or descriptor:
        number = int((descriptor and descriptor[1]) or 0)
        return text(shown(path), _read_descriptor(number, shown(path)))
    if not path.exists():
        raise UsageError(f"cannot read the patch {visible(str(path))}", "it is not there")
    return text(shown(path), paths.read_bounded(path, LIMIT))


def text(name: str, data: bytes) -> bytes:
    """*data*, called *name*, unpacked and without a mark of its encoding; InputError for an
    archive: which of its files are meant, and in which order, is the user's to say."""
    if data.startswith(tuple(_PACKED)):
        data = _unpacked(name, data)
    for kind, mark, at in _ARCHIVES:
        if data.startswith(mark, at):
            raise InputError(
                f"{name} is an archive ({kind})", "unpack it, and hand over the patches in it"
            )
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            try:
                return data.decode(encoding).encode()
            except UnicodeError as error:
                raise InputError(f"{name} begins as {encoding} and is none") from error
    return data


def _read_descriptor(number: int, name: str) -> bytes:
    """All that comes from a pipe or a terminal, until it ends.  It comes once, and may be
    wanted for more than one build."""
    try:
        status = os.fstat(number)
        key = (number, status.st_dev, status.st_ino)
        if key not in _RECEIVED:
            with os.fdopen(os.dup(number), "rb") as file:
                _RECEIVED[key] = file.read(LIMIT + 1)
    except OSError as error:
        raise InputError(f"cannot read {name}: {error.strerror}") from error
    if len(_RECEIVED[key]) > LIMIT:
        raise InputError(f"{name} is larger than {LIMIT} bytes")
    return _RECEIVED[key]


def _unpacked(name: str, data: bytes) -> bytes:
    """*data* unpacked: one member or several, at most ``LIMIT`` bytes."""
    made: list[bytes] = []
    room = LIMIT + 1
    try:
        while room > 0 and data.startswith(tuple(_PACKED)):
            member = next(make for mark, make in _PACKED.items() if data.startswith(mark))()
            made.append(member.decompress(data, room))
            room -= len(made[-1])
            if not member.eof and room > 0:
                raise InputError(f"{name} is packed, and its end is missing")
            data = member.unused_data
    except (zlib.error, lzma.LZMAError, OSError, EOFError) as error:
        raise InputError(f"{name} is packed, and damaged") from error
    if room <= 0:
        raise InputError(f"{name} is larger than {LIMIT} bytes when unpacked")
    return b"".join(made)
