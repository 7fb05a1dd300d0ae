"""What a guest's console says of its health: lockups, oopses, panics, out of memory.

A console is written by whatever runs in the guest: its lines are cut, searched in one
pass each for fixed words, and read once, a bounded part at a time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from z3trace.guest import share
from z3trace.printable import visible

STALL = "RCU stall"
LOCKUP = "soft lockup"
READY = "z3trace-guest: ready"
#: The symptoms of a guest that may be well the next time.
HANGS = frozenset((STALL, LOCKUP))
#: Characters of a line that are looked at; the kernel's own lines are shorter than 1 000.
LINE_LIMIT = 1024
#: Bytes of console that are read in one go, so that a deadline is never far.
READ_LIMIT = 1 << 20
#: A guest that says more than this is flooding its host.
CONSOLE_LIMIT = 64 << 20
_MOST_SYMPTOMS = 1000


@dataclass(frozen=True)
class Pattern:
    """A line with all of *words*, in this order, means *name*; *lost*: the guest is lost by
    it.  *but*: the first word does not count where this follows it."""

    words: tuple[str, ...]
    name: str
    lost: bool = True
    but: str = ""

    def match(self, line: str) -> str:
        """The part of *line* from the first word on; empty if it does not fit."""
        start = line.find(self.words[0])
        while self.but and start >= 0 and line.startswith(self.but, start + len(self.words[0])):
            start = line.find(self.words[0], start + 1)
        at = start
        for word in self.words:
            at = line.find(word, at) if at >= 0 else at
        return line[start:].strip() if at >= 0 else ""


#: The first that fits a line holds.
PATTERNS = (
    Pattern(("watchdog: BUG: soft lockup",), LOCKUP),
    Pattern(("Kernel panic - not syncing",), "kernel panic"),
    Pattern(("BUG: ",), "kernel oops", but="soft lockup"),
    Pattern(("Oops: ",), "kernel oops"),
    Pattern(("general protection fault",), "kernel oops"),
    Pattern(("rcu: INFO: rcu_", "detected", "stall"), STALL),
    Pattern(("INFO: task ", " blocked for more than "), "hung task", lost=False),
    Pattern(("Out of memory: Killed process",), "out of memory", lost=False),
    Pattern(("oom-kill:",), "out of memory", lost=False),
    Pattern(("z3trace-guest: cannot ",), "guest set-up failed"),
)

#: A processor that a stall report names.  The kernel calls it a false positive when the
#: processor is idle and it was the grace period's own thread that got no time
#: (kernel/rcu/tree_stall.h), which a busy host can do to an emulated guest.
_STALLED = "rcu: \t"
_FALSE = "(false positive?)"


class Symptom(NamedTuple):
    """Something bad that a console line says, and whether the guest is lost by it."""

    name: str
    line: str
    lost: bool


class Health:
    """Takes a console line by line and keeps what is wrong with the guest."""

    def __init__(self) -> None:
        self.symptoms: list[Symptom] = []
        self.ready = False
        self._blamed: list[bool] | None = None

    def take(self, line: str) -> None:
        """The next line, without its end."""
        line = line[:LINE_LIMIT]
        self.ready = self.ready or READY in line
        if self._blamed is not None and self._blames(line):
            return
        self._blamed = None
        for pattern in PATTERNS:
            text = pattern.match(line)
            if text and len(self.symptoms) < _MOST_SYMPTOMS:
                self.symptoms.append(Symptom(pattern.name, text, pattern.lost))
                self._blamed = [] if pattern.name == STALL else None
            if text:
                return

    def _blames(self, line: str) -> bool:
        """Whether *line* goes on with a stall's report; one that blames idle processors
        only loses no guest."""
        at = line.find(_STALLED)
        if at < 0 or not line[at + len(_STALLED) :].lstrip("0123456789").startswith("-"):
            return False
        assert self._blamed is not None  # noqa: S101 - the caller looked
        self._blamed.append(_FALSE in line)
        self.symptoms[-1] = self.symptoms[-1]._replace(lost=not all(self._blamed))
        return True

    @property
    def lost(self) -> bool:
        return any(symptom.lost for symptom in self.symptoms)

    def pardon(self) -> None:
        """No guest is lost by what it said up to now."""
        self.symptoms = [symptom._replace(lost=False) for symptom in self.symptoms]


def symptoms(console: str) -> list[Symptom]:
    """Everything bad a console says, in order."""
    health = Health()
    for line in console.splitlines():
        health.take(line)
    return health.symptoms


class Console:
    """A console's file, followed while it grows; *health* is that of all whole lines."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0
        self._rest = b""
        self.health = Health()

    def grew(self) -> bool:
        """Read what is new, at most ``READ_LIMIT`` bytes of it; whether there was any."""
        data = share.read(self._path, READ_LIMIT, self._read) or b""
        self._read += len(data)
        for line in self._lines(data):
            self.health.take(line.decode(errors="replace").rstrip("\r"))
        return bool(data)

    def _lines(self, data: bytes) -> Iterator[bytes]:
        *whole, rest = (self._rest + data).split(b"\n")
        yield from whole
        # What does not fit in a line is never looked at.
        self._rest = rest[:LINE_LIMIT]

    @property
    def flooded(self) -> bool:
        return self._read > CONSOLE_LIMIT

    def text(self) -> str:
        """All of it up to ``CONSOLE_LIMIT``, as text: lines are cut, and control characters
        can be seen and do nothing."""
        data = share.read(self._path, CONSOLE_LIMIT) or b""
        lines = data.decode(errors="replace").replace("\r\n", "\n").split("\n")
        return "\n".join(visible(line[:LINE_LIMIT], keep="\t") for line in lines)
