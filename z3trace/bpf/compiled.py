"""Compiled BPF programs, kept from one recording to the next.

BCC takes seconds to compile the programs, a dozen of them in an emulated guest, and
makes the same of the same sources for the same kernel.  What is kept goes to the kernel
as root: a file counts only if its owner is this user, and nobody else may write it or
put another one in its place.

``Z3TRACE_PROGRAMS`` names another directory.  A guest is given one of its own, so that
nothing that a guest wrote is ever loaded on the host; there the files are not root's, and
the host vouches for them (``paths.VOUCHED``).
"""

import hashlib
import os
import re
import stat
from collections.abc import Iterable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import msgspec

from z3trace import paths

_FORMAT = b"z3trace programs 1"
_SIZE_LIMIT = 8 << 20
_KEPT = 64  # files
_KEY = re.compile(r"[0-9a-f]{64}")


class MapShape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An array map that programs and this process share; *value_size* in bytes."""

    name: str
    value_size: int
    entries: int


class Compiled(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Programs by name, as instructions that refer to maps by their number in *maps*."""

    key: str
    maps: list[MapShape]
    code: dict[str, bytes]


def key(sources: Path, flags: Iterable[str]) -> str:
    """What the outcome of compiling *sources* with *flags* depends on, as a name."""
    digest = hashlib.sha256(_FORMAT)
    kernel = os.uname()
    words = [kernel.release, kernel.version, kernel.machine, *flags]
    bcc = find_spec("bcc")
    version = Path(bcc.origin).with_name("version.py") if bcc and bcc.origin else Path()
    for content in (
        *(word.encode() for word in words),
        version.read_bytes() if version.is_file() else b"",
        *(
            file.name.encode() + b"\0" + file.read_bytes()
            for file in sorted(sources.glob("*.[ch]"))
        ),
    ):
        digest.update(len(content).to_bytes(8, "little") + content)
    return digest.hexdigest()


def _directory() -> Path:
    chosen = os.environ.get("Z3TRACE_PROGRAMS")
    return Path(chosen).resolve() if chosen else paths.cache() / "programs"


def kept(name: str) -> Compiled | None:
    """The programs of this key; None if there are none that can be trusted."""
    directory = _directory()
    if paths.why_untrusted(directory):
        return None
    try:
        fd = os.open(directory / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(fd, "rb") as file:
        status = os.fstat(fd)
        own = status.st_uid == os.geteuid() and not status.st_mode & 0o022
        if not stat.S_ISREG(status.st_mode) or not (own or paths.vouched()):
            return None
        data = file.read(_SIZE_LIMIT)
    try:
        programs = msgspec.msgpack.decode(data, type=Compiled)
    except (msgspec.DecodeError, ValueError):
        return None
    return programs if programs.key == name else None


def keep(programs: Compiled) -> None:
    """Keep *programs* for the next recording; if that cannot be, it compiles again."""
    directory = _directory()
    if paths.why_untrusted(directory):
        return
    with suppress(OSError):
        directory.mkdir(parents=True, exist_ok=True)
        fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            paths.write_atomic(directory / programs.key, msgspec.msgpack.encode(programs))
            os.chmod(programs.key, 0o644, dir_fd=fd)
            _prune(fd)
        finally:
            os.close(fd)


def _prune(directory: int) -> None:
    """Remove the oldest kept programs of an open directory; whatever else lies there, and
    what links in it point to, stays."""
    kept: list[tuple[float, str]] = []
    with os.scandir(directory) as entries:
        for entry in entries:
            if _KEY.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                kept.append((entry.stat(follow_symlinks=False).st_mtime, entry.name))
    for _, name in sorted(kept)[:-_KEPT]:
        os.unlink(name, dir_fd=directory)
