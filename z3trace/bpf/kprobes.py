"""Define kprobe events in tracefs: one event for a program, standing at many addresses.

Attaching and detaching then pays the kernel's grace period for an event and not for an
address (0.3 s instead of 6 s for z3fold's lock call sites), and an event's profile counts
hits and misses, which tell how often the kernel skipped a program.  BCC 0.26 can do
neither.

Definitions in tracefs outlive a process: a guard process waits for the end of this one,
however it comes, and removes what is left.  Where both were killed, the next start
removes it.
"""

import errno
import os
import re
import subprocess
import sys
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from z3trace.bpf import groups
from z3trace.errors import CannotTraceError, InputError

#: tracefs; where nobody mounted it, it may still be below debugfs.
TRACING = next(
    (
        path
        for path in map(Path, ("/sys/kernel/tracing", "/sys/kernel/debug/tracing"))
        if (path / "events").exists()
    ),
    Path("/sys/kernel/tracing"),
)
_DEBUG = Path("/sys/kernel/debug")
_MAX_ACTIVE = 4096  # threads that may be inside an operation at once
#: A definition is a line of words: a name with a blank or a new line in it would be another.
_EVENT = re.compile(r"[a-z0-9_]+")
_PLACE = re.compile(r"([A-Za-z0-9_-]+:)?[A-Za-z0-9_.$]+(\+[0-9]+)?")
_REFUSALS = {
    errno.EINVAL: "the kernel allows no probe here (notrace or blacklisted)",
    errno.ENOENT: "no such address in the running kernel",
    errno.EPERM: "not permitted",
    errno.EACCES: "not permitted",
    errno.EILSEQ: "not at an instruction's start",
    errno.EEXIST: "two probes of one kind at one address",
}


@dataclass(frozen=True)
class Profile:
    """How often an event's probes were hit, and how often the kernel missed one."""

    hits: int
    missed: int


def refusal(error: OSError) -> str:
    """Why the kernel refused a probe, in words a user can act on."""
    number = error.errno or 0
    return _REFUSALS.get(number, os.strerror(number))


def optimized(listed: str) -> set[int]:
    """Addresses of the kprobes that are jumps or wait to become some, from the text of
    debugfs' ``kprobes/list``."""
    return {int(line.split()[0], 16) for line in listed.splitlines() if "[OPTIMIZED]" in line}


def jumps_to_come() -> set[int]:
    """``optimized`` in this kernel; none where it does not tell."""
    try:
        return optimized((_DEBUG / "kprobes/list").read_text())
    except OSError:
        return set()


def profiles(text: str, events: Collection[str]) -> dict[str, Profile]:
    """The profile of each of *events* that has one, from the text of tracefs'
    ``kprobe_profile``: a line for each address of an event."""
    summed: dict[str, Profile] = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) == 3 and words[0] in events:
            event, hits, missed = words[0], int(words[1]), int(words[2])
            so_far = summed.get(event, Profile(0, 0))
            summed[event] = Profile(so_far.hits + hits, so_far.missed + missed)
    return summed


def _guard(group: str) -> subprocess.Popen[bytes]:
    """A process that removes the group's events when its input ends."""
    script = (
        f'read -r _; cd {TRACING} || exit 1; for e in $(grep -o ":{group}/[a-z_0-9]*" '
        'kprobe_events | sort -u); do echo "-$e" >> kprobe_events; done'
    )
    return subprocess.Popen(
        ["/bin/sh", "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _remove(definitions: int, group: str, event: str) -> None:
    os.write(definitions, f"-:{group}/{event}\n".encode())


@cache
def _sweep() -> None:
    """Remove what dead processes left; say what is left because nobody knows whose it is."""
    me = groups.this_process()
    unknown = []
    definitions = os.open(TRACING / "kprobe_events", os.O_WRONLY | os.O_APPEND)
    for group, events in groups.groups((TRACING / "kprobe_events").read_text()).items():
        verdict = groups.judged(group, me)
        if verdict == "unknown":
            unknown.append(group)
        elif verdict == "dead":
            for event in events:
                with suppress(OSError):
                    _remove(definitions, group, event)
    os.close(definitions)
    if unknown:
        print(  # noqa: T201
            f"kprobe events of processes that are not seen from here stay: {', '.join(unknown)}",
            file=sys.stderr,
        )


class EventGroup:
    """Kprobe events of this process; CannotTraceError where the kernel has none.

    The kernel's counts of hits (kprobe_profile) name events and no groups: so the events of
    a group have a name of their own in the kernel, lest those of another recording at the
    same time count as this one's.
    The first one removes what recordings left that were killed together with their guards.
    """

    def __init__(self) -> None:
        #: Event -> its name in the kernel.
        self._events: dict[str, str] = {}
        try:
            self._definitions = os.open(TRACING / "kprobe_events", os.O_WRONLY | os.O_APPEND)
            self.name = groups.new_name(groups.this_process())
            _sweep()
        except OSError as error:
            raise CannotTraceError(
                "this kernel has no kprobe events",
                "it needs CONFIG_KPROBE_EVENTS, tracefs and root; 'z3trace vm' boots one",
            ) from error
        self._guard_process = _guard(self.name)

    def __contains__(self, event: str) -> bool:
        return event in self._events

    def define(self, event: str, place: str, *, on_return: bool = False) -> None:
        """Add a probe to *event*; OSError when the kernel refuses, InputError for names that
        are none.

        *place* is ``module:function+offset`` or an address; an event can have many
        of the first kind, one of the second (the kernel takes two for the same).
        """
        if not _EVENT.fullmatch(event) or not _PLACE.fullmatch(place):
            raise InputError(f"no probe can be defined at {ascii(place)[:200]}")
        kind = f"r{_MAX_ACTIVE}" if on_return else "p"
        name = f"{event}_{groups.random_part(self.name)}"
        os.write(self._definitions, f"{kind}:{self.name}/{name} {place}\n".encode())
        self._events[event] = name

    def number(self, event: str) -> int:
        """By which a perf event is opened on *event*."""
        return int((TRACING / "events" / self.name / self._events[event] / "id").read_text())

    def profile(self) -> dict[str, Profile]:
        """Hits and misses of every event so far."""
        text = (TRACING / "kprobe_profile").read_text()
        counted = profiles(text, self._events.values())
        return {event: counted[name] for event, name in self._events.items() if name in counted}

    def close(self) -> None:
        """Remove the definitions; nothing may run at them any more."""
        for name in self._events.values():
            with suppress(OSError):
                _remove(self._definitions, self.name, name)
        self._events = {}
        with suppress(OSError):
            os.close(self._definitions)
        if self._guard_process.stdin:
            self._guard_process.stdin.close()
        self._guard_process.wait()
