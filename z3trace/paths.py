"""Where z3trace keeps files, whom it trusts with them, and how a file gets its name.

``Z3TRACE_CACHE`` moves the cache.  A file is written beside its name and
renamed, a directory is made beside its name and renamed: what has the right
name is whole.

Root executes and loads what lies in the cache, so root takes it only from a directory
that nobody else can write, or put another one in the place of (``trusted``).
"""

import errno
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import BinaryIO

from z3trace.errors import InputError, UsageError

#: Set in a guest by the script that starts its command (``guest.vm``), and by nothing
#: else: the host vouches for the files that it gives, which are not root's there.
VOUCHED = "Z3TRACE_HOST_VOUCHES"
#: Set in a guest: which of several kernels of one release it runs (``Kernel.called``).
KERNEL = "Z3TRACE_KERNEL"
_COMMAND_LINE = Path("/proc/cmdline")  # of the kernel
_ROOT = 0
_MOST_LINKS = 40  # as the kernel
_MOST_DOTS = 32
_MOST_SAID = 300  # characters


def cache() -> Path:
    """The cache directory of this user, made if need be.

    Root has one of its own, also where the environment is a user's (``sudo -E``): what
    root left in a user's would be in that user's way.  UsageError if root is given one
    that others can write.
    """
    chosen = os.environ.get("Z3TRACE_CACHE")
    path = Path(chosen).absolute() if chosen else _default_cache()
    doubt = why_untrusted(path)
    if not doubt:
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(
                f"cannot make the cache {path}: {error.strerror}",
                "name another directory with Z3TRACE_CACHE",
            ) from error
        doubt = why_untrusted(path)
    if doubt:
        raise UsageError(
            f"root does not run what lies in the cache {path}: {doubt}",
            "unset Z3TRACE_CACHE, and root's own cache is used"
            if chosen
            else "name a directory of root's own with Z3TRACE_CACHE",
        )
    return path


def _default_cache() -> Path:
    from platformdirs import user_cache_dir

    path = Path(user_cache_dir("z3trace")).absolute()
    if why_untrusted(path):
        return Path(pwd.getpwuid(_ROOT).pw_dir) / ".cache/z3trace"
    return path


def vouched() -> bool:
    """Whether this is a guest whose host vouches for the files that it shows; anywhere else
    the variable says nothing, whoever set it."""
    if not os.environ.get(VOUCHED):
        return False
    try:
        return " Z3T_RUN=" in _COMMAND_LINE.read_text()
    except OSError:
        return False


def trusted(path: Path) -> Path:
    """*path*, to be executed or loaded: a file of the cache, or a directory of such files.

    UsageError if this is root and others can write it, or its directory, or any directory
    or link on the way there.  An ordinary user's files are that user's own business.
    """
    doubt = why_untrusted(path)
    if doubt:
        raise UsageError(
            f"root does not run or load {path}: {doubt}", "remove it, and it is made again"
        )
    return path


def why_untrusted(path: Path) -> str:
    """Why root must not execute or load what is at *path* or will be made there; empty if
    it may, if this is not root, or if a guest's host vouches for its files."""
    if os.geteuid() != _ROOT or vouched():
        return ""
    shared: Path | None = None
    try:
        for step in _steps(path.absolute()):
            status = step.lstat()
            doubt = _doubt(step, status, shared)
            if doubt:
                return doubt
            shared = step if _for_all(status) else None
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"{path}: {error.strerror}"
    return f"all can write {shared}" if shared else ""


def _for_all(status: os.stat_result) -> bool:
    """Whether it is a directory such as /tmp: all can write, but only their own files."""
    return bool(status.st_mode & 0o022 and status.st_mode & stat.S_ISVTX) and stat.S_ISDIR(
        status.st_mode
    )


def _doubt(step: Path, status: os.stat_result, shared: Path | None) -> str:
    """What is wrong with one step of a path; *shared*: the directory that it is in, if that
    is one for all."""
    link = stat.S_ISLNK(status.st_mode)
    if status.st_uid != _ROOT:
        return f"{step} belongs to {_name(status.st_uid)}"
    if shared and (not stat.S_ISDIR(status.st_mode) or status.st_mode & 0o077):
        return f"{step} is not private, in {shared}, which all can write"
    if status.st_mode & 0o022 and not link and not _for_all(status):
        return f"others can write {step}"
    return ""


