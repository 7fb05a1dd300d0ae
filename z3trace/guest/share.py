"""What a guest and its host share, and how the host reads what a guest wrote.

Each guest has a directory of its own, *run*, which nobody else uses and which is gone
with it: the command goes in, its output and its results come out.  Whatever lies there
was written by the guest: nothing is read but regular files, up to a limit, and no link
is followed.  What the host alone may touch (console, QEMU's socket) lies in *private*.
"""

import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from z3trace import paths
from z3trace.errors import UsageError
from z3trace.guest import threads
from z3trace.paths import open_regular

#: Bytes that a guest may leave in its directory; a recording of 10 000 runs is 600 MB.
RUN_LIMIT = 2 << 30
_MOST_FILES = 10_000
_DEEPEST = 32  # levels of directories
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FIRST_PERSON, _NOBODY = 1000, 65534  # user numbers, as Debian gives them
#: What a guest writes nothing of, and what it does not write to as a whole.
_SYSTEM = tuple(
    Path("/", name) for name in ("bin", "boot", "dev", "etc", "lib", "proc", "sbin", "sys", "usr")
)
_ROOTS = ("/", "/home", "/opt", "/run", "/srv", "/var")
_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class Directories:
    """*run*: the guest writes there; *private*: the host's own."""

    run: Path
    private: Path


@contextmanager
def directories(near: Path | None = None) -> Iterator[Directories]:
    """The two directories of a guest, removed when the block ends.

    *near*: where *run* is made; a host that is killed leaves there what was recorded.
    """
    with tempfile.TemporaryDirectory(prefix="z3t-", ignore_cleanup_errors=True) as private:
        run = Path(tempfile.mkdtemp(dir=near, prefix=".z3trace-guest-"))
        try:
            yield Directories(run, Path(private))
        finally:
            paths.remove_tree(run)


def homes() -> set[Path]:
    """The home directories of people and of root."""
    people = (entry for entry in pwd.getpwall() if entry.pw_uid == 0 or _is_person(entry.pw_uid))
    return {*(Path(entry.pw_dir) for entry in people), Path.home()} - {Path("/")}


def _is_person(uid: int) -> bool:
    return uid == os.getuid() or _FIRST_PERSON <= uid < _NOBODY


def must_be_shareable(share: Path) -> None:
    """UsageError if a guest must not write to all of *share*: the root, a directory of the
    system, a home directory, or a directory above one."""
    refused = not share.is_dir() or any(share.is_relative_to(part) for part in _SYSTEM)
    refused = refused or str(share) in _ROOTS
    if refused or any(home.is_relative_to(share) for home in homes()):
        raise UsageError(
            f"{share} cannot be shared with a guest",
            "name a directory for the guest with --share: not of the system, not a home directory",
        )


def read(path: Path, limit: int, offset: int = 0) -> bytes | None:
    """Up to *limit* bytes from *offset* on, see ``paths.open_regular``."""
    fd = open_regular(path)
    if fd is None:
        return None
    try:
        return os.pread(fd, limit, offset)
    finally:
        os.close(fd)


def copy_out(source: Path, target: Path, limit: int = RUN_LIMIT) -> bool:
    """Copy a guest's file to *target*, through a temporary name; False if there is none.

    *target* is replaced, not followed, and gets the usual mode.  UsageError if the file is
    larger than *limit* bytes: a guest does not fill its host's disk.
    """
    fd = open_regular(source)
    if fd is None:
        return False
    with os.fdopen(fd, "rb") as data:
        if os.fstat(fd).st_size > limit:
            raise UsageError(f"the guest's {source.name} is larger than {limit >> 20} MiB")
        with paths.new_file(target) as copy:
            shutil.copyfileobj(data, copy, _AT_ONCE)
    return True


def overflow(run: Path, process: int = 0) -> str:
    """What a guest has too much of in its directory; empty if all is well.

    Files without a name count too while QEMU, *process* or one that it started, has them
    open.
    """
    total = _Total()
    try:
        fd = os.open(run, _FOLDER)
        try:
            total.walk(fd, _DEEPEST)
        finally:
            os.close(fd)
    except OSError as error:
        return f"what cannot be looked at ({error.strerror})"
    total.size += _nameless(process) if process else 0
    if total.files > _MOST_FILES:
        return f"more than {_MOST_FILES} files"
    if total.too_deep:
        return f"directories more than {_DEEPEST} deep"
    return f"more than {RUN_LIMIT >> 20} MiB" if total.size > RUN_LIMIT else ""


@dataclass
class _Total:
    """What lies in a directory, by number and by bytes."""

    files: int = 0
    size: int = 0
    too_deep: bool = False

    def walk(self, fd: int, left: int) -> None:
        """Add what the open directory *fd* holds, *left* more levels below it too."""
        with os.scandir(fd) as entries:
            for entry in entries:
                self.files += 1
                if self.files > _MOST_FILES or self.too_deep:
                    return
                with suppress(FileNotFoundError):
                    status = entry.stat(follow_symlinks=False)
                    self.size += max(status.st_size, status.st_blocks * 512)
                    if stat.S_ISDIR(status.st_mode):
                        self._below(entry.name, fd, left)

    def _below(self, name: str, fd: int, left: int) -> None:
        if not left:
            self.too_deep = True
            return
        below = os.open(name, _FOLDER, dir_fd=fd)
        try:
            self.walk(below, left - 1)
        finally:
            os.close(below)


def _nameless(process: int) -> int:
    """Bytes of the files without a name that a process and its children have open."""
    size = 0
    for here in (Path("/proc", str(number)) for number in threads.processes(process)):
        with suppress(OSError):
            for opened in (here / "fd").iterdir():
                with suppress(OSError):
                    status = opened.stat()
                    if stat.S_ISREG(status.st_mode) and not status.st_nlink:
                        size += max(status.st_size, status.st_blocks * 512)
    return size


def keeps_attributes(directory: Path) -> bool:
    """Whether the file system of *directory* has extended attributes for users."""
    try:
        os.setxattr(directory, "user.z3trace", b"1")
        os.removexattr(directory, "user.z3trace")
    except OSError:
        return False
    return True
