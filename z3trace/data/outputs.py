"""What a user names as an output, written as what it is.

A plain file is replaced whole or not at all.  Through a symbolic link of the user's own
its target is written, and the link stays; somebody else's link is not followed, for it
could lead root anywhere.  A pipe or a character device, such as /dev/null, gets the bytes.
A directory, a socket and a block device are refused before anything runs.
"""

import os
import stat
from pathlib import Path

from z3trace import paths
from z3trace.data import streams
from z3trace.errors import UsageError, Z3traceError

_KINDS = (
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a block device"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
)
_STREAMS = ("a device", "a pipe")
_MOST_LINKS = 40  # as the kernel


def special(path: Path) -> str:
    """What *path* itself is if it is there and no plain file, in words; else empty."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return ""
    return next((kind for is_one, kind in _KINDS if is_one(mode)), "")


def _target(path: Path) -> Path:
    """Where a chain of links leads; UsageError if one of them is not this user's, or if
    they lead in a circle."""
    for _ in range(_MOST_LINKS):
        if not path.is_symlink():
            return path
        if path.lstat().st_uid != os.geteuid():
            raise UsageError(
                f"{path} is a symbolic link of another user: it is not followed",
                "choose another name",
            )
        path = path.parent / path.readlink()
    raise UsageError(f"{path} is a symbolic link that leads in a circle", "choose another name")


def form_of(path: Path, chosen: str | None, default: str | None = None) -> str:
    """How the name of a file of that form ends, such as ``.csv``: *chosen* if it is given,
    else what *path* says; standard output says nothing, and gets *default*.

    UsageError if nothing says it.
    """
    if chosen:
        return f".{chosen}"
    if not streams.is_standard(path):
        return path.suffix
    if not default:
        raise UsageError("standard output has no name that says its form", "give --format")
    return default


def require(path: Path, *, force: bool) -> None:
    """Before the work: UsageError if *path* cannot be written, or is a file that is there
    and *force* is not given."""
    if streams.is_standard(path):
        return
    target = _target(path)
    kind = special(target)
    if kind in _STREAMS:
        return
    if kind:
        raise UsageError(f"{path} is {kind}: it cannot be written", "choose another name")
    paths.must_be_new(target, force=force)


def deliver(path: Path, content: bytes | str) -> None:
    """Write *content* to what *path* is; Z3traceError if it cannot be."""
    data = content.encode() if isinstance(content, str) else content
    if streams.is_standard(path):
        streams.write(data)
        return
    target = _target(path)
    kind = special(target)
    try:
        if kind in _STREAMS:
            with target.open("wb", buffering=0) as stream:
                stream.write(data)
        elif kind:
            raise UsageError(f"{path} is {kind}: it cannot be written", "choose another name")
        else:
            paths.write_atomic(target, data)
    except OSError as error:
        raise Z3traceError(f"cannot write {path}: {error.strerror}") from error
