"""The box: where everything runs that reads a stranger's patch or source.

A program in the box sees the system's programs and libraries, what it is given to read,
an empty /tmp, and the one directory that it may write: no network, no home, no other
process, and no right over anything.  bubblewrap makes it of the kernel's namespaces, as
root and as an ordinary user.
"""

import os
import re
import select
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from z3trace import tools
from z3trace.errors import CannotTraceError, InputError, Z3traceError
from z3trace.printable import visible

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#: Nobody: a program that finds out who it is finds no name.
_USER = "65534"
#: Where programs and libraries lie; on most systems they are links into /usr.
_SYSTEM = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
#: What programs need of /etc: which of several compilers is cc, and where libraries lie.
_SETTINGS = ("/etc/alternatives", "/etc/ld.so.cache")

_TEMPORARY = 512 << 20  # bytes in /tmp, all files together
#: The kernel does not hold root to this one: there the time alone ends a flood of processes.
_PROCESSES = 256
_OPEN_FILES = 1024
_OUTPUT = 1 << 20  # bytes of its output that are kept, from the end

#: Of a process, and of one whose parent tells: at the limit of a processor's time, or when
#: the machine is out of memory.
_KILLED = {code for sign in (signal.SIGKILL, signal.SIGXCPU) for code in (-sign, 128 + sign)}

#: Lines of a program that failed: from the first error on, else the last ones.
_MOST_SAID = 15
_CHATTER = re.compile(r"make(\[\d+\])?: (Entering|Leaving) directory|  (CC|LD|MODPOST) ")

_UNBOXED = "--unboxed lets a stranger's patch meet the compiler outside of a box"


@dataclass(frozen=True)
class Bounds:
    """What each program in a box may take, and what all of them together may leave behind."""

    memory: int = 2 << 30  # bytes of address space
    file: int = 256 << 20  # bytes of a file that it writes
    files: int = 1000
    size: int = 512 << 20  # bytes of all files
    #: Whether links may be left too: then nobody may follow what lies there.
    links: bool = False


_ORDINARY = Bounds()


@dataclass(frozen=True)
class Box:
    """A box around one directory.

    With *boxed* false all bounds hold but the box itself: the user's own decision.
    """

    #: What a program may change, and where it starts.
    writable: Path
    #: Directories that it may read, besides the system's programs and libraries.
    readable: Sequence[Path] = ()
    boxed: bool = True
    #: Where the programs and libraries lie that it sees as the system's.
    system: Path = Path("/")
    bounds: Bounds = _ORDINARY
    #: Files that are seen in the place of others: (a file, the path that it is seen at).
    over: Sequence[tuple[Path, Path]] = ()

    def run(
        self,
        arguments: Sequence[str | Path],
        *,
        doing: str,
        data: bytes = b"",
        environment: Mapping[str, str] | None = None,
        timeout: float = 120,
    ) -> str:
        """What a program says, its last MiB; Z3traceError if it fails.

        *data* is its standard input; *timeout* is in seconds, of the clock and of a
        processor.  InputError if it leaves anything but files and directories behind.
        CannotTraceError where no box can be had.
        """
        variables = {"PATH": _PATH, "LC_ALL": "C", "HOME": "/nonexistent", **(environment or {})}
        program = _find(str(arguments[0]), self.system)
        command = [*_bounds(self.bounds, timeout, self.system), program, *map(str, arguments[1:])]
        if self.boxed:
            command = [*_walls(self), *command]
        status, output = self._watch(command, variables, data, timeout)
        if self.boxed and status and output.startswith("bwrap: "):
            _must_be_had()
        only_files(self.writable, doing, self.bounds)
        if status is None:
            raise Z3traceError(f"{doing} took longer than {timeout:.0f} s")
        if status in _KILLED:
            raise Z3traceError(f"{doing} was killed: it took too much time or memory")
        if status:
            raise Z3traceError(f"{doing} failed with status {status}:\n{self._said(output)}")
        return output

    def _said(self, output: str) -> str:
        """What a program said that failed, without the name of the directory that it works
        in, which is gone by now, and without make's own lines about that."""
        plain = output.replace(f"{self.writable}/", "")
        told = [line for line in plain.strip().splitlines() if not _CHATTER.match(line)]
        first = next((i for i, line in enumerate(told) if "error:" in line), len(told))
        kept = told[first : first + _MOST_SAID] or told[-_MOST_SAID:]
        return "\n".join(line[:300] for line in kept)

    def _watch(
        self, command: Sequence[str], variables: Mapping[str, str], data: bytes, timeout: float
    ) -> tuple[int | None, str]:
        """(exit status, the end of the output); no status if it was killed after *timeout*."""
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as output:
            given.write(data)
            given.seek(0)
            process = subprocess.Popen(
                command,
                stdin=given,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=variables,
                cwd=self.writable,
                process_group=0,
            )
            try:
                in_time = _ended(process, timeout)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
            size = output.seek(0, os.SEEK_END)
            output.seek(max(0, size - _OUTPUT))
            return process.returncode if in_time else None, said(output.read())[-_OUTPUT:]


