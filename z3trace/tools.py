"""Run the programs that z3trace leans on, and say what is missing or went wrong."""

import logging
import shlex
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from z3trace.errors import Z3traceError

_log = logging.getLogger(__name__)
#: Program -> Debian package that has it.
PACKAGES = {
    "apt-get": "apt",
    "apt-cache": "apt",
    "bwrap": "bubblewrap",
    "dpkg-deb": "dpkg",
    "depmod": "kmod",
    "modinfo": "kmod",
    "mkswap": "util-linux",
    "prlimit": "util-linux",
    "setpriv": "util-linux",
    "swapon": "mount",
    "swapoff": "mount",
    "gcc": "gcc",
    "git": "git",
    "objcopy": "binutils",
    "make": "make",
    "nice": "coreutils",
    "spatch": "coccinelle",
    "tar": "tar",
    "xz": "xz-utils",
    "zstd": "zstd",
    "gzip": "gzip",
    "qemu-system-x86_64": "qemu-system-x86",
    "busybox": "busybox-static",
}
_SYSTEM_DIRECTORIES = ("/usr/local/sbin", "/usr/sbin", "/sbin")


def find(program: str) -> str:
    """Path of *program*, also where an ordinary user's PATH does not look."""
    path = shutil.which(program)
    for directory in _SYSTEM_DIRECTORIES:
        path = path or shutil.which(program, path=directory)
    if not path:
        package = PACKAGES.get(program, program)
        raise Z3traceError(f"{program} is not installed", f"on Debian: apt-get install {package}")
    return path


def run(
    arguments: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    doing: str = "",
    timeout: float | None = None,
) -> str:
    """Standard output of a program as text; errors as of ``output``."""
    said = output(arguments, cwd=cwd, env=env, doing=doing, timeout=timeout)
    return _text(said)


def _text(data: bytes) -> str:
    return data.decode(errors="replace").replace("\r\n", "\n").replace("\r", "\n")


def output(
    arguments: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    doing: str = "",
    timeout: float | None = None,
) -> bytes:
    """Standard output of a program; Z3traceError with its last lines when it fails, when it
    takes longer than *timeout* seconds, or when it cannot be started."""
    argv = [find(str(arguments[0])), *map(str, arguments[1:])]
    what = doing or Path(argv[0]).name
    began = time.monotonic()
    try:
        result = subprocess.run(
            argv,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Z3traceError(f"{what} took longer than {timeout:g} s") from error
    except OSError as error:
        raise Z3traceError(f"{what}: cannot run {argv[0]}: {error.strerror}") from error
    _log.debug(
        "%s: status %d after %.2f s", shlex.join(argv), result.returncode, time.monotonic() - began
    )
    if result.returncode:
        lines = _text(result.stdout + result.stderr).strip().splitlines()[-15:]
        raise Z3traceError(f"{what} failed with status {result.returncode}:\n" + "\n".join(lines))
    return result.stdout
