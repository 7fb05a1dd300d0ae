"""Read and write recordings: JSON Lines, ``.z3t`` or ``.z3t.gz``.

A session line, a line for each run, an end line.  The file grows as a ``partfile`` does,
so that a killed recording leaves what it had under a name that says so.
"""

import gzip
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, cast

import msgspec

from z3trace.data import buckets
from z3trace.data.model import SCHEMA, End, Recording, Run, Session
from z3trace.data.partfile import PartFile, part_name
from z3trace.errors import InputError

__all__ = ["Stream", "Writer", "part_name", "read"]

_LINE_LIMIT = 16 << 20
_FILE_LIMIT = 1 << 30
_RUN_LIMIT = 100_000

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Session | Run | End] = msgspec.json.Decoder(Session | Run | End)


class Writer:
    """Writes a recording line by line; the name appears when it is whole.

    UsageError if the file cannot be had, see ``partfile``; *say* is told where the part
    file of an earlier run is now.
    """

    def __init__(self, path: Path, say: Callable[[str], None] = lambda _: None) -> None:
        self._part = PartFile(path, say)
        self._file = cast(BinaryIO, self._part.file)
        if path.suffix == ".gz":
            packed = gzip.GzipFile(fileobj=self._part.file, mode="wb", mtime=0)
            self._file = cast(BinaryIO, packed)
        self._runs = 0

    def _line(self, record: Session | Run | End) -> None:
        self._file.write(_encoder.encode(record) + b"\n")
        self._file.flush()
        self._part.file.flush()

    def session(self, session: Session) -> None:
        self._line(session)

    def run(self, run: Run) -> None:
        self._line(run)
        self._runs += 1

    def finish(self, *, interrupted: bool) -> None:
        self._line(End(runs=self._runs, interrupted=interrupted))
        self._close_packed()
        self._part.finish()

    def _close_packed(self) -> None:
        if self._file is not self._part.file:
            self._file.close()

    def __enter__(self) -> "Writer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._part.file.closed:
            return
        if self._runs:
            self._close_packed()
            self._part.close()
        else:
            self._part.discard()


def _lines(path: Path) -> Iterator[tuple[int, bytes, bool]]:
    """(line number, line, whether its line end was there); bounded in size."""
    try:
        with path.open("rb") as probe:
            compressed = probe.read(2) == b"\x1f\x8b"
        opened = gzip.open(path, "rb") if compressed else path.open("rb")  # noqa: SIM115 - closed in finish
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    number = total = 0
    with opened as file:
        while True:
            try:
                line = file.readline(_LINE_LIMIT + 1)
            except (OSError, EOFError, zlib.error):
                return
            if not line:
                return
            number += 1
            total += len(line)
            if len(line) > _LINE_LIMIT or total > _FILE_LIMIT:
                raise InputError(f"{path}:{number}: the file is larger than a recording can be")
            yield number, line, line.endswith(b"\n")


def _decode(path: Path, number: int, line: bytes) -> Session | Run | End:
    try:
        return _decoder.decode(line)
    except msgspec.MsgspecError as error:
        hint = ""
        if number == 1:
            schema = _schema_of(line)
            if schema is not None and schema != SCHEMA:
                hint = f"its schema is {schema}, this version reads {SCHEMA}"
        raise InputError(f"{path}:{number}: not a z3trace recording: {error}", hint) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}:{number}: not a z3trace recording: not UTF-8") from error
    except RecursionError as error:
        raise InputError(f"{path}:{number}: not a z3trace recording: nested too deeply") from error


def _schema_of(line: bytes) -> int | None:
    class Peek(msgspec.Struct):
        schema: int

    try:
        return msgspec.json.decode(line, type=Peek).schema
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _check_run(path: Path, number: int, run: Run) -> None:
    for series in run.series:
        indexes = [index for index, _ in series.buckets]
        if indexes != sorted(set(indexes)):
            raise InputError(f"{path}:{number}: the buckets of a series are not in rising order")
        if sum(count for _, count in series.buckets) != series.count:
            raise InputError(f"{path}:{number}: a series' count is not the sum of its buckets")
        if series.count and not series.min <= series.max:
            raise InputError(f"{path}:{number}: a series' minimum is above its maximum")


class Stream:
    """A recording read run by run; *complete* and *interrupted* hold after the last one.

    InputError with file and line for anything that is not a recording.  A last line that
    was cut, or a missing end line, is not an error: the recording is then not complete,
    and its whole runs are read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines = _lines(path)
        self.session = self._first()
        self.complete = False
        self.interrupted = False

    def _first(self) -> Session:
        for number, line, _ in self._lines:
            record = _decode(self._path, number, line)
            if not isinstance(record, Session):
                raise InputError(f"{self._path}:{number}: the first line is not a session line")
            if record.bucket_scheme != buckets.SCHEME:
                raise InputError(f"{self._path}: unknown bucket scheme {record.bucket_scheme!r}")
            return record
        raise InputError(f"{self._path} is empty: not a z3trace recording")

    def __iter__(self) -> Iterator[Run]:
        end: End | None = None
        runs = 0
        for number, line, whole in self._lines:
            if not whole:
                break
            record = _decode(self._path, number, line)
            if end is not None:
                raise InputError(f"{self._path}:{number}: there is more after the end line")
            if isinstance(record, Run):
                _check_run(self._path, number, record)
                runs += 1
                if runs > _RUN_LIMIT:
                    raise InputError(f"{self._path}:{number}: more than {_RUN_LIMIT} runs")
                yield record
            elif isinstance(record, End):
                end = record
            else:
                raise InputError(f"{self._path}:{number}: a second session line")
        self.complete = end is not None and end.runs == runs
        self.interrupted = end is not None and end.interrupted


def read(path: Path) -> Recording:
    """Read a whole recording; see ``Stream``."""
    stream = Stream(path)
    runs = list(stream)
    return Recording(
        path=str(path),
        session=stream.session,
        runs=runs,
        complete=stream.complete,
        interrupted=stream.interrupted,
    )
