"""What a check writes while it goes on: JSON Lines, each on disk before the next.

A header, incidents as they come, progress once a second, an end.  The file has the
name ``FILE.part`` until its end, so that a kernel that hangs leaves all that was found.
A report is made of this file, and of a lost guest's console, which has the incidents too.
"""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from z3trace.data import limits, lines
from z3trace.data.counts import Ledger
from z3trace.data.fields import U64, Name, Record, SiteNumber, Text, Word
from z3trace.data.model import Origin, WorkloadResult
from z3trace.data.partfile import PartFile, part_name, require_writable
from z3trace.errors import InputError

Address = Annotated[str, Meta(pattern=r"^0x[0-9a-f]{1,16}$")]
_WHAT = "a z3trace check"


class ConditionInfo(Record, frozen=True, kw_only=True):
    """A condition of the target; *reason*: why it is not counted here."""

    name: Word
    reason: Text = ""


class Header(Origin, frozen=True, kw_only=True, tag_field="type", tag="check"):
    """What is checked, and what is not; *not_judged* is rule -> why."""

    schema: Literal[1, 2] = 2
    #: Drawn for this check; empty in files from before it.
    identity: Word = ""
    #: By the programs' numbers, as lock classes in *locks*.
    operation_names: Annotated[list[Word], Meta(max_length=limits.OPERATIONS)]
    locks: Annotated[list[Word], Meta(max_length=limits.CLASSES)]
    conditions: Annotated[list[ConditionInfo], Meta(max_length=limits.CONDITIONS)]
    not_judged: Annotated[dict[Name, Text], Meta(max_length=limits.RULES)]
    #: Nanoseconds of the kernel's clock when the probes were in place.
    armed: U64


class Step(Record, frozen=True, kw_only=True):
    """A lock event of the task before the incident; *site* as in ``CallSite.number``."""

    time: U64
    lock: Address
    site: U64
    kind: Word


class Incident(Record, frozen=True, kw_only=True, tag_field="type", tag="incident"):
    """One broken rule in full, or a condition met for the first time.

    *site* is where the offence was or where the lock that was held had been acquired,
    *other* the site that belongs to it (None: none); *reverse* are the sites (held,
    asked for) of an inversion's other order; *since* and *time* are of the kernel's
    clock, *duration* in ns.
    """

    rule: Word
    time: U64
    cpu: U64
    task: U64
    task_name: Word = ""
    lock: Address
    lock_class: Word = ""
    other_class: Word = ""
    operation: Word = ""
    site: U64 | None = None
    other: U64 | None = None
    reverse: tuple[U64, U64] | None = None
    other_task: U64 = 0
    since: U64 = 0
    duration: U64 = 0
    condition: Word = ""
    steps: Annotated[list[Step], Meta(max_length=limits.STEPS)] = msgspec.field(
        default_factory=list
    )

    def key(self) -> tuple[object, ...]:
        """What the same incident has in the file and on the console."""
        return (self.rule, self.time, self.cpu)


class Edge(Record, frozen=True, kw_only=True):
    """A lock class asked for, not just tried, while another was held: how often, and the
    call sites of the first time."""

    held: Word
    acquired: Word
    count: U64
    held_site: U64 | None = None
    acquired_site: U64 | None = None


class Offence(Record, frozen=True, kw_only=True):
    """How often a rule was broken at a call site (None: at none)."""

    rule: Word
    site: U64 | None
    count: U64


class Progress(Record, frozen=True, kw_only=True, tag_field="type", tag="progress"):
    """All counts so far; the last of a file holds."""

    elapsed: U64
    operations: Annotated[dict[Word, U64], Meta(max_length=limits.OPERATIONS)]
    reached: Annotated[list[SiteNumber], Meta(max_length=limits.SITES)]
    conditions: Annotated[list[U64], Meta(max_length=limits.CONDITIONS)]
    edges: Annotated[list[Edge], Meta(max_length=limits.CLASSES**2)]
    offences: Annotated[list[Offence], Meta(max_length=limits.OFFENCES)]
    crossed: U64 = 0


class End(Record, frozen=True, kw_only=True, tag_field="type", tag="end"):
    """The workload ended, well or not."""

    ledger: Ledger
    result: WorkloadResult
    interrupted: bool = False


Line = Header | Incident | Progress | End
_decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)


class Writer:
    """Appends lines, each on disk when ``write`` returns; *say* as for a recording."""

    def __init__(self, path: Path, say: Callable[[str], None] = lambda _: None) -> None:
        require_writable(path)
        self._path, self._say = path, say
        self._opened: PartFile | None = None
        self._written = self._incidents = 0
        self._left_out: Progress | None = None

    @property
    def _part(self) -> PartFile:
        """Opened when there is something to write: what fails before leaves nothing."""
        if self._opened is None:
            self._opened = PartFile(self._path, self._say)
        return self._opened

    def write(self, line: Line) -> None:
        """A line the reader takes.  When the file is as large as it can be, incidents and
        progress are left out but the last; the counts of both are in that."""
        if isinstance(line, Progress) and self._written > limits.CHECK_PROGRESS:
            self._left_out = line
            return
        if isinstance(line, Incident):
            self._incidents += 1
            if self._incidents > limits.INCIDENTS:
                return
        if isinstance(line, End) and self._left_out is not None:
            self._append(self._left_out)
        self._append(line)

    def _append(self, line: Line) -> None:
        data = lines.encode(line, _decoder, _WHAT)
        self._written += len(data)
        self._part.file.write(data)
        self._part.sync()

    def finish(self) -> None:
        self._part.finish()


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """A whole file in memory: *progress* is the last one, *end* None if the kernel or
    z3trace did not live to see it."""

    header: Header
    incidents: list[Incident]
    progress: Progress | None
    end: End | None


def new_identity() -> str:
    """What tells one check from any other, for ``Header.identity``."""
    return secrets.token_hex(16)


def read(path: Path, identity: str = "") -> Check:
    """The file *path*, or what there is of it under its ``.part`` name.

    With *identity* only a file of that very check is read: one that an earlier check left
    is no answer.  InputError with file and line for anything else.
    """
    there = [name for name in (path, part_name(path)) if name.exists()]
    for name in there:
        check = _check(name)
        if identity in ("", check.header.identity):
            return check
    if there:
        raise InputError(f"{there[-1]} is of another check than this one")
    return _check(path)


def _check(path: Path) -> Check:
    header, progress, end = None, None, None
    incidents: list[Incident] = []
    for number, text, whole in lines.read(path, limits.CHECK):
        if not whole:
            break
        where = f"{path}:{number}"
        line = lines.decode(_decoder, text, where, _WHAT)
        if end is not None:
            raise InputError(f"{where}: there is more after the end line")
        if isinstance(line, Header) != (number == 1):
            raise InputError(f"{where}: not {_WHAT}: the header is the first line, and once")
        if isinstance(line, Header):
            header = line
        elif isinstance(line, Incident):
            incidents.append(line)
        elif isinstance(line, Progress):
            progress = line
        else:
            end = line
        if len(incidents) > limits.INCIDENTS:
            raise InputError(f"{where}: more incidents than {_WHAT} can have")
    if header is None:
        raise InputError(f"{path}: not {_WHAT}: it has no header")
    return Check(header=header, incidents=incidents, progress=progress, end=end)