def _ended(process: "subprocess.Popen[bytes]", timeout: float) -> bool:
    """Wait for the end of a process, and no longer than it takes: Popen.wait with a timeout
    looks every 50 ms."""
    end = os.pidfd_open(process.pid)
    try:
        return bool(select.select([end], [], [], timeout)[0])
    finally:
        os.close(end)


def _find(program: str, system: Path = Path("/")) -> str:
    """Where a program of *system* is, for those who see that as the root."""
    for directory in _PATH.split(":"):
        path = Path(directory) / program
        if shutil.which(system / path.relative_to("/")):
            return str(path)
    if system != Path("/"):
        raise Z3traceError(f"{program} is not in {system}", "remove it, and it is made again")
    elsewhere = tools.find(program)
    raise Z3traceError(f"{program} is at {elsewhere}", "the box sees programs below /usr only")


def _bounds(bounds: Bounds, timeout: float, system: Path) -> list[str]:
    """The command that holds another to the bounds."""
    limits = {
        "cpu": int(timeout),
        "as": bounds.memory,
        "fsize": bounds.file,
        "nproc": _PROCESSES,
        "nofile": _OPEN_FILES,
        "core": 0,
    }
    return [
        _find("prlimit", system),
        *(f"--{name}={value}" for name, value in limits.items()),
        "--",
    ]


def walls(
    readable: Iterable[Path], writable: Iterable[Path], *more: str, system: Path = Path("/")
) -> list[str]:
    """The beginning of a command that runs in namespaces of its own: the programs and
    libraries of *system* to read, *readable* and *writable* directories, *more* options of
    bwrap.

    CannotTraceError where bubblewrap is not installed.
    """
    try:
        bwrap = tools.find("bwrap")
    except Z3traceError as error:
        raise CannotTraceError(
            f"there is no box to build in: {error.message}", f"{error.hint}; {_UNBOXED}"
        ) from error
    options = ["--unshare-all", "--unshare-user", "--disable-userns", "--cap-drop", "ALL"]
    options += ["--hostname", "box", "--die-with-parent", "--ro-bind", str(system / "usr"), "/usr"]
    for name in _SYSTEM:
        directory = system / name
        if directory.is_symlink():
            options += ["--symlink", str(directory.readlink()), f"/{name}"]
        elif directory.is_dir():
            options += ["--ro-bind", str(directory), f"/{name}"]
    for path in _SETTINGS if system == Path("/") else ():
        options += ["--ro-bind-try", path, path]
    # Root is judged by its number at /proc/sys, and not by its rights.
    options += ["--proc", "/proc", "--remount-ro", "/proc", "--dev", "/dev"]
    options += ["--size", str(_TEMPORARY), "--tmpfs", "/tmp"]  # noqa: S108 - the box's own
    for shown in sorted({name for each in readable for name in (each, each.resolve())}):
        options += ["--ro-bind", str(shown), str(shown)]
    for home in writable:
        options += ["--bind", str(home), str(home)]
    return [bwrap, *options, *more, "--remount-ro", "/"]


def _walls(box: Box) -> list[str]:
    """The command that runs another in the box."""
    user = ("--uid", _USER, "--gid", _USER)
    over = [word for file, at in box.over for word in ("--ro-bind", str(file), str(at))]
    more = (*user, "--new-session", "--remount-ro", "/dev", "--chdir", str(box.writable), *over)
    return [*walls(box.readable, [box.writable], *more, system=box.system), "--"]


def said(data: bytes) -> str:
    """What a program printed, as text that may go to a terminal."""
    return visible(data.decode(errors="replace"), keep="\n\t")


def _must_be_had() -> None:
    """CannotTraceError if this kernel makes no box; a program's own words may be meant to
    look like it."""
    with tempfile.TemporaryDirectory(prefix="z3t-") as directory:
        command = [*_walls(Box(Path(directory))), _find("true")]
        result = subprocess.run(command, capture_output=True, check=False)
    if result.returncode:
        words = said(result.stderr).strip().removeprefix("bwrap: ")
        raise CannotTraceError(
            f"there is no box to build in: this kernel refuses one: {words}",
            f"let it make user namespaces, or run z3trace as root; {_UNBOXED}",
        )


def only_files(directory: Path, doing: str, bounds: Bounds = _ORDINARY) -> None:
    """InputError if below *directory* lies anything but regular files and directories, and
    links where *bounds* allow them, or too much of it."""
    pending, files, size = [directory], 0, 0
    try:
        while pending:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    status = entry.stat(follow_symlinks=False)
                    files += 1
                    size += status.st_size
                    if stat.S_ISDIR(status.st_mode):
                        pending.append(Path(entry.path))
                    elif not _may_be_left(status.st_mode, bounds):
                        raise InputError(f"{doing} leaves what is no file: {entry.name!r}")
                    if files > bounds.files or size > bounds.size:
                        raise InputError(f"{doing} leaves too many or too large files")
    except OSError as error:
        raise InputError(f"{doing} leaves what cannot be read: {error.strerror}") from error


def _may_be_left(mode: int, bounds: Bounds) -> bool:
    return stat.S_ISREG(mode) or (bounds.links and stat.S_ISLNK(mode))
