"""What is in a .deb: its files, unpacked or read one by one; nothing is installed."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from z3trace import tools
from z3trace.errors import Z3traceError


@contextmanager
def archive(deb: Path) -> Iterator[IO[bytes]]:
    """The package's files as one tar archive, to be read from its beginning.

    It need not be read to its end.  Z3traceError if the package is damaged.
    """
    command = [tools.find("dpkg-deb"), "--fsys-tarfile", str(deb)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        files, complaints = cast(IO[bytes], process.stdout), cast(IO[bytes], process.stderr)
        try:
            yield files
        finally:
            whole = not files.read(1)
            files.close()
            said = complaints.read().decode(errors="replace").strip()
        if process.wait() and whole:
            raise Z3traceError(f"unpacking {deb.name} failed: {said[-500:]}")


def unpack(deb: Path, root: Path) -> None:
    """Unpack the package into *root*; a link to a directory that stands there stays, and
    what the package has in that directory goes to where it points."""
    with archive(deb) as files:
        result = subprocess.run(
            [tools.find("tar"), "-xp", "--keep-directory-symlink", "-C", str(root)],
            stdin=files,
            capture_output=True,
            check=False,
        )
    if result.returncode:
        said = result.stderr.decode(errors="replace").strip()
        raise Z3traceError(f"unpacking {deb.name} failed: {said[-500:]}")
