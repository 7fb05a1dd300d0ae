"""A guest's QEMU process: start it, follow what it says, know when it is lost.

A guest is lost when its console tells of a lockup, oops or panic, when it answers
nothing, or when it passes its deadline.  The last two go by its own time: it is not lost
because its host is busy.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from z3trace import tools
from z3trace.guest import share
from z3trace.guest.console import CONSOLE_LIMIT, HANGS, Console
from z3trace.guest.owntime import OwnTime
from z3trace.guest.share import Directories
from z3trace.kernels.fetch import Say

#: Why a guest is lost that hangs without a word, as an emulated one may when code is
#: patched that another CPU translates (docs/measured.md).
SILENT = "it answers nothing"
#: Looking at the guest takes time from it: both share the machine.
_POLL = 0.25
_GRACE = 3.0  # seconds a lost guest has to print its trace
_BOOT_DEADLINE = 120.0
#: However busy its host, a guest gets no more than this many times its deadline.
PATIENCE = 10
#: A guest that was stopped finds itself hung when it goes on, and says so within this many
#: seconds; one that really hangs says it again.
_AFTER_STOP = 30.0
#: Seconds without a word on the console after which a guest is asked whether it is there
#: (to answer takes its time), and that it has for the answer.
_SILENCE = 60.0
_ANSWER = 90.0
_BOOTS = 2
#: Bytes of a guest's output that are handed on in one go.
FOLLOWED = 1 << 20
_LOG = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WORD = 5.0  # seconds to hand a word over
_HEARD = 4096  # bytes
#: How the guest's init begins what it says.
ANSWER = b"z3trace-guest: "


class Follower:
    """Hands what a guest appends to a file on, a bounded part at a time."""

    def __init__(self, path: Path, take: Callable[[bytes], None]) -> None:
        self._path, self._take, self._offset = path, take, 0

    def __call__(self) -> bool:
        """Whether there was something new."""
        data = share.read(self._path, FOLLOWED, self._offset)
        if data:
            self._offset += len(data)
            self._take(data)
        return bool(data)


class Guest:
    """A running QEMU process, with its console in *private* and its results in *run*."""

    def __init__(self, argv: list[str], where: Directories) -> None:
        self._where = where
        self._looked = self._started = time.monotonic()
        self.console = Console(where.private / "console.log")
        # Whoever kills us does not mean to leave a guest behind.
        tied = [tools.find("setpriv"), "--pdeathsig", "KILL", "--", *argv]
        log_fd = os.open(where.private / "qemu.log", _LOG, 0o600)
        with os.fdopen(log_fd, "wb") as log:
            self._process = subprocess.Popen(
                tied, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        #: Seconds that it has lived, without those that its host took from it.
        self.lived = OwnTime(self._process.pid)

    def age(self) -> float:
        """Seconds since its start, whatever happened in them."""
        return time.monotonic() - self._started

    @property
    def number(self) -> int:
        """Of its first process: QEMU, or what QEMU was started by."""
        return self._process.pid

    def is_lost(self) -> bool:
        return self.console.health.lost

    def excuse(self) -> None:
        """Whoever was stopped and goes on has not hung, whatever its console says of it."""
        if self.is_lost() and self.hung() and self.lived.was_stopped(_AFTER_STOP):
            self.console.health.pardon()

    def overdue(self, deadline: float) -> str:
        """How it passed its *deadline*, in seconds of its own; empty if it did not."""
        lived, watched = self.lived(), self.lived.watched()
        if lived > deadline:
            return f"the guest passed its deadline of {deadline:.0f} s"
        if watched > PATIENCE * deadline:
            return (
                f"in {watched:.0f} s its host left the guest {lived:.0f} s of the "
                f"{deadline:.0f} s up to its deadline"
            )
        return ""

    def is_ready(self) -> bool:
        """Whether it has booted and started its command."""
        return self.console.health.ready

    def hung(self) -> bool:
        """Whether nothing worse than a hang is known of it."""
        return all(s.name in HANGS for s in self.console.health.symptoms if s.lost)

    def running(self) -> bool:
        return self._process.poll() is None

    def tell(self, word: str) -> None:
        """Send the guest's init a word: ``interrupt`` its command, or ``ping``; it answers
        both on the console."""
        until = time.monotonic() + _WORD
        with suppress(OSError), socket.socket(socket.AF_UNIX) as line:
            line.settimeout(_WORD)
            line.connect(str(self._where.private / "console"))
            line.sendall(f"{word}\n".encode())
            # The serial line takes a few bytes at a time, and QEMU drops the rest of them
            # when its peer is gone.
            heard = b"."
            while heard and ANSWER not in heard and time.monotonic() < until:
                heard = heard[-len(ANSWER) :] + line.recv(_HEARD)

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        while self.console.grew() and not self.console.flooded:
            pass

    def status(self) -> int | None:
        """How the command ended; None if the guest did not tell."""
        with suppress(ValueError):
            return int(share.read(self._where.run / "status", 16) or b"")
        return None

    def failure(self) -> str:
        """Why the guest is lost, in one line; QEMU's own words if it never started."""
        for symptom in self.console.health.symptoms:
            if symptom.lost:
                return f"{symptom.name}: {symptom.line}"
        said = share.read(self._where.private / "qemu.log", FOLLOWED) or b""
        lines = said.decode(errors="replace").strip().splitlines()
        return f"QEMU: {lines[-1]}" if lines else "the guest ended without a word"

    def excess(self, *, at_once: bool = False) -> str:
        """What the guest has written too much of; looked at once a second, or *at_once*."""
        if self.console.flooded:
            return f"its console passed {CONSOLE_LIMIT >> 20} MiB"
        now = time.monotonic()
        if now - self._looked < 1 and not at_once:
            return ""
        self._looked = now
        much = share.overflow(self._where.run, self._process.pid)
        return f"it left {much} in its directory" if much else ""


