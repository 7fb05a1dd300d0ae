"""The kernel's source: only the files that modules are built from are unpacked.

A source package holds a packed archive of 1.5 GB; the files of it that are wanted are
read out of it as it passes by.
"""

import fnmatch
import lzma
import shutil
import tarfile
from collections.abc import Collection
from pathlib import Path, PurePosixPath
from typing import IO

from z3trace.errors import Z3traceError
from z3trace.kernels import debs

_ARCHIVE = "usr/src/*.tar.*"


def unpack(deb: Path, into: Path, wanted: Collection[str]) -> None:
    """Write those files of the source package *deb* to *into* that match one of *wanted*,
    such as ``mm/z3fold.c`` or ``mm/*.h``.

    What a kernel no longer has is missing then.  Z3traceError if the package holds no
    source, or is damaged.
    """
    try:
        with debs.archive(deb) as files, tarfile.open(fileobj=files, mode="r|") as outer:
            for member in outer:
                packed = outer.extractfile(member) if _is_source(member) else None
                if packed:
                    _pick(packed, into, wanted)
                    return
    except (tarfile.TarError, lzma.LZMAError, EOFError, OSError) as error:
        raise Z3traceError(f"the source in {deb.name} cannot be read: {error}") from error
    raise Z3traceError(f"{deb.name} holds no kernel source")


def _is_source(member: tarfile.TarInfo) -> bool:
    name = member.name.removeprefix("./")
    return member.isfile() and fnmatch.fnmatchcase(name, _ARCHIVE)


def _pick(packed: IO[bytes], into: Path, wanted: Collection[str]) -> None:
    with tarfile.open(fileobj=packed, mode="r|*") as archive:
        for member in archive:
            # The first part is the archive's own directory.
            name = str(PurePosixPath(*PurePosixPath(member.name).parts[1:]))
            if not member.isfile() or not any(_fits(name, each) for each in wanted):
                continue
            content = archive.extractfile(member)
            if content is None or ".." in PurePosixPath(name).parts:
                continue
            path = into / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                shutil.copyfileobj(content, file)


def _fits(name: str, pattern: str) -> bool:
    """Whether *name* matches *pattern*, of which no ``*`` stands for a slash."""
    return name.count("/") == pattern.count("/") and fnmatch.fnmatchcase(name, pattern)
