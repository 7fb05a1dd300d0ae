"""Which QEMU runs a guest without KVM.

QEMU before 8.1 translates guest code without a lock on the page that it reads: code that
another CPU patches in that moment is kept as it was.  The kernel patches functions with
a breakpoint first (probes, jump labels); a CPU that keeps the breakpoint after it is gone
traps for ever, interrupts off, and the guest hangs.  Debian 12 has 7.2; a newer one is in
its backports, and is unpacked into the cache, never installed.
"""

import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

from z3trace import paths, tools
from z3trace.errors import Z3traceError

Say = Callable[[str], None]
_FIXED = (8, 1)
_PROGRAM = "qemu-system-x86_64"
_PACKAGES = ("qemu-system-x86", "qemu-system-common", "qemu-system-data", "seabios")
_SUITE = "bookworm"


def version(program: str) -> tuple[int, int]:
    """(major, minor) of a QEMU; Z3traceError if it does not run."""
    result = subprocess.run(
        [program, "--version"], capture_output=True, text=True, check=False, timeout=60
    )
    found = re.search(r"version (\d+)\.(\d+)", result.stdout)
    if result.returncode or not found:
        raise Z3traceError(f"{program} does not run: {result.stderr.strip()[-300:]}")
    return int(found.group(1)), int(found.group(2))


def _repository() -> str:
    """Where this machine gets the distribution's packages from."""
    form = "$(REPO_URI) $(RELEASE) $(CREATED_BY)"
    for line in tools.run(["apt-get", "indextargets", "--format", form]).splitlines():
        words = line.split()
        if len(words) == 3 and words[1] == _SUITE and words[2] == "Packages":
            return words[0]
    raise Z3traceError(f"this machine has no package source of {_SUITE}")


def _private_apt(directory: Path) -> list[str]:
    """Options that make apt use the backports, and lists of its own in *directory*."""
    for name in ("lists/partial", "cache/archives/partial"):
        (directory / name).mkdir(parents=True)
    source = directory / "backports.list"
    source.write_text(f"deb {_repository()} {_SUITE}-backports main\n")
    settings = {
        "Dir::Etc::sourcelist": source,
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::lists": directory / "lists",
        "Dir::Cache": directory / "cache",
    }
    return [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]


def _fetch(into: Path, say: Say) -> None:
    """Unpack the backports' QEMU into *into*; apt checks signatures and hashes."""
    say(f"fetching a QEMU from {_SUITE}-backports: the one here can hang when code is patched")
    with paths.new_directory(into) as work:
        apt = _private_apt(work / "apt")
        tools.run(["apt-get", "-q", *apt, "update"], doing="reading the backports' package lists")
        names = [f"{name}/{_SUITE}-backports" for name in _PACKAGES]
        tools.run(["apt-get", "-q", *apt, "download", *names], cwd=work, doing="fetching QEMU")
        for deb in sorted(work.glob("*.deb")):
            tools.run(["dpkg-deb", "-x", deb, work / "root"], doing=f"unpacking {deb.name}")
            deb.unlink()
        version(str(work / "root/usr/bin" / _PROGRAM))


def _unpacked(root: Path) -> list[str]:
    data = [root / "usr/share" / name for name in ("qemu", "seabios")]
    found = [str(root / "usr/bin" / _PROGRAM)]
    return found + [word for path in data for word in ("-L", str(path))]


@cache
def emulator() -> tuple[str, ...]:
    """The beginning of a QEMU command for a guest without KVM.

    The system's own if it is new enough, else one from the cache, fetched if need be;
    if that cannot be had the system's all the same, with a warning.
    """
    own = tools.find(_PROGRAM)
    if version(own) >= _FIXED:
        return (own,)
    directory = paths.cache() / "qemu"

    def say(text: str) -> None:
        print(text, file=sys.stderr)  # noqa: T201

    try:
        if not (directory / "root").exists():
            _fetch(directory, say)
        found = _unpacked(paths.trusted(directory / "root"))
        version(found[0])
    except (Z3traceError, OSError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        say(f"warning: QEMU {'.'.join(map(str, version(own)))} may hang a guest ({said})")
        return (own,)
    return tuple(found)
