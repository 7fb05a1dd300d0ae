"""Lines of JSON, of files from strangers: bounded, decoded, and what is wrong in one line."""

import io
import os
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar, cast

import msgspec

from z3trace.data import limits, streams
from z3trace.data.fitting import fitted
from z3trace.errors import InputError, Z3traceError
from z3trace.printable import visible

if TYPE_CHECKING:
    from typing_extensions import Buffer

_GZIP = b"\x1f\x8b"
_GZIP_BITS = 16 + zlib.MAX_WBITS
_PIECE = 1 << 13  # packed bytes read at once
_MOST_SAID = 200  # characters of a decoder's complaint, which may quote the file
_BROKEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_encoder = msgspec.json.Encoder()
T = TypeVar("T")


def read(path: Path, most: int) -> Iterator[tuple[int, bytes, bool]]:
    """(line number, line, whether its line end was there) of a plain or packed file.

    InputError if it cannot be read or is no regular file, if a line or all of them (*most*
    bytes, unpacked) are larger than anything of ours, or if it was packed to be large.  A
    packed file that is cut or damaged ends there, as a plain one does.
    """
    number = total = 0
    try:
        with os.fdopen(_open(path), "rb") as raw:
            packed = raw.peek(len(_GZIP)).startswith(_GZIP)
            file = cast(BinaryIO, io.BufferedReader(_Unpacked(path, raw))) if packed else raw
            while line := file.readline(limits.LINE + 1):
                number += 1
                total += len(line)
                large = len(line) > limits.LINE or total > most
                free = limits.PACKED_FREE
                if large or (packed and total > free + limits.PACKED_RATIO * raw.tell()):
                    raise InputError(f"{path}:{number}: the file is larger than a real one can be")
                yield number, line, line.endswith(b"\n")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error


def _open(path: Path) -> int:
    """A descriptor of a regular file, or of what standard input had; a FIFO is not waited for."""
    if streams.is_standard(path):
        return streams.opened(limits.PACKED)
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise InputError(f"cannot read {path}: not a regular file")
    return fd


def size(path: Path) -> int:
    """Bytes of a file as it is kept, packed or not; errors as of ``read``."""
    fd = _open(path)
    try:
        return os.fstat(fd).st_size
    finally:
        os.close(fd)


class _Unpacked(io.RawIOBase):
    """What a gzip file unpacks to, its members joined; it ends at zeros after a member.

    Not ``gzip``: that takes zeros byte by byte and any number of empty members, so that a
    small or sparse file costs hours.
    """

    def __init__(self, path: Path, packed: BinaryIO) -> None:
        if os.fstat(packed.fileno()).st_size > limits.PACKED:
            raise InputError(f"{path}: the file is larger than a real one can be")
        self._path, self._packed = path, packed
        self._member = zlib.decompressobj(_GZIP_BITS)
        self._rest = b""
        self._members = 1

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "Buffer") -> int:
        room = memoryview(buffer)
        while True:
            packed = self._rest or self._packed.read(_PIECE)
            if self._member.eof:
                if packed[:1] in (b"", b"\0"):
                    return 0
                self._next_member()
            try:
                piece = self._member.decompress(packed, len(room))
            except zlib.error:
                return 0
            self._rest = self._member.unused_data or self._member.unconsumed_tail
            if piece or not packed:
                room[: len(piece)] = piece
                return len(piece)

    def _next_member(self) -> None:
        self._members += 1
        if self._members > limits.MEMBERS_PACKED:
            raise InputError(f"{self._path}: more gzip members than a real file can have")
        self._member = zlib.decompressobj(_GZIP_BITS)


def decode(decoder: "msgspec.json.Decoder[T]", line: bytes, where: str, what: str) -> T:
    """The record in *line*; InputError that says *where* and that it is not *what*."""
    try:
        return decoder.decode(line)
    except _BROKEN as error:
        raise InputError(f"{where}: not {what}: {_said(error)}") from error


def _said(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8"
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return visible(str(error)[:_MOST_SAID])[:_MOST_SAID]


def _checked(record: msgspec.Struct, decoder: "msgspec.json.Decoder[T]") -> bytes:
    line = _encoder.encode(record) + b"\n"
    decoder.decode(line)
    return line


def encode(record: msgspec.Struct, decoder: "msgspec.json.Decoder[T]", what: str) -> bytes:
    """The line of *record*, which the reader will take, its texts cut if they are too long
    for it; Z3traceError if it would not take it all the same."""
    try:
        line = _checked(record, decoder)
    except (*_BROKEN, UnicodeEncodeError):
        try:
            line = _checked(fitted(record), decoder)
        except (*_BROKEN, UnicodeEncodeError) as error:
            raise Z3traceError(f"{what} cannot hold this: {_said(error)}") from error
    if len(line) > limits.LINE:
        raise Z3traceError(f"{what} cannot hold this: a line of {len(line)} bytes")
    return line
