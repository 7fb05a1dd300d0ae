"""Run a command in a guest: a chosen kernel on the host's files, under QEMU.

virtme-ng makes the initramfs and the QEMU command; this module gives the guest
an init of its own that skips what a recording does not need, hands the command over
and its output back, and brings home what the command wrote.
"""

import os
import shlex
import sys
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from z3trace import paths
from z3trace.errors import GuestLostError, UsageError
from z3trace.guest import share
from z3trace.guest.accelerator import choose
from z3trace.guest.fitness import must_be_fit
from z3trace.guest.owncpus import owncpus
from z3trace.guest.process import FOLLOWED, Follower, Guest, boot, watch
from z3trace.guest.qemu import Options, guest_programs, qemu_command
from z3trace.guest.share import Directories
from z3trace.guest.spec import CheckSpec, PairSpec
from z3trace.kernels.fetch import Kernel, Say
from z3trace.printable import visible

_TAIL = 25  # lines of a lost guest's console that are shown
#: Seconds that the guest's command has to end after an interrupt.
_AFTER_INTERRUPT = 60
CONSOLE = "guest-console.log"
_SPEC, _TARGET = "spec.json", "target.toml"
_TARGET_LIMIT = 512 << 10
#: Bytes of each output of a guest's half that are shown: it says little if all is well.
_HALF_OUTPUT = 256 << 10
#: Of a program that a workload is, a script or an executable file.
_PROGRAM_LIMIT = 64 << 20
_SEEN = ("/usr", "/bin", "/sbin")
_PROGRAMS = (b"#!", b"\x7fELF")
Look = Callable[[Path], None]


@dataclass(frozen=True)
class Outcome:
    """How the command ended, and what the guest's console said."""

    status: int
    console: str
    boot_seconds: float
    warnings: tuple[str, ...]
    #: Names of ``Home.files`` that this guest made and that were brought home.
    made: tuple[str, ...] = ()


@dataclass(frozen=True)
class Home:
    """Where what a guest made goes when it is gone: *files* (names in the guest's own
    directory), whole or as the part that there is, and a lost guest's console."""

    directory: Path
    files: tuple[str, ...] = ()


def _script(kernel: Kernel, command: Sequence[str], directory: Path) -> str:
    exports = {
        "HOME": "/root",
        "LANG": "C.UTF-8",
        "PATH": f"{sysconfig.get_path('scripts')}:/usr/local/sbin:/usr/local/bin"
        ":/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONDONTWRITEBYTECODE": "1",
        # The options were settled on the host; root's file there is not the guest's to read.
        "Z3TRACE_CONFIG": "",
        "Z3TRACE_CACHE": str(paths.cache()),
        "Z3TRACE_PROGRAMS": str(guest_programs(kernel)),
        paths.KERNEL: kernel.called,
        paths.VOUCHED: "1",
    }
    lines = ["#!/bin/sh", *(f"export {k}={shlex.quote(v)}" for k, v in exports.items())]
    lines += [f"cd {shlex.quote(str(directory))}", f"exec {shlex.join(command)}", ""]
    return "\n".join(lines)


def _wait(guest: Guest, deadline: float, followers: Sequence[Callable[[], object]]) -> str | None:
    try:
        return watch(guest, deadline, followers, lambda: False)
    except KeyboardInterrupt:
        guest.tell("interrupt")
        print("interrupting the guest's command", file=sys.stderr)  # noqa: T201
    after = guest.lived() + _AFTER_INTERRUPT
    return watch(guest, after, followers, lambda: False)


def _bring_home(where: Directories, home: Home) -> tuple[list[str], list[Path]]:
    """Copy what the guest made: the names that are whole, and the parts of the others."""
    whole, parts = [], []
    for name in home.files:
        if share.copy_out(where.run / name, home.directory / name):
            whole.append(name)
            continue
        part = f"{name}.part"
        if share.copy_out(where.run / part, home.directory / part):
            parts.append(home.directory / part)
    return whole, parts


def _lost(why: str, console: str, home: Home, parts: Sequence[Path]) -> GuestLostError:
    kept = home.directory / CONSOLE
    paths.write_atomic(kept, console)
    tail = "\n".join(console.splitlines()[-_TAIL:])
    saved = f"; recorded so far: {', '.join(map(str, parts))}" if parts else ""
    return GuestLostError(f"the guest was lost: {why}\n{tail}", f"whole console: {kept}{saved}")


def _raw(stream: int) -> Callable[[bytes], None]:
    """Hands the output of the user's own command on as it is."""

    def write(data: bytes) -> None:
        while data:
            data = data[os.write(stream, data) :]

    return write


