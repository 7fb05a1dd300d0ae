"""Whose kprobe events are whose: the name of a group says which process made it.

Definitions in tracefs outlive a process, and its number is given to another one later, or
at the same time in another pid namespace.  So a name has the namespace, the number, the
time at which the process started, and a random part; what a dead process left can be
told from what is in use, and what cannot be judged from here is left alone.
"""

import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_PROC = Path("/proc")
_PREFIX = "z3trace_"
_NAME = re.compile(
    r"z3trace_(?P<namespace>[0-9a-f]{1,16})_(?P<pid>[0-9]{1,10})_(?P<start>[0-9]{1,20})"
    r"_[0-9a-f]{8}"
)
_EVENT = re.compile(rf"^[pr][0-9]*:({_PREFIX}\w+)/(\w+) ", re.M)
_STATE, _START = 0, 19  # fields of /proc/PID/stat, behind the name in parentheses
_ENDED = ("Z", "X")


@dataclass(frozen=True)
class Owner:
    """A process: its pid namespace, its number there, and when it started, in clock ticks
    since the machine did."""

    namespace: int
    pid: int
    start: int


def _status(pid: str) -> tuple[str, int] | None:
    """(state, start) of a process by its number; None if there is no such process."""
    try:
        fields = (_PROC / pid / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return fields[_STATE], int(fields[_START])


def this_process() -> Owner:
    """OSError without /proc."""
    namespace = (_PROC / "self/ns/pid").stat().st_ino
    status = _status("self")
    return Owner(namespace, os.getpid(), status[1] if status else 0)


def new_name(owner: Owner) -> str:
    """A name for a group of *owner*'s that no other group has."""
    return f"{_PREFIX}{owner.namespace:x}_{owner.pid}_{owner.start}_{secrets.token_hex(4)}"


def random_part(name: str) -> str:
    """What two groups of one process differ in."""
    return name.rpartition("_")[2]


def owner_of(name: str) -> Owner | None:
    """The process in a group's name; None if it says none."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    return Owner(int(match["namespace"], 16), int(match["pid"]), int(match["start"]))


def groups(definitions: str) -> dict[str, list[str]]:
    """Group -> events of all groups of z3trace's, from the text of ``kprobe_events``."""
    listed: dict[str, dict[str, None]] = {}
    for group, event in _EVENT.findall(definitions):
        listed.setdefault(group, {})[event] = None
    return {group: list(events) for group, events in listed.items()}


def judged(name: str, me: Owner) -> Literal["alive", "dead", "unknown"]:
    """What has become of the process that made a group, as this process sees it."""
    owner = owner_of(name)
    # A /proc of another namespace would tell of other processes.
    mine = (_PROC / "self").readlink() == Path(str(me.pid))
    if owner is None or owner.namespace != me.namespace or not mine:
        return "unknown"
    status = _status(str(owner.pid))
    if status is None or status[1] != owner.start or status[0] in _ENDED:
        return "dead"
    return "alive"