class _Pulse:
    """Whether a guest is there: it said something lately, or answers when it is asked;
    times are its own."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        self._heard = guest.lived()
        self._asked: float | None = None

    def heard(self, now: float) -> None:
        self._heard, self._asked = now, None

    def is_gone(self, now: float) -> bool:
        if self._asked is None and now - self._heard > _SILENCE:
            self._guest.tell("ping")
            self._asked = now
        return self._asked is not None and now - self._asked > _ANSWER


def watch(
    guest: Guest,
    deadline: float,
    followers: Sequence[Callable[[], object]],
    until: Callable[[], bool],
) -> str | None:
    """Wait for the guest's end or *until*; None, or why the guest is lost.

    *followers* are called in turn, and do a bounded part of their work each time: the
    deadline (seconds of the guest's own, since its start) holds whatever the guest does.
    """
    doomed = None
    pulse = _Pulse(guest)
    while guest.running() and not until():
        now = guest.lived()
        if overdue := guest.overdue(deadline):
            return overdue
        for follow in followers:
            follow()
        grew = guest.console.grew()
        if grew:
            pulse.heard(now)
            guest.excuse()
        excess = guest.excess()
        if excess:
            return excess
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


def boot(argv: list[str], where: Directories, say: Say) -> tuple[Guest, str | None]:
    """(guest, why it is lost or None).  Before its command nothing can be lost with a guest:
    one that hangs while it boots, as an emulated one on a busy machine may, is booted again."""
    boots = 1
    while True:
        guest = Guest(argv, where)
        keep = False
        try:
            lost = watch(guest, _BOOT_DEADLINE, [], guest.is_ready)
            keep = lost is None or boots == _BOOTS or not guest.hung()
        finally:
            if not keep:
                guest.kill()
        if keep:
            return guest, lost
        (where.private / "console.log").unlink(missing_ok=True)
        say(f"the guest did not boot, booting again ({lost})")
        boots += 1