def _shown(stream: int, limit: int) -> Callable[[bytes], None]:
    """Hands on what a guest says that may run a stranger's code: text, and not too much."""
    write, left = _raw(stream), limit

    def show(data: bytes) -> None:
        nonlocal left
        if left > 0:
            text = visible(data[:left].decode(errors="replace"), keep="\n")
            write(text.encode())
        left -= len(data)

    return show


def drain(outputs: Sequence[Callable[[], bool]], limit: int) -> None:
    """Follow what is left of *outputs*, about *limit* bytes of each at the most: what a guest
    left may be a sparse file of any size."""
    for follow in outputs:
        for _ in range(limit // FOLLOWED + 1):
            if not follow():
                break


def run(  # noqa: PLR0913 - the parts of one guest
    kernel: Kernel,
    command: Sequence[str],
    options: Options,
    say: Say,
    home: Home | None = None,
    *,
    files: Mapping[str, bytes] | None = None,
    look: Look | None = None,
    output: int | None = None,
) -> Outcome:
    """Boot *kernel*, run *command* as root in ``options.share``, or in the guest's own
    directory where *files* lie, and return how it ended.

    *look* is called again and again with the guest's own directory.  *output*: so many
    bytes of each output are shown, as text; without it the output is handed on as it is.
    GuestLostError, with the console in its message, if the guest is lost.
    """
    if options.share:
        shared = options.share.resolve()
        share.must_be_shareable(shared)
        options = replace(options, share=shared)
    home = home or Home(options.share or Path.cwd())
    must_be_fit(kernel)
    kvm = choose(kernel, options, say) == "kvm"
    with share.directories(home.directory if home.files else None) as where:
        for name, content in (files or {}).items():
            (where.run / name).write_bytes(content)
            if content.startswith(_PROGRAMS):
                (where.run / name).chmod(0o755)
        script = _script(kernel, command, options.share or where.run)
        (where.run / "command.sh").write_text(script)
        argv = qemu_command(kernel, options, where, kvm=kvm)
        outputs = [
            Follower(where.run / name, _raw(stream) if output is None else _shown(stream, output))
            for name, stream in (("stdout", 1), ("stderr", 2))
        ]
        looks = [lambda: look(where.run)] if look else []
        sys.stdout.flush()
        guest, lost = boot(argv, where, say)
        boot_seconds = guest.age()
        try:
            with owncpus(guest.number):
                lost = lost or _wait(guest, options.deadline, [*outputs, *looks])
        finally:
            guest.kill()
            whole, parts = _bring_home(where, home)
        lost = lost or guest.excess(at_once=True) or None
        drain(outputs, output or share.RUN_LIMIT)
        console, status = guest.console.text(), guest.status()
        if lost is None and status is None:
            lost = guest.failure()
        if lost:
            parts += [] if home.files else sorted(home.directory.glob("*.z3t*.part"))
            raise _lost(lost, console, home, parts)
    warnings = tuple(f"{one.name}: {one.line}" for one in guest.console.health.symptoms)
    return Outcome(status or 0, console, boot_seconds, warnings, tuple(whole))


def own_program(argv: Sequence[str]) -> tuple[list[str], dict[str, bytes]]:
    """The command *argv* as a guest runs it, which sees nothing of where its user works: a
    program that is named with its directory comes along, by its name and content.

    UsageError if there is no such program.
    """
    path = Path(argv[0])
    if "/" not in argv[0] or any(path.is_relative_to(part) for part in _SEEN):
        return list(argv), {}
    if not path.is_file() or not os.access(path, os.X_OK):
        raise UsageError(f"there is no program {visible(argv[0])}", "name one that can be run")
    name = f"workload-{path.name}"
    return [f"./{name}", *argv[1:]], {name: paths.read_bounded(path, _PROGRAM_LIMIT)}


def run_half(  # noqa: PLR0913 - the parts of one guest
    kernel: Kernel,
    verb: str,
    spec: PairSpec | CheckSpec,
    options: Options,
    say: Say,
    home: Home,
    look: Look | None = None,
) -> Outcome:
    """Run the part of a verb that runs in the guest, *verb*, as *spec* says; the files that
    it names lie in the guest's own directory, and so does a target's own definition."""
    files: dict[str, bytes] = {}
    if spec.argv:
        argv, program = own_program(spec.argv)
        files |= program
        spec = msgspec.structs.replace(spec, argv=argv)
    if spec.target.endswith(".toml"):
        files[_TARGET] = paths.read_bounded(Path(spec.target), _TARGET_LIMIT)
        spec = msgspec.structs.replace(spec, target=_TARGET)
    files[_SPEC] = msgspec.json.encode(spec)
    command = [sys.executable, "-m", "z3trace", verb, _SPEC]
    return run(kernel, command, options, say, home, files=files, look=look, output=_HALF_OUTPUT)
