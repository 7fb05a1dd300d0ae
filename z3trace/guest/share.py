"""What a guest and its host share: a directory for the run, and a private one."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from z3trace.errors import UsageError


@contextmanager
def directories(share: Path) -> Iterator[tuple[Path, Path]]:
    """(directory below the share for this run, private directory for the socket), both
    removed when the block ends."""
    if share == Path("/") or not share.is_dir():
        raise UsageError(f"{share} cannot be shared with a guest", "name a directory with --share")
    run = Path(tempfile.mkdtemp(dir=share, prefix=".z3trace-vm-"))
    private = Path(tempfile.mkdtemp(prefix="z3t-"))
    try:
        yield run, private
    finally:
        shutil.rmtree(private, ignore_errors=True)
        shutil.rmtree(run, ignore_errors=True)
