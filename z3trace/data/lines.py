"""Lines of JSON, of files from strangers: bounded, decoded, and what is wrong in one line."""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

import msgspec

from z3trace.data import limits
from z3trace.errors import InputError, Z3traceError
from z3trace.printable import visible

_GZIP = b"\x1f\x8b"
_MOST_SAID = 200  # characters of a decoder's complaint, which may quote the file
_BROKEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_encoder = msgspec.json.Encoder()
T = TypeVar("T")


def read(path: Path, most: int) -> Iterator[tuple[int, bytes, bool]]:
    """(line number, line, whether its line end was there) of a plain or packed file.

    InputError if it cannot be read, if a line or all of them (*most* bytes, unpacked) are
    larger than anything of ours, or if it was packed to be large.  A packed file that is
    cut or damaged ends there, as a plain one does.
    """
    number = total = 0
    try:
        with path.open("rb") as raw:
            packed = raw.peek(len(_GZIP)).startswith(_GZIP)
            file = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if packed else raw
            while line := _next(file):
                number += 1
                total += len(line)
                large = len(line) > limits.LINE or total > most
                free = limits.PACKED_FREE
                if large or (packed and total > free + limits.PACKED_RATIO * raw.tell()):
                    raise InputError(f"{path}:{number}: the file is larger than a real one can be")
                yield number, line, line.endswith(b"\n")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error


def _next(file: BinaryIO) -> bytes:
    try:
        return file.readline(limits.LINE + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        return b""


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


def encode(record: msgspec.Struct, decoder: "msgspec.json.Decoder[T]", what: str) -> bytes:
    """The line of *record*, which the reader will take; Z3traceError if it would not."""
    try:
        line = _encoder.encode(record) + b"\n"
        decoder.decode(line)
    except (*_BROKEN, UnicodeEncodeError) as error:
        raise Z3traceError(f"{what} cannot hold this: {_said(error)}") from error
    if len(line) > limits.LINE:
        raise Z3traceError(f"{what} cannot hold this: a line of {len(line)} bytes")
    return line
