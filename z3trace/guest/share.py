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
from z3trace.paths import open_regular

#: Bytes that a guest may leave in its directory; a recording of 10 000 runs is 600 MB.
RUN_LIMIT = 2 << 30
_MOST_FILES = 10_000
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
            shutil.rmtree(run, ignore_errors=True)


def _homes() -> set[Path]:
    homes = {Path(entry.pw_dir) for entry in pwd.getpwall() if entry.pw_uid in (0, os.getuid())}
    return {*homes, Path.home()}


def must_be_shareable(share: Path) -> None:
    """UsageError if a guest must not write to all of *share*: the root, a home directory,
    or a directory above one."""
    refused = not share.is_dir() or share == Path("/")
    if refused or any(home.is_relative_to(share) for home in _homes()):
        raise UsageError(
            f"{share} cannot be shared with a guest",
            "name a directory for the guest with --share: not /, not a home directory",
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


def overflow(run: Path) -> str:
    """What a guest has too much of in its directory; empty if all is well."""
    pending, files, size = [run], 0, 0
    while pending:
        with suppress(OSError), os.scandir(pending.pop()) as entries:
            for entry in entries:
                files += 1
                with suppress(OSError):
                    status = entry.stat(follow_symlinks=False)
                    size += max(status.st_size, status.st_blocks * 512)
                    if stat.S_ISDIR(status.st_mode):
                        pending.append(Path(entry.path))
                if files > _MOST_FILES:
                    return f"more than {_MOST_FILES} files"
    return f"more than {RUN_LIMIT >> 20} MiB" if size > RUN_LIMIT else ""


def keeps_attributes(directory: Path) -> bool:
    """Whether the file system of *directory* has extended attributes for users."""
    try:
        os.setxattr(directory, "user.z3trace", b"1")
        os.removexattr(directory, "user.z3trace")
    except OSError:
        return False
    return True