def _steps(path: Path) -> Iterator[Path]:
    """Every directory and link that the kernel passes on the way to *path*, and its end."""
    at, ahead, links = Path("/"), deque(path.parts[1:]), 0
    yield at
    while ahead:
        part = ahead.popleft()
        at = at.parent if part == ".." else at / part
        yield at
        if at.is_symlink():
            links += 1
            if links > _MOST_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
            target = at.readlink()
            at = Path("/") if target.is_absolute() else at.parent
            ahead.extendleft(reversed([part for part in target.parts if part != "/"]))


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def read_bounded(path: Path, limit: int, *, follow: bool = True) -> bytes:
    """What a regular file that a stranger may have made holds, at most *limit* bytes.

    InputError if it is longer, cannot be read, or is no regular file: a FIFO is not waited
    for, and nothing is read from a device; nor through a link, unless *follow*.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    try:
        fd = os.open(path, flags)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise InputError(f"cannot read {path}: it is no regular file")
        with os.fdopen(fd, "rb", closefd=False) as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    finally:
        os.close(fd)
    if len(data) > limit:
        raise InputError(f"{path} is larger than {limit} bytes")
    return data


def read_toml(path: Path, what: str, limit: int = 512 << 10) -> dict[str, object]:
    """A TOML file that a stranger may have made, read as ``read_bounded`` reads.

    *what* it should be stands in the InputError if it is none, or one that would take the
    parser for ever: its time grows with the square of the dots in a key.
    """
    import tomllib

    data = read_bounded(path, limit)
    try:
        if any(line.count(b".") > _MOST_DOTS for line in data.splitlines()):
            raise ValueError(f"more than {_MOST_DOTS} dots in a line")
        return tomllib.loads(data.decode())
    except RecursionError as error:
        raise InputError(f"{path} is not {what}: it is nested too deeply") from error
    except ValueError as error:
        raise InputError(f"{path} is not {what}: {one_line(error)}") from error


def one_line(error: Exception) -> str:
    """What an error says of a stranger's file, short and without line breaks."""
    text = " ".join(str(error).split())
    return text if len(text) <= _MOST_SAID else f"{text[:_MOST_SAID]}..."


def testbed() -> Path:
    """Sources of the workload module, the variants and the guest's init."""
    return Path(str(resources.files("z3trace.testbed")))


def write_atomic(path: Path, content: bytes | str) -> None:
    """Write *content* to *path* through a temporary name in its directory."""
    with new_file(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """A file that gets the name *path* and the usual mode when the block ends well, and is
    removed when it does not.  What was there is replaced, and no link is followed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fd, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(fd, "wb") as file:
            yield file
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def new_directory(path: Path, *, replace: bool = True) -> Iterator[Path]:
    """A directory that gets the name *path* when the block ends well, and is removed when
    it does not.  *replace* what was there; else it stays: another process made the same,
    and may have it in use."""
    path.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        yield work
        if path.exists() and replace:
            old = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.old."))
            os.replace(path, old / "old")
            os.replace(work, path)
            remove_tree(old)
        else:
            try:
                os.replace(work, path)
            except OSError:
                if replace or not path.exists():
                    raise
                remove_tree(work)
    except BaseException:
        remove_tree(work)
        raise


def must_be_new(path: Path, *, force: bool) -> None:
    """UsageError if *path* exists and *force* is not given."""
    if path.exists() and not force:
        raise UsageError(f"{path} exists", "choose another name or give --force")


def discard(directory: Path, names: Iterable[str]) -> None:
    """Remove what has one of *names* in *directory* and is no directory; a link goes, and
    what it points to stays."""
    for name in names:
        path = directory / name
        if path.is_symlink() or not path.is_dir():
            path.unlink(missing_ok=True)


def remove_tree(path: Path) -> None:
    """Remove a directory that a stranger may have filled, however deep it is; no link is
    followed, and what cannot be removed stays."""
    try:
        shutil.rmtree(path, ignore_errors=True)
    except RecursionError:
        subprocess.run(
            ["/bin/rm", "-rf", "--one-file-system", "--", path], check=False, capture_output=True
        )


def open_regular(path: Path) -> int | None:
    """A descriptor of a regular file that a stranger wrote; None if it is missing or anything
    else: a link is not followed, and a FIFO is not waited for."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        return None
    return fd
