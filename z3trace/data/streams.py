"""``-`` as the name of a file: standard input, standard output."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from z3trace.errors import InputError, UsageError

STANDARD = Path("-")
_PIECE = 1 << 20  # bytes that are copied at once
#: The file that holds what came on standard input, once it was read; it comes once.
_received: list[int] = []


def is_standard(path: Path | None) -> bool:
    """Whether *path* is no file but standard input or output."""
    return path == STANDARD


def require_once(paths: Iterable[Path | None], stream: str) -> None:
    """UsageError if ``-`` is more than one of *paths*; *stream*: which one it is in words."""
    if sum(map(is_standard, paths)) > 1:
        raise UsageError(f"- is named more than once: there is one {stream}")


def opened(most: int) -> int:
    """A descriptor, at the start, of a file without a name that has all of standard input.

    InputError if it cannot be read, or if it has more than *most* bytes.
    """
    if not _received:
        _received.append(_spooled(most))
    # Not a dup, which would share its place in the file with every other one.
    return os.open(f"/proc/self/fd/{_received[0]}", os.O_RDONLY | os.O_CLOEXEC)


def _spooled(most: int) -> int:
    with tempfile.TemporaryFile() as file:
        left = most
        try:
            while piece := os.read(0, min(_PIECE, left + 1)):
                left -= len(piece)
                if left < 0:
                    raise InputError(f"-: standard input has more than {most} bytes")
                file.write(piece)
        except OSError as error:
            raise InputError(f"cannot read standard input: {error.strerror}") from error
        file.flush()
        return os.dup(file.fileno())


def write(data: bytes) -> None:
    """All of *data* to standard output; OSError if its reader is gone."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


@contextmanager
def destination(path: Path, name: str, say: Callable[[str], None]) -> Iterator[Path]:
    """Where to write what is to be had at *path*: itself, or, for standard output, a file
    *name* that is handed on at the end.  *say* is told where it is kept if that fails."""
    if not is_standard(path):
        yield path
        return
    directory = Path(tempfile.mkdtemp(prefix="z3trace-"))
    try:
        yield directory / name
        if (directory / name).exists():
            with (directory / name).open("rb") as file:
                sys.stdout.flush()
                shutil.copyfileobj(file, sys.stdout.buffer, _PIECE)
                sys.stdout.buffer.flush()
            (directory / name).unlink()
    finally:
        if any(directory.iterdir()):
            say(f"what was recorded is kept in {directory}")
        else:
            directory.rmdir()
