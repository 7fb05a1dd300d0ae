"""A guest's QEMU process: start it, follow what it says, know when it is lost.

A guest is lost when its console tells of a lockup, oops or panic, when it answers
nothing, or when it passes its deadline.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from z3trace import tools
from z3trace.guest.console import HANGS, symptoms
from z3trace.kernels.fetch import Say

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


class Follower:
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


def watch(
    guest: Guest, deadline: float, followers: Sequence[Follower], until: Callable[[], bool]
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


def boot(argv: list[str], run: Path, private: Path, say: Say) -> tuple[Guest, str | None]:
    """(guest, why it is lost or None).  Before its command nothing can be lost with a guest:
    one that hangs while it boots, as an emulated one on a busy machine may, is booted again."""
    boots = 1
    while True:
        guest = Guest(argv, run, private)
        keep = False
        try:
            lost = watch(guest, _BOOT_DEADLINE, [], guest.is_ready)
            keep = lost is None or boots == _BOOTS or not guest.hung()
        finally:
            if not keep:
                guest.kill()
        if keep:
            return guest, lost
        (run / "console.log").unlink(missing_ok=True)
        say(f"the guest did not boot, booting again ({lost})")
        boots += 1
