"""A file that grows under the name ``FILE.part`` and gets its own when it is whole.

A lost run leaves what it had under a name that says so, and nobody overwrites that: the
part file is made anew and locked while it is written, and one that is there already goes
out of the way, to ``FILE.part.1`` and so on, unless somebody is writing it.  Links are
not followed, and nothing but a plain file is replaced: who records as root in a directory
of somebody else writes what he named, or nothing.
"""

import fcntl
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from z3trace.data.outputs import special
from z3trace.errors import UsageError, Z3traceError

_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_THERE = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_MODE = 0o666  # less the user's mask
_TRIES = 8  # when others make and move the same file at once
_MOST_KEPT = 1000


def part_name(path: Path) -> Path:
    return path.with_name(path.name + ".part")


def require_writable(path: Path) -> None:
    """UsageError if *path* cannot be written as a part file first: for a command to ask
    before anything runs."""
    for name in (path, part_name(path)):
        kind = special(name)
        if kind:
            raise UsageError(
                f"{name} is {kind}: only a plain file is replaced", "choose another name"
            )
    fd = _locked(part_name(path))
    if fd is not None:
        os.close(fd)


def set_aside(path: Path, say: Callable[[str], None]) -> None:
    """Give what a lost run left of *path* a name of its own, and *say* which; nothing if
    it left nothing.  UsageError if somebody writes it now."""
    kept = _out_of_the_way(part_name(path))
    if kept:
        say(f"what an earlier run left of {path.name} is kept as {kept}")


def _locked(part: Path) -> int | None:
    """A descriptor of the part file that is there, locked; None if there is none.

    UsageError if somebody else has it locked.
    """
    try:
        fd = os.open(part, _THERE)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"cannot write {part}: {error.strerror}") from error
    try:
        _lock(fd, part)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _lock(fd: int, part: Path) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise UsageError(
            f"{part} is being written by another process", "choose another name"
        ) from error
    except OSError:
        # A file system without locks: nobody can be seen to write.
        return


def _is(fd: int, path: Path) -> bool:
    """Whether *path* names the open file."""
    try:
        return os.path.samestat(os.fstat(fd), path.lstat())
    except OSError:
        return False


def _out_of_the_way(part: Path) -> Path | None:
    """Give a part file that nobody writes another name; that name, None if there was none."""
    fd = _locked(part)
    if fd is None:
        return None
    try:
        for number in range(1, _MOST_KEPT + 1):
            kept = part.with_name(f"{part.name}.{number}")
            with suppress(FileExistsError):
                # Made first, so that whatever has the name is not overwritten.
                os.close(os.open(kept, _NEW, _MODE))
                if _is(fd, part):
                    os.replace(part, kept)
                    return kept
                kept.unlink()
                return None
    except OSError as error:
        raise UsageError(f"cannot keep {part}: {error.strerror}") from error
    finally:
        os.close(fd)
    raise UsageError(f"there are {_MOST_KEPT} part files of {part.stem}", "remove some")


class PartFile:
    """The open part file of *path*, this process's alone.

    UsageError if it cannot be had.  *say* is told where an earlier part file is now.
    """

    def __init__(self, path: Path, say: Callable[[str], None] = lambda _: None) -> None:
        require_writable(path)
        self.path, self.part = path, part_name(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"cannot make {path.parent}: {error.strerror}") from error
        for _ in range(_TRIES):
            kept = _out_of_the_way(self.part)
            if kept is not None:
                say(f"what an earlier run left is kept as {kept}")
            with suppress(FileExistsError):
                fd = self._new()
                if _is(fd, self.part):
                    self.file = os.fdopen(fd, "wb")
                    return
                os.close(fd)
        raise UsageError(f"{self.part} is being written by another process", "choose another name")

    def _new(self) -> int:
        try:
            fd = os.open(self.part, _NEW, _MODE)
        except FileExistsError:
            raise
        except OSError as error:
            raise UsageError(f"cannot write {self.part}: {error.strerror}") from error
        try:
            _lock(fd, self.part)
        except BaseException:
            os.close(fd)
            raise
        return fd

    def sync(self) -> None:
        """All that was written is on disk when this returns."""
        self.file.flush()
        os.fsync(self.file.fileno())

    def finish(self) -> None:
        """Give the file its own name.

        Z3traceError if something else than a plain file has that name by now, or if the
        part file is another one; what was written stays where it is.
        """
        self.sync()
        kind = special(self.path)
        if kind:
            raise Z3traceError(f"{self.path} is {kind} now", f"what was written is {self.part}")
        if not _is(self.file.fileno(), self.part):
            raise Z3traceError(f"{self.part} was moved or replaced while it was written")
        os.replace(self.part, self.path)
        self.file.close()

    def discard(self) -> None:
        """Remove the part file, if it is still this one."""
        if not self.file.closed:
            if _is(self.file.fileno(), self.part):
                self.part.unlink(missing_ok=True)
            self.file.close()

    def close(self) -> None:
        """Leave what was written under the part file's name."""
        self.file.close()
