"""Run a command in a guest: a chosen kernel on the host's files, under QEMU.

virtme-ng makes the initramfs and the QEMU command; this module gives the guest
an init of its own that skips what a recording does not need, keeps hold of the
QEMU process, watches the console, and ends the guest when it hangs, crashes or
passes its deadline.  What the guest wrote into the shared directory stays.
"""

import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from z3trace import paths, tools
from z3trace.errors import GuestLostError, UsageError
from z3trace.kernel.console import HANGS, symptoms
from z3trace.kernel.fetch import Kernel, Say
from z3trace.kernel.qemu import Options, guest_programs, qemu_command

READY = "z3trace-guest: ready"
#: Why a guest is lost that hangs without a word, as an emulated one may when code is
#: patched that another CPU translates (docs/measured.md).
SILENT = "it answers nothing"
#: Looking at the guest takes time from it: both share the machine.
_POLL = 0.25
_GRACE = 3.0  # seconds a lost guest has to print its trace
_BOOT_DEADLINE = 120.0
#: Seconds without a word on the console after which a guest is asked whether it is there
#: (to answer takes its time), and that it has for the answer.
_SILENCE = 60.0
_ANSWER = 90.0
_BOOTS = 2


@dataclass(frozen=True)
class Outcome:
    """How the command ended, and what the guest's console said."""

    status: int
    console: str
    boot_seconds: float
    warnings: tuple[str, ...]


def _script(command: Sequence[str], environment: Mapping[str, str], directory: Path) -> str:
    exports = {
        "HOME": "/root",
        "LANG": "C.UTF-8",
        "PATH": f"{sysconfig.get_path('scripts')}:/usr/local/sbin:/usr/local/bin"
        ":/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONDONTWRITEBYTECODE": "1",
        "Z3TRACE_CACHE": str(paths.cache()),
        "Z3TRACE_PROGRAMS": str(guest_programs()),
        **environment,
    }
    lines = ["#!/bin/sh", *(f"export {k}={shlex.quote(v)}" for k, v in exports.items())]
    lines += [f"cd {shlex.quote(str(directory))}", f"exec {shlex.join(command)}", ""]
    return "\n".join(lines)


class _Follower:
    """Copies what is appended to a file to a stream."""

    def __init__(self, path: Path, stream: BinaryIO) -> None:
        self._path, self._stream, self._offset = path, stream, 0

    def poll(self) -> None:
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except OSError:
            return
        if data:
            self._offset += len(data)
            self._stream.write(data)
            self._stream.flush()


