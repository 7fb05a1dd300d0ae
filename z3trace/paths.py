"""Where z3trace keeps what it fetched and built, and how a file gets there.

``Z3TRACE_CACHE`` moves the cache.  A file is written beside its name and
renamed, a directory is made beside its name and renamed: what has the right
name is whole.
"""

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

from z3trace.errors import UsageError


def cache() -> Path:
    """The cache directory of this user, made if need be."""
    chosen = os.environ.get("Z3TRACE_CACHE")
    if not chosen:
        from platformdirs import user_cache_dir

        chosen = user_cache_dir("z3trace")
    path = Path(chosen).absolute()
    path.mkdir(parents=True, exist_ok=True)
    return path


def testbed() -> Path:
    """Sources of the workload module, the variants and the guest's init."""
    return Path(str(resources.files("z3trace.testbed")))


def write_atomic(path: Path, content: bytes | str) -> None:
    """Write *content* to *path* through a temporary name in its directory."""
    data = content.encode() if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    fd, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
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
            shutil.rmtree(old, ignore_errors=True)
        else:
            try:
                os.replace(work, path)
            except OSError:
                if replace or not path.exists():
                    raise
                shutil.rmtree(work, ignore_errors=True)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise


def must_be_new(path: Path, *, force: bool) -> None:
    """UsageError if *path* exists and *force* is not given."""
    if path.exists() and not force:
        raise UsageError(f"{path} exists", "choose another name or give --force")


def discard(directory: Path, patterns: Iterable[str]) -> None:
    """Remove the files and links in *directory* whose names fit *patterns*; what is below
    it, and what links point to, stays."""
    if directory.is_symlink():
        return
    for pattern in patterns:
        for path in directory.glob(pattern):
            if path.parent == directory and (path.is_symlink() or path.is_file()):
                path.unlink(missing_ok=True)
