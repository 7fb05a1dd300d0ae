"""Incidents as the kernel writes them, in a map or on a guest's console, put into words."""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from z3trace.data.checkfile import Header, Incident, Step
from z3trace.data.rules import CONDITION_MET, IN_KERNEL, STEP_KINDS

_STEPS = 8
#: How ``z3t_print`` packs its words: two numbers of 32 bits in one, three in the one of
#: the lock classes; a step's word is its age, its site, its kind.
_HALF = 0xFFFFFFFF
_QUARTER = 0xFFFF
_AGE_SHIFT, _SITE_SHIFT, _SITE, _KIND = 20, 2, 0x3FFFF, 3
#: The kernel's times may be beyond what a file can hold.
_LONGEST = (1 << 63) - 1


@dataclass
class RawStep:
    """``struct z3t_step`` in ``probes/check.h``."""

    time: int = 0
    lock: int = 0
    site: int = 0
    kind: int = 0


@dataclass
class RawIncident:
    """``struct z3t_incident`` in ``probes/check.h``; its twin for maps is
    ``bpf.checklayout.Incident``."""

    time: int = 0
    lock: int = 0
    since: int = 0
    value: int = 0
    rule: int = 0
    task: int = 0
    other_task: int = 0
    cpu: int = 0
    site: int = 0
    other: int = 0
    lock_class: int = 0
    other_class: int = 0
    operation: int = 0
    next: int = 0
    name: bytes = b""
    steps: list[RawStep] = field(default_factory=lambda: [RawStep() for _ in range(_STEPS)])


_PRINTED = re.compile(r"z3t-check([012])((?: [0-9a-f]{1,16}){10})\s*$")
_MARK = "z3t-check"
_LINE = 1024  # characters; ours have at most 200, with what the kernel puts before them
_MOST_PRINTED = 10_000  # incidents; the kernel prints 64 of each CPU
_MOST_MARKS = 10 * _MOST_PRINTED  # of ours and of what only looks so
_LONG_AGO = (1 << 44) - 1


def printed(console: str, header: Header) -> list[Incident]:
    """The incidents that a guest's kernel printed on its console, see z3t_print.

    The first 10 000 at most, of as many lines as those have: a stranger's guest can print
    what it likes.
    """
    incidents: list[RawIncident] = []
    steps: dict[tuple[str, int, int], list[int]] = {}
    for match in islice(_printed_lines(console), 3 * _MOST_PRINTED):
        words = [int(word, 16) for word in match[2].split()]
        if match[1] != "0":
            steps[match[1], words[0] >> 32, words[1]] = words
        elif 0 < words[0] >> 32 < len(IN_KERNEL) and len(incidents) < _MOST_PRINTED:
            incidents.append(_unpacked(words))
    for raw in incidents:
        locks, events = (steps.get((part, raw.cpu, raw.time)) for part in "12")
        if locks and events:
            _unpack_steps(raw, locks, events)
    return [incident(raw, header) for raw in incidents]


def _printed_lines(console: str) -> Iterator[re.Match[str]]:
    """Ours among the console's lines; of each only the last mark before its end counts."""
    place = console.find(_MARK)
    for _ in range(_MOST_MARKS):
        if place < 0:
            return
        end = console.find("\n", place, place + _LINE)
        line = console[place : end if end >= 0 else place + _LINE]
        if match := _PRINTED.match(line, line.rfind(_MARK)):
            yield match
        place = console.find(_MARK, place + len(line))


def _unpacked(words: list[int]) -> RawIncident:
    raw = RawIncident()
    raw.rule, raw.cpu = words[0] >> 32, words[0] & _HALF
    raw.time, raw.lock, raw.since, raw.value = words[1:5]
    raw.task, raw.other_task = words[5] >> 32, words[5] & _HALF
    raw.site, raw.other = words[6] >> 32, words[6] & _HALF
    raw.lock_class = words[7] >> 32
    raw.other_class, raw.operation = words[7] >> 16 & _QUARTER, words[7] & _QUARTER
    raw.name = struct.pack("<QQ", *words[8:]).split(b"\0")[0]
    return raw


def _unpack_steps(raw: RawIncident, locks: list[int], events: list[int]) -> None:
    raw.next = locks[0] & _HALF
    for step, lock, event in zip(raw.steps, locks[2:], events[2:], strict=True):
        ago = event >> _AGE_SHIFT
        step.time = 0 if ago == _LONG_AGO else max(raw.time - ago, 0)
        step.lock = lock
        step.site, step.kind = event >> _SITE_SHIFT & _SITE, event & _KIND


def _named(names: list[str], number: int) -> str:
    return names[number] if 0 <= number < len(names) else ""


def incident(raw: RawIncident, header: Header) -> Incident:
    """An incident as the kernel wrote it, in words."""
    rule = IN_KERNEL[raw.rule]
    inversion, condition = rule == "order-inversion", rule == CONDITION_MET
    return Incident(
        rule=rule,
        time=raw.time,
        cpu=raw.cpu,
        task=raw.task,
        task_name=raw.name.decode(errors="replace"),
        lock=hex(raw.lock),
        lock_class="" if condition else _named(header.locks, raw.lock_class),
        other_class=_named(header.locks, raw.other_class) if inversion else "",
        operation=_named(header.operation_names, raw.operation - 1),
        site=None if condition or not raw.site else raw.site - 1,
        other=raw.other - 1 if raw.other else None,
        reverse=_reverse(raw.value) if inversion else None,
        other_task=raw.other_task,
        since=raw.since,
        duration=0 if inversion else min(raw.value, _LONGEST),
        condition=_named([c.name for c in header.conditions], raw.site - 1) if condition else "",
        steps=_steps(raw),
    )


def _reverse(value: int) -> tuple[int, int] | None:
    outer, inner = value >> 32, value & _HALF
    return (outer - 1, inner - 1) if outer and inner else None


def _steps(raw: RawIncident) -> list[Step]:
    """The task's last lock events, oldest first."""
    count = len(raw.steps)
    ordered = [raw.steps[(raw.next + i) % count] for i in range(count)]
    return [
        Step(
            time=step.time,
            lock=hex(step.lock),
            site=step.site,
            kind=STEP_KINDS[step.kind % len(STEP_KINDS)],
        )
        for step in ordered
        if step.time
    ]
