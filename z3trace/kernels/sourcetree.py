"""The kernel's source: only the files that modules are built from are unpacked, or all of it
for a kernel that is built whole.

A source package holds a packed archive of 1.5 GB; the files of it that are wanted are
read out of it as it passes by.
"""

import fnmatch
import lzma
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import IO, cast

from z3trace import tools
from z3trace.errors import Z3traceError
from z3trace.kernels import debs

_ARCHIVE = "usr/src/*.tar.*"


def unpack(deb: Path, into: Path, wanted: Collection[str]) -> None:
    """Write those files of the source package *deb* to *into* that match one of *wanted*,
    such as ``mm/z3fold.c`` or ``mm/*.h``.

    What a kernel no longer has is missing then.  Z3traceError if the package holds no
    source, or is damaged.
    """
    _with_source(deb, lambda packed, _: _pick(packed, into, wanted))


def unpack_all(deb: Path, into: Path) -> None:
    """Unpack all of the source package *deb* into *into*, without the archive's own
    directory; Z3traceError as of ``unpack``."""
    _with_source(deb, lambda packed, name: _all(packed, name, into))


def _with_source(deb: Path, do: Callable[[IO[bytes], str], None]) -> None:
    """Hand the packed archive that *deb* holds, and its name, to *do*."""
    try:
        with debs.archive(deb) as files, tarfile.open(fileobj=files, mode="r|") as outer:
            for member in outer:
                packed = outer.extractfile(member) if _is_source(member) else None
                if packed:
                    do(packed, member.name)
                    return
    except (tarfile.TarError, lzma.LZMAError, EOFError, OSError) as error:
        raise Z3traceError(f"the source in {deb.name} cannot be read: {error}") from error
    raise Z3traceError(f"{deb.name} holds no kernel source")


def _all(packed: IO[bytes], name: str, into: Path) -> None:
    unpacker = ["--zstd"] if name.endswith(".zst") else ["-J"] if name.endswith(".xz") else ["-j"]
    command = [tools.find("tar"), "-x", *unpacker, "--strip-components=1", "-C", str(into)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        given, said = cast(IO[bytes], process.stdin), cast(IO[bytes], process.stderr)
        with suppress(BrokenPipeError):
            shutil.copyfileobj(packed, given, 1 << 20)
        given.close()
        words = said.read().decode(errors="replace").strip()
    if process.returncode:
        raise Z3traceError(f"unpacking the kernel source failed: {words[-500:]}")


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
