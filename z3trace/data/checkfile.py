"""What a check writes while it goes on: JSON Lines, each on disk before the next.

A header, incidents as they come, progress once a second, an end.  The file has the
name ``FILE.part`` until its end, so that a kernel that hangs leaves all that was found.
A report is made of this file, and of a lost guest's console, which has the incidents too.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, BinaryIO, Literal

import msgspec
from msgspec import Meta

from z3trace.data.model import (
    U64,
    Ledger,
    Name,
    Origin,
    Record,
    Text,
    WorkloadResult,
)
from z3trace.data.runfile import part_name
from z3trace.errors import InputError

Address = Annotated[str, Meta(pattern=r"^0x[0-9a-f]{1,16}$")]
_LINE_LIMIT = 16 << 20
_FILE_LIMIT = 256 << 20


class ConditionInfo(Record, frozen=True, kw_only=True):
    """A condition of the target; *reason*: why it is not counted here."""

    name: Name
    reason: Text = ""


class Header(Origin, frozen=True, kw_only=True, tag_field="type", tag="check"):
    """What is checked, and what is not; *not_judged* is rule -> why."""

    schema: Literal[1] = 1
    #: By the programs' numbers, as lock classes in *locks*.
    operation_names: list[Name]
    locks: list[Name]
    conditions: list[ConditionInfo]
    not_judged: dict[Name, Text]
    #: Nanoseconds of the kernel's clock when the probes were in place.
    armed: U64


class Step(Record, frozen=True, kw_only=True):
    """A lock event of the task before the incident; *site* as in ``CallSite.number``."""

    time: U64
    lock: Address
    site: U64
    kind: Name


class Incident(Record, frozen=True, kw_only=True, tag_field="type", tag="incident"):
    """One broken rule in full, or a condition met for the first time.

    *site* is where the offence was or where the lock that was held had been acquired,
    *other* the site that belongs to it (None: none); *reverse* are the sites (held,
    asked for) of an inversion's other order; *since* and *time* are of the kernel's
    clock, *duration* in ns.
    """

    rule: Name
    time: U64
    cpu: U64
    task: U64
    task_name: Name = ""
    lock: Address
    lock_class: Name = ""
    other_class: Name = ""
    operation: Name = ""
    site: U64 | None = None
    other: U64 | None = None
    reverse: tuple[U64, U64] | None = None
    other_task: U64 = 0
    since: U64 = 0
    duration: U64 = 0
    condition: Name = ""
    steps: list[Step] = msgspec.field(default_factory=list)

    def key(self) -> tuple[object, ...]:
        """What the same incident has in the file and on the console."""
        return (self.rule, self.time, self.cpu)


class Edge(Record, frozen=True, kw_only=True):
    """A lock class asked for, not just tried, while another was held: how often, and the
    call sites of the first time."""

    held: Name
    acquired: Name
    count: U64
    held_site: U64 | None = None
    acquired_site: U64 | None = None


class Offence(Record, frozen=True, kw_only=True):
    """How often a rule was broken at a call site (None: at none)."""

    rule: Name
    site: U64 | None
    count: U64


class Progress(Record, frozen=True, kw_only=True, tag_field="type", tag="progress"):
    """All counts so far; the last of a file holds."""

    elapsed: U64
    operations: dict[Name, U64]
    reached: list[U64]
    conditions: list[U64]
    edges: list[Edge]
    offences: list[Offence]
    crossed: U64 = 0


class End(Record, frozen=True, kw_only=True, tag_field="type", tag="end"):
    """The workload ended, well or not."""

    ledger: Ledger
    result: WorkloadResult
    interrupted: bool = False


Line = Header | Incident | Progress | End
_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)


class Writer:
    """Appends lines, each on disk when ``write`` returns."""

    def __init__(self, path: Path) -> None:
        self._path, self._part = path, part_name(path)
        self._opened: BinaryIO | None = None

    @property
    def _file(self) -> BinaryIO:
        """Opened when there is something to write: what fails before leaves nothing."""
        if self._opened is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._opened = self._part.open("wb")
        return self._opened

    def write(self, line: Line) -> None:
        self._file.write(_encoder.encode(line) + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def finish(self) -> None:
        self._file.close()
        os.replace(self._part, self._path)


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """A whole file in memory: *progress* is the last one, *end* None if the kernel or
    z3trace did not live to see it."""

    header: Header
    incidents: list[Incident]
    progress: Progress | None
    end: End | None


def read(path: Path) -> Check:
    """The file *path*, or what there is of it under its ``.part`` name."""
    there = path if path.exists() else part_name(path)
    try:
        with there.open("rb") as file:
            lines = file.read(_FILE_LIMIT).splitlines(keepends=True)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    return _check(there, lines)


def _check(path: Path, lines: Iterable[bytes]) -> Check:
    header, progress, end = None, None, None
    incidents: list[Incident] = []
    for number, text in enumerate(lines, 1):
        if not text.endswith(b"\n"):
            break
        try:
            line = _decoder.decode(text) if len(text) <= _LINE_LIMIT else None
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise InputError(f"{path}:{number}: not a z3trace check: {error}") from error
        if isinstance(line, Header):
            header = line
        elif isinstance(line, Incident):
            incidents.append(line)
        elif isinstance(line, Progress):
            progress = line
        elif isinstance(line, End):
            end = line
    if header is None:
        raise InputError(f"{path}: not a z3trace check: it has no header")
    return Check(header=header, incidents=incidents, progress=progress, end=end)