class Guest:
    """A running QEMU process."""

    def __init__(self, argv: list[str], run: Path, private: Path) -> None:
        self._run = run
        self._socket = private / "console"
        self._console_size = 0
        self.started = time.monotonic()
        # Whoever kills us does not mean to leave a guest behind.
        tied = [tools.find("setpriv"), "--pdeathsig", "KILL", "--", *argv]
        with (run / "qemu.log").open("wb") as log:
            self._process = subprocess.Popen(
                tied, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def console(self) -> str:
        with suppress(OSError):
            return (self._run / "console.log").read_text(errors="replace")
        return ""

    def console_grew(self) -> bool:
        """Whether the console has more than at the last call."""
        with suppress(OSError):
            size = (self._run / "console.log").stat().st_size
            if size != self._console_size:
                self._console_size = size
                return True
        return False

    def is_lost(self) -> bool:
        return any(lost for _, _, lost in symptoms(self.console()))

    def is_ready(self) -> bool:
        """Whether it has booted and started its command."""
        return READY in self.console()

    def hung(self) -> bool:
        """Whether nothing worse than a hang is known of it."""
        return all(name in HANGS for name, _, lost in symptoms(self.console()) if lost)

    def running(self) -> bool:
        return self._process.poll() is None

    def tell(self, word: str) -> None:
        """Send the guest's init a word: ``interrupt`` its command, or ``ping``, which it
        answers on the console."""
        with suppress(OSError), socket.socket(socket.AF_UNIX) as line:
            line.connect(str(self._socket))
            line.sendall(f"{word}\n".encode())

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def status(self) -> int | None:
        with suppress(OSError, ValueError):
            return int((self._run / "status").read_text())
        return None

    def failure(self) -> str:
        """Why the guest is lost, in one line; QEMU's own words if it never started."""
        for name, line, lost in symptoms(self.console()):
            if lost:
                return f"{name}: {line}"
        with suppress(OSError):
            said = (self._run / "qemu.log").read_text(errors="replace").strip()
            if said:
                return f"QEMU: {said.splitlines()[-1]}"
        return "the guest ended without a word"


class _Pulse:
    """Whether a guest is there: it said something lately, or answers when it is asked."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        self._heard = time.monotonic()
        self._asked: float | None = None

    def heard(self, now: float) -> None:
        self._heard, self._asked = now, None

    def is_gone(self, now: float) -> bool:
        if self._asked is None and now - self._heard > _SILENCE:
            self._guest.tell("ping")
            self._asked = now
        return self._asked is not None and now - self._asked > _ANSWER


def _watch(
    guest: Guest, deadline: float, followers: Sequence[_Follower], until: Callable[[], bool]
) -> str | None:
    """Wait for the guest's end or *until*; None, or why the guest is lost."""
    doomed = None
    pulse = _Pulse(guest)
    while guest.running() and not until():
        for follower in followers:
            follower.poll()
        now = time.monotonic()
        if now - guest.started > deadline:
            return f"the guest passed its deadline of {deadline:.0f} s"
        grew = guest.console_grew()
        if grew:
            pulse.heard(now)
        if doomed is None and grew and guest.is_lost():
            doomed = now
        if doomed is not None and now - doomed > _GRACE:
            # What the console said after its first bad line may take it back.
            if guest.is_lost():
                return guest.failure()
            doomed = None
        if pulse.is_gone(now):
            return f"{SILENT} since {_SILENCE + _ANSWER:.0f} s"
        time.sleep(_POLL)
    return None


@contextmanager
def _directories(share: Path) -> Iterator[tuple[Path, Path]]:
    """(directory below the share for this run, private directory for the socket)."""
    if share == Path("/") or not share.is_dir():
        raise UsageError(f"{share} cannot be shared with a guest", "name a directory with --share")
    run = Path(tempfile.mkdtemp(dir=share, prefix=".z3trace-vm-"))
    private = Path(tempfile.mkdtemp(prefix="z3t-"))
    try:
        yield run, private
    finally:
        shutil.rmtree(private, ignore_errors=True)
        shutil.rmtree(run, ignore_errors=True)


def _wait(guest: Guest, deadline: float, followers: Sequence[_Follower]) -> str | None:
    try:
        return _watch(guest, deadline, followers, lambda: False)
    except KeyboardInterrupt:
        guest.tell("interrupt")
        print("interrupting the guest's command", file=sys.stderr)  # noqa: T201
    return _watch(guest, time.monotonic() - guest.started + 60, followers, lambda: False)


def _boot(argv: list[str], run: Path, private: Path, say: Say) -> tuple[Guest, str | None]:
    """(guest, why it is lost or None).  Before its command nothing can be lost with a guest:
    one that hangs while it boots, as an emulated one on a busy machine may, is booted again."""
    boots = 1
    while True:
        guest = Guest(argv, run, private)
        keep = False
        try:
            lost = _watch(guest, _BOOT_DEADLINE, [], guest.is_ready)
            keep = lost is None or boots == _BOOTS or not guest.hung()
        finally:
            if not keep:
                guest.kill()
        if keep:
            return guest, lost
        (run / "console.log").unlink(missing_ok=True)
        say(f"the guest did not boot, booting again ({lost})")
        boots += 1


def run(
    kernel: Kernel,
    command: Sequence[str],
    options: Options,
    say: Say,
    environment: Mapping[str, str] | None = None,
) -> Outcome:
    """Boot *kernel*, run *command* as root in the shared directory, and return how it
    ended.  GuestLostError, with the console in its message, if the guest is lost."""
    from z3trace.kernel.accelerator import choose

    kvm = choose(kernel, options, say) == "kvm"
    share = options.share.resolve()
    options = Options(**{**options.__dict__, "share": share})
    with _directories(share) as (run_directory, private):
        (run_directory / "command.sh").write_text(_script(command, environment or {}, share))
        argv = qemu_command(kernel, options, run_directory, private, kvm=kvm)
        followers = [
            _Follower(run_directory / "stdout", sys.stdout.buffer),
            _Follower(run_directory / "stderr", sys.stderr.buffer),
        ]
        guest, lost = _boot(argv, run_directory, private, say)
        boot = time.monotonic() - guest.started
        try:
            lost = lost or _wait(guest, options.deadline, followers)
        finally:
            guest.kill()
        for follower in followers:
            follower.poll()
        console, status = guest.console(), guest.status()
        if lost is None and status is None:
            lost = guest.failure()
        if lost:
            kept = share / "guest-console.log"
            paths.write_atomic(kept, console)
            tail = "\n".join(console.splitlines()[-25:])
            parts = ", ".join(str(part) for part in sorted(share.glob("*.z3t*.part")))
            saved = f"; recorded so far: {parts}" if parts else ""
            raise GuestLostError(
                f"the guest was lost: {lost}\n{tail}", f"whole console: {kept}{saved}"
            )
    warnings = tuple(f"{name}: {line}" for name, line, _ in symptoms(console))
    return Outcome(status or 0, console, boot, warnings)


def reaches_user_space(kernel: Kernel, options: Options, deadline: float, *, kvm: bool) -> bool:
    """Whether a guest gets to its first command within *deadline* seconds."""
    with tempfile.TemporaryDirectory(prefix="z3t-share-") as name:
        options = Options(**{**options.__dict__, "share": Path(name)})
        with _directories(options.share) as (run_directory, private):
            (run_directory / "command.sh").write_text("exit 0\n")
            argv = qemu_command(kernel, options, run_directory, private, kvm=kvm)
            guest = Guest(argv, run_directory, private)
            try:
                _watch(guest, deadline, [], guest.is_ready)
                return guest.is_ready()
            finally:
                guest.kill()
